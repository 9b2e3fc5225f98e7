/**
 * What changes mean for the users of a stack: what is unavailable and how long, and what happens to the data.
 */
import { hostName, runsForEver } from '../../../components/names';
import { compareVersions, versionOf } from '../../../components/image-reference';
import { nameOf, typeOf, type Planned } from './changes';
import type { State } from './digest';

export interface Meaning {
  /** What may be lost, or stops the deployment halfway: to be read first. */
  readonly alerts: readonly string[];
  /** What is unavailable meanwhile, and what is not. */
  readonly effects: readonly string[];
}

const containerType = 'docker:index/container:Container';
const imageType = 'docker:index/remoteImage:RemoteImage';
const networkType = 'docker:index/network:Network';
const volumeType = 'docker:index/volume:Volume';
const dnsType = 'cloudflare:index/dnsRecord:DnsRecord';
const tunnelType = 'cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared';

/** @param stack whose names on the host identify the service of a container */
export function meaningOf(changes: readonly Planned[], stack: string): Meaning {
  const alerts = [
    ...volumesThatGo(changes), ...otherData(changes), ...otherVersion(changes, stack), ...unprotected(changes), ...namesStillTaken(changes), ...renamed(changes),
  ];
  return { alerts, effects: effects(changes, stack) };
}

/** Whether it is meant to outlive the stack, because it cannot be made again. */
const isKept = (state: State | undefined): boolean => state?.retainOnDelete === true || state?.protect === true;

/** Whether a volume holds data that cannot be recreated; configuration can. */
const holdsData = ({ type, old }: Planned): boolean => type === volumeType && (isKept(old) || nameIn(old).endsWith('-data'));

/** Name on the host. */
const nameIn = (state: State | undefined): string => String(state?.inputs?.['name'] ?? '');

const isService = ({ type }: Planned, state: State | undefined): boolean => type === containerType && runsForEver(state?.inputs?.['restart']);

function volumesThatGo(changes: readonly Planned[]): string[] {
  return changes.filter((change) => holdsData(change) && (change.kind === 'remove' || change.kind === 'replace')).map(({ old }) => {
    const name = nameIn(old);
    if (!old?.retainOnDelete) {
      return `Volume ${name} is deleted with everything in it.`;
    }
    // Docker uses an existing volume of that name.
    const again = changes.some(({ type, kind, named }) => type === volumeType && (kind === 'create' || kind === 'replace') && named === name);
    return again
      ? `Volume ${name} is released and used again. Its data stays.`
      : `Volume ${name} is removed from the stack. It stays on the host with its data, but nothing uses it.`;
  });
}

/** A service that gets a different volume: the data of the old one is not moved. */
function otherData(changes: readonly Planned[]): string[] {
  return changes.filter((change) => change.kind === 'replace' && isService(change, change.new)).flatMap(({ named, old, new: now }) => {
    const [before, after] = [mounts(old), mounts(now)];
    return [...before].filter(([path, volume]) => after.has(path) && after.get(path) !== volume && volume.endsWith('-data'))
      .map(([path, volume]) => `Container ${named} starts with volume ${after.get(path)} instead of ${volume}: it will not find the data that it has stored.`);
  });
}

/** Names of the volumes by their mount paths in a container. */
function mounts(state: State | undefined): Map<string, string> {
  const volumes = state?.inputs?.['volumes'] as readonly { containerPath?: string; volumeName?: string }[] | undefined;
  return new Map((volumes ?? []).map(({ containerPath = '', volumeName = '' }) => [containerPath, volumeName]));
}

