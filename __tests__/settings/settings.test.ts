import * as cloudflare from '@pulumi/cloudflare/config';
import * as fc from 'fast-check';
import { images } from '../../components/catalog';
import { databaseKeys } from '../../settings/database';
import { dockerKeys } from '../../settings/docker';
import { edgeKeys } from '../../settings/edge';
import { exampleKeys } from '../../settings/example';
import { shellQuoted, type Key } from '../../settings/setting';
import { grafanaKeys } from '../../settings/grafana';
import { loginKeys } from '../../settings/login';
import { networkKeys } from '../../settings/network';
import { readSettings } from '../../settings/settings';
import { bindOf, freePorts, otherOffsets, portAsSet, portKeys, publishedPorts } from '../../settings/ports';
import { keys, type SettingKey } from '../../settings/keys';
import { report } from '../../settings/problem';
import { withoutPassword } from '../../engine';
import { prometheusKeys } from '../../settings/prometheus';
import { redactKeys } from '../../settings/redact';
import { victorialogsKeys } from '../../settings/victorialogs';
import { storeKeys } from '../../settings/store';
import { tlsKeys } from '../../settings/tls';
import { tunnelKeys } from '../../settings/tunnel';
import { rows } from '../support/rows';

const project = 'llm-observability';
const read = (config: Record<string, string>, isSecret?: (key: string) => boolean): ReturnType<typeof readSettings> =>
  readSettings(config, project, isSecret);

const all = Object.entries<Key<unknown>>(keys);

