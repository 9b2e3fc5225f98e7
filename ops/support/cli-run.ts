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
  /** 128 and the number of the signal, where one has ended it. */
  readonly code: number;
  /** Whether somebody wanted it to stop. */
  readonly stopped: boolean;
  /** What has ended it, where it did not end by itself. */
  readonly signal?: NodeJS.Signals;
}

export interface Result extends End {
  readonly stdout: string;
  readonly stderr: string;
}

/** The executable, and where it runs. */
export interface Cli {
  readonly file: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Runs the CLI to its end and collects what it prints.
 * @param mode whether its output is on this terminal as well (on stderr: stdout is for results)
 * @param input what it reads. Default: nothing
 */
export async function runCli(cli: Cli, args: readonly string[], mode: 'collect' | 'show', input?: string): Promise<Result> {
  const { child, ended } = startCli(cli, args, [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']);
  // One that ends before it has read says why by itself.
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
 * The CLI, whose end is waited for whatever signals come: it finishes the step that it is in and writes the state. A second
 * signal would mean "at once" to it. It knows no SIGHUP, which would end it in the middle, and ignores what its parent did.
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

/** Said at every run where a plugin is found on PATH; the toolchain has said it once, in better words. */
const noise = /warning: using pulumi-(resource|language)-\S+ from \$PATH/;