/** A Phoenix migrates its database to its own version when it starts, and there is no downgrade. */
function otherVersion(changes: readonly Planned[], stack: string): string[] {
  const phoenix = changes.find(({ type, kind, named }) => type === containerType && kind === 'replace' && named === hostName('phoenix', stack));
  const version = (state: State | undefined): string | undefined => versionOf(String(state?.inputs?.['image']));
  const [was, is] = [version(phoenix?.old), version(phoenix?.new)];
  if (was === undefined || is === undefined || was === is) {
    return [];
  }
  return [compareVersions(is, was) > 0
    ? `Phoenix is upgraded from ${was} to ${is}: it migrates its database when it starts, which may take longer, and cannot return to the older version.`
    : `Phoenix is downgraded from ${was} to ${is}: it does not start if the newer version has migrated its database.`];
}

function unprotected(changes: readonly Planned[]): string[] {
  return changes.filter(({ old, new: now }) => old?.protect && now && !now.protect).map(({ what }) => `The protection of ${what} is removed: a later deployment may remove or replace it.`);
}

/** Things that must have unique names, and what enforces that. */
const oneOfAName: Readonly<Record<string, readonly [who: string, what: string]>> = {
  [containerType]: ['Docker', 'container'],
  [networkType]: ['Docker', 'network'],
  [tunnelType]: ['Cloudflare', 'tunnel'],
  [dnsType]: ['Cloudflare', 'DNS record'],
};

/** New resources are created before old ones are deleted, except for containers that are replaced. */
function namesStillTaken(changes: readonly Planned[]): string[] {
  return changes.flatMap(({ type, kind, named, old }) => {
    const [who, what] = oneOfAName[type] ?? [];
    const taken = kind === 'create'
      ? changes.some((other) => other.type === type && other.kind === 'remove' && other.named === named)
      : kind === 'replace' && type === networkType && nameIn(old) === named;
    return who && taken ? [`The deployment would fail halfway: ${who} does not give a new ${what} the name ${named} while the old one has it.`] : [];
  });
}

/**
 * A removed and a created resource: they are the same if they have the same name on the host, and probably if both hold data
 * and are the only ones of their type. An image can be downloaded again, whatever its name in the program.
 */
function renamed(changes: readonly Planned[]): string[] {
  const gone = changes.filter(({ kind, type }) => kind === 'remove' && type !== imageType);
  const come = changes.filter(({ kind }) => kind === 'create');
  const names = gone.flatMap((was) => {
    const others = (list: readonly Planned[]): Planned[] => list.filter(({ type }) => type === was.type);
    const same = others(come).filter(({ named }) => named === was.named && named !== '');
    const kept = [others(gone).filter(({ old }) => isKept(old)), others(come).filter(({ new: now }) => isKept(now))] as const;
    const [is] = same.length === 1 ? same : isKept(was.old) && kept.every(({ length }) => length === 1) ? kept[1] : [];
    return is ? namesOf(was, is) : [];
  });
  return [...new Set(names)];
}

/** The question whether one was renamed to the other; for a resource in a component, whether the component was. */
function namesOf({ resource: was, old }: Planned, { resource: is, new: now }: Planned): string[] {
  const [before, after] = [old?.parent ?? '', now?.parent ?? ''];
  const [from, to] = typeOf(before) === typeOf(after) && nameOf(before) !== nameOf(after) ? [nameOf(before), nameOf(after)] : [was, is];
  return from === to ? [] : [`Was ${from} renamed to ${to}? Pulumi would remove the old one and create a new one. Add aliases: [{ name: '${from}' }] to keep it.`];
}

/** A service while its container is replaced; times as measured on two cores. */
const away: Readonly<Record<'phoenix' | 'alloy' | 'door' | 'gate' | 'metrics' | 'logs' | 'prometheus' | 'victorialogs', string>> = {
  phoenix: 'Phoenix is unavailable for about 20 seconds. What is sent to Alloy in that time waits on its disk; stored data stays.',
  alloy: 'Alloy is unavailable for about 3 seconds: applications that retry, as OTLP exporters do, lose nothing. What it has accepted waits on disk.',
  door: 'The page, the API and the OTLP ports of Phoenix are unavailable for about 3 seconds. Spans that are sent to Alloy wait on its disk.',
  gate: 'Spans wait on the disk of Alloy for about a second.',
  metrics: 'Metrics wait on the disk of Alloy for about a second.',
  prometheus: 'Prometheus is unavailable for about 10 seconds. Metrics wait on the disk of Alloy.',
  victorialogs: 'VictoriaLogs is unavailable for about 3 seconds. Logs wait on the disk of Alloy.',
  logs: 'Logs wait on the disk of Alloy for about a second.',
};

