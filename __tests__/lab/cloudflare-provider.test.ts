import * as grpc from '@grpc/grpc-js';
import * as proto from '@pulumi/pulumi/proto/provider_pb';
import { Struct } from 'google-protobuf/google/protobuf/struct_pb';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Account, allRights, type Rights } from '../../lab/cloudflare/account';
import { api } from '../../lab/cloudflare/api';
import { cloudflare } from '../../lab/providers/cloudflare';
import { Cloudflare } from '../../lab/providers/cloudflare-client';
import { unknown, type Props } from '../../lab/providers/fields';
import { methods } from '../../lab/providers/serve';

let account: Account;
let server: http.Server;
let baseUrl: string;
let service: grpc.UntypedServiceImplementation;
let waits: number[];
let clock: Date;

beforeEach(async () => {
  clock = new Date('2026-08-14T12:00:00.250Z');
  account = new Account({ zones: ['example.com'], now: () => clock });
  server = http.createServer(api(account));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/client/v4`;
  waits = [];
  await configured(allRights);
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function configured(rights: Rights): Promise<void> {
  service = methods(cloudflare(new Cloudflare(async (milliseconds) => waits.push(milliseconds))));
  await configure({ apiToken: account.issueToken(rights), baseUrl });
}

function call<Q, A>(method: string, request: Q): Promise<A> {
  return new Promise((resolve, reject) => {
    (service[method] as grpc.handleUnaryCall<Q, A>)({ request } as grpc.ServerUnaryCall<Q, A>, (error, answer) => (error ? reject(error) : resolve(answer as A)));
  });
}

async function configure(config: Props): Promise<void> {
  const request = new proto.ConfigureRequest();
  request.setArgs(Struct.fromJavaScript(config));
  await call('configure', request);
}

const urn = (type: string) => `urn:pulumi:s::p::cloudflare:index/${type[0]?.toLowerCase()}${type.slice(1)}:${type}::x`;
const props = (struct: Struct | undefined) => (struct?.toJavaScript() ?? {}) as Props;

interface Made { type: string; id: string; state: Props; inputs: Props }

async function checked(type: string, inputs: Props): Promise<{ inputs: Props; failures: string[] }> {
  const request = new proto.CheckRequest();
  request.setUrn(urn(type));
  request.setNews(Struct.fromJavaScript(inputs));
  const answer = await call<proto.CheckRequest, proto.CheckResponse>('check', request);
  return { inputs: props(answer.getInputs()), failures: answer.getFailuresList().map((failure) => failure.getReason()) };
}

async function create(type: string, given: Props, preview = false): Promise<Made> {
  const { inputs, failures } = await checked(type, given);
  expect(failures).toEqual([]);
  const request = new proto.CreateRequest();
  request.setUrn(urn(type));
  request.setProperties(Struct.fromJavaScript(inputs));
  request.setPreview(preview);
  const answer = await call<proto.CreateRequest, proto.CreateResponse>('create', request);
  return { type, id: answer.getId(), state: props(answer.getProperties()), inputs };
}

async function read({ type, id, state, inputs }: Made): Promise<Made> {
  const request = new proto.ReadRequest();
  request.setUrn(urn(type));
  request.setId(id);
  request.setProperties(Struct.fromJavaScript(state));
  request.setInputs(Struct.fromJavaScript(inputs));
  const answer = await call<proto.ReadRequest, proto.ReadResponse>('read', request);
  return { type, id: answer.getId(), state: props(answer.getProperties()), inputs: props(answer.getInputs()) };
}

async function diff({ type, state }: Made, news: Props, ignored: string[] = []): Promise<{ changes: string[]; replaces: string[]; before: boolean }> {
  const request = new proto.DiffRequest();
  request.setUrn(urn(type));
  request.setOlds(Struct.fromJavaScript(state));
  request.setNews(Struct.fromJavaScript((await checked(type, news)).inputs));
  request.setIgnorechangesList(ignored);
  const answer = await call<proto.DiffRequest, proto.DiffResponse>('diff', request);
  const changed = answer.getChanges() === proto.DiffResponse.DiffChanges.DIFF_SOME;
  expect(answer.getDiffsList().length > 0).toBe(changed);
  return { changes: answer.getDiffsList(), replaces: answer.getReplacesList(), before: answer.getDeletebeforereplace() };
}

async function update(made: Made, news: Props, preview = false): Promise<Made> {
  const { inputs } = await checked(made.type, news);
  const request = new proto.UpdateRequest();
  request.setUrn(urn(made.type));
  request.setId(made.id);
  request.setOlds(Struct.fromJavaScript(made.state));
  request.setNews(Struct.fromJavaScript(inputs));
  request.setPreview(preview);
  return { ...made, state: props((await call<proto.UpdateRequest, proto.UpdateResponse>('update', request)).getProperties()), inputs };
}

async function remove({ type, id, state }: Made): Promise<void> {
  const request = new proto.DeleteRequest();
  request.setUrn(urn(type));
  request.setId(id);
  request.setProperties(Struct.fromJavaScript(state));
  await call('delete', request);
}

async function invoke(name: string, args: Props): Promise<Props> {
  const request = new proto.InvokeRequest();
  request.setTok(`cloudflare:index/${name}:${name}`);
  request.setArgs(Struct.fromJavaScript(args));
  return props((await call<proto.InvokeRequest, proto.InvokeResponse>('invoke', request)).getReturn());
}

/** What was asked since the last time. */
function asked(): unknown[] {
  return account.requests.splice(0).map(({ method, path, body }) => [`${method} ${path}`, ...(body === undefined ? [] : [body])]);
}

const without = (all: Props, ...keys: string[]): Props => Object.fromEntries(Object.entries(all).filter(([key]) => !keys.includes(key)));

/** A second deployment and one after a refresh change nothing. */
async function settles(made: Made): Promise<Made> {
  expect(await diff(made, made.inputs)).toEqual({ changes: [], replaces: [], before: false });
  const found = await read(made);
  expect(found).toMatchObject({ id: made.id, inputs: made.inputs });
  expect(await diff(found, made.inputs)).toEqual({ changes: [], replaces: [], before: false });
  account.requests.length = 0;
  return found;
}

const secret = Buffer.alloc(32, 7).toString('base64');
/** As the provider records it: without what is less than a second. */
const now = '2026-08-14T12:00:00Z';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const tunnelInputs = (more: Props = {}): Props => ({ accountId: account.id, name: 'lab', configSrc: 'cloudflare', tunnelSecret: secret, ...more });

test('a tunnel: created, found, renamed, given another secret, deleted', async () => {
  const made = await create('ZeroTrustTunnelCloudflared', tunnelInputs());
  const path = `/accounts/${account.id}/cfd_tunnel`;
  expect(asked()).toEqual([[`POST ${path}`, { config_src: 'cloudflare', name: 'lab', tunnel_secret: secret }]]);
  expect(made.id).toMatch(uuid);
  expect(made.state).toEqual({
    __meta: '{"schema_version":"500"}', ...tunnelInputs(), id: made.id, accountTag: account.id, connections: [], createdAt: now, metadata: '{}', remoteConfig: true,
    status: 'inactive', tunType: 'cfd_tunnel',
  });
  await settles(made);

  const named = await update(made, tunnelInputs({ name: 'other' }));
  expect(asked()).toEqual([[`PATCH ${path}/${made.id}`, { name: 'other' }]]);
  expect(named.state).toEqual({ ...made.state, name: 'other' });
  const other = Buffer.alloc(32, 8).toString('base64');
  const keyed = await update(named, tunnelInputs({ name: 'other', tunnelSecret: other }));
  expect(asked()).toEqual([[`PATCH ${path}/${made.id}`, { tunnel_secret: other }]]);
  expect(account.tunnels.get(made.id)).toMatchObject({ name: 'other', secret: other });
  await settles(keyed);

  await remove(keyed);
  expect(asked()).toEqual([[`DELETE ${path}/${made.id}`]]);
  expect(account.tunnels.get(made.id)?.deleted).toBe('2026-08-14T12:00:00.250Z');
});

test('what makes another tunnel, and what does not', async () => {
  const made = await create('ZeroTrustTunnelCloudflared', tunnelInputs());
  expect(await diff(made, tunnelInputs({ accountId: 'b'.repeat(32) }))).toMatchObject({ replaces: ['accountId'], before: false });
  expect(await diff(made, tunnelInputs({ configSrc: 'local' }))).toMatchObject({ replaces: ['configSrc'], before: false });
  expect(await diff(made, tunnelInputs({ name: 'other' }))).toMatchObject({ changes: expect.arrayContaining(['name']), replaces: [] });
  expect(await diff(made, tunnelInputs({ name: 'other' }), ['name'])).toEqual({ changes: [], replaces: [], before: false });
  // The rest is told anew, but the ID of the tunnel stays known: what depends on it is not planned anew.
  const foretold = await update(made, tunnelInputs({ name: 'other' }), true);
  expect(foretold.state).toMatchObject({ id: made.id, name: 'other', status: unknown, tunnelSecret: secret });
});

test('a preview asks nothing', async () => {
  account.requests.length = 0;
  const { id, state } = await create('ZeroTrustTunnelCloudflared', tunnelInputs(), true);
  expect({ id, state }).toMatchObject({ id: '', state: { id: unknown, name: 'lab', connections: unknown } });
  expect(asked()).toEqual([]);
});

test('a tunnel with connections stays, and says why', async () => {
  const made = await create('ZeroTrustTunnelCloudflared', tunnelInputs());
  account.connected(made.id, 4);
  await expect(remove(made)).rejects.toMatchObject({ details: expect.stringContaining(
    `failed to make http request: DELETE "${baseUrl}/accounts/${account.id}/cfd_tunnel/${made.id}": 400 Bad Request {"success":false,"errors":[{"code":1022,"message":"This tunnel has active connections.`,
  ) });
  expect(await read(made)).toMatchObject({ state: { status: 'healthy', connsActiveAt: now } });
  account.connected(made.id, 0);
  await remove(made);
});

