import * as values from '../../settings/parse';
import { quoting, ruleOf } from '../support/broken-rule';
import { rows } from '../support/rows';

describe('boolean', () => {
  test('true and false', () => expect([values.boolean('true'), values.boolean('false')]).toEqual([true, false]));

  rows(['', 'True', 'TRUE', 'yes', 'on', '1', '0', ' true', 'true '])("'%s' is none", (raw) => {
    expect(ruleOf(values.boolean, raw)).toBe('it is either true or false, in small letters');
  });
});

describe('oneOf', () => {
  const fruit = values.oneOf('apple', 'pear');
  test('a word of them', () => expect(fruit('pear')).toBe('pear'));
  rows(['', 'Apple', 'apple,pear', 'plum'])("'%s' is none", (raw) => expect(ruleOf(fruit, raw)).toBe('it is one of apple, pear'));
});

describe('text', () => {
  rows([['a', 'a'], [' a b \n', 'a b'], ['Müller & Söhne', 'Müller & Söhne']])("'%s'", (raw, text) => expect(values.text(raw)).toBe(text));
  rows(['', ' ', '\n', 'a\nb', 'a\tb', 'a\0', '\u0085x\u0085y'])("'%s' is none", (raw) => {
    expect(ruleOf(values.text, raw)).toBe('it is one line of text, and not empty');
  });
});

test('no rule quotes the value, which may be a secret', () => expect(quoting([values.boolean, values.negatedBoolean, values.oneOf('apple'), values.text, values.pem])).toEqual([]));
