import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { loginKeys } from '../../../settings/login';
import { loginEnvironment } from '../../../stack/phoenix-env';
import { readSettings } from '../../../settings/settings';
import { at } from '../../../engine';
import { loginOf, toldOf, type Login } from '../../../ops/support/adopt/login';
import { output } from '../../../provider/container-reach';
import { tempDir } from '../../support/temp';
import { setupOf } from './given';
import { inContainer, keysOf, tokenOf } from './login-of';
import { made } from './sqlite';

jest.mock('../../../provider/container-reach', () => ({ output: jest.fn(), from: jest.fn() }));
beforeEach(() => jest.resetAllMocks());

const secret = 'a1'.repeat(16);
const adminSecret = 'b2'.repeat(17);
const [name, start] = ['old', 'docker inspect old'];
const on = { PHOENIX_ENABLE_AUTH: 'True', PHOENIX_SECRET: secret };
const login = (env: Record<string, string>, config: Record<string, string> = {}, secrets: Record<string, string> = {}, opens = true): Login =>
  loginOf({ env: { ...on, ...env }, opens }, name, start, config, secrets);
const taken = { config: { 'phoenix:auth': 'true' }, secrets: { 'phoenix:secret': secret } };

describe('what is taken over', () => {
  test('no more than that people log in', () => {
    expect(login({})).toEqual({ ...taken, problems: [], notes: [], carried: ['PHOENIX_ENABLE_AUTH', 'PHOENIX_SECRET'] });
  });

  test("its administrators' secrets and what of the page belongs to login", () => {
    const env = {
      PHOENIX_ADMIN_SECRET: adminSecret, PHOENIX_DEFAULT_ADMIN_INITIAL_PASSWORD: 'first-password', PHOENIX_ADMINS: 'Ada=ada@example.com', PHOENIX_DISABLE_BASIC_AUTH: 'FALSE',
      PHOENIX_ROOT_URL: 'https://phoenix.example.com/path', PHOENIX_HOST_ROOT_PATH: '/path', PHOENIX_USE_SECURE_COOKIES: 'True', PHOENIX_CSRF_TRUSTED_ORIGINS: 'https://other.example.com',
    };
    const { carried, ...rest } = login(env);
    expect(rest).toEqual({
      config: { ...taken.config, 'phoenix:admins': 'Ada=ada@example.com', 'phoenix:rootUrl': 'https://phoenix.example.com/path' },
      secrets: { ...taken.secrets, 'phoenix:adminSecret': adminSecret, 'phoenix:adminPassword': 'first-password' },
      problems: [], notes: [],
    });
    // What only looks alike is left for the plan to name.
    expect(Object.keys(env).filter((variable) => !carried.includes(variable))).toEqual(['PHOENIX_CSRF_TRUSTED_ORIGINS']);
  });

  /** A value of each setting that is not its default, in all three ways to log in and to send mail. */
  const everything = {
    'phoenix:auth': 'true', 'phoenix:rootUrl': 'https://phoenix.example.com', 'phoenix:secret': secret, 'phoenix:adminSecret': adminSecret, 'phoenix:adminPassword': 'first-password',
    'phoenix:basicAuth': 'false', 'phoenix:admins': 'Ada=ada@example.com', 'phoenix:oidcName': 'google', 'phoenix:oidcClientId': 'id', 'phoenix:oidcClientSecret': 'of the provider',
    'phoenix:oidcConfigUrl': 'https://login.example.com/.well-known/openid-configuration', 'phoenix:oidcDisplayName': 'Example', 'phoenix:oidcAllowSignUp': 'false', 'phoenix:oidcAutoLogin': 'true',
    'phoenix:oidcScopes': 'groups', 'phoenix:oidcGroupsAttributePath': 'groups', 'phoenix:oidcAllowedGroups': 'engineering', 'phoenix:oidcRoleAttributePath': 'role', 'phoenix:oidcRoleMapping': 'owner:ADMIN',
    'phoenix:ldapHost': 'ldap.example.com', 'phoenix:ldapPort': '1636', 'phoenix:ldapTlsMode': 'ldaps', 'phoenix:ldapBindDn': 'cn=phoenix,dc=example,dc=com', 'phoenix:ldapBindPassword': 'of the directory',
    'phoenix:ldapUserSearchBaseDns': '["ou=users,dc=example,dc=com"]', 'phoenix:ldapUserSearchFilter': '(uid=%s)', 'phoenix:ldapAttrEmail': 'email',
    'phoenix:ldapGroupRoleMappings': '[{"group_dn":"*","role":"VIEWER"}]', 'phoenix:ldapAllowSignUp': 'false',
    'phoenix:smtpHostname': 'smtp.example.com', 'phoenix:smtpPort': '2525', 'phoenix:smtpUsername': 'phoenix', 'phoenix:smtpPassword': 'of the mail server', 'phoenix:smtpMailFrom': 'phoenix@example.com',
  };

  test('every setting of login for which Phoenix has a variable', () => {
    expect(Object.keys(loginKeys).filter((key) => !(key in everything))).toEqual(['phoenix:trustedProxies', 'phoenix:apiKeys']);
    const { env, secrets } = loginEnvironment(readSettings(everything, 'llm-observability').settings);
    const own = { PHOENIX_ADMIN_SECRET: adminSecret, PHOENIX_DEFAULT_ADMIN_INITIAL_PASSWORD: 'first-password' };
    const { config, secrets: secretly, problems, notes, carried } = login({ ...env, ...secrets, ...own });
    expect({ problems, notes }).toEqual({ problems: [], notes: [] });
    expect({ ...config, ...secretly }).toEqual(everything);
    expect(Object.keys(secretly).sort()).toEqual(Object.entries(loginKeys).filter(([, key]) => 'secret' in key).map(([key]) => key).sort());
    expect(Object.keys({ ...env, ...secrets, ...own }).filter((variable) => !carried.includes(variable))).toEqual([]);
  });

  test('what is as it is by default needs no setting; what is empty is none', () => {
    expect(login({ PHOENIX_SMTP_PORT: '587', PHOENIX_LDAP_TLS_MODE: 'starttls', PHOENIX_DISABLE_BASIC_AUTH: 'False', PHOENIX_ADMINS: '' }))
      .toEqual({ ...taken, problems: [], notes: [], carried: expect.arrayContaining(['PHOENIX_SMTP_PORT', 'PHOENIX_LDAP_TLS_MODE', 'PHOENIX_DISABLE_BASIC_AUTH']) });
  });
});

