import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { aptInstall } from '../debian';
import { claim, clear, folderOf, readProcess, type Claim } from './remains';
import type { Tree } from './tree';

export interface SandboxOptions {
  /** Its name on this machine: lower case letters, digits, dashes. */
  readonly name: string;
  /** Root of the sandbox. Without one it is the machine's own: its programs, its files. */
  readonly tree?: Tree;
  /** A separate network with only loopback. Without it: the machine's. */
  readonly ownNetwork?: boolean;
  /** Program and arguments, looked up in the sandbox. */
  readonly command: (place: Place) => readonly string[];
  /** Puts what the program needs into the folder. Returns the files and folders to mount in there: path there, path here. */
  readonly prepare?: (place: Place) => Promise<Readonly<Record<string, string>> | void>;
  /** Polled until it is true. */
  readonly isReady: (place: Place) => Promise<boolean>;
  /** Time limit for that in milliseconds. Default: 90,000. */
  readonly readyMs?: number;
}

/** Where a sandbox is, before it runs. */
export interface Place {
  readonly claim: Claim;
  /** Its folder, under the same path inside and outside. */
  readonly dir: string;
}

export interface Sandbox extends Place {
  /** Process 1 of the sandbox, by its ID on the machine. Changes with `restart`. */
  readonly pid: number;
  /**
   * Prefix that starts a program in the network of the sandbox: `[...inside, 'npm', 'run', 'up']`. Empty for the machine's.
   * Changes with `restart`.
   */
  readonly inside: readonly string[];
  /** Asks the program to end (SIGTERM), and starts it again with what it has written to its folder. */
  restart(): Promise<void>;
  /** Asks the program to end (SIGTERM), and removes everything of it, its folder too. */
  stop(): Promise<void>;
  /** Ends all of its processes at once, like a crash, and removes everything of it, its folder too. */
  kill(): Promise<void>;
}

/**
 * Enters the tree and becomes `tini`, with the program as its child. A plain chroot is not enough: what a container runtime
 * starts inside a container (`docker exec`, health checks) would see the machine's files.
 */
const enter = `
set -eu
dir=$1 tree=$2 files=$3
shift 3

# While /proc is the machine's: the process ID as the machine counts it, and the start (field 22 of proc(5)).
identify() { echo "$1 \${22}"; }
read -r stat < /proc/self/stat
identify $stat > "$dir/process"

if [ -n "$tree" ]; then
  mount --bind "$tree" "$tree"
  mount --rbind /sys "$tree/sys"
  mount --rbind /dev "$tree/dev"
  mount -t tmpfs -o mode=755 run "$tree/run"
  mount -t tmpfs -o mode=1777 tmp "$tree/tmp"
  mount -t tmpfs -o mode=755 engines "$tree\${dir%/*}"
  mkdir "$tree$dir"
  mount --bind "$dir" "$tree$dir"
else
  # What a second engine would find of the machine's own: its containerd, its identity.
  for own in /run/containerd /etc/docker; do
    mkdir -p "$own"
    mount -t tmpfs -o mode=711 own "$own"
  done
fi
while [ "$files" -gt 0 ]; do
  mount --bind "$2" "$tree$1"
  shift 2
  files=$((files - 1))
done
[ -z "$tree" ] || mount -o remount,bind,ro "$tree"
mount -t proc proc "$tree/proc"
ip link set lo up
if [ -n "$tree" ]; then
  cd "$tree"
  pivot_root . mnt
  umount --lazy /mnt
fi
cd /
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root tini -- "$@"
`;

/**
 * Starts a program in its own namespaces: mounts and processes, so that nothing of either outlives it, and a network if
 * requested. It is killed when this process ends, however that happens; what it leaves on disk and in the machine's network is
 * removed at the next start of any sandbox.
 *
 * Needs root. The calling thread must live to the end: not a worker thread.
 * @throws Error with the last lines of its log when the program ends or is not ready in time
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  if (process.getuid?.() !== 0) throw new Error('An engine for tests needs root: it mounts and makes namespaces.');
  await aptInstall(['iproute2', 'iptables', 'tini', 'util-linux']);
  const place: Place = { claim: await claim(options.name), dir: folderOf(options.name) };
  const program = new Program(options, place);
  try {
    await program.start((await options.prepare?.(place)) ?? {});
    return program;
  } catch (error) {
    await program.kill();
    throw error;
  }
}

/** The program in its namespaces. */
class Program implements Sandbox {
  pid = 0;
  private child: ChildProcess | undefined;
  private files: Readonly<Record<string, string>> = {};

  constructor(private readonly options: SandboxOptions, private readonly place: Place) {}

  get claim(): Claim {
    return this.place.claim;
  }

  get dir(): string {
    return this.place.dir;
  }

  get inside(): readonly string[] {
    return this.options.ownNetwork ? ['nsenter', `--net=/proc/${this.pid}/ns/net`, '--'] : [];
  }

  /** @param files from `prepare` */
  async start(files: Readonly<Record<string, string>>): Promise<void> {
    this.files = files;
    this.child = launch(this.options, this.place, files);
    await ready(this.options, this.place, this.child);
    const self = await readProcess(join(this.dir, 'process'));
    if (!self) throw new Error(`${this.claim.name} answers and has not said which process it is.${lastLines(this.place)}`);
    this.pid = self.pid;
  }

  restart = async (): Promise<void> => {
    await this.end();
    await this.start(this.files);
  };

  stop = async (): Promise<void> => {
    await this.end();
    await this.kill();
  };

  kill = async (): Promise<void> => {
    this.child?.kill('SIGKILL');
    await clear(this.claim);
  };

  private async end(): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    // `tini` forwards it. An engine gives its containers time to end; an engine that hangs is not waited for.
    process.kill(this.pid, 'SIGTERM');
    if (await Promise.race([ended.then(() => false), pause(45_000, true, { ref: false })])) {
      child.kill('SIGKILL');
      await ended;
    }
  }
}

function launch(options: SandboxOptions, place: Place, given: Readonly<Record<string, string>>): ChildProcess {
  const files = Object.entries(given);
  const log = openSync(logOf(place), 'a');
  try {
    return spawn(
      'setpriv',
      [
        '--pdeathsig', 'KILL', '--',
        'unshare', '--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private', ...(options.ownNetwork ? ['--net'] : []), '--',
        'sh', '-c', enter, 'enter', place.dir, options.tree?.dir ?? '', String(files.length), ...files.flat(), ...options.command(place),
      ],
      { stdio: ['ignore', log, log] },
    );
  } finally {
    closeSync(log);
  }
}

async function ready(options: SandboxOptions, place: Place, child: ChildProcess): Promise<void> {
  const { name, isReady, readyMs = 90_000 } = options;
  let failed: Error | undefined;
  child.on('error', (error) => (failed = error));
  const deadline = performance.now() + readyMs;
  while (!(await isReady(place))) {
    const ended = child.exitCode ?? child.signalCode;
    if (failed || ended !== null) throw new Error(`${name} ended with ${failed?.message ?? ended} before it was ready.${lastLines(place)}`);
    if (performance.now() > deadline) throw new Error(`${name} was not ready within ${readyMs / 1000} s.${lastLines(place)}`);
    await pause(50);
  }
}

const logOf = ({ dir }: Place): string => join(dir, 'log');

/** The end of the program's output. */
function lastLines(place: Place): string {
  const lines = readFileSync(logOf(place), 'utf8').trim().split('\n').slice(-15);
  return ` Its last lines:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

