/**
 * Ends this process when its parent has exited. A killed Pulumi CLI cannot notify its plugins, and they would stay forever.
 */
export function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) {
      process.exit(0);
    }
  }, 1000).unref();
}
