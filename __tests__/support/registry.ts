/**
 * An image registry on loopback: the HTTP API V2 as distribution 2.8 speaks it (its answers were recorded from that
 * program), with the token server of Docker Hub in front if wanted. An engine takes 127.0.0.0/8 without TLS, pulls from
 * it and pushes to it.
 */
import { randomUUID } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { digestOf, Store, type StoredManifest } from './registry-store';
import { answers, type Mood } from './registry-moods';

export interface RegistryOptions {
  /** How it asks who somebody is. `token`: as Docker Hub, whose token server gives everybody a token; `basic`: as a registry with a file of passwords. Default: it does not ask. */
  readonly auth?: 'token' | 'basic';
  /** Who may do everything where it asks. */
  readonly user?: { readonly name: string; readonly password: string };
  /** Speaks TLS with this certificate. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Address it listens on. Default: 127.0.0.1, which engines take without a certificate that they know. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
}

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
}

export class Registry {
  readonly store = new Store();
  /** What was asked, in order. */
  readonly requests: Seen[] = [];
  private readonly moods = new Map<string, Mood>();
  private readonly uploads = new Map<string, Buffer>();
  private readonly server: http.Server;

  private constructor(private readonly options: RegistryOptions) {
    // Whoever hangs up in the middle of a request gets no answer.
    const handle = (request: http.IncomingMessage, response: http.ServerResponse): void => void this.handle(request, response).catch(() => response.destroy());
    this.server = options.tls ? https.createServer(options.tls, handle) : http.createServer(handle);
  }

