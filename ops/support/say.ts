/** What a command tells the person who runs it. On stderr: stdout is for results, which may be JSON. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A failure that a person can mend: the message says what is wrong and how. Printed without a stack trace. */
export class Failure extends Error {
  /** @param mend commands that mend it, one a line */
  constructor(message: string, readonly mend: readonly string[] = []) {
    super([message, ...mend.map((command) => `    ${command}`)].join('\n'));
  }
}

/** Runs a command's main function: a `Failure` ends it with its message and exit code 1. */
export function main(run: () => Promise<void>): void {
  run().catch((error: unknown) => {
    if (!(error instanceof Failure)) {
      throw error;
    }
    say(`\n${error.message}`);
    process.exitCode = 1;
  });
}
