import * as fc from 'fast-check';
import * as amounts from '../../settings/amount-parse';
import { quoting, ruleOf } from '../support/broken-rule';
import { rows } from '../support/rows';

describe('days', () => {
  rows([['0', 0], ['1', 1], ['30', 30], ['99999', 99999]])('%s is %d', (raw, days) => {
    expect(amounts.days(raw)).toBe(days);
  });

  rows(['', '-1', '1.5', '30d', '100000', 'forever'])("'%s' is none", (raw) => {
    expect(ruleOf(amounts.days, raw)).toBe('days are a whole number, and 0 keeps everything forever');
  });
});

describe('projects', () => {
  rows([['1', 1], ['1000', 1000], ['100000', 100_000]])('%s is %d', (raw, count) => expect(amounts.projects(raw)).toBe(count));

  rows(['', '0', '-1', '1.5', '1e3', '1k', '100001', 'none', 'unlimited'])("'%s' is none", (raw) => expect(ruleOf(amounts.projects, raw)).toBe('it is a whole number from 1 to 100000'));
});

describe('memory', () => {
  const memory = amounts.memory(768);

  rows([['768MiB', 768], ['2GiB', 2048], ['1.5GiB', 1536], ['0.75GiB', 768], ['1024.0MiB', 1024]])('%s is %d MiB', (raw, mebibytes) => {
    expect(memory(raw)).toBe(mebibytes);
  });

  rows([
    ...['', '2', '2048', '2 GiB', '2G', '2GB', '2gib', '2048MB', '2048m', '-2GiB', '.5GiB', '1e3MiB', 'lots'].map((raw) => [
      raw,
      'memory is a number with the unit MiB or GiB, such as 512MiB or 2GiB',
    ]),
    ['1000.5MiB', 'memory comes in whole MiB'],
    ['1.3GiB', 'memory comes in whole MiB'],
    ['767MiB', 'the service does not start with less than 768MiB'],
    ['0.5GiB', 'the service does not start with less than 768MiB'],
    ['0MiB', 'the service does not start with less than 768MiB'],
  ])("'%s': %s", (raw, rule) => {
    expect(ruleOf(memory, raw)).toBe(rule);
  });

  test('every whole number of MiB comes back as itself, and of GiB as 1024 times', () => {
    fc.assert(fc.property(fc.integer({ min: 768, max: 2 ** 30 }), (amount) => memory(`${amount}MiB`) === amount));
    fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 20 }), (amount) => memory(`${amount}GiB`) === amount * 1024));
  });

  test('every MiB can be written as a part of a GiB', () => {
    fc.assert(fc.property(fc.integer({ min: 768, max: 2 ** 20 }), (amount) => memory(`${(amount / 1024).toFixed(10)}GiB`) === amount));
  });
});

describe('cpus', () => {
  /**
   * What the docker provider shows for a number of hundredths of a CPU, by its own rule: the number with
   * nine decimals; with exactly nine zeros in that text one decimal, else without the zeros at the end.
   */
  function readBack(hundredths: number): string {
    const whole = Math.floor(hundredths / 100);
    const text = `${whole}.${String(hundredths % 100).padStart(2, '0')}0000000`;
    if (text.split('0').length - 1 !== 9) {
      return text.replace(/0+$/, '');
    }
    const tenths = Math.floor((hundredths + 5) / 10);
    return `${Math.floor(tenths / 10)}.${tenths % 10}`;
  }

  test('the oracle itself, on numbers that were tried with the provider', () => {
    expect([100, 50, 25, 1000, 1050, 2005, 1004, 9900].map(readBack)).toEqual(['1.0', '0.5', '0.25', '10.', '10.5', '20.1', '10.0', '99.0']);
  });

  const rounded = 'the docker provider rounds that number to one decimal and would always show a change; write it with one decimal';

  test('from 0.10 to 99.00 every number is the text that the provider reads back, or is refused because there is none', () => {
    const refused: string[] = [];
    for (let hundredths = 10; hundredths <= 9900; hundredths += 1) {
      const raw = (hundredths / 100).toFixed(2);
      // A text that stands for the number and that the provider shows for it.
      const stable = Math.round(Number(readBack(hundredths)) * 100) === hundredths;
      if (stable) {
        expect(amounts.cpus(raw)).toBe(readBack(hundredths));
      } else {
        expect(ruleOf(amounts.cpus, raw)).toBe(rounded);
        refused.push(raw);
      }
    }
    const tens = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    expect(refused).toEqual(tens.flatMap((ten) => tens.map((hundredth) => `${ten}0.0${hundredth}`)));
  });

  rows([['1', '1.0'], ['1.0', '1.0'], ['1.00', '1.0'], ['0.5', '0.5'], ['0.50', '0.5'], ['02', '2.0'], ['10', '10.'], ['90.0', '90.'], ['99', '99.0']])(
    '%s is %s',
    (raw, text) => expect(amounts.cpus(raw)).toBe(text),
  );

  test('every spelling of a number gives the same text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 0, max: 9 }), (whole, tenths) => {
        const texts = [`${whole}.${tenths}`, `${whole}.${tenths}0`, `0${whole}.${tenths}`, ...(tenths === 0 ? [String(whole)] : [])];
        fc.pre(whole < 99 || tenths === 0);
        expect(new Set(texts.map(amounts.cpus)).size).toBe(1);
      }),
    );
  });

  rows(['', '0', '0.09', '0.0', '99.01', '100', '-1', '1.234', '1.', '.5', '1e1', '1,5', 'two', '1 '])("'%s' is none", (raw) => {
    expect(ruleOf(amounts.cpus, raw)).toBe('CPUs are a number from 0.1 to 99 with at most two decimals, such as 0.5 or 2');
  });
});

test('no rule quotes the value, which may be a secret', () => expect(quoting([amounts.days, amounts.projects, amounts.memory(768), amounts.disk(256, 'a database'), amounts.cpus])).toEqual([]));
