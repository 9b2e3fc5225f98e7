import * as net from 'node:net';
import type { EdgeView } from './account';

/** Milliseconds that a request waits for a connection while all of them are in use. */
const longestWait = 10_000;

/** Connections of one tunnel's connectors. */
interface Tunnel {
  readonly standing: Set<net.Socket>;
  /** Those that no request uses, oldest first, so that connectors take turns. */
  readonly idle: Set<net.Socket>;
  /** The last connection in each place of each connector. */
  readonly places: Map<string, net.Socket>;
  /** Requests that arrived while all were in use. */
  readonly waiting: Set<(connection: net.Socket | undefined) => void>;
}

/**
 * The port for connectors. A connector has a few numbered places and opens a connection in each. It sends its token in one line
 * of JSON, and the edge answers `ok` or `refused`. An idle connection is used once: the edge writes `host:port`, the connector
 * `up` or `down`, and from then on it is a pipe to the service.
 */
export class Connectors {
  readonly server = net.createServer({ keepAlive: true, keepAliveInitialDelay: 5_000, noDelay: true }, (socket) => {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    // A connection that breaks also closes, and that is handled.
    socket.on('error', () => undefined);
    void this.greet(socket);
  });
  private readonly sockets = new Set<net.Socket>();
  private readonly tunnels = new Map<string, Tunnel>();

  constructor(private readonly account: EdgeView, private readonly silenceMs: number) {}

  /** A pipe to a service, paused; `down` if a connector cannot reach it, undefined if the tunnel has no connector. */
  async open(tunnelId: string, service: string): Promise<net.Socket | 'down' | undefined> {
    for (;;) {
      const connection = await this.take(tunnelId);
      if (connection === undefined) {
        return undefined;
      }
      connection.write(`${service}\n`);
      // A connector that disappeared silently is given up: nothing else would show it for a quarter of an hour.
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
      // The connector disappeared before it received any part of the request: a different one may serve it.
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
      // The connector has lost it; with the network cut in between, nothing else would show it.
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
    // Read although nothing is expected: otherwise the end of the connection would go unnoticed.
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
    // The connector opens a new one as soon as one is taken.
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

/** Reads one line and leaves the connection paused, with the rest in it; undefined if it ends without one. */
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