test('what is secret is marked so', async () => {
  const request = new proto.ConfigureRequest();
  request.setArgs(Struct.fromJavaScript({ apiToken: account.issueToken(), baseUrl }));
  request.setAcceptsecrets(true);
  await call('configure', request);
  const marked = (value: unknown) => ({ '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270', value });
  const { inputs } = await checked('ZeroTrustTunnelCloudflared', tunnelInputs());
  expect(inputs).toEqual({ ...tunnelInputs(), tunnelSecret: marked(secret) });
  const create = new proto.CreateRequest();
  create.setUrn(urn('ZeroTrustAccessServiceToken'));
  create.setProperties(Struct.fromJavaScript({ accountId: account.id, name: 'edge' }));
  const token = props((await call<proto.CreateRequest, proto.CreateResponse>('create', create)).getProperties());
  expect(Object.keys(token).filter((key) => typeof token[key] === 'object')).toEqual(['clientSecret']);
  expect(token['clientSecret']).toEqual(marked([...account.serviceTokens.values()][0]?.secret));
});

const ingresses: Props[] = [{ hostname: 'a.example.com', path: '^/v1/', service: 'http://alloy:4318', originRequest: { noTlsVerify: true, access: { audTags: ['x'], teamName: 't' } } }, { service: 'http_status:404' }];

