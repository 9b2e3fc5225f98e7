import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { Authority } from '../../lab/authority';
import type { EdgeView } from '../../lab/cloudflare/account';
import { Edge, type Ports } from '../../lab/cloudflare/edge';
import { tempDir } from '../support/temp';
import { nobody, site } from '../support/web';

const run = promisify(execFile);
const script = path.join(__dirname, '..', '..', 'lab', 'cloudflare', 'cloudflared', 'cloudflared.py');
const hostname = 'phoenix.example.com';
const token = Buffer.from(JSON.stringify({ a: 'account', t: 'tunnel', s: 'c2VjcmV0' })).toString('base64');

// Pythons and a machine that does other things as well: what a test waits for it waits for by its condition.
jest.setTimeout(60_000);

/** A connector that runs, with all that it has said. */
interface Running {
  readonly child: ChildProcess;
  /** `host:port` of its readiness. */
  readonly metrics: string;
  readonly ended: Promise<number | null>;
  said(): string;
}

let dir: string;
let certified: string;
let ca: string;
/** Tokens that the account knows. */
let tokens: string[];
let service: string;
let standing: number;
let edge: Edge;
let ports: Ports;
let running: ChildProcess[];

const view: EdgeView = {
  tunnelOf: (shown) => (tokens.includes(shown) ? 'tunnel' : undefined),
  connected: (_, connections) => {
    standing = connections;
  },
  route: () => ({ tunnelId: 'tunnel', service }),
  access: () => 'pass',
};

beforeAll(async () => {
  dir = tempDir();
  // No private key is in the repository.
  certified = await (await Authority.create(path.join(dir, 'authority'))).server('edge', [hostname]);
  ca = readFileSync(path.join(certified, 'ca.pem'), 'utf8');
});

beforeEach(async () => {
  [tokens, standing, running] = [[token], 0, []];
  await openEdge({ https: 0, connectors: 0 });
});

afterEach(async () => {
  await Promise.all(running.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null).map((child) => {
    child.kill('SIGKILL');
    return once(child, 'close');
  }));
  await edge.close();
});

async function openEdge(wanted: Ports): Promise<void> {
  edge = new Edge(view, { team: 'lab', key: readFileSync(path.join(certified, 'key.pem')), cert: readFileSync(path.join(certified, 'cert.pem')) });
  ports = await edge.listen(wanted, '127.0.0.1');
}

/** Asks again and again until it holds; jest's time limit is the limit. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Environment with nothing in it but the path and what is given. */
const only = (env: Record<string, string>): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'], ...env });

