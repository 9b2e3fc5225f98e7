import type * as grpc from '@grpc/grpc-js';
import * as proto from '@pulumi/pulumi/proto/provider_pb';
import type { PluginInfo } from '@pulumi/pulumi/proto/plugin_pb';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';
import { Struct, type JavaScriptValue } from 'google-protobuf/google/protobuf/struct_pb';
import { methods, type Provider } from '../../provider/serve';
import { secret, unknown } from '../../provider/values';

const urn = 'urn:pulumi:dev::p::test:index:Thing::my-thing';
const sent = { name: 'n', password: secret('p'), list: [1, { a: unknown }] };

/** A provider that notes what it is asked, but for what it does otherwise. */
function provider(change: Partial<Provider> = {}): { asked: unknown[][]; ask: <Answer>(method: string, request: object) => Promise<Answer> } {
  const asked: unknown[][] = [];
  const noting = <Answer>(name: string, answer: Answer) => async (...args: unknown[]): Promise<Answer> => (asked.push([name, ...args]), answer);
  const all = methods({
    version: '1.2.3',
    check: noting('check', { inputs: sent }),
    diff: noting('diff', { changes: true, replaces: ['name'] }),
    create: noting('create', { id: 'id-1', outs: { ...sent, made: true } }),
    update: noting('update', { outs: { ...sent, changed: true } }),
    read: noting('read', { id: 'id-1', props: sent }),
    delete: noting('delete', undefined),
    cancel: () => void asked.push(['cancel']),
    ...change,
  });
  const ask = <Answer>(method: string, request: object): Promise<Answer> =>
    new Promise((resolve, reject) =>
      (all[method] as grpc.handleUnaryCall<object, Answer>)({ request } as grpc.ServerUnaryCall<object, Answer>, (error, answer) => (error ? reject(error as Error) : resolve(answer as Answer))));
  return { asked, ask };
}

/** A request with these fields. */
function filled<T extends object>(request: T, fields: Record<string, unknown>): T {
  for (const [name, value] of Object.entries(fields)) {
    const given = typeof value === 'object' ? Struct.fromJavaScript(value as Record<string, JavaScriptValue>) : value;
    (request as Record<string, (value: unknown) => void>)[`set${name}`]?.(given);
  }
  return request;
}

test('it takes secrets, and is asked in previews as well', async () => {
  const answer = await provider().ask<proto.ConfigureResponse>('configure', new proto.ConfigureRequest());
  expect(answer.toObject()).toMatchObject({ acceptsecrets: true, supportspreview: true });
});

test('it says its version', async () => {
  expect((await provider().ask<PluginInfo>('getPluginInfo', new Empty())).getVersion()).toBe('1.2.3');
});

test.each([true, false])('create says whether it is a preview: %s', async (preview) => {
  const { asked, ask } = provider();
  const answer = await ask<proto.CreateResponse>('create', filled(new proto.CreateRequest(), { Urn: urn, Properties: sent, Preview: preview }));
  expect(asked).toEqual([['create', urn, sent, preview]]);
  // What is not there has no ID.
  expect(answer.getId()).toBe(preview ? '' : 'id-1');
  expect(answer.getProperties()?.toJavaScript()).toEqual({ ...sent, made: true });
});

test.each([true, false])('update says whether it is a preview: %s', async (preview) => {
  const { asked, ask } = provider();
  const answer = await ask<proto.UpdateResponse>('update', filled(new proto.UpdateRequest(), { Id: 'id-1', Urn: urn, Olds: { name: 'm' }, News: sent, Preview: preview }));
  expect(asked).toEqual([['update', 'id-1', urn, { name: 'm' }, sent, preview]]);
  expect(answer.getProperties()?.toJavaScript()).toEqual({ ...sent, changed: true });
});

test('check tells the inputs and what is wrong with them', async () => {
  const failures = [{ property: '', reason: 'it is taken' }];
  const { asked, ask } = provider({ check: async () => ({ inputs: sent, failures }) });
  const answer = await ask<proto.CheckResponse>('check', filled(new proto.CheckRequest(), { Urn: urn, News: sent }));
  expect(answer.getInputs()?.toJavaScript()).toEqual(sent);
  expect(answer.getFailuresList().map((one) => one.toObject())).toEqual(failures);
  const other = provider();
  await other.ask('check', filled(new proto.CheckRequest(), { Urn: urn, Olds: { name: 'm' }, News: sent }));
  expect(other.asked).toEqual([['check', urn, { name: 'm' }, sent]]);
  expect(asked).toEqual([]);
});

test.each<[boolean, proto.DiffResponse.DiffChanges]>([
  [true, proto.DiffResponse.DiffChanges.DIFF_SOME],
  [false, proto.DiffResponse.DiffChanges.DIFF_NONE],
])('diff tells whether something changes: %s', async (changes, expected) => {
  const { ask } = provider({ diff: async () => ({ changes, replaces: changes ? ['name'] : [] }) });
  const answer = await ask<proto.DiffResponse>('diff', filled(new proto.DiffRequest(), { Id: 'id-1', Urn: urn, Olds: { name: 'm' }, News: sent }));
  expect([answer.getChanges(), answer.getReplacesList()]).toEqual([expected, changes ? ['name'] : []]);
});

test('read, delete and cancel are passed on', async () => {
  const { asked, ask } = provider();
  const read = await ask<proto.ReadResponse>('read', filled(new proto.ReadRequest(), { Id: 'id-1', Urn: urn, Properties: sent }));
  expect([read.getId(), read.getProperties()?.toJavaScript()]).toEqual(['id-1', sent]);
  await ask('delete', filled(new proto.DeleteRequest(), { Id: 'id-1', Urn: urn, Properties: sent }));
  await ask('cancel', new Empty());
  expect(asked).toEqual([['read', 'id-1', urn, sent], ['delete', 'id-1', urn, sent], ['cancel']]);
});

test('an error is its message', async () => {
  const { ask } = provider({ update: () => Promise.reject(new Error('A trace does not arrive.\n    npm run up')) });
  await expect(ask('update', filled(new proto.UpdateRequest(), { Urn: urn }))).rejects.toEqual({ code: 2, details: 'A trace does not arrive.\n    npm run up' });
});
