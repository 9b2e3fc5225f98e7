import { at } from '../../engine';
import { PhoenixApi, Refused, Unreachable } from '../../provider/phoenix-api';
import type { PhoenixAccess } from '../../components/observability-contract';
import type { Answer, Question } from '../../provider/reach';
import { setEnvironment } from '../support/environment';
import { execEngine } from '../support/exec-engine';
import { site } from '../support/web';

const secrets = ['the-admin-secret', 'the-key-of-alloy', 'the-first-password'] as const;
const [adminSecret, key, password] = secrets;
const access: PhoenixAccess = { engine: at('unix:///docker.sock'), container: 'phoenix-dev', url: 'http://127.0.0.1:6006', auth: true, adminSecret };
const bearer = (token: string): object => ({ authorization: `Bearer ${token}` });
const json = { 'content-type': 'application/json' };

/** An API that gives these answers in turn, and what it was asked. */
function phoenix(answers: readonly Answer[], change: Partial<PhoenixAccess> = {}): { api: PhoenixApi; asked: [string, Question | undefined][]; closed: () => boolean } {
  const asked: [string, Question | undefined][] = [];
  const left = [...answers];
  let closed = false;
  const api = new PhoenixApi({ ...access, ...change }, {
    async ask(url, question) {
      asked.push([url, question]);
      return left.shift() ?? { status: 0, text: 'nothing more was expected' };
    },
    close: () => void (closed = true),
  }, { againMs: 1, longestMs: 3, longestForLoginMs: 2 });
  return { api, asked, closed: () => closed };
}

/** As Phoenix's rate limit of logins answers. */
const tooMany: Answer = { status: 429, text: 'Too Many Requests' };

const ok = (body: unknown, status = 200): Answer => ({ status, text: JSON.stringify(body) });

describe('API keys', () => {
  const record = { id: 'U3lzdGVtQXBpS2V5OjE=', name: 'alloy', description: 'made by Pulumi stack p/dev' };

  test('are listed', async () => {
    const { api, asked } = phoenix([ok({ data: [record] })]);
    expect(await api.keys()).toEqual([record]);
    expect(asked).toEqual([['http://127.0.0.1:6006/v1/system/api_keys', { method: 'GET', headers: bearer(adminSecret) }]]);
  });

  test.each([200, 201])('are minted, and never expire (%d)', async (status) => {
    const { api, asked } = phoenix([ok({ data: { ...record, key } }, status)]);
    expect(await api.mint('alloy', record.description)).toEqual({ ...record, key });
    expect(asked).toEqual([
      ['http://127.0.0.1:6006/v1/system/api_keys', { method: 'POST', headers: { ...bearer(adminSecret), ...json }, body: expect.any(String) }],
    ]);
    expect(JSON.parse(asked[0]?.[1]?.body ?? '')).toEqual({ data: { name: 'alloy', description: record.description, expires_at: null } });
  });

  test('are minted with an end', async () => {
    const minted = { ...record, expires_at: '2027-11-21T08:00:00.123000+00:00', key };
    const { api, asked } = phoenix([ok({ data: minted }, 201)]);
    expect(await api.mint('edge', record.description, new Date('2027-11-21T08:00:00.123Z'))).toEqual(minted);
    expect(JSON.parse(asked[0]?.[1]?.body ?? '')).toEqual({ data: { name: 'edge', description: record.description, expires_at: '2027-11-21T08:00:00.123Z' } });
  });

  test.each([200, 204, 404])('are revoked, and one that is gone is no error (%d)', async (status) => {
    const { api, asked } = phoenix([{ status, text: '' }]);
    await expect(api.revoke('a/b=')).resolves.toBeUndefined();
    expect(asked).toEqual([['http://127.0.0.1:6006/v1/system/api_keys/a%2Fb%3D', { method: 'DELETE', headers: bearer(adminSecret) }]]);
  });

  test.each([
    [200, true],
    [401, false],
    [403, undefined],
    [404, undefined],
    [500, undefined],
    [0, undefined],
  ])('are tried by asking for something with them: %d', async (status, works) => {
    const { api, asked } = phoenix([{ status, text: '' }]);
    expect(await api.accepts(key)).toBe(works);
    expect(asked).toEqual([['http://127.0.0.1:6006/v1/projects?limit=1', { method: 'GET', headers: bearer(key) }]]);
  });
});

