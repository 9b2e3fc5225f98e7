import { createHash } from 'node:crypto';
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import * as fc from 'fast-check';
import { CloudflareTunnel, type CloudflareTunnelArgs } from '../../components/cloudflare-tunnel';
import { ingressRules, type Route } from '../../components/route';
import { deploy, secret, secretMark, sent, valueOf, type Deployment, type Registered } from '../support/deployment';

const owner = 'llm-observability/dev';
const accountId = '0123456789abcdef0123456789abcdef';
const labels = [{ label: 'llm-observability.stack', value: owner }];
const page: Route = { name: 'page', hostname: 'phoenix.example.com', rules: [{ service: 'http://phoenix:6006' }], audience: 'people' };
const otlp: Route = {
  name: 'otlp',
  hostname: 'otlp.example.com',
  rules: [{ path: '^/v1/traces$', service: 'http://alloy:4318' }, { path: '^/checks$', service: 'http://phoenix:6006' }],
  audience: 'machines',
};
const open: Route = { name: 'open', hostname: 'open.example.com', rules: [{ service: 'https://elsewhere.example.net' }], audience: 'everybody' };
const people = { emails: ['ada@example.com', 'bob@example.org'], domains: ['example.com'], groups: ['f174e90a-fafe-4643-bbbc-4a0ed4fc8415'] };

const make = (changes: Partial<CloudflareTunnelArgs>): CloudflareTunnel =>
  new CloudflareTunnel('tunnel', {
    stack: 'dev',
    owner,
    network: new docker.Network('network', { name: 'observability-dev' }),
    image: 'cloudflare/cloudflared:2026.8.2',
    accountId,
    zoneId: pulumi.output(Promise.resolve('zone-1d')),
    name: 'my-tunnel',
    routes: [page, otlp, open],
    people,
    serviceTokens: ['edge', 'lab'],
    tokenDuration: '8760h',
    connectors: 2,
    ...changes,
  });

const tunnel = (changes: Partial<CloudflareTunnelArgs> = {}): Promise<Deployment<CloudflareTunnel>> => deploy(() => make(changes));

/** The token with which a connector joins the tunnel, as Cloudflare would tell it. */
const token = Buffer.from(`{"a":"${accountId}","t":"tunnel-tunnel-id","s":"drawn-tunnel-secret"}`).toString('base64');

/** Names of the resources of a kind, without what they all begin with. */
const names = ({ resources }: Deployment<unknown>, kind: string): string[] =>
  [...resources.values()].filter(({ type }) => type.endsWith(`:${kind}`)).map(({ name }) => name.replace('tunnel-', ''));

/** One deployment for all tests that only look at it. */
let plain: Deployment<CloudflareTunnel>;
beforeAll(async () => {
  plain = await tunnel();
});
const made = (name: string): Registered | undefined => plain.resources.get(`tunnel-${name}`);

test('its children, all below the component, and none stays when the stack goes', () => {
  const { resources } = plain;
  expect([...resources.values()].map(({ name, type, parent }) => [name, type, parent])).toEqual([
    ['network', 'docker:index/network:Network', ''],
    ['tunnel', 'llm-observability:index:CloudflareTunnel', ''],
    ['tunnel-access-otlp', 'cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication', 'tunnel'],
    ['tunnel-access-page', 'cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication', 'tunnel'],
    ['tunnel-config', 'cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig', 'tunnel'],
    ['tunnel-connector-1', 'docker:index/container:Container', 'tunnel'],
    ['tunnel-connector-2', 'docker:index/container:Container', 'tunnel'],
    ['tunnel-dns-open', 'cloudflare:index/dnsRecord:DnsRecord', 'tunnel'],
    ['tunnel-dns-otlp', 'cloudflare:index/dnsRecord:DnsRecord', 'tunnel'],
    ['tunnel-dns-page', 'cloudflare:index/dnsRecord:DnsRecord', 'tunnel'],
    ['tunnel-image', 'docker:index/remoteImage:RemoteImage', 'tunnel'],
    ['tunnel-machines', 'cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy', 'tunnel'],
    ['tunnel-people', 'cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy', 'tunnel'],
    ['tunnel-secret', 'random:index/randomBytes:RandomBytes', 'tunnel'],
    ['tunnel-secret-files', 'docker:index/container:Container', 'tunnel'],
    ['tunnel-secrets', 'docker:index/volume:Volume', 'tunnel'],
    ['tunnel-token-edge', 'cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken', 'tunnel'],
    ['tunnel-token-lab', 'cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken', 'tunnel'],
    ['tunnel-tunnel', 'cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared', 'tunnel'],
  ]);
  expect([...resources.values()].filter(({ retainOnDelete, protect }) => retainOnDelete || protect)).toEqual([]);
});

