import { destinationProblems, destinations, destinationsOf } from '../../settings/destinations';
import { readSettings } from '../../settings/settings';
import { brokenRule } from '../support/broken-rule';
import { rows } from '../support/rows';

const broken = (raw: string): ReturnType<typeof brokenRule> => brokenRule(destinations, raw);

const read = (config: Readonly<Record<string, string>>): ReturnType<typeof readSettings> => readSettings(config, 'llm-observability', (key) => /Secret|Password/.test(key));
const secrets = { 'phoenix:oidcClientId': 'phoenix', 'phoenix:oidcClientSecret': 'not-a-secret' };
const ldap = { 'phoenix:ldapUserSearchBaseDns': '["ou=users,dc=example,dc=com"]', 'phoenix:ldapGroupRoleMappings': '[{"group_dn":"*","role":"VIEWER"}]' };
const smtp = { 'phoenix:smtpUsername': 'phoenix', 'phoenix:smtpPassword': 'not-a-secret', 'phoenix:smtpMailFrom': 'phoenix@example.com' };

describe('phoenix:egress', () => {
  rows([
    ['api.openai.com', [['api.openai.com', 443]]],
    ['api.openai.com:443', [['api.openai.com', 443]]],
    ['api.openai.com, ollama.lan:11434', [['api.openai.com', 443], ['ollama.lan', 11434]]],
    ['ollama', [['ollama', 443]]],
    ['host.docker.internal:11434', [['host.docker.internal', 11434]]],
    ['a.example.com:8443,a.example.com', [['a.example.com', 8443], ['a.example.com', 443]]],
  ])('%s', (raw, expected) => expect(destinations(raw).map(({ host, port }) => [host, port])).toEqual(expected));

  rows(['*', '*.openai.com', 'any', 'all', 'everything', 'ALL', 'internet', '0.0.0.0/0', '0.0.0.0', '::/0', '::', 'true', 'api.openai.com,*'])('%s is everything, and no destination', (raw) => {
    expect(broken(raw)).toEqual({ rule: 'a destination is one server, not a pattern and not everything: name each server that Phoenix has to reach, such as api.openai.com', meant: undefined });
  });

  rows([
    ['https://api.openai.com/v1', 'api.openai.com'],
    ['https://api.openai.com', 'api.openai.com'],
    ['https://api.openai.com:443/', 'api.openai.com'],
    ['http://ollama.lan:11434/v1', 'ollama.lan:11434'],
    ['http://ollama.lan', 'ollama.lan:80'],
    ['API.OpenAI.com', 'api.openai.com'],
    ['api.openai.com.', 'api.openai.com'],
    ['api.openai.com/v1,https://b.example.com', 'api.openai.com,b.example.com'],
  ])('%s means %s', (raw, meant) => {
    expect(broken(raw).meant).toBe(meant);
    expect(destinations(meant)).not.toHaveLength(0);
  });

  rows(['', ',', 'a.example.com,,b.example.com', '10.0.0.5', '10.0.0.5:443', '[2001:db8::1]:443', '10.0.0.0/8', 'a b', 'under_score.example.com', '-a.example.com', `${'a'.repeat(64)}.example.com`, 'a"; }', '$host'])('%j is no list of servers', (raw) => {
    expect(broken(raw).rule).toMatch(/^not every part is a server such as/);
  });

  rows(['default', 'hostnames', 'include', 'volatile'])('%s is a word of nginx', (raw) => expect(broken(raw).rule).toMatch(/^not every part is a server/));

  rows(['localhost:11434', 'localhost'])('%s is the container itself', (raw) => {
    expect(broken(raw)).toEqual({ rule: "inside Phoenix's container that is the container itself; the Docker host is host.docker.internal", meant: raw.replace('localhost', 'host.docker.internal') });
  });

  rows(['a.example.com:0', 'a.example.com:65536', 'a.example.com:https', 'a.example.com:', 'a.example.com:00443x'])('%s has no port', (raw) =>
    expect(broken(`b.example.com,${raw}`).rule).toBe(`the port of ${raw} is not valid: it is a whole number from 1 to 65535; the default is 443`));

  rows([
    ['a.example.com,a.example.com:443', 'a.example.com', 'a.example.com'],
    ['b.example.com:8443,a.example.com,b.example.com:8443', 'b.example.com:8443', 'b.example.com:8443,a.example.com'],
  ])('%s: %s is there twice', (raw, twice, meant) => expect(broken(raw)).toEqual({ rule: `${twice} is listed twice; the default port is 443`, meant }));

  test('a name as people read it', () => expect(broken('bücher.example:8443').meant).toBe('xn--bcher-kva.example:8443'));
});

