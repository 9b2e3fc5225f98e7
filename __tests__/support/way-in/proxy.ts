import * as http from 'node:http';
import * as net from 'node:net';
import { endsWithTests } from '../web';

export interface Proxy {
  /** For HTTPS_PROXY. */
  readonly url: string;
  /** `host:port` of every CONNECT, in order. */
  readonly asked: readonly string[];
  /** Status of every answer to come. Default: the connection is made. */
  refusal?: number;
  /** `user:password` that it wants. */
  login?: string;
}

/** A company's proxy on loopback: every host leads to one port of loopback. */
export async function connectProxy(port: number): Promise<Proxy> {
  const asked: string[] = [];
  const proxy: { -readonly [key in keyof Proxy]: Proxy[key] } = { url: '', asked };
  const server = http.createServer((_request, response) => void response.writeHead(400).end());
  // A server lets go of a connection that was made through it.
  const tunnels = new Set<net.Socket>();
  server.closeAllConnections = () => tunnels.forEach((socket) => socket.destroy());
  server.on('connection', (socket: net.Socket) => tunnels.add(socket.on('close', () => tunnels.delete(socket))));
  server.on('connect', (request: http.IncomingMessage, socket: net.Socket) => {
    asked.push(request.url ?? '');
    socket.on('error', () => undefined);
    const known = !proxy.login || request.headers['proxy-authorization'] === `Basic ${Buffer.from(proxy.login).toString('base64')}`;
    const refusal = proxy.refusal ?? (known ? undefined : 407);
    if (refusal) {
      // Squid says so, with a page of its own.
      socket.end(`HTTP/1.1 ${refusal} ${http.STATUS_CODES[refusal] ?? ''}\r\n${refusal === 407 ? 'Proxy-Authenticate: Basic realm="proxy"\r\n' : ''}Content-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    const onward = net.connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endsWithTests(server);
  proxy.url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  return proxy;
}
