/** What a deployment that is cancelled no longer waits for. */
import * as net from 'node:net';
import { at } from '../../engine';
import type { Reach } from '../../provider/reach';
import { carried, execEngine } from '../support/exec-engine';
import { services } from '../support/services';
import { site } from '../support/web';

/** The modules of a provider of its own: one that was cancelled stays so. */
function provider() {
  jest.resetModules();
  const { cancel, cancelled, pause } = require('../../provider/cancellation') as typeof import('../../provider/cancellation');
  const { from } = require('../../provider/container-reach') as typeof import('../../provider/container-reach');
  const { checkDelivery } = require('../../provider/delivery') as typeof import('../../provider/delivery');
  const { intake } = require('../../provider/intake') as typeof import('../../provider/intake');
  const { PhoenixApi } = require('../../provider/phoenix-api') as typeof import('../../provider/phoenix-api');
  return { cancel, cancelled, pause, from, checkDelivery, intake, PhoenixApi };
}

const wasCancelled = new Error('the deployment was cancelled');
/** Longer than a test may take. */
const long = 3_600_000;

test('a wait ends at once, and so does every later one', async () => {
  const { cancel, pause } = provider();
  const waiting = expect(pause(long)).rejects.toThrow(wasCancelled);
  cancel();
  await waiting;
  await expect(pause(long)).rejects.toThrow(wasCancelled);
});

test('many wait at once, without a warning', async () => {
  const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
  try {
    const { cancel, pause } = provider();
    const waits = Array.from({ length: 50 }, () => expect(pause(long)).rejects.toThrow(wasCancelled));
    cancel();
    await Promise.all(waits);
    expect(warned).not.toHaveBeenCalled();
  } finally {
    warned.mockRestore();
  }
});

test('a wait that is over was one', async () => {
  await expect(provider().pause(1)).resolves.toBeUndefined();
});

test('a trace that does not arrive', async () => {
  const { cancel, checkDelivery } = provider();
  const { route, phoenix } = await services({ emptyLooks: Infinity });
  const checking = expect(checkDelivery(route, long)).rejects.toThrow(wasCancelled);
  while (phoenix.requests.length < 2) {
    await new Promise(setImmediate);
  }
  cancel();
  await checking;
});

test.each([7, undefined])('what Phoenix has not stored (%s): Phoenix stays, so the gate is opened again', async (held) => {
  const { cancel, intake } = provider();
  const did: string[] = [];
  const kind = intake(() => ({
    open: async () => void did.push('open'),
    close: async () => void did.push('close'),
    held: async () => (cancel(), held),
    end: () => void did.push('end'),
  }), long);
  const inputs = { engine: at('unix:///docker.sock'), gate: 'g', closedFile: '/tmp/closed', phoenix: 'p', metrics: 'http://m', server: 'one', entrance: 'two' };
  await expect(kind.delete?.(inputs)).rejects.toThrow(wasCancelled);
  expect(did).toEqual(['close', 'open', 'end']);
});

test.each<[string, number, string]>([
  ['a Phoenix that is not ready', 503, 'ready'],
  ['one that had too many requests', 429, 'keys'],
])('%s', async (_, status, method) => {
  const { cancel, PhoenixApi } = provider();
  const reach: Reach = { ask: async () => (setImmediate(cancel), { status, text: '' }), close() {} };
  const api = new PhoenixApi({ engine: at('unix:///docker.sock'), container: 'c', url: 'http://p', auth: true, adminSecret: 's' }, reach, { againMs: long, longestMs: long, longestForLoginMs: long });
  await expect(api[method as 'ready' | 'keys']()).rejects.toThrow(wasCancelled);
});

test('a question about a key has no answer, from which nothing follows', async () => {
  const { cancel, PhoenixApi } = provider();
  const reach: Reach = { ask: async () => (cancel(), { status: 0, text: 'no answer' }), close() {} };
  const api = new PhoenixApi({ engine: at('unix:///docker.sock'), container: 'c', url: 'http://p', auth: true, adminSecret: 's' }, reach);
  await expect(api.accepts('key')).rejects.toThrow(wasCancelled);
});

describe('a question that nobody has answered yet', () => {
  /** A server that keeps its answers back. */
  async function slow(): Promise<{ url: string; asked(): Promise<void>; answer(): void }> {
    const sockets: net.Socket[] = [];
    const server = net.createServer((socket) => void socket.once('data', () => sockets.push(socket)).on('error', () => {}));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    return {
      url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
      async asked() {
        while (sockets.length === 0) {
          await new Promise(setImmediate);
        }
      },
      answer: () => sockets.forEach((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')),
    };
  }
  const servers: net.Server[] = [];
  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  test('is given up', async () => {
    const { cancel, from } = provider();
    const { engine } = await execEngine(carried());
    const { url, asked, answer } = await slow();
    const reach = from(engine, 'phoenix-dev');
    const asking = reach.ask(url);
    await asked();
    cancel();
    expect(await asking).toEqual({ status: 0, text: 'the deployment was cancelled' });
    answer();
    reach.close();
  });

  test('unless it changes something: half of that is worse', async () => {
    const { cancel, from } = provider();
    const { engine } = await execEngine(carried());
    const { url, asked, answer } = await slow();
    const reach = from(engine, 'phoenix-dev');
    const asking = reach.ask(url, { method: 'POST' });
    await asked();
    cancel();
    answer();
    expect(await asking).toEqual({ status: 200, text: 'ok' });
    reach.close();
  });

  test('and what was answered before is none', async () => {
    const { from } = provider();
    const { engine } = await execEngine(carried());
    const { url } = await site(() => ({ body: 'ok' }));
    const reach = from(engine, 'phoenix-dev');
    expect(await reach.ask(url)).toEqual({ status: 200, text: 'ok' });
    reach.close();
  });
});
