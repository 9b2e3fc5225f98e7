import { loginKeys } from '../../settings/login';
import { report, type Problem } from '../../settings/problem';
import { readSettings } from '../../settings/settings';

const read = (config: Record<string, string>): ReturnType<typeof readSettings> => readSettings(config, 'llm-observability', (key) => /Secret|:secret|Password/.test(key));
const problems = (config: Record<string, string>): Problem[] => read(config).problems;

const on = { 'phoenix:auth': 'true' };
const oidc = {
  'phoenix:oidcClientId': 'phoenix',
  'phoenix:oidcClientSecret': 's3cret',
  'phoenix:oidcConfigUrl': 'https://login.example.com/.well-known/openid-configuration',
};
const ldap = {
  'phoenix:ldapHost': 'ldap.example.com',
  'phoenix:ldapUserSearchBaseDns': '["ou=users,dc=example,dc=com"]',
  'phoenix:ldapGroupRoleMappings': '[{"group_dn":"*","role":"VIEWER"}]',
};
const smtp = {
  'phoenix:smtpHostname': 'smtp.example.com',
  'phoenix:smtpUsername': 'phoenix',
  'phoenix:smtpPassword': 's3cret',
  'phoenix:smtpMailFrom': 'phoenix@example.com',
};

test('every setting of login, set', () => {
  const config = {
    ...on, ...oidc, ...ldap, ...smtp,
    'phoenix:rootUrl': 'https://phoenix.example.com',
    'phoenix:trustedProxies': '172.16.0.0/12',
    'phoenix:secret': 'a1'.repeat(16),
    'phoenix:adminSecret': 'b1'.repeat(16),
    'phoenix:adminPassword': 'first',
    'phoenix:apiKeys': 'reader,ci',
    'phoenix:basicAuth': 'false',
    'phoenix:admins': 'Ada=ada@example.com',
    'phoenix:oidcName': 'okta',
    'phoenix:oidcDisplayName': 'Okta',
    'phoenix:oidcAllowSignUp': 'false',
    'phoenix:oidcAutoLogin': 'true',
    'phoenix:oidcScopes': 'groups',
    'phoenix:oidcGroupsAttributePath': 'groups',
    'phoenix:oidcAllowedGroups': 'engineering',
    'phoenix:oidcRoleAttributePath': 'role',
    'phoenix:oidcRoleMapping': 'owner:ADMIN',
    'phoenix:ldapPort': '3269',
    'phoenix:ldapTlsMode': 'ldaps',
    'phoenix:ldapBindDn': 'cn=phoenix,dc=example,dc=com',
    'phoenix:ldapBindPassword': 's3cret',
    'phoenix:ldapUserSearchFilter': '(uid=%s)',
    'phoenix:ldapAttrEmail': 'userPrincipalName',
    'phoenix:ldapAllowSignUp': 'false',
    'phoenix:smtpPort': '2525',
  };
  expect(Object.keys(config).sort()).toEqual(Object.keys(loginKeys).sort());
  const { settings, problems } = read(config);
  expect(problems).toEqual([]);
  expect(settings).toMatchObject({
    ...config,
    'phoenix:auth': true,
    'phoenix:rootUrl': new URL('https://phoenix.example.com'),
    'phoenix:trustedProxies': ['172.16.0.0/12'],
    'phoenix:apiKeys': ['reader', 'ci'],
    'phoenix:basicAuth': false,
    'phoenix:oidcConfigUrl': new URL('https://login.example.com/.well-known/openid-configuration'),
    'phoenix:oidcAllowSignUp': false,
    'phoenix:oidcAutoLogin': true,
    'phoenix:ldapPort': 3269,
    'phoenix:ldapUserSearchBaseDns': ['ou=users,dc=example,dc=com'],
    'phoenix:ldapGroupRoleMappings': [{ group_dn: '*', role: 'VIEWER' }],
    'phoenix:ldapAllowSignUp': false,
    'phoenix:smtpPort': 2525,
  });
});

test.each([
  ['nothing', {}],
  ['auth alone', on],
  ['OIDC', { ...on, ...oidc }],
  ['LDAP', { ...on, ...ldap }],
  ['LDAP with a user that searches', { ...on, ...ldap, 'phoenix:ldapBindDn': 'cn=a', 'phoenix:ldapBindPassword': 'p' }],
  ['OIDC without passwords', { ...on, ...oidc, 'phoenix:basicAuth': 'false' }],
  ['LDAP without passwords', { ...on, ...ldap, 'phoenix:basicAuth': 'false' }],
  ['mail', { ...on, ...smtp }],
  ['both secrets', { 'phoenix:secret': 'a1'.repeat(16), 'phoenix:adminSecret': 'a1'.repeat(17) }],
  // Nobody is asked to finish what has no effect yet.
  ['a half of everything while auth is off', { 'phoenix:basicAuth': 'false', 'phoenix:oidcClientId': 'x', 'phoenix:ldapHost': 'x', 'phoenix:smtpHostname': 'x', 'phoenix:admins': 'A=a@b.org' }],
])('%s is right', (_, config: Record<string, string>) => expect(problems(config)).toEqual([]));