test('the rules of a tunnel: put, changed in place, left where they are', async () => {
  const { id } = await create('ZeroTrustTunnelCloudflared', tunnelInputs());
  asked();
  const inputs = { accountId: account.id, tunnelId: id, config: { ingresses } };
  const made = await create('ZeroTrustTunnelCloudflaredConfig', inputs);
  const call = `PUT /accounts/${account.id}/cfd_tunnel/${id}/configurations`;
  expect(asked()).toEqual([[call, { config: { ingress: [
    { hostname: 'a.example.com', originRequest: { access: { audTag: ['x'], teamName: 't' }, noTLSVerify: true }, path: '^/v1/', service: 'http://alloy:4318' },
    { service: 'http_status:404' },
  ] } }]]);
  expect(made).toMatchObject({ id, state: { __meta: '{"schema_version":"500"}', ...inputs, id, createdAt: now, source: 'cloudflare', version: 1 } });
  await settles(made);

  const shorter = { ...inputs, config: { ingresses: ingresses.slice(1) } };
  expect(await diff(made, shorter)).toMatchObject({ changes: expect.arrayContaining(['config']), replaces: [] });
  const changed = await update(made, shorter);
  expect(asked()).toEqual([[call, { config: { ingress: [{ service: 'http_status:404' }] } }]]);
  expect(changed.state).toMatchObject({ config: { ingresses: [{ service: 'http_status:404' }] }, version: 2 });
  expect(await diff(changed, { ...shorter, tunnelId: unknown })).toMatchObject({ replaces: ['tunnelId'] });
  await remove(changed);
  expect(asked()).toEqual([]);
  expect(account.configurations.get(id)?.version).toBe(2);
});

const recordInputs = (more: Props = {}): Props =>
  ({ zoneId: account.zones[0]?.id ?? '', name: 'a.example.com', type: 'CNAME', content: 't.cfargotunnel.com', proxied: true, ttl: 1, comment: 'Pulumi', ...more });

test('a record: posted, changed with all it has, deleted', async () => {
  const made = await create('DnsRecord', recordInputs());
  const path = `/zones/${account.zones[0]?.id}/dns_records`;
  const body = { comment: 'Pulumi', content: 't.cfargotunnel.com', name: 'a.example.com', proxied: true, ttl: 1, type: 'CNAME' };
  expect(asked()).toEqual([[`POST ${path}`, body]]);
  const settings = { flattenCname: false, ipv4Only: false, ipv6Only: false };
  expect(made.state).toEqual({
    __meta: '{"schema_version":"500"}', ...recordInputs(), id: made.id, commentModifiedOn: now, createdOn: now, includeShadowMetadata: false, meta: '{}', modifiedOn: now,
    proxiable: true, settings, tags: [],
  });
  await settles(made);

  clock = new Date('2026-08-15T12:00:00.000Z');
  const changed = await update(made, recordInputs({ content: 'u.cfargotunnel.com' }));
  expect(asked()).toEqual([[`PUT ${path}/${made.id}`, { ...body, content: 'u.cfargotunnel.com', settings: { flatten_cname: false, ipv4_only: false, ipv6_only: false }, tags: [] }]]);
  expect(changed.state).toEqual({ ...made.state, content: 'u.cfargotunnel.com', modifiedOn: '2026-08-15T12:00:00Z' });
  const uncommented = await update(changed, without(recordInputs({ content: 'u.cfargotunnel.com' }), 'comment'));
  expect(asked()).toEqual([[`PUT ${path}/${made.id}`, expect.objectContaining({ comment: null })]]);
  expect(uncommented.state).not.toHaveProperty('comment');
  expect(uncommented.state).not.toHaveProperty('commentModifiedOn');
  await settles(uncommented);
  await remove(uncommented);
  expect(asked()).toEqual([[`DELETE ${path}/${made.id}`]]);
  expect(account.records.size).toBe(0);
});

