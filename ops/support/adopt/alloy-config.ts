/**
 * What the old Alloy's configuration does that the stack's Alloy would not: this is reported before the old one is stopped.
 */
import { ports } from '../../../components/catalog';
import { engineRequest, type Engine } from '../../../engine';
import type { Settings } from '../../../settings/keys';
import type { OldContainer } from './old-container';

/** Configuration of a running Alloy; undefined if it is not one file, or cannot be read. */
export async function configOf(engine: Engine, alloy: OldContainer): Promise<string | undefined> {
  const answer = await engineRequest(engine, 'GET', `/containers/${alloy.name}/archive?path=${encodeURIComponent(fileOf(alloy.args))}`, { timeoutMs: 10_000 });
  const config = answer.status === 200 ? onlyFile(answer.body) : undefined;
  return config !== undefined && isWhole(config) ? config : undefined;
}

/** The file in `run [options] FILE`; the image's own command has this one. An option's value follows `=`, or is the next word. */
function fileOf(args: readonly string[]): string {
  return args.find((arg, index) => arg.startsWith('/') && !/^--?[\w.-]+$/.test(args[index - 1] ?? '')) ?? '/etc/alloy/config.alloy';
}

/** Whether this text is the whole configuration: modules have components elsewhere, and a Collector's YAML is a different language. */
function isWhole(config: string): boolean {
  const kinds = blocksOf(withoutComments(config)).map(({ kind }) => kind);
  return kinds.length > 0 && !kinds.some((kind) => kind === 'declare' || kind.startsWith('import.'));
}

/** Content of an archive's first entry, if that is a file. */
export function onlyFile(tar: Buffer): string | undefined {
  // Offsets of the header: https://www.gnu.org/software/tar/manual/html_node/Standard.html
  const size = parseInt(tar.toString('latin1', 124, 136), 8);
  const type = tar.toString('latin1', 156, 157);
  return type === '0' || type === '\0' ? tar.toString('utf8', 512, 512 + size) : undefined;
}

/** A block of the configuration. */
interface Block {
  /** Such as `otelcol.receiver.otlp`, or `grpc`. */
  readonly kind: string;
  /** Empty if it has none. */
  readonly label: string;
  readonly body: string;
}

/** The same text without comments; strings are left unchanged. */
const withoutComments = (config: string): string =>
  config.replace(/"(?:\\.|[^"\\\n])*"|`[^`]*`|\/\/[^\n]*|\/\*[^]*?\*\//g, (part) => (/^["`]/.test(part) ? part : ' '));

/** The top-level blocks of a text without comments. */
function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; ; ) {
    const opening = /(?<![\w.])([a-z][\w.]*)(?:[ \t]+"(\w*)")?[ \t]*\{/g;
    opening.lastIndex = at;
    const found = opening.exec(text);
    if (!found) {
      return blocks;
    }
    const [, kind = '', label = ''] = found;
    const end = endOf(text, opening.lastIndex);
    blocks.push({ kind, label, body: text.slice(opening.lastIndex, end) });
    at = end;
  }
}

/** The end of the block whose text begins at `at`. */
function endOf(text: string, at: number): number {
  const part = /"(?:\\.|[^"\\\n])*"|`[^`]*`|[{}]/g;
  part.lastIndex = at;
  for (let depth = 1, found = part.exec(text); found; found = part.exec(text)) {
    depth += { '{': 1, '}': -1 }[found[0]] ?? 0;
    if (depth === 0) {
      return found.index;
    }
  }
  return text.length;
}

/** How the old Alloy receives OTLP. */
export interface Receivers {
  /** Ports of its container. */
  readonly grpc: readonly number[];
  readonly http: readonly number[];
  /** Its other features: `cors`, `auth`, `tls`. */
  readonly special: readonly string[];
}

