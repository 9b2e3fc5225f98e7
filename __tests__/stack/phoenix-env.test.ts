import { loginEnvironment, type LoginEnvironment } from '../../stack/phoenix-env';
import { readSettings } from '../../settings/settings';

function environment(config: Record<string, string>): LoginEnvironment {
  const { settings, problems } = readSettings({ 'phoenix:auth': 'true', ...config }, 'llm-observability', () => true);
  expect(problems).toEqual([]);
  return loginEnvironment(settings);
}

const oidc = {
  'phoenix:oidcClientId': 'phoenix',
  'phoenix:oidcClientSecret': 'client-s3cret',
  'phoenix:oidcConfigUrl': 'https://login.example.com/.well-known/openid-configuration',
};
const ldap = {
  'phoenix:ldapHost': 'dc1.example.com, dc2.example.com',
  'phoenix:ldapUserSearchBaseDns': '[ "ou=users,dc=example,dc=com" ]',
  'phoenix:ldapGroupRoleMappings': '[ { "group_dn": "*", "role": "viewer" } ]',
};
const smtp = {
  'phoenix:smtpHostname': 'smtp.example.com',
  'phoenix:smtpUsername': 'phoenix',
  'phoenix:smtpPassword': 'mail-s3cret',
  'phoenix:smtpMailFrom': 'Phoenix <phoenix@example.com>',
};

test('auth alone needs nothing', () => {
  expect(environment({})).toEqual({ env: {}, secrets: {} });
});

test('without auth only where the page is', () => {
  const everything = { ...oidc, ...ldap, ...smtp, 'phoenix:admins': 'A=a@example.com', 'phoenix:basicAuth': 'false', 'phoenix:trustedProxies': '::1' };
  const off = { ...everything, 'phoenix:auth': 'false' };
  expect(environment(off)).toEqual({ env: {}, secrets: {} });
  expect(environment({ ...off, 'phoenix:rootUrl': 'https://localhost/phoenix/' })).toEqual({
    env: { PHOENIX_ROOT_URL: 'https://localhost/phoenix', PHOENIX_HOST_ROOT_PATH: '/phoenix' },
    secrets: {},
  });
});

describe('where people reach Phoenix', () => {
  test.each<[string, Record<string, string>, Record<string, string>]>([
    ['over TLS', { 'phoenix:rootUrl': 'https://phoenix.example.com/' }, {
      PHOENIX_ROOT_URL: 'https://phoenix.example.com',
      PHOENIX_USE_SECURE_COOKIES: 'true',
      PHOENIX_CSRF_TRUSTED_ORIGINS: 'https://phoenix.example.com,http://localhost:6006,http://127.0.0.1:6006',
    }],
    ['without', { 'phoenix:rootUrl': 'http://phoenix.example.com:8080', 'phoenix:uiPort': '7006' }, {
      PHOENIX_ROOT_URL: 'http://phoenix.example.com:8080',
      PHOENIX_CSRF_TRUSTED_ORIGINS: 'http://phoenix.example.com:8080,http://localhost:7006,http://127.0.0.1:7006',
    }],
    ['below a path', { 'phoenix:rootUrl': 'https://example.com/tools/phoenix' }, {
      PHOENIX_ROOT_URL: 'https://example.com/tools/phoenix',
      PHOENIX_HOST_ROOT_PATH: '/tools/phoenix',
      PHOENIX_USE_SECURE_COOKIES: 'true',
      PHOENIX_CSRF_TRUSTED_ORIGINS: 'https://example.com,http://localhost:6006,http://127.0.0.1:6006',
    }],
    ['on this machine', { 'phoenix:rootUrl': 'http://localhost:6006' }, {
      PHOENIX_ROOT_URL: 'http://localhost:6006',
      PHOENIX_CSRF_TRUSTED_ORIGINS: 'http://localhost:6006,http://127.0.0.1:6006',
    }],
    ['at chosen addresses, too', { 'phoenix:rootUrl': 'http://phoenix.example.com', 'phoenix:bind': '127.0.0.1,::1,192.0.2.7,2001:db8::7' }, {
      PHOENIX_ROOT_URL: 'http://phoenix.example.com',
      PHOENIX_CSRF_TRUSTED_ORIGINS: 'http://phoenix.example.com,http://localhost:6006,http://127.0.0.1:6006,http://192.0.2.7:6006,http://[2001:db8::7]:6006',
    }],
    // By which of its names a host is reached then, nobody knows.
    ['at every address', { 'phoenix:rootUrl': 'http://phoenix.example.com', 'phoenix:bind': '0.0.0.0,::' }, {
      PHOENIX_ROOT_URL: 'http://phoenix.example.com',
      PHOENIX_CSRF_TRUSTED_ORIGINS: 'http://phoenix.example.com,http://localhost:6006,http://127.0.0.1:6006',
    }],
    ['at every address and no URL', { 'phoenix:bind': '0.0.0.0' }, {}],
    ['through proxies, whom the gate believes', { 'phoenix:trustedProxies': '172.16.0.0/12, ::1' }, {}],
  ])('%s', (_, config, env) => expect(environment(config)).toEqual({ env, secrets: {} }));
});

