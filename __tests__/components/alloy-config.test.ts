import { alloyConfig, largestRequestMiB, type AlloyConfigArgs, type ResolvedBackend } from '../../components/alloy-config';
import { externalBackends } from '../../stack/external-backends';
import { readSettings } from '../../settings/settings';
import { expectGolden } from '../support/golden';

const phoenix = { name: 'phoenix', signals: ['traces'], protocol: 'otlphttp', endpoint: 'http://phoenix:6006' } as const;
/** A stack behind a tunnel, as one at the edge sends to it. */
const central = {
  name: 'central',
  signals: ['traces', 'metrics', 'logs'],
  protocol: 'otlphttp',
  endpoint: 'http://central-gate:4318',
  tunnelled: true,
  headers: { 'cf-access-client-id': 'id.access', 'cf-access-client-secret': 's3cret', authorization: 'Bearer key' },
} as const;
const store = { name: 'prometheus', signals: ['metrics'], protocol: 'remote-write', endpoint: 'http://prometheus-gate:9090/api/v1/write' } as const;
const prometheus = { 'prometheus:url': 'http://host.docker.internal:9090' };
const loki = { 'loki:url': 'http://host.docker.internal:3100' };
const whole = { username: '123456', password: 'hunter2', tenant: 'team-a' };
const bearer = { token: 'hunter2' };
const inStack = (store: string, sender: Readonly<Record<string, string>>): Record<string, string> => Object.fromEntries(Object.entries(sender).map(([part, value]) => [`${store}:${part}`, value]));

const configOf = (backends: readonly ResolvedBackend[], changes: Partial<AlloyConfigArgs> = {}): string =>
  alloyConfig({ backends, version: '1.18.1', memoryMiB: 1024, queueMiB: 2048, ...changes });
const withStores = (stores: Record<string, string> = {}): string => configOf([phoenix, ...externalBackends(readSettings(stores, 'llm-observability').settings)]);

