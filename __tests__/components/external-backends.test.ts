import { externalBackends } from '../../components/external-backends';

const endpoints = (prometheus?: string, loki?: string): unknown[] =>
  externalBackends(prometheus ? new URL(prometheus) : undefined, loki ? new URL(loki) : undefined).map(({ endpoint }) => endpoint);

test('none is none', () => {
  expect(externalBackends(undefined, undefined)).toEqual([]);
});

test('Prometheus takes metrics by remote write, Loki takes logs by OTLP', () => {
  expect(externalBackends(new URL('http://prometheus:9090'), new URL('http://loki:3100'))).toEqual([
    { name: 'prometheus', signals: ['metrics'], protocol: 'remote-write', endpoint: 'http://prometheus:9090/api/v1/write' },
    { name: 'loki', signals: ['logs'], protocol: 'otlphttp', endpoint: 'http://loki:3100/otlp' },
  ]);
});

test.each([
  ['http://prometheus:9090', 'http://prometheus:9090/api/v1/write'],
  ['http://prometheus:9090/', 'http://prometheus:9090/api/v1/write'],
  ['http://prometheus:9090/api/v1/write', 'http://prometheus:9090/api/v1/write'],
  ['https://mimir.example/api/v1/push/', 'https://mimir.example/api/v1/push'],
  ['https://metrics.example/?tenant=a', 'https://metrics.example/api/v1/write?tenant=a'],
  ['https://metrics.example/push?tenant=a', 'https://metrics.example/push?tenant=a'],
  ['https://metrics.example/push/?tenant=a/', 'https://metrics.example/push?tenant=a/'],
])('prometheus:url %s is written to at %s', (url, endpoint) => {
  expect(endpoints(url)).toEqual([endpoint]);
});

test.each([
  ['http://loki:3100', 'http://loki:3100/otlp'],
  ['http://loki:3100/otlp/', 'http://loki:3100/otlp'],
  ['https://logs.example/loki/otlp', 'https://logs.example/loki/otlp'],
])('loki:url %s is sent to at %s', (url, endpoint) => {
  expect(endpoints(undefined, url)).toEqual([endpoint]);
});

test.each(['prometheus', 'loki'])('%s is a label in the Alloy language', (name) => {
  const names = externalBackends(new URL('http://a'), new URL('http://b')).map((backend) => backend.name);
  expect(names).toContain(name);
  expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
});
