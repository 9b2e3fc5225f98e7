/**
 * What settings alone cannot tell: whether the Docker Engine answers and is new enough, what its kernel can do, and whether
 * names, ports and addresses are free there. Runs before the first resource, at every preview.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import { oldestEngineApi } from '../components/catalog';
import { hostName, hostNames, shortName, takingOver } from '../components/names';
import { defaultSocket, engineGet, isLocal, remedies, type Choice, type Engine } from '../engine';
import { diskRoom } from './disk-room';
import { isOf, nameOf, origin, type Container, type Named } from './found';
import { subnetProblems, type Addressed } from '../settings/network';
import { isOwnAddress } from '../engine/host-ports';
import { heldPorts } from './port-survey';
import type { Problem } from '../settings/problem';
import { keys, type Settings } from '../settings/keys';
import { compareVersions, versionOf } from '../components/image-reference';
import type { Limits, ListedPorts, Ulimit } from '../components/workload';

export interface HostFacts {
  readonly problems: readonly Problem[];
  /** Things worth saying that stop nothing. */
  readonly warnings: readonly string[];
  /** The engine's own ID; empty where it was not asked, or has none. */
  readonly engineId: string;
  /** Host addresses for Alloy's OTLP ports, `auto` resolved. */
  readonly bind: readonly string[];
  /** Gateway of Docker's bridge, which containers reach and other machines do not; empty where it is not known. */
  readonly bridge: readonly string[];
  /** Port mappings of the stack's running containers by container name, in the order in which the engine lists them. */
  readonly listed: ListedPorts;
  /** What the engine can limit. */
  readonly limits: Limits;
  /** Whether a program there can listen on IPv6 addresses, as Phoenix's metrics do. */
  readonly ipv6: boolean;
  /** Whether a network can be had on which the host has no address. */
  readonly hostless: boolean;
}

interface Version {
  readonly ApiVersion: string;
  readonly Version: string;
  readonly Components?: readonly { readonly Name: string }[] | null;
}
interface Info {
  readonly ID?: string;
  readonly NCPU: number;
  readonly OperatingSystem: string;
  readonly KernelVersion?: string;
  /** Folder with its volumes, on its own machine. */
  readonly DockerRootDir?: string;
  /** Left out by engines that are not Docker's: what they do not deny they can. */
  readonly SecurityOptions?: readonly string[] | null;
  readonly MemoryLimit?: boolean;
  readonly SwapLimit?: boolean;
  readonly CpuCfsQuota?: boolean;
}
interface Network { readonly IPAM: { readonly Config?: readonly { readonly Subnet?: string; readonly Gateway?: string }[] | null } }
interface Inspected {
  readonly Name: string;
  /** Image as it was named when the container was made: the list forgets it when the tag moves on. */
  readonly Config?: { readonly Image: string };
  /** With the engine's own ulimits after those that the container was made with. */
  readonly HostConfig?: { readonly Ulimits?: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[] | null };
  readonly State?: { readonly Status: string };
  readonly NetworkSettings: { readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>> };
}

const loopback = '127.0.0.1';
const everything: Limits = { memory: true, swap: true, cpus: true, ulimits: [] };

/** States of a container in which its ports are taken. */
const holding = ['running', 'paused', 'restarting'];

/** What is taken for true of an engine that was not asked. */
export function unknownHost(settings: Settings, why: string): HostFacts {
  const chosen = settings['alloy:bind'];
  const warnings = [`${why}; whether the ports are free there is not known`];
  return { problems: [], warnings, engineId: '', bind: chosen === 'auto' ? [loopback] : chosen, bridge: [], listed: {}, limits: everything, ipv6: true, hostless: true };
}

/**
 * Looks at the Docker host of a stack.
 * @param choice its engine, without problems
 * @param owner `project/stack`, the value of the label on everything the stack has made
 * @param preview whether nothing will be changed; an ssh:// host may then be out of reach
 * @param inet6 file of a kernel of Linux that is there where it has IPv6; tests name another one
 */
