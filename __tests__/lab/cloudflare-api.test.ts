import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Account, allRights, type Rights } from '../../lab/cloudflare/account';
import { api } from '../../lab/cloudflare/api';

let account: Account;
let server: http.Server;
let origin: string;
let token: string;
let clock: Date;

beforeEach(async () => {
  clock = new Date('2026-08-14T12:00:00.000Z');
  account = new Account({ zones: ['example.com', 'example.org'], id: 'a'.repeat(32), name: 'Lab', now: () => clock });
  token = account.issueToken();
  server = http.createServer(api(account));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

interface Told { status: number; result: Record<string, unknown>; errors: { code: number; message: string }[]; info?: Record<string, number>; headers: Headers }

async function ask(method: string, path: string, body?: unknown, authorization: string | undefined = `Bearer ${token}`): Promise<Told> {
  const response = await fetch(`${origin}/client/v4${path}`, {
    method, headers: authorization === '' ? {} : { authorization }, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const told = (await response.json()) as Record<string, never>;
  expect(Object.keys(told).filter((key) => key !== 'result_info').sort()).toEqual(['errors', 'messages', 'result', 'success']);
  expect(told['success']).toBe(response.ok);
  return { status: response.status, result: told['result'], errors: told['errors'], ...(told['result_info'] ? { info: told['result_info'] } : {}), headers: response.headers };
}

async function refused(method: string, path: string, body?: unknown, authorization?: string): Promise<[status: number, code: number | undefined, message: string | undefined]> {
  const { status, errors, result } = await ask(method, path, body, authorization);
  expect(result).toBeNull();
  return [status, errors[0]?.code, errors[0]?.message];
}

const A = `/accounts/${'a'.repeat(32)}`;
const zone = () => `/zones/${account.zones[0]?.id}`;
const now = '2026-08-14T12:00:00.000Z';
const secret = Buffer.alloc(32).toString('base64');
const nobody = '00000000-0000-0000-0000-000000000000';

test('a request that breaks off half way ends nothing but itself', async () => {
  const half = http.request(`${origin}/client/v4/zones`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-length': 100 } });
  half.write('{');
  const [, response] = (await once(server, 'request')) as [http.IncomingMessage, http.ServerResponse];
  half.on('error', () => undefined).destroy();
  await once(response, 'close');
  expect((await ask('GET', '/zones')).status).toBe(200);
});

test('who asks shows a token that the account has issued', async () => {
  expect(await refused('GET', '/zones', undefined, '')).toEqual([400, 9106, 'Missing X-Auth-Key, X-Auth-Email or Authorization headers']);
  for (const bad of ['Bearer short', `Token ${token}`, `Bearer ${token}!`, `Bearer ${'x'.repeat(81)}`]) {
    expect(await refused('GET', '/zones', undefined, bad)).toEqual([400, 6003, 'Invalid request headers']);
  }
  expect(await refused('GET', '/zones', undefined, `Bearer ${'x'.repeat(40)}`)).toEqual([401, 1000, 'Invalid API Token']);
  for (const status of ['disabled', 'expired'] as const) {
    const over = `Bearer ${account.issueToken(allRights, { status })}`;
    expect(await refused('GET', '/zones', undefined, over)).toEqual([401, 1000, 'Invalid API Token']);
    expect((await ask('GET', '/user/tokens/verify', undefined, over)).result).toMatchObject({ status });
  }
});

test('a token is verified where its owner is', async () => {
  expect(await ask('GET', '/user/tokens/verify')).toMatchObject({ status: 200, result: { id: account.apiToken(token)?.id, status: 'active' } });
  expect(await refused('GET', `${A}/tokens/verify`)).toEqual([401, 1000, 'Invalid API Token']);
  const owned = `Bearer ${account.issueToken(allRights, { owner: 'account' })}`;
  expect(await ask('GET', `${A}/tokens/verify`, undefined, owned)).toMatchObject({ status: 200, result: { status: 'active' } });
  expect(await refused('GET', '/user/tokens/verify', undefined, owned)).toEqual([401, 1000, 'Invalid API Token']);
});

const without = (permission: keyof Rights): Rights => Object.fromEntries(Object.entries(allRights).filter(([key]) => key !== permission));

/** A read and a write for each permission; what is written to is not there, which only who may write is told. */
const places: readonly [keyof Rights, read: () => string, write: () => [method: string, path: string]][] = [
  ['tunnel', () => `${A}/cfd_tunnel`, () => ['DELETE', `${A}/cfd_tunnel/${nobody}`]],
  ['dns', () => `${zone()}/dns_records`, () => ['DELETE', `${zone()}/dns_records/${'0'.repeat(32)}`]],
  ['serviceTokens', () => `${A}/access/service_tokens`, () => ['DELETE', `${A}/access/service_tokens/${nobody}`]],
  ['access', () => `${A}/access/apps`, () => ['DELETE', `${A}/access/apps/${nobody}`]],
  ['access', () => `${A}/access/policies`, () => ['DELETE', `${A}/access/policies/${nobody}`]],
];

test.each(places)('the permission %s: none, half and whole', async (permission, read, write) => {
  const statuses = async (rights: Rights) => {
    const shown = `Bearer ${account.issueToken(rights)}`;
    const [method, path] = write();
    return [(await ask('GET', read(), undefined, shown)).status, (await ask(method, path, undefined, shown)).status];
  };
  const others = without(permission);
  expect(await statuses(others)).toEqual([403, 403]);
  expect(await statuses({ [permission]: 'read' })).toEqual([200, 403]);
  expect(await statuses({ [permission]: 'write' })).toEqual([200, 404]);
  expect(await refused('GET', read(), undefined, `Bearer ${account.issueToken(others)}`)).toEqual([403, 10000, 'Authentication error']);
});

test('who may see no zone sees an empty list', async () => {
  const blind = `Bearer ${account.issueToken(without('zone'))}`;
  expect(await ask('GET', '/zones', undefined, blind)).toMatchObject({ status: 200, result: [], info: { count: 0, total_count: 0 } });
  expect(await refused('GET', zone(), undefined, blind)).toEqual([403, 10000, 'Authentication error']);
});

test('zones are found by name and account', async () => {
  const names = async (query: string) => ((await ask('GET', `/zones${query}`)).result as unknown as { name: string }[]).map(({ name }) => name);
  expect(await names('')).toEqual(['example.com', 'example.org']);
  expect(await names(`?name=example.org&account.id=${account.id}`)).toEqual(['example.org']);
  expect(await names('?name=example.net')).toEqual([]);
  expect(await names(`?account.id=${'b'.repeat(32)}`)).toEqual([]);
  expect(await names('?account.name=Lab&per_page=1&page=2')).toEqual(['example.org']);
  expect(await ask('GET', zone())).toMatchObject({ result: { id: account.zones[0]?.id, name: 'example.com', status: 'active', created_on: now, account: { id: account.id, name: 'Lab' } } });
  expect(await ask('GET', A)).toMatchObject({ result: { id: account.id, name: 'Lab' } });
});

test('what is elsewhere, or nowhere', async () => {
  expect(await refused('GET', `/accounts/${'b'.repeat(32)}/cfd_tunnel`)).toEqual([403, 10000, 'Authentication error']);
  expect(await refused('GET', `/zones/${'b'.repeat(32)}/dns_records`)).toEqual([404, 7003, `Could not route to /zones/${'b'.repeat(32)}/dns_records, perhaps your object identifier is invalid?`]);
  expect(await refused('GET', '/workers')).toEqual([404, 7003, 'Could not route to /workers, perhaps your object identifier is invalid?']);
  expect((await refused('PUT', `${A}/cfd_tunnel/${nobody}`, {}))[1]).toBe(7003);
  expect(await refused('POST', `${A}/cfd_tunnel`, '{"name":')).toEqual([400, 6007, 'Malformed JSON in request body']);
  expect(await (await fetch(`${origin}/elsewhere`, { headers: { authorization: `Bearer ${token}` } })).json()).toMatchObject({ success: false, errors: [{ code: 7000 }] });
});

const tunnel = async (name = 'lab'): Promise<string> => (await ask('POST', `${A}/cfd_tunnel`, { name, config_src: 'cloudflare', tunnel_secret: secret })).result['id'] as string;

test('a tunnel and its life', async () => {
  const made = await ask('POST', `${A}/cfd_tunnel`, { name: 'lab', config_src: 'cloudflare', tunnel_secret: secret });
  const id = made.result['id'] as string;
  const shown = {
    id, account_tag: account.id, name: 'lab', created_at: now, deleted_at: null, connections: [], conns_active_at: null, conns_inactive_at: null, tun_type: 'cfd_tunnel', metadata: {},
    status: 'inactive', remote_config: true, config_src: 'cloudflare',
  };
  expect(made).toMatchObject({ status: 200, result: shown });
  expect((await ask('GET', `${A}/cfd_tunnel/${id}`)).result).toEqual(shown);
  expect((await ask('PATCH', `${A}/cfd_tunnel/${id}`, { name: 'other' })).result).toEqual({ ...shown, name: 'other' });
  expect(JSON.stringify(await Promise.all([`/${id}`, '', `/${id}/configurations`].map((path) => ask('GET', `${A}/cfd_tunnel${path}`))))).not.toContain(secret);

  account.connected(id, 4);
  expect((await ask('GET', `${A}/cfd_tunnel/${id}`)).result).toMatchObject({ status: 'healthy', conns_active_at: now });
  expect(await refused('DELETE', `${A}/cfd_tunnel/${id}`)).toEqual([400, 1022, 'This tunnel has active connections. Please stop all cloudflared replicas, or wait a few minutes']);
  account.connected(id, 0);
  expect((await ask('GET', `${A}/cfd_tunnel/${id}`)).result).toMatchObject({ status: 'down', conns_inactive_at: now });

  expect((await ask('DELETE', `${A}/cfd_tunnel/${id}`)).result).toMatchObject({ id, deleted_at: now });
  // It stays to be seen, and cannot be used.
  expect((await ask('GET', `${A}/cfd_tunnel/${id}`)).result).toMatchObject({ deleted_at: now });
  expect((await ask('DELETE', `${A}/cfd_tunnel/${id}`)).status).toBe(200);
  expect((await ask('GET', `${A}/cfd_tunnel/${id}/token`)).status).toBe(404);
  expect((await ask('PATCH', `${A}/cfd_tunnel/${id}`, { name: 'x' })).status).toBe(404);
  expect((await ask('PUT', `${A}/cfd_tunnel/${id}/configurations`, { config: {} })).status).toBe(404);
  expect(await refused('GET', `${A}/cfd_tunnel/${nobody}`)).toEqual([404, 1003, 'Tunnel not found']);
});

test('tunnels are found by name, deleted ones with the rest', async () => {
  const [a, b] = [await tunnel('a'), await tunnel('b')];
  await ask('DELETE', `${A}/cfd_tunnel/${b}`);
  const found = async (query: string) => ((await ask('GET', `${A}/cfd_tunnel${query}`)).result as unknown as { id: string }[]).map(({ id }) => id);
  expect(await found('')).toEqual([a, b]);
  expect(await found('?is_deleted=false')).toEqual([a]);
  expect(await found('?is_deleted=true')).toEqual([b]);
  expect(await found('?name=a&is_deleted=false')).toEqual([a]);
  expect(await found('?name=b&is_deleted=false')).toEqual([]);
  expect(await found(`?uuid=${b}`)).toEqual([b]);
});

test('a name is taken as long as the tunnel lives, and who is told so may come again soon', async () => {
  const id = await tunnel('a');
  const other = await tunnel('b');
  const again = await ask('POST', `${A}/cfd_tunnel`, { name: 'a' });
  expect(again).toMatchObject({ status: 409, errors: [{ code: 1013, message: expect.stringMatching(/^You already have a tunnel with this name\./) }] });
  expect(again.headers.get('retry-after-ms')).toBe('10');
  expect((await ask('PATCH', `${A}/cfd_tunnel/${other}`, { name: 'a' })).status).toBe(409);
  expect((await ask('PATCH', `${A}/cfd_tunnel/${id}`, { name: 'a' })).status).toBe(200);
  await ask('DELETE', `${A}/cfd_tunnel/${id}`);
  expect((await ask('POST', `${A}/cfd_tunnel`, { name: 'a' })).status).toBe(200);
});

test('the connector token is for who may write', async () => {
  const id = await tunnel();
  const told = (await ask('GET', `${A}/cfd_tunnel/${id}/token`)).result as unknown as string;
  expect(account.tunnelOf(told)).toBe(id);
  expect(await refused('GET', `${A}/cfd_tunnel/${id}/token`, undefined, `Bearer ${account.issueToken({ tunnel: 'read' })}`)).toEqual([403, 10000, 'Authentication error']);
  // Another secret makes another token; without one the API thinks of one.
  await ask('PATCH', `${A}/cfd_tunnel/${id}`, { tunnel_secret: Buffer.alloc(33, 1).toString('base64') });
  expect(account.tunnelOf(told)).toBeUndefined();
  const { result } = await ask('POST', `${A}/cfd_tunnel`, { name: 'local' });
  expect(result).toMatchObject({ config_src: 'local', remote_config: false });
  expect(Buffer.from(account.tunnels.get(result['id'] as string)?.secret ?? '', 'base64')).toHaveLength(32);
});

test('the rules of a tunnel have a version', async () => {
  const id = await tunnel();
  const path = `${A}/cfd_tunnel/${id}/configurations`;
  expect((await ask('GET', path)).result).toEqual({ tunnel_id: id, account_id: account.id, version: 0, config: {}, source: 'cloudflare', created_at: now });
  const config = { ingress: [{ hostname: 'a.example.com', service: 'http://a:1', originRequest: { connectTimeout: 5, access: { audTag: ['x'], teamName: 't' } } }, { service: 'http_status:404' }] };
  expect((await ask('PUT', path, { config })).result).toEqual({ tunnel_id: id, account_id: account.id, version: 1, config, source: 'cloudflare', created_at: now });
  expect((await ask('PUT', path, { config })).result).toMatchObject({ version: 2 });
  expect((await ask('GET', path)).result).toMatchObject({ version: 2, config });
  expect(await refused('PUT', path, { config: { ingress: [{ hostname: 'a', service: 'http://a:1' }] } })).toEqual([400, 1056, 'Bad Configuration: Validation failed: The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)']);
  expect((await ask('GET', path)).result).toMatchObject({ version: 2 });
});

const record = { type: 'CNAME', name: 'a.example.com', content: 't.cfargotunnel.com', proxied: true, ttl: 1 };

test('a record and its life', async () => {
  const made = await ask('POST', `${zone()}/dns_records`, { ...record, comment: 'Pulumi' });
  const id = made.result['id'] as string;
  const shown = { ...record, id, comment: 'Pulumi', comment_modified_on: now, created_on: now, modified_on: now, meta: {}, proxiable: true, settings: {}, tags: [] };
  expect(made).toMatchObject({ status: 200, result: shown });
  expect((await ask('GET', `${zone()}/dns_records/${id}`)).result).toEqual(shown);

  clock = new Date('2026-08-15T12:00:00.000Z');
  const later = '2026-08-15T12:00:00.000Z';
  const put = await ask('PUT', `${zone()}/dns_records/${id}`, { ...record, content: 'u.cfargotunnel.com', settings: { flatten_cname: false } });
  expect(put.result).toEqual({ ...record, id, content: 'u.cfargotunnel.com', comment: null, created_on: now, modified_on: later, meta: {}, proxiable: true, settings: { flatten_cname: false }, tags: [] });
  const patched = await ask('PATCH', `${zone()}/dns_records/${id}`, { comment: 'again', tags: ['a:b'] });
  expect(patched.result).toMatchObject({ content: 'u.cfargotunnel.com', proxied: true, comment: 'again', comment_modified_on: later, tags: ['a:b'], tags_modified_on: later });
  expect((await ask('DELETE', `${zone()}/dns_records/${id}`)).result).toEqual({ id });
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
    expect(await refused(method, `${zone()}/dns_records/${id}`, method === 'GET' ? undefined : record)).toEqual([404, 81044, 'Record does not exist.']);
  }
});

test('a name is in its zone, and a proxied record has no time to live of its own', async () => {
  const made = async (name: string, more: object = {}) => (await ask('POST', `${zone()}/dns_records`, { ...record, name, ...more })).result;
  expect(await made('a')).toMatchObject({ name: 'a.example.com' });
  expect(await made('B.Example.com.')).toMatchObject({ name: 'b.example.com' });
  expect(await made('@', { ttl: 300 })).toMatchObject({ name: 'example.com', ttl: 1 });
  expect(await made('c', { proxied: false, ttl: 300 })).toMatchObject({ ttl: 300 });
  expect(await made('d', { proxied: false })).not.toHaveProperty('settings');
  expect((await ask('GET', `/zones/${account.zones[1]?.id}/dns_records`)).result).toEqual([]);
});

test('records are found by name', async () => {
  for (const name of ['a', 'b']) {
    await ask('POST', `${zone()}/dns_records`, { ...record, name });
  }
  await ask('POST', `${zone()}/dns_records`, { type: 'TXT', name: 'c', content: '"x"', ttl: 300 });
  const names = async (query: string) => ((await ask('GET', `${zone()}/dns_records${query}`)).result as unknown as { name: string }[]).map(({ name }) => name);
  expect(await names('')).toEqual(['a.example.com', 'b.example.com', 'c.example.com']);
  expect(await names('?name=b.example.com')).toEqual(['b.example.com']);
  expect(await names('?name.exact=A.example.com')).toEqual(['a.example.com']);
  expect(await names('?type=TXT')).toEqual(['c.example.com']);
  expect(await names('?content=t.cfargotunnel.com&name=c.example.com')).toEqual([]);
  expect((await ask('GET', `${zone()}/dns_records?per_page=2&page=2`)).info).toEqual({ page: 2, per_page: 2, count: 1, total_count: 3, total_pages: 2 });
});

test('a CNAME is alone', async () => {
  const id = (await ask('POST', `${zone()}/dns_records`, record)).result['id'];
  const [, code] = await refused('POST', `${zone()}/dns_records`, { ...record, content: 'u.cfargotunnel.com' });
  expect(code).toBe(81053);
  expect((await refused('POST', `${zone()}/dns_records`, { ...record, type: 'A', content: '192.0.2.1' })).slice(0, 2)).toEqual([400, 81054]);
  expect((await ask('PUT', `${zone()}/dns_records/${id}`, { ...record, content: 'u.cfargotunnel.com' })).status).toBe(200);
  const text = { type: 'TXT', name: 'b', content: '"x"', ttl: 300 };
  await ask('POST', `${zone()}/dns_records`, text);
  expect((await refused('POST', `${zone()}/dns_records`, text))[1]).toBe(81058);
  expect((await refused('POST', `${zone()}/dns_records`, { ...record, type: 'A', content: '192.0.2.1', name: 'a' }))[2]).toMatch(/^A CNAME record with that host already exists\./);
  expect((await refused('POST', `${zone()}/dns_records`, record))[2]).toMatch(/^An A, AAAA, or CNAME record with that host already exists\./);
});

test('the secret of a service token is told when it is made, and when it is made anew', async () => {
  const path = `${A}/access/service_tokens`;
  const made = await ask('POST', path, { name: 'edge', duration: '1h' });
  expect(made).toMatchObject({ status: 201, result: { name: 'edge', duration: '1h', enabled: true, expires_at: '2026-08-14T13:00:00.000Z', created_at: now, client_id: expect.stringMatching(/^[0-9a-f]{32}\.access$/), client_secret: expect.stringMatching(/^[0-9a-f]{64}$/) } });
  const { id, client_secret: first } = made.result as { id: string; client_secret: string };
  const silent = [await ask('GET', path), await ask('GET', `${path}/${id}`), await ask('PUT', `${path}/${id}`, { name: 'other' }), await ask('POST', `${path}/${id}/refresh`)];
  expect(silent.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(JSON.stringify(silent)).not.toContain('client_secret');
  expect((await ask('GET', `${path}?name=other`)).result).toMatchObject([{ id, name: 'other' }]);

  const rotated = (await ask('POST', `${path}/${id}/rotate`)).result;
  expect(rotated['client_secret']).not.toBe(first);
  expect(account.serviceTokens.get(id)).toMatchObject({ secret: rotated['client_secret'], previous: { secret: first, until: clock }, version: 2 });
  const newer = await ask('PUT', `${path}/${id}`, { client_secret_version: 3, previous_client_secret_expires_at: '2026-08-14T12:30:00Z' });
  expect(account.serviceTokens.get(id)).toMatchObject({ secret: newer.result['client_secret'], previous: { secret: rotated['client_secret'], until: new Date('2026-08-14T12:30:00Z') } });
  // It may be over sooner than was said.
  const same = await ask('PUT', `${path}/${id}`, { client_secret_version: 3, previous_client_secret_expires_at: '2026-08-14T12:00:00Z' });
  expect(same.result).not.toHaveProperty('client_secret');
  expect(account.serviceTokens.get(id)?.previous?.until).toEqual(clock);
});

test('how long a service token is good', async () => {
  const path = `${A}/access/service_tokens`;
  const { id, expires_at } = (await ask('POST', path, { name: 'edge' })).result as { id: string; expires_at: string };
  expect(expires_at).toBe('2027-08-14T12:00:00.000Z');
  clock = new Date('2026-09-14T12:00:00.000Z');
  expect((await ask('PUT', `${path}/${id}`, { duration: '8760h', name: 'edge' })).result).toMatchObject({ expires_at });
  expect((await ask('POST', `${path}/${id}/refresh`)).result).toMatchObject({ expires_at: '2027-09-14T12:00:00.000Z' });
  expect((await ask('PUT', `${path}/${id}`, { duration: 'forever', enabled: false })).result).toMatchObject({ expires_at: '9999-12-31T23:59:59.000Z', enabled: false });
  expect((await ask('DELETE', `${path}/${id}`)).result).toMatchObject({ id });
  for (const [method, rest] of [['GET', ''], ['PUT', ''], ['DELETE', ''], ['POST', '/rotate'], ['POST', '/refresh']] as const) {
    expect(await refused(method, `${path}/${id}${rest}`)).toEqual([404, 12002, 'access.api.error.service_token_not_found']);
  }
});

const policies = `${A}/access/policies`;
const apps = `${A}/access/apps`;

test('a policy and its life', async () => {
  const { id: tokenId } = (await ask('POST', `${A}/access/service_tokens`, { name: 'edge' })).result as { id: string };
  const body = { name: 'machines', decision: 'non_identity', include: [{ service_token: { token_id: tokenId } }], session_duration: '24h' };
  const made = await ask('POST', policies, body);
  const { id } = made.result as { id: string };
  const shown = {
    ...body, id, exclude: [], require: [], approval_required: false, isolation_required: false, purpose_justification_required: false, reusable: true, app_count: 0, created_at: now, updated_at: now,
  };
  expect(made).toMatchObject({ status: 201, result: shown });
  expect((await ask('GET', `${policies}/${id}`)).result).toEqual(shown);
  expect((await ask('GET', policies)).result).toEqual([shown]);
  expect((await refused('DELETE', `${A}/access/service_tokens/${tokenId}`)).slice(0, 2)).toEqual([400, 12139]);
  expect(await refused('PUT', `${policies}/${id}`, { ...body, include: [{ service_token: { token_id: nobody } }] })).toEqual([400, 12130, "access.api.error.invalid_request: invalid 'include' configuration"]);

  const app = (await ask('POST', apps, { type: 'self_hosted', domain: 'a.example.com', policies: [id] })).result;
  expect((await ask('GET', `${policies}/${id}`)).result).toMatchObject({ app_count: 1 });
  expect((await refused('DELETE', `${policies}/${id}`)).slice(0, 2)).toEqual([400, 12130]);
  await ask('DELETE', `${apps}/${app['id'] as string}`);

  expect((await ask('PUT', `${policies}/${id}`, { name: 'all', decision: 'bypass', include: [{ everyone: {} }] })).result).toEqual(
    expect.objectContaining({ id, name: 'all', decision: 'bypass', include: [{ everyone: {} }], created_at: now }));
  expect((await ask('GET', `${policies}/${id}`)).result).not.toHaveProperty('session_duration');
  expect(await ask('DELETE', `${policies}/${id}`)).toMatchObject({ status: 202, result: { id } });
  for (const method of ['GET', 'PUT', 'DELETE']) {
    expect((await refused(method, `${policies}/${id}`, method === 'PUT' ? body : undefined)).slice(0, 1)).toEqual([404]);
  }
});

test('an application and its life', async () => {
  const policy = async (name: string) => (await ask('POST', policies, { name, decision: 'allow', include: [{ everyone: {} }] })).result['id'] as string;
  const [p, q] = [await policy('p'), await policy('q')];
  const made = await ask('POST', apps, { type: 'self_hosted', name: 'phoenix', domain: 'a.example.com', policies: [{ id: p, precedence: 2 }, { id: q, precedence: 1 }], service_auth_401_redirect: true });
  const { id, aud } = made.result as { id: string; aud: string };
  expect(made.status).toBe(201);
  const shown = {
    id, uid: id, aud, type: 'self_hosted', name: 'phoenix', domain: 'a.example.com', self_hosted_domains: ['a.example.com'], destinations: [{ type: 'public', uri: 'a.example.com' }],
    session_duration: '24h', app_launcher_visible: true, http_only_cookie_attribute: true, service_auth_401_redirect: true, auto_redirect_to_identity: false, enable_binding_cookie: false,
    options_preflight_bypass: false, allowed_idps: [], tags: [], created_at: now, updated_at: now,
    policies: [expect.objectContaining({ id: q, name: 'q', precedence: 1, decision: 'allow', reusable: true }), expect.objectContaining({ id: p, precedence: 2 })],
  };
  expect(made.result).toEqual(shown);
  expect(aud).toMatch(/^[0-9a-f]{64}$/);
  expect((await ask('GET', `${apps}/${id}`)).result).toEqual(shown);
  expect((await ask('GET', `${apps}?domain=a.example.com`)).result).toEqual([shown]);
  expect((await ask('GET', `${apps}?name=other`)).result).toEqual([]);

  // Without a list the policies stay; with an empty one they are gone.
  const put = (more: object) => ask('PUT', `${apps}/${id}`, { type: 'self_hosted', domain: 'b.example.org/x', ...more });
  expect((await put({})).result).toMatchObject({ id, aud, domain: 'b.example.org/x', self_hosted_domains: ['b.example.org/x'], service_auth_401_redirect: false, policies: [{ id: q }, { id: p }] });
  expect((await put({ policies: [] })).result['policies']).toEqual([]);
  expect((await put({ destinations: [{ type: 'public', uri: 'c.example.com' }] })).result).toMatchObject({ self_hosted_domains: ['c.example.com'] });
  expect(await ask('DELETE', `${apps}/${id}`)).toMatchObject({ status: 202, result: { id } });
  for (const method of ['GET', 'PUT', 'DELETE']) {
    expect(await refused(method, `${apps}/${id}`)).toEqual([404, 11021, 'access.api.error.unknown_application']);
  }
});

test.each<[what: string, method: string, path: () => string, body: unknown, code: number, message: string]>([
  ['a tunnel without a name', 'POST', () => `${A}/cfd_tunnel`, {}, 1001, 'name is required'],
  ['a tunnel with a name that is none', 'POST', () => `${A}/cfd_tunnel`, { name: 7 }, 1001, 'name must be a string'],
  ['a tunnel of another kind', 'POST', () => `${A}/cfd_tunnel`, { name: 'n', config_src: 'remote' }, 1001, 'config_src must be one of local, cloudflare'],
  ['a short secret', 'POST', () => `${A}/cfd_tunnel`, { name: 'n', tunnel_secret: Buffer.alloc(31).toString('base64') }, 1001, expect.stringContaining('tunnel_secret is invalid') as unknown as string],
  ['a secret that is not base64', 'POST', () => `${A}/cfd_tunnel`, { name: 'n', tunnel_secret: '!'.repeat(60) }, 1001, expect.stringContaining('tunnel_secret is invalid') as unknown as string],
  ['a body that is none', 'POST', () => `${A}/cfd_tunnel`, [], 1001, ' must be an object'],
  ['a record without content', 'POST', () => `${zone()}/dns_records`, { type: 'CNAME', name: 'a' }, 1004, 'DNS Validation Error: content is required'],
  ['a record of another type', 'POST', () => `${zone()}/dns_records`, { ...record, type: 'CNAM' }, 1004, expect.stringContaining('type must be one of A, AAAA, CNAME') as unknown as string],
  ['a time to live out of range', 'POST', () => `${zone()}/dns_records`, { ...record, ttl: 29 }, 1004, 'DNS Validation Error: ttl is out of range'],
  ['a time to live that is no number', 'POST', () => `${zone()}/dns_records`, { ...record, ttl: '1' }, 1004, 'DNS Validation Error: ttl must be a number'],
  ['a long name', 'POST', () => `${zone()}/dns_records`, { ...record, name: 'a'.repeat(256) }, 1004, 'DNS Validation Error: name must have at most 255 characters'],
  ['a long comment', 'POST', () => `${zone()}/dns_records`, { ...record, comment: 'a'.repeat(101) }, 1004, 'DNS Validation Error: comment must have at most 100 characters'],
  ['tags that are no list', 'POST', () => `${zone()}/dns_records`, { ...record, tags: 'a' }, 1004, 'DNS Validation Error: tags must be an array'],
  ['a service token without a name', 'POST', () => `${A}/access/service_tokens`, {}, 12130, 'access.api.error.invalid_request: name is required'],
  ['a service token of no time', 'POST', () => `${A}/access/service_tokens`, { name: 'n', duration: '1y' }, 12130, 'access.api.error.invalid_request: duration is invalid: 1y'],
  ['a policy without rules', 'POST', () => policies, { name: 'n', decision: 'allow' }, 12130, 'access.api.error.invalid_request: include is required'],
  ['a policy that decides otherwise', 'POST', () => policies, { name: 'n', decision: 'nonIdentity', include: [] }, 12130, 'access.api.error.invalid_request: decision must be one of allow, deny, non_identity, bypass'],
  ['a rule of two kinds', 'POST', () => policies, { name: 'n', decision: 'allow', include: [{ everyone: {}, ip: { ip: '::/0' } }] }, 12130, "access.api.error.invalid_request: invalid 'include[0]' configuration"],
  ['a rule without what it needs', 'POST', () => policies, { name: 'n', decision: 'allow', include: [{ email: {} }] }, 12130, 'access.api.error.invalid_request: include[0].email.email is required'],
  ['an application without a domain', 'POST', () => apps, { type: 'self_hosted' }, 12130, 'access.api.error.invalid_request: domain is required'],
  ['an application without a type', 'POST', () => apps, { domain: 'a.example.com' }, 12130, 'access.api.error.invalid_request: type is required'],
  ['an application in no zone', 'POST', () => apps, { type: 'self_hosted', domain: 'notexample.com' }, 12130, 'access.api.error.invalid_request: domain notexample.com does not belong to zone'],
  ['an application with a policy that is not there', 'POST', () => apps, { type: 'self_hosted', domain: 'example.com', policies: [{ id: nobody, precedence: 1 }] }, 12130, 'access.api.error.invalid_request: invalid policies'],
  ['a flag that is none', 'POST', () => apps, { type: 'self_hosted', domain: 'example.com', service_auth_401_redirect: 'yes' }, 12130, 'access.api.error.invalid_request: service_auth_401_redirect must be a boolean'],
])('%s is refused', async (_, method, path, body, code, message) => {
  expect(await refused(method, path(), body)).toEqual([400, code, message]);
  expect([account.tunnels.size, account.records.size, account.serviceTokens.size, account.policies.size, account.applications.size]).toEqual([0, 0, 0, 0, 0]);
});

test.each<[string, object]>([
  ['a rule without a service', { config: { ingress: [{ hostname: 'a' }] } }],
  ['rules that are no list', { config: { ingress: {} } }],
  ['a setting of another type', { config: { ingress: [{ service: 'http_status:404', originRequest: { connectTimeout: '5s' } }] } }],
  ['nothing', {}],
])('%s is no configuration', async (_, body) => {
  const id = await tunnel();
  expect(await refused('PUT', `${A}/cfd_tunnel/${id}/configurations`, body)).toEqual([400, 1056, expect.stringMatching(/^Bad Configuration: /)]);
});

test('requests are kept for tests, without what they were allowed by', async () => {
  await ask('POST', `${A}/cfd_tunnel?x=y`, { name: 'a' });
  await ask('GET', '/zones', undefined, '');
  expect(account.requests).toEqual([{ method: 'POST', path: `${A}/cfd_tunnel?x=y`, body: { name: 'a' } }, { method: 'GET', path: '/zones' }]);
  expect(JSON.stringify(account.requests)).not.toContain(token);
});

test('an answer can be another than what was done', async () => {
  account.faults.add({ method: 'POST', path: /\/cfd_tunnel$/, nth: 2, status: 500, message: 'down' });
  await tunnel('a');
  expect(await refused('POST', `${A}/cfd_tunnel`, { name: 'b' })).toEqual([500, 1101, 'down']);
  await tunnel('c');
  account.faults.add({ method: 'POST', path: /\/cfd_tunnel$/, status: 502, code: 7, carriedOut: true });
  const half = await ask('POST', `${A}/cfd_tunnel`, { name: 'd' });
  expect(half).toMatchObject({ status: 502, errors: [{ code: 7 }], result: null });
  expect(half.headers.get('retry-after-ms')).toBe('10');
  expect([...account.tunnels.values()].map(({ name }) => name)).toEqual(['a', 'c', 'd']);
});
