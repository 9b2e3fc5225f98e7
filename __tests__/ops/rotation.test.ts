import type { StackState } from '../../ops/support/stack-state';
import { rotation } from '../../ops/support/rotation';
import { Failure } from '../../ops/support/say';

const urn = (type: string, name: string): string => `urn:pulumi:dev::llm-observability::llm-observability:index:Phoenix$${type}::${name}`;
const secret = urn('random:index/randomPassword:RandomPassword', 'phoenix-secret');
const adminSecret = urn('random:index/randomPassword:RandomPassword', 'phoenix-admin-secret');
const key = (name: string): string => urn('observability:index:ApiKey', `phoenix-key-${name}`);
const stateOf = (...urns: string[]): StackState => ({ resources: urns.map((one) => ({ urn: one, type: '' })), pending: [] });
/** As a stack with a tunnel has it. */
const token = (name: string): string => `urn:pulumi:dev::llm-observability::llm-observability:index:CloudflareTunnel$cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken::tunnel-token-${name}`;
const state = stateOf(
  'urn:pulumi:dev::llm-observability::pulumi:pulumi:Stack::llm-observability-dev',
  // The end of its name is that of another.
  urn('random:index/randomPassword:RandomPassword', 'old-phoenix-secret'),
  secret,
  adminSecret,
  urn('random:index/randomPassword:RandomPassword', 'phoenix-first-password'),
  key('alloy'),
  key('my-app'),
);

test.each<[string[], string[], string[]]>([
  [[], [], []],
  [['alloy'], [key('alloy')], []],
  [['my-app', 'alloy'], [key('my-app'), key('alloy')], []],
  [['admin-secret'], [adminSecret], []],
  [['secret'], [secret], [secret]],
  [['alloy', 'secret', 'admin-secret'], [key('alloy'), secret, adminSecret], [secret]],
])('%j', (names, replace, unprotect) => expect(rotation(names, state, 'dev', [])).toEqual({ replace, unprotect }));

test('nothing to rotate needs no state', () => expect(rotation([], undefined, 'dev', [])).toEqual({ replace: [], unprotect: [] }));

const deployed = 'there is secret, admin-secret, alloy, my-app';
test.each<[string, string[], string, StackState | undefined, string, string, string]>([
  ['a name that there is not', ['nobody'], 'dev', state, 'nobody', deployed, 'npm run up -- --rotate my-app'],
  ['in another stack', ['nobody'], 'prod', state, 'nobody', deployed, 'npm run up -- --stack prod --rotate my-app'],
  ['one of several', ['alloy', 'aloy'], 'dev', state, 'aloy', deployed, 'npm run up -- --rotate my-app'],
  ['the first password, which is used once', ['first-password'], 'dev', state, 'first-password', deployed, 'npm run up -- --rotate my-app'],
  ['the name of the resource', ['phoenix-key-alloy'], 'dev', state, 'phoenix-key-alloy', deployed, 'npm run up -- --rotate my-app'],
  ['an empty name', [''], 'dev', state, '', deployed, 'npm run up -- --rotate my-app'],
  ['a stack of which only the secrets are left', ['alloy'], 'dev', stateOf(secret), 'alloy', 'there is secret', 'npm run up -- --rotate secret'],
  ['a stack that was only made', ['alloy'], 'dev', stateOf(), 'alloy', 'stack dev is not deployed, so there is nothing to rotate', 'npm run up'],
  ['no stack', ['secret'], 'prod', undefined, 'secret', 'stack prod is not deployed, so there is nothing to rotate', 'npm run up -- --stack prod'],
])('%s', (_, names, stack, found, name, there, mend) => {
  expect(() => rotation(names, found, stack, [])).toThrow(new Failure(`--rotate ${name}: ${there}.`, [mend]));
});

describe('what a setting says', () => {
  const set = ['phoenix:secret', 'phoenix:adminSecret'];

  test.each([['secret', 'phoenix:secret'], ['admin-secret', 'phoenix:adminSecret']])('%s: another one would change nothing, so it is refused with what does', (name, setting) => {
    expect(() => rotation(['alloy', name], state, 'prod', set)).toThrow(new Failure(`--rotate ${name}: the stack uses ${setting}, which only you can change. Without it the stack generates one.`, [
      `npm run pulumi -- config rm ${setting} --stack prod && npm run up -- --stack prod`, `npm run pulumi -- config set --secret ${setting} --stack prod   # your own`,
    ]));
    expect(rotation([name], state, 'prod', set.filter((one) => one !== setting)).replace).toHaveLength(1);
  });

  test('keys are none', () => expect(rotation(['alloy'], state, 'dev', set).replace).toEqual([key('alloy')]));
});

describe('service tokens', () => {
  const published = stateOf(
    secret, adminSecret, key('alloy'),
    // Each comes with an API key of its name.
    key('edge'), key('host-2'),
    urn('cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared', 'tunnel-tunnel'),
    token('edge'), token('host-2'),
  );

  test.each<[string[], string[], string[]]>([
    [['token:edge'], [token('edge')], []],
    [['token:host-2', 'token:edge'], [token('host-2'), token('edge')], []],
    [['edge'], [key('edge')], []],
    [['edge', 'token:edge'], [key('edge'), token('edge')], []],
    [['token:edge', 'secret'], [token('edge'), secret], [secret]],
  ])('%j', (names, replace, unprotect) => expect(rotation(names, published, 'prod', [])).toEqual({ replace, unprotect }));

  const there = 'there is secret, admin-secret, alloy, edge, host-2, token:edge, token:host-2';
  test.each([
    ['one that there is not', 'token:host-3'],
    ['the name of the resource', 'tunnel-token-edge'],
    ['the end of that name', 'token-edge'],
    ['no name', 'token:'],
    ['the tunnel itself', 'tunnel'],
  ])('%s', (_, name) => {
    expect(() => rotation([name], published, 'prod', [])).toThrow(new Failure(`--rotate ${name}: ${there}.`, ['npm run up -- --stack prod --rotate token:host-2']));
  });

  test('an API key may be called as the end of that name', () => {
    const alike = stateOf(secret, key('token-edge'), key('edge'), token('edge'));
    expect(rotation(['token-edge', 'token:edge'], alike, 'prod', [])).toEqual({ replace: [key('token-edge'), token('edge')], unprotect: [] });
  });

  test('a stack that publishes nothing has none', () => {
    expect(() => rotation(['token:edge'], state, 'dev', [])).toThrow(new Failure(`--rotate token:edge: ${deployed}.`, ['npm run up -- --rotate my-app']));
  });
});
