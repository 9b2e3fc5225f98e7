import { dockerKeys } from '../../settings/docker';
import { edgeKeys, edgeProblems, notAtEdge } from '../../settings/edge';
import { networkKeys } from '../../settings/network';
import type { Key } from '../../settings/setting';
import { report, type Problem } from '../../settings/problem';
import { readSettings } from '../../settings/settings';
import { portKeys, publishedPorts } from '../../settings/ports';
import { keys } from '../../settings/keys';
import { prometheusKeys } from '../../settings/prometheus';
import { redactKeys } from '../../settings/redact';
import { victorialogsKeys } from '../../settings/victorialogs';
import { tlsKeys } from '../../settings/tls';
import { setEnvironment } from '../support/environment';
import { rows } from '../support/rows';

type Config = Readonly<Record<string, string>>;

const read = (config: Config): ReturnType<typeof readSettings> => readSettings(config, 'llm-observability', () => true);
const problems = (config: Config): Problem[] => read(config).problems;

// The machine of the test may have a token.
beforeEach(() => setEnvironment({ CLOUDFLARE_API_TOKEN: undefined }));

const atEdge = { 'edge:central': 'prod' };
const all = Object.entries<Key<unknown>>(keys);
/** A value that each setting takes; good enough for every secret that has no form. */
const rightValue = ({ example, fallback = '' }: Key<unknown>): string => example ?? (fallback || 'a1'.repeat(20));

/** What is in a stack at the edge, or is the way to it. */
const ofAnEdge = [
  'alloy:otlpGrpcPort', 'alloy:otlpHttpPort', 'alloy:uiPort', 'alloy:bind', 'alloy:auth', 'alloy:cors', 'alloy:llmMetrics', 'alloy:ownMetrics', 'alloy:serviceAsProject', ...Object.keys(redactKeys), 'alloy:memory', 'alloy:queue', 'alloy:cpus', 'alloy:image', 'gate:image',
  'prometheus:url', 'prometheus:username', 'prometheus:password', 'prometheus:token', 'prometheus:tenant', 'loki:url', 'loki:username', 'loki:password', 'loki:token', 'loki:tenant', ...Object.keys(prometheusKeys), ...Object.keys(victorialogsKeys), ...Object.keys(networkKeys), ...Object.keys(tlsKeys), 'edge:central', 'edge:access', 'edge:sendTo', 'edge:token', 'ports:offset', 'data:protect',
  ...Object.keys(dockerKeys),
];

/** What the rule of the edge says of a setting. */
const problem = (key: string, written = key): Problem => ({
  key,
  rule: `this stack sends to a central stack (edge:central) and has ${key.startsWith('grafana:') ? 'no Grafana' : 'neither a Phoenix nor a tunnel'}`,
  mend: [`pulumi config rm ${written}`],
});
/** What is said of an `edge:central` that names no stack. */
const noStack = (value: string): Problem => ({
  key: 'edge:central',
  value,
  rule: 'it is the name of a stack, as `pulumi stack ls` shows it, or ORGANIZATION/STACK or ORGANIZATION/PROJECT/STACK',
  mend: ['pulumi config set edge:central prod   # an example'],
});
/** What is said of an `edge:central` that stands empty. */
const notYet: Problem = {
  key: 'edge:central',
  rule: 'it is empty in the stack file; set a value',
  mend: ['pulumi config set edge:central prod', 'pulumi config rm edge:central'],
};

test('every setting of the edge, set, and the defaults', () => {
  const config = { 'edge:central': 'acme/observability/prod', 'edge:sendTo': 'phoenix', 'edge:token': 'host-2' };
  // That one has a form, and a test of its own.
  expect(Object.keys(config)).toEqual(Object.keys(edgeKeys).filter((name) => name !== 'edge:access'));
  expect(read(config)).toMatchObject({ problems: [], settings: config });
  expect(read(atEdge)).toMatchObject({ problems: [], settings: { 'edge:central': 'prod', 'edge:sendTo': 'alloy', 'edge:token': 'edge' } });
  expect(read({}).settings['edge:central']).toBeUndefined();
});

