import { RE2JS } from 're2js';
import { alloyConfig, type AlloyConfigArgs } from '../../components/alloy-config';
import { redaction, type Redaction } from '../../components/redaction';
import { expectGolden } from '../support/golden';
import { contentAttributes, otherAttributes } from '../support/openinference';

const phoenix = { name: 'phoenix', signals: ['traces'], protocol: 'otlphttp', endpoint: 'http://phoenix:6006' } as const;
const loki = { name: 'loki', signals: ['logs'], protocol: 'otlphttp', endpoint: 'http://loki-gate:4318' } as const;
const store = { name: 'prometheus', signals: ['metrics'], protocol: 'remote-write', endpoint: 'http://prometheus-gate:4318/api/v1/write' } as const;
const everything: Redaction = { content: true, attributes: ['user.id', 'customer.*'], values: ['emails', 'keys', 'cards'], pattern: 'EMP-[0-9]{6}', projects: ['support', 'h.r'] };

const configOf = (changes: Partial<AlloyConfigArgs>): string =>
  alloyConfig({ backends: [phoenix, loki, store], version: '1.18.1', memoryMiB: 1024, queueMiB: 2048, llmMetrics: true, ...changes });
/** The block of a component. */
const blockOf = (config: string, component: string): string => new RegExp(`^${component.replace(/[."]/g, '\\$&')} \\{\\n[\\s\\S]*?^\\}`, 'm').exec(config)?.[0] ?? '';
const output = (block: string, signal: string): string => new RegExp(`\\t\\t${signal} *= \\[(.*)\\]`).exec(block)?.[1] ?? '';

/** The regular expression of a statement about the attributes of a span, as Go reads it. */
function patternOf(args: Redaction, function_: string): RE2JS {
  const config = redaction(args, { traces: '', metrics: '', logs: '' });
  const [, text = ''] = new RegExp(`${function_}\\(span\\.attributes(?:, "value")?, "((?:[^"\\\\]|\\\\.)*)"`).exec(config) ?? [];
  return RE2JS.compile(text.replaceAll('\\"', '"').replaceAll('\\\\', '\\'));
}
const isIn = (pattern: RE2JS, name: string): boolean => pattern.matcher(name).find();

test.each([
  ['with-redaction', configOf({ redaction: everything, sampledPercent: 25, serviceAsProject: true })],
  ['with-redaction-of-content', configOf({ redaction: { content: true }, llmMetrics: false })],
  ['with-sampling', configOf({ sampledPercent: 0.5 })],
])('%s', (name, text) => expectGolden(`alloy/${name}.alloy`, text));

describe('the way of telemetry', () => {
  test.each([[everything, 100], [everything, 10], [{ values: ['emails'] }, 10], [{ content: true }, 100]] as const)('%j, %d %%: nothing reaches an exporter or a queue, or is counted, before it is redacted', (args, sampledPercent) => {
    const config = configOf({ redaction: args as Redaction, sampledPercent });
    const entry = 'otelcol.processor.transform.redaction.input';
    const limiter = blockOf(config, 'otelcol.processor.memory_limiter "default"');
    expect(['metrics', 'logs'].map((signal) => output(limiter, signal))).toEqual([entry, entry]);
    expect(output(blockOf(config, 'otelcol.processor.transform "project"'), 'traces')).toBe(entry);
    const redacted = blockOf(config, 'otelcol.processor.transform "redaction"');
    expect(redacted).toContain('error_mode = "propagate"');
    const sampler = 'otelcol.processor.probabilistic_sampler.traces.input';
    // Calls of models are counted in all traces, sampled or not.
    expect(output(redacted, 'traces')).toBe(`${sampledPercent < 100 ? sampler : 'otelcol.exporter.otlphttp.phoenix.input'}, otelcol.processor.transform.llm.input`);
    expect([output(redacted, 'metrics'), output(redacted, 'logs')]).toEqual(['otelcol.exporter.prometheus.prometheus.input', 'otelcol.exporter.otlphttp.loki.input']);
    expect(output(blockOf(config, 'otelcol.processor.probabilistic_sampler "traces"'), 'traces')).toBe(sampledPercent < 100 ? 'otelcol.exporter.otlphttp.phoenix.input' : '');
  });

  test('without any of it the configuration is as it was', () => {
    expect(configOf({ redaction: undefined, sampledPercent: 100, serviceAsProject: false })).toBe(configOf({}));
    expect(configOf({})).not.toMatch(/redaction|sampler/);
  });
});

