import { Account, type DnsRecord, type ServiceToken, type Tunnel } from '../../lab/cloudflare/account';
import type { AccessRule } from '../../lab/cloudflare/admission';
import { Faults } from '../../lab/cloudflare/faults';
import { misfit, ruleFor, type IngressRule } from '../../lab/cloudflare/ingress';

let clock: Date;
let account: Account;
beforeEach(() => {
  clock = new Date('2026-08-14T12:00:00.000Z');
  account = new Account({ zones: ['example.com', 'example.org'], now: () => clock });
});

const ids = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'] as const;

function tunnel(id: string, more: Partial<Tunnel> = {}): Tunnel {
  const made: Tunnel = { id, name: id, configSrc: 'cloudflare', secret: 'c2VjcmV0', created: account.timestamp(), deleted: null, connections: 0, activeSince: null, inactiveSince: null, ...more };
  account.tunnels.set(id, made);
  return made;
}

function record(name: string, content: string, more: Partial<DnsRecord> = {}): void {
  const zoneId = account.zones[0]?.id ?? '';
  account.records.set(name, { id: name, zoneId, type: 'CNAME', name, content, proxied: true, created: account.timestamp(), shown: {}, ...more });
}

function configuration(id: string, ingress: IngressRule[]): void {
  account.configurations.set(id, { version: 1, created: account.timestamp(), config: { ingress } });
}

test('a connector token is good for its own tunnel, its own secret and as long as the tunnel lives', () => {
  const made = tunnel(ids[0]);
  const token = account.connectorToken(made);
  expect(Buffer.from(token, 'base64').toString()).toBe(`{"a":"${account.id}","t":"${ids[0]}","s":"c2VjcmV0"}`);
  expect(account.tunnelOf(token)).toBe(ids[0]);
  const forged = (change: object) => Buffer.from(JSON.stringify({ a: account.id, t: ids[0], s: 'c2VjcmV0', ...change })).toString('base64');
  expect(account.tunnelOf(forged({}))).toBe(ids[0]);
  expect(account.tunnelOf(forged({ s: 'b3RoZXI=' }))).toBeUndefined();
  expect(account.tunnelOf(forged({ a: 'b'.repeat(32) }))).toBeUndefined();
  expect(account.tunnelOf(forged({ t: ids[1] }))).toBeUndefined();
  expect(account.tunnelOf('no token')).toBeUndefined();
  made.deleted = account.timestamp();
  expect(account.tunnelOf(token)).toBeUndefined();
});

test('connections of a tunnel have a beginning and an end', () => {
  const made = tunnel(ids[0]);
  account.connected(ids[0], 4);
  expect(made).toMatchObject({ connections: 4, activeSince: '2026-08-14T12:00:00.000Z', inactiveSince: null });
  clock = new Date('2026-08-14T13:00:00.000Z');
  account.connected(ids[0], 8);
  expect(made.activeSince).toBe('2026-08-14T12:00:00.000Z');
  account.connected(ids[0], 0);
  expect(made).toMatchObject({ connections: 0, activeSince: null, inactiveSince: '2026-08-14T13:00:00.000Z' });
  expect(() => account.connected(ids[1], 1)).toThrow(`the account has no tunnel ${ids[1]}`);
});

test('a hostname leads to the tunnel of its proxied record, and to the service of the first rule that fits', () => {
  tunnel(ids[0]);
  record('a.example.com', `${ids[0]}.cfargotunnel.com`);
  configuration(ids[0], [
    { hostname: 'b.example.com', service: 'http://b:1' },
    { hostname: 'a.example.com', path: '^/v1/', service: 'http://a:1' },
    { hostname: 'a.example.com', service: 'http://a:2' },
    { service: 'http_status:404' },
  ]);
  expect(account.route('a.example.com', '/v1/traces')).toEqual({ tunnelId: ids[0], service: 'http://a:1' });
  expect(account.route('A.Example.com', '/')).toEqual({ tunnelId: ids[0], service: 'http://a:2' });
  record('c.example.com', `${ids[0]}.cfargotunnel.com`);
  expect(account.route('c.example.com', '/')).toEqual({ tunnelId: ids[0], service: 'http_status:404' });
  expect(account.route('d.example.com', '/')).toBeUndefined();
});

test('a record that is not proxied, or no CNAME to a tunnel, leads nowhere', () => {
  record('a.example.com', `${ids[0]}.cfargotunnel.com`, { proxied: false });
  record('b.example.com', '192.0.2.1', { type: 'A' });
  record('c.example.com', 'c.example.net');
  record('d.example.com', `${ids[0]}.cfargotunnel.com`, { type: 'TXT' });
  expect(['a', 'b', 'c', 'd'].map((name) => account.route(`${name}.example.com`, '/'))).toEqual([undefined, undefined, undefined, undefined]);
});

