import { randomBytes } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { EdgeView } from './account';

/**
 * `normal`, or the fault with which the edge answers for a hostname; `firewall` refuses what a request holds, before anybody asks
 * who sends it, and `nothing` cuts the connection instead of answering.
 */
export const modes = ['normal', '302', '401', '403', '502', '530', 'firewall', 'nothing'] as const;
export type Mode = (typeof modes)[number];

/** Requests that were answered (or cut), by hostname and by the mode that was on when they came. */
export type Counts = Readonly<Record<string, Readonly<Partial<Record<Mode, number>>>>>;

export interface EdgeOptions {
  /** Name of the account's Access team: people log in at `TEAM.cloudflareaccess.com`. */
  readonly team: string;
  /** PEM. */
  readonly key: string | Buffer;
  /** PEM, for every hostname that clients ask for. */
  readonly cert: string | Buffer;
  /** Milliseconds in which a connector that is there has tried to reach a service. Default: 5,000. */
  readonly silenceMs?: number;
}

export interface Ports {
  readonly https: number;
  readonly connectors: number;
}

/** What a body may have on Cloudflare's Free and Pro plans. */
export const largestBody = 100_000_000;
/** Where people log in, below any hostname at the edge. */
export const loginPath = '/cdn-cgi/access/login/';
/** Milliseconds for which the rest of a request is read that has its answer already. */
const lingering = 5_000;
/** Milliseconds that a request waits for a connection while all of them are in use. */
const longestWait = 10_000;
/** They concern one connection and not the request (RFC 9110, 7.6.1), except `expect`, which the edge has met itself. */
const hopByHop = ['connection', 'expect', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'upgrade'];

const isEmpty = ({ headers }: http.IncomingMessage): boolean => headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;

/** A request with its answer. */
interface Exchange {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  readonly hostname: string;
  readonly mode: Mode;
  readonly ray: string;
}

/**
 * Stand-in for Cloudflare's edge: takes HTTPS for the hostnames of an account and passes it on through the
 * connections that the account's connectors hold open. Speaks HTTP/1.1 only.
 */
export class Edge {
  private readonly server: https.Server;
  private readonly connectors: Connectors;
  private readonly modeOf = new Map<string, Mode>();
  private readonly underWay = new Set<Exchange>();
  private counted: Record<string, Partial<Record<Mode, number>>> = {};

  constructor(private readonly account: EdgeView, private readonly options: EdgeOptions) {
    const { key, cert, silenceMs = 5_000 } = options;
    this.connectors = new Connectors(account, silenceMs);
    // No time limits of its own on a request, and none on a kept connection that a client could run into first.
    this.server = https.createServer({ key, cert, ALPNProtocols: ['http/1.1'], requestTimeout: 0, keepAliveTimeout: 400_000 }, (request, response) => {
      this.handle(request, response).catch((error: Error) => response.writeHead(500).end(error.stack));
    });
  }

  /** Listens on these ports, 0 for free ones. @returns the ports */
  async listen(ports: Ports, host?: string): Promise<Ports> {
    const [connectors, secure] = await Promise.all([listening(this.connectors.server, ports.connectors, host), listening(this.server, ports.https, host)]);
    return { connectors, https: secure };
  }

  /** Sets what the edge does with the requests for a hostname from now on. `nothing` cuts those under way as well. */
  setMode(hostname: string, mode: Mode): void {
    const name = hostname.toLowerCase();
    this.modeOf.set(name, mode);
    if (mode === 'nothing') {
      [...this.underWay].filter((exchange) => exchange.hostname === name).forEach((exchange) => this.cut(exchange));
    }
  }

  counts(): Counts {
    return structuredClone(this.counted);
  }

  /** Counts from nothing again. */
  forget(): void {
    this.counted = {};
  }

  async close(): Promise<void> {
    this.connectors.close();
    this.server.closeAllConnections();
    await Promise.all([this.connectors.server, this.server].map((server) => new Promise((resolve) => server.close(resolve))));
  }

