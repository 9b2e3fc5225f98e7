/** Containers: the operations that an adoption needs. */
import { setTimeout as pause } from 'node:timers/promises';
import { engineMessage, engineRequest, type Engine } from '../../../engine';
import { Failure } from '../say';

/** The part of an inspection that defines a new container of the same kind. */
export interface Inspected {
  readonly Id: string;
  readonly State: { readonly Running: boolean };
  readonly Config: Readonly<Record<string, unknown>>;
  readonly HostConfig: Readonly<Record<string, unknown>> & { readonly PortBindings: PortBindings };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly Aliases: readonly string[] | null }>> };
}

type PortBindings = Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[]>>;

/** Aliases by network. */
export type Networks = Readonly<Record<string, readonly string[]>>;

/** Containers of one engine, by name. */
export class Containers {
  constructor(private readonly engine: Engine) {}

  async find(name: string): Promise<Inspected | undefined> {
    const answer = await engineRequest(this.engine, 'GET', `/containers/${name}/json`);
    return answer.status === 404 ? undefined : (JSON.parse(done(answer, 'looked at', name)) as Inspected);
  }

  /** Stops it gracefully within `seconds`; a container that is not running, or does not exist, is no error. */
  async stop(name: string, seconds: number): Promise<void> {
    const answer = await engineRequest(this.engine, 'POST', `/containers/${name}/stop?t=${seconds}`);
    if (answer.status !== 404) {
      done(answer, 'stopped', name);
    }
  }

  async start(name: string): Promise<void> {
    done(await engineRequest(this.engine, 'POST', `/containers/${name}/start`), 'started', name);
  }

  /** Removes it, running or not; a container that does not exist is no error. */
  async remove(name: string): Promise<void> {
    const answer = await engineRequest(this.engine, 'DELETE', `/containers/${name}?force=1`);
    if (answer.status !== 404) {
      done(answer, 'removed', name);
    }
  }

  async rename(name: string, to: string): Promise<void> {
    done(await engineRequest(this.engine, 'POST', `/containers/${name}/rename?name=${to}`), 'renamed', name);
  }

  async create(name: string, definition: object): Promise<void> {
    done(await engineRequest(this.engine, 'POST', `/containers/create?name=${name}`, { body: definition }), 'made', name);
  }

  /** Aliases of a container by network. */
  async networks(name: string): Promise<Networks> {
    const found = await this.find(name);
    return found === undefined ? {} : networksOf(found);
  }

  /** Disconnects it from all networks, which also closes its host ports; it keeps running. */
  async disconnect(name: string, networks: Networks): Promise<void> {
    const now = await this.networks(name);
    for (const network of Object.keys(networks).filter((each) => each in now)) {
      done(await engineRequest(this.engine, 'POST', `/networks/${encodeURIComponent(network)}/disconnect`, { body: { Container: name, Force: true } }), 'disconnected from its network', name);
    }
  }

  /** The opposite; for a stopped container it takes effect at its next start. */
  async connect(name: string, networks: Networks): Promise<void> {
    const now = await this.networks(name);
    for (const [network, aliases] of Object.entries(networks).filter(([each]) => !(each in now))) {
      // Docker's own bridge has no aliases.
      const endpoint = network === 'bridge' ? {} : { Aliases: aliases };
      done(await engineRequest(this.engine, 'POST', `/networks/${encodeURIComponent(network)}/connect`, { body: { Container: name, EndpointConfig: endpoint } }), 'connected to its network', name);
    }
  }

  /** A stopped container stays stopped, even when the engine is restarted: with `always` it would not. */
  async keepStopped(name: string): Promise<void> {
    const { HostConfig } = (await this.find(name)) ?? {};
    if ((HostConfig?.['RestartPolicy'] as { Name: string } | undefined)?.Name === 'always') {
      done(await engineRequest(this.engine, 'POST', `/containers/${name}/update`, { body: { RestartPolicy: { Name: 'unless-stopped' } } }), 'kept stopped', name);
    }
  }
}

/** @throws Failure with the engine's words for a status of 400 or more */
function done(answer: Awaited<ReturnType<typeof engineRequest>>, what: string, name: string): string {
  if (answer.status >= 400) {
    throw new Failure(`Container ${name} could not be ${what}: ${engineMessage(answer)}.`, [`docker inspect ${name}`]);
  }
  return answer.body.toString();
}

/**
 * Definition of a container like this one, on different host ports.
 * @param ports host port by port of the container
 */
export function likeness(inspected: Inspected, ports: Readonly<Record<number, number>>): object {
  const { Config, HostConfig } = inspected;
  return {
    ...Config,
    Hostname: undefined,
    HostConfig: {
      ...HostConfig,
      PortBindings: Object.fromEntries(Object.entries(HostConfig.PortBindings).map(([port, bindings]) =>
        [port, bindings.map(({ HostIp, HostPort }) => ({ HostIp, HostPort: String(ports[parseInt(port, 10)] ?? HostPort) }))])),
    },
    NetworkingConfig: {
      EndpointsConfig: Object.fromEntries(Object.entries(networksOf(inspected)).map(([network, aliases]) => [network, { Aliases: aliases }])),
    },
  };
}

/** Aliases of a container by network, without those derived from its ID: a new container has a different ID. */
const networksOf = ({ Id, NetworkSettings }: Inspected): Networks =>
  Object.fromEntries(Object.entries(NetworkSettings.Networks).map(([network, { Aliases }]) => [network, (Aliases ?? []).filter((alias) => alias !== Id.slice(0, 12))]));

/** Whether a container is published on exactly these host ports. */
export function isOn({ HostConfig }: Inspected, ports: Readonly<Record<number, number>>): boolean {
  return Object.entries(HostConfig.PortBindings).every(([port, bindings]) => bindings.every(({ HostPort }) => Number(HostPort) === ports[parseInt(port, 10)]));
}

/** Polls until the answer is yes. @returns whether it was within `timeoutMs` */
export async function until(ask: () => Promise<boolean>, timeoutMs: number, everyMs = 50): Promise<boolean> {
  for (const deadline = Date.now() + timeoutMs; ; await pause(everyMs)) {
    if (await ask()) {
      return true;
    }
    if (Date.now() > deadline) {
      return false;
    }
  }
}
