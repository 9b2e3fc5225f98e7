/**
 * The snippets of docs/senders.md as they stand on the page, with the packages that their users have, against a real stack. What
 * they ask a model is answered here.
 */
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { pulumiWithToken } from '../support/docs-lines';
import { modelApi } from '../support/model-api';
import { notRun, snippets } from '../support/snippets';
import { Checkout, until } from './checkout';
import { expectNowhere, placesOfContainers } from './secrecy';
import { programs, withCollector } from './senders/programs';
import { browseAs, runSnippet, type Surroundings } from './senders/runners';
import { above } from './offsets';

let checkout: Checkout;
let phoenixUi: string;
let surroundings: Surroundings;
let asked: readonly unknown[];

beforeAll(async () => {
  const found = await programs();
  checkout = await Checkout.clone('senders');
  const { endpoints } = await checkout.up({ ...above('senders'), 'alloy:cors': 'http://localhost:*' });
  phoenixUi = endpoints.phoenixUi ?? '';
  const { env, requests } = await modelApi();
  asked = requests;
  const ports = { http: Number(new URL(endpoints.otlpHttp).port), grpc: Number(new URL(`http://${endpoints.otlpGrpc.replace(/^\w+:\/\//, '')}`).port) };
  surroundings = {
    ...found, ports,
    env: {
      ...env,
      // `register` knows gRPC by this port.
      PHOENIX_GRPC_PORT: String(ports.grpc),
      // What a library would ask of the internet beside its work.
      LITELLM_LOCAL_MODEL_COST_MAP: 'True', TRACELOOP_TELEMETRY: 'false', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    },
  };
}, 60 * 60_000);

afterAll(async () => {
  const { code, stderr } = await checkout.command('down', ['--purge', '--yes']);
  fs.rmSync(path.dirname(checkout.dir), { recursive: true, force: true });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
});

interface Stored {
  readonly spans: number;
  readonly tokens: number;
}

