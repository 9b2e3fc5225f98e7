import * as docker from '@pulumi/docker';
import type * as pulumi from '@pulumi/pulumi';
import * as login from '../../settings/login-parse';
import { Phoenix, type PhoenixArgs } from '../../components/phoenix';
import { phoenixStart } from '../../components/phoenix-start';
import { at } from '../../engine';
import { randomText } from '../../lab/providers';
import { deploy, secret, secretMark, sent, type Deployment, type Stage } from '../support/deployment';

const owner = 'llm-observability/dev';
const engine = at('unix:///docker.sock');

/** With auth on and one API key besides Alloy's. */
function phoenix(changes: Partial<PhoenixArgs> = {}, stage?: Stage): Promise<Deployment<Phoenix>> {
  return deploy(
    () =>
      new Phoenix('phoenix', {
        stack: 'dev',
        owner,
        network: new docker.Network('network', { name: 'observability-dev' }),
        image: 'arizephoenix/phoenix:version-20.26.1-nonroot',
        retentionDays: 30,
        auth: true,
        apiKeys: ['dashboards'],
        engine,
        mostProjects: 1000,
        memoryMiB: 2048,
        cpus: '1.0',
        protectData: false,
        ...changes,
      }),
    stage,
  );
}

/** The file with the secrets, as it is sent. */
const secretFile = (more: object = {}): object => secret(JSON.stringify({
  PHOENIX_SECRET: 'drawn-phoenix-secret',
  PHOENIX_ADMIN_SECRET: 'drawn-phoenix-admin-secret',
  PHOENIX_DEFAULT_ADMIN_INITIAL_PASSWORD: 'drawn-phoenix-first-password',
  ...more,
}));
const uploads = ({ resources }: Deployment<Phoenix>): unknown => resources.get('phoenix-secret-files')?.inputs['uploads'];
const uploaded = (content: unknown): object[] => [{ file: '/etc/phoenix-secrets/environment.json', content, permissions: '0400' }];
const envs = ({ resources }: Deployment<Phoenix>): unknown[] => resources.get('phoenix-server')?.inputs['envs'] as unknown[];

/** One deployment for all tests that only look at it. */
let plain: Deployment<Phoenix>;
let withoutAuth: Deployment<Phoenix>;
beforeAll(async () => {
  plain = await phoenix();
  withoutAuth = await phoenix({ auth: false });
});

const children = [
  ['network', 'docker:index/network:Network', ''],
  ['phoenix', 'llm-observability:index:Phoenix', ''],
  ['phoenix-admin-secret', 'random:index/randomPassword:RandomPassword', 'phoenix'],
  ['phoenix-data', 'docker:index/volume:Volume', 'phoenix'],
  ['phoenix-data-owner', 'docker:index/container:Container', 'phoenix'],
  ['phoenix-first-password', 'random:index/randomPassword:RandomPassword', 'phoenix'],
  ['phoenix-image', 'docker:index/remoteImage:RemoteImage', 'phoenix'],
  ['phoenix-key-alloy', 'observability:index:ApiKey', 'phoenix'],
  ['phoenix-key-dashboards', 'observability:index:ApiKey', 'phoenix'],
  ['phoenix-ready', 'observability:index:PhoenixReady', 'phoenix'],
  ['phoenix-secret', 'random:index/randomPassword:RandomPassword', 'phoenix'],
  ['phoenix-secret-files', 'docker:index/container:Container', 'phoenix'],
  ['phoenix-secrets', 'docker:index/volume:Volume', 'phoenix'],
  ['phoenix-server', 'docker:index/container:Container', 'phoenix'],
  ['phoenix-settings', 'observability:index:PhoenixSettings', 'phoenix'],
];

test('its children, all below the component, whether auth is on or not', () => {
  for (const { resources } of [plain, withoutAuth]) {
    expect([...resources.values()].map(({ name, type, parent }) => [name, type, parent])).toEqual(children);
  }
});