describe('at Cloudflare', () => {
  test('the tunnel, with a secret that it is given', () => {
    expect(made('secret')?.inputs).toEqual({ length: 32 });
    expect(made('tunnel')?.inputs).toEqual({ accountId, name: 'my-tunnel', configSrc: 'cloudflare', tunnelSecret: secret('drawn-tunnel-secret') });
  });

  test('its rules: those of the routes in their order, and 404 for everything else', () => {
    expect(made('config')?.inputs).toEqual({
      accountId,
      tunnelId: 'tunnel-tunnel-id',
      config: {
        ingresses: [
          { hostname: 'phoenix.example.com', service: 'http://phoenix:6006' },
          { hostname: 'otlp.example.com', path: '^/v1/traces$', service: 'http://alloy:4318' },
          { hostname: 'otlp.example.com', path: '^/checks$', service: 'http://phoenix:6006' },
          { hostname: 'open.example.com', service: 'https://elsewhere.example.net' },
          { service: 'http_status:404' },
        ],
      },
    });
  });

  test('service tokens, named after the tunnel', () => {
    expect(made('token-edge')?.inputs).toEqual({ accountId, name: 'my-tunnel edge', duration: '8760h' });
    expect(made('token-lab')?.inputs).toEqual({ accountId, name: 'my-tunnel lab', duration: '8760h' });
  });

  test('a policy for people and one for machines', () => {
    expect(made('people')?.inputs).toEqual({
      accountId,
      name: 'my-tunnel people',
      sessionDuration: '24h',
      decision: 'allow',
      includes: [
        { email: { email: 'ada@example.com' } },
        { email: { email: 'bob@example.org' } },
        { emailDomain: { domain: 'example.com' } },
        { group: { id: 'f174e90a-fafe-4643-bbbc-4a0ed4fc8415' } },
      ],
    });
    expect(made('machines')?.inputs).toEqual({
      accountId,
      name: 'my-tunnel machines',
      sessionDuration: '24h',
      decision: 'non_identity',
      includes: [{ serviceToken: { tokenId: 'tunnel-token-edge-id' } }, { serviceToken: { tokenId: 'tunnel-token-lab-id' } }],
    });
  });

  test('an application in front of each hostname that is not for everybody; machines are never sent to a login page', () => {
    expect(made('access-page')?.inputs).toEqual({
      accountId,
      name: 'my-tunnel page',
      domain: 'phoenix.example.com',
      type: 'self_hosted',
      sessionDuration: '24h',
      policies: [{ id: 'tunnel-people-id', precedence: 1 }],
      httpOnlyCookieAttribute: true,
    });
    expect(made('access-otlp')?.inputs).toEqual({
      accountId,
      name: 'my-tunnel otlp',
      domain: 'otlp.example.com',
      type: 'self_hosted',
      sessionDuration: '24h',
      policies: [{ id: 'tunnel-machines-id', precedence: 1 }],
      serviceAuth401Redirect: true,
    });
  });

  test.each([['page', 'phoenix.example.com'], ['otlp', 'otlp.example.com'], ['open', 'open.example.com']])(
    'the record of %s leads to the tunnel, once there are its rules and every application', (name, hostname) => {
      expect(made(`dns-${name}`)).toMatchObject({ dependsOn: ['tunnel-access-otlp', 'tunnel-access-page', 'tunnel-config', 'tunnel-tunnel'] });
      expect(made(`dns-${name}`)?.inputs).toEqual({
        zoneId: 'zone-1d',
        name: hostname,
        type: 'CNAME',
        content: 'tunnel-tunnel-id.cfargotunnel.com',
        proxied: true,
        ttl: 1,
        comment: 'Pulumi stack llm-observability/dev',
      });
    });
});

