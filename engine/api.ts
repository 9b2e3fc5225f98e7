/**
 * Requests to the Docker Engine API. Node's own HTTP client is enough: what a library for Docker would add is its own
 * SSH, which reads no ~/.ssh/config, while the provider runs the `ssh` command.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import { pipeline, Readable, type Duplex } from 'node:stream';
import type { Engine } from './engine';
import { overSsh } from './ssh';
import { inWords, materialOf } from './tls';

/** Newest version of the API that this code was written for; an older engine is used with its own newest version. */
const newestApi = '1.51';

export interface EngineAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface EngineRequest {
  /** An object is sent as JSON, a buffer or a stream as a tar archive. */
  readonly body?: object | Buffer | Readable;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds until the request fails; without it there is no limit. */
  readonly timeoutMs?: number;
  /** Called for each piece of a long response as it arrives. The body is then empty if the status is below 400. */
  readonly onData?: (chunk: Buffer) => void;
}

/**
 * One request to the Docker Engine API.
 * @param path path and query, without a version: the newest one that both sides support is prepended
 * @throws Error when the engine cannot be reached or does not respond in time; a response of any status is returned
 */
export async function engineRequest(engine: Engine, method: string, path: string, request: EngineRequest = {}): Promise<EngineAnswer> {
  const prefix = await versionPrefix(engine, request.timeoutMs);
  return (await send(engine, method, `${prefix}${path}`, request)).answer;
}

/**
 * A GET whose response is JSON.
 * @throws Error with the engine's own message for a status of 400 or more
 */
export async function engineGet<T>(engine: Engine, path: string, timeoutMs?: number): Promise<T> {
  const { status, body } = await engineRequest(engine, 'GET', path, timeoutMs === undefined ? {} : { timeoutMs });
  if (status >= 400) {
    throw new Error(engineMessage({ status, body }));
  }
  try {
    return JSON.parse(body.toString()) as T;
  } catch {
    throw new Error(`its answer to ${path} is not JSON: ${body.toString().slice(0, 100)}`);
  }
}

/**
 * Turns a request into a stream in both directions, as `docker exec` does.
 * @param timeoutMs until the engine has agreed; the stream itself may be silent for any time
 * @throws Error with the engine's own message when it refuses
 */
export async function engineStream(engine: Engine, path: string, body: object, timeoutMs: number): Promise<Duplex> {
  const payload = JSON.stringify(body);
  const prefix = await versionPrefix(engine, timeoutMs);
  return new Promise((resolve, reject) => {
    const outgoing = client(engine)({
      ...connection(engine),
      method: 'POST',
      path: `${prefix}${path}`,
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
 * A GET whose response is too long for memory.
 * @throws Error with the engine's own message for a status of 400 or more
 */
export async function engineDownload(engine: Engine, path: string): Promise<Readable> {
  const prefix = await versionPrefix(engine, undefined);
  return new Promise((resolve, reject) => {
    const outgoing = client(engine)({ ...connection(engine), method: 'GET', path: `${prefix}${path}` }, (incoming) => {
      const status = incoming.statusCode ?? 0;
      if (status < 400) {
        resolve(incoming);
        return;
      }
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => reject(new Error(engineMessage({ status, body: Buffer.concat(chunks) }))));
      incoming.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** The engine's message in a response of status 400 or more. */
export function engineMessage({ status, body }: EngineAnswer): string {
  const text = body.toString().trim();
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') {
      return message;
    }
  } catch {
    // A proxy between here and the engine responds in its own format.
  }
  return `status ${status}: ${text.slice(0, 200)}`;
}

const negotiated = new Map<string, Promise<string>>();
/** A request that every engine answers at once; over ssh the connection may take a while. */
const pingMs = 60_000;

/** `/v1.51`: asked once for each engine, as Docker's own clients do. */
function versionPrefix(engine: Engine, timeoutMs: number | undefined): Promise<string> {
  const key = JSON.stringify(engine);
  const known = negotiated.get(key) ?? negotiate(engine, timeoutMs);
  negotiated.set(key, known);
  // An engine that did not respond may do so next time.
  known.catch(() => negotiated.delete(key));
  return known;
}

/** Always with a limit: requests that have one may wait for this request, made for one that has none. */
async function negotiate(engine: Engine, timeoutMs = pingMs): Promise<string> {
  const { answer, headers } = await send(engine, 'GET', '/_ping', { timeoutMs });
  const offered = headers['api-version'];
  if (answer.status >= 400) {
    throw new Error(engineMessage(answer));
  }
  if (typeof offered !== 'string' || !/^\d+\.\d+$/.test(offered)) {
    throw new Error(`what answers there is not a Docker Engine (${answer.body.toString().trim().slice(0, 60) || 'an empty answer'})`);
  }
  return `/v${isNewer(offered, newestApi) ? newestApi : offered}`;
}

/** Whether one version of the API is newer than the other; both `major.minor`. */
function isNewer(one: string, other: string): boolean {
  const [[major = 0, minor = 0], [otherMajor = 0, otherMinor = 0]] = [one, other].map((version) => version.split('.').map(Number)) as [number[], number[]];
  return major > otherMajor || (major === otherMajor && minor > otherMinor);
}

function send(engine: Engine, method: string, path: string, request: EngineRequest): Promise<{ answer: EngineAnswer; headers: http.IncomingHttpHeaders }> {
  const { body, timeoutMs, onData } = request;
  const streamed = body instanceof Readable ? body : undefined;
  const payload = body === undefined || streamed ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const type = streamed || Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json';
  return new Promise((resolve, reject) => {
    // The engine may go silent before its response or in the middle of it.
    const fail = (error: Error): void => {
      if (error.name === 'AbortError' || error.name === 'TimeoutError') {
        reject(new Error(`no answer within ${timeoutMs} ms`));
        return;
      }
      error.message = inWords(error.message);
      reject(error);
    };
    const outgoing = client(engine)(
      {
        ...connection(engine),
        method,
        path,
        headers: { ...request.headers, ...(payload ? { 'content-type': type, 'content-length': payload.length } : streamed ? { 'content-type': type } : {}) },
        ...(timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) }),
      },
      (incoming) => {
        const status = incoming.statusCode ?? 0;
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => (onData && status < 400 ? onData(chunk) : void chunks.push(chunk)));
        incoming.on('end', () => resolve({ answer: { status, body: Buffer.concat(chunks) }, headers: incoming.headers }));
        incoming.on('error', fail);
      },
    );
    outgoing.on('error', fail);
    if (streamed) {
      // An engine that refuses responds before it has read everything.
      pipeline(streamed, outgoing, (error) => error && fail(error));
    } else {
      outgoing.end(payload);
    }
  });
}

const client = ({ tls }: Engine): typeof http.request => (tls ? https.request : http.request);

function connection(engine: Engine): https.RequestOptions {
  const { host, tls } = engine;
  const url = new URL(host);
  switch (url.protocol) {
    case 'unix:':
      return { socketPath: host.slice('unix://'.length), host: 'docker' };
    case 'npipe:':
      return { socketPath: host.slice('npipe://'.length).replace(/\//g, '\\'), host: 'docker' };
    case 'tcp:':
      // An IPv6 address has brackets in a URL and none in a connection.
      return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port || (tls ? 2376 : 2375), ...(tls ? materialOf(tls) : {}) };
    case 'ssh:':
      return { host: 'docker', createConnection: () => overSsh(engine) as never };
    default:
      throw new Error(`cannot speak to a Docker Engine at ${host}`);
  }
}