describe('what Phoenix may connect to', () => {
  const of = (config: Readonly<Record<string, string>>): string[] => destinationsOf(read(config).settings).map(({ host, port }) => `${host}:${port}`);

  test('nothing, by default', () => expect(of({ 'phoenix:auth': 'true' })).toEqual([]));

  test('with auth, the servers of its login and mail', () => {
    const config = {
      ...secrets, ...ldap, ...smtp,
      'phoenix:oidcConfigUrl': 'https://login.example.com/.well-known/openid-configuration',
      'phoenix:ldapHost': 'LDAP.example.com',
      'phoenix:smtpHostname': 'smtp.example.com',
      'phoenix:egress': 'api.openai.com,login.example.com',
    };
    expect(of({ ...config, 'phoenix:auth': 'true' })).toEqual(['ldap.example.com:389', 'api.openai.com:443', 'login.example.com:443', 'smtp.example.com:587']);
    // Without auth Phoenix is told of none of them.
    expect(of(config)).toEqual(['api.openai.com:443', 'login.example.com:443']);
  });

  rows([
    [{ 'phoenix:ldapTlsMode': 'ldaps' }, 'ldap.example.com:636'],
    [{ 'phoenix:ldapTlsMode': 'none' }, 'ldap.example.com:389'],
    [{ 'phoenix:ldapPort': '3389' }, 'ldap.example.com:3389'],
    [{ 'phoenix:ldapHost': 'dc2.example.com' }, 'dc2.example.com:389'],
  ])('LDAP with %j', (changes, expected) => {
    expect(of({ ...ldap, 'phoenix:auth': 'true', 'phoenix:ldapHost': 'ldap.example.com', ...changes })).toEqual([expected]);
  });

  test('LDAP servers in their order, in which they are asked', () => {
    expect(of({ ...ldap, 'phoenix:auth': 'true', 'phoenix:ldapHost': 'dc2.example.com,dc1.example.com' })).toEqual(['dc2.example.com:389', 'dc1.example.com:389']);
  });

  rows([
    ['https://accounts.google.com/.well-known/openid-configuration', ['accounts.google.com:443', 'oauth2.googleapis.com:443', 'openidconnect.googleapis.com:443', 'www.googleapis.com:443']],
    ['https://login.microsoftonline.com/tenant/v2.0/.well-known/openid-configuration', ['login.microsoftonline.com:443', 'graph.microsoft.com:443']],
    ['https://login.lan:8443/.well-known/openid-configuration', ['login.lan:8443']],
    ['http://localhost:9000/.well-known/openid-configuration', []],
    ['https://accounts.google.com./.well-known/openid-configuration', ['accounts.google.com:443', 'oauth2.googleapis.com:443', 'openidconnect.googleapis.com:443', 'www.googleapis.com:443']],
  ])('OIDC at %s', (url, expected) => expect(of({ ...secrets, 'phoenix:auth': 'true', 'phoenix:oidcConfigUrl': url })).toEqual(expected));
});

