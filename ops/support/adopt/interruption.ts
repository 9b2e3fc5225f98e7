import { Failure, say } from '../say';

/**
 * Ctrl-C in a command that may not end just anywhere: it is heard at once and obeyed at the next place where everything is
 * in order.
 */
export class Interruption {
  private asked = false;

  constructor() {
    process.on('SIGINT', this.hear);
    process.on('SIGTERM', this.hear);
    process.on('SIGHUP', this.hear);
  }

  /** @throws Failure when the command has been asked to stop */
  check(): void {
    if (this.asked) {
      throw new Failure('Stopped.');
    }
  }

  /** From here on the command may end anywhere. */
  end(): void {
    process.off('SIGINT', this.hear);
    process.off('SIGTERM', this.hear);
    process.off('SIGHUP', this.hear);
  }

  private readonly hear = (): void => {
    if (!this.asked) {
      say('Stopping at the next place where everything is in order …');
    }
    this.asked = true;
  };
}
