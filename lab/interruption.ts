import { allowCommands, interruptCommands } from './command';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Signal = (typeof signals)[number];

let depth = 0;
let heard: Signal | undefined;

/**
 * Runs `work` so that Ctrl-C, SIGTERM and SIGHUP let it clean up: the programs that it runs are ended, so that it fails as with
 * any other failure, and only then this process ends by the signal. A second signal ends it at once.
 */
export async function interruptible<T>(work: () => Promise<T>): Promise<T> {
  if (depth === 0) signals.forEach((signal) => process.on(signal, hear));
  depth += 1;
  try {
    const result = await work();
    if (heard) throw new Error('interrupted');
    return result;
  } finally {
    depth -= 1;
    if (depth === 0) end();
  }
}

function hear(signal: Signal): void {
  heard = signal;
  signals.forEach((each) => process.off(each, hear));
  interruptCommands();
}

function end(): void {
  signals.forEach((signal) => process.off(signal, hear));
  // Other listeners have received it, and end the process in their own way.
  if (heard && process.listenerCount(heard) === 0) process.kill(process.pid, heard);
  heard = undefined;
  allowCommands();
}
