import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as readline from 'node:readline';
import type { Readable } from 'node:stream';
import { stackVariable } from '../../settings/problem';
import { withoutPassword } from '../../engine';
import { projectDir } from './backend';
import { npmRun, typedName } from './project';
import { Failure, Stopped } from './say';
import { passingOn } from './signals.cjs';
import type { Toolchain } from './toolchain';

export interface Result extends End {
  readonly stdout: string;
  readonly stderr: string;
}

/** What there is to know of a run that failed. */
type Run = Pick<Result, 'stdout' | 'stderr'> & Partial<Pick<Result, 'stopped'>>;

/** A resource in the state, as `pulumi stack export` gives it. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly protect?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

export interface StackState {
  readonly resources: readonly StateResource[];
  /** Operations that were under way when an earlier run ended. */
  readonly pending: readonly { readonly type: string; readonly urn: string }[];
}

/** How a run of the CLI ended. */
interface End {
  /** 128 and the number of the signal, where one has ended it. */
  readonly code: number;
  /** Whether somebody wanted it to stop. */
  readonly stopped: boolean;
  /** What has ended it, where it did not end by itself. */
  readonly signal?: NodeJS.Signals;
}

/** The Pulumi CLI on one stack of this project. */
export class Pulumi {
  /**
   * @param stack its short name; empty where the arguments of each run name one
   * @param dir folder with Pulumi.yaml. Default: the checkout's
   * @param name the stack for the CLI. Default: as it was typed
   */
  constructor(private readonly tools: Toolchain, readonly stack: string, private readonly dir: string = projectDir, private readonly name: string = typedName(stack)) {}

  /** Folder of the backend, where that is files. */
  get backendDir(): string | undefined {
    return /^file:\/\/(\/[^?]*)/.exec({ ...process.env, ...this.tools.env }['PULUMI_BACKEND_URL'] ?? '')?.[1];
  }

  /** Runs the CLI on the stack and collects what it prints. Never fails by itself. */
  run(args: readonly string[]): Promise<Result> {
    return this.start(this.onStack(args), 'collect');
  }

  /** Runs the CLI on the stack with its output on this terminal (on stderr: stdout is for results), and collects it too. */
  show(args: readonly string[]): Promise<Result> {
    return this.start(this.onStack(args), 'show');
  }

  /** Runs the CLI on this terminal, with its questions and just these arguments. @returns its exit code */
  async handOver(args: readonly string[]): Promise<number> {
    return (await this.spawned(args, 'inherit').ended).code;
  }

  /** State of the stack, or undefined when there is no such stack yet. */
  async state(): Promise<StackState | undefined> {
    const run = await this.run(['stack', 'export']);
    if (run.code !== 0) {
      if (/no stack named/.test(run.stderr)) {
        return undefined;
      }
      throw this.failure('reading the state of the stack', run);
    }
    const { deployment } = JSON.parse(run.stdout) as {
      deployment: {
        resources?: StateResource[];
        pending_operations?: { type: string; resource: { urn: string } }[];
      } | null;
    };
    return {
      resources: deployment?.resources ?? [],
      pending: (deployment?.pending_operations ?? []).map(({ type, resource }) => ({ type, urn: resource.urn })),
    };
  }

  /** The whole state, as `pulumi stack export` writes it; secrets are encrypted in it. */
  async exported<T>(): Promise<T> {
    return JSON.parse(await this.must(['stack', 'export'], 'reading the state of the stack')) as T;
  }

