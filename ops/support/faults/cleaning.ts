import * as os from 'node:os';
import { say } from '../say';

/** What has to be removed at the end, even if a signal ends the process. */
export class Cleaning {
  /** Whether a signal has arrived. */
  stopped = false;
  private readonly work: (() => Promise<void>)[] = [];
  private running = Promise.resolve();

  /**
   * @param againMs milliseconds after which a second signal means that the person does not want to wait. Before, it is the same
   * one, sent twice.
   */
  constructor(againMs = 3_000) {
    let first = Infinity;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const end = (): void => process.exit(128 + os.constants.signals[signal]);
      process.on(signal, () => {
        if (!this.stopped) {
          this.stopped = true;
          first = performance.now();
          say('\nStopped; removing what was made');
          void this.now().finally(end);
        } else if (performance.now() - first >= againMs) {
          say('Not all of it is removed');
          end();
        }
      });
    }
  }

  add(work: () => Promise<void>): void {
    this.work.push(work);
  }

  /** Runs all of them, the last first. A failure is reported, and the rest is done; further calls meanwhile wait for that too. */
  now(): Promise<void> {
    this.running = this.running.then(async () => {
      for (let work = this.work.pop(); work; work = this.work.pop()) {
        await work().catch((error: Error) => say(`Not removed: ${error.message}`));
      }
    });
    return this.running;
  }
}