async function projects(): Promise<Map<string, Stored>> {
  const query = '{ projects(first: 1000) { edges { node { name recordCount tokenCountTotal } } } }';
  const answer = await fetch(`${phoenixUi}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query }) });
  const { data } = (await answer.json()) as { data: { projects: { edges: { node: { name: string; recordCount: number; tokenCountTotal: number } }[] } } };
  return new Map(data.projects.edges.map(({ node }) => [node.name, { spans: node.recordCount, tokens: node.tokenCountTotal }]));
}

const ofCollector = ({ language }: { language: string }): boolean => language === 'yaml';
const all = snippets().filter((snippet) => !(snippet.title in notRun) && (withCollector || !ofCollector(snippet)));
if (!withCollector) {
  console.error('Left out, because its compilation takes minutes: the snippet of a Collector. To run it, too: E2E_COLLECTOR=true npm run e2e -- senders');
}

test.each(all.map((snippet) => [snippet.title, snippet.project, snippet] as const))('%s: its spans arrive in the project %s', async (_, project, snippet) => {
  const before = asked.length;
  expect((await projects()).has(project)).toBe(false);
  const { code, output } = await runSnippet(snippet, surroundings);
  expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
  // What it asked a model has tokens in Phoenix.
  const tokens = asked.length > before ? 12 : 0;
  const stored = await until(`spans in ${project}; the program said: ${output.slice(-2000)}`, async () => {
    const found = (await projects()).get(project);
    return found !== undefined && found.spans > 0 && found.tokens >= tokens && found;
  }, 60_000);
  expect(stored.tokens).toBe(tokens);
});

/** What the page says of `register`: how it is called, in what surroundings, and whether its spans arrive. */
const spellings: readonly (readonly [string, string, Readonly<Record<string, string>>, boolean])[] = [
  ['url-of-grpc', 'endpoint="http://localhost:4317"', {}, true],
  ['grpc-without-scheme', 'endpoint="localhost:4317"', {}, false],
  ['base-of-http', 'endpoint="http://localhost:4318"', {}, false],
  ['variable-and-protocol', 'protocol="http/protobuf"', { PHOENIX_COLLECTOR_ENDPOINT: 'http://localhost:4318' }, true],
  ['variable-with-path', '', { PHOENIX_COLLECTOR_ENDPOINT: 'http://localhost:4318/v1/traces' }, false],
  ['variable-with-path-and-protocol', 'protocol="http/protobuf"', { PHOENIX_COLLECTOR_ENDPOINT: 'http://localhost:4318/v1/traces' }, true],
];

test('the spellings of an endpoint for register: which arrive, and which lose every span', async () => {
  const ended = await Promise.all(spellings.map(([project, option, env]) => {
    const exports = Object.entries(env).map(([name, value]) => `export ${name}=${value}\n`).join('');
    const code = `${exports}python -c 'from phoenix.otel import register; register(project_name="${project}", batch=True, ${option}).get_tracer("app").start_span("answer").end()'\n`;
    return runSnippet({ title: project, language: 'sh', code, project }, surroundings);
  }));
  expect(ended.map(({ code }) => code)).toEqual(spellings.map(() => 0));
  // A sender on a busy machine may arrive at its second try; one that loses them says so.
  expect(spellings.filter(([, , , arrives], index) => !arrives && !/Failed to export|Transient error/.test(ended[index]?.output ?? '')).map(([project]) => project)).toEqual([]);
  const arrive = spellings.filter(([, , , arrives]) => arrives).map(([project]) => project);
  const stored = await until('those that arrive', async () => {
    const found = await projects();
    return arrive.every((project) => found.get(project)?.spans === 1) && found;
  });
  expect(spellings.filter(([project]) => stored.has(project)).map(([project]) => project)).toEqual(arrive);
});

test('a page of a website that is not in alloy:cors sends nothing', async () => {
  const snippet = all.find(({ title }) => title === 'A browser');
  expect(await browseAs('127.0.0.1', { ...snippet!, code: snippet?.code.replace("'browser'", "'another-origin'") ?? '' }, surroundings)).toMatchObject({ code: 1, output: expect.stringMatching(/fetch|network|export/i) });
  expect((await projects()).has('another-origin')).toBe(false);
});

test('none of all these spans is in the project default', async () => {
  expect((await projects()).get('default')?.spans ?? 0).toBe(0);
});

/** An address of this machine that others reach, too. */
const beyond = Object.entries(os.networkInterfaces()).flatMap(([name, addresses = []]) => (/^(docker|br-|veth)/.test(name) ? [] : addresses)).find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '';

describe('metrics and logs, in stores that ask who sends', () => {
  const [password, token] = ['marked-password-of-logs', 'marked-token-of-metrics'];
  const paths = { loki: '/otlp/v1/logs', prometheus: '/api/v1/write' } as const;
  const shown = { loki: `Basic ${Buffer.from(`logger:${password}`).toString('base64')}`, prometheus: `Bearer ${token}` } as const;
  /** What Loki and Prometheus answer to what they take; another status for whatever is sent. */
  let status = 204;
  const taken = { loki: new Set<string>(), prometheus: 0 };
  const strangers: string[] = [];
  const store = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      const kind = (['loki', 'prometheus'] as const).find((each) => request.method === 'POST' && request.url === paths[each]);
      const isKnown = kind !== undefined && request.headers.authorization === shown[kind];
      if (!isKnown) {
        strangers.push(`${request.method} ${request.url}`);
      } else if (status === 204 && kind === 'loki') {
        const body = Buffer.concat(chunks);
        [...(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('latin1').matchAll(/record-\d+/g)].forEach(([record]) => taken.loki.add(record));
      } else if (status === 204) {
        taken.prometheus += 1;
      }
      response.writeHead(kind === undefined ? 404 : isKnown ? status : 401).end();
    });
  });

  /** @param seconds that each signal may take; remote write waits five for more to send */
  const verify = async (seconds = 60): Promise<{ ok: boolean; stores: { hop: string; failure?: { cause: string } }[] }> =>
    JSON.parse((await checkout.command('verify', ['--json', '--timeout', String(seconds)])).stdout) as Awaited<ReturnType<typeof verify>>;

  async function sendLogs(from: number, to: number): Promise<void> {
    for (let number = from; number < to; number += 1) {
      const body = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: `${Date.now()}000000`, body: { stringValue: `record-${number}` } }] }] }] });
      const { status: answered } = await fetch(`http://127.0.0.1:${surroundings.ports.http}/v1/logs`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      expect(answered).toBe(200);
    }
  }

  beforeAll(async () => {
    await new Promise<void>((resolve) => store.listen(0, '0.0.0.0', resolve));
    const url = `http://host.docker.internal:${(store.address() as AddressInfo).port}`;
    for (const [key, secret] of [['loki:password', password], ['prometheus:token', token]] as const) {
      expect(await checkout.shell(`pulumi config set --stack ${checkout.stack} --secret ${key}`, `${secret}\n`)).toMatchObject({ code: 0 });
    }
    await checkout.up({
      'loki:url': url, 'loki:username': 'logger', 'prometheus:url': url,
      'alloy:bind': `127.0.0.1,${beyond}`, 'alloy:auth': 'true', 'tls:plain': 'true',
    });
  });

  afterAll(() => new Promise((resolve) => void store.close(resolve)));

  test.each(pulumiWithToken)('other machines send with the token of `%s`, and this one without', async (line) => {
    const { stdout } = await checkout.shell(line.replace(/^npm run pulumi --/, 'pulumi').replace(/--stack \w+/, '').replace(' output ', ` output --stack ${checkout.stack} `));
    const token = stdout.trim();
    const send = async (host: string, headers: Record<string, string> = {}): Promise<number> =>
      (await fetch(`http://${host}:${surroundings.ports.http}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: '{}' })).status;
    expect(token).toMatch(/^\w{40}$/);
    expect([await send(beyond), await send(beyond, { authorization: 'Bearer wrong' }), await send(beyond, { authorization: `Bearer ${token}` }), await send('127.0.0.1')]).toEqual([401, 401, 200, 200]);
  });

  test('are shown the credentials of each, which are seen nowhere, and verify proves both', async () => {
    expect(await verify()).toMatchObject({ ok: true, stores: [{ hop: 'Alloy -> store of metrics' }, { hop: 'Alloy -> store of logs' }] });
    await sendLogs(0, 10);
    await until('the records', async () => taken.loki.size === 10);
    expect(taken.prometheus).toBeGreaterThan(0);
    expect(strangers).toEqual([]);
    const places = await placesOfContainers(checkout.stack);
    expect(Object.keys(places)).toEqual(expect.arrayContaining([`log of alloy-${checkout.stack}`, `log of loki-${checkout.stack}-gate`, `log of prometheus-${checkout.stack}-gate`]));
    expectNowhere([password, token, shown.loki], places);
  });

  test.each([500, 401, 404, 429])('that answer %i lose nothing, and verify names the answer', async (answer) => {
    status = answer;
    const before = taken.loki.size;
    try {
      await sendLogs(before, before + 20);
      const { ok, stores } = await verify(12);
      expect([ok, ...stores.map(({ failure }) => failure?.cause)]).toEqual([false, ...Array(2).fill(expect.stringContaining(`answers ${answer}`))]);
    } finally {
      status = 204;
    }
    await until('the records that waited', async () => taken.loki.size === before + 20);
    expect(await verify()).toMatchObject({ ok: true });
  });
});
