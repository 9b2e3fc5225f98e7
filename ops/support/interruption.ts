import { say, Stopped } from './say';

/**
 * Ctrl-C in a command that must not end at an arbitrary point: it is noticed at once, and takes effect at the next point at
 * which the command can end safely.
 */
export class Interruption {
  private readonly asked = new AbortController();

  private constructor() {
    signals.forEach((signal) => process.on(signal, this.hear));
  }

  /** Does work that must not be interrupted. After it the command may end at any point. */
  static async during<T>(work: (interruption: Interruption) => Promise<T>): Promise<T> {
    const interruption = new Interruption();
    try {
      return await work(interruption);
    } finally {
      signals.forEach((signal) => process.off(signal, interruption.hear));
    }
  }

  get signal(): AbortSignal {
    return this.asked.signal;
  }

  /** @throws Stopped if the command has been asked to stop */
  check(message = 'Stopped.'): void {
    if (this.signal.aborted) {
      throw new Stopped(message);
    }
  }

  /**
   * Waits for a step that may be interrupted: it holds nothing, and runs no CLI. @throws Stopped as soon as the command is
   * asked to stop
   */
  orStop<T>(step: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(new Stopped('Stopped.'));
      step.then(resolve, reject);
      this.signal.addEventListener('abort', stop, { once: true });
      if (this.signal.aborted) {
        stop();
      }
    });
  }

  private readonly hear = (): void => {
    if (!this.signal.aborted) {
      this.asked.abort();
      say('Stopping at the next safe point …');
    }
  };
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