describe('content', () => {
  const dropped = patternOf({ content: true }, 'delete_matching_keys');

  test.each(contentAttributes)('%s is removed, and whatever is below it', (name) => {
    expect([name, name.toUpperCase(), `${name}.0.more`].filter((one) => !isIn(dropped, one))).toEqual([]);
  });

  test.each(otherAttributes)('%s stays', (name) => {
    expect(isIn(dropped, name)).toBe(false);
  });

  test.each([
    'gen_ai.input.messages', 'gen_ai.output.messages', 'gen_ai.system_instructions', 'gen_ai.prompt.0.content', 'gen_ai.completion', 'gen_ai.tool.call.arguments', 'gen_ai.tool.call.result', 'gen_ai.tool.definitions',
    'traceloop.entity.input', 'traceloop.entity.output', 'ai.prompt.messages', 'ai.response.text', 'ai.toolCall.args', 'ai.values', 'exception.message', 'exception.stacktrace', 'all_messages_events', 'gen_ai.retrieval.query.text', 'gen_ai.retrieval.documents', 'events', 'db.query.result.document', 'mcp.request.argument', 'input.value.two\nlines',
  ])('%j is removed', (name) => {
    expect(isIn(dropped, name)).toBe(true);
  });

  test.each(['gen_ai.request.model', 'gen_ai.usage.input_tokens', 'gen_ai.operation.name', 'gen_ai.tool.name', 'exception.type', 'ai.model.id', 'ai.usage.promptTokens', 'inputs', 'http.request.method', 'service.name'])('%s stays', (name) => {
    expect(isIn(dropped, name)).toBe(false);
  });
});

test('lists that Phoenix reads under their own name stay lists, unless they are removed or something in them is', () => {
  const config = redaction({ attributes: ['tag.*'], values: ['emails'] }, { traces: '', metrics: '', logs: '' });
  const [, statements = ''] = /context {4}= "span"\n\t\tstatements = \[([\s\S]*?)\n\t\t\]/.exec(config) ?? [];
  const order = ['delete_matching_keys(span.attributes, "(?is)', 'set(span.cache["tag.tags"]', 'flatten(span.attributes)', 'replace_all_patterns(span.attributes, "value"', 'set(span.attributes["tag.tags"]'].map((part) => statements.indexOf(part));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order[0]).toBeGreaterThanOrEqual(0);
  expect(statements).toMatch(/IsList\(span\.attributes\["tag\.tags"\]\) and not IsMatch/);
});

test('names of attributes: a * is any text, and a dot is a dot', () => {
  const dropped = patternOf({ attributes: ['user.id', 'customer.*', '*.token'] }, 'delete_matching_keys');
  expect(['user.id', 'user.id.0', 'customer.name', 'USER.ID', 'my.token'].filter((name) => !isIn(dropped, name))).toEqual([]);
  expect(['userxid', 'user', 'user.identity', 'customers', 'token'].filter((name) => isIn(dropped, name))).toEqual([]);
});

describe('values', () => {
  const replaced = (values: Redaction['values'], text: string): string => patternOf({ values: values ?? [] }, 'replace_all_patterns').matcher(text).replaceAll('[redacted]');

  test.each([
    ['emails', 'write to ada.lovelace+x@mail.example.co.uk now', 'write to [redacted] now'],
    ['emails', 'q=ada%40example.com&n=1', 'q=[redacted]&n=1'],
    ['emails', 'jörg@exämple.com', '[redacted]'],
    ['emails', 'user@host, @media, a @ b', 'user@host, @media, a @ b'],
    ['keys', 'OPENAI=sk-proj-abcdefghijklmnop1234', 'OPENAI=[redacted]'],
    ['keys', 'AKIAIOSFODNN7EXAMPLE', '[redacted]'],
    ['keys', 'ghp_abcdefghijklmnopqrstuvwxyz0123456789', '[redacted]'],
    ['keys', 'Authorization: BEARER abcdefghijklmnop.qrstuv', 'Authorization: [redacted]'],
    ['keys', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl', '[redacted]'],
    ['keys', 'postgres://me:hunter2@db/app', 'postgres[redacted]db/app'],
    ['keys', 'redis://:hunter2@cache:6379/0', 'redis[redacted]cache:6379/0'],
    ['keys', '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----', '[redacted]'],
    ['keys', 'http://localhost:6006/path, task-force, a bearer of news', 'http://localhost:6006/path, task-force, a bearer of news'],
    ['cards', 'paid with 4111 1111 1111 1111.', 'paid with [redacted].'],
    ['cards', '5500-0000-0000-0004 and 378282246310005', '[redacted] and [redacted]'],
    ['cards', '1733000000000000000 and 123456789', '1733000000000000000 and 123456789'],
  ] as const)('%s: %s', (kind, text, expected) => {
    expect(replaced([kind], text)).toBe(expected);
  });

  test('all of them in one pass, with what you add', () => {
    expect(patternOf(everything, 'replace_all_patterns').matcher('EMP-123456 ada@example.com').replaceAll('-')).toBe('- -');
  });
});

describe('projects', () => {
  const conditions = (projects: readonly string[]): string[] => [...redaction({ content: true, projects }, { traces: '', metrics: '', logs: '' }).matchAll(/conditions = \[`(.*)`\]/g)].map(([, condition = '']) => condition);

  test('each block is for them alone', () => {
    const all = conditions(['support', 'h.r']);
    const blocks = redaction({ content: true }, { traces: '', metrics: '', logs: '' }).match(/_statements \{/g);
    expect(all).toHaveLength(blocks?.length ?? 0);
    expect(all.every((one) => one.includes('"^(support|h\\\\.r)$"'))).toBe(true);
  });

  test('what names no project is among them: Phoenix puts a span into the project of its trace', () => {
    expect(conditions(['support']).every((one) => one.includes('== nil'))).toBe(true);
  });
});