/** The rule that a value breaks; empty where it breaks none. */
function broken(parse: (raw: string) => unknown, raw: string): string {
  try {
    return parse(raw) === undefined ? 'it became nothing' : '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** The whole message for a configuration, as a person would see it. */
const message = (config: Record<string, string>): string => report('dev', read(config).problems);

describe('what is right', () => {
  test('the default of every setting', () => {
    const { settings, problems } = read({});
    expect(problems).toEqual([]);
    expect(settings).toEqual({
      'phoenix:uiPort': 6006,
      'phoenix:otlpGrpcPort': 14317,
      'phoenix:otlpHttpPort': 14318,
      'phoenix:bind': ['127.0.0.1'],
      'phoenix:memory': 2048,
      'phoenix:cpus': '1.0',
      'phoenix:metrics': true,
      'phoenix:projects': 1000,
      'phoenix:journal': false,
      'phoenix:image': images.phoenix,
      'grafana:enabled': false,
      'grafana:port': 3000,
      'grafana:memory': 1024,
      'grafana:image': images.grafana,
      'phoenix:auth': false,
      'phoenix:apiKeys': [],
      'phoenix:basicAuth': true,
      'phoenix:oidcName': 'oidc',
      'phoenix:oidcAllowSignUp': true,
      'phoenix:oidcAutoLogin': false,
      'phoenix:ldapTlsMode': 'starttls',
      'phoenix:ldapUserSearchFilter': '(&(objectClass=user)(sAMAccountName=%s))',
      'phoenix:ldapAttrEmail': 'mail',
      'phoenix:ldapAllowSignUp': true,
      'phoenix:smtpPort': 587,
      'alloy:otlpGrpcPort': 4317,
      'alloy:otlpHttpPort': 4318,
      'alloy:uiPort': 12345,
      'alloy:bind': 'auto',
      'alloy:llmMetrics': true,
      'alloy:ownMetrics': true,
      'alloy:serviceAsProject': false,
      'redact:content': false,
      'sampling:percent': 100,
      'alloy:memory': 1024,
      'alloy:queue': 2048,
      'alloy:cpus': '1.0',
      'alloy:image': images.alloy,
      'gate:image': images.gate,
      'prometheus:enabled': false,
      'prometheus:port': 9090,
      'prometheus:retentionDays': 30,
      'prometheus:storage': 4096,
      'prometheus:memory': 512,
      'prometheus:image': images.prometheus,
      'victorialogs:enabled': false,
      'victorialogs:port': 9428,
      'victorialogs:retentionDays': 30,
      'victorialogs:storage': 4096,
      'victorialogs:memory': 512,
      'victorialogs:image': images.victorialogs,
      'tunnel:serviceTokens': ['edge'],
      'tunnel:tokenDuration': '8760h',
      'tunnel:connectors': 2,
      'tunnel:image': images.tunnel,
      'tls:plain': false,
      'cloudflare:baseUrl': 'https://api.cloudflare.com/client/v4',
      'edge:sendTo': 'alloy',
      'edge:token': 'edge',
      'example:enabled': false,
      'example:port': 10000,
      'ports:offset': 0,
      'data:protect': false,
      'docker:disableDockerDaemonCheck': false,
    });
  });

  test('every setting, set; those of the database, of login, of networks, of stores, of Prometheus, of VictoriaLogs, of redaction, of Grafana, of TLS, of the tunnel, of the edge, of the AI service and of the Docker Engine have tests of their own', () => {
    const elsewhere = (name: string): boolean => name in { ...databaseKeys, ...loginKeys, ...networkKeys, ...storeKeys, ...prometheusKeys, ...victorialogsKeys, ...redactKeys, ...grafanaKeys, ...tlsKeys, ...tunnelKeys, ...edgeKeys, ...exampleKeys, ...dockerKeys };
    const { settings, problems } = read({
      'phoenix:uiPort': '16006',
      'phoenix:otlpGrpcPort': '24317',
      'phoenix:otlpHttpPort': '24318',
      'phoenix:bind': '127.0.0.1,::1',
      'phoenix:retentionDays': '30',
      'phoenix:hosts': 'phoenix.lan, build-7,192.0.2.1',
      'phoenix:egress': 'api.example.com,ollama.lan:11434',
      'phoenix:projects': '50',
      'phoenix:storage': '1.5GiB',
      'phoenix:memory': '4GiB',
      'phoenix:cpus': '1.50',
      'phoenix:metrics': 'false',
      'phoenix:journal': 'true',
      'phoenix:image': 'mirror.example/phoenix:version-21.0.0',
      'alloy:otlpGrpcPort': '5317',
      'alloy:otlpHttpPort': '5318',
      'alloy:uiPort': '22345',
      'alloy:bind': '127.0.0.1, 192.0.2.7',
      'alloy:auth': 'true',
      'alloy:cors': 'https://*.example.com, http://localhost:3000',
      'alloy:serviceAsProject': 'true',
      'alloy:llmMetrics': 'false',
      'alloy:ownMetrics': 'false',
      'alloy:memory': '512MiB',
      'alloy:queue': '10GiB',
      'alloy:cpus': '2',
      'alloy:image': 'mirror.example/alloy:v1.12.0',
      'gate:image': 'mirror.example/nginx:1.29.0',
      'ports:offset': '1000',
      'data:protect': 'true',
    });
    expect(problems).toEqual([]);
    const others = Object.fromEntries(Object.entries(settings).filter(([name]) => !elsewhere(name)));
    expect(others).toEqual({
      'phoenix:uiPort': 17006,
      'phoenix:otlpGrpcPort': 25317,
      'phoenix:otlpHttpPort': 25318,
      'phoenix:bind': ['127.0.0.1', '::1'],
      'phoenix:retentionDays': 30,
      'phoenix:hosts': ['phoenix.lan', 'build-7', '192.0.2.1'],
      'phoenix:egress': [{ host: 'api.example.com', port: 443, nameless: false }, { host: 'ollama.lan', port: 11434, nameless: false }],
      'phoenix:projects': 50,
      'phoenix:storage': 1536,
      'phoenix:memory': 4096,
      'phoenix:cpus': '1.5',
      'phoenix:metrics': false,
      'phoenix:journal': true,
      'phoenix:image': 'mirror.example/phoenix:version-21.0.0',
      'alloy:otlpGrpcPort': 6317,
      'alloy:otlpHttpPort': 6318,
      'alloy:uiPort': 23345,
      'alloy:bind': ['127.0.0.1', '192.0.2.7'],
      'alloy:auth': true,
      'alloy:cors': ['https://*.example.com', 'http://localhost:3000'],
      'alloy:llmMetrics': false,
      'alloy:ownMetrics': false,
      'alloy:serviceAsProject': true,
      'alloy:memory': 512,
      'alloy:queue': 10240,
      'alloy:cpus': '2.0',
      'alloy:image': 'mirror.example/alloy:v1.12.0',
      'gate:image': 'mirror.example/nginx:1.29.0',
      'ports:offset': 1000,
      'data:protect': true,
    });
    expect(Object.keys(others).sort()).toEqual(Object.keys(keys).filter((name) => !elsewhere(name)).sort());
  });

  test('the result is frozen', () => {
    const { settings } = read({});
    expect(Object.isFrozen(settings)).toBe(true);
    expect(() => Object.assign(settings, { 'phoenix:uiPort': 1 })).toThrow(TypeError);
    expect(settings['phoenix:uiPort']).toBe(6006);
  });

  test('the port keys are the ones whose value is a host port', () => {
    expect(portKeys).toEqual([
      'phoenix:uiPort', 'phoenix:otlpGrpcPort', 'phoenix:otlpHttpPort', 'alloy:otlpGrpcPort', 'alloy:otlpHttpPort', 'alloy:uiPort',
    ]);
  });

  test('Phoenix and the OTLP ports of Alloy are where a setting says', () => {
    expect(portKeys.map((name) => bindOf[name])).toEqual(['phoenix:bind', 'phoenix:bind', 'phoenix:bind', 'alloy:bind', 'alloy:bind', undefined, undefined]);
  });

  test('the example of each works, and so does its default', () => {
    const works = ({ example, fallback = '', parse }: Key<unknown>): boolean => Boolean(example) && broken(parse, example ?? '') === '' && broken(parse, fallback || example || '') === '';
    expect(all.flatMap(([name, key]) => (key.secret || works(key) ? [] : [name]))).toEqual([]);
  });

  test('each says what it does in one line', () => {
    expect(all.flatMap(([name, { about }]) => (/^[A-Z][^\n]*[^.\s]$/.test(about) ? [] : [name]))).toEqual([]);
  });
});

describe('a value that breaks a rule', () => {
  rows<[SettingKey, string, string, string]>([
    ['phoenix:uiPort', '70000', 'a port is a whole number from 1 to 65535', 'pulumi config rm phoenix:uiPort --stack dev   # the default: 6006'],
    ['alloy:otlpHttpPort', 'http', 'a port is a whole number from 1 to 65535', 'pulumi config rm alloy:otlpHttpPort --stack dev   # the default: 4318'],
    ['phoenix:retentionDays', '30d', 'days are a whole number, and 0 keeps everything forever', 'pulumi config set phoenix:retentionDays 30 --stack dev'],
    ['phoenix:memory', '2048', 'memory is a number with the unit MiB or GiB, such as 512MiB or 2GiB', 'pulumi config rm phoenix:memory --stack dev   # the default: 2GiB'],
    ['phoenix:memory', '767MiB', 'the service does not start with less than 768MiB', 'pulumi config set phoenix:memory 768MiB --stack dev'],
    ['alloy:queue', '127MiB', 'what waits on disk needs at least 128MiB', 'pulumi config set alloy:queue 128MiB --stack dev'],
    ['alloy:memory', '383MiB', 'the service does not start with less than 384MiB', 'pulumi config set alloy:memory 384MiB --stack dev'],
    ['alloy:cpus', 'all', 'CPUs are a number from 0.1 to 99 with at most two decimals, such as 0.5 or 2', 'pulumi config rm alloy:cpus --stack dev   # the default: 1'],
    ['phoenix:image', 'arizephoenix/phoenix', 'an image without a tag is latest, which changes without notice; name a version', `pulumi config rm phoenix:image --stack dev   # the default: ${images.phoenix}`],
    ['phoenix:image', 'arizephoenix/phoenix:version-17.0.0', 'that version is older than 18.1.0, the oldest that is supported', `pulumi config rm phoenix:image --stack dev   # the default: ${images.phoenix}`],
    ['alloy:image', 'grafana/alloy:v1.10.0', 'that version is older than 1.11.0, the oldest that is supported', `pulumi config rm alloy:image --stack dev   # the default: ${images.alloy}`],
    ['alloy:bind', 'host.docker.internal', 'host.docker.internal is a name that containers send to, not an address of this host to listen on; auto already serves those containers', 'pulumi config rm alloy:bind --stack dev   # the default: auto'],
    ['prometheus:url', 'localhost:9090', 'the URL must begin with http:// or https://', 'pulumi config set prometheus:url http://host.docker.internal:9090 --stack dev'],
    ['loki:url', 'http://localhost:3100', "inside Alloy's container that is the container itself; the Docker host is host.docker.internal", 'pulumi config set loki:url http://host.docker.internal:3100 --stack dev'],
    ['ports:offset', '40001', 'it is a whole number from 0, which leaves the ports where they are, to 40000', 'pulumi config rm ports:offset --stack dev   # the default: 0'],
    ['ports:offset', '', 'it is a whole number from 0, which leaves the ports where they are, to 40000', 'pulumi config rm ports:offset --stack dev   # the default: 0'],
    ['data:protect', 'yes', 'it is either true or false, in small letters', 'pulumi config set data:protect true --stack dev'],
    ['docker:host', '/var/run/docker.sock', 'write unix:///path/of/docker.sock, tcp://host:port or ssh://user@host', 'pulumi config set docker:host unix:///var/run/docker.sock --stack dev'],
  ])("%s = '%s'", (name, value, rule, command) => {
    expect(message({ [name]: value })).toBe(
      ['1 problem with stack dev; nothing was changed.', `  - ${name} is '${value}': ${rule}.`, `      ${command}`].join('\n'),
    );
    // The command in the message mends it, and until then the default stands in.
    expect(read(command.startsWith('pulumi config rm ') ? {} : { [name]: command.split(' ')[4] ?? '' }).problems).toEqual([]);
    expect(read({ [name]: value }).settings[name]).toEqual(read({}).settings[name]);
  });

  test('every key has a rule that an odd text breaks, and a command that mends it', () => {
    const odd = fc.string({ minLength: 1 }).map((text) => `!\n${text}!`);
    // A hostname that is broken is one all the same, and needs an account.
    const account = { 'cloudflare:accountId': '0'.repeat(32), 'cloudflare:apiToken': 'a'.repeat(40) };
    fc.assert(
      fc.property(fc.constantFrom(...all), odd, ([name, { secret }], value) => {
        const { problems } = read({ ...(name.startsWith('tunnel:') ? account : {}), [name]: value }, () => true);
        expect(problems.map(({ key }) => key)).toEqual([name]);
        expect(problems[0]?.value).toBe(secret ? undefined : withoutPassword(value));
        expect(problems[0]?.mend.at(-1)).toMatch(secret ? `pulumi config set --secret ${name}` : new RegExp(`^pulumi config (set|rm) ${name} `));
      }),
    );
  });

  test('a failure that is no broken rule is not swallowed', () => {
    const spy = jest.spyOn(keys['phoenix:uiPort'], 'parse').mockImplementation(() => {
      throw new TypeError('a mistake in the program');
    });
    expect(() => read({})).toThrow(new TypeError('a mistake in the program'));
    spy.mockRestore();
  });
});

describe('a setting that stands empty', () => {
  const empty = (name: string, command: string): object => ({ key: name, rule: 'it is empty in the stack file; set a value', mend: [command, `pulumi config rm ${name}`] });
  /** Those without a default that are no secret: for the others an empty text is a value like any other. */
  const optional = all.filter(([, { fallback, secret }]) => fallback === undefined && !secret);

  rows(['', ' ', '\n'])('with %j each is to be filled in, or taken out', (value) => {
    for (const [name, { example = '', file }] of optional) {
      const { settings, problems } = read({ [name]: value });
      expect(problems.filter(({ key }) => key === name)).toEqual([empty(name, `pulumi config set ${name} ${file ? `< ${file}` : shellQuoted(example)}`)]);
      expect([name, settings[name as SettingKey]]).toEqual([name, name === 'edge:central' ? '' : undefined]);
    }
  });

  test('there are such, and settings for which nothing is a value', () => {
    expect(optional.map(([name]) => name)).toEqual(expect.arrayContaining(['prometheus:url', 'tunnel:hostname', 'cloudflare:accountId', 'edge:central', 'docker:host']));
    expect(read({ 'phoenix:apiKeys': '', 'tunnel:serviceTokens': '' })).toMatchObject({ problems: [], settings: { 'phoenix:apiKeys': [], 'tunnel:serviceTokens': [] } });
  });

  test('the whole message', () => {
    expect(message({ 'docker:host': '', 'loki:url': '  ' })).toBe(
      [
        '2 problems with stack dev; nothing was changed.',
        '  - loki:url: it is empty in the stack file; set a value.',
        '      pulumi config set loki:url http://host.docker.internal:3100 --stack dev',
        '      pulumi config rm loki:url --stack dev',
        '  - docker:host: it is empty in the stack file; set a value.',
        '      pulumi config set docker:host unix:///var/run/docker.sock --stack dev',
        '      pulumi config rm docker:host --stack dev',
      ].join('\n'),
    );
    expect(read({ 'docker:host': 'unix:///var/run/docker.sock', 'loki:url': 'http://host.docker.internal:3100' }).problems).toEqual([]);
  });

  test('one with a default breaks the rule of its values', () => {
    expect(read({ 'phoenix:uiPort': '' }).problems).toEqual([
      { key: 'phoenix:uiPort', value: '', rule: 'a port is a whole number from 1 to 65535', mend: ['pulumi config rm phoenix:uiPort   # the default: 6006'] },
    ]);
  });
});

test('all problems come at once, in the order of unknown keys, values, clashes', () => {
  const config = {
    'phoenix:uiport': '7000',
    'phoenix:memory': '2G',
    'alloy:uiPort': 'x',
    'alloy:otlpGrpcPort': '6006',
    'loki:url': 'loki',
  };
  expect(message(config)).toBe(
    [
      '5 problems with stack dev; nothing was changed.',
      '  - phoenix:uiport: unknown setting; the nearest is phoenix:uiPort.',
      '      pulumi config rm phoenix:uiport --stack dev',
      '      pulumi config set phoenix:uiPort 7000 --stack dev',
      "  - phoenix:memory is '2G': memory is a number with the unit MiB or GiB, such as 512MiB or 2GiB.",
      '      pulumi config set phoenix:memory 2GiB --stack dev',
      "  - alloy:uiPort is 'x': a port is a whole number from 1 to 65535.",
      '      pulumi config rm alloy:uiPort --stack dev   # the default: 12345',
      "  - loki:url is 'loki': it is not a URL; write http://host:port or https://host.",
      '      pulumi config set loki:url http://host.docker.internal:3100 --stack dev   # an example',
      "  - alloy:otlpGrpcPort is '6006': phoenix:uiPort claims the same port; every service needs its own port.",
      '      pulumi config set alloy:otlpGrpcPort 16009 --stack dev',
    ].join('\n'),
  );
});

describe('keys that are not known', () => {
  rows([
    ['phoenix:uiport', 'phoenix:uiPort'],
    ['phoenix:port', 'phoenix:uiPort'],
    ['pheonix:memory', 'phoenix:memory'],
    ['Phoenix:cpus', 'phoenix:cpus'],
    ['alloi:uiPort', 'alloy:uiPort'],
    ['alloy:bindAddress', 'alloy:bind'],
    ['phoenix:Auth', 'phoenix:auth'],
    ['phoenix:rootURL', 'phoenix:rootUrl'],
    ['prometheus:uri', 'prometheus:url'],
    ['lokki:url', 'loki:url'],
    ['docker:hots', 'docker:host'],
    ['docker:certpath', 'docker:certPath'],
    ['tunel:hostname', 'tunnel:hostname'],
    ['tunnel:hostnames', 'tunnel:hostname'],
    ['cloudflare:accountID', 'cloudflare:accountId'],
    ['cloudflare:baseURL', 'cloudflare:baseUrl'],
    ['cloudflare:Email', 'cloudflare:email'],
    ['edge:centre', 'edge:central'],
    ['port:offset', 'ports:offset'],
    ['ports:Offset', 'ports:offset'],
    ['data:protected', 'data:protect'],
    ['phoenix:bindDn', 'phoenix:ldapBindDn'],
    [`${project}:protect`, 'data:protect'],
    [`${project}:retentionDays`, 'phoenix:retentionDays'],
    [`${project}:uiPort`, 'phoenix:uiPort'],
    [`${project}:bind`, 'phoenix:bind'],
  ])('%s: the nearest is %s', (name, nearest) => {
    const { example = 'me@example.com' } = all.find(([key]) => key === nearest)?.[1] ?? {};
    expect(read({ [name]: example }).problems).toEqual([
      { key: name, rule: `unknown setting; the nearest is ${nearest}`, mend: [`pulumi config rm ${name}`, `pulumi config set ${nearest} ${shellQuoted(example)}`] },
    ]);
  });

  rows(['aws:region', 'pulumi:tags', 'kubernetes:context', 'random:seed', 'oci:region', 'cloud:region', 'other-project:uiPort'])(
    '%s belongs to something else',
    (name) => expect(read({ [name]: 'x' }).problems).toEqual([]),
  );

  const ours = ['apiToken', 'baseUrl'];
  test('what the cloudflare provider has is left to it, but for what is a setting, too', () => {
    const theirs = Object.fromEntries(Object.keys(cloudflare).map((name) => [`cloudflare:${name}`, 'anything at all']));
    expect(Object.keys(cloudflare)).toEqual(expect.arrayContaining(ours));
    const { settings, problems } = read(theirs, () => true);
    expect(problems.map(({ key }) => key).sort()).toEqual(ours.map((name) => `cloudflare:${name}`));
    expect(settings).toEqual(read({}).settings);
  });

  test('a setting that is already there is not set again by the command', () => {
    expect(read({ 'phoenix:uiport': '7000', 'phoenix:uiPort': '7001' }).problems).toMatchObject([{ mend: ['pulumi config rm phoenix:uiport'] }]);
  });

  rows([
    ['plain-text_1.0', 'plain-text_1.0'],
    ['two words', "'two words'"],
    ["it's; rm -rf $HOME", "'it'\\''s; rm -rf $HOME'"],
    ['`id`', "'`id`'"],
  ])('the value %s is safe in a shell', (value, quoted) => {
    expect(read({ 'phoenix:oidcDisplayname': value }).problems[0]?.mend[1]).toBe(`pulumi config set phoenix:oidcDisplayName ${quoted}`);
  });

  rows([
    ['phoenix:uiport', '7000', 'pulumi config set phoenix:uiPort 7000'],
    ['phoenix:uiport', ':7000', 'pulumi config set phoenix:uiPort 7000'],
    ['phoenix:Auth', 'True', 'pulumi config set phoenix:auth true'],
    ['phoenix:authentication', 'true', 'pulumi config set phoenix:auth true'],
    ['loki:uri', 'x y', 'pulumi config set loki:url http://host.docker.internal:3100   # an example'],
    ['phoenix:smtpPasword', 'hunter2', 'pulumi config set --secret phoenix:smtpPassword'],
    ['cloudflare:apikey', 'hunter2', 'pulumi config set --secret cloudflare:apiKey'],
    ['phoenix:ldapPassword', 'hunter2', 'pulumi config set --secret phoenix:ldapBindPassword'],
    ['phoenix:ldapBindPw', 'hunter2', 'pulumi config set --secret phoenix:ldapBindPassword'],
    ['phoenix:ldapBindPwd', 'hunter2', 'pulumi config set --secret phoenix:ldapBindPassword'],
    ['phoenix:ldapbindpasswd', 'hunter2', 'pulumi config set --secret phoenix:ldapBindPassword'],
    ['phoenix:ldapPassphrase', 'hunter2', 'pulumi config set --secret phoenix:ldapBindPassword'],
    ['phoenix:smtpPw', 'hunter2', 'pulumi config set --secret phoenix:smtpPassword'],
    ['phoenix:adminPass', 'hunter2', 'pulumi config set --secret phoenix:adminPassword'],
    // What sounds like a secret, and is the name of one.
    ['phoenix:apikeys', 'evaluations', 'pulumi config set phoenix:apiKeys evaluations'],
    ['phoenix:API_KEYS', 'evaluations,dashboards2', 'pulumi config set phoenix:apiKeys evaluations,dashboards2'],
    ['phoenix:apiKey', 'evaluations', 'pulumi config set phoenix:apiKeys evaluations'],
    ['tunnel:tokenduration', '48h', 'pulumi config set tunnel:tokenDuration 48h'],
    ['tunnel:serviceToken', 'edge2', 'pulumi config set tunnel:serviceTokens edge2'],
    ['edge:tokens', 'edge2', 'pulumi config set edge:token edge2'],
    // Letters of a word are not the word.
    ['ports:ofset', '100', 'pulumi config set ports:offset 100'],
    ['phoenix:oidcDsplayName', 'Okta', 'pulumi config set phoenix:oidcDisplayName Okta'],
    ['cloudflare:accoutId', 'f'.repeat(32), `pulumi config set cloudflare:accountId ${'f'.repeat(32)}`],
    ['phoenix:retentionnDays', '7', 'pulumi config set phoenix:retentionDays 7'],
    // A name that says the opposite.
    ['data:deprotect', 'true', 'pulumi config set data:protect false'],
    ['data:unprotect', 'yes', 'pulumi config set data:protect false'],
    ['phoenix:noAuth', 'true', 'pulumi config set phoenix:auth false'],
    ['phoenix:noAuth', 'false', 'pulumi config set phoenix:auth true'],
    ['phoenix:oidcDisallowSignUp', 'true', 'pulumi config set phoenix:oidcAllowSignUp false'],
    ['docker:enableDockerDaemonCheck', 'true', 'pulumi config set docker:disableDockerDaemonCheck false'],
    ['docker:enableDockerDaemonCheck', 'off', 'pulumi config set docker:disableDockerDaemonCheck true'],
    ['docker:dockerDaemonCheck', 'disabled', 'pulumi config set docker:disableDockerDaemonCheck true'],
    ['phoenix:Auth', 'disabled', 'pulumi config set phoenix:auth false'],
    // What holds a secret is asked for.
    ['phoenix:oidcConfigUrls', 'https://login.example.com/x?client_secret=hunter2', 'pulumi config set --secret phoenix:oidcConfigUrl'],
    ['cloudflare:Email', 'me:hunter2@example.com', 'pulumi config set --secret cloudflare:email'],
  ])('%s = %s: the right key with a value that it takes', (name, value, command) => {
    expect(read({ [name]: value }).problems[0]?.mend.slice(1)).toEqual([command]);
  });

  test('of a URL with a password every part goes where it belongs', () => {
    expect(read({ 'loki:uri': 'http://u:hunter2@loki:3100' }).problems[0]?.mend).toEqual([
      'pulumi config rm loki:uri', 'pulumi config set loki:url http://loki:3100', 'pulumi config set loki:username u', 'pulumi config set --secret loki:password',
    ]);
  });

  rows([
    // The value is none, and there is nothing to remove.
    ['phoenix:uiport', 'none'],
    ['loki:uri', 'none'],
    ['alloy:image1', 'x'],
    ['phoenix:memori', 'lots'],
    // It may be a secret.
    ['phoenix:apiKey', 'hunter2'],
    ['phoenix:apikeys', 'a1b2c3d4e5f6a7b8c9d0e1f2'],
    ['tunnel:serviceToken', 'a1b2c3d4e5f6a7b8c9d0e1f2'],
    // It says the opposite.
    ['tunnel:noHostname', 'phoenix.example.com'],
    ['ports:nooffset', '100'],
    ['phoenix:noSmtpPassword', 'hunter2'],
  ])('%s = %s: only the wrong key is removed', (name, value) => {
    expect(read({ [name]: value }).problems).toEqual([{ key: name, rule: expect.stringContaining('the nearest is'), mend: [`pulumi config rm ${name}`] }]);
  });

  rows([['phoenix:authOptional', 'true'], ['data:protectIfLarge', 'true'], ['phoenix:Auth', 'maybe'],
    // A name that says no, and a value that may say it once more.
    ['phoenix:noAuth', 'off'], ['phoenix:no_auth', 'disabled'], ['phoenix:authDisabled', 'no'], ['data:unprotect', 'on'], ['docker:disableDaemonCheck', 'disabled']])('%s = %s: which of the two is for the person to say', (name, value) => {
    const { rule = '', mend } = read({ [name]: value }).problems[0] ?? {};
    const nearest = rule.split(' ').pop();
    expect(mend).toEqual([`pulumi config rm ${name}`, `pulumi config set ${nearest} true`, `pulumi config set ${nearest} false`]);
  });

  // Keys of Phoenix's own environment, and of other set-ups.
  rows([
    ['phoenix:sqlDatabaseUrl', 'postgresql://u:hunter2@db/x'],
    ['phoenix:workingDir', '/data'],
    ['phoenix:openaiApiKey', 'sk-hunter2'],
    ['alloy:storagePath', '/var/lib/alloy'],
    ['alloy:token', 'hunter2'],
    ['loki:labels', 'acme'],
    ['tunnel:secret', 'hunter2'],
    ['tunnel:token', 'hunter2'],
    ['phoenix:authToken', 'hunter2'],
    ['phoenix:authKey', 'hunter2'],
    ['docker:hostPassword', 'hunter2'],
    ['phoenix:pw', 'hunter2'],
    [`${project}:replicas`, '3'],
  ])('%s is far from all: no other key is offered, and its value is not shown', (name, value) => {
    expect(read({ [name]: value }).problems).toEqual([{ key: name, rule: 'unknown setting', mend: [`pulumi config rm ${name}`] }]);
  });

  test('so is a key', () => {
    expect(read({ 'phoenix:ui port': '1' }).problems[0]?.mend[0]).toBe("pulumi config rm 'phoenix:ui port'");
  });

  rows<[string, (before: string, letter: string, after: string) => string]>([
    ['a letter that is missing', (before, _, after) => `${before}${after}`],
    ['one too many', (before, letter, after) => `${before}z${letter}${after}`],
    ['two that have changed places', (before, letter, after) => `${before}${after.slice(0, 1)}${letter}${after.slice(1)}`],
    ['another one', (before, _, after) => `${before}_${after}`],
  ])('one slip in a key, %s: its value is offered for it, or asked for', (_, slip) => {
    for (const [name, { example = 'hunter2', secret, file }] of all) {
      // Where it is made depends on the key, and is the same in every run: the first letter, the last one, and those between.
      const start = name.indexOf(':') + 1;
      const at = start + (all.findIndex(([key]) => key === name) % (name.length - start));
      const slipped = slip(name.slice(0, at), name.charAt(at), name.slice(at + 1));
      const command = file ? `pulumi config set ${secret ? '--secret ' : ''}${name} < ${file}` : secret ? `pulumi config set --secret ${name}` : `pulumi config set ${name} ${shellQuoted(example)}`;
      if (!(slipped in keys)) {
        expect(read({ [slipped]: example }).problems[0]).toMatchObject({ rule: `unknown setting; the nearest is ${name}`, mend: [`pulumi config rm ${shellQuoted(slipped)}`, command] });
      }
    }
  });
});

describe('ports', () => {
  rows<[SettingKey, SettingKey, number]>([
    ['phoenix:uiPort', 'phoenix:otlpGrpcPort', 16007],
    ['phoenix:otlpGrpcPort', 'phoenix:otlpHttpPort', 16008],
    ['phoenix:uiPort', 'alloy:otlpGrpcPort', 16009],
    ['phoenix:otlpHttpPort', 'alloy:otlpHttpPort', 16010],
    ['alloy:otlpGrpcPort', 'alloy:uiPort', 16011],
  ])('%s and %s cannot be the same', (first, second, offer) => {
    expect(read({ [first]: '9999', [second]: '9999' }).problems).toEqual([
      {
        key: second,
        value: '9999',
        rule: `${first} claims the same port; every service needs its own port`,
        mend: [`pulumi config set ${second} ${offer}`],
      },
    ]);
  });

  test('a port also clashes with the default of another', () => {
    expect(read({ 'phoenix:otlpHttpPort': '4318' }).problems).toMatchObject([
      { key: 'alloy:otlpHttpPort', rule: 'phoenix:otlpHttpPort claims the same port; every service needs its own port' },
    ]);
  });

  test('whatever the ports are, the commands of the message end every clash', () => {
    const few = fc.record(Object.fromEntries(portKeys.map((name) => [name, fc.integer({ min: 16004, max: 16014 }).map(String)])));
    fc.assert(
      fc.property(few, (config) => {
        const mended = { ...config };
        for (const { key, mend } of read(config).problems) {
          mended[key] = mend[0]?.split(' ').pop() ?? '';
        }
        expect(read(mended).problems).toEqual([]);
      }),
    );
  });

  test('a port is offered for one key only, and never one that is claimed', () => {
    const { settings } = read({ 'phoenix:uiPort': '16006', 'alloy:uiPort': '16012' });
    const offers = publishedPorts(settings).flatMap((name) => [...freePorts(name, settings)]);
    expect(freePorts('phoenix:uiPort', settings).next().value).toBe(16018);
    expect(new Set(offers).size).toBe(offers.length);
    expect(offers).not.toContain(16006);
    expect(Math.max(...offers)).toBe(65535);
  });
});

describe('ports:offset', () => {
  const ofAlloy: SettingKey[] = ['alloy:otlpGrpcPort', 'alloy:otlpHttpPort', 'alloy:uiPort'];
  const ports = (config: Record<string, string>): number[] => publishedPorts(read(config).settings).map((name) => Number(read(config).settings[name]));

  test('moves every port of a stack, wherever it was put', () => {
    expect(ports({ 'ports:offset': '100' })).toEqual([6106, 14417, 14418, 4417, 4418, 12445]);
    expect(ports({ 'ports:offset': '100', 'alloy:uiPort': '22345', 'phoenix:uiPort': '80' })).toEqual([180, 14417, 14418, 4417, 4418, 22445]);
    expect(ports({ 'ports:offset': '0' })).toEqual(ports({}));
    expect(ports({ 'ports:offset': '100', 'prometheus:enabled': 'true', 'victorialogs:enabled': 'true' })).toEqual([6106, 14417, 14418, 4417, 4418, 12445, 9190, 9528]);
  });

  test('at the edge those of Alloy: the others are not there', () => {
    expect(ports({ 'ports:offset': '100', 'edge:central': 'prod' })).toEqual([4417, 4418, 12445]);
  });

  test('moves nothing else', () => {
    const { settings } = read({ 'ports:offset': '100', 'prometheus:enabled': 'true' });
    const moved = Object.entries(settings).filter(([name, value]) => value !== read({}).settings[name as SettingKey] && typeof value === 'number').map(([name]) => name);
    expect(moved).toEqual([...portKeys, 'prometheus:port', 'ports:offset']);
    expect(publishedPorts(settings).map((name) => String(portAsSet(name, settings)))).toEqual(publishedPorts(settings).map((name) => keys[name].fallback));
  });

  rows<[Record<string, string>, SettingKey, number, number, number]>([
    // The last one is 65535, and with just that nothing is wrong.
    [{ 'alloy:uiPort': '65436', 'ports:offset': '100' }, 'alloy:uiPort', 65436, 65536, 0],
    [{ 'alloy:uiPort': '60000', 'ports:offset': '6000' }, 'alloy:uiPort', 60000, 66000, 5500],
    [{ 'phoenix:uiPort': '30000', 'alloy:otlpHttpPort': '30001', 'ports:offset': '40000' }, 'alloy:otlpHttpPort', 30001, 70001, 35500],
    [{ 'alloy:otlpGrpcPort': '50000', 'ports:offset': '15536', 'edge:central': 'prod' }, 'alloy:otlpGrpcPort', 50000, 65536, 15500],
  ])('one that runs past the last port: %j', (config, highest, from, to, offer) => {
    const { settings, problems } = read(config);
    expect(problems).toEqual([
      { key: 'ports:offset', value: config['ports:offset'], rule: `it moves ${highest} from ${from} to ${to}, and 65535 is the last port`, mend: [`pulumi config set ports:offset ${offer}`] },
    ]);
    // Everything else is looked at without it.
    expect(settings['ports:offset']).toBe(0);
    expect(settings).toEqual(read({ ...config, 'ports:offset': '0' }).settings);
    expect(read({ ...config, 'ports:offset': String(offer) }).problems).toEqual([]);
  });

  test('up to the last port it is right, and what a stack at the edge does not publish counts for nothing', () => {
    expect(read({ 'alloy:uiPort': '65435', 'ports:offset': '100' })).toMatchObject({ problems: [], settings: { 'alloy:uiPort': 65535 } });
    const far = { 'phoenix:uiPort': '65000', 'ports:offset': '1000' };
    expect(read(far).problems.map(({ key }) => key)).toEqual(['ports:offset']);
    expect(read({ ...far, 'edge:central': 'prod' }).problems.map(({ key }) => key)).toEqual(['phoenix:uiPort']);
  });

  test('two ports clash as they do without it, and are told as the stack file has them', () => {
    expect(message({ 'ports:offset': '100', 'phoenix:uiPort': '9999', 'alloy:uiPort': '9999' })).toBe(
      [
        '1 problem with stack dev; nothing was changed.',
        "  - alloy:uiPort is '9999': phoenix:uiPort claims the same port; every service needs its own port.",
        '      pulumi config set alloy:uiPort 16011 --stack dev',
      ].join('\n'),
    );
  });

  test('beside a port or an offset that is none the others are looked at', () => {
    expect(read({ 'ports:offset': '100', 'phoenix:uiPort': 'x', 'alloy:uiPort': '6006' }).problems.map(({ key }) => key)).toEqual(['phoenix:uiPort']);
    expect(read({ 'ports:offset': 'x', 'phoenix:uiPort': '9999', 'alloy:uiPort': '9999' }).problems.map(({ key }) => key)).toEqual(['ports:offset', 'alloy:uiPort']);
  });

  test('what is offered for a port is free and in range with the offset, one after the other', () => {
    const { settings } = read({ 'ports:offset': '1000', 'alloy:uiPort': '16006', 'phoenix:otlpHttpPort': '16012' });
    const offers = [...freePorts('phoenix:uiPort', settings)];
    expect(offers.slice(0, 2)).toEqual([16018, 16024]);
    expect(offers.at(-1)).toBe(64534);
    expect(offers.every((port) => port + 1000 <= 65535)).toBe(true);
  });

  const port = fc.oneof(fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 16004, max: 16014 }));
  const offset = fc.oneof(fc.integer({ min: 0, max: 40_000 }), fc.constantFrom(0, 100, 40_000));
  const anyPorts = fc.record({ ...Object.fromEntries(portKeys.map((name) => [name, port.map(String)])), 'ports:offset': offset.map(String) });
  /** The ports of a stack at the edge alone: the others are refused there. */
  const atEdge = (config: Record<string, string>): Record<string, string> =>
    ({ 'edge:central': 'prod', ...Object.fromEntries(Object.entries(config).filter(([name]) => !/^(phoenix|grafana):/.test(name))) });

  test('whatever offset and ports are, the commands of the message end every problem', () => {
    fc.assert(
      fc.property(anyPorts, fc.boolean(), (some, edge) => {
        const config: Record<string, string> = edge ? atEdge(some) : some;
        const mended = { ...config };
        for (const { key, mend } of read(config).problems) {
          expect(mend).toEqual([expect.stringMatching(`^pulumi config set ${key} \\d+$`)]);
          mended[key] = mend[0]?.split(' ').pop() ?? '';
        }
        const { settings, problems } = read(mended);
        expect(problems).toEqual([]);
        const published = publishedPorts(settings).map((name) => Number(settings[name]));
        expect([new Set(published).size, Math.max(...published) <= 65535]).toEqual([edge ? ofAlloy.length : publishedPorts(read({}).settings).length, true]);
      }),
    );
  });

  test('other offsets are hundreds from the first that leave all ports in range, without the one that is set', () => {
    expect([...otherOffsets(read({ 'alloy:uiPort': '65000' }).settings)]).toEqual([100, 200, 300, 400, 500]);
    expect([...otherOffsets(read({ 'alloy:uiPort': '65000', 'ports:offset': '300' }).settings)]).toEqual([100, 200, 400, 500]);
    expect([...otherOffsets(read({ 'alloy:uiPort': '65500' }).settings)]).toEqual([]);
    // Phoenix's port counts for nothing at the edge.
    expect([...otherOffsets(read({ 'phoenix:uiPort': '65500', 'alloy:uiPort': '65200', 'edge:central': 'prod' }).settings)]).toEqual([100, 200, 300]);
    const all = [...otherOffsets(read({}).settings)];
    expect(all.filter((one) => read({ 'ports:offset': String(one) }).problems.length > 0)).toEqual([]);
    expect(all.at(-1)).toBe(40_000);
  });
});

