import { at } from '../../engine';
import { apiKey, type ApiKeyOutputs } from '../../provider/api-key';
import type { ApiKeyInputs } from '../../components/observability-contract';
import { Broken, Refused, Unreachable, type PhoenixApi } from '../../provider/phoenix-api';
import type { PhoenixAccess } from '../../components/observability-contract';
import { providing } from '../../provider/providing';
import { unknown } from '../../provider/values';

const inputs: ApiKeyInputs = {
  engine: at('unix:///docker.sock'),
  container: 'phoenix-dev',
  url: 'http://127.0.0.1:6006',
  auth: true,
  adminSecret: 'admin-secret',
  name: 'alloy',
  description: 'made by Pulumi stack p/dev',
  signedWith: 'phoenix-secret',
  server: 'c1',
};
const without: ApiKeyInputs = { ...inputs, auth: false };
const made: ApiKeyOutputs = { ...inputs, keyId: 'id-1', key: 'key-1', expiresAt: '' };
const none = { keyId: '', key: '', expiresAt: '' };
const now = Date.parse('2026-11-21T08:00:00.123Z');
/** A key that ends, and how Phoenix writes that. */
const ending: ApiKeyInputs = { ...inputs, name: 'edge', hours: 8760 };
const [end, written] = ['2027-11-21T08:00:00.123Z', '2027-11-21T08:00:00.123000+00:00'];
const madeEnding: ApiKeyOutputs = { ...ending, keyId: 'id-1', key: 'key-1', expiresAt: end };
/** As a version that knew no end has left it. */
const old: ApiKeyOutputs = { ...inputs, keyId: 'id-1', key: 'key-1' };

/** A Phoenix that takes every key, and what was done to it, in order. */
class Phoenix {
  readonly done: string[] = [];
  readonly access: PhoenixAccess[] = [];
  open = 0;
  constructor(private readonly says: Partial<PhoenixApi> = {}) {}

  readonly kind = apiKey((access) => {
    this.access.push(access);
    this.open += 1;
    const note = (what: string): void => void this.done.push(what);
    return {
      ready: async () => note('ready'),
      mint: async (name, description, until) => {
        note(`mint ${name} (${description})${until ? ` until ${until.toISOString()}` : ''}`);
        return { id: 'id-new', name, description, ...(until ? { expires_at: until.toISOString().replace('Z', '000+00:00') } : {}), key: 'key-new' };
      },
      revoke: async (id) => note(`revoke ${id}`),
      accepts: async (key) => (note(`try ${key}`), true),
      keys: async () => ['alloy', 'edge'].map((name) => ({ id: 'id-1', name, description: inputs.description })),
      ...this.says,
      close: () => void (this.open -= 1),
    };
  }, () => now);
}

const mint = 'mint alloy (made by Pulumi stack p/dev)';

test('what makes it another key, and what of it is secret', () => {
  expect(new Phoenix().kind).toMatchObject({ identity: ['name', 'description'], secrets: ['key'] });
});

describe('create', () => {
  test('without auth there is nothing to mint, and nobody is asked', async () => {
    const phoenix = new Phoenix();
    expect(await phoenix.kind.create(without)).toEqual({ ...without, ...none });
    expect(phoenix.access).toEqual([]);
  });

  test('with auth it is minted once Phoenix is ready', async () => {
    const phoenix = new Phoenix();
    expect(await phoenix.kind.create(inputs)).toEqual({ ...inputs, keyId: 'id-new', key: 'key-new', expiresAt: '' });
    expect(phoenix.done).toEqual(['ready', mint]);
    expect(phoenix.access).toEqual([inputs]);
    expect(phoenix.open).toBe(0);
  });

  test('one that ends does so in so many hours, and is told as UTC', async () => {
    const phoenix = new Phoenix();
    expect(await phoenix.kind.create(ending)).toEqual({ ...ending, keyId: 'id-new', key: 'key-new', expiresAt: end });
    expect(phoenix.done).toEqual(['ready', `mint edge (${inputs.description}) until ${end}`]);
  });

  test('what Phoenix says of the end counts, not what it was asked for', async () => {
    const record = { id: 'id-new', name: 'edge', key: 'key-new' };
    expect(await new Phoenix({ mint: async () => record }).kind.create(ending)).toMatchObject({ expiresAt: '' });
    expect(await new Phoenix({ mint: async () => ({ ...record, expires_at: written.replace('2027', '2028') }) }).kind.create(ending)).toMatchObject({ expiresAt: '2028-11-21T08:00:00.123Z' });
  });

  test('for ever is no end', async () => {
    const phoenix = new Phoenix();
    expect(await phoenix.kind.create({ ...inputs, hours: 0 })).toMatchObject({ keyId: 'id-new', expiresAt: '' });
    expect(phoenix.done).toEqual(['ready', mint]);
  });

  test.each<[string, Partial<PhoenixApi>, string[]]>([
    ['Phoenix does not become ready', { ready: () => Promise.reject(new Error('not today')) }, []],
    ['it does not mint', { mint: () => Promise.reject(new Error('not today')) }, ['ready']],
  ])('%s: an error, and nothing is held open', async (_, says, done) => {
    const phoenix = new Phoenix(says);
    await expect(phoenix.kind.create(inputs)).rejects.toThrow(new Error('not today'));
    expect(phoenix.done).toEqual(done);
    expect(phoenix.open).toBe(0);
  });
});

