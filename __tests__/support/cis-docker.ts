/**
 * The CIS Docker Benchmark 1.6.0 on one container: 4.1 and of section 5 what `docker inspect` shows. Not there are swarm mode
 * (5.1), sshd (5.7), whether a ulimit is needed (5.19), `docker exec` (5.23, 5.24) and how old an image is (5.28).
 */

/** What is read of an inspected container. */
export interface Inspected {
  readonly Name: string;
  readonly State: { readonly Running: boolean; readonly StartedAt: string };
  readonly AppArmorProfile: string;
  readonly Config: { readonly User: string; readonly Healthcheck?: { readonly Test?: readonly string[] } | null };
  readonly HostConfig: {
    readonly PortBindings: Bindings;
    readonly RestartPolicy: { readonly Name: string; readonly MaximumRetryCount: number };
    readonly CapAdd: readonly string[] | null;
    readonly CapDrop: readonly string[] | null;
    readonly CgroupParent: string;
    readonly CpuShares: number;
    readonly CpuQuota: number;
    readonly NanoCpus: number;
    readonly Devices: readonly { readonly PathOnHost: string }[] | null;
    readonly DeviceRequests?: readonly object[] | null;
    readonly IpcMode: string;
    readonly Memory: number;
    readonly PidMode: string;
    readonly PidsLimit: number | null;
    readonly Privileged: boolean;
    readonly ReadonlyRootfs: boolean;
    readonly SecurityOpt: readonly string[] | null;
    readonly UTSMode: string;
    readonly Ulimits: readonly { readonly Name: string; readonly Hard: number }[] | null;
    readonly UsernsMode: string;
  };
  readonly Mounts: readonly { readonly Type: string; readonly Source: string; readonly Propagation: string }[];
  readonly NetworkSettings: { readonly Ports: Bindings; readonly Networks: Readonly<Record<string, object>> };
}
type Bindings = Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>> | null;

/** What the benchmark asks of the host of a container. */
export interface Host {
  readonly appArmor: boolean;
  /** Ports of the host that somebody needs. */
  readonly ports: readonly number[];
}

/** As in components/workload.ts: it runs for ever, once to its end, or never. */
export type Kind = 'service' | 'job' | 'files';

export interface Finding {
  /** Of the recommendation. */
  readonly number: string;
  /** The same words for every container. */
  readonly what: string;
  readonly kind: Kind;
  readonly container: string;
}

export interface Exception {
  readonly kind: Kind;
  readonly number: string;
  readonly what: string;
  readonly reason: string;
  /** Names of the containers it is for, which only some settings make. Default: all of its kind. */
  readonly container?: RegExp;
}

/** Inputs of a container of the docker provider, as far as they are seen here. */
interface Inputs {
  readonly name: string;
  readonly user?: string;
  readonly start?: boolean;
  readonly restart: string;
  readonly readOnly?: boolean;
  readonly privileged?: boolean;
  readonly memory?: number;
  readonly cpus?: string;
  readonly cpuShares?: number;
  readonly capabilities?: { readonly adds?: readonly string[]; readonly drops?: readonly string[] };
  readonly securityOpts?: readonly string[];
  readonly ulimits?: readonly { readonly name: string; readonly hard: number }[];
  readonly healthcheck?: { readonly tests: readonly string[] };
  readonly ports?: readonly { readonly internal: number; readonly external: number; readonly ip: string }[];
  readonly volumes?: readonly { readonly volumeName?: string; readonly hostPath?: string }[];
  readonly mounts?: readonly { readonly type: string; readonly source: string }[];
  readonly devices?: readonly { readonly hostPath: string }[];
  readonly networkMode?: string;
  readonly networksAdvanced?: readonly { readonly name: string }[];
  readonly ipcMode?: string;
  readonly pidMode?: string;
  readonly usernsMode?: string;
}