describe('the token of the connectors', () => {
  test('is a file in a volume of its own, and what Cloudflare would tell', () => {
    expect(made('image')?.inputs).toEqual({ name: 'cloudflare/cloudflared:2026.8.2', keepLocally: true });
    expect(made('secrets')?.inputs).toEqual({ name: 'tunnel-dev-secrets', labels });
    expect(made('secret-files')?.inputs).toEqual({
      name: 'tunnel-dev-secret-files',
      image: 'cloudflare/cloudflared:2026.8.2',
      labels,
      volumes: [{ volumeName: 'tunnel-dev-secrets', containerPath: '/etc/cloudflared-secrets' }],
      uploads: [{ file: '/etc/cloudflared-secrets/token', content: secret(token) }],
      networkMode: 'none',
      restart: 'no',
      start: false,
      mustRun: false,
      logDriver: 'json-file',
      logOpts: { 'max-size': '10m', 'max-file': '3' },
    });
    expect(JSON.parse(Buffer.from(token, 'base64').toString())).toEqual({ a: accountId, t: 'tunnel-tunnel-id', s: 'drawn-tunnel-secret' });
  });

  test('what is secret is marked wherever it goes, and goes nowhere else', () => {
    const holding = [...plain.resources.values()].flatMap(({ name, inputs }) =>
      Object.entries(inputs).filter(([, value]) => JSON.stringify(value).includes(secretMark)).map(([input]) => `${name}.${input}`));
    expect(holding).toEqual(['tunnel-connector-1.labels', 'tunnel-connector-2.labels', 'tunnel-secret-files.uploads', 'tunnel-tunnel.tunnelSecret']);
    const open = JSON.stringify([...plain.resources.values()], (_, value: unknown) =>
      typeof value === 'object' && value !== null && secretMark in value ? '[secret]' : value);
    expect(open).not.toMatch(/drawn-|minted-/);
    expect(open).not.toContain(token);
  });
});