describe('what a stack at the edge does not have', () => {
  const refused = all.filter(([name]) => !ofAnEdge.includes(name));

  test('there are settings for both kinds of stack', () => {
    expect(all.filter(([name]) => ofAnEdge.includes(name)).map(([name]) => name)).toEqual(ofAnEdge);
    expect(new Set(refused.map(([name]) => name.split(':')[0]))).toEqual(new Set(['phoenix', 'tunnel', 'cloudflare', 'grafana', 'example']));
    expect(Object.keys(edgeKeys).filter((name) => !ofAnEdge.includes(name))).toEqual([]);
  });

  rows(refused)('%s is refused, whatever its value', (name, key) => {
    const about = (value: string, central: string): Problem[] => problems({ 'edge:central': central, [name]: value }).filter(({ rule }) => rule.startsWith('this stack sends'));
    expect(about(rightValue(key), 'prod')).toEqual([problem(name)]);
    expect(about('\n', 'acme/observability/prod')).toEqual([problem(name)]);
  });

  test('where nothing else is wrong with it, that is all there is to say, and the command mends it', () => {
    expect(problems({ ...atEdge, 'phoenix:uiPort': '16006' })).toEqual([problem('phoenix:uiPort')]);
    expect(problems({ ...atEdge, 'tunnel:name': 'observability' })).toEqual([problem('tunnel:name')]);
    expect(problems({ ...atEdge, 'cloudflare:accountId': '0'.repeat(32) })).toEqual([problem('cloudflare:accountId')]);
    expect(problems({ ...atEdge, 'cloudflare:baseUrl': 'https://api.cloudflare.com/client/v4' })).toEqual([problem('cloudflare:baseUrl')]);
    expect(problems(atEdge)).toEqual([]);
  });

  test('all of it at once, in the order of the stack file', () => {
    const config = Object.fromEntries(refused.map(([name, key]) => [name, rightValue(key)]).reverse());
    expect(problems({ ...config, ...atEdge })).toEqual(refused.map(([name]) => problem(name)).reverse());
  });

  rows([
    // Misspelt, of the provider, or nothing at all.
    ['phoenix:uiport'],
    ['phoenix:x'],
    ['tunnel:hostnam'],
    ['cloudflare:apitoken'],
    ['cloudflare:email'],
    ['cloudflare:apiKey'],
    ['tunnel:'],
    // A command takes it as it is.
    ['phoenix:ui port', "'phoenix:ui port'"],
    ["tunnel:it's", "'tunnel:it'\\''s'"],
    ['cloudflare:$(id)', "'cloudflare:$(id)'"],
  ])('%s is refused without a word of what it may have meant', (name, written = name) => {
    for (const isSecret of [true, false]) {
      expect(readSettings({ ...atEdge, [name]: 's3cret' }, 'llm-observability', () => isSecret).problems).toEqual([problem(name, written)]);
    }
  });

  test.each<[string, Config, string[]]>([
    ['ports beyond this machine without auth', { 'phoenix:bind': '0.0.0.0' }, ['phoenix:auth']],
    ['half of OIDC', { 'phoenix:auth': 'true', 'phoenix:oidcClientId': 'phoenix' }, ['phoenix:oidcClientId']],
    ['nobody who gets in', { 'phoenix:auth': 'true', 'phoenix:basicAuth': 'false' }, ['phoenix:basicAuth']],
    ['the same secret twice', { 'phoenix:secret': 'a1'.repeat(16), 'phoenix:adminSecret': 'a1'.repeat(16) }, ['phoenix:adminSecret']],
    ['an open page without an account', { 'tunnel:hostname': 'phoenix.example.com' }, ['cloudflare:accountId', 'cloudflare:apiToken', 'tunnel:hostname']],
    [
      'hostnames of two zones, without a token',
      { 'cloudflare:accountId': '0'.repeat(32), 'cloudflare:apiToken': 'a'.repeat(40), 'tunnel:otlpHostname': 'a.example.com', 'tunnel:phoenixOtlpHostname': 'b.example.org', 'tunnel:serviceTokens': '' },
      ['tunnel:phoenixOtlpHostname', 'tunnel:otlpHostname', 'tunnel:phoenixOtlpHostname'],
    ],
  ])('the rules of login and tunnel are silent: %s', (_, config, elsewhere) => {
    expect(problems(config).map(({ key }) => key)).toEqual(elsewhere);
    expect(problems({ ...atEdge, ...config })).toEqual(Object.keys(config).map((name) => problem(name)));
    expect(problems({ ...config, 'edge:central': 'the prod' })).toEqual([noStack('the prod'), ...Object.keys(config).map((name) => problem(name))]);
  });

  test('no value is told, which may be a secret', () => {
    expect(report('edge', problems({ ...atEdge, 'cloudflare:apiToken': 'a1'.repeat(20), 'phoenix:adminPassword': 's3cret' }))).toBe(
      [
        '2 problems with stack edge; nothing was changed.',
        '  - cloudflare:apiToken: this stack sends to a central stack (edge:central) and has neither a Phoenix nor a tunnel.',
        '      pulumi config rm cloudflare:apiToken --stack edge',
        '  - phoenix:adminPassword: this stack sends to a central stack (edge:central) and has neither a Phoenix nor a tunnel.',
        '      pulumi config rm phoenix:adminPassword --stack edge',
      ].join('\n'),
    );
  });

  test('everything else may be set', () => {
    const access = { remote: { otlp: { alloy: 'https://otlp.example.com', phoenix: null }, auth: true, tokens: {} }, remoteAccess: {} };
    const formed: Config = { 'prometheus:enabled': 'false', 'victorialogs:enabled': 'false', 'edge:access': JSON.stringify(access), 'tls:key': '-----BEGIN PRIVATE KEY-----', 'docker:keyMaterial': '-----BEGIN PRIVATE KEY-----', 'docker:registryAuth': '[{"address":"ghcr.io"}]' };
    const config = Object.fromEntries(all.filter(([name]) => ofAnEdge.includes(name)).map(([name, key]) => [name, formed[name] ?? rightValue(key)]));
    expect(Object.keys(config)).toHaveLength(ofAnEdge.length);
    // A store is shown a token, or a user with a password.
    const without = (names: RegExp): Config => Object.fromEntries(Object.entries(config).filter(([name]) => !names.test(name)));
    expect(problems(without(/^(prometheus|loki):token$|^prometheus:rules$/))).toEqual([]);
    expect(problems(without(/^prometheus:rules$/)).map(({ key }) => key)).toEqual(['prometheus:token', 'loki:token']);
    // It deploys stores of metrics and logs, or names them.
    expect(problems({ ...without(/^(prometheus|loki):(url|username|password|token|tenant)$/), 'prometheus:enabled': 'true', 'victorialogs:enabled': 'true' })).toEqual([]);
  });

  rows(['docker:context', 'aws:region', 'phoenixes:x', 'my-tunnel:x', 'cloudflared:x', 'Phoenix:x', 'llm-observability:phoenix:x', 'phoenix', 'pulumi:tags'])('%s is none of it', (name) => {
    expect(notAtEdge(name)).toBe(false);
    expect(edgeProblems(['edge:central', name])).toEqual([]);
  });

  test('elsewhere all of it may be set', () => {
    const about = (name: string, key: Key<unknown>): Problem[] => problems({ [name]: rightValue(key), 'edge:sendTo': 'phoenix' }).filter(({ rule }) => rule.startsWith('this stack sends'));
    expect(refused.flatMap(([name, key]) => about(name, key))).toEqual([]);
    expect(problems({ 'phoenix:uiPort': '16006', 'tunnel:name': 'observability', 'edge:token': 'host-2' })).toEqual([]);
  });
});