test('what makes another record, and what is none', async () => {
  const made = await create('DnsRecord', recordInputs());
  expect(await diff(made, recordInputs({ type: 'TXT' }))).toMatchObject({ replaces: ['type'], before: false });
  expect(await diff(made, recordInputs({ zoneId: 'c'.repeat(32) }))).toMatchObject({ replaces: ['zoneId'] });
  expect(await diff(made, recordInputs({ content: unknown }))).toMatchObject({ changes: expect.arrayContaining(['content']), replaces: [] });
  expect(await diff(made, recordInputs({ content: 'T.CFARGOTUNNEL.COM' }))).toMatchObject({ changes: [] });
  expect(await diff(made, recordInputs({ proxied: false }))).toMatchObject({ changes: expect.arrayContaining(['proxied']), replaces: [] });
});

test('the API writes the whole name of a record, which is no change', async () => {
  const made = await create('DnsRecord', recordInputs({ name: 'a' }));
  expect(made.state['name']).toBe('a');
  const found = await read(made);
  expect(found.state['name']).toBe('a.example.com');
  expect(await diff(found, recordInputs({ name: 'a' }))).toMatchObject({ changes: [] });
  expect(await diff(found, recordInputs({ name: 'b' }))).toMatchObject({ changes: expect.arrayContaining(['name']) });
});

test('a proxied record has no time to live of its own, which is looked at once', async () => {
  await expect(create('DnsRecord', recordInputs({ ttl: 300 }))).rejects.toMatchObject({ details: expect.stringContaining('ttl must be set to 1 when `proxied` is true') });
  expect(asked()).toEqual([]);
  const made = await create('DnsRecord', recordInputs());
  asked();
  await update(made, recordInputs({ ttl: 300 }));
  expect(asked()).toEqual([[expect.stringMatching(/^PUT/), expect.objectContaining({ proxied: true, ttl: 300 })]]);
});

test('a service token tells its secret once', async () => {
  const inputs = { accountId: account.id, name: 'edge', duration: '8760h' };
  const made = await create('ZeroTrustAccessServiceToken', inputs);
  const path = `/accounts/${account.id}/access/service_tokens`;
  expect(asked()).toEqual([[`POST ${path}`, { client_secret_version: 1, duration: '8760h', name: 'edge' }]]);
  const stored = account.serviceTokens.get(made.id);
  expect(made.state).toEqual({
    __meta: '{"schema_version":"500"}', ...inputs, id: made.id, clientId: stored?.clientId, clientSecret: stored?.secret, clientSecretVersion: 1, enabled: true, expiresAt: '2027-08-14T12:00:00Z',
  });
  const found = await settles(made);
  expect(found.state).toEqual(made.state);

  const longer = { ...inputs, duration: 'forever' };
  expect((await update(found, longer, true)).state).toMatchObject({ id: made.id, clientId: stored?.clientId, clientSecret: stored?.secret, expiresAt: unknown });
  const changed = await update(found, longer);
  expect(asked()).toEqual([[`PUT ${path}/${made.id}`, { client_secret_version: 1, duration: 'forever', name: 'edge' }]]);
  expect(changed.state).toEqual({ ...made.state, duration: 'forever', expiresAt: '9999-12-31T23:59:59Z' });

  const rotated = { ...longer, clientSecretVersion: 2, previousClientSecretExpiresAt: '2026-08-15T00:00:00Z' };
  expect((await update(changed, rotated, true)).state).toMatchObject({ clientId: stored?.clientId, clientSecret: unknown });
  const another = await update(changed, rotated);
  expect(asked()).toEqual([[`PUT ${path}/${made.id}`, { client_secret_version: 2, duration: 'forever', name: 'edge', previous_client_secret_expires_at: '2026-08-15T00:00:00Z' }]]);
  expect(another.state['clientSecret']).toBe(account.serviceTokens.get(made.id)?.secret);
  expect(another.state['clientSecret']).not.toBe(made.state['clientSecret']);
  await settles(another);
  expect(await diff(another, { ...rotated, accountId: 'b'.repeat(32) })).toMatchObject({ replaces: ['accountId'] });
  await remove(another);
  expect(asked()).toEqual([[`DELETE ${path}/${made.id}`]]);
});

