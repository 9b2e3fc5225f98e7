import { images } from '../../components/catalog';
import { report, type Problem } from '../../settings/problem';
import { readSettings } from '../../settings/settings';
import { hasPeople, hasTunnel, hostnamesOf, tunnelKeys, tunnelWarnings, zoneOf } from '../../settings/tunnel';
import { setEnvironment } from '../support/environment';

type Config = Readonly<Record<string, string>>;

const read = (config: Config, isSecret = (key: string): boolean => key === 'cloudflare:apiToken'): ReturnType<typeof readSettings> =>
  readSettings(config, 'llm-observability', isSecret);
const problems = (config: Config): Problem[] => read(config).problems;

// The machine of the test may have a token.
beforeEach(() => setEnvironment({ CLOUDFLARE_API_TOKEN: undefined }));

const accountId = '0123456789abcdef0123456789abcdef';
const token = 'a-token-of-forty-characters-0123456789_ab';
const account = { 'cloudflare:accountId': accountId, 'cloudflare:apiToken': token };
const auth = { 'phoenix:auth': 'true' };
const group = 'f174e90a-fafe-4643-bbbc-4a0ed4fc8415';
const page = { 'tunnel:hostname': 'phoenix.example.com' };
const grafana = 'grafana.example.com=http://host.docker.internal:3000';

/** The configuration after a command of a message, which a person runs. */
function after(config: Config, command: string): Config {
  const [, verb, name = '', value = ''] = /^pulumi config (set|rm) (?:--secret )?(\S+) ?(.*)$/.exec(command) ?? [];
  expect(verb).toBeDefined();
  const others = Object.fromEntries(Object.entries(config).filter(([other]) => other !== name));
  return verb === 'rm' ? others : { ...others, [name]: value.replace(/^'|'$/g, '') || token };
}

test('every setting of the tunnel, set', () => {
  const config = {
    ...account,
    'tunnel:hostname': 'phoenix.example.com',
    'tunnel:otlpHostname': 'otlp.example.com',
    'tunnel:phoenixOtlpHostname': 'phoenix-otlp.eu.example.com',
    'tunnel:routes': `${grafana},example.com=https://wiki`,
    'tunnel:zone': 'example.com',
    'tunnel:allowEmails': 'ada@example.com',
    'tunnel:allowDomains': 'example.com,example.org',
    'tunnel:allowGroups': group,
    'tunnel:serviceTokens': 'edge,host-2',
    'tunnel:tokenDuration': 'forever',
    'tunnel:name': 'observability',
    'tunnel:connectors': '3',
    'tunnel:image': 'mirror.example/cloudflared:2025.4.0',
    'cloudflare:baseUrl': 'http://127.0.0.1:8787/client/v4/',
  };
  expect(Object.keys(config).sort()).toEqual(Object.keys(tunnelKeys).sort());
  const { settings, problems: none } = read(config);
  expect(none).toEqual([]);
  expect(settings).toMatchObject({
    ...config,
    'tunnel:routes': [
      { hostname: 'grafana.example.com', service: 'http://host.docker.internal:3000' },
      { hostname: 'example.com', service: 'https://wiki' },
    ],
    'tunnel:allowEmails': ['ada@example.com'],
    'tunnel:allowDomains': ['example.com', 'example.org'],
    'tunnel:allowGroups': [group],
    'tunnel:serviceTokens': ['edge', 'host-2'],
    'tunnel:connectors': 3,
    'cloudflare:baseUrl': 'http://127.0.0.1:8787/client/v4',
  });
});

test('the defaults', () => {
  const { settings } = read({});
  expect(Object.fromEntries(Object.entries(settings).filter(([name, value]) => name in tunnelKeys && value !== undefined))).toEqual({
    'tunnel:serviceTokens': ['edge'],
    'tunnel:tokenDuration': '8760h',
    'tunnel:connectors': 2,
    'tunnel:image': images.tunnel,
    'cloudflare:baseUrl': 'https://api.cloudflare.com/client/v4',
  });
});