function effects(changes: readonly Planned[], stack: string): string[] {
  const service: Readonly<Record<string, keyof typeof away>> = {
    [hostName('phoenix', stack)]: 'phoenix', [hostName('alloy', stack)]: 'alloy', [hostName('phoenix', stack, 'gate')]: 'door', [hostName('central', stack, 'gate')]: 'gate',
    // Without it the gate returns 503, as while a gate is replaced.
    [hostName('journal', stack)]: 'gate',
    [hostName('prometheus', stack, 'gate')]: 'metrics', [hostName('prometheus', stack)]: 'prometheus', [hostName('loki', stack, 'gate')]: 'logs',
    [hostName('victorialogs', stack, 'gate')]: 'logs', [hostName('victorialogs', stack)]: 'victorialogs',
  };
  const running = (kind: Planned['kind']): string[] => changes.filter((change) => change.kind === kind && isService(change, change.new)).map(({ named }) => named);
  const isConnector = (named: string): boolean => named.startsWith(`${hostName('tunnel', stack)}-`);
  const replaced = running('replace');
  return [
    ...network(changes),
    ...new Set(replaced.filter((named) => !isConnector(named)).map((named) => {
      const which = service[named];
      return which ? away[which] : `Container ${named} is replaced.`;
    })),
    ...tunnel(changes, replaced.filter(isConnector).length),
    ...running('change').map((named) => `Container ${named} is changed while it runs.`),
    ...secrets(changes),
    ...changes.filter(({ old, new: now }) => old && !old.protect && now?.protect).map(({ what }) => `From now on ${what} is protected: no deployment removes or replaces it.`),
    ...gone(changes),
  ];
}

function network(changes: readonly Planned[]): string[] {
  const another = changes.some(({ type, kind, named, old }) => type === networkType && kind === 'replace' && nameIn(old) !== named);
  return another ? ['The private network is replaced, and with it every container on it.'] : [];
}

/** @param connectors how many are replaced */
function tunnel(changes: readonly Planned[], connectors: number): string[] {
  if (changes.some(({ type, kind }) => type === tunnelType && kind === 'replace')) {
    return ['The tunnel is replaced: what it publishes is unavailable until its connectors open the new one. Alloys on other hosts keep their spans until then.'];
  }
  return connectors === 0 ? [] : connectors === 1
    ? ['A connector is replaced; if it is the only one, what the tunnel publishes is unavailable for some seconds.']
    : ['The connectors are replaced one after the other: the tunnel stays open.'];
}

function secrets(changes: readonly Planned[]): string[] {
  const anew = (name: string): boolean => changes.some(({ kind, resource, type }) => kind === 'replace' && type.startsWith('random:') && resource === name);
  return [
    ...(anew('phoenix-secret') ? ['PHOENIX_SECRET is replaced: API keys are created again, and everyone has to log in again.'] : []),
    ...(anew('phoenix-admin-secret') ? ['The admin secret is replaced: programs that use it need the new one.'] : []),
    ...changes.filter(({ kind, type }) => kind === 'replace' && type.endsWith(':ZeroTrustAccessServiceToken'))
      .map(({ named }) => `Service token ${named} is replaced: hosts at the edge that use it keep their spans until they are deployed again.`),
  ];
}

function gone(changes: readonly Planned[]): string[] {
  return changes.filter(({ kind, type }) => kind === 'remove' && type === dnsType).map(({ named }) => `${named} is no longer published.`);
}