test('a policy: posted, changed in place, deleted', async () => {
  const token = await create('ZeroTrustAccessServiceToken', { accountId: account.id, name: 'edge' });
  asked();
  const inputs = { accountId: account.id, name: 'machines', decision: 'non_identity', includes: [{ serviceToken: { tokenId: token.id } }], sessionDuration: '24h' };
  const made = await create('ZeroTrustAccessPolicy', inputs);
  const path = `/accounts/${account.id}/access/policies`;
  expect(asked()).toEqual([[`POST ${path}`, { decision: 'non_identity', include: [{ service_token: { token_id: token.id } }], name: 'machines', session_duration: '24h' }]]);
  expect(made.state).toEqual({ __meta: '{"schema_version":"500"}', ...inputs, id: made.id, appCount: 0, createdAt: now, reusable: true, updatedAt: now });
  await settles(made);

  const open: Props = { ...inputs, includes: [{ githubOrganization: { identityProviderId: 'i', name: 'o' } }, { everyone: {} }, { authMethod: { authMethod: 'mfa' } }, { anyValidServiceToken: {} }], excludes: [{ anyValidServiceToken: {} }] };
  expect(await diff(made, open)).toMatchObject({ changes: expect.arrayContaining(['includes', 'excludes']), replaces: [] });
  const changed = await update(made, open);
  expect(asked()).toEqual([[`PUT ${path}/${made.id}`, {
    decision: 'non_identity', exclude: [{ any_valid_service_token: {} }], include: [{ any_valid_service_token: {} }, { auth_method: { auth_method: 'mfa' } }, { everyone: {} }, { 'github-organization': { identity_provider_id: 'i', name: 'o' } }],
    name: 'machines', session_duration: '24h',
  }]]);
  await settles(changed);
  // One rule without anything in it is not the other.
  expect((await update(changed, { ...open, excludes: [{ certificate: {} }] })).state['excludes']).toEqual([{ certificate: {} }]);
  expect(asked()).toEqual([[`PUT ${path}/${made.id}`, expect.objectContaining({ exclude: [{ certificate: {} }] })]]);
  await remove(changed);
  expect(asked()).toEqual([[`DELETE ${path}/${made.id}`]]);
});

test('an application: posted with what its type brings, changed in place, deleted', async () => {
  const policy = await create('ZeroTrustAccessPolicy', { accountId: account.id, name: 'people', decision: 'allow', includes: [{ email: { email: 'ada@example.com' } }], sessionDuration: '24h' });
  asked();
  const inputs = { accountId: account.id, name: 'phoenix', domain: 'a.example.com', type: 'self_hosted', policies: [{ id: policy.id, precedence: 1 }], serviceAuth401Redirect: true };
  const made = await create('ZeroTrustAccessApplication', inputs);
  const path = `/accounts/${account.id}/access/apps`;
  const body = {
    app_launcher_visible: true, domain: 'a.example.com', http_only_cookie_attribute: true, name: 'phoenix', policies: [{ id: policy.id, precedence: 1 }], service_auth_401_redirect: true,
    session_duration: '24h', type: 'self_hosted',
  };
  expect(asked()).toEqual([[`POST ${path}`, body]]);
  const where = { selfHostedDomains: ['a.example.com'], destinations: [{ type: 'public', uri: 'a.example.com' }] };
  expect(made.state).toEqual({
    __meta: '{"schema_version":"500"}', ...inputs, ...where, id: made.id, aud: account.applications.get(made.id)?.['aud'], appLauncherVisible: true, httpOnlyCookieAttribute: true, sessionDuration: '24h',
  });
  const found = await settles(made);
  expect(found.state).toEqual(made.state);

  // A set with nothing in it is not none, before and after a refresh.
  expect(await diff(found, { ...inputs, tags: [] })).toEqual({ changes: ['tags'], replaces: [], before: false });
  await settles(await update(found, { ...inputs, tags: [] }));

  const shorter = { ...inputs, sessionDuration: '1h' };
  // Nothing else is told anew: nothing that depends on it is planned anew.
  expect(await diff(found, shorter)).toEqual({ changes: ['sessionDuration'], replaces: [], before: false });
  const changed = await update(found, shorter);
  expect(asked()).toEqual([[`PUT ${path}/${made.id}`, { ...body, destinations: [{ type: 'public', uri: 'a.example.com' }], self_hosted_domains: ['a.example.com'], session_duration: '1h' }]]);
  expect(changed.state).toEqual({ ...made.state, sessionDuration: '1h' });

  const moved = await update(changed, { ...shorter, domain: 'b.example.com/x' });
  expect(asked()).toEqual([[`PUT ${path}/${made.id}`, { ...body, domain: 'b.example.com/x', session_duration: '1h' }]]);
  expect(moved.state).toMatchObject({ domain: 'b.example.com/x', selfHostedDomains: ['b.example.com/x'], destinations: [{ uri: 'b.example.com/x' }] });
  const alone = await update(moved, without({ ...shorter, domain: 'b.example.com/x' }, 'policies'));
  expect(asked()).toEqual([[`PUT ${path}/${made.id}`, expect.objectContaining({ policies: [] })]]);
  await settles(alone);
  await remove(alone);
  expect(asked()).toEqual([[`DELETE ${path}/${made.id}`]]);
});

