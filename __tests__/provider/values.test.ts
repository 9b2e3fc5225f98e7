import * as fc from 'fast-check';
import { plain, secret, secretsIn, unknown } from '../../provider/values';

const mark = '4dabf18193072939515e22adb298388d';
const secretMark = '1b47061264138c4ac30d75fd1eb44270';
const marked = (value: unknown): object => ({ [mark]: secretMark, value });

test('a secret as the engine knows it', () => {
  expect(secret('s')).toEqual({ [mark]: secretMark, value: 's' });
});

test.each<[string, unknown, unknown]>([
  ['a text', 's', 's'],
  ['nothing', null, null],
  ['false', false, false],
  ['zero', 0, 0],
  ['an unknown value', unknown, unknown],
  ['a secret', marked('s'), 's'],
  ['a secret that is empty', marked(''), ''],
  ['a secret of nothing', marked(null), null],
  ['a secret that is unknown', marked(unknown), unknown],
  ['a secret object', marked({ a: 1 }), { a: 1 }],
  ['a secret in a secret', marked(marked('s')), 's'],
  ['secrets in an object', { a: marked('s'), b: { c: marked(1), d: 'x' } }, { a: 's', b: { c: 1, d: 'x' } }],
  ['secrets in a list', [marked('s'), [marked('t')], 'x'], ['s', ['t'], 'x']],
  ['a list in a secret', marked(['s', { a: marked('t') }]), ['s', { a: 't' }]],
  ['an object that has a value', { value: marked('s'), other: 1 }, { value: 's', other: 1 }],
  ['an object that has no other', { value: null }, { value: null }],
])('plain: %s', (_, value, expected) => expect(plain(value)).toEqual(expected));

test('what holds no secret stays as it is', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => expect(plain(value)).toEqual(value)));
});

test.each<[string, unknown, string[]]>([
  ['a text', 's', []],
  ['nothing', null, []],
  ['nothing at all', undefined, []],
  ['a secret', marked('s'), ['s']],
  ['in an object', { a: marked('s'), b: { c: marked('t'), d: 'x' } }, ['s', 't']],
  ['in a list', [marked('s'), ['x', [marked('t')]]], ['s', 't']],
  ['one that is no text', { a: marked(7), b: marked(null) }, []],
  ['an object that has a value', { value: 's', other: marked('t') }, ['t']],
  ['another mark', { [mark]: 'asset', value: 's' }, []],
])('the secrets in properties: %s', (_, value, secrets) => expect(secretsIn(value)).toEqual(secrets));

test('what holds no secret has none', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => expect(secretsIn(value)).toEqual([])));
});
