import type { ChildProcess } from 'node:child_process';

/**
 * Starts a process, waits for its end, and returns its exit code. A signal meanwhile first ends that process; then this process
 * ends by the signal, as it would have without.
 * @param start starts it and listens to it
 * @param stop ends it
 * @param tidy runs before this process ends by a signal
 */
export async function ended(start: () => ChildProcess, stop: (child: ChildProcess) => void, tidy: () => void): Promise<number> {
  let by: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    by = signal;
    stop(child);
  };
  // Before there is a process to stop: a signal must not end only this one.
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  const child = start();
  try {
    return await new Promise<number>((resolve, reject) => child.on('error', reject).on('close', (code) => resolve(code ?? 1)));
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal).off('SIGHUP', onSignal);
    if (by) {
      tidy();
      process.kill(process.pid, by);
    }
  }
}

/** Ends a process that leads a group of its own (`detached`), and whatever it has started. */
export function stopGroup({ pid }: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): void {
  try {
    if (pid) {
      process.kill(-pid, signal);
    }
  } catch {
    // It has just ended by itself.
  }
}
