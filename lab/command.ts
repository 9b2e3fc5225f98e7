import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Variables on top of this process's own; `undefined` removes one. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface CommandOptions {
  cwd?: string;
  env?: Environment;
  /** Called for every line of stdout and stderr, without its newline. */
  onLine?: (line: string) => void;
  /** In its own process group, without this terminal: for code that signals its whole group. Default: false. */
  ownGroup?: boolean;
}

/** A command that could not be started or did not exit with 0. */
export class CommandError extends Error {
  constructor(
    command: string,
    args: readonly string[],
    /** Exit status; null when it was killed by a signal or never started. */
    readonly status: number | null,
    reason: string,
    /** Last lines of its output, newest last. */
    readonly lastLines: readonly string[],
  ) {
    super([`${command} ${args.join(' ')}: ${reason}`, ...lastLines.map((line) => `  ${line}`)].join('\n'));
    this.name = 'CommandError';
  }
}

/** With the process ID to signal: negative for a group. */
const running = new Map<ChildProcess, number>();
let interrupted = false;

/** Asks every running program to end, and starts no others. SIGINT: Go and Docker end what they started and clean up. */
export function interruptCommands(): void {
  interrupted = true;
  for (const target of running.values()) process.kill(target, 'SIGINT');
}

/** Reverts the above. */
export function allowCommands(): void {
  interrupted = false;
}

/**
 * Runs a program without a shell and returns its stdout.
 *
 * @throws CommandError when it cannot be started or exits with a status other than 0
 */
export function command(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    if (interrupted) return reject(new CommandError(program, args, null, 'interrupted', []));
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: options.ownGroup ?? false,
    });
    if (child.pid !== undefined) running.set(child, options.ownGroup ? -child.pid : child.pid);
    const lastLines: string[] = [];
    const stdout: string[] = [];
    const listen = (line: string): void => {
      lastLines.push(line);
      if (lastLines.length > 15) lastLines.shift();
      options.onLine?.(line);
    };
    createInterface({ input: child.stdout }).on('line', (line) => {
      stdout.push(line);
      listen(line);
    });
    createInterface({ input: child.stderr }).on('line', listen);
    child.on('error', (error) => reject(new CommandError(program, args, null, error.message, lastLines)));
    child.on('exit', () => running.delete(child));
    child.on('close', (status, signal) => {
      if (status === 0) resolve(stdout.join('\n'));
      else reject(new CommandError(program, args, status, signal ? `killed by ${signal}` : `exit status ${status}`, lastLines));
    });
  });
}

/** The same, but undefined instead of an error. For questions to which "it failed" is an answer. */
export async function ask(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string | undefined> {
  try {
    return await command(program, args, options);
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}