describe('update', () => {
  const renewed = { ...inputs, keyId: 'id-new', key: 'key-new', expiresAt: '' };
  const next = { ...inputs, server: 'c2', signedWith: 'another-secret' };

  test('a key that still works stays', async () => {
    const phoenix = new Phoenix();
    expect(await phoenix.kind.update(made, next)).toEqual({ ...next, keyId: 'id-1', key: 'key-1', expiresAt: '' });
    expect(phoenix.done).toEqual(['ready', 'try key-1']);
    // What it may be reached with by now, not what it was reached with.
    expect(phoenix.access).toEqual([next]);
    expect(phoenix.open).toBe(0);
  });

  test('one that Phoenix says nothing of is kept, and the deployment says so', async () => {
    const phoenix = new Phoenix({ accepts: async () => undefined });
    await expect(phoenix.kind.update(made, inputs)).rejects.toThrow('Phoenix does not report whether the API key alloy still works; the next deployment asks again');
    expect(phoenix.done).toEqual(['ready']);
    expect(phoenix.open).toBe(0);
  });

  test('one that Phoenix turns away is minted again', async () => {
    const phoenix = new Phoenix({ accepts: async () => false });
    expect(await phoenix.kind.update(made, inputs)).toEqual(renewed);
    expect(phoenix.done).toEqual(['ready', 'ready', mint]);
    expect(phoenix.open).toBe(0);
  });

  test.each([
    ['of another name', { id: 'id-1', name: 'mine', description: inputs.description }],
    ['of another description', { id: 'id-1', name: 'alloy', description: 'my own' }],
    ['without one', { id: 'id-1', name: 'alloy' }],
    ['of another number', { id: 'id-2', name: 'alloy', description: inputs.description }],
  ])('one that opens because somebody else has a key of its number, %s: it is left to that one, and another is minted', async (_, record) => {
    const phoenix = new Phoenix({ keys: async () => [record] });
    expect(await phoenix.kind.update(made, next)).toEqual({ ...renewed, ...next });
    expect(phoenix.done).toEqual(['ready', 'try key-1', 'ready', mint]);
  });

  test.each<[string, ApiKeyOutputs, ApiKeyInputs, string]>([
    ['whatever holds for the next', madeEnding, { ...ending, hours: 24 }, end],
    ['also where the next has none', madeEnding, { ...ending, hours: 0 }, end],
    ['and where the next has one', { ...made, name: 'edge' }, ending, ''],
    ['and one of a version that knew no end has none', { ...old, name: 'edge' }, ending, ''],
  ])('a key that works keeps its end, %s', async (_, before, news, expiresAt) => {
    const phoenix = new Phoenix();
    expect(await phoenix.kind.update(before, news)).toEqual({ ...news, keyId: 'id-1', key: 'key-1', expiresAt });
    expect(phoenix.done).toEqual(['ready', 'try key-1']);
  });

  test('one that has ended is minted again, for as long as holds now', async () => {
    const phoenix = new Phoenix({ accepts: async () => false });
    expect(await phoenix.kind.update({ ...madeEnding, expiresAt: '2026-11-21T08:00:00.122Z' }, { ...ending, hours: 24 })).toEqual({ ...ending, hours: 24, keyId: 'id-new', key: 'key-new', expiresAt: '2026-11-22T08:00:00.123Z' });
  });

  test('auth is switched on for the first time', async () => {
    const phoenix = new Phoenix();
    expect(await phoenix.kind.update({ ...without, ...none }, inputs)).toEqual(renewed);
    expect(phoenix.done).toEqual(['ready', mint]);
  });

  test('auth is switched off: the key is kept for the day when it is on again', async () => {
    const phoenix = new Phoenix();
    expect(await phoenix.kind.update(made, without)).toEqual({ ...made, auth: false });
    expect(phoenix.access).toEqual([]);
    expect(await phoenix.kind.update({ ...made, auth: false }, inputs)).toEqual(made);
    expect(phoenix.done).toEqual(['ready', 'try key-1']);
  });
});

