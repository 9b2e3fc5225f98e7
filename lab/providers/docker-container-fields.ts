import type { Field, Shape } from './fields';
import { parseDuration } from './go-duration';

/** The container's fields, with the replace, computed and default marks of the published provider 5.2.0. */

const matches = (pattern: RegExp) => (value: string) => (pattern.test(value) ? undefined : `'${value}' doesn't match the pattern '${pattern.source}'`);
const atLeast = (least: number) => (value: number) => (value < least ? `'${value}' cannot be lower than ${least}` : undefined);
const duration = (value: string) => {
  const parsed = parseDuration(value);
  return parsed === undefined ? `'${value}' is not a valid duration` : parsed < 0 ? `'${value}' duration must not be negative` : undefined;
};
const orNothing = (old: string | null, next: string | null) => !next || next === old;

const fixed = { replaces: true } as const;
const text: Field = { type: 'string' };
const fixedText: Field = { type: 'string', ...fixed };
const needed: Field = { type: 'string', required: true, ...fixed };
const amount: Field = { type: 'int', complaint: atLeast(0) };
const strings: Field = { type: 'set', ...fixed };
const found: Field = { type: 'string', output: true };
const foundNumber: Field = { type: 'int', output: true };
const yes: Field = { type: 'bool', fallback: true };
const no: Field = { type: 'bool', fallback: false };
const time: Field = { type: 'string', fallback: '0s', complaint: duration };
const rates: Field = { type: 'set', of: { path: { type: 'string', required: true }, rate: { type: 'int', required: true, complaint: atLeast(0) } } };

interface Port {
  readonly internal: number;
  readonly external: number | null;
  readonly ip: string;
  readonly protocol: string;
}

/** Ports have no order: an old one is compared with the first new one of its container port, as upstream. */
function samePorts(old: Port[] | null, next: Port[] | string): boolean {
  if (!Array.isArray(next) || old?.length !== next.length) {
    return false;
  }
  return old.every((before) => {
    const after = next.find(({ internal }) => internal === before.internal);
    if (after && after.protocol !== before.protocol) {
      return next.some(({ internal, protocol }) => internal === before.internal && protocol === before.protocol);
    }
    return after?.external === before.external && after.ip === before.ip;
  });
}

export const labels: Field = { type: 'set', ...fixed, of: { label: needed, value: needed } };

