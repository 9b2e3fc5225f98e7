/** What a command prints for the person who runs it. On stderr: stdout is for results, which may be JSON. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A failure that a person can fix: the message says what is wrong and how. Printed without a stack trace. */
export class Failure extends Error {
  /** Exit code of the process. Documented in docs/commands.md. */
  readonly exitCode: number = 1;

  /** @param mend commands that fix it, one per line */
  constructor(message: string, readonly mend: readonly string[] = []) {
    super([message, ...mend.map((command) => `    ${command}`)].join('\n'));
  }
}

/** The command was stopped by a person. */
export class Stopped extends Failure {
  override readonly exitCode = 130;
}

/** The command line is invalid. Nothing was done. */
export class Misread extends Failure {
  override readonly exitCode = 2;
}
