import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Duplex } from 'node:stream';
import { engineGet, engineHost, engineMessage, engineRequest, engineStream } from '../../components/engine';
import { execEngine, refused, upgraded, type ExecEngine, type Start } from '../support/exec-engine';
import { current, fakeEngine } from '../support/fake-engine';
import { tempDir } from '../support/temp';

jest.mock('node:http', () => {
  const actual = jest.requireActual<typeof http>('node:http');
  return { ...actual, request: jest.fn(actual.request) };
});
jest.mock('node:child_process', () => ({ ...jest.requireActual<object>('node:child_process'), spawn: jest.fn() }));

/** Long enough for any machine: it only ends a test that would hang. */
const patience = 20_000;
const hasIpv6 = Object.values(os.networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

describe('engineHost', () => {
  const before = process.env['DOCKER_HOST'];
  afterEach(() => {
    if (before === undefined) {
      delete process.env['DOCKER_HOST'];
    } else {
      process.env['DOCKER_HOST'] = before;
    }
  });

  test.each([
    ['the setting', 'tcp://a:1', 'tcp://b:2', 'tcp://a:1'],
    ['then DOCKER_HOST', undefined, 'tcp://b:2', 'tcp://b:2'],
    ['an empty DOCKER_HOST is none', undefined, '', 'unix:///var/run/docker.sock'],
    ['then the local socket', undefined, undefined, 'unix:///var/run/docker.sock'],
  ])('%s', (_, setting, variable, host) => {
    if (variable === undefined) {
      delete process.env['DOCKER_HOST'];
    } else {
      process.env['DOCKER_HOST'] = variable;
    }
    expect(engineHost(setting)).toBe(host);
  });
});

describe('a request', () => {
  test.each(['unix', 'tcp', ...(hasIpv6 ? (['tcp6'] as const) : [])] as const)('over %s is answered', async (over) => {
    const engine = await fakeEngine({ ...current, '/_ping': { status: 200, body: 'OK' } }, over);
    expect(await engineGet(engine.host, '/version', patience)).toEqual({ ApiVersion: '1.51', Version: '28.3.0' });
    expect(await engineRequest(engine.host, 'GET', '/_ping')).toEqual({ status: 200, body: Buffer.from('OK') });
    expect(engine.requests.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['GET', '/version', ''],
      ['GET', '/_ping', ''],
    ]);
  });

  test.each([
    ['an object', { Cmd: ['a', 'ü'] }, 'application/json', '{"Cmd":["a","ü"]}', '18'],
    ['a buffer', Buffer.from('tar'), 'application/x-tar', 'tar', '3'],
  ])('with %s', async (_, body, type, text, length) => {
    const engine = await fakeEngine({ '/exec': { status: 201, body: '{}' } });
    expect(await engineRequest(engine.host, 'POST', '/exec', { body, timeoutMs: patience })).toEqual({ status: 201, body: Buffer.from('{}') });
    expect(engine.requests).toMatchObject([{ method: 'POST', url: '/exec', body: text, headers: { 'content-type': type, 'content-length': length } }]);
  });

  test('to a socket with odd characters in its path', async () => {
    const engine = await fakeEngine(current);
    const odd = path.join(tempDir(), 'a b%41.sock');
    fs.symlinkSync(engine.socket, odd);
    expect(await engineGet(`unix://${odd}`, '/containers/json')).toEqual([]);
  });

  test('to a named pipe of Windows', async () => {
    await engineRequest('npipe:////./pipe/docker_engine', 'GET', '/').catch(() => undefined);
    expect(http.request).toHaveBeenLastCalledWith(expect.objectContaining({ socketPath: '\\\\.\\pipe\\docker_engine' }), expect.anything());
  });

  test('to TCP without a port goes to 2375', async () => {
    jest.mocked(http.request).mockImplementationOnce(() => {
      throw new Error('not sent');
    });
    await expect(engineRequest('tcp://engine.example', 'GET', '/')).rejects.toThrow('not sent');
    expect(http.request).toHaveBeenLastCalledWith(expect.objectContaining({ host: 'engine.example', port: 2375 }), expect.anything());
  });
});