test.each<[string, Config]>([
  ['a page with auth', { ...account, ...page, ...auth }],
  ['a page behind Access, by addresses', { ...account, ...page, 'tunnel:allowEmails': 'ada@example.com' }],
  ['a page behind Access, by domains', { ...account, ...page, 'tunnel:allowDomains': 'example.com' }],
  ['a page behind Access, by groups', { ...account, ...page, 'tunnel:allowGroups': group }],
  ['a page with both', { ...account, ...page, ...auth, 'tunnel:allowEmails': 'ada@example.com' }],
  ['a page, for which nobody needs a service token', { ...account, ...page, ...auth, 'tunnel:serviceTokens': '' }],
  ['hostnames for machines, which need no login', { ...account, 'tunnel:otlpHostname': 'otlp.example.com', 'tunnel:phoenixOtlpHostname': 'phoenix-otlp.example.com' }],
  ['further routes with people', { ...account, 'tunnel:routes': grafana, 'tunnel:allowEmails': 'ada@example.com' }],
  ['the zone itself as a hostname', { ...account, ...auth, 'tunnel:hostname': 'example.com', 'tunnel:zone': 'example.com' }],
])('%s is right', (_, config) => expect(problems(config)).toEqual([]));

test('while nothing is published no rule applies: a person may be half through preparing it', () => {
  expect(problems({})).toEqual([]);
  expect(problems({ 'tunnel:zone': 'example.com', 'tunnel:serviceTokens': '', 'tunnel:connectors': '1' })).toEqual([]);
  expect(problems({ 'tunnel:allowEmails': 'ada@example.com', 'tunnel:name': 'observability', 'cloudflare:accountId': accountId })).toEqual([]);
});

describe('the account', () => {
  const noAccount = {
    key: 'cloudflare:accountId',
    rule: "a tunnel needs the account that it is made in, whose ID is in the URL of the account's page at dash.cloudflare.com",
    mend: ['pulumi config set cloudflare:accountId 0123456789abcdef0123456789abcdef'],
  };
  const noToken = {
    key: 'cloudflare:apiToken',
    rule: 'a tunnel needs an API token, which dash.cloudflare.com/profile/api-tokens makes; the README lists the permissions that it needs',
    mend: ['pulumi config set --secret cloudflare:apiToken'],
  };

  test.each<[string, Config, Problem]>([
    ['no account', { 'cloudflare:apiToken': token }, noAccount],
    ['no token', { 'cloudflare:accountId': accountId }, noToken],
  ])('%s', (_, there, problem) => {
    const config = { ...page, ...auth, ...there };
    expect(problems(config)).toEqual([problem]);
    expect(problems(after(config, problem.mend[0] ?? ''))).toEqual([]);
  });

  test.each<[string, Config]>([
    ['a page', page],
    ['a hostname for Alloy', { 'tunnel:otlpHostname': 'otlp.example.com' }],
    ['a hostname for Phoenix', { 'tunnel:phoenixOtlpHostname': 'otlp.example.com' }],
    ['a further route', { 'tunnel:routes': grafana, 'tunnel:allowEmails': 'ada@example.com' }],
  ])('neither, with %s', (_, published) => expect(problems({ ...auth, ...published })).toEqual([noAccount, noToken]));

  test('the token may be in the environment instead', () => {
    const config = { ...page, ...auth, 'cloudflare:accountId': accountId };
    setEnvironment({ CLOUDFLARE_API_TOKEN: token });
    expect(problems(config)).toEqual([]);
    // It names no account.
    expect(problems({ ...page, ...auth })).toEqual([noAccount]);
    // An empty one is none, as the provider takes it.
    setEnvironment({ CLOUDFLARE_API_TOKEN: '' });
    expect(problems(config)).toEqual([noToken]);
  });

  test.each(['tunnel:hostname', 'tunnel:otlpHostname', 'tunnel:phoenixOtlpHostname', 'tunnel:routes'])('is told of as well where %s is broken or still empty', (key) => {
    for (const value of ['', 'not one']) {
      expect(problems({ ...auth, [key]: value }).map((problem) => problem.key)).toEqual([key, 'cloudflare:accountId', 'cloudflare:apiToken']);
      expect(problems({ ...auth, ...account, [key]: value }).map((problem) => problem.key)).toEqual([key]);
    }
  });

  test('that stands empty itself is not missing as well', () => {
    expect(problems({ ...page, ...auth, 'cloudflare:accountId': '', 'cloudflare:apiToken': token })).toEqual([
      { key: 'cloudflare:accountId', rule: 'it is empty in the stack file; set a value', mend: [...noAccount.mend, 'pulumi config rm cloudflare:accountId'] },
    ]);
  });

  test('a token in plain text is refused, published or not', () => {
    const problem = { key: 'cloudflare:apiToken', rule: 'it is a secret, and the stack file has it in plain text', mend: ['pulumi config set --secret cloudflare:apiToken'] };
    for (const config of [account, { ...account, ...page, ...auth }]) {
      expect(read(config, () => false).problems).toEqual([problem]);
    }
  });

  test('what is set but wrong is not missing, and the token is in no message', () => {
    const found = problems({ ...page, ...auth, 'cloudflare:accountId': 'mine', 'cloudflare:apiToken': 's3cret' });
    expect(found).toEqual([
      {
        key: 'cloudflare:accountId',
        value: 'mine',
        rule: "an account ID is 32 hexadecimal digits, the ones in the URL of the account's page at dash.cloudflare.com",
        mend: ['pulumi config set cloudflare:accountId 0123456789abcdef0123456789abcdef   # an example'],
      },
      {
        key: 'cloudflare:apiToken',
        rule: 'an API token is 40 to 80 letters, digits, - and _; the Global API Key is not a token and grants too much',
        mend: ['pulumi config set --secret cloudflare:apiToken'],
      },
    ]);
    expect(JSON.stringify(found)).not.toContain('s3cret');
  });
});