test('the data volume, and only it, stays when the stack goes; the secrets that belong to it cannot go', () => {
  const { resources } = plain;
  expect([...resources.values()].filter(({ retainOnDelete }) => retainOnDelete).map(({ name }) => name)).toEqual(['phoenix-data']);
  expect(resources.get('phoenix-data')?.inputs).toEqual({ name: 'phoenix-dev-data', labels: [{ label: 'llm-observability.stack', value: owner }] });
  expect([...resources.values()].filter(({ protect }) => protect).map(({ name }) => name)).toEqual(['phoenix-first-password', 'phoenix-secret']);
});

test('where the data is protected it cannot go either, and nothing else is another', async () => {
  const { resources } = await phoenix({ protectData: true });
  expect(resources.get('phoenix-data')).toEqual({ ...plain.resources.get('phoenix-data'), protect: true });
  expect(new Map([...resources].filter(([name]) => name !== 'phoenix-data'))).toEqual(new Map([...plain.resources].filter(([name]) => name !== 'phoenix-data')));
});

test('the order: volumes, their owners, the server, its start, its settings, keys', () => {
  const before = (name: string): readonly string[] | undefined => plain.resources.get(name)?.dependsOn;
  expect(before('phoenix-data-owner')).toEqual(['phoenix-data', 'phoenix-image']);
  expect(before('phoenix-server')).toEqual([
    'network', 'phoenix-admin-secret', 'phoenix-data', 'phoenix-data-owner', 'phoenix-first-password', 'phoenix-image', 'phoenix-secret',
    'phoenix-secret-files', 'phoenix-secrets',
  ]);
  expect(before('phoenix-ready')).toEqual(['phoenix-server']);
  expect(before('phoenix-settings')).toEqual(['phoenix-admin-secret', 'phoenix-first-password', 'phoenix-ready', 'phoenix-server']);
  for (const key of ['phoenix-key-alloy', 'phoenix-key-dashboards']) {
    expect(before(key)).toEqual(['phoenix-admin-secret', 'phoenix-ready', 'phoenix-secret', 'phoenix-server', 'phoenix-settings']);
  }
});

test('its start is waited for by a resource of its own: the provider would give up, and replace the container in the next deployment', () => {
  const server = plain.resources.get('phoenix-server')?.inputs ?? {};
  expect(Object.keys(server).filter((name) => name.startsWith('wait'))).toEqual([]);
  expect(server['healthcheck']).toMatchObject({ interval: '2s' });
  expect(plain.resources.get('phoenix-ready')?.inputs).toEqual({ engine, container: 'phoenix-dev', server: 'phoenix-server-id', redeploy: 'pulumi up --stack dev' });
});

test('who has the ID of the server, or what follows from it, comes after its start', async () => {
  const { result } = plain;
  const waitsFor = async (output: pulumi.Output<unknown>): Promise<string[]> => {
    const { resources } = output as unknown as { resources(): Set<pulumi.Resource> };
    return Promise.all([...resources.call(output)].map(async (one) => (await (one.urn as unknown as { promise(): Promise<string> }).promise()).split('::').at(-1) ?? ''));
  };
  expect(await waitsFor(result.server)).toEqual(expect.arrayContaining(['phoenix-ready', 'phoenix-server']));
});

test('nothing of it is published: the gate is', () => {
  expect([...plain.resources.values()].filter(({ inputs }) => ((inputs['ports'] ?? []) as unknown[]).length > 0)).toEqual([]);
});

test('nobody is root but the jobs that give files away, and they have no network', () => {
  const { resources } = plain;
  expect([...resources.values()].filter(({ inputs }) => inputs['user'] !== undefined).map(({ name, inputs }) => [name, inputs['user']])).toEqual([
    ['phoenix-data-owner', '0:0'],
    ['phoenix-secret-files', '0:0'],
    ['phoenix-server', '65532:65532'],
  ]);
  expect(resources.get('phoenix-data-owner')?.inputs).toMatchObject({
    networkMode: 'none',
    capabilities: { adds: ['CAP_CHOWN', 'CAP_DAC_READ_SEARCH', 'CAP_SETGID', 'CAP_SETUID'], drops: ['ALL'] },
  });
  expect(resources.get('phoenix-secret-files')?.inputs).toMatchObject({ networkMode: 'none', capabilities: { adds: ['CAP_CHOWN'], drops: ['ALL'] } });
});

