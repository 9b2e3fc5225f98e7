import * as pulumi from '@pulumi/pulumi';
import { centralOf, inspectCentral, type Found } from '../../stack/central';
import type { Remote } from '../../settings/edge-access';
import { report } from '../../settings/problem';
import { readSettings } from '../../settings/settings';
import type { Settings } from '../../settings/keys';
import { deploy, secret, sent } from '../support/deployment';

function settings(config: Readonly<Record<string, string>> = {}): Settings {
  const { settings: checked, problems } = readSettings({ 'edge:central': 'prod', ...config }, 'llm-observability', (name) => name === 'edge:access');
  expect(problems).toEqual([]);
  return checked;
}

const alloy = 'https://otlp.example.com';
const phoenix = 'https://phoenix-otlp.example.com';
const now = Date.parse('2026-11-21T08:00:00Z');
const day = 86_400_000;
const tokens = { edge: { expiresAt: '2027-11-21T08:00:00Z' }, 'host-2': { expiresAt: '2028-01-01T00:00:00Z' } };
const published: Remote = { otlp: { alloy, phoenix }, auth: true, tokens };

describe('inspectCentral', () => {
  const inspect = (remote: unknown, config: Readonly<Record<string, string>> = {}): Promise<Found> =>
    inspectCentral(settings(config), async () => ({ endpoints: {}, remote }), now);
  test.each<[string | undefined, boolean]>([[undefined, true], ['prod', true], ['acme/llm-observability/prod', true], ['staging', false]])('a file of the stack %s', async (stack, isTaken) => {
    const access = { edge: { clientId: 'id', clientSecret: 's3cret', apiKey: 'key' }, 'host-2': { clientId: 'id', clientSecret: 's3cret', apiKey: 'key' } };
    const given = { 'edge:access': JSON.stringify({ ...(stack === undefined ? {} : { stack }), remote: published, remoteAccess: access }) };
    expect((await inspect(published, given)).problems).toEqual(isTaken ? [] : [
      { key: 'edge:central', value: 'prod', rule: 'edge:access is of the stack staging', mend: ['pulumi config set edge:central staging', 'pulumi config set --secret edge:access < edge.access.json'] },
    ]);
  });

  const refusal = (key: string, value: string, rule: string, mend: string[]): Found => ({ problems: [{ key, value, rule, mend }], warnings: [] });

  test.each<[string, Remote, Readonly<Record<string, string>>]>([
    ['to Alloy', published, {}],
    ['to Alloy, which alone is published', { ...published, otlp: { alloy, phoenix: null } }, {}],
    ['to Phoenix, which alone is published', { ...published, otlp: { alloy: null, phoenix } }, { 'edge:sendTo': 'phoenix' }],
    ['with another token', published, { 'edge:token': 'host-2' }],
    ['to a stack without auth', { ...published, auth: false }, {}],
  ])('%s: nothing to say', async (_, remote, config) => expect(await inspect(remote, config)).toEqual({ problems: [], warnings: [], remote }));

  test.each(['prod', 'acme/observability/prod'])('the stack %s is asked for as it is set, once', async (stack) => {
    const read = jest.fn(async () => ({ remote: published }));
    expect(await inspectCentral(settings({ 'edge:central': stack }), read, now)).toMatchObject({ problems: [], remote: published });
    expect(read.mock.calls).toEqual([[stack]]);
  });

  test.each([
    ["no stack named 'prod' found", "no stack named 'prod' found"],
    ['invocation of pulumi:pulumi:readStackOutputs returned an error: unknown stack "prod"', 'unknown stack "prod"'],
    [' no access \n    at a place of the program\n    at another', 'no access'],
  ])('a stack that cannot be read: %j', async (message, reason) => {
    const found = await inspectCentral(settings(), () => Promise.reject(new Error(message)), now);
    expect(found).toEqual(refusal('edge:central', 'prod', `its outputs cannot be read: ${reason}`, ['npm run pulumi -- stack ls', 'pulumi config set edge:central prod']));
  });

  test.each<[string, object]>([
    ['of an older version, or not deployed', {}],
    ['at the edge itself', { remote: null }],
  ])('a stack %s', async (_, outputs) => {
    const rule = 'that stack publishes no receiver for other hosts: it is not deployed, is itself at the edge, or was deployed by an older version of this program';
    expect(await inspectCentral(settings(), async () => ({ ...outputs }), now)).toEqual(refusal('edge:central', 'prod', rule, ['npm run up -- --stack prod']));
    expect(await inspectCentral(settings({ 'edge:central': 'acme/observability/prod' }), async () => ({ ...outputs }), now)).toEqual(
      refusal('edge:central', 'acme/observability/prod', rule, ['npm run up -- --stack prod']),
    );
  });

  describe('what is not published', () => {
    const setAlloy = 'pulumi config set tunnel:otlpHostname otlp.example.com --stack prod';
    const setPhoenix = 'pulumi config set tunnel:phoenixOtlpHostname phoenix-otlp.example.com --stack prod';
    const redeploy = 'npm run up -- --stack prod';

    test.each<[string, Remote['otlp'], string[]]>([
      ['alloy', { alloy: null, phoenix: null }, [setAlloy, redeploy]],
      ['phoenix', { alloy: null, phoenix: null }, [setPhoenix, redeploy]],
      // The other one is there.
      ['alloy', { alloy: null, phoenix }, [setAlloy, redeploy, 'pulumi config set edge:sendTo phoenix']],
      ['phoenix', { alloy, phoenix: null }, [setPhoenix, redeploy, 'pulumi config set edge:sendTo alloy']],
    ])('%s, while there is %j', async (sendTo, otlp, mend) => {
      const remote = { ...published, otlp };
      expect(await inspect(remote, { 'edge:sendTo': sendTo })).toEqual(refusal('edge:sendTo', sendTo, 'the stack prod does not publish that', mend));
      expect(await inspect(remote, { 'edge:sendTo': sendTo, 'edge:central': 'acme/observability/prod' })).toEqual(
        refusal('edge:sendTo', sendTo, 'the stack acme/observability/prod does not publish that', mend),
      );
    });

    test('nothing at all, as a stack without a tunnel tells it', async () => {
      const remote: Remote = { otlp: { alloy: null, phoenix: null }, auth: false, tokens: {} };
      expect(await inspect(remote)).toEqual(refusal('edge:sendTo', 'alloy', 'the stack prod does not publish that', [setAlloy, redeploy]));
    });
  });

  test('a token that the stack does not have: another one, or one more there', async () => {
    const found = await inspect(published, { 'edge:token': 'host-3' });
    expect(found).toEqual(refusal('edge:token', 'host-3', 'the stack prod has no such service token, only edge, host-2', [
      'pulumi config set edge:token edge',
      'pulumi config set tunnel:serviceTokens edge,host-2,host-3 --stack prod && npm run up -- --stack prod',
    ]));
    // What concerns the other stack stays with it.
    expect(report('berlin', found.problems)).toBe(
      [
        '1 problem with stack berlin; nothing was changed.',
        "  - edge:token is 'host-3': the stack prod has no such service token, only edge, host-2.",
        '      pulumi config set edge:token edge --stack berlin',
        '      pulumi config set tunnel:serviceTokens edge,host-2,host-3 --stack prod && npm run up -- --stack prod',
      ].join('\n'),
    );
  });

  test('a token named as what every object has is none', async () => {
    expect(await inspect(published, { 'edge:token': 'constructor' })).toEqual(refusal('edge:token', 'constructor', 'the stack prod has no such service token, only edge, host-2', [
      'pulumi config set edge:token edge',
      'pulumi config set tunnel:serviceTokens edge,host-2,constructor --stack prod && npm run up -- --stack prod',
    ]));
    const remote = { ...published, tokens: { constructor: tokens.edge } };
    expect(await inspect(remote, { 'edge:token': 'constructor' })).toEqual({ problems: [], warnings: [], remote });
  });

  describe('the end of a token', () => {
    const ending = (expiresAt: string, central = 'prod'): Promise<Found> =>
      inspect({ ...published, tokens: { ...tokens, edge: { expiresAt } } }, { 'edge:central': central });
    const at = (ms: number): string => new Date(now + ms).toISOString();
    const rotate = 'npm run up -- --stack prod --rotate token:edge';

    test.each([
      [at(0), '2026-11-21'],
      [at(-1), '2026-11-21'],
      [at(-day), '2026-11-20'],
      ['2025-01-02T03:04:05Z', '2025-01-02'],
    ])('%s is past', async (expiresAt, date) => {
      expect(await ending(expiresAt)).toEqual(
        refusal('edge:token', 'edge', `that service token of the stack prod has expired on ${date}; Cloudflare rejects it`, [rotate]),
      );
    });

    test.each([
      [at(1), '2026-11-21'],
      [at(day), '2026-11-22'],
      [at(30 * day - 1), '2026-12-21'],
    ])('%s is near', async (expiresAt, date) => {
      const remote = { ...published, tokens: { ...tokens, edge: { expiresAt } } };
      expect(await ending(expiresAt)).toEqual({
        problems: [],
        warnings: [`the service token edge of the stack prod expires on ${date}: ${rotate}, then deploy this stack`],
        remote,
      });
      expect((await ending(expiresAt, 'acme/observability/prod')).warnings).toEqual([
        `the service token edge of the stack acme/observability/prod expires on ${date}: ${rotate}, then deploy this stack`,
      ]);
    });

    test.each([['thirty days', at(30 * day)], ['a year', at(365 * day)], ['for ever', '2126-11-21T08:00:00Z'], ['no end told', '']])('%s: nothing to say', async (_, expiresAt) => {
      expect(await ending(expiresAt)).toMatchObject({ problems: [], warnings: [] });
    });

    test('another token may end as it likes', async () => {
      const remote = { ...published, tokens: { ...tokens, 'host-2': { expiresAt: at(-day) } } };
      expect(await inspect(remote)).toEqual({ problems: [], warnings: [], remote });
    });

    test('time goes on by itself', async () => {
      const one = (ms: number): Promise<Found> => inspectCentral(settings(), async () => ({ remote: { ...published, tokens: { edge: { expiresAt: new Date(Date.now() + ms).toISOString() } } } }));
      expect((await one(-60_000)).problems).toHaveLength(1);
      expect((await one(60_000)).warnings).toHaveLength(1);
    });
  });

  describe('the end of the API key that goes with a token', () => {
    const ending = (keyExpiresAt: string | undefined, config: Readonly<Record<string, string>> = {}, changes: Partial<Remote> = {}): Promise<Found> =>
      inspect({ ...published, tokens: { ...tokens, edge: { ...tokens.edge, ...(keyExpiresAt === undefined ? {} : { keyExpiresAt }) } }, ...changes }, config);
    const at = (ms: number): string => new Date(now + ms).toISOString();
    const rotate = 'npm run up -- --stack prod --rotate edge';
    const toPhoenix = { 'edge:sendTo': 'phoenix' };

    test.each<[string, string, Readonly<Record<string, string>>, string]>([
      ['near', at(1), {}, 'expires on 2026-11-21'],
      ['near', at(30 * day - 1), {}, 'expires on 2026-12-21'],
      ['near, and Phoenix is shown it', at(30 * day - 1), toPhoenix, 'expires on 2026-12-21'],
      // Spans arrive without it, and only a check does not.
      ['past', at(0), {}, 'has expired on 2026-11-21'],
      ['past', at(-day), {}, 'has expired on 2026-11-20'],
    ])('is %s: %s', async (_, end, config, words) => {
      expect(await ending(end, config)).toMatchObject({ problems: [], warnings: [`the API key edge of the stack prod ${words}: ${rotate}, then deploy this stack`] });
    });

    test.each([[at(0), '2026-11-21'], [at(-day), '2026-11-20']])('is past where Phoenix is shown it: %s', async (end, date) => {
      expect(await ending(end, toPhoenix)).toEqual(refusal('edge:token', 'edge', `that API key of the stack prod has expired on ${date}; Phoenix rejects it`, [rotate]));
    });

    test.each<[string, string | undefined, Partial<Remote>]>([
      ['thirty days', at(30 * day), {}],
      ['for ever', '', {}],
      ['of a stack that does not say', undefined, {}],
      ['nobody asks for it', at(-day), { auth: false }],
    ])('nothing to say: %s', async (_, end, changes) => {
      expect(await ending(end, {}, changes)).toMatchObject({ problems: [], warnings: [] });
      expect(await ending(end, toPhoenix, changes)).toMatchObject({ problems: [], warnings: [] });
    });

    test('another key may end as it likes', async () => {
      const remote = { ...published, tokens: { ...tokens, 'host-2': { ...tokens['host-2'], keyExpiresAt: at(-day) } } };
      expect(await inspect(remote, toPhoenix)).toEqual({ problems: [], warnings: [], remote });
    });

    test('with that of the token one command is for both', async () => {
      const both = (ms: number, keyMs: number): Promise<Found> => inspect({ ...published, tokens: { edge: { expiresAt: at(ms), keyExpiresAt: at(keyMs) } } }, toPhoenix);
      const command = 'npm run up -- --stack prod --rotate token:edge --rotate edge';
      expect((await both(day, 2 * day)).warnings).toEqual([
        `the service token edge of the stack prod expires on 2026-11-22: ${command}, then deploy this stack`,
        `the API key edge of the stack prod expires on 2026-11-23: ${command}, then deploy this stack`,
      ]);
      expect((await both(-day, day)).problems).toMatchObject([{ rule: expect.stringMatching(/^that service token .* Cloudflare rejects it$/), mend: [command] }]);
      expect((await both(day, -day)).problems).toMatchObject([{ rule: expect.stringMatching(/^that API key .* Phoenix rejects it$/), mend: [command] }]);
      expect((await both(-day, -day)).problems).toHaveLength(1);
    });
  });

  describe('by what was given', () => {
    const invited = (remote: Remote, config: Readonly<Record<string, string>> = {}): Settings => {
      const remoteAccess = Object.fromEntries(Object.keys(remote.tokens).map((token) => [token, { clientId: 'id', clientSecret: 's3cret', apiKey: 'key' }]));
      return settings({ 'edge:access': JSON.stringify({ remote, remoteAccess }), ...config });
    };
    const anew = ['npm run invite -- --stack prod --token edge', 'pulumi config set --secret edge:access < edge.access.json'];
    const ending = (ms: number): Remote => ({ ...published, tokens: { edge: { expiresAt: new Date(now + ms).toISOString() } } });

    test('no stack is read', async () => {
      const { result } = await deploy(() => inspectCentral(invited(published), undefined, now), { outputs: {} });
      expect(result).toEqual({ problems: [], warnings: [], remote: published });
    });

    test('what is wrong with it leads to a new one', async () => {
      const rotate = 'npm run up -- --stack prod --rotate token:edge';
      expect((await inspectCentral(invited(ending(0)), undefined, now)).problems).toMatchObject([{ key: 'edge:token', mend: [rotate, ...anew] }]);
      expect((await inspectCentral(invited(ending(day)), undefined, now)).warnings).toEqual([expect.stringContaining(`: ${[rotate, ...anew].join(' && ')}, then deploy this stack`)]);
      const keyEnding = (ms: number): Remote => ({ ...published, tokens: { edge: { ...tokens.edge, keyExpiresAt: new Date(now + ms).toISOString() } } });
      const rotateKey = 'npm run up -- --stack prod --rotate edge';
      expect((await inspectCentral(invited(keyEnding(0), { 'edge:sendTo': 'phoenix' }), undefined, now)).problems).toMatchObject([{ key: 'edge:token', mend: [rotateKey, ...anew] }]);
      expect((await inspectCentral(invited(keyEnding(day)), undefined, now)).warnings).toEqual([expect.stringContaining(`: ${[rotateKey, ...anew].join(' && ')}, then deploy this stack`)]);
      const other = anew.map((command) => command.replace('--token edge', '--token host-3'));
      expect((await inspectCentral(invited(published, { 'edge:token': 'host-3' }), undefined, now)).problems).toMatchObject([{ key: 'edge:token', mend: [expect.anything(), expect.anything(), ...other] }]);
      expect((await inspectCentral(invited({ ...published, otlp: { alloy: null, phoenix } }), undefined, now)).problems).toMatchObject([{ key: 'edge:sendTo', mend: expect.arrayContaining(anew) }]);
    });
  });

  describe('by the engine', () => {
    const soon = { ...published, tokens: { edge: { expiresAt: '2999-01-01T00:00:00Z' } } };
    const outputs = { prod: { remote: soon, remoteAccess: pulumi.secret({ edge: { clientId: 'id', clientSecret: 's3cret', apiKey: 'key' } }) } };

    test('the outputs of a stack are read, beside its secret ones', async () => {
      const { result } = await deploy(() => inspectCentral(settings()), { outputs });
      expect(result).toEqual({ problems: [], warnings: [], remote: soon });
    });

    test('a stack that is not there', async () => {
      const { result } = await deploy(() => inspectCentral(settings({ 'edge:central': 'nowhere' })), { outputs });
      expect(result).toEqual(refusal('edge:central', 'nowhere', 'its outputs cannot be read: unknown stack "nowhere"', ['npm run pulumi -- stack ls', 'pulumi config set edge:central prod']));
    });
  });
});

