import * as fs from 'node:fs';
import { diskRoom, queuesOf } from '../../stack/disk-room';
import { readSettings } from '../../settings/settings';
import type { Settings } from '../../settings/keys';
import { tempDir } from '../support/temp';

const settings = (config: Readonly<Record<string, string>> = {}): Settings => readSettings(config, 'llm-observability').settings;
const loki = { 'loki:url': 'http://loki:3100' };
const prometheus = { 'prometheus:url': 'http://prometheus:9090' };
const edge = { 'edge:central': 'prod' };
const toPhoenix = { ...edge, 'edge:sendTo': 'phoenix' };

test.each<[string, Record<string, string>, number]>([
  ['traces', {}, 1],
  ['metrics go by remote write', prometheus, 1],
  ['metrics to a deployed Prometheus', { 'prometheus:enabled': 'true' }, 1],
  ['logs too', loki, 2],
  ['logs to a deployed VictoriaLogs', { 'victorialogs:enabled': 'true' }, 2],
  ['everything through the tunnel', edge, 3],
  ['logs to a store beside it', { ...edge, ...loki }, 3],
  ['metrics to a store beside it', { ...edge, ...prometheus }, 2],
  ['both', { ...edge, ...prometheus, ...loki }, 2],
  ['traces through the tunnel', toPhoenix, 1],
  ['and logs beside it', { ...toPhoenix, ...loki }, 2],
])('%s', (_, config, queues) => {
  expect(queuesOf(settings(config))).toBe(queues);
});