async function start(env: Record<string, string> = {}, args: readonly string[] = ['--no-autoupdate', 'tunnel', 'run']): Promise<Running> {
  const metrics = new URL(await nobody()).host;
  const child = spawn('python3', [script, ...args], {
    env: only({ TUNNEL_TOKEN: token, TUNNEL_METRICS: metrics, LAB_EDGE: `127.0.0.1:${ports.connectors}`, ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, metrics, ended: once(child, 'close').then(([code]) => code as number | null), said: () => text };
}

async function readiness({ metrics }: Running): Promise<{ status: number; readyConnections: number; connectorId: string } | undefined> {
  try {
    const answer = await fetch(`http://${metrics}/ready`);
    const body = (await answer.json()) as { status: number; readyConnections: number; connectorId: string };
    expect(body.status).toBe(answer.status);
    return body;
  } catch {
    return undefined;
  }
}

const hasConnections = (connector: Running, count: number) => async (): Promise<boolean> => (await readiness(connector))?.readyConnections === count;

/** `cloudflared tunnel --metrics … ready`. */
async function asked(...args: string[]): Promise<{ code: number; stderr: string }> {
  try {
    return { code: 0, stderr: (await run('python3', [script, ...args], { env: only({}) })).stderr };
  } catch (error) {
    return error as { code: number; stderr: string };
  }
}

async function ask(body = ''): Promise<{ status: number; body: string }> {
  const request = https.request({
    host: '127.0.0.1', port: ports.https, servername: hostname, ca, agent: false, path: '/v1/traces', method: body ? 'POST' : 'GET',
    headers: { host: hostname, 'content-length': Buffer.byteLength(body) },
  });
  request.end(body);
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  let text = '';
  for await (const chunk of answer) {
    text += String(chunk);
  }
  return { status: answer.statusCode ?? 0, body: text };
}

/** An origin whose answers are given by hand. */
async function slowOrigin(): Promise<http.ServerResponse[]> {
  const waiting: http.ServerResponse[] = [];
  const server = http.createServer((_, response) => waiting.push(response));
  origins.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  service = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return waiting;
}

const origins: http.Server[] = [];
afterEach(() => origins.splice(0).forEach((server) => server.close().closeAllConnections()));

describe('a connector', () => {
  test('holds four connections and passes requests on', async () => {
    const phoenix = await site(({ body }) => ({ status: 201, body }));
    service = phoenix.url;
    const connector = await start();
    await until(hasConnections(connector, 4));
    expect(standing).toBe(4);
    const body = 'abcdefgh'.repeat(100_000);

    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => ask(`${index} ${body}`)));

    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(201));
    expect(answers.every((answer, index) => answer.body === `${index} ${body}`)).toBe(true);
    await until(() => standing === 4);
    const metrics = await (await fetch(`http://${connector.metrics}/metrics`)).text();
    expect(metrics).toContain('cloudflared_tunnel_ha_connections 4\n');
    expect(metrics).toContain('cloudflared_tunnel_total_requests 12\n');
  });

  test('answers at once for an origin where nobody listens', async () => {
    service = await nobody();
    const connector = await start();
    await until(hasConnections(connector, 4));

    expect(await ask('x')).toMatchObject({ status: 502, body: expect.stringContaining('Unable to reach the origin service') as string });
    expect(connector.said()).toContain(`originService=${service}`);
  });

  test('tells of an origin that breaks off', async () => {
    const waiting = await slowOrigin();
    const connector = await start();
    await until(hasConnections(connector, 4));

    const answer = ask();
    await until(() => waiting.length === 1);
    waiting[0]?.destroy();

    expect(await answer).toMatchObject({ status: 502 });
  });

  test('takes its token from a file, with white space around it', async () => {
    const file = path.join(dir, 'token');
    writeFileSync(file, `\n ${token} \n`);
    const connector = await start({ TUNNEL_TOKEN: '', TUNNEL_TOKEN_FILE: file });

    await until(hasConnections(connector, 4));
  });

  test('never tells its token', async () => {
    tokens = [];
    const connector = await start();
    await until(() => connector.said().includes('Unauthorized'));
    tokens = [token];
    await until(hasConnections(connector, 4));
    connector.child.kill('SIGTERM');
    await connector.ended;

    expect(connector.said()).not.toContain(token);
    expect(connector.said()).not.toContain('c2VjcmV0');
  });
});

describe('an edge that is not there', () => {
  test('is tried until it is', async () => {
    await edge.close();
    const connector = await start();
    await until(async () => (await readiness(connector))?.status === 503);
    expect(await asked('tunnel', '--metrics', connector.metrics, 'ready')).toMatchObject({ code: 1, stderr: expect.stringContaining('returned status code 503') as string });

    await openEdge(ports);

    await until(hasConnections(connector, 4));
    expect(await asked('tunnel', '--metrics', connector.metrics, 'ready')).toMatchObject({ code: 0, stderr: '' });
  });

  test('is tried, too, when it goes away in between', async () => {
    service = (await site(() => ({ body: 'here' }))).url;
    const connector = await start();
    await until(hasConnections(connector, 4));
    const id = (await readiness(connector))?.connectorId;

    await edge.close();
    await until(hasConnections(connector, 0));
    await openEdge(ports);
    await until(hasConnections(connector, 4));

    expect(await ask()).toEqual({ status: 200, body: 'here' });
    expect((await readiness(connector))?.connectorId).toBe(id);
  });

  test('has a name that does not resolve', async () => {
    const connector = await start({ LAB_EDGE: 'edge.invalid:7844' });
    await until(() => connector.said().includes('Unable to establish connection'));

    expect(connector.child.exitCode).toBeNull();
    expect((await readiness(connector))?.status).toBe(503);
  });

  test('that does not know the token is asked again', async () => {
    tokens = [];
    const connector = await start();
    await until(() => connector.said().includes('error="Unauthorized: Invalid tunnel secret"'));
    expect((await readiness(connector))?.status).toBe(503);

    tokens = [token];

    await until(hasConnections(connector, 4));
  });
});