describe('centralOf', () => {
  const access = {
    edge: { clientId: 'id-of-edge', clientSecret: 'secret-of-edge', apiKey: 'key-of-edge' },
    'host-2': { clientId: 'id-of-2', clientSecret: 'secret-of-2', apiKey: 'key-of-2' },
  };

  /** The central stack as the engine would receive it: what is secret is marked. */
  async function central(config: Readonly<Record<string, string>>, remote: Partial<Remote> = {}, remoteAccess: unknown = pulumi.secret(access)): Promise<unknown> {
    const checked = settings(config);
    const outputs = { [checked['edge:central'] ?? '']: { remoteAccess } };
    return (await deploy(() => sent(centralOf(checked, { ...published, ...remote })), { outputs })).result;
  }

  const badge = { 'cf-access-client-id': 'id-of-edge', 'cf-access-client-secret': 'secret-of-edge' };
  const marked = (headers: Readonly<Record<string, string>>): object => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, secret(value)]));
  const key = { authorization: 'Bearer key-of-edge' };
  const all = ['traces', 'metrics', 'logs'];

  test.each<[string, boolean, string[], string, string, Readonly<Record<string, string>>, Readonly<Record<string, string>>]>([
    // Alloy there shows Phoenix a key of its own; who reads a trace back asks Phoenix itself.
    ['alloy', true, all, alloy, 'otlp.example.com', badge, { ...badge, ...key }],
    ['alloy', false, all, alloy, 'otlp.example.com', badge, badge],
    ['phoenix', true, ['traces'], phoenix, 'phoenix-otlp.example.com', { ...badge, ...key }, { ...badge, ...key }],
    // Phoenix without auth ignores the key: it is there all the same, so that switching auth on leaves Alloy as it is.
    ['phoenix', false, ['traces'], phoenix, 'phoenix-otlp.example.com', { ...badge, ...key }, badge],
  ])('to %s, with auth %j', async (sendTo, auth, signals, endpoint, hostname, headers, reader) => {
    const expected = {
      backend: { name: 'central', signals, protocol: 'otlphttp', endpoint, tunnelled: true, headers: marked(headers) },
      reader: secret(reader),
      hostname,
      requestMiB: 64,
    };
    expect(await central({ 'edge:sendTo': sendTo }, { auth })).toEqual(expected);
    // Whatever the other stack says of it, here it is secret.
    expect(await central({ 'edge:sendTo': sendTo }, { auth }, access)).toEqual(expected);
  });

  test('no larger request than the other end takes', async () => {
    expect(await central({}, { requestMiB: 24 })).toMatchObject({ requestMiB: 24 });
    expect(await central({ 'edge:sendTo': 'phoenix' }, { requestMiB: 24 })).toMatchObject({ requestMiB: 24 });
  });

  test('as who the setting says, from the stack that the setting names', async () => {
    expect(await central({ 'edge:central': 'acme/observability/prod', 'edge:sendTo': 'phoenix', 'edge:token': 'host-2' })).toMatchObject({
      backend: { headers: marked({ 'cf-access-client-id': 'id-of-2', 'cf-access-client-secret': 'secret-of-2', authorization: 'Bearer key-of-2' }) },
    });
  });

  test('as who the setting says, with what was given and no stack that could be read', async () => {
    const config = { 'edge:access': JSON.stringify({ remote: published, remoteAccess: access }), 'edge:sendTo': 'phoenix' };
    const { result } = await deploy(() => sent(centralOf(settings(config), published)), { outputs: {} });
    expect(result).toMatchObject({ backend: { headers: marked({ ...badge, ...key }) }, reader: secret({ ...badge, ...key }) });
  });

  test('nothing is made for it', async () => {
    const { resources } = await deploy(() => sent(centralOf(settings(), published)), { outputs: { prod: { remoteAccess: pulumi.secret(access) } } });
    expect([...resources.keys()]).toEqual([]);
  });

  test('a token that opens nothing any more is empty, and no error', async () => {
    expect(await central({}, { auth: true }, pulumi.secret({ 'host-2': access['host-2'] }))).toMatchObject({
      backend: { headers: marked({ 'cf-access-client-id': '', 'cf-access-client-secret': '' }) },
      reader: secret({ 'cf-access-client-id': '', 'cf-access-client-secret': '', authorization: 'Bearer none' }),
    });
  });
});
