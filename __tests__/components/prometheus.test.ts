import * as fs from 'node:fs';
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { load } from 'js-yaml';
import { Prometheus, prometheusConfig, type PrometheusArgs } from '../../components/prometheus';
import { ownMetrics } from '../../components/own-metrics';
import { deploy, valueOf, type Deployment } from '../support/deployment';
import { expectGolden } from '../support/golden';

function prometheus(changes: Partial<PrometheusArgs> = {}): Promise<Deployment<Prometheus>> {
  return deploy(
    () =>
      new Prometheus('prometheus', {
        stack: 'dev',
        owner: 'llm-observability/dev',
        network: new docker.Network('network', { name: 'observability-dev' }),
        image: 'prom/prometheus:v3.14.0',
        retentionDays: 30,
        storageMiB: 4096,
        memoryMiB: 512,
        ...changes,
      }),
  );
}

let plain: Deployment<Prometheus>;
beforeAll(async () => {
  plain = await prometheus();
});

const inputs = (name: string, { resources } = plain): Readonly<Record<string, unknown>> => resources.get(name)?.inputs ?? {};
const command = (deployment = plain): string[] => inputs('prometheus-server', deployment)['command'] as string[];
const uploads = (deployment = plain): string[] => (inputs('prometheus-config-files', deployment)['uploads'] as { file: string }[]).map(({ file }) => file);

test('its configuration', () => expectGolden('prometheus/prometheus.yml', prometheusConfig('prometheus-dev')));

test('its children: only the volume with the metrics stays when the stack is removed', () => {
  const { resources } = plain;
  expect([...resources.values()].filter(({ parent }) => parent === 'prometheus').map(({ name, type }) => `${name} ${type.split(':').at(-1)}`)).toEqual([
    'prometheus-config Volume', 'prometheus-config-check Container', 'prometheus-config-files Container', 'prometheus-data Volume', 'prometheus-data-owner Container', 'prometheus-image RemoteImage', 'prometheus-server Container',
  ]);
  expect([...resources.values()].filter(({ retainOnDelete }) => retainOnDelete).map(({ name }) => name)).toEqual(['prometheus-data']);
});

test('the server publishes nothing, runs as the user of its image, and writes only to its volume', () => {
  expect(inputs('prometheus-server')).toMatchObject({
    name: 'prometheus-dev',
    user: '65534:65534',
    ports: [],
    readOnly: true,
    memory: 512,
    networksAdvanced: [{ name: 'observability-dev', aliases: ['prometheus'] }],
    volumes: [{ volumeName: 'prometheus-dev-data', containerPath: '/prometheus' }, { volumeName: 'prometheus-dev-config', containerPath: '/etc/prometheus-config', readOnly: true }],
  });
});

test('it keeps metrics for the days and in the room that it is given', async () => {
  expect(command()).toEqual(expect.arrayContaining(['--storage.tsdb.retention.time=30d', '--storage.tsdb.retention.size=3276MB']));
  expect(command(await prometheus({ retentionDays: 7, storageMiB: 512 }))).toEqual(expect.arrayContaining(['--storage.tsdb.retention.time=7d', '--storage.tsdb.retention.size=409MB']));
});

test('pages of other sites read nothing', () => expect(command()).toContain('--web.cors.origin=^$'));

test('your rules are a file beside its own, which is checked before the server that runs is replaced', async () => {
  const own = await prometheus({ rules: pulumi.output('groups: []') });
  expect(uploads()).toEqual(['prometheus.yml', 'pipeline.rules.yml', 'llm.rules.yml'].map((file) => `/etc/prometheus-config/${file}`));
  expect(uploads(own)).toEqual([...uploads(), '/etc/prometheus-config/own.rules.yml']);
  expect(inputs('prometheus-config-check', own)).toMatchObject({ entrypoints: ['promtool'], command: ['check', 'config', '/etc/prometheus-config/prometheus.yml'] });
  // A label: it reads its files once.
  for (const name of ['prometheus-server', 'prometheus-config-check']) {
    expect(inputs(name, own)['labels']).not.toEqual(inputs(name)['labels']);
  }
});

test.each([0, 1.5, NaN])('%d days are refused', async (retentionDays) => {
  await expect(prometheus({ retentionDays })).rejects.toThrow(/retentionDays/);
});

test('what the others learn of it', async () => {
  expect(plain.result.backend).toEqual({ name: 'prometheus', signals: ['metrics'], protocol: 'remote-write', endpoint: 'http://prometheus:9090/api/v1/write' });
  expect(await valueOf(plain.result.containerName)).toBe('prometheus-dev');
  expect(await valueOf(plain.result.volumeName)).toBe('prometheus-dev-data');
});

describe('the alerts that it has', () => {
  interface Rule { readonly alert: string; readonly expr: string; readonly annotations: { readonly summary: string } }
  const rules = ['pipeline', 'llm'].flatMap((name) => (load(fs.readFileSync(`templates/prometheus/${name}.rules.yml`, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules));

  test('each has a sentence about what happens, and its own name', () => {
    expect(rules.length).toBeGreaterThan(10);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    expect(rules.filter(({ annotations: { summary } }) => !summary.includes('{{ $labels.')).map(({ alert }) => alert)).toEqual([]);
  });

  test('Alloy sends every metric that they ask for', () => {
    const [, kept = ''] = /regex\s+= "(.*)"/.exec(ownMetrics(['prometheus.remote_write.prometheus.receiver'], 'alloy-dev')) ?? [];
    const isKept = new RegExp(`^(${kept})$`);
    const asked = rules.flatMap(({ expr }) => [...expr.matchAll(/\b((?:alloy|otelcol|prometheus_remote|up)\w*)\{/g)].map(([, name = '']) => name));
    expect(asked.length).toBeGreaterThan(6);
    expect(asked.filter((name) => !isKept.test(name))).toEqual([]);
  });

  test('docs/alerts.md describes each of them', () => {
    const described = [...fs.readFileSync('docs/alerts.md', 'utf8').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(described).toEqual(rules.map(({ alert }) => alert));
  });
});