export async function inspectHost({ engine, source }: Choice, settings: Settings, owner: string, preview: boolean, inet6 = '/proc/net/if_inet6'): Promise<HostFacts> {
  if (preview && settings['docker:disableDockerDaemonCheck']) {
    return unknownHost(settings, 'the Docker host was not asked');
  }
  const chosen = settings['alloy:bind'];
  let found: [Version, Info, Network, Container[], { Volumes: Named[] | null }, (Named & Addressed)[]];
  try {
    found = await Promise.all([
      engineGet<Version>(engine, '/version', 10_000),
      engineGet<Info>(engine, '/info', 10_000),
      engineGet<Network>(engine, '/networks/bridge', 10_000).catch(() => ({ IPAM: {} })),
      engineGet<Container[]>(engine, '/containers/json?all=1', 10_000),
      engineGet<{ Volumes: Named[] | null }>(engine, '/volumes', 10_000),
      engineGet<(Named & Addressed)[]>(engine, '/networks', 10_000),
    ]);
    if (!isSound(found)) {
      throw new Error('what answers there is no Docker Engine');
    }
  } catch (error) {
    const reason = `the Docker Engine at ${engine.host} (${source}) does not answer (${(error as Error).message || (error as NodeJS.ErrnoException).code})`;
    const unknown = unknownHost(settings, reason);
    return preview && engine.host.startsWith('ssh:') ? unknown : { ...unknown, warnings: [], problems: [{ key: 'docker:host', rule: reason, mend: unreachable(engine, reason) }] };
  }
  const [version, info, network, all, { Volumes: volumes }, networks] = found;
  const containers = all.filter(({ State }) => holding.includes(State));
  const desktop = info.OperatingSystem.includes('Docker Desktop');
  const rootless = info.SecurityOptions?.some((option) => option.startsWith('name=rootless')) ?? false;
  const podman = version.Components?.some(({ Name }) => Name === 'Podman Engine') ?? false;
  // Docker Desktop forwards from loopback alone. Rootless Docker publishes on the host's own addresses, and the bridge's is
  // not among them. Podman has its bridge only while a container is on it.
  // An engine in a virtual machine has a socket here and addresses there.
  const sameKernel = isLocal(engine) && info.KernelVersion === os.release();
  const bridge = desktop || rootless || podman ? [] : gatewayOf(network);
  const gateways = chosen === 'auto' ? bridge : [];
  // Another engine on this host may have taken the bridge away: Docker would refuse the address half-way.
  const missing = sameKernel ? (await Promise.all(gateways.map(async (address) => ((await isOwnAddress(address)) ? [] : [address])))).flat() : [];
  const bind = chosen === 'auto' ? [loopback, ...gateways.filter((address) => !missing.includes(address))] : chosen;
  // Podman makes up another one for each question.
  const engineId = podman ? '' : info.ID ?? '';
  const local = isLocal(engine) && !desktop;
  // The kernel of this machine is that of the engine; without the module there is no such file.
  const ipv6 = !local || process.platform !== 'linux' || fs.existsSync(inet6);
  const inspected = await inspectAll(engine, containers.filter((one) => isOf(owner, one)));
  const limits: Limits = {
    memory: info.MemoryLimit !== false,
    swap: info.SwapLimit !== false,
    cpus: info.CpuCfsQuota !== false,
    // A rootless engine cannot start a container with more than its user may have. Podman lists them under other names, which
    // would be a replacement in every preview, and bounds the processes of a container by itself.
    ulimits: rootless || podman ? false : commonUlimits(inspected),
  };
  const problems = [
    ...tooOld(version),
    ...(limits.cpus ? tooManyCpus(settings, info.NCPU) : []),
    ...(local ? await notHere('phoenix:bind', settings['phoenix:bind']) : []),
    ...(local && chosen !== 'auto' ? await notHere('alloy:bind', chosen) : []),
    ...takenNames(settings, owner, {
      container: all.map((one) => ({ ...one, Name: nameOf(one) })),
      volume: volumes ?? [],
      network: networks,
    }),
    ...subnetProblems(settings, networks.filter((one) => !isOf(owner, one))),
    ...inTheMiddle(owner, volumes ?? []),
    ...(sameKernel && info.DockerRootDir ? await diskRoom(settings, info.DockerRootDir, (volumes ?? []).some(({ Name }) => Name === hostName('alloy', shortName(owner), 'data'))) : []),
    ...olderPhoenix(settings, owner, inspected),
    ...(await heldPorts({ settings, bind, owner, containers, processes: isLocal(engine) })),
  ];
  const listed = Object.fromEntries(inspected.map((one) => [containerName(one), mappingsOf(one)]));
  return { problems, warnings: [...unlimited(limits), ...missing.map(noGateway)], engineId, bind, bridge, listed, limits, ipv6, hostless: !podman };
}

