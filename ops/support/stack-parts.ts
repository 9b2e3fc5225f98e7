/**
 * What the picture shows of a stack, read from its resources: the containers with their ports, volumes and names on the
 * network, the configurations of Alloy and the gate, the rules of the tunnel.
 */
import { dockerHostInGate } from '../../components/catalog';
import { databaseLabel, runsForEver } from '../../components/names';
import { alloyFlows, type Flows } from './alloy-flows';

/** A resource as the program declares it, and as the state stores it. */
export interface Resource {
  readonly type: string;
  /** A secret in them is not a text here but an object, and is not read. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

export interface Deployed {
  readonly resources: readonly Resource[];
  /**
   * Output of that name: base URLs on the Docker host. If two ports lead to the same one in a container, only their names
   * distinguish them.
   */
  readonly endpoints: Readonly<Record<string, string>>;
}

/** The inputs of a container that are read. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly restart?: string;
  readonly command?: readonly string[];
  readonly envs?: unknown;
  readonly labels?: unknown;
  readonly networksAdvanced?: readonly { readonly name: string; readonly aliases?: readonly string[] }[];
  readonly ports?: readonly { readonly internal: number; readonly external: number }[];
  readonly volumes?: readonly { readonly volumeName: string; readonly readOnly?: boolean }[];
  readonly uploads?: readonly { readonly file: string; readonly content: unknown }[];
}

export interface Service extends Container, Flows {
  /** Addresses that receive everything. */
  readonly passedOn: readonly string[];
  /** Servers to which it connects on behalf of others: `name`, or `name:port`. */
  readonly reached: readonly string[];
  /** Name of its network without outbound access, if it is on no other. */
  readonly inner: string | undefined;
}

export interface Rule {
  readonly hostname: string;
  /** Regular expression. Default: every path. */
  readonly path?: string;
  readonly service: string;
}

export interface StackParts {
  readonly network: string;
  /** Long-running containers, except the connectors. */
  readonly services: readonly Service[];
  /** Containers that keep the tunnel open; any of them handles any request. */
  readonly connectors: readonly Container[];
  readonly tunnel: string;
  readonly rules: readonly Rule[];
  /** How Cloudflare Access protects a hostname; none if the service authenticates clients itself. */
  readonly guards: ReadonlyMap<string, string>;
  /** Name of the stack that this one sends to, by its hostname. */
  readonly central: ReadonlyMap<string, string>;
  /** Host ports on which OTLP is received. */
  readonly otlpPorts: ReadonlySet<string>;
}

export function stackParts({ resources, endpoints }: Deployed): StackParts {
  const of = <T>(type: string): T[] => resources.filter((resource) => resource.type === type).map(({ inputs }) => inputs as T);
  const networks = of<{ name: string; internal?: boolean }>('docker:index/network:Network');
  const inner = new Set(networks.filter(({ internal }) => internal).map(({ name }) => name));
  const containers = of<Container>('docker:index/container:Container').sort((a, b) => (a.name < b.name ? -1 : 1));
  const running = containers.filter(({ restart }) => runsForEver(restart));
  const [tunnel] = of<{ name: string }>('cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared');
  const configs = of<{ config: { ingresses: (Omit<Rule, 'hostname'> & { hostname?: string })[] } }>('cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig');
  const applications = of<{ domain: string; serviceAuth401Redirect?: boolean }>('cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication');
  const checks = of<{ central?: { hostname: string; stack: string } }>('observability:index:DeliveryCheck');
  return {
    network: networks.find(({ name }) => !inner.has(name))?.name ?? '',
    services: running.filter((container) => !isConnector(container)).map((container) => ({ ...container, ...flowsOf(filesOf(container, containers), sentTo(container), storedIn(container)), inner: onlyIn(container, inner) })),
    connectors: running.filter(isConnector),
    tunnel: tunnel?.name ?? '',
    // The last one has no hostname: it matches everything else.
    rules: configs.flatMap(({ config }) => config.ingresses).flatMap(({ hostname, ...rule }) => (hostname === undefined ? [] : [{ hostname, ...rule }])),
    guards: new Map(applications.map(({ domain, serviceAuth401Redirect }) => [domain, serviceAuth401Redirect ? 'Access: service token' : 'Access: login'])),
    central: new Map(checks.flatMap(({ central }) => (central ? [[central.hostname, central.stack] as const] : []))),
    otlpPorts: new Set(Object.entries(endpoints).filter(([name]) => /otlp/i.test(name)).map(([, url]) => new URL(url).port)),
  };
}