describe('one zone', () => {
  const derived = (zone: string, from: string): string => `it is not in the zone ${zone}, which is that of ${from}; all hostnames of a stack are in one zone`;
  const chosen = 'it is not in the zone example.com; all hostnames of a stack are in one zone';
  const people = { 'tunnel:allowEmails': 'ada@example.com' };

  test.each<[Config, string, string, string, string]>([
    [{ ...page, 'tunnel:otlpHostname': 'otlp.example.org' }, 'tunnel:otlpHostname', 'otlp.example.org', derived('example.com', 'tunnel:hostname'), 'pulumi config set tunnel:otlpHostname otlp.example.com'],
    // The end of a name is not yet its zone.
    [{ ...page, 'tunnel:otlpHostname': 'otlp.myexample.com' }, 'tunnel:otlpHostname', 'otlp.myexample.com', derived('example.com', 'tunnel:hostname'), 'pulumi config set tunnel:otlpHostname otlp.example.com'],
    [
      { 'tunnel:otlpHostname': 'otlp.eu.example.com', 'tunnel:phoenixOtlpHostname': 'traces.example.com' },
      'tunnel:phoenixOtlpHostname', 'traces.example.com', derived('eu.example.com', 'tunnel:otlpHostname'), 'pulumi config set tunnel:phoenixOtlpHostname traces.eu.example.com',
    ],
    [
      { ...page, ...people, 'tunnel:routes': `${grafana},wiki.example.org=http://wiki` },
      'tunnel:routes', 'wiki.example.org', derived('example.com', 'tunnel:hostname'), "pulumi config set tunnel:routes 'NAME.example.com=http://SERVICE:PORT'",
    ],
    [
      { ...people, 'tunnel:routes': `${grafana},wiki.example.org=http://wiki` },
      'tunnel:routes', 'wiki.example.org', derived('example.com', 'tunnel:routes'), "pulumi config set tunnel:routes 'NAME.example.com=http://SERVICE:PORT'",
    ],
    [{ 'tunnel:hostname': 'phoenix.example.org', 'tunnel:zone': 'example.com' }, 'tunnel:hostname', 'phoenix.example.org', chosen, 'pulumi config set tunnel:hostname phoenix.example.com'],
    [
      { ...people, 'tunnel:routes': 'wiki.example.org=http://wiki', 'tunnel:zone': 'example.com' },
      'tunnel:routes', 'wiki.example.org', chosen, "pulumi config set tunnel:routes 'NAME.example.com=http://SERVICE:PORT'",
    ],
  ])('%j', (published, key, value, rule, mend) => {
    const config = { ...account, ...auth, ...published };
    expect(problems(config)).toEqual([{ key, value, rule, mend: [mend] }]);
    expect(problems(after(config, mend.replace('NAME', 'name').replace('SERVICE:PORT', 'wiki')))).toEqual([]);
  });

  test('several hostnames outside of it: each is told', () => {
    const config = { ...account, ...auth, ...page, ...people, 'tunnel:zone': 'example.net', 'tunnel:routes': `${grafana},wiki.example.net=http://wiki` };
    expect(problems(config).map(({ key, value }) => [key, value])).toEqual([['tunnel:hostname', 'phoenix.example.com'], ['tunnel:routes', 'grafana.example.com']]);
  });

  test('a zone that is set takes hostnames at any depth', () => {
    const config = { ...account, ...auth, 'tunnel:hostname': 'phoenix.eu.example.com', 'tunnel:otlpHostname': 'otlp.example.com' };
    expect(problems(config).map(({ key }) => key)).toEqual(['tunnel:otlpHostname']);
    expect(problems({ ...config, 'tunnel:zone': 'example.com' })).toEqual([]);
  });

  test('a zone that is none says nothing of the hostnames', () => {
    const config = { ...account, ...auth, ...page, ...people, 'tunnel:otlpHostname': 'otlp.eu.example.org', 'tunnel:routes': 'wiki.example.net=http://wiki', 'tunnel:zone': 'Example.com' };
    expect(problems(config)).toEqual([
      {
        key: 'tunnel:zone',
        value: 'Example.com',
        rule: 'it is a name such as phoenix.example.com: small letters, digits, dashes and dots, without http:// and without a port',
        mend: ['pulumi config set tunnel:zone example.com'],
      },
    ]);
    // What they lack besides is still told.
    expect(problems({ ...config, 'tunnel:otlpHostname': 'phoenix.example.com', 'tunnel:serviceTokens': '' }).map(({ key }) => key)).toEqual(['tunnel:zone', 'tunnel:otlpHostname', 'tunnel:otlpHostname']);
    expect(problems({ ...config, 'tunnel:zone': 'example.com' }).map(({ key }) => key)).toEqual(['tunnel:otlpHostname', 'tunnel:routes']);
    expect(problems({ ...config, 'tunnel:zone': 'example.com', 'tunnel:connectors': '0' }).map(({ key }) => key)).toEqual(['tunnel:connectors', 'tunnel:otlpHostname', 'tunnel:routes']);
  });
});

