import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { Alloy, type AlloyArgs } from '../../components/alloy';
import { alloyConfig, alloyStart, type ResolvedBackend } from '../../components/alloy-config';
import type { Backend } from '../../components/backend';
import type { Tls } from '../../components/tls';
import { externalBackends } from '../../stack/external-backends';
import { readSettings } from '../../settings/settings';
import { deploy, secret, secretMark, sent, type Deployment, type Registered } from '../support/deployment';

const owner = 'llm-observability/dev';
const phoenix = { name: 'phoenix', signals: ['traces'], protocol: 'otlphttp', endpoint: 'http://phoenix:6006' } as const;
const withKey: Backend = { ...phoenix, headers: { authorization: 'Bearer key' } };
/** A stack behind a tunnel, as one at the edge sends to it. */
const central = {
  name: 'central',
  signals: ['traces', 'metrics', 'logs'],
  protocol: 'otlphttp',
  endpoint: 'http://central-gate:4318',
  tunnelled: true,
  headers: { 'cf-access-client-id': 'id.access', 'cf-access-client-secret': 's3cret', authorization: 'Bearer key' },
} as const;
const prometheus = externalBackends(readSettings({ 'prometheus:url': 'http://host.docker.internal:9090' }, 'llm-observability').settings);
const sized = { version: '1.18.1', memoryMiB: 1024, queueMiB: 2048 };
const start = alloyStart(sized.version);
const configOf = (...backends: Backend[]): string => alloyConfig({ ...sized, backends: backends as ResolvedBackend[] });
const config = configOf(phoenix);

function alloy(changes: Partial<AlloyArgs> = {}): Promise<Deployment<Alloy>> {
  return deploy(
    () =>
      new Alloy('alloy', {
        stack: 'dev',
        owner,
        network: new docker.Network('network', { name: 'observability-dev' }),
        image: 'grafana/alloy:v1.18.1',
        backends: [phoenix],
        bind: ['127.0.0.1', '172.17.0.1'],
        tokenOn: [],
        listed: {},
        otlpGrpcPort: 5317,
        otlpHttpPort: 5318,
        uiPort: 22345,
        memoryMiB: sized.memoryMiB,
        queueMiB: sized.queueMiB,
        cpus: '1.0',
        protectData: false,
        ...changes,
      }),
  );
}

/** The password of its page, where Alloy reads it. */
const page = { file: '/etc/alloy-secrets/page', content: secret('drawn-alloy-page-password') };

/** Paths of the inputs that differ. */
function differences(a: unknown, b: unknown, path: string): string[] {
  if (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null) {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
      differences((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], `${path}.${key}`));
  }
  return a === b ? [] : [path];
}
const inputs = ({ resources }: Deployment<Alloy>): Record<string, Registered['inputs']> =>
  Object.fromEntries([...resources.values()].map((resource) => [resource.name, resource.inputs]));

/** One deployment for all tests that only look at it. */
let plain: Deployment<Alloy>;
beforeAll(async () => {
  plain = await alloy();
});

test('its children, all below the component', () => {
  const { resources } = plain;
  expect([...resources.values()].map(({ name, type, parent }) => [name, type, parent])).toEqual([
    ['alloy', 'llm-observability:index:Alloy', ''],
    ['alloy-config', 'docker:index/volume:Volume', 'alloy'],
    ['alloy-config-files', 'docker:index/container:Container', 'alloy'],
    ['alloy-data', 'docker:index/volume:Volume', 'alloy'],
    ['alloy-image', 'docker:index/remoteImage:RemoteImage', 'alloy'],
    ['alloy-page-password', 'random:index/randomPassword:RandomPassword', 'alloy'],
    ['alloy-secret-files', 'docker:index/container:Container', 'alloy'],
    ['alloy-secrets', 'docker:index/volume:Volume', 'alloy'],
    ['alloy-server', 'docker:index/container:Container', 'alloy'],
    ['network', 'docker:index/network:Network', ''],
  ]);
});

test('the volume of the queue stays when the stack goes, that of the configuration does not', () => {
  const { resources } = plain;
  expect([...resources.values()].filter(({ retainOnDelete }) => retainOnDelete).map(({ name }) => name)).toEqual(['alloy-data']);
  const labels = [{ label: 'llm-observability.stack', value: owner }];
  expect(resources.get('alloy-data')?.inputs).toEqual({ name: 'alloy-dev-data', labels });
  expect(resources.get('alloy-config')?.inputs).toEqual({ name: 'alloy-dev-config', labels });
});

