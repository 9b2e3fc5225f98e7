/**
 * The picture of what runs and which way telemetry flows, as a Mermaid flowchart. Nothing in it is drawn by hand: a different
 * container, port or address changes the picture.
 *
 * Left out, so that it stays readable: containers that run once or never, volumes that a service only reads, the page of Alloy,
 * and rules of the tunnel for single paths that are not OTLP.
 */
import type { Signal } from '../../components/backend';
import { dockerHost } from '../../components/catalog';
import { signals } from './alloy-flows';
import { Flowchart } from './flowchart';
import { stackParts, type Container, type Deployed, type Service, type StackParts } from './stack-parts';

/** @param stacks if one of them sends to another, they are connected */
export function diagram(...stacks: readonly Deployed[]): string {
  const chart = new Flowchart();
  const found = stacks.map(stackParts);
  // In order: a hostname of one stack is where another one sends, and only at the end it is known where nobody sends.
  for (const draw of [drawParts, drawVisitors, drawFlows, drawCallers]) {
    found.forEach((stack) => draw(chart, stack));
  }
  return chart.toString();
}

const idOf = ({ name }: Container): string => `container_${name}`;
const addressId = (host: string): string => `host_${host}`;
const frameId = (network: string): string => `network_${network}`;
const networkId = ({ network }: StackParts): string => frameId(network);
const frameOf = ({ network }: StackParts, { inner = network }: Service): string => frameId(inner);

/** Hostnames and containers. */
function drawParts(chart: Flowchart, stack: StackParts): void {
  const { services, connectors, rules, guards } = stack;
  const edge = chart.group(`tunnel_${stack.tunnel}`, `Cloudflare, tunnel ${stack.tunnel}`);
  for (const { hostname } of rules) {
    const guard = guards.get(hostname);
    chart.node(addressId(hostname), 'box', [hostname, ...(guard ? [guard] : [])], edge);
  }
  const host = chart.group(networkId(stack), `Docker host, network ${stack.network}`);
  for (const inner of new Set(services.flatMap((service) => service.inner ?? []))) {
    chart.group(frameId(inner), `Network ${inner}, no way out`, host);
  }
  const box = (alike: readonly Container[], group: string): void => {
    const [first] = alike;
    if (first) {
      chart.node(idOf(first), 'box', [...alike.map(({ name }) => name), first.image.replace(/@.*/, '')], group);
    }
  };
  box(connectors, host);
  services.forEach((service) => box([service], frameOf(stack, service)));
}

/** The data flows between them, to disks, and out of the stack. */
function drawFlows(chart: Flowchart, stack: StackParts): void {
  const { services, connectors: [connector], rules, central } = stack;
  const coming = new Map<string, Set<Signal>>();
  /** The container that serves requests to an address: a name is known on the networks that both are on. */
  const taker = ({ networksAdvanced: own = [] }: Container, url: string, ...names: readonly string[]): string => {
    const { hostname, host } = new URL(url);
    const service = services.find(({ networksAdvanced = [] }) => networksAdvanced.some(({ name, aliases = [] }) => aliases.includes(hostname) && own.some((network) => network.name === name)));
    return service ? idOf(service) : chart.node(addressId(host), 'box', [...names, host], hostname === dockerHost ? networkId(stack) : undefined);
  };
  const comes = (to: string, some: readonly Signal[]): void => {
    coming.set(to, new Set([...(coming.get(to) ?? []), ...some]));
  };

  for (const { hostname, path, service } of connector ? rules : []) {
    const otlp = path === undefined ? [] : signals.filter((signal) => new RegExp(path).test(`/v1/${signal}`));
    if (connector && (path === undefined || otlp.length > 0)) {
      const to = taker(connector, service);
      chart.arrow(addressId(hostname), idOf(connector), otlp);
      chart.arrow(idOf(connector), to, [hostname]);
      comes(to, otlp);
    }
  }
  for (const service of services) {
    for (const { name, url, signals: some } of service.sent) {
      const to = taker(service, url, name);
      chart.arrow(idOf(service), to, some);
      comes(to, some);
    }
    for (const { volumeName } of (service.volumes ?? []).filter(({ readOnly }) => !readOnly)) {
      chart.arrow(idOf(service), chart.node(`volume_${volumeName}`, 'cylinder', [volumeName], frameOf(stack, service)));
    }
    if (service.discarded.length > 0) {
      chart.arrow(idOf(service), chart.node(`discarded_${stack.network}`, 'pill', ['accepted and discarded'], networkId(stack)), service.discarded);
    }
  }
  for (const service of services) {
    for (const server of service.reached) {
      chart.arrow(idOf(service), taker(service, `tcp://${server}`));
    }
    for (const url of service.passedOn) {
      const name = central.get(new URL(url).hostname);
      chart.arrow(idOf(service), taker(service, url, ...(name ? [`stack ${name}`] : [])), signals.filter((signal) => coming.get(idOf(service))?.has(signal)));
    }
  }
}

/** The clients of the host ports: applications where OTLP is received, people where it ends. */
function drawVisitors(chart: Flowchart, stack: StackParts): void {
  for (const service of stack.services) {
    const published = [...new Set((service.ports ?? []).map(({ external }) => external))].sort((a, b) => a - b).map(String);
    const otlp = published.filter((port) => stack.otlpPorts.has(port));
    if (otlp.length > 0) {
      chart.arrow(chart.node(`applications_${stack.network}`, 'pill', ['applications']), idOf(service), [`OTLP ${otlp.join(', ')}`]);
    }
    const pages = published.filter((port) => !stack.otlpPorts.has(port));
    if (pages.length > 0 && service.sent.length === 0) {
      chart.arrow(chart.node(`people_${stack.network}`, 'pill', ['people']), idOf(service), pages);
    }
  }
}

/** The clients of a hostname to which no stack in the picture sends. */
function drawCallers(chart: Flowchart, { rules }: StackParts): void {
  for (const { hostname, path } of rules.filter((rule) => !chart.reaches(addressId(rule.hostname)))) {
    const [id, title] = path === undefined ? ['people', 'people'] : ['hosts', 'other hosts'];
    chart.arrow(chart.node(id, 'pill', [title]), addressId(hostname));
  }
}
