/**
 * What settings alone cannot tell: whether the Docker Engine answers and is new enough, and whether
 * the ports and addresses are free there. Runs before the first resource, at every preview.
 */
import { oldestEngineApi, stackLabel } from './catalog';
import { engineGet, engineHost } from './engine';
import { holderOf, isHeld, isOwnAddress } from './port-holder';
import type { ListedPorts } from './workload';
import type { Problem } from './problem';
import { bindOf, freePorts, keys, publishedPorts, type SettingKey, type Settings } from './settings';
import { compareVersions } from './values';

export interface HostFacts {
  readonly problems: readonly Problem[];
  /** Things worth saying that stop nothing. */
  readonly warnings: readonly string[];
  /** Host addresses for Alloy's OTLP ports, `auto` resolved. */
  readonly bind: readonly string[];
  /** Port mappings of the stack's running containers by container name, in the order in which the engine lists them. */
  readonly listed: ListedPorts;
}

interface Version { readonly ApiVersion: string; readonly Version: string }
interface Info { readonly NCPU: number; readonly OperatingSystem: string }
interface Network { readonly IPAM: { readonly Config?: readonly { readonly Subnet?: string; readonly Gateway?: string }[] } }
interface Inspected {
  readonly Name: string;
  readonly NetworkSettings: { readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>> };
}
interface Container {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly Ports: readonly { readonly IP?: string; readonly PublicPort?: number }[];
}

const loopback = '127.0.0.1';
const wildcards = ['0.0.0.0', '::'];

/**
 * Looks at the Docker host of a stack.
 * @param owner `project/stack`, the value of the label on everything the stack has made
 * @param preview whether nothing will be changed; an ssh:// host may then be out of reach
 */
export async function inspectHost(settings: Settings, owner: string, preview: boolean): Promise<HostFacts> {
  const host = engineHost(settings['docker:host']);
  const remote = !/^(unix|npipe):/.test(host);
  const chosen = settings['alloy:bind'];
  let found: [Version, Info, Network, Container[]];
  try {
    found = await Promise.all([
      engineGet<Version>(host, '/version', 10_000),
      engineGet<Info>(host, '/info', 10_000),
      engineGet<Network>(host, '/networks/bridge', 10_000).catch(() => ({ IPAM: {} })),
      engineGet<Container[]>(host, '/containers/json', 10_000),
    ]);
  } catch (error) {
    const bind = chosen === 'auto' ? [loopback] : chosen;
    const reason = `the Docker Engine at ${host} does not answer (${(error as Error).message || (error as NodeJS.ErrnoException).code})`;
    if (preview && host.startsWith('ssh:')) {
      return { problems: [], warnings: [`${reason}; whether the ports are free there is not known`], bind, listed: {} };
    }
    return { problems: [{ key: 'docker:host', rule: reason, mend: unreachable(remote, host) }], warnings: [], bind, listed: {} };
  }
  const [version, info, bridge, containers] = found;
  const desktop = info.OperatingSystem.includes('Docker Desktop');
  const bind = chosen === 'auto' ? [loopback, ...(desktop || remote ? [] : gatewayOf(bridge))] : chosen;
  const local = !remote && !desktop;
  const problems = [
    ...tooOld(version),
    ...tooManyCpus(settings, info.NCPU),
    ...(local ? await notHere('phoenix:bind', settings['phoenix:bind']) : []),
    ...(local && chosen !== 'auto' ? await notHere('alloy:bind', chosen) : []),
    ...(await heldPorts({ settings, bind, owner, containers, processes: !remote })),
  ];
  return { problems, warnings: [], bind, listed: await listedPorts(host, containers.filter(({ Labels }) => Labels[stackLabel] === owner)) };
}

function unreachable(remote: boolean, host: string): string[] {
  return remote
    ? [`DOCKER_HOST=${host} docker info`, 'pulumi config set docker:host unix:///var/run/docker.sock']
    : ['sudo systemctl start docker', 'npm run doctor'];
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

async function listedPorts(host: string, own: readonly Container[]): Promise<ListedPorts> {
  const entries = await Promise.all(own.map(async ({ Id }) => {
    // A container may go between the list and this question: then it lists nothing.
    const inspected = await engineGet<Inspected>(host, `/containers/${Id}/json`, 10_000).catch(() => undefined);
    return inspected ? [[inspected.Name.replace(/^\//, ''), mappingsOf(inspected)] as const] : [];
  }));
  return Object.fromEntries(entries.flat());
}

function mappingsOf({ NetworkSettings }: Inspected): ListedPorts[string] {
  return Object.entries(NetworkSettings.Ports).flatMap(([port, bindings]) =>
    (bindings ?? []).map(({ HostIp, HostPort }) => ({ internal: parseInt(port, 10), external: Number(HostPort), ip: HostIp })));
}

interface PortSurvey {
  readonly settings: Settings;
  /** Addresses for Alloy, `auto` resolved. */
  readonly bind: readonly string[];
  readonly owner: string;
  readonly containers: readonly Container[];
  /** Whether processes of this machine share the ports with the engine. */
  readonly processes: boolean;
}

async function heldPorts(survey: PortSurvey): Promise<Problem[]> {
  const { settings, bind } = survey;
  const problems: Problem[] = [];
  for (const key of publishedPorts(settings)) {
    const port = settings[key] as number;
    const bindKey = bindOf[key];
    const wanted = bindKey ? { 'phoenix:bind': settings['phoenix:bind'], 'alloy:bind': bind }[bindKey] : [loopback];
    const holder = await holderOn(wanted, port, survey);
    if (holder) {
      problems.push({
        key,
        value: String(port),
        rule: `${holder} holds that port on the Docker host; stop it, or choose another port`,
        mend: [`pulumi config set ${key} ${await firstFree(key, wanted, survey)}`],
      });
    }
  }
  return problems;
}

/** What, other than the stack itself, holds a port on one of these addresses; undefined when it is free. */
async function holderOn(wanted: readonly string[], port: number, { owner, containers, processes }: PortSurvey): Promise<string | undefined> {
  const publishers = containers.filter(({ Ports }) =>
    Ports.some(({ IP, PublicPort }) => PublicPort === port && wanted.some((address) => overlap(address, IP ?? '0.0.0.0'))));
  const other = publishers.find(({ Labels }) => Labels[stackLabel] !== owner);
  if (other) {
    return describe(other);
  }
  // Docker's own proxy listens for what the stack's containers publish: that is no stranger.
  return publishers.length > 0 || !processes ? undefined : processOn(wanted, port);
}

async function firstFree(key: SettingKey, wanted: readonly string[], survey: PortSurvey): Promise<number | undefined> {
  for (const port of freePorts(key, survey.settings)) {
    if (!(await holderOn(wanted, port, survey))) {
      return port;
    }
  }
  return undefined;
}

function overlap(a: string, b: string): boolean {
  return a === b || wildcards.includes(a) || wildcards.includes(b);
}

function describe({ Names, Labels }: Container): string {
  const name = Names[0]?.replace(/^\//, '') ?? 'a container';
  const origin = Labels[stackLabel]
    ? ` of stack ${Labels[stackLabel]}`
    : Labels['com.docker.compose.project']
      ? ` of compose project ${Labels['com.docker.compose.project']}`
      : '';
  return `container ${name}${origin}`;
}

async function processOn(addresses: readonly string[], port: number): Promise<string | undefined> {
  for (const address of addresses) {
    if (await isHeld(address, port)) {
      return (await holderOf(port)) ?? 'another process';
    }
  }
  return undefined;
}