test('that of the queue alone is protected, where the data is', async () => {
  const { resources } = await alloy({ protectData: true });
  expect([...plain.resources.values()].filter(({ protect }) => protect)).toEqual([]);
  expect(resources.get('alloy-data')).toEqual({ ...plain.resources.get('alloy-data'), protect: true });
  expect(new Map([...resources].filter(([name]) => name !== 'alloy-data'))).toEqual(new Map([...plain.resources].filter(([name]) => name !== 'alloy-data')));
});

test('the configuration is in its volume before the server starts, and the server cannot write it', () => {
  const { resources } = plain;
  expect(resources.get('alloy-config-files')?.inputs['uploads']).toEqual([
    { file: '/etc/alloy/config.alloy', content: config }, { file: '/etc/alloy/start.sh', content: start },
  ]);
  expect(resources.get('alloy-server')?.dependsOn).toEqual(['alloy-config', 'alloy-config-files', 'alloy-data', 'alloy-image', 'alloy-secret-files', 'alloy-secrets', 'network']);
  expect(resources.get('alloy-server')?.inputs['volumes']).toEqual([
    { volumeName: 'alloy-dev-data', containerPath: '/var/lib/alloy' },
    { volumeName: 'alloy-dev-config', containerPath: '/etc/alloy', readOnly: true },
    { volumeName: 'alloy-dev-secrets', containerPath: '/etc/alloy-secrets', readOnly: true },
  ]);
});

test('the image\'s bash starts it, on the queue that it has', () => {
  expect(plain.resources.get('alloy-server')?.inputs).toMatchObject({
    entrypoints: ['bash', '/etc/alloy/start.sh'],
    command: expect.arrayContaining(['run', '/etc/alloy/config.alloy', '--storage.path=/var/lib/alloy/data']),
  });
});

test('an image whose tag is no version is taken for the pinned one', async () => {
  const { resources } = await alloy({ image: 'registry.example.com/alloy:ours' });
  expect(resources.get('alloy-config-files')?.inputs['uploads']).toMatchObject([{ content: config }, { content: start }]);
});

describe('its health check', () => {
  const answering = async (statuses: { healthy: number; otlp: number }): Promise<boolean> => {
    const asked: string[] = [];
    const server = (answer: (request: http.IncomingMessage) => number): http.Server =>
      http.createServer((request, response) => {
        asked.push(`${request.method} ${request.url}`);
        response.writeHead(answer(request)).end();
      }).listen(0, '127.0.0.1');
    const [page, otlp] = [server(({ url }) => (url === '/-/healthy' ? statuses.healthy : 404)), server(({ url, method }) => (url === '/v1/traces' && method === 'POST' ? statuses.otlp : 404))];
    const portOf = (one: http.Server): string => String((one.address() as AddressInfo).port);
    const [, ...command] = (plain.resources.get('alloy-server')?.inputs['healthcheck'] as { tests: string[] }).tests;
    try {
      await Promise.all([page, otlp].map((one) => (one.listening ? undefined : once(one, 'listening'))));
      const [program = '', ...args] = command.map((part) => part.replace(/\b12345\b/, portOf(page)).replace(/\b4318\b/, portOf(otlp)));
      return await new Promise((resolve) => execFile(program, args, (error) => resolve(error === null)));
    } finally {
      page.close();
      otlp.close();
    }
  };

  test.each([
    ['every component runs and OTLP is taken', { healthy: 200, otlp: 200 }, true],
    ['an exporter did not start', { healthy: 500, otlp: 200 }, false],
    ['OTLP is not taken', { healthy: 200, otlp: 503 }, false],
  ])('%s', async (_, statuses, healthy) => {
    expect(await answering(statuses)).toBe(healthy);
  });
});