describe('a hostname for each service', () => {
  const rule = (earlier: string): string => `${earlier} is the same hostname; each service needs its own hostname`;

  const people = { 'tunnel:allowEmails': 'ada@example.com' };
  const wiki = 'phoenix.example.com=http://wiki';

  test.each<[Config, string, string, string?]>([
    [{ ...page, 'tunnel:otlpHostname': 'phoenix.example.com' }, 'tunnel:otlpHostname', 'tunnel:hostname'],
    [{ ...page, 'tunnel:phoenixOtlpHostname': 'phoenix.example.com' }, 'tunnel:phoenixOtlpHostname', 'tunnel:hostname'],
    [{ 'tunnel:otlpHostname': 'phoenix.example.com', 'tunnel:phoenixOtlpHostname': 'phoenix.example.com' }, 'tunnel:phoenixOtlpHostname', 'tunnel:otlpHostname'],
    [{ ...page, ...people, 'tunnel:routes': wiki }, 'tunnel:routes', 'tunnel:hostname'],
    // What else is in it stays.
    [{ ...page, ...people, 'tunnel:routes': `${wiki},${grafana}` }, 'tunnel:routes', 'tunnel:hostname', `pulumi config set tunnel:routes '${grafana}'`],
    [
      { 'tunnel:otlpHostname': 'phoenix.example.com', ...people, 'tunnel:routes': `${grafana}, ${wiki}, b.example.com=https://b:8443/` },
      'tunnel:routes', 'tunnel:otlpHostname', `pulumi config set tunnel:routes '${grafana},b.example.com=https://b:8443'`,
    ],
    [{ 'tunnel:phoenixOtlpHostname': 'phoenix.example.com', 'tunnel:hostname': 'a.example.com', 'tunnel:otlpHostname': 'otlp.example.com', ...people, 'tunnel:routes': wiki }, 'tunnel:routes', 'tunnel:phoenixOtlpHostname'],
    // Others are taken away alone, whatever routes there are.
    [{ ...page, ...people, 'tunnel:otlpHostname': 'phoenix.example.com', 'tunnel:routes': grafana }, 'tunnel:otlpHostname', 'tunnel:hostname'],
  ])('%j', (published, key, earlier, mend = `pulumi config rm ${key}`) => {
    const config = { ...account, ...auth, ...published };
    expect(problems(config)).toEqual([{ key, value: 'phoenix.example.com', rule: rule(earlier), mend: [mend] }]);
    expect(problems(after(config, mend))).toEqual([]);
  });

  test('one name three times: told of the second and the third', () => {
    const config = { ...account, ...auth, ...page, 'tunnel:otlpHostname': 'phoenix.example.com', 'tunnel:phoenixOtlpHostname': 'phoenix.example.com' };
    expect(problems(config).map(({ key, rule: broken }) => [key, broken])).toEqual([
      ['tunnel:otlpHostname', rule('tunnel:hostname')],
      ['tunnel:phoenixOtlpHostname', rule('tunnel:hostname')],
    ]);
  });

  test('two of the further routes: told of each', () => {
    const config = { ...account, ...auth, ...people, ...page, 'tunnel:otlpHostname': 'otlp.example.com', 'tunnel:routes': `${wiki},${grafana},otlp.example.com=http://wiki` };
    expect(problems(config).map(({ key, value, rule: broken }) => [key, value, broken])).toEqual([
      ['tunnel:routes', 'phoenix.example.com', rule('tunnel:hostname')],
      ['tunnel:routes', 'otlp.example.com', rule('tunnel:otlpHostname')],
    ]);
  });
});

