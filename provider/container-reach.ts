import * as http from 'node:http';
import { Duplex } from 'node:stream';
import { engineGet, engineMessage, engineRequest, engineStream, type Engine } from '../engine';
import { Cancelled, cancelled } from './cancellation';
import { patience, reasonOf, type Reach } from './reach';

/**
 * Joins its standard input and output to a TCP connection. Phoenix's image has Python and no shell.
 * The data stays out of the process list: arguments hold only the address.
 */
const relay = `
import os, socket, sys, threading
try:
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10)
except OSError as e:
    sys.exit("connection refused" if isinstance(e, ConnectionRefusedError) else str(e))
s.settimeout(None)
def up():
    while chunk := sys.stdin.buffer.read1(65536):
        s.sendall(chunk)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
try:
    while chunk := s.recv(65536):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
except OSError as e:
    os.write(2, str(e).encode())
# An ordinary exit aborts with a core dump while the other thread waits for input.
os._exit(0)
`;

/**
 * The same in an image that has bash and no Python. `cat` is given its input explicitly: background processes have none.
 * Whichever ends first ends the other; both are waited for, or the container's first process would complain about a child that
 * is not its own.
 */
const bashRelay = 'exec 3<>"/dev/tcp/$0/$1" || exit 1; cat <&3 & cat <&0 >&3 & wait -n; kill $(jobs -p) 2>/dev/null; wait 2>/dev/null';

/** What a container's image has for the relay. */
export type Interpreter = 'python3' | 'bash';

/**
 * From inside a container, through the Docker Engine: wherever the provider reaches Docker, this reaches the private network,
 * and nothing needs to be published for it.
 * @param engine the Docker Engine on which it runs
 * @param container a running container whose image has the interpreter
 */
export function from(engine: Engine, container: string, interpreter: Interpreter = 'python3'): Reach {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = (options, done) => {
    connect(engine, container, interpreter, String(options.host), Number(options.port)).then(
      (stream) => done?.(null, stream),
      (error: Error) => done?.(error, undefined as never),
    );
    return undefined;
  };
  return {
    ask: (url, { method = 'GET', headers = {}, body = '', patienceMs = patience } = {}) =>
      new Promise((resolve) => {
        const fail = (error: Error): void =>
          resolve({ status: 0, text: error.name === 'TimeoutError' || error.name === 'AbortError' ? `no answer within ${patienceMs / 1000} s` : reasonOf(error) });
        const outgoing = http.request(
          url,
          { agent, method, headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) }, signal: AbortSignal.timeout(patienceMs) },
          (incoming) => {
            const chunks: Buffer[] = [];
            incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
            incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
            incoming.on('error', fail);
          },
        );
        outgoing.on('error', fail);
        // A request that may change something is not cut off halfway.
        if (method === 'GET') {
          const giveUp = (): unknown => outgoing.destroy(new Cancelled());
          cancelled.addEventListener('abort', giveUp);
          outgoing.on('close', () => cancelled.removeEventListener('abort', giveUp));
        }
        outgoing.end(body);
      }),
    close: () => agent.destroy(),
  };
}

/**
 * Runs a command in a container, to its end.
 * @param seconds how long it may take
 * @throws Error with its output when it fails, or when it takes longer
 */
export async function run(engine: Engine, container: string, command: readonly string[], seconds = 30): Promise<void> {
  await output(engine, container, command, seconds);
}

/** The same. @returns what it wrote to its standard output */
export async function output(engine: Engine, container: string, command: readonly string[], seconds = 30): Promise<string> {
  const { id, stream } = await execute(engine, container, command);
  const late = setTimeout(() => stream.destroy(new Error(`container ${container}: ${command.join(' ')} did not end within ${seconds} s`)), seconds * 1000);
  const said: Buffer[] = [];
  try {
    for await (const chunk of stream) {
      said.push(chunk as Buffer);
    }
  } finally {
    clearTimeout(late);
  }
  const text = Buffer.concat(said).toString();
  const { ExitCode } = await engineGet<{ ExitCode: number }>(engine, `/exec/${id}/json`, patience);
  if (ExitCode !== 0) {
    throw new Error(`container ${container}: ${command.join(' ')} ended with ${ExitCode} ${text.trim()}`.trim());
  }
  return text;
}

/** A TCP connection made in the container. */
async function connect(engine: Engine, container: string, interpreter: Interpreter, host: string, port: number): Promise<Duplex> {
  const program = { python3: relay, bash: bashRelay }[interpreter];
  return (await execute(engine, container, [interpreter, '-c', program, host, String(port)])).stream;
}

async function execute(engine: Engine, container: string, command: readonly string[]): Promise<{ id: string; stream: Duplex }> {
  const made = await engineRequest(engine, 'POST', `/containers/${container}/exec`, {
    timeoutMs: patience,
    body: { AttachStdin: true, AttachStdout: true, AttachStderr: true, Cmd: command },
  });
  if (made.status >= 400) {
    throw new Error(`container ${container}: ${engineMessage(made)}`);
  }
  const { Id } = JSON.parse(made.body.toString()) as { Id: string };
  return { id: Id, stream: new Relayed(await engineStream(engine, `/exec/${Id}/start`, { Detach: false, Tty: false }, patience)) };
}

/** What a process in a container reads and writes, as a socket. The engine frames its output: kind, length, bytes. */
class Relayed extends Duplex {
  private pending = Buffer.alloc(0);
  private complaint = '';

  constructor(private readonly raw: Duplex) {
    super();
    raw.on('data', (chunk: Buffer) => this.unframe(chunk));
    raw.on('end', () => (this.complaint ? this.destroy(new Error(this.complaint.trim().split('\n').at(-1))) : this.push(null)));
    raw.on('error', (error) => this.destroy(error));
    raw.on('close', () => this.destroy());
  }

  private unframe(chunk: Buffer): void {
    this.pending = Buffer.concat([this.pending, chunk]);
    while (this.pending.length >= 8) {
      const end = 8 + this.pending.readUInt32BE(4);
      if (this.pending.length < end) {
        return;
      }
      const [kind, bytes] = [this.pending[0], this.pending.subarray(8, end)];
      this.pending = this.pending.subarray(end);
      if (kind === 2) {
        this.complaint += bytes.toString();
      } else {
        this.push(bytes);
      }
    }
  }

  override _read(): void {}

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.raw.write(chunk, encoding, done);
  }

  override _final(done: () => void): void {
    this.raw.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.raw.destroy();
    done(error);
  }

  // Node's HTTP client requires these of a socket that it keeps.
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
