import { report, withoutSecrets } from '../../components/problem';

test('one problem: key, value, rule and every command, for the stack at hand', () => {
  const text = report('prod', [
    {
      key: 'phoenix:uiPort',
      value: '0',
      rule: 'a port is a whole number from 1 to 65535',
      mend: ['pulumi config set phoenix:uiPort 6006', 'pulumi config rm phoenix:uiPort', 'npm run doctor'],
    },
  ]);
  expect(text).toBe(
    [
      '1 problem with stack prod; nothing was changed.',
      "  - phoenix:uiPort is '0': a port is a whole number from 1 to 65535.",
      '      pulumi config set phoenix:uiPort 6006 --stack prod',
      '      pulumi config rm phoenix:uiPort --stack prod',
      '      npm run doctor',
    ].join('\n'),
  );
});

test('several problems come in one message, without a value where there is none', () => {
  const text = report('dev', [
    { key: 'docker:host', rule: 'no engine', mend: ['sudo systemctl start docker'] },
    { key: 'alloy:cpus', value: '12', rule: 'the Docker host has 8', mend: [] },
  ]);
  expect(text).toBe(
    [
      '2 problems with stack dev; nothing was changed.',
      '  - docker:host: no engine.',
      '      sudo systemctl start docker',
      "  - alloy:cpus is '12': the Docker host has 8.",
    ].join('\n'),
  );
});

test('a secret appears neither as the value nor in a rule or command', () => {
  const text = report('dev', [{ key: 'loki:url', value: 'ftp://s3cret', rule: 'ftp://s3cret is wrong', mend: ['curl ftp://s3cret'] }], ['ftp://s3cret']);
  expect(text).toBe(
    ["1 problem with stack dev; nothing was changed.", "  - loki:url is '[secret]': [secret] is wrong.", '      curl [secret]'].join('\n'),
  );
});

test.each([
  ['an empty one hides nothing', 'abc', [''], 'abc'],
  ['the longer of two goes first', 'key-long key', ['key', 'key-long'], '[secret] [secret]'],
  ['every occurrence goes', 'a.b a.b', ['a.b'], '[secret] [secret]'],
  ['its characters have no special meaning', 'axb', ['a.b'], 'axb'],
])('withoutSecrets: %s', (_, text, secrets, expected) => {
  expect(withoutSecrets(text, secrets)).toBe(expected);
});