describe('nothing stands open', () => {
  const open: Problem = {
    key: 'tunnel:hostname',
    value: 'phoenix.example.com',
    rule: 'it publishes Phoenix, where anyone could read and delete everything: there is neither a login in Phoenix nor Access in front of it',
    mend: ['pulumi config set phoenix:auth true', 'pulumi config set tunnel:allowEmails ada@example.com'],
  };
  const nobody = (value: string): Problem => ({
    key: 'tunnel:routes',
    value,
    rule: 'no Access rule lets anyone in, so the page would be public',
    mend: ['pulumi config set tunnel:allowEmails ada@example.com'],
  });

  test('a page with neither auth nor Access; each of its commands is a way of its own', () => {
    const config = { ...account, ...page };
    expect(problems(config)).toEqual([open]);
    expect(open.mend.map((command) => problems(after(config, command)))).toEqual([[], []]);
  });

  test.each<[string, Config]>([
    ['auth', auth],
    ['addresses', { 'tunnel:allowEmails': 'ada@example.com' }],
    ['domains', { 'tunnel:allowDomains': 'example.com' }],
    ['groups', { 'tunnel:allowGroups': group }],
  ])('%s make it right', (_, guard) => expect(problems({ ...account, ...page, ...guard })).toEqual([]));

  test('further routes without people, auth or not: each is told', () => {
    const config = { ...account, ...auth, 'tunnel:routes': `${grafana},wiki.example.com=http://wiki` };
    expect(problems(config)).toEqual([nobody('grafana.example.com'), nobody('wiki.example.com')]);
    expect(problems(after(config, 'pulumi config set tunnel:allowEmails ada@example.com'))).toEqual([]);
  });

  test('a page and a route at once', () => expect(problems({ ...account, ...page, 'tunnel:routes': grafana })).toEqual([open, nobody('grafana.example.com')]));

  test('people who are still to be named are not missing as well', () => {
    for (const key of ['tunnel:allowEmails', 'tunnel:allowDomains', 'tunnel:allowGroups']) {
      expect(problems({ ...account, ...page, 'tunnel:routes': grafana, [key]: '' }).map((problem) => problem.key)).toEqual([key]);
    }
  });

  test('what is wrong by itself says nothing of it', () => {
    expect(problems({ ...account, ...page, 'phoenix:auth': 'yes' }).map(({ key }) => key)).toEqual(['phoenix:auth']);
    for (const key of ['tunnel:allowEmails', 'tunnel:allowDomains', 'tunnel:allowGroups']) {
      expect(problems({ ...account, ...page, 'tunnel:routes': grafana, [key]: 'everybody' }).map((problem) => problem.key)).toEqual([key]);
    }
    // What is not published yet stands open to nobody.
    for (const hostname of ['phoenix', '']) {
      expect(problems({ ...account, 'tunnel:hostname': hostname }).map(({ key }) => key)).toEqual(['tunnel:hostname']);
    }
  });
});

