import { isEmpty, isRecord, unknown, type Props, type Value } from './fields';
import { parseDuration } from './go-duration';

const MB = 1024 * 1024;

/** A value that was set: Terraform cannot distinguish a zero from nothing. */
export function known(value: Value | undefined): boolean {
  return !isEmpty(value) && value !== unknown;
}

export function rows(value: Value | undefined): Props[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

export function restartPolicy(planned: Props): object {
  return { Name: planned['restart'], MaximumRetryCount: planned['maxRetryCount'] ?? 0 };
}

/** Memory is in MB in the program and in bytes in the engine; a swap of -1 means no limit. */
export function sizes(planned: Props): object {
  const bytes = (key: string) => ((planned[key] as number | null) ?? 0) * MB;
  const swap = (planned['memorySwap'] as number | null) ?? 0;
  return { Memory: bytes('memory'), MemoryReservation: bytes('memoryReservation'), ...(swap === 0 ? {} : { MemorySwap: swap > 0 ? swap * MB : swap }) };
}

export function throttles(planned: Props): object {
  const names = { deviceReadBps: 'BlkioDeviceReadBps', deviceReadIops: 'BlkioDeviceReadIOps', deviceWriteBps: 'BlkioDeviceWriteBps', deviceWriteIops: 'BlkioDeviceWriteIOps' };
  return Object.fromEntries(Object.entries(names).filter(([key]) => known(planned[key])).map(([key, name]) =>
    [name, rows(planned[key]).map(({ path, rate }) => ({ Path: path, Rate: rate }))]));
}

/** The body of the engine's create call. */
export function definition(planned: Props): object {
  const get = (key: string) => (known(planned[key]) ? planned[key] : undefined);
  const number = (value: Value | undefined) => (value as number | null | undefined) ?? 0;
  const health = isRecord(get('healthcheck')) ? (planned['healthcheck'] as Props) : undefined;
  const nanoseconds = (key: string) => parseDuration((health?.[key] as string | null) ?? '0s') ?? 0;
  const capabilities = isRecord(get('capabilities')) ? (planned['capabilities'] as Props) : undefined;
  const options = (get('securityOpts') as string[] | undefined) ?? [];
  const unconfined = options.includes('systempaths=unconfined');
  const ports = rows(planned['ports']);
  const port = ({ internal, protocol }: Props) => `${String(internal)}/${String(protocol)}`;
  const volumes = rows(planned['volumes']);
  for (const { fromContainer, containerPath } of volumes) {
    if (isEmpty(fromContainer) === isEmpty(containerPath)) {
      throw new Error(`Unable to parse volumes: ${isEmpty(containerPath) ? 'volume entry without container path or source container' : 'both a container and a path specified in a volume entry'}`);
    }
  }
  if (((get('command') as string[] | undefined) ?? []).includes('')) {
    throw new Error('values for command may not be empty');
  }
  if (get('gpus') !== undefined || get('deviceRequests') !== undefined) {
    throw new Error('gpus and deviceRequests need the published docker provider; this stand-in does not know them');
  }
  const bound = volumes.filter((v) => isEmpty(v['fromContainer']) && !(isEmpty(v['hostPath']) && isEmpty(v['volumeName'])));
  const named = (key: string, name: string) => (get(key) === undefined ? {} : { [name]: get(key) });
  return {
    Image: planned['image'],
    Tty: planned['tty'],
    OpenStdin: planned['stdinOpen'],
    ...named('hostname', 'Hostname'),
    ...named('domainname', 'Domainname'),
    ...named('stopSignal', 'StopSignal'),
    ...named('stopTimeout', 'StopTimeout'),
    ...named('envs', 'Env'),
    ...named('command', 'Cmd'),
    ...named('entrypoints', 'Entrypoint'),
    ...named('user', 'User'),
    ...named('workingDir', 'WorkingDir'),
    ...(get('labels') === undefined ? {} : { Labels: Object.fromEntries(rows(planned['labels']).map(({ label, value }) => [label, value])) }),
    ...(ports.length === 0 ? {} : { ExposedPorts: Object.fromEntries(ports.map((p) => [port(p), {}])) }),
    ...(volumes.length === 0 ? {} : { Volumes: Object.fromEntries(volumes.filter((v) => !isEmpty(v['containerPath'])).map((v) => [v['containerPath'], {}])) }),
    ...(health === undefined ? {} : {
      Healthcheck: {
        Test: health['tests'] ?? [], Interval: nanoseconds('interval'), Timeout: nanoseconds('timeout'),
        StartPeriod: nanoseconds('startPeriod'), StartInterval: nanoseconds('startInterval'), Retries: number(health['retries']),
      },
    }),
    HostConfig: {
      Privileged: planned['privileged'] === true,
      PublishAllPorts: planned['publishAllPorts'] === true,
      RestartPolicy: restartPolicy(planned),
      AutoRemove: planned['rm'] === true,
      ReadonlyRootfs: planned['readOnly'] === true,
      Init: planned['init'] === true,
      LogConfig: { Type: get('logDriver') ?? '', Config: get('logOpts') ?? {} },
      Mounts: rows(planned['mounts']).map(mount),
      PortBindings: ports.reduce<Record<string, object[]>>((all, p) => ({
        ...all, [port(p)]: [...(all[port(p)] ?? []), { HostPort: String(known(p['external']) ? p['external'] : 0), HostIp: p['ip'] ?? '' }],
      }), {}),
      ExtraHosts: rows(planned['hosts']).map(({ host, ip }) => `${String(host)}:${String(ip)}`),
      Binds: bound.map((v) => {
        const mode = `${v['readOnly'] === true ? 'ro' : 'rw'}${isEmpty(v['selinuxRelabel']) ? '' : `,${String(v['selinuxRelabel'])}`}`;
        return `${String(isEmpty(v['hostPath']) ? v['volumeName'] : v['hostPath'])}:${String(v['containerPath'])}:${mode}`;
      }),
      VolumesFrom: volumes.filter((v) => !isEmpty(v['fromContainer'])).map((v) => v['fromContainer']),
      Ulimits: known(planned['ulimits']) ? rows(planned['ulimits']).map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })) : null,
      Devices: rows(planned['devices']).map((d) => ({
        PathOnHost: d['hostPath'], PathInContainer: isEmpty(d['containerPath']) ? d['hostPath'] : d['containerPath'], CgroupPermissions: d['permissions'],
      })),
      CapAdd: capabilities?.['adds'] ?? null,
      CapDrop: capabilities?.['drops'] ?? null,
      SecurityOpt: options.filter((option) => option !== 'systempaths=unconfined'),
      ...(unconfined ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
      ...sizes(planned),
      ...throttles(planned),
      ShmSize: number(get('shmSize')) * MB,
      ...(get('cpus') === undefined ? { CpuPeriod: number(planned['cpuPeriod']), CpuQuota: number(planned['cpuQuota']) } : { NanoCpus: Math.round(Number(planned['cpus']) * 1e9) }),
      CpuShares: number(planned['cpuShares']),
      ...named('cpuSet', 'CpusetCpus'),
      ...named('tmpfs', 'Tmpfs'),
      ...named('dns', 'Dns'),
      ...named('dnsOpts', 'DnsOptions'),
      ...named('dnsSearches', 'DnsSearch'),
      ...named('groupAdds', 'GroupAdd'),
      ...named('networkMode', 'NetworkMode'),
      ...named('usernsMode', 'UsernsMode'),
      ...named('pidMode', 'PidMode'),
      ...named('ipcMode', 'IpcMode'),
      ...named('cgroupnsMode', 'CgroupnsMode'),
      ...named('cgroupParent', 'CgroupParent'),
      ...named('runtime', 'Runtime'),
      ...named('sysctls', 'Sysctls'),
      ...named('storageOpts', 'StorageOpt'),
    },
  };
}

function mount(m: Props): object {
  const bind = m['bindOptions'] as Props | null;
  const volume = m['volumeOptions'] as Props | null;
  const tmpfs = m['tmpfsOptions'] as Props | null;
  return {
    Type: m['type'], Target: m['target'], Source: m['source'] ?? '', ReadOnly: m['readOnly'] === true,
    ...(m['type'] === 'bind' && bind ? { BindOptions: { Propagation: bind['propagation'] ?? '' } } : {}),
    ...(m['type'] === 'volume' && volume ? {
      VolumeOptions: {
        NoCopy: volume['noCopy'] === true,
        Labels: Object.fromEntries(rows(volume['labels']).map(({ label, value }) => [label, value])),
        DriverConfig: { Name: volume['driverName'] ?? '', Options: volume['driverOptions'] ?? {} },
        Subpath: volume['subpath'] ?? '',
      },
    } : {}),
    ...(m['type'] === 'tmpfs' && tmpfs ? { TmpfsOptions: { SizeBytes: tmpfs['sizeBytes'] ?? 0, Mode: tmpfs['mode'] ?? 0 } } : {}),
  };
}
