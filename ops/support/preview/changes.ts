/**
 * What a preview would do, resource by resource, in terms of what runs on the host.
 */
import { stackLabel } from '../../../components/names';
import { differences, type Difference } from './difference';
import type { Digest, State, Step } from './digest';

export type Kind = 'create' | 'change' | 'replace' | 'remove';

/** One resource that changes. */
export interface Change {
  readonly kind: Kind;
  /** Name in the program. */
  readonly resource: string;
  /** Its name for a person: `container alloy-dev`. */
  readonly what: string;
  readonly differences: readonly Difference[];
}

/** A change with its sources, for code that explains its meaning. */
export interface Planned extends Change {
  readonly type: string;
  /** Name on the Docker host or at Cloudflare; empty if it has none. */
  readonly named: string;
  readonly old?: State;
  readonly new?: State;
}

const kinds: Readonly<Record<string, Kind>> = {
  create: 'create',
  import: 'create',
  update: 'change',
  replace: 'replace',
  delete: 'remove',
};

/** Order in which a person reads them: removals first. */
const order: readonly Kind[] = ['remove', 'replace', 'change', 'create'];

/** What does not exist on any host by itself: the stack, components, providers, and stack references. */
const isOurs = ({ urn }: Step): boolean => !/^(llm-observability:|pulumi:)/.test(typeOf(urn));

/** Type of the resource itself, without the types of its parents. */
export const typeOf = (urn: string): string => urn.split('::')[2]?.split('$').at(-1) ?? '';

/** Name in the program. */
export const nameOf = (urn: string): string => urn.split('::').at(-1) ?? '';

/** Changes ordered by kind, and the number of unchanged resources. */
export function changesIn({ steps = [] }: Digest): { changes: Planned[]; same: number } {
  const ours = steps.filter(isOurs);
  const changes = ours.flatMap((step): Planned[] => {
    const { op, oldState, newState } = step;
    const guarded = protection(oldState, newState);
    const kind = op === 'same' && guarded.length > 0 ? 'change' : kinds[op];
    if (!kind) {
      return [];
    }
    const resource = nameOf(step.urn);
    const type = typeOf(step.urn);
    const named = String((newState ?? oldState)?.inputs?.['name'] ?? '');
    return [{
      kind,
      resource,
      what: describe(type, newState ?? oldState, named || (type.startsWith('random:') ? resource : '')),
      type,
      named,
      // For something that is created or removed as a whole, its name is enough.
      differences: kind === 'change' || kind === 'replace'
        ? [...guarded, ...differences(oldState?.inputs ?? {}, newState?.inputs ?? {}, step.diffReasons ?? []).filter((one) => !isTrace(type, one))]
        : [],
      ...(oldState ? { old: oldState } : {}),
      ...(newState ? { new: newState } : {}),
    }];
  });
  changes.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || (a.resource < b.resource ? -1 : 1));
  const same = ours.filter(({ op, oldState, newState }) => op === 'same' && protection(oldState, newState).length === 0).length;
  return { changes, same };
}

/** Protection is no input: to the engine, a resource of which only that changes stays the same. */
function protection(before: State | undefined, after: State | undefined): Difference[] {
  const [was, is] = [before?.protect === true, after?.protect === true];
  return before && after && was !== is ? [{ name: 'protected', before: [String(was)], after: [String(is)] }] : [];
}

/** Consequences of another change: IDs of dependencies, and the hash of a file that is shown as changed. */
const isTrace = (type: string, { name, before, after }: Difference): boolean =>
  (type.startsWith('observability:') && ['path', 'server', 'entrance'].includes(name))
  || (name === 'labels' && [...before, ...after].every((label) => ['config', 'secrets'].some((kind) => label.startsWith(`${stackLabel}.${kind}=`))));

const nouns: Readonly<Record<string, string>> = {
  'docker:index/network:Network': 'network',
  'docker:index/volume:Volume': 'volume',
  'docker:index/remoteImage:RemoteImage': 'image',
  'random:index/randomPassword:RandomPassword': 'generated secret',
  'random:index/randomBytes:RandomBytes': 'generated secret',
  'observability:index:ApiKey': 'API key in Phoenix:',
  'observability:index:ApiKeyList': 'list of the API keys of this stack',
  'observability:index:PhoenixReady': 'start of Phoenix',
  'observability:index:PhoenixSettings': 'settings that Phoenix takes through its API',
  'observability:index:Intake': 'intake of Phoenix',
  'observability:index:DeliveryCheck': 'check that a trace arrives',
  'observability:index:EngineCheck': 'check that the Docker Engine is the same',
  'observability:index:CloudflareAccount': 'check of the Cloudflare account',
  'cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared': 'tunnel',
  'cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig': 'rules of the tunnel',
  'cloudflare:index/dnsRecord:DnsRecord': 'DNS record',
  'cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication': 'Access application',
  'cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy': 'Access policy',
  'cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken': 'service token',
};

function describe(type: string, state: State | undefined, named: string): string {
  if (type === 'docker:index/container:Container') {
    const { start, attach, uploads, volumes } = (state?.inputs ?? {}) as { start?: boolean; attach?: boolean; uploads?: unknown; volumes?: readonly { volumeName?: string }[] };
    return start === false || (attach && uploads !== undefined) ? `files in volume ${volumes?.[0]?.volumeName ?? named}` : attach ? `job ${named}` : `container ${named}`;
  }
  const noun = nouns[type] ?? type;
  return named === '' ? noun : `${noun} ${named}`;
}
