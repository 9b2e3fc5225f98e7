import { randomBytes } from 'node:crypto';
import * as http from 'node:http';
import type * as net from 'node:net';
import { pipeline } from 'node:stream/promises';

/** Largest body on Cloudflare's Free and Pro plans. */
export const largestBody = 100_000_000;
/** Milliseconds for which the rest of a request is read after its response was sent. */
const lingering = 5_000;
/** They apply to one connection and not to the request (RFC 9110, 7.6.1), except `expect`, which the edge has handled itself. */
const hopByHop = ['connection', 'expect', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'upgrade'];

/** A request at the edge, with its response: a page of the edge's own, or the response of a service. */
export class Exchange {
  private readonly ray = `${randomBytes(8).toString('hex')}-LAB`;

  /** @param answered is called when the response begins */
  constructor(readonly request: http.IncomingMessage, private readonly response: http.ServerResponse, readonly hostname: string, private readonly answered: () => void) {
    response.setHeader('server', 'cloudflare');
    response.setHeader('cf-ray', this.ray);
  }

  /** Path and query. */
  get url(): string {
    return this.request.url ?? '/';
  }

  /** Whether the request has no body. */
  get isEmpty(): boolean {
    const { headers } = this.request;
    return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
  }

  /** Whether the request declares that it is larger than allowed. */
  get isTooLarge(): boolean {
    return Number(this.request.headers['content-length'] ?? 0) > largestBody;
  }

  /**
   * Responds with a page of the edge's own. If the response has begun already, cuts it, so that the client notices.
   */
  page(status: number, title: string, text: string, headers: http.OutgoingHttpHeaders = {}): void {
    const { response, hostname, ray } = this;
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    this.answered();
    const body = `<!DOCTYPE html>\n<html lang="en-US"><head><title>${title} | ${hostname} | Cloudflare</title></head>\n<body><h1>${title}</h1><p>${text}</p><p>Cloudflare Ray ID: ${ray}</p></body></html>\n`;
    response.writeHead(status, { 'content-type': 'text/html; charset=UTF-8', 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store', ...headers });
    response.write(body);
    this.end();
  }

  tooLarge(): void {
    this.page(413, 'Payload Too Large', `The body has more than ${largestBody} bytes`, { connection: 'close' });
  }

  unreachable(): void {
    // The words of cloudflared.
    this.page(502, 'Bad gateway', 'Unable to reach the origin service. The service may be down or it may not be responding to traffic from cloudflared');
  }

  /** Forwards the request, and returns the response. @param origin a paused connection to the service */
  passOn(origin: net.Socket): void {
    const { request, response } = this;
    if (response.destroyed) {
      origin.destroy();
      return;
    }
    const asked = http.request({
      createConnection: () => origin,
      method: request.method,
      path: request.url,
      headers: { ...endToEnd(request.headers), ...this.added() },
    });
    asked.once('socket', () => origin.resume());
    response.once('close', () => asked.destroy());
    asked.on('error', () => {
      // An origin that has responded may not accept the rest of the request.
      if (!response.headersSent) {
        this.unreachable();
      }
    });
    asked.on('response', (answer) => {
      this.answered();
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, { ...endToEnd(answer.headers), server: 'cloudflare', 'cf-ray': this.ray });
      response.flushHeaders();
      pipeline(answer, response, { end: false })
        // If a response breaks off, it must break off for the client, too.
        .then(() => this.end(), () => response.destroy())
        .finally(() => asked.destroy());
    });
    this.send(asked);
  }

  /** The request's body, up to the size limit. */
  private send(asked: http.ClientRequest): void {
    const { request } = this;
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (asked.destroyed) {
        return;
      }
      if (size > largestBody) {
        this.tooLarge();
        asked.destroy();
      } else if (!asked.write(chunk)) {
        request.pause();
      }
    });
    request.on('end', () => asked.end());
    // What an origin no longer accepts is discarded: the client reads its response when everything is sent.
    ['drain', 'close'].forEach((event) => asked.on(event, () => request.resume()));
  }

  /** Headers that the origin gets besides the client's own. */
  private added(): http.OutgoingHttpHeaders {
    const client = (this.request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    const before = this.request.headers['x-forwarded-for'];
    return {
      'cf-connecting-ip': client,
      'cf-ray': this.ray,
      'x-forwarded-for': before ? `${String(before)}, ${client}` : client,
      'x-forwarded-proto': 'https',
    };
  }

  /**
   * Ends a response. The rest of the request is read first, and discarded: closing at once would reset the connection, and a
   * client that is still sending would not see the response.
   */
  private end(): void {
    const { request, response } = this;
    if (request.readableEnded) {
      response.end();
      return;
    }
    const cut = setTimeout(() => request.destroy(), lingering);
    request.once('end', () => response.end());
    response.once('close', () => clearTimeout(cut));
    request.resume();
  }
}

/** Without headers that apply to one connection only, and without those that Access keeps to itself. */
function endToEnd(headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.includes(name) && name !== 'cf-access-client-secret'));
}
