import { createHash } from 'node:crypto';
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { Backend, Sender } from '../../components/backend';
import type { Door } from '../../components/door';
import { Gate, type GateArgs } from '../../components/gate';
import { gateConfig, passedCodes, senderConfig } from '../../components/gate-config';
import type { PublishedDoor } from '../../components/published-door';
import type { Tls } from '../../components/tls';
import { deploy, secret, secretMark, valueOf, type Deployment } from '../support/deployment';
import { expectGolden } from '../support/golden';

const owner = 'llm-observability/dev';
const phoenix: Backend = { name: 'phoenix', signals: ['traces'], protocol: 'otlphttp', endpoint: 'http://phoenix:6006' };
const config = gateConfig({ backend: 'http://phoenix:6006' });
const rules: Door = { names: ['localhost', '192.0.2.7', '2001:db8::7', 'phoenix.example.com'], anyAddress: false, proxies: [], https: false, mostMiB: 64 };
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
  test('in front of Phoenix', () => expectGolden('gate/phoenix.conf', gateConfig({ backend: 'http://phoenix:6006', door: rules })));

  test('in front of a Phoenix that reaches servers', () => expectGolden('gate/egress.conf', gateConfig({ backend: 'http://phoenix:6006', door: rules, egressPorts: [443, 587] })));

  test('in front of Phoenix with a journal', () => expectGolden('gate/journal.conf', gateConfig({ backend: 'http://phoenix:6006', journal: 'http://phoenix-journal:4318', door: rules })));

  test('in front of Phoenix, with TLS for other machines', () => expectGolden('gate/tls.conf', gateConfig({ backend: 'http://phoenix:6006', door: rules, tls: true })));

  test('the same behind proxies, where people come over HTTPS', () =>
    expectGolden('gate/tls-proxies.conf', gateConfig({ backend: 'http://phoenix:6006', door: { ...rules, proxies: ['172.20.0.0/16'], https: true }, tls: true })));

  test('in front of a Phoenix to which spans come through Alloy alone', () => expectGolden('gate/no-spans.conf', gateConfig({ backend: 'http://phoenix:6006', door: { ...rules, takesSpans: false } })));

  test('in front of a VictoriaLogs whose page it publishes', () => expectGolden('gate/victorialogs.conf', gateConfig({ backend: 'http://victorialogs:9428/insert/opentelemetry', page: { names: ['localhost', '127.0.0.1', '::1'], closed: '^/(?!$|select/|health$|metrics$)' } })));

  test('in front of a Prometheus whose page it publishes', () => expectGolden('gate/prometheus.conf', gateConfig({ backend: 'http://prometheus:9090', protocol: 'remote-write', page: { names: ['localhost', '127.0.0.1', '::1'], closed: '^/(-/(quit|reload)|api/v1/(write|otlp|admin)(/|$))' } })));

  test('in front of a store on the Docker host', () => expectGolden('gate/loki.conf', gateConfig({ backend: 'http://host.docker.internal:3100/otlp', sender: true })));

  test('in front of a stack behind a tunnel', () => expectGolden('gate/central.conf', gateConfig({ backend: 'https://otlp.example.com', tunnelled: true })));

  test('its log has what was asked for, without a query', () => {
    expect(config).toContain('uri=$asked_path\';');
    const [, pattern = ''] = /map \$request_uri \$asked_path \{\s+default -;\s+"~(.*)" \$1;\s+\}/.exec(config) ?? [];
    expect(['/api/v1/write?db=a&x=/?', '/v1/traces', '/v1/logs?'].map((uri) => new RegExp(pattern).exec(uri)?.[1])).toEqual(['/api/v1/write', '/v1/traces', '/v1/logs']);
  });

  test('waits longer than Alloy does, and through a tunnel longer than there', () => {
    const waits = (text: string): string[] => [...text.matchAll(/proxy_(send|read)_timeout (\d+)s;/g)].map(([, which, seconds]) => `${which} ${seconds}`);
    expect(waits(config)).toEqual(['send 35', 'read 35']);
    expect(waits(gateConfig({ backend: 'http://phoenix:6006', tunnelled: false }))).toEqual(['send 35', 'read 35']);
    expect(waits(gateConfig({ backend: 'http://phoenix:6006', tunnelled: true }))).toEqual(['send 185', 'read 185']);
  });

  test('every refusal is passed on or means "later", but for the code that nginx takes in no rule', () => {
    const later = [...config.matchAll(/error_page ([\d ]+) =503/g)].flatMap(([, codes = '']) => codes.split(' ').map(Number));
    expect([...later, ...passedCodes, 499].sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, index) => 300 + index));
    expect(passedCodes).toEqual([400, 413, 415, 422, 429, 502, 503, 504]);
  });

  test('behind a tunnel every refusal is passed on, means "later" or is looked into, but for that code', () => {
    const text = gateConfig({ backend: 'https://otlp.example.com', tunnelled: true });
    const codes = (rule: string): number[] => [...text.matchAll(new RegExp(`^ {12}error_page ([\\d ]+) ${rule};$`, 'gm'))].flatMap(([, row = '']) => row.split(' ').map(Number));
    const [later, asked] = [codes('=503 /-/later').filter((code) => ![500, 502, 503, 504].includes(code)), codes('= @refused')];
    const all = Array.from({ length: 300 }, (_, index) => 300 + index);
    expect([...new Set([...later, ...asked, ...passedCodes, 499])].sort((a, b) => a - b)).toEqual(all);
    expect([asked.includes(403), asked.includes(451), asked.includes(500)]).toEqual([true, true, true]);
    // A login page, a missing key, a missing route, a tunnel that is down: of every request.
    expect([302, 401, 404, 405, 408, 507, 530].filter((code) => asked.includes(code))).toEqual([]);
    expect(asked.filter((code) => passedCodes.includes(code))).toEqual([]);
  });

  test.each([
    ['http://phoenix:6006/', 'http://phoenix:6006'],
    ['https://traces.example.com/otlp/', 'https://traces.example.com/otlp'],
    ['http://phoenix/a";b\\', 'http://phoenix/a%22;b'],
    ['http://phoenix/$host/$request_uri', 'http://phoenix/%24host/%24request_uri'],
  ])('%s is asked as %s', (url, base) => expect(gateConfig({ backend: url })).toContain(`proxy_pass "${base}$request_uri";`));

  test('the certificate of a backend is checked, under the name that it is asked by', () => {
    const tls = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter((line) => line.startsWith('proxy_ssl'));
    expect(tls(config)).toEqual([]);
    expect(tls(gateConfig({ backend: 'https://traces.example.com' }))).toEqual([
      'proxy_ssl_server_name on;',
      'proxy_ssl_verify on;',
      'proxy_ssl_verify_depth 4;',
      'proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;',
    ]);
  });
});