describe('the secrets', () => {
  const labelOf = ({ resources }: Deployment<Phoenix>): unknown =>
    (resources.get('phoenix-server')?.inputs['labels'] as { label: string; value: string }[]).find(({ label }) => label === 'llm-observability.stack.secrets')?.value;
  const withMail = (password: string): Promise<Deployment<Phoenix>> => phoenix({ secretEnv: { PHOENIX_SMTP_PASSWORD: password } });

  test('are in a file of a volume that goes with the stack, for Phoenix alone, whether auth is on or not', () => {
    for (const deployment of [plain, withoutAuth]) {
      expect(uploads(deployment)).toEqual(uploaded(secretFile()));
    }
    const { resources } = plain;
    expect(resources.get('phoenix-secrets')).toMatchObject({ retainOnDelete: false, inputs: { name: 'phoenix-dev-secrets', labels: [{ label: 'llm-observability.stack', value: owner }] } });
    expect(resources.get('phoenix-secret-files')?.inputs).toMatchObject({
      name: 'phoenix-dev-secret-files',
      command: ['import os\nfor file in ["/etc/phoenix-secrets/environment.json"]: os.chown(file, 65532, 65532)'],
      volumes: [{ volumeName: 'phoenix-dev-secrets', containerPath: '/etc/phoenix-secrets' }],
    });
    expect(resources.get('phoenix-server')?.inputs['volumes']).toEqual([
      { volumeName: 'phoenix-dev-data', containerPath: '/phoenix_storage' },
      { volumeName: 'phoenix-dev-secrets', containerPath: '/etc/phoenix-secrets', readOnly: true },
    ]);
  });

  test('are nowhere in the container that runs, nor in the one that carries them but in that file', async () => {
    for (const { resources } of [plain, await withMail('drawn-mail')]) {
      expect(JSON.stringify(resources.get('phoenix-server'))).not.toMatch(new RegExp(`drawn-|${secretMark}`));
      expect(JSON.stringify({ ...resources.get('phoenix-secret-files')?.inputs, uploads: [] })).not.toMatch(new RegExp(`drawn-|${secretMark}`));
    }
  });

  test('are read by a program that goes on as Phoenix', () => {
    expect(plain.resources.get('phoenix-server')?.inputs).toMatchObject({ entrypoints: ['python3', '-c'], command: [phoenixStart(1000), 'serve'] });
  });

  test('have those of more that is given', async () => {
    expect(uploads(await withMail('mail'))).toEqual(uploaded(secretFile({ PHOENIX_SMTP_PASSWORD: 'mail' })));
  });

  test('replace the container when one changes, by a label that says nothing about them', async () => {
    const deployments = [plain, await withMail('mail'), await withMail('other'), await phoenix({ own: { adminSecret: 'my-admin-secret' } })];
    const found = deployments.map(labelOf);
    found.forEach((label) => expect(label).toMatch(/^[0-9a-f]{64}$/));
    expect(new Set(found).size).toBe(found.length);
    expect(labelOf(withoutAuth)).toBe(labelOf(plain));
    // The file is the same and the key is not: what the label is made of cannot be tried out.
    const own = { secret: 'my-secret', adminSecret: 'my-admin-secret', firstPassword: 'my-password' };
    const [one, two] = [await phoenix({ own }), await phoenix({ own }, { state: { 'phoenix-secret': { result: 'drawn-anew' } } })];
    expect(uploads(one)).toEqual(uploads(two));
    expect(labelOf(one)).not.toBe(labelOf(two));
  });
});