function onlyIn({ networksAdvanced = [] }: Container, inner: ReadonlySet<string>): string | undefined {
  return networksAdvanced.every(({ name }) => inner.has(name)) ? networksAdvanced[0]?.name : undefined;
}

/** The command of cloudflared, whatever its image is called. */
const isConnector = ({ command }: Container): boolean => command?.join(' ') === 'tunnel run';

interface File {
  readonly file: string;
  readonly text: string;
}

/** The files in the volumes of a container, which other containers have put there. */
function filesOf({ volumes = [] }: Container, containers: readonly Container[]): File[] {
  const mounted = new Set(volumes.map(({ volumeName }) => volumeName));
  return containers
    .filter((carrier) => carrier.volumes?.some(({ volumeName }) => mounted.has(volumeName)))
    // The state may store the list as a secret if it contains one.
    .flatMap(({ uploads }) => (Array.isArray(uploads) ? (uploads as NonNullable<Container['uploads']>) : []))
    .flatMap(({ file, content }) => (typeof content === 'string' ? [{ file, text: content }] : []));
}

/** Where a service sends that OpenTelemetry's own variable tells it. */
const sentTo = ({ envs }: Container): string[] =>
  (Array.isArray(envs) ? envs : []).flatMap((variable) => (typeof variable === 'string' ? /^OTEL_EXPORTER_OTLP_ENDPOINT=(.+)$/.exec(variable)?.[1] ?? [] : []));

/** The PostgreSQL of a Phoenix, as `host:port/name`; none of its own with SQLite. */
export const storedIn = ({ labels }: Pick<Container, 'labels'>): string[] =>
  ((Array.isArray(labels) ? labels : []) as { readonly label?: unknown; readonly value?: unknown }[]).flatMap(({ label, value }) => (label === databaseLabel ? [String(value)] : []));

/** Where a service sends, from its files: Alloy distinguishes signals, nginx forwards everything. */
function flowsOf(files: readonly File[], sent: readonly string[], stored: readonly string[]): Omit<Service, keyof Container | 'inner'> {
  const textOf = (ending: string): string => files.filter(({ file }) => file.endsWith(ending)).map(({ text }) => text).join('\n');
  const nginx = textOf('/nginx.conf');
  // The gate's own name for the Docker host.
  const [group = '', server = ''] = new RegExp(`^\\s*upstream ${dockerHostInGate} \\{\\s*server ([^;]+);\\s*\\}`, 'm').exec(nginx) ?? [];
  return {
    ...alloyFlows(textOf('.alloy')),
    reached: [
      ...[...nginx.matchAll(/\$egress \{\s*default ([\w-]+);/g)],
      ...[...nginx.replace(group, '').matchAll(/^\s*(?:default|"[^"]*"|server) "?([\w.-]+:\d+)"?(?: backup)?(?: resolve)?;/gm)],
    ].map(([, server = '']) => server).concat(stored.map((database) => database.replace(/\/.*/, ''))),
    // Requests to itself lead nowhere else.
    passedOn: [...sent, ...[...nginx.matchAll(/^\s*proxy_pass\s+"?(https?:\/\/)(?!127\.0\.0\.1[:/;])([^\s";$/]+)([^\s";$]*)/gm)].map(([, scheme = '', host = '', path = '']) => `${scheme}${host === dockerHostInGate ? server : host}${path}`)],
  };
}