  /**
   * Writes back what `exported` gave, changed.
   * @param doing what that is, for the message of a failure
   */
  async imported(state: object, doing: string): Promise<void> {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'llm-observability-'));
    try {
      const file = path.join(dir, 'state.json');
      fs.writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
      await this.must(['stack', 'import', '--file', file], doing);
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
  }

  /** Lets resources be replaced or deleted that are protected, or no longer. */
  async protection(kind: 'protect' | 'unprotect', urns: readonly string[]): Promise<void> {
    if (urns.length > 0) {
      await this.must(['state', kind, ...urns, '--yes'], kind === 'protect' ? 'protecting again what was unprotected' : 'unprotecting what is to be rotated');
    }
  }

  async init(): Promise<void> {
    await this.must(['stack', 'init', '--no-select'], 'making the stack');
  }

  /** Removes a stack without resources, if it is there. */
  async remove(): Promise<void> {
    const run = await this.run(['stack', 'rm', '--yes', '--preserve-config']);
    if (run.code !== 0 && !/no stack named/.test(run.stderr)) {
      throw this.failure('removing the new stack', run);
    }
  }

  /** Settings of the stack file; secrets are left out, but for those of the namespace `docker`. */
  async settings(): Promise<Record<string, string>> {
    const read = async (...flags: string[]): Promise<Record<string, { value?: string }>> =>
      JSON.parse(await this.must(['config', '--json', ...flags], 'reading the settings')) as Record<string, { value?: string }>;
    const values = await read();
    // Without the key of its certificate this process does not reach the engine.
    const engineSecrets = Object.keys(values).filter((key) => key.startsWith('docker:') && values[key]?.value === undefined);
    if (engineSecrets.length > 0) {
      const shown = await read('--show-secrets');
      engineSecrets.forEach((key) => (values[key] = shown[key] ?? {}));
    }
    return Object.fromEntries(Object.entries(values).flatMap(([key, { value }]) => (value === undefined ? [] : [[key, value]])));
  }

  /** Settings of the stack file that are secret, in plain text: for this process alone. */
  async secrets(): Promise<Record<string, string>> {
    const values = JSON.parse(await this.must(['config', '--json', '--show-secrets'], 'reading the settings')) as Record<string, { value?: string; secret?: boolean }>;
    return Object.fromEntries(Object.entries(values).flatMap(([key, { value, secret }]) => (secret && value !== undefined ? [[key, value]] : [])));
  }

  /** Encrypts settings into the stack file. The CLI reads them from its input: its arguments everybody sees who sees processes. */
  async setSecrets(secrets: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<void> {
    for (const [key, value] of Object.entries(secrets)) {
      const run = await this.start(this.onStack(['config', 'set', '--secret', key, ...args]), 'collect', value);
      if (run.code !== 0) {
        throw this.failure(`setting ${key}`, run);
      }
    }
  }

  /** Outputs of the stack, secrets in plain text: for this process alone. */
  async outputs<T>(): Promise<T> {
    return JSON.parse(await this.must(['stack', 'output', '--json', '--show-secrets'], 'reading the outputs')) as T;
  }

  /** Runs the CLI and returns its stdout. @throws Failure with what it said when it fails */
  async must(args: readonly string[], doing: string): Promise<string> {
    const run = await this.run(args);
    if (run.code !== 0) {
      throw this.failure(doing, run);
    }
    return run.stdout;
  }

  /** The reason of a failed run where this project knows more of it than the CLI does. */
  known({ stdout, stderr, stopped }: Run): Failure | undefined {
    if (stopped) {
      return new Stopped('Stopped.');
    }
    if (/no stack named '.*' found/.test(stderr)) {
      return new Failure(`There is no stack ${this.stack}.`, ['npm run pulumi -- stack ls', npmRun('up', this.stack)]);
    }
    // Two runs may both have found no lock, and then one of them has taken it.
    const [, holder] = /the stack is currently locked[^]*?created by (.+? \(pid \d+\))/.exec(stdout + stderr) ?? [];
    if (holder !== undefined) {
      return new Failure(`Another deployment of stack ${this.stack} is under way, by ${holder}. Nothing was changed by this one.`, [npmRun('up', this.stack)]);
    }
    if (/organization name must be 'organization'/.test(stdout + stderr)) {
      return new Failure(`This backend has no organizations, so it has no stack ${this.name}. Use --stack ${this.stack}. Nothing was changed.`, [
        'npm run pulumi -- whoami --verbose   # shows the backend',
      ]);
    }
    const [said] = /incorrect passphrase|passphrase must be set|unable to find either|unable to read PULUMI_CONFIG_PASSPHRASE_FILE/i.exec(stdout + stderr) ?? [];
    if (said === undefined) {
      return undefined;
    }
    const env = { ...process.env, ...this.tools.env };
    // Of the two variables the CLI takes this one, even an empty one.
    const file = env['PULUMI_CONFIG_PASSPHRASE'] === undefined ? env['PULUMI_CONFIG_PASSPHRASE_FILE'] : undefined;
    // Other stacks may need the file as it is.
    const mend = file ? 'export PULUMI_CONFIG_PASSPHRASE_FILE=/path/of/the/passphrase/that/fits' : "export PULUMI_CONFIG_PASSPHRASE='the passphrase that fits'";
    if (!/^incorrect/i.test(said)) {
      return new Failure(`The secrets of stack ${this.stack} need a passphrase, and ${file ? `${file} cannot be read` : 'none is given'}. Nothing was changed.`, [mend]);
    }
    return new Failure(
      `${file || 'PULUMI_CONFIG_PASSPHRASE'} does not fit the secrets of stack ${this.stack}: they were encrypted with another passphrase. Nothing was changed.`,
      [mend],
    );
  }

  private failure(doing: string, run: Run): Failure {
    const said = run.stderr.trim().replace(/^error: /, '');
    return this.known(run) ?? this.unreachable(said) ?? new Failure(`${doing.charAt(0).toUpperCase()}${doing.slice(1)} failed: ${said || 'Pulumi said nothing'}`);
  }

  /** What the CLI says of a backend that is not there, or that lets nobody in. */
  private unreachable(said: string): Failure | undefined {
    const [reason = ''] = said.split('\n');
    if (!/PULUMI_ACCESS_TOKEN must be set|unable to open (state directory|bucket)|\.pulumi\/meta\.yaml|no driver registered|could not open url|invalid access token|failed to contact/i.test(reason)) {
      return undefined;
    }
    const env = { ...process.env, ...this.tools.env };
    const [url] = [env['PULUMI_BACKEND_URL']].map((chosen) => chosen && withoutPassword(chosen));
    return new Failure(`The state${url ? ` at ${url}` : ''} cannot be read: ${withoutPassword(reason)}.`, [
      `pulumi login ${url ?? 'URL'}`,
      ...(process.env['PULUMI_BACKEND_URL'] ? ['unset PULUMI_BACKEND_URL   # the state of this user'] : []),
    ]);
  }

  private onStack(args: readonly string[]): string[] {
    return [...args, ...(this.name ? ['--stack', this.name] : [])];
  }

  /** @param input what it reads. Default: nothing */
  private async start(args: readonly string[], mode: 'collect' | 'show', input?: string): Promise<Result> {
    const { child, ended } = this.spawned(args, [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']);
    // One that ends before it has read says why by itself.
    child.stdin?.on('error', () => undefined).end(input);
    const collected = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      readline.createInterface({ input: child[name] as Readable }).on('line', (line) => {
        collected[name] += `${line}\n`;
        if (mode === 'show' && !noise.test(line)) {
          process.stderr.write(`${line}\n`);
        }
      });
    }
    return { ...(await ended), ...collected };
  }

  /**
   * The CLI, whose end is waited for whatever signals come: it finishes the step that it is in and writes the state. A second
   * signal would mean "at once" to it. It knows no SIGHUP, which would end it in the middle, and ignores what its parent did.
   */
  private spawned(args: readonly string[], stdio: StdioOptions): { readonly child: ChildProcess; readonly ended: Promise<End> } {
    const env = { ...process.env, ...this.tools.env, ...(this.name === this.stack ? {} : { [stackVariable]: this.name }) };
    let stopped = false;
    const { child, end } = passingOn(
      () => spawn('/bin/sh', ['-c', 'trap "" HUP; exec "$0" "$@"', this.tools.pulumi, ...args], { cwd: this.dir, env, stdio }),
      { hear: () => void (stopped = true), as: 'SIGINT', deafTo: 'SIGHUP' },
    );
    const ended = new Promise<End>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve({ code: code ?? 128 + os.constants.signals[signal ?? 'SIGKILL'], stopped, ...(signal ? { signal } : {}) }));
    }).finally(end);
    return { child, ended };
  }
}

/** Said at every run where a plugin is found on PATH; the toolchain has said it once, in better words. */
const noise = /warning: using pulumi-(resource|language)-\S+ from \$PATH/;
