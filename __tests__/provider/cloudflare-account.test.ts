import type { Problem } from '../../settings/problem';
import { cloudflareAccount } from '../../provider/cloudflare-account';
import type { CloudflareAccountInputs } from '../../components/observability-contract';
import { CloudflareApi } from '../../provider/cloudflare-api';
import { setEnvironment } from '../support/environment';
import { nobody, site, type Reply, type Site } from '../support/web';

const apiToken = 'the-api-token-of-40-characters-0123456789';
const accountId = 'a'.repeat(32);
const otherAccount = 'b'.repeat(32);
const account = `/accounts/${accountId}`;
const zoneId = 'c'.repeat(32);
const records = `/zones/${zoneId}/dns_records`;
const noUuid = '00000000-0000-0000-0000-000000000000';
const noHexId = '00000000000000000000000000000000';

interface Zone {
  readonly id: string;
  readonly name: string;
  readonly account: { readonly id: string };
}
const zone = (name: string, of = accountId, id = `id-of-${name}`): Zone => ({ id, name, account: { id: of } });
const ours = zone('example.com', accountId, zoneId);

/** What Cloudflare has, and what a token that it takes may do there. */
interface Told {
  /** Of the token. Default: active. */
  readonly status?: string;
  /** Whether the token is one of the account and not of a person. */
  readonly ofAccount?: boolean;
  /** Zones that the token may read. Default: the one of the stack. */
  readonly zones?: readonly Zone[];
  readonly tunnels?: readonly { readonly id: string; readonly name: string }[];
  readonly records?: readonly { readonly name: string; readonly type: string; readonly content: string }[];
  /** Paths that the token may not read, and below which it may not write. */
  readonly unreadable?: readonly string[];
  readonly unwritable?: readonly string[];
}

const good = (result: unknown): Reply => ({ body: { success: true, errors: [], messages: [], result } });
const bad = (status: number, code: number, message: string): Reply => ({ status, body: { success: false, errors: [{ code, message }], messages: [], result: null } });
const forbidden = bad(403, 10000, 'Authentication error');

/** The API of Cloudflare, as far as an account is looked at. */
function api(told: Told): Promise<Site> {
  const { status = 'active', ofAccount = false, zones = [ours], unreadable = [], unwritable = [] } = told;
  return site(({ method, url, headers }) => {
    const [path = '', query] = url.split('?');
    const asked = new URLSearchParams(query);
    const listed = (all: readonly { readonly name: string }[], name: string | null): Reply => good(all.filter((one) => name === null || one.name === name));
    if (headers.authorization !== `Bearer ${apiToken}`) {
      return bad(401, 1000, 'Invalid API Token');
    }
    if (method === 'DELETE') {
      return unwritable.some((place) => path.startsWith(`${place}/`)) ? forbidden : bad(404, 1003, 'not found');
    }
    if (unreadable.includes(path)) {
      return forbidden;
    }
    switch (path) {
      case '/user/tokens/verify':
        return ofAccount ? bad(401, 1000, 'Invalid API Token') : good({ id: 'id', status });
      case `${account}/tokens/verify`:
        return ofAccount ? good({ id: 'id', status }) : bad(404, 1001, 'Token not found');
      case '/zones':
        return listed(zones, asked.get('name'));
      case `${account}/cfd_tunnel`:
        return listed(told.tunnels ?? [], asked.get('name'));
      case records:
        return listed(told.records ?? [], asked.get('name.exact'));
      default:
        return good([]);
    }
  });
}

const inputsAt = (baseUrl: string): CloudflareAccountInputs => ({
  baseUrl,
  apiToken,
  accountId,
  zone: 'example.com',
  tunnel: 'my-tunnel',
  hostnames: [{ hostname: 'phoenix.example.com', setting: 'tunnel:hostname' }, { hostname: 'grafana.example.com', setting: 'tunnel:routes' }],
  access: true,
  serviceTokens: true,
});

interface Looked {
  readonly problems: readonly Problem[];
  readonly asked: readonly string[];
}

