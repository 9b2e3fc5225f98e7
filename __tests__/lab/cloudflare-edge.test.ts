import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { Authority } from '../../lab/authority';
import type { EdgeView } from '../../lab/cloudflare/account';
import { Edge, loginPath, modes, type Mode } from '../../lab/cloudflare/edge';
import { largestBody } from '../../lab/cloudflare/exchange';
import { tempDir } from '../support/temp';
import { nobody, site } from '../support/web';

const team = 'lab';
const page = 'phoenix.example.com';
const other = 'otlp.example.com';
const token = 'the-token';
const tunnelId = 'the-tunnel';

// Hundreds of megabytes through TLS, on a machine that does other things as well.
jest.setTimeout(60_000);

/** An account with one tunnel. */
class View implements EdgeView {
  readonly services: Record<string, string> = {};
  verdict: ReturnType<EdgeView['access']> = 'pass';
  readonly standing: Record<string, number> = {};
  readonly asked: { hostname: string; path: string; headers: unknown }[] = [];

  tunnelOf(shown: string): string | undefined {
    return shown === token ? tunnelId : undefined;
  }

  connected(tunnel: string, connections: number): void {
    this.standing[tunnel] = connections;
  }

  route(hostname: string): { tunnelId: string; service: string } | undefined {
    const service = this.services[hostname];
    return service === undefined ? undefined : { tunnelId, service };
  }

  access(hostname: string, asked: string, headers: unknown): ReturnType<EdgeView['access']> {
    this.asked.push({ hostname, path: asked, headers });
    return this.verdict;
  }
}

interface Answered {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

let dir: string;
let ca: string;
let view: View;
let edge: Edge;
let ports: { https: number; connectors: number };
let sockets: net.Socket[];

beforeAll(async () => {
  // No private key is in the repository.
  dir = await (await Authority.create(path.join(tempDir(), 'authority'))).server('edge', [page, other, `${team}.cloudflareaccess.com`]);
  ca = readFileSync(path.join(dir, 'ca.pem'), 'utf8');
});

beforeEach(async () => {
  view = new View();
  sockets = [];
  await openEdge();
});

afterEach(async () => {
  sockets.forEach((socket) => socket.destroy());
  await edge.close();
});

async function openEdge(options: { silenceMs?: number } = {}): Promise<void> {
  edge = new Edge(view, { team, key: readFileSync(path.join(dir, 'key.pem')), cert: readFileSync(path.join(dir, 'cert.pem')), ...options });
  ports = await edge.listen({ https: 0, connectors: 0 }, '127.0.0.1');
}

/** Asks again and again until it holds; jest's time limit is the limit. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function request(hostname: string, url = '/', options: https.RequestOptions = {}): http.ClientRequest {
  const asked = https.request({ host: '127.0.0.1', port: ports.https, servername: hostname, ca, agent: false, path: url, ...options, headers: { host: hostname, ...options.headers } });
  // What breaks after the answer concerns nobody; before it, whoever waits for the answer hears of it.
  return asked.on('error', () => undefined);
}

async function answerTo(asked: http.ClientRequest): Promise<Answered> {
  const [answer] = (await once(asked, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) {
    chunks.push(chunk as Buffer);
  }
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() };
}

function get(hostname: string, url?: string, options?: https.RequestOptions): Promise<Answered> {
  return answerTo(request(hostname, url, options).end());
}

function post(hostname: string, body: string | Buffer, headers: http.OutgoingHttpHeaders = {}): Promise<Answered> {
  return answerTo(request(hostname, '/v1/traces', { method: 'POST', headers: { 'content-length': Buffer.byteLength(body), ...headers } }).end(body));
}

/** A connection to the port for connectors, and the first line that the edge says. */
async function greet(greeting: string): Promise<{ socket: net.Socket; said: string }> {
  const socket = net.connect(ports.connectors, '127.0.0.1');
  sockets.push(socket);
  // Destroyed by either side in some tests.
  socket.on('error', () => undefined);
  socket.write(greeting);
  return { socket, said: await line(socket) };
}

/** The next line; what follows it is left to be read. */
function line(socket: net.Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\n') + 1;
      if (end > 0) {
        socket.off('data', onData).pause();
        socket.unshift(Buffer.from(text.slice(end), 'latin1'));
        resolve(text.slice(0, end).trim());
      }
    };
    socket.on('data', onData).resume();
  });
}

/** What a connector does with a connection that the edge has taken for a service. */
type Serve = (socket: net.Socket, service: string) => void;

