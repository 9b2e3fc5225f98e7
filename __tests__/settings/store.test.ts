/**
 * Rules between the settings of a store. What holds for one holds for the other.
 */
import { report } from '../../settings/problem';
import { readSettings, secretValues } from '../../settings/settings';
import { storeKeys } from '../../settings/store';

const secrets = ['password', 'token'];

describe.each(['prometheus', 'loki'] as const)('%s', (store) => {
  type Part = 'url' | 'username' | 'password' | 'token' | 'tenant';
  const named = (parts: Partial<Record<Part, string>>): Record<string, string> => Object.fromEntries(Object.entries(parts).map(([part, value]) => [`${store}:${part}`, value]));
  const read = (parts: Partial<Record<Part, string>>, hidden: readonly Part[] = ['password', 'token']) =>
    readSettings(named(parts), 'llm-observability', (key) => hidden.some((part) => key === `${store}:${part}`)).problems.map(({ key, rule, mend }) => ({ key, rule, mend }));
  const rm = (part: Part): string => `pulumi config rm ${store}:${part}`;
  const set = (part: Part, value: string): string => `pulumi config set ${store}:${part} ${value}`;
  const ask = (part: Part): string => `pulumi config set --secret ${store}:${part}`;
  const url = 'https://store.example';
  const example = storeKeys[`${store}:url`].example ?? '';

  test.each<[Partial<Record<Part, string>>]>([
    [{}], [{ url }], [{ url, tenant: 'team-a' }], [{ url, username: 'u', password: 'p' }], [{ url, token: 't', tenant: 'team-a' }],
    [{ url: 'http://store:3100', token: 't' }], [{ url: 'http://store.example' }], [{ url: 'http://store.example', tenant: 'team-a' }],
  ])('%j is right', (parts) => expect(read(parts)).toEqual([]));

  test.each<[Partial<Record<Part, string>>, string, string[]]>([
    [{ token: 't' }, 'it is', [rm('token')]],
    [{ tenant: 'team-a' }, 'it is', [rm('tenant')]],
    [{ username: 'u', password: 'p', tenant: 'team-a' }, `${store}:username, ${store}:password and ${store}:tenant are`, [rm('username'), rm('password'), rm('tenant')]],
  ])('%j without a URL', (parts, subject, commands) => {
    expect(read(parts)).toEqual([{ key: `${store}:${Object.keys(parts)[0]}`, rule: `${subject} for ${store}:url, which is not set`, mend: [set('url', example), ...commands] }]);
  });

  test.each<[Partial<Record<Part, string>>, Part, string, string[]]>([
    [{ url, username: 'u' }, 'username', `it needs ${store}:password as well`, [ask('password')]],
    [{ url, password: 'p' }, 'password', `it needs ${store}:username as well`, [set('username', '123456')]],
    [{ url, username: 'u', password: 'p', token: 't' }, 'token', `a store takes either a token or a user with a password, and ${store}:username and ${store}:password are set as well`,
      [rm('token'), `${rm('username')}   # for the token`, `${rm('password')}   # for the token`]],
    [{ url, username: 'u', token: 't' }, 'token', `a store takes either a token or a user with a password, and ${store}:username is set as well`, [rm('token'), `${rm('username')}   # for the token`]],
    [{ url: 'http://store.example:3100/', token: 't' }, 'url', `without TLS anyone on the network can read ${store}:token`, [set('url', 'https://store.example:3100')]],
    [{ url: 'http://203.0.113.9', username: 'u', password: 'p' }, 'url', `without TLS anyone on the network can read ${store}:username and ${store}:password`, [set('url', 'https://203.0.113.9')]],
    [{ url: store === 'loki' ? 'https://logs-prod-012.grafana.net' : 'https://prometheus-prod-10.grafana.net', tenant: 'a' }, 'url', 'Grafana Cloud takes nothing without credentials', [`${set('username', '123456')}   # an example`, ask('password')]],
  ])('%j: %s', (parts, part, rule, mend) => {
    expect(read(parts)).toEqual([{ key: `${store}:${part}`, rule, mend }]);
  });

  test('what is a secret is stored as one', () => {
    expect(read({ url, username: 'u', password: 'hunter2' }, [])).toEqual([{ key: `${store}:password`, rule: 'it is a secret, and the stack file has it in plain text', mend: [ask('password')] }]);
    expect(read({ url, token: 'hunter2' }, [])).toEqual([{ key: `${store}:token`, rule: 'it is a secret, and the stack file has it in plain text', mend: [ask('token')] }]);
  });

  test('all of it comes at once, and shows no secret', () => {
    const config = named({ url: 'http://store.example', username: 'u', password: 'hunter2', token: 'hunter3' });
    const { problems } = readSettings(config, 'llm-observability');
    expect(problems.map(({ key }) => key)).toEqual([`${store}:password`, `${store}:token`, `${store}:token`, `${store}:url`]);
    expect(report('dev', problems)).not.toMatch(/hunter/);
  });

  test('the command with TLS is one of a shell', () => {
    expect(read({ url: "http://store.example/a;b$(id)'&c", token: 't' })).toMatchObject([{ mend: [set('url', `'https://store.example/a;b$(id)'\\''&c'`)] }]);
  });

  test('a URL that is a secret is not shown', () => {
    const { problems } = readSettings(named({ url: 'http://s3cret.example', token: 't' }), 'llm-observability', () => true);
    expect(problems).toEqual([{ key: `${store}:url`, rule: `without TLS anyone on the network can read ${store}:token`, mend: [ask('url')] }]);
  });

  test('a tenant that was set as a secret is one wherever it stands', () => {
    const config = named({ url, tenant: 'team-s3cret' });
    const isSecret = (key: string): boolean => key === `${store}:tenant`;
    expect(secretValues(readSettings(config, 'llm-observability', isSecret).settings, config, isSecret)).toContain('team-s3cret');
  });
});

test('the command with TLS for a URL with a query, which may hold something that nobody else may see, asks for it', () => {
  expect(readSettings({ 'prometheus:url': 'http://store.example/write?a=1&b=2', 'prometheus:token': 't' }, 'llm-observability', (key) => key === 'prometheus:token').problems).toMatchObject([
    { key: 'prometheus:url', mend: ['pulumi config set --secret prometheus:url'] },
  ]);
});

test('which parts are secrets', () => {
  expect(Object.entries(storeKeys).filter(([, key]) => 'secret' in key && key.secret).map(([name]) => name)).toEqual(['prometheus', 'loki'].flatMap((store) => secrets.map((part) => `${store}:${part}`)));
});