/**
 * Looks at an account, and sees to it that the token is in nothing that is said of it.
 * @param before inputs of the one that is there, where they are others; null: there is none
 */
async function look(told: Told, changes: Partial<CloudflareAccountInputs> = {}, before: Partial<CloudflareAccountInputs> | null = null): Promise<Looked> {
  const { url, requests } = await api(told);
  const inputs = { ...inputsAt(url), ...changes };
  const problems = (await cloudflareAccount().check?.(inputs, before ? { ...inputs, ...before } : undefined)) ?? [];
  expect(JSON.stringify(problems)).not.toContain(apiToken);
  return { problems, asked: requests.map(({ method, url: asked }) => `${method} ${asked}`).sort() };
}

const mendToken = ['pulumi config set --secret cloudflare:apiToken'];
const lacks = (missing: string): Problem => ({
  key: 'cloudflare:apiToken',
  rule: `the API token lacks ${missing} (of the account and zone of this stack); add them at dash.cloudflare.com/profile/api-tokens; the token stays the same`,
  mend: mendToken,
});
const refused = (why: string): Problem => ({
  key: 'cloudflare:apiToken',
  rule: `Cloudflare does not take it: ${why}; create a new one at dash.cloudflare.com/profile/api-tokens`,
  mend: mendToken,
});

describe('an account that has what the stack needs', () => {
  const always = ['GET /user/tokens/verify', 'GET /zones?name=example.com', `GET ${account}/cfd_tunnel?per_page=1`, `GET ${records}?per_page=1`];
  const access = [`GET ${account}/access/apps?per_page=1`, `GET ${account}/access/policies?per_page=1`];
  const serviceTokens = [`GET ${account}/access/service_tokens?per_page=1`];
  const tunnel = [`GET ${account}/cfd_tunnel?name=my-tunnel&is_deleted=false`];
  const names = [`GET ${records}?name.exact=phoenix.example.com`, `GET ${records}?name.exact=grafana.example.com`];

  test.each<[string, Partial<CloudflareAccountInputs>, Partial<CloudflareAccountInputs> | null, string[]]>([
    ['with everything', {}, null, [...always, ...access, ...serviceTokens, ...tunnel, ...names]],
    ['without service tokens', { serviceTokens: false }, null, [...always, ...access, ...tunnel, ...names]],
    ['with nothing of Access', { access: false, serviceTokens: false }, null, [...always, ...tunnel, ...names]],
    ['its own names again', {}, {}, [...always, ...access, ...serviceTokens]],
    ['a name that it has not had', {}, { hostnames: [{ hostname: 'phoenix.example.com', setting: 'tunnel:hostname' }] }, [...always, ...access, ...serviceTokens, ...names.slice(1)]],
    ['a tunnel that it has not had', {}, { tunnel: 'another' }, [...always, ...access, ...serviceTokens, ...tunnel]],
    ['what it had in another account', {}, { accountId: otherAccount }, [...always, ...access, ...serviceTokens, ...tunnel, ...names]],
  ])('%s: asked for what has to be known, and no more', async (_, changes, before, questions) => {
    expect(await look({}, changes, before)).toEqual({ problems: [], asked: [...questions].sort() });
  });

  test('a token of the account instead of a person is looked for at its own place', async () => {
    const { problems, asked } = await look({ ofAccount: true });
    expect(problems).toEqual([]);
    expect(asked).toContain(`GET ${account}/tokens/verify`);
  });

  test('without one in the settings the token is that of the environment', async () => {
    setEnvironment({ CLOUDFLARE_API_TOKEN: apiToken });
    expect((await look({}, { apiToken: '' })).problems).toEqual([]);
    setEnvironment({ CLOUDFLARE_API_TOKEN: 'another' });
    expect((await look({}, { apiToken: '' })).problems).toEqual([refused('1000 Invalid API Token')]);
    setEnvironment({ CLOUDFLARE_API_TOKEN: undefined });
    expect((await look({}, { apiToken: '' })).problems).toEqual([refused('1000 Invalid API Token')]);
  });
});

