import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { stackVariable } from '../../settings/problem';
import { projectDir } from './backend';
import { failureOf, knownFailure, type FailedRun, type StackCli } from './cli-failure';
import { runCli, startCli, type Cli, type Result } from './cli-run';
import { typedName } from './project';
import type { Failure } from './say';
import type { StackState, StateResource } from './stack-state';
import type { Toolchain } from './toolchain';

/** The Pulumi CLI on one stack of this project. */
export class Pulumi {
  /**
   * @param stack its short name; empty if the arguments of each run name one
   * @param dir folder with Pulumi.yaml. Default: the checkout's
   * @param name the stack's name for the CLI. Default: as it was typed
   */
  constructor(private readonly tools: Toolchain, readonly stack: string, private readonly dir: string = projectDir, private readonly name: string = typedName(stack)) {}

  /** Folder of the backend, if that is a file backend. */
  get backendDir(): string | undefined {
    return /^file:\/\/(\/[^?]*)/.exec(this.cli.env['PULUMI_BACKEND_URL'] ?? '')?.[1];
  }

  /** Runs the CLI on the stack and collects its output. Never throws. */
  run(args: readonly string[]): Promise<Result> {
    return runCli(this.cli, this.onStack(args), 'collect');
  }

  /** Runs the CLI on the stack with its output on this terminal (on stderr: stdout is for results), and collects it too. */
  show(args: readonly string[]): Promise<Result> {
    return runCli(this.cli, this.onStack(args), 'show');
  }

  /** Runs the CLI on this terminal, with its questions and exactly these arguments. @returns its exit code */
  async handOver(args: readonly string[]): Promise<number> {
    return (await startCli(this.cli, args, 'inherit').ended).code;
  }

  /** State of the stack, or undefined if there is no such stack yet. */
  async state(): Promise<StackState | undefined> {
    const run = await this.run(['stack', 'export']);
    if (run.code !== 0) {
      if (/no stack named/.test(run.stderr)) {
        return undefined;
      }
      throw failureOf(this.cli, 'reading the state of the stack', run);
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
   * Writes back the result of `exported`, after changes.
   * @param doing what is being done, for the message of a failure
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

  /** Sets or removes the protection of resources against replacement and deletion. */
  async protection(kind: 'protect' | 'unprotect', urns: readonly string[]): Promise<void> {
    if (urns.length > 0) {
      await this.must(['state', kind, ...urns, '--yes'], kind === 'protect' ? 'protecting again what was unprotected' : 'unprotecting what is to be rotated');
    }
  }

  async init(): Promise<void> {
    await this.must(['stack', 'init', '--no-select'], 'creating the stack');
  }

  /** Removes a stack without resources, if it exists. */
  async remove(): Promise<void> {
    const run = await this.run(['stack', 'rm', '--yes', '--preserve-config']);
    if (run.code !== 0 && !/no stack named/.test(run.stderr)) {
      throw failureOf(this.cli, 'removing the new stack', run);
    }
  }

  /** Settings of the stack file; secrets are omitted, except those of the namespace `docker`. */
  async settings(): Promise<Record<string, string>> {
    const read = async (...flags: string[]): Promise<Record<string, { value?: string }>> =>
      JSON.parse(await this.must(['config', '--json', ...flags], 'reading the settings')) as Record<string, { value?: string }>;
    const values = await read();
    // Without the key of its certificate this process cannot reach the engine.
    const engineSecrets = Object.keys(values).filter((key) => key.startsWith('docker:') && values[key]?.value === undefined);
    if (engineSecrets.length > 0) {
      const shown = await read('--show-secrets');
      engineSecrets.forEach((key) => (values[key] = shown[key] ?? {}));
    }
    return Object.fromEntries(Object.entries(values).flatMap(([key, { value }]) => (value === undefined ? [] : [[key, value]])));
  }

  /** Secret settings of the stack file, in plain text: only for this process. */
  async secrets(): Promise<Record<string, string>> {
    const values = JSON.parse(await this.must(['config', '--json', '--show-secrets'], 'reading the settings')) as Record<string, { value?: string; secret?: boolean }>;
    return Object.fromEntries(Object.entries(values).flatMap(([key, { value, secret }]) => (secret && value !== undefined ? [[key, value]] : [])));
  }

  /** Encrypts settings into the stack file. The CLI reads them from stdin: arguments are visible in the process list. */
  async setSecrets(secrets: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<void> {
    for (const [key, value] of Object.entries(secrets)) {
      const run = await runCli(this.cli, this.onStack(['config', 'set', '--secret', key, ...args]), 'collect', value);
      if (run.code !== 0) {
        throw failureOf(this.cli, `setting ${key}`, run);
      }
    }
  }

  /** Outputs of the stack, secrets in plain text: only for this process. */
  async outputs<T>(): Promise<T> {
    return JSON.parse(await this.must(['stack', 'output', '--json', '--show-secrets'], 'reading the outputs')) as T;
  }

  /** Runs the CLI and returns its stdout. @throws Failure with its message if it fails */
  async must(args: readonly string[], doing: string): Promise<string> {
    const run = await this.run(args);
    if (run.code !== 0) {
      throw failureOf(this.cli, doing, run);
    }
    return run.stdout;
  }

  /** The reason of a failed run, if this project knows more about it than the CLI does. */
  known(run: FailedRun): Failure | undefined {
    return knownFailure(this.cli, run);
  }

  private get cli(): Cli & StackCli {
    const env = { ...process.env, ...this.tools.env, ...(this.name === this.stack ? {} : { [stackVariable]: this.name }) };
    return { file: this.tools.pulumi, cwd: this.dir, env, stack: this.stack, name: this.name };
  }

  private onStack(args: readonly string[]): string[] {
    return [...args, ...(this.name ? ['--stack', this.name] : [])];
  }
}
