/**
 * What settings alone cannot tell: whether the Docker Engine answers and is new enough, and whether
 * the ports and addresses are free there. Runs before the first resource, at every preview.
 */
import { hostNames, oldestEngineApi, shortName, stackLabel, takingOver } from './catalog';
import { engineGet, engineHost } from './engine';
import { holderOf, isHeld, isOwnAddress } from './port-holder';
import type { ListedPorts } from './workload';
import type { Problem } from './problem';
import { bindOf, freePorts, keys, otherOffsets, portAsSet, publishedPorts, type SettingKey, type Settings } from './settings';
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
interface Labelled {
  readonly Labels: Readonly<Record<string, string>> | null;
}
interface Named extends Labelled {
  readonly Name: string;
}
interface Container extends Labelled {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  /** 'running', 'paused', 'exited', 'created' and so on. */
  readonly State: string;
  readonly Ports: readonly { readonly IP?: string; readonly PublicPort?: number }[];
}

const composeProject = 'com.docker.compose.project';
const loopback = '127.0.0.1';
const wildcards = ['0.0.0.0', '::'];

/** States of a container in which its ports are taken. */
const holding = ['running', 'paused', 'restarting'];

/**
 * Looks at the Docker host of a stack.
 * @param owner `project/stack`, the value of the label on everything the stack has made
 * @param preview whether nothing will be changed; an ssh:// host may then be out of reach
 * @param unasked whether a preview asks the host nothing (`docker:disableDockerDaemonCheck`, which the provider reads too)
 */
export async function inspectHost(settings: Settings, owner: string, preview: boolean, unasked = false): Promise<HostFacts> {
  const host = engineHost(settings['docker:host']);
  const remote = !/^(unix|npipe):/.test(host);
  const chosen = settings['alloy:bind'];
  const blind = (why: string): HostFacts =>
    ({ problems: [], warnings: [`${why}; whether the ports are free there is not known`], bind: chosen === 'auto' ? [loopback] : chosen, listed: {} });
  if (preview && unasked) {
    return blind('the Docker host was not asked');
  }
  let found: [Version, Info, Network, Container[], { Volumes: Named[] | null }, Named[]];
  try {
    found = await Promise.all([
      engineGet<Version>(host, '/version', 10_000),
      engineGet<Info>(host, '/info', 10_000),
      engineGet<Network>(host, '/networks/bridge', 10_000).catch(() => ({ IPAM: {} })),
      engineGet<Container[]>(host, '/containers/json?all=1', 10_000),
      engineGet<{ Volumes: Named[] | null }>(host, '/volumes', 10_000),
      engineGet<Named[]>(host, '/networks', 10_000),
    ]);
  } catch (error) {
    const reason = `the Docker Engine at ${host} does not answer (${(error as Error).message || (error as NodeJS.ErrnoException).code})`;
    if (preview && host.startsWith('ssh:')) {
      return blind(reason);
    }
    return { ...blind(reason), problems: [{ key: 'docker:host', rule: reason, mend: unreachable(remote, host) }], warnings: [] };
  }
  const [version, info, bridge, all, { Volumes: volumes }, networks] = found;
  const containers = all.filter(({ State }) => holding.includes(State));
  const desktop = info.OperatingSystem.includes('Docker Desktop');
  const bind = chosen === 'auto' ? [loopback, ...(desktop || remote ? [] : gatewayOf(bridge))] : chosen;
  const local = !remote && !desktop;
  const problems = [
    ...tooOld(version),
    ...tooManyCpus(settings, info.NCPU),
    ...(local ? await notHere('phoenix:bind', settings['phoenix:bind']) : []),
    ...(local && chosen !== 'auto' ? await notHere('alloy:bind', chosen) : []),
    ...takenNames(settings, owner, {
      container: all.map((one) => ({ ...one, Name: nameOf(one) })),
      volume: volumes ?? [],
      network: networks,
    }),
    ...inTheMiddle(owner, volumes ?? []),
    ...(await heldPorts({ settings, bind, owner, containers, processes: !remote })),
  ];
  return { problems, warnings: [], bind, listed: await listedPorts(host, containers.filter((one) => isOf(owner, one))) };
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
  const { settings } = survey;
  const offset = settings['ports:offset'];
  const holders = new Map<SettingKey, Holder>();
  for (const key of publishedPorts(settings)) {
    const holder = await holderOn(addressesOf(key, survey), settings[key] as number, survey);
    if (holder) {
      holders.set(key, holder);
    }
  }
  // Several at once are another stack or the set-up before this one: one command moves past all of it.
  const together = holders.size > 1 ? await firstFreeOffset(survey) : undefined;
  return Promise.all([...holders].map(async ([key, { name, isOldSetup }]) => ({
    key,
    value: String(portAsSet(key, settings)),
    rule: `${name} holds ${offset === 0 ? 'that port' : `port ${String(settings[key])} (ports:offset is ${offset})`} on the Docker host; stop it, or choose ${together === undefined ? 'another port' : 'other ports'}`,
    mend: [
      together === undefined ? `pulumi config set ${key} ${await firstFree(key, survey)}` : `pulumi config set ports:offset ${together}`,
      ...(isOldSetup && settings['edge:central'] === undefined ? [`npm run adopt -- --stack ${shortName(survey.owner)}   # takes over from it, with its data`] : []),
    ],
  })));
}

