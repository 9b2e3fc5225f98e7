import { spawnSync } from 'node:child_process';
import * as net from 'node:net';
import * as path from 'node:path';
import { at } from '../../engine';
import { from, run, type Interpreter } from '../../provider/container-reach';
import type { Reach } from '../../provider/reach';
import { carried, complaining, execEngine, frame, nothingRuns, ran, refused, upgraded, type ExecEngine, type Start } from '../support/exec-engine';
import { fakeEngine } from '../support/fake-engine';
import { tempDir } from '../support/temp';
import { nobody, site } from '../support/web';

const mockPatience = { ms: 10_000 };
jest.mock('../../provider/reach', () => ({
  ...jest.requireActual<object>('../../provider/reach'),
  get patience() {
    return mockPatience.ms;
  },
}));

const open: Reach[] = [];
afterEach(() => {
  open.splice(0).forEach((reach) => reach.close());
  mockPatience.ms = 10_000;
});

/** From inside `phoenix-dev` of an engine that starts commands like this. */
async function inside(start?: Start, { container = 'phoenix-dev', interpreter }: { container?: string; interpreter?: Interpreter } = {}): Promise<{ reach: Reach; engine: ExecEngine }> {
  const engine = await execEngine(start);
  const reach = from(engine.engine, container, interpreter);
  open.push(reach);
  return { reach, engine };
}