test('people', () => {
  expect(environment({ 'phoenix:admins': 'Ada = Ada@Example.com; Bob=bob@example.com' }).env).toEqual({ PHOENIX_ADMINS: 'Ada=ada@example.com;Bob=bob@example.com' });
  expect(environment({ ...ldap, 'phoenix:basicAuth': 'false' }).env).toMatchObject({ PHOENIX_DISABLE_BASIC_AUTH: 'true' });
  expect(environment({ 'phoenix:basicAuth': 'true' }).env).toEqual({});
});

test('OIDC, with what it needs', () => {
  expect(environment(oidc)).toEqual({
    env: {
      PHOENIX_OAUTH2_OIDC_CLIENT_ID: 'phoenix',
      PHOENIX_OAUTH2_OIDC_OIDC_CONFIG_URL: 'https://login.example.com/.well-known/openid-configuration',
      PHOENIX_OAUTH2_OIDC_ALLOW_SIGN_UP: 'true',
      PHOENIX_OAUTH2_OIDC_AUTO_LOGIN: 'false',
    },
    secrets: { PHOENIX_OAUTH2_OIDC_CLIENT_SECRET: 'client-s3cret' },
  });
});

test('OIDC, with everything', () => {
  expect(
    environment({
      ...oidc,
      'phoenix:oidcName': 'okta_1',
      'phoenix:oidcDisplayName': 'Okta',
      'phoenix:oidcAllowSignUp': 'false',
      'phoenix:oidcAutoLogin': 'true',
      'phoenix:oidcScopes': 'groups offline_access',
      'phoenix:oidcGroupsAttributePath': '"cognito:groups"',
      'phoenix:oidcAllowedGroups': 'engineering, ops',
      'phoenix:oidcRoleAttributePath': 'role',
      'phoenix:oidcRoleMapping': 'owner:ADMIN, developer:MEMBER',
    }),
  ).toEqual({
    env: {
      PHOENIX_OAUTH2_OKTA_1_CLIENT_ID: 'phoenix',
      PHOENIX_OAUTH2_OKTA_1_OIDC_CONFIG_URL: 'https://login.example.com/.well-known/openid-configuration',
      PHOENIX_OAUTH2_OKTA_1_DISPLAY_NAME: 'Okta',
      PHOENIX_OAUTH2_OKTA_1_ALLOW_SIGN_UP: 'false',
      PHOENIX_OAUTH2_OKTA_1_AUTO_LOGIN: 'true',
      PHOENIX_OAUTH2_OKTA_1_SCOPES: 'groups offline_access',
      PHOENIX_OAUTH2_OKTA_1_GROUPS_ATTRIBUTE_PATH: '"cognito:groups"',
      PHOENIX_OAUTH2_OKTA_1_ALLOWED_GROUPS: 'engineering,ops',
      PHOENIX_OAUTH2_OKTA_1_ROLE_ATTRIBUTE_PATH: 'role',
      PHOENIX_OAUTH2_OKTA_1_ROLE_MAPPING: 'owner:ADMIN,developer:MEMBER',
    },
    secrets: { PHOENIX_OAUTH2_OKTA_1_CLIENT_SECRET: 'client-s3cret' },
  });
});

