import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { VictoriaLogs, type VictoriaLogsArgs } from '../../components/victorialogs';
import { deploy, valueOf, type Deployment } from '../support/deployment';

function victorialogs(changes: Partial<VictoriaLogsArgs> = {}): Promise<Deployment<VictoriaLogs>> {
  return deploy(
    () =>
      new VictoriaLogs('victorialogs', {
        stack: 'dev',
        owner: 'llm-observability/dev',
        network: new docker.Network('network', { name: 'observability-dev' }),
        image: 'victoriametrics/victoria-logs:v1.52.1',
        chownImage: 'nginx:1.30.6',
        retentionDays: 30,
        storageMiB: 4096,
        memoryMiB: 512,
        ...changes,
      }),
  );
}

let plain: Deployment<VictoriaLogs>;
beforeAll(async () => {
  plain = await victorialogs();
});

const inputs = (name: string, { resources } = plain): Readonly<Record<string, unknown>> => resources.get(name)?.inputs ?? {};
const command = (deployment = plain): string[] => inputs('victorialogs-server', deployment)['command'] as string[];

test('its children: only the volume with the logs stays when the stack is removed', () => {
  const { resources } = plain;
  expect([...resources.values()].filter(({ parent }) => parent === 'victorialogs').map(({ name, type }) => `${name} ${type.split(':').at(-1)}`)).toEqual([
    'victorialogs-chown-image RemoteImage', 'victorialogs-data Volume', 'victorialogs-data-owner Container', 'victorialogs-image RemoteImage', 'victorialogs-server Container',
  ]);
  expect([...resources.values()].filter(({ retainOnDelete }) => retainOnDelete).map(({ name }) => name)).toEqual(['victorialogs-data']);
});

test('the server publishes nothing, does not run as root, and writes only to its volume', () => {
  expect(inputs('victorialogs-server')).toMatchObject({
    name: 'victorialogs-dev',
    user: '65532:65532',
    ports: [],
    readOnly: true,
    memory: 512,
    networksAdvanced: [{ name: 'observability-dev', aliases: ['victorialogs'] }],
    volumes: [{ volumeName: 'victorialogs-dev-data', containerPath: '/victoria-logs-data' }],
  });
});

test('its image has no chown: another gives it the volume', () => {
  expect(inputs('victorialogs-data-owner')).toMatchObject({ image: 'nginx:1.30.6', entrypoints: ['chown'], command: ['65532:65532', '/victoria-logs-data'] });
});

test('it keeps logs for the days and in the room that it is given', async () => {
  expect(command()).toEqual(expect.arrayContaining(['-retentionPeriod=30d', '-retention.maxDiskSpaceUsageBytes=4096MiB']));
  expect(command(await victorialogs({ retentionDays: 7, storageMiB: 512 }))).toEqual(expect.arrayContaining(['-retentionPeriod=7d', '-retention.maxDiskSpaceUsageBytes=512MiB']));
});

test.each([0, -1, 1.5])('%d days are refused', async (retentionDays) => {
  await expect(victorialogs({ retentionDays })).rejects.toThrow(/retentionDays/);
});

test('protected, its volume is neither destroyed nor replaced', async () => {
  expect((await victorialogs({ protectData: true })).resources.get('victorialogs-data')?.protect).toBe(true);
  expect(plain.resources.get('victorialogs-data')?.protect).toBe(false);
});

test('what others know of it', async () => {
  const { backend, internal, containerName, volumeName } = plain.result;
  expect({ ...backend, endpoint: await valueOf(pulumi.output(backend.endpoint)) }).toEqual({ name: 'victorialogs', signals: ['logs'], protocol: 'otlphttp', endpoint: 'http://victorialogs:9428/insert/opentelemetry' });
  expect([internal, await valueOf(containerName), await valueOf(volumeName)]).toEqual(['http://victorialogs:9428', 'victorialogs-dev', 'victorialogs-dev-data']);
});

// nginx compares the path after it has resolved dots and percent signs.
test.each([['/', false], ['/select/vmui/', false], ['/select/logsql/query', false], ['/health', false], ['/metrics', false], ['/insert/opentelemetry/v1/logs', true], ['/delete/run_task', true], ['/internal/force_merge', true], ['/debug/pprof/heap', true], ['/flags', true], ['/metricsx', true], ['/selected', true]])('its gate closes %s: %s', (path, closed) => {
  expect(new RegExp(plain.result.closedPaths).test(path)).toBe(closed);
});