const pipes: Serve = (socket, service) => {
  const [host, port] = service.split(':');
  const origin = net.connect(Number(port), host);
  sockets.push(origin);
  origin.on('connect', () => {
    socket.write('up\n');
    socket.pipe(origin).pipe(socket);
  });
  origin.on('error', () => socket.end('down\n'));
  socket.on('close', () => origin.destroy());
};

/** Holds a connection, and opens the next one when it is taken. */
async function connector(serve: Serve = pipes, next: Serve | null = serve, number?: number): Promise<net.Socket> {
  const { socket, said } = await greet(`${JSON.stringify({ token, connector: 'c1', number })}\n`);
  expect(said).toBe('ok');
  void line(socket).then((service) => {
    if (next) {
      void connector(next);
    }
    serve(socket, service);
  });
  return socket;
}

/** An origin of one's own. @returns its URL */
async function origin(listener: http.RequestListener): Promise<string> {
  const server = http.createServer(listener);
  origins.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

const origins: http.Server[] = [];
afterEach(() => origins.splice(0).forEach((server) => server.close().closeAllConnections()));

describe('a request that is passed on', () => {
  test('reaches the origin as it was sent, with what Cloudflare adds', async () => {
    const phoenix = await site(() => ({ status: 201, headers: { 'set-cookie': ['a=1', 'b=2'], 'x-own': 'yes', server: 'uvicorn' }, body: 'done' }));
    view.services[page] = phoenix.url;
    await connector();

    const answer = await post(page, '{"spans":[]}', {
      'content-type': 'application/json', 'x-forwarded-for': '203.0.113.9', 'cf-connecting-ip': '203.0.113.10',
      'cf-access-client-id': 'id.access', 'cf-access-client-secret': 'secret', te: 'trailers',
    });

    expect(answer).toMatchObject({ status: 201, body: 'done', headers: { 'set-cookie': ['a=1', 'b=2'], 'x-own': 'yes', server: 'cloudflare' } });
    expect(phoenix.requests).toHaveLength(1);
    expect(phoenix.requests[0]).toMatchObject({
      method: 'POST',
      url: '/v1/traces',
      body: '{"spans":[]}',
      headers: {
        host: page, 'content-type': 'application/json', 'cf-access-client-id': 'id.access',
        'x-forwarded-for': '203.0.113.9, 127.0.0.1', 'x-forwarded-proto': 'https', 'cf-connecting-ip': '127.0.0.1', 'cf-ray': answer.headers['cf-ray'],
      },
    });
    expect(phoenix.requests[0]?.headers).not.toHaveProperty('cf-access-client-secret');
    expect(phoenix.requests[0]?.headers).not.toHaveProperty('te');
    expect(edge.counts()).toEqual({ [page]: { normal: 1 } });
  });

  test('is shown to Access with its path, without the query, and with the name of the host alone', async () => {
    view.services[page] = (await site(() => ({}))).url;
    await connector();

    await get(page, '/v1/projects?limit=1', { headers: { host: `${page.toUpperCase()}:443`, 'cf-access-client-secret': 'secret' } });

    expect(view.asked).toMatchObject([{ hostname: page, path: '/v1/projects', headers: { 'cf-access-client-secret': 'secret' } }]);
  });

  test('keeps its query and needs no body', async () => {
    const phoenix = await site(() => ({ body: 'hello' }));
    view.services[page] = phoenix.url;
    await connector();

    expect(await get(page, '/projects?limit=1&x=%20')).toMatchObject({ status: 200, body: 'hello' });
    expect(await get(page, '/', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    expect(phoenix.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /projects?limit=1&x=%20', 'HEAD /']);
  });

  test('is streamed in both directions', async () => {
    view.services[page] = await origin((incoming, response) => {
      incoming.on('data', (chunk: Buffer) => response.write(`got ${chunk.toString()};`));
      incoming.on('end', () => response.end('end'));
    });
    await connector();

    const asked = request(page, '/', { method: 'POST' });
    asked.write('one');
    const [answer] = (await once(asked, 'response')) as [http.IncomingMessage];
    expect(String((await once(answer, 'data'))[0])).toBe('got one;');
    asked.write('two');
    expect(String((await once(answer, 'data'))[0])).toBe('got two;');
    asked.end();
    expect(String((await once(answer, 'data'))[0])).toBe('end');
    await once(answer, 'end');
  });

  test('may be long', async () => {
    const phoenix = await site(({ body }) => ({ body: body.repeat(2) }));
    view.services[page] = phoenix.url;
    await connector();
    const body = 'abcdefgh'.repeat(2_500_000);

    const answer = await post(page, body);

    expect(phoenix.requests[0]?.body === body).toBe(true);
    expect(answer.body === body.repeat(2)).toBe(true);
  });

  test('is answered by an origin that does not wait for the rest of it', async () => {
    view.services[page] = await origin((incoming, response) => {
      response.writeHead(413, { 'content-length': 6 }).write('enough');
      incoming.resume().on('end', () => response.end());
    });
    await connector();

    expect(await post(page, 'x'.repeat(20_000_000))).toMatchObject({ status: 413, body: 'enough' });
  });

  test('goes on one connection after another of a client that keeps it', async () => {
    const phoenix = await site(() => ({}));
    view.services[page] = phoenix.url;
    await connector();
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });

    const clientPorts = new Set<number | undefined>();
    for (const number of [1, 2, 3]) {
      const asked = request(page, `/${number}`, { agent });
      asked.on('socket', (socket) => socket.on('connect', () => clientPorts.add(socket.localPort)));
      await answerTo(asked.end());
    }
    agent.destroy();

    expect(phoenix.requests).toHaveLength(3);
    expect(clientPorts.size).toBe(1);
  });

  test('waits while all connections are in use', async () => {
    const held: http.ServerResponse[] = [];
    view.services[page] = await origin((_, response) => held.push(response));
    await connector(pipes, null);

    const first = get(page);
    await until(() => held.length === 1);
    const second = get(page);
    await until(() => view.asked.length === 2);
    await connector();
    await until(() => held.length === 2);
    held.forEach((response, index) => response.end(String(index)));

    expect((await first).body + (await second).body).toBe('01');
  });

  test('ends at the origin when the client goes away', async () => {
    let gone = false;
    let came = false;
    view.services[page] = await origin((_, response) => {
      came = true;
      response.on('close', () => (gone = true));
    });
    await connector();

    const asked = request(page);
    asked.end();
    await until(() => came);
    asked.destroy();

    await until(() => gone);
  });
});

describe('a body that is too large', () => {
  test('is refused by its length, before the origin hears of it', async () => {
    const phoenix = await site(() => ({}));
    view.services[page] = phoenix.url;
    await connector();

    const asked = request(page, '/', { method: 'POST', headers: { 'content-length': largestBody + 1 } });
    asked.flushHeaders();

    const [answer] = (await once(asked, 'response')) as [http.IncomingMessage];
    expect(answer).toMatchObject({ statusCode: 413, headers: { 'content-type': expect.stringContaining('text/html') as string, connection: 'close' } });
    asked.destroy();
    expect(phoenix.requests).toEqual([]);
  });

  test('is cut off where it passes the limit when it does not tell its length', async () => {
    let received = 0;
    let whole = false;
    let closed = false;
    view.services[page] = await origin((incoming, response) => {
      incoming.on('data', (chunk: Buffer) => (received += chunk.length));
      incoming.on('end', () => (whole = true));
      response.on('close', () => (closed = true));
    });
    await connector();

    const asked = request(page, '/', { method: 'POST' });
    const chunk = Buffer.alloc(1_000_000);
    for (let sent = 0; sent <= largestBody; sent += chunk.length) {
      if (!asked.write(chunk)) {
        await once(asked, 'drain');
      }
    }
    const [answer] = (await once(asked, 'response')) as [http.IncomingMessage];

    expect(answer.statusCode).toBe(413);
    asked.destroy();
    await until(() => closed);
    expect(whole).toBe(false);
    expect(received).toBeLessThanOrEqual(largestBody);
  });

  test('passes when it is just as large as it may be', async () => {
    let received = 0;
    view.services[page] = await origin((incoming, response) => {
      incoming.on('data', (chunk: Buffer) => (received += chunk.length));
      incoming.on('end', () => response.end());
    });
    await connector();

    expect(await post(page, Buffer.alloc(largestBody))).toMatchObject({ status: 200 });
    expect(received).toBe(largestBody);
  });
});

describe('a request that leads nowhere', () => {
  const html = { 'content-type': 'text/html; charset=UTF-8', server: 'cloudflare', 'cf-ray': expect.stringMatching(/^[0-9a-f]{16}-LAB$/) as string };

  test('without a record', async () => {
    expect(await get(page)).toMatchObject({ status: 530, body: expect.stringContaining('error code: 1016') as string, headers: html });
  });

  test('without a rule that has a service', async () => {
    view.services[page] = 'http_status:404';

    expect(await get(page)).toMatchObject({ status: 404, headers: html });
  });

  test('without a connector', async () => {
    view.services[page] = (await site(() => ({}))).url;

    expect(await get(page)).toMatchObject({ status: 530, body: expect.stringContaining('error code: 1033') as string, headers: html });
  });

  test('with an origin where nobody listens', async () => {
    view.services[page] = await nobody();
    await connector();

    expect(await post(page, 'x'.repeat(1_000_000))).toMatchObject({ status: 502, body: expect.stringContaining('Unable to reach the origin service') as string, headers: html });
  });

  test('with a service that this edge does not do', async () => {
    view.services[page] = 'https://phoenix:6006';
    await connector();

    expect(await get(page)).toMatchObject({ status: 502, body: expect.stringContaining('http services only, not to https') as string });
  });
});

describe('Access', () => {
  test('sends who has to log in to a page that answers 200, as a client that follows sees it', async () => {
    const phoenix = await site(() => ({}));
    view.services[page] = phoenix.url;
    view.verdict = 'login';
    await connector();

    const { status, headers } = await post(page, '{}');
    const location = new URL(headers.location ?? '');

    expect(status).toBe(302);
    expect(location.href).toBe(`https://${team}.cloudflareaccess.com${loginPath}${page}?redirect_url=%2Fv1%2Ftraces`);
    expect(await get(location.hostname, location.pathname + location.search)).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=UTF-8' } });
    expect(phoenix.requests).toEqual([]);
  });

  test('refuses a machine that shows no valid token', async () => {
    const phoenix = await site(() => ({}));
    view.services[page] = phoenix.url;
    view.verdict = 'unauthorized';
    await connector();

    expect(await post(page, '{}')).toMatchObject({ status: 401, headers: { 'content-type': 'text/html; charset=UTF-8' } });
    expect(phoenix.requests).toEqual([]);
  });
});

describe('a mode', () => {
  test.each(modes.filter((mode) => Number(mode)))('%s is the answer, and nothing reaches the origin', async (mode) => {
    const phoenix = await site(() => ({}));
    view.services[page] = phoenix.url;
    view.services[other] = phoenix.url;
    await connector();

    edge.setMode(page, mode);
    expect(await post(page, 'x'.repeat(1_000_000))).toMatchObject({ status: Number(mode), headers: { 'content-type': 'text/html; charset=UTF-8' } });
    expect(await get(page)).toMatchObject({ status: Number(mode) });
    expect(phoenix.requests).toEqual([]);
    expect(edge.counts()).toEqual({ [page]: { [mode]: 2 } });

    expect(await get(other)).toMatchObject({ status: 200 });
    edge.setMode(page, 'normal');
    expect(await get(page)).toMatchObject({ status: 200 });
    expect(edge.counts()).toEqual({ [page]: { [mode]: 2, normal: 1 }, [other]: { normal: 1 } });
  });

  test('a firewall refuses what a request holds, and an empty one goes on', async () => {
    const phoenix = await site(() => ({}));
    view.services[page] = phoenix.url;
    await connector();

    edge.setMode(page, 'firewall');
    expect(await post(page, '{}')).toMatchObject({ status: 403 });
    expect(phoenix.requests).toEqual([]);
    expect([await post(page, ''), await get(page)]).toMatchObject([{ status: 200 }, { status: 200 }]);
  });

  test('nothing cuts the connection without an answer', async () => {
    const phoenix = await site(() => ({}));
    view.services[page] = phoenix.url;
    await connector();

    edge.setMode(page, 'nothing');

    await expect(post(page, '{}')).rejects.toThrow('socket hang up');
    expect(phoenix.requests).toEqual([]);
    expect(edge.counts()).toEqual({ [page]: { nothing: 1 } });
  });

  test('nothing cuts what is under way, and leaves other hostnames alone', async () => {
    const held: http.ServerResponse[] = [];
    const gone: string[] = [];
    const url = await origin((incoming, response) => {
      held.push(response);
      response.on('close', () => gone.push(String(incoming.headers.host)));
    });
    Object.assign(view.services, { [page]: url, [other]: url });
    await connector();
    await connector();

    const [cut, kept] = [expect(get(page)).rejects.toThrow('socket hang up'), get(other)];
    await until(() => held.length === 2);
    edge.setMode(page.toUpperCase(), 'nothing');
    await cut;
    await until(() => gone.length === 1);
    expect(gone).toEqual([page]);
    held.forEach((response) => response.end('here'));

    expect(await kept).toMatchObject({ status: 200, body: 'here' });
    expect(edge.counts()).toEqual({ [page]: { nothing: 1 }, [other]: { normal: 1 } });
  });

  test('counts from nothing again', async () => {
    edge.setMode(page, '403' satisfies Mode);
    await get(page);
    const before = edge.counts();
    edge.forget();
    await get(page);
    await get(page);

    expect(before).toEqual({ [page]: { 403: 1 } });
    expect(edge.counts()).toEqual({ [page]: { 403: 2 } });
  });
});

describe('a connector', () => {
  test.each([['another token', '{"token":"no","connector":"c1"}\n'], ['no token', '{}\n'], ['no JSON', 'GET / HTTP/1.1\n'], ['no object', 'null\n']])('with %s is refused', async (_, greeting) => {
    const { socket, said } = await greet(greeting);

    expect(said).toBe('refused');
    await once(socket.resume(), 'close');
    expect(view.standing).toEqual({});
  });

  test('that greets with more than a greeting is hung up on', async () => {
    const socket = net.connect(ports.connectors, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.write('x'.repeat(20_000));

    await once(socket, 'close');
  });

  test('is counted with all its connections, and missed when it is gone', async () => {
    view.services[page] = (await site(() => ({}))).url;
    const connections = [await connector(), await connector()];
    expect(view.standing).toEqual({ [tunnelId]: 2 });

    connections[0]?.destroy();
    await until(() => view.standing[tunnelId] === 1);
    expect(await get(page)).toMatchObject({ status: 200 });

    sockets.forEach((socket) => socket.destroy());
    await until(() => view.standing[tunnelId] === 0);
    expect(await get(page)).toMatchObject({ status: 530 });
  });

  test('that goes away before it has heard of the request leaves it to another', async () => {
    const phoenix = await site(() => ({}));
    view.services[page] = phoenix.url;
    await connector((socket) => socket.destroy(), null);
    await connector();

    expect(await post(page, '{}')).toMatchObject({ status: 200 });
    expect(phoenix.requests).toHaveLength(1);
  });

  test('that opens a connection again has lost the one before', async () => {
    const phoenix = await site(() => ({}));
    view.services[page] = phoenix.url;
    const lost = await connector(() => undefined, null, 1);
    const kept = await connector(pipes, null, 2);
    await connector(pipes, null, 1);

    await once(lost, 'close');
    await until(() => view.standing[tunnelId] === 2);
    expect(kept.destroyed).toBe(false);
    expect(await get(page)).toMatchObject({ status: 200 });
  });

  test('that opens a connection again keeps the one before while it is in use', async () => {
    const waiting: http.ServerResponse[] = [];
    view.services[page] = await origin((_, response) => waiting.push(response));
    await connector(pipes, null, 1);
    const answer = get(page);
    await until(() => waiting.length === 1);
    await connector(pipes, null, 1);
    waiting[0]?.end('here');

    expect(await answer).toMatchObject({ status: 200, body: 'here' });
  });

  test('that says nothing when it is told of a service is given up', async () => {
    await edge.close();
    await openEdge({ silenceMs: 100 });
    view.services[page] = (await site(() => ({}))).url;
    await connector(() => undefined, null);

    expect(await post(page, '{}')).toMatchObject({ status: 530 });
    await until(() => view.standing[tunnelId] === 0);
  });

  test('that goes away, with no other there, ends the tunnel', async () => {
    view.services[page] = (await site(() => ({}))).url;
    await connector((socket) => socket.destroy(), null);

    expect(await post(page, '{}')).toMatchObject({ status: 530 });
  });

  test('that goes away with all connections in use ends the wait for one', async () => {
    const held: http.ServerResponse[] = [];
    view.services[page] = await origin((_, response) => held.push(response));
    const connection = await connector(pipes, null);
    const first = get(page);
    await until(() => held.length === 1);
    const second = get(page);
    await until(() => view.asked.length === 2);

    connection.destroy();

    expect([(await first).status, (await second).status]).toEqual([502, 530]);
  });

  test('that dies while the origin works on the answer makes it a 502', async () => {
    const phoenix = await site(() => ({}));
    view.services[page] = phoenix.url;
    await connector((socket) => {
      socket.write('up\n');
      socket.resume().once('data', () => socket.destroy());
    });

    expect(await post(page, 'x'.repeat(1_000_000))).toMatchObject({ status: 502, headers: { 'content-type': 'text/html; charset=UTF-8' } });
  });

  test('that dies in the middle of an answer cuts the client off', async () => {
    const begun: http.ServerResponse[] = [];
    view.services[page] = await origin((_, response) => {
      response.write('half');
      begun.push(response);
    });
    const connection = await connector();

    const asked = request(page).end();
    const [answer] = (await once(asked, 'response')) as [http.IncomingMessage];
    await once(answer, 'data');
    connection.destroy();

    await expect(once(answer, 'end')).rejects.toThrow('aborted');
  });
});