test('policies of an application are in order, and a first one has the first place', async () => {
  const policy = async (name: string) => (await create('ZeroTrustAccessPolicy', { accountId: account.id, name, decision: 'allow', includes: [{ everyone: {} }] })).id;
  const [a, b] = [await policy('a'), await policy('b')];
  asked();
  const made = await create('ZeroTrustAccessApplication', { accountId: account.id, name: 'n', domain: 'a.example.com', type: 'self_hosted', policies: [{ id: a }, { id: b }] });
  expect(asked()).toEqual([[expect.any(String), expect.objectContaining({ policies: [{ id: a, precedence: 1 }, { id: b, precedence: 2 }] })]]);
  expect(made.state['policies']).toEqual([{ id: a, precedence: 1 }, { id: b, precedence: 2 }]);
  expect(await diff(made, made.inputs)).toMatchObject({ changes: [] });
});

test('what was changed or removed elsewhere shows at a refresh, without which it cannot be deleted', async () => {
  const [record, policy] = [await create('DnsRecord', recordInputs()), await create('ZeroTrustAccessPolicy', { accountId: account.id, name: 'p', decision: 'allow', includes: [{ everyone: {} }], sessionDuration: '24h' })];
  const stored = account.records.get(record.id);
  account.records.set(record.id, { ...stored, content: 'elsewhere.example.com' } as NonNullable<typeof stored>);
  const found = await read(record);
  expect(found).toMatchObject({ state: { content: 'elsewhere.example.com' }, inputs: { content: 'elsewhere.example.com' } });
  expect(await diff(found, recordInputs())).toMatchObject({ changes: expect.arrayContaining(['content']), replaces: [] });
  account.records.clear();
  account.policies.clear();
  expect((await read(record)).id).toBe('');
  expect((await read(policy)).id).toBe('');
  await expect(remove(record)).rejects.toMatchObject({ details: expect.stringContaining('404 Not Found {"success":false,"errors":[{"code":81044,"message":"Record does not exist."}]') });
  await expect(remove(policy)).rejects.toMatchObject({ details: expect.stringContaining('404 Not Found') });
});

test('a tunnel that was deleted elsewhere stays recorded, as with the published provider', async () => {
  const made = await create('ZeroTrustTunnelCloudflared', tunnelInputs());
  const tunnel = account.tunnels.get(made.id);
  Object.assign(tunnel ?? {}, { deleted: now });
  const found = await read(made);
  expect(found).toMatchObject({ id: made.id, state: { deletedAt: now } });
  expect(await diff(found, tunnelInputs())).toMatchObject({ changes: [] });
});

test('what is there already can be imported', async () => {
  const [tunnel, record] = [await create('ZeroTrustTunnelCloudflared', tunnelInputs()), await create('DnsRecord', recordInputs())];
  const token = await create('ZeroTrustAccessServiceToken', { accountId: account.id, name: 'edge' });
  const imported = (made: Made, id: string) => read({ type: made.type, id, state: {}, inputs: {} });
  expect((await imported(tunnel, `${account.id}/${tunnel.id}`)).state).toEqual(without(tunnel.state, 'tunnelSecret'));
  expect(await imported(tunnel, `${account.id}/${tunnel.id}`)).toMatchObject({ id: tunnel.id, inputs: { accountId: account.id, name: 'lab', configSrc: 'cloudflare' } });
  expect(await imported(record, `${record.state['zoneId'] as string}/${record.id}`)).toMatchObject({ id: record.id, inputs: { content: 't.cfargotunnel.com' } });
  expect((await imported(token, `accounts/${account.id}/${token.id}`)).state).toEqual(without(token.state, 'clientSecret', 'clientSecretVersion'));
  const config = { ...tunnel, type: 'ZeroTrustTunnelCloudflaredConfig' };
  expect(await imported(config, `${account.id}/${tunnel.id}`)).toMatchObject({ id: tunnel.id, state: { tunnelId: tunnel.id, accountId: account.id, version: 0 } });
  await expect(imported(tunnel, tunnel.id)).rejects.toMatchObject({ details: expect.stringContaining('invalid ID: expected urlencoded segments "<account_id>/<tunnel_id>"') });
});