export function receiversOf(config: string): Receivers {
  const bodies = blocksOf(withoutComments(config)).filter(({ kind }) => kind === 'otelcol.receiver.otlp').flatMap(({ body }) => blocksOf(body));
  const portsOf = (protocol: 'grpc' | 'http'): number[] => [...new Set(bodies.filter(({ kind }) => kind === protocol).map(({ body }) =>
    Number(/^\s*endpoint\s*=\s*"[^"]*:(\d+)"/m.exec(body)?.[1] ?? ports.alloy[protocol === 'grpc' ? 'otlpGrpc' : 'otlpHttp'])))];
  const servers = bodies.filter(({ kind }) => kind === 'grpc' || kind === 'http');
  const special = ['cors', 'auth', 'tls'].filter((name) => servers.some(({ body }) => (name === 'auth' ? /^\s*auth\s*=/m.test(body) : blocksOf(body).some(({ kind }) => kind === name))));
  return { grpc: portsOf('grpc'), http: portsOf('http'), special };
}

/** Kinds of components that the stack's Alloy has as well, or does not need. */
const carriedOn = ['otelcol.receiver.otlp', 'otelcol.processor.batch', 'otelcol.processor.memory_limiter'];
const backends = /^otelcol\.exporter\.otlp(http)?$/;

/**
 * Components of an Alloy configuration without a counterpart in the stack, as `kind.label`.
 * @param settings metrics and logs are forwarded only if the stack has a store for them
 * @param phoenix where traces are sent
 */
export function leftBehind(config: string, settings: Pick<Settings, 'prometheus:url' | 'loki:url'>, phoenix: Pick<OldContainer, 'name' | 'published'>): string[] {
  const kinds = [
    ...carriedOn,
    ...(settings['prometheus:url'] ? ['otelcol.exporter.prometheus', 'prometheus.remote_write'] : []),
    ...(settings['loki:url'] ? ['otelcol.exporter.loki', 'loki.write'] : []),
  ];
  const components = componentsOf(config);
  const toPhoenix = exportersTo(phoenix, components);
  return components.filter((one) => (backends.test(one.kind) ? !toPhoenix.includes(one) : !kinds.includes(one.kind))).map(({ kind, label }) => `${kind}.${label}`);
}

/** Whether an Alloy sends traces to this Phoenix, as far as its configuration shows. */
export const handsTo = (phoenix: Pick<OldContainer, 'name' | 'published'>, config: string): boolean => exportersTo(phoenix, componentsOf(config)).length > 0;

/** Where an Alloy sends traces that may reach this Phoenix by a name that only its owner knows. */
export function uncertain(phoenix: Pick<OldContainer, 'name' | 'published'>, config: string): string[] {
  return exportersTo(phoenix, componentsOf(config)).flatMap((one) => {
    const endpoint = endpointOf(one);
    return endpoint === undefined || isHere(phoenix, endpoint) || hostOf(endpoint) === 'phoenix' ? [] : [endpoint];
  });
}

const endpointOf = ({ body }: Block): string | undefined => /^\s*endpoint\s*=\s*"([^"]*)"/m.exec(body)?.[1];
const hostOf = (endpoint: string): string => /^(?:\w+:\/\/)?(\[[^\]]*\]|[^:/]*)/.exec(endpoint)?.[1] ?? '';
/** Names and addresses by which a container reaches its own host. */
const ownHost = /^(localhost|host\.docker\.internal|gateway\.docker\.internal|172\.17\.0\.1|127\.[\d.]+|0\.0\.0\.0|\[::1?\])$/;

const isHere = ({ name, published }: Pick<OldContainer, 'name' | 'published'>, endpoint: string): boolean =>
  hostOf(endpoint) === name || (ownHost.test(hostOf(endpoint)) && published.some(({ external }) => /:(\d+)(?:\/|$)/.exec(endpoint)?.[1] === String(external)));

const componentsOf = (config: string): Block[] => blocksOf(withoutComments(config)).filter(({ kind, label }) => kind.includes('.') && label !== '');

/** Those that send traces to Phoenix, identified by its name, its ports, or a name that a person gave it. */
function exportersTo(phoenix: Pick<OldContainer, 'name' | 'published'>, components: readonly Block[]): Block[] {
  const exporters = components.filter(({ kind }) => backends.test(kind));
  return exporters.filter((one) => {
    const endpoint = endpointOf(one);
    // A computed address may be anything.
    return endpoint === undefined ? exporters.length === 1 || /phoenix|arize/i.test(one.label) : isHere(phoenix, endpoint) || /phoenix|arize/i.test(`${one.label} ${endpoint}`);
  });
}