describe('ready', () => {
  afterEach(() => jest.restoreAllMocks());

  test('is waited for, without credentials', async () => {
    const { api, asked } = phoenix([{ status: 0, text: 'connection refused' }, { status: 503, text: '' }, { status: 200, text: '' }]);
    await api.ready();
    expect(asked).toEqual(Array(3).fill(['http://127.0.0.1:6006/readyz', { method: 'GET', headers: {} }]));
  });

  test.each<[string, Answer, string]>([
    ['nobody answers', { status: 0, text: 'connection refused' }, 'Phoenix cannot be reached to become ready: connection refused'],
    ['Phoenix is not', { status: 503, text: 'starting\n' }, 'Phoenix did not become ready: it answered 503 starting'],
  ])('for half a minute: %s', async (_, answer, message) => {
    let now = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    const { api, asked } = phoenix([answer, answer, answer]);
    const failed = expect(api.ready()).rejects.toThrow(new Error(message));
    // The first answer is in time, the second one is not.
    now = 30_000;
    await new Promise(setImmediate);
    now = 30_001;
    await failed;
    expect(asked).toHaveLength(2);
  });
});

test('retention is that of the default policy', async () => {
  const { api, asked } = phoenix([ok({ data: { patchProjectTraceRetentionPolicy: { __typename: 'x' } } })]);
  await api.setRetention(30);
  expect(asked).toEqual([['http://127.0.0.1:6006/graphql', { method: 'POST', headers: { ...bearer(adminSecret), ...json }, body: expect.any(String) }]]);
  const { query, variables } = JSON.parse(asked[0]?.[1]?.body ?? '') as { query: string; variables: object };
  expect(variables).toEqual({ days: 30 });
  expect(query.replace(/\s+/g, ' ')).toBe(
    'mutation ($days: Float!) { patchProjectTraceRetentionPolicy(input: {id: "UHJvamVjdFRyYWNlUmV0ZW50aW9uUG9saWN5OjA=", rule: {maxDays: {maxDays: $days}}}) { __typename } }',
  );
  expect(Buffer.from('UHJvamVjdFRyYWNlUmV0ZW50aW9uUG9saWN5OjA=', 'base64').toString()).toBe('ProjectTraceRetentionPolicy:0');
});

describe('the password that everybody knows', () => {
  const users = (...emails: string[]): Answer => ok({ data: { users: { edges: emails.map((email, number) => ({ node: { id: `user-${number}`, email } })) } } });
  const login = ['http://127.0.0.1:6006/auth/login', { method: 'POST', headers: json, body: '{"email":"admin@localhost","password":"admin"}' }];

  test('is replaced for the first administrator', async () => {
    const { api, asked } = phoenix([{ status: 204, text: '' }, users('me@example.com', 'admin@localhost', 'you@example.com'), ok({ data: {} })]);
    expect(await api.replaceDefaultPassword(password)).toBe(true);
    const graphql = ['http://127.0.0.1:6006/graphql', { method: 'POST', headers: { ...bearer(adminSecret), ...json }, body: expect.any(String) }];
    expect(asked).toEqual([login, graphql, graphql]);
    expect(asked.slice(1).map(([, question]) => JSON.parse(question?.body ?? '') as object)).toEqual([
      { query: '{ users(first: 1000) { edges { node { id email } } } }', variables: {} },
      { query: 'mutation ($id: ID!, $password: String!) { patchUser(input: {userId: $id, newPassword: $password}) { __typename } }', variables: { id: 'user-1', password } },
    ]);
  });

  test.each([401, 403])('is another already, or passwords open nothing: %d', async (status) => {
    const { api, asked } = phoenix([{ status, text: '' }]);
    expect(await api.replaceDefaultPassword(password)).toBe(false);
    expect(asked).toEqual([login]);
  });

  test('is not known when Phoenix fails', async () => {
    const { api } = phoenix([{ status: 500, text: 'not now' }]);
    await expect(api.replaceDefaultPassword(password)).rejects.toThrow('Phoenix did not check whether the default password still works: it answered 500 not now');
  });

  test('is asked about again when there were too many logins', async () => {
    const { api, asked } = phoenix([tooMany, tooMany, { status: 401, text: '' }]);
    expect(await api.replaceDefaultPassword(password)).toBe(false);
    expect(asked).toEqual([login, login, login]);
  });

  test('is not known where somebody has tried too many wrong passwords, after a shorter time than any other answer', async () => {
    const { api, asked } = phoenix([tooMany, tooMany, tooMany, { status: 500, text: 'never' }]);
    expect(await api.replaceDefaultPassword(password)).toBeUndefined();
    expect(asked).toEqual([login, login, login]);
  });
});

test('without auth nothing is shown, as nothing is asked for', async () => {
  const { api, asked } = phoenix([ok({ data: {} })], { auth: false });
  await api.setRetention(0);
  expect(asked.map(([, question]) => question?.headers)).toEqual([json]);
});

