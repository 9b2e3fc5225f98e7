import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import * as yaml from 'js-yaml';
import { images } from '../components/catalog';
import { databaseLabel, hostNames, maxConnectors } from '../components/names';
import { listed, problemsVariable, type Problem } from '../settings/problem';
import { standsEmpty } from '../settings/settings';
import { keys, type SettingKey } from '../settings/keys';
import { keyText } from '../settings/tls';
import { findings, inspectedOf, unexplained } from './support/cis-docker';
import { deploy, project, secret, secretMark, sent, type Deployment, type Registered, type Stage } from './support/deployment';
import { container, current, fakeEngine, type Answer } from './support/fake-engine';
import { engineAuthority } from './support/engine-authority';
import { setEnvironment } from './support/environment';
import { expectGolden, goldensOf } from './support/golden';
import { tempDir } from './support/temp';
import { site, type Site } from './support/web';
import program = require('../index');

// What listens on the machine of the test must not matter.
jest.mock('../engine/host-ports', () => ({
  isHeld: () => Promise.resolve(false),
  holderOf: () => Promise.resolve(undefined),
  isOwnAddress: () => Promise.resolve(true),
}));

afterEach(() => {
  jest.restoreAllMocks();
  delete process.env['PULUMI_CONFIG_SECRET_KEYS'];
});

/** Whether stores are asked: they are somebody else's, and the bridge of the fake engine may be one of this machine. */
let mockAsksStores = false;
jest.mock('../stack/store-survey', () => {
  const { surveyStores } = jest.requireActual<typeof import('../stack/store-survey')>('../stack/store-survey');
  const asked: typeof surveyStores = async (...args) => (mockAsksStores ? surveyStores(...args) : { problems: [], warnings: [] });
  return { surveyStores: asked };
});

interface Run {
  readonly stack?: string;
  readonly config?: Record<string, string>;
  readonly secretKeys?: string[];
  readonly answers?: Record<string, Answer>;
  readonly preview?: boolean;
  /** The engine is named by the settings alone. */
  readonly named?: boolean;
  readonly outputs?: NonNullable<Stage['outputs']>;
  readonly state?: NonNullable<Stage['state']>;
}

/** Runs the whole program, as the language host would, on a host with nothing on it. */
async function run({ config = {}, secretKeys = [], answers = {}, named = false, ...stage }: Run = {}): Promise<Deployment<Outputs>> {
  const { host } = await fakeEngine({ ...current, ...answers });
  setEnvironment({ DOCKER_HOST: named ? undefined : host });
  process.env['PULUMI_CONFIG_SECRET_KEYS'] = JSON.stringify(secretKeys);
  const { resources, order, providers, outputs, result } = await deploy(async () => {
    pulumi.runtime.setAllConfig(config, secretKeys);
    return sent(await program());
  }, stage);
  // Its address is another one each time.
  const usual = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll(host, 'unix:///var/run/docker.sock')) as T;
  return { resources: new Map([...resources].map(([name, resource]) => [name, usual(resource)])), order, providers, outputs, result: usual(result) };
}

type Outputs = Record<string, unknown>;

/** Good enough for `phoenix:secret` and `phoenix:adminSecret`. */
const long = 'a-secret-of-32-characters-or-more';

interface StackFile {
  readonly config: Record<string, string>;
  readonly secretKeys: string[];
}

/** The settings of a stack as its file holds them; an encrypted one stands as a word, since nothing here can decrypt it. */
function stackFile(stack: string): StackFile {
  const { config } = yaml.load(fs.readFileSync(`Pulumi.${stack}.yaml`, 'utf8')) as { config?: Record<string, unknown> };
  const entries = Object.entries(config ?? {});
  const isSecret = (value: unknown): boolean => typeof value === 'object' && value !== null && 'secure' in value;
  return {
    config: Object.fromEntries(
      entries.map(([key, value]) => [key, isSecret(value) ? 'secret' : typeof value === 'object' ? JSON.stringify(value) : String(value)]),
    ),
    secretKeys: entries.filter(([, value]) => isSecret(value)).map(([key]) => key),
  };
}

/** How the secrets of these tests begin. */
const madeUp = /drawn-|minted-|chosen-/;

/** Names of the settings that stand empty in a stack file. */
const blank = ({ config }: StackFile): SettingKey[] => (Object.keys(config) as SettingKey[]).filter((name) => config[name] === '');

/** A stack file with what stands empty filled in, as its message says, and the one secret that a person is asked for. */
function filledIn({ config, secretKeys }: StackFile): StackFile {
  const token = 'cloudflare:apiToken';
  return {
    config: {
      ...config,
      ...Object.fromEntries(blank({ config, secretKeys }).map((name) => [name, keys[name].example ?? ''])),
      [token]: 'chosen-at-cloudflare-0123456789-0123456789',
    },
    secretKeys: [...secretKeys, token],
  };
}

/** Holds an environment against the goldens in its folder: the graph, and beside it each configuration that a service reads. */
function expectEnvironment(stack: string, deployment: Deployment<Outputs>): void {
  const files = new Map<string, string>();
  const resources = new Map([...deployment.resources].map(([name, resource]) => {
    if (!name.endsWith('-config-files')) {
      return [name, resource];
    }
    const uploads = (resource.inputs['uploads'] as { file: string; content: string }[]).map(({ file, content }) => {
      const golden = path.basename(file);
      // Two of one name would stand for each other.
      expect([...files.keys()]).not.toContain(golden);
      files.set(golden, content);
      return { file, content: `(${golden})` };
    });
    return [name, { ...resource, inputs: { ...resource.inputs, uploads } }];
  }));
  for (const [file, content] of files) {
    expect(content).not.toMatch(madeUp);
    expectGolden(`${stack}/${file}`, content);
  }
  expectGraph(`${stack}/graph.yaml`, { ...deployment, resources });
}

/**
 * Holds the resource graph and the outputs against a golden: sorted, secrets hidden, options where they are not the default.
 * @param but a deployment whose resources are left out where they are the same
 */
function expectGraph(file: string, { resources, result }: Deployment<Outputs>, but?: Deployment<Outputs>): void {
  const others = [...resources.values()].filter((resource) => JSON.stringify(resource) !== JSON.stringify(but?.resources.get(resource.name)));
  const shown = others.map(({ name, type, parent, dependsOn, inputs, ...options }) => ({
    name,
    type,
    ...(parent ? { parent } : {}),
    ...(dependsOn.length ? { dependsOn } : {}),
    ...(options.protect ? { protect: true } : {}),
    ...(options.retainOnDelete ? { retainOnDelete: true } : {}),
    ...(options.deleteBeforeReplace ? { deleteBeforeReplace: true } : {}),
    ...(options.replaceOnChanges.length ? { replaceOnChanges: options.replaceOnChanges } : {}),
    inputs: sorted(inputs),
  }));
  const text = yaml.dump({ resources: shown, outputs: sorted(result) }, { lineWidth: -1, noRefs: true });
  expect(text).not.toMatch(madeUp);
  expectGolden(file, text);
}

