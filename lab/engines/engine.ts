import * as http from 'node:http';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from '../command';
import { cgroupOf, forwarding, poolOf } from './remains';
import { startSandbox, type Place, type Sandbox } from './sandbox';
import type { Tree } from './tree';

export interface EngineOptions {
  /** Its name on this machine: lower case letters, digits, dashes. */
  readonly name: string;
  /** From `engineTree()`. Without one it is a second engine of the machine's own version. */
  readonly tree?: Tree;
  /**
   * A separate network with only loopback: the engine sets up its firewall as on any host, and its ports are reached only from
   * `inside`. Without it the engine shares the machine's network: its ports are on the machine's loopback beside those of the
   * other engine, and it forwards them without the firewall.
   */
  readonly ownNetwork?: boolean;
  /** Folder for images, containers and volumes that outlives the engine. By default they are removed with it. */
  readonly data?: string;
  /**
   * Also listens at `tcp://127.0.0.1:<port>`, with TLS of this folder (`ca.pem`, `cert.pem`, `key.pem`) and only for clients of
   * that authority.
   */
  readonly tls?: { readonly port: number; readonly dir: string };
  /** Group ID that may use the socket. Default: root's. */
  readonly group?: number;
  /** Additional arguments of `dockerd`. */
  readonly args?: readonly string[];
}

export interface Engine extends Sandbox {
  /** `unix://…` */
  readonly host: string;
}

/**
 * Starts a Docker Engine beside everything else on the machine, and waits until it responds.
 *
 * For tests only: it reads no configuration of the machine and pulls from nowhere (see `copyImages`).
 * @throws Error with the last lines of its log when it exits or does not respond in time
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { name, tree, ownNetwork = false, data, tls } = options;
  const sandbox = await startSandbox({
    name,
    ...(tree ? { tree } : {}),
    ownNetwork,
    prepare: async (place) => {
      for (const folder of [dataOf(place), tlsOf(place)]) await mkdir(folder);
      await writeFile(join(place.dir, 'daemon.json'), '{}');
      if (!ownNetwork) await shareNetwork(place);
      if (data) await mkdir(data, { recursive: true });
      return { ...(data ? { [dataOf(place)]: data } : {}), ...(tls ? { [tlsOf(place)]: tls.dir } : {}) };
    },
    command: (place) => ['dockerd', ...engineArguments(options, place)],
    isReady: (place) => answers(socketOf(place)),
  });
  return Object.assign(sandbox, { host: `unix://${socketOf(sandbox)}`, ...(ownNetwork ? {} : { restart: refuseRestart }) });
}

/** At its second start an engine with address pools of its own removes `docker0`, which is the bridge of the other engine. */
const refuseRestart = (): Promise<never> => Promise.reject(new Error('an engine that shares the network of the machine cannot be restarted: it would remove docker0; use ownNetwork or startRootless'));

const socketOf = ({ dir }: Pick<Place, 'dir'>): string => join(dir, 'docker.sock');
const dataOf = ({ dir }: Place): string => join(dir, 'data');
const tlsOf = ({ dir }: Place): string => join(dir, 'tls');
const bridgeOf = ({ claim }: Place): string => `llm-bridge-${claim.slot}`;

/** Creates the engine's default bridge: the engine itself creates none under a name other than `docker0`, which is taken. */
async function shareNetwork(place: Place): Promise<void> {
  const pool = poolOf(place.claim.slot);
  const bridge = bridgeOf(place);
  await command('ip', ['link', 'add', 'name', bridge, 'type', 'bridge']);
  await command('ip', ['address', 'add', pool.replace('0.0/16', '255.1/24'), 'dev', bridge]);
  await command('ip', ['link', 'set', bridge, 'up']);
  // The other engine's firewall drops packets between containers of this one.
  await command('iptables', forwarding('--insert', pool));
}

/** The arguments of `dockerd`: every path is set, because two engines share the default ones. */
export function engineArguments(options: EngineOptions, place: Place): string[] {
  const { ownNetwork, tls, group, args = [] } = options;
  const { dir, claim } = place;
  return [
    '--config-file', join(dir, 'daemon.json'),
    '--host', `unix://${socketOf(place)}`,
    '--group', String(group ?? 0),
    '--data-root', dataOf(place),
    '--exec-root', join(dir, 'exec'),
    '--pidfile', join(dir, 'dockerd.pid'),
    '--cgroup-parent', `/${cgroupOf(claim.name)}`,
    ...(ownNetwork
      ? []
      : ['--iptables=false', '--ip6tables=false', '--bridge', bridgeOf(place), '--default-address-pool', `base=${poolOf(claim.slot).replace('/16', '/17')},size=24`]),
    ...(tls
      ? ['--host', `tcp://127.0.0.1:${tls.port}`, '--tlsverify', ...['ca', 'cert', 'key'].flatMap((part) => [`--tls${part === 'ca' ? 'cacert' : part}`, join(tlsOf(place), `${part}.pem`)])]
      : []),
    ...args,
  ];
}

/** Whether an engine responds at a socket. */
export function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ socketPath, path: '/_ping', host: 'docker', timeout: 5_000 }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode === 200));
      answer.on('error', () => resolve(false));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
