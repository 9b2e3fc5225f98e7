import { createHash } from 'node:crypto';
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { Backend } from '../../components/backend';
import { Gate, gateConfig, passedCodes, type GateArgs } from '../../components/gate';
import { deploy, secretMark, valueOf, type Deployment } from '../support/deployment';
import { expectGolden } from '../support/golden';

const owner = 'llm-observability/dev';
const phoenix: Backend = { name: 'phoenix', signals: ['traces'], protocol: 'otlphttp', endpoint: 'http://phoenix:6006' };
const config = gateConfig('http://phoenix:6006');
const labels = [{ label: 'llm-observability.stack', value: owner }];

function gate(changes: Partial<GateArgs> = {}): Promise<Deployment<Gate>> {
  return deploy(
    () =>
      new Gate('phoenix-gate', {
        stack: 'dev',
        owner,
        network: new docker.Network('network', { name: 'observability-dev' }),
        image: 'nginx:1.28.0',
        backend: phoenix,
        ...changes,
      }),
  );
}

describe('its configuration', () => {
  test('in front of Phoenix', () => expectGolden('gate/phoenix.conf', config));

  test('in front of Phoenix with a journal', () => expectGolden('gate/journal.conf', gateConfig('http://phoenix:6006', false, 'http://phoenix-journal:4318')));

  test('in front of a stack behind a tunnel', () => expectGolden('gate/central.conf', gateConfig('https://otlp.example.com', true)));

  test('waits longer than Alloy does, and through a tunnel longer than there', () => {
    const waits = (text: string): string[] => [...text.matchAll(/proxy_(send|read)_timeout (\d+)s;/g)].map(([, which, seconds]) => `${which} ${seconds}`);
    expect(waits(config)).toEqual(['send 35', 'read 35']);
    expect(waits(gateConfig('http://phoenix:6006', false))).toEqual(['send 35', 'read 35']);
    expect(waits(gateConfig('http://phoenix:6006', true))).toEqual(['send 185', 'read 185']);
  });

  test('every refusal is passed on or means "later", but for the code that nginx takes in no rule', () => {
    const later = [...config.matchAll(/error_page ([\d ]+) =503/g)].flatMap(([, codes = '']) => codes.split(' ').map(Number));
    expect([...later, ...passedCodes, 499].sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, index) => 300 + index));
    expect(passedCodes).toEqual([400, 413, 415, 422, 429, 502, 503, 504]);
  });

  test.each([
    ['http://phoenix:6006/', 'http://phoenix:6006'],
    ['https://traces.example.com/otlp/', 'https://traces.example.com/otlp'],
    ['http://phoenix/a";b\\', 'http://phoenix/a%22;b'],
  ])('%s is asked as %s', (url, base) => expect(gateConfig(url)).toContain(`proxy_pass "${base}$request_uri";`));

  test('the certificate of a backend is checked, under the name that it is asked by', () => {
    const tls = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter((line) => line.startsWith('proxy_ssl'));
    expect(tls(config)).toEqual([]);
    expect(tls(gateConfig('https://traces.example.com'))).toEqual([
      'proxy_ssl_server_name on;',
      'proxy_ssl_verify on;',
      'proxy_ssl_verify_depth 4;',
      'proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;',
    ]);
  });
});

/** One deployment for all tests that only look at it. */
let plain: Deployment<Gate>;
beforeAll(async () => {
  plain = await gate();
});

test('its children, all below the component, and none stays when the stack goes', () => {
  const { resources } = plain;
  expect([...resources.values()].map(({ name, type, parent }) => [name, type, parent])).toEqual([
    ['network', 'docker:index/network:Network', ''],
    ['phoenix-gate', 'llm-observability:index:Gate', ''],
    ['phoenix-gate-config', 'docker:index/volume:Volume', 'phoenix-gate'],
    ['phoenix-gate-config-files', 'docker:index/container:Container', 'phoenix-gate'],
    ['phoenix-gate-image', 'docker:index/remoteImage:RemoteImage', 'phoenix-gate'],
    ['phoenix-gate-server', 'docker:index/container:Container', 'phoenix-gate'],
  ]);
  expect([...resources.values()].filter(({ retainOnDelete }) => retainOnDelete)).toEqual([]);
});

test('the configuration is in its volume before the server starts', () => {
  const { resources } = plain;
  expect(resources.get('phoenix-gate-image')?.inputs).toEqual({ name: 'nginx:1.28.0', keepLocally: true });
  expect(resources.get('phoenix-gate-config')?.inputs).toEqual({ name: 'phoenix-dev-gate-config', labels });
  expect(resources.get('phoenix-gate-config-files')?.inputs).toEqual({
    name: 'phoenix-dev-gate-config-files',
    image: 'nginx:1.28.0',
    labels,
    volumes: [{ volumeName: 'phoenix-dev-gate-config', containerPath: '/etc/gate' }],
    uploads: [{ file: '/etc/gate/nginx.conf', content: config }],
    networkMode: 'none',
    restart: 'no',
    start: false,
    mustRun: false,
    logDriver: 'json-file',
    logOpts: { 'max-size': '10m', 'max-file': '3' },
  });
  expect(resources.get('phoenix-gate-server')?.dependsOn).toEqual(['network', 'phoenix-gate-config', 'phoenix-gate-config-files', 'phoenix-gate-image']);
});

