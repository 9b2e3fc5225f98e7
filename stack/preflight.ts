/**
 * What settings alone cannot show: whether the Docker Engine answers and is new enough, what its kernel supports, and whether
 * names, ports and addresses are free there. Runs before the first resource, at every preview.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import { oldestEngineApi } from '../components/catalog';
import { compareVersions } from '../components/image-reference';
import { everything } from '../components/hardening';
import { hostName, shortName, takingOver } from '../components/names';
import type { Limits, ListedPorts } from '../components/workload';
import { defaultSocket, isLocal, remedies, type Choice, type Engine } from '../engine';
import { isOwnAddress } from '../engine/host-ports';
import { keys, type Settings } from '../settings/keys';
import { subnetProblems } from '../settings/network';
import type { Problem } from '../settings/problem';
import { databaseProblems } from './database';
import { diskRoom } from './disk-room';
import { olderPhoenix } from './downgrade';
import { answersOf, containerName, inspectAll, mappingsOf, type Answers, type Network, type Version } from './engine-answers';
import { isOf, nameOf, type Named } from './found';
import { limitsOf, tooManyCpus, unlimited } from './limits';
import { heldPorts } from './port-survey';
import { takenNames } from './taken-names';

export interface HostFacts {
  readonly problems: readonly Problem[];
  /** Findings that stop nothing. */
  readonly warnings: readonly string[];
  /** The engine's own ID; empty if it was not asked, or has none. */
  readonly engineId: string;
  /** Host addresses for Alloy's OTLP ports, `auto` resolved. */
  readonly bind: readonly string[];
  /** Gateway of Docker's bridge, which containers reach and other machines do not; empty if it is unknown. */
  readonly bridge: readonly string[];
  /** Port mappings of the stack's running containers by container name, in the order in which the engine lists them. */
  readonly listed: ListedPorts;
  /** What the engine can limit. */
  readonly limits: Limits;
  /** Whether a program there can listen on IPv6 addresses, as Phoenix's metrics do. */
  readonly ipv6: boolean;
  /** Whether the engine can create a network on which the host has no address. */
  readonly hostless: boolean;
}

const loopback = '127.0.0.1';

/** States of a container in which it uses its ports. */
const holding = ['running', 'paused', 'restarting'];

/** The assumption about an engine that was not asked. */
export function unknownHost(settings: Settings, why: string): HostFacts {
  const chosen = settings['alloy:bind'];
  const warnings = [`${why}; whether the ports are free there is not known`];
  return { problems: [], warnings, engineId: '', bind: chosen === 'auto' ? [loopback] : chosen, bridge: [], listed: {}, limits: everything, ipv6: true, hostless: true };
}

/**
 * Inspects the Docker host of a stack.
 * @param choice its engine, without problems
 * @param owner `project/stack`, the value of the label on everything the stack has created
 * @param preview whether nothing will be changed; an ssh:// host may then be unreachable
 * @param inet6 file that exists on Linux if the kernel has IPv6; tests pass a different one
 */