test('a zone is found by its name, and the token of a tunnel asked for', async () => {
  const { id } = account.zones[0] as { id: string };
  const zone = await invoke('getZone', { filter: { name: 'example.com', account: { id: account.id } } });
  expect(asked()).toEqual([[`GET /zones?account.id=${account.id}&name=example.com`], [`GET /zones/${id}`]]);
  expect(zone).toMatchObject({ id, zoneId: id, name: 'example.com', status: 'active', account: { id: account.id, name: 'Laboratory' }, filter: { name: 'example.com' }, nameServers: expect.any(Array) });
  expect(await invoke('getZone', { zoneId: id })).toMatchObject({ zoneId: id, name: 'example.com' });
  await expect(invoke('getZone', { filter: { name: 'example.org' } })).rejects.toMatchObject({ details: expect.stringContaining('failed to find exactly one result: 0 found') });

  const tunnel = await create('ZeroTrustTunnelCloudflared', tunnelInputs());
  asked();
  const { token, ...rest } = await invoke('getZeroTrustTunnelCloudflaredToken', { accountId: account.id, tunnelId: tunnel.id });
  expect(rest).toEqual({ accountId: account.id, tunnelId: tunnel.id });
  expect(JSON.parse(Buffer.from(token as string, 'base64').toString())).toEqual({ a: account.id, t: tunnel.id, s: secret });
  expect(asked()).toEqual([[`GET /accounts/${account.id}/cfd_tunnel/${tunnel.id}/token`]]);
});

test.each<[type: string, inputs: () => Props, rights: Rights]>([
  ['ZeroTrustTunnelCloudflared', tunnelInputs, { ...allRights, tunnel: 'read' }],
  ['DnsRecord', recordInputs, { zone: 'read', tunnel: 'write' }],
  ['ZeroTrustAccessServiceToken', () => ({ accountId: account.id, name: 'n' }), { access: 'write' }],
  ['ZeroTrustAccessPolicy', () => ({ accountId: account.id, name: 'n', decision: 'allow', includes: [{ everyone: {} }] }), { serviceTokens: 'write' }],
  ['ZeroTrustAccessApplication', () => ({ accountId: account.id, name: 'n', domain: 'a.example.com', type: 'self_hosted' }), { access: 'read' }],
])('a token without the permission for %s is refused in the words of the API, once', async (type, inputs, rights) => {
  await configured(rights);
  await expect(create(type, inputs())).rejects.toMatchObject({
    details: expect.stringMatching(/^failed to make http request: POST "http:.*": 403 Forbidden \{"success":false,"errors":\[\{"code":10000,"message":"Authentication error"\}\],"messages":\[\],"result":null\}$/),
  });
  expect(account.requests).toHaveLength(1);
});

test('without a token the API says so; one of another form does not get that far', async () => {
  const before = process.env['CLOUDFLARE_API_TOKEN'];
  delete process.env['CLOUDFLARE_API_TOKEN'];
  try {
    service = methods(cloudflare(new Cloudflare()));
    await configure({ baseUrl });
    await expect(create('ZeroTrustTunnelCloudflared', tunnelInputs())).rejects.toMatchObject({ details: expect.stringContaining('400 Bad Request {"success":false,"errors":[{"code":9106,"message":"Missing X-Auth-Key, X-Auth-Email or Authorization headers"}]') });
    await expect(configure({ baseUrl, apiToken: 'short' })).rejects.toMatchObject({ details: 'could not validate provider configuration: Invalid Attribute Value. Attribute api_token API tokens must only contain characters a-z, A-Z, 0-9, hyphens and underscores. Check `pulumi config get cloudflare:apiToken`.' });
    await expect(configure({ baseUrl, apiKey: 'k', email: 'e' })).rejects.toMatchObject({ details: expect.stringContaining('does not know cloudflare:apiKey, cloudflare:email') });
    await configure({ baseUrl, apiToken: 'x'.repeat(40) });
    await expect(create('ZeroTrustTunnelCloudflared', tunnelInputs())).rejects.toMatchObject({ details: expect.stringContaining('401 Unauthorized {"success":false,"errors":[{"code":1000,"message":"Invalid API Token"}]') });
    process.env['CLOUDFLARE_API_TOKEN'] = account.issueToken();
    await configure({ baseUrl });
    await create('ZeroTrustTunnelCloudflared', tunnelInputs());
    // The engine marks what is a secret of the stack, and means what is in it.
    await configure({ baseUrl, apiToken: { '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270', value: account.issueToken({ dns: 'write' }) } });
    await expect(create('ZeroTrustTunnelCloudflared', tunnelInputs({ name: 'other' }))).rejects.toMatchObject({ details: expect.stringContaining('403 Forbidden') });
  } finally {
    if (before === undefined) {
      delete process.env['CLOUDFLARE_API_TOKEN'];
    } else {
      process.env['CLOUDFLARE_API_TOKEN'] = before;
    }
  }
});

