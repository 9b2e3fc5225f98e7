import { execFile, spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { stackLabel } from '../../components/names';
import { claimLabel } from '../../lab';
import type { Outputs } from '../../ops/support/outputs';

const run = promisify(execFile);

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** From where commands are typed. */
export interface Shell {
  /** Variables that differ; undefined unsets one. Default: those of the tests. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What starts a program as somebody else, or somewhere else. Default: nothing. */
  readonly prefix?: readonly string[];
}

/** A fresh clone in an empty folder, used as a person would: through `npm run`. */
export class Checkout {
  private constructor(readonly dir: string, readonly stack: string, private readonly from: Shell = {}) {}

  /** The same in another shell. */
  in(shell: Shell): Checkout {
    return new Checkout(this.dir, this.stack, shell);
  }

  /** Folder with the state of its stacks and their passphrase. Beside the clone, in place of the home of who runs the tests. */
  get state(): string {
    return path.join(this.stateHome, 'llm-observability');
  }

  private get stateHome(): string {
    return this.from.env?.['XDG_STATE_HOME'] ?? path.join(path.dirname(this.dir), 'state');
  }

  /**
   * Clones what is committed. The Docker engine and the caches are this machine's; the state is not.
   * @param packages `none` leaves their installation to the first command; default: those of the tests, which takes less time
   */
  static async clone(stack: string, packages: 'none' | 'installed' = 'installed'): Promise<Checkout> {
    const dir = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'llm-observability-')), 'clone');
    await Checkout.claim(stack);
    const here = path.join(__dirname, '..', '..');
    await run('git', ['clone', '--quiet', here, dir]);
    if (packages === 'installed') {
      // By links: the packages are only read. On another disk there are none.
      const [from, to] = [path.join(here, 'node_modules'), path.join(dir, 'node_modules')];
      await run('cp', ['-al', from, to]).catch(async () => {
        fs.rmSync(to, { recursive: true, force: true });
        await run('cp', ['-a', from, to]);
      });
    }
    return new Checkout(dir, stack);
  }

  /** A run that is killed leaves stacks at work; the next one removes them. */
  private static claim(stack: string): Promise<void> {
    return claimLabel(`${stackLabel}=llm-observability/${stack}`);
  }

  /** The same in a copy of the folder. */
  at(dir: string): Checkout {
    return new Checkout(dir, this.stack, this.from);
  }

  /** Another stack in the same folder, with the same state. */
  async beside(stack: string): Promise<Checkout> {
    await Checkout.claim(stack);
    return new Checkout(this.dir, stack, this.from);
  }

  /** Starts `npm run <command> -- --stack <stack> <args>` in a process group of its own, without a terminal. */
  start(command: string, args: readonly string[] = []): { child: ChildProcess; ended: Promise<Ended> } {
    return this.npm(command, ['--stack', this.stack, ...args]);
  }

  async command(command: string, args: readonly string[] = []): Promise<Ended> {
    return this.start(command, args).ended;
  }

  /**
   * `npm run <command>` at a terminal of its own.
   * @param steps what is waited for, and what is typed then
   * @returns everything that stood on the terminal, and the exit code
   */
  async atTerminal(command: string, args: readonly string[], steps: readonly (readonly [string, string])[]): Promise<{ seen: string; status: number }> {
    const line = ['npm', 'run', '--silent', command, '--', '--stack', this.stack, ...args].map((word) => `'${word}'`).join(' ');
    const typist = path.join(__dirname, '..', 'support', 'terminal.py');
    const { stdout } = await run('python3', [typist, JSON.stringify({ command: `exec ${line}`, steps, patience: 300 })], { cwd: this.dir, env: this.env(), maxBuffer: 64 << 20 });
    return JSON.parse(stdout) as { seen: string; status: number };
  }

  /** npm and jest leave variables behind that would make the clone's npm think it runs inside theirs. */
  private env(): NodeJS.ProcessEnv {
    return Object.fromEntries(Object.entries({ ...process.env, ...this.from.env, XDG_STATE_HOME: this.stateHome }).filter(([name]) => !/^(npm_|JEST_|NODE_ENV$)/.test(name)));
  }

  /** Steps of a preview that change something, as `kind name`. */
  async plannedSteps(): Promise<string[]> {
    const { code, stdout, stderr } = await this.pulumi('preview', '--json');
    if (code !== 0) {
      throw new Error(`${stdout}\n${stderr}`);
    }
    const { steps } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { steps: { op: string; urn: string }[] };
    return steps.filter(({ op }) => op !== 'same' && op !== 'read').map(({ op, urn }) => `${op} ${urn.split('::').at(-1)}`);
  }

  /** The Pulumi CLI as the person would call it. */
  async pulumi(...args: string[]): Promise<Ended> {
    return this.npm('pulumi', [...args, '--stack', this.stack, '--non-interactive']).ended;
  }

  /**
   * Lines of shell as they stand in the docs, in a shell where `pulumi` is that of `npm run pulumi`, and asks nothing.
   * @param input what its commands read
   */
  async shell(lines: string, input = ''): Promise<Ended> {
    return this.run(['sh', '-ec', `pulumi() { npm run --silent pulumi -- "$@"; }\n${lines}`], input).ended;
  }

  /** `npm run up --json`, which must succeed. @returns its JSON */
  async up(config: Readonly<Record<string, string>> = {}, ...args: string[]): Promise<{ traceId: string; ms: number; changes: Record<string, number>; endpoints: Outputs['endpoints'] }> {
    const pairs = Object.entries(config).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    const { code, stdout, stderr } = await this.command('up', ['--yes', '--json', ...pairs, ...args]);
    if (code !== 0) {
      throw new Error(`npm run up ended with ${code}:\n${stderr.slice(-6000)}`);
    }
    return JSON.parse(stdout) as Awaited<ReturnType<Checkout['up']>>;
  }

  async verify(): Promise<{ ok: boolean; traceId: string; ms: number; hops: { name: string; ms: number }[]; failure?: { hop: string; cause: string } }> {
    const { stdout } = await this.command('verify', ['--json', '--timeout', '90']);
    return JSON.parse(stdout) as Awaited<ReturnType<Checkout['verify']>>;
  }

  async outputs<T = Outputs>(): Promise<T> {
    const { stdout, stderr, code } = await this.pulumi('stack', 'output', '--json', '--show-secrets');
    if (code !== 0) {
      throw new Error(stderr);
    }
    return JSON.parse(stdout) as T;
  }

  private npm(command: string, args: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } {
    return this.run(['npm', 'run', '--silent', command, '--', ...args]);
  }

  /** Starts a program in the clone. @param input what it reads; default: nothing */
  private run(line: readonly string[], input?: string): { child: ChildProcess; ended: Promise<Ended> } {
    const [program = '', ...rest] = [...(this.from.prefix ?? []), ...line];
    const child = spawn(program, rest, { cwd: this.dir, env: this.env(), stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'], detached: true });
    child.stdin?.end(input);
    const text = { stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()));
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve({ code: signal ? 128 : code ?? 1, ...text }));
    });
    return { child, ended };
  }
}

/** The docker command line; fails with its message. */
export async function docker(...args: string[]): Promise<string> {
  return (await run('docker', args, { maxBuffer: 64 << 20 })).stdout.trim();
}

/** Asks again and again until the answer is not undefined or false; fails after `timeoutMs` with what it waited for. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>, timeoutMs = 180_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask().catch((error: Error) => {
      if (Date.now() > deadline) {
        throw error;
      }
      return undefined;
    });
    if (answer !== undefined && answer !== false) {
      return answer as T;
    }
    if (Date.now() > deadline) {
      throw new Error(`waited ${timeoutMs / 1000} s for ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/**
 * Number of spans that Phoenix has stored in a project; 0 while there is no such project.
 * @param token what Phoenix asks for with auth on
 */
export async function storedSpans(phoenixUi: string, project: string, token = ''): Promise<number> {
  const query = '{ projects(first: 1000) { edges { node { name recordCount } } } }';
  const answer = await fetch(`${phoenixUi}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify({ query }),
  });
  const { data } = (await answer.json()) as { data: { projects: { edges: { node: { name: string; recordCount: number } }[] } } };
  return data.projects.edges.find(({ node }) => node.name === project)?.node.recordCount ?? 0;
}
