import { at } from '../../engine';
import type { PhoenixApi } from '../../provider/phoenix-api';
import type { PhoenixAccess } from '../../components/observability-contract';
import { phoenixSettings } from '../../provider/phoenix-settings';
import type { PhoenixSettingsInputs } from '../../components/observability-contract';

const inputs: PhoenixSettingsInputs = {
  engine: at('unix:///docker.sock'),
  container: 'phoenix-dev',
  url: 'http://127.0.0.1:6006',
  auth: true,
  adminSecret: 'admin-secret',
  retentionDays: 30,
  firstPassword: 'first-password',
  server: 'c1',
};

const unset: PhoenixSettingsInputs = { ...inputs };
delete (unset as { retentionDays?: number }).retentionDays;

/** The kind, what it did to Phoenix in order, and with what access. */
function settings(says: Partial<PhoenixApi> = {}): { kind: ReturnType<typeof phoenixSettings>; done: string[]; access: PhoenixAccess[] } {
  const done: string[] = [];
  const access: PhoenixAccess[] = [];
  const kind = phoenixSettings((given) => {
    access.push(given);
    return {
      ready: async () => void done.push('ready'),
      setRetention: async (days) => void done.push(`keep ${days} days`),
      replaceDefaultPassword: async (password) => (done.push(`password ${password}`), true),
      ...says,
      close: () => void done.push('close'),
    };
  });
  return { kind, done, access };
}

test.each<[string, PhoenixSettingsInputs, string[]]>([
  ['with auth', inputs, ['ready', 'keep 30 days', 'password first-password', 'close']],
  ['without auth nobody has a password', { ...inputs, auth: false, retentionDays: 0 }, ['ready', 'keep 0 days', 'close']],
  ['a retention that nobody set is left as it is', unset, ['ready', 'password first-password', 'close']],
])('create, %s', async (_, given, expected) => {
  const { kind, done, access } = settings();
  expect(await kind.create(given)).toEqual({ ...given, passwordAsked: given.auth });
  expect(done).toEqual(expected);
  expect(access).toEqual([given]);
});

test('update says all of it again to another container, with what is wanted now', async () => {
  const { kind, done, access } = settings();
  const next = { ...inputs, server: 'c2', retentionDays: 7 };
  expect(await kind.update({ ...inputs, passwordAsked: true }, next)).toEqual({ ...next, passwordAsked: true });
  expect(done).toEqual(['ready', 'keep 7 days', 'password first-password', 'close']);
  expect(access).toEqual([next]);
});

test.each<[string, object, boolean]>([
  ['a database that has answered is not asked again', { passwordAsked: true }, false],
  ['nor one of a stack from before', {}, false],
  ['one that took no login then is', { passwordAsked: false }, true],
  ['and one whose login was off', { auth: false, passwordAsked: false }, true],
])('%s: each time counts as an attempt to log in', async (_, before, asks) => {
  const { kind, done } = settings();
  expect(await kind.update({ ...inputs, ...before }, { ...inputs, retentionDays: 7 })).toMatchObject({ passwordAsked: true });
  expect(done).toEqual(['ready', 'keep 7 days', ...(asks ? ['password first-password'] : []), 'close']);
});

test('wrong passwords that somebody has tried fail no deployment; the next one asks', async () => {
  const { kind } = settings({ replaceDefaultPassword: () => Promise.resolve(undefined) });
  const outputs = await kind.create(inputs);
  expect(outputs).toEqual({ ...inputs, passwordAsked: false });
  expect(await kind.drifted?.(outputs)).toBe(true);
  expect(await kind.drifted?.({ ...outputs, passwordAsked: true })).toBe(false);
  expect(await kind.drifted?.(inputs)).toBe(false);
  expect(await kind.drifted?.({ ...outputs, auth: false })).toBe(false);
});

test('nor is it written when the container is replaced', async () => {
  const { kind, done } = settings();
  await kind.update(inputs, { ...unset, server: 'c2' });
  expect(done).toEqual(['ready', 'password first-password', 'close']);
});

test.each<[string, Partial<PhoenixApi>, string[]]>([
  ['become ready', { ready: () => Promise.reject(new Error('no')) }, ['close']],
  ['take the retention', { setRetention: () => Promise.reject(new Error('no')) }, ['ready', 'close']],
  ['change the password', { replaceDefaultPassword: () => Promise.reject(new Error('no')) }, ['ready', 'keep 30 days', 'close']],
])('a Phoenix that does not %s is an error, and nothing is held open', async (_, says, expected) => {
  const { kind, done } = settings(says);
  await expect(kind.create(inputs)).rejects.toThrow(new Error('no'));
  expect(done).toEqual(expected);
});