describe('an API that does not answer', () => {
  test.each<[string, () => Promise<string>, string]>([
    ['nobody listens', nobody, 'connection refused'],
    ['something else does', async () => (await site(() => ({ body: '<!doctype html>' }))).url, 'no JSON but <!doctype html>'],
  ])('%s: a new stack is refused, one that stands goes on', async (_, at, why) => {
    const said = jest.spyOn(console, 'error').mockImplementation();
    try {
      const url = await at();
      const check = (before?: CloudflareAccountInputs): unknown => cloudflareAccount().check?.(inputsAt(url), before);
      expect(await check()).toEqual([{ key: 'cloudflare:baseUrl', rule: `the Cloudflare API at ${url} does not answer (${why})`, mend: [`curl ${url}/user/tokens/verify`] }]);
      expect(said).not.toHaveBeenCalled();
      expect(await check(inputsAt(url))).toEqual([]);
      expect(said.mock.calls).toEqual([[`the Cloudflare API at ${url} does not answer (${why}); whether the account still has what the tunnel needs is not known.`]]);
    } finally {
      said.mockRestore();
    }
  });
});

describe('a token that Cloudflare does not take', () => {
  const both = ['GET /user/tokens/verify', `GET ${account}/tokens/verify`].sort();

  test.each<[string, Told, Partial<CloudflareAccountInputs>, string, string[]]>([
    ['is none', {}, { apiToken: 'something-else' }, '1000 Invalid API Token', both],
    ['has expired', { status: 'expired' }, {}, 'the token is expired', ['GET /user/tokens/verify']],
    ['is disabled', { status: 'disabled' }, {}, 'the token is disabled', ['GET /user/tokens/verify']],
    ['is one of the account and has expired', { status: 'expired', ofAccount: true }, {}, 'the token is expired', both],
  ])('it %s: nothing else is asked, and it is the only problem', async (_, told, changes, why, asked) => {
    expect(await look(told, changes)).toEqual({ problems: [refused(why)], asked });
    // Nor does a stack that stands go on with it.
    expect(await look(told, changes, {})).toEqual({ problems: [refused(why)], asked });
  });

  test('nothing is said of it but a status', async () => {
    const { url } = await site(() => ({ status: 401, body: {} }));
    expect(await cloudflareAccount().check?.(inputsAt(url), undefined)).toEqual([refused('it answers 401')]);
  });
});

describe('a token that lacks a permission', () => {
  test.each<[string, string[], string]>([
    ['of the tunnel', [`${account}/cfd_tunnel`], 'the permission Cloudflare Tunnel Write'],
    ['of the records', [records], 'the permission DNS Write'],
    ['of the applications', [`${account}/access/apps`], 'the permission Access: Apps and Policies Write'],
    ['of the policies', [`${account}/access/policies`], 'the permission Access: Apps and Policies Write'],
    ['of both of these', [`${account}/access/apps`, `${account}/access/policies`], 'the permission Access: Apps and Policies Write'],
    ['of the service tokens', [`${account}/access/service_tokens`], 'the permission Access: Service Tokens Write'],
    ['of the zones', ['/zones'], 'the permission Zone Read'],
    ['of several', [`${account}/access/service_tokens`, records, `${account}/cfd_tunnel`], 'the permissions Cloudflare Tunnel Write, DNS Write, Access: Service Tokens Write'],
    ['of the zones and others', ['/zones', `${account}/access/apps`, `${account}/cfd_tunnel`], 'the permissions Zone Read, Cloudflare Tunnel Write, Access: Apps and Policies Write'],
  ])('%s', async (_, unreadable, missing) => expect((await look({ unreadable })).problems).toEqual([lacks(missing)]));

  test('zones that are not shown, without a word', async () => {
    const { problems, asked } = await look({ zones: [] });
    expect(problems).toEqual([lacks('the permission Zone Read')]);
    // Nothing is asked of a zone that is not known.
    expect(asked.filter((question) => question.includes('zones'))).toEqual(['GET /zones?name=example.com', 'GET /zones?per_page=50']);
  });

  test.each<[string, Partial<CloudflareAccountInputs>, string]>([
    ['Access', { access: false, serviceTokens: false }, `${account}/access/apps`],
    ['service tokens', { serviceTokens: false }, `${account}/access/service_tokens`],
  ])('a stack without %s needs none for it', async (_, changes, place) => {
    expect((await look({ unreadable: [place] }, changes)).problems).toEqual([]);
  });

  test('an old token that has lost one is no less a problem', async () => {
    expect((await look({ unreadable: [records] }, {}, {})).problems).toEqual([lacks('the permission DNS Write')]);
  });
});

