/**
 * The picture of made-up resources; the pictures of the program itself are in __tests__/diagram.test.ts.
 */
import { diagram } from '../../ops/support/diagram';
import type { Container, Deployed, Resource } from '../../ops/support/stack-parts';
import { secret } from '../support/deployment';

const container = (inputs: Partial<Container> & { readonly name: string }): Resource => ({ type: 'docker:index/container:Container', inputs: { image: 'x:1', ...inputs } });
/** A container that runs for ever, known by its name in the network. */
const service = (name: string, inputs: Partial<Container> = {}): Resource =>
  container({ name, restart: 'unless-stopped', networksAdvanced: [{ name: 'net', aliases: [`at-${name}`] }], ...inputs });
const network: Resource = { type: 'docker:index/network:Network', inputs: { name: 'net' } };
const deployed = (...resources: Resource[]): Deployed => ({ resources: [network, ...resources], endpoints: {} });

/** A service with a file in a volume of its own. */
const configured = (name: string, file: string, content: unknown, inputs: Partial<Container> = {}): Resource[] => [
  container({ name: `${name}-files`, restart: 'no', volumes: [{ volumeName: `${name}-config` }], uploads: [{ file, content }] }),
  service(name, { volumes: [{ volumeName: `${name}-config`, readOnly: true }], ...inputs }),
];
const alloy = (name: string, sent: Readonly<Record<string, readonly string[]>>, inputs: Partial<Container> = {}): Resource[] => {
  const urls = [...new Set(Object.values(sent).flat())];
  const output = Object.entries(sent).map(([signal, to]) => `    ${signal} = [${to.map((url) => `otelcol.exporter.otlphttp.to${urls.indexOf(url)}.input`).join(', ')}]`);
  const exporters = urls.map((url, index) => `otelcol.exporter.otlphttp "to${index}" {\n  client {\n    endpoint = "${url}"\n  }\n}\n`);
  return configured(name, '/etc/alloy/config.alloy', `otelcol.receiver.otlp "default" {\n  output {\n${output.join('\n')}\n  }\n}\n${exporters.join('')}`, inputs);
};
const nginx = (name: string, url: string): Resource[] => configured(name, '/etc/gate/nginx.conf', `location / {\n    # proxy_pass "http://commented";\n    proxy_pass "${url}$request_uri";\n}\n`);

const tunnel = (...ingresses: object[]): Resource[] => [
  { type: 'cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared', inputs: { name: 'mine' } },
  { type: 'cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig', inputs: { config: { ingresses: [...ingresses, { service: 'http_status:404' }] } } },
  service('c-1', { command: ['tunnel', 'run'], image: 'cloudflared:2' }),
  service('c-2', { command: ['tunnel', 'run'], image: 'cloudflared:2' }),
];

/** Lines of the picture that are nodes, and those that are arrows. */
function drawn(...stacks: Deployed[]): { nodes: string[]; arrows: string[] } {
  const lines = diagram(...stacks).split('\n').slice(2).map((line) => line.trim());
  return { nodes: lines.filter((line) => !line.includes('-->') && line !== 'end' && !line.startsWith('subgraph')), arrows: lines.filter((line) => line.includes('-->')) };
}

describe('containers', () => {
  test('those that run for ever, with their images without a digest, in the order of their names', () => {
    const jobs = [container({ name: 'job', restart: 'no' }), container({ name: 'files' })];
    expect(diagram(deployed(service('b', { image: 'repo/b:2@sha256:0123' }), ...jobs, service('a')))).toBe(
      [
        '%%{init: {"flowchart": {"subGraphTitleMargin": {"top": 4, "bottom": 20}}}}%%',
        'flowchart LR',
        '  subgraph network_net["Docker host, network net"]',
        '    container_a["a<br>x:1"]',
        '    container_b["b<br>repo/b:2"]',
        '  end',
      ].join('\n'),
    );
  });

  test('the volumes that they write, and none that they only read', () => {
    const { nodes, arrows } = drawn(deployed(service('a', { volumes: [{ volumeName: 'data' }, { volumeName: 'config', readOnly: true }] })));
    expect(nodes).toEqual(['container_a["a<br>x:1"]', 'volume_data[("data")]']);
    expect(arrows).toEqual(['container_a --> volume_data']);
  });
});

