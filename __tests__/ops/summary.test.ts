import type { EdgeOutputs, Outputs } from '../../ops/support/outputs';
import type { Delivery } from '../../provider/delivery';
import { summary } from '../../ops/support/summary';
import { outputs } from '../support/services';

const delivery: Delivery = {
  ok: true,
  traceId: '0123456789abcdef0123456789abcdef',
  ms: 187,
  hops: [
    { name: 'application -> Alloy', ms: 12 },
    { name: 'Alloy -> Phoenix', ms: 160 },
    { name: 'Phoenix -> reader', ms: 15 },
  ],
};
const deployed = outputs('http://127.0.0.1:4318', 'http://127.0.0.1:12345', 'http://127.0.0.1:6006', null);

test('of a stack as it comes', () => {
  expect(summary('dev', deployed, delivery, 12_345)).toBe(`
Trace 0123456789abcdef0123456789abcdef went application -> Alloy -> Phoenix in 187 ms and was read back. (12.3 s in all)

  Phoenix    http://127.0.0.1:6006   no login: anyone on this machine can read it
  OTLP       http://127.0.0.1:4318 (HTTP)   http://127.0.0.1:4317 (gRPC)
  Alloy      http://127.0.0.1:12345   log in as alloy: npm run pulumi -- stack output alloyPage --show-secrets
  Traces     go to Phoenix
  Metrics    accepted and discarded; to keep them: npm run pulumi -- config set prometheus:enabled true
  Logs       accepted and discarded; to keep them: npm run pulumi -- config set victorialogs:enabled true

Point an application at it:
  export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
In a container (docker run --add-host host.docker.internal:host-gateway …):
  OTEL_EXPORTER_OTLP_ENDPOINT=http://host.docker.internal:4318

Next:
  npm run verify      send a trace through it again
  npm run pulumi -- config set KEY VALUE && npm run up   change a setting (the README lists them)
  npm run down        remove it; the data stays`);
});

test('of another stack, with backends and ports of its own: every command is for that stack', () => {
  const other = {
    ...outputs('http://10.0.0.5:24318', 'http://127.0.0.1:22345', 'http://127.0.0.1:26006', null),
    signals: { traces: 'phoenix', metrics: 'prometheus', logs: 'loki' },
  };
  expect(summary('prod', other, delivery, 600)).toBe(`
Trace 0123456789abcdef0123456789abcdef went application -> Alloy -> Phoenix in 187 ms and was read back. (0.6 s in all)

  Phoenix    http://127.0.0.1:26006   no login: anyone on this machine can read it
  OTLP       http://10.0.0.5:24318 (HTTP)   http://127.0.0.1:4317 (gRPC)
  Alloy      http://127.0.0.1:22345   log in as alloy: npm run pulumi -- stack output alloyPage --show-secrets --stack prod
  Traces     go to Phoenix
  Metrics    go to prometheus
  Logs       go to loki

Point an application at it:
  export OTEL_EXPORTER_OTLP_ENDPOINT=http://10.0.0.5:24318 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
In a container (docker run --add-host host.docker.internal:host-gateway …):
  OTEL_EXPORTER_OTLP_ENDPOINT=http://host.docker.internal:24318

Next:
  npm run verify -- --stack prod      send a trace through it again
  npm run pulumi -- config set KEY VALUE --stack prod && npm run up -- --stack prod   change a setting (the README lists them)
  npm run down -- --stack prod        remove it; the data stays`);
});

test('what takes TLS is shown with it, for containers, too', () => {
  const text = summary('dev', outputs('https://192.0.2.7:4318', 'http://127.0.0.1:12345', 'http://127.0.0.1:6006', null), delivery, 0);
  expect(text).toContain('OTEL_EXPORTER_OTLP_ENDPOINT=https://192.0.2.7:4318 ');
  expect(text).toContain('OTEL_EXPORTER_OTLP_ENDPOINT=https://host.docker.internal:4318\n');
});

