/**
 * A run of the Pulumi CLI as a process: what it prints, and how it ends.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import * as os from 'node:os';
import * as readline from 'node:readline';
import type { Readable } from 'node:stream';
import { passingOn } from './signals.cjs';

/** How a run of the CLI ended. */
interface End {
  /** 128 plus the number of the signal, if a signal ended it. */
  readonly code: number;
  /** Whether it was asked to stop. */
  readonly stopped: boolean;
  /** The signal that ended it, if it did not end by itself. */
  readonly signal?: NodeJS.Signals;
}

export interface Result extends End {
  readonly stdout: string;
  readonly stderr: string;
}

/** The executable, its folder and its environment. */
export interface Cli {
  readonly file: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Runs the CLI to its end and collects its output.
 * @param mode whether the output is also shown on this terminal (on stderr: stdout is for results)
 * @param input its standard input. Default: nothing
 */
export async function runCli(cli: Cli, args: readonly string[], mode: 'collect' | 'show', input?: string): Promise<Result> {
  const { child, ended } = startCli(cli, args, [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']);
  // If it ends before it has read its input, its own output says why.
  child.stdin?.on('error', () => undefined).end(input);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    readline.createInterface({ input: child[name] as Readable }).on('line', (line) => {
      output[name] += `${line}\n`;
      if (mode === 'show' && !noise.test(line)) {
        process.stderr.write(`${line}\n`);
      }
    });
  }
  return { ...(await ended), ...output };
}

/**
 * The CLI; signals do not end the wait for it: it finishes its current step and writes the state. A second signal would mean
 * "at once" to it. It does not handle SIGHUP, which would kill it in a step; `trap` makes it ignore that signal.
 */
export function startCli({ file, cwd, env }: Cli, args: readonly string[], stdio: StdioOptions): { readonly child: ChildProcess; readonly ended: Promise<End> } {
  let stopped = false;
  const { child, end } = passingOn(
    () => spawn('/bin/sh', ['-c', 'trap "" HUP; exec "$0" "$@"', file, ...args], { cwd, env, stdio }),
    { hear: () => void (stopped = true), as: 'SIGINT', deafTo: 'SIGHUP' },
  );
  const ended = new Promise<End>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? 128 + os.constants.signals[signal ?? 'SIGKILL'], stopped, ...(signal ? { signal } : {}) }));
  }).finally(end);
  return { child, ended };
}

/** Printed at every run if a plugin is found on PATH; the toolchain has already reported it once, more clearly. */
const noise = /warning: using pulumi-(resource|language)-\S+ from \$PATH/;