describe('told to stop, a connector', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('with %s ends at once when it has nothing to do', async (signal) => {
    const connector = await start();
    await until(hasConnections(connector, 4));

    connector.child.kill(signal);

    expect(await connector.ended).toBe(0);
    await until(() => standing === 0);
  });

  test('ends at once when it has no edge', async () => {
    await edge.close();
    const connector = await start();
    await until(async () => (await readiness(connector))?.status === 503);

    connector.child.kill('SIGTERM');

    expect(await connector.ended).toBe(0);
  });

  test('ends what is under way and takes nothing new', async () => {
    const waiting = await slowOrigin();
    const connector = await start();
    await until(hasConnections(connector, 4));
    const answer = ask();
    await until(() => waiting.length === 1);

    connector.child.kill('SIGTERM');
    // One is in use, and the others are closed.
    await until(() => standing === 1);
    const waits = ask();
    const second = await start();
    await until(hasConnections(second, 4));
    // The edge has given the one that waits to the connector that came.
    await until(() => waiting.length === 2);
    waiting.forEach((response, index) => response.end(String(index)));

    expect(await answer).toEqual({ status: 200, body: '0' });
    expect(await waits).toEqual({ status: 200, body: '1' });
    expect(await connector.ended).toBe(0);
  });

  test('waits no longer than the grace period', async () => {
    const waiting = await slowOrigin();
    const connector = await start({ TUNNEL_GRACE_PERIOD: '0m0s1ms' });
    await until(hasConnections(connector, 4));
    const answer = ask();
    await until(() => waiting.length === 1);

    connector.child.kill('SIGTERM');

    expect(await connector.ended).toBe(0);
    expect(await answer).toMatchObject({ status: 502 });
  });

  test('does not wait when it is told twice', async () => {
    const waiting = await slowOrigin();
    const connector = await start();
    await until(hasConnections(connector, 4));
    const answer = ask();
    await until(() => waiting.length === 1);

    connector.child.kill('SIGTERM');
    await until(() => connector.said().includes('Initiating graceful shutdown'));
    connector.child.kill('SIGTERM');

    expect(await connector.ended).toBe(0);
    expect(await answer).toMatchObject({ status: 502 });
  });
});

describe('a connector does not start', () => {
  const invalid = 'Provided Tunnel token is not valid.\n';

  test.each([
    ['no base64', { TUNNEL_TOKEN: 'no-token!' }, invalid],
    ['no JSON', { TUNNEL_TOKEN: Buffer.from('no').toString('base64') }, invalid],
    ['no secret', { TUNNEL_TOKEN: Buffer.from('{"a":"1","t":"2"}').toString('base64') }, invalid],
    ['no object', { TUNNEL_TOKEN: Buffer.from('7').toString('base64') }, invalid],
    ['no token', { TUNNEL_TOKEN: '' }, '"cloudflared tunnel run" requires the ID or name of the tunnel'],
    ['no file', { TUNNEL_TOKEN: '', TUNNEL_TOKEN_FILE: '/nowhere/token' }, 'Failed to read token file: open /nowhere/token: No such file or directory\n'],
    ['no duration', { TUNNEL_GRACE_PERIOD: '30' }, 'invalid value "30" for flag -grace-period'],
    ['no address', { TUNNEL_METRICS: 'localhost' }, 'missing port in address'],
  ])('with %s', async (_, env, said) => {
    const connector = await start(env);

    expect(await connector.ended).toBe(1);
    expect(connector.said()).toContain(said);
    expect(connector.said()).not.toContain('Traceback');
  });

  test('where somebody listens on the address for its readiness', async () => {
    const connector = await start({ TUNNEL_METRICS: new URL((await site(() => ({}))).url).host });

    expect(await connector.ended).toBe(1);
    expect(connector.said()).toContain('Error opening metrics server listener');
  });

  test('with a flag that the stand-in knows nothing of', async () => {
    const connector = await start({}, ['tunnel', '--protocol=http2', 'run']);

    expect(await connector.ended).toBe(2);
    expect(connector.said()).toContain('unrecognized arguments: --protocol=http2');
  });
});

describe('readiness', () => {
  test('of nobody', async () => {
    const { host } = new URL(await nobody());

    expect(await asked('tunnel', '--metrics', host, 'ready')).toMatchObject({ code: 1, stderr: expect.stringContaining(`Get "http://${host}/ready"`) as string });
  });

  test('of nowhere', async () => {
    expect(await asked('tunnel', 'ready')).toMatchObject({ code: 1, stderr: '--metrics has to be provided\n' });
  });
});