test('LDAP, with what it needs: Phoenix takes the port from the mode', () => {
  expect(environment(ldap)).toEqual({
    env: {
      PHOENIX_LDAP_HOST: 'dc1.example.com,dc2.example.com',
      PHOENIX_LDAP_TLS_MODE: 'starttls',
      PHOENIX_LDAP_USER_SEARCH_BASE_DNS: '["ou=users,dc=example,dc=com"]',
      PHOENIX_LDAP_USER_SEARCH_FILTER: '(&(objectClass=user)(sAMAccountName=%s))',
      PHOENIX_LDAP_ATTR_EMAIL: 'mail',
      PHOENIX_LDAP_GROUP_ROLE_MAPPINGS: '[{"group_dn":"*","role":"VIEWER"}]',
      PHOENIX_LDAP_ALLOW_SIGN_UP: 'true',
    },
    secrets: {},
  });
});

test('LDAP, with everything', () => {
  expect(
    environment({
      ...ldap,
      'phoenix:ldapPort': '3269',
      'phoenix:ldapTlsMode': 'ldaps',
      'phoenix:ldapBindDn': 'cn=phoenix,dc=example,dc=com',
      'phoenix:ldapBindPassword': 'bind-s3cret',
      'phoenix:ldapUserSearchFilter': '(uid=%s)',
      'phoenix:ldapAttrEmail': 'userPrincipalName',
      'phoenix:ldapAllowSignUp': 'false',
    }),
  ).toMatchObject({
    env: {
      PHOENIX_LDAP_PORT: '3269',
      PHOENIX_LDAP_TLS_MODE: 'ldaps',
      PHOENIX_LDAP_BIND_DN: 'cn=phoenix,dc=example,dc=com',
      PHOENIX_LDAP_USER_SEARCH_FILTER: '(uid=%s)',
      PHOENIX_LDAP_ATTR_EMAIL: 'userPrincipalName',
      PHOENIX_LDAP_ALLOW_SIGN_UP: 'false',
    },
    secrets: { PHOENIX_LDAP_BIND_PASSWORD: 'bind-s3cret' },
  });
});

test('mail', () => {
  expect(environment({ ...smtp, 'phoenix:smtpPort': '2525' })).toEqual({
    env: {
      PHOENIX_SMTP_HOSTNAME: 'smtp.example.com',
      PHOENIX_SMTP_PORT: '2525',
      PHOENIX_SMTP_USERNAME: 'phoenix',
      PHOENIX_SMTP_MAIL_FROM: 'Phoenix <phoenix@example.com>',
    },
    secrets: { PHOENIX_SMTP_PASSWORD: 'mail-s3cret' },
  });
});

test('no secret stands among the rest', () => {
  const { env, secrets } = environment({ ...oidc, ...ldap, ...smtp, 'phoenix:ldapBindDn': 'cn=a', 'phoenix:ldapBindPassword': 'bind-s3cret' });
  expect(Object.keys(secrets).sort()).toEqual(['PHOENIX_LDAP_BIND_PASSWORD', 'PHOENIX_OAUTH2_OIDC_CLIENT_SECRET', 'PHOENIX_SMTP_PASSWORD']);
  expect(JSON.stringify(env)).not.toContain('s3cret');
});