describe('what is not', () => {
  test.each<[string, Record<string, string>, string]>([
    ['a provider without a secret, for which there is no setting', { PHOENIX_OAUTH2_OKTA_CLIENT_ID: 'id', PHOENIX_OAUTH2_OKTA_OIDC_CONFIG_URL: 'https://okta.example.com/x', PHOENIX_OAUTH2_OKTA_USE_PKCE: 'true' },
      'What old has for OIDC is not taken over: PHOENIX_OAUTH2_OKTA_CLIENT_ID: it needs phoenix:oidcClientSecret as well.'],
    ['a directory in the container itself', { PHOENIX_LDAP_HOST: 'localhost', PHOENIX_LDAP_USER_SEARCH_BASE_DNS: '["ou=users"]', PHOENIX_LDAP_GROUP_ROLE_MAPPINGS: '[{"group_dn":"*","role":"VIEWER"}]', PHOENIX_LDAP_BIND_PASSWORD: 'x' },
      "What old has for LDAP is not taken over: PHOENIX_LDAP_HOST: inside Phoenix's container that is the container itself; PHOENIX_LDAP_BIND_PASSWORD: it needs phoenix:ldapBindDn as well."],
    ['mail that nobody sends', { PHOENIX_SMTP_HOSTNAME: 'smtp.example.com' }, 'What old has for mail is not taken over: PHOENIX_SMTP_HOSTNAME: it needs phoenix:smtpUsername, phoenix:smtpPassword and phoenix:smtpMailFrom as well.'],
    ['a first password that everybody knows', { PHOENIX_DEFAULT_ADMIN_INITIAL_PASSWORD: 'admin' }, 'PHOENIX_DEFAULT_ADMIN_INITIAL_PASSWORD is not taken over: everyone knows it from the documentation of Phoenix.'],
    ['an admin secret that is the other one', { PHOENIX_ADMIN_SECRET: secret }, 'PHOENIX_ADMIN_SECRET is not taken over: it is the same as phoenix:secret, and the two must differ.'],
  ])('%s: it is named, with the rule, and the rest goes on', (_, env, note) => {
    expect(login(env)).toMatchObject({ ...taken, problems: [], notes: [note] });
  });

  test('another provider than the first: it is left for the plan to name', () => {
    const provider = (of: string): Record<string, string> => ({ [`PHOENIX_OAUTH2_${of}_CLIENT_ID`]: of, [`PHOENIX_OAUTH2_${of}_CLIENT_SECRET`]: 's', [`PHOENIX_OAUTH2_${of}_OIDC_CONFIG_URL`]: 'https://login.example.com/x' });
    const { config, carried } = login({ ...provider('OKTA'), ...provider('GOOGLE') });
    expect(config).toMatchObject({ 'phoenix:oidcName': 'google', 'phoenix:oidcClientId': 'GOOGLE' });
    expect(carried.filter((variable) => variable.includes('OKTA'))).toEqual([]);
  });

  test('what somebody has set for the stack: nothing of it is mixed with what the old one has', () => {
    const env = { PHOENIX_SMTP_HOSTNAME: 'smtp.example.com', PHOENIX_SMTP_USERNAME: 'u', PHOENIX_SMTP_PASSWORD: 'p', PHOENIX_SMTP_MAIL_FROM: 'a@example.com', PHOENIX_ADMIN_SECRET: adminSecret };
    const { config, secrets, notes } = login(env, { 'phoenix:smtpHostname': 'other.example.com' }, { 'phoenix:adminSecret': 'c3'.repeat(16) });
    expect({ config, secrets }).toEqual(taken);
    expect(notes).toEqual(['The stack has different values than old, and keeps them: phoenix:adminSecret, phoenix:smtpHostname, phoenix:smtpUsername, phoenix:smtpPassword, phoenix:smtpMailFrom.']);
  });

  test('what an earlier run has set before it was killed: the rest of it follows', () => {
    const env = { PHOENIX_SMTP_HOSTNAME: 'smtp.example.com', PHOENIX_SMTP_USERNAME: 'u', PHOENIX_SMTP_PASSWORD: 'p', PHOENIX_SMTP_MAIL_FROM: 'a@example.com' };
    const plain = { 'phoenix:auth': 'true', 'phoenix:smtpHostname': 'smtp.example.com', 'phoenix:smtpUsername': 'u', 'phoenix:smtpMailFrom': 'a@example.com' };
    expect(login(env, plain)).toMatchObject({ config: {}, secrets: { 'phoenix:secret': secret, 'phoenix:smtpPassword': 'p' }, problems: [], notes: [] });
  });

  test('what an earlier run has set already', () => {
    expect(login({ PHOENIX_ADMIN_SECRET: adminSecret }, { 'phoenix:auth': 'true' }, { 'phoenix:secret': secret, 'phoenix:adminSecret': adminSecret })).toMatchObject({ config: {}, secrets: {}, problems: [], notes: [] });
  });
});