describe('service tokens', () => {
  const none = (key: string, value: string): Problem => ({ key, value, rule: 'machines get in with a service token, and there is none', mend: ['pulumi config set tunnel:serviceTokens edge'] });

  test('a hostname for machines needs one', () => {
    const config = { ...account, 'tunnel:otlpHostname': 'otlp.example.com', 'tunnel:phoenixOtlpHostname': 'traces.example.com', 'tunnel:serviceTokens': '' };
    expect(problems(config)).toEqual([none('tunnel:otlpHostname', 'otlp.example.com'), none('tunnel:phoenixOtlpHostname', 'traces.example.com')]);
    expect(problems(after(config, 'pulumi config set tunnel:serviceTokens edge'))).toEqual([]);
  });

  test.each(['tunnel:otlpHostname', 'tunnel:phoenixOtlpHostname'])('%s alone', (key) => {
    expect(problems({ ...account, [key]: 'otlp.example.com', 'tunnel:serviceTokens': '' })).toEqual([none(key, 'otlp.example.com')]);
  });

  test('names that are wrong are not missing', () => {
    expect(problems({ ...account, 'tunnel:otlpHostname': 'otlp.example.com', 'tunnel:serviceTokens': 'Edge' }).map(({ key }) => key)).toEqual(['tunnel:serviceTokens']);
  });
});

test('several that stand empty, and the token that is in no file: all that a person has to fill in at once', () => {
  const config: Config = { ...auth, 'tunnel:hostname': '', 'tunnel:otlpHostname': '', 'cloudflare:accountId': '' };
  expect(problems(config).map(({ key }) => key)).toEqual(['tunnel:hostname', 'tunnel:otlpHostname', 'cloudflare:accountId', 'cloudflare:apiToken']);
  const filled = problems(config).reduce((before, { mend }) => after(before, mend[0] ?? ''), config);
  expect(problems(filled)).toEqual([]);
});

test('a zone says nothing of the hostnames while one of them is still empty', () => {
  const config = { ...account, ...auth, 'tunnel:hostname': '', 'tunnel:otlpHostname': 'otlp.example.org', 'tunnel:phoenixOtlpHostname': 'traces.example.net' };
  expect(problems(config).map(({ key }) => key)).toEqual(['tunnel:hostname']);
});

test('all at once, in the order of account, zone, URL, names, who gets in, tokens', () => {
  const config = { ...page, 'phoenix:rootUrl': 'http://phoenix.example.com', 'tunnel:otlpHostname': 'otlp.example.org', 'tunnel:phoenixOtlpHostname': 'phoenix.example.com', 'tunnel:serviceTokens': '' };
  expect(report('dev', problems(config))).toBe(
    [
      '8 problems with stack dev; nothing was changed.',
      "  - cloudflare:accountId: a tunnel needs the account that it is made in, whose ID is in the URL of the account's page at dash.cloudflare.com.",
      '      pulumi config set cloudflare:accountId 0123456789abcdef0123456789abcdef --stack dev',
      '  - cloudflare:apiToken: a tunnel needs an API token, which dash.cloudflare.com/profile/api-tokens makes; the README lists the permissions that it needs.',
      '      pulumi config set --secret cloudflare:apiToken --stack dev',
      "  - tunnel:otlpHostname is 'otlp.example.org': it is not in the zone example.com, which is that of tunnel:hostname; all hostnames of a stack are in one zone.",
      '      pulumi config set tunnel:otlpHostname otlp.example.com --stack dev',
      "  - phoenix:rootUrl is 'http://phoenix.example.com/': the tunnel leads to https://phoenix.example.com, which is the default of this setting.",
      '      pulumi config rm phoenix:rootUrl --stack dev',
      "  - tunnel:phoenixOtlpHostname is 'phoenix.example.com': tunnel:hostname is the same hostname; each service needs its own hostname.",
      '      pulumi config rm tunnel:phoenixOtlpHostname --stack dev',
      "  - tunnel:hostname is 'phoenix.example.com': it publishes Phoenix, where anyone could read and delete everything: there is neither a login in Phoenix nor Access in front of it.",
      '      pulumi config set phoenix:auth true --stack dev',
      '      pulumi config set tunnel:allowEmails ada@example.com --stack dev',
      "  - tunnel:otlpHostname is 'otlp.example.org': machines get in with a service token, and there is none.",
      '      pulumi config set tunnel:serviceTokens edge --stack dev',
      "  - tunnel:phoenixOtlpHostname is 'phoenix.example.com': machines get in with a service token, and there is none.",
      '      pulumi config set tunnel:serviceTokens edge --stack dev',
    ].join('\n'),
  );
});