test('only the two OTLP ports leave loopback', () => {
  const { resources } = plain;
  const ports = resources.get('alloy-server')?.inputs['ports'] as { ip: string; external: number }[];
  expect(ports).toEqual([
    { internal: 4317, external: 5317, ip: '127.0.0.1', protocol: 'tcp' },
    { internal: 4317, external: 5317, ip: '172.17.0.1', protocol: 'tcp' },
    { internal: 4318, external: 5318, ip: '127.0.0.1', protocol: 'tcp' },
    { internal: 4318, external: 5318, ip: '172.17.0.1', protocol: 'tcp' },
    { internal: 12345, external: 22345, ip: '127.0.0.1', protocol: 'tcp' },
  ]);
  expect([...resources.values()].filter(({ inputs }) => 'ports' in inputs).map(({ name }) => name)).toEqual(['alloy-server']);
});

describe('TLS for other machines', () => {
  const tls: Tls = { certificate: 'a certificate', key: 'chosen-key', addresses: ['192.0.2.7'] };
  const changes = { bind: ['127.0.0.1', '192.0.2.7'], tls };

  test('the same host ports lead to others from their addresses', async () => {
    const { resources, result } = await alloy(changes);
    expect((resources.get('alloy-server')?.inputs['ports'] as { internal: number; external: number; ip: string }[]).map(({ internal, external, ip }) => `${ip} ${external} ${internal}`)).toEqual([
      '127.0.0.1 5317 4317', '127.0.0.1 5318 4318', '127.0.0.1 22345 12345', '192.0.2.7 5317 14317', '192.0.2.7 5318 14318',
    ]);
    expect(result.endpoints).toEqual({ otlpHttp: 'http://127.0.0.1:5318', otlpGrpc: 'http://127.0.0.1:5317', ui: 'http://127.0.0.1:22345' });
    expect((await alloy({ bind: ['0.0.0.0'], tls: { ...tls, addresses: ['0.0.0.0'] } })).result.endpoints).toMatchObject({ otlpHttp: 'https://127.0.0.1:5318', otlpGrpc: 'https://127.0.0.1:5317', ui: 'http://127.0.0.1:22345' });
  });

  test('certificate and key are in a volume before it starts, which Alloy alone can read', async () => {
    const { resources } = await alloy(changes);
    expect(resources.get('alloy-tls-files')?.inputs).toMatchObject({
      name: 'alloy-dev-tls-files',
      image: 'grafana/alloy:v1.18.1',
      volumes: [{ volumeName: 'alloy-dev-tls', containerPath: '/etc/alloy-tls' }],
      uploads: [{ file: '/etc/alloy-tls/certificate.pem', content: 'a certificate', permissions: '0400' }, { file: '/etc/alloy-tls/key.pem', content: secret('chosen-key'), permissions: '0400' }],
      entrypoints: ['chown'],
      command: ['473:473', '/etc/alloy-tls/certificate.pem', '/etc/alloy-tls/key.pem'],
    });
    const server = resources.get('alloy-server');
    expect(server?.inputs['volumes']).toContainEqual({ volumeName: 'alloy-dev-tls', containerPath: '/etc/alloy-tls', readOnly: true });
    expect(server?.dependsOn).toContain('alloy-tls-files');
    expect(resources.get('alloy-config-files')?.inputs['uploads']).toMatchObject([{ content: alloyConfig({ ...sized, backends: [phoenix], tls: true }) }, {}]);
    expect(JSON.stringify([...resources.values()].filter(({ name }) => name !== 'alloy-tls-files'))).not.toContain('chosen-key');
  });

  test('another certificate is another file, and nothing else: Alloy reads it again', async () => {
    const before = inputs(await alloy(changes));
    const after = inputs(await alloy({ ...changes, tls: { ...tls, certificate: 'another', key: 'another-key' } }));
    expect(differences(before, after, '')).toEqual(['.alloy-tls-files.uploads.0.content', '.alloy-tls-files.uploads.1.content.value']);
  });
});

