import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { isRunning } from './alive';
import { say } from './say';

/** A step that a person can also do by hand. */
export interface Step {
  /** Its description, as the rest of a sentence that began with "This". */
  readonly about: string;
  /** The same as commands. */
  readonly commands: readonly string[];
  run(): Promise<Started>;
}

/** The result of a start. */
export interface Started {
  /** Why there is nothing to wait for, if it has failed already. */
  ended(): string | undefined;
  /** The command that shows more; none if everything was printed. */
  readonly log?: string;
}

const asRoot = (command: readonly string[]): readonly string[] => (process.getuid?.() === 0 ? command : ['sudo', ...command]);

const onPath = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(path.delimiter).concat('/usr/sbin', '/sbin').some((dir) => fs.existsSync(path.join(dir, program)));

const bySystemd = (): boolean => fs.existsSync('/run/systemd/system');

/** Whether this is Debian or a derivative: there, the engine is a maintained package. */
export function isDebian(): boolean {
  const release = process.platform === 'linux' && fs.existsSync('/etc/os-release') ? fs.readFileSync('/etc/os-release', 'utf8') : '';
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
}

/** Whether Docker's own daemon is installed here. */
export const hasDaemon = (): boolean => onPath('dockerd');

const packages = ['docker.io', 'ca-certificates', 'iptables'];

/** Installs Debian's package of the engine, and starts it. */
export const install = (): Step => ({
  about: `installs Debian's packages ${packages.join(', ')} and starts the Docker Engine, as root`,
  commands: [
    asRoot(['apt-get', 'update']).join(' '),
    asRoot(['apt-get', 'install', '-y', '--no-install-recommends', ...packages]).join(' '),
    ...startCommands(),
  ],
  async run() {
    // Outdated lists name files that the mirror no longer has.
    const steps = [['apt-get', '-q', 'update'], ['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', ...packages]];
    for (const step of steps) {
      const failure = failureOf(asRoot(['env', 'DEBIAN_FRONTEND=noninteractive', ...step]));
      if (failure !== undefined) {
        return { ended: () => failure };
      }
    }
    return start().run();
  },
});

/** Runs a command to its end. Its output is for people: our stdout is for results. @returns why it failed */
function failureOf([program = '', ...args]: readonly string[]): string | undefined {
  const { status, signal, error } = spawnSync(program, args, { stdio: ['inherit', 2, 2] });
  return error ? `${program} cannot be run (${(error as NodeJS.ErrnoException).code ?? error.message})` : status === 0 ? undefined : `${[program, ...args].join(' ')} ended with ${status ?? signal}`;
}

function startCommands(): string[] {
  return [asRoot(bySystemd() ? ['systemctl', 'start', 'docker'] : ['dockerd']).join(' ')];
}

/** Starts the engine that is installed. */
export const start = (): Step => ({
  about: 'starts the Docker Engine of this machine, as root',
  commands: startCommands(),
  async run() {
    return bySystemd() ? withSystemd() : withoutSystemd();
  },
});

function withSystemd(): Started {
  say('Docker: starting the engine (systemctl start docker)');
  // It waits for the engine itself; if it has failed, there is nothing more to wait for.
  const failure = failureOf(asRoot(['systemctl', 'start', 'docker']));
  return { ended: () => failure, log: asRoot(['journalctl', '--unit', 'docker', '--lines', '30']).join(' ') };
}

/** Starts the daemon in its own session: it outlives this command, and Ctrl-C does not reach it. Prints its process ID. */
const daemon = 'setsid dockerd >> "$0" 2>&1 < /dev/null & echo $!';

function withoutSystemd(): Started {
  // In a folder that nobody else can write to: a predictable name could be a link to somewhere else.
  const log = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'dockerd-')), 'dockerd.log');
  fs.writeFileSync(log, '', { mode: 0o600 });
  say(`Docker: there is no systemd; starting dockerd (log: ${log})`);
  // With this terminal, on which sudo may ask for a password: in a separate session it could not.
  const [program = '', ...args] = asRoot(['sh', '-c', daemon, log]);
  const { status, signal, stdout, error } = spawnSync(program, args, { env: process.env, stdio: ['inherit', 'pipe', 2], encoding: 'utf8' });
  const pid = Number(stdout);
  const failure = error
    ? `${program} cannot be run (${(error as NodeJS.ErrnoException).code ?? error.message})`
    : status === 0 && pid > 0 ? undefined : `${program} ended with ${status ?? signal}`;
  if (failure !== undefined) {
    // Nothing was started, so its log is empty.
    fs.rmSync(path.dirname(log), { recursive: true, force: true });
    return { ended: () => failure };
  }
  return { ended: () => (isRunning(pid) ? undefined : `dockerd has ended${lastLines(log)}`), log: `tail ${log}` };
}

function lastLines(log: string): string {
  const lines = fs.readFileSync(log, 'utf8').trim().split('\n').slice(-5);
  return lines.join('') === '' ? '' : `; its last lines:\n    ${lines.join('\n    ')}`;
}