describe('edge:central', () => {
  rows(['prod', 'Prod_1.eu', 'a-b', 'acme/prod', 'organization/llm-observability/prod', 'acme/my.project/prod-2'])('%s names a stack', (raw) => {
    expect(read({ 'edge:central': raw })).toMatchObject({ problems: [], settings: { 'edge:central': raw } });
  });

  rows(['prod,dev', '../../prod', '../prod', 'acme/../prod', '.prod', '..', 'acme/observability/prod/x', '/prod', 'prod/', 'acme//prod', 'https://phoenix.example.com', 'prod;id', 'größe'])("'%s' names none", (raw) => {
    expect(problems({ 'edge:central': raw })).toEqual([noStack(raw)]);
  });

  rows([
    ['one that is none', 'the prod', noStack('the prod')],
    ['one that stands empty', '', notYet],
    ['one of blanks', ' \n', notYet],
  ])('%s makes a stack at the edge as well', (_, raw, told) => {
    const central = { 'edge:central': raw };
    expect(problems({ ...central, 'phoenix:uiPort': '16006', 'tunnel:nme': 'x' })).toEqual([told, problem('phoenix:uiPort'), problem('tunnel:nme')]);
    // Nothing is said of a Phoenix that is not there: its ports clash with none, and are not moved.
    expect(problems({ ...central, 'alloy:uiPort': '6006' })).toEqual([told]);
    expect(problems({ ...central, 'alloy:uiPort': '5906', 'ports:offset': '100' })).toEqual([told]);
    const { settings } = read({ ...central, 'ports:offset': '100' });
    expect(settings['edge:central']).toBe('');
    expect(publishedPorts(settings)).toEqual(publishedPorts(read(atEdge).settings));
    expect(settings).toEqual({ ...read({ ...atEdge, 'ports:offset': '100' }).settings, 'edge:central': '' });
    // What is wrong with Alloy's own is still told.
    expect(problems({ ...central, 'alloy:uiPort': '4318', 'alloy:memory': '2G' }).map(({ key }) => key)).toEqual(['alloy:memory', 'edge:central', 'alloy:uiPort']);
  });
});

