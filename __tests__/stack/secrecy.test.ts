import * as pulumi from '@pulumi/pulumi';
import { covering } from '../../stack/secrecy';
import { secret, sent, valueOf } from '../support/deployment';

/** What the engine would receive of a value. */
const covered = async (values: readonly unknown[], value: unknown): Promise<unknown> => (await sent({ value: covering(values)(value) }))['value'];

beforeEach(() => pulumi.runtime.setMocks({ call: () => ({}), newResource: ({ name, inputs }) => ({ id: name, state: inputs as object }) }));

test.each<[string, unknown, unknown, unknown]>([
  ['a text', 'token-1', 'token-1', secret('token-1')],
  ['a part of one', 'token-1', 'http://here/?t=token-1&x', secret('http://here/?t=token-1&x')],
  ['in other letters', 'example', 'PHOENIX_EXAMPLE_ID', secret('PHOENIX_EXAMPLE_ID')],
  ['not a part of a word', 'alpha', 'alphabet', 'alphabet'],
  ['unless it is long', 'password-1', 'xpassword-1y', secret('xpassword-1y')],
  ['nor of a number', 4318, 'http://here:14318', 'http://here:14318'],
  ['a number as a text', 4318, 'http://here:4318', secret('http://here:4318')],
  ['a number', '4318', 4318, secret(4318)],
  ['a short one is a whole value', 'ab', ['ab', 'X=ab', 'ab cd', 'x-ab'], [secret('ab'), secret('X=ab'), 'ab cd', 'x-ab']],
  ['what has signs of its own', 'a+(b).*', ['-a+(b).*', '-aab'], [secret('-a+(b).*'), '-aab']],
  ['between quotes', 'say "hello"', 'x = "say \\"hello\\""', secret('x = "say \\"hello\\""')],
  ['a switch hides nothing', 'true', [true, 'true'], [true, 'true']],
  ['an empty text is none', '  ', ['', 'x'], ['', 'x']],
  ['parts of a list', ['one-1', 'two-2'], ['one-1', 'three', 'two-2'], [secret('one-1'), 'three', secret('two-2')]],
  ['parts of objects', [{ host: 'host-1' }], { at: { host: 'host-1', port: 1 } }, { at: { host: secret('host-1'), port: 1 } }],
  ['the name of a property', 'name-1', { 'name-1': 'x', other: 'y' }, secret({ 'name-1': 'x', other: 'y' })],
  ['a URL, with another path', new URL('http://host-1:9090/?key=key-1'), ['http://host-1:9090/api?key=key-1', 'host-1', 'key-1', 'http://host-2:9090'], [secret('http://host-1:9090/api?key=key-1'), secret('host-1'), secret('key-1'), 'http://host-2:9090']],
  ['its query as it is written', new URL('http://host-1:9090/?db=a%2Fb'), ['http://gate/api/v1/write?db=a%2Fb', 'http://gate/api/v1/write?db=c'], [secret('http://gate/api/v1/write?db=a%2Fb'), 'http://gate/api/v1/write?db=c']],
  ['its path', new URL('http://localhost/some-path/'), 'ROOT=/some-path', secret('ROOT=/some-path')],
  ['what is neither text nor number', 'token-1', [null, true], [null, true]],
])('%s', async (_, value, given, expected) => {
  expect(await covered([value], given)).toEqual(expected);
});

test('an output is looked at once it is known, and keeps what it was', async () => {
  const held = pulumi.output({ url: 'http://token-1' });
  expect(await covered(['token-1'], held)).toEqual(secret({ url: 'http://token-1' }));
  expect(await covered(['token-1'], pulumi.output('nothing'))).toBe('nothing');
  expect(await covered(['token-1'], pulumi.secret('nothing'))).toEqual(secret('nothing'));
  expect(await covered(['token-1'], Promise.resolve('token-1'))).toEqual(secret('token-1'));
  expect(await valueOf(covering(['token-1'])(pulumi.output('token-1')))).toBe('token-1');
});

test('without secret values everything is as it was, itself', () => {
  const given = { output: pulumi.output(1), text: 'true' };
  expect(covering(['', 'true', undefined])(given)).toBe(given);
});
