import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pulumiVersion } from '../../../components/catalog';
import { providerVersion, type Provider } from '../../../ops/support/plugins';
import { tempDir } from '../temp';
import { hosts } from './site';

/** What the installer and the CLI use; a machine has more, and a Pulumi among it. */
const programs = ['basename', 'cat', 'cp', 'curl', 'dirname', 'env', 'grep', 'gzip', 'id', 'mkdir', 'mktemp', 'mv', 'rm', 'sh', 'tar', 'tr', 'uname', 'wc'];

export interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Lines of stderr. */
  readonly said: readonly string[];
  /** Of the failure, and the commands below it. */
  readonly message: string;
  readonly commands: readonly string[];
  readonly out: { readonly toolchain?: unknown; readonly lab?: number };
}

export type Machine = ReturnType<typeof emptyMachine>;

/** A machine with an empty home and no Pulumi, behind a proxy. Each command is a process of its own, and runs what people run. */
export function emptyMachine(network: { proxy: string; authority: string }) {
  const root = tempDir();
  const home = path.join(root, 'home');
  const bin = path.join(root, 'bin');
  [home, bin].forEach((dir) => fs.mkdirSync(dir));
  programs.forEach((name) => fs.symlinkSync(execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(), path.join(bin, name)));
  const folders = [bin];
  /** What starts a command. */
  let starter: readonly string[] = [];
  const env: Record<string, string | undefined> = { HOME: home, HTTPS_PROXY: network.proxy, NODE_EXTRA_CA_CERTS: network.authority };
  const pulumi = path.join(home, '.pulumi');

  const machine = {
    env,
    /** Parts of what the command needs. */
    needs: {} as { plugins?: readonly Provider[]; silenceMs?: number; againMs?: number },
    pinned: path.join(pulumi, 'versions', pulumiVersion.pinned, 'bin', 'pulumi'),

    start(): { kill: (signal: NodeJS.Signals) => boolean; ended: Promise<Run> } {
      const { plugins, silenceMs = 30_000, againMs = 0 } = machine.needs;
      const needs = { plugins, consent: 'never', patience: { silenceMs, againMs } };
      return machine.node(['--import', 'tsx', path.join(__dirname, 'child.ts'), JSON.stringify(needs)]);
    },
    node(args: readonly string[]): { kill: (signal: NodeJS.Signals) => boolean; ended: Promise<Run> } {
      const [program = '', ...rest] = [...starter, process.execPath, ...args];
      const child = spawn(program, rest, {
        env: { PATH: folders.join(path.delimiter), TSX_DISABLE_CACHE: '1', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const texts = { stdout: '', stderr: '' };
      (['stdout', 'stderr'] as const).forEach((name) => child[name].on('data', (chunk: Buffer) => (texts[name] += chunk.toString())));
      const ended = new Promise<Run>((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code, signal) => resolve(read(code, signal, texts)));
      });
      return { kill: (signal) => child.kill(signal), ended };
    },
    walk: (): Promise<Run> => machine.start().ended,

    /** What lies in Pulumi's folder and the cache, two levels deep. */
    downloaded: (): string[] =>
      ['versions', 'plugins'].flatMap((folder) => {
        const dir = path.join(pulumi, folder);
        return fs.existsSync(dir) ? fs.readdirSync(dir).filter((name) => !name.endsWith('.lock')).map((name) => `${folder}/${name}`) : [];
      }).concat(fs.existsSync(path.join(home, '.cache', 'llm-observability')) ? ['.cache/llm-observability'] : []).sort(),

    /** No proxy: each site leads to this port of loopback, or its name is not known. */
    direct(port: number | 'unknown'): void {
      Object.assign(env, {
        HTTPS_PROXY: undefined,
        THE_NETWORK: JSON.stringify(Object.fromEntries(hosts.map((host) => [host, port]))),
        NODE_OPTIONS: `--require ${path.join(__dirname, 'network.cjs')}`,
      });
      fs.writeFileSync(path.join(home, '.curlrc'), hosts.map((host) => `connect-to = "${host}:443:127.0.0.1:${port}"\n`).join(''));
    },

    firstOnPath(): string {
      const dir = fs.mkdtempSync(path.join(root, 'path-'));
      folders.unshift(dir);
      return dir;
    },
    /** A CLI on PATH, as somebody has installed it. */
    install(script: string): string {
      const dir = machine.firstOnPath();
      ['pulumi-language-nodejs', 'pulumi-resource-pulumi-nodejs'].forEach((name) => fs.writeFileSync(path.join(dir, name), '', { mode: 0o755 }));
      fs.writeFileSync(path.join(dir, 'pulumi'), script, { mode: 0o755 });
      return path.join(dir, 'pulumi');
    },
    /** Plugins that are installed. Returns their folder. */
    plugins(...names: Provider[]): string {
      const folder = path.join(pulumi, 'plugins');
      names.forEach((name) => fs.mkdirSync(path.join(folder, `resource-${name}-v${providerVersion(name)}`), { recursive: true }));
      return folder;
    },
    without: (program: string): void => fs.rmSync(path.join(bin, program)),
    replace(program: string, script: string): void {
      machine.without(program);
      fs.writeFileSync(path.join(bin, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    },

    /** Root may write everywhere. Its command gives that right away, and stays root: the checkout may be closed to others. */
    lockHome(): void {
      fs.chmodSync(home, 0o555);
      starter = process.getuid?.() === 0 ? [execFileSync('sh', ['-c', 'command -v setpriv'], { encoding: 'utf8' }).trim(), '--bounding-set=-dac_override,-dac_read_search'] : [];
    },
    writable: (): string => fs.mkdtempSync(path.join(root, 'writable-')),

    /** Archive of a CLI. */
    archiveOf(cli: string): Buffer {
      const stage = tempDir();
      fs.mkdirSync(path.join(stage, 'pulumi'));
      fs.writeFileSync(path.join(stage, 'pulumi', 'pulumi'), cli, { mode: 0o755 });
      execFileSync('tar', ['czf', path.join(stage, 'cli.tar.gz'), '-C', stage, 'pulumi']);
      return fs.readFileSync(path.join(stage, 'cli.tar.gz'));
    },
  };
  return machine;
}

function read(code: number | null, signal: NodeJS.Signals | null, { stdout, stderr }: { stdout: string; stderr: string }): Run {
  const said = stderr.split('\n').filter(Boolean);
  // A failure stands below an empty line, its commands indented, what a program said by two.
  const text = `\n${stderr}`;
  const failure = text.slice(text.lastIndexOf('\n\n')).split('\n').filter(Boolean);
  const commands = code === 0 ? [] : failure.filter((line) => line.startsWith('    ')).map((line) => line.trim());
  const message = code === 0 ? '' : failure.filter((line) => !line.startsWith('    ')).join('\n');
  return { code, signal, stdout, stderr, said, message, commands, out: stdout.startsWith('{') ? (JSON.parse(stdout) as Run['out']) : {} };
}