test('the server: hardened, on the private network alone, with time to end its requests', () => {
  expect(plain.resources.get('phoenix-gate-server')?.inputs).toEqual({
    name: 'phoenix-dev-gate',
    image: 'nginx:1.28.0',
    user: '101:101',
    entrypoints: ['nginx'],
    command: ['-c', '/etc/gate/nginx.conf', '-g', 'daemon off;'],
    envs: [],
    labels: [...labels, { label: 'llm-observability.stack.config', value: createHash('sha256').update(config).digest('hex') }],
    volumes: [{ volumeName: 'phoenix-dev-gate-config', containerPath: '/etc/gate', readOnly: true }],
    readOnly: true,
    tmpfs: { '/tmp': 'rw,nosuid,nodev,size=256m' },
    capabilities: { drops: ['ALL'] },
    securityOpts: ['no-new-privileges'],
    logDriver: 'json-file',
    logOpts: { 'max-size': '10m', 'max-file': '3' },
    restart: 'always',
    networksAdvanced: [{ name: 'observability-dev', aliases: ['phoenix-gate'] }],
    ports: [],
    memory: 128,
    memorySwap: 128,
    cpus: '1.0',
    healthcheck: {
      tests: [
        'CMD', 'bash', '-c',
        "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3; read -r status <&3; [[ $status == *' 204 '* ]]",
      ],
      interval: '2s',
      timeout: '5s',
      startPeriod: '10s',
      retries: 15,
    },
    wait: true,
    waitTimeout: 60,
    stopTimeout: 35,
    destroyGraceSeconds: 35,
  });
});

test('what it offers: the same backend at its own address', async () => {
  const headers = { authorization: 'Bearer t' };
  const { result } = await gate({ backend: { ...phoenix, headers } });
  expect(result.backend).toEqual({ name: 'phoenix', signals: ['traces'], protocol: 'otlphttp', endpoint: 'http://phoenix-gate:4318', headers });
  expect(result.internal).toBe('http://phoenix-gate:4318');
  expect(await valueOf(result.containerName)).toBe('phoenix-dev-gate');
  expect(await valueOf(result.server)).toBe('phoenix-gate-server-id');
});

test('another backend is another gate, whose address may be known later', async () => {
  const { resources, result } = await gate({ backend: { ...phoenix, name: 'tempo', endpoint: pulumi.output(Promise.resolve('https://later')) } });
  expect([result.backend.endpoint, result.internal]).toEqual(['http://tempo-gate:4318', 'http://tempo-gate:4318']);
  expect(resources.get('phoenix-gate-config-files')?.inputs).toMatchObject({ name: 'tempo-dev-gate-config-files', uploads: [{ content: gateConfig('https://later') }] });
  expect(resources.get('phoenix-gate-server')?.inputs).toMatchObject({
    name: 'tempo-dev-gate',
    networksAdvanced: [{ aliases: ['tempo-gate'] }],
    labels: [{}, { value: createHash('sha256').update(gateConfig('https://later')).digest('hex') }],
  });
});

test('a backend behind a tunnel stays one, in front of which the gate has time', async () => {
  const { resources, result } = await gate({ backend: { ...phoenix, name: 'central', endpoint: 'https://otlp.example.com', tunnelled: true } });
  expect(result.backend).toEqual({ name: 'central', signals: ['traces'], protocol: 'otlphttp', endpoint: 'http://central-gate:4318', tunnelled: true });
  expect(resources.get('phoenix-gate-config-files')?.inputs['uploads']).toEqual([{ file: '/etc/gate/nginx.conf', content: gateConfig('https://otlp.example.com', true) }]);
});

test('transform reaches the server alone', async () => {
  const { resources } = await gate({ transform: { container: (args) => ({ ...args, hostname: 'mine' }) } });
  expect([...resources.values()].filter(({ inputs }) => inputs['hostname'] === 'mine').map(({ name }) => name)).toEqual(['phoenix-gate-server']);
});

test('nothing of a header comes into it', async () => {
  const { resources } = await gate({ backend: { ...phoenix, headers: { authorization: pulumi.secret('Bearer t') } } });
  expect(JSON.stringify([...resources.values()])).not.toContain(secretMark);
  expect(JSON.stringify([...resources.values()])).not.toContain('Bearer');
});
