/**
 * What the preview asks a store, and what it makes of the answer. The stand-ins answer as Prometheus 2.42 and Loki 3 do: who
 * sends is looked at before the path is, and Loki takes no request without a stream.
 */
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { unknownSecret } from '../../settings/setting';
import { report } from '../../settings/problem';
import { readSettings } from '../../settings/settings';
import { surveyStores, type Asker, type StoreFindings } from '../../stack/store-survey';
import { engineAuthority } from '../support/engine-authority';
import { endsWithTests, nobody, site, type Reply, type Request, type Site } from '../support/web';

const here: Asker = { local: true, bridge: ['127.0.0.1'], isSecret: (key) => /password|token/.test(key) };
const nothing: StoreFindings = { problems: [], warnings: [] };
const basic = `Basic ${Buffer.from('writer:hunter2').toString('base64')}`;

const line = (status: number, body: string): Reply => ({ status, headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) }, body });

/** A Prometheus with users; `enabled` is its flag --web.enable-remote-write-receiver. */
const prometheus = (enabled = true) => ({ url, method, headers, body }: Request): Reply => {
  if (headers.authorization !== basic) {
    return line(401, 'Unauthorized\n');
  }
  if (url !== '/api/v1/write') {
    return line(404, '404 page not found\n');
  }
  if (method !== 'POST') {
    return line(405, 'Method Not Allowed\n');
  }
  if (!enabled) {
    return line(404, 'remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n');
  }
  return headers['content-type'] === 'application/x-protobuf' && headers['content-encoding'] === 'snappy' && body === '\0' ? { status: 204 } : line(400, 'snappy: corrupt input\n');
};

/** A Loki with tenants, behind a proxy that asks for a token. */
const loki = ({ url, headers, body }: Request): Reply => {
  if (headers.authorization !== 'Bearer to$ken') {
    return { status: 403, headers: { 'content-type': 'text/html' }, body: '<html>403 Forbidden</html>' };
  }
  if (headers['x-scope-orgid'] === undefined) {
    return line(401, 'no org id\n');
  }
  if (url !== '/otlp/v1/logs') {
    return line(404, '404 page not found\n');
  }
  return body === '' ? line(422, 'error at least one valid stream is required for ingestion\n') : { status: 204 };
};

const survey = (config: Readonly<Record<string, string>>, asker: Partial<Asker> = {}, told: readonly string[] = [], timeoutMs = 2000): Promise<StoreFindings> =>
  surveyStores(readSettings(config, 'llm-observability', () => true).settings, { ...here, ...asker }, new Set(told), timeoutMs);

