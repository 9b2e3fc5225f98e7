import { spawn } from 'node:child_process';
import * as http from 'node:http';
import { Duplex } from 'node:stream';

/** Where the docker provider looks when nothing else is said. */
export const defaultHost = 'unix:///var/run/docker.sock';

/** The engine a stack deploys to: its setting, else what the docker command line would use. */
export function engineHost(setting: string | undefined): string {
  return setting ?? (process.env['DOCKER_HOST'] || defaultHost);
}

export interface EngineAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface EngineRequest {
  /** An object is sent as JSON, a buffer as a tar archive. */
  readonly body?: object | Buffer;
  /** Milliseconds until the request fails; without it there is no limit. */
  readonly timeoutMs?: number;
}

/**
 * One request to the Docker Engine API.
 * @param host `unix:///path`, `npipe:////./pipe/name`, `tcp://host:port` or `ssh://user@host`
 * @param path path and query, without a version: the engine then speaks its own newest
 * @throws Error when the engine cannot be reached or does not answer in time; an answer of any status is returned
 */
export function engineRequest(host: string, method: string, path: string, request: EngineRequest = {}): Promise<EngineAnswer> {
  const { body, timeoutMs } = request;
  const payload = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const type = Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json';
  return new Promise((resolve, reject) => {
    // The engine may fall silent before its answer or in the middle of it.
    const fail = (error: Error): void =>
      reject(error.name === 'AbortError' || error.name === 'TimeoutError' ? new Error(`no answer within ${timeoutMs} ms`) : error);
    const outgoing = http.request(
      {
        ...route(host),
        method,
        path,
        headers: payload ? { 'content-type': type, 'content-length': payload.length } : {},
        ...(timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) }),
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks) }));
        incoming.on('error', fail);
      },
    );
    outgoing.on('error', fail);
    outgoing.end(payload);
  });
}

/**
 * Turns a request into a stream in both directions, as `docker exec` does.
 * @param timeoutMs until the engine has agreed; the stream itself may be silent for as long as it likes
 * @throws Error with the engine's own message when it does not agree to that
 */
export function engineStream(host: string, path: string, body: object, timeoutMs: number): Promise<Duplex> {
  const payload = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = http.request({
      ...route(host),
      method: 'POST',
      path,
      headers: { connection: 'Upgrade', upgrade: 'tcp', 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) },
    });
    const limit = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const settled = (): void => clearTimeout(limit);
    outgoing.on('upgrade', (_, stream, head) => {
      settled();
      stream.unshift(head);
      resolve(stream);
    });
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => reject(new Error(engineMessage({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks) }))));
      incoming.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.on('close', settled);
    outgoing.end(payload);
  });
}

/**
 * A GET whose answer is JSON.
 * @throws Error with the engine's own message for a status of 400 or more
 */
export async function engineGet<T>(host: string, path: string, timeoutMs?: number): Promise<T> {
  const { status, body } = await engineRequest(host, 'GET', path, timeoutMs === undefined ? {} : { timeoutMs });
  if (status >= 400) {
    throw new Error(engineMessage({ status, body }));
  }
  return JSON.parse(body.toString()) as T;
}

/** What the engine said in an answer of status 400 or more. */
export function engineMessage({ status, body }: EngineAnswer): string {
  try {
    return (JSON.parse(body.toString()) as { message: string }).message;
  } catch {
    return `status ${status}: ${body.toString().slice(0, 200)}`;
  }
}

function route(host: string): http.RequestOptions {
  const url = new URL(host);
  switch (url.protocol) {
    case 'unix:':
      return { socketPath: host.slice('unix://'.length), host: 'docker' };
    case 'npipe:':
      return { socketPath: host.slice('npipe://'.length).replace(/\//g, '\\'), host: 'docker' };
    case 'tcp:':
    case 'http:':
      // An IPv6 address stands in brackets in a URL and without them in a connection.
      return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port || 2375 };
    case 'ssh:':
      return { host: 'docker', createConnection: () => overSsh(url) as never };
    default:
      throw new Error(`cannot speak to a Docker Engine at ${host}`);
  }
}

/** The engine's socket on another host, through the same command the docker command line runs there. */
function overSsh(url: URL): Duplex {
  const target = `${url.username ? `${url.username}@` : ''}${url.hostname}`;
  const child = spawn(
    'ssh',
    ['-o', 'BatchMode=yes', ...(url.port ? ['-p', url.port] : []), '--', target, 'docker', 'system', 'dial-stdio'],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const stream: Duplex = new Duplex({
    read: () => void child.stdout.resume(),
    // A write fails when ssh has ended, and its own words say why better than EPIPE does.
    write: (chunk, encoding, done) => void child.stdin.write(chunk, encoding, () => done()),
    final: (done) => void child.stdin.end(done),
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
  });
  child.stdin.on('error', () => {});
  child.stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) {
      child.stdout.pause();
    }
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  child.on('error', (error) => stream.destroy(error));
  // Not when its output ends: by then the exit code and the complaint may still be on their way.
  child.on('close', (code) => {
    if (code) {
      stream.destroy(new Error(complaint.trim() || `ssh ended with ${code}`));
    } else {
      stream.push(null);
    }
  });
  return stream;
}