describe('a token for those on other machines', () => {
  const changes = { bind: ['127.0.0.1', '192.0.2.7'], tokenOn: ['192.0.2.7'] };

  test('is a file beside the password of the page, told as a secret, and nowhere else', async () => {
    const { resources, result } = await alloy(changes);
    expect(resources.get('alloy-secret-files')?.inputs['uploads']).toEqual([page, { file: '/etc/alloy-secrets/token', content: secret('drawn-alloy-token') }]);
    expect(await sent({ token: result.token })).toEqual({ token: secret('drawn-alloy-token') });
    expect(JSON.stringify([...resources.values()].filter(({ name }) => name !== 'alloy-secret-files'))).not.toContain('drawn-alloy-token');
  });

  test('is asked for on their addresses, and not on the others', async () => {
    const { resources } = await alloy(changes);
    expect(resources.get('alloy-server')?.inputs['ports']).toEqual([
      { internal: 4317, external: 5317, ip: '127.0.0.1' }, { internal: 4318, external: 5318, ip: '127.0.0.1' }, { internal: 12345, external: 22345, ip: '127.0.0.1' },
      { internal: 14317, external: 5317, ip: '192.0.2.7' }, { internal: 14318, external: 5318, ip: '192.0.2.7' },
    ].map((port) => ({ ...port, protocol: 'tcp' })));
    expect(resources.get('alloy-config-files')?.inputs['uploads']).toMatchObject([{ content: alloyConfig({ ...sized, backends: [phoenix], token: true }) }, {}]);
  });

  test('is not made where nobody is asked for it', () => {
    expect(plain.result.token).toBeUndefined();
    expect([...plain.resources.keys()]).not.toContain('alloy-token');
  });
});

describe('a changed configuration', () => {
  test('is another upload and another label of the server, and nothing else', async () => {
    const before = inputs(plain);
    const after = inputs(await alloy({ backends: [phoenix, ...prometheus] }));
    expect(differences(before, after, '')).toEqual(['.alloy-config-files.uploads.0.content', '.alloy-server.labels.1.value']);
    expect(after['alloy-server']?.['labels']).toEqual([
      { label: 'llm-observability.stack', value: owner },
      { label: 'llm-observability.stack.config', value: createHash('sha256').update(configOf(phoenix, ...prometheus) + start).digest('hex') },
    ]);
  });

  test('a version that names the files of its queue differently is another server too', async () => {
    const changed = differences(inputs(plain), inputs(await alloy({ image: 'grafana/alloy:v1.11.0' })), '');
    expect(changed).toEqual(expect.arrayContaining(['.alloy-config-files.uploads.1.content', '.alloy-server.labels.1.value']));
  });

  test('a change of where it listens is none of the configuration', async () => {
    expect(differences(inputs(plain), inputs(await alloy({ bind: ['127.0.0.1'], uiPort: 1 })), '').filter((path) => !path.includes('.ports.'))).toEqual([]);
  });
});

describe('headers of a backend', () => {
  let deployment: Deployment<Alloy>;
  beforeAll(async () => {
    deployment = await alloy({ backends: [withKey, { ...phoenix, name: 'tempo', headers: { 'x-tenant': pulumi.secret('marked already') } }] });
  });

  test('are files in a volume of their own, secret in any case', () => {
    const labels = [{ label: 'llm-observability.stack', value: owner }];
    expect(deployment.resources.get('alloy-secrets')).toMatchObject({
      type: 'docker:index/volume:Volume', parent: 'alloy', retainOnDelete: false, inputs: { name: 'alloy-dev-secrets', labels },
    });
    expect(deployment.resources.get('alloy-secret-files')).toMatchObject({
      parent: 'alloy',
      inputs: {
        name: 'alloy-dev-secret-files',
        image: 'grafana/alloy:v1.18.1',
        labels,
        start: false,
        volumes: [{ volumeName: 'alloy-dev-secrets', containerPath: '/etc/alloy-secrets' }],
        uploads: [
          page,
          { file: '/etc/alloy-secrets/phoenix.authorization', content: secret('Bearer key') },
          { file: '/etc/alloy-secrets/tempo.x-tenant', content: secret('marked already') },
        ],
      },
    });
  });

  test('are nowhere else', () => {
    const others = [...deployment.resources.values()].filter(({ name }) => name !== 'alloy-secret-files');
    expect(others).toHaveLength(9);
    for (const { inputs } of others) {
      expect(JSON.stringify(inputs)).not.toMatch(/Bearer key|marked already/);
      expect(JSON.stringify(inputs)).not.toContain(secretMark);
    }
  });

  test('are there before the server starts, which cannot write them', () => {
    const server = deployment.resources.get('alloy-server');
    expect(server?.dependsOn).toEqual([
      'alloy-config', 'alloy-config-files', 'alloy-data', 'alloy-image', 'alloy-secret-files', 'alloy-secrets', 'network',
    ]);
    expect((server?.inputs['volumes'] as unknown[])[2]).toEqual({ volumeName: 'alloy-dev-secrets', containerPath: '/etc/alloy-secrets', readOnly: true });
  });

  test('are on the way of a span', async () => {
    expect(await sent({ path: deployment.result.path })).toEqual({ path: ['alloy-server-id', 'alloy-secret-files-id'] });
  });

  test('change without the server', async () => {
    const before = inputs(await alloy({ backends: [withKey] }));
    const after = inputs(await alloy({ backends: [{ ...phoenix, headers: { authorization: 'Bearer another' } }] }));
    expect(differences(before, after, '')).toEqual(['.alloy-secret-files.uploads.1.content.value']);
  });
});