test('a wildcard record answers for names that have none of their own', () => {
  record('*.example.com', `${ids[0]}.cfargotunnel.com`);
  record('*.b.example.com', `${ids[1]}.cfargotunnel.com`);
  expect(account.route('a.example.com', '/')?.tunnelId).toBe(ids[0]);
  expect(account.route('a.b.example.com', '/')?.tunnelId).toBe(ids[1]);
  record('c.example.com', 'elsewhere.example.net');
  expect(account.route('c.example.com', '/')).toBeUndefined();
  expect(account.route('example.com', '/')).toBeUndefined();
});

test('a tunnel without rules answers as its connectors do', () => {
  record('a.example.com', `${ids[0]}.cfargotunnel.com`);
  expect(account.route('a.example.com', '/')).toEqual({ tunnelId: ids[0], service: 'http_status:503' });
});

test.each<[rule: Partial<IngressRule>, hostname: string, path: string, fits: boolean]>([
  [{}, 'x', '/', true],
  [{ hostname: '*' }, 'x', '/', true],
  [{ hostname: '*.example.com' }, 'a.b.example.com', '/', true],
  [{ hostname: '*.example.com' }, 'example.com', '/', false],
  [{ hostname: 'a.example.com' }, 'b.a.example.com', '/', false],
  [{ path: '/api' }, 'x', '/v1/api', true],
  [{ path: '/api' }, 'x', '/%61pi', true],
  [{ path: '/api' }, 'x', '/API', false],
  [{ path: '/api' }, 'x', '/y?z=/api', false],
  [{ path: '^/api$' }, 'x', '/api?y', true],
  [{ path: '%' }, 'x', '/%', true],
])('the rule %j, asked for %s%s: %s', (rule, hostname, path, fits) => {
  expect(ruleFor([{ service: 's', ...rule }], hostname, path) !== undefined).toBe(fits);
});

test.each<[rules: IngressRule[], wrong: string | undefined]>([
  [[], undefined],
  [[{ hostname: 'a', service: 'http://a:1' }, { service: 'http_status:404' }], undefined],
  [[{ hostname: '*', service: 'unix:/run/a.sock' }], undefined],
  [[{ service: 'hello_world' }], undefined],
  [[{ hostname: 'a', service: 'http://a:1' }], 'The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)'],
  [[{ path: '/', service: 'http://a:1' }], 'The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)'],
  [[{ service: 'http://a:1' }, { service: 'http_status:404' }], "Rule #1 is matching the hostname '', but this will match every hostname, meaning the rules which follow it will never be triggered."],
  [[{ path: '(', service: 'http://a:1' }, { service: 'http_status:404' }], 'Rule #1 has an invalid regex'],
  [[{ service: 'localhost:80' }], 'localhost:80 is an invalid address, please make sure it has a scheme and a hostname'],
  [[{ service: 'http://a:1/' }], expect.stringContaining("http://a:1/ is an invalid address, ingress rules don't support proxying to a different path")],
  [[{ service: 'http_status:99' }], expect.stringContaining('between 100 and 999')],
])('what is wrong with %j', (rules, wrong) => {
  expect(misfit(rules)).toEqual(wrong);
});

function token(id: string, more: Partial<ServiceToken> = {}): Record<string, string> {
  account.serviceTokens.set(id, {
    id, clientId: `${id}.access`, name: id, duration: '1h', enabled: true, version: 1, created: account.timestamp(), updated: account.timestamp(), expires: new Date('2026-08-14T13:00:00.000Z'),
    secret: `secret-${id}`, previous: undefined, ...more,
  });
  return { 'cf-access-client-id': `${id}.access`, 'cf-access-client-secret': `secret-${id}` };
}

function policy(id: string, decision: string, include: AccessRule[], more: { exclude?: AccessRule[]; require?: AccessRule[] } = {}): string {
  account.policies.set(id, { id, decision, include, exclude: [], require: [], ...more });
  return id;
}

function application(domain: string, policies: string[], unauthorized = false): void {
  account.applications.set(domain, {
    id: domain, self_hosted_domains: [domain], policies: policies.map((id, i) => ({ id, precedence: i + 1 })), service_auth_401_redirect: unauthorized,
  });
}

const forToken = (id: string): AccessRule => ({ service_token: { token_id: id } });

test('what no application covers passes; what one covers needs its service token', () => {
  const [good, other] = [token('t'), token('u')];
  application('a.example.com', [policy('p', 'non_identity', [forToken('t')])], true);
  expect(account.access('b.example.com', '/', {})).toBe('pass');
  expect(account.access('A.example.com', '/', good)).toBe('pass');
  expect(account.access('a.example.com', '/', {})).toBe('unauthorized');
  expect(account.access('a.example.com', '/', other)).toBe('unauthorized');
  expect(account.access('a.example.com', '/', { ...good, 'cf-access-client-secret': 'secret-u' })).toBe('unauthorized');
  expect(account.access('a.example.com', '/', { 'cf-access-client-id': 't.access' })).toBe('unauthorized');
  expect(account.access('a.example.com', '/', { 'cf-access-client-id': ['t.access'], 'cf-access-client-secret': ['secret-t'] })).toBe('unauthorized');
});

