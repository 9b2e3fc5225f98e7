import { spawn } from 'node:child_process';
import * as readline from 'node:readline';
import { projectDir } from './backend';
import { Failure } from './say';
import type { Toolchain } from './toolchain';

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A resource in the state, as `pulumi stack export` gives it. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

export interface StackState {
  readonly resources: readonly StateResource[];
  /** Operations that were under way when an earlier run ended. */
  readonly pending: readonly { readonly type: string; readonly urn: string }[];
}

/** The Pulumi CLI on one stack of this project. */
export class Pulumi {
  constructor(private readonly tools: Toolchain, readonly stack: string) {}

  /** Runs the CLI and collects what it prints. Never fails by itself. */
  run(args: readonly string[]): Promise<Result> {
    return this.start(args, 'collect');
  }

  /** Runs the CLI with its output on this terminal (on stderr: stdout is for results), and collects it too. */
  show(args: readonly string[]): Promise<Result> {
    return this.start(args, 'show');
  }

  /** The CLI with the terminal as its own, for questions it asks. */
  interactive(args: readonly string[]): Promise<Result> {
    return this.start(args, 'inherit');
  }

  /** State of the stack, or undefined when there is no such stack yet. */
  async state(): Promise<StackState | undefined> {
    const { code, stdout, stderr } = await this.run(['stack', 'export', '--stack', this.stack]);
    if (code !== 0) {
      if (/no stack named/.test(stderr)) {
        return undefined;
      }
      throw this.failure('reading the state of the stack', stderr);
    }
    const { deployment } = JSON.parse(stdout) as {
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

  async init(): Promise<void> {
    await this.must(['stack', 'init', this.stack, '--no-select'], 'making the stack');
  }

  /** Settings of the stack file, secrets left out. */
  async settings(): Promise<Record<string, string>> {
    const stdout = await this.must(['config', '--json', '--stack', this.stack], 'reading the settings');
    const values = JSON.parse(stdout) as Record<string, { value?: string }>;
    return Object.fromEntries(Object.entries(values).flatMap(([key, { value }]) => (value === undefined ? [] : [[key, value]])));
  }

  /** Stores settings in the stack file. */
  async set(settings: Readonly<Record<string, string>>): Promise<void> {
    const pairs = Object.entries(settings).flatMap(([key, value]) => ['--plaintext', `${key}=${value}`]);
    if (pairs.length > 0) {
      await this.must(['config', 'set-all', '--stack', this.stack, ...pairs], 'storing the settings');
    }
  }

  async outputs<T>(): Promise<T> {
    return JSON.parse(await this.must(['stack', 'output', '--json', '--stack', this.stack], 'reading the outputs')) as T;
  }

  /** Runs the CLI and returns its stdout. @throws Failure with what it said when it fails */
  async must(args: readonly string[], doing: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code !== 0) {
      throw this.failure(doing, stderr);
    }
    return stdout;
  }

  /** What a failed CLI run means, in this project's words where they say more. */
  failure(doing: string, stderr: string): Failure {
    if (/incorrect passphrase|passphrase must be set|unable to find either/i.test(stderr)) {
      const file = this.tools.env['PULUMI_CONFIG_PASSPHRASE_FILE'] ?? process.env['PULUMI_CONFIG_PASSPHRASE_FILE'];
      return new Failure(
        `${file ?? 'PULUMI_CONFIG_PASSPHRASE'} does not fit the secrets of stack ${this.stack}: they were encrypted with another passphrase. Nothing was changed.`,
        [`cp /path/of/the/passphrase/that/fits ${file ?? './passphrase && export PULUMI_CONFIG_PASSPHRASE_FILE=./passphrase'}`],
      );
    }
    return new Failure(`${doing} failed: ${stderr.trim() || 'pulumi said nothing'}`);
  }

  private start(args: readonly string[], mode: 'collect' | 'show' | 'inherit'): Promise<Result> {
    const child = spawn(this.tools.pulumi, args, {
      cwd: projectDir,
      env: { ...process.env, ...this.tools.env },
      stdio: mode === 'inherit' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    const collected = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = child[name];
      if (stream) {
        readline.createInterface({ input: stream }).on('line', (line) => {
          collected[name] += `${line}\n`;
          if (mode === 'show' && !noise.test(line)) {
            process.stderr.write(`${line}\n`);
          }
        });
      }
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve({ code: signal ? 130 : code ?? 1, ...collected }));
    });
  }
}

/** Said at every run where a plugin is found on PATH; the toolchain has said it once, in better words. */
const noise = /^\s*warning: using pulumi-(resource|language)-\S+ from \$PATH/;