  static async start(options: RegistryOptions = {}): Promise<Registry> {
    const registry = new Registry(options);
    await new Promise<void>((resolve, reject) => registry.server.once('error', reject).listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve));
    return registry;
  }

  /** `127.0.0.1:PORT`, as it begins an image reference. */
  get address(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `${address}:${port}`;
  }

  /** From now on the repository is like this; `/v2/` stands for the door to all of them. */
  set(repository: string, mood: Mood): void {
    this.moods.set(repository, mood);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    this.requests.push({ method, url, headers });
    const path = url.split('?')[0] ?? url;
    const body = await bytesOf(request);
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
    if (path === '/token') {
      return this.token(request, body, response);
    }
    const [, repository = '/v2/', kind = '', name = ''] = /^\/v2\/(.+)\/(manifests|blobs|tags)\/(.+)$/.exec(path) ?? [];
    const mood = this.moods.get(repository) ?? 'open';
    if (mood in answers) {
      return answers[mood as keyof typeof answers](response, repository);
    }
    if (!this.isKnown(request) || (mood === 'private' && !this.isUser(request))) {
      return this.challenge(response, repository, mood === 'private' && this.isKnown(request));
    }
    if (path === '/v2/') {
      return json(response, 200, '{}');
    }
    if (kind === 'manifests') {
      return this.manifest(method, repository, name, body, headers, response);
    }
    if (kind === 'blobs' && name.startsWith('uploads/')) {
      return this.upload(method, repository, name.slice('uploads/'.length), new URL(url, 'http://registry').searchParams.get('digest'), body, response);
    }
    if (kind === 'blobs') {
      return this.blob(method, name, mood, headers.range, response);
    }
    response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' }).end('404 page not found\n');
  }

  /** Docker Hub's token server: anonymous and known users get one, a wrong password does not. An engine with the image store of containerd sends a form. */
  private token(request: http.IncomingMessage, body: Buffer, response: http.ServerResponse): void {
    const form = new URLSearchParams(request.method === 'POST' ? body.toString() : '');
    const shown = basicOf(request) ?? (form.has('username') ? `${form.get('username')}:${form.get('password')}` : undefined);
    if (shown !== undefined && shown !== this.credentials()) {
      return json(response, 401, '{"details":"incorrect username or password"}\n');
    }
    const token = shown === undefined ? 'anonymous' : 'user';
    json(response, 200, JSON.stringify({ token, access_token: token, expires_in: 300, issued_at: new Date().toISOString() }));
  }

  private credentials(): string {
    const { name = '', password = '' } = this.options.user ?? {};
    return `${name}:${password}`;
  }

  /** Whether this request says who it is from, where that is asked. */
  private isKnown(request: http.IncomingMessage): boolean {
    const { auth } = this.options;
    return auth === undefined || (auth === 'basic' ? basicOf(request) === this.credentials() : /^Bearer /.test(request.headers.authorization ?? ''));
  }

  private isUser(request: http.IncomingMessage): boolean {
    return request.headers.authorization === 'Bearer user' || basicOf(request) === this.credentials();
  }

  private challenge(response: http.ServerResponse, repository: string, insufficient: boolean): void {
    const scope = repository === '/v2/' ? '' : `,scope="repository:${repository}:pull"`;
    const realm = `${this.options.tls ? 'https' : 'http'}://${this.address}/token`;
    response.setHeader(
      'WWW-Authenticate',
      this.options.auth === 'token' ? `Bearer realm="${realm}",service="registry.docker.io"${scope}${insufficient ? ',error="insufficient_scope"' : ''}` : 'Basic realm="Registry"',
    );
    const [detail] = repository === '/v2/' ? [null] : [[{ Type: 'repository', Class: '', Name: repository, Action: 'pull' }]];
    json(response, 401, `${JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'authentication required', detail }] })}\n`);
  }

  private manifest(method: string, repository: string, reference: string, body: Buffer, headers: http.IncomingHttpHeaders, response: http.ServerResponse): void {
    if (method === 'PUT') {
      const digest = this.store.putManifest(repository, reference, { type: headers['content-type'] ?? '', body });
      response.writeHead(201, { Location: `/v2/${repository}/manifests/${digest}`, 'Docker-Content-Digest': digest }).end();
      return;
    }
    const found: StoredManifest | undefined = this.store.manifest(repository, reference);
    if (!found) {
      const detail = reference.startsWith('sha256:') ? `unknown manifest name=${repository} revision=${reference}` : { Tag: reference };
      return json(response, 404, method === 'HEAD' ? '' : `${JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown', detail }] })}\n`);
    }
    const digest = digestOf(found.body);
    response.writeHead(200, { 'Content-Type': found.type, 'Content-Length': found.body.length, 'Docker-Content-Digest': digest, Etag: `"${digest}"` });
    response.end(method === 'HEAD' ? undefined : found.body);
  }

  private blob(method: string, digest: string, mood: Mood, range: string | undefined, response: http.ServerResponse): void {
    const blob = this.store.blob(digest);
    if (!blob) {
      return json(response, 404, method === 'HEAD' ? '' : `${JSON.stringify({ errors: [{ code: 'BLOB_UNKNOWN', message: 'blob unknown to registry', detail: digest }] })}\n`);
    }
    // An engine goes on where a connection broke off.
    const from = Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
    const rest = blob.subarray(from);
    response.writeHead(range ? 206 : 200, {
      'Accept-Ranges': 'bytes',
      'Content-Length': rest.length,
      'Content-Type': 'application/octet-stream',
      'Docker-Content-Digest': digest,
      Etag: `"${digest}"`,
      ...(range ? { 'Content-Range': `bytes ${from}-${blob.length - 1}/${blob.length}` } : {}),
    });
    if (method === 'HEAD') {
      response.end();
    } else if (mood === 'cut' && blob.length > 4096) {
      // A config comes whole, a layer breaks off.
      response.write(rest.subarray(0, rest.length / 2), () => response.destroy());
    } else if (mood === 'slow') {
      void drip(response, rest);
    } else {
      response.end(rest);
    }
  }

  /** What `docker push` does: POST opens an upload, PATCH sends, PUT names the digest. */
  private upload(method: string, repository: string, id: string, digest: string | null, body: Buffer, response: http.ServerResponse): void {
    const upload = method === 'POST' ? randomUUID() : id;
    const sent = Buffer.concat([this.uploads.get(upload) ?? Buffer.alloc(0), body]);
    if (digest === null || method === 'POST') {
      this.uploads.set(upload, sent);
      response.writeHead(202, { Location: `/v2/${repository}/blobs/uploads/${upload}`, 'Docker-Upload-Uuid': upload, Range: `0-${Math.max(0, sent.length - 1)}`, 'Content-Length': 0 }).end();
      return;
    }
    this.uploads.delete(upload);
    if (digestOf(sent) !== digest) {
      return json(response, 400, `${JSON.stringify({ errors: [{ code: 'DIGEST_INVALID', message: 'provided digest did not match uploaded content' }] })}\n`);
    }
    this.store.putBlob(sent);
    response.writeHead(201, { Location: `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest, 'Content-Length': 0 }).end();
  }
}

function json(response: http.ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...(body ? { 'Content-Length': Buffer.byteLength(body) } : {}) }).end(body);
}

/** `user:password` of a request with basic authentication. */
function basicOf({ headers }: http.IncomingMessage): string | undefined {
  const [, encoded] = /^Basic (.+)$/.exec(headers.authorization ?? '') ?? [];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
}

async function bytesOf(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** In pieces of an eighth, five a second, so that whoever pulls has something to tell of. */
async function drip(response: http.ServerResponse, blob: Buffer): Promise<void> {
  const step = Math.ceil(blob.length / 8);
  for (let at = 0; at < blob.length && !response.destroyed; at += step) {
    response.write(blob.subarray(at, at + step));
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  response.end();
}
