import { setTimeout as pause } from 'node:timers/promises';
import { engineGet, engineMessage, engineRequest, type Engine } from '../../../engine';
import { output, type Interpreter } from '../../../provider/container-reach';
import { once } from './helper';

interface Inspected {
  readonly Id: string;
  readonly RestartCount: number;
  readonly State: { readonly Pid: number; readonly Running: boolean; readonly StartedAt: string; readonly OOMKilled: boolean };
  readonly HostConfig: { readonly Memory: number; readonly MemorySwap: number };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly Aliases: readonly string[] | null }>> };
}

const MiB = 1 << 20;
/** Docker's size of /dev/shm in a container. */
const shm = 64 * MiB;
/** Long enough for a container to stop. */
const stopMs = 120_000;

/** A container in which faults are injected, through the Docker Engine. */
export class Container {
  /** @param helper an image with Python on the same engine, for what cannot be done from inside */
  constructor(readonly engine: Engine, readonly name: string, private readonly interpreter: Interpreter, private readonly helper: string) {}

  inspect(): Promise<Inspected> {
    return engineGet<Inspected>(this.engine, `/containers/${this.name}/json`);
  }

  /** The output of a command in it. @throws Error with its output when it fails */
  output(command: readonly string[]): Promise<string> {
    return output(this.engine, this.name, command);
  }

  /**
   * Kills its process, and those of others at the same moment, like a crash. `docker kill` would not do: Docker treats that as
   * a manual stop, and does not restart the container.
   */
  async crash(...others: readonly Container[]): Promise<void> {
    const all = await Promise.all([this, ...others].map((one) => one.inspect()));
    const pids = all.map(({ State }) => State.Pid).filter((pid) => pid > 0);
    await once(this.engine, this.helper, 'import os, sys\nfor pid in sys.argv[1:]:\n    os.kill(int(pid), 9)', pids.map(String), { pids: true });
  }

  /**
   * Makes the kernel kill it for lack of memory: its limit is lowered to just above what it uses, and a file in memory then
   * takes the rest. No other process in it is larger, so it is the one that is killed. Afterwards the limit is as before.
   * @throws Error if it survives that
   */
  async exhaustMemory(): Promise<void> {
    const { HostConfig, State, RestartCount } = await this.inspect();
    const fill = this.interpreter === 'bash'
      ? ['bash', '-c', `head -c ${shm} /dev/zero > /dev/shm/fault`]
      : ['python3', '-c', `open('/dev/shm/fault', 'wb').write(bytes(${shm}))`];
    try {
      const limit = (await this.used()) + shm / 4;
      await this.limit(limit, limit);
      // It may be killed with the rest.
      await this.output(fill).catch(() => undefined);
      for (const deadline = Date.now() + 30_000; ; await pause(200)) {
        const now = await this.inspect();
        if (now.RestartCount > RestartCount || now.State.StartedAt !== State.StartedAt || !now.State.Running) {
          return;
        }
        if (Date.now() > deadline) {
          throw new Error(`container ${this.name} survived without memory`);
        }
      }
    } finally {
      // A limit cannot be removed: if there was none, it becomes one that is never reached.
      const before = HostConfig.Memory || 1024 * 64 * MiB;
      await this.limit(before, HostConfig.Memory ? HostConfig.MemorySwap : before);
    }
  }

  restart = (): Promise<void> => this.post('restart');
  stop = (): Promise<void> => this.post('stop');
  start = (): Promise<void> => this.post('start');
  pause = (): Promise<void> => this.post('pause');
  unpause = (): Promise<void> => this.post('unpause');

  /** Disconnects it from its networks. @returns what reconnects it under the same names */
  async disconnect(): Promise<() => Promise<void>> {
    const { Id, NetworkSettings } = await this.inspect();
    const networks = Object.entries(NetworkSettings.Networks);
    for (const [network] of networks) {
      await this.ask(`/networks/${network}/disconnect`, { Container: Id });
    }
    return async () => {
      for (const [network, { Aliases }] of networks) {
        await this.ask(`/networks/${network}/connect`, { Container: Id, EndpointConfig: { Aliases: (Aliases ?? []).filter((alias) => !Id.startsWith(alias)) } });
      }
    };
  }

  /** Fills the disk below a folder to the last byte. @returns what frees the space */
  async fill(dir: string): Promise<() => Promise<void>> {
    const file = `${dir}/fault.bin`;
    const [filling, removing] = this.interpreter === 'bash'
      ? [['bash', '-c', `cat /dev/zero > ${file}; true`], ['bash', '-c', `rm -f ${file}`]]
      : [['python3', '-c', fillInPython, file], ['python3', '-c', 'import os, sys; os.remove(sys.argv[1])', file]];
    // Its error is that the disk is full.
    await this.output(filling).catch(() => undefined);
    return async () => void (await this.output(removing));
  }

  /** Bytes that it cannot give back. */
  private async used(): Promise<number> {
    const { memory_stats: { stats } } = await engineGet<{ memory_stats: { stats: { rss?: number; anon?: number; shmem?: number } } }>(this.engine, `/containers/${this.name}/stats?stream=false`);
    return (stats.rss ?? stats.anon ?? 0) + (stats.shmem ?? 0);
  }

  private async limit(Memory: number, MemorySwap: number): Promise<void> {
    await this.ask(`/containers/${this.name}/update`, { Memory, MemorySwap });
  }

  private async post(what: string): Promise<void> {
    await this.ask(`/containers/${this.name}/${what}`);
  }

  private async ask(path: string, body?: object): Promise<void> {
    const answer = await engineRequest(this.engine, 'POST', path, { timeoutMs: stopMs, ...(body ? { body } : {}) });
    if (answer.status >= 400) {
      throw new Error(`container ${this.name}: ${engineMessage(answer)}`);
    }
  }
}

const fillInPython = `
import os, sys
f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
for size in (1 << 20, 4096, 1):
    try:
        while True:
            os.write(f, bytes(size))
    except OSError:
        pass
`;