/** What `docker inspect` shows of a container that the provider makes of such inputs. */
export function inspectedOf(inputs: object): Inspected {
  const { name, user = '', start = true, restart, readOnly = false, privileged = false, memory = 0, cpus = '0', cpuShares = 0, capabilities = {}, securityOpts = [], ulimits = [], healthcheck, ports = [],
    volumes = [], mounts = [], devices = [], networkMode = 'bridge', networksAdvanced, ipcMode = 'private', pidMode = '', usernsMode = '' } = inputs as Inputs;
  const bindings = Object.fromEntries(ports.map(({ internal, external, ip }) => [`${internal}/tcp ${ip}`, [{ HostIp: ip, HostPort: String(external) }]]));
  const bound = [...volumes.flatMap(({ hostPath }) => hostPath ?? []), ...mounts.filter(({ type }) => type === 'bind').map(({ source }) => source)];
  return {
    Name: `/${name}`,
    State: { Running: restart !== 'no', StartedAt: start ? '2026-11-30T00:00:00Z' : '0001-01-01T00:00:00Z' },
    AppArmorProfile: '',
    Config: { User: user, Healthcheck: healthcheck ? { Test: healthcheck.tests } : null },
    HostConfig: {
      PortBindings: bindings, RestartPolicy: { Name: restart, MaximumRetryCount: 0 }, CapAdd: capabilities.adds ?? null, CapDrop: capabilities.drops ?? null, CgroupParent: '',
      CpuShares: cpuShares, CpuQuota: 0, NanoCpus: Number(cpus) * 1e9, Devices: devices.map(({ hostPath }) => ({ PathOnHost: hostPath })), IpcMode: ipcMode, Memory: memory * 2 ** 20,
      PidMode: pidMode, PidsLimit: null, Privileged: privileged, ReadonlyRootfs: readOnly, SecurityOpt: securityOpts, UTSMode: '', Ulimits: ulimits.map((one) => ({ Name: one.name, Hard: one.hard })), UsernsMode: usernsMode,
    },
    Mounts: bound.map((source) => ({ Type: 'bind', Source: source, Propagation: '' })),
    NetworkSettings: { Ports: bindings, Networks: Object.fromEntries((networksAdvanced?.map((one) => one.name) ?? [networkMode]).map((one) => [one, {}])) },
  };
}

const neverStarted = ({ State }: Inspected): boolean => State.StartedAt.startsWith('0001-');

function kindOf(container: Inspected): Kind {
  return container.HostConfig.RestartPolicy.Name !== 'no' ? 'service' : neverStarted(container) ? 'files' : 'job';
}

/** What is or will be published: a container that does not run has no ports but those that it was made with. */
const published = ({ State, HostConfig, NetworkSettings }: Inspected): { readonly HostIp: string; readonly HostPort: string }[] =>
  Object.values((State.Running ? NetworkSettings.Ports : HostConfig.PortBindings) ?? {}).flatMap((bindings) => bindings ?? []);

const option = ({ HostConfig }: Inspected, name: string): string | undefined =>
  HostConfig.SecurityOpt?.map((one) => one.split(/[=:]/)).find(([key]) => key === name)?.[1];

const when = (found: boolean, what: string): string[] => (found ? [what] : []);
const sensitive = ['/boot', '/dev', '/etc', '/lib', '/proc', '/sys', '/usr'];
const binds = ({ Mounts }: Inspected): string[] => Mounts.filter(({ Type }) => Type === 'bind').map(({ Source }) => Source);
/** Each once: an address of IPv4 and one of IPv6 hold one port. */
const each = (all: readonly string[]): string[] => [...new Set(all)];