describe('a stack behind a tunnel', () => {
  test('shows each header from a file of its own', async () => {
    const { resources } = await alloy({ backends: [central] });
    expect(resources.get('alloy-secret-files')?.inputs['uploads']).toEqual([
      page,
      { file: '/etc/alloy-secrets/central.cf-access-client-id', content: secret('id.access') },
      { file: '/etc/alloy-secrets/central.cf-access-client-secret', content: secret('s3cret') },
      { file: '/etc/alloy-secrets/central.authorization', content: secret('Bearer key') },
    ]);
    expect(resources.get('alloy-config-files')?.inputs['uploads']).toMatchObject([{ file: '/etc/alloy/config.alloy', content: configOf(central) }, {}]);
  });

  test('is another configuration, and so another server', async () => {
    const own = { ...central, tunnelled: false };
    expect(differences(inputs(await alloy({ backends: [own] })), inputs(await alloy({ backends: [central] })), '')).toEqual([
      '.alloy-config-files.uploads.0.content', '.alloy-server.labels.1.value',
    ]);
  });
});

test('the endpoint of a backend may be known later', async () => {
  const { resources } = await alloy({ backends: [{ ...phoenix, endpoint: pulumi.output(Promise.resolve('http://later:1')) }] });
  expect(resources.get('alloy-config-files')?.inputs['uploads']).toMatchObject([{ content: expect.stringContaining('endpoint = "http://later:1"') }, {}]);
});

test('what it offers: addresses, and what a span meets in it', async () => {
  expect(plain.result.endpoints).toEqual({ otlpHttp: 'http://127.0.0.1:5318', otlpGrpc: 'http://127.0.0.1:5317', ui: 'http://127.0.0.1:22345' });
  expect(plain.result.internal).toEqual({ otlpHttp: 'http://alloy:4318', ui: 'http://alloy:12345' });
  const { containerName, volumeName, path } = plain.result;
  expect(await sent({ containerName, volumeName, path })).toEqual({ containerName: 'alloy-dev', volumeName: 'alloy-dev-data', path: ['alloy-server-id', 'alloy-secret-files-id'] });
});

test.each([
  [['192.0.2.7', '127.0.0.1'], '192.0.2.7'],
  [['::'], '127.0.0.1'],
  [[], '127.0.0.1'],
])('published on %j, an application on the host sends to %s', async (bind, address) => {
  const { result } = await alloy({ bind });
  expect(result.endpoints).toEqual({ otlpHttp: `http://${address}:5318`, otlpGrpc: `http://${address}:5317`, ui: 'http://127.0.0.1:22345' });
});

test('transform reaches the server alone', async () => {
  const { resources } = await alloy({ backends: [withKey], transform: { container: (args, opts) => ({ args: { ...args, hostname: 'mine' }, opts }) } });
  expect([...resources.values()].filter(({ inputs }) => inputs['hostname'] === 'mine').map(({ name }) => name)).toEqual(['alloy-server']);
});

test.each([undefined, {}])('without headers (%j) the password of the page is the only secret', async (headers) => {
  const { resources } = await alloy({ backends: [{ ...phoenix, ...(headers && { headers }) }] });
  expect([...resources.keys()]).toEqual([...plain.resources.keys()]);
  expect(resources.get('alloy-secret-files')?.inputs['uploads']).toEqual([page]);
  expect(JSON.stringify([...resources.values()].filter(({ name }) => name !== 'alloy-secret-files'))).not.toContain(secretMark);
});

test('who may see its page is told as a secret', async () => {
  const { result } = await alloy();
  expect(await sent({ page: result.page })).toEqual({ page: secret({ user: 'alloy', password: 'drawn-alloy-page-password' }) });
});
