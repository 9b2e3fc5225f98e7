/** One fault from the first span to the row, against a set-up in this process: it takes spans, keeps them a while and stores them. */
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { run, type Pace } from '../../../ops/support/faults/run';
import type { Target } from '../../../ops/support/faults/target';
import { listen } from '../../support/said';
import { endsWithTests } from '../../support/web';

const pace: Pace = { before: 0.02, after: 0.2, look: 0.01, quiet: 0.5, stalled: 2 };
const load = { spansPerSecond: 200, spansPerRequest: 2, spanBytes: 10, retry: { firstMs: 1, giveUpMs: 60_000, timeoutMs: 60_000 } };
const impatient = { ...load, retry: { ...load.retry, giveUpMs: 20 } };
const about = 'something happens';

/** Alloy and Phoenix in one: what is accepted waits, and is stored unless Phoenix is away. */
class Setup {
  readonly rows: string[] = [];
  readonly queue: string[] = [];
  away = false;
  refusing = false;
  refusals = 0;
  dropping = false;
  target!: Target;

  static async start(): Promise<Setup> {
    const setup = new Setup();
    const server = http.createServer((request, response) => {
      if (request.url === '/metrics') {
        response.end(`# TYPE otelcol_exporter_queue_size gauge\notelcol_exporter_queue_size{component_id="otelcol.exporter.otlphttp.phoenix",data_type="traces"} ${setup.queue.length}\n`);
        return;
      }
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (setup.refusing) {
          setup.refusals += 1;
          response.writeHead(503).end();
          return;
        }
        setup.queue.push(...[...Buffer.concat(chunks).toString().matchAll(/"spanId":"(\w+)"/g)].map(([, id = '']) => id));
        setup.store();
        response.end('{"partialSuccess":{}}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endsWithTests(server);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const phoenix = {
      output: async (command: readonly string[]) => {
        if (setup.away) {
          throw new Error('Container phoenix is paused, unpause the container before exec');
        }
        return setup.rows.filter((id) => id.startsWith(command.at(-1) ?? '')).map((id) => `${id}\n`).join('');
      },
    } as Target['phoenix'];
    setup.target = { receiver: url, alloyUi: url, phoenix, alloy: phoenix };
    return setup;
  }

  store(): void {
    if (!this.away) {
      const taken = this.queue.splice(0);
      this.rows.push(...(this.dropping ? [] : taken));
    }
  }
}

let setup: Setup;
beforeEach(async () => {
  setup = await Setup.start();
});

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

test('what waits while Phoenix is away is stored in the end', async () => {
  const row = await run({ name: 'pause', about, happen: async () => {
    setup.away = true;
    await pause(0.1);
    setup.away = false;
    setup.store();
  } }, setup.target, load, pace);
  expect(row).toMatchObject({ lost: 0, duplicated: 0, accepted: row.sent, stored: row.sent, wholeAfter: expect.any(Number) as number, mayLose: 0 });
  expect(row.wholeAfter).toBeGreaterThanOrEqual(0.1);
  expect(row.sent).toBeGreaterThan(0);
});

test('what is accepted and vanishes is lost, and ingest goes on', async () => {
  let gone = 0;
  const row = await run({ name: 'crash', about, happen: async () => {
    setup.away = true;
    while (setup.queue.length < 10) {
      await pause(0.005);
    }
    gone = setup.queue.splice(0).length;
    setup.away = false;
  } }, setup.target, load, pace);
  expect(row).toMatchObject({ lost: gone, stored: row.accepted - gone, wholeAfter: expect.any(Number) as number });
});

test('what is stored twice is counted', async () => {
  const again = async (): Promise<void> => {
    while (setup.rows.length < 3) {
      await pause(0.005);
    }
    setup.rows.push(...setup.rows.slice(0, 3));
  };
  const row = await run({ name: 'twice', about, happen: again }, setup.target, load, pace);
  expect(row).toMatchObject({ lost: 0, duplicated: 3 });
});

test('what is refused for too long is with its sender', async () => {
  const row = await run({ name: 'full', about, happen: async () => {
    setup.refusing = true;
    await pause(0.15);
    setup.refusing = false;
  } }, setup.target, impatient, pace);
  const refused = row.refused.get('503') ?? 0;
  expect(refused).toBeGreaterThan(0);
  expect(row).toMatchObject({ lost: 0, accepted: row.sent - refused });
});

test('a set-up that takes spans and stores none of them is never whole again', async () => {
  const row = await run({ name: 'disk', about, happen: async () => void (setup.dropping = true) }, setup.target, load, pace);
  expect(row.wholeAfter).toBeUndefined();
  expect(row.lost).toBeGreaterThan(0);
  expect(row).not.toHaveProperty('repaired');
});

test('where somebody has to help, the row says how, and what waited is the bound', async () => {
  const said = listen();
  const row = await run({
    name: 'queue', about, bound: 'what waited in the queue',
    happen: async (_, { damages }) => {
      setup.away = true;
      while (setup.queue.length < 10) {
        await pause(0.005);
      }
      setup.refusing = true;
      // Answers that were on their way have arrived by then.
      while (setup.refusals < 10) {
        await pause(0.005);
      }
      setup.queue.splice(0);
      damages();
      setup.away = false;
    },
    repair: { about: 'the queue file was removed', work: async () => void (setup.refusing = false) },
  }, setup.target, impatient, pace);
  expect(row).toMatchObject({ repaired: 'the queue file was removed', wholeAfter: expect.any(Number) as number });
  expect(row.lost).toBeGreaterThanOrEqual(10);
  expect(row.lost).toBeLessThanOrEqual(row.mayLose);
  expect(said).toEqual(['  queue: ingest does not go on by itself; the queue file was removed']);
});

test('where that does not help either, the row says never', async () => {
  listen();
  const row = await run({
    name: 'queue', about,
    happen: async () => void (setup.dropping = true),
    repair: { about: 'Phoenix was restarted', work: async () => undefined },
  }, setup.target, impatient, pace);
  expect([row.repaired, row.wholeAfter]).toEqual(['Phoenix was restarted', undefined]);
});

test('a set-up that stores nothing in the first place gets no fault', async () => {
  setup.dropping = true;
  const happen = jest.fn();
  await expect(run({ name: 'any', about, happen }, setup.target, load, pace)).rejects.toThrow('waited 2 s for a span before any');
  expect(happen).not.toHaveBeenCalled();
});