describe('a connector', () => {
  test('hardened, on the private network alone, with time to end its requests', () => {
    expect(made('connector-1')?.inputs).toEqual({
      name: 'tunnel-dev-1',
      image: 'cloudflare/cloudflared:2026.8.2',
      user: '65532:65532',
      command: ['tunnel', 'run'],
      envs: [
        'TUNNEL_TOKEN_FILE=/etc/cloudflared-secrets/token',
        'TUNNEL_METRICS=0.0.0.0:20241',
        'TUNNEL_GRACE_PERIOD=30s',
        'NO_AUTOUPDATE=true',
      ],
      labels: [...labels, { label: 'llm-observability.stack.config', value: secret(createHash('sha256').update(token).digest('hex')) }],
      volumes: [{ volumeName: 'tunnel-dev-secrets', containerPath: '/etc/cloudflared-secrets', readOnly: true }],
      readOnly: true,
      tmpfs: { '/tmp': 'rw,nosuid,nodev,size=256m' },
      capabilities: { drops: ['ALL'] },
      securityOpts: ['no-new-privileges'],
      ulimits: [{ name: 'nproc', soft: 4096, hard: 4096 }, { name: 'nofile', soft: 16384, hard: 16384 }],
      logDriver: 'json-file',
      logOpts: { 'max-size': '10m', 'max-file': '3' },
      restart: 'always',
      networksAdvanced: [{ name: 'observability-dev', aliases: ['tunnel-1'] }],
      ports: [],
      memory: 256,
      memorySwap: 256,
      cpus: '1.0',
      healthcheck: {
        tests: ['CMD', 'cloudflared', 'tunnel', '--metrics', 'localhost:20241', 'ready'],
        interval: '2s',
        timeout: '5s',
        startPeriod: '30s',
        retries: 15,
      },
      wait: true,
      waitTimeout: 60,
      stopTimeout: 35,
      destroyGraceSeconds: 35,
    });
  });

  test('another one has another name and is the same otherwise', () => {
    expect(made('connector-2')?.inputs).toEqual({
      ...made('connector-1')?.inputs,
      name: 'tunnel-dev-2',
      networksAdvanced: [{ name: 'observability-dev', aliases: ['tunnel-2'] }],
    });
  });

  test.each([
    ['http://host.docker.internal:3000', true],
    ['https://HOST.docker.internal', true],
    ['http://grafana:3000', false],
    ['http://host.docker.internal.example.com', false],
  ])('it knows the Docker host only where a route leads there: %s', async (service, knows) => {
    const extra: Route = { name: 'extra', hostname: 'extra.example.com', rules: [{ path: '^/a$', service: 'http://alloy:4318' }, { service }], audience: 'people' };
    const { resources } = await tunnel({ routes: [page, extra] });
    expect(resources.get('tunnel-connector-1')?.inputs['hosts']).toEqual(knows ? [{ host: 'host.docker.internal', ip: 'host-gateway' }] : undefined);
  });

  test('waits for its token, for the rules and for the one before it', async () => {
    const { resources } = await tunnel({ connectors: 3 });
    const before = ['network', 'tunnel-config', 'tunnel-image', 'tunnel-secret', 'tunnel-secret-files', 'tunnel-secrets', 'tunnel-tunnel'];
    expect([1, 2, 3].map((number) => resources.get(`tunnel-connector-${number}`)?.dependsOn)).toEqual([
      before,
      [...before, 'tunnel-connector-1'].sort(),
      [...before, 'tunnel-connector-2'].sort(),
    ]);
  });

  test.each([1, 4])('there are as many as it says: %d', async (connectors) => {
    const deployment = await tunnel({ connectors });
    expect(names(deployment, 'Container')).toEqual([...Array.from({ length: connectors }, (_, index) => `connector-${index + 1}`), 'secret-files']);
    expect(await sent({ containerNames: deployment.result.containerNames })).toEqual({
      containerNames: Array.from({ length: connectors }, (_, index) => `tunnel-dev-${index + 1}`),
    });
  });

  test('transform reaches each of them and nothing else', async () => {
    const { resources } = await tunnel({ transform: { container: (args, opts) => ({ args: { ...args, hostname: 'mine' }, opts }) } });
    expect([...resources.values()].filter(({ inputs }) => inputs['hostname'] === 'mine').map(({ name }) => name)).toEqual(['tunnel-connector-1', 'tunnel-connector-2']);
  });
});

describe('who comes in decides what is made', () => {
  test.each<[string, Route[], { applications: string[]; policies: string[]; tokens: string[] }]>([
    ['people', [page], { applications: ['access-page'], policies: ['people'], tokens: [] }],
    ['machines', [otlp], { applications: ['access-otlp'], policies: ['machines'], tokens: ['token-edge', 'token-lab'] }],
    ['everybody: the service asks by itself', [open], { applications: [], policies: [], tokens: [] }],
    ['people at two', [page, { ...page, name: 'more', hostname: 'more.example.com' }], { applications: ['access-more', 'access-page'], policies: ['people'], tokens: [] }],
  ])('%s', async (_, routes, { applications, policies, tokens }) => {
    const deployment = await tunnel({ routes });
    expect(names(deployment, 'ZeroTrustAccessApplication')).toEqual(applications);
    expect(names(deployment, 'ZeroTrustAccessPolicy')).toEqual(policies);
    expect(names(deployment, 'ZeroTrustAccessServiceToken')).toEqual(tokens);
    expect(Object.keys(deployment.result.serviceTokens)).toEqual(tokens.map((name) => name.replace('token-', '')));
    expect(names(deployment, 'DnsRecord')).toEqual(routes.map(({ name }) => `dns-${name}`).sort());
  });

  test('two hostnames for people have the same policy', async () => {
    const { resources } = await tunnel({ routes: [page, { ...page, name: 'more', hostname: 'more.example.com' }] });
    expect(['page', 'more'].map((name) => resources.get(`tunnel-access-${name}`)?.inputs['policies'])).toEqual([
      [{ id: 'tunnel-people-id', precedence: 1 }],
      [{ id: 'tunnel-people-id', precedence: 1 }],
    ]);
  });
});