interface Holder {
  readonly name: string;
  /** Whether it is a Phoenix or an Alloy of a compose project, from which a stack can take over. */
  readonly isOldSetup: boolean;
}

/** Host addresses on which a port is published. */
function addressesOf(key: SettingKey, { settings, bind }: PortSurvey): readonly string[] {
  const bindKey = bindOf[key];
  return bindKey ? { 'phoenix:bind': settings['phoenix:bind'], 'alloy:bind': bind }[bindKey] : [loopback];
}

/** What, other than the stack itself, holds a port on one of these addresses; undefined when it is free. */
async function holderOn(wanted: readonly string[], port: number, { owner, containers, processes }: PortSurvey): Promise<Holder | undefined> {
  const publishers = containers.filter(({ Ports }) =>
    Ports.some(({ IP, PublicPort }) => PublicPort === port && wanted.some((address) => overlap(address, IP ?? '0.0.0.0'))));
  const other = publishers.find((one) => !isOf(owner, one));
  if (other) {
    return { name: describe(other), isOldSetup: Boolean(other.Labels?.[composeProject]) && /(^|[/-])(alloy|phoenix)([:@]|$)/.test(other.Image) };
  }
  // Docker's own proxy listens for what the stack's containers publish: that is no stranger.
  const name = publishers.length > 0 || !processes ? undefined : await processOn(wanted, port);
  return name === undefined ? undefined : { name, isOldSetup: false };
}

/** A value for the setting with which its port is free. */
async function firstFree(key: SettingKey, survey: PortSurvey): Promise<number | undefined> {
  for (const port of freePorts(key, survey.settings)) {
    if (!(await holderOn(addressesOf(key, survey), port + survey.settings['ports:offset'], survey))) {
      return port;
    }
  }
  return undefined;
}

/** A value for `ports:offset` with which all ports are free. */
async function firstFreeOffset(survey: PortSurvey): Promise<number | undefined> {
  const { settings } = survey;
  const ports = publishedPorts(settings);
  for (const offset of otherOffsets(settings)) {
    const held = await Promise.all(ports.map((key) => holderOn(addressesOf(key, survey), portAsSet(key, settings) + offset, survey)));
    if (held.every((holder) => holder === undefined)) {
      return offset;
    }
  }
  return undefined;
}

function overlap(a: string, b: string): boolean {
  return a === b || wildcards.includes(a) || wildcards.includes(b);
}

const isOf = (owner: string, { Labels }: Labelled): boolean => Labels?.[stackLabel] === owner;

const nameOf = ({ Names }: Container): string => Names[0]?.replace(/^\//, '') ?? 'a container';

const describe = (container: Container): string => `container ${nameOf(container)}${origin(container)}`;

/** Whose it is, as far as its labels tell. */
function origin({ Labels }: Labelled): string {
  const [stack, project] = [Labels?.[stackLabel], Labels?.[composeProject]];
  return stack ? ` of stack ${stack}` : project ? ` of compose project ${project}` : '';
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
    ? [{ key: 'stack', value: stack, rule: 'it is in the middle of taking over from docker-compose, and nothing is lost: let it come to the end', mend: [`npm run adopt -- --stack ${stack}`] }]
    : [];
}

async function processOn(addresses: readonly string[], port: number): Promise<string | undefined> {
  for (const address of addresses) {
    if (await isHeld(address, port)) {
      return (await holderOf(port)) ?? 'another process';
    }
  }
  return undefined;
}
