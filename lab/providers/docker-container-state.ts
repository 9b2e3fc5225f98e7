import { known, rows } from './docker-container-definition';
import { isEmpty, type Props, type Value } from './fields';
import { formatDuration } from './go-duration';

const MB = 1024 * 1024;

/** The parts of an inspected container that are read. */
export interface Inspected {
  Id: string;
  Name: string;
  Image: string;
  Platform?: string;
  State: { Running: boolean; ExitCode: number; Health?: { Status: string } };
  Config: {
    Image: string; Hostname: string; Domainname: string; Cmd: string[] | null; Entrypoint: string[] | null; User: string; WorkingDir: string;
    Tty: boolean; OpenStdin: boolean; StopSignal?: string; StopTimeout?: number | null;
    Healthcheck?: { Test?: string[]; Interval?: number; Timeout?: number; StartPeriod?: number; StartInterval?: number; Retries?: number };
  };
  HostConfig: Record<string, unknown> & {
    Memory: number; MemoryReservation: number; MemorySwap: number; ShmSize: number; NanoCpus: number; Init?: boolean | null;
    RestartPolicy: { Name: string; MaximumRetryCount: number }; LogConfig: { Type: string; Config: Record<string, string> | null };
    CapAdd: string[] | null; CapDrop: string[] | null; ExtraHosts: string[] | null; Mounts?: Record<string, unknown>[];
    Ulimits: { Name: string; Soft: number; Hard: number }[] | null; Devices: Record<string, string>[] | null;
  };
  NetworkSettings: {
    Bridge?: string;
    Ports: Record<string, { HostIp: string; HostPort: string }[] | null> | null;
    Networks: Record<string, Record<string, string | number>>;
  };
}

/** 1 CPU comes back as "1.0", 1.25 as "1.25" and 10 as "10.", as upstream prints them. */
export function cpusText(nano: number): string {
  const text = (nano / 1e9).toFixed(9);
  return text.split('0').length - 1 === 9 ? (nano / 1e9).toFixed(1) : text.replace(/0+$/, '');
}

/** In the order of the container's ports. */
export function flattenPorts(ports: Inspected['NetworkSettings']['Ports']): Props[] {
  const number = (key: string) => parseInt(key, 10);
  return Object.entries(ports ?? {})
    .sort(([a], [b]) => number(a) - number(b))
    .flatMap(([key, bindings]) => (bindings ?? []).map(({ HostIp, HostPort }) => ({
      internal: number(key), external: number(HostPort), ip: HostIp, protocol: key.split('/')[1] as string,
    })));
}

