import * as http from 'node:http';
import * as net from 'node:net';

export interface Request {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: http.OutgoingHttpHeaders;
  /** An object is sent as JSON. */
  readonly body?: string | object;
}

export interface Site {
  /** Base URL on loopback, without a slash at its end. */
  readonly url: string;
  /** What was asked, in order. */
  readonly requests: readonly Request[];
}

/** A web site on a free loopback port; gone after the test file. */
export async function site(answer: (request: Request) => Reply): Promise<Site> {
  const requests: Request[] = [];
  const server = http.createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      const request = { method, url, headers, body: Buffer.concat(chunks).toString() };
      requests.push(request);
      const { status = 200, headers: said = {}, body = '' } = answer(request);
      response.writeHead(status, said).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endsWithTests(server);
  return { url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`, requests };
}

/** Base URL of a loopback port on which nobody listens. */
export async function nobody(): Promise<string> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

const running: http.Server[] = [];
afterAll(() =>
  Promise.all(
    running.map((server) => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    }),
  ),
);

/** Has a server end when the test file does, whoever still talks to it. */
export const endsWithTests = (server: http.Server): void => void running.push(server);