describe('what is sent', () => {
  test('by Alloy: each signal to who has the name in the network, or out of the stack', () => {
    const { nodes, arrows } = drawn(deployed(
      ...alloy('alloy', { traces: ['http://at-store:6006'], metrics: ['https://metrics.example.com/write'], logs: ['http://host.docker.internal:3100/otlp', 'http://at-store:6006'] }),
      service('store'),
    ));
    expect(arrows).toEqual([
      'container_alloy -->|"traces, logs"| container_store',
      'container_alloy -->|"metrics"| host_metrics.example.com',
      'container_alloy -->|"logs"| host_host.docker.internal_3100',
    ]);
    // The first is anywhere, the last on the Docker host and so in its frame.
    expect(nodes).toEqual(['host_metrics.example.com["to1<br>metrics.example.com"]', 'container_alloy["alloy<br>x:1"]', 'container_store["store<br>x:1"]', 'host_host.docker.internal_3100["to2<br>host.docker.internal:3100"]']);
  });

  test('by Alloy to nobody', () => {
    expect(drawn(deployed(...alloy('alloy', { traces: ['http://at-store:1'] }).map(withDiscard), service('store'))).arrows).toEqual([
      'container_alloy -->|"traces"| container_store',
      'container_alloy -->|"logs"| discarded_net',
    ]);
  });

  /** The same, with an exporter of logs that leads nowhere. */
  function withDiscard(resource: Resource): Resource {
    return JSON.parse(JSON.stringify(resource).replace('output {\\n', 'output {\\n    logs = [otelcol.exporter.loki.discard.input]\\n')) as Resource;
  }

  test('by nginx: what comes to it', () => {
    expect(drawn(deployed(...alloy('alloy', { traces: ['http://at-gate:4318'], logs: ['http://at-gate:4318'] }), ...nginx('gate', 'http://at-store:6006'), service('store'))).arrows).toEqual([
      'container_alloy -->|"traces, logs"| container_gate',
      'container_gate -->|"traces, logs"| container_store',
    ]);
  });

  test('a name that nobody in the network has is the name of something else', () => {
    expect(drawn(deployed(...nginx('gate', 'http://store:6006'), service('store'))).arrows).toEqual(['container_gate --> host_store_6006']);
  });

  test('files that are secret, alone or with their whole list, tell nothing', () => {
    const [files, gate] = nginx('gate', 'http://at-store:6006') as [Resource, Resource];
    const [hidden] = configured('gate', '/etc/gate/nginx.conf', secret('proxy_pass "http://at-store:6006";')) as [Resource];
    const whole = { ...files, inputs: { ...files.inputs, uploads: { ciphertext: 'v1:' } } };
    expect(drawn(deployed(hidden, gate, service('store'))).arrows).toEqual([]);
    expect(drawn(deployed(whole, gate, service('store'))).arrows).toEqual([]);
  });
});

describe('who comes to the host ports', () => {
  const port = (internal: number, external: number): { internal: number; external: number } => ({ internal, external });
  const endpoints = { otlpHttp: 'http://127.0.0.1:4318', alloyUi: 'http://127.0.0.1:12345', storeOtlpGrpc: 'http://10.0.0.5:14317', storeUi: 'http://10.0.0.5:6006' };

  test('applications where OTLP is taken, people where it ends; each port once, wherever it is bound', () => {
    const ports = { alloy: [port(12345, 12345), port(4318, 4318), port(4318, 4318)], store: [port(4317, 14317), port(6006, 6006)] };
    const { nodes, arrows } = drawn({ ...deployed(...alloy('alloy', { traces: ['http://at-store:6006'] }, { ports: ports.alloy }), service('store', { ports: ports.store })), endpoints });
    expect(arrows).toEqual([
      'applications_net -->|"OTLP 4318"| container_alloy',
      'applications_net -->|"OTLP 14317"| container_store',
      'people_net -->|"6006"| container_store',
      'container_alloy -->|"traces"| container_store',
    ]);
    expect(nodes.slice(0, 2)).toEqual(['applications_net(["applications"])', 'people_net(["people"])']);
  });

  test('ports in the order of their numbers', () => {
    expect(drawn(deployed(service('store', { ports: [port(1, 20000), port(2, 3000), port(3, 100)] }))).arrows).toEqual(['people_net -->|"100, 3000, 20000"| container_store']);
  });
});

