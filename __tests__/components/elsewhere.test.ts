/** The components as the program of somebody else has them: by their public face alone, each of them twice. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as cloudflare from '@pulumi/cloudflare';
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import * as ts from 'typescript';
import { Alloy, CloudflareTunnel, Egress, Gate, Grafana, Journal, Phoenix, Prometheus, type AlloyArgs, type Backend, type CloudflareTunnelArgs, type EgressArgs, type GateArgs, type GrafanaArgs, type PhoenixArgs, type PublishedDoor, type Transforms } from '../../components';
import { deploy, secretMark, type Deployment, type Registered } from '../support/deployment';

/** A value as it is, or as an output of something else. */
type As = <T>(value: T) => pulumi.Input<T>;
const plainly: As = (value) => value;
const later: As = (value) => pulumi.output(Promise.resolve(value)) as pulumi.Input<typeof value>;

const kinds = ['phoenix', 'journal', 'egress', 'gate', 'prometheus', 'alloy', 'grafana', 'tunnel'] as const;
type Kind = (typeof kinds)[number];
const destinations = [{ host: 'api.example.com', port: 443, nameless: false }];
const tls = { certificate: 'PEM of a certificate', addresses: ['192.0.2.7'] };
const nobody = { emails: [], domains: [], groups: [] };

interface Changes {
  readonly as?: As;
  readonly opts?: pulumi.ComponentResourceOptions;
  readonly transform?: Transforms;
  readonly door?: Partial<PublishedDoor>;
  readonly alloy?: Partial<AlloyArgs>;
  readonly egress?: Partial<EgressArgs>;
  readonly tunnel?: Partial<CloudflareTunnelArgs>;
  readonly phoenix?: Partial<PhoenixArgs>;
  readonly gate?: Partial<GateArgs>;
  readonly grafana?: Partial<GrafanaArgs>;
}

