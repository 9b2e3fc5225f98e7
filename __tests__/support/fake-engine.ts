import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { at, type Engine } from '../../engine';
import { tempDir } from './temp';
import { endsWithTests } from './web';

/** Answer to a path: an object is JSON with status 200; 'silence' never answers, 'stall' stops in the middle. */
export type Answer = object | { readonly status: number; readonly body: string } | 'silence' | 'stall';

export interface FakeEngine {
  /** Address as `docker:host` takes it. */
  readonly host: string;
  readonly engine: Engine;
  /** File of the Unix socket; empty over TCP. */
  readonly socket: string;
  /** What was asked, in order: without the version in front, and without the `/_ping` that finds it out. */
  readonly requests: { method: string; url: string; headers: http.IncomingHttpHeaders; body: string }[];
}

/** A container as `GET /containers/json` lists it. */
export const container = (name: string, port: number, labels: Record<string, string> = {}, ip = '127.0.0.1'): object => ({
  Id: `${name}-id`,
  Names: [`/${name}`],
  State: 'running',
  Labels: labels,
  Ports: [{ PrivatePort: 80, Type: 'tcp', PublicPort: port, ...(ip ? { IP: ip } : {}) }],
});

/** What a current engine with nothing on it answers to the requests of a preflight. */
export const current: Readonly<Record<string, Answer>> = {
  '/version': { ApiVersion: '1.51', Version: '28.3.0' },
  '/info': { NCPU: 8, OperatingSystem: 'Debian GNU/Linux 13 (trixie)' },
  '/networks/bridge': { IPAM: { Config: [{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' }] } },
  '/containers/json': [],
  '/volumes': { Volumes: null, Warnings: null },
  '/networks': [],
};

/** What the fake says of itself where the table has no `/_ping`. */
const apiVersion = '1.51';

/** A Docker Engine that answers from a table, on a Unix socket or a loopback port; gone after the test file. */
export async function fakeEngine(answers: Readonly<Record<string, Answer>>, over: 'unix' | 'tcp' | 'tcp6' = 'unix'): Promise<FakeEngine> {
  const requests: FakeEngine['requests'] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', headers } = request;
      if (request.url === '/_ping' && !('/_ping' in answers)) {
        response.writeHead(200, { 'api-version': apiVersion }).end('OK');
        return;
      }
      const url = (request.url ?? '').replace(/^\/v\d+\.\d+(?=\/)/, '');
      requests.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      // A query may hold a time; without it in the table its path counts.
      const answer = answers[url] ?? answers[url.split('?')[0] ?? ''] ?? { status: 404, body: JSON.stringify({ message: 'page not found' }) };
      if (answer === 'silence') {
        return;
      }
      if (answer === 'stall') {
        response.writeHead(200, { 'content-length': 100 }).write('{');
      } else if ('status' in answer && 'body' in answer) {
        response.writeHead(answer.status as number).end(answer.body);
      } else {
        response.end(JSON.stringify(answer));
      }
    });
  });
  const socket = over === 'unix' ? path.join(tempDir(), 'docker.sock') : '';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket ? { path: socket } : { host: over === 'tcp6' ? '::1' : '127.0.0.1', port: 0 }, resolve);
  });
  endsWithTests(server);
  const address = over === 'tcp6' ? '[::1]' : '127.0.0.1';
  const host = socket ? `unix://${socket}` : `tcp://${address}:${(server.address() as AddressInfo).port}`;
  return { host, engine: at(host), socket, requests };
}