describe('secrets', () => {
  test('the value of an unknown key that is a secret is in no message, and the command sets a secret again', () => {
    expect(read({ 'loki:urll': 's3cret' }, (key) => key === 'loki:urll').problems).toEqual([
      { key: 'loki:urll', rule: 'unknown setting; the nearest is loki:url', mend: ['pulumi config rm loki:urll', 'pulumi config set --secret loki:url'] },
    ]);
  });

  rows([
    ['phoenix:smtpPasword', 'phoenix:smtpPassword'],
    ['phoenix:databaseUrl', 'phoenix:database'],
    ['cloudflare:apitoken', 'cloudflare:apiToken'],
  ])('nor is the value of one that is misspelt and in plain text: %s', (name, nearest) => {
    expect(read({ [name]: 's3cret' }).problems).toEqual([
      { key: name, rule: `unknown setting; the nearest is ${nearest}`, mend: [`pulumi config rm ${name}`, `pulumi config set --secret ${nearest}`] },
    ]);
  });

  const secretKeys = all.flatMap(([name, { secret }]) => (secret ? [name] : []));

  test('they are these', () => {
    expect(secretKeys).toEqual([
      'phoenix:database', 'phoenix:secret', 'phoenix:adminSecret', 'phoenix:adminPassword', 'phoenix:oidcClientSecret', 'phoenix:ldapBindPassword', 'phoenix:smtpPassword',
      'prometheus:password', 'prometheus:token', 'loki:password', 'loki:token', 'tls:key', 'cloudflare:apiToken', 'edge:access', 'example:modelKey', 'docker:keyMaterial', 'docker:registryAuth',
    ]);
  });

  /** Those of stores and of the AI service need others; those of the database, of the engine, of TLS and of the edge have a form. All of them have tests of their own. */
  const words = secretKeys.filter((name) => !(name in { ...databaseKeys, ...storeKeys, ...tlsKeys, ...dockerKeys, ...edgeKeys, ...exampleKeys }));

  const value = 'abcdefghijklmnopqrstuvwxyz0123456789abcd';
  test('each is refused in plain text, without its value', () => {
    // Two may have to differ.
    const inPlainText = Object.fromEntries(words.map((name, index) => [name, `${value.slice(1)}${index}`]));
    expect(message(inPlainText)).toBe(
      [
        `${words.length} problems with stack dev; nothing was changed.`,
        ...words.flatMap((name) => [`  - ${name}: it is a secret, and the stack file has it in plain text.`, `      pulumi config set --secret ${name} --stack dev`]),
      ].join('\n'),
    );
    expect(read(inPlainText, () => true)).toMatchObject({ problems: [], settings: inPlainText });
  });

  test('in plain text and wrong: both at once', () => {
    expect(message({ 'phoenix:secret': 'S3CRET' })).toBe(
      [
        '2 problems with stack dev; nothing was changed.',
        '  - phoenix:secret: it is a secret, and the stack file has it in plain text.',
        '      pulumi config set --secret phoenix:secret --stack dev',
        '  - phoenix:secret: it has 6 characters and needs at least 32; it has no lower-case letter.',
        '      pulumi config rm phoenix:secret --stack dev',
        '      pulumi config set --secret phoenix:secret --stack dev',
      ].join('\n'),
    );
  });

  test('the stack makes the first three, so the command that removes one mends it; the others come from elsewhere', () => {
    const { problems } = read(Object.fromEntries(words.map((name) => [name, ''])), () => true);
    expect(problems.map(({ key, mend }) => [key, mend])).toEqual(
      words.map((name, index) => [name, [...(index < 3 ? [`pulumi config rm ${name}`] : []), `pulumi config set --secret ${name}`]]),
    );
  });

  rows<[SettingKey, string, string]>([
    ['loki:url', 'u:hunter2@loki:3100', 'u:[secret]@loki:3100'],
    ['loki:url', 'https://hunter2@loki.example.com', 'https://[secret]@loki.example.com'],
    ['loki:url', 'password=hunter2', 'password=[secret]'],
    ['prometheus:url', 'Bearer hunter2', 'Bearer [secret]'],
    ['tunnel:hostname', 'user:hunter2@phoenix.example.com', 'user:[secret]@phoenix.example.com'],
    ['docker:host', 'u:hunter2@h', 'u:[secret]@h'],
    ['phoenix:ldapHost', 'u:hunter2@h', 'u:[secret]@h'],
    ['phoenix:image', 'u:hunter2@reg.io/phoenix', 'u:[secret]@reg.io/phoenix'],
    ['phoenix:rootUrl', 'https://phoenix.example.com/?password=hunter2', 'https://phoenix.example.com/?password=[secret]'],
    ['tunnel:routes', 'a.example.com=http://u:hunter2@app:80', 'a.example.com=http://u:[secret]@app:80'],
  ])('a password in %s is not shown: %s', (name, value, shown) => {
    const { problems } = read({ [name]: value });
    expect(problems.find(({ key }) => key === name)?.value).toBe(shown);
    expect(report('dev', problems)).not.toContain('hunter2');
  });

  rows<[string, string, string]>([
    ['prometheus:url', 'store.example.com/x?api_key=hunter2', 'https://store.example.com/x'],
    ['prometheus:url', 'http://localhost:9090/x?token=hunter2', 'http://host.docker.internal:9090/x'],
    ['prometheus:uri', 'https://store.example.com/x?api_key=hunter2', 'https://store.example.com/x'],
    ['prometheus:uri', 'store.example.com/x?api_key=hunter2', 'https://store.example.com/x'],
  ])('nor in what is offered: %s %s', (name, value, url) => {
    expect(read({ [name]: value }).problems[0]?.mend.slice(-2)).toEqual([`pulumi config set prometheus:url ${url}`, 'pulumi config set --secret prometheus:token']);
  });

  test('nor is any other', () => {
    const config = { 'loki:url': 'http://s3cret@host', 'phoenix:uiPort': '4318', 'alloy:bind': '127.0.0.1,s3cret', 'alloy:image': 's3cret' };
    const text = report('dev', read(config, () => true).problems, Object.values(config));
    expect(text).toContain("  - loki:url is '[secret]': a URL that holds a password");
    expect(text).toContain("  - alloy:bind is '[secret]': not every part");
    expect(text).toContain("  - alloy:otlpHttpPort is '[secret]': phoenix:uiPort claims the same port");
    expect(text).not.toMatch(/s3cret|'4318'/);
  });
});

test('a port that is none does not clash with another at its default', () => {
  const { problems } = readSettings({ 'phoenix:uiPort': '70000', 'alloy:uiPort': '6006' }, 'llm-observability');
  expect(problems.map(({ key, rule }) => `${key}: ${rule}`)).toEqual(['phoenix:uiPort: a port is a whole number from 1 to 65535']);
});