test('what may pass is tried again, as long as the API says', async () => {
  account.faults.add({ method: 'POST', path: /cfd_tunnel$/, status: 503, times: 2 });
  const made = await create('ZeroTrustTunnelCloudflared', tunnelInputs());
  expect(made.state['name']).toBe('lab');
  expect(account.requests.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST']);
  expect(waits).toEqual([10, 10]);
});

test('and for three and a half minutes where it says nothing', async () => {
  const port = (server.address() as AddressInfo).port;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(create('ZeroTrustTunnelCloudflared', tunnelInputs())).rejects.toMatchObject({ details: expect.stringMatching(new RegExp(`POST "http://127.0.0.1:${port}/.*ECONNREFUSED`)) });
  const longest = [2, 4, 8, 16, 30, 30, 30, 30, 30, 30].map((seconds) => seconds * 1000);
  expect(waits).toHaveLength(10);
  waits.forEach((wait, i) => {
    expect(wait).toBeLessThanOrEqual(longest[i] as number);
    expect(wait).toBeGreaterThanOrEqual((longest[i] as number) * 0.75);
  });
  server.listen(0);
});

test('a tunnel that was made although the answer said otherwise is in the way of the next try', async () => {
  account.faults.add({ method: 'POST', path: /cfd_tunnel$/, status: 502, carriedOut: true });
  await expect(create('ZeroTrustTunnelCloudflared', tunnelInputs())).rejects.toMatchObject({ details: expect.stringContaining('409 Conflict {"success":false,"errors":[{"code":1013,"message":"You already have a tunnel with this name.') });
  expect([...account.tunnels.values()].map(({ name }) => name)).toEqual(['lab']);
  expect(account.requests).toHaveLength(11);
});

test('an update that fails records nothing, and is made by the next', async () => {
  const made = await create('ZeroTrustTunnelCloudflared', tunnelInputs());
  account.faults.add({ method: 'PATCH', path: /cfd_tunnel/, status: 400, code: 1001, message: 'no' });
  const failed = update(made, tunnelInputs({ name: 'other' }));
  await expect(failed).rejects.toMatchObject({ details: expect.stringContaining('{"code":1001,"message":"no"}') });
  // Nothing half-way, which would take the change for made.
  await expect(failed).rejects.not.toHaveProperty('metadata');
  expect(await diff(made, tunnelInputs({ name: 'other' }))).toMatchObject({ changes: expect.arrayContaining(['name']) });
  expect((await update(made, tunnelInputs({ name: 'other' }))).state['name']).toBe('other');
});

test.each<[type: string, inputs: () => Props, failures: string[]]>([
  ['ZeroTrustTunnelCloudflared', () => tunnelInputs({ configSrc: 'remote' }), ['Invalid Attribute Value Match. Attribute config_src value must be one of: ["local" "cloudflare"], got: "remote". Examine values at \'x.configSrc\'.']],
  ['DnsRecord', () => recordInputs({ type: 'CNAM' }), [expect.stringContaining('Attribute type value must be one of: ["A" "AAAA" "CNAME"')]],
  ['ZeroTrustAccessPolicy', () => ({ accountId: 'a', name: 'n', decision: 'nonIdentity' }), [expect.stringContaining('["allow" "deny" "non_identity" "bypass"], got: "nonIdentity"')]],
  ['ZeroTrustAccessPolicy', () => ({ accountId: 'a', name: 'n', decision: 'allow', includes: [{ everyone: {}, ip: { ip: '::/0' } }] }), ["Invalid Attribute Value. Attribute include must contain at most 1 elements, got: 2. Examine values at 'x.includes'."]],
  ['ZeroTrustAccessPolicy', () => ({ accountId: 'a', name: 'n', decision: unknown, includes: [unknown, { serviceToken: { tokenId: unknown } }] }), []],
  ['ZeroTrustAccessServiceToken', () => ({ accountId: 'a', name: 'n', clientSecretVersion: 2 }), [expect.stringContaining('Attribute "previous_client_secret_expires_at" must be specified when "client_secret_version" is specified')]],
  ['ZeroTrustAccessApplication', () => ({ accountId: 'a', type: 'self_hosted', sessionDuration: '1d' }), [expect.stringContaining('as valid units, got: 1d')]],
  ['ZeroTrustAccessApplication', () => ({ accountId: 'a', type: 'saas' }), [expect.stringContaining("'self_hosted' only")]],
  ['ZeroTrustAccessApplication', () => ({ accountId: 'a', type: 'self_hosted', saasApp: {} }), [expect.stringContaining('Invalid or unknown key')]],
  ['ZeroTrustTunnelCloudflared', () => ({ accountId: 'a' }), [expect.stringContaining('The argument "name" is required')]],
])('%s: a mistake shows before anything is asked', async (type, inputs, failures) => {
  expect((await checked(type, inputs())).failures).toEqual(failures);
  expect(asked()).toEqual([]);
});