const rules: Readonly<Record<string, (container: Inspected, host: Host) => string[]>> = {
  '4.1': ({ Config }) => when(['', '0', 'root'].includes(Config.User.split(':')[0] ?? ''), 'it runs as root'),
  // The engine chooses the profile at the start.
  '5.2': (one, { appArmor }) =>
    when(appArmor && (one.AppArmorProfile === 'unconfined' || (one.AppArmorProfile === '' && !neverStarted(one))), 'no AppArmor profile confines it'),
  '5.3': (one) => when(option(one, 'label') === 'disable', 'SELinux does not confine it'),
  '5.4': ({ HostConfig: { CapAdd, CapDrop } }) => [
    ...when(!CapDrop?.includes('ALL'), "it keeps Docker's default capabilities"),
    ...(CapAdd ?? []).map((name) => `it adds ${name.replace(/^CAP_/, '')}`),
  ],
  '5.5': ({ HostConfig }) => when(HostConfig.Privileged, 'it is privileged'),
  '5.6': (one) => binds(one).filter((source) => source === '/' || sensitive.some((folder) => source === folder || source.startsWith(`${folder}/`))).map((source) => `it has ${source} of the host`),
  '5.8': (one) => each(published(one).filter(({ HostPort }) => Number(HostPort) > 0 && Number(HostPort) < 1024).map(({ HostPort }) => `it is published on port ${HostPort}, which is root's`)),
  '5.9': (one, { ports }) => each(published(one).filter(({ HostPort }) => !ports.includes(Number(HostPort))).map(({ HostPort }) => `it is published on port ${HostPort}, which nobody needs`)),
  '5.10': ({ NetworkSettings }) => when('host' in NetworkSettings.Networks, 'it has the network of the host'),
  '5.11': ({ HostConfig }) => when(HostConfig.Memory <= 0, 'its memory has no limit'),
  '5.12': ({ HostConfig }) => when(HostConfig.NanoCpus <= 0 && HostConfig.CpuQuota <= 0 && HostConfig.CpuShares <= 0, 'its share of the CPUs has no limit'),
  '5.13': ({ HostConfig }) => when(!HostConfig.ReadonlyRootfs, 'its root file system is writable'),
  '5.14': (one) => when(published(one).some(({ HostIp }) => ['', '0.0.0.0', '::'].includes(HostIp)), 'it is published on every address of the host'),
  '5.15': ({ HostConfig: { RestartPolicy: { Name, MaximumRetryCount } } }) =>
    when(Name !== 'no' && !(Name === 'on-failure' && MaximumRetryCount > 0 && MaximumRetryCount <= 5), 'it starts again after more than five failures'),
  '5.16': ({ HostConfig }) => when(HostConfig.PidMode === 'host', 'it sees the processes of the host'),
  '5.17': ({ HostConfig }) => when(HostConfig.IpcMode === 'host', 'it shares the memory of processes of the host'),
  '5.18': ({ HostConfig }) => when(Boolean(HostConfig.Devices?.length || HostConfig.DeviceRequests?.length), 'it has a device of the host'),
  '5.20': ({ Mounts }) => when(Mounts.some(({ Propagation }) => ['shared', 'rshared'].includes(Propagation)), 'what it mounts appears on the host'),
  '5.21': ({ HostConfig }) => when(HostConfig.UTSMode === 'host', 'it can change the name of the host'),
  '5.22': (one) => when(option(one, 'seccomp') === 'unconfined', 'it may make every system call'),
  '5.25': ({ HostConfig }) => when(HostConfig.CgroupParent !== '', 'it is in a control group that it was given'),
  '5.26': (one) => when(!(one.HostConfig.SecurityOpt?.includes('no-new-privileges') || option(one, 'no-new-privileges') === 'true'), 'its processes can gain privileges'),
  '5.27': ({ Config: { Healthcheck } }) => when([undefined, 'NONE'].includes(Healthcheck?.Test?.[0]), 'it has no health check'),
  // The docker package cannot set the limit of the cgroup.
  '5.29': ({ HostConfig: { PidsLimit, Ulimits } }) =>
    when((PidsLimit ?? 0) <= 0 && !Ulimits?.some(({ Name, Hard }) => Name === 'nproc' && Hard > 0), 'its processes have no limit'),
  '5.30': ({ NetworkSettings }) => when('bridge' in NetworkSettings.Networks, "it is on Docker's default bridge"),
  '5.31': ({ HostConfig }) => when(HostConfig.UsernsMode === 'host', 'its users are those of the host'),
  '5.32': (one) => when(binds(one).some((source) => /(^|\/)(docker|podman)\.sock$/.test(source) || ['/', '/run', '/var', '/var/run'].includes(source)), 'it has the socket of the engine'),
};