describe('edge:sendTo', () => {
  rows(['alloy', 'phoenix'])('%s', (raw) => expect(read({ ...atEdge, 'edge:sendTo': raw })).toMatchObject({ problems: [], settings: { 'edge:sendTo': raw } }));

  rows(['', 'alloy,phoenix', 'gate'])("not '%s'", (raw) => {
    expect(problems({ ...atEdge, 'edge:sendTo': raw })).toEqual([
      { key: 'edge:sendTo', value: raw, rule: 'it is one of alloy, phoenix', mend: ['pulumi config set edge:sendTo alloy', 'pulumi config set edge:sendTo phoenix'] },
    ]);
  });
});

describe('edge:token', () => {
  rows([['edge', 'edge'], ['host-2', 'host-2'], [' edge ', 'edge']])("'%s'", (raw, name) => {
    expect(read({ ...atEdge, 'edge:token': raw })).toMatchObject({ problems: [], settings: { 'edge:token': name } });
  });

  const one = 'it is the name of one service token';
  const none = 'a name is a small letter and up to 38 small letters, digits and dashes, and none of alloy, secret, admin-secret; commas separate names';
  rows([
    ['', one],
    [' ', one],
    ['edge,host-2', one],
    ['Edge', none],
    ['alloy', none],
    ['secret', none],
    ['admin-secret', none],
    ['edge,edge', 'a name is listed twice'],
  ])("not '%s': %s", (raw, rule) => {
    expect(problems({ ...atEdge, 'edge:token': raw })).toEqual([{ key: 'edge:token', value: raw, rule, mend: ['pulumi config rm edge:token   # the default: edge'] }]);
  });
});

describe('ports', () => {
  test('at the edge there are those of Alloy, elsewhere all', () => {
    expect(publishedPorts(read(atEdge).settings)).toEqual(['alloy:otlpGrpcPort', 'alloy:otlpHttpPort', 'alloy:uiPort']);
    expect(publishedPorts(read({}).settings)).toEqual(portKeys);
    expect(publishedPorts(read({ 'prometheus:enabled': 'true' }).settings)).toEqual([...portKeys, 'prometheus:port']);
  });

  rows([['alloy:uiPort', '6006'], ['alloy:otlpGrpcPort', '14317'], ['alloy:otlpHttpPort', '14318']])('%s may be %s at the edge, which is one of Phoenix elsewhere', (name, port) => {
    expect(problems({ ...atEdge, [name]: port })).toEqual([]);
    expect(problems({ [name]: port })).toMatchObject([{ key: name, value: port }]);
  });

  rows([['phoenix:uiPort', '12345'], ['phoenix:otlpGrpcPort', '4317'], ['phoenix:otlpHttpPort', '6006']])('%s clashes with nothing at the edge, where it is refused', (name, port) => {
    expect(problems({ ...atEdge, [name]: port })).toEqual([problem(name)]);
    expect(problems({ [name]: port }).map(({ rule }) => rule.replace(/^\S+ /, ''))).toEqual(['claims the same port; every service needs its own port']);
  });

  test("Alloy's own clash at the edge as well", () => {
    expect(problems({ ...atEdge, 'alloy:uiPort': '4318' })).toEqual([
      {
        key: 'alloy:uiPort',
        value: '4318',
        rule: 'alloy:otlpHttpPort claims the same port; every service needs its own port',
        mend: ['pulumi config set alloy:uiPort 16011'],
      },
    ]);
  });
});