test('the two secrets must differ, whether auth is on or off', () => {
  for (const auth of ['true', 'false']) {
    expect(problems({ 'phoenix:auth': auth, 'phoenix:secret': 'a1'.repeat(16), 'phoenix:adminSecret': 'a1'.repeat(16) })).toEqual([
      {
        key: 'phoenix:adminSecret',
        rule: 'it is the same as phoenix:secret, and the two must differ',
        mend: ['pulumi config rm phoenix:adminSecret', 'pulumi config set --secret phoenix:adminSecret'],
      },
    ]);
  }
});

describe('without auth nothing publishes Phoenix', () => {
  const consequence = 'Phoenix beyond this machine, where anyone could then read and delete everything';
  const bind = 'pulumi config set phoenix:bind 127.0.0.1';
  const url = 'pulumi config rm phoenix:rootUrl';

  test.each<[Record<string, string>, string, string[]]>([
    [{ 'phoenix:bind': '0.0.0.0' }, 'phoenix:bind publishes', [bind]],
    [{ 'phoenix:bind': '127.0.0.1,192.0.2.7' }, 'phoenix:bind publishes', [bind]],
    [{ 'phoenix:bind': '172.17.0.1' }, 'phoenix:bind publishes', [bind]],
    [{ 'phoenix:bind': '::' }, 'phoenix:bind publishes', [bind]],
    [{ 'phoenix:rootUrl': 'https://phoenix.example.com' }, 'phoenix:rootUrl publishes', [url]],
    [{ 'phoenix:bind': '0.0.0.0', 'phoenix:rootUrl': 'http://192.0.2.7' }, 'phoenix:bind and phoenix:rootUrl publish', [bind, url]],
  ])('%j', (config, by, commands) => {
    const mend = ['pulumi config set phoenix:auth true', ...commands];
    expect(problems(config)).toEqual([{ key: 'phoenix:auth', value: 'false', rule: `${by} ${consequence}`, mend }]);
    expect(problems({ ...config, ...on })).toEqual([]);
    // The other commands are a way of their own.
    const local = { ...config, ...(commands.includes(bind) ? { 'phoenix:bind': '127.0.0.1' } : {}) };
    expect(problems(commands.includes(url) ? Object.fromEntries(Object.entries(local).filter(([name]) => name !== 'phoenix:rootUrl')) : local)).toEqual([]);
  });

  test.each<Record<string, string>>([
    { 'phoenix:bind': '127.0.0.1,127.0.0.2,::1' },
    { 'phoenix:rootUrl': 'http://localhost:8080' },
    { 'phoenix:rootUrl': 'https://phoenix.localhost' },
    { 'phoenix:rootUrl': 'http://[::1]:8080' },
  ])('%j is this machine', (config) => expect(problems(config)).toEqual([]));

  test('what is wrong by itself says nothing of it', () => {
    expect(problems({ 'phoenix:auth': 'yes', 'phoenix:bind': '0.0.0.0' }).map(({ key }) => key)).toEqual(['phoenix:auth']);
    expect(problems({ 'phoenix:bind': 'all' }).map(({ key }) => key)).toEqual(['phoenix:bind']);
    expect(problems({ 'phoenix:rootUrl': 'phoenix.example.com' }).map(({ key }) => key)).toEqual(['phoenix:rootUrl']);
  });
});

