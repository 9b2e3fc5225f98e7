/** MiB above which Prometheus deletes its oldest samples. The rest of its room is for the newest ones, which become a block after two hours. */
export const keptMiB = (storageMiB: number): number => Math.floor(storageMiB * 0.8);