describe('a zone', () => {
  test('that is in another account, which is then the one', async () => {
    const { problems, asked } = await look({ zones: [zone('example.com', otherAccount)] });
    expect(problems).toEqual([{
      key: 'cloudflare:accountId',
      value: accountId,
      rule: `the zone example.com is in the account ${otherAccount}`,
      mend: [`pulumi config set cloudflare:accountId ${otherAccount}`],
    }]);
    expect(asked).toEqual(['GET /user/tokens/verify', 'GET /zones?name=example.com']);
  });

  const many = ['one.com', 'two.com', 'three.com', 'four.com', 'five.com'];
  test.each<[string, Zone[], string, string]>([
    ['others', [zone('one.com'), zone('elsewhere.com', otherAccount), zone('two.com')], ', only one.com, two.com', 'one.com'],
    ['five others', many.map((name) => zone(name)), ', only one.com, two.com, three.com, four.com, five.com', 'one.com'],
    ['more than five others', [...many, 'six.com'].map((name) => zone(name)), ', only one.com, two.com, three.com, four.com, five.com and more', 'one.com'],
    ['only those of other accounts', [zone('elsewhere.com', otherAccount)], '', 'example.com'],
    ['one that is only like it', [zone('my-example.com')], ', only my-example.com', 'my-example.com'],
  ])('that is not there, while the token shows %s', async (_, zones, only, offer) => {
    expect((await look({ zones })).problems).toEqual([{
      key: 'tunnel:zone',
      value: 'example.com',
      rule: `the account has no such zone that the API token may read${only}`,
      mend: [`pulumi config set tunnel:zone ${offer}`],
    }]);
  });

  test('that is not there is told with everything else', async () => {
    const { problems } = await look({ zones: [zone('one.com')], unreadable: [`${account}/access/apps`], tunnels: [{ id: 't1', name: 'my-tunnel' }] });
    expect(problems.map(({ key }) => key)).toEqual(['cloudflare:apiToken', 'tunnel:zone', 'tunnel:name']);
  });
});