describe('errors', () => {
  const doings: [string, (api: PhoenixApi) => Promise<unknown>][] = [
    ['list its API keys', (api) => api.keys()],
    ['create the API key alloy', (api) => api.mint('alloy', 'd')],
    ['revoke the API key id-1', (api) => api.revoke('id-1')],
    ['set the retention of traces', (api) => api.setRetention(1)],
  ];

  test.each(doings)('Phoenix does not %s: what it answered, and no secret', async (doing, call) => {
    const { api } = phoenix([{ status: 500, text: `${'x'.repeat(400)}\n` }]);
    await expect(call(api)).rejects.toThrow(new Error(`Phoenix did not ${doing}: it answered 500 ${'x'.repeat(300)}`));
  });

  test.each(doings)('nobody is there to %s: an error of its own kind', async (doing, call) => {
    const error = await call(phoenix([{ status: 0, text: 'connection refused' }]).api).catch((reason: unknown) => reason);
    expect(error).toEqual(new Unreachable(`Phoenix cannot be reached to ${doing}: connection refused`));
    expect(error).toBeInstanceOf(Unreachable);
  });

  test('an answer of Phoenix is not that of nobody', async () => {
    await expect(phoenix([{ status: 401, text: 'Invalid token' }]).api.keys()).rejects.not.toBeInstanceOf(Unreachable);
  });

  test.each(doings)('credentials that Phoenix does not take to %s, and what it lets nobody do: an error of its own kind', async (doing, call) => {
    for (const status of [401, 403]) {
      const error = await call(phoenix([{ status, text: 'Invalid token' }]).api).catch((reason: unknown) => reason);
      expect(error).toEqual(new Refused(`Phoenix did not ${doing}: it answered ${status} Invalid token`));
      expect(error).toBeInstanceOf(Refused);
    }
    await expect(call(phoenix([{ status: 500, text: '' }]).api)).rejects.not.toBeInstanceOf(Refused);
  });

  test.each(doings)('too many requests to %s: it is asked again, until that takes too long', async (doing, call) => {
    const { api, asked } = phoenix([tooMany, tooMany, tooMany, tooMany, { status: 500, text: 'never' }]);
    await expect(call(api)).rejects.toThrow(new Error(`Phoenix did not ${doing}: it answered 429 Too Many Requests`));
    expect(asked).toHaveLength(4);
    expect(new Set(asked.map((one) => JSON.stringify(one))).size).toBe(1);
  });

  test('of GraphQL come with status 200', async () => {
    const refused = ok({ data: null, errors: [{ message: 'Not authorized' }, { message: 'nor anything else' }] });
    await expect(phoenix([refused]).api.setRetention(1)).rejects.toThrow(new Error('Phoenix did not set the retention of traces: it answered 200 Not authorized; nor anything else'));
    await expect(phoenix([{ status: 204, text: '' }, refused]).api.replaceDefaultPassword(password)).rejects.toThrow('Phoenix did not list its users: it answered 200 Not authorized');
    const users = ok({ data: { users: { edges: [{ node: { id: 'u', email: 'admin@localhost' } }] } } });
    await expect(phoenix([{ status: 204, text: '' }, users, refused]).api.replaceDefaultPassword(password)).rejects.toThrow('Phoenix did not change the default password: it answered 200');
  });

  test('never hold a secret', async () => {
    const calls: ((api: PhoenixApi) => Promise<unknown>)[] = [...doings.map(([, call]) => call), (api) => api.replaceDefaultPassword(password)];
    for (const answers of [[{ status: 500, text: 'no' }], [{ status: 0, text: 'no' }], [{ status: 204, text: '' }, { status: 500, text: 'no' }]]) {
      for (const call of calls) {
        const said = String(await call(phoenix(answers).api).catch((error: Error) => error.stack));
        expect(secrets.filter((secret) => said.includes(secret))).toEqual([]);
      }
    }
  });
});

describe('from inside the container', () => {
  test('the engine that is set runs what asks', async () => {
    const { url, requests } = await site(() => ({ body: { data: [] } }));
    const engine = await execEngine();
    const api = new PhoenixApi({ ...access, engine: engine.engine, url });
    expect(await api.keys()).toEqual([]);
    expect(requests).toMatchObject([{ method: 'GET', url: '/v1/system/api_keys', headers: bearer(adminSecret) }]);
    expect(engine.execs).toMatchObject([{ container: 'phoenix-dev' }]);
    expect(JSON.stringify(engine.execs)).not.toContain(adminSecret);
    api.close();
    await engine.ended();
  });

  test('or, by a state of the first version, the one the docker command line would use', async () => {
    const { url } = await site(() => ({ body: { data: [] } }));
    const engine = await execEngine();
    setEnvironment({ DOCKER_HOST: engine.host });
    const api = new PhoenixApi({ ...access, engine: '' as never, url });
    expect(await api.keys()).toEqual([]);
    expect(engine.execs).toHaveLength(1);
    api.close();
  });
});

test('close closes what it asks through', () => {
  const { api, closed } = phoenix([]);
  api.close();
  expect(closed()).toBe(true);
});