/** One of each. */
function parts(stack: string, { as = plainly, opts = {}, transform, ...changes }: Changes): void {
  const common = { stack, owner: `platform/${stack}`, ...(transform ? { transform } : {}) };
  const [network, store] = [new docker.Network(`${stack}-network`, {}), new docker.Network(`${stack}-store`, {})];
  const nginx = as('nginx:1.30.6');
  new Egress(`${stack}-egress`, { ...common, network, image: nginx, destinations, ...changes.egress }, opts);
  const phoenix = new Phoenix(`${stack}-phoenix`, {
    ...common,
    network: store,
    image: as('arizephoenix/phoenix:version-20.26.1-nonroot'),
    auth: true,
    own: { secret: as('chosen-secret-1'), adminSecret: as('chosen-admin-secret-1'), firstPassword: as('chosen-password') },
    env: { PHOENIX_ROOT_URL: as('https://phoenix.example.com') },
    secretEnv: { PHOENIX_SMTP_PASSWORD: as('chosen-mail-password') },
    apiKeys: ['dashboards'],
    engine: { host: 'unix:///docker.sock' },
    mostProjects: 100,
    memoryMiB: 2048,
    cpus: '1.0',
    protectData: false,
    ...changes.phoenix,
  }, opts);
  const journal = new Journal(`${stack}-journal`, { ...common, network: store, image: phoenix.image, phoenix: as('http://phoenix-server:6006'), metrics: true, authorization: as('chosen-authorization') }, opts);
  const gate = new Gate(`${stack}-gate`, {
    ...common,
    network,
    image: nginx,
    backend: phoenix.backend,
    journal: as(journal.internal),
    door: {
      store,
      destinations,
      rules: as({ names: ['localhost'], anyAddress: false, proxies: [], https: false, mostMiB: 64 }),
      bind: ['127.0.0.1', '192.0.2.7'],
      auth: true,
      tls: { ...tls, certificate: as(tls.certificate), key: as('chosen-key') },
      uiPort: 6006,
      otlpGrpcPort: 14317,
      otlpHttpPort: 14318,
      listed: {},
      ingestKeys: [phoenix.alloyKey],
      after: phoenix.container,
      ...changes.door,
    },
    ...changes.gate,
  }, opts);
  const elsewhere: Backend = { name: 'loki', signals: ['logs'], protocol: 'otlphttp', endpoint: as('https://loki.example.com/otlp'), sender: { token: as('chosen-token') } };
  const logs = new Gate(`${stack}-logs`, { ...common, network, image: nginx, backend: elsewhere }, opts);
  new Prometheus(`${stack}-prometheus`, { ...common, network, image: as('prom/prometheus:v3.14.0'), retentionDays: 30, storageMiB: 4096, memoryMiB: 512, rules: as('groups: []') }, opts);
  new Alloy(`${stack}-alloy`, {
    ...common,
    network,
    image: as('grafana/alloy:v1.18.1'),
    backends: [gate.backend, logs.backend],
    bind: ['127.0.0.1', '192.0.2.7'],
    tokenOn: ['192.0.2.7'],
    tls: { ...tls, certificate: as(tls.certificate), key: as('chosen-key') },
    otlpGrpcPort: 4317,
    otlpHttpPort: 4318,
    uiPort: 12345,
    listed: {},
    memoryMiB: 512,
    queueMiB: 512,
    cpus: '1.0',
    protectData: false,
    ...changes.alloy,
  }, opts);
  new Grafana(`${stack}-grafana`, {
    ...common,
    network,
    image: as('grafana/grafana:13.2.3'),
    prometheus: as('http://prometheus:9090'),
    phoenix: as('https://phoenix.example.com'),
    port: 3000,
    memoryMiB: 1024,
    ...changes.grafana,
  }, opts);
  new CloudflareTunnel(`${stack}-tunnel`, {
    ...common,
    network,
    image: as('cloudflare/cloudflared:2026.8.2'),
    accountId: as('0123456789abcdef0123456789abcdef'),
    zoneId: as('zone'),
    name: as('my-tunnel'),
    routes: [
      { name: 'page', hostname: as('phoenix.example.com'), rules: [{ service: 'http://phoenix:6006' }], audience: 'people' },
      { name: 'otlp', hostname: as('otlp.example.com'), rules: [{ service: 'http://alloy:4318' }], audience: 'machines' },
    ],
    people: { ...nobody, emails: [as('ada@example.com')] },
    serviceTokens: ['edge'],
    tokenDuration: '8760h',
    connectors: 2,
    ...changes.tunnel,
  }, opts);
}

const run = (changes: (engine: docker.Provider, account: cloudflare.Provider) => Changes = () => ({})): Promise<Deployment<void>> =>
  deploy(() => {
    const made = changes(new docker.Provider('an-engine', { host: 'ssh://host.example.com' }), new cloudflare.Provider('an-account', {}));
    parts('blue', made);
    parts('green', made);
  });

/** What is below a component. */
const children = ({ resources }: Deployment<void>): Registered[] => [...resources.values()].filter(({ parent }) => parent !== '');

let plain: Deployment<void>;
beforeAll(async () => {
  plain = await run();
});

test('two of each live in one program and on one host', () => {
  const names = children(plain).filter(({ type }) => /^docker:.*:(Container|Volume)$/.test(type)).map(({ type, inputs }) => `${type} ${String(inputs['name'])}`);
  expect(names.length).toBeGreaterThan(60);
  expect(new Set(names).size).toBe(names.length);
});

test.each<[Kind, string[]]>([
  ['phoenix', ['containerName', 'internal', 'volumeName']],
  ['journal', ['containerName', 'internal', 'volumeName']],
  ['egress', ['containerName']],
  ['gate', ['containerName', 'endpoints', 'internal', 'page']],
  ['prometheus', ['containerName', 'internal', 'volumeName']],
  ['alloy', ['containerName', 'endpoints', 'volumeName']],
  ['grafana', ['containerName', 'endpoint', 'volumeName']],
  ['tunnel', ['containerNames', 'tunnelId']],
])('%s registers its outputs', (kind, outputs) => {
  expect(Object.keys(plain.outputs.get(`blue-${kind}`) ?? {}).sort()).toEqual(outputs);
  expect(JSON.stringify(plain.outputs.get(`blue-${kind}`))).toContain('blue');
});