describe('preview', () => {
  const planned = { ...inputs, server: unknown };
  const [stays, minted] = [{ keyId: 'id-1', key: 'key-1', expiresAt: '' }, { keyId: unknown, key: unknown, expiresAt: '' }];

  test.each<[string, ApiKeyOutputs | undefined, ApiKeyInputs, boolean | undefined, object, string[]]>([
    ['in a new container the key stays', made, planned, true, stays, ['try key-1']],
    ['of a Phoenix that says nothing it stays as well', made, planned, undefined, stays, ['try key-1']],
    ['one that Phoenix turns away is minted again', made, planned, false, minted, ['try key-1']],
    ['so is one that another secret has signed', made, { ...planned, signedWith: 'another-secret' }, true, minted, []],
    ['or one that is not known yet', made, { ...planned, signedWith: unknown }, true, minted, []],
    ['with auth off every key is taken: nothing is known of it', { ...made, auth: false }, planned, false, stays, []],
    ['auth goes off', made, { ...planned, auth: false }, false, stays, []],
    ['auth comes on, and there is no key', { ...without, ...none }, planned, true, minted, []],
    ['a new one', undefined, planned, true, minted, []],
    ['a new one without auth is none', undefined, without, true, none, []],
    ['one that ends keeps its end', madeEnding, { ...ending, hours: 24, server: unknown }, true, { ...stays, expiresAt: end }, ['try key-1']],
    ['one that has ended is minted again', madeEnding, { ...ending, server: unknown }, false, { ...minted, expiresAt: unknown }, ['try key-1']],
    ['a new one that ends', undefined, ending, true, { ...minted, expiresAt: unknown }, []],
    ['one of a version that knew no end has none', { ...old, name: 'edge' }, ending, true, stays, ['try key-1']],
  ])('%s', async (_, before, news, works, expected, done) => {
    const phoenix: Phoenix = new Phoenix({ accepts: async (key) => (phoenix.done.push(`try ${key}`), works) });
    expect(await phoenix.kind.preview?.(before, news)).toEqual({ ...news, ...expected });
    expect(phoenix.done).toEqual(done);
    // There may be no other yet.
    expect(phoenix.access).toMatchObject(done.map(() => ({ ...inputs, name: news.name })));
    expect(phoenix.open).toBe(0);
  });
});

describe('inputs that mean the same', () => {
  test.each<[string, ApiKeyOutputs, ApiKeyInputs, boolean]>([
    ['the very same', madeEnding, ending, true],
    ['hours, which count for the next key', madeEnding, { ...ending, hours: 24 }, true],
    ['for ever', madeEnding, { ...ending, hours: 0 }, true],
    ['no hours at all', madeEnding, { ...inputs, name: 'edge' }, true],
    ['hours for one without an end', made, { ...inputs, hours: 24 }, true],
    ['with another secret', madeEnding, { ...ending, hours: 24, signedWith: 'another-secret' }, false],
    ['in another container', made, { ...inputs, server: 'c2' }, false],
    ['through another engine', made, { ...inputs, engine: at('ssh://host') }, false],
    // With this one update the end is told that previews would not know.
    ['of a version that knew no end', old, { ...inputs, hours: 24 }, false],
    ['of a version that knew no end, for ever', old, { ...inputs, hours: 0 }, false],
    ['of a version that knew no end, of whose end nobody asks', old, inputs, true],
  ])('%s: %#', (_, before, news, same) => expect(new Phoenix().kind.same?.(before, news)).toBe(same));

  test('through the provider: no change, or one that replaces nothing', async () => {
    const token = 'observability:index:ApiKey';
    const { diff } = providing({ [token]: new Phoenix().kind });
    const of = (before: object, news: object): unknown => diff('id', `urn:pulumi:dev::p::${token}::key`, { ...before }, { ...news });
    expect(await of(madeEnding, { ...ending, hours: 24 })).toEqual({ changes: false, replaces: [] });
    expect(await of({ ...old, name: 'edge' }, ending)).toEqual({ changes: true, replaces: [] });
  });
});

