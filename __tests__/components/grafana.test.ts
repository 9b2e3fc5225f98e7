import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import * as yaml from 'js-yaml';
import { images } from '../../components/catalog';
import { aiServices, pipeline } from '../../components/dashboards';
import { dataSourcesFile, Grafana, grafanaStart, type GrafanaArgs } from '../../components/grafana';
import { deploy, secretMark, valueOf, type Deployment } from '../support/deployment';
import { expectGolden } from '../support/golden';

function grafana(changes: Partial<GrafanaArgs> = {}): Promise<Deployment<Grafana>> {
  return deploy(
    () =>
      new Grafana('grafana', {
        stack: 'dev',
        owner: 'llm-observability/dev',
        network: new docker.Network('network', { name: 'observability-dev' }),
        image: images.grafana,
        prometheus: 'http://prometheus:9090',
        phoenix: 'http://127.0.0.1:6006',
        port: 3000,
        memoryMiB: 1024,
        ...changes,
      }),
  );
}

let plain: Deployment<Grafana>;
beforeAll(async () => {
  plain = await grafana();
});

interface Upload {
  readonly file: string;
  readonly content: string;
  readonly permissions?: string;
}
const uploads = ({ resources }: Deployment<Grafana>, files = 'grafana-config-files'): Upload[] => resources.get(files)?.inputs['uploads'] as Upload[];
const labels = ({ resources }: Deployment<Grafana>): unknown => resources.get('grafana-server')?.inputs['labels'];

describe('its files', () => {
  test('the data source', () => expectGolden('grafana/data-sources.yaml', dataSourcesFile('http://prometheus:9090', 'http://127.0.0.1:6006')));
  test('where the dashboards are', () => expectGolden('grafana/dashboards.yaml', uploads(plain).find(({ file }) => file.endsWith('dashboards/llm-observability.yaml'))?.content ?? ''));
  test('the program that starts it', () => expectGolden('grafana/start.sh', grafanaStart()));

  test('are all that it is given, where it looks for them', () => {
    const folder = '/etc/grafana/provisioning';
    expect(uploads(plain).map(({ file }) => file)).toEqual([
      `${folder}/datasources/llm-observability.yaml`, `${folder}/dashboards/llm-observability.yaml`, `${folder}/dashboards/llm-observability/ai-services.json`, `${folder}/dashboards/llm-observability/pipeline.json`,
    ]);
    expect(uploads(plain).flatMap(({ file, content }) => (file.endsWith('.json') ? [JSON.parse(content) as unknown] : []))).toEqual([aiServices('http://127.0.0.1:6006'), pipeline()].map((one) => JSON.parse(JSON.stringify(one)) as unknown));
  });
});

describe('the data source', () => {
  interface DataSources {
    readonly prune: boolean;
    readonly datasources: readonly { readonly uid: string; readonly url: string; readonly jsonData: { readonly exemplarTraceIdDestinations: readonly { readonly url: string }[] } }[];
  }
  const read = (prometheus: string, phoenix: string): DataSources => yaml.load(dataSourcesFile(prometheus, phoenix)) as DataSources;

  test('has the uid that the dashboards ask, and is removed when it is gone from the file', () => {
    expect(read('http://prometheus:9090', 'http://127.0.0.1:6006')).toMatchObject({ prune: true, datasources: [{ uid: 'prometheus', url: 'http://prometheus:9090' }] });
  });

  test('a $ in an address is one in Grafana, too', () => {
    const [{ url, jsonData } = { url: '', jsonData: undefined }] = read('http://prometheus/a$b', 'https://phoenix.example.com/$HOME/').datasources;
    // Grafana reads `$$` as `$`, and replaces the rest by variables.
    expect(url.replaceAll('$$', '$')).toBe('http://prometheus/a$b');
    expect(jsonData?.exemplarTraceIdDestinations[0]?.url.replaceAll('$$', '$')).toBe('https://phoenix.example.com/$HOME/redirects/traces/${__value.raw}');
  });
});

