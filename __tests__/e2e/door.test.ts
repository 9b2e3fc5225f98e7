/**
 * Who comes in by the ports on loopback: a website that is open in a browser on the same machine has its script run there, and
 * programs send what they like. On real parts; what a website can do to a service without a gate is shown first.
 */
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import * as zlib from 'node:zlib';
import type { Outputs } from '../../ops/support/outputs';
import { markedTrace } from '../../provider/otlp';
import { putPrograms } from '../support/programs';
import { tempDir } from '../support/temp';
import { site, type Reply, type Request, type Site } from '../support/web';
import { fromElsewhere, intrusion, rebound, takeover, type Attempt } from '../support/website';
import { spanRequest } from '../support/span-request';
import { Checkout, docker, until } from './checkout';
import { above } from './offsets';

describe('a website in a browser', () => {
  interface Service extends Site {
    readonly port: number;
    readonly projects: ReadonlySet<string>;
    /** What it has let pass, without the ports. */
    readonly served: readonly string[];
  }

  /** Refuses a request that it does not let pass. @param origins of the service itself */
  type Guard = (request: Request, origins: readonly string[]) => Reply | undefined;

  const everybody: Guard = () => undefined;
  const byHost: Guard = ({ headers: { host } }, origins) => (origins.includes(`http://${host}`) ? undefined : { status: 421, body: 'not here' });
  const byOrigin: Guard = ({ headers: { origin } }, origins) => (origin === undefined || origins.includes(origin) ? undefined : { status: 403 });

  /** Lists and deletes projects as Phoenix does. */
  async function service(guard: Guard, headers: Readonly<Record<string, string>> = {}): Promise<Service> {
    const projects = new Set(['default', 'some-name']);
    const served: string[] = [];
    const started: Site = await site((request) => {
      const refusal = guard(request, [started.url, started.url.replace('127.0.0.1', 'localhost')]);
      if (refusal !== undefined) {
        return refusal;
      }
      const { 'content-type': type = 'nothing', origin = 'nobody' } = request.headers;
      served.push(`${request.method} ${request.url} ${type.split(';')[0]} from ${origin.replace(/:\d+$/, '')}`);
      if (request.method === 'DELETE') {
        return { status: projects.delete(request.url.replace('/v1/projects/', '')) ? 204 : 404, headers };
      }
      return { body: [...projects], headers };
    });
    return { ...started, port: Number(new URL(started.url).port), projects, served };
  }

  it('takes a browser: where there is none, the tests fail with the command that installs one', async () => {
    const takeBack = putPrograms(tempDir(), { 'dpkg-query': 'exit 1', 'apt-get': '[ "$1" = --version ]', env: 'echo "E: Unable to locate package" >&2; exit 100' });
    try {
      await expect(fromElsewhere(1, [])).rejects.toThrow(/\n {2}sudo apt-get install -y --no-install-recommends chromium$/);
    } finally {
      takeBack();
    }
  });

  describe('whose name leads to this machine', () => {
    it('reads and deletes where a service answers to any name', async () => {
      const { port, projects, requests } = await service(everybody);
      expect(await rebound(port, takeover('some-name'))).toEqual([
        { status: 200, body: '["default","some-name"]' },
        { status: 200, body: '["default","some-name"]' },
        { status: 204, body: '' },
      ]);
      expect([...projects]).toEqual(['default']);
      expect(new Set(requests.map(({ headers }) => headers.host))).toEqual(new Set([`evil.example:${port}`]));
    });

    it('does neither where a service answers to its own names alone', async () => {
      const { port, projects, served } = await service(byHost);
      expect(await rebound(port, takeover('some-name'))).toEqual(Array(3).fill({ status: 421, body: 'not here' }));
      expect([...projects]).toEqual(['default', 'some-name']);
      expect(served).toEqual([]);
    });
  });

  describe('with a name of its own', () => {
    /** What a browser sends to any origin without asking first. */
    const unasked = [
      'POST /graphql text/plain from http://evil.example',
      'POST /graphql text/plain from null',
      'POST /graphql nothing from http://evil.example',
      'POST /graphql multipart/form-data from http://evil.example',
      'POST /graphql text/plain from http://evil.example',
      'POST /graphql multipart/form-data from http://evil.example',
      'POST /graphql application/x-www-form-urlencoded from http://evil.example',
      'POST /v1/datasets/upload?sync=true multipart/form-data from http://evil.example',
      'POST /v1/traces text/plain from http://evil.example',
    ];

    it('gets requests into a service that checks only which name was asked, and reads no answer', async () => {
      const { port, served } = await service(byHost);
      const answers = await fromElsewhere(port, intrusion('evil'));
      const refused = { error: 'TypeError: Failed to fetch' };
      expect(answers).toEqual([...Array(7).fill('unreadable'), refused, 'unreadable', 'unreadable', refused]);
      expect(served.filter((request) => !request.startsWith('OPTIONS '))).toEqual(unasked);
    });

    it('gets in as JSON, too, and reads the answers, where a service consents to every origin', async () => {
      const { port, served } = await service(byHost, { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' });
      const answers = await fromElsewhere(port, intrusion('evil'));
      expect(answers.filter((answer) => answer !== 'unreadable')).toEqual(Array(2).fill({ status: 200, body: '["default","some-name"]' }));
      expect(served).toEqual(expect.arrayContaining([
        ...unasked, 'POST /graphql application/json from http://evil.example', 'POST /v1/traces application/json from http://evil.example',
      ]));
    });

    it('gets nothing into a service that checks the origin', async () => {
      const { port, requests, served } = await service(byOrigin);
      await fromElsewhere(port, intrusion('evil'));
      expect(requests).toHaveLength(intrusion('evil').length);
      expect(served).toEqual([]);
    });
  });
});

const stack = 'door';
const phoenix = `phoenix-${stack}`;
let checkout: Checkout;
let deployed: Outputs;

describe('a stack', () => {
  beforeAll(async () => {
    checkout = await Checkout.clone(stack);
    await checkout.up({ ...above('door'), 'phoenix:apiKeys': 'tools' });
    deployed = await checkout.outputs();
  });

  afterAll(async () => {
    const { code, stderr } = await checkout.command('down', ['--purge', '--yes']);
    fs.rmSync(path.dirname(checkout.dir), { recursive: true, force: true });
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  });

  interface Asked {
    readonly method?: string;
    readonly headers?: http.OutgoingHttpHeaders;
    readonly body?: Buffer | string;
  }

  /** One request, with whatever headers; `fetch` writes some itself. A connection that is cut before an answer is status 0. */
  function ask(base: string, target: string, { method = 'GET', headers = {}, body = '' }: Asked = {}): Promise<{ status: number; headers: http.IncomingHttpHeaders; body: string }> {
    return new Promise((resolve) => {
      const request = http.request(base, { path: target, method, headers: { ...(method === 'GET' ? {} : { 'content-length': Buffer.byteLength(body) }), ...headers }, agent: false });
      request.on('response', (answer) => void text(answer).then((said) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: said })));
      request.on('error', () => resolve({ status: 0, headers: {}, body: '' }));
      request.end(body);
    });
  }

  /** Status of an OTLP request over gRPC without spans. */
  async function grpc(headers: http2.OutgoingHttpHeaders = {}): Promise<number> {
    const session = http2.connect(deployed.endpoints.phoenixOtlpGrpc);
    try {
      const stream = session.request({ ':method': 'POST', ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export', 'content-type': 'application/grpc', te: 'trailers', ...headers });
      stream.end(Buffer.alloc(5));
      const answer = await new Promise<http2.IncomingHttpHeaders>((resolve, reject) => stream.on('response', resolve).on('error', reject));
      return Number(answer[':status']);
    } finally {
      session.close();
    }
  }

  const page = (): string => deployed.endpoints.phoenixUi;
  const otlpHttp = (): string => deployed.endpoints.phoenixOtlpHttp;
  const protobuf = { 'content-type': 'application/x-protobuf' };
  const credentials = (): Record<string, string> => (deployed.auth ? { authorization: `Bearer ${deployed.adminSecret}` } : {});

  async function projects(): Promise<string[]> {
    const { data } = JSON.parse((await ask(page(), '/v1/projects?limit=1000', { headers: credentials() })).body) as { data: { name: string }[] };
    return data.map(({ name }) => name);
  }

  /** Sends a span as an application does. @returns the status */
  async function send(project: string, headers: Record<string, string> = {}): Promise<number> {
    const body = JSON.stringify(markedTrace(project).body);
    return (await ask(deployed.endpoints.otlpHttp, '/v1/traces', { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })).status;
  }

  const restarts = (): Promise<string> => docker('inspect', '--format', '{{.RestartCount}} {{.State.OOMKilled}}', phoenix);

  it('answers to its own names on every port, and to no other', async () => {
    const status = async (host: string): Promise<number[]> => [
      (await ask(page(), '/healthz', { headers: { host } })).status,
      (await ask(otlpHttp(), '/v1/traces', { method: 'POST', headers: { host, ...protobuf } })).status,
      await grpc({ ':authority': host }),
    ];
    for (const host of ['localhost', 'LOCALHOST:6406', '127.0.0.1:6406', '127.8.8.8', '[::1]:6406', 'host.docker.internal:6406']) {
      expect([host, await status(host)]).toEqual([host, [200, 200, 200]]);
    }
    for (const host of ['evil.example', 'evil.example:6406', 'localhost.evil.example', '127.0.0.1.nip.io', '10.0.0.1', 'phoenix.lan']) {
      expect([host, await status(host)]).toEqual([host, [421, 421, 421]]);
    }
    expect((await ask(page(), '/', { headers: { host: 'phoenix.lan' } })).body).toContain('pulumi config set phoenix:hosts NAME');
  });

  it('has headers that keep its page out of frames and its addresses to itself', async () => {
    expect((await ask(page(), '/')).headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
    });
  });

  it("keeps Alloy's page for who has its password, on this machine, by a name of another site, and on the stack's network", async () => {
    const at = (target: string, method: string, headers = {}): Promise<number> => ask(deployed.endpoints.alloyUi, target, { method, headers }).then(({ status }) => status);
    const { user, password } = deployed.alloyPage;
    const basic = (text: string): Record<string, string> => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
    const components = '/api/v0/web/components';
    expect(await at(components, 'GET', basic(`${user}:${password}`))).toBe(200);
    // What is counted and whether it is well needs none.
    expect(await at('/metrics', 'GET')).toBe(200);
    expect(await at('/-/ready', 'GET')).toBe(200);
    for (const headers of [{}, { host: 'evil.example' }, basic(`${user}:`), basic(`${user}:${password}x`), basic(`nobody:${password}`)]) {
      expect([headers, await at(components, 'GET', headers), await at('/', 'GET', headers)]).toEqual([headers, 401, 401]);
    }
    for (const target of [components, '/-/reload', '/-/reload/', '/-//reload', '/-/support?duration=1', '/-/%72eload', `/metrics/..${components}`, `//${components.slice(1)}`, `/-/ready/../..${components}`]) {
      for (const method of ['GET', 'POST', 'PUT']) {
        expect([target, method, (await at(target, method)) >= 300]).toEqual([target, method, true]);
      }
    }
    expect(await at('/-/reload', 'POST')).toBe(401);
    expect(await docker('logs', `alloy-${stack}`)).not.toContain('reload requested');
    const fromNetwork = `exec 3<>/dev/tcp/alloy/12345; printf 'GET ${components} HTTP/1.0\\r\\n\\r\\n' >&3; head -n 1 <&3`;
    expect(await docker('exec', `${phoenix}-gate`, 'bash', '-c', fromNetwork)).toContain(' 401 ');
  });

  it('is safe from a website in a browser on the same machine', async () => {
    expect(await send('kept')).toBe(200);
    await until('the project', async () => (await projects()).includes('kept'));
    const port = Number(new URL(page()).port);
    expect(await rebound(port, takeover('kept'))).toEqual(Array(3).fill({ status: 421, body: expect.any(String) }));
    await fromElsewhere(port, intrusion('evil'));
    await fromElsewhere(Number(new URL(otlpHttp()).port), intrusion('evil'));
    expect(await projects()).toEqual(expect.arrayContaining(['kept']));
    expect(await projects()).not.toContain('evil');
    expect((await ask(page(), '/v1/datasets')).body).not.toContain('evil');
  });

  it('takes telemetry from no page of another site, and from one that was led to this machine by its own name: Alloy looks at no name', async () => {
    const port = Number(new URL(deployed.endpoints.otlpHttp).port);
    await fromElsewhere(port, intrusion('elsewhere'));
    const [asText, asJson] = intrusion('rebound').filter(({ path: at }) => at === '/v1/traces').map((attempt): Attempt => ({ ...attempt, mode: 'cors' }));
    expect(await rebound(port, [asText!, asJson!])).toEqual([{ status: 415, body: expect.any(String) }, { status: 200, body: expect.any(String) }]);
    // What docs/security.md says of it holds as long as this span arrives.
    await until('the span of the page', async () => (await projects()).includes('rebound'));
    expect(await projects()).not.toContain('elsewhere');
  });

  it('slow senders of one address leave room for those of another', async () => {
    const { hostname, port } = new URL(otlpHttp());
    const head = (bytes: number): string => `POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\ncontent-length: ${bytes}\r\n\r\n`;
    const refused = new Set<net.Socket>();
    const slow = Array.from({ length: 6 }, () => net.connect({ host: hostname, port: Number(port) }).on('error', () => undefined));
    slow.forEach((socket) => socket.once('data', () => refused.add(socket)));
    const large = Buffer.alloc(1_000_000);
    const fromHere = async (): Promise<number> => (await ask(otlpHttp(), '/v1/traces', { method: 'POST', headers: protobuf, body: large })).status;
    slow.forEach((socket) => socket.write(head(30_000_000)));
    // Whoever sends nothing for longer makes room.
    const trickle = setInterval(() => slow.filter((socket) => !refused.has(socket)).forEach((socket) => socket.write('\0')), 1_000);
    try {
      await until('three of them to be refused', async () => refused.size === 3);
      expect(await fromHere()).toBe(503);
      // Phoenix has an address of its own, and refuses a million zeros, which are no spans.
      const fromElse = [
        'import http.client',
        `gate = http.client.HTTPConnection("${phoenix}-gate", 14318, timeout=60)`,
        'gate.request("POST", "/v1/traces", bytes(1_000_000), {"host": "localhost", "content-type": "application/x-protobuf"})',
        'print(gate.getresponse().status)',
      ].join('\n');
      expect(['400', '422']).toContain(await docker('exec', phoenix, 'python3', '-c', fromElse));
    } finally {
      clearInterval(trickle);
      slow.forEach((socket) => socket.destroy());
    }
    await until('them to be free again', async () => (await fromHere()) !== 503);
  });

  it('refuses what unpacks to gigabytes on every port, and keeps what it has accepted', async () => {
    const before = await restarts();
    const bombs = { gzip: zlib.gzipSync(Buffer.alloc(2 ** 30)), deflate: zlib.deflateSync(Buffer.alloc(2 ** 30)) };
    expect(await send('beside the bomb')).toBe(200);
    for (const base of [page(), otlpHttp(), deployed.endpoints.otlpHttp]) {
      for (const [encoding, body] of Object.entries(bombs)) {
        const { status } = await ask(base, '/v1/traces', { method: 'POST', headers: { ...protobuf, 'content-encoding': encoding }, body });
        expect([base, encoding, status >= 400 && status < 500]).toEqual([base, encoding, true]);
      }
    }
    await until('the span of before', async () => (await projects()).includes('beside the bomb'));
    expect(await restarts()).toBe(before);
  });

  it('takes compressed requests of an ordinary size', async () => {
    const body = zlib.gzipSync(JSON.stringify(markedTrace('compressed').body));
    // Phoenix takes protobuf alone: the way there is Alloy's.
    expect((await ask(deployed.endpoints.otlpHttp, '/v1/traces', { method: 'POST', headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body })).status).toBe(200);
    expect((await ask(otlpHttp(), '/v1/traces', { method: 'POST', headers: { ...protobuf, 'content-encoding': 'gzip' }, body: zlib.gzipSync('') })).status).toBe(200);
    await until('the span', async () => (await projects()).includes('compressed'));
  });

  it('passes the name of a project on, and none that is empty', async () => {
    for (const base of [page(), otlpHttp()]) {
      for (const name of ['', `named-${new URL(base).port}`]) {
        expect((await ask(base, '/v1/traces', { method: 'POST', headers: { ...protobuf, 'x-project-name': name }, body: spanRequest('named-by-attribute') })).status).toBe(200);
      }
    }
    // With a project without a name Phoenix answers 500 here.
    await until('the projects', async () => {
      const all = await projects();
      return [page(), otlpHttp()].every((base) => all.includes(`named-${new URL(base).port}`)) && all.includes('named-by-attribute');
    });
  });

  it('refuses what is larger than Phoenix has room for', async () => {
    const { status } = await ask(otlpHttp(), '/v1/traces', { method: 'POST', headers: protobuf, body: Buffer.alloc(65 * 2 ** 20) });
    expect([0, 413]).toContain(status);
  });

  it('holds direct senders while the gate is closed; reading goes on', async () => {
    await docker('exec', `${phoenix}-gate`, 'touch', '/tmp/closed');
    try {
      for (const [base, target] of [[page(), '/v1/traces'], [otlpHttp(), '/v1/traces'], [page(), '/v1/projects/kept/spans']] as const) {
        expect(await ask(base, target, { method: 'POST', headers: protobuf })).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
      }
      expect(await grpc()).toBe(503);
      expect((await ask(page(), '/v1/projects')).status).toBe(200);
    } finally {
      await docker('exec', `${phoenix}-gate`, 'rm', '/tmp/closed');
    }
    expect((await ask(otlpHttp(), '/v1/traces', { method: 'POST', headers: protobuf })).status).toBe(200);
  });

  describe('Phoenix itself', () => {
    /** Addresses of this machine, and on the networks of the stack, with a port at which something listens. */
    let around: string[];
    let host: http.Server;
    let reached: string[];
    const port = (): number => (host.address() as { port: number }).port;

    beforeAll(async () => {
      reached = [];
      host = http.createServer((request, answer) => {
        reached.push(`${request.method} ${request.url} ${request.headers['metadata-flavor'] ?? ''}`.trim());
        answer.end();
      }).listen(0, '0.0.0.0');
      const own = Object.values(os.networkInterfaces()).flatMap((addresses = []) => addresses).filter(({ family, internal }) => family === 'IPv4' && !internal);
      expect(own.length).toBeGreaterThan(1);
      const alloy = await docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}', `alloy-${stack}`);
      around = [...own.map(({ address }) => `${address}:${port()}`), ...alloy.trim().split(' ').map((address) => `${address}:12345`), 'alloy:12345', 'phoenix-gate:4318', `host.docker.internal:${port()}`, '169.254.169.254:80'];
    });
    afterAll(() => new Promise((resolve) => void host.close(resolve)));

    /** What Phoenix's container connects to, of these. */
    const connects = async (addresses: readonly string[]): Promise<string> => docker('exec', phoenix, 'python3', '-c', [
      'import socket, sys',
      'from concurrent.futures import ThreadPoolExecutor',
      'def attempt(address):',
      '    try:',
      "        socket.create_connection(address.rsplit(':', 1), 5).close()",
      '        print(address)',
      '    except OSError:',
      '        pass',
      'list(ThreadPoolExecutor(99).map(attempt, sys.argv[1:]))',
    ].join('\n'), ...addresses);

    /** Has Phoenix call a model, as people do in its playground, at a server and with headers of their choice. @returns what it says of that */
    async function callModel(baseUrl: string): Promise<string> {
      const input = {
        promptVersion: { templateFormat: 'NONE', template: { messages: [{ role: 'USER', content: [{ text: { text: 'hello' } }] }] }, invocationParameters: { openai: {} }, modelProvider: 'OLLAMA', modelName: 'model' },
        connectionConfig: { baseUrl }, headers: { 'metadata-flavor': 'google' }, repetitions: 1,
      };
      const query = 'subscription ($input: ChatCompletionInput!) { chatCompletion(input: $input) { ... on ChatCompletionSubscriptionError { message } } }';
      const headers = { ...credentials(), 'content-type': 'application/json', accept: 'multipart/mixed;subscriptionSpec=1.0, application/json' };
      const { body } = await ask(page(), '/graphql', { method: 'POST', headers, body: JSON.stringify({ query, variables: { input } }) });
      return /"message":"(.*?)"/.exec(body)?.[1] ?? body;
    }

    it('connects to the gate, and neither to this machine, nor to Alloy, nor to a metadata service', async () => {
      expect(await connects([`${phoenix}-gate:6006`, ...around])).toBe(`${phoenix}-gate:6006`);
    });

    it('is reached by nothing on this machine past the gate', async () => {
      // Whatever takes a connection on the way to an address that no network here has, it is neither.
      const said = (address: string): Promise<string> => new Promise((resolve) => {
        const socket = net.connect({ host: address, port: 6006, timeout: 5_000 }, () => socket.end('GET /arize_phoenix_version HTTP/1.0\r\n\r\n'));
        socket.on('error', () => resolve('')).on('timeout', () => socket.destroy(new Error('silent')));
        text(socket).then(resolve, () => resolve(''));
      });
      const connected = async (address: string): Promise<boolean> => /421|\d+\.\d+\.\d+$/.test(await said(address));
      const addresses = async (container: string): Promise<string[]> =>
        (await docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}', container)).trim().split(' ');
      expect(await Promise.all((await addresses(phoenix)).map(connected))).toEqual([false]);
      // As on any network of Docker's, on Linux.
      expect((await Promise.all((await addresses(`${phoenix}-gate`)).map(connected))).sort()).toEqual([false, true]);
    });

    it('calls no model at the server of an attacker', async () => {
      const attacked = [around[0], '169.254.169.254'];
      expect(await Promise.all(attacked.map((address) => callModel(`http://${address}/attack`)))).toEqual(attacked.map(() => 'Connection error.'));
      expect(reached).toEqual([]);
    });

    it('calls one at a server that is set, and still connects to nothing else', async () => {
      await checkout.up({ 'phoenix:egress': `host.docker.internal:${port()}` });
      await callModel(`http://host.docker.internal:${port()}/model`);
      expect(reached).toEqual(expect.arrayContaining(['POST /model/chat/completions google']));
      expect(await connects(around)).toBe(`host.docker.internal:${port()}`);
    });
  });

  describe('with auth', () => {
    let ingest: string;
    beforeAll(async () => {
      await checkout.up({ 'phoenix:auth': 'true' });
      deployed = await checkout.outputs();
      ingest = (await docker('exec', `alloy-${stack}`, 'cat', '/etc/alloy-secrets/phoenix.authorization')).replace(/^Bearer /, '');
      expect(ingest).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    });

    const routes: [string, string][] = [
      ['GET', '/v1/projects'], ['GET', '/v1//projects'], ['GET', '/v1/%70rojects'], ['GET', '/v1/projects/kept/spans'], ['DELETE', '/v1/projects/kept'], ['GET', '/v1/datasets'],
      ['POST', '/v1/projects/kept/spans'], ['GET', '/v1/prompts'], ['POST', '/graphql'], ['GET', '/v1/users'], ['POST', '/v1/system/api_keys'], ['GET', '/v1/projects/verify-123456789012/spans'],
    ];

    it("Alloy's key sends spans and does nothing else, however it is shown", async () => {
      const bearer = { authorization: `Bearer ${ingest}` };
      expect((await ask(page(), '/v1/traces', { method: 'POST', headers: { ...protobuf, ...bearer } })).status).toBe(200);
      expect((await ask(otlpHttp(), '/v1/traces', { method: 'POST', headers: { ...protobuf, ...bearer } })).status).toBe(200);
      expect(await grpc(bearer)).toBe(200);
      const shown: Record<string, http.OutgoingHttpHeaders> = {
        bearer,
        'in small letters': { authorization: `bearer ${ingest}` },
        cookie: { cookie: `phoenix-access-token=${ingest}` },
        'among other cookies': { cookie: `a=b; phoenix-access-token = ${ingest}; c="d"` },
        'behind a space that only Python knows': { cookie: `phoenix-access-token=\xa0"${ingest.replaceAll('.', '\\056')}"` },
        'in quotes': { cookie: `phoenix-access-token="${ingest.replaceAll('.', '\\056')}"` },
      };
      for (const [how, headers] of Object.entries(shown)) {
        for (const [method, target] of routes) {
          const { status } = await ask(page(), target, { method, headers: { 'content-type': 'application/json', ...headers }, ...(method === 'POST' ? { body: '{"query":"{projects{edges{node{name}}}}"}' } : {}) });
          expect([how, method, target, status]).toEqual([how, method, target, 403]);
        }
      }
      expect(await projects()).toContain('kept');
    });

    it('a key that was made for it reads, and one that is none is refused', async () => {
      expect((await ask(page(), '/v1/projects', { headers: { authorization: `Bearer ${deployed.apiKeys['tools']}` } })).status).toBe(200);
      expect((await ask(page(), '/v1/projects')).status).toBe(401);
      expect((await ask(otlpHttp(), '/v1/traces', { method: 'POST', headers: protobuf })).status).toBe(401);
    });

    it('is reached by a name that is set, and by pages of that name', async () => {
      await checkout.up({ 'phoenix:hosts': 'phoenix.lan' });
      expect((await ask(page(), '/healthz', { headers: { host: 'phoenix.lan:6406', origin: 'http://phoenix.lan:6406' } })).status).toBe(200);
      expect((await ask(page(), '/healthz', { headers: { host: 'localhost', origin: 'http://evil.example' } })).status).toBe(403);
      await docker('exec', `${phoenix}-gate`, 'nginx', '-t', '-c', '/etc/gate/nginx.conf');
    });
  });

  describe('a sender that floods', () => {
    /** What Phoenix's database says. */
    const counted = async (what: string): Promise<number> => Number(await docker('exec', phoenix, 'python3', '-c', [
      'import sqlite3, sys',
      "print(sqlite3.connect('file:/phoenix_storage/phoenix.db?mode=ro', uri=True).execute(sys.argv[1]).fetchone()[0])",
    ].join('\n'), `select count(*) from ${what}`));
    const spansOf = (projects: string): Promise<number> => counted(`spans join traces on traces.id = trace_rowid join projects on projects.id = project_rowid where projects.name ${projects}`);
    const json = { 'content-type': 'application/json' };

    it('with 55 MiB a request and nobody to take them: Alloy stays, and what it has accepted arrives', async () => {
      const alloy = `alloy-${stack}`;
      const started = await docker('inspect', '--format', '{{.State.StartedAt}} {{.RestartCount}}', alloy);
      const large = (): Buffer => {
        const [resource] = (markedTrace('large').body as { resourceSpans: { scopeSpans: { spans: object[] }[] }[] }).resourceSpans;
        const [span] = resource?.scopeSpans[0]?.spans ?? [];
        const text = { key: 'input.value', value: { stringValue: 'x'.repeat(55 * 2 ** 20) } };
        return zlib.gzipSync(JSON.stringify({ resourceSpans: [{ ...resource, scopeSpans: [{ spans: [{ ...span, attributes: [text] }] }] }] }));
      };
      await docker('stop', `${phoenix}-gate`);
      let accepted = 0;
      try {
        for (let sent = 0; sent < 14; sent += 1) {
          const { status } = await ask(deployed.endpoints.otlpHttp, '/v1/traces', { method: 'POST', headers: { ...json, 'content-encoding': 'gzip' }, body: large() });
          expect([200, 503]).toContain(status);
          accepted += Number(status === 200);
          await until('an answer to a small request', async () => (await send('small')) === 200);
        }
      } finally {
        await docker('start', `${phoenix}-gate`);
      }
      expect(accepted).toBeGreaterThan(0);
      await until(`${accepted} large spans`, async () => (await spansOf("= 'large'")) === accepted, 300_000);
      await until('14 small ones', async () => (await spansOf("= 'small'")) === 14);
      expect(await docker('inspect', '--format', '{{.State.StartedAt}} {{.RestartCount}}', alloy)).toBe(started);
      expect(await restarts()).toBe('0 false');
    });

    it('with 5,000 projects: those beyond the limit share one, which verify reports, and no span is lost', async () => {
      for (let batch = 0; batch < 10; batch += 1) {
        const resourceSpans = Array.from({ length: 500 }, (_, index) => (markedTrace(`flood-${batch * 500 + index}`).body as { resourceSpans: object[] }).resourceSpans).flat();
        expect((await ask(deployed.endpoints.otlpHttp, '/v1/traces', { method: 'POST', headers: json, body: JSON.stringify({ resourceSpans }) })).status).toBe(200);
      }
      await until('all of the spans', async () => (await spansOf("like 'flood-%' or projects.name = 'beyond-limit'")) === 5000, 120_000);
      expect(await counted('projects')).toBe(1001);
      expect(await counted("spans where json_extract(attributes, '$.project_beyond_limit') = 'flood-4999'")).toBe(1);
      const { code, stdout, stderr } = await checkout.command('verify');
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.anything() });
      expect(stdout + stderr).toMatch(/Senders name more projects than phoenix:projects allows: \d{4} spans of others went to the project beyond-limit /);
    });
  });
});