describe('drifted', () => {
  test.each<[string, ApiKeyOutputs, boolean | undefined, boolean]>([
    ['a key that works', made, true, false],
    ['a key that Phoenix turns away', made, false, true],
    ['a Phoenix that does not say', made, undefined, false],
    ['no key', { ...made, ...none }, true, true],
    ['no key and no auth', { ...without, ...none }, false, false],
    ['a key and no auth', { ...made, auth: false }, false, false],
  ])('%s', async (_, outputs, works, drifted) => {
    const phoenix = new Phoenix({ accepts: async () => works });
    expect(await phoenix.kind.drifted?.(outputs)).toBe(drifted);
    expect(phoenix.open).toBe(0);
  });

  test('is asked of the key, and does not wait for a Phoenix that is not there', async () => {
    const phoenix = new Phoenix();
    await phoenix.kind.drifted?.(made);
    expect(phoenix.done).toEqual(['try key-1']);
    expect(phoenix.access).toEqual([expect.objectContaining(inputs)]);
  });
});

describe('read', () => {
  test.each<[string, ApiKeyOutputs, boolean | undefined, ApiKeyOutputs]>([
    ['a key that works', made, true, made],
    ['a key that Phoenix turns away is none', made, false, { ...made, ...none }],
    ['one that has ended is none', madeEnding, false, { ...ending, ...none }],
    ['one that ends, and has not', madeEnding, true, madeEnding],
    ['a Phoenix that does not say', made, undefined, made],
    ['no key', { ...made, ...none }, false, { ...made, ...none }],
    ['without auth any key is taken, so nothing is known of it', { ...made, auth: false }, false, { ...made, auth: false }],
  ])('%s', async (_, outputs, works, expected) => {
    const phoenix = new Phoenix({ accepts: async () => works });
    expect(await phoenix.kind.read?.(outputs)).toEqual(expected);
    // Where there is nothing to try, nobody is asked.
    expect(phoenix.access).toHaveLength(outputs.auth && outputs.key ? 1 : 0);
    expect(phoenix.open).toBe(0);
  });
});

describe('delete', () => {
  test('revokes the one key', async () => {
    const phoenix = new Phoenix();
    await phoenix.kind.delete?.(made);
    expect(phoenix.done).toEqual(['revoke id-1']);
    expect(phoenix.access).toMatchObject([{ container: 'phoenix-dev', auth: true, adminSecret: 'admin-secret' }]);
    expect(phoenix.open).toBe(0);
  });

  test.each<[string, ApiKeyOutputs]>([
    ['auth is off', { ...made, auth: false }],
    ['there never was a key', { ...made, ...none }],
  ])('nobody is asked when %s', async (_, outputs) => {
    const phoenix = new Phoenix();
    await phoenix.kind.delete?.(outputs);
    expect(phoenix.access).toEqual([]);
  });

  test('a Phoenix that is gone keeps nothing from going', async () => {
    const phoenix = new Phoenix({ revoke: () => Promise.reject(new Unreachable('connection refused')) });
    await expect(phoenix.kind.delete?.(made)).resolves.toBeUndefined();
    expect(phoenix.open).toBe(0);
  });

  test('nor does one that no longer takes the admin secret of this key, or has auth off by now', async () => {
    const phoenix = new Phoenix({ revoke: () => Promise.reject(new Refused('it answered 401 Invalid token')) });
    await expect(phoenix.kind.delete?.(made)).resolves.toBeUndefined();
    expect(phoenix.open).toBe(0);
  });

  test('nor does one whose database is gone', async () => {
    const phoenix = new Phoenix({ revoke: () => Promise.reject(new Broken('it answered 500')) });
    await expect(phoenix.kind.delete?.(made)).resolves.toBeUndefined();
    expect(phoenix.open).toBe(0);
  });

  test('a request that Phoenix does not understand is an error', async () => {
    const phoenix = new Phoenix({ revoke: () => Promise.reject(new Error('it answered 422')) });
    await expect(phoenix.kind.delete?.(made)).rejects.toThrow(new Error('it answered 422'));
    expect(phoenix.open).toBe(0);
  });
});
