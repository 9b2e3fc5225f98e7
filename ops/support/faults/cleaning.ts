import * as os from 'node:os';
import { say } from '../say';

/** What has to be removed at the end, also when a signal ends the process. */
export class Cleaning {
  /** Whether a signal has come. */
  stopped = false;
  private readonly work: (() => Promise<void>)[] = [];
  private running = Promise.resolve();

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        this.stopped = true;
        say('\nStopped; removing what was made');
        void this.now().finally(() => process.exit(128 + os.constants.signals[signal]));
      });
    }
  }

  add(work: () => Promise<void>): void {
    this.work.push(work);
  }

  /** Does all of it, the last first. What fails is reported, and the rest is done; who comes meanwhile waits for that too. */
  now(): Promise<void> {
    this.running = this.running.then(async () => {
      for (let work = this.work.pop(); work; work = this.work.pop()) {
        await work().catch((error: Error) => say(`Not removed: ${error.message}`));
      }
    });
    return this.running;
  }
}
