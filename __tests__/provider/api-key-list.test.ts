import { at } from '../../engine';
import { apiKeyList } from '../../provider/api-key-list';
import type { ApiKeyListInputs } from '../../components/observability-contract';
import type { KeyRecord, PhoenixApi } from '../../provider/phoenix-api';
import type { PhoenixAccess } from '../../components/observability-contract';

const inputs: ApiKeyListInputs = {
  engine: at('unix:///docker.sock'),
  container: 'phoenix-dev',
  url: 'http://127.0.0.1:6006',
  auth: true,
  adminSecret: 'admin-secret',
  description: 'made by Pulumi stack p/dev',
  keyIds: ['id-1', '', 'id-2'],
  server: 'c1',
};
const without = { ...inputs, auth: false };

const record = (id: string, description?: string): KeyRecord => ({ id, name: 'alloy', ...(description === undefined ? {} : { description }) });
const ours = (id: string): KeyRecord => record(id, inputs.description);
/** Nothing of these is left over. */
const rightful = [ours('id-1'), ours('id-2'), record('of-somebody'), record('of-somebody-else', 'my laptop'), record('of-another-stack', 'made by Pulumi stack p/prod')];

/** The kind over a Phoenix with these keys, what was done to that in order, and with what access. */
function list(records: readonly KeyRecord[], says: Partial<PhoenixApi> = {}): { kind: ReturnType<typeof apiKeyList>; done: string[]; access: PhoenixAccess[] } {
  const done: string[] = [];
  const access: PhoenixAccess[] = [];
  const kind = apiKeyList((given) => {
    access.push(given);
    return {
      ready: async () => void done.push('ready'),
      keys: async () => (done.push('list'), records),
      revoke: async (id) => void done.push(`revoke ${id}`),
      ...says,
      close: () => void done.push('close'),
    };
  });
  return { kind, done, access };
}

const leftovers = [ours('left-1'), ...rightful, ours('left-2')];

describe.each<[string, (kind: ReturnType<typeof apiKeyList>, news: ApiKeyListInputs) => Promise<ApiKeyListInputs>]>([
  ['create', (kind, news) => kind.create(news)],
  ['update', (kind, news) => kind.update({ ...inputs, adminSecret: 'the one before', keyIds: ['id-1', 'left-1'] }, news)],
])('%s', (_, run) => {
  test('revokes what the stack has made and no longer has; what people and other stacks made stays', async () => {
    const { kind, done, access } = list(leftovers);
    expect(await run(kind, inputs)).toEqual(inputs);
    expect(done).toEqual(['ready', 'list', 'revoke left-1', 'revoke left-2', 'close']);
    // With the admin secret of now.
    expect(access).toEqual([inputs]);
  });

  test('revokes nothing where nothing is left over', async () => {
    const { kind, done } = list(rightful);
    await run(kind, inputs);
    expect(done).toEqual(['ready', 'list', 'close']);
  });

  test('asks nobody without auth', async () => {
    const { kind, access } = list(leftovers);
    expect(await run(kind, without)).toEqual(without);
    expect(access).toEqual([]);
  });

  test.each<[string, Partial<PhoenixApi>]>([
    ['become ready', { ready: () => Promise.reject(new Error('no')) }],
    ['list its keys', { keys: () => Promise.reject(new Error('no')) }],
    ['revoke one', { revoke: () => Promise.reject(new Error('no')) }],
  ])('fails where Phoenix does not %s, and holds nothing open', async (__, says) => {
    const { kind, done } = list(leftovers, says);
    await expect(run(kind, inputs)).rejects.toThrow(new Error('no'));
    expect(done.at(-1)).toBe('close');
  });
});

describe('drifted', () => {
  test.each<[string, ApiKeyListInputs, readonly KeyRecord[], boolean, string[]]>([
    ['a key is left over', inputs, leftovers, true, ['list', 'close']],
    ['none is', inputs, rightful, false, ['list', 'close']],
    ['nobody can tell without auth', without, leftovers, false, []],
  ])('%s', async (_, outputs, records, drifted, asked) => {
    const { kind, done } = list(records);
    expect(await kind.drifted?.(outputs)).toBe(drifted);
    expect(done).toEqual(asked);
  });

  test('does not fail where Phoenix cannot be asked', async () => {
    const { kind, done } = list([], { keys: () => Promise.reject(new Error('connection refused')) });
    expect(await kind.drifted?.(inputs)).toBe(false);
    expect(done).toEqual(['close']);
  });
});

test('it has nothing of its own to delete, and none is made anew for a change', () => {
  expect(list([]).kind).not.toHaveProperty('delete');
  expect(list([]).kind).not.toHaveProperty('identity');
});
