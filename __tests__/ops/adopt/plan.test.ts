import { Data } from '../../../ops/support/adopt/data';
import { amount, leftText, outcomeText, planText } from '../../../ops/support/adopt/plan';
import { readSettings } from '../../../settings/settings';
import { at } from '../../../engine';
import type { Mount } from '../../../ops/support/adopt/old-container';
import { adoption, setupOf } from './given';

const { data } = adoption();
const plan = (over: Partial<Parameters<typeof planText>[1]> = {}): Parameters<typeof planText>[1] => ({
  setup: setupOf(), data: new Data(at('unix:///docker.sock'), 'dev', data), measured: { traces: 1000, spans: 1_234_567, bytes: 5 * 2 ** 20 + 1, free: 0, defaultPassword: false }, version: '20.26.1', config: {}, secrets: {},
  settings: readSettings({ 'alloy:otlpHttpPort': '5318' }, 'llm-observability').settings, notes: [], ...over,
});

describe('planText', () => {
  const text = [
    'Stack dev takes over from:',
    '  Phoenix  arize-phoenix-phoenix-1 (20.26.1): 1,000 traces (1,234,567 spans), 6 MiB in arize-phoenix_phoenix_data, which are copied to volume phoenix-dev-data',
    '  Alloy    grafana-alloy: its ports 4317 and 5318 go to alloy-dev',
    '',
    'First the stack runs beside them, on other ports and with a copy of the data, until a trace has come through it.',
    'Then the stack takes the ports: for about a second applications cannot send, and their exporters try again. What comes',
    "in afterwards waits on disk until the rest of the data is copied; until then Phoenix's own ports do not answer.",
    'The old containers stay, stopped, and arize-phoenix_phoenix_data stays as it is: the backup.',
  ].join('\n');

  test('where nothing will be different', () => {
    expect(planText('dev', plan())).toBe(text);
  });

  test('where applications send to Phoenix itself', () => {
    const setup = setupOf();
    expect(planText('dev', plan({ setup: { ...setup, alloy: setup.phoenix } })).split('\n')[2])
      .toBe('  OTLP     arize-phoenix-phoenix-1, to which applications send: alloy-dev takes it on ports 4317 and 5318 after that');
  });

  test('people log in: what becomes of that, by its settings and without a value', () => {
    const login = plan({ config: { 'alloy:otlpHttpPort': '5318', 'phoenix:auth': 'true' }, secrets: { 'phoenix:secret': 'S3cret', 'phoenix:adminSecret': 'S3cret' } });
    expect(planText('dev', login).split('\n')[3]).toBe('  Login    its users with their passwords, and its API keys, as phoenix:auth, phoenix:secret, phoenix:adminSecret of the stack');
    expect(planText('dev', login)).not.toContain('S3cret');
  });

  test('what will be', () => {
    expect(planText('dev', plan({ notes: ['One.', 'Two.'] }))).toBe(`${text}\n\nWhat changes for you:\n  - One.\n  - Two.`);
  });
});

test('amounts', () => {
  expect([amount({ traces: 0, spans: 0 }), amount({ traces: 1234, spans: 999 })]).toEqual(['0 traces (0 spans)', '1,234 traces (999 spans)']);
});

test('one container is named once', () => {
  const alone = adoption({ alloy: 'arize-phoenix-phoenix-1' });
  expect(leftText('dev', alone).split('\n').filter((line) => /docker (rm|start)/.test(line))).toEqual([
    '    docker rm arize-phoenix-phoenix-1', '    npm run down && docker start arize-phoenix-phoenix-1',
  ]);
});

describe('leftText', () => {
  const left = (mount: Mount, directory: string, stack = 'dev'): string => leftText(stack, adoption({ data: { image: 'i', mount, directory } }));
  const text = (source: string, removal: string, down: string): string => [
    `The old containers are stopped, and ${source} was not changed. When you no longer need them, remove both services from their compose files, if there are any:`,
    '    docker rm arize-phoenix-phoenix-1 grafana-alloy',
    `    ${removal}`,
    'To go back instead, without the data received since:',
    `    ${down} && docker start arize-phoenix-phoenix-1 grafana-alloy`,
  ].join('\n');

  test.each<[string, Mount, string, string]>([
    ['a volume of its own', { kind: 'volume', source: 'phoenix_data', path: '/phoenix_storage' }, '/phoenix_storage', 'docker volume rm phoenix_data'],
    ['a volume of its own, written with a slash', { kind: 'volume', source: 'phoenix_data', path: '/phoenix_storage/' }, '/phoenix_storage', 'docker volume rm phoenix_data'],
    ['a folder in a volume', { kind: 'volume', source: 'all', path: '/data' }, '/data/phoenix/x', '# in volume all, which may contain other data, too: the folder phoenix/x'],
    ['a folder of its own', { kind: 'bind', source: '/srv/phoenix', path: '/phoenix_storage' }, '/phoenix_storage', 'rm -r /srv/phoenix'],
    ["a folder in somebody's", { kind: 'bind', source: "/home/me/it's mine", path: '/data' }, '/data/phoenix', "rm -r '/home/me/it'\\''s mine/phoenix'"],
  ])('the data is in %s', (_, mount, directory, removal) => {
    expect(left(mount, directory)).toBe(text(mount.source, removal, 'npm run down'));
  });

  test('commands are for the stack', () => {
    expect(left(data.mount, data.directory, 'prod')).toBe(text('arize-phoenix_phoenix_data', 'docker volume rm arize-phoenix_phoenix_data', 'npm run down -- --stack prod'));
  });
});

describe('outcomeText', () => {
  const endpoints = { phoenixUi: 'http://ui', otlpHttp: 'http://http', otlpGrpc: 'http://grpc', alloyUi: 'http://alloy' } as never;
  const text = (gap: string): string => [
    '', `Stack dev has taken over from arize-phoenix-phoenix-1 and grafana-alloy: 2 traces (3 spans), all of them there.${gap}`, '',
    '  Phoenix    http://ui', '  OTLP       http://http (HTTP)   http://grpc (gRPC)', '  Alloy      http://alloy', '',
  ].join('\n');

  test.each([[undefined, ''], [0, ' Applications could not send for 0.0 s.'], [1249, ' Applications could not send for 1.2 s.']])('%s ms', (gapMs, said) => {
    expect(outcomeText('dev', adoption(), { counts: { traces: 2, spans: 3 }, gapMs, endpoints })).toBe(text(said));
  });
});