test('its children: the volume alone stays when the stack goes', () => {
  const { resources } = plain;
  expect([...resources.values()].filter(({ parent }) => parent === 'grafana').map(({ name, type }) => `${name} ${type.split(':').at(-1)}`)).toEqual([
    'grafana-admin-password RandomPassword', 'grafana-config Volume', 'grafana-config-files Container', 'grafana-data Volume', 'grafana-image RemoteImage', 'grafana-secret-files Container', 'grafana-secrets Volume', 'grafana-server Container',
  ]);
  expect([...resources.values()].filter(({ retainOnDelete }) => retainOnDelete).map(({ name }) => name)).toEqual(['grafana-data']);
});

test('it publishes its page on loopback alone, is nobody in particular, writes to its volume alone, and is on the private network', () => {
  expect(plain.resources.get('grafana-server')?.inputs).toMatchObject({
    name: 'grafana-dev',
    image: images.grafana,
    user: '472:0',
    ports: [{ internal: 3000, external: 3000, ip: '127.0.0.1', protocol: 'tcp' }],
    readOnly: true,
    memory: 1024,
    networksAdvanced: [{ name: 'observability-dev', aliases: ['grafana'] }],
    entrypoints: ['sh', '-c'],
    command: [grafanaStart()],
    volumes: [
      { volumeName: 'grafana-dev-data', containerPath: '/var/lib/grafana' },
      { volumeName: 'grafana-dev-config', containerPath: '/etc/grafana/provisioning', readOnly: true },
      { volumeName: 'grafana-dev-secrets', containerPath: '/etc/grafana-secrets', readOnly: true },
    ],
    healthcheck: { tests: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:3000/api/health'] },
  });
  expect(plain.resources.get('grafana-server')?.inputs['hosts']).toBeUndefined();
});

test('it reports nothing, downloads nothing and asks nobody for updates', () => {
  expect(plain.resources.get('grafana-server')?.inputs['envs']).toEqual(expect.arrayContaining([
    'GF_ANALYTICS_REPORTING_ENABLED=false', 'GF_ANALYTICS_CHECK_FOR_UPDATES=false', 'GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES=false', 'GF_PLUGINS_PREINSTALL_DISABLED=true', 'GF_PLUGINS_PLUGIN_ADMIN_ENABLED=false',
  ]));
});

test('the password is in a file that Grafana alone can read, and in no variable', async () => {
  const [password] = uploads(plain, 'grafana-secret-files');
  expect(password).toMatchObject({ file: '/etc/grafana-secrets/admin-password', permissions: '0400' });
  expect(JSON.stringify(password)).toContain(secretMark);
  expect(plain.resources.get('grafana-secret-files')?.inputs).toMatchObject({ entrypoints: ['chown'], command: ['472:0', '/etc/grafana-secrets/admin-password'], user: '0:0' });
  const variables = plain.resources.get('grafana-server')?.inputs['envs'] as string[];
  expect(variables.filter((variable) => variable.includes('PASSWORD'))).toEqual(['GF_SECURITY_ADMIN_PASSWORD__FILE=/etc/grafana-secrets/admin-password']);
  expect(await pulumi.isSecret(plain.result.login)).toBe(true);
  expect(await valueOf(plain.result.login)).toEqual({ url: 'http://127.0.0.1:3000', user: 'admin', password: 'drawn-grafana-admin-password' });
});

test('a different data source replaces it; dashboards alone do not', async () => {
  expect(labels(await grafana({ prometheus: 'http://prometheus.example.com' }))).not.toEqual(labels(plain));
  expect(labels(await grafana({ memoryMiB: 2048 }))).toEqual(labels(plain));
});

test('a store on the Docker host is reached by its name', async () => {
  const { resources } = await grafana({ prometheus: 'http://host.docker.internal:9090', reachesHost: true });
  expect(resources.get('grafana-server')?.inputs['hosts']).toEqual([{ host: 'host.docker.internal', ip: 'host-gateway' }]);
});

test('who uses it learns where it is', async () => {
  expect(await valueOf(plain.result.containerName)).toBe('grafana-dev');
  expect(await valueOf(plain.result.volumeName)).toBe('grafana-dev-data');
  expect(plain.result.endpoint).toBe('http://127.0.0.1:3000');
});