describe('what goes together', () => {
  const without = (config: Record<string, string>, ...names: string[]): Record<string, string> =>
    Object.fromEntries(Object.entries({ ...on, ...config }).filter(([name]) => !names.includes(name)));
  const set = {
    id: 'pulumi config set phoenix:oidcClientId phoenix',
    secret: 'pulumi config set --secret phoenix:oidcClientSecret',
    url: 'pulumi config set phoenix:oidcConfigUrl https://login.example.com/.well-known/openid-configuration',
  };

  test.each<[Record<string, string>, string, string, string[]]>([
    [without(oidc, 'phoenix:oidcClientId'), 'phoenix:oidcClientSecret', 'phoenix:oidcClientId', [set.id]],
    [without(oidc, 'phoenix:oidcClientSecret'), 'phoenix:oidcClientId', 'phoenix:oidcClientSecret', [set.secret]],
    [without(oidc, 'phoenix:oidcClientSecret', 'phoenix:oidcConfigUrl'), 'phoenix:oidcClientId', 'phoenix:oidcClientSecret and phoenix:oidcConfigUrl', [set.secret, set.url]],
    [{ ...on, 'phoenix:oidcScopes': 'x' }, 'phoenix:oidcScopes', 'phoenix:oidcClientId, phoenix:oidcClientSecret and phoenix:oidcConfigUrl', [set.id, set.secret, set.url]],
    [{ ...on, ...oidc, 'phoenix:oidcGroupsAttributePath': 'groups' }, 'phoenix:oidcGroupsAttributePath', 'phoenix:oidcAllowedGroups', ['pulumi config set phoenix:oidcAllowedGroups engineering']],
    [{ ...on, ...oidc, 'phoenix:oidcAllowedGroups': 'a' }, 'phoenix:oidcAllowedGroups', 'phoenix:oidcGroupsAttributePath', ['pulumi config set phoenix:oidcGroupsAttributePath groups']],
    [{ ...on, ...oidc, 'phoenix:oidcRoleMapping': 'a:ADMIN' }, 'phoenix:oidcRoleMapping', 'phoenix:oidcRoleAttributePath', ['pulumi config set phoenix:oidcRoleAttributePath role']],
    [without(ldap, 'phoenix:ldapHost'), 'phoenix:ldapUserSearchBaseDns', 'phoenix:ldapHost', ['pulumi config set phoenix:ldapHost ldap.example.com']],
    [
      { ...on, 'phoenix:ldapHost': 'ldap.example.com' }, 'phoenix:ldapHost', 'phoenix:ldapUserSearchBaseDns and phoenix:ldapGroupRoleMappings',
      [
        `pulumi config set phoenix:ldapUserSearchBaseDns '["ou=users,dc=example,dc=com"]'`,
        `pulumi config set phoenix:ldapGroupRoleMappings '[{"group_dn":"*","role":"VIEWER"}]'`,
      ],
    ],
    [{ ...on, ...ldap, 'phoenix:ldapBindDn': 'cn=a' }, 'phoenix:ldapBindDn', 'phoenix:ldapBindPassword', ['pulumi config set --secret phoenix:ldapBindPassword']],
    [{ ...on, ...ldap, 'phoenix:ldapBindPassword': 'p' }, 'phoenix:ldapBindPassword', 'phoenix:ldapBindDn', ["pulumi config set phoenix:ldapBindDn 'cn=phoenix,dc=example,dc=com'"]],
    [without(smtp, 'phoenix:smtpHostname'), 'phoenix:smtpUsername', 'phoenix:smtpHostname', ['pulumi config set phoenix:smtpHostname smtp.example.com']],
    [
      { ...on, 'phoenix:smtpHostname': 'smtp.example.com' }, 'phoenix:smtpHostname', 'phoenix:smtpUsername, phoenix:smtpPassword and phoenix:smtpMailFrom',
      ['pulumi config set phoenix:smtpUsername phoenix', 'pulumi config set --secret phoenix:smtpPassword', 'pulumi config set phoenix:smtpMailFrom phoenix@example.com'],
    ],
  ])('%j', (config, key, missing, mend) => {
    const found = problems(config);
    expect(found).toEqual([{ key, rule: `it needs ${missing} as well`, mend }]);
    // The commands mend it.
    const mended = mend.map((command) => /^pulumi config set (?:--secret )?(\S+) ?(.*)$/.exec(command)?.slice(1) ?? []);
    expect(problems({ ...config, ...Object.fromEntries(mended.map(([name, value]) => [name, value?.replace(/^'|'$/g, '') || 's3cret'])) })).toEqual([]);
  });

  test('what is set but wrong is not missing', () => {
    expect(problems({ ...on, ...oidc, 'phoenix:oidcConfigUrl': 'login' }).map(({ key }) => key)).toEqual(['phoenix:oidcConfigUrl']);
  });

  test('all at once, in the order of the settings', () => {
    expect(report('dev', problems({ ...on, 'phoenix:oidcClientId': 'x', 'phoenix:ldapBindDn': 'cn=a', 'phoenix:basicAuth': 'false' }))).toBe(
      [
        '3 problems with stack dev; nothing was changed.',
        '  - phoenix:oidcClientId: it needs phoenix:oidcClientSecret and phoenix:oidcConfigUrl as well.',
        `      ${set.secret} --stack dev`,
        `      ${set.url} --stack dev`,
        '  - phoenix:ldapBindDn: it needs phoenix:ldapHost, phoenix:ldapUserSearchBaseDns and phoenix:ldapGroupRoleMappings as well.',
        '      pulumi config set phoenix:ldapHost ldap.example.com --stack dev',
        `      pulumi config set phoenix:ldapUserSearchBaseDns '["ou=users,dc=example,dc=com"]' --stack dev`,
        `      pulumi config set phoenix:ldapGroupRoleMappings '[{"group_dn":"*","role":"VIEWER"}]' --stack dev`,
        '  - phoenix:ldapBindDn: it needs phoenix:ldapBindPassword as well.',
        '      pulumi config set --secret phoenix:ldapBindPassword --stack dev',
      ].join('\n'),
    );
  });
});

test('without passwords there must be another way in', () => {
  expect(problems({ ...on, ...smtp, 'phoenix:admins': 'A=a@b.org', 'phoenix:basicAuth': 'false' })).toEqual([
    {
      key: 'phoenix:basicAuth',
      value: 'false',
      rule: 'login with passwords is off, and neither OIDC nor LDAP is configured',
      mend: ['pulumi config set phoenix:basicAuth true'],
    },
  ]);
});