describe('the URL of Phoenix', () => {
  const url = (config: Config): URL | undefined => read(config).settings['phoenix:rootUrl'];
  const people = { 'tunnel:allowEmails': 'ada@example.com' };

  test("is the tunnel's, where none is set", () => {
    expect(url({ ...account, ...auth, ...page })).toEqual(new URL('https://phoenix.example.com'));
    expect(url({ ...account, 'tunnel:otlpHostname': 'otlp.example.com' })).toBeUndefined();
    expect(url({})).toBeUndefined();
  });

  test.each(['https://observe.example.com', 'http://observe.example.com:8080/phoenix', 'https://a.phoenix.example.com:8443'])('is the own one, where one is set: %s', (rootUrl) => {
    const { settings, problems: none } = read({ ...account, ...auth, ...page, 'phoenix:rootUrl': rootUrl });
    expect(none).toEqual([]);
    expect(settings['phoenix:rootUrl']).toEqual(new URL(rootUrl));
  });

  const refused = (by: string, ...mend: string[]): Problem => ({
    key: 'phoenix:auth',
    value: 'false',
    rule: `${by} Phoenix beyond this machine, where anyone could then read and delete everything`,
    mend: ['pulumi config set phoenix:auth true', ...mend],
  });

  test('of another host is refused without auth: Access watches over the hostname of the tunnel alone', () => {
    const config = { ...account, ...page, ...people, 'phoenix:rootUrl': 'https://observe.example.com' };
    const problem = refused('phoenix:rootUrl publishes', 'pulumi config rm phoenix:rootUrl');
    expect(problems(config)).toEqual([problem]);
    expect(problem.mend.map((command) => problems(after(config, command)))).toEqual([[], []]);
    // And where the tunnel has no page at all.
    expect(problems({ ...account, 'tunnel:otlpHostname': 'otlp.example.com', 'phoenix:rootUrl': 'https://otlp.example.com' })).toEqual([problem]);
  });

  test.each(['https://phoenix.example.com', 'https://phoenix.example.com/', 'HTTPS://Phoenix.example.com:443'])('%s is that of the tunnel', (rootUrl) => {
    expect(problems({ ...account, ...page, ...people, 'phoenix:rootUrl': rootUrl })).toEqual([]);
  });

  test.each([
    ['http://phoenix.example.com', 'http://phoenix.example.com/'],
    ['http://phoenix.example.com:443/', 'http://phoenix.example.com:443/'],
    ['https://phoenix.example.com:8443', 'https://phoenix.example.com:8443/'],
    ['https://phoenix.example.com/phoenix', 'https://phoenix.example.com/phoenix'],
    ['https://PHOENIX.example.com/phoenix/', 'https://phoenix.example.com/phoenix/'],
  ])('%s is not where the tunnel leads to, and a matter of the tunnel alone', (rootUrl, value) => {
    const mend = 'pulumi config rm phoenix:rootUrl';
    for (const guard of [people, auth]) {
      const config = { ...account, ...page, ...guard, 'phoenix:rootUrl': rootUrl };
      expect(problems(config)).toEqual([{ key: 'phoenix:rootUrl', value, rule: 'the tunnel leads to https://phoenix.example.com, which is the default of this setting', mend: [mend] }]);
      expect(problems(after(config, mend))).toEqual([]);
    }
  });

  test('has nothing to do with the hostnames for machines', () => {
    const config = { ...account, ...auth, 'tunnel:otlpHostname': 'otlp.example.com', 'phoenix:rootUrl': 'https://otlp.example.com/phoenix' };
    expect(problems(config)).toEqual([]);
    expect(problems({ ...config, ...page })).toEqual([]);
  });

  test('one that is wrong by itself is told of once', () => {
    expect(problems({ ...account, ...page, ...auth, 'phoenix:rootUrl': 'phoenix.example.com' }).map(({ key, rule }) => [key, rule])).toEqual([
      ['phoenix:rootUrl', 'it is not a URL; write http://host:port or https://host'],
    ]);
  });

  test('is not told of twice: what an open page lacks, the tunnel says', () => {
    const own: Config = { 'phoenix:rootUrl': 'https://phoenix.example.com' };
    for (const config of [{}, own]) {
      expect(problems({ ...account, ...page, ...config }).map(({ key }) => key)).toEqual(['tunnel:hostname']);
    }
  });

  test('ports beyond this machine are still refused', () => {
    expect(problems({ ...account, ...page, ...people, 'phoenix:bind': '0.0.0.0' })).toEqual([refused('phoenix:bind publishes', 'pulumi config set phoenix:bind 127.0.0.1')]);
  });
});