/** As a container names this machine. */
const fromContainer = ({ url }: Site | { readonly url: string }): string => url.replace('127.0.0.1', 'host.docker.internal');
const metrics = (url: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({ 'prometheus:url': url, 'prometheus:username': 'writer', 'prometheus:password': 'hunter2', ...more });
const logs = (url: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({ 'loki:url': url, 'loki:token': 'to$ken', 'loki:tenant': 'team-a', ...more });

test('stores that take what is sent are asked once each, and nothing is said', async () => {
  const [first, second] = [await site(prometheus()), await site(loki)];
  expect(await survey({ ...metrics(fromContainer(first)), ...logs(fromContainer(second)) })).toEqual(nothing);
  expect([first, second].map(({ requests }) => requests.map(({ method, url, headers }) => `${method} ${url} ${headers.host}`))).toEqual([
    [`POST /api/v1/write ${fromContainer(first).slice(7)}`], [`POST /otlp/v1/logs ${fromContainer(second).slice(7)}`],
  ]);
});

test('no store is none asked', async () => expect(await survey({})).toEqual(nothing));

const credentials = (store: string): string[] => [`pulumi config set --secret ${store}:password   # of ${store}:username`, `pulumi config set --secret ${store}:token   # instead of the two`, `pulumi config set ${store}:tenant team-a   # where it has tenants`];

test.each(['password', 'username'])('metrics with another %s', async (part) => {
  const url = fromContainer(await site(prometheus()));
  const rule = 'the store answers 401 (Unauthorized): it rejects the credentials';
  expect(await survey(metrics(url, { [`prometheus:${part}`]: 'another' }))).toEqual({ problems: [{ key: 'prometheus:url', value: url, rule, mend: credentials('prometheus') }], warnings: [] });
});

const address = 'pulumi config get prometheus:url   # then set the one that takes remote write';
test.each<[string, boolean, string, string]>([
  ['a Prometheus that takes no remote write', false, '', 'the store answers 404 (remote write receiver needs to be enabled with --web.enable-remote-write-receiver): nothing takes metrics there'],
  ['a wrong path', true, '/api/v1/push', 'the store answers 404 (404 page not found): nothing takes metrics there'],
])('metrics to %s', async (_, enabled, at, rule) => {
  const url = `${fromContainer(await site(prometheus(enabled)))}${at}`;
  expect(await survey(metrics(url))).toEqual({ problems: [{ key: 'prometheus:url', value: url, rule, mend: [address] }], warnings: [] });
});

test.each<[string, Record<string, string>, string]>([
  ['a wrong token', { 'loki:token': 'other' }, 'the store answers 403: it rejects the credentials'],
  ['no tenant', { 'loki:tenant': '' }, 'the store answers 401 (no org id): it rejects the credentials'],
])('logs with %s', async (_, more, rule) => {
  const url = fromContainer(await site(loki));
  const config = Object.fromEntries(Object.entries(logs(url, more)).filter(([, value]) => value !== ''));
  expect(await survey(config)).toEqual({ problems: [{ key: 'loki:url', value: url, rule, mend: credentials('loki') }], warnings: [] });
});

test('both are refused at once, and no credential is shown', async () => {
  const [first, second] = [await site(() => line(401, 'no hunter2 here\x1b[2J\n')), await site(() => ({ status: 302, headers: { location: 'https://login.example' } }))];
  const config = { ...metrics(fromContainer(first)), ...logs(fromContainer(second)) };
  const { problems } = await survey(config);
  expect(problems.map(({ key, rule }) => [key, rule])).toEqual([
    ['prometheus:url', 'the store answers 401 (no hunter2 here[2J): it rejects the credentials'],
    ['loki:url', 'the store answers 302: it redirects, for example to a login'],
  ]);
  expect(report('dev', problems, ['hunter2', 'to$ken'])).not.toMatch(/hunter2|to\$ken/);
});

test('405 is an address that takes nothing', async () => {
  expect((await survey(metrics(fromContainer(await site(() => ({ status: 405 })))))).problems).toMatchObject([{ rule: 'the store answers 405: nothing takes metrics there' }]);
});

test.each([200, 202, 204, 400, 409, 415, 422, 429, 500, 502, 503])('%d says nothing of the settings', async (status) => {
  const url = fromContainer(await site(() => ({ status })));
  expect(await survey({ ...metrics(url), ...logs(url) })).toEqual(nothing);
});

test('an address that is a secret is not shown, and a query never is', async () => {
  const url = fromContainer(await site(() => ({ status: 404 })));
  expect((await survey(metrics(`${url}/write?db=s3cret`))).problems).toMatchObject([{ value: `${url}/write` }]);
  expect((await survey(metrics(url), { isSecret: () => true })).problems[0]).not.toHaveProperty('value');
});

/** @returns its port on loopback */
async function listening(server: http.Server): Promise<number> {
  endsWithTests(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

describe('a store that does not answer is a warning', () => {
  const warning = (reason: string): StoreFindings =>
    ({ problems: [], warnings: [`the store of metrics (prometheus:url) does not answer this machine (${reason}); until it answers, Alloy keeps its data`] });

  test('nobody listens', async () => expect(await survey(metrics(fromContainer({ url: await nobody() })))).toEqual(warning('ECONNREFUSED')));

  test('it takes too long', async () => {
    const silent = await listening(http.createServer(() => undefined));
    expect(await survey(metrics(`http://host.docker.internal:${silent}`), {}, [], 50)).toEqual(warning('no answer within 0.05 s'));
  });

  test('nobody trusts its certificate, and no credential is shown to it', async () => {
    const folder = engineAuthority().server('host.docker.internal', '127.0.0.1');
    const asked = jest.fn();
    const port = await listening(https.createServer({ cert: fs.readFileSync(path.join(folder, 'cert.pem')), key: fs.readFileSync(path.join(folder, 'key.pem')) }, asked));
    const { problems, warnings } = await survey(metrics(`https://host.docker.internal:${port}`));
    expect([problems, warnings]).toEqual([[], [expect.stringMatching(/\((SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|DEPTH_ZERO_SELF_SIGNED_CERT)\)/)]]);
    expect(asked).not.toHaveBeenCalled();
  });

  test('its name is not known', async () => {
    expect((await survey({ 'prometheus:url': 'http://metrics.example.invalid' })).warnings).toEqual([expect.stringMatching(/\((ENOTFOUND|EAI_AGAIN)\)/)]);
  });
});

describe('what this machine cannot ask is not asked', () => {
  let store: Site;
  beforeAll(async () => {
    store = await site(() => ({ status: 404 }));
  });

  test.each<[string, string, Partial<Asker>, string[]]>([
    ['the Docker host of another machine', 'host.docker.internal', { local: false }, []],
    ['one whose bridge is not known', 'host.docker.internal', { bridge: [] }, []],
    ['one whose bridge is none of this machine', 'host.docker.internal', { bridge: ['192.0.2.1'] }, []],
    ['a container', 'localhost-of-compose', {}, []],
    ['a name of the network of another machine', 'localhost.lan', { local: false }, []],
    ['an address of the network of another machine', '10.255.255.1', { local: false }, []],
    ['a name that only the engine knows', 'no-such-host.lan', {}, []],
    ['a name of Docker Desktop', 'gateway.docker.internal', {}, []],
    ['where a setting is wrong', 'host.docker.internal', {}, ['prometheus:token']],
  ])('%s', async (_, host, asker, told) => {
    const before = store.requests.length;
    expect(await survey({ 'prometheus:url': store.url.replace('127.0.0.1', host) }, asker, told)).toEqual(nothing);
    expect(store.requests.length).toBe(before);
  });

  test.each(['password', 'token'])('a %s that the preview does not know', async (part) => {
    const config = { 'prometheus:url': fromContainer(store), ...(part === 'password' ? { 'prometheus:username': 'u' } : {}), [`prometheus:${part}`]: unknownSecret };
    expect(await survey(config)).toEqual(nothing);
    expect(store.requests).toEqual([]);
  });
});