export const numbers: readonly string[] = Object.keys(rules);

/** What the benchmark holds against a container. */
export function findings(container: Inspected, host: Host): Finding[] {
  const about = { kind: kindOf(container), container: container.Name.replace(/^\//, '') };
  return Object.entries(rules).flatMap(([number, against]) => against(container, host).map((what) => ({ number, what, ...about })));
}

const exceptionsOf = (kind: Kind, reason: string, ...all: readonly (readonly [number: string, ...what: string[]])[]): Exception[] =>
  all.flatMap(([number, ...what]) => what.map((one) => ({ kind, number, what: one, reason })));

/** What a stack leaves as it is, and why. */
export const exceptions: readonly Exception[] = [
  ...exceptionsOf('service', 'A service comes back after every crash and after a restart of the host: while it is down, senders lose what they cannot keep. Docker waits longer after each crash, and its health shows them.',
    ['5.15', 'it starts again after more than five failures']),
  { kind: 'service', number: '5.27', what: 'it has no health check', container: /^victorialogs-(?!.*-gate$)/, reason: 'Its image holds one program, which can ask nothing. A delivery check shows whether it accepts logs.' },
  ...exceptionsOf('job', 'Only root can give a volume to the user who writes to it, and root without these capabilities can neither do that nor read a database as its owner.',
    ['4.1', 'it runs as root'], ['5.4', 'it adds CHOWN', 'it adds DAC_READ_SEARCH', 'it adds SETGID', 'it adds SETUID']),
  ...exceptionsOf('job', 'It runs once, a program of this project without a network, and the deployment waits for its end.',
    ['5.11', 'its memory has no limit'], ['5.12', 'its share of the CPUs has no limit'], ['5.27', 'it has no health check']),
  ...exceptionsOf('job', 'The package has no limit on processes but nproc, from which the kernel exempts root.', ['5.29', 'its processes have no limit']),
  ...exceptionsOf('job', 'The secrets that it gives away are copied into it before it starts, and engines differ in whether they do that where the root is read-only.',
    ['5.13', 'its root file system is writable']),
  ...exceptionsOf('files', 'It never starts: no process runs in it.',
    ['4.1', 'it runs as root'], ['5.4', "it keeps Docker's default capabilities"], ['5.11', 'its memory has no limit'], ['5.12', 'its share of the CPUs has no limit'],
    ['5.26', 'its processes can gain privileges'], ['5.27', 'it has no health check'], ['5.29', 'its processes have no limit']),
  ...exceptionsOf('files', 'It never starts, and Docker copies no file into a container whose root is read-only.', ['5.13', 'its root file system is writable']),
];

const isOf = ({ kind, number, what, container }: Finding, exception: Exception): boolean =>
  kind === exception.kind && number === exception.number && what === exception.what && (exception.container?.test(container) ?? true);

/** Findings that no exception is written for. */
export const unexplained = (found: readonly Finding[]): string[] =>
  found.filter((one) => !exceptions.some((exception) => isOf(one, exception))).map(({ number, container, what }) => `${number} ${container}: ${what}`);

/** Exceptions that no finding needs, of those for every stack. */
export const unneeded = (found: readonly Finding[]): string[] =>
  exceptions.filter((exception) => exception.container === undefined && !found.some((one) => isOf(one, exception))).map(({ number, kind, what }) => `${number} ${kind}: ${what}`);