function sorted(value: unknown): unknown {
  if (typeof value === 'string') {
    // YAML writes a text with tabs as one long line, which nobody can review; goldens/alloy has the exact text.
    return value.replace(/\t/g, '  ');
  }
  if (Array.isArray(value)) {
    return value.map(sorted);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return secretMark in value && 'value' in value
    // Of a variable the name may be told.
    ? String(value.value).replace(/^([A-Z0-9_]+=)?.*$/s, '$1[secret]')
    : Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}

/** What a stack tells of itself, and what opens it, as one at the edge reads it. */
const prod = {
  remote: {
    otlp: { alloy: 'https://otlp.example.com', phoenix: 'https://phoenix-otlp.example.com' },
    auth: true,
    tokens: { edge: { expiresAt: '2999-11-21T08:00:00Z' }, lab: { expiresAt: '2999-11-21T08:00:00Z' } },
  },
  remoteAccess: {
    edge: { clientId: 'chosen-id-of-edge', clientSecret: 'minted-secret-of-edge', apiKey: 'minted-key-of-edge' },
    lab: { clientId: 'chosen-id-of-lab', clientSecret: 'minted-secret-of-lab', apiKey: 'minted-key-of-lab' },
  },
};

describe('each stack file', () => {
  // Only those in the repository: somebody's own stack needs no golden.
  const tracked = execFileSync('git', ['ls-files', 'Pulumi.*.yaml'], { encoding: 'utf8' });
  const stacks = [...tracked.matchAll(/^Pulumi\.(.+)\.yaml$/gm)].map(([, stack = '']) => stack);

  // The machine of the test may have a token.
  beforeEach(() => setEnvironment({ CLOUDFLARE_API_TOKEN: undefined }));

  const settingsOf = (stack: string): StackFile => {
    const settings = stackFile(stack);
    // The engine of another host cannot be asked here; what the file says of it is not part of the graph.
    delete settings.config['docker:host'];
    return settings;
  };

  test('dev is one of them, and needs nothing more', () => {
    expect(stacks).toContain('dev');
    expect(blank(settingsOf('dev'))).toEqual([]);
  });

  test.each(stacks)('%s: what is missing, where something stands empty; with it the resources, the outputs and what its services read', async (stack) => {
    const settings = settingsOf(stack);
    const told = blank(settings).length === 0 ? [] : ['missing.txt'];
    const written = path.join(tempDir(), 'problems.json');
    setEnvironment({ [problemsVariable]: written });
    for (const file of told) {
      const error: unknown = await run({ stack, ...settings, outputs: { prod } }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(pulumi.RunError);
      expectGolden(`${stack}/${file}`, `${(error as Error).message}\n`);
      const problems = JSON.parse(fs.readFileSync(written, 'utf8')) as Problem[];
      expect(problems.filter(({ rule }) => rule === standsEmpty).map(({ key }) => key)).toEqual(blank(settings));
      expect(problems.map(listed)).toEqual((error as Error).message.split(/\n(?= {2}- )/).slice(1));
    }
    expectEnvironment(stack, await run({ stack, ...(told.length > 0 ? filledIn(settings) : settings), outputs: { prod } }));
    expect(goldensOf(stack)).toEqual([...told, 'config.alloy', 'graph.yaml', 'nginx.conf', ...(stack === 'edge' ? ['send-again.sh'] : []), 'start.sh'].sort());
  });
});

/** Everything that auth needs to be on, and to be reached from elsewhere. */
/** A PostgreSQL, and a server besides it on the same host. */
const withDatabase: Run = {
  config: { 'phoenix:database': 'postgresql://writer:chosen-for-database@db.example.com:5432/phoenix', 'phoenix:databaseCertificate': fs.readFileSync(path.join(engineAuthority().client(), 'ca.pem'), 'utf8').trim(), 'phoenix:egress': 'api.example.com,db.example.com:8443' },
  secretKeys: ['phoenix:database'],
};

const withAuth: Run = {
  config: {
    'phoenix:auth': 'true',
    'phoenix:bind': '192.0.2.7',
    // Behind a proxy that speaks TLS.
    'tls:plain': 'true',
    'phoenix:rootUrl': 'https://phoenix.example.com/traces/',
    'phoenix:apiKeys': 'dashboards, evaluations',
    'phoenix:adminPassword': 'chosen-password',
    'phoenix:oidcClientId': 'phoenix',
    'phoenix:oidcClientSecret': 'chosen-at-the-provider',
    'phoenix:oidcConfigUrl': 'https://login.example.com/.well-known/openid-configuration',
  },
  secretKeys: ['phoenix:adminPassword', 'phoenix:oidcClientSecret'],
};

/** What else can be secret of Phoenix, of what sends to stores, and of what other machines show to Alloy. */
const ofPhoenix = { 'phoenix:secret': `chosen-${long}1`, 'phoenix:adminSecret': `chosen-${long}2`, 'phoenix:ldapBindPassword': 'chosen-for-ldap', 'phoenix:smtpPassword': 'chosen-for-mail' };
const withSecrets: Run = {
  config: {
    ...ofPhoenix,
    'phoenix:ldapHost': 'ldap.example.com', 'phoenix:ldapUserSearchBaseDns': '["dc=example"]', 'phoenix:ldapBindDn': 'cn=phoenix', 'phoenix:ldapGroupRoleMappings': '[{"group_dn":"*","role":"MEMBER"}]',
    'phoenix:smtpHostname': 'mail.example.com', 'phoenix:smtpUsername': 'phoenix', 'phoenix:smtpMailFrom': 'phoenix@example.com',
  },
  secretKeys: [...(withAuth.secretKeys ?? []), ...Object.keys(ofPhoenix)],
};

/** The AI service to try the stack with, and a model of somebody else's. */
const withExample: Run = {
  config: { 'example:enabled': 'true', 'example:model': 'https://api.example.com/v1/', 'example:modelName': 'small', 'example:modelKey': 'chosen-for-the-model' },
  secretKeys: ['example:modelKey'],
};

/** A certificate for addresses of the documentation, and its key. */
const certified = ((folder: string) => {
  const text = (file: string): string => fs.readFileSync(path.join(folder, file), 'utf8').trim();
  return { 'tls:certificate': text('cert.pem'), 'tls:key': text('key.pem') };
})(engineAuthority().server('192.0.2.7', '192.0.2.71', '192.0.2.72'));

describe('auth', () => {
  let deployment: Deployment<Outputs>;
  beforeAll(async () => {
    deployment = await run(withAuth);
  });

  test('what is another than without', async () => {
    expectGraph('graph-auth.yaml', deployment, await run());
  });

  test('what it gives to people and programs is secret', () => {
    expect(deployment.result).toMatchObject({
      auth: true,
      login: { url: 'https://phoenix.example.com/traces', email: 'admin@localhost', password: secret('chosen-password') },
      adminSecret: secret('drawn-phoenix-admin-secret'),
      apiKeys: { dashboards: secret('minted-phoenix-key-dashboards'), evaluations: secret('minted-phoenix-key-evaluations') },
    });
  });

  test('what Phoenix is given as a secret is in its file, and nothing else is', async () => {
    const { resources } = await run({ ...withSecrets, config: { ...withAuth.config, ...withSecrets.config } });
    const [{ content }] = resources.get('phoenix-secret-files')?.inputs['uploads'] as [{ content: { value: string } }];
    expect(Object.values(JSON.parse(content.value) as object)).toEqual([
      `chosen-${long}1`, `chosen-${long}2`, 'chosen-password', 'chosen-at-the-provider', 'chosen-for-ldap', 'chosen-for-mail',
    ]);
  });

  test('without a URL of their own people find the page on the host, and come through no proxy', async () => {
    const { resources, result } = await run({ config: { 'phoenix:auth': 'true', 'phoenix:uiPort': '7006' } });
    expect(result['login']).toMatchObject({ url: 'http://127.0.0.1:7006' });
    expect(JSON.stringify(resources.get('phoenix-gate-config-files')?.inputs['uploads'])).not.toContain('set_real_ip_from');
  });

  test('while it is off there is nothing to log in with, and no key that would open anything', async () => {
    const { result, resources } = await run({ config: { 'phoenix:apiKeys': 'dashboards' } });
    expect(resources.has('phoenix-key-dashboards')).toBe(true);
    expect([result['auth'], result['login'], result['apiKeys']]).toEqual([false, null, {}]);
  });

  test('a trace is sent again after a change of whatever it meets, a key among it', () => {
    expect(deployment.resources.get('delivery')?.inputs['path']).toEqual([
      'phoenix-server-id', 'id-of-phoenix-key-alloy', 'phoenix-gate-server-id', 'alloy-server-id', 'alloy-secret-files-id',
    ]);
  });

  test('one switch adds nothing and takes nothing away', async () => {
    const names = async (auth: string): Promise<string[]> => [...(await run({ config: { 'phoenix:auth': auth } })).resources.keys()];
    const [off, on] = [await names('false'), await names('true')];
    expect(on).toEqual(off);
  });

  test('one switch leaves Alloy as it is: it takes spans all the while', async () => {
    const ofAlloy = async (auth: string): Promise<[string, unknown][]> =>
      [...(await run({ config: { 'phoenix:auth': auth } })).resources].filter(([name]) => name.startsWith('alloy') && name !== 'alloy-secret-files').map(([name, { inputs }]) => [name, inputs]);
    const off = await ofAlloy('false');
    expect(off.map(([name]) => name)).toContain('alloy-server');
    expect(await ofAlloy('true')).toEqual(off);
  });
});

/** Everything that a tunnel can publish. */
const published: Run = {
  config: {
    'phoenix:auth': 'true',
    'tunnel:hostname': 'phoenix.example.com',
    'tunnel:otlpHostname': 'otlp.example.com',
    'tunnel:phoenixOtlpHostname': 'phoenix-otlp.example.com',
    'tunnel:routes': 'grafana.example.com=http://host.docker.internal:3000',
    'tunnel:allowEmails': 'ada@example.com',
    'tunnel:allowDomains': 'example.org',
    'tunnel:serviceTokens': 'edge, lab',
    'cloudflare:accountId': '0123456789abcdef0123456789abcdef',
    'cloudflare:apiToken': 'chosen-at-cloudflare-0123456789-0123456789',
  },
  secretKeys: ['cloudflare:apiToken'],
};

test('keys of edges end as their service tokens do, and no other does', async () => {
  const hours = async (config: Record<string, string>): Promise<object> => {
    const { resources } = await run({ ...published, config: { ...published.config, 'phoenix:apiKeys': 'dashboards, lab', ...config } });
    return Object.fromEntries([...resources.values()].filter(({ type }) => type.endsWith(':ApiKey')).map(({ inputs }) => [inputs['name'], inputs['hours']]));
  };
  expect(await hours({})).toEqual({ alloy: undefined, dashboards: undefined, edge: 8760, lab: 8760 });
  expect(await hours({ 'tunnel:tokenDuration': '24h' })).toMatchObject({ dashboards: undefined, edge: 24, lab: 24 });
  // For ever, and the end of the one that is there is told.
  expect(await hours({ 'tunnel:tokenDuration': 'forever' })).toMatchObject({ dashboards: undefined, edge: 0, lab: 0 });
});

describe('a tunnel', () => {
  let deployment: Deployment<Outputs>;
  beforeAll(async () => {
    deployment = await run(published);
  });

  test('what is another than without', async () => {
    expectGraph('graph-tunnel.yaml', deployment, await run({ config: { 'phoenix:auth': 'true' } }));
  });

  test('what it tells of itself, and what opens it, which is secret', () => {
    const { tunnel, remote, remoteAccess, apiKeys, login, containers, images } = deployment.result;
    const ends = { expiresAt: '2999-11-21T08:00:00Z', keyExpiresAt: '2999-11-21T08:00:00.000Z' };
    expect({ tunnel, remote, remoteAccess, apiKeys }).toEqual({
      tunnel: {
        id: 'tunnel-tunnel-id',
        name: 'llm-observability-dev',
        page: 'https://phoenix.example.com',
        hostnames: ['phoenix.example.com', 'otlp.example.com', 'phoenix-otlp.example.com', 'grafana.example.com'],
        containers: ['tunnel-dev-1', 'tunnel-dev-2'],
      },
      remote: {
        otlp: { alloy: 'https://otlp.example.com', phoenix: 'https://phoenix-otlp.example.com' },
        requestMiB: 64,
        auth: true,
        tokens: { edge: ends, lab: ends },
      },
      remoteAccess: secret({
        edge: { clientId: 'client-of-tunnel-token-edge', clientSecret: 'minted-tunnel-token-edge', apiKey: 'minted-phoenix-key-edge' },
        lab: { clientId: 'client-of-tunnel-token-lab', clientSecret: 'minted-tunnel-token-lab', apiKey: 'minted-phoenix-key-lab' },
      }),
      // Keys of hosts at the edge go to these alone.
      apiKeys: {},
    });
    expect(login).toMatchObject({ url: 'https://phoenix.example.com' });
    expect(containers).toEqual({ phoenix: 'phoenix-dev', alloy: 'alloy-dev', gate: 'phoenix-dev-gate' });
    expect(images).toMatchObject({ tunnel: { name: expect.stringMatching(/^cloudflare\/cloudflared:/), digest: 'cloudflare/cloudflared@sha256:d1', id: 'sha256:1d' } });
  });

  test('the account is looked at before there is a network, without which nothing runs', () => {
    const { resources, order } = deployment;
    const running = [...resources.values()].filter(({ inputs }) => 'networksAdvanced' in inputs);
    expect(running.map(({ name }) => name)).toEqual(['alloy-server', 'phoenix-gate-server', 'phoenix-server', 'tunnel-connector-1', 'tunnel-connector-2']);
    expect(running.filter(({ dependsOn }) => !dependsOn.includes('network') && !dependsOn.includes('store'))).toEqual([]);
    for (const network of ['network', 'store']) {
      expect(resources.get(network)?.dependsOn).toEqual(['cloudflare-account', 'engine-check']);
      expect(order.indexOf('cloudflare-account')).toBeLessThan(order.indexOf(network));
    }
    expect(resources.get('cloudflare-account')).toMatchObject({ parent: '', dependsOn: [], inputs: { apiToken: secret('chosen-at-cloudflare-0123456789-0123456789') } });
  });

  test("nothing of it is made before the stack's own trace has arrived", () => {
    const { resources, order } = deployment;
    const below = [...resources.values()].filter(({ name, parent, type }) => [name, parent].includes('tunnel') || (type.startsWith('cloudflare:') && name !== 'cloudflare-account'));
    expect(resources.get('tunnel')?.dependsOn).toContain('delivery');
    expect(below).toHaveLength(21);
    expect(below.filter(({ name, parent }) => name !== 'tunnel' && parent !== 'tunnel')).toEqual([]);
    expect(Math.min(...below.map(({ name }) => order.indexOf(name)))).toBeGreaterThan(order.indexOf('delivery'));
  });

  test('the token may be that of the environment', async () => {
    const config = Object.fromEntries(Object.entries(published.config ?? {}).filter(([key]) => key !== 'cloudflare:apiToken'));
    setEnvironment({ CLOUDFLARE_API_TOKEN: 'of-the-environment-0123456789-0123456789' });
    const { resources } = await run({ config });
    expect(resources.get('cloudflare-account')?.inputs['apiToken']).toEqual(secret(''));
    expect(resources.get('cloudflare')?.inputs).toEqual({ baseUrl: 'https://api.cloudflare.com/client/v4' });
    expect(JSON.stringify([...resources.values()])).not.toContain('of-the-environment');
  });

  test.each<[string, Record<string, string>, object]>([
    ['of one service token', { 'tunnel:otlpHostname': 'otlp.example.com' }, { hostnames: [{ hostname: 'otlp.example.com', setting: 'tunnel:otlpHostname' }], access: true, serviceTokens: true }],
    ['of people alone', { 'tunnel:hostname': 'phoenix.example.com', 'tunnel:allowEmails': 'ada@example.com' }, { hostnames: [{ hostname: 'phoenix.example.com', setting: 'tunnel:hostname' }], access: true, serviceTokens: false }],
    ['of everybody, who logs in at Phoenix', { 'tunnel:hostname': 'phoenix.example.com', 'phoenix:auth': 'true' }, { hostnames: [{ hostname: 'phoenix.example.com', setting: 'tunnel:hostname' }], access: false, serviceTokens: false }],
  ])('%s: the account is asked for what that needs', async (_, config, inputs) => {
    const { 'cloudflare:accountId': accountId = '', 'cloudflare:apiToken': apiToken = '' } = published.config ?? {};
    const { resources } = await run({ stack: 'prod', config: { ...config, 'cloudflare:accountId': accountId, 'cloudflare:apiToken': apiToken }, secretKeys: ['cloudflare:apiToken'] });
    expect(resources.get('cloudflare-account')?.inputs).toEqual({
      baseUrl: 'https://api.cloudflare.com/client/v4', apiToken: secret(apiToken), accountId, zone: 'example.com', tunnel: 'llm-observability-prod', ...inputs,
    });
    expect([...resources.values()].some(({ type }) => type.endsWith(':ZeroTrustAccessServiceToken'))).toBe((inputs as { serviceTokens: boolean }).serviceTokens);
  });
});

describe('a stack at the edge', () => {
  const toAlloy: Run = { stack: 'edge', config: { 'edge:central': 'prod' }, outputs: { prod } };
  const toPhoenix: Run = { ...toAlloy, config: { ...toAlloy.config, 'edge:sendTo': 'phoenix', 'edge:token': 'lab', 'prometheus:url': 'http://prometheus:9090' } };
  let deployment: Deployment<Outputs>;
  beforeAll(async () => {
    deployment = await run(toAlloy);
  });

  test('what is another when it sends to Phoenix itself, and metrics elsewhere', async () => {
    expectGraph('graph-edge.yaml', await run(toPhoenix), deployment);
  });

  test('the outputs: their names are an interface', () => {
    const { result } = deployment;
    expect(result).toEqual({
      endpoints: { otlpHttp: 'http://127.0.0.1:4318', otlpGrpc: 'http://127.0.0.1:4317', alloyUi: 'http://127.0.0.1:12345' },
      forContainers: 'http://host.docker.internal:4318',
      internal: { otlpHttp: 'http://alloy:4318', alloyUi: 'http://alloy:12345', phoenix: 'http://central-gate:4318' },
      central: { stack: 'prod', hostname: 'otlp.example.com', sendTo: 'alloy', token: 'edge' },
      alloyPage: secret({ user: 'alloy', password: 'drawn-alloy-page-password' }),
      reader: secret({ 'cf-access-client-id': 'chosen-id-of-edge', 'cf-access-client-secret': 'minted-secret-of-edge', authorization: 'Bearer minted-key-of-edge' }),
      signals: { traces: 'central', metrics: 'central', logs: 'central' },
      remote: null,
      containers: { alloy: 'alloy-edge', gate: 'central-edge-gate' },
      volumes: { alloy: 'alloy-edge-data' },
      dockerHost: 'unix:///var/run/docker.sock',
      engine: secret({ host: 'unix:///var/run/docker.sock' }),
      images: {
        alloy: { name: expect.stringMatching(/^grafana\/alloy:/), digest: 'grafana/alloy@sha256:d1', id: 'sha256:1d' },
        gate: { name: expect.stringMatching(/^nginx:/), digest: 'nginx@sha256:d1', id: 'sha256:1d' },
      },
    });
  });

  test('a signal that has a store of its own here is not sent through the tunnel as well', async () => {
    const signals = async (config: Record<string, string>): Promise<unknown> => (await run({ ...toAlloy, config: { ...toAlloy.config, ...config } })).result['signals'];
    expect(await signals({ 'prometheus:url': 'http://prometheus:9090' })).toEqual({ traces: 'central', metrics: 'prometheus', logs: 'central' });
    expect(await signals({ 'loki:url': 'http://loki:3100' })).toEqual({ traces: 'central', metrics: 'central', logs: 'loki' });
    expect(await signals({ 'edge:sendTo': 'phoenix' })).toEqual({ traces: 'central', metrics: null, logs: null });
  });

  test('what opens the other stack is secret wherever it goes, and goes where it is shown alone', async () => {
    for (const { resources } of [deployment, await run(toPhoenix)]) {
      const holding = [...resources.values()].flatMap(({ name, inputs }) =>
        Object.entries(inputs).filter(([, value]) => JSON.stringify(value).includes(secretMark)).map(([input]) => `${name}.${input}`));
      expect(holding).toEqual(['alloy-secret-files.uploads', 'delivery.headers']);
      const shown = JSON.stringify([...resources.values()], (_, value: unknown) => (typeof value === 'object' && value !== null && secretMark in value ? '' : value));
      expect(shown).not.toMatch(/chosen-|minted-/);
    }
  });

  test('two of them share no name on a Docker host, and none with another stack', async () => {
    const names = ({ resources }: Deployment<Outputs>): unknown[] =>
      [...resources.values()].filter(({ type }) => /^docker:.*:(Container|Network|Volume)$/.test(type)).map(({ inputs }) => inputs['name']);
    const all = [...names(deployment), ...names(await run({ ...toAlloy, stack: 'paris' })), ...names(await run({ stack: 'rome' }))];
    expect(names(deployment)).toHaveLength(12);
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('things worth saying that stop nothing', () => {
  const warned = async (how: Run): Promise<unknown[]> => {
    const warn = jest.spyOn(pulumi.log, 'warn').mockReset().mockResolvedValue();
    await run(how);
    return warn.mock.calls.map(([text]) => text);
  };

  const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();

  test('nothing', async () => expect([await warned({}), await warned(published)]).toEqual([[], []]));

  test('a certificate that Cloudflare gives for money', async () => {
    expect(await warned({ ...published, config: { ...published.config, 'tunnel:zone': 'example.com', 'tunnel:otlpHostname': 'otlp.berlin.example.com' } })).toEqual([
      'tunnel:otlpHostname: the free certificate of a zone at Cloudflare covers example.com and one level below; otlp.berlin.example.com needs an advanced certificate, or clients fail in TLS',
    ]);
  });

  test('a service token that expires soon', async () => {
    const expiresAt = inDays(10);
    const soon = { ...prod, remote: { ...prod.remote, tokens: { edge: { expiresAt } } } };
    expect(await warned({ config: { 'edge:central': 'prod' }, outputs: { prod: soon } })).toEqual([
      `the service token edge of the stack prod expires on ${expiresAt.slice(0, 10)}: npm run up -- --stack prod --rotate token:edge, then deploy this stack`,
    ]);
  });

  test('an API key that expires soon, at the edge', async () => {
    const keyExpiresAt = inDays(10);
    const soon = { ...prod, remote: { ...prod.remote, tokens: { edge: { ...prod.remote.tokens.edge, keyExpiresAt } } } };
    expect(await warned({ config: { 'edge:central': 'prod' }, outputs: { prod: soon } })).toEqual([
      `the API key edge of the stack prod expires on ${keyExpiresAt.slice(0, 10)}: npm run up -- --stack prod --rotate edge, then deploy this stack`,
    ]);
  });

  describe('where it is made', () => {
    const rotate = (name: string, stack = 'dev'): string =>
      `npm run up -- --stack ${stack} --rotate ${name}, then deploy the stack at the edge that has it, with a new file of \`npm run invite\` if it was given one`;
    const ending = (days: number): NonNullable<Run['state']> => ({ 'phoenix-key-lab': { expiresAt: inDays(days) } });

    test.each([true, false])('one that expires soon, in a preview: %s', async (preview) => {
      expect(await warned({ ...published, preview, state: ending(29) })).toEqual([`the API key lab expires on ${inDays(29).slice(0, 10)}: ${rotate('lab')}`]);
      expect(await warned({ ...published, preview, stack: 'prod', state: ending(-1) })).toEqual([`the API key lab has expired on ${inDays(-1).slice(0, 10)}: ${rotate('lab', 'prod')}`]);
    });

    test('one that is good for longer, or of a version that said nothing', async () => {
      expect(await warned({ ...published, state: ending(31) })).toEqual([]);
      expect(await warned({ ...published, state: { 'phoenix-key-lab': { expiresAt: undefined } } })).toEqual([]);
    });

    test('the service token, too', async () => {
      expect(await warned({ ...published, state: { 'tunnel-token-lab': { expiresAt: inDays(29) } } })).toEqual([`the service token lab expires on ${inDays(29).slice(0, 10)}: ${rotate('token:lab')}`]);
      expect(await warned({ ...published, state: { 'tunnel-token-lab': { expiresAt: inDays(31) } } })).toEqual([]);
    });

    test('without auth nobody asks for it', async () => {
      expect(await warned({ ...published, config: { ...published.config, 'phoenix:auth': 'false' }, state: ending(10) })).toEqual([]);
    });

    test('its name may be a secret', async () => {
      const secretKeys = [...(published.secretKeys ?? []), 'tunnel:serviceTokens'];
      expect(await warned({ config: { ...published.config, 'tunnel:serviceTokens': 'lab' }, secretKeys, state: ending(10) })).toEqual([`the API key [secret] expires on ${inDays(10).slice(0, 10)}: ${rotate('[secret]')}`]);
    });
  });
});

test('keys of this stack that nobody has any more are revoked once everything else has succeeded', async () => {
  const { resources } = await run(withAuth);
  const list = resources.get('api-keys');
  expect(list?.inputs).toMatchObject({
    auth: true,
    adminSecret: secret('drawn-phoenix-admin-secret'),
    description: 'made by Pulumi stack llm-observability/dev',
    keyIds: ['id-of-phoenix-key-alloy', 'id-of-phoenix-key-dashboards', 'id-of-phoenix-key-evaluations'],
    server: 'phoenix-server-id',
  });
  expect(list?.dependsOn).toEqual(expect.arrayContaining(['delivery', 'phoenix-key-alloy', 'phoenix-key-dashboards', 'phoenix-key-evaluations']));
  // What the tunnel's hosts use is handed out with the tunnel.
  expect((await run(published)).resources.get('api-keys')?.dependsOn).toEqual(expect.arrayContaining(['delivery', 'tunnel-connector-1', 'tunnel-dns-otlp']));
  // With the description by which it finds them.
  expect(resources.get('phoenix-key-alloy')?.inputs['description']).toBe(list?.inputs['description']);
});

test('the outputs: their names are an interface', async () => {
  const { result } = await run({ stack: 'prod' });
  expect(result).toEqual({
    endpoints: {
      otlpHttp: 'http://127.0.0.1:4318',
      otlpGrpc: 'http://127.0.0.1:4317',
      phoenixUi: 'http://127.0.0.1:6006',
      phoenixOtlpHttp: 'http://127.0.0.1:14318',
      phoenixOtlpGrpc: 'http://127.0.0.1:14317',
      alloyUi: 'http://127.0.0.1:12345',
    },
    forContainers: 'http://host.docker.internal:4318',
    internal: { otlpHttp: 'http://alloy:4318', alloyUi: 'http://alloy:12345', phoenix: 'http://phoenix:6006' },
    auth: false,
    login: null,
    adminSecret: secret('drawn-phoenix-admin-secret'),
    alloyPage: secret({ user: 'alloy', password: 'drawn-alloy-page-password' }),
    apiKeys: {},
    signals: { traces: 'phoenix', metrics: null, logs: null },
    containers: { phoenix: 'phoenix-prod', alloy: 'alloy-prod', gate: 'phoenix-prod-gate' },
    volumes: { phoenix: 'phoenix-prod-data', alloy: 'alloy-prod-data' },
    dockerHost: 'unix:///var/run/docker.sock',
    engine: secret({ host: 'unix:///var/run/docker.sock' }),
    tunnel: null,
    remote: { otlp: { alloy: null, phoenix: null }, auth: false, tokens: {} },
    remoteAccess: {},
    images: {
      phoenix: { name: expect.stringMatching(/^arizephoenix\/phoenix:/), digest: 'arizephoenix/phoenix@sha256:d1', id: 'sha256:1d' },
      alloy: { name: expect.stringMatching(/^grafana\/alloy:/), digest: 'grafana/alloy@sha256:d1', id: 'sha256:1d' },
      gate: { name: expect.stringMatching(/^nginx:/), digest: 'nginx@sha256:d1', id: 'sha256:1d' },
    },
  });
});

test('metrics and logs have a backend where one is set', async () => {
  const { result } = await run({ config: { 'prometheus:url': 'http://prometheus:9090', 'loki:url': 'http://loki:3100' } });
  expect(result['signals']).toEqual({ traces: 'phoenix', metrics: 'prometheus', logs: 'loki' });
});

describe('TLS for other machines', () => {
  const config = { 'phoenix:auth': 'true', 'phoenix:bind': '127.0.0.1,192.0.2.7', ...certified };
  const secretKeys = ['tls:key'];
  const added = async (how: Run, without: Run): Promise<string[]> => {
    const [{ resources }, before] = [await run(how), (await run(without)).resources];
    return [...resources.keys()].filter((name) => !before.has(name));
  };
  const plain = { 'phoenix:auth': 'true' };

  test('is for the gate alone where Phoenix alone is published, for Alloy alone where that is, and for both', async () => {
    expect(await added({ config, secretKeys }, { config: plain })).toEqual(['phoenix-gate-tls', 'phoenix-gate-tls-files']);
    expect(await added({ config: { ...certified, 'alloy:bind': '192.0.2.7', 'alloy:auth': 'false' }, secretKeys }, {})).toEqual(['alloy-tls', 'alloy-tls-files']);
    expect(await added({ config: { ...config, 'alloy:bind': '0.0.0.0', 'alloy:auth': 'false' }, secretKeys }, { config: plain })).toEqual(['alloy-tls', 'alloy-tls-files', 'phoenix-gate-tls', 'phoenix-gate-tls-files']);
    expect(await added({ ...atTheEdge, config: { ...atTheEdge.config, ...certified, 'alloy:bind': '192.0.2.7', 'alloy:auth': 'false' }, secretKeys }, atTheEdge)).toEqual(['alloy-tls', 'alloy-tls-files']);
  });

  test("what containers alone reach is plain, also where it is chosen, and so is what is on loopback alone", async () => {
    expect(await added({ config: { ...certified, 'alloy:bind': '127.0.0.1,172.17.0.1' }, secretKeys }, {})).toEqual([]);
  });

  test('the token that Alloy asks other machines for is an output where it does', async () => {
    const onLan = { ...certified, 'alloy:bind': '192.0.2.7' };
    const token = secret('drawn-alloy-token');
    expect((await run({ config: { ...onLan, 'alloy:auth': 'true' }, secretKeys })).result).toMatchObject({ otlpToken: token, otlpTokenOn: ['192.0.2.7'] });
    expect((await run({ ...atTheEdge, config: { ...atTheEdge.config, ...onLan, 'alloy:auth': 'true' }, secretKeys })).result).toMatchObject({ otlpToken: token, otlpTokenOn: ['192.0.2.7'] });
    expect((await run({ config: { ...onLan, 'alloy:auth': 'false' }, secretKeys })).result).not.toHaveProperty('otlpToken');
    await expect(run({ config: onLan, secretKeys })).rejects.toThrow('  - alloy:auth: alloy:bind publishes beyond this machine, on 192.0.2.7, and without a token anyone who reaches it can send.');
  });

  test('outputs say where it is', async () => {
    const { result } = await run({ config: { ...plain, ...certified, 'phoenix:bind': '192.0.2.7', 'alloy:bind': '192.0.2.7,127.0.0.1', 'alloy:auth': 'false' }, secretKeys });
    expect(result['endpoints']).toEqual({
      otlpHttp: 'https://192.0.2.7:4318', otlpGrpc: 'https://192.0.2.7:4317', alloyUi: 'http://127.0.0.1:12345',
      phoenixUi: 'https://192.0.2.7:6006', phoenixOtlpHttp: 'https://192.0.2.7:14318', phoenixOtlpGrpc: 'https://192.0.2.7:14317',
    });
    // Inside, where a deployment checks the delivery, nothing is different.
    expect(result['internal']).toEqual({ otlpHttp: 'http://alloy:4318', alloyUi: 'http://alloy:12345', phoenix: 'http://phoenix:6006' });
  });

  test('the key is a secret, in the file that is carried to its reader, and nowhere else', async () => {
    const { resources, outputs, result } = await run({ config: { ...config, 'alloy:bind': '0.0.0.0', 'alloy:auth': 'false' }, secretKeys });
    const line = certified['tls:key'].split('\n')[1] ?? '';
    const holding = [...resources.values()].filter(({ inputs }) => JSON.stringify(inputs).includes(line)).map(({ name }) => name);
    expect(holding).toEqual(['alloy-tls-files', 'phoenix-gate-tls-files']);
    for (const name of holding) {
      expect(resources.get(name)?.inputs['uploads']).toContainEqual({ file: expect.stringMatching(/key\.pem$/), content: secret(keyText(certified['tls:key'])), permissions: '0400' });
    }
    expect(JSON.stringify([...outputs.values(), result])).not.toContain(line);
  });

  test('what is published without a word on it is refused at the preview', async () => {
    const error: unknown = await run({ preview: true, config: { 'phoenix:auth': 'true', 'phoenix:bind': '192.0.2.7' } }).catch((reason: unknown) => reason);
    expect((error as Error).message).toBe(
      [
        '1 problem with stack dev; nothing was changed.',
        '  - tls:certificate: phoenix:bind publishes beyond this machine, on 192.0.2.7, and without TLS anyone on the network can read passwords, API keys and prompts.',
        '      pulumi config set tls:certificate < certificate.pem --stack dev',
        '      pulumi config set --secret tls:key < key.pem --stack dev',
        '      pulumi config set tls:plain true --stack dev   # without TLS',
      ].join('\n'),
    );
  });
});

describe('one setting changes just what it names', () => {
  const inputs = ({ resources }: Deployment<Outputs>): Map<string, Registered['inputs']> =>
    new Map([...resources.values()].map((resource) => [resource.name, resource.inputs]));
  const names = (from: ReturnType<typeof inputs>, to: ReturnType<typeof inputs>): string[] =>
    [...to].flatMap(([name, now]) =>
      [...new Set([...Object.keys(now), ...Object.keys(from.get(name) ?? {})])]
        .filter((input) => JSON.stringify(now[input]) !== JSON.stringify(from.get(name)?.[input]))
        .map((input) => `${name}.${input}`)).sort();
  let before: ReturnType<typeof inputs>;
  let beforeTunnel: ReturnType<typeof inputs>;
  beforeAll(async () => {
    before = inputs(await run());
    beforeTunnel = inputs(await run(published));
  });

  const hidden = ['phoenix:secret', 'phoenix:adminSecret', 'phoenix:adminPassword'];

  test.each<[string, string, string[]]>([
    ['phoenix:uiPort', '7006', ['phoenix-gate-server.ports']],
    ['phoenix:otlpHttpPort', '24318', ['phoenix-gate-server.ports']],
    ['phoenix:bind', '127.0.0.2', ['phoenix-gate-config-files.uploads', 'phoenix-gate-server.labels', 'phoenix-gate-server.ports']],
    ['phoenix:hosts', 'phoenix.lan', ['phoenix-gate-config-files.uploads', 'phoenix-gate-server.labels']],
    ['phoenix:trustedProxies', '192.0.2.1', ['phoenix-gate-config-files.uploads', 'phoenix-gate-server.labels']],
    ['phoenix:retentionDays', '30', ['phoenix-settings.retentionDays']],
    ['phoenix:storage', '20GiB', ['phoenix-server.envs']],
    ['phoenix:projects', '2000', ['phoenix-server.command']],
    ['phoenix:memory', '3GiB', ['phoenix-server.memory', 'phoenix-server.memorySwap']],
    ['phoenix:cpus', '0.5', ['phoenix-server.cpus']],
    ['phoenix:image', 'my/phoenix:version-20.0.0', ['phoenix-data-owner.image', 'phoenix-image.name', 'phoenix-secret-files.image', 'phoenix-server.image']],
    // Also of the largest request.
    ['phoenix:memory', '1GiB', ['alloy-config-files.uploads', 'alloy-server.labels', 'phoenix-gate-config-files.uploads', 'phoenix-gate-server.labels', 'phoenix-server.envs', 'phoenix-server.memory', 'phoenix-server.memorySwap']],
    ['phoenix:rootUrl', 'http://localhost:8080', ['phoenix-gate-config-files.uploads', 'phoenix-gate-server.labels', 'phoenix-server.envs']],
    ['phoenix:secret', long, ['phoenix-key-alloy.signedWith', 'phoenix-secret-files.uploads', 'phoenix-server.labels']],
    ['phoenix:adminSecret', long, ['api-keys.adminSecret', 'delivery.adminSecret', 'phoenix-key-alloy.adminSecret', 'phoenix-secret-files.uploads', 'phoenix-server.labels', 'phoenix-settings.adminSecret']],
    ['phoenix:adminPassword', 'chosen', ['phoenix-secret-files.uploads', 'phoenix-server.labels', 'phoenix-settings.firstPassword']],
    ['alloy:otlpGrpcPort', '5317', ['alloy-server.ports']],
    ['alloy:bind', '127.0.0.1', ['alloy-server.ports']],
    // Of more than the largest request, consumers and the point at which it refuses.
    ['alloy:memory', '2GiB', ['alloy-config-files.uploads', 'alloy-server.labels', 'alloy-server.memory', 'alloy-server.memorySwap']],
    ['alloy:queue', '10GiB', ['alloy-config-files.uploads', 'alloy-server.labels']],
    // What it names differently, and does not know yet.
    ['alloy:image', 'my/alloy:v1.12.0', ['alloy-config-files.image', 'alloy-config-files.uploads', 'alloy-image.name', 'alloy-secret-files.image', 'alloy-server.image', 'alloy-server.labels']],
    ['ports:offset', '100', ['alloy-server.ports', 'phoenix-gate-server.ports']],
    ['data:protect', 'true', []],
    ['gate:image', 'my/nginx:1.27.0', ['phoenix-gate-config-files.image', 'phoenix-gate-image.name', 'phoenix-gate-ingest-keys.image', 'phoenix-gate-server.image']],
  ])('%s', async (key, value, changes) => {
    const after = inputs(await run({ config: { [key]: value }, secretKeys: hidden.filter((name) => name === key) }));
    expect([...after.keys()]).toEqual([...before.keys()]);
    expect(names(before, after)).toEqual(changes);
  });

  test.each<[string, string, string[]]>([
    ['tunnel:hostname', 'traces.example.com', ['cloudflare-account.hostnames', 'phoenix-gate-config-files.uploads', 'phoenix-gate-server.labels', 'phoenix-server.envs', 'tunnel-access-page.domain', 'tunnel-config.config', 'tunnel-dns-page.name']],
    ['tunnel:allowEmails', 'bob@example.com', ['tunnel-people.includes']],
    ['tunnel:tokenDuration', 'forever', ['phoenix-key-edge.hours', 'phoenix-key-lab.hours', 'tunnel-token-edge.duration', 'tunnel-token-lab.duration']],
    ['tunnel:image', 'my/cloudflared:2026.1.0', ['tunnel-connector-1.image', 'tunnel-connector-2.image', 'tunnel-image.name', 'tunnel-secret-files.image']],
    ['tunnel:name', 'mine', ['cloudflare-account.tunnel', ...['access-grafana.example.com', 'access-otlp', 'access-page', 'access-phoenix-otlp', 'machines', 'people', 'token-edge', 'token-lab', 'tunnel'].map((name) => `tunnel-${name}.name`)]],
    ['cloudflare:apiToken', 'another-at-cloudflare-0123456789-0123456789', ['cloudflare-account.apiToken', 'cloudflare.apiToken']],
    ['cloudflare:baseUrl', 'https://api.example.net/client/v4', ['cloudflare-account.baseUrl', 'cloudflare.baseUrl']],
  ])('%s', async (key, value, changes) => {
    const after = inputs(await run({ ...published, config: { ...published.config, [key]: value } }));
    expect([...after.keys()]).toEqual([...beforeTunnel.keys()]);
    expect(names(beforeTunnel, after)).toEqual(changes);
  });

  test.each(['prometheus', 'loki'])('a store has a gate of its own: %s', async (store) => {
    const url = `http://${store}:9090`;
    const after = inputs(await run({ config: { [`${store}:url`]: url } }));
    expect([...after.keys()].filter((name) => !before.has(name))).toEqual(['', '-config', '-config-files', '-image', '-server'].map((part) => `${store}-gate${part}`));
    expect(names(before, new Map([...after].filter(([name]) => before.has(name))))).toEqual(['alloy-config-files.uploads', 'alloy-server.labels', 'delivery.containers', 'delivery.path']);
  });

  test.each(['prometheus', 'loki'])('who sends to %s is written beside the address, and Alloy stays', async (store) => {
    const withSender = async (sender: Readonly<Record<string, string>>): Promise<ReturnType<typeof inputs>> =>
      inputs(await run({ config: { [`${store}:url`]: 'https://store.example', ...Object.fromEntries(Object.entries(sender).map(([part, value]) => [`${store}:${part}`, value])) }, secretKeys: [`${store}:token`, `${store}:password`] }));
    const [nobody, ...others] = [await withSender({}), await withSender({ tenant: 'team-a' }), await withSender({ token: 'one-token' }), await withSender({ token: 'another-token' }), await withSender({ username: 'u', password: 'p' })];
    // Another file is another container, whose ID is in the label of the gate.
    expect(others.map((some) => names(nobody, some))).toEqual(others.map(() => [`${store}-gate-config-files.uploads`]));
  });

  test.each<[string, string, string[]]>([
    ['tunnel:connectors', '3', ['tunnel-connector-3']],
    ['tunnel:serviceTokens', 'edge, lab, more', ['phoenix-key-more', 'tunnel-token-more']],
  ])('%s adds to what is there', async (key, value, added) => {
    const after = inputs(await run({ ...published, config: { ...published.config, [key]: value } }));
    expect([...after.keys()].filter((name) => !beforeTunnel.has(name))).toEqual(added);
    expect([...beforeTunnel.keys()].filter((name) => !after.has(name))).toEqual([]);
  });
});

test("host ports stand in the engine's own order once the container runs", async () => {
  const bindings = (...ports: number[]): object[] => ports.map((port) => ({ HostIp: '127.0.0.1', HostPort: String(port) }));
  const { resources } = await run({
    answers: {
      '/containers/json': [container('phoenix-dev-gate', 6006, { 'llm-observability.stack': `${project}/dev` })],
      '/containers/phoenix-dev-gate-id/json': {
        Name: '/phoenix-dev-gate',
        NetworkSettings: { Ports: { '14318/tcp': bindings(14318), '6006/tcp': bindings(6006), '4317/tcp': bindings(14317) } },
      },
    },
  });
  expect((resources.get('phoenix-gate-server')?.inputs['ports'] as { external: number }[]).map(({ external }) => external)).toEqual([14317, 6006, 14318]);
});

const atTheEdge: Run = { stack: 'edge', config: { 'edge:central': 'prod' }, outputs: { prod } };

describe('one engine for all of it', () => {
  const asking = ({ resources }: Deployment<Outputs>): unknown[][] => [...resources.values()].flatMap(({ name, inputs }) => ('engine' in inputs ? [[name, inputs['engine']]] : []));
  const central = ['api-keys', 'delivery', 'engine-check', 'intake', 'phoenix-key-alloy', 'phoenix-ready', 'phoenix-settings'];

  test('whatever chose it: what works inside the stack, what says where it is, and the provider', async () => {
    const { engine } = await fakeEngine({ ...current, '/info': { ...(current['/info'] as object), ID: 'engine-id' } });
    const deployment = await run({ config: { 'docker:host': engine.host } });
    expect(asking(deployment)).toEqual(central.map((name) => [name, engine]));
    expect(deployment.resources.get('engine-check')?.inputs).toEqual({ engine, engineId: 'engine-id' });
    expect(deployment.resources.get('engine')?.inputs).toMatchObject({ host: engine.host });
    expect(deployment.result).toMatchObject({ dockerHost: engine.host, engine: secret(engine) });
  });

  test.each<[string, Run]>([
    ['a stack with a tunnel', published],
    ['a stack at the edge', atTheEdge],
  ])('%s: no resource is left to the provider that Pulumi makes by itself', async (_, stage) => {
    const { resources, providers } = await run(stage);
    const docker = [...resources.values()].filter(({ type }) => type.startsWith('docker:')).map(({ name }) => name);
    expect(docker.length).toBeGreaterThan(5);
    expect(docker.filter((name) => providers.get(name) !== 'engine')).toEqual([]);
    // And nothing is made before it is known that this is the engine of the stack.
    const first = [...resources.values()].filter(({ type }) => type === 'docker:index/network:Network');
    expect(first.length).toBeGreaterThan(0);
    expect(first.filter(({ dependsOn }) => !dependsOn.includes('engine-check'))).toEqual([]);
  });

  test('the key of its certificate is a secret wherever it goes', async () => {
    const folder = engineAuthority().client();
    const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) => fs.readFileSync(path.join(folder, `${name}.pem`), 'utf8'));
    const config = { 'docker:host': 'tcp://192.0.2.1:2376', 'docker:caMaterial': ca, 'docker:certMaterial': cert, 'docker:keyMaterial': key, 'docker:disableDockerDaemonCheck': 'true' } as Record<string, string>;
    const deployment = await run({ config, secretKeys: ['docker:keyMaterial'], preview: true, named: true });
    const engine = { host: 'tcp://192.0.2.1:2376', tls: { ca, cert, key: secret(key) } };
    expect(asking(deployment)).toEqual(central.map((name) => [name, engine]));
    expect(deployment.resources.get('engine')?.inputs).toEqual({ host: engine.host, context: '', certPath: '', caMaterial: ca, certMaterial: cert, keyMaterial: secret(key), disableDockerDaemonCheck: 'true' });
    const whole = secret({ ...engine, tls: { ca, cert, key } });
    expect(deployment.result['engine']).toEqual(whole);
    const unmarked = [whole, secret(key)].reduce((text, marked) => text.replaceAll(JSON.stringify(marked), ''), JSON.stringify([...deployment.resources.values(), deployment.result]));
    expect(unmarked).not.toContain(JSON.stringify(key).slice(1, -1));
  });

  test('an engine that cannot be used is refused with everything else that is wrong, and is not asked', async () => {
    const { host, requests } = await fakeEngine(current);
    const config = { 'docker:host': host, 'docker:context': 'colima', 'phoenix:uiPort': '70000' };
    const { result } = await deploy(async () => {
      pulumi.runtime.setAllConfig(config, []);
      return program().catch((reason: Error) => reason.message);
    });
    expect(String(result).split('\n').filter((line) => line.startsWith('  - ')).map((line) => line.split(' is ')[0])).toEqual(['  - phoenix:uiPort', '  - docker:context']);
    expect(requests).toEqual([]);
  });
});

describe('what the kernel of the engine cannot do is not asked of it', () => {
  const info = (fields: object): Record<string, Answer> => ({ '/info': { ...(current['/info'] as object), ...fields } });
  const limits = ({ resources }: Deployment<Outputs>): unknown[] =>
    [...resources.values()].filter(({ inputs }) => 'networksAdvanced' in inputs).map(({ inputs }) => ['memory', 'memorySwap', 'cpus'].map((name) => name in inputs));

  test.each<[string, object, boolean[]]>([
    ['everything', {}, [true, true, true]],
    ['no CPU quota', { CpuCfsQuota: false }, [true, true, false]],
    ['no memory limit', { MemoryLimit: false, SwapLimit: false }, [false, false, true]],
  ])('%s: of no container', async (_, fields, asked) => {
    const deployments = [await run({ ...published, answers: info(fields) }), await run({ ...atTheEdge, answers: info(fields) })];
    for (const deployment of deployments) {
      expect(limits(deployment).length).toBeGreaterThan(1);
      expect(limits(deployment)).toEqual(limits(deployment).map(() => asked));
    }
  });

  /** The names of the ulimits of each container that never ends. */
  const ulimits = ({ resources }: Deployment<Outputs>): unknown[] =>
    [...resources.values()].filter(({ inputs }) => 'networksAdvanced' in inputs).map(({ inputs }) => (inputs['ulimits'] as { name: string }[] | undefined)?.map(({ name }) => name));
  const stacks = ['dev', 'edge'];
  const withMemlock: Record<string, Answer> = {
    '/containers/json': stacks.map((stack, i) => container(`alloy-${stack}`, 7777 + i, { 'llm-observability.stack': `llm-observability/${stack}` })),
    ...Object.fromEntries(stacks.map((stack) => [`/containers/alloy-${stack}-id/json`, {
      Name: `/alloy-${stack}`, HostConfig: { Ulimits: [{ Name: 'memlock', Soft: -1, Hard: -1 }] }, NetworkSettings: { Ports: {} },
    }])),
  };

  test.each<[string, Record<string, Answer>, string[] | undefined]>([
    ['an engine of root', {}, ['nproc', 'nofile']],
    ['an engine with ulimits of its own', withMemlock, ['nproc', 'nofile', 'memlock']],
    ['a rootless engine', info({ SecurityOptions: ['name=rootless'] }), undefined],
    ['Podman', { '/version': { ...(current['/version'] as object), Components: [{ Name: 'Podman Engine' }] } }, undefined],
  ])('ulimits on %s: the same of every container', async (_, answers, asked) => {
    for (const deployment of [await run({ ...published, answers }), await run({ ...atTheEdge, answers })]) {
      expect(ulimits(deployment).length).toBeGreaterThan(1);
      expect(ulimits(deployment)).toEqual(ulimits(deployment).map(() => asked));
    }
  });

  test.each([['true', 'PHOENIX_ENABLE_PROMETHEUS=true'], ['false', 'PHOENIX_ENABLE_PROMETHEUS=false']])('metrics of Phoenix, where they are %s', async (metrics, variable) => {
    const { resources } = await run({ config: { 'phoenix:metrics': metrics } });
    expect(resources.get('phoenix-server')?.inputs['envs']).toContain(variable);
  });
});

describe('phoenix:database', () => {
  test('Phoenix stores there, over TLS, by a way that leads nowhere else, and its volume stays', async () => {
    const off = await run();
    const on = await run(withDatabase);
    const added = [...on.resources.keys()].filter((name) => !off.resources.has(name));
    expect(added).toEqual([
      'phoenix-egress', 'phoenix-egress-config', 'phoenix-egress-config-files', 'phoenix-egress-image', 'phoenix-egress-server',
      'phoenix-database', 'phoenix-database-config', 'phoenix-database-config-files', 'phoenix-database-image', 'phoenix-database-server', 'phoenix-database-check',
    ].sort());
    const [files, server] = ['phoenix-secret-files', 'phoenix-server'].map((name) => on.resources.get(name)?.inputs);
    expect(JSON.stringify(files)).toContain('PHOENIX_SQL_DATABASE_URL');
    expect(JSON.stringify(files)).toContain('sslmode=verify-full&sslrootcert=/etc/phoenix-secrets/database-certificate.pem');
    expect(server?.['labels']).toContainEqual({ label: databaseLabel, value: 'db.example.com:5432/phoenix' });
    expect(on.resources.get('phoenix-data')?.inputs).toEqual(off.resources.get('phoenix-data')?.inputs);
    // The name of a host leads to one container alone.
    const names = (name: string): unknown => JSON.stringify(on.resources.get(name)?.inputs['networksAdvanced']);
    expect([names('phoenix-gate-server'), names('phoenix-database-server')]).toEqual([expect.not.stringContaining('db.example.com'), expect.stringContaining('"db.example.com"')]);
    expect(JSON.stringify(on.resources.get('phoenix-database-config-files')?.inputs)).toMatch(/listen 5432;[^]*listen 8443;/);
    // It is asked before anything of Phoenix is replaced, and by its way.
    const order = ['phoenix-egress-server', 'phoenix-database-server', 'phoenix-secret-files', 'phoenix-database-check', 'phoenix-server'].map((name) => on.order.indexOf(name));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(on.result).toMatchObject({ containers: { database: 'phoenix-dev-database' }, volumes: { phoenix: 'phoenix-dev-data' } });
    // The certificate is a new one in each run.
    const config = Object.fromEntries(Object.entries(withDatabase.config ?? {}).filter(([name]) => name !== 'phoenix:databaseCertificate'));
    expectGraph('graph-database.yaml', await run({ ...withDatabase, config }), off);
  });

  test('another certificate replaces Phoenix, as another password does', async () => {
    const labelsWith = async (config: Record<string, string>): Promise<unknown> => (await run({ ...withDatabase, config: { ...withDatabase.config, ...config } })).resources.get('phoenix-server')?.inputs['labels'];
    const [usual, ...others] = [await labelsWith({}), await labelsWith({ 'phoenix:databaseCertificate': certified['tls:certificate'] }), await labelsWith({ 'phoenix:database': 'postgresql://writer:chosen-otherwise@db.example.com:5432/phoenix' })];
    others.forEach((labels) => expect(labels).not.toEqual(usual));
  });
});

test('phoenix:journal puts a journal between the gate and Phoenix, and changes nothing else', async () => {
  const off = await run({ config: { 'phoenix:auth': 'true' } });
  const on = await run({ config: { 'phoenix:auth': 'true', 'phoenix:journal': 'true' } });
  const added = [...on.resources.keys()].filter((name) => !off.resources.has(name));
  expect(added).toEqual(['journal', 'journal-data', 'journal-data-owner', 'journal-secret-files', 'journal-secrets', 'journal-server']);
  expect([...on.resources].filter(([name, resource]) => off.resources.has(name) && JSON.stringify(resource.inputs) !== JSON.stringify(off.resources.get(name)?.inputs)).map(([name]) => name)).toEqual([
    'delivery', 'phoenix-gate-config-files', 'phoenix-gate-server',
  ]);
  // The gate sends to it from its first second on.
  expect(on.order.indexOf('journal-server')).toBeLessThan(on.order.indexOf('phoenix-gate-server'));
  expect(on.result).toMatchObject({ containers: { journal: 'journal-dev' }, volumes: { journal: 'journal-dev-data' } });
  expectGraph('graph-journal.yaml', on, off);
});

test('grafana:enabled adds Grafana, which asks the store of metrics, and changes nothing else', async () => {
  const config = { 'prometheus:url': 'http://host.docker.internal:9090', 'phoenix:rootUrl': 'https://phoenix.example.com/', 'phoenix:auth': 'true' };
  const off = await run({ config });
  const on = await run({ config: { ...config, 'grafana:enabled': 'true' } });
  expect([...on.resources.keys()].filter((name) => !off.resources.has(name))).toEqual([
    'grafana', 'grafana-admin-password', 'grafana-config', 'grafana-config-files', 'grafana-data', 'grafana-image', 'grafana-secret-files', 'grafana-secrets', 'grafana-server',
  ]);
  expect([...off.resources].filter(([name, { inputs }]) => JSON.stringify(inputs) !== JSON.stringify(on.resources.get(name)?.inputs)).map(([name]) => name)).toEqual([]);
  expect(on.result).toEqual({
    ...off.result,
    endpoints: { ...(off.result['endpoints'] as object), grafana: 'http://127.0.0.1:3000' },
    containers: { ...(off.result['containers'] as object), grafana: 'grafana-dev' },
    volumes: { ...(off.result['volumes'] as object), grafana: 'grafana-dev-data' },
    images: { ...(off.result['images'] as object), grafana: { name: images.grafana, digest: 'grafana/grafana@sha256:d1', id: 'sha256:1d' } },
    grafanaLogin: secret({ url: 'http://127.0.0.1:3000', user: 'admin', password: 'drawn-grafana-admin-password' }),
  });
  const uploads = on.resources.get('grafana-config-files')?.inputs['uploads'] as { file: string; content: string }[];
  const dataSource = uploads.find(({ file }) => file.endsWith('/datasources/llm-observability.yaml'))?.content;
  expect(dataSource).toContain('url: "http://host.docker.internal:9090"');
  expect(dataSource).toContain('"https://phoenix.example.com/redirects/traces/$${__value.raw}"');
  expect(uploads.find(({ file }) => file.endsWith('ai-services.json'))?.content).toContain('"url": "https://phoenix.example.com"');
  expect(on.resources.get('grafana-server')?.inputs['hosts']).toEqual([{ host: 'host.docker.internal', ip: 'host-gateway' }]);

  // One that the stack deploys is on the same network.
  const deployed = await run({ config: { 'grafana:enabled': 'true', 'prometheus:enabled': 'true' } });
  expect(JSON.stringify(deployed.resources.get('grafana-config-files')?.inputs['uploads'])).toContain('url: \\"http://prometheus:9090\\"');
  expect(deployed.resources.get('grafana-server')?.inputs['hosts']).toBeUndefined();
});

test('two stacks share no name on the Docker host', async () => {
  const names = ({ resources }: Deployment<Outputs>): unknown[] =>
    [...resources.values()].filter(({ type }) => /^docker:.*:(Container|Network|Volume)$/.test(type)).map(({ inputs }) => inputs['name']);
  const [dev, prod] = [names(await run({ ...withAuth, stack: 'dev' })), names(await run({ ...withAuth, stack: 'prod' }))];
  expect(dev).toHaveLength(21);
  expect(dev.filter((name) => prod.includes(name))).toEqual([]);
});

describe('names on the Docker host', () => {
  const kinds = { container: 'docker:index/container:Container', volume: 'docker:index/volume:Volume', network: 'docker:index/network:Network' };
  /** A stack has one store of logs: each of them in turn. */
  const logStores: readonly Run['config'][] = [{ 'loki:url': 'http://loki:3100' }, { 'victorialogs:enabled': 'true' }];
  const made = async (stage: Run): Promise<Record<string, unknown[]>> => {
    const all: Registered[] = [];
    for (const config of logStores) {
      all.push(...(await run({ ...stage, config: { ...stage.config, ...config } })).resources.values());
    }
    return Object.fromEntries(Object.entries(kinds).map(([kind, of]) => [kind, [...new Set(all.filter(({ type }) => type === of).map(({ inputs }) => inputs['name']))].sort()]));
  };
  const listed = (stack: string, atEdge: boolean): object => Object.fromEntries(Object.entries(hostNames(stack, atEdge)).map(([kind, names]) => [kind, [...names].sort()]));

  test('with everything that can be switched on, they are just those that the catalog lists', async () => {
    const config = { ...withAuth.config, ...published.config, 'phoenix:rootUrl': 'https://phoenix.example.com', 'phoenix:journal': 'true', ...withDatabase.config, ...withExample.config, 'grafana:enabled': 'true', 'prometheus:enabled': 'true', 'tunnel:connectors': String(maxConnectors), ...certified, 'tls:plain': 'false', 'alloy:bind': '192.0.2.7', 'alloy:auth': 'true' };
    const secretKeys = ['tls:key', 'phoenix:database', ...(withExample.secretKeys ?? []), ...(withAuth.secretKeys ?? []), ...(published.secretKeys ?? [])];
    expect(await made({ stack: 'paris', config, secretKeys })).toEqual(listed('paris', false));
  });

  test.each(['alloy', 'phoenix'])('at the edge as well, to %s', async (sendTo) => {
    const config = { 'edge:central': 'prod', 'edge:sendTo': sendTo, 'prometheus:enabled': 'true', ...certified, 'alloy:bind': '192.0.2.7', 'alloy:auth': 'true' };
    expect(await made({ stack: 'paris', config, secretKeys: ['tls:key'], outputs: { prod } })).toEqual(listed('paris', true));
  });
});

describe('every container of every setting', () => {
  const toStores: Run = {
    config: {
      'prometheus:url': 'https://prometheus.example.com', 'prometheus:username': 'writer', 'prometheus:password': 'chosen-for-metrics',
      'loki:url': 'https://loki.example.com', 'loki:token': 'chosen-for-logs',
    },
    secretKeys: ['prometheus:password', 'loki:token'],
  };
  const withUser: Run = {
    config: {
      'prometheus:url': 'https://prometheus.example.com', 'prometheus:token': 'chosen-for-metrics',
      'loki:url': 'https://loki.example.com', 'loki:username': 'writer', 'loki:password': 'chosen-for-logs',
    },
    secretKeys: ['prometheus:token', 'loki:password'],
  };
  /** It asks only a store without credentials. */
  const withGrafana: Run = { config: { 'prometheus:url': 'http://prometheus:9090', 'loki:url': 'http://loki:3100', 'grafana:enabled': 'true' } };
  const onLan: Run = { config: { ...certified, 'tls:plain': 'false', 'alloy:bind': '192.0.2.7', 'alloy:auth': 'true' }, secretKeys: ['tls:key'] };
  const together = (...parts: readonly Run[]): Run => ({
    ...parts[0], config: Object.assign({}, ...parts.map(({ config }) => config)) as Record<string, string>, secretKeys: parts.flatMap(({ secretKeys = [] }) => secretKeys),
  });
  const edge: Run = { stack: 'edge', config: { 'edge:central': 'prod' }, outputs: { prod } };
  const invited: Run = { stack: 'edge', config: { 'edge:central': 'prod', 'edge:access': JSON.stringify({ remote: { ...prod.remote, tokens: { edge: prod.remote.tokens.edge } }, remoteAccess: { edge: prod.remoteAccess.edge } }) }, secretKeys: ['edge:access'] };
  const deployed: Run = { config: { 'prometheus:enabled': 'true', 'victorialogs:enabled': 'true' } };
  const central = together(withAuth, withSecrets, published, withExample, withDatabase, { config: { 'phoenix:rootUrl': 'https://phoenix.example.com', 'phoenix:journal': 'true', 'tunnel:connectors': String(maxConnectors) } });

  const ofKey = certified['tls:key'].split('\n')[1] ?? '';
  const isSecret = (text: string): boolean => madeUp.test(text) || text.includes(ofKey);
  /** A credential is also found where it is a part of something in Base64, as it is in the token of a tunnel and in a header. */
  const read = (value: unknown): string => {
    const text = JSON.stringify(value) ?? '';
    return [text, ...(text.match(/[A-Za-z0-9+/]{16,}={0,2}/g) ?? []).map((one) => Buffer.from(one, 'base64').toString('latin1'))].join('\n');
  };
  const shows = (value: unknown): boolean => isSecret(read(value));
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (_, one: unknown) => (typeof one === 'object' && one !== null && secretMark in one ? '' : one)) ?? 'null');

  const carriers = ['alloy-secret-files', 'alloy-tls-files'];
  const gatesOfStores = ['loki-gate-config-files', 'prometheus-gate-config-files'];
  const carriersOfCentral = [...carriers, ...gatesOfStores, 'example-secret-files', 'journal-secret-files', 'phoenix-gate-tls-files', 'phoenix-secret-files', 'tunnel-secret-files'].sort();
  const stages: readonly (readonly [string, Run, readonly string[]])[] = [
    ['a stack with everything', together(central, toStores, onLan), carriersOfCentral],
    ['one whose stores are told otherwise who sends', together(central, withUser, onLan), carriersOfCentral],
    ['one with Grafana', together(central, withGrafana, onLan), [...carriersOfCentral.filter((name) => !gatesOfStores.includes(name)), 'grafana-secret-files'].sort()],
    ['one with its defaults', {}, ['alloy-secret-files', 'phoenix-secret-files']],
    ['one that deploys its stores', deployed, ['alloy-secret-files', 'phoenix-secret-files']],
    ['one at the edge', together(edge, toStores, onLan), [...carriers, ...gatesOfStores]],
    ['one at the edge that sends to Phoenix', together(edge, { config: { 'edge:sendTo': 'phoenix' } }, withUser, onLan), [...carriers, ...gatesOfStores]],
    ['one at the edge that was given what it needs', together(invited, toStores, onLan), [...carriers, ...gatesOfStores]],
  ];
  const containersOf = ({ resources }: Deployment<Outputs>): Registered[] => [...resources.values()].filter(({ type }) => type === 'docker:index/container:Container');

  test.each(stages)('leaves nothing of the CIS Docker Benchmark undone without a reason: %s', async (_, stage) => {
    const deployment = await run(stage);
    const ports = Object.values(deployment.result['endpoints'] as Record<string, string>).map((url) => Number(new URL(url).port));
    expect(unexplained(containersOf(deployment).flatMap(({ inputs }) => findings(inspectedOf(inputs), { appArmor: false, ports })))).toEqual([]);
  });

  const inTurn = async <A, B>([first, ...rest]: readonly A[], each: (one: A) => Promise<B>): Promise<B[]> => (first === undefined ? [] : [await each(first), ...(await inTurn(rest, each))]);

  test('these are all that there are', async () => {
    const made = async (...stages: readonly Run[]): Promise<unknown[]> =>
      [...new Set((await inTurn(stages, run)).flatMap((stage) => containersOf(stage).map(({ inputs }) => inputs['name'])))].sort();
    expect(await made(together(central, toStores, onLan), together(central, withGrafana, onLan), deployed)).toEqual([...hostNames('dev', false).container].sort());
    expect(await made(together(edge, toStores, onLan), together(edge, deployed))).toEqual([...hostNames('edge', true).container].sort());
  });

  test.each(stages)('has its secrets in files that a volume gets, shows none to docker inspect or a process list, and nothing holds one in plain text: %s', async (_, stage, carrying) => {
    const deployment = await run(stage);
    const { resources, outputs, result } = deployment;
    const containers = containersOf(deployment);
    expect(containers.flatMap(({ name, inputs }) => Object.entries(inputs).filter(([, value]) => shows(value)).map(([input]) => `${name}.${input}`))).toEqual(carrying.map((name) => `${name}.uploads`));
    const told = [...[...resources.values()].filter(({ type }) => type !== 'pulumi:pulumi:StackReference').map(({ name, inputs }) => [name, inputs] as const), ...outputs, ['the outputs', result] as const];
    expect(told.filter(([, value]) => shows(plain(value))).map(([name]) => name)).toEqual([]);
    // Each of them was there to be found.
    const all = read(told.map(([, value]) => value));
    expect(Object.entries(stage.config ?? {}).filter(([key, value]) => stage.secretKeys?.includes(key) && madeUp.test(value) && !/^(cloudflare|edge):/.test(key) && !all.includes(value)).map(([key]) => key)).toEqual([]);
  });
});

describe('example:enabled', () => {
  test('adds the service, and tells where it is; everything else stays as it is', async () => {
    const [without, deployment] = [await run(), await run({ config: { 'example:enabled': 'true' } })];
    expectGraph('graph-example.yaml', { ...deployment, resources: new Map([...deployment.resources].map(([name, resource]) => (name === 'example-program-files' ? [name, { ...resource, inputs: { ...resource.inputs, uploads: '(examples/ai-service)' } }] : [name, resource]))) }, without);
    expect([...without.resources.values()].filter(({ name, inputs }) => JSON.stringify(deployment.resources.get(name)?.inputs) !== JSON.stringify(inputs))).toEqual([]);
  });

  test('its port moves with the others', async () => {
    const { result, resources } = await run({ config: { 'example:enabled': 'true', 'ports:offset': '100' } });
    expect(result['endpoints']).toMatchObject({ example: 'http://127.0.0.1:10100' });
    expect(resources.get('example-server')?.inputs['ports']).toMatchObject([{ internal: 10000, external: 10100, ip: '127.0.0.1' }]);
  });
});

describe('data:protect', () => {
  const config = { 'data:protect': 'true' };
  const guarded = ({ resources }: Deployment<Outputs>): string[] => [...resources.values()].filter(({ protect }) => protect).map(({ name }) => name);
  const secrets = ['phoenix-first-password', 'phoenix-secret'];

  test('holds for both volumes with data and for nothing else, and is off where nobody sets it', async () => {
    const everything = { ...published, config: { ...published.config, ...config } };
    expect(guarded(await run(everything))).toEqual(['alloy-data', 'phoenix-data', ...secrets]);
    expect([guarded(await run(published)), guarded(await run())]).toEqual([secrets, secrets]);
  });

  test('at the edge for that of Alloy', async () => {
    const edge = { 'edge:central': 'prod' };
    expect(guarded(await run({ config: { ...edge, ...config }, outputs: { prod } }))).toEqual(['alloy-data']);
    expect(guarded(await run({ config: edge, outputs: { prod } }))).toEqual([]);
  });
});

describe('ports:offset', () => {
  const ports = ({ resources }: Deployment<Outputs>): number[] =>
    [...resources.values()].flatMap(({ inputs }) => (inputs['ports'] ?? []) as { external: number }[]).map(({ external }) => external);
  const distinct = (all: number[]): number[] => [...new Set(all)].sort((a, b) => a - b);

  test('moves all that is published, and tells where it is', async () => {
    const deployment = await run({ config: { 'ports:offset': '100' } });
    expect(distinct(ports(deployment))).toEqual([4417, 4418, 6106, 12445, 14417, 14418]);
    expect(deployment.result).toMatchObject({
      endpoints: {
        otlpHttp: 'http://127.0.0.1:4418',
        otlpGrpc: 'http://127.0.0.1:4417',
        phoenixUi: 'http://127.0.0.1:6106',
        phoenixOtlpHttp: 'http://127.0.0.1:14418',
        phoenixOtlpGrpc: 'http://127.0.0.1:14417',
        alloyUi: 'http://127.0.0.1:12445',
      },
      // Inside nothing has moved.
      internal: { otlpHttp: 'http://alloy:4318', alloyUi: 'http://alloy:12345', phoenix: 'http://phoenix:6006' },
    });
  });

  test('at the edge as well', async () => {
    const deployment = await run({ config: { 'ports:offset': '100', 'edge:central': 'prod' }, outputs: { prod } });
    expect(distinct(ports(deployment))).toEqual([4417, 4418, 12445]);
    expect(deployment.result['endpoints']).toEqual({ otlpHttp: 'http://127.0.0.1:4418', otlpGrpc: 'http://127.0.0.1:4417', alloyUi: 'http://127.0.0.1:12445' });
  });
});

describe('what is stored with --secret', () => {
  /** Everything that is registered or told, without what is marked as a secret: texts, numbers and names of properties. */
  const plain = (value: unknown): string[] => {
    if (typeof value !== 'object' || value === null) {
      return [String(value)];
    }
    return secretMark in value ? [] : Array.isArray(value) ? value.flatMap(plain) : Object.entries(value).flatMap(([name, inner]) => [name, ...plain(inner)]);
  };
  const told = ({ resources, outputs, result }: Deployment<Outputs>): string[] =>
    [...[...resources.values()].filter(({ type }) => type !== 'pulumi:pulumi:StackReference').map(({ inputs }) => inputs), ...outputs.values(), result].flatMap(plain);

  /** A value of each setting that is found again, and what the stack makes of it. */
  const marked: Record<string, string | [value: string, ...told: string[]]> = {
    'phoenix:uiPort': ['17001', '17708'], 'phoenix:otlpGrpcPort': ['17002', '17709'], 'phoenix:otlpHttpPort': ['17003', '17710'], 'phoenix:bind': '192.0.2.71',
    'phoenix:hosts': 'marked-host.example.com', 'phoenix:egress': ['marked-egress.example.com:17443', 'marked-egress.example.com', '17443'], 'phoenix:retentionDays': '7777', 'network:subnet': ['10.217.44.0/24', '10.217.44.0/25', '10.217.44.128/25'], 'network:mtu': '1477', 'phoenix:storage': ['7775MiB', '7775', String(7775 / 1024)], 'phoenix:projects': '77747', 'phoenix:memory': ['7771MiB', '7771'], 'phoenix:cpus': '1.7', 'phoenix:image': 'registry.example.net/marked-phoenix:version-20.99.1',
    'phoenix:database': ['postgresql://marked-writer:marked-database-password@marked-database.example.com/phoenix', 'marked-database-password'], 'phoenix:databaseCertificate': fs.readFileSync(path.join(engineAuthority().client(), 'ca.pem'), 'utf8').trim(),
    'phoenix:rootUrl': ['https://marked-root.example.com/marked-path', 'marked-root.example.com', '/marked-path'], 'phoenix:trustedProxies': '198.51.100.0/24',
    'phoenix:secret': 'marked-secret-of-32-characters-or-more-1', 'phoenix:adminSecret': 'marked-admin-secret-of-32-characters-1', 'phoenix:adminPassword': 'marked-password',
    'phoenix:apiKeys': ['marked-key, marked-other', 'marked-key', 'marked-other'], 'phoenix:admins': 'Marked Person=marked-admin@example.com',
    'phoenix:oidcName': 'markedname', 'phoenix:oidcClientId': 'marked-client', 'phoenix:oidcClientSecret': 'marked-client-secret',
    'phoenix:oidcConfigUrl': ['https://marked-oidc.example.com/.well-known/openid-configuration', 'marked-oidc.example.com'], 'phoenix:oidcDisplayName': 'Marked Login',
    'phoenix:oidcScopes': 'markedscope', 'phoenix:oidcGroupsAttributePath': 'markedgroups', 'phoenix:oidcAllowedGroups': 'marked-team',
    'phoenix:oidcRoleAttributePath': 'markedrole', 'phoenix:oidcRoleMapping': 'markedowner:ADMIN',
    'phoenix:ldapHost': 'marked-ldap.example.com', 'phoenix:ldapPort': '17389', 'phoenix:ldapTlsMode': 'ldaps', 'phoenix:ldapBindDn': 'cn=marked,dc=example,dc=com',
    'phoenix:ldapBindPassword': 'marked-bind-password', 'phoenix:ldapUserSearchBaseDns': ['["ou=marked-base,dc=example,dc=com"]', 'ou=marked-base,dc=example,dc=com'],
    'phoenix:ldapUserSearchFilter': '(&(objectClass=marked)(uid=%s))', 'phoenix:ldapAttrEmail': 'markedmail',
    'phoenix:ldapGroupRoleMappings': ['[{"group_dn":"cn=marked-group,dc=example,dc=com","role":"MEMBER"}]', 'cn=marked-group,dc=example,dc=com'],
    'phoenix:smtpHostname': 'marked-smtp.example.com', 'phoenix:smtpPort': '17587', 'phoenix:smtpUsername': 'marked-mailer', 'phoenix:smtpPassword': 'marked-mail-password', 'phoenix:smtpMailFrom': 'marked-from@example.com',
    'alloy:otlpGrpcPort': ['17004', '17711'], 'alloy:otlpHttpPort': ['17005', '17712'], 'alloy:uiPort': ['17006', '17713'], 'alloy:bind': '192.0.2.72', 'alloy:cors': ['https://marked-site.example.com,http://localhost:17444', 'marked-site', '17444'], 'alloy:memory': ['7993MiB', '7993'], 'alloy:queue': ['7773MiB', '7773', String(7773 * 2 ** 20)], 'alloy:cpus': '1.9',
    'sampling:percent': '37.25',
    'alloy:image': 'registry.example.net/marked-alloy:v1.99.1', 'gate:image': 'registry.example.net/marked-gate:1.99.1',
    'prometheus:url': ['http://marked-prometheus:9090/?db=marked%2Fquery', 'marked-prometheus', 'marked%2Fquery'], 'prometheus:username': 'marked-writer', 'prometheus:password': 'marked-write-password', 'prometheus:tenant': 'marked-tenant', 'loki:url': ['http://marked-loki:3100', 'marked-loki'], 'loki:token': 'marked-token-of-logs',
    'tunnel:hostname': 'marked-page.marked-zone.example', 'tunnel:otlpHostname': 'marked-otlp.marked-zone.example', 'tunnel:phoenixOtlpHostname': 'marked-phoenix.marked-zone.example',
    'tunnel:routes': ['marked-route.marked-zone.example=http://marked-service:3000', 'marked-route.marked-zone.example', 'marked-service'], 'tunnel:zone': 'marked-zone.example',
    'tunnel:allowEmails': 'marked-ada@example.com', 'tunnel:allowDomains': 'marked-domain.example.com', 'tunnel:allowGroups': 'f174e90a-fafe-4643-bbbc-4a0ed4fc8415',
    'tunnel:serviceTokens': 'marked-token', 'tunnel:tokenDuration': ['7778h', '7778'], 'tunnel:name': 'marked-tunnel', 'tunnel:connectors': '3', 'tunnel:image': 'registry.example.net/marked-tunnel:2027.1.1',
    'cloudflare:accountId': '0123456789abcdef0123456789abcd77', 'cloudflare:baseUrl': 'https://marked-cloudflare.example.com/client/v4', 'cloudflare:apiToken': 'marked-at-cloudflare-0123456789-012345678',
    'example:port': ['17007', '17714'], 'example:model': ['https://marked-model.example.com/v1', 'marked-model.example.com'], 'example:modelName': 'marked-model-name', 'example:modelKey': 'marked-key-of-model',
    ...certified,
    'ports:offset': ['707', '17708', '17709', '17710', '17711', '17712', '17713', '17714'],
  };
  const atEdge: typeof marked = { 'edge:central': 'marked-central', 'edge:sendTo': 'phoenix', 'edge:token': 'marked-token' };
  const accessOfIt = { clientId: 'marked-client-of-access', clientSecret: 'marked-secret-of-access', apiKey: 'marked-key-of-access' };
  const given: typeof marked = {
    'edge:access': [JSON.stringify({ remote: { ...prod.remote, tokens: { edge: { expiresAt: '2999-11-21T08:00:00Z' } } }, remoteAccess: { edge: accessOfIt } }), ...Object.values(accessOfIt)],
  };
  const ssh: typeof marked = { 'docker:host': 'ssh://marked@192.0.2.1', 'docker:sshOpts': ['["-i","/marked/key"]', '/marked/key'], 'docker:registryAuth': ['[{"address":"marked.example.com","password":"marked-registry"}]', 'marked.example.com', 'marked-registry'] };
  const folder = engineAuthority().client();
  const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) => fs.readFileSync(path.join(folder, `${name}.pem`), 'utf8').trim()) as [string, string, string];
  const tls: typeof marked = { 'docker:host': 'tcp://192.0.2.1:2376', 'docker:caMaterial': ca, 'docker:certMaterial': cert, 'docker:keyMaterial': key };
  const tlsFolder: typeof marked = { 'docker:host': 'tcp://192.0.2.1:2376', 'docker:certPath': folder };

  const sender: typeof marked = {
    'prometheus:url': 'http://marked-prometheus:9090', 'prometheus:token': 'marked-token-of-metrics',
    'loki:url': 'http://marked-loki:3100', 'loki:username': ['marked-logger', Buffer.from('marked-logger:marked-log-password').toString('base64')], 'loki:password': 'marked-log-password', 'loki:tenant': 'marked-tenant-of-logs',
  };
  const deployed: typeof marked = {
    'prometheus:port': '17714', 'prometheus:retentionDays': ['3977', '3977d'], 'prometheus:storage': ['7663MiB', '6130'], 'prometheus:memory': ['7664MiB', '7664'],
    'prometheus:rules': ['groups:\n  - name: marked-rules\n    rules: []\n', 'marked-rules'], 'prometheus:image': 'registry.example.net/marked-prometheus:v3.99.1',
    'victorialogs:port': '17715', 'victorialogs:retentionDays': ['3978', '3978d'], 'victorialogs:storage': ['7666MiB', '7666MiB'], 'victorialogs:memory': ['7665MiB', '7665'], 'victorialogs:image': 'registry.example.net/marked-victorialogs:v1.99.1',
  };
  /** With these no other stack may send spans straight to Phoenix. */
  const redacting: typeof marked = { 'redact:attributes': 'markedattribute', 'redact:values': ['emails', 'p{N}'], 'redact:pattern': 'markedpattern[0-9]', 'redact:projects': 'markedproject' };
  const withStores = { 'prometheus:enabled': 'true', 'victorialogs:enabled': 'true' };
  const grafana: typeof marked = {
    'prometheus:url': 'http://marked-prometheus:9090', 'grafana:port': '17007', 'grafana:memory': ['7779MiB', '7779'], 'grafana:image': 'registry.example.net/marked-grafana:13.99.1',
    'phoenix:rootUrl': ['https://marked-root.example.com/marked-path', 'marked-root.example.com', '/marked-path'],
  };
  /** They are parts of headers, which are secrets. */
  const inHeaders = ['prometheus:username', 'prometheus:tenant', 'loki:username', 'loki:tenant'];
  const switches: Record<string, string> = {
    'phoenix:auth': 'true', 'phoenix:databaseLeft': 'sqlite', 'phoenix:metrics': 'false', 'phoenix:journal': 'true', 'phoenix:basicAuth': 'false', 'phoenix:oidcAllowSignUp': 'false', 'phoenix:oidcAutoLogin': 'true', 'phoenix:ldapAllowSignUp': 'false',
    'tls:plain': 'false', 'data:protect': 'true', 'alloy:auth': 'true', 'alloy:llmMetrics': 'true', 'alloy:ownMetrics': 'true', 'alloy:serviceAsProject': 'true', 'example:enabled': 'true', 'grafana:enabled': 'false',
  };
  const notAsked = { 'docker:disableDockerDaemonCheck': 'true' };
  const centralOutputs = { 'marked-central': { ...prod, remote: { ...prod.remote, tokens: { 'marked-token': { expiresAt: '2999-11-21T08:00:00Z' } } }, remoteAccess: { 'marked-token': prod.remoteAccess.edge } } };

  test.each<[string, typeof marked, Run]>([
    ['a stack with everything', marked, { config: switches }],
    ['one whose stores are told otherwise who sends', sender, {}],
    ['one that deploys its stores', deployed, { config: withStores }],
    ['one that redacts', redacting, { config: { 'redact:content': 'true' } }],
    ['one with Grafana', grafana, { config: { 'grafana:enabled': 'true', 'phoenix:auth': 'true' } }],
    ['one at the edge', { ...atEdge, 'alloy:image': marked['alloy:image'] ?? '', 'prometheus:url': marked['prometheus:url'] ?? '' }, { stack: 'edge', outputs: centralOutputs }],
    ['one at the edge that was given what it needs', given, { stack: 'edge', config: { 'edge:central': 'prod' } }],
    ['an engine over SSH', ssh, { config: notAsked, preview: true, named: true }],
    ['an engine over TLS', tls, { config: notAsked, preview: true, named: true }],
    ['an engine over TLS with its files', tlsFolder, { config: notAsked, preview: true, named: true }],
  ])('stays a secret in all inputs and outputs: %s', async (_, values, stage) => {
    const config = { ...stage.config, ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value])) };
    const texts = told(await run({ ...stage, config, secretKeys: Object.keys(config) }));
    expect(texts.length).toBeGreaterThan(100);
    const isIn = (text: string, one: string): boolean =>
      // A number is also part of a hash now and then.
      one.length < 4 ? text === one || text.endsWith(`=${one}`) : /^\d+$/.test(one) ? new RegExp(`(?<![0-9a-f])${one}(?![0-9a-f])`).test(text) : text.toLowerCase().includes(one.toLowerCase());
    const found = Object.entries(values).filter(([, value]) => [value].flat().some((one) => texts.some((text) => isIn(text, one))));
    expect(found.map(([name]) => name)).toEqual([]);
    // In plain text it is there: the test would find it.
    const shown = told(await run({ ...stage, config, secretKeys: Object.keys(config).filter((name) => keys[name as SettingKey].secret) }));
    const unseen = Object.entries(values).filter(([name, value]) => !keys[name as SettingKey].secret && !inHeaders.includes(name) && ![value].flat().some((one) => shown.some((text) => isIn(text, one))));
    expect(unseen.map(([name]) => name)).toEqual([]);
  });

  test('every setting is among these, but one whose value stays on this machine', () => {
    const walked = [marked, sender, deployed, withStores, redacting, { 'redact:content': 'true' }, grafana, atEdge, given, ssh, tls, tlsFolder, switches, notAsked].flatMap((some) => Object.keys(some));
    expect(Object.keys(keys).filter((name) => !walked.includes(name))).toEqual(['docker:context']);
  });

  test('one setting alone: where nothing of it is, nothing is a secret', async () => {
    const config = { 'prometheus:url': 'http://marked-prometheus:9090/?db=marked-query' };
    const [open, kept] = [await run({ config }), await run({ config, secretKeys: ['prometheus:url'] })];
    const changed = [...open.resources.keys()].filter((name) => JSON.stringify(open.resources.get(name)?.inputs) !== JSON.stringify(kept.resources.get(name)?.inputs));
    expect(changed).toEqual(['alloy-config-files', 'prometheus-gate-config-files']);
    expect(kept.result).toEqual(open.result);
  });

  test('a value that is the default is none', async () => {
    expect((await run({ config: { 'alloy:memory': '1GiB' }, secretKeys: ['alloy:memory'] })).resources).toEqual((await run()).resources);
  });
});

