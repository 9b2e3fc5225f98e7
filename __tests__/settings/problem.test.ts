import { commandVariable, report, shown, withoutSecrets } from '../../settings/problem';
import { setEnvironment } from '../support/environment';

// Whoever runs the tests may call Pulumi by another name.
beforeEach(() => setEnvironment({ [commandVariable]: undefined }));

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

test.each([
  ['pulumi config set phoenix:auth true', 'pulumi config set phoenix:auth true --stack edge'],
  // A stack at the edge also tells what to do with the one it sends to.
  ['pulumi config set tunnel:otlpHostname otlp.example.com --stack prod', 'pulumi config set tunnel:otlpHostname otlp.example.com --stack prod'],
  ['pulumi config set tunnel:serviceTokens edge,host --stack prod && npm run up -- --stack prod', 'pulumi config set tunnel:serviceTokens edge,host --stack prod && npm run up -- --stack prod'],
  ['npm run up -- --stack prod', 'npm run up -- --stack prod'],
  // Only the option itself names a stack.
  ['pulumi config set phoenix:apiKeys my--stack', 'pulumi config set phoenix:apiKeys my--stack --stack edge'],
  // And that at the end alone: anywhere else, or quoted, it is part of a value.
  ["pulumi config set phoenix:oidcDisplayName 'Login --stack prod'", "pulumi config set phoenix:oidcDisplayName 'Login --stack prod' --stack edge"],
  ["pulumi config set phoenix:oidcDisplayName 'The --stack prod login'", "pulumi config set phoenix:oidcDisplayName 'The --stack prod login' --stack edge"],
  ["pulumi config rm 'phoenix:x --stack prod'", "pulumi config rm 'phoenix:x --stack prod' --stack edge"],
  ['pulumi config set tunnel:name observability --stack prod-eu_1.b', 'pulumi config set tunnel:name observability --stack prod-eu_1.b'],
])('the command %s is for the stack at hand, or for the one that it names', (command, shown) => {
  const told = (): string | undefined => report('edge', [{ key: 'edge:central', rule: 'it is wrong', mend: [command] }]).split('\n').at(-1);
  expect(told()).toBe(`      ${shown}`);
  setEnvironment({ [commandVariable]: 'npm run pulumi --' });
  expect(told()).toBe(`      ${shown.replace(/^pulumi/, 'npm run pulumi --')}`);
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
  ['so does a secret in which a password was masked', "'http://me:[secret]@loki:3100'", ['http://me:hunter2@loki:3100'], "'[secret]'"],
  ['its characters have no special meaning', 'axb', ['a.b'], 'axb'],
])('withoutSecrets: %s', (_, text, secrets, expected) => {
  expect(withoutSecrets(text, secrets)).toBe(expected);
});

test('a stack of an organization has its whole name in commands, and other stacks have theirs', () => {
  setEnvironment({ LLM_OBSERVABILITY_STACK: 'acme/prod' });
  const mend = ['pulumi config set phoenix:uiPort 6006', 'npm run up -- --stack prod   # again', 'npm run up -- --stack prod-2', 'npm run up -- --stack OTHER_NAME'];
  expect(report('prod', [{ key: 'phoenix:uiPort', rule: 'wrong', mend }]).split('\n').slice(2).map((line) => line.trim())).toEqual([
    'pulumi config set phoenix:uiPort 6006 --stack acme/prod',
    'npm run up -- --stack acme/prod   # again',
    'npm run up -- --stack prod-2',
    'npm run up -- --stack OTHER_NAME',
  ]);
});

test('as data they are what the report says: commands for the stack, no secret', () => {
  const problems = [
    { key: 'phoenix:uiPort', value: 'hunter2', rule: 'hunter2 is no port', mend: ['pulumi config set phoenix:uiPort 6006', 'echo hunter2'] },
    { key: 'docker:host', rule: 'no engine', mend: [] },
  ];
  expect(shown('prod', problems, ['hunter2'])).toEqual([
    { key: 'phoenix:uiPort', value: '[secret]', rule: '[secret] is no port', mend: ['pulumi config set phoenix:uiPort 6006 --stack prod', 'echo [secret]'] },
    { key: 'docker:host', rule: 'no engine', mend: [] },
  ]);
});