describe('a name that somebody else has', () => {
  const tunnels = [{ id: 'f70ff985', name: 'my-tunnel' }];
  const phoenix = { name: 'phoenix.example.com', type: 'CNAME', content: 'elsewhere.example.net' };
  const grafana = { name: 'grafana.example.com', type: 'A', content: '192.0.2.7' };
  const tunnelTaken: Problem = {
    key: 'tunnel:name',
    value: 'my-tunnel',
    rule: 'the account has a tunnel of that name already (f70ff985), which this stack did not create',
    mend: ['pulumi config set tunnel:name my-tunnel-2'],
  };
  const phoenixTaken: Problem = {
    key: 'tunnel:hostname',
    value: 'phoenix.example.com',
    rule: 'the zone has a record of that name already (CNAME elsewhere.example.net), which this stack did not create; remove it at dash.cloudflare.com, or choose a different hostname',
    mend: ['pulumi config set tunnel:hostname phoenix-2.example.com'],
  };
  const grafanaTaken: Problem = {
    key: 'tunnel:routes',
    value: 'grafana.example.com',
    rule: 'the zone has a record of that name already (A 192.0.2.7), which this stack did not create; remove it at dash.cloudflare.com, or choose a different hostname',
    mend: ['pulumi config set tunnel:routes grafana-2.example.com=http://SERVICE:PORT'],
  };

  test.each<[string, Told, Partial<CloudflareAccountInputs> | null, Problem[]]>([
    ['that of the tunnel', { tunnels }, null, [tunnelTaken]],
    ['of the tunnel, of a stack that had another', { tunnels }, { tunnel: 'another' }, [tunnelTaken]],
    ['of the tunnel, of a stack that had it in another account', { tunnels }, { accountId: otherAccount }, [tunnelTaken]],
    ['the tunnel is the own one', { tunnels }, {}, []],
    ['a hostname', { records: [phoenix] }, null, [phoenixTaken]],
    ['that of a further route', { records: [grafana] }, null, [grafanaTaken]],
    ['a hostname, of a stack that had another', { records: [phoenix] }, { hostnames: [{ hostname: 'grafana.example.com', setting: 'tunnel:routes' }] }, [phoenixTaken]],
    ['the hostname is an own one, whatever it was for', { records: [phoenix, grafana] }, { hostnames: [{ hostname: 'phoenix.example.com', setting: 'tunnel:routes' }, { hostname: 'grafana.example.com', setting: 'tunnel:hostname' }] }, []],
    ['with two addresses, told once', { records: [{ ...phoenix, type: 'AAAA', content: '2001:db8::7' }, phoenix] }, null, [{ ...phoenixTaken, rule: phoenixTaken.rule.replace('CNAME elsewhere.example.net', 'AAAA 2001:db8::7') }]],
    ['a record of a kind that stands beside', { records: [{ ...phoenix, type: 'TXT', content: 'v=1' }] }, null, []],
    ['all of them', { tunnels, records: [phoenix, grafana] }, null, [tunnelTaken, phoenixTaken, grafanaTaken]],
  ])('%s', async (_, told, before, problems) => expect((await look(told, {}, before)).problems).toEqual(problems));

  test('what is only like it, in the answer of an API that does not filter', async () => {
    const { url } = await site(({ url: asked }) => good(
      asked.endsWith('/verify') ? { status: 'active' } : asked.startsWith('/zones?') ? [zone('my-example.com'), ours] : [{ id: 't', name: 'my-tunnel-2', type: 'A', content: '192.0.2.7' }]));
    expect(await cloudflareAccount().check?.(inputsAt(url), undefined)).toEqual([]);
  });
});

