import * as fc from 'fast-check';
import { differences, type Difference } from '../../../ops/support/preview/difference';
import { secretValue, unknownValue } from '../../../ops/support/preview/digest';

const of = (before: unknown, after: unknown, name = 'image'): Difference[] => differences({ [name]: before }, { [name]: after });
const known = '(known once deployed)';

describe('one property', () => {
  test.each([
    ['of plain values', 'image', 'a:1', 'a:2', ['a:1'], ['a:2']],
    ['that is new', 'user', undefined, '473:473', [], ['473:473']],
    ['that goes', 'user', '473:473', undefined, ['473:473'], []],
    ['that was empty, which is nothing', 'user', '', 'x', [], ['x']],
    ['that is false, which is something', 'readOnly', false, true, ['false'], ['true']],
    ['that is 0, which is something', 'retries', 0, null, ['0'], []],
    ['that only the deployment makes', 'tunnelId', '1d', unknownValue, ['1d'], [known]],
    ['of a list: only what differs', 'command', ['run', '--a', '--b'], ['run', '--b', '--c'], ['--a'], ['--c']],
    ['of a list that holds one twice', 'command', ['-v', '-v'], ['-v'], ['-v'], []],
    ['of lists in lists', 'args', [['a', 'b']], [['a', 'c']], ['a b'], ['a c']],
    ['of a map', 'logOpts', { 'max-size': '10m', __defaults: [] }, { 'max-size': '20m' }, ['max-size=10m'], ['max-size=20m']],
    ['of maps in maps', 'healthcheck', { test: { of: ['a', 'b'] } }, { test: { of: ['a'] } }, ['test=of=a b'], ['test=of=a']],
    ['of ports', 'ports', [{ external: 1, internal: 2, ip: '::1', protocol: 'tcp' }], [{ external: 1, internal: 2, protocol: 'tcp' }], ['[::1]:1:2'], ['0.0.0.0:1:2']],
    ['of volumes', 'volumes', [{ volumeName: 'a', containerPath: '/a', readOnly: true }], [{ volumeName: unknownValue, containerPath: '/a' }], ['a:/a:ro'], [`${known}:/a`]],
    ['of labels', 'labels', [{ label: 'a', value: 'b' }], [{ label: 'a', value: unknownValue }], ['a=b'], [`a=${known}`]],
    ['of an entry that is not known yet', 'ports', [unknownValue], [{ external: 1, internal: 2 }], [known], ['0.0.0.0:1:2']],
  ])('%s', (_, name, before, after, gone, come) => {
    expect(of(before, after, name)).toEqual([{ name, before: gone, after: come }]);
  });

  test.each([
    ['envs', 'environment'], ['memory', 'memory (MiB)'], ['cpus', 'CPUs'], ['networksAdvanced', 'networks'],
  ])('%s is called %s', (name, called) => {
    expect(of('1', '2', name)).toEqual([{ name: called, before: ['1'], after: ['2'] }]);
  });

  test('the limit with swap, which is always the one without, and what the SDK notes for itself are not told', () => {
    expect(differences({ memory: 1, memorySwap: 1, __defaults: ['a'] }, { memory: 2, memorySwap: 2, __defaults: ['b'] }).map(({ name }) => name)).toEqual(['memory (MiB)']);
  });

  test('several stand in the order of their names', () => {
    expect(differences({ b: 1, c: 1 }, { a: 1, b: 2, c: 1 }).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('a text of several lines: only those that changed, with three around', () => {
    const text = (line: string): string => `1\n2\n3\n4\n${line}\n6\n7\n8\n9\n`;
    expect(of(text('old'), text('new'), 'script')).toEqual([
      { name: 'script', before: [], after: [], lines: ['@@ -2,7 +2,7 @@', ' 2', ' 3', ' 4', '-old', '+new', ' 6', ' 7', ' 8'] },
    ]);
  });
});

describe('files', () => {
  const files = (map: Record<string, string>): object[] => Object.entries(map).map(([file, content]) => ({ file, content }));
  const between = (before: Record<string, string>, after: Record<string, string>): Difference[] => of(files(before), files(after), 'uploads');

  test('each by its own name, in their order; one that stays is not told', () => {
    expect(between({ '/etc/b.conf': 'x\n', '/etc/same': 's\n', '/etc/c.conf': 'gone\n' }, { '/etc/a.conf': 'new\n', '/etc/same': 's\n', '/etc/b.conf': 'y\n' })).toEqual([
      { name: 'a.conf', before: [], after: [], lines: ['@@ -0,0 +1,1 @@', '+new'] },
      { name: 'b.conf', before: [], after: [], lines: ['@@ -1,1 +1,1 @@', '-x', '+y'] },
      { name: 'c.conf', before: [], after: [], lines: ['@@ -1,1 +0,0 @@', '-gone'] },
    ]);
  });

  test('one that lacks its last line end', () => {
    expect(between({ '/a': 'x' }, { '/a': 'x\n' })).toEqual([{ name: 'a', before: [], after: [], lines: ['@@ -1,1 +1,1 @@', '-x', '+x'] }]);
  });

  test('an empty one is no news', () => {
    expect(between({ '/a': '' }, { '/b': '' })).toEqual([]);
    expect(between({ '/a': 'x\n' }, { '/a': '' })).toEqual([{ name: 'a', before: [], after: [], lines: ['@@ -1,1 +0,0 @@', '-x'] }]);
  });

  test('one whose text is not known yet', () => {
    expect(between({ '/a': 'x\ny\n' }, { '/a': unknownValue })).toEqual([{ name: 'a', before: [], after: [], lines: expect.arrayContaining(['-x', '-y', `+${known}`]) }]);
  });

  test.each([
    ['was plain', 'p4ssword', secretValue, [secretValue], [secretValue]],
    ['will be plain', secretValue, 'p4ssword', [secretValue], [secretValue]],
    ['is not known yet', secretValue, unknownValue, [secretValue], [known]],
  ])('a secret one that %s', (_, before, after, gone, come) => {
    expect(between({ '/etc/token': before }, { '/etc/token': after })).toEqual([{ name: 'token', before: gone, after: come }]);
  });

  test('all of them secret', () => {
    expect(of(secretValue, files({ '/a': 'p4ssword' }), 'uploads')).toEqual([{ name: 'files', before: [secretValue], after: [secretValue] }]);
  });
});

describe('a secret', () => {
  const both = [{ name: 'key', before: [secretValue], after: [secretValue] }];

  test('that is another one is known from the engine alone', () => {
    expect(differences({ key: secretValue }, { key: secretValue }, ['key'])).toEqual(both);
    expect(differences({ key: [secretValue, 'a'] }, { key: [secretValue, 'a'] }, ['key'])).toEqual(both);
    expect(differences({ key: secretValue }, { key: secretValue }, ['other'])).toEqual([]);
    // What is the same and no secret is what the provider would rather have otherwise.
    expect(differences({ key: 'a' }, { key: 'a' }, ['key'])).toEqual([]);
  });

  test.each([
    ['a value', 'p4ssword', secretValue],
    ['an entry', ['a', 'p4ssword'], ['a', secretValue]],
    ['an entry among others that change', ['a', secretValue, 'p4ssword'], ['b', secretValue, secretValue]],
    ['a value in a map', { user: 'a', password: 'p4ssword' }, { user: 'a', password: secretValue }],
    ['a value that was called something else', { pass: 'p4ssword' }, { password: secretValue }],
    ['a value deep inside', [{ of: { password: 'p4ssword' } }], [{ of: { password: secretValue } }]],
    ['a list', ['p4ssword', 'a'], secretValue],
    ['a map in the place of a list', ['p4ssword'], { password: secretValue }],
    ['a text of several lines', 'p4ssword\nb\n', secretValue],
  ])('that stood or will stand in plain text is told by neither: %s', (_, plain, masked) => {
    for (const [before, after] of [[plain, masked], [masked, plain]]) {
      const found = of(before, after, 'key');
      expect(found).toHaveLength(1);
      expect(JSON.stringify(found)).not.toContain('p4ssword');
      expect(JSON.stringify(found)).toContain(secretValue);
    }
  });

  test('that comes or goes as a whole', () => {
    expect(of(undefined, secretValue, 'key')).toEqual([{ name: 'key', before: [], after: [secretValue] }]);
    expect(of(secretValue, undefined, 'key')).toEqual([{ name: 'key', before: [secretValue], after: [] }]);
    expect(of(secretValue, unknownValue, 'key')).toEqual([{ name: 'key', before: [secretValue], after: [known] }]);
  });

  test('beside which something plain changes in a map', () => {
    expect(of({ user: 'a', password: secretValue }, { user: 'b', password: secretValue }, 'key')).toEqual([
      { name: 'key', before: [`user=a password=${secretValue}`], after: [`user=b password=${secretValue}`] },
    ]);
  });
});

describe('whatever the inputs are', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('a', 'b', 'a\nb', 'a\nc\n', '\n', '+', '---\n', '\\ No newline\n', '\r\n', secretValue, unknownValue));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, text, fc.integer(), fc.boolean(), fc.constant(null), fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'))),
  }));
  const uploads = fc.array(fc.record({ file: fc.constantFrom('/a', '/b'), content: text }), { maxLength: 3 });
  const port = fc.record({ internal: fc.nat(9), external: fc.nat(9), ip: fc.constantFrom('127.0.0.1', '::1') });
  const inputs = fc.record({ envs: value, key: value, script: text, uploads: fc.oneof(uploads, fc.constant(secretValue)), ports: fc.array(port), command: fc.array(text) }, { requiredKeys: [] });

  test('there are no differences between the same', () => {
    fc.assert(fc.property(inputs, (same) => {
      expect(differences(same, structuredClone(same))).toEqual([]);
    }));
  });

  test('the order of entries counts for nothing', () => {
    const shuffled = fc.array(value).chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
    fc.assert(fc.property(shuffled, fc.constantFrom('envs', 'command', 'key'), ([before, after], name) => {
      expect(differences({ [name]: before }, { [name]: after })).toEqual([]);
    }));
  });

  test('a line begins with what it is, and where there are lines some differ', () => {
    fc.assert(fc.property(inputs, inputs, (before, after) => {
      for (const { lines, before: gone, after: come } of differences(before, after)) {
        expect(lines ? [gone, come] : []).toEqual(lines ? [[], []] : []);
        expect((lines ?? []).filter((line) => !/^[-+ @]/.test(line))).toEqual([]);
        expect(lines?.some((line) => /^[-+]/.test(line)) ?? true).toBe(true);
      }
    }));
  });

  test('lines tell all that goes and comes', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', '-c', '+d', '@@ -1 +1 @@', '', ' '), { maxLength: 12 });
    fc.assert(fc.property(lines, lines, (before, after) => {
      const text = (list: string[]): string => ['first', ...list].map((line) => `${line}\n`).join('');
      const [difference] = of(text(before), text(after), 'script');
      const change = (sign: string): string[] => (difference?.lines ?? []).filter((line) => line.startsWith(sign)).map((line) => line.slice(1));
      // What stays, in their order, is the same on both sides.
      const rest = (list: string[], without: string[]): string[] => {
        const left = [...list];
        for (const line of without) {
          expect(left).toContain(line);
          left.splice(left.indexOf(line), 1);
        }
        return left.sort();
      };
      expect(rest(before, change('-'))).toEqual(rest(after, change('+')));
    }));
  });

  test('no text of a secret is told, wherever it stands on either side', () => {
    const word = 's3cr3t';
    const plain = fc.constantFrom(word, `${word}\nsecond line`, `A=${word}`);
    /** The same value with the secret in plain text and as the CLI masks it. */
    const { pair } = fc.letrec<{ pair: readonly [unknown, unknown] }>((tie) => ({
      pair: fc.oneof(
        { depthSize: 'small' },
        plain.map((secret) => [secret, secretValue] as const),
        fc.constantFrom('a', 1, true, unknownValue).map((same) => [same, same] as const),
        fc.array(tie('pair'), { maxLength: 4 }).map((list) => [list.map(([shown]) => shown), list.map(([, masked]) => masked)] as const),
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('pair')).map((map) =>
          [Object.fromEntries(Object.entries(map).map(([key, [shown]]) => [key, shown])), Object.fromEntries(Object.entries(map).map(([key, [, masked]]) => [key, masked]))] as const),
      ),
    }));
    fc.assert(fc.property(pair, fc.constantFrom('key', 'envs', 'command'), fc.boolean(), ([shown, masked], name, turned) => {
      const [before, after] = turned ? [masked, shown] : [shown, masked];
      expect(JSON.stringify(differences({ [name]: before }, { [name]: after }, [name]))).not.toContain(word);
    }), { numRuns: 500 });
  });
});