describe('on this disk', () => {
  const root = tempDir();
  const { bavail, blocks, bsize } = fs.statfsSync(root);
  const [free, all] = [bavail, blocks].map((count) => (count * bsize) / 2 ** 30) as [number, number];
  const more = (gib: number): string => `${Math.ceil(gib) + 1}GiB`;

  test('a queue that fits', async () => {
    expect(await diskRoom(settings({ 'alloy:queue': '128MiB' }), root, false)).toEqual([]);
  });

  test('one that is larger than what is free, with one that would fit', async () => {
    const [problem, ...others] = await diskRoom(settings({ 'alloy:queue': more(free) }), root, false);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ key: 'alloy:queue', value: more(free), rule: expect.stringMatching(`^the queue may take that much, and the disk of ${root} has \\d+[GM]iB free$`) });
    const [, command, size] = /^(pulumi config set alloy:queue) (\d+(?:GiB|MiB))$/.exec(problem?.mend[0] ?? '') ?? [];
    expect(command).toBeDefined();
    expect(await diskRoom(settings({ 'alloy:queue': size ?? '' }), root, false)).toEqual([]);
  });

  test('several together', async () => {
    const half = `${Math.ceil(free / 2) + 1}GiB`;
    expect(await diskRoom(settings({ ...loki, 'alloy:queue': half }), root, false)).toMatchObject([{ rule: expect.stringMatching(/^each of 2 queues may take that much/) }]);
  });

  test('that of a stack which has its queue already, and may have filled the disk with it, is held against the whole disk', async () => {
    expect(await diskRoom(settings({ 'alloy:queue': `${Math.floor(all)}GiB` }), root, true)).toEqual([]);
    expect(await diskRoom(settings({ 'alloy:queue': more(all) }), root, true)).toMatchObject([{ rule: expect.stringMatching(/has \d+GiB$/) }]);
  });

  test('metrics of a deployed Prometheus that do not fit beside the queue, with a size that would', async () => {
    const config = { 'prometheus:enabled': 'true', 'alloy:queue': '128MiB' };
    const [problem] = await diskRoom(settings({ ...config, 'prometheus:storage': more(free) }), root, false);
    expect(problem).toMatchObject({ key: 'prometheus:storage', value: more(free) });
    const [, size = ''] = /^pulumi config set prometheus:storage (\d+(?:GiB|MiB))$/.exec(problem?.mend[0] ?? '') ?? [];
    expect(await diskRoom(settings({ ...config, 'prometheus:storage': size }), root, false)).toEqual([]);
    // Without it the setting takes no room.
    expect(await diskRoom(settings({ 'alloy:queue': '128MiB', 'prometheus:storage': more(free) }), root, false)).toEqual([]);
    // The database is what does not fit beside both.
    expect(await diskRoom(settings({ ...config, 'prometheus:storage': '512MiB', 'phoenix:storage': more(free) }), root, false)).toMatchObject([{ key: 'phoenix:storage', rule: expect.stringContaining('Prometheus 512MiB') }]);
  });

  test('logs of a deployed VictoriaLogs that do not fit beside the metrics', async () => {
    const config = { 'prometheus:enabled': 'true', 'prometheus:storage': '1GiB', 'victorialogs:enabled': 'true', 'alloy:queue': '128MiB' };
    const [problem] = await diskRoom(settings({ ...config, 'victorialogs:storage': more(free) }), root, false);
    expect(problem).toMatchObject({ key: 'victorialogs:storage', value: more(free), rule: expect.stringContaining('Prometheus 1GiB') });
    const [, size = ''] = /^pulumi config set victorialogs:storage (\d+(?:GiB|MiB))$/.exec(problem?.mend[0] ?? '') ?? [];
    expect(await diskRoom(settings({ ...config, 'victorialogs:storage': size }), root, false)).toEqual([]);
  });

  test('a database that fits beside the queue', async () => {
    expect(await diskRoom(settings({ 'alloy:queue': '128MiB', 'phoenix:storage': '1GiB' }), root, false)).toEqual([]);
  });

  test('a database elsewhere takes none of it', async () => {
    expect(await diskRoom(settings({ 'alloy:queue': '1GiB', 'phoenix:storage': more(free), 'phoenix:database': 'postgresql://u:p@db.lan/x' }), root, false)).toEqual([]);
  });

  test('one that does not, with one that would', async () => {
    const [problem, ...others] = await diskRoom(settings({ 'alloy:queue': '1GiB', 'phoenix:storage': more(free) }), root, false);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ key: 'phoenix:storage', value: more(free), rule: expect.stringMatching(`^the database may take that much and Alloy's queue 1GiB, and the disk of ${root} has \\d+[GM]iB free$`) });
    const [, size = ''] = /^pulumi config set phoenix:storage (\d+(?:GiB|MiB))$/.exec(problem?.mend[0] ?? '') ?? [];
    expect(await diskRoom(settings({ 'alloy:queue': '1GiB', 'phoenix:storage': size }), root, false)).toEqual([]);
  });

  test('metrics that wait are counted, too', async () => {
    const almost = `${Math.floor(free * 1024) - 256}MiB`;
    expect(await diskRoom(settings({ 'alloy:queue': almost }), root, false)).toEqual([]);
    const [problem] = await diskRoom(settings({ ...prometheus, 'alloy:queue': almost }), root, false);
    expect(problem?.rule).toMatch(/^the queue may take that much, metrics that wait for their store about 512MiB, and the disk/);
    const [, size = ''] = /^pulumi config set alloy:queue (\d+(?:GiB|MiB))$/.exec(problem?.mend[0] ?? '') ?? [];
    expect(await diskRoom(settings({ ...prometheus, 'alloy:queue': size }), root, false)).toEqual([]);
    expect(await diskRoom(settings({ ...prometheus, 'alloy:queue': '1GiB', 'phoenix:storage': more(free) }), root, false)).toMatchObject([
      { rule: expect.stringMatching(/^the database may take that much and Alloy's queue 1GiB, metrics that wait for their store about 512MiB, and the disk/) },
    ]);
  });

  test('a queue that leaves no room for any database: what fills the disk', async () => {
    expect(await diskRoom(settings({ 'alloy:queue': `${Math.floor(free)}GiB`, 'phoenix:storage': '2GiB' }), root, false)).toMatchObject([{ mend: ['docker system df', `df -h ${root}`] }]);
  });
});

test('nothing is said of a disk that cannot be looked at', async () => {
  expect(await diskRoom(settings({ 'alloy:queue': '9999GiB' }), '/not/there', false)).toEqual([]);
});
