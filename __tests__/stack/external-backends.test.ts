import { externalBackends } from '../../stack/external-backends';
import { readSettings } from '../../settings/settings';

const backends = (config: Record<string, string>) => externalBackends(readSettings(config, 'llm-observability', () => true).settings);

test('none is none', () => {
  expect(backends({})).toEqual([]);
});

test('Prometheus takes metrics by remote write, Loki takes logs by OTLP', () => {
  expect(backends({ 'prometheus:url': 'http://prometheus:9090', 'loki:url': 'http://loki:3100' })).toEqual([
    { name: 'prometheus', signals: ['metrics'], protocol: 'remote-write', endpoint: 'http://prometheus:9090/api/v1/write', sender: {} },
    { name: 'loki', signals: ['logs'], protocol: 'otlphttp', endpoint: 'http://loki:3100/otlp', sender: {} },
  ]);
});

test.each<[string, Record<string, string>]>([
  ['a user', { username: '123456', password: 'a:b c' }],
  ['a token', { token: 'glc_x=' }],
  ['a tenant', { tenant: 'team-a' }],
  ['a tenant and a token', { tenant: 'team-a', token: 't' }],
])('%s is told to both', (_, parts) => {
  const config = Object.fromEntries(['prometheus', 'loki'].flatMap((store) => [[`${store}:url`, 'https://store.example'], ...Object.entries(parts).map(([part, value]) => [`${store}:${part}`, value] as const)]));
  expect(backends(config)).toMatchObject([{ sender: parts }, { sender: parts }]);
});

test.each(['prometheus', 'loki'])('%s is a label in the Alloy language', (name) => {
  expect(backends({ 'prometheus:url': 'http://a', 'loki:url': 'http://b' }).map((backend) => backend.name)).toContain(name);
  expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
});