describe('what cannot be carried is refused', () => {
  const refused = (config: Readonly<Record<string, string>>): [string, string | undefined, string][] =>
    read({ 'phoenix:auth': 'true', ...config }).problems.map(({ key, value, rule }) => [key, value, rule]);

  test('several servers on one port that nothing tells apart', () => {
    expect(refused({ ...ldap, 'phoenix:ldapHost': 'a.example.com,b.example.com', 'phoenix:egress': 'c.example.com:389,d.example.com:390' })).toEqual([
      ['phoenix:ldapHost', 'a.example.com', 'c.example.com (phoenix:egress) has the same port 389, and what Phoenix sends there does not say which of the two it is for: reach one of them by a different port'],
    ]);
    expect(refused({ ...smtp, 'phoenix:smtpHostname': 'smtp.example.com', 'phoenix:egress': 'other.example.com:587' })).toEqual([
      ['phoenix:smtpHostname', 'smtp.example.com', expect.stringMatching(/^other\.example\.com \(phoenix:egress\) has the same port 587/)],
    ]);
    // TLS with SNI does. LDAP servers are asked in turn.
    expect(refused({ 'phoenix:egress': 'a.example.com,b.example.com', ...ldap, 'phoenix:ldapHost': 'a.example.com,b.example.com' })).toEqual([]);
  });

  test('ports of the gate', () => {
    expect(refused({ 'phoenix:egress': 'a.example.com:6006,b.example.com:4318' })).toEqual([
      ['phoenix:egress', 'a.example.com:6006', '6006 is a port of the gate, which carries what Phoenix sends: reach the server by a different port'],
      ['phoenix:egress', 'b.example.com:4318', '4318 is a port of the gate, which carries what Phoenix sends: reach the server by a different port'],
    ]);
    expect(read({ 'phoenix:auth': 'true', ...smtp, 'phoenix:smtpHostname': 'smtp.example.com', 'phoenix:smtpPort': '14318' }).problems).toMatchObject([{ key: 'phoenix:smtpHostname', mend: ['pulumi config set phoenix:smtpPort PORT'] }]);
  });

  rows([
    [{ ...ldap, 'phoenix:ldapHost': '10.0.0.5' }, 'phoenix:ldapHost'],
    [{ ...smtp, 'phoenix:smtpHostname': '10.0.0.5' }, 'phoenix:smtpHostname'],
    [{ ...secrets, 'phoenix:oidcConfigUrl': 'https://10.0.0.5/.well-known/openid-configuration' }, 'phoenix:oidcConfigUrl'],
    [{ ...secrets, 'phoenix:oidcConfigUrl': 'https://[2001:db8::5]/.well-known/openid-configuration' }, 'phoenix:oidcConfigUrl'],
  ])('addresses: %j', (config, key) => {
    expect(refused(config)).toEqual([[key, expect.anything(), 'Phoenix reaches servers by name alone; give this one a name in the DNS of the Docker host']]);
    // Not yet used.
    expect(read(config).problems).toEqual([]);
  });

  rows(['phoenix', 'phoenix-server', 'phoenix-gate', 'phoenix-journal', 'phoenix-egress', 'alloy', 'alloy-dev', 'phoenix-dev-gate', 'journal-prod', 'tunnel-1'])('names of the stack itself: %s', (name) => {
    const rule = 'the containers of the stack have such names, and Phoenix reaches none of them but the gate and the journal';
    expect(refused({ 'phoenix:egress': `${name}:8443` })).toEqual([['phoenix:egress', `${name}:8443`, rule]]);
    expect(refused({ ...smtp, 'phoenix:smtpHostname': name })).toEqual([['phoenix:smtpHostname', name, rule]]);
    expect(refused({ ...ldap, 'phoenix:ldapHost': name })).toEqual([['phoenix:ldapHost', name, rule]]);
    expect(refused({ ...secrets, 'phoenix:oidcConfigUrl': `https://${name}/.well-known/openid-configuration` })).toEqual([['phoenix:oidcConfigUrl', name, rule]]);
  });

  rows(['phoenix.example.com', 'phoenixville', 'alloy.lan', 'tunnel.example.com'])('a name that only begins so: %s', (name) => {
    expect(refused({ 'phoenix:egress': name })).toEqual([]);
  });

  rows(['a;b$c.example', 'a"b.example', 'a}b.example'])('a host of OIDC that nginx would read as more than a name: %s', (host) => {
    expect(refused({ ...secrets, 'phoenix:oidcConfigUrl': `https://${host}/.well-known/openid-configuration` }).map(([key]) => key)).toEqual(['phoenix:oidcConfigUrl']);
  });

  test('nothing is said of a setting with a problem of its own', () => {
    const { settings } = read({ 'phoenix:auth': 'true', ...ldap, 'phoenix:ldapHost': '10.0.0.5' });
    expect(destinationProblems(settings, new Set(['phoenix:ldapHost']))).toEqual([]);
  });
});