describe('a tunnel', () => {
  const application = (domain: string, machines: boolean): Resource =>
    ({ type: 'cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication', inputs: { domain, ...(machines ? { serviceAuth401Redirect: true } : {}) } });

  test('from each hostname through the connectors to what its rules name; signals where the path is that of OTLP', () => {
    const { nodes, arrows } = drawn(deployed(
      ...tunnel(
        { hostname: 'page.example.com', service: 'http://at-store:6006' },
        { hostname: 'otlp.example.com', path: '^/v1/(traces|logs)$', service: 'http://at-gate:4318' },
        { hostname: 'otlp.example.com', path: '^/v1/projects/verify-[0-9]+$', service: 'http://at-store:6006' },
        { hostname: 'other.example.com', service: 'http://host.docker.internal:3000' },
      ),
      application('page.example.com', false), application('otlp.example.com', true),
      ...nginx('gate', 'http://at-store:6006'), service('store'),
    ));
    expect(nodes).toEqual([
      'people(["people"])',
      'hosts(["other hosts"])',
      'host_page.example.com["page.example.com<br>Access: login"]',
      'host_otlp.example.com["otlp.example.com<br>Access: service token"]',
      'host_other.example.com["other.example.com"]',
      'container_c_1["c-1<br>c-2<br>cloudflared:2"]',
      'container_gate["gate<br>x:1"]',
      'container_store["store<br>x:1"]',
      'host_host.docker.internal_3000["host.docker.internal:3000"]',
    ]);
    expect(arrows).toEqual([
      'host_page.example.com --> container_c_1',
      'container_c_1 -->|"page.example.com"| container_store',
      'host_otlp.example.com -->|"traces, logs"| container_c_1',
      'container_c_1 -->|"otlp.example.com"| container_gate',
      'host_other.example.com --> container_c_1',
      'container_c_1 -->|"other.example.com"| host_host.docker.internal_3000',
      'container_gate -->|"traces, logs"| container_store',
      'people --> host_page.example.com',
      'hosts --> host_otlp.example.com',
      'people --> host_other.example.com',
    ]);
  });

  const edge: Deployed = {
    resources: [
      { type: 'docker:index/network:Network', inputs: { name: 'far' } },
      { type: 'observability:index:DeliveryCheck', inputs: { central: { stack: 'prod', hostname: 'otlp.example.com' } } },
      ...alloy('edge', { traces: ['http://at-exit:4318'] }),
      ...nginx('exit', 'https://otlp.example.com'),
    ],
    endpoints: {},
  };

  test('a stack at the edge alone: the stack that it sends to, by name', () => {
    const { nodes, arrows } = drawn(edge);
    expect(nodes[0]).toBe('host_otlp.example.com["stack prod<br>otlp.example.com"]');
    expect(arrows).toEqual(['container_edge -->|"traces"| container_exit', 'container_exit -->|"traces"| host_otlp.example.com']);
  });

  test.each([['before', [0, 1]], ['after', [1, 0]]])('with the stack that it sends to, which is named %s it, they are joined at the hostname, to which then nobody else comes', (_, order) => {
    const central = deployed(...tunnel({ hostname: 'otlp.example.com', path: '^/v1/traces$', service: 'http://at-store:1' }), service('store'));
    const { nodes, arrows } = drawn(...order.map((index) => [edge, central][index] as Deployed));
    expect(nodes.filter((node) => /otlp|hosts/.test(node))).toEqual(['host_otlp.example.com["otlp.example.com"]']);
    expect(arrows.filter((arrow) => arrow.includes('host_'))).toEqual(expect.arrayContaining([
      'container_exit -->|"traces"| host_otlp.example.com',
      'host_otlp.example.com -->|"traces"| container_c_1',
    ]));
  });
});