  private async handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const hostname = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
    const exchange: Exchange = { request, response, hostname, mode: this.modeOf.get(hostname) ?? 'normal', ray: `${randomBytes(8).toString('hex')}-LAB` };
    this.underWay.add(exchange);
    response.once('close', () => this.underWay.delete(exchange));
    response.setHeader('server', 'cloudflare');
    response.setHeader('cf-ray', exchange.ray);

    const [path = '/'] = (request.url ?? '').split('?');
    if (path.startsWith(loginPath)) {
      return this.page(exchange, 200, 'Sign in', 'Get a login code emailed to you');
    }
    if (exchange.mode !== 'normal' && !(exchange.mode === 'firewall' && isEmpty(request))) {
      return this.fault(exchange, exchange.mode);
    }
    const verdict = this.account.access(hostname, path, request.headers);
    if (verdict !== 'pass') {
      return this.fault(exchange, verdict === 'login' ? '302' : '401');
    }
    const route = this.account.route(hostname, path);
    if (route === undefined) {
      return this.page(exchange, 530, 'Origin DNS error', 'error code: 1016');
    }
    const [, status] = /^http_status:(\d{3})$/.exec(route.service) ?? [];
    if (status !== undefined) {
      return this.page(exchange, Number(status), http.STATUS_CODES[status] ?? '', 'No ingress rule leads to a service');
    }
    return this.passOn(exchange, route.tunnelId, new URL(route.service));
  }

  private fault(exchange: Exchange, mode: Exclude<Mode, 'normal'>): void {
    switch (mode) {
      case '302': {
        const { hostname, request } = exchange;
        const back = encodeURIComponent(request.url ?? '/');
        const location = `https://${this.options.team}.cloudflareaccess.com${loginPath}${hostname}?redirect_url=${back}`;
        return this.page(exchange, 302, 'Found', 'Sign in first', { location });
      }
      case '401':
        return this.page(exchange, 401, 'Unauthorized', 'The request shows no valid service token');
      case '403':
      case 'firewall':
        return this.page(exchange, 403, 'Forbidden', 'You do not have permission to view this');
      case '502':
        return this.unreachable(exchange);
      case '530':
        return this.page(exchange, 530, 'Cloudflare Tunnel error', 'error code: 1033');
      case 'nothing':
        return this.cut(exchange);
    }
  }

  private unreachable(exchange: Exchange): void {
    // The words of cloudflared.
    const text = 'Unable to reach the origin service. The service may be down or it may not be responding to traffic from cloudflared';
    this.page(exchange, 502, 'Bad gateway', text);
  }

  private async passOn(exchange: Exchange, tunnelId: string, service: URL): Promise<void> {
    const { request, response } = exchange;
    if (service.protocol !== 'http:') {
      return this.page(exchange, 502, 'Bad gateway', `This edge passes requests on to http services only, not to ${service.protocol.slice(0, -1)}`);
    }
    if (Number(request.headers['content-length'] ?? 0) > largestBody) {
      return this.tooLarge(exchange);
    }
    const origin = await this.connectors.open(tunnelId, `${service.hostname}:${service.port || 80}`);
    if (origin === undefined) {
      return this.fault(exchange, '530');
    }
    if (origin === 'down') {
      return this.unreachable(exchange);
    }
    if (response.destroyed) {
      origin.destroy();
      return;
    }

    const asked = http.request({
      createConnection: () => origin,
      method: request.method,
      path: request.url,
      headers: { ...endToEnd(request.headers), ...this.added(exchange) },
    });
    asked.once('socket', () => origin.resume());
    response.once('close', () => asked.destroy());
    asked.on('error', () => {
      // An origin that has answered may well take no more of the request.
      if (!response.headersSent) {
        this.unreachable(exchange);
      }
    });
    asked.on('response', (answer) => {
      this.count(exchange);
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, { ...endToEnd(answer.headers), server: 'cloudflare', 'cf-ray': exchange.ray });
      response.flushHeaders();
      pipeline(answer, response, { end: false })
        // An answer that breaks off does so for the client, too.
        .then(() => this.end(exchange), () => response.destroy())
        .finally(() => asked.destroy());
    });

    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (asked.destroyed) {
        return;
      }
      if (size > largestBody) {
        this.tooLarge(exchange);
        asked.destroy();
      } else if (!asked.write(chunk)) {
        request.pause();
      }
    });
    request.on('end', () => asked.end());
    // What an origin takes no more is thrown away: the client reads its answer when all is sent.
    ['drain', 'close'].forEach((event) => asked.on(event, () => request.resume()));
  }

  /** Headers that the origin gets besides the client's own. */
  private added({ request, ray }: Exchange): http.OutgoingHttpHeaders {
    const client = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    const before = request.headers['x-forwarded-for'];
    return {
      'cf-connecting-ip': client,
      'cf-ray': ray,
      'x-forwarded-for': before ? `${String(before)}, ${client}` : client,
      'x-forwarded-proto': 'https',
    };
  }

  private tooLarge(exchange: Exchange): void {
    this.page(exchange, 413, 'Payload Too Large', `The body has more than ${largestBody} bytes`, { connection: 'close' });
  }

  /**
   * Answers with a page of the edge's own, unless there is an answer already: then the client learns that it
   * ends here.
   */
  private page(exchange: Exchange, status: number, title: string, text: string, headers: http.OutgoingHttpHeaders = {}): void {
    const { response, hostname, ray } = exchange;
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    this.count(exchange);
    const body = `<!DOCTYPE html>\n<html lang="en-US"><head><title>${title} | ${hostname} | Cloudflare</title></head>\n<body><h1>${title}</h1><p>${text}</p><p>Cloudflare Ray ID: ${ray}</p></body></html>\n`;
    response.writeHead(status, { 'content-type': 'text/html; charset=UTF-8', 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store', ...headers });
    response.write(body);
    this.end(exchange);
  }

  /**
   * Ends an answer. What is still to come of the request is read first, and thrown away: closing at once would reset
   * the connection, and a client that is busy sending would not get to see the answer.
   */
  private end({ request, response }: Exchange): void {
    if (request.readableEnded) {
      response.end();
      return;
    }
    const cut = setTimeout(() => request.destroy(), lingering);
    request.once('end', () => response.end());
    response.once('close', () => clearTimeout(cut));
    request.resume();
  }

  private cut(exchange: Exchange): void {
    this.count({ ...exchange, mode: 'nothing' });
    exchange.request.socket.destroy();
  }

  private count({ hostname, mode }: Exchange): void {
    const modes = (this.counted[hostname] ??= {});
    modes[mode] = (modes[mode] ?? 0) + 1;
  }
}

/** Connections of one tunnel's connectors. */
interface Tunnel {
  readonly standing: Set<net.Socket>;
  /** Those of them that no request uses, oldest first, so that connectors take turns. */
  readonly idle: Set<net.Socket>;
  /** The last connection in each place of each connector. */
  readonly places: Map<string, net.Socket>;
  /** Requests that came while all were in use. */
  readonly waiting: Set<(connection: net.Socket | undefined) => void>;
}

/**
 * The port for connectors. A connector has a few numbered places, opens a connection in each, shows its token in one
 * line of JSON and hears `ok` or `refused`. An idle connection is used once: the edge writes `host:port`, the
 * connector `up` or `down`, and from then on it is a pipe to the service.
 */
class Connectors {
  readonly server = net.createServer({ keepAlive: true, keepAliveInitialDelay: 5_000, noDelay: true }, (socket) => {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    // A connection that breaks closes, and that is looked after.
    socket.on('error', () => undefined);
    void this.greet(socket);
  });
  private readonly sockets = new Set<net.Socket>();
  private readonly tunnels = new Map<string, Tunnel>();

  constructor(private readonly account: EdgeView, private readonly silenceMs: number) {}

  /** A pipe to a service, paused; `down` when a connector cannot reach it, undefined when the tunnel has no connector. */
  async open(tunnelId: string, service: string): Promise<net.Socket | 'down' | undefined> {
    for (;;) {
      const connection = await this.take(tunnelId);
      if (connection === undefined) {
        return undefined;
      }
      connection.write(`${service}\n`);
      // Who has vanished without a word is given up: nothing else would tell for a quarter of an hour.
      const silence = setTimeout(() => connection.destroy(), this.silenceMs);
      const answer = await line(connection);
      clearTimeout(silence);
      if (answer === 'up') {
        return connection;
      }
      connection.destroy();
      if (answer === 'down') {
        return 'down';
      }
      // The connector has gone before it was told anything of the request: another one may have it.
    }
  }

  close(): void {
    this.sockets.forEach((socket) => socket.destroy());
  }

  private async greet(socket: net.Socket): Promise<void> {
    const { token = '', connector, number } = greeting(await line(socket));
    const tunnelId = this.account.tunnelOf(token);
    if (tunnelId === undefined) {
      socket.end('refused\n').resume();
      return;
    }
    socket.write('ok\n');
    const tunnel = this.tunnels.get(tunnelId) ?? { standing: new Set(), idle: new Set(), places: new Map(), waiting: new Set() };
    this.tunnels.set(tunnelId, tunnel);
    if (number !== undefined) {
      const place = `${connector} ${number}`;
      const before = tunnel.places.get(place);
      tunnel.places.set(place, socket);
      // The connector has lost it; with the network cut in between nobody else noticed.
      if (before && tunnel.idle.has(before)) {
        before.destroy();
      }
    }
    tunnel.standing.add(socket);
    this.account.connected(tunnelId, tunnel.standing.size);
    socket.once('close', () => {
      tunnel.standing.delete(socket);
      tunnel.idle.delete(socket);
      this.account.connected(tunnelId, tunnel.standing.size);
      if (tunnel.standing.size === 0) {
        tunnel.waiting.forEach((resolve) => resolve(undefined));
      }
    });

    const [first] = tunnel.waiting;
    if (first) {
      first(socket);
      return;
    }
    tunnel.idle.add(socket);
    // Read although nothing is to come: otherwise the end of the connection would not be noticed.
    socket.resume();
  }

  private async take(tunnelId: string): Promise<net.Socket | undefined> {
    const tunnel = this.tunnels.get(tunnelId);
    if (tunnel === undefined || tunnel.standing.size === 0) {
      return undefined;
    }
    const [connection] = tunnel.idle;
    if (connection) {
      tunnel.idle.delete(connection);
      return connection;
    }
    // The connector opens another one as soon as one is taken.
    return new Promise((resolve) => {
      const wait = (given: net.Socket | undefined): void => {
        tunnel.waiting.delete(wait);
        clearTimeout(limit);
        resolve(given);
      };
      const limit = setTimeout(() => wait(undefined), longestWait);
      tunnel.waiting.add(wait);
    });
  }
}

/** Reads one line and leaves the connection paused, with the rest in it; undefined when it ends without one. */
function line(socket: net.Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const settle = (found: string | undefined): void => {
      socket.off('data', onData).off('close', onClose).pause();
      resolve(found);
    };
    const onClose = (): void => settle(undefined);
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\n');
      if (end >= 0) {
        settle(text.slice(0, end));
        socket.unshift(Buffer.from(text.slice(end + 1), 'latin1'));
      } else if (text.length > 16_384) {
        socket.destroy();
      }
    };
    if (socket.destroyed) {
      resolve(undefined);
    } else {
      socket.on('data', onData).on('close', onClose).resume();
    }
  });
}

function greeting(text: string | undefined): { token?: string; connector?: string; number?: number } {
  try {
    return (JSON.parse(text ?? '') ?? {}) as ReturnType<typeof greeting>;
  } catch {
    return {};
  }
}

/** Without what concerns one connection only, and without what Access keeps to itself. */
function endToEnd(headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.includes(name) && name !== 'cf-access-client-secret'));
}

function listening(server: net.Server | https.Server, port: number, host?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as net.AddressInfo).port));
  });
}