describe('a provider of the component is that of all its children', () => {
  const providersOf = (deployment: Deployment<void>, packages: string): unknown[] =>
    [...new Set(children(deployment).filter(({ type }) => type.startsWith(`${packages}:`)).map(({ name }) => deployment.providers.get(name)))];

  test('as provider', async () => {
    const deployment = await run((engine) => ({ opts: { provider: engine } }));
    expect([providersOf(deployment, 'docker'), providersOf(deployment, 'cloudflare')]).toEqual([['an-engine'], [undefined]]);
  });

  test.each([true, false])('as providers, as a list: %s', async (list) => {
    const deployment = await run((engine, account) => ({ opts: { providers: list ? [engine, account] : { docker: engine, cloudflare: account } } }));
    expect([providersOf(deployment, 'docker'), providersOf(deployment, 'cloudflare')]).toEqual([['an-engine'], ['an-account']]);
  });
});

test('options of the component: what protects it protects its children, it waits, and transformations see every child', async () => {
  const seen = new Set<string>();
  const deployment = await run((engine) => ({
    opts: { protect: true, dependsOn: engine, transformations: [({ name, props, opts }) => (seen.add(name), { props, opts })] },
  }));
  expect(children(deployment).filter(({ protect }) => !protect)).toEqual([]);
  expect(kinds.map((kind) => deployment.resources.get(`blue-${kind}`)?.dependsOn.includes('an-engine'))).toEqual(kinds.map(() => true));
  expect(children(deployment).filter(({ name }) => !seen.has(name))).toEqual([]);
});

test('a transform gets arguments and options of every child, and has the last word', async () => {
  const seen: Partial<Record<keyof Transforms, string[]>> = {};
  const noting = (kind: keyof Transforms, more: object = {}) => <T>(args: T, opts: pulumi.CustomResourceOptions, name: string): { args: T; opts: pulumi.CustomResourceOptions } => {
    (seen[kind] ??= []).push(name);
    return { args: { ...args, ...more }, opts: { ...opts, retainOnDelete: true } };
  };
  const deployment = await run(() => ({
    transform: { container: noting('container', { hostname: 'mine' }), job: noting('job'), volume: noting('volume', { driver: 'mine' }), image: noting('image'), other: noting('other') },
  }));
  const below = children(deployment);
  expect(Object.values(seen).flat().sort()).toEqual(below.map(({ name }) => name));
  expect(below.filter(({ retainOnDelete }) => !retainOnDelete)).toEqual([]);
  expect(below.filter(({ inputs }) => inputs['hostname'] === 'mine').map(({ name }) => name).sort()).toEqual([...(seen.container ?? [])].sort());
  expect(seen.container?.filter((name) => name.startsWith('blue'))).toHaveLength(10);
  expect(below.filter(({ inputs }) => inputs['driver'] === 'mine').map(({ type }) => type.split(':').at(-1))).toEqual((seen.volume ?? []).map(() => 'Volume'));
});

test('what a program has as an output alone makes the same', async () => {
  const { resources } = await run(() => ({ as: later }));
  expect([...resources.values()].map(({ name, inputs }) => [name, inputs])).toEqual([...plain.resources.values()].map(({ name, inputs }) => [name, inputs]));
});

test.each<[string, As]>([['plainly', plainly], ['as an output', later]])('a secret that was given %s is one in all that is registered', async (_, as) => {
  const deployment = await run(() => ({ as }));
  const shown = JSON.stringify([[...deployment.resources.values()], [...deployment.outputs]], (__, value: unknown) => (typeof value === 'object' && value !== null && secretMark in value ? '' : value));
  expect(shown).not.toMatch(/chosen-|drawn-|minted-/);
  expect(JSON.stringify([...deployment.resources.values()])).toMatch(/chosen-token.*chosen-key/s);
});

