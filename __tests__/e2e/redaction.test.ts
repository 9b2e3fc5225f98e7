/**
 * What Alloy removes, on a real Alloy: telemetry with something that must not be stored in every place that OTLP has for a text goes
 * in, and what comes out at the other end is searched for it. The stack's own queue, database and stores are searched in main-job.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { alloyConfig, type AlloyConfigArgs } from '../../components/alloy-config';
import { alloyDirectories, dockerHost, ports } from '../../components/catalog';
import { image } from '../../lab';
import { contentAttributes, otherAttributes } from '../support/openinference';
import { tempDir } from '../support/temp';
import { docker, until } from './checkout';

/** What has arrived at the other end, unpacked. */
let received: Buffer[] = [];
const sink = http.createServer(async (request, response) => {
  const body = await buffer(request);
  received.push(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
  response.end();
});
const container = `e2e-redaction-${process.pid}`;
let address = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => sink.listen(0, '0.0.0.0', resolve));
}, 60 * 60_000);

afterAll(async () => {
  await docker('rm', '--force', container).catch(() => undefined);
  await new Promise((resolve) => sink.close(resolve));
});

async function startAlloy(changes: Partial<AlloyConfigArgs>): Promise<void> {
  await docker('rm', '--force', container).catch(() => undefined);
  received = [];
  const [config, secrets] = [tempDir(), tempDir()];
  const backend = { name: 'sink', signals: ['traces', 'metrics', 'logs'], protocol: 'otlphttp', endpoint: `http://${dockerHost}:${(sink.address() as AddressInfo).port}` } as const;
  fs.writeFileSync(path.join(config, 'config.alloy'), alloyConfig({ backends: [backend], version: '1.11.0', memoryMiB: 1024, queueMiB: 128, ...changes }));
  fs.writeFileSync(path.join(secrets, 'page'), 'unused');
  await docker('run', '--detach', '--name', container, '--add-host', `${dockerHost}:host-gateway`, '--publish', `127.0.0.1:0:${ports.alloy.otlpHttp}`, '--tmpfs', alloyDirectories.data,
    '--volume', `${config}:${alloyDirectories.config}:ro`, '--volume', `${secrets}:${alloyDirectories.secrets}:ro`, await image('alloy'),
    'run', `${alloyDirectories.config}/config.alloy`, `--storage.path=${alloyDirectories.data}/data`, '--stability.level=public-preview', '--disable-reporting');
  address = `http://${await docker('port', container, String(ports.alloy.otlpHttp))}`;
  await until('Alloy to receive OTLP', async () => (await fetch(`${address}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/x-protobuf' } })).ok);
}

const send = async (signal: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<void> => {
  const answer = await fetch(`${address}/v1/${signal}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
  expect([signal, answer.status, answer.ok ? '' : await answer.text()]).toEqual([signal, 200, '']);
};

type Value = object;
const text = (stringValue: string): Value => ({ stringValue });
const list = (...values: Value[]): Value => ({ arrayValue: { values } });
const attribute = (key: string, value: Value): object => ({ key, value });
const map = (values: Readonly<Record<string, Value>>): Value => ({ kvlistValue: { values: Object.entries(values).map(([key, value]) => attribute(key, value)) } });
const attributes = (values: Readonly<Record<string, Value>>): object[] => Object.entries(values).map(([key, value]) => attribute(key, value));

/** Marks in what is sent: those that must not arrive and those that must, by where they are. */
class Marks {
  readonly #all: { readonly mark: string; readonly where: string; readonly stays: boolean }[] = [];

  #new(where: string, stays: boolean): string {
    const mark = `${stays ? 'STAYS' : 'GOES'}${String(this.#all.length).padStart(4, '0')}`;
    this.#all.push({ mark, where, stays });
    return mark;
  }

  gone(where: string): string {
    return this.#new(where, false);
  }

  mail(where: string): string {
    return `${this.#new(where, false)}@example.com`;
  }

  kept(where: string): string {
    return this.#new(where, true);
  }

  isWhole(arrived: string): boolean {
    return this.#all.every(({ mark, stays }) => !stays || arrived.includes(mark));
  }

  leaked(arrived: string): string[] {
    return this.#all.filter(({ mark, stays }) => !stays && arrived.includes(mark)).map(({ where }) => where);
  }
}

const now = (): string => `${Date.now()}000000`;

function trace(marks: Marks): object {
  const span = {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: `${marks.mail('name of a span')} ${marks.kept('name of a span')}`,
    kind: 1,
    startTimeUnixNano: now(),
    endTimeUnixNano: now(),
    status: { code: 2, message: marks.gone('status') },
    attributes: attributes({
      'input.value': text(marks.gone('input.value')),
      'Output.Value': text(marks.gone('in other letters')),
      'llm.input_messages.0.message.content': text(marks.gone('a flat message')),
      'llm.output_messages': list(map({ message: map({ content: text(marks.gone('a nested message')) }) })),
      llm: map({ prompts: list(text(marks.gone('nested in llm'))) }),
      gen_ai: map({ input: map({ messages: text(marks.gone('nested in gen_ai')) }) }),
      'gen_ai.tool.call.arguments': text(marks.gone('arguments of a tool')),
      'retrieval.documents.0.document.content': text(marks.gone('a document')),
      'traceloop.entity.input': text(marks.gone('OpenLLMetry')),
      'ai.prompt.messages': text(marks.gone('Vercel AI SDK')),
      'user.id': text(marks.gone('a named attribute')),
      user: map({ id: text(marks.gone('a named attribute, nested')) }),
      customer: map({ deep: map({ er: text(marks.gone('a named attribute with *')) }) }),
      note: text(`write to ${marks.mail('a text')} now`),
      listed: list(text(marks.mail('a list')), { intValue: '1' }),
      lists: list(list(text(marks.mail('a list of lists')))),
      nested: map({ a: map({ b: list(map({ c: text(marks.mail('deep')) })) }) }),
      json: text(JSON.stringify({ to: marks.mail('JSON') })),
      url: text(`https://example.com/?to=${marks.gone('a URL')}%40example.com`),
      notANumber: map({ x: { doubleValue: 'NaN' }, y: text(marks.mail('beside NaN')) }),
      key: text(`sk-${marks.gone('an API key')}abcdefghijkl`),
      'gen_ai.retrieval.query.text': text(marks.gone('query of a retrieval')),
      events: text(marks.gone('Pydantic AI')),
      output: map({ value: map({ 'a\nb': text(marks.gone('a name of two lines')) }) }),
      recipients: map({ [marks.mail('a name')]: { intValue: '1' } }),
      broker: text(`redis://:${marks.gone('a password without a user')}@cache:6379/0`),
      vector: list({ doubleValue: 0.5 }, { doubleValue: 0.25 }),
      dsn: text(`postgres://me:${marks.gone('a password')}@db/app`),
      own: text(`${marks.kept('beside what you name')} EMP-123456`),
      card: text('4111 1111 1111 1111'),
      'llm.model_name': text(marks.kept('the model')),
      'llm.token_count.prompt': { intValue: '12' },
      'openinference.span.kind': text('LLM'),
      'session.id': text(marks.kept('the session')),
      'tag.tags': list(text(marks.kept('a tag'))),
    }),
    events: [
      { timeUnixNano: now(), name: 'exception', attributes: attributes({ 'exception.type': text(marks.kept('type of an exception')), 'exception.message': text(marks.gone('message of an exception')), 'exception.stacktrace': text(marks.gone('stack trace')) }) },
      { timeUnixNano: now(), name: 'gen_ai.user.message', attributes: attributes({ content: text(marks.gone('event of a message')) }) },
      { timeUnixNano: now(), name: marks.mail('name of an event'), attributes: attributes({ a: map({ b: text(marks.mail('nested in an event')) }) }) },
    ],
  };
  return {
    resourceSpans: [{
      resource: { attributes: attributes({ 'service.name': text(marks.kept('the service')), owner: text(marks.mail('the resource')), more: map({ of: list(text(marks.mail('nested in the resource'))) }) }) },
      scopeSpans: [{ scope: { name: 'e2e', attributes: attributes({ by: text(marks.mail('the scope')) }) }, spans: [span] }],
    }],
  };
}

function logs(marks: Marks): object {
  const record = (body: Value, values: Readonly<Record<string, Value>> = {}, eventName?: string): object => ({ timeUnixNano: now(), body, attributes: attributes(values), ...(eventName === undefined ? {} : { eventName }) });
  return {
    resourceLogs: [{
      resource: { attributes: attributes({ owner: text(marks.mail('the resource of logs')) }) },
      scopeLogs: [{
        scope: { name: 'e2e' },
        logRecords: [
          record(text(`${marks.mail('a body')} ${marks.kept('a body')}`)),
          record(map({ a: map({ b: text(marks.mail('nested in a body')) }), c: text(marks.kept('nested in a body')) })),
          record(map({ input: map({ value: text(marks.gone('content in a body')) }) })),
          record(list(text(marks.mail('a list as body')))),
          record(text(marks.gone('body of an event')), {}, 'gen_ai.user.message'),
          record(map({ content: text(marks.gone('body of an older event')) }), { 'event.name': text('gen_ai.choice') }),
          record(text(marks.kept('another body')), { 'gen_ai.input.messages': text(marks.gone('attribute of a record')), mails: list(text(marks.mail('list of a record'))) }),
        ],
      }],
    }],
  };
}

const metrics = (marks: Marks): object => ({
  resourceMetrics: [{
    resource: { attributes: [] },
    scopeMetrics: [{ scope: { name: 'e2e' }, metrics: [{ name: 'gauge', gauge: { dataPoints: [{ timeUnixNano: now(), asDouble: 1, attributes: attributes({ by: text(marks.mail('a data point')), 'user.id': text(marks.gone('label of a data point')), route: text(marks.kept('label of a data point')) }) }] } }] }],
  }],
});

const redaction = { content: true, attributes: ['user.id', 'customer.*'], values: ['emails', 'keys', 'cards'], pattern: 'EMP-[0-9]{6}' } as const;

/** Sends all of it, and waits until everything that stays has arrived. */
async function sendAll(headers: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const marks = new Marks();
  received = [];
  await send('traces', trace(marks), headers);
  await send('logs', logs(marks));
  await send('metrics', metrics(marks));
  const arrived = (): string => Buffer.concat(received).toString('latin1');
  await until('what stays', async () => marks.isWhole(arrived()));
  return marks.leaked(arrived());
}

test('the lists of attributes are those of the package in the image of Phoenix', async () => {
  const script = [
    'import enum, inspect, json, openinference.semconv.trace as t',
    'print(json.dumps(sorted({value for _, one in inspect.getmembers(t, inspect.isclass) if not issubclass(one, enum.Enum) for name, value in vars(one).items() if name.isupper() and isinstance(value, str)})))',
  ].join('\n');
  const names = JSON.parse(await docker('run', '--rm', '--network', 'none', '--entrypoint', 'python3', await image('phoenix'), '-c', script)) as string[];
  expect([...contentAttributes, ...otherAttributes].sort()).toEqual(names);
});

test('nothing that must not be stored leaves Alloy, wherever it is, and everything else does', async () => {
  await startAlloy({ redaction });
  expect(await sendAll()).toEqual([]);
  const arrived = Buffer.concat(received).toString('latin1');
  expect([/4111/, /EMP-1/].filter((one) => one.test(arrived))).toEqual([]);
  // Phoenix reads some lists under their own name: they stay lists.
  expect(arrived).not.toContain('tag.tags.0');
});

test('without these settings all of it does: the search would find it', async () => {
  await startAlloy({});
  const marks = new Marks();
  received = [];
  await send('traces', trace(marks));
  await until('all of it', async () => marks.leaked(Buffer.concat(received).toString('latin1')).length > 30);
});

test('for one project: its spans are redacted, and those that name none, which may be in one of its traces; those of others are not', async () => {
  await startAlloy({ redaction: { ...redaction, projects: ['support', 'h.r'] } });
  for (const [project, isRedacted] of [['support', true], ['h.r', true], ['hxr', false], ['', true]] as const) {
    const marks = new Marks();
    received = [];
    await send('traces', trace(marks), project === '' ? {} : { 'x-project-name': project });
    await until('the trace', async () => marks.isWhole(Buffer.concat(received).toString('latin1')));
    expect([project, marks.leaked(Buffer.concat(received).toString('latin1')).length === 0]).toEqual([project, isRedacted]);
  }
});

test('of sampled traces each is whole, and a check is always kept', async () => {
  await startAlloy({ sampledPercent: 25 });
  const ids = Array.from({ length: 400 }, () => randomBytes(16).toString('hex'));
  const spans = (more: object[] = []): object => ({ resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ scope: { name: 'e2e' }, spans: ids.map((traceId) => ({ traceId, spanId: randomBytes(8).toString('hex'), name: 'n', kind: 1, startTimeUnixNano: now(), endTimeUnixNano: now(), attributes: more })) }] }] });
  for (let part = 0; part < 3; part += 1) {
    await send('traces', spans());
  }
  const counts = (): number[] => {
    const all = Buffer.concat(received).toString('hex');
    return ids.map((id) => all.split(id).length - 1);
  };
  await until('three spans of each trace that is kept', async () => counts().every((count) => count === 0 || count === 3) && counts().includes(3));
  const kept = counts().filter((count) => count === 3).length;
  // Four standard deviations around a quarter.
  expect(kept).toBeGreaterThan(65);
  expect(kept).toBeLessThan(135);
  received = [];
  await send('traces', spans(attributes({ 'sampling.priority': { intValue: '1' } })));
  await until('all of those with priority', async () => counts().every((count) => count === 1));
});