/** Whether the answers have the shape of those of an engine, as far as nothing works without it. */
const isSound = ([version, info, , containers, volumes, networks]: readonly [Version, Info, Network, ...unknown[]]): boolean =>
  typeof version?.ApiVersion === 'string' && typeof info?.OperatingSystem === 'string' && Array.isArray(containers) && Boolean(volumes) && Array.isArray(networks);

function unreachable(engine: Engine, reason: string): string[] {
  return engine.host === `unix://${defaultSocket}`
    ? ['sudo systemctl start docker', 'npm run doctor']
    : [...remedies(engine, reason), `pulumi config set docker:host unix://${defaultSocket}`];
}

/** What is not enforced on this host, for one line in every preview: a limit that is set and does nothing is a surprise at the worst time. */
function unlimited({ memory, swap, cpus }: Limits): string[] {
  return [
    ...(memory ? [] : ['the kernel of the Docker host has no memory limit: phoenix:memory and alloy:memory are not enforced']),
    ...(memory && !swap ? ['the kernel of the Docker host does not count swap: containers may use it beyond their memory limit'] : []),
    ...(cpus ? [] : ['the kernel of the Docker host has no CPU quota for this engine: phoenix:cpus and alloy:cpus are not enforced']),
  ];
}

function tooOld({ ApiVersion, Version }: Version): Problem[] {
  return compareVersions(ApiVersion, oldestEngineApi) >= 0
    ? []
    : [{
        key: 'docker:host',
        rule: `Docker ${Version} is too old: its API is ${ApiVersion}, and ${oldestEngineApi} (Docker 20.10) is the oldest that is supported`,
        mend: ['sudo apt-get install --only-upgrade docker.io'],
      }];
}

/** Docker refuses a CPU limit above what the host has, and only after the old container is gone. */
function tooManyCpus(settings: Settings, available: number): Problem[] {
  const atEdge = settings['edge:central'] !== undefined;
  return (atEdge ? ['alloy:cpus'] as const : ['phoenix:cpus', 'alloy:cpus'] as const)
    .filter((key) => Number(settings[key]) > available)
    .map((key) => ({
      key,
      // As a person writes it: the provider's form of 10 is "10.".
      value: String(Number(settings[key])),
      rule: `the Docker host has ${available}`,
      mend: [`pulumi config set ${key} ${available}`],
    }));
}

/** Why Alloy is not published where containers expect it. */
const noGateway = (address: string): string =>
  `${address}, the gateway of Docker's bridge, is no address of this host (a second engine takes it away when it stops): containers cannot send to host.docker.internal until \`sudo systemctl restart docker\` and the next deployment`;

/** IPv4 gateway of Docker's default bridge; an engine that has not written it down uses the first address of the subnet. */
function gatewayOf(bridge: Network): string[] {
  const { Gateway, Subnet } = bridge.IPAM.Config?.find((range) => /^[\d.]+\/\d+$/.test(range.Subnet ?? '')) ?? {};
  const address = Gateway || Subnet?.replace(/(\d+)\/\d+$/, (_, last: string) => String(Number(last) + 1));
  return address ? [address] : [];
}