export const containerFields: Shape = {
  attach: no,
  bridge: found,
  capabilities: { type: 'object', ...fixed, of: { adds: strings, drops: strings } },
  cgroupParent: fixedText,
  cgroupnsMode: fixedText,
  command: { type: 'list', computed: true, ...fixed },
  containerLogs: found,
  containerReadRefreshTimeoutMilliseconds: { type: 'int', fallback: 15000 },
  cpuPeriod: amount,
  cpuQuota: amount,
  cpuSet: { type: 'string', complaint: matches(/^\d+([,-]\d+)*$/) },
  cpuShares: amount,
  cpus: fixedText,
  destroyGraceSeconds: { type: 'int' },
  deviceReadBps: rates,
  deviceReadIops: rates,
  deviceRequests: {
    type: 'set', ...fixed,
    of: { capabilities: strings, count: { type: 'int', fallback: 0, ...fixed }, deviceIds: strings, driver: { ...fixedText, fallback: 'cdi' }, options: { type: 'map', ...fixed } },
  },
  deviceWriteBps: rates,
  deviceWriteIops: rates,
  devices: { type: 'set', ...fixed, of: { containerPath: fixedText, hostPath: needed, permissions: { ...fixedText, fallback: 'rwm' } } },
  dns: strings,
  dnsOpts: strings,
  dnsSearches: strings,
  domainname: fixedText,
  entrypoints: { type: 'list', computed: true, ...fixed },
  envs: { ...strings, computed: true },
  exitCode: foundNumber,
  gpus: fixedText,
  groupAdds: strings,
  healthcheck: {
    type: 'object', computed: true,
    of: { interval: time, retries: { ...amount, fallback: 0 }, startInterval: time, startPeriod: time, tests: { type: 'list' }, timeout: time },
  },
  hostname: { ...fixedText, computed: true },
  hosts: { type: 'set', ...fixed, of: { host: needed, ip: needed } },
  image: needed,
  init: { type: 'bool', computed: true },
  ipcMode: { ...fixedText, computed: true },
  labels: { ...labels, computed: true },
  logDriver: { ...fixedText, computed: true },
  logOpts: { type: 'map', ...fixed },
  logs: no,
  maxRetryCount: { type: 'int' },
  memory: amount,
  memoryReservation: { ...amount, fallback: 0 },
  memorySwap: { type: 'int', complaint: atLeast(-1) },
  mounts: {
    type: 'set', ...fixed,
    of: {
      bindOptions: { type: 'object', of: { propagation: { type: 'string', complaint: matches(/^(private|rprivate|shared|rshared|slave|rslave)$/) } } },
      readOnly: { type: 'bool' },
      source: text,
      target: { type: 'string', required: true },
      tmpfsOptions: { type: 'object', ...fixed, of: { mode: { type: 'int' }, sizeBytes: { type: 'int' } } },
      type: { type: 'string', required: true, complaint: matches(/^(bind|volume|tmpfs)$/) },
      volumeOptions: {
        type: 'object',
        of: { driverName: text, driverOptions: { type: 'map' }, labels: { type: 'set', of: { label: needed, value: needed } }, noCopy: { type: 'bool' }, subpath: fixedText },
      },
    },
  },
  mustRun: yes,
  name: needed,
  networkDatas: {
    type: 'list', output: true,
    of: {
      gateway: found, globalIpv6Address: found, globalIpv6PrefixLength: foundNumber, ipAddress: found,
      ipPrefixLength: foundNumber, ipv6Gateway: found, macAddress: found, networkName: found,
    },
  },
  networkMode: { ...fixedText, fallback: 'bridge' },
  networksAdvanced: {
    type: 'set', ...fixed,
    of: {
      aliases: strings, driverOpts: strings, gwPriority: { ...amount, ...fixed }, ipv4Address: fixedText,
      ipv6Address: fixedText, linkLocalIps: strings, macAddress: fixedText, name: needed,
    },
  },
  pidMode: fixedText,
  platform: { ...fixedText, computed: true },
  ports: {
    type: 'list', ...fixed, suppress: samePorts,
    of: {
      external: { type: 'int', computed: true, ...fixed },
      internal: { type: 'int', required: true, ...fixed },
      ip: { ...fixedText, fallback: '0.0.0.0', keepsInput: true },
      protocol: { ...fixedText, fallback: 'tcp' },
    },
  },
  privileged: { type: 'bool', ...fixed },
  publishAllPorts: { type: 'bool', ...fixed },
  readOnly: { ...no, ...fixed },
  removeVolumes: yes,
  restart: { type: 'string', fallback: 'no', complaint: matches(/^(no|on-failure|always|unless-stopped)$/) },
  rm: no,
  runtime: { ...fixedText, computed: true },
  securityOpts: { ...strings, computed: true },
  shmSize: { ...amount, computed: true, ...fixed },
  start: yes,
  stdinOpen: { ...no, ...fixed },
  stopSignal: { ...fixedText, computed: true },
  stopTimeout: { type: 'int', computed: true, ...fixed },
  storageOpts: { type: 'map', ...fixed },
  sysctls: { type: 'map', ...fixed },
  tmpfs: { type: 'map' },
  tty: { ...no, ...fixed },
  ulimits: { type: 'set', ...fixed, of: { hard: { type: 'int', required: true, ...fixed }, name: needed, soft: { type: 'int', required: true, ...fixed } } },
  uploads: {
    type: 'set', ...fixed,
    of: {
      content: fixedText,
      contentBase64: fixedText,
      executable: { ...no, ...fixed },
      file: needed,
      permissions: { ...fixedText, complaint: matches(/^0[0-7]{3}$/) },
      source: fixedText,
      sourceHash: fixedText,
    },
  },
  user: { ...fixedText, suppress: orNothing },
  usernsMode: fixedText,
  volumes: {
    type: 'set', ...fixed,
    of: {
      containerPath: fixedText,
      fromContainer: fixedText,
      hostPath: { ...fixedText, complaint: (value: string) => (/^[a-zA-Z]:[\\/]|^\//.test(value) ? undefined : `'${value}' must be an absolute path`) },
      readOnly: { type: 'bool', ...fixed },
      selinuxRelabel: { ...fixedText, complaint: matches(/^(z|Z)$/) },
      volumeName: fixedText,
    },
  },
  wait: no,
  waitTimeout: { type: 'int', fallback: 60 },
  workingDir: { ...fixedText, suppress: orNothing },
};