export async function inspectHost({ engine, source }: Choice, settings: Settings, owner: string, preview: boolean, inet6 = '/proc/net/if_inet6'): Promise<HostFacts> {
  if (preview && settings['docker:disableDockerDaemonCheck']) {
    return unknownHost(settings, 'the Docker host was not asked');
  }
  const chosen = settings['alloy:bind'];
  let answers: Answers;
  try {
    answers = await answersOf(engine);
  } catch (error) {
    const reason = `the Docker Engine at ${engine.host} (${source}) does not answer (${(error as Error).message || (error as NodeJS.ErrnoException).code})`;
    const unknown = unknownHost(settings, reason);
    return preview && engine.host.startsWith('ssh:') ? unknown : { ...unknown, warnings: [], problems: [{ key: 'docker:host', rule: reason, mend: unreachable(engine, reason) }] };
  }
  const { version, info, containers: all, volumes, networks } = answers;
  const containers = all.filter(({ State }) => holding.includes(State));
  const desktop = info.OperatingSystem.includes('Docker Desktop');
  const rootless = info.SecurityOptions?.some((option) => option.startsWith('name=rootless')) ?? false;
  const podman = version.Components?.some(({ Name }) => Name === 'Podman Engine') ?? false;
  // Docker Desktop forwards only from loopback. Rootless Docker publishes on the host's own addresses, which do not
  // include the bridge's. Podman has its bridge only while a container is on it.
  // An engine in a virtual machine has its socket here and its addresses there.
  const sameKernel = isLocal(engine) && info.KernelVersion === os.release();
  const bridge = desktop || rootless || podman ? [] : gatewayOf(answers.bridge);
  const gateways = chosen === 'auto' ? bridge : [];
  // Another engine on this host may have removed the bridge: Docker would refuse the address halfway.
  const missing = sameKernel ? (await Promise.all(gateways.map(async (address) => ((await isOwnAddress(address)) ? [] : [address])))).flat() : [];
  const bind = chosen === 'auto' ? [loopback, ...gateways.filter((address) => !missing.includes(address))] : chosen;
  // Podman invents a new ID for each request.
  const engineId = podman ? '' : info.ID ?? '';
  const local = isLocal(engine) && !desktop;
  // The engine runs on this machine's kernel; without the module the file does not exist.
  const ipv6 = !local || process.platform !== 'linux' || fs.existsSync(inet6);
  const inspected = await inspectAll(engine, containers.filter((one) => isOf(owner, one)));
  // A rootless engine cannot start a container with limits above those of its user. Podman lists them under different names,
  // which would cause a replacement in every preview, and limits the processes of a container itself.
  const limits = limitsOf(info, inspected, !rootless && !podman);
  const problems = [
    ...tooOld(version),
    ...(limits.cpus ? tooManyCpus(settings, info.NCPU) : []),
    ...(local ? await notHere('phoenix:bind', settings['phoenix:bind']) : []),
    ...(local && chosen !== 'auto' ? await notHere('alloy:bind', chosen) : []),
    ...takenNames(settings, owner, {
      container: all.map((one) => ({ ...one, Name: nameOf(one) })),
      volume: volumes,
      network: networks,
    }),
    ...subnetProblems(settings, networks.filter((one) => !isOf(owner, one))),
    ...inTheMiddle(owner, volumes),
    ...(sameKernel && info.DockerRootDir ? await diskRoom(settings, info.DockerRootDir, volumes.some(({ Name }) => Name === hostName('alloy', shortName(owner), 'data'))) : []),
    ...olderPhoenix(settings, owner, inspected),
    ...(settings['edge:central'] === undefined ? databaseProblems(settings, owner, all) : []),
    ...(await heldPorts({ settings, bind, owner, containers, processes: isLocal(engine) })),
  ];
  const listed = Object.fromEntries(inspected.map((one) => [containerName(one), mappingsOf(one)]));
  return { problems, warnings: [...unlimited(limits), ...missing.map(noGateway)], engineId, bind, bridge, listed, limits, ipv6, hostless: !podman };
}

function unreachable(engine: Engine, reason: string): string[] {
  return engine.host === `unix://${defaultSocket}`
    ? ['sudo systemctl start docker', 'npm run doctor']
    : [...remedies(engine, reason), `pulumi config set docker:host unix://${defaultSocket}`];
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

/** Why Alloy is not published where containers expect it. */
const noGateway = (address: string): string =>
  `${address}, the gateway of Docker's bridge, is not an address of this host (a second engine takes it away when it stops): containers cannot send to host.docker.internal until \`sudo systemctl restart docker\` and the next deployment`;

/** IPv4 gateway of Docker's default bridge; an engine that does not report it uses the first address of the subnet. */
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

/** The data of a stack that is taking over is about to be replaced: the page would not show data received now. */
function inTheMiddle(owner: string, volumes: readonly Named[]): Problem[] {
  const stack = shortName(owner);
  return volumes.some(({ Name }) => Name === takingOver(stack))
    ? [{ key: 'stack', value: stack, rule: 'it has not finished taking over from the earlier services, and nothing is lost: run the adoption to its end', mend: [`npm run adopt -- --stack ${stack}`] }]
    : [];
}
