import * as docker from '@pulumi/docker';
import { Phoenix, type PhoenixArgs } from '../../components/phoenix';
import { deploy, secretMark, valueOf, type Deployment } from '../support/deployment';

const owner = 'llm-observability/dev';

function phoenix(changes: Partial<PhoenixArgs> = {}): Promise<Deployment<Phoenix>> {
  return deploy(
    () =>
      new Phoenix('phoenix', {
        stack: 'dev',
        owner,
        network: new docker.Network('network', { name: 'observability-dev' }),
        image: 'arizephoenix/phoenix:version-20.26.1-nonroot',
        uiPort: 7006,
        otlpGrpcPort: 24317,
        otlpHttpPort: 24318,
        retentionDays: 30,
        listed: {},
        memoryMiB: 2048,
        cpus: '1.0',
        ...changes,
      }),
  );
}

/** One deployment for all tests that only look at it. */
let plain: Deployment<Phoenix>;
beforeAll(async () => {
  plain = await phoenix();
});

test('its children, all below the component', () => {
  const { resources } = plain;
  expect([...resources.values()].map(({ name, type, parent }) => [name, type, parent])).toEqual([
    ['network', 'docker:index/network:Network', ''],
    ['phoenix', 'llm-observability:index:Phoenix', ''],
    ['phoenix-data', 'docker:index/volume:Volume', 'phoenix'],
    ['phoenix-data-owner', 'docker:index/container:Container', 'phoenix'],
    ['phoenix-image', 'docker:index/remoteImage:RemoteImage', 'phoenix'],
    ['phoenix-retention', 'docker:index/container:Container', 'phoenix'],
    ['phoenix-server', 'docker:index/container:Container', 'phoenix'],
  ]);
});

test('the data volume, and only it, stays when the stack goes', () => {
  const { resources } = plain;
  expect([...resources.values()].filter(({ retainOnDelete }) => retainOnDelete).map(({ name }) => name)).toEqual(['phoenix-data']);
  expect(resources.get('phoenix-data')?.inputs).toEqual({ name: 'phoenix-dev-data', labels: [{ label: 'llm-observability.stack', value: owner }] });
});

test('the order: volume, its owner, the server, the retention', () => {
  const { resources } = plain;
  const before = (name: string): readonly string[] | undefined => resources.get(name)?.dependsOn;
  expect(before('phoenix-data-owner')).toEqual(['phoenix-data', 'phoenix-image']);
  expect(before('phoenix-server')).toEqual(['network', 'phoenix-data', 'phoenix-data-owner', 'phoenix-image']);
  expect(before('phoenix-retention')).toEqual(['network', 'phoenix-image', 'phoenix-server']);
});

test('every host port is on loopback', () => {
  const { resources } = plain;
  expect(resources.get('phoenix-server')?.inputs['ports']).toEqual([
    { internal: 4317, external: 24317, ip: '127.0.0.1', protocol: 'tcp' },
    { internal: 6006, external: 7006, ip: '127.0.0.1', protocol: 'tcp' },
    { internal: 6006, external: 24318, ip: '127.0.0.1', protocol: 'tcp' },
  ]);
  expect([...resources.values()].filter(({ inputs }) => 'ports' in inputs).map(({ name }) => name)).toEqual(['phoenix-server']);
});

test('nobody is root but the job that gives the volume away, and it has no network', () => {
  const { resources } = plain;
  expect([...resources.values()].filter(({ inputs }) => inputs['user'] !== undefined).map(({ name, inputs }) => [name, inputs['user']])).toEqual([
    ['phoenix-data-owner', '0:0'],
    ['phoenix-retention', '65532:65532'],
    ['phoenix-server', '65532:65532'],
  ]);
  expect(resources.get('phoenix-data-owner')?.inputs).toMatchObject({
    networkMode: 'none',
    capabilities: { adds: ['CAP_CHOWN', 'CAP_DAC_READ_SEARCH'], drops: ['ALL'] },
  });
});

test('what a trace server does not need is switched off', () => {
  const { resources } = plain;
  expect(resources.get('phoenix-server')?.inputs['envs']).toEqual([
    'PHOENIX_WORKING_DIR=/phoenix_storage',
    'PHOENIX_PORT=6006',
    'PHOENIX_GRPC_PORT=4317',
    'HOME=/tmp',
    'PHOENIX_TELEMETRY_ENABLED=false',
    'PHOENIX_ALLOW_EXTERNAL_RESOURCES=false',
    'PHOENIX_DISABLE_AGENT_ASSISTANT=true',
    'PHOENIX_AGENTS_DISABLE_BASH=true',
    'PHOENIX_AGENTS_DISABLE_WEB_ACCESS=true',
    'PHOENIX_ENABLE_MCP_SERVER=false',
    'PHOENIX_ALLOWED_SANDBOX_PROVIDERS=NONE',
    'PHOENIX_ENABLE_OAUTH2_AUTHORIZATION_SERVER=false',
  ]);
});

test('the retention job asks for the days that are set, again for every new server', () => {
  const { resources } = plain;
  const inputs: Record<string, unknown> = { ...resources.get('phoenix-retention')?.inputs };
  expect(inputs).toMatchObject({
    entrypoints: ['python3', '-c'],
    labels: [{ label: 'llm-observability.stack', value: owner }, { label: 'llm-observability.stack.phoenix', value: 'phoenix-server-id' }],
    networksAdvanced: [{ name: 'observability-dev' }],
  });
  const [script] = inputs['command'] as string[];
  expect(script).toContain('"http://phoenix:6006/graphql"');
  expect(script).toContain('"variables": {"days": 30}');
  // The ID says which policy it is.
  const [, id = ''] = /id: "([^"]+)"/.exec(script ?? '') ?? [];
  expect(Buffer.from(id, 'base64').toString()).toBe('ProjectTraceRetentionPolicy:0');
});

test('what it offers: a backend on the private network, addresses on the host', async () => {
  const { result } = plain;
  expect(result.backend).toEqual({ name: 'phoenix', signals: ['traces'], protocol: 'otlphttp', endpoint: 'http://phoenix:6006' });
  expect(result.endpoints).toEqual({ ui: 'http://127.0.0.1:7006', otlpHttp: 'http://127.0.0.1:24318', otlpGrpc: 'http://127.0.0.1:24317' });
  expect(await valueOf(result.containerName)).toBe('phoenix-dev');
  expect(await valueOf(result.volumeName)).toBe('phoenix-dev-data');
});

test('transform reaches the server alone', async () => {
  const { resources } = await phoenix({ transform: { container: (args) => ({ ...args, hostname: 'mine' }) } });
  expect([...resources.values()].filter(({ inputs }) => inputs['hostname'] === 'mine').map(({ name }) => name)).toEqual(['phoenix-server']);
});

test('there is no secret yet', () => {
  const { resources } = plain;
  expect(JSON.stringify([...resources.values()])).not.toContain(secretMark);
});