describe('what would stand open, or nobody could use, is refused at its property', () => {
  test.each<[string, string, Changes]>([
    ['door.bind', 'without auth', { door: { auth: false } }],
    ['door.tls.addresses', '198.51.100.1', { door: { tls: { ...tls, key: 'k', addresses: ['198.51.100.1'] } } }],
    ['tokenOn', '192.0.2.7', { alloy: { bind: ['192.0.2.7'], tokenOn: undefined as never } }],
    ['tokenOn', 'not in bind', { alloy: { tokenOn: ['198.51.100.1'] } }],
    ['tls.addresses', 'not in bind', { alloy: { tls: { ...tls, key: 'k', addresses: ['0.0.0.0'] } } }],
    ['own.adminSecret', 'must differ', { phoenix: { own: { secret: 'a', adminSecret: 'a' } } }],
    ['destinations', 'at least one', { egress: { destinations: [] } }],
    ['prometheus', 'begin with http', { grafana: { prometheus: 'prometheus:9090' } }],
    ['phoenix', 'password', { grafana: { phoenix: 'https://ada:pw@phoenix.example.com' } }],
    ['people', 'someone', { tunnel: { people: nobody } }],
    ['serviceTokens', 'service token', { tunnel: { serviceTokens: [] } }],
    ['connectors', '1 to 25', { tunnel: { connectors: 26 } }],
  ])('%s: %s', async (propertyPath, word, changes) => {
    const refused = await deploy(() => {
      try {
        parts('blue', changes);
        return undefined;
      } catch (error) {
        return error;
      }
    });
    expect(refused.result).toBeInstanceOf(pulumi.InputPropertyError);
    expect(refused.result).toMatchObject({ propertyPath, message: expect.stringContaining(`${propertyPath}: `) });
    expect((refused.result as Error).message).toContain(word);
  });
});

test('every optional argument says its default', () => {
  const folder = path.join(__dirname, '..', '..', 'components');
  const parse = (file: string): ts.SourceFile => ts.createSourceFile(file, fs.readFileSync(path.join(folder, file), 'utf8'), ts.ScriptTarget.ES2022, true);
  const exported = parse('index.ts').statements.filter(ts.isExportDeclaration).flatMap(({ exportClause }) => (exportClause && ts.isNamedExports(exportClause) ? exportClause.elements.map(({ name }) => name.text) : []));
  const optional = fs.readdirSync(folder).filter((file) => file.endsWith('.ts')).flatMap((file) => parse(file).statements.filter(ts.isInterfaceDeclaration)).filter(({ name }) => exported.includes(name.text))
    .flatMap((face) => face.members.filter(({ questionToken }) => questionToken).map((member) => [`${face.name.text}.${member.name?.getText()}`, ts.getJSDocTags(member).some(({ tagName }) => tagName.text === 'default')]));
  expect(optional.length).toBeGreaterThan(35);
  expect(optional.filter(([, says]) => !says)).toEqual([]);
});

describe('the example of docs/components.md', () => {
  const read = (file: string): string => fs.readFileSync(path.join(__dirname, '..', '..', file), 'utf8');

  test('is examples/components.ts, which the compiler checks', () => expect(/```ts\n([^]*?)```/.exec(read('docs/components.md'))?.[1]).toBe(read('examples/components.ts')));

  test('is deployed, on its engine alone', async () => {
    pulumi.runtime.setAllConfig({ 'llm-observability:firstPassword': 'chosen-password' });
    const deployment = await deploy(() => import('../../examples/components'));
    const docked = [...deployment.resources.values()].filter(({ type }) => /^docker:/.test(type));
    expect([...new Set(docked.map(({ name }) => deployment.providers.get(name)))]).toEqual(['host']);
    expect(docked.filter(({ inputs }) => inputs['restart'] === 'always').map(({ name }) => name)).toEqual(['traces-alloy-server', 'traces-gate-server', 'traces-phoenix-server']);
    expect(deployment.result.sendTo).toBe('http://127.0.0.1:4318');
  });
});
