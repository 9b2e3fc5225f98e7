import * as grpc from '@grpc/grpc-js';
import * as proto from '@pulumi/pulumi/proto/provider_pb';
import { Struct } from 'google-protobuf/google/protobuf/struct_pb';
import type { Props } from '../../lab/providers/fields';
import { random, randomText } from '../../lab/providers/random';
import { methods } from '../../lab/providers/serve';

const service = methods(random);
const urn = (type: string) => `urn:pulumi:s::p::random:index/${type[0]?.toLowerCase()}${type.slice(1)}:${type}::x`;

function call<Q, A>(method: string, request: Q): Promise<A> {
  return new Promise((resolve, reject) => {
    (service[method] as grpc.handleUnaryCall<Q, A>)({ request } as grpc.ServerUnaryCall<Q, A>, (error, answer) => (error ? reject(error) : resolve(answer as A)));
  });
}

async function create(type: string, inputs: Props, preview = false): Promise<{ id: string; state: Props }> {
  const request = new proto.CreateRequest();
  request.setUrn(urn(type));
  request.setProperties(Struct.fromJavaScript(inputs));
  request.setPreview(preview);
  const answer = await call<proto.CreateRequest, proto.CreateResponse>('create', request);
  return { id: answer.getId(), state: answer.getProperties()?.toJavaScript() as Props };
}

async function failures(type: string, inputs: Props): Promise<string[]> {
  const request = new proto.CheckRequest();
  request.setUrn(urn(type));
  request.setNews(Struct.fromJavaScript(inputs));
  return (await call<proto.CheckRequest, proto.CheckResponse>('check', request)).getFailuresList().map((failure) => failure.getReason());
}

async function replaces(type: string, olds: Props, news: Props): Promise<string[]> {
  const request = new proto.DiffRequest();
  request.setUrn(urn(type));
  request.setOlds(Struct.fromJavaScript(olds));
  request.setNews(Struct.fromJavaScript(news));
  return (await call<proto.DiffRequest, proto.DiffResponse>('diff', request)).getReplacesList();
}

beforeAll(async () => {
  const request = new proto.ConfigureRequest();
  request.setAcceptsecrets(true);
  await call('configure', request);
});

const count = (text: string, pattern: RegExp) => (text.match(pattern) ?? []).length;

test('a text keeps every rule it was asked for, however they are combined', () => {
  for (let i = 0; i < 400; i++) {
    const wanted = {
      length: 8 + (i % 40), minUpper: i % 3, minLower: i % 2, minNumeric: i % 4, minSpecial: i % 2,
      upper: i % 5 !== 0, lower: true, numeric: i % 7 !== 0, special: i % 3 !== 0, overrideSpecial: i % 2 ? '-_' : null,
    };
    const text = randomText(wanted);
    expect(text).toHaveLength(wanted.length);
    expect(count(text, /[A-Z]/g)).toBeGreaterThanOrEqual(wanted.minUpper);
    expect(count(text, /[a-z]/g)).toBeGreaterThanOrEqual(wanted.minLower);
    expect(count(text, /\d/g)).toBeGreaterThanOrEqual(wanted.minNumeric);
    expect(count(text, /[^A-Za-z0-9]/g)).toBeGreaterThanOrEqual(wanted.minSpecial);
    // A class that is off appears only as often as its minimum demands, as in the published provider.
    if (!wanted.upper) expect(count(text, /[A-Z]/g)).toBe(wanted.minUpper);
    if (!wanted.numeric) expect(count(text, /\d/g)).toBe(wanted.minNumeric);
    if (!wanted.special) expect(count(text, /[^A-Za-z0-9]/g)).toBe(wanted.minSpecial);
    if (wanted.overrideSpecial) expect(text).toMatch(/^[A-Za-z0-9_-]*$/);
  }
});

test('the demanded characters are not always at the same place', () => {
  const places = new Set(Array.from({ length: 200 }, () => randomText({ length: 10, upper: false, numeric: false, special: false, minNumeric: 1 }).search(/\d/)));
  expect(places.size).toBeGreaterThan(5);
});

test('a special character may be any character', () => {
  expect([...randomText({ length: 10, upper: false, lower: false, numeric: false, overrideSpecial: '°' })]).toEqual(Array(10).fill('°'));
});

test('what is secret is marked so, and only that', async () => {
  const secret = (value: unknown) => expect.objectContaining({ '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270', value });
  const password = await create('RandomPassword', { length: 20 });
  expect(password.id).toBe('none');
  expect(password.state).toEqual({
    __meta: '{"schema_version":"3"}', id: 'none', length: 20, lower: true, upper: true, special: true, number: true, numeric: true,
    minLower: 0, minUpper: 0, minNumeric: 0, minSpecial: 0, result: secret(expect.stringMatching(/^.{20}$/)),
  });
  const bytes = await create('RandomBytes', { length: 32 });
  const base64 = (bytes.state['base64'] as { value: string }).value;
  expect(Buffer.from(base64, 'base64')).toHaveLength(32);
  expect(bytes).toEqual({ id: base64, state: { length: 32, base64: secret(base64), hex: secret(Buffer.from(base64, 'base64').toString('hex')) } });
  const text = await create('RandomString', { length: 12, special: false });
  expect(text.state['result']).toBe(text.id);
  const id = await create('RandomId', { byteLength: 8, prefix: 'x-' });
  const hex = Buffer.from(id.id, 'base64url').toString('hex');
  expect(id.state).toMatchObject({ hex: `x-${hex}`, dec: `x-${BigInt(`0x${hex}`)}`, b64Url: `x-${id.id}` });
});

test('a preview draws nothing', async () => {
  const { state } = await create('RandomBytes', { length: 32 }, true);
  expect(state['base64']).toMatchObject({ value: '04da6b54-80e4-46f7-96ec-b56ff0331ba9' });
});

test('every change replaces, and what is left at its default is no change', async () => {
  const { state } = await create('RandomString', { length: 12, special: false, keepers: { a: '1' } });
  const inputs = { length: 12, special: false, keepers: { a: '1' } };
  expect(await replaces('RandomString', state, inputs)).toEqual([]);
  expect(await replaces('RandomString', state, { ...inputs, upper: true, numeric: true, minLower: 0 })).toEqual([]);
  expect(await replaces('RandomString', state, { ...inputs, length: 13 })).toEqual(['length']);
  expect(await replaces('RandomString', state, { ...inputs, keepers: { a: '2' } })).toEqual(['keepers']);
  expect(await replaces('RandomString', state, { length: 12, special: false })).toEqual(['keepers']);
  expect(await replaces('RandomString', state, { ...inputs, number: false })).toEqual(['number', 'numeric']);
});

test('a rule that cannot be kept is refused', async () => {
  expect(await failures('RandomPassword', { length: 0 })).toEqual(["Invalid Attribute Value. Attribute length value must be at least 1, got: 0. Examine values at 'x.length'."]);
  expect(await failures('RandomPassword', { length: 3, minUpper: 2, minLower: 2 })).toEqual([
    "Invalid Attribute Value. Attribute length value must be at least sum of min_upper + min_lower + min_numeric + min_special, got: 3. Examine values at 'x.length'.",
  ]);
  expect(await failures('RandomPassword', { length: 9, special: false, upper: false, lower: false, numeric: false })).toEqual([
    "Invalid Attribute Combination. At least one attribute out of [special,upper,lower,numeric] must be specified as true. Examine values at 'x.numeric'.",
  ]);
  await expect(replaces('RandomPassword', { length: 9 }, { length: 9, number: false, numeric: true })).rejects.toMatchObject({ details: expect.stringContaining('different values') });
});