async function notHere(key: 'phoenix:bind' | 'alloy:bind', chosen: readonly string[]): Promise<Problem[]> {
  const here = await Promise.all(chosen.map(isOwnAddress));
  return chosen
    .filter((_, index) => !here[index])
    .map((address) => ({
      key,
      value: address,
      rule: 'this host has no such address',
      mend: [`pulumi config set ${key} ${keys[key].fallback}`],
    }));
}

async function inspectAll(engine: Engine, own: readonly Container[]): Promise<Inspected[]> {
  // A container may go between the list and this question: then there is nothing to say of it.
  const found = await Promise.all(own.map(({ Id }) => engineGet<Inspected>(engine, `/containers/${Id}/json`, 10_000).catch(() => undefined)));
  return found.filter((one) => one !== undefined);
}

/** What all of them list: the engine's own is among that, which it is not asked for otherwise. */
function commonUlimits(own: readonly Inspected[]): Ulimit[] {
  const [first = [], ...others] = own.map(({ HostConfig }) => HostConfig?.Ulimits ?? []);
  return first
    .filter(({ Name }) => others.every((listed) => listed.some((one) => one.Name === Name)))
    .map(({ Name, Soft, Hard }) => ({ name: Name, soft: Soft, hard: Hard }));
}

const containerName = ({ Name }: Inspected): string => Name.replace(/^\//, '');

function mappingsOf({ NetworkSettings }: Inspected): ListedPorts[string] {
  return Object.entries(NetworkSettings.Ports).flatMap(([port, bindings]) =>
    (bindings ?? []).map(({ HostIp, HostPort }) => ({ internal: parseInt(port, 10), external: Number(HostPort), ip: HostIp })));
}

/**
 * What has a name that this stack needs and is not of it. Docker refuses the name of a container half-way through a
 * deployment, and takes a volume that is there without a word, whatever it holds.
 */
function takenNames(settings: Settings, owner: string, found: Readonly<Record<'container' | 'volume' | 'network', readonly Named[]>>): Problem[] {
  const stack = shortName(owner);
  const wanted = hostNames(stack, settings['edge:central'] !== undefined);
  return (['container', 'volume', 'network'] as const).flatMap((kind) =>
    found[kind].filter((one) => wanted[kind].includes(one.Name) && !isOf(owner, one)).map((one) => ({
      key: 'stack',
      value: stack,
      rule: `${kind} ${one.Name}${origin(one)} has a name that this stack needs; give the stack another name${kind === 'container' ? ', or the container' : ''}`,
      mend: ['npm run up -- --stack OTHER_NAME', ...(kind === 'container' ? [`docker rename ${one.Name} ${one.Name}-old`] : [])],
    })));
}

/** The data that such a stack has is about to be replaced: what it took in now would not be in the page afterwards. */
function inTheMiddle(owner: string, volumes: readonly Named[]): Problem[] {
  const stack = shortName(owner);
  return volumes.some(({ Name }) => Name === takingOver(stack))
    ? [{ key: 'stack', value: stack, rule: 'it is in the middle of taking over from the services before it, and nothing is lost: let it come to the end', mend: [`npm run adopt -- --stack ${stack}`] }]
    : [];
}

/**
 * Phoenix has no downgrade of its database. Only one that runs is compared: it has opened the database. Whether an older one
 * opens that after all is known to its own image, which is asked at the deployment, before anything is stopped (own-volume.py).
 */
function olderPhoenix(settings: Settings, owner: string, own: readonly Inspected[]): Problem[] {
  const name = hostName('phoenix', shortName(owner));
  const running = own.find((one) => containerName(one) === name && one.State?.Status === 'running')?.Config?.Image ?? '';
  const wanted = settings['phoenix:image'];
  const [is, was] = [versionOf(wanted), versionOf(running)];
  return is === undefined || was === undefined || compareVersions(is, was) >= 0
    ? []
    : [{
        key: 'phoenix:image',
        value: wanted,
        rule: `Phoenix ${was} runs on the database of this stack, and Phoenix has no downgrade of its database; docs/upgrade.md says how to go back`,
        mend: [`pulumi config set phoenix:image ${running}`],
      }];
}