describe('what is wrong', () => {
  const failure = async (how: Run): Promise<unknown> => {
    const register = jest.fn();
    const error: unknown = await run(how).then(register, (reason: unknown) => reason);
    expect(register).not.toHaveBeenCalled();
    return error;
  };

  test('settings and host are told in one message, without a stack trace', async () => {
    const error = await failure({
      stack: 'prod',
      config: { 'phoenix:memory': '2G' },
      answers: { '/containers/json': [container('web', 4318)] },
    });
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect((error as Error).message).toBe(
      [
        '2 problems with stack prod; nothing was changed.',
        "  - phoenix:memory is '2G': memory is a number with the unit MiB or GiB, such as 512MiB or 2GiB.",
        '      pulumi config set phoenix:memory 2GiB --stack prod',
        "  - alloy:otlpHttpPort is '4318': container web holds that port on the Docker host; stop it, or choose a different port.",
        '      pulumi config set alloy:otlpHttpPort 16010 --stack prod',
      ].join('\n'),
    );
  });

  describe('a store of metrics that answers 404', () => {
    beforeEach(() => {
      mockAsksStores = true;
    });
    afterEach(() => {
      mockAsksStores = false;
    });

    const store = async (): Promise<{ readonly store: Site; readonly how: Run }> => {
      const asked = await site(() => ({ status: 404 }));
      const url = asked.url.replace('127.0.0.1', 'host.docker.internal');
      // This machine stands for the gateway of the bridge.
      const bridge = { '/networks/bridge': { IPAM: { Config: [{ Subnet: '127.0.0.0/8', Gateway: '127.0.0.1' }] } } };
      return { store: asked, how: { config: { 'alloy:bind': '127.0.0.1', 'prometheus:url': url, 'alloy:memory': '2G' }, answers: bridge } };
    };

    test.each([true, false])('is told with the rest (preview: %s)', async (preview) => {
      const { store: { url }, how } = await store();
      expect(((await failure({ ...how, preview })) as Error).message).toBe(
        [
          '2 problems with stack dev; nothing was changed.',
          "  - alloy:memory is '2G': memory is a number with the unit MiB or GiB, such as 512MiB or 2GiB.",
          '      pulumi config set alloy:memory 2GiB --stack dev',
          `  - prometheus:url is '${url.replace('127.0.0.1', 'host.docker.internal')}': the store answers 404: nothing takes metrics there.`,
          '      pulumi config get prometheus:url --stack dev   # then set the one that takes remote write',
        ].join('\n'),
      );
    });

    test('is not asked by a preview that asks no engine', async () => {
      const { store: { requests }, how } = await store();
      await failure({ ...how, preview: true, config: { ...how.config, 'docker:disableDockerDaemonCheck': 'true' } });
      expect(requests).toEqual([]);
    });
  });

  test('a stack at the edge: its settings, its host and the stack that it sends to, all in one', async () => {
    const error = await failure({
      stack: 'edge',
      config: { 'edge:central': 'prod', 'edge:sendTo': 'phoenix', 'alloy:memory': '2G', 'phoenix:auth': 'true' },
      answers: { '/containers/json': [container('web', 4318)] },
      outputs: { prod: { ...prod, remote: { ...prod.remote, otlp: { alloy: 'https://otlp.example.com', phoenix: null } } } },
    });
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect((error as Error).message).toBe(
      [
        '4 problems with stack edge; nothing was changed.',
        "  - alloy:memory is '2G': memory is a number with the unit MiB or GiB, such as 512MiB or 2GiB.",
        '      pulumi config set alloy:memory 2GiB --stack edge',
        '  - phoenix:auth: this stack sends to a central stack (edge:central) and has neither a Phoenix nor a tunnel.',
        '      pulumi config rm phoenix:auth --stack edge',
        "  - alloy:otlpHttpPort is '4318': container web holds that port on the Docker host; stop it, or choose a different port.",
        '      pulumi config set alloy:otlpHttpPort 16010 --stack edge',
        "  - edge:sendTo is 'phoenix': the stack prod does not publish that.",
        '      pulumi config set tunnel:phoenixOtlpHostname phoenix-otlp.example.com --stack prod',
        '      npm run up -- --stack prod',
        '      pulumi config set edge:sendTo alloy --stack edge',
      ].join('\n'),
    );
  });

  test('a stack at the edge of one that is not there', async () => {
    const error = await failure({ stack: 'edge', config: { 'edge:central': 'nowhere' }, outputs: { prod } });
    expect((error as Error).message).toBe(
      [
        '1 problem with stack edge; nothing was changed.',
        `  - edge:central is 'nowhere': its outputs cannot be read: unknown stack "nowhere".`,
        '      npm run pulumi -- stack ls',
        '      pulumi config set edge:central prod --stack edge',
      ].join('\n'),
    );
  });

  test.each([
    ['stands empty', '', ['edge:central: it is empty in the stack file; set a value.', 'pulumi config set edge:central prod', 'pulumi config rm edge:central']],
    ['names none', 'the prod', ["edge:central is 'the prod': it is the name of a stack, as `pulumi stack ls` shows it, or ORGANIZATION/STACK or ORGANIZATION/PROJECT/STACK.", 'pulumi config set edge:central prod   # an example']],
  ] as const)('a stack at the edge whose central one %s: nothing is said of a Phoenix that it has not', async (_, central, [problem, ...commands]) => {
    const of = (names: readonly string[]): object[] => names.map((name) => ({ Id: name, Names: [`/${name}`], State: 'exited', Labels: {}, Ports: [] }));
    const error = await failure({
      stack: 'edge',
      config: { 'edge:central': central },
      answers: {
        '/info': { NCPU: 0.5, OperatingSystem: 'Debian' },
        '/containers/json': [container('other', 6006), container('web', 4318), ...of(hostNames('edge', false).container.filter((name) => /^(phoenix|tunnel)-/.test(name)))],
      },
    });
    expect((error as Error).message).toBe(
      [
        '3 problems with stack edge; nothing was changed.',
        `  - ${problem}`,
        ...commands.map((command) => `      ${command.replace(/(?=   #|$)/, ' --stack edge')}`),
        "  - alloy:cpus is '1': the Docker host has 0.5.",
        '      pulumi config set alloy:cpus 0.5 --stack edge',
        "  - alloy:otlpHttpPort is '4318': container web holds that port on the Docker host; stop it, or choose a different port.",
        '      pulumi config set alloy:otlpHttpPort 16010 --stack edge',
      ].join('\n'),
    );
  });

  test('another stack on the same host: its ports, past which one command moves, and its names', async () => {
    const other = { 'llm-observability.stack': 'another/dev' };
    const error = await failure({
      config: { 'alloy:memory': '2G' },
      answers: {
        '/containers/json': [container('phoenix-dev', 6006, other), container('alloy-dev', 4318, other)],
        '/volumes': { Volumes: [{ Name: 'phoenix-dev-data', Labels: other }] },
      },
    });
    expect((error as Error).message).toBe(
      [
        '6 problems with stack dev; nothing was changed.',
        "  - alloy:memory is '2G': memory is a number with the unit MiB or GiB, such as 512MiB or 2GiB.",
        '      pulumi config set alloy:memory 2GiB --stack dev',
        ...['phoenix', 'alloy'].flatMap((service) => [
          `  - stack is 'dev': container ${service}-dev of stack another/dev has a name that this stack needs; give the stack a different name, or the container.`,
          '      npm run up -- --stack OTHER_NAME',
          `      docker rename ${service}-dev ${service}-dev-old`,
        ]),
        "  - stack is 'dev': volume phoenix-dev-data of stack another/dev has a name that this stack needs; give the stack a different name.",
        '      npm run up -- --stack OTHER_NAME',
        "  - phoenix:uiPort is '6006': container phoenix-dev of stack another/dev holds that port on the Docker host; stop it, or choose different ports.",
        '      pulumi config set ports:offset 100 --stack dev',
        "  - alloy:otlpHttpPort is '4318': container alloy-dev of stack another/dev holds that port on the Docker host; stop it, or choose different ports.",
        '      pulumi config set ports:offset 100 --stack dev',
      ].join('\n'),
    );
  });

  test.each(['x', '40001', '36000'])('with an offset of %s nothing is said of ports that it was meant to leave', async (offset) => {
    const error = await failure({
      config: { 'ports:offset': offset, 'alloy:uiPort': '30000', 'alloy:cpus': '9' },
      answers: { '/containers/json': [container('web', 6006), container('other', 4317), container('third', 30000)] },
    });
    expect((error as Error).message.match(/^ {2}- \S+/gm)).toEqual(['  - ports:offset', '  - alloy:cpus']);
  });

  test.each(['-dev', '.dev', '_dev', 'a'.repeat(42)])('a stack that cannot be called %s, and everything else that is wrong with it', async (stack) => {
    const error = await failure({ stack, config: { 'phoenix:memory': '2G' }, answers: { '/containers/json': [container('web', 4318)] } });
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect((error as Error).message).toBe(
      [
        `3 problems with stack ${stack}; nothing was changed.`,
        `  - stack is '${stack}': containers, volumes and networks carry the name of the stack, so it takes letters, digits, '.', '_' and '-', begins with a letter or digit, and has at most 41 characters.`,
        `      pulumi stack rename dev --stack ${stack}`,
        "  - phoenix:memory is '2G': memory is a number with the unit MiB or GiB, such as 512MiB or 2GiB.",
        `      pulumi config set phoenix:memory 2GiB --stack ${stack}`,
        "  - alloy:otlpHttpPort is '4318': container web holds that port on the Docker host; stop it, or choose a different port.",
        `      pulumi config set alloy:otlpHttpPort 16010 --stack ${stack}`,
      ].join('\n'),
    );
  });

  test('a name that is as long as it may be is none of it', async () => {
    const { resources } = await run({ stack: 'a'.repeat(41) });
    expect(resources.get('network')?.inputs['name']).toBe(`observability-${'a'.repeat(41)}`);
  });

  test('of a setting that is wrong by itself nothing more is said', async () => {
    const error = await failure({ stack: 'edge', config: { 'edge:central': 'prod', 'edge:token': 'Edge' }, outputs: { prod: { ...prod, remote: { ...prod.remote, tokens: {} } } } });
    expect((error as Error).message.match(/^ {2}- .*/gm)).toEqual([expect.stringMatching(/^ {2}- edge:token is 'Edge': a name is a small letter/)]);
  });

  test('a tunnel that would publish Phoenix to everybody', async () => {
    const { 'cloudflare:apiToken': apiToken = '' } = published.config ?? {};
    const error = await failure({ stack: 'prod', config: { 'tunnel:hostname': 'phoenix.example.com', 'cloudflare:apiToken': apiToken }, secretKeys: ['cloudflare:apiToken'] });
    expect((error as Error).message).toBe(
      [
        '2 problems with stack prod; nothing was changed.',
        "  - cloudflare:accountId: a tunnel needs the account that it is made in, whose ID is in the URL of the account's page at dash.cloudflare.com.",
        '      pulumi config set cloudflare:accountId 0123456789abcdef0123456789abcdef --stack prod',
        "  - tunnel:hostname is 'phoenix.example.com': it publishes Phoenix, where anyone could read and delete everything: there is neither a login in Phoenix nor Access in front of it.",
        '      pulumi config set phoenix:auth true --stack prod',
        '      pulumi config set tunnel:allowEmails ada@example.com --stack prod',
      ].join('\n'),
    );
  });

  test('a secret is not told, whoever found it', async () => {
    const error = await failure({
      config: { 'phoenix:uiPort': '64321', 'loki:url': 'ftp://s3cret' },
      secretKeys: ['phoenix:uiPort', 'loki:url'],
      answers: { '/containers/json': [container('web', 64321)] },
    });
    expect((error as Error).message).toContain("phoenix:uiPort is '[secret]': container web holds that port");
    expect((error as Error).message).toContain("loki:url is '[secret]': the URL must begin");
    expect((error as Error).message).not.toMatch(/64321|s3cret/);
  });

  test('rules between settings, and a secret in plain text, which is not told', async () => {
    const error = await failure({ stack: 'prod', config: { 'phoenix:bind': '0.0.0.0', 'phoenix:secret': long } });
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect((error as Error).message).toBe(
      [
        '3 problems with stack prod; nothing was changed.',
        '  - phoenix:secret: it is a secret, and the stack file has it in plain text.',
        '      pulumi config set --secret phoenix:secret --stack prod',
        "  - phoenix:auth is 'false': phoenix:bind publishes Phoenix beyond this machine, where anyone could then read and delete everything.",
        '      pulumi config set phoenix:auth true --stack prod',
        '      pulumi config set phoenix:bind 127.0.0.1 --stack prod',
        '  - tls:certificate: phoenix:bind publishes beyond this machine, on 0.0.0.0, and without TLS anyone on the network can read passwords, API keys and prompts.',
        '      pulumi config set tls:certificate < certificate.pem --stack prod',
        '      pulumi config set --secret tls:key < key.pem --stack prod',
        '      pulumi config set tls:plain true --stack prod   # without TLS',
      ].join('\n'),
    );
  });

  test('nothing is registered before everything was checked', async () => {
    const { result, resources } = await deploy(async () => {
      setEnvironment({ DOCKER_HOST: 'unix:///nowhere/docker.sock' });
      pulumi.runtime.setAllConfig({}, []);
      return program().catch((reason: unknown) => reason);
    });
    expect(result).toBeInstanceOf(pulumi.RunError);
    expect((result as Error).message).toContain('  - docker:host: the Docker Engine at unix:///nowhere/docker.sock (DOCKER_HOST) does not answer (');
    expect([...resources]).toEqual([]);
  });
});