test('what it offers: the tunnel, its containers, and tokens whose secrets stay secret', async () => {
  const { tunnelId, containerNames, serviceTokens, image } = plain.result;
  expect(await sent({ tunnelId, containerNames, serviceTokens })).toEqual({
    tunnelId: 'tunnel-tunnel-id',
    containerNames: ['tunnel-dev-1', 'tunnel-dev-2'],
    serviceTokens: {
      edge: { clientId: 'client-of-tunnel-token-edge', clientSecret: secret('minted-tunnel-token-edge'), expiresAt: '2999-11-21T08:00:00Z' },
      lab: { clientId: 'client-of-tunnel-token-lab', clientSecret: secret('minted-tunnel-token-lab'), expiresAt: '2999-11-21T08:00:00Z' },
    },
  });
  expect(await valueOf(image.name)).toBe('cloudflare/cloudflared:2026.8.2');
});

describe('rules of a tunnel', () => {
  const path = fc.constantFrom('^/v1/traces$', '^/v1/(traces|metrics|logs)$', '/api');
  const rule = fc.record({ service: fc.constantFrom('http://alloy:4318', 'https://host.docker.internal:3000', 'http://phoenix:6006') }, { requiredKeys: ['service'] });
  const route: fc.Arbitrary<Route> = fc.record({
    name: fc.constant('any'),
    hostname: fc.domain(),
    rules: fc.array(fc.oneof(rule, fc.tuple(rule, path).map(([one, where]) => ({ ...one, path: where })))),
    audience: fc.constantFrom('people', 'machines', 'everybody'),
  });

  test('each rule of each route in its order, and the last one alone fits everything', () => {
    fc.assert(fc.property(fc.array(route), (routes) => {
      const rules = ingressRules(routes);
      expect(rules.slice(0, -1)).toEqual(routes.flatMap(({ hostname, rules: own }) => own.map((one) => ({ hostname, ...one }))));
      expect(rules.at(-1)).toEqual({ service: 'http_status:404' });
    }));
  });

  test('a service is a host and a port, whatever stands behind them', () =>
    expect(ingressRules([{ ...open, rules: [{ service: 'https://Elsewhere.example.net:443/' }] }])[0]).toEqual({ hostname: 'open.example.com', service: 'https://elsewhere.example.net' }));

  test.each([
    ['grpc://alloy:4317', 'gRPC does not pass a public hostname of Cloudflare; send OTLP over HTTP, which Alloy takes on port 4318 and Phoenix on 6006'],
    ['http://alloy:4317', 'gRPC does not pass a public hostname of Cloudflare; send OTLP over HTTP, which Alloy takes on port 4318 and Phoenix on 6006'],
    ['http://localhost:3000', "inside the connector's container that is the container itself; the Docker host is host.docker.internal"],
    ['tcp://db:5432', 'the URL must begin with http:// or https://'],
  ])('%s is refused with the reason, and nobody finds the hostname', async (service, reason) => {
    const route: Route = { ...otlp, rules: [{ path: '^/v1/traces$', service: 'http://alloy:4318' }, { service }] };
    const refused = await deploy(() => {
      try {
        return make({ routes: [page, route] });
      } catch (error) {
        return error;
      }
    });
    expect(refused.result).toBeInstanceOf(pulumi.InputPropertyError);
    expect(refused.result).toMatchObject({ propertyPath: 'routes[1].rules[1].service', message: `routes[1].rules[1].service: it is '${service}': ${reason}` });
    expect(names(refused, 'DnsRecord')).toEqual([]);
  });
});
