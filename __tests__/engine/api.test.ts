import * as fs from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Duplex } from 'node:stream';
import { at, engineGet, engineMessage, engineRequest, engineStream, type Engine } from '../../engine';
import { execEngine, refused, upgraded, type Start } from '../support/exec-engine';
import { current, fakeEngine } from '../support/fake-engine';
import { pong, rawEngine, reply } from '../support/raw-engine';
import { tempDir } from '../support/temp';

jest.mock('node:http', () => {
  const actual = jest.requireActual<typeof http>('node:http');
  return { ...actual, request: jest.fn(actual.request) };
});
jest.mock('node:https', () => {
  const actual = jest.requireActual<typeof https>('node:https');
  return { ...actual, request: jest.fn(actual.request) };
});

/** Long enough for any machine: it only ends a test that would hang. */
const patience = 20_000;
const hasIpv6 = Object.values(os.networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

describe('a request', () => {
  test.each(['unix', 'tcp', ...(hasIpv6 ? (['tcp6'] as const) : [])] as const)('over %s is answered', async (over) => {
    const engine = await fakeEngine(current, over);
    expect(await engineGet(engine.engine, '/version', patience)).toEqual({ ApiVersion: '1.51', Version: '28.3.0' });
    expect(await engineRequest(engine.engine, 'GET', '/containers/json?all=1')).toEqual({ status: 200, body: Buffer.from('[]') });
    expect(engine.requests.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['GET', '/version', ''],
      ['GET', '/containers/json?all=1', ''],
    ]);
  });

  test.each([
    ['an object', { Cmd: ['a', 'ü'] }, 'application/json', '{"Cmd":["a","ü"]}', '18'],
    ['a buffer', Buffer.from('tar'), 'application/x-tar', 'tar', '3'],
  ])('with %s', async (_, body, type, text, length) => {
    const engine = await fakeEngine({ '/exec': { status: 201, body: '{}' } });
    expect(await engineRequest(engine.engine, 'POST', '/exec', { body, timeoutMs: patience })).toEqual({ status: 201, body: Buffer.from('{}') });
    expect(engine.requests).toMatchObject([{ method: 'POST', url: '/exec', body: text, headers: { 'content-type': type, 'content-length': length } }]);
  });

  test('to a socket with odd characters in its path', async () => {
    const engine = await fakeEngine(current);
    const odd = path.join(tempDir(), 'a b%41.sock');
    fs.symlinkSync(engine.socket, odd);
    expect(await engineGet(at(`unix://${odd}`), '/containers/json')).toEqual([]);
  });

  test('to a named pipe of Windows', async () => {
    await engineRequest(at('npipe:////./pipe/docker_engine'), 'GET', '/').catch(() => undefined);
    expect(http.request).toHaveBeenLastCalledWith(expect.objectContaining({ socketPath: '\\\\.\\pipe\\docker_engine' }), expect.anything());
  });

  test.each<[string, Engine, object]>([
    ['TCP goes to 2375', at('tcp://engine.example'), { host: 'engine.example', port: 2375 }],
    ['TLS goes to 2376', { host: 'tcp://engine.example', tls: { ca: 'a', cert: 'c', key: 'k' } }, { host: 'engine.example', port: 2376, ca: 'a', cert: 'c', key: 'k' }],
    ['an IPv6 address has no brackets', at('tcp://[2001:db8::1]:2377'), { host: '2001:db8::1', port: '2377' }],
  ])('without a port %s', async (_, engine, options) => {
    const sent = engine.tls ? https.request : http.request;
    jest.mocked(sent).mockImplementationOnce(() => {
      throw new Error('not sent');
    });
    await expect(engineRequest(engine, 'GET', '/')).rejects.toThrow('not sent');
    expect(sent).toHaveBeenLastCalledWith(expect.objectContaining(options), expect.anything());
  });
});