describe('the environment', () => {
  const whole = (auth: boolean): unknown[] => [
    'PHOENIX_WORKING_DIR=/phoenix_storage',
    'PHOENIX_PORT=6006',
    'PHOENIX_GRPC_PORT=4317',
    'HOME=/tmp',
    'PHOENIX_ENABLE_PROMETHEUS=true',
    'PHOENIX_MAX_SPANS_QUEUE_SIZE=2000',
    `PHOENIX_ENABLE_AUTH=${auth}`,
    'PHOENIX_TELEMETRY_ENABLED=false',
    'PHOENIX_ALLOW_EXTERNAL_RESOURCES=false',
    'PHOENIX_DISABLE_AGENT_ASSISTANT=true',
    'PHOENIX_AGENTS_DISABLE_BASH=true',
    'PHOENIX_AGENTS_DISABLE_WEB_ACCESS=true',
    'PHOENIX_ENABLE_MCP_SERVER=false',
    'PHOENIX_ALLOWED_SANDBOX_PROVIDERS=NONE',
    'PHOENIX_ENABLE_OAUTH2_AUTHORIZATION_SERVER=false',
    'FORWARDED_ALLOW_IPS=*',
  ];

  test('has what a trace server does not need switched off', () => {
    expect(envs(plain)).toEqual(whole(true));
    expect(envs(withoutAuth)).toEqual(whole(false));
  });

  test('has what more is given and is no secret', async () => {
    const more = await phoenix({ env: { PHOENIX_ROOT_URL: 'https://phoenix.example.com' }, secretEnv: { PHOENIX_SMTP_PASSWORD: 'mail' } });
    expect(envs(more)).toEqual([...whole(true), 'PHOENIX_ROOT_URL=https://phoenix.example.com']);
  });
});

describe('a generated secret', () => {
  // Spelled again on purpose: another rule is another secret, and two of them must not change.
  const forMachines = { length: 48, special: false, minNumeric: 1, minLower: 1 };
  const forPeople = { length: 24, special: true, overrideSpecial: '-_.', minUpper: 1, minLower: 1, minNumeric: 1, minSpecial: 1 };

  test.each([
    ['phoenix-secret', forMachines],
    ['phoenix-admin-secret', forMachines],
    ['phoenix-first-password', forPeople],
  ])('%s is drawn by its rule', (name, rule) => {
    expect(plain.resources.get(name)?.inputs).toEqual(rule);
  });

  test('is one that Phoenix takes, whatever is drawn', () => {
    for (let i = 0; i < 200; i++) {
      const drawn = randomText(forMachines);
      expect(login.phoenixSecret(drawn)).toBe(drawn);
      // Of the characters that the rule demands, without the luck of the others.
      expect(login.phoenixSecret(`${'X'.repeat(30)}${randomText({ ...forMachines, length: 2 })}`)).toHaveLength(32);

      const password = randomText(forPeople);
      expect(login.password(password)).toBe(password);
      expect(password).toMatch(/^[\w.-]{24}$/);
      const demanded = randomText({ ...forPeople, length: 4 });
      expect([/[A-Z]/, /[a-z]/, /[0-9]/, /[._-]/].filter((kind) => !kind.test(demanded))).toEqual([]);
    }
  });
});

test('secrets of one\'s own take the place of generated ones, which stay unused', async () => {
  const deployment = await phoenix({ own: { secret: 'my-secret', adminSecret: 'my-admin-secret', firstPassword: 'my-password' } });
  expect([...deployment.resources.values()].map(({ name, type, parent }) => [name, type, parent])).toEqual(children);
  expect(JSON.stringify([...deployment.resources.values()])).not.toContain('drawn-');
  expect(uploads(deployment)).toEqual(uploaded(secretFile({
    PHOENIX_SECRET: 'my-secret', PHOENIX_ADMIN_SECRET: 'my-admin-secret', PHOENIX_DEFAULT_ADMIN_INITIAL_PASSWORD: 'my-password',
  })));
  expect(deployment.resources.get('phoenix-settings')?.inputs).toMatchObject({ adminSecret: secret('my-admin-secret'), firstPassword: secret('my-password') });
  expect(deployment.resources.get('phoenix-key-alloy')?.inputs).toMatchObject({ adminSecret: secret('my-admin-secret'), signedWith: secret('my-secret') });
  const { adminSecret, firstPassword } = deployment.result;
  expect(await sent({ adminSecret, firstPassword })).toEqual({ adminSecret: secret('my-admin-secret'), firstPassword: secret('my-password') });
});