test.each(['https://host.docker.internal:3100/otlp', 'https://host.docker.internal'])('%s, too, is asked for a certificate of its name, and not of the one in the gate', (url) => {
  expect(gateConfig({ backend: url })).toContain('proxy_ssl_server_name on;\n            proxy_ssl_name "host.docker.internal";\n            proxy_ssl_verify on;');
  expect(gateConfig({ backend: url.replace('https:', 'http:') })).not.toContain('proxy_ssl_name');
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
    ulimits: [{ name: 'nproc', soft: 4096, hard: 4096 }, { name: 'nofile', soft: 16384, hard: 16384 }],
    logDriver: 'json-file',
    logOpts: { 'max-size': '10m', 'max-file': '3' },
    restart: 'always',
    networksAdvanced: [{ name: 'observability-dev', aliases: ['phoenix-gate'] }],
    ports: [],
    memory: 256,
    memorySwap: 256,
    cpus: '1.0',
    healthcheck: {
      tests: [
        'CMD', 'bash', '-c',
        "exec 3<>/dev/tcp/127.0.0.1/14319; printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3; read -r status <&3; [[ $status == *' 204 '* ]]",
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
  expect(resources.get('phoenix-gate-config-files')?.inputs).toMatchObject({ name: 'tempo-dev-gate-config-files', uploads: [{ content: gateConfig({ backend: 'https://later' }) }] });
  expect(resources.get('phoenix-gate-server')?.inputs).toMatchObject({
    name: 'tempo-dev-gate',
    networksAdvanced: [{ aliases: ['tempo-gate'] }],
    labels: [{}, { value: createHash('sha256').update(gateConfig({ backend: 'https://later' })).digest('hex') }],
  });
});

test('a backend behind a tunnel stays one, in front of which the gate has time', async () => {
  const { resources, result } = await gate({ backend: { ...phoenix, name: 'central', endpoint: 'https://otlp.example.com', tunnelled: true } });
  expect(result.backend).toEqual({ name: 'central', signals: ['traces'], protocol: 'otlphttp', endpoint: 'http://central-gate:4318', tunnelled: true });
  expect(resources.get('phoenix-gate-config-files')?.inputs['uploads']).toContainEqual({ file: '/etc/gate/nginx.conf', content: gateConfig({ backend: 'https://otlp.example.com', tunnelled: true }) });
});

describe('in front of a store of metrics', () => {
  const prometheus = { name: 'prometheus', signals: ['metrics'], protocol: 'remote-write' } as const;

  test('it hands on what it is sent to, path and query', async () => {
    const { resources, result } = await gate({ backend: { ...prometheus, endpoint: 'https://store.example/prefix/api/v1/write?db=a' } });
    expect(await valueOf(pulumi.output(result.backend.endpoint))).toBe('http://prometheus-gate:4318/prefix/api/v1/write?db=a');
    expect(JSON.stringify(resources.get('phoenix-gate-config-files')?.inputs['uploads'])).toContain('proxy_pass \\"https://store.example$request_uri\\";');
  });

  test('samples that are older than others are not sent again', () => {
    const later = (protocol: Backend['protocol']): boolean => / 409 /.test(gateConfig({ backend: 'https://store.example', protocol }));
    expect([later('remote-write'), later('otlphttp')]).toEqual([false, true]);
  });
});

describe('who sends to a store', () => {
  const loki: Backend = { name: 'loki', signals: ['logs'], protocol: 'otlphttp', endpoint: 'https://store.example/otlp' };
  const said = (sender: Sender): string[] => [...senderConfig(sender).matchAll(/default "(.*)";/g)].map(([, value = '']) => value);

  test.each<[Sender, string, string]>([
    [{}, '', ''],
    [{ username: '123456', password: 'a:b c' }, 'Basic MTIzNDU2OmE6YiBj', ''],
    [{ username: 'é', password: 'ü' }, 'Basic w6k6w7w=', ''],
    [{ token: 'glc_x=', tenant: "team-a!_.*'()" }, 'Bearer glc_x=', "team-a!_.*'()"],
    [{ token: 'a$b${c}"d\\e;{x}' }, 'Bearer a$b${c}\\"d\\\\e;{x}', ''],
  ])('%j', (sender, authorization, tenant) => expect(said(sender)).toEqual([authorization, tenant]));

  test('stands beside the address, in a file that the gate alone can read: both change in one step', async () => {
    const { resources, result } = await gate({ backend: { ...loki, sender: { token: 't' } } });
    const config = gateConfig({ backend: 'https://store.example/otlp', sender: true });
    expect(resources.get('phoenix-gate-config-files')?.inputs).toMatchObject({
      uploads: [{ file: '/etc/gate/nginx.conf', content: config, permissions: '0400' }, { file: '/etc/gate/sender.conf', content: secret(senderConfig({ token: 't' })), permissions: '0400' }],
      user: '0:0', entrypoints: ['chown'], command: ['101:101', '/etc/gate/nginx.conf', '/etc/gate/sender.conf'], attach: true,
    });
    expect(config).toContain('include "/etc/gate/sender.conf";');
    expect(config).toContain('proxy_set_header Authorization $store_authorization;\n            proxy_set_header X-Scope-OrgID $store_tenant;');
    // Alloy is told nothing of it.
    expect(result.backend).toEqual({ ...loki, endpoint: 'http://phoenix-gate:4318'.replace('phoenix', 'loki') });
  });

  test('another one is another gate', async () => {
    const { resources } = await gate({ backend: { ...loki, sender: {} } });
    const label = createHash('sha256').update(`${gateConfig({ backend: 'https://store.example/otlp', sender: true })}phoenix-gate-config-files-id`).digest('hex');
    expect(resources.get('phoenix-gate-server')?.inputs['labels']).toContainEqual({ label: 'llm-observability.stack.config', value: label });
  });

  test.each<[Sender, boolean]>([[{}, false], [{ tenant: 'a' }, false], [{ username: 'u', password: 'p' }, true], [{ token: 't' }, true]])('%j is a secret: %s', async (sender, is) => {
    const { resources } = await gate({ backend: { ...loki, sender } });
    expect(JSON.stringify(resources.get('phoenix-gate-config-files')).includes(secretMark)).toBe(is);
  });

  test('none stays behind: where nobody in particular sends, the file says so', async () => {
    const { resources } = await gate({ backend: { ...loki, sender: {} } });
    expect(resources.get('phoenix-gate-config-files')?.inputs['uploads']).toContainEqual({ file: '/etc/gate/sender.conf', content: senderConfig({}), permissions: '0400' });
  });

  test('a gate that Alloy shows who sends has none', () => {
    expect(config).not.toMatch(/sender\.conf|Authorization/);
  });
});

describe('in front of what is on the Docker host', () => {
  test.each([
    ['http://host.docker.internal:3100/otlp', 'server host.docker.internal:3100;', 'proxy_pass "http://docker-host/otlp$request_uri";', 'proxy_set_header Host "host.docker.internal:3100";'],
    ['http://host.docker.internal', 'server host.docker.internal:80;', 'proxy_pass "http://docker-host$request_uri";', 'proxy_set_header Host "host.docker.internal";'],
    ['https://host.docker.internal', 'server host.docker.internal:443;', 'proxy_pass "https://docker-host$request_uri";', 'proxy_set_header Host "host.docker.internal";'],
  ])('%s: its name is none for the DNS', (backend, ...lines) => {
    const text = gateConfig({ backend });
    lines.forEach((line) => expect(text).toContain(line));
  });

  test('everywhere else a name is looked up for each request', () => {
    expect(config).not.toContain('upstream docker-host');
  });

  test.each([[true, [{ host: 'host.docker.internal', ip: 'host-gateway' }]], [false, undefined]])('the name is one for its container (%s)', async (reachesHost, hosts) => {
    const { resources } = await gate({ reachesHost });
    expect(resources.get('phoenix-gate-server')?.inputs['hosts']).toEqual(hosts);
  });
});

describe('behind a tunnel', () => {
  const tunnelled = (): Promise<Deployment<Gate>> => gate({ backend: { ...phoenix, endpoint: 'https://otlp.example.com', tunnelled: true } });

  test('what is put aside is on a volume of its own, which stays when the stack goes', async () => {
    const { resources } = await tunnelled();
    const [volume, owner, server] = ['data', 'data-owner', 'server'].map((part) => resources.get(`phoenix-gate-${part}`));
    expect(volume).toMatchObject({ retainOnDelete: true, inputs: { name: 'phoenix-dev-gate-data', labels } });
    expect(owner?.inputs).toMatchObject({ user: '0:0', capabilities: { adds: ['CAP_CHOWN'], drops: ['ALL'] }, entrypoints: ['chown'], command: ['101:101', '/var/lib/gate-aside'] });
    expect(server?.inputs['volumes']).toEqual([expect.objectContaining({ containerPath: '/etc/gate' }), { volumeName: 'phoenix-dev-gate-data', containerPath: '/var/lib/gate-aside' }]);
    expect(server?.dependsOn).toContain('phoenix-gate-data-owner');
  });

  test('the program that sends it again is beside its configuration', async () => {
    const { resources } = await tunnelled();
    const uploads = resources.get('phoenix-gate-config-files')?.inputs['uploads'] as { file: string; content: string }[];
    expect(uploads.map(({ file }) => file)).toEqual(['/etc/gate/nginx.conf', '/etc/gate/send-again.sh']);
    expect(uploads[1]?.content).toContain('/dev/tcp/alloy/4318');
  });
});

test('transform reaches the server alone', async () => {
  const { resources } = await gate({ transform: { container: (args, opts) => ({ args: { ...args, hostname: 'mine' }, opts }) } });
  expect([...resources.values()].filter(({ inputs }) => inputs['hostname'] === 'mine').map(({ name }) => name)).toEqual(['phoenix-gate-server']);
});

test('nothing of a header comes into it', async () => {
  const { resources } = await gate({ backend: { ...phoenix, headers: { authorization: pulumi.secret('Bearer t') } } });
  expect(JSON.stringify([...resources.values()])).not.toContain(secretMark);
  expect(JSON.stringify([...resources.values()])).not.toContain('Bearer');
});

/** With a door; Phoenix's container is that of the network here. */
function withDoor(changes: Partial<PublishedDoor> = {}): Promise<Deployment<Gate>> {
  return deploy(() => {
    const network = new docker.Network('network', { name: 'observability-dev' });
    const store = new docker.Network('store', { name: 'observability-dev-store' });
    const door = { store, destinations: [], rules, bind: ['127.0.0.1'], auth: true, uiPort: 7006, otlpGrpcPort: 24317, otlpHttpPort: 24318, listed: {}, ingestKeys: [], after: new docker.Volume('phoenix', {}), ...changes };
    return new Gate('phoenix-gate', { stack: 'dev', owner, network, image: 'nginx:1.28.0', backend: phoenix, door });
  });
}

describe('its door', () => {
  test('three ports on every address of bind, once Phoenix has let go of them', async () => {
    const { resources } = await withDoor({ bind: ['127.0.0.1', '192.0.2.7'] });
    const both = (internal: number, external: number): object[] => ['127.0.0.1', '192.0.2.7'].map((ip) => ({ internal, external, ip, protocol: 'tcp' }));
    const server = resources.get('phoenix-gate-server');
    expect(server?.inputs['ports']).toEqual([...both(4317, 24317), ...both(6006, 7006), ...both(14318, 24318)]);
    expect(server?.dependsOn).toContain('phoenix');
    expect([...resources.values()].filter(({ inputs }) => 'ports' in inputs).map(({ name }) => name)).toEqual(['phoenix-gate-server']);
  });

  test('in the order in which the engine lists them, where it has them', async () => {
    const listed = [[14318, 24318], [6006, 7006], [4317, 24317]].map(([internal = 0, external = 0]) => ({ internal, external, ip: '127.0.0.1' }));
    const { resources } = await withDoor({ listed: { 'phoenix-dev-gate': listed } });
    expect(resources.get('phoenix-gate-server')?.inputs['ports']).toEqual([...listed].sort((a, b) => a.internal - b.internal).map((port) => ({ ...port, protocol: 'tcp' })));
  });

  test('on the network of Phoenix, too, and by the name of Phoenix on the other one', async () => {
    const { resources } = await withDoor();
    expect(resources.get('phoenix-gate-server')?.inputs).toMatchObject({
      networksAdvanced: [{ name: 'observability-dev', aliases: ['phoenix-gate', 'phoenix'] }, { name: 'observability-dev-store', aliases: [] }],
    });
    expect(resources.get('phoenix-gate-server')?.inputs).not.toHaveProperty('sysctls');
  });

  test('there by the names of the servers to which Phoenix may connect', async () => {
    const destinations = [['smtp.example.com', 587], ['api.example.com', 443], ['api.example.com', 8443]].map(([host, port]) => ({ host: String(host), port: Number(port), nameless: false }));
    const { resources } = await withDoor({ destinations });
    const server = resources.get('phoenix-gate-server')?.inputs;
    expect(server).toMatchObject({
      networksAdvanced: [{ aliases: ['phoenix-gate', 'phoenix'] }, { name: 'observability-dev-store', aliases: ['smtp.example.com', 'api.example.com'] }],
      sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' },
    });
    expect(server).not.toHaveProperty('hosts');
    expect(resources.get('phoenix-gate-config-files')?.inputs).toMatchObject({ uploads: [{ content: gateConfig({ backend: 'http://phoenix:6006', door: rules, egressPorts: [587, 443, 8443] }) }] });
  });

  test('addresses', async () => {
    expect((await withDoor({ bind: ['2001:db8::1', '127.0.0.1'] })).result.endpoints).toEqual({ ui: 'http://[2001:db8::1]:7006', otlpHttp: 'http://[2001:db8::1]:24318', otlpGrpc: 'http://[2001:db8::1]:24317' });
    expect((await withDoor({ bind: ['0.0.0.0'] })).result).toMatchObject({ page: 'http://phoenix:6006', endpoints: { ui: 'http://127.0.0.1:7006' } });
    expect(plain.result.endpoints).toBeUndefined();
  });

  test('of a key that may only send, the number is written down and nothing else of it', async () => {
    const key = (number: number): string => `header.${Buffer.from(`{"jti":"ApiKey:${number}"}`).toString('base64url')}.${secretMark}`;
    const { resources } = await withDoor({ ingestKeys: [pulumi.secret(key(1)), pulumi.secret(''), pulumi.secret(key(12))] });
    expect(resources.get('phoenix-gate-ingest')?.inputs).toEqual({ name: 'phoenix-dev-gate-ingest', labels });
    expect(resources.get('phoenix-gate-ingest-keys')?.inputs).toMatchObject({
      name: 'phoenix-dev-gate-ingest-keys',
      user: '0:0',
      networkMode: 'none',
      volumes: [{ volumeName: 'phoenix-dev-gate-ingest', containerPath: '/etc/gate-ingest' }],
      entrypoints: ['bash', '-c', expect.stringContaining('cd /etc/gate-ingest')],
      command: ['keys', 'eyJqdGkiOiJBcGlLZXk6MSJ9', 'eyJqdGkiOiJBcGlLZXk6MTIifQ'],
    });
    expect(resources.get('phoenix-gate-server')?.inputs['volumes']).toContainEqual({ volumeName: 'phoenix-dev-gate-ingest', containerPath: '/etc/gate-ingest', readOnly: true });
    expect(JSON.stringify([...resources.values()])).not.toContain(secretMark);
  });

  describe('with TLS for other machines', () => {
    const tls: Tls = { certificate: 'a certificate', key: 'chosen-key', addresses: ['192.0.2.7', '2001:db8::7'] };
    const bind = ['127.0.0.1', '192.0.2.7', '::1', '2001:db8::7'];

    test('loopback stays plain, and the same host ports lead to others from the other addresses', async () => {
      const { resources } = await withDoor({ bind, tls });
      expect((resources.get('phoenix-gate-server')?.inputs['ports'] as { internal: number; external: number; ip: string }[]).map(({ internal, external, ip }) => `${ip} ${external} ${internal}`)).toEqual([
        '127.0.0.1 24317 4317', '::1 24317 4317', '127.0.0.1 7006 6006', '::1 7006 6006', '127.0.0.1 24318 14318', '::1 24318 14318',
        '192.0.2.7 7006 16006', '2001:db8::7 7006 16006', '192.0.2.7 24317 24317', '2001:db8::7 24317 24317', '192.0.2.7 24318 24318', '2001:db8::7 24318 24318',
      ]);
    });

    test('addresses say which it is', async () => {
      expect((await withDoor({ bind, tls })).result.endpoints?.ui).toBe('http://127.0.0.1:7006');
      expect((await withDoor({ bind: ['2001:db8::7', '127.0.0.1', '192.0.2.7'], tls })).result.endpoints).toEqual({ ui: 'https://[2001:db8::7]:7006', otlpHttp: 'https://[2001:db8::7]:24318', otlpGrpc: 'https://[2001:db8::7]:24317' });
      expect((await withDoor({ bind: ['0.0.0.0'], tls: { ...tls, addresses: ['0.0.0.0'] } })).result.endpoints?.ui).toBe('https://127.0.0.1:7006');
    });

    test('certificate and key are in a volume before nginx starts, which alone can read them', async () => {
      const { resources } = await withDoor({ bind, tls });
      expect(resources.get('phoenix-gate-tls')?.inputs).toEqual({ name: 'phoenix-dev-gate-tls', labels });
      expect(resources.get('phoenix-gate-tls-files')?.inputs).toMatchObject({
        name: 'phoenix-dev-gate-tls-files',
        image: 'nginx:1.28.0',
        user: '0:0',
        networkMode: 'none',
        volumes: [{ volumeName: 'phoenix-dev-gate-tls', containerPath: '/etc/gate-tls' }],
        uploads: [{ file: '/etc/gate-tls/certificate.pem', content: 'a certificate', permissions: '0400' }, { file: '/etc/gate-tls/key.pem', content: secret('chosen-key'), permissions: '0400' }],
        entrypoints: ['chown'],
        command: ['101:101', '/etc/gate-tls/certificate.pem', '/etc/gate-tls/key.pem'],
        capabilities: { adds: ['CAP_CHOWN'], drops: ['ALL'] },
      });
      const server = resources.get('phoenix-gate-server');
      expect(server?.inputs['volumes']).toContainEqual({ volumeName: 'phoenix-dev-gate-tls', containerPath: '/etc/gate-tls', readOnly: true });
      expect(server?.dependsOn).toContain('phoenix-gate-tls-files');
      expect(JSON.stringify([...resources.values()].filter(({ name }) => name !== 'phoenix-gate-tls-files'))).not.toContain('chosen-key');
    });

    test('another certificate or key is another container: nginx reads them once', async () => {
      const labelled = async (changes: Partial<Tls>): Promise<unknown> => (await withDoor({ bind, tls: { ...tls, ...changes } })).resources.get('phoenix-gate-server')?.inputs['labels'];
      const first = await labelled({});
      expect(first).toEqual([...labels, expect.anything(), { label: 'llm-observability.stack.secrets', value: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
      expect(await labelled({})).toEqual(first);
      expect(await labelled({ certificate: 'another' })).not.toEqual(first);
      expect(await labelled({ key: 'another' })).not.toEqual(first);
    });

    test('without it there is nothing of it', async () => {
      const { resources } = await withDoor();
      expect([...resources.keys()].filter((name) => name.includes('tls'))).toEqual([]);
      expect(gateConfig({ backend: 'http://phoenix:6006', door: rules })).not.toMatch(/ssl|https_proto|only_https/);
    });

    test('each server that takes requests from outside takes them over TLS as well, and none but these', () => {
      const listens = gateConfig({ backend: 'http://phoenix:6006', door: rules, tls: true }).split(/^ {4}server \{$/m).slice(1).map((server) => [...server.matchAll(/listen ([^;]+);/g)].map(([, one = '']) => one.replace(' default_server', '')));
      expect(listens).toEqual([
        ['4318'], ['6006', '16006 ssl', '14318', '24318 ssl'], ['4317 http2', '24317 ssl http2'],
        ['6006', '16006 ssl'], ['14318', '24318 ssl'], ['4317 http2', '24317 ssl http2'], ['127.0.0.1:14319'],
      ]);
    });
  });

  test('rules that are known later', async () => {
    const { resources } = await withDoor({ rules: pulumi.output(Promise.resolve(rules)) });
    expect(resources.get('phoenix-gate-config-files')?.inputs).toMatchObject({ uploads: [{ content: gateConfig({ backend: 'http://phoenix:6006', door: rules }) }] });
  });

  test('HTTP/2 as every version takes it, also where that is not the one of its tag', () => {
    const text = gateConfig({ backend: 'http://phoenix:6006', door: rules });
    expect(text.match(/^ +listen .* http2;$/gm)?.map((line) => line.trim())).toEqual(['listen 4317 default_server http2;', 'listen 4317 http2;']);
    expect(text).not.toContain('http2 on;');
  });

  test('only with proxies a forwarded address counts', () => {
    const lines = (proxies: readonly string[]): string[] => gateConfig({ backend: 'http://phoenix:6006', door: { ...rules, proxies } }).split('\n').map((line) => line.trim()).filter((line) => /real_ip|Forwarded-Proto/.test(line));
    expect(lines([])).toEqual(Array(2).fill('proxy_set_header X-Forwarded-Proto "";'));
    expect(lines(['172.20.0.0/16', '::1'])).toEqual([
      'real_ip_header X-Forwarded-For;', 'real_ip_recursive on;', 'set_real_ip_from 172.20.0.0/16;', 'set_real_ip_from ::1;',
      ...Array(2).fill('proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;'),
    ]);
  });

  const text = gateConfig({ backend: 'http://phoenix:6006', door: rules });
  /** A quoted regular expression of the configuration. */
  const pattern = (before: RegExp): RegExp => new RegExp(new RegExp(`${before.source}"~?((?:[^"\\\\]|\\\\.)*)"`).exec(text)?.[1]?.replaceAll('\\"', '"') ?? 'missing');
  const servers = text.split(/^ {4}server \{$/m).slice(1);

  test('no key passes for a login, whatever Python strips before its quotes', () => {
    const refused = pattern(/if \(\$http_cookie ~ /);
    // Those of str.strip() that a header may have.
    for (const space of ['', ...'\t\v\f\x1c\x1d\x1e\x1f \x85\xa0']) {
      for (const cookie of [`phoenix-access-token=${space}"h.\\145yJ.s"`, `a=b;${space}phoenix-access-token${space}=${space}"h.p.s"`]) {
        expect(cookie).toMatch(refused);
      }
    }
    expect('phoenix-access-token=h.eyJqdGkiOiJBcGlLZXk6MSJ9.s').toMatch(refused);
    expect('phoenix-access-token=h.eyJqdGkiOiJBY2Nlc3NUb2tlbjoxIn0.s; other="quoted"').not.toMatch(refused);
  });

  test('a request without a body is not large: nginx tries no regular expression on an empty text', () => {
    const large = /map [^\n]* \$large \{([^}]*)\}/.exec(text.replace('{1,6}', '+'))?.[1];
    expect(large).toContain('"" "";');
  });

  test('of what is large one address leaves room for the others', () => {
    const sender = /map \$large \$sender_of_large \{([^}]*)\}/.exec(text)?.[1]?.trim().split(/\s*;\s*/).filter(Boolean);
    expect(sender).toEqual(['default $binary_remote_addr', '"" ""']);
    const limits = (server: string): string[] => [...server.matchAll(/limit_conn (\S+ \d+);/g)].map(([, limit = '']) => limit);
    expect(servers.map(limits)).toEqual([[], [], [], ['large 4', 'large-of-one 3'], ['large 4', 'large-of-one 3'], ['grpc 64'], []]);
  });

  test('no query comes into a log', () => {
    const asked = pattern(/map \$request \$asked \{\s+default -;\s+/);
    const logged = (request: string): string => ((found) => (found ? `${found[1]}${found[3]}` : '-'))(asked.exec(request.trim()));
    expect([
      'GET /v1/projects?token=secret HTTP/1.1', 'GET /a#token=secret HTTP/1.1', 'GET http://name:secret@host/b?token=secret HTTP/1.1', 'GET /?secret', 'G3T /?secret HTTP/1.1', '\x16\x03\x01secret',
    ].map(logged)).toEqual(['GET /v1/projects', 'GET /a', 'GET /b', 'GET /', '-', '-']);
    // Of its own accord nginx writes the request as it came, from the level `error` down to `info`.
    const door = servers.filter((server) => server.includes('access_log /dev/stdout door'));
    expect(door).toHaveLength(5);
    for (const server of door) {
      expect(server).toContain('error_log /dev/stderr emerg;');
    }
  });

  test('HTTP/2 for gRPC alone: there the length of a body is no bound', () => {
    const spoken = servers.filter((server) => / http2;/.test(server)).map((server) => [...server.matchAll(/listen (\d+)/g)].map(([, port]) => port));
    expect(spoken).toEqual([['4317'], ['4317']]);
    expect(servers.find((server) => server.includes('grpc_pass'))).toMatch(/limit_conn grpc \d+;/);
  });

  test('what a check has sent can be read and removed with the key that sent it, and nothing else', () => {
    const writes = /map \$request_method \$key_that_writes \{([^}]*)\}/.exec(text)?.[1]?.trim().split(/\s*;\s*/).filter(Boolean);
    expect(writes).toEqual(['default $key', 'GET none', 'HEAD none', 'DELETE none']);
    expect(text.split('location ~ "^/v1/projects/verify-')[1]?.split('proxy_pass')[0]).toContain('if (-f /etc/gate-ingest/$key_that_writes)');
  });

  test('HSTS where people come over HTTPS, on the page alone', () => {
    const count = (https: boolean): number => gateConfig({ backend: 'http://phoenix:6006', door: { ...rules, https } }).split('Strict-Transport-Security').length - 1;
    expect([count(false), count(true)]).toEqual([0, 1]);
  });
});