/** What a read finds. Environment, labels, volumes, uploads and networksAdvanced stay as recorded: upstream does not read them. */
export function found(inspected: Inspected, state: Props): Props {
  const { Config, HostConfig, NetworkSettings, State } = inspected;
  const host = (key: string) => HostConfig[key] as Value;
  const megabytes = (bytes: number) => (bytes > 0 ? Math.trunc(bytes / MB) : bytes);
  const health = Config.Healthcheck;
  const throttled = (key: string) => ((HostConfig[key] as { Path: string; Rate: number }[] | null) ?? []).map(({ Path, Rate }) => ({ path: Path, rate: Rate }));
  return {
    bridge: NetworkSettings.Bridge ?? '',
    ...((State.Running || state['mustRun'] === true) && known(state['ports']) ? { ports: flattenPorts(NetworkSettings.Ports) } : {}),
    networkDatas: Object.entries(NetworkSettings.Networks).map(([name, network]) => ({
      networkName: name, ipAddress: network['IPAddress'] ?? '', ipPrefixLength: network['IPPrefixLen'] ?? 0, gateway: network['Gateway'] ?? '',
      globalIpv6Address: network['GlobalIPv6Address'] ?? '', globalIpv6PrefixLength: network['GlobalIPv6PrefixLen'] ?? 0,
      ipv6Gateway: network['IPv6Gateway'] ?? '', macAddress: network['MacAddress'] ?? '',
    })),
    // A stopped container that should run shows as a difference, and the update that follows starts it.
    ...(State.Running ? {} : { exitCode: State.ExitCode, ...(state['mustRun'] === true ? { mustRun: false } : {}) }),
    name: inspected.Name.replace(/^\/+/, ''),
    rm: host('AutoRemove'),
    readOnly: host('ReadonlyRootfs'),
    image: String(state['image'] ?? '').startsWith('sha256:') ? inspected.Image : Config.Image,
    hostname: Config.Hostname,
    domainname: Config.Domainname,
    command: Config.Cmd,
    entrypoints: Config.Entrypoint,
    user: Config.User,
    dns: host('Dns'),
    dnsOpts: host('DnsOptions'),
    securityOpts: host('SecurityOpt') ?? null,
    dnsSearches: host('DnsSearch'),
    publishAllPorts: host('PublishAllPorts'),
    restart: HostConfig.RestartPolicy.Name,
    maxRetryCount: HostConfig.RestartPolicy.MaximumRetryCount,
    init: HostConfig.Init ?? false,
    workingDir: Config.WorkingDir,
    ...(isEmpty(HostConfig.CapAdd) && isEmpty(HostConfig.CapDrop) ? {} : { capabilities: { adds: HostConfig.CapAdd ?? [], drops: HostConfig.CapDrop ?? [] } }),
    runtime: host('Runtime'),
    platform: inspected.Platform ?? '',
    mounts: (HostConfig.Mounts ?? []).map(readMount),
    tmpfs: host('Tmpfs') ?? null,
    hosts: (HostConfig.ExtraHosts ?? []).map((entry) => ({ host: entry.split(':')[0] ?? '', ip: entry.split(':')[1] ?? '' })),
    ...(known(state['ulimits']) ? { ulimits: (HostConfig.Ulimits ?? []).map(({ Name, Soft, Hard }) => ({ name: Name, soft: Soft, hard: Hard })) } : {}),
    privileged: host('Privileged'),
    ...(known(state['devices']) ? { devices: (HostConfig.Devices ?? []).map((device) => readDevice(device, rows(state['devices']))) } : {}),
    deviceReadBps: throttled('BlkioDeviceReadBps'),
    deviceReadIops: throttled('BlkioDeviceReadIOps'),
    deviceWriteBps: throttled('BlkioDeviceWriteBps'),
    deviceWriteIops: throttled('BlkioDeviceWriteIOps'),
    memory: megabytes(HostConfig.Memory),
    memoryReservation: megabytes(HostConfig.MemoryReservation),
    memorySwap: megabytes(HostConfig.MemorySwap),
    shmSize: megabytes(HostConfig.ShmSize),
    ...(HostConfig.NanoCpus > 0 ? { cpus: cpusText(HostConfig.NanoCpus) } : {}),
    cpuShares: host('CpuShares'),
    cpuSet: host('CpusetCpus'),
    logDriver: HostConfig.LogConfig.Type,
    logOpts: known(state['logOpts']) ? HostConfig.LogConfig.Config : null,
    storageOpts: host('StorageOpt') ?? null,
    networkMode: host('NetworkMode'),
    ...(known(state['pidMode']) ? { pidMode: host('PidMode') } : {}),
    usernsMode: host('UsernsMode'),
    ...(health ? {
      healthcheck: {
        tests: health.Test ?? [], interval: formatDuration(health.Interval ?? 0), timeout: formatDuration(health.Timeout ?? 0),
        startPeriod: formatDuration(health.StartPeriod ?? 0), startInterval: formatDuration(health.StartInterval ?? 0), retries: health.Retries ?? 0,
      },
    } : {}),
    sysctls: host('Sysctls') ?? null,
    ipcMode: host('IpcMode'),
    groupAdds: host('GroupAdd'),
    tty: Config.Tty,
    stdinOpen: Config.OpenStdin,
    stopSignal: Config.StopSignal ?? '',
    stopTimeout: Config.StopTimeout ?? 0,
  };
}

function readDevice(device: Record<string, string>, recorded: Props[]): Props {
  const explicit = recorded.some((d) => d['hostPath'] === device['PathOnHost'] && !isEmpty(d['containerPath']));
  return { hostPath: device['PathOnHost'] ?? '', containerPath: explicit ? (device['PathInContainer'] ?? '') : '', permissions: device['CgroupPermissions'] ?? '' };
}

function readMount(m: Record<string, unknown>): Props {
  const part = (key: string) => m[key] as Props | undefined;
  const [bind, volume, tmpfs] = [part('BindOptions'), part('VolumeOptions'), part('TmpfsOptions')];
  const driver = volume?.['DriverConfig'] as Props | undefined;
  return {
    target: m['Target'] as string, source: (m['Source'] as string | undefined) ?? '', type: m['Type'] as string, readOnly: m['ReadOnly'] === true,
    bindOptions: bind ? { propagation: bind['Propagation'] ?? '' } : null,
    tmpfsOptions: tmpfs ? { sizeBytes: tmpfs['SizeBytes'] ?? 0, mode: tmpfs['Mode'] ?? 0 } : null,
    volumeOptions: volume ? {
      noCopy: volume['NoCopy'] === true,
      labels: Object.entries((volume['Labels'] as Props | undefined) ?? {}).map(([label, value]) => ({ label, value })),
      driverName: driver?.['Name'] ?? '',
      driverOptions: driver?.['Options'] ?? {},
      subpath: volume['Subpath'] ?? '',
    } : null,
  };
}
