/**
 * Stores of metrics and logs that look at who sends: Alloy and the gates as the program makes them, and a change of address and
 * credentials while Alloy sends.
 */
import * as http from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Network } from '@pulumi/docker';
import { Alloy } from '../../components/alloy';
import { externalBackends } from '../../stack/external-backends';
import { Gate } from '../../components/gate';
import { readSettings } from '../../settings/settings';
import { freePort } from '../../lab';
import { deploy, type Registered } from '../support/deployment';
import { docker, until } from './checkout';
import { Containers, inputsOf } from './containers';
import { usedImages } from './images';

const stack = `stores-e2e-${process.pid}`;
let engine: Containers;
let images: Awaited<ReturnType<typeof usedImages>>;
let otlp: string;

interface Store {
  readonly url: string;
  /** Requests that were taken, by path, and who else has come. */
  readonly taken: Record<string, number>;
  readonly strangers: string[];
}

const servers: http.Server[] = [];
/** All that Alloy has sent to so far. */
const stores: Store[] = [];

/** As a proxy in front of Prometheus and Loki, or these themselves: who sends is looked at before anything else is. */
async function store({ authorization, tenant }: { readonly authorization?: string; readonly tenant?: string }): Promise<Store> {
  const taken: Record<string, number> = {};
  const strangers: string[] = [];
  const server = http.createServer(({ url = '', headers }, response) => {
    const isKnown = headers.authorization === authorization && headers['x-scope-orgid'] === tenant;
    if (isKnown) {
      taken[url] = (taken[url] ?? 0) + 1;
    } else {
      strangers.push(`${headers.authorization} ${String(headers['x-scope-orgid'])}`);
    }
    response.writeHead(isKnown ? 204 : 401).end();
  });
  servers.push(server);
  await once(server.listen(0, '0.0.0.0'), 'listening');
  return { url: `http://host.docker.internal:${(server.address() as AddressInfo).port}`, taken, strangers };
}

/** The settings of both stores as a stack has them. */
async function resourcesFor(url: string, sender: Readonly<Record<string, string>>, ports: readonly [number, number, number]): Promise<ReadonlyMap<string, Registered>> {
  const parts = Object.entries({ url, ...sender });
  const { settings } = readSettings(Object.fromEntries(['prometheus', 'loki'].flatMap((name) => parts.map(([part, value]) => [`${name}:${part}`, value]))), 'llm-observability', () => true);
  const [otlpGrpcPort, otlpHttpPort, uiPort] = ports;
  return (await deploy(() => {
    const network = new Network('network', { name: stack });
    const gates = externalBackends(settings).map((backend) => new Gate(`${backend.name}-gate`, { stack, owner: engine.owner, network, image: images['gate'] ?? '', backend, reachesHost: true }));
    return new Alloy('alloy', {
      stack, owner: engine.owner, network, image: images['alloy'] ?? '', backends: gates.map(({ backend }) => backend), bind: ['127.0.0.1'],
      otlpGrpcPort, otlpHttpPort, uiPort, listed: {}, memoryMiB: 384, queueMiB: 128, cpus: '1.0', protectData: false,
    });
  })).resources;
}

const gateFiles = ['prometheus-gate-config-files', 'loki-gate-config-files'] as const;
const gateServers = ['prometheus-gate-server', 'loki-gate-server'] as const;

/** In the order of a deployment: the old gates go before anything of theirs changes. */
async function change(resources: ReadonlyMap<string, Registered>): Promise<void> {
  const running = inputsOf(resources, ...gateServers);
  await docker('rm', '--force', ...running.map(({ name }) => name));
  for (const container of [...inputsOf(resources, ...gateFiles), ...running]) {
    await engine.replace(container);
  }
}

async function send(signal: 'logs' | 'metrics', body: object): Promise<void> {
  expect((await fetch(`${otlp}/v1/${signal}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).status).toBe(200);
}

const timeUnixNano = (): string => `${Date.now()}000000`;

async function sendBoth(): Promise<void> {
  await send('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: timeUnixNano(), body: { stringValue: 'a record' } }] }] }] });
  await send('metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'a_metric', gauge: { dataPoints: [{ timeUnixNano: timeUnixNano(), asInt: '1' }] } }] }] }] });
}

const ports: [number, number, number] = [0, 0, 0];

beforeAll(async () => {
  images = await usedImages();
  engine = await Containers.of(stack);
  for (const index of [0, 1, 2]) {
    ports[index] = await freePort('0.0.0.0');
  }
  otlp = `http://127.0.0.1:${ports[1]}`;
  const resources = await resourcesFor('http://host.docker.internal:1', {}, ports);
  for (const container of inputsOf(resources, ...gateFiles, ...gateServers, 'alloy-config-files', 'alloy-secret-files', 'alloy-server')) {
    await engine.make(container);
  }
  // Until Alloy listens, a connection to its port may be taken and lead nowhere.
  await until('Alloy', () => fetch(`${otlp}/v1/logs`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}', signal: AbortSignal.timeout(2000) }).then(({ ok }) => ok, () => false));
});

afterAll(async () => {
  await engine.remove();
  await Promise.all(servers.map((server) => {
    server.closeAllConnections();
    return once(server.close(), 'close');
  }));
});

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

test.each<[string, Record<string, string>, Parameters<typeof store>[0]]>([
  ['a user and a tenant', { username: 'writer', password: 'pä$s"w\\d', tenant: "team-a!_.*'()" }, { authorization: basic('writer:pä$s"w\\d'), tenant: "team-a!_.*'()" }],
  ['a token', { token: 'to$ken"\\{x};' }, { authorization: 'Bearer to$ken"\\{x};' }],
  ['nobody in particular', {}, {}],
])('%s, at another address than before: each store is shown its own credentials alone', async (_, sender, known) => {
  const { url, taken, strangers } = await store(known);
  // What is still on its way then comes with the credentials of the new address, as what follows.
  await sendBoth();
  await change(await resourcesFor(url, sender, ports));
  await sendBoth();
  await until('metrics and logs', async () => (taken['/api/v1/write'] ?? 0) > 0 && (taken['/otlp/v1/logs'] ?? 0) > 0);
  stores.push({ url, taken, strangers });
  expect(stores.flatMap((each) => each.strangers)).toEqual([]);
});

test('nobody but the gate can read who sends, and a removed credential is in no volume', async () => {
  const volume = `loki-${stack}-gate-config`;
  const read = (user: string): Promise<string> => docker('run', '--rm', '--network', 'none', '--user', user, '--volume', `${volume}:/gate:ro`, '--entrypoint', 'cat', images['gate'] ?? '', '/gate/sender.conf');
  expect(await read('101:101')).toContain('default "";');
  await expect(read('65534:65534')).rejects.toThrow(/Permission denied/);
});