test.each<[string | null | undefined, RegExp]>([
  [undefined, /\nIn a container .*:\n {2}OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/host\.docker\.internal:4318\n/],
  ['https://host.docker.internal:4318', /\nIn a container .*:\n {2}OTEL_EXPORTER_OTLP_ENDPOINT=https:\/\/host\.docker\.internal:4318\n/],
  [null, /\nContainers on this host cannot reach it: alloy:bind does not include the gateway of Docker's bridge\.\n/],
])('where containers send: %s', (forContainers, words) =>
  expect(summary('dev', { ...deployed, ...(forContainers === undefined ? {} : { forContainers }) }, delivery, 0)).toMatch(words));

test('what Alloy removes, and the share of traces that it keeps', () => {
  const text = summary('dev', { ...deployed, redactedBy: ['redact:content', 'redact:values'], sampledPercent: 10 }, delivery, 0);
  expect(text).toContain('\n  Traces     go to Phoenix; 10 % of them are kept (sampling:percent)\n');
  expect(text).toContain('\n  Removed    by Alloy, from all of them: what redact:content and redact:values name\n');
});

test('stores that the stack deploys', () => {
  const text = summary('dev', { ...deployed, endpoints: { ...deployed.endpoints, prometheus: 'http://127.0.0.1:9090', victorialogs: 'http://127.0.0.1:9428' }, signals: { traces: 'phoenix', metrics: 'prometheus', logs: 'victorialogs' } }, delivery, 0);
  expect(text).toContain('\n  Metrics    http://127.0.0.1:9090   Prometheus: no login, only from this machine\n  Logs       http://127.0.0.1:9428/select/vmui/   VictoriaLogs: no login, only from this machine\n');
});

test('metrics that go somewhere while logs do not', () => {
  const text = summary('prod', { ...deployed, signals: { traces: 'phoenix', metrics: 'prometheus', logs: null } }, delivery, 0);
  expect(text).toContain('\n  Metrics    go to prometheus\n  Logs       accepted and discarded; to keep them: npm run pulumi -- config set victorialogs:enabled true --stack prod\n');
});

test.each([
  ['dev', 'http://127.0.0.1:6006', ''],
  ['prod', 'https://phoenix.example.org', ' --stack prod'],
])('with auth: where and as whom to log in to stack %s, and how to see the password, but no secret', (stack, url, option) => {
  const login = { url, email: 'admin@localhost', password: 'the-first-password' };
  const text = summary(stack, { ...deployed, auth: true, login, apiKeys: { app: 'the-key-of-app' } }, delivery, 0);
  expect(text.split('\n').find((line) => line.startsWith('  Phoenix'))).toBe(
    `  Phoenix    ${url}   log in as admin@localhost; the first password: npm run pulumi -- stack output login --show-secrets${option}`,
  );
  expect(text).not.toMatch(/no login|the-first-password|the-key-of-app/);
  expect(text).not.toContain(deployed.adminSecret);
});

/** The lines about what there is, by their names. */
const lines = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries((text.split('\n\n')[1] ?? '').split('\n').map((line) => [line.slice(2, 13).trim(), line.slice(13)]));

test('where Alloy asks other machines for a token, it says what shows it, and not the token', () => {
  const text = summary('prod', { ...deployed, otlpToken: 'the-token' }, delivery, 0);
  expect(text).toContain('(gRPC)\n             from other machines with the header authorization=Bearer TOKEN: npm run pulumi -- stack output otlpToken --show-secrets --stack prod\n  Alloy ');
  expect(text).not.toContain('the-token');
});

test.each<[string, string[], string, boolean, boolean]>([
  ['http://127.0.0.1:4318', ['0.0.0.0'], '127.0.0.1', true, true],
  ['http://127.0.0.1:4318', ['::'], '127.0.0.1', true, true],
  ['http://192.0.2.7:4318', ['192.0.2.7'], '192.0.2.7', true, false],
  ['http://[2001:db8::7]:4318', ['2001:db8::7'], '[2001:db8::7]', true, false],
  ['http://127.0.0.1:4318', ['192.0.2.7'], '127.0.0.1', false, false],
])('%s, where Alloy asks for a token on %j: what an application here is given has it where it is asked for', (url, otlpTokenOn, host, here, inContainers) => {
  const text = summary('dev', { ...outputs(url, 'http://127.0.0.1:12345', 'http://127.0.0.1:6006', null), otlpToken: 'the-token', otlpTokenOn }, delivery, 0);
  const header = ' OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN\n';
  expect(text).toContain(`\n             ${here ? 'with the header authorization=Bearer TOKEN, from this machine, too' : 'from other machines with the header authorization=Bearer TOKEN'}: npm run pulumi -- stack output otlpToken --show-secrets\n`);
  expect(text).toContain(`ENDPOINT=http://${host}:4318 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf${here ? header : '\n'}`);
  expect(text).toContain(`ENDPOINT=http://host.docker.internal:4318${inContainers ? header : '\n'}`);
});

test('with Grafana, where it is and what shows its password', () => {
  const text = summary('prod', { ...deployed, endpoints: { ...deployed.endpoints, grafana: 'http://127.0.0.1:3000' }, grafanaLogin: { url: 'http://127.0.0.1:3000', user: 'admin', password: 'the-password' } }, delivery, 0);
  expect(text).toContain('\n  Grafana    http://127.0.0.1:3000   log in as admin: npm run pulumi -- stack output grafanaLogin --show-secrets --stack prod\n');
  expect(text).not.toContain('the-password');
});

describe('with a tunnel', () => {
  const tunnel: NonNullable<Outputs['tunnel']> = {
    id: '1d',
    name: 'llm-observability-prod',
    page: 'https://phoenix.example.com',
    hostnames: ['phoenix.example.com', 'otlp.example.com'],
    containers: ['tunnel-prod-1', 'tunnel-prod-2'],
  };
  const remote: Outputs['remote'] = { otlp: { alloy: 'https://otlp.example.com', phoenix: null }, auth: false, tokens: { edge: { expiresAt: '2027-11-21T08:00:00Z' } } };
  const remoteAccess = { edge: { clientId: 'the-client', clientSecret: 'the-client-secret', apiKey: 'the-key-of-edge' } };
  const login = { url: 'https://phoenix.example.com', email: 'admin@localhost', password: 'the-first-password' };
  const published: Outputs = { ...deployed, tunnel, remote, remoteAccess };

  test('its hostnames, and what makes another host send here; no secret', () => {
    const text = summary('prod', { ...published, auth: true, login }, delivery, 0);
    expect(text.split('\n').slice(3, 11)).toEqual([
      '  Phoenix    https://phoenix.example.com   log in as admin@localhost; the first password: npm run pulumi -- stack output login --show-secrets --stack prod',
      '  OTLP       http://127.0.0.1:4318 (HTTP)   http://127.0.0.1:4317 (gRPC)',
      '  Alloy      http://127.0.0.1:12345   log in as alloy: npm run pulumi -- stack output alloyPage --show-secrets --stack prod',
      '  Tunnel     llm-observability-prod: phoenix.example.com, otlp.example.com',
      '  Edges      edge:central prod makes a stack on another host send to this one',
      '  Traces     go to Phoenix',
      '  Metrics    accepted and discarded; to keep them: npm run pulumi -- config set prometheus:enabled true --stack prod',
      '  Logs       accepted and discarded; to keep them: npm run pulumi -- config set victorialogs:enabled true --stack prod',
    ]);
    expect(text).not.toMatch(/the-client|the-key-of-edge|the-first-password/);
  });

  test.each<[string, Partial<Outputs>, string]>([
    ['without a login of its own, behind Access', { tunnel }, 'https://phoenix.example.com   and http://127.0.0.1:6006; no login in Phoenix'],
    ['without a hostname', { tunnel: { ...tunnel, page: null } }, 'http://127.0.0.1:6006   no login: anyone on this machine can read it'],
    [
      'with a login of its own and without a hostname', { tunnel: { ...tunnel, page: null }, auth: true, login: { ...login, url: 'http://127.0.0.1:6006' } },
      'http://127.0.0.1:6006   log in as admin@localhost; the first password: npm run pulumi -- stack output login --show-secrets',
    ],
  ])('Phoenix %s', (_, outputsOfIt, expected) => expect(lines(summary('dev', { ...published, ...outputsOfIt }, delivery, 0))['Phoenix']).toBe(expected));

  test.each<[string, Outputs['remote']['otlp'], boolean]>([
    ['Alloy', { alloy: 'https://otlp.example.com', phoenix: null }, true],
    ['Phoenix', { alloy: null, phoenix: 'https://traces.example.com' }, true],
    ['both', { alloy: 'https://otlp.example.com', phoenix: 'https://traces.example.com' }, true],
    ['the page alone', { alloy: null, phoenix: null }, false],
  ])('other hosts are told of where there is something for them: %s', (_, otlp, told) => {
    const text = summary('dev', { ...published, remote: { ...remote, otlp } }, delivery, 0);
    expect(text.includes('edge:central dev makes a stack on another host send to this one')).toBe(told);
    expect(text.includes('Edges')).toBe(told);
  });

  test('without one there is no line about it', () => {
    expect(Object.keys(lines(summary('dev', deployed, delivery, 0)))).toEqual(['Phoenix', 'OTLP', 'Alloy', 'Traces', 'Metrics', 'Logs']);
  });
});

describe('of a stack at the edge', () => {
  const edge: EdgeOutputs = {
    endpoints: { otlpHttp: 'http://127.0.0.1:4318', otlpGrpc: 'http://127.0.0.1:4317', alloyUi: 'http://127.0.0.1:12345' },
    internal: { otlpHttp: 'http://alloy:4318', alloyUi: 'http://alloy:12345', phoenix: 'http://central-gate:4318' },
    central: { stack: 'prod', hostname: 'otlp.example.com', sendTo: 'alloy', token: 'edge' },
    alloyPage: { user: 'alloy', password: 'the-password-of-the-page' },
    reader: { 'cf-access-client-id': 'the-client', 'cf-access-client-secret': 'the-client-secret' },
    signals: { traces: 'central', metrics: 'central', logs: 'central' },
    remote: null,
    containers: { alloy: 'alloy-edge', gate: 'central-edge-gate' },
    volumes: { alloy: 'alloy-edge-data' },
    dockerHost: null,
    images: { alloy: { name: 'grafana/alloy:v1.18.1', digest: '', id: 'sha256:2d' }, gate: { name: 'nginx:1.28.0', digest: '', id: 'sha256:3d' } },
  };
  const far: Delivery = { ...delivery, hops: [{ name: 'application -> Alloy', ms: 12 }, { name: "Alloy -> prod's Phoenix", ms: 160 }, { name: 'Phoenix -> reader', ms: 15 }] };

  test('where it sends takes the place of Phoenix, and no secret is told', () => {
    const text = summary('edge', edge, far, 12_345);
    expect(text).toBe(`
Trace 0123456789abcdef0123456789abcdef went application -> Alloy -> prod's Phoenix in 187 ms and was read back. (12.3 s in all)

  Sends to   Alloy of the stack prod, through otlp.example.com
  OTLP       http://127.0.0.1:4318 (HTTP)   http://127.0.0.1:4317 (gRPC)
  Alloy      http://127.0.0.1:12345   log in as alloy: npm run pulumi -- stack output alloyPage --show-secrets --stack edge
  Traces     go there
  Metrics    go there
  Logs       go there

Point an application at it:
  export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
In a container (docker run --add-host host.docker.internal:host-gateway …):
  OTEL_EXPORTER_OTLP_ENDPOINT=http://host.docker.internal:4318

Next:
  npm run verify -- --stack edge      send a trace through it again
  npm run pulumi -- config set KEY VALUE --stack edge && npm run up -- --stack edge   change a setting (the README lists them)
  npm run down -- --stack edge        remove it; the data stays`);
  });

  test('to Phoenix go traces alone; what has a store on that host stays there', () => {
    const text = summary('edge', {
      ...edge,
      central: { ...edge.central, stack: 'acme/observability/prod', hostname: 'traces.example.com', sendTo: 'phoenix' },
      signals: { traces: 'central', metrics: 'prometheus', logs: null },
    }, far, 0);
    expect(lines(text)).toEqual({
      'Sends to': 'Phoenix of the stack acme/observability/prod, through traces.example.com',
      OTLP: 'http://127.0.0.1:4318 (HTTP)   http://127.0.0.1:4317 (gRPC)',
      Alloy: 'http://127.0.0.1:12345   log in as alloy: npm run pulumi -- stack output alloyPage --show-secrets --stack edge',
      Traces: 'go there',
      Metrics: 'go to prometheus',
      Logs: 'accepted and discarded; to keep them: npm run pulumi -- config set victorialogs:enabled true --stack edge',
    });
  });
});