test('a token that is over, off or rotated is none; the former secret is good for a while', () => {
  application('a.example.com', [policy('p', 'non_identity', [{ any_valid_service_token: {} }])]);
  const headers = token('t');
  const go = () => account.access('a.example.com', '/', headers);
  expect(go()).toBe('pass');
  token('t', { enabled: false });
  expect(go()).toBe('login');
  token('t', { secret: 'new' });
  expect(go()).toBe('login');
  token('t', { secret: 'new', previous: { secret: 'secret-t', until: new Date('2026-08-14T12:30:00.000Z') } });
  expect(go()).toBe('pass');
  clock = new Date('2026-08-14T12:30:00.000Z');
  expect(go()).toBe('login');
  token('t');
  expect(go()).toBe('pass');
  clock = new Date('2026-08-14T13:00:00.000Z');
  expect(go()).toBe('login');
});

test.each<[decision: string, include: AccessRule[], more: { exclude?: AccessRule[]; require?: AccessRule[] }, verdict: string]>([
  ['non_identity', [forToken('t')], {}, 'pass'],
  ['non_identity', [{ any_valid_service_token: {} }], {}, 'pass'],
  ['non_identity', [{ any_valid_service_token: {} }], { exclude: [forToken('t')] }, 'login'],
  ['non_identity', [{ any_valid_service_token: {} }], { require: [forToken('u')] }, 'login'],
  ['non_identity', [{ any_valid_service_token: {} }], { require: [forToken('t')] }, 'pass'],
  ['non_identity', [{ email: { email: 'ada@example.com' } }], {}, 'login'],
  // A person has to log in, whatever token comes along.
  ['allow', [forToken('t')], {}, 'login'],
  ['allow', [{ everyone: {} }], {}, 'login'],
  ['deny', [{ everyone: {} }], {}, 'login'],
  ['bypass', [{ everyone: {} }], {}, 'pass'],
])('a policy that says %s for %j %j sends a token to: %s', (decision, include, more, verdict) => {
  application('a.example.com', [policy('p', decision, include, more)]);
  expect(account.access('a.example.com', '/', token('t'))).toBe(verdict);
});

test('one of several policies is enough, and without a token only who is let by all the same passes', () => {
  application('a.example.com', [policy('p', 'allow', [{ everyone: {} }]), policy('q', 'non_identity', [forToken('t')])], true);
  expect(account.access('a.example.com', '/', token('t'))).toBe('pass');
  expect(account.access('a.example.com', '/', {})).toBe('unauthorized');
  application('b.example.com', [policy('r', 'bypass', [{ everyone: {} }])], true);
  expect(account.access('b.example.com', '/', {})).toBe('pass');
});

test.each([
  ['a.example.com', '/', 'a.example.com'],
  ['a.example.com', '/admin', 'a.example.com/admin'],
  ['a.example.com', '/admin/users', 'a.example.com/admin'],
  ['a.example.com', '/administrator', 'a.example.com'],
  ['a.example.com', '/admin/keys/1', 'a.example.com/admin/keys/*'],
  ['b.example.com', '/admin', '*.example.com'],
  ['example.com', '/', undefined],
])('%s%s is covered by %s', (hostname, path, domain) => {
  const headers = token('t');
  const domains = ['*.example.com', 'a.example.com/admin', 'a.example.com', 'a.example.com/admin/keys/*'];
  const opened = policy('p', 'non_identity', [forToken('t')]);
  // Only the one that is expected lets the token by.
  domains.forEach((one) => application(one, one === domain ? [opened] : []));
  expect(account.access(hostname, path, headers)).toBe('pass');
  if (domain !== undefined) {
    application(domain, []);
    expect(account.access(hostname, path, headers)).toBe('login');
  }
});

test('a token of the API has Cloudflare\'s form, and is its own', () => {
  const [a, b] = [account.issueToken(), account.issueToken({ dns: 'read' }, { owner: 'account', status: 'disabled' })];
  expect([a, b].map((value) => /^[\w-]{40}$/.test(value))).toEqual([true, true]);
  expect(account.apiToken(a)).toMatchObject({ rights: { tunnel: 'write', dns: 'write', zone: 'read', access: 'write', serviceTokens: 'write' }, owner: 'user', status: 'active' });
  expect(account.apiToken(b)).toMatchObject({ rights: { dns: 'read' }, owner: 'account', status: 'disabled' });
  expect(account.apiToken('x'.repeat(40))).toBeUndefined();
});

test('a fault hits the requests it counts to, and no others', () => {
  const faults = new Faults();
  const fault = { method: 'POST', path: /\/cfd_tunnel$/, nth: 2, times: 2, status: 500 };
  const hit = (method: string, path: string) => faults.hit({ method, path }) !== undefined;
  expect(hit('POST', '/a/cfd_tunnel')).toBe(false);
  faults.add(fault);
  expect([hit('POST', '/a/cfd_tunnel'), hit('GET', '/a/cfd_tunnel'), hit('POST', '/a/cfd_tunnel/x'), hit('POST', '/a/cfd_tunnel?x=/'), hit('POST', '/a/cfd_tunnel'), hit('POST', '/a/cfd_tunnel')])
    .toEqual([false, false, false, true, true, false]);
});