describe('refused', () => {
  const key = 'PHOENIX_SECRET of old';

  test.each<[string, Parameters<typeof login>, object]>([
    ['a secret that is too short', [{ PHOENIX_SECRET: 'S3cret' }], { key, rule: 'it has 6 characters and needs at least 32', mend: [`${start}   # with a different secret, which makes all of its API keys invalid`] }],
    ['one with which no key is signed', [{}, {}, {}, false], { key, rule: 'none of its API keys is signed with it, so all of them would be invalid', mend: [`${start}   # so that it uses the secret that its environment has`] }],
    ['none', [{ PHOENIX_SECRET: '' }], { key, rule: 'people log in, and its environment does not have the secret that signs API keys', mend: [`${start}   # with PHOENIX_SECRET in its environment`] }],
    ['the stack is without login', [{}, { 'phoenix:auth': 'false' }], { key: 'phoenix:auth', value: 'false', rule: 'people log in at old, and without login anyone who reaches Phoenix may do everything', mend: ['pulumi config set phoenix:auth true'] }],
    ['the stack has another secret', [{}, {}, { 'phoenix:secret': 'c3'.repeat(16) }], { key: 'phoenix:secret', rule: 'it is not PHOENIX_SECRET of old, and all of its API keys would be invalid', mend: ['pulumi config rm phoenix:secret'] }],
  ])('%s', (_, args, problem) => {
    const { problems } = login(...args);
    expect(problems).toEqual([problem]);
    expect(JSON.stringify(problems)).not.toMatch(/S3cret|a1a1|c3c3/);
  });
});

describe('login.py', () => {
  /** What it tells of a Phoenix that takes these tokens. */
  async function told(keys: string, env: Record<string, string>, takes: readonly string[], otherwise = 401): Promise<unknown> {
    const folder = tempDir();
    made(folder, { before: 1 }, keys);
    const server = http.createServer((request, response) => response.writeHead(takes.includes(request.headers.authorization ?? '') ? 200 : otherwise).end());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const port = (server.address() as AddressInfo).port;
    jest.mocked(output).mockImplementation(async (_engine, _container, [python = '', option = '', script = '', told = '', file = '']) => {
      expect([python, option, told, file]).toEqual(['python3', '-c', String(port), '/phoenix_storage/phoenix.db']);
      const child = spawn(python, [option, inContainer(script, env), told, path.join(folder, 'phoenix.db')], { stdio: ['ignore', 'pipe', 'inherit'] });
      let said = '';
      child.stdout.on('data', (chunk) => (said += String(chunk)));
      expect(await once(child, 'close')).toEqual([0, null]);
      return said;
    });
    return toldOf(at('unix:///docker.sock'), setupOf({ phoenix: { env: { PHOENIX_WORKING_DIR: '/phoenix_storage', PHOENIX_PORT: String(port) } } })).finally(() => server.close());
  }
  const env = { PHOENIX_ENABLE_AUTH: ' True ', PHOENIX_SECRET: secret, OTHER: 'x', PHOENIX_ADMINS: 'A=B=a@example.com' };
  const seen = { PHOENIX_ENABLE_AUTH: 'True', PHOENIX_SECRET: secret, PHOENIX_ADMINS: 'A=B=a@example.com' };
  const one = keysOf([[3, 'MEMBER']]);

  test.each<[string, string, readonly string[], number, boolean]>([
    ['a key that opens it', one, [`Bearer ${tokenOf(secret, 3)}`], 401, true],
    ['a key of another secret', one, [`Bearer ${tokenOf('another', 3)}`], 401, false],
    ['a key that may nothing', one, [], 403, false],
    ['a version without that page', one, [], 404, true],
    ['nobody has one', keysOf([]), [], 401, true],
  ])('%s', async (_, keys, takes, otherwise, opens) => {
    expect(await told(keys, env, takes, otherwise)).toEqual({ env: seen, opens });
  });
});