describe('an error', () => {
  test("of the engine is told in the engine's words", async () => {
    const engine = await fakeEngine({ '/x': { status: 409, body: '{"message":"name is in use"}' }, '/y': { status: 502, body: '<html>' } });
    await expect(engineGet(engine.engine, '/x')).rejects.toThrow(new Error('name is in use'));
    await expect(engineGet(engine.engine, '/y')).rejects.toThrow(new Error('status 502: <html>'));
    // Only engineGet judges the status.
    expect((await engineRequest(engine.engine, 'GET', '/x')).status).toBe(409);
    expect(engineMessage({ status: 500, body: Buffer.from('x'.repeat(300)) })).toBe(`status 500: ${'x'.repeat(200)}`);
    for (const body of ['{"error":"no"}', 'null', '[]', '{"message":7}', '']) {
      expect(engineMessage({ status: 502, body: Buffer.from(`${body}\n`) })).toBe(`status 502: ${body}`);
    }
  });

  test('no socket', async () => {
    const socket = path.join(tempDir(), 'none.sock');
    await expect(engineGet(at(`unix://${socket}`), '/version')).rejects.toThrow(new Error(`connect ENOENT ${socket}`));
  });

  test('nobody listens', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    await expect(engineGet(at(`tcp://127.0.0.1:${port}`), '/version')).rejects.toThrow(new Error(`connect ECONNREFUSED 127.0.0.1:${port}`));
  });

  test.each(['silence', 'stall'] as const)('an engine in %s is given up', async (answer) => {
    const engine = await fakeEngine({ '/version': answer });
    await expect(engineGet(engine.engine, '/version', 100)).rejects.toThrow(new Error('no answer within 100 ms'));
  });

  test.each(['silence', 'stall'] as const)('nor is one waited for that answers its first question with %s', async (answer) => {
    const { engine } = await fakeEngine({ '/_ping': answer });
    await expect(engineGet(engine, '/version', 100)).rejects.toThrow(new Error('no answer within 100 ms'));
  });

  test('a request without a limit of its own does not make the others wait for ever', async () => {
    const { engine } = await fakeEngine({ '/_ping': 'silence' });
    const timeout = jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => AbortSignal.abort());
    const both = await Promise.allSettled([engineRequest(engine, 'GET', '/events'), engineGet(engine, '/version', 100)]);
    expect([both.map(({ status }) => status), timeout.mock.calls]).toEqual([['rejected', 'rejected'], [[60_000]]]);
    timeout.mockRestore();
  });

  test.each([
    ['before its answer', '', 'socket hang up'],
    ['in the middle of it', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"Version"', 'aborted'],
    ['in the middle of a piece', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\n{"Version"', 'aborted'],
    ['with an answer of no protocol', 'SSH-2.0-OpenSSH_9.2\r\n', 'Parse Error: Expected HTTP/'],
  ])('an engine that dies %s', async (_, bytes, message) => {
    const engine = await rawEngine((socket, line) => void socket.end(line.startsWith('GET /_ping ') ? pong : bytes));
    await expect(engineGet(engine, '/version', patience)).rejects.toThrow(message);
  });

  test('no JSON', async () => {
    const { engine } = await fakeEngine({ '/version': { status: 200, body: '<html><title>Sign in</title>' } });
    await expect(engineGet(engine, '/version')).rejects.toThrow(new Error('its answer to /version is not JSON: <html><title>Sign in</title>'));
  });

  test('a scheme that no engine speaks', async () => {
    await expect(engineGet(at('ftp://engine'), '/version')).rejects.toThrow(new Error('cannot speak to a Docker Engine at ftp://engine'));
  });
});

describe('the version of the API', () => {
  const answering = (head: string, body = 'OK') => (socket: net.Socket, line: string): void =>
    // What was asked for is the answer to everything else.
    void socket.end(line.startsWith('GET /_ping ') ? reply(head, body) : reply('200 OK', JSON.stringify(line.split(' ')[1])));

  test.each([
    ['newer than this program', '1.99', '/v1.51/info'],
    ['newer by far', '2.0', '/v1.51/info'],
    ['the same', '1.51', '/v1.51/info'],
    ['of Docker 20.10', '1.41', '/v1.41/info'],
    ['with fewer digits, which is older all the same', '1.9', '/v1.9/info'],
  ])('of an engine: %s', async (_, offered, path) => {
    const engine = await rawEngine(answering(`200 OK\r\nApi-Version: ${offered}\r\nDocker-Experimental: false`));
    expect(await engineGet(engine, '/info')).toBe(path);
  });

  test.each([
    ['none: another server', '200 OK', '<html>\n', 'what answers there is not a Docker Engine (<html>)'],
    ['none, nor anything else', '200 OK', '', 'what answers there is not a Docker Engine (an empty answer)'],
    ['no number', '200 OK\r\nApi-Version: latest', 'OK', 'what answers there is not a Docker Engine (OK)'],
    ['a path in its place', '200 OK\r\nApi-Version: 1.41/../x', 'OK', 'what answers there is not a Docker Engine (OK)'],
    ['another server that moves on', '302 Found\r\nLocation: /login', '', 'what answers there is not a Docker Engine (an empty answer)'],
    ['credentials are asked for', '401 Unauthorized', 'authorization required\n', 'status 401: authorization required'],
    ['a plugin denies it', '403 Forbidden', '{"message":"authorization denied by plugin opa"}', 'authorization denied by plugin opa'],
    ['it fails itself', '500 Internal Server Error\r\nApi-Version: 1.51', '{"message":"still starting"}', 'still starting'],
  ])('%s', async (_, head, body, message) => {
    const engine = await rawEngine(answering(head, body));
    await expect(engineGet(engine, '/info', patience)).rejects.toThrow(new Error(message));
    await expect(engineStream(engine, '/exec/0/start', {}, patience)).rejects.toThrow(new Error(message));
  });

  test('is asked for once for each engine, however many ask at the same time', async () => {
    const lines: string[] = [];
    const listening = (socket: net.Socket, line: string): void => {
      lines.push(line);
      answering('200 OK\r\nApi-Version: 1.43')(socket, line);
    };
    const [one, other] = [await rawEngine(listening), await rawEngine(listening)];
    await Promise.all([engineGet(one, '/info'), engineGet(one, '/version'), engineGet(one, '/volumes')]);
    await engineGet({ ...one }, '/networks');
    await engineGet(other, '/info');
    expect(lines.map((line) => line.split(' ')[1]).sort()).toEqual(['/_ping', '/_ping', '/v1.43/info', '/v1.43/info', '/v1.43/networks', '/v1.43/version', '/v1.43/volumes']);
  });

  test('is asked for again of an engine that did not answer before', async () => {
    let tries = 0;
    const engine = await rawEngine((socket, line) => ((tries += 1) === 1 ? void socket.destroy() : answering('200 OK\r\nApi-Version: 1.43')(socket, line)));
    await expect(engineGet(engine, '/info')).rejects.toThrow('socket hang up');
    expect(await engineGet(engine, '/info')).toBe('/v1.43/info');
  });
});

describe('an answer that takes long', () => {
  test('is handed on piece by piece, as it comes', async () => {
    let go: () => void = () => {};
    const engine = await rawEngine((socket, line) => {
      if (line.startsWith('GET /_ping ')) {
        socket.end(pong);
        return;
      }
      socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n');
      go = () => void socket.end('6\r\nsecond\r\n0\r\n\r\n');
    });
    const pieces: string[] = [];
    const onData = (chunk: Buffer): void => {
      pieces.push(chunk.toString());
      // The second is not sent before the first has been handed on.
      go();
    };
    expect(await engineRequest(engine, 'POST', '/images/create', { onData, headers: { 'x-registry-auth': 'e30=' } })).toEqual({ status: 200, body: Buffer.from('') });
    expect(pieces).toEqual(['first', 'second']);
  });

  test('a refusal is an answer as always, and its text is at hand', async () => {
    const { engine, requests } = await fakeEngine({ '/images/create': { status: 404, body: '{"message":"manifest unknown"}' } });
    const onData = jest.fn();
    const answer = await engineRequest(engine, 'POST', '/images/create', { onData, headers: { 'x-registry-auth': 'e30=' } });
    expect([answer.status, engineMessage(answer), onData.mock.calls]).toEqual([404, 'manifest unknown', []]);
    expect(requests[0]?.headers).toMatchObject({ 'x-registry-auth': 'e30=' });
  });
});

/** Asks for a command and starts it. */
async function started(start: Start): Promise<Duplex> {
  const { engine, starts } = await execEngine(start);
  await engineRequest(engine, 'POST', '/containers/phoenix-dev/exec', { body: { Cmd: [] } });
  const stream = await engineStream(engine, '/exec/0/start', { Detach: false, Tty: false }, 10_000);
  expect(starts).toEqual([{ Detach: false, Tty: false }]);
  return stream;
}

/** Everything up to the end. */
async function read(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

/** A command that answers what it is told and ends. */
const polite: Start = (socket) => {
  socket.write(upgraded);
  socket.once('data', (chunk) => socket.end(`you said ${chunk.toString()}`));
};

describe('a stream', () => {
  test('goes both ways', async () => {
    const stream = await started(polite);
    stream.write('hello');
    expect(await read(stream)).toBe('you said hello');
  });

  test('begins with what came along with the agreement', async () => {
    expect(await read(await started((socket) => void socket.end(`${upgraded}in a hurry`)))).toBe('in a hurry');
  });

  test('that ends at once', async () => {
    expect(await read(await started((socket) => void socket.end(upgraded)))).toBe('');
  });

  test.each<[string, Start, string]>([
    ['in its own words', refused(409, '{"message":"container is paused"}'), 'container is paused'],
    ['in the words of something else', refused(502, '<html>'), 'status 502: <html>'],
    ['by an answer in place of a stream', refused(200, 'fine'), 'status 200: fine'],
  ])('that the engine refuses %s', async (_, start, message) => {
    await expect(started(start)).rejects.toThrow(new Error(message));
  });

  test('no engine', async () => {
    const socket = path.join(tempDir(), 'none.sock');
    await expect(engineStream(at(`unix://${socket}`), '/exec/0/start', {}, 10_000)).rejects.toThrow(new Error(`connect ENOENT ${socket}`));
    await expect(engineStream(at('ftp://engine'), '/exec/0/start', {}, 10_000)).rejects.toThrow(new Error('cannot speak to a Docker Engine at ftp://engine'));
  });

  test('an engine that hangs up', async () => {
    await expect(started((socket) => void socket.destroy())).rejects.toThrow(new Error('socket hang up'));
  });
});
