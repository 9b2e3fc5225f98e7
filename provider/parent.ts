/**
 * Ends this process when the one that started it has gone. A Pulumi CLI that is killed cannot tell its plugins, and
 * they would stay for ever.
 */
export function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) {
      process.exit(0);
    }
  }, 1000).unref();
}
