/**
 * A Docker Engine as far as `docker exec` goes. It speaks HTTP by hand: what Node's own server makes of a
 * body before an upgrade differs between its versions.
 */
import { spawn } from 'node:child_process';
import * as net from 'node:net';
import * as path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { at, type Engine } from '../../engine';
import { tempDir } from './temp';

export interface ExecEngine {
  /** Address as `docker:host` takes it. */
  readonly host: string;
  readonly engine: Engine;
  /** Every command it was asked for, in order. */
  readonly execs: readonly { readonly container: string; readonly body: { readonly Cmd: readonly string[] } & Record<string, unknown> }[];
  /** What was said with each start, in order. */
  readonly starts: readonly unknown[];
  /** Waits until no command's stream is open. */
  ended(): Promise<void>;
}

/** What becomes of a command: answers the request that starts it, and has the connection from there on. */
export type Start = (socket: net.Socket, cmd: readonly string[]) => void;

export const upgraded = 'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

/** A piece of a command's stdout (1) or stderr (2), as the engine sends it. */
export function frame(kind: 1 | 2, bytes: string | Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(Buffer.byteLength(bytes), 4);
  return Buffer.concat([header, Buffer.from(bytes)]);
}

/**
 * The command joins its input and output to the address at its end, as a relay in a container would.
 * @param cut pieces in which a frame arrives; default: as a whole
 */
export const carried = (cut: (frames: Buffer) => readonly Buffer[] = (frames) => [frames]): Start => (socket, cmd) => {
  socket.write(upgraded);
  const [host = '', port] = cmd.slice(-2);
  const server = net.connect({ host, port: Number(port), allowHalfOpen: true });
  let sent = Promise.resolve();
  server.on('data', (chunk: Buffer) => {
    sent = sent.then(async () => {
      for (const piece of cut(frame(1, chunk))) {
        socket.write(piece);
        // The other end is in this process: it reads before the next piece is there.
        await new Promise(setImmediate);
      }
    });
  });
  server.on('end', () => void sent.then(() => socket.end()));
  server.on('error', () => {
    socket.end(frame(2, 'connection refused\n'));
    // What nobody reads any more would hide that the other end has closed.
    socket.resume();
  });
  socket.on('close', () => server.destroy());
  socket.pipe(server);
};

/** The command runs on this machine. Nobody ends it: as in a container, all it is told is that its input has ended. */
export const ran: Start = (socket, [program = '', ...args]) => {
  socket.write(upgraded);
  const child = spawn(program, args, { detached: true });
  groups.push(child.pid ?? NaN);
  child.stdout.on('data', (chunk: Buffer) => socket.write(frame(1, chunk)));
  child.stderr.on('data', (chunk: Buffer) => socket.write(frame(2, chunk)));
  child.stdin.on('error', () => {});
  child.on('close', () => socket.end());
  socket.pipe(child.stdin);
};

/** Waits until no process is left of the commands that ran, their children among them. */
export async function nothingRuns(): Promise<void> {
  while (groups.some((group) => signal(group, 0))) {
    await pause(5);
  }
}

/** Whether there is such a process group to be told. */
function signal(group: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, name);
  } catch {
    return false;
  }
}

const groups: number[] = [];
afterEach(() => groups.splice(0).forEach((group) => signal(group, 'SIGKILL')));

/** The command says this on stderr and ends. */
export const complaining = (...words: string[]): Start => (socket) => void socket.end(Buffer.concat([Buffer.from(upgraded), ...words.map((text) => frame(2, text))]));

/** The engine does not start the command. */
export const refused = (status: number, body: string): Start => (socket) => answer(socket, status, body);

/** An engine with one running container. Its connections end with the test, it with the test file. */
export async function execEngine(
  start: Start = carried(),
  { over = 'unix', exitCode = 0, running: name = 'phoenix-dev' }: { over?: 'unix' | 'tcp'; exitCode?: number; running?: string } = {},
): Promise<ExecEngine> {
  const execs: ExecEngine['execs'][number][] = [];
  const starts: unknown[] = [];
  const streams = new Set<net.Socket>();

  const handle = (socket: net.Socket, line: string, upgrade: boolean, body: string): boolean => {
    if (line === 'GET /_ping') {
      answer(socket, 200, 'OK', 'api-version: 1.51\r\n');
      return false;
    }
    const request = line.replace(/ \/v\d+\.\d+(?=\/)/, ' ');
    const [, container] = /^POST \/containers\/([^/]+)\/exec$/.exec(request) ?? [];
    const [, id] = /^POST \/exec\/(\d+)\/start$/.exec(request) ?? [];
    if (container === name) {
      execs.push({ container, body: JSON.parse(body) as ExecEngine['execs'][number]['body'] });
      answer(socket, 201, JSON.stringify({ Id: String(execs.length - 1) }));
    } else if (container) {
      answer(socket, 404, JSON.stringify({ message: `No such container: ${container}` }));
    } else if (id && upgrade) {
      starts.push(JSON.parse(body));
      streams.add(socket);
      socket.on('close', () => streams.delete(socket));
      start(socket, execs[Number(id)]?.body.Cmd ?? []);
      return true;
    } else if (/^GET \/exec\/\d+\/json$/.test(request)) {
      answer(socket, 200, JSON.stringify({ Running: false, ExitCode: exitCode }));
    } else {
      answer(socket, 404, '{"message":"page not found"}');
    }
    return false;
  };

  const server = net.createServer((socket) => {
    let pending = Buffer.alloc(0);
    const read = (chunk: Buffer): void => {
      pending = Buffer.concat([pending, chunk]);
      const end = pending.indexOf('\r\n\r\n');
      const head = pending.subarray(0, end).toString();
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (end < 0 || pending.length < end + 4 + length) {
        return;
      }
      const [line = ''] = head.split(' HTTP/1.1\r\n');
      const body = pending.subarray(end + 4, end + 4 + length).toString();
      pending = pending.subarray(end + 4 + length);
      if (handle(socket, line, /\r\nconnection: upgrade\b/i.test(head) && /\r\nupgrade: tcp\b/i.test(head), body)) {
        socket.off('data', read);
      }
    };
    socket.on('data', read);
    socket.on('error', () => {});
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const file = over === 'unix' ? path.join(tempDir(), 'docker.sock') : '';
  await new Promise<void>((resolve) => server.listen(file ? { path: file } : { host: '127.0.0.1', port: 0 }, resolve));
  running.push(server);
  const host = file ? `unix://${file}` : `tcp://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  return {
    host,
    engine: at(host),
    execs,
    starts,
    async ended() {
      while (streams.size > 0) {
        await new Promise(setImmediate);
      }
    },
  };
}

function answer(socket: net.Socket, status: number, body: string, headers = ''): void {
  socket.write(`HTTP/1.1 ${status} Whatever\r\ncontent-type: application/json\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

const sockets = new Set<net.Socket>();
const running: net.Server[] = [];
afterEach(() => sockets.forEach((socket) => socket.destroy()));
afterAll(() => Promise.all(running.map((server) => new Promise((resolve) => server.close(resolve)))));
