import * as http from 'node:http';
import * as https from 'node:https';
import type * as net from 'node:net';
import type { EdgeView } from './account';
import { Connectors } from './connectors';
import { Exchange } from './exchange';

/**
 * `normal`, or the fault with which the edge answers for a hostname; `firewall` refuses because of the content, before the
 * sender is checked, and `nothing` cuts the connection instead of answering.
 */
export const modes = ['normal', '302', '401', '403', '502', '530', 'firewall', 'nothing'] as const;
export type Mode = (typeof modes)[number];

/** Requests that were answered (or cut), by hostname and by the mode that was active when they arrived. */
export type Counts = Readonly<Record<string, Readonly<Partial<Record<Mode, number>>>>>;

export interface EdgeOptions {
  /** Name of the account's Access team: people log in at `TEAM.cloudflareaccess.com`. */
  readonly team: string;
  /** PEM. */
  readonly key: string | Buffer;
  /** PEM, for every hostname that clients ask for. */
  readonly cert: string | Buffer;
  /** Milliseconds within which a live connector has tried to reach a service. Default: 5,000. */
  readonly silenceMs?: number;
}

export interface Ports {
  readonly https: number;
  readonly connectors: number;
}

/** Path of the login page, on any hostname of the edge. */
export const loginPath = '/cdn-cgi/access/login/';

/**
 * Stand-in for Cloudflare's edge: accepts HTTPS for the hostnames of an account and forwards it through the connections that
 * the account's connectors keep open. HTTP/1.1 only.
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
    // No time limits on a request, and none on a kept connection that a client could hit first.
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

  /** Resets the counts. */
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
    const mode = this.modeOf.get(hostname) ?? 'normal';
    const exchange = new Exchange(request, response, hostname, () => this.count(hostname, mode));
    this.underWay.add(exchange);
    response.once('close', () => this.underWay.delete(exchange));

    const [path = '/'] = exchange.url.split('?');
    if (path.startsWith(loginPath)) {
      return exchange.page(200, 'Sign in', 'Get a login code emailed to you');
    }
    if (mode !== 'normal' && !(mode === 'firewall' && exchange.isEmpty)) {
      return this.fault(exchange, mode);
    }
    const verdict = this.account.access(hostname, path, request.headers);
    if (verdict !== 'pass') {
      return this.fault(exchange, verdict === 'login' ? '302' : '401');
    }
    const route = this.account.route(hostname, path);
    if (route === undefined) {
      return exchange.page(530, 'Origin DNS error', 'error code: 1016');
    }
    const [, status] = /^http_status:(\d{3})$/.exec(route.service) ?? [];
    if (status !== undefined) {
      return exchange.page(Number(status), http.STATUS_CODES[status] ?? '', 'No ingress rule leads to a service');
    }
    return this.passOn(exchange, route.tunnelId, new URL(route.service));
  }

  private async passOn(exchange: Exchange, tunnelId: string, service: URL): Promise<void> {
    if (service.protocol !== 'http:') {
      return exchange.page(502, 'Bad gateway', `This edge passes requests on to http services only, not to ${service.protocol.slice(0, -1)}`);
    }
    if (exchange.isTooLarge) {
      return exchange.tooLarge();
    }
    const origin = await this.connectors.open(tunnelId, `${service.hostname}:${service.port || 80}`);
    if (origin === undefined) {
      return this.fault(exchange, '530');
    }
    return origin === 'down' ? exchange.unreachable() : exchange.passOn(origin);
  }

  private fault(exchange: Exchange, mode: Exclude<Mode, 'normal'>): void {
    switch (mode) {
      case '302': {
        const location = `https://${this.options.team}.cloudflareaccess.com${loginPath}${exchange.hostname}?redirect_url=${encodeURIComponent(exchange.url)}`;
        return exchange.page(302, 'Found', 'Sign in first', { location });
      }
      case '401':
        return exchange.page(401, 'Unauthorized', 'The request shows no valid service token');
      case '403':
      case 'firewall':
        return exchange.page(403, 'Forbidden', 'You do not have permission to view this');
      case '502':
        return exchange.unreachable();
      case '530':
        return exchange.page(530, 'Cloudflare Tunnel error', 'error code: 1033');
      case 'nothing':
        return this.cut(exchange);
    }
  }

  private cut({ hostname, request }: Exchange): void {
    this.count(hostname, 'nothing');
    request.socket.destroy();
  }

  private count(hostname: string, mode: Mode): void {
    const modes = (this.counted[hostname] ??= {});
    modes[mode] = (modes[mode] ?? 0) + 1;
  }
}

function listening(server: net.Server | https.Server, port: number, host?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as net.AddressInfo).port));
  });
}