test('hostnames, with the settings that they come from, and their zone', () => {
  const of = (config: Config): object => {
    const { settings } = read(config);
    return { hostnames: hostnamesOf(settings).map(({ key, hostname }) => `${key} ${hostname}`), zone: zoneOf(settings), tunnel: hasTunnel(settings), people: hasPeople(settings) };
  };
  expect(of({})).toEqual({ hostnames: [], zone: '', tunnel: false, people: false });
  expect(of({ 'tunnel:zone': 'example.com', 'tunnel:allowGroups': group })).toEqual({ hostnames: [], zone: 'example.com', tunnel: false, people: true });
  expect(of({ 'tunnel:routes': `${grafana},wiki.example.org=http://wiki`, 'tunnel:phoenixOtlpHostname': 'c.example.com', 'tunnel:otlpHostname': 'b.example.com', 'tunnel:hostname': 'a.eu.example.com' })).toEqual({
    hostnames: [
      'tunnel:hostname a.eu.example.com', 'tunnel:otlpHostname b.example.com', 'tunnel:phoenixOtlpHostname c.example.com',
      'tunnel:routes grafana.example.com', 'tunnel:routes wiki.example.org',
    ],
    zone: 'eu.example.com',
    tunnel: true,
    people: false,
  });
  expect(of({ 'tunnel:routes': grafana, 'tunnel:zone': 'example.net', 'tunnel:allowDomains': 'example.com' })).toEqual({ hostnames: ['tunnel:routes grafana.example.com'], zone: 'example.net', tunnel: true, people: true });
});

describe('warnings', () => {
  const warnings = (config: Config): string[] => tunnelWarnings(read(config).settings);
  const certificate = (key: string, hostname: string): string =>
    `${key}: the free certificate of a zone at Cloudflare covers example.com and one level below; ${hostname} needs an advanced certificate, or clients fail in TLS`;

  test('a hostname two levels or more below its zone', () => {
    expect(warnings({
      'tunnel:zone': 'example.com',
      'tunnel:hostname': 'phoenix.eu.example.com',
      'tunnel:otlpHostname': 'otlp.example.com',
      'tunnel:phoenixOtlpHostname': 'traces.a.b.example.com',
      'tunnel:routes': 'wiki.eu.example.com=http://wiki',
    })).toEqual([
      certificate('tunnel:hostname', 'phoenix.eu.example.com'),
      certificate('tunnel:phoenixOtlpHostname', 'traces.a.b.example.com'),
      certificate('tunnel:routes', 'wiki.eu.example.com'),
    ]);
  });

  test('also where the zone follows from another hostname', () => {
    expect(warnings({ ...page, 'tunnel:otlpHostname': 'otlp.eu.example.com' })).toEqual([certificate('tunnel:otlpHostname', 'otlp.eu.example.com')]);
  });

  test.each<[string, Config]>([
    ['nothing is published', { 'tunnel:zone': 'example.com' }],
    ['one level below', page],
    ['the zone itself', { 'tunnel:hostname': 'example.com', 'tunnel:zone': 'example.com' }],
    ['one level below a deeper zone', { 'tunnel:hostname': 'phoenix.eu.example.com', 'tunnel:zone': 'eu.example.com' }],
    // That is a problem, and told as one.
    ['another zone', { 'tunnel:hostname': 'phoenix.eu.example.org', 'tunnel:zone': 'example.com' }],
  ])('none: %s', (_, config) => expect(warnings(config)).toEqual([]));
});