describe('an error', () => {
  test("of the engine is told in the engine's words", async () => {
    const engine = await fakeEngine({ '/x': { status: 409, body: '{"message":"name is in use"}' }, '/y': { status: 502, body: '<html>' } });
    await expect(engineGet(engine.host, '/x')).rejects.toThrow(new Error('name is in use'));
    await expect(engineGet(engine.host, '/y')).rejects.toThrow(new Error('status 502: <html>'));
    // Only engineGet judges the status.
    expect((await engineRequest(engine.host, 'GET', '/x')).status).toBe(409);
    expect(engineMessage({ status: 500, body: Buffer.from('x'.repeat(300)) })).toBe(`status 500: ${'x'.repeat(200)}`);
  });

  test('no socket', async () => {
    const socket = path.join(tempDir(), 'none.sock');
    await expect(engineGet(`unix://${socket}`, '/version')).rejects.toThrow(new Error(`connect ENOENT ${socket}`));
  });

  test('nobody listens', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    await expect(engineGet(`tcp://127.0.0.1:${port}`, '/version')).rejects.toThrow(new Error(`connect ECONNREFUSED 127.0.0.1:${port}`));
  });

  test.each(['silence', 'stall'] as const)('an engine in %s is given up', async (answer) => {
    const engine = await fakeEngine({ '/version': answer });
    await expect(engineGet(engine.host, '/version', 100)).rejects.toThrow(new Error('no answer within 100 ms'));
  });

  test('a scheme that no engine speaks', async () => {
    await expect(engineGet('ftp://engine', '/version')).rejects.toThrow(new Error('cannot speak to a Docker Engine at ftp://engine'));
  });
});

/** Asks for a command and starts it. */
async function started(start: Start, host?: (engine: ExecEngine) => string): Promise<Duplex> {
  const engine = await execEngine(start);
  const at = host?.(engine) ?? engine.host;
  await engineRequest(at, 'POST', '/containers/phoenix-dev/exec', { body: { Cmd: [] } });
  const stream = await engineStream(at, '/exec/0/start', { Detach: false, Tty: false }, 10_000);
  expect(engine.starts).toEqual([{ Detach: false, Tty: false }]);
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
    await expect(engineStream(`unix://${socket}`, '/exec/0/start', {}, 10_000)).rejects.toThrow(new Error(`connect ENOENT ${socket}`));
    await expect(engineStream('ftp://engine', '/exec/0/start', {}, 10_000)).rejects.toThrow(new Error('cannot speak to a Docker Engine at ftp://engine'));
  });

  test('an engine that hangs up', async () => {
    await expect(started((socket) => void socket.destroy())).rejects.toThrow(new Error('socket hang up'));
  });
});

describe('over ssh', () => {
  const actual = jest.requireActual<{ spawn: (command: string, args: string[], options: object) => ChildProcess }>('node:child_process');

  /** Runs this JavaScript where ssh would run. */
  const sshRuns = (script: string): void => {
    jest.mocked(spawn).mockImplementation(((_: string, __: string[], options: object) =>
      actual.spawn(process.execPath, ['-e', script], options)) as never);
  };
  const carries = (socket: string): void => sshRuns(`const s = require('net').connect(${JSON.stringify(socket)}); process.stdin.pipe(s); s.pipe(process.stdout);`);
  const commands = (): unknown[] => jest.mocked(spawn).mock.calls.map(([command, args]) => [command, ...args].join(' '));
  beforeEach(() => jest.mocked(spawn).mockClear());

  test('the engine is reached through the docker command there', async () => {
    const engine = await fakeEngine(current);
    carries(engine.socket);
    expect(await engineGet('ssh://me@host.example:2222', '/info', patience)).toEqual(current['/info']);
    expect(await engineGet('ssh://host.example', '/info', patience)).toEqual(current['/info']);
    expect(commands()).toEqual([
      'ssh -o BatchMode=yes -p 2222 -- me@host.example docker system dial-stdio',
      'ssh -o BatchMode=yes -- host.example docker system dial-stdio',
    ]);
  });

  test('what ssh complains of is the error', async () => {
    sshRuns(`process.stderr.write('ssh: connect to host host.example port 22: Connection refused\\n'); process.exitCode = 255;`);
    await expect(engineGet('ssh://me@host.example', '/info', patience)).rejects.toThrow(
      new Error('ssh: connect to host host.example port 22: Connection refused'),
    );
  });

  test('an end without a word', async () => {
    sshRuns('process.exitCode = 3;');
    await expect(engineGet('ssh://me@host.example', '/info', patience)).rejects.toThrow(new Error('ssh ended with 3'));
  });

  test('an answer larger than any buffer on the way', async () => {
    const engine = await fakeEngine({ '/logs': { status: 200, body: 'x'.repeat(3_000_000) } });
    carries(engine.socket);
    expect((await engineRequest('ssh://host.example', 'GET', '/logs', { timeoutMs: patience })).body).toHaveLength(3_000_000);
  });

  test('a stream goes both ways', async () => {
    const stream = await started(polite, ({ host }) => {
      carries(host.slice('unix://'.length));
      return 'ssh://host.example';
    });
    stream.write('hello');
    expect(await read(stream)).toBe('you said hello');
  });

  test('no ssh on this machine', async () => {
    jest.mocked(spawn).mockImplementation(((_: string, __: string[], options: object) => actual.spawn('/nowhere/ssh', [], options)) as never);
    await expect(engineGet('ssh://me@host.example', '/info', patience)).rejects.toThrow(new Error('spawn /nowhere/ssh ENOENT'));
  });
});
