import { fillOf, fullIn, hasDamaged, queueOf, queueWarnings, type AlloyQueue } from '../../provider/alloy-queue';
import type { Reach } from '../../provider/reach';
import { fakeEngine } from '../support/fake-engine';
import { queueMetrics } from '../support/services';

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;
const metrics = (text: string, status = 200): Reach => ({ ask: (url) => Promise.resolve(url === 'http://alloy:12345/metrics' ? { status, text } : { status: 404, text: '' }), close: () => undefined });
const phoenix = 'otelcol.exporter.otlphttp.phoenix';

test('the queue of traces, of the backend that is asked for', async () => {
  expect(await queueOf(metrics(queueMetrics(12)), 'http://alloy:12345', phoenix)).toEqual({ held: 12 * mebibyte, capacity: 2 * gibibyte });
  expect(await queueOf(metrics(queueMetrics(0)), 'http://alloy:12345', phoenix)).toEqual({ held: 0, capacity: 2 * gibibyte });
  expect(await queueOf(metrics(queueMetrics(12, 'central')), 'http://alloy:12345', phoenix)).toBeUndefined();
});

test.each<[string, Reach]>([['nobody answers', metrics('', 0)], ['an error', metrics(queueMetrics(3), 500)], ['no queue yet', metrics('# nothing yet\n')]])('nothing is known: %s', async (_, reach) => {
  expect(await queueOf(reach, 'http://alloy:12345', phoenix)).toBeUndefined();
});

test.each<[AlloyQueue, string]>([
  [{ held: 0, capacity: 128 * mebibyte }, '0 bytes of 128 MiB'],
  [{ held: 25_493, capacity: 2 * gibibyte }, '24.9 KiB of 2 GiB'],
  [{ held: 1.5 * gibibyte, capacity: 20 * gibibyte }, '1.5 GiB of 20 GiB'],
])('%j is %s', (queue, words) => {
  expect(fillOf(queue)).toBe(words);
});

test.each<[number, number, number, string | undefined]>([
  // MiB before, MiB now, seconds between
  [10, 10, 10, undefined],
  [10, 9, 10, undefined],
  [0, 1024, 60, 'about 1 minute'],
  [0, 10, 60, 'about 3 hours'],
  [0, 100, 600, 'about 3 hours'],
  [0, 1, 60, 'about 34 hours'],
  [0, 0.1, 60, 'about 14 days'],
  [0, 1000, 60, 'about 1 minute'],
  [0, 2047, 1, 'about 1 minute'],
])('from %d to %d MiB of 2 GiB in %d s: full in %s', (before, now, seconds, words) => {
  const queue = (mebibytes: number): AlloyQueue => ({ held: mebibytes * mebibyte, capacity: 2 * gibibyte });
  expect(fullIn(queue(before), queue(now), seconds * 1000)).toBe(words);
});

test.each([[200, true], [404, false], [500, false]])('the engine answers %d for the folder of damaged files: %s', async (status, damaged) => {
  const path = '/containers/alloy-dev/archive?path=%2Fvar%2Flib%2Falloy%2Fdamaged';
  const { engine } = await fakeEngine({ [path]: { status, body: '' } });
  expect(await hasDamaged(engine, 'alloy-dev')).toBe(damaged);
});

describe('what is worth a word although spans arrive', () => {
  const archive = '/containers/alloy-dev/archive?path=%2Fvar%2Flib%2Falloy%2Fdamaged';
  const warned = async (fills: readonly number[], damaged = false): Promise<string[]> => {
    const { engine } = await fakeEngine({ [archive]: { status: damaged ? 200 : 404, body: '' } });
    const left = [...fills];
    const reach: Reach = { ask: () => Promise.resolve({ status: 200, text: queueMetrics(left.length > 1 ? left.shift() ?? 0 : left[0] ?? 0) }), close: () => undefined };
    return queueWarnings({ reach, engine, alloyUi: 'http://alloy:12345', component: phoenix, container: 'alloy-dev' }, 20);
  };

  test('nothing', async () => {
    expect(await warned([1023])).toEqual([]);
  });

  test('a queue that is half full', async () => {
    expect(await warned([1024])).toEqual(["Alloy's queue on disk holds 1 GiB of 2 GiB; when it is full, Alloy tells senders to try again."]);
  });

  test('one that grows', async () => {
    expect(await warned([1024, 1025])).toEqual([expect.stringMatching(/^Alloy's queue on disk holds 1 GiB of 2 GiB and is full in about \d+ minutes? at this rate; when it is full, Alloy tells senders to try again\.$/)]);
  });

  test('a file that was put aside', async () => {
    expect(await warned([0], true)).toEqual([
      'Alloy could not read a file of its queue and put it aside: docker exec alloy-dev ls -l /var/lib/alloy/damaged lists it. What waited in it was not delivered.',
    ]);
  });
});