describe('create and update', () => {
  const changes: [string, (inputs: CloudflareAccountInputs) => Promise<unknown>][] = [
    ['create', (inputs) => cloudflareAccount().create(inputs)],
    ['update', (inputs) => cloudflareAccount().update({ ...inputs, zoneId: 'an earlier one' }, inputs)],
  ];

  test.each(changes)('%s: tells the zone, and has tried to remove what is not there', async (_, change) => {
    const { url, requests } = await api({ zones: [zone('example.com', otherAccount), ours] });
    const inputs = inputsAt(url);
    expect(await change(inputs)).toEqual({ ...inputs, zoneId });
    expect(requests.map(({ method, url: asked }) => `${method} ${asked}`).sort()).toEqual([
      `DELETE ${account}/access/apps/${noUuid}`,
      `DELETE ${account}/access/policies/${noUuid}`,
      `DELETE ${account}/access/service_tokens/${noUuid}`,
      `DELETE ${account}/cfd_tunnel/${noUuid}`,
      `DELETE ${records}/${noHexId}`,
      'GET /zones?name=example.com',
    ]);
  });

  test.each<[string, string[], Partial<CloudflareAccountInputs>, string]>([
    ['of the tunnel', [`${account}/cfd_tunnel`], {}, 'the permission Cloudflare Tunnel Write'],
    ['of the records', [records], {}, 'the permission DNS Write'],
    ['of the applications', [`${account}/access/apps`], {}, 'the permission Access: Apps and Policies Write'],
    ['of the policies', [`${account}/access/policies`], {}, 'the permission Access: Apps and Policies Write'],
    ['of the service tokens', [`${account}/access/service_tokens`], {}, 'the permission Access: Service Tokens Write'],
    ['of several', [records, `${account}/access/policies`, `${account}/access/apps`], {}, 'the permissions DNS Write, Access: Apps and Policies Write'],
  ])('a token that may read and not write: %s', async (_, unwritable, more, missing) => {
    for (const [, change] of changes) {
      const { url } = await api({ unwritable });
      await expect(change({ ...inputsAt(url), ...more })).rejects.toThrow(new Error(`${lacks(missing).rule}.\n    pulumi config set --secret cloudflare:apiToken`));
    }
  });

  test.each<[string, Partial<CloudflareAccountInputs>, string]>([
    ['Access', { access: false, serviceTokens: false }, `${account}/access/policies`],
    ['service tokens', { serviceTokens: false }, `${account}/access/service_tokens`],
  ])('a stack without %s tries nothing there', async (_, more, place) => {
    const { url, requests } = await api({ unwritable: [place] });
    const inputs = { ...inputsAt(url), ...more };
    expect(await cloudflareAccount().create(inputs)).toEqual({ ...inputs, zoneId });
    expect(requests.filter(({ url: asked }) => asked.startsWith(place))).toEqual([]);
  });

  test.each<[string, Zone[]]>([
    ['gone', []],
    ['in another account', [zone('example.com', otherAccount)]],
  ])('a zone that is %s by then: nothing is tried', async (_, zones) => {
    const { url, requests } = await api({ zones });
    await expect(cloudflareAccount().create(inputsAt(url))).rejects.toThrow(new Error('Cloudflare no longer shows the zone example.com'));
    expect(requests.filter(({ method }) => method === 'DELETE')).toEqual([]);
  });
});

describe('an answer of the API', () => {
  test.each<[string, Reply, object]>([
    ['a result', good({ id: 'x' }), { status: 200, result: { id: 'x' }, message: '' }],
    ['an empty list', good([]), { status: 200, result: [], message: '' }],
    ['no result', good(null), { status: 200, result: undefined, message: '' }],
    ['the first of its errors', { status: 400, body: { errors: [{ code: 6003, message: 'Invalid request headers' }, { code: 1, message: 'more' }] } }, { status: 400, result: undefined, message: '6003 Invalid request headers' }],
    ['errors in words of another', { status: 502, body: `<html> ${'x'.repeat(200)}` }, { status: 502, result: undefined, message: `no JSON but <html> ${'x'.repeat(93)}` }],
    ['a page of another', { body: '\n<html>\n' }, { status: 0, result: undefined, message: 'no JSON but <html>' }],
    ['a redirect', { status: 302, headers: { location: '/login' }, body: 'moved' }, { status: 0, result: undefined, message: 'no JSON but moved' }],
    ['JSON that is no object', { body: 'null' }, { status: 0, result: undefined, message: 'no JSON but null' }],
  ])('%s', async (_, reply, answer) => {
    const { url, requests } = await site(() => reply);
    expect(await new CloudflareApi(url, apiToken).get('/some?path')).toEqual(answer);
    expect(requests).toMatchObject([{ method: 'GET', url: '/some?path', headers: { authorization: `Bearer ${apiToken}` } }]);
  });

  test.each([[200, true], [400, true], [404, true], [405, true], [401, false], [403, false]])('to a removal: %d means that it may write: %s', async (status, may) => {
    const { url, requests } = await site(() => bad(status, 1, 'whatever'));
    expect(await new CloudflareApi(url, apiToken).mayWrite('/things', 'none')).toBe(may);
    expect(requests).toMatchObject([{ method: 'DELETE', url: '/things/none', headers: { authorization: `Bearer ${apiToken}` } }]);
  });

  test('none', async () => {
    expect(await new CloudflareApi(await nobody(), apiToken).get('/some')).toEqual({ status: 0, result: undefined, message: 'connection refused' });
  });
});
