/**
 * What a Docker Engine reports about itself and its objects, as far as the preflight needs it.
 */
import { engineGet, type Engine } from '../engine';
import type { Addressed } from '../settings/network';
import type { ListedPorts } from '../components/workload';
import type { Container, Named } from './found';

export interface Version {
  readonly ApiVersion: string;
  readonly Version: string;
  readonly Components?: readonly { readonly Name: string }[] | null;
}

export interface Info {
  readonly ID?: string;
  readonly NCPU: number;
  readonly OperatingSystem: string;
  readonly KernelVersion?: string;
  /** Folder with its volumes, on its own machine. */
  readonly DockerRootDir?: string;
  /** Omitted by engines that are not Docker's: they are assumed to support what they do not deny. */
  readonly SecurityOptions?: readonly string[] | null;
  readonly MemoryLimit?: boolean;
  readonly SwapLimit?: boolean;
  readonly CpuCfsQuota?: boolean;
}

/** A network, with only its addresses. */
export interface Network { readonly IPAM: { readonly Config?: readonly { readonly Subnet?: string; readonly Gateway?: string }[] | null } }

/** A container of the stack. */
export interface Inspected {
  readonly Name: string;
  /** Image as it was named when the container was created: the list forgets it when the tag moves on. */
  readonly Config?: { readonly Image: string };
  /** With the engine's own ulimits after those that the container was created with. */
  readonly HostConfig?: { readonly Ulimits?: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[] | null };
  readonly State?: { readonly Status: string };
  readonly NetworkSettings: { readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>> };
}

export interface Answers {
  readonly version: Version;
  readonly info: Info;
  /** Docker's default network. */
  readonly bridge: Network;
  /** In any state. */
  readonly containers: readonly Container[];
  readonly volumes: readonly Named[];
  readonly networks: readonly (Named & Addressed)[];
}

/** @throws Error for an engine that does not answer, or whose answer no engine would give */
export async function answersOf(engine: Engine): Promise<Answers> {
  const found: [Version, Info, Network, Container[], { Volumes: Named[] | null }, (Named & Addressed)[]] = await Promise.all([
    engineGet<Version>(engine, '/version', 10_000),
    engineGet<Info>(engine, '/info', 10_000),
    engineGet<Network>(engine, '/networks/bridge', 10_000).catch(() => ({ IPAM: {} })),
    engineGet<Container[]>(engine, '/containers/json?all=1', 10_000),
    engineGet<{ Volumes: Named[] | null }>(engine, '/volumes', 10_000),
    engineGet<(Named & Addressed)[]>(engine, '/networks', 10_000),
  ]);
  if (!isSound(found)) {
    throw new Error('what answers there is not a Docker Engine');
  }
  const [version, info, bridge, containers, { Volumes: volumes }, networks] = found;
  return { version, info, bridge, containers, volumes: volumes ?? [], networks };
}

/** Whether the answers have the shape of an engine's, as far as it is essential. */
const isSound = ([version, info, , containers, volumes, networks]: readonly [Version, Info, Network, ...unknown[]]): boolean =>
  typeof version?.ApiVersion === 'string' && typeof info?.OperatingSystem === 'string' && Array.isArray(containers) && Boolean(volumes) && Array.isArray(networks);

/** Inspects each container, which shows more than the list of all. */
export async function inspectAll(engine: Engine, own: readonly Container[]): Promise<Inspected[]> {
  // A container may be removed between the list and this request: then it is skipped.
  const found = await Promise.all(own.map(({ Id }) => engineGet<Inspected>(engine, `/containers/${Id}/json`, 10_000).catch(() => undefined)));
  return found.filter((one) => one !== undefined);
}

export const containerName = ({ Name }: Inspected): string => Name.replace(/^\//, '');

/** Port mappings of a container, in the order in which the engine lists them. */
export function mappingsOf({ NetworkSettings }: Inspected): ListedPorts[string] {
  return Object.entries(NetworkSettings.Ports).flatMap(([port, bindings]) =>
    (bindings ?? []).map(({ HostIp, HostPort }) => ({ internal: parseInt(port, 10), external: Number(HostPort), ip: HostIp })));
}