describe('what is done in Phoenix by its API', () => {
  const access = (auth: boolean, on = engine): object => ({
    engine: on,
    container: 'phoenix-dev',
    url: 'http://127.0.0.1:6006',
    auth,
    adminSecret: secret('drawn-phoenix-admin-secret'),
    server: 'phoenix-server-id',
  });

  test.each([true, false])('settings and keys, with auth %s', (auth) => {
    const { resources } = auth ? plain : withoutAuth;
    expect(resources.get('phoenix-settings')?.inputs).toEqual({ ...access(auth), retentionDays: 30, firstPassword: secret('drawn-phoenix-first-password') });
    for (const name of ['alloy', 'dashboards']) {
      expect(resources.get(`phoenix-key-${name}`)?.inputs).toEqual({
        ...access(auth), name, description: `made by Pulumi stack ${owner}`, signedWith: secret('drawn-phoenix-secret'),
      });
    }
  });

  test.each([24, 0])('those of its keys that are to end do so, in %d hours', async (hours) => {
    const { resources, result } = await phoenix({ apiKeys: ['dashboards', 'edge', 'lab'], ending: { names: ['edge', 'lab'], hours } });
    expect(['alloy', 'dashboards', 'edge', 'lab'].map((name) => resources.get(`phoenix-key-${name}`)?.inputs['hours'])).toEqual([undefined, undefined, hours, hours]);
    const end = hours === 0 ? '' : '2999-11-21T08:00:00.000Z';
    expect(await sent(result.keyEnds)).toEqual({ edge: end, lab: end });
  });

  test('through the engine of the stack', async () => {
    const elsewhere = at('ssh://host');
    const { resources } = await phoenix({ engine: elsewhere, apiKeys: [] });
    expect(resources.get('phoenix-settings')?.inputs).toMatchObject(access(true, elsewhere));
    expect(resources.get('phoenix-key-alloy')?.inputs).toMatchObject(access(true, elsewhere));
    expect(resources.has('phoenix-key-dashboards')).toBe(false);
  });
});

describe('what it offers', () => {
  const backend = { name: 'phoenix', signals: ['traces'], protocol: 'otlphttp', endpoint: 'http://phoenix-server:6006' };
  const offered = ({ result: { backend, adminSecret, firstPassword, apiKeys, server, path, containerName, volumeName } }: Deployment<Phoenix>): Promise<object> =>
    sent({ backend, adminSecret, firstPassword, apiKeys, server, path, containerName, volumeName });
  const always = {
    adminSecret: secret('drawn-phoenix-admin-secret'),
    firstPassword: secret('drawn-phoenix-first-password'),
    server: 'phoenix-server-id',
    containerName: 'phoenix-dev',
    volumeName: 'phoenix-dev-data',
  };

  test("a backend with Alloy's key, and the other keys", async () => {
    expect(await offered(plain)).toEqual({
      ...always,
      backend: { ...backend, headers: { authorization: secret('Bearer minted-phoenix-key-alloy') } },
      apiKeys: { dashboards: secret('minted-phoenix-key-dashboards') },
      path: ['phoenix-server-id', 'id-of-phoenix-key-alloy'],
    });
  });

  test('without auth: a backend with the same header, which it ignores, so that Alloy stays as it is when auth is switched on', async () => {
    expect(await offered(withoutAuth)).toEqual({ ...always, backend: { ...backend, headers: { authorization: secret('Bearer none') } }, apiKeys: { dashboards: secret('') }, path: ['phoenix-server-id', ''] });
  });

  test('by itself no key ends', () => expect(plain.result.keyEnds).toEqual({}));

  test('addresses', () => {
    expect(plain.result.internal).toBe('http://phoenix-server:6006');
    expect(plain.result.metrics).toBe('http://127.0.0.1:9090/metrics');
  });
});

test('transform reaches the server alone', async () => {
  const { resources } = await phoenix({ transform: { container: (args, opts) => ({ args: { ...args, hostname: 'mine' }, opts }) } });
  expect([...resources.values()].filter(({ inputs }) => inputs['hostname'] === 'mine').map(({ name }) => name)).toEqual(['phoenix-server']);
});