/** A server that answers every connection's first request by hand. */
async function byHand(answer: (socket: net.Socket) => void): Promise<string> {
  const server = net.createServer((socket) => void socket.once('data', () => answer(socket)).on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}
const servers: net.Server[] = [];
afterAll(() => servers.forEach((server) => server.close()));

describe('a question', () => {
  test('is asked as it was put, and the answer is given as it came', async () => {
    const { reach } = await inside();
    const { url, requests } = await site(({ method }) => (method === 'POST' ? { status: 201, body: { made: 'ü' } } : { body: 'ready' }));
    expect(await reach.ask(`${url}/readyz?a=b`)).toEqual({ status: 200, text: 'ready' });
    expect(await reach.ask(`${url}/v1/traces`, { method: 'POST', headers: { authorization: 'Bearer x' }, body: '{"a":"ü"}' })).toEqual({ status: 201, text: '{"made":"ü"}' });
    expect(requests).toMatchObject([
      { method: 'GET', url: '/readyz?a=b', body: '' },
      { method: 'POST', url: '/v1/traces', body: '{"a":"ü"}', headers: { authorization: 'Bearer x', 'content-length': '10' } },
    ]);
  });

  test('a redirect is an answer', async () => {
    const { reach } = await inside();
    const elsewhere = await site(() => ({}));
    const { url } = await site(() => ({ status: 302, headers: { location: elsewhere.url }, body: 'moved' }));
    expect(await reach.ask(url)).toEqual({ status: 302, text: 'moved' });
    expect(elsewhere.requests).toEqual([]);
  });

  test('is sent by a process in the container of which the arguments hold the address and no secret', async () => {
    const { reach, engine } = await inside();
    const { url } = await site(() => ({}));
    await reach.ask(`${url}/secret-path`, { method: 'POST', headers: { authorization: 'Bearer secret-token' }, body: 'secret-body' });
    expect(engine.execs).toEqual([
      {
        container: 'phoenix-dev',
        body: { AttachStdin: true, AttachStdout: true, AttachStderr: true, Cmd: ['python3', '-c', expect.any(String), '127.0.0.1', new URL(url).port] },
      },
    ]);
    expect(engine.starts).toEqual([{ Detach: false, Tty: false }]);
    expect(JSON.stringify([engine.execs, engine.starts])).not.toMatch(/secret/);
  });
});

describe('a connection', () => {
  test('serves one question after the other, and those that come at once', async () => {
    const { reach, engine } = await inside();
    const { url, requests } = await site(({ url: asked }) => ({ body: asked }));
    expect(await reach.ask(`${url}/1`)).toEqual({ status: 200, text: '/1' });
    expect(await Promise.all([reach.ask(`${url}/2`), reach.ask(`${url}/3`)])).toEqual([{ status: 200, text: '/2' }, { status: 200, text: '/3' }]);
    expect(requests.map((request) => request.url)).toEqual(['/1', '/2', '/3']);
    expect(engine.execs).toHaveLength(1);
  });

  test('leads to one address', async () => {
    const { reach, engine } = await inside();
    const [alloy, phoenix] = [await site(() => ({ body: 'alloy' })), await site(() => ({ body: 'phoenix' }))];
    expect([(await reach.ask(alloy.url)).text, (await reach.ask(phoenix.url)).text]).toEqual(['alloy', 'phoenix']);
    expect(engine.execs.map(({ body }) => body.Cmd.at(-1))).toEqual([alloy, phoenix].map(({ url }) => new URL(url).port));
  });

  test('that the server has ended is made anew', async () => {
    const { reach, engine } = await inside();
    const url = await byHand((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
    expect(await reach.ask(url)).toEqual({ status: 200, text: 'ok' });
    await engine.ended();
    expect(await reach.ask(url)).toEqual({ status: 200, text: 'ok' });
    expect(engine.execs).toHaveLength(2);
  });

  test('ends with close', async () => {
    const { reach, engine } = await inside();
    const { url } = await site(() => ({}));
    await reach.ask(url);
    reach.close();
    await engine.ended();
  });
});

describe('bytes on the way', () => {
  const large = 'x'.repeat(3_000_000);

  test('an answer that ends with its connection', async () => {
    const { reach } = await inside();
    const url = await byHand((socket) => socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${large}`));
    expect(await reach.ask(url)).toEqual({ status: 200, text: large });
  });

  test('bodies larger than any buffer, both ways', async () => {
    const { reach } = await inside();
    const { url } = await site(({ body }) => ({ body }));
    expect(await reach.ask(url, { method: 'POST', body: large })).toEqual({ status: 200, text: large });
  });

  /** Pieces of these sizes, in turn. */
  const pieces = (...sizes: number[]) => (frames: Buffer): Buffer[] => {
    const cut: Buffer[] = [];
    for (let at = 0, turn = 0; at < frames.length; turn += 1) {
      const size = sizes[turn % sizes.length] ?? 1;
      cut.push(frames.subarray(at, at + size));
      at += size;
    }
    return cut;
  };
  const text = Array.from({ length: 400 }, (_, line) => `line ${line} ü`).join('\n');

  test.each<[string, (frames: Buffer) => Buffer[]]>([
    ['byte by byte', pieces(1)],
    ['in the middle of a header', pieces(3)],
    ['between header and content', pieces(8, 100_000)],
    ['at odd places', pieces(7, 1, 9, 1000, 2)],
    ['not at all, many small frames at once', (frames) => [Buffer.concat(pieces(5)(frames.subarray(8)).map((part) => frame(1, part)))]],
    ['with empty frames between', (frames) => [Buffer.concat([frame(1, ''), frames, frame(1, '')])]],
  ])('frames that are cut %s', async (_, cut) => {
    const { reach } = await inside(carried(cut));
    const { url } = await site(({ body }) => ({ body: `${text}${body}` }));
    expect(await reach.ask(url, { method: 'POST', body: '1' })).toEqual({ status: 200, text: `${text}1` });
    expect(await reach.ask(url, { method: 'POST', body: '2' })).toEqual({ status: 200, text: `${text}2` });
  });
});

describe('no answer', () => {
  test.each<[string, string[], string]>([
    ['a complaint', ['connection refused\n'], 'connection refused'],
    ['in two pieces', ['connection ', 'refused\n'], 'connection refused'],
    ['a long one, of which the last line says it', ['Traceback (most recent call last):\n  File "<string>", line 4\n', 'OSError: [Errno 113] No route to host\n\n'], 'OSError: [Errno 113] No route to host'],
  ])('from the command: %s', async (_, words, text) => {
    const { reach } = await inside(complaining(...words));
    expect(await reach.ask('http://phoenix:6006/readyz')).toEqual({ status: 0, text });
  });

  test('a command that ends without a word', async () => {
    const { reach } = await inside(complaining());
    expect(await reach.ask('http://phoenix:6006/readyz')).toEqual({ status: 0, text: 'socket hang up' });
  });

  test('no such container', async () => {
    const { reach, engine } = await inside(undefined, { container: 'phoenix-prod' });
    expect(await reach.ask('http://phoenix:6006/readyz')).toEqual({ status: 0, text: 'container phoenix-prod: No such container: phoenix-prod' });
    expect(engine.starts).toEqual([]);
  });

  test('one that cannot run it', async () => {
    const { reach } = await inside(refused(409, '{"message":"Container phoenix-dev is paused, unpause the container before exec"}'));
    expect(await reach.ask('http://phoenix:6006/readyz')).toEqual({ status: 0, text: 'Container phoenix-dev is paused, unpause the container before exec' });
  });

  test('no engine', async () => {
    const socket = path.join(tempDir(), 'none.sock');
    expect(await from(at(`unix://${socket}`), 'phoenix-dev').ask('http://phoenix:6006/')).toEqual({ status: 0, text: `connect ENOENT ${socket}` });
    expect(await from(at((await nobody()).replace('http:', 'tcp:')), 'phoenix-dev').ask('http://phoenix:6006/')).toEqual({ status: 0, text: 'connection refused' });
    expect(await from(at('ftp://engine'), 'phoenix-dev').ask('http://phoenix:6006/')).toEqual({ status: 0, text: 'cannot speak to a Docker Engine at ftp://engine' });
  });

  test.each<[string, Start]>([
    ['the command', (socket) => void socket.write(upgraded)],
    ['the server in the middle of it', (socket) => void socket.write(Buffer.concat([Buffer.from(upgraded), frame(1, 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal')]))],
  ])('%s falls silent: it is ended', async (_, start) => {
    mockPatience.ms = 100;
    const { reach, engine } = await inside(start);
    expect(await reach.ask('http://phoenix:6006/readyz')).toEqual({ status: 0, text: 'no answer within 0.1 s' });
    await engine.ended();
  });

  test('the engine falls silent when it is asked for the command', async () => {
    mockPatience.ms = 100;
    const { engine } = await fakeEngine({ '/containers/phoenix-dev/exec': 'silence' });
    expect(await from(engine, 'phoenix-dev').ask('http://phoenix:6006/readyz')).toEqual({ status: 0, text: expect.stringMatching(/^no answer within /) });
  });

  test('the engine falls silent when it is to start the command', async () => {
    mockPatience.ms = 100;
    const { reach } = await inside(() => {});
    expect(await reach.ask('http://phoenix:6006/readyz')).toEqual({ status: 0, text: expect.stringMatching(/^no answer within /) });
  });

  test('after one the next question is asked all the same', async () => {
    let tries = 0;
    const { reach } = await inside((socket, cmd) => ((tries += 1) === 1 ? complaining('connection refused\n') : carried())(socket, cmd));
    const { url } = await site(() => ({ body: 'up now' }));
    expect(await reach.ask(url)).toEqual({ status: 0, text: 'connection refused' });
    expect(await reach.ask(url)).toEqual({ status: 200, text: 'up now' });
  });
});

describe('a command that is run to its end', () => {
  const says = (...pieces: Buffer[]): Start => (socket) => void socket.end(Buffer.concat([Buffer.from(upgraded), ...pieces]));

  test('as it is given', async () => {
    const engine = await execEngine(says(frame(1, 'done\n')));
    await expect(run(engine.engine, 'phoenix-dev', ['rm', '-f', '/tmp/a b'])).resolves.toBeUndefined();
    expect(engine.execs).toMatchObject([{ container: 'phoenix-dev', body: { Cmd: ['rm', '-f', '/tmp/a b'] } }]);
    await engine.ended();
  });

  test.each<[string, Buffer[], string]>([
    ['without a word', [], 'container phoenix-dev: rm /x ended with 3'],
    ['with words', [frame(1, 'not '), frame(1, 'today\n')], 'container phoenix-dev: rm /x ended with 3 not today'],
    ['with a complaint', [frame(2, 'rm: cannot remove /x: Read-only file system\n')], 'rm: cannot remove /x: Read-only file system'],
  ])('and fails %s', async (_, pieces, message) => {
    const { engine } = await execEngine(says(...pieces), { exitCode: 3 });
    await expect(run(engine, 'phoenix-dev', ['rm', '/x'])).rejects.toThrow(new Error(message));
  });

  test('for so many seconds and no longer', async () => {
    const engine = await execEngine((socket) => void socket.write(Buffer.concat([Buffer.from(upgraded), frame(1, 'soon')])));
    await expect(run(engine.engine, 'phoenix-dev', ['rm', '/x'], 0.05)).rejects.toThrow(new Error('container phoenix-dev: rm /x did not end within 0.05 s'));
    await engine.ended();
  });

  test('in a container that is not there', async () => {
    const { engine } = await execEngine();
    await expect(run(engine, 'phoenix-prod', ['rm', '/x'])).rejects.toThrow(new Error('container phoenix-prod: No such container: phoenix-prod'));
  });
});

// In the images it is Phoenix's own Python, and the bash of nginx's; elsewhere a machine may have none.
describe.each<[Interpreter, unknown]>([
  ['python3', 'connection refused'],
  ['bash', expect.stringMatching(/: Connection refused$/)],
])('the command itself, for %s', (interpreter, refusal) => {
  const it = spawnSync(interpreter, ['-c', '']).status === 0 ? test : test.skip;
  const large = 'x'.repeat(3_000_000);

  it('carries both ways what is larger than any buffer, and stays for the next question', async () => {
    const { reach, engine } = await inside(ran, { interpreter });
    const { url } = await site(({ body }) => ({ body }));
    expect(await reach.ask(url, { method: 'POST', body: large })).toEqual({ status: 200, text: large });
    expect(await reach.ask(url, { method: 'POST', body: 'again' })).toEqual({ status: 200, text: 'again' });
    expect(engine.execs.map(({ body }) => body.Cmd)).toEqual([[interpreter, '-c', expect.any(String), '127.0.0.1', new URL(url).port]]);
  });

  it('ends with a server that ends, without a complaint and with all that it has said', async () => {
    const { reach } = await inside(ran, { interpreter });
    const url = await byHand((socket) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${large}`));
    expect(await reach.ask(url)).toEqual({ status: 200, text: large });
    await nothingRuns();
  });

  it('ends with who asked, whatever the server does', async () => {
    const { reach } = await inside(ran, { interpreter });
    const url = await byHand((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
    expect(await reach.ask(url)).toEqual({ status: 200, text: 'ok' });
    reach.close();
    await nothingRuns();
  });

  it('says that nobody listens, and ends', async () => {
    const { reach } = await inside(ran, { interpreter });
    expect(await reach.ask(await nobody())).toEqual({ status: 0, text: refusal });
    await nothingRuns();
  });
});