/** The value of an argument, each time that it stands there. */
const valuesOf = (config: string, argument: string): string[] =>
  [...config.matchAll(new RegExp(`^\\s*${argument}\\s*= (.*)$`, 'gm'))].map(([, value = '']) => value.replace(/"/g, ''));
const bytes = (size: string): number => Number(size.replace('MiB', '')) * 2 ** 20;

test.each([
  ['default', withStores()],
  ['with-prometheus', withStores(prometheus)],
  ['with-loki', withStores(loki)],
  ['with-prometheus-and-loki', withStores({ ...prometheus, ...loki })],
  ['with-llm-metrics', configOf([phoenix, ...externalBackends(readSettings(prometheus, 'llm-observability').settings)], { llmMetrics: true })],
  ['with-own-metrics', configOf([phoenix, ...externalBackends(readSettings(prometheus, 'llm-observability').settings)], { ownMetrics: 'alloy-dev' })],
  ['with-auth', configOf([{ ...phoenix, headers: { authorization: '' } }])],
  ['with-two-headers', configOf([{ ...phoenix, endpoint: 'https://phoenix.example.com', headers: { 'cf-access-client-id': '', 'cf-access-client-secret': '' } }])],
  ['through-tunnel', configOf([central])],
  ['with-tls', configOf([phoenix], { tls: true })],
  ['with-token', configOf([phoenix], { token: true })],
  ['with-tls-and-token', configOf([phoenix], { tls: true, token: true })],
  ['with-cors', configOf([phoenix], { origins: ['https://*.example.com', 'http://localhost:5173'] })],
  ['oldest', configOf([{ ...phoenix, headers: { authorization: '' } }], { version: '1.11.0', memoryMiB: 384, queueMiB: 128 })],
])('%s', (name, text) => expectGolden(`alloy/${name}.alloy`, text));

test('without a store of metrics it sends none of its own', () => expect(configOf([phoenix], { ownMetrics: 'alloy-dev' })).toBe(configOf([phoenix])));

test('a protocol that has no exporter is refused', () => {
  expect(() => configOf([{ ...phoenix, protocol: 'arrow' as never }])).toThrow('no case for "arrow"');
});

test('pages of websites that are named may send to every receiver, with every header, and without a name none may', () => {
  const config = configOf([phoenix], { tls: true, origins: ['https://*.example.com', 'http://localhost:5173'] });
  expect(valuesOf(config, 'allowed_origins')).toEqual(Array(2).fill('[https://*.example.com, http://localhost:5173]'));
  expect(valuesOf(config, 'allowed_headers')).toEqual(Array(2).fill('[*]'));
  expect(configOf([phoenix], { tls: true, origins: [] })).not.toContain('cors');
});

test.each([whole, bearer, { tenant: 'team-a' }])('who sends to a store is for its gate to say: %o', (sender) => {
  expect(withStores({ ...prometheus, ...inStack('prometheus', sender), ...loki, ...inStack('loki', sender) })).toBe(withStores({ ...prometheus, ...loki }));
});

test('only what goes through a tunnel is sent in pieces, and may take its time', () => {
  const slow = /\t\tbatch \{|\t\ttimeout /;
  const [, first, second] = configOf([phoenix, central]).split('otelcol.exporter.otlphttp "');
  expect([first, second, configOf([{ ...central, tunnelled: false }])].map((text) => slow.test(text ?? ''))).toEqual([false, true, false]);
});

test.each([384, 512, 1000, 1024, 8192])('with %d MiB a piece through a tunnel is no larger than a request that is taken, and smaller than what Cloudflare takes', (memoryMiB) => {
  const config = configOf([central], { memoryMiB });
  const [largest = 0] = valuesOf(config, 'max_size').map(Number);
  expect(valuesOf(config, 'max_request_body_size').map(bytes)).toEqual([largest]);
  expect(valuesOf(config, 'max_recv_msg_size').map(bytes)).toEqual([largest]);
  expect(largest).toBeLessThan(100_000_000);
  // Merged, one request that is refused would take others with it.
  expect(valuesOf(config, 'min_size')).toEqual(['0']);
});

test('what the other end takes bounds what is taken here', () => {
  const config = configOf([central], { memoryMiB: 4096, requestMiB: 24 });
  expect([...valuesOf(config, 'max_request_body_size'), ...valuesOf(config, 'max_recv_msg_size'), ...valuesOf(config, 'max_size')]).toEqual(['24MiB', '24MiB', String(24 * 2 ** 20)]);
});

test.each([
  // memory, largest request, consumers, limit, where it begins to refuse
  [384, 24, 1, 211, 135],
  [512, 32, 2, 281, 179],
  [1024, 64, 4, 563, 359],
  [4096, 64, 10, 2252, 1433],
])('of %d MiB', (memoryMiB, request, consumers, limit, refuses) => {
  const config = configOf([phoenix], { memoryMiB });
  expect(largestRequestMiB(memoryMiB)).toBe(request);
  expect(valuesOf(config, 'max_request_body_size')).toEqual([`${request}MiB`]);
  expect(valuesOf(config, 'num_consumers')).toEqual([String(consumers)]);
  const [limited = '', spike = ''] = [...valuesOf(config, 'limit'), ...valuesOf(config, 'spike_limit')];
  expect([limited, (bytes(limited) - bytes(spike)) / 2 ** 20]).toEqual([`${limit}MiB`, refuses]);
});

test('everything that is received passes the memory limiter before anything keeps it', () => {
  const config = configOf([phoenix, central]);
  const [, receiver = '', limiter = ''] = /otelcol\.receiver\.otlp "default" \{(.*?)\n\}.*memory_limiter "default" \{(.*?)\n\}/s.exec(config) ?? [];
  for (const signal of ['traces', 'metrics', 'logs']) {
    expect(valuesOf(receiver, signal)).toEqual(['[otelcol.processor.memory_limiter.default.input]']);
    expect(valuesOf(limiter, signal)[0]).toContain(signal === 'traces' ? 'otelcol.processor.attributes.project.input' : 'otelcol.exporter.otlphttp.central.input');
  }
});

test('the header x-project-name becomes an attribute before a queue loses it, and no other header does', () => {
  const config = configOf([phoenix, central], { tls: true });
  const block = (name: string): string => new RegExp(`^${name} \\{(.*?)\n\\}`, 'ms').exec(config)?.[1] ?? '';
  // Both servers of both receivers.
  expect(valuesOf(config, 'include_metadata')).toEqual(Array(4).fill('true'));
  const taken = block('otelcol.processor.attributes "project"');
  expect(valuesOf(config, 'from_context')).toEqual(['metadata.x-project-name']);
  // What a sender has put under that name is none of its header.
  expect(valuesOf(taken, 'action')).toEqual(['delete', 'insert']);
  expect(valuesOf(taken, 'traces')).toEqual(['[otelcol.processor.transform.project.input]']);
  const set = block('otelcol.processor.transform "project"');
  expect(set).toContain('delete_key(span.attributes, "llm-observability.project")');
  // By default a version before 1.18 drops the spans where a statement fails.
  expect(valuesOf(set, 'error_mode')).toEqual(['ignore']);
  expect(valuesOf(set, 'traces')).toEqual(['[otelcol.exporter.otlphttp.phoenix.input, otelcol.exporter.otlphttp.central.input]']);
});

test.each(['1.11.0', '1.18.1'])('what comes over TLS is bounded as the rest is, and goes the same way (version %s)', (version) => {
  const [, first = '', second = ''] = /otelcol\.receiver\.otlp "default" \{(.*?)\n\}.*otelcol\.receiver\.otlp "tls" \{(.*?)\n\}/s.exec(configOf([phoenix], { version, memoryMiB: 512, tls: true })) ?? [];
  const same = (text: string): string => text.replace(/\n[^\n]*(?:\n\t\t\/\/ Read again[^\n]*)?\n\t\ttls \{.*?\n\t\t\}/gs, '').replace(/0\.0\.0\.0:\d+/g, '');
  expect(same(second)).toBe(same(first));
  expect([...valuesOf(first, 'endpoint'), ...valuesOf(second, 'endpoint')]).toEqual(['4317', '4318', '14317', '14318'].map((port) => `0.0.0.0:${port}`));
  expect(second.match(/\ttls \{/g)).toHaveLength(2);
  expect(first).not.toContain('tls');
});

test.each([true, false])('a token is asked for by the receiver of other machines alone, in both of its servers (TLS: %s)', (tls) => {
  const config = configOf([phoenix], { token: true, tls });
  const [, first = '', second = ''] = new RegExp(`otelcol\\.receiver\\.otlp "default" \\{(.*?)\\n\\}.*otelcol\\.receiver\\.otlp "${tls ? 'tls' : 'token'}" \\{(.*?)\\n\\}`, 's').exec(config) ?? [];
  expect([valuesOf(first, 'auth'), valuesOf(second, 'auth')]).toEqual([[], Array(2).fill('otelcol.auth.bearer.token.handler')]);
  expect(valuesOf(second, 'endpoint')).toEqual(['0.0.0.0:14317', '0.0.0.0:14318']);
  expect(second.match(/\ttls \{/g)?.length ?? 0).toBe(tls ? 2 : 0);
  // From a file, in which Alloy looks again.
  expect(config).toContain('filename       = "/etc/alloy-secrets/token"\n\tis_secret      = true');
  expect(configOf([phoenix], { tls })).not.toContain('bearer');
});

test.each([[384, 192], [1024, 512], [8192, 2000]])('with %d MiB each metric of language models has at most %d combinations of labels, of all services together', (memoryMiB, most) => {
  const config = configOf([phoenix, store], { memoryMiB, llmMetrics: true });
  expect(valuesOf(config, 'aggregation_cardinality_limit')).toEqual(Array(3).fill(String(most)));
  // The bound of the connector is one for each resource.
  expect(valuesOf(config, 'resource_metrics_key_attributes')).toEqual(Array(3).fill('[service.name]'));
  expect(config).toContain('`set(attributes["service.name"], "llm-metrics")`');
  // Nothing else of a span becomes a label, and no label is long.
  expect(config).toMatch(/`keep_keys\(attributes, \[[^`]*`,\n\t*`truncate_all\(attributes, 128\)`,\n\t*\]/);
});

test('calls of models are counted where there are spans and a store of metrics, and the setting says so', () => {
  const counts = (backends: readonly ResolvedBackend[], llmMetrics?: boolean): boolean => configOf(backends, llmMetrics === undefined ? {} : { llmMetrics }).includes('spanmetrics');
  expect([counts([phoenix, store], true), counts([phoenix, store], false), counts([phoenix, store]), counts([phoenix], true), counts([store], true)]).toEqual([true, false, false, false, false]);
  // Before the queue, and beside the copy that Phoenix gets.
  expect(configOf([phoenix, store], { llmMetrics: true })).toContain('traces = [otelcol.exporter.otlphttp.phoenix.input, otelcol.processor.transform.llm.input]');
});

test('the queue of each backend is bounded in bytes, and its file shrinks', () => {
  const config = configOf([phoenix, central], { queueMiB: 300 });
  expect(valuesOf(config, 'queue_size')).toEqual([String(300 * 2 ** 20), String(300 * 2 ** 20)]);
  expect(valuesOf(config, 'sizer')).toEqual(['bytes', 'bytes', 'bytes']);
  expect(valuesOf(config, 'on_rebound')).toEqual(['true']);
});

test.each([
  ['1.11.0', false], ['1.17.9', false], ['1.18.0', true], ['1.18.1', true], ['1.20.0', true], ['2.0.0', true],
])('version %s is told to answer slow senders: %s', (version, told) => {
  expect(configOf([phoenix], { version }).includes('write_timeout         = "0s"')).toBe(told);
});

test('a signal goes to every backend that takes it', () => {
  const tempo = { ...phoenix, name: 'tempo', endpoint: 'http://tempo:4318' };
  expect(configOf([phoenix, tempo])).toContain('traces = [otelcol.exporter.otlphttp.phoenix.input, otelcol.exporter.otlphttp.tempo.input]');
});

test('an endpoint cannot end the string it stands in', () => {
  expect(configOf([{ ...phoenix, endpoint: 'http://a"\n}\\' }])).toContain('endpoint = "http://a\\"\\n}\\\\"');
});

test('without a backend that takes OTLP there is no queue', () => {
  expect(configOf([])).not.toContain('otelcol.storage.file');
});
