/**
 * The main job on real parts: from a fresh clone to a trace that was read back, and what happens to it
 * when things change, stop and break. The tests build on each other, in this order.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { aptInstall, pythonOtel, telemetrygen } from '../../lab';
import { chooseEngine, engineGet } from '../../engine';
import { findings, unexplained, unneeded, type Inspected } from '../support/cis-docker';
import { blocks, codeOf, pulumiLines, pulumiNotRun, pulumiWithLogin, pulumiWithToken } from '../support/docs-lines';
import { expectPictureOfRun } from '../support/picture-of-run';
import { screen } from '../support/screen';
import { tempDir } from '../support/temp';
import { Checkout, docker, storedSpans, until } from './checkout';
import { finished } from './load';
import * as usualPorts from './usual-ports';

const stack = 'e2e';
const [phoenix, alloy] = [`phoenix-${stack}`, `alloy-${stack}`];
let checkout: Checkout;

beforeAll(async () => {
  await usualPorts.take();
  checkout = await Checkout.clone(stack, 'none');
}, usualPorts.patienceMs);

afterAll(async () => {
  const { code, stderr } = await checkout.command('down', ['--purge', '--yes']);
  usualPorts.giveBack();
  fs.rmSync(path.dirname(checkout.dir), { recursive: true, force: true });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
});

const plannedSteps = (): Promise<string[]> => checkout.plannedSteps();

/** Health as Docker sees it: "healthy" once the service answers. */
async function health(container: string): Promise<string> {
  return docker('inspect', '--format', '{{.State.Health.Status}}', container);
}

/** Address of Docker's bridge on this host; an engine in its first hour has not written the gateway down. */
async function gateway(): Promise<string> {
  const [{ IPAM }] = JSON.parse(await docker('network', 'inspect', 'bridge')) as [{ IPAM: { Config: { Subnet: string; Gateway?: string }[] } }];
  const { Subnet = '', Gateway } = IPAM.Config[0] ?? {};
  return Gateway || Subnet.replace(/0\/\d+$/, '1');
}

/** Ten thousand records, each with a value of its own. */
const records = (batch: number, rest: object): object[] =>
  Array.from({ length: 10_000 }, (_, index) => ({ timeUnixNano: `${Date.now()}000000`, attributes: [{ key: 'series', value: { stringValue: `${batch}-${index}` } }], ...rest }));

/** Bytes that the programs of a container hold. */
async function memoryOf(container: string): Promise<number> {
  const { memory_stats: { usage, stats } } = await engineGet<{ memory_stats: { usage: number; stats: { inactive_file?: number; total_inactive_file?: number } } }>(chooseEngine({}).engine, `/containers/${container}/stats?stream=false`);
  return usage - (stats.inactive_file ?? stats.total_inactive_file ?? 0);
}

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** What Prometheus answers to a query. */
async function queried(prometheus: string, promql: string): Promise<Series[]> {
  const answer = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(promql)}`);
  return ((await answer.json()) as { data: { result: Series[] } }).data.result;
}

/** Sends calls of a model as OpenInference and as the GenAI conventions put them, and waits until Prometheus has their exact sums. */
async function expectLlmMetrics(prometheus: string, otlpHttp: string): Promise<void> {
  const calls = [
    { 'openinference.span.kind': 'LLM', 'llm.model_name': 'small', 'llm.token_count.prompt': 1200, 'llm.token_count.completion': 34 },
    { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'small', 'gen_ai.usage.input_tokens': 55, 'gen_ai.usage.output_tokens': 6 },
    // Of an agent, which repeats them.
    { 'openinference.span.kind': 'AGENT', 'llm.model_name': 'small', 'llm.token_count.prompt': 1255 },
  ];
  const spans = calls.map((call, index) => ({
    traceId: '0123456789abcdef'.repeat(2), spanId: `${index}`.padStart(16, '1'), name: 'call', kind: 3,
    startTimeUnixNano: `${Date.now() - 500}000000`, endTimeUnixNano: `${Date.now()}000000`,
    attributes: Object.entries(call).map(([key, value]) => ({ key, value: typeof value === 'number' ? { intValue: value } : { stringValue: value } })),
  }));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'llm-service' } }] };
  const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
  expect((await fetch(`${otlpHttp}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status).toBe(200);
  const query = (promql: string): Promise<Series[]> => queried(prometheus, promql);
  const sums = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await query('gen_ai_client_token_usage_sum{source="spans",service_name="llm-service",gen_ai_request_model="small"}')).map(({ metric, value }) => [metric['gen_ai_token_type'], value[1]]));
  await until('the sums of tokens', async () => Object.keys(await sums()).length === 2);
  expect(await sums()).toEqual({ input: '1255', output: '40' });
  const counts = await query('sum by (openinference_span_kind) (gen_ai_client_operation_duration_seconds_count{source="spans",service_name="llm-service"})');
  expect(Object.fromEntries(counts.map(({ metric, value }) => [metric['openinference_span_kind'], value[1]]))).toEqual({ LLM: '2', AGENT: '1' });
  for (const promql of codeOf('docs/llm-metrics.md', 'promql')) {
    expect(await query(promql)).toEqual(expect.any(Array));
  }
  const dir = tempDir();
  codeOf('docs/llm-metrics.md', 'yaml').forEach((rules, index) => fs.writeFileSync(path.join(dir, `rules-${index}.yml`), rules));
  ['pipeline', 'llm'].forEach((name) => fs.copyFileSync(path.join('templates', 'prometheus', `${name}.rules.yml`), path.join(dir, `${name}.rules.yml`)));
  for (const tests of ['llm-rules.test.yml', 'pipeline-rules.test.yml']) {
    fs.copyFileSync(path.join(__dirname, tests), path.join(dir, tests));
    expect(await finished('promtool', ['test', 'rules', path.join(dir, tests)])).toMatchObject({ code: 0, output: expect.stringContaining('SUCCESS') });
  }
}

const question = `Deploy this to stack ${stack}? [y/N] `;

/** The same of the stack `dev`, without signs of life and what the CLI says of plugins that somebody else has built. */
const asIfDev = (lines: readonly string[]): string[] =>
  lines.join('\n').replace(/^Diagnostics:\n(?: .*\n)*\n/m, '').split('\n').filter((line) => !line.startsWith('@ '))
    .map((line) => line.replaceAll(` -- --stack ${stack}`, '').replaceAll(` --stack ${stack}`, '').replace(new RegExp(`\\b${stack}\\b`, 'g'), 'dev').replace(/ \d+ warnings$/, ''));

describe('a fresh clone', () => {
  it('shows what it will make, asks, and becomes a running stack with a trace that was read back', async () => {
    const { seen, status } = await checkout.atTerminal('up', [], [[question, 'y\r']]);
    expect([status, status === 0 ? '' : seen]).toEqual([0, '']);
    const lines = screen(seen);
    expect(lines.join('\n')).toMatch(/^Trace [0-9a-f]{32} went application -> Alloy -> Phoenix in \d+ ms and was read back\./m);
    expect((await checkout.outputs()).endpoints).toEqual({
      otlpHttp: 'http://127.0.0.1:4318',
      otlpGrpc: 'http://127.0.0.1:4317',
      phoenixUi: 'http://127.0.0.1:6006',
      phoenixOtlpHttp: 'http://127.0.0.1:14318',
      phoenixOtlpGrpc: 'http://127.0.0.1:14317',
      alloyUi: 'http://127.0.0.1:12345',
    });
    const [asks, ends] = [lines.findIndex((line) => line.startsWith(question)), lines.findIndex((line) => line.startsWith('Trace '))];
    expectPictureOfRun('first-run/asks.svg', ['$ npm run up', '…', ...asIfDev(lines.slice(lines.findIndex((line) => line.startsWith('Previewing')), asks + 1))]);
    expectPictureOfRun('first-run/ends.svg', ['$ npm run up', '…', ...asIfDev(lines.slice(ends))]);
  });

  it('has nothing to change when it is run again, nor after a refresh', async () => {
    expect(await plannedSteps()).toEqual([]);
    const { changes } = await checkout.up();
    expect(Object.keys(changes)).toEqual(['unchanged']);
    expect((await checkout.pulumi('refresh', '--yes')).code).toBe(0);
    expect(await plannedSteps()).toEqual([]);
  });

  it('keeps its passphrase to itself', () => {
    expect(fs.statSync(path.join(checkout.state, 'passphrase')).mode & 0o777).toBe(0o600);
  });

  it('hardens every container that runs', async () => {
    for (const [container, user] of [[phoenix, '65532:65532'], [alloy, '473:473']] as const) {
      const [{ Config, HostConfig }] = JSON.parse(await docker('inspect', container));
      expect({
        user: Config.User, readOnly: HostConfig.ReadonlyRootfs, drops: HostConfig.CapDrop, adds: HostConfig.CapAdd,
        security: HostConfig.SecurityOpt, swap: HostConfig.MemorySwap === HostConfig.Memory, limited: HostConfig.Memory > 0 && HostConfig.NanoCpus > 0,
      }).toEqual({ user, readOnly: true, drops: ['ALL'], adds: null, security: ['no-new-privileges'], swap: true, limited: true });
    }
  });

  it('leaves nothing of the CIS Docker Benchmark undone without a reason, in any container', async () => {
    const ids = (await docker('ps', '--all', '--quiet', '--filter', `label=llm-observability.stack=llm-observability/${stack}`)).split('\n');
    const appArmor = (await docker('info', '--format', '{{json .SecurityOptions}}')).includes('name=apparmor');
    const ports = Object.values((await checkout.outputs()).endpoints).map((url) => Number(new URL(url).port));
    const found = (JSON.parse(await docker('inspect', ...ids)) as Inspected[]).flatMap((container) => findings(container, { appArmor, ports }));
    expect({ unexplained: unexplained(found), unneeded: unneeded(found) }).toEqual({ unexplained: [], unneeded: [] });
  });

  it('shows nothing beyond loopback and the bridge', async () => {
    const addresses = async (container: string): Promise<string[]> => {
      const [{ NetworkSettings }] = JSON.parse(await docker('inspect', container));
      const bindings = Object.values(NetworkSettings.Ports as Record<string, { HostIp: string }[] | null>).flatMap((list) => list ?? []);
      return [...new Set(bindings.map(({ HostIp }) => HostIp))].sort();
    };
    expect(await addresses(phoenix)).toEqual([]);
    expect(await addresses(`${phoenix}-gate`)).toEqual(['127.0.0.1']);
    expect(await addresses(alloy)).toEqual(['127.0.0.1', await gateway()]);
  });
});

describe('telemetry', () => {
  it.each([
    ['HTTP', ['--otlp-http', '--otlp-endpoint', '127.0.0.1:4318'], 'telemetrygen-http'],
    ['gRPC', ['--otlp-endpoint', '127.0.0.1:4317'], 'telemetrygen-grpc'],
  ])('5,000 spans over %s are all stored', async (_, where, project) => {
    const generator = await telemetrygen();
    const { code, output } = await finished(generator, [
      'traces', '--otlp-insecure', ...where, '--traces', '2500', '--child-spans', '1', '--rate', '300',
      '--otlp-attributes', `openinference.project.name="${project}"`,
    ]);
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    const { endpoints } = await checkout.outputs();
    await until(`5,000 spans in ${project}`, async () => (await storedSpans(endpoints.phoenixUi, project)) >= 5000, 300_000);
    expect(await storedSpans(endpoints.phoenixUi, project)).toBe(5000);
  });

  it("the seed's instrumentation arrives in the project it names, and its metrics and logs raise no error", async () => {
    const python = await pythonOtel();
    const { endpoints } = await checkout.outputs();
    const { code, output } = await finished(python, [path.join(__dirname, 'seed_app.py')], {
      PHOENIX_COLLECTOR_ENDPOINT: `${endpoints.otlpHttp}/v1/traces`,
      ALLOY_HOST: '127.0.0.1',
    });
    expect({ code, errors: output.split('\n').filter((line) => /error|fail|exception|traceback/i.test(line)) }).toEqual({ code: 0, errors: [] });
    await until('the spans of the seed application', async () => (await storedSpans(endpoints.phoenixUi, 'my-ai-service')) === 2);
  });

  it.each([
    ['metrics', 'series', (batch: number) => ({ resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'flood', gauge: { dataPoints: records(batch, { asInt: '1' }) } }] }] }] })],
    ['logs', 'streams', (batch: number) => ({ resourceLogs: [{ scopeLogs: [{ logRecords: records(batch, { body: { stringValue: 'flood' } }) }] }] })],
  ])('400,000 %s of %s that nothing stores are dropped before anything keeps them', async (signal, _, body) => {
    const [{ State: before }] = JSON.parse(await docker('inspect', alloy));
    const { endpoints } = await checkout.outputs();
    for (let batch = 0; batch < 40; batch += 1) {
      const { status } = await fetch(`${endpoints.otlpHttp}/v1/${signal}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body(batch)) });
      expect(status).toBe(200);
    }
    const [{ State: after, RestartCount }] = JSON.parse(await docker('inspect', alloy));
    expect([after.StartedAt, RestartCount]).toEqual([before.StartedAt, 0]);
    // Kept, they take more than 570 MiB.
    expect(await memoryOf(alloy)).toBeLessThan(300 * 2 ** 20);
  });

  it('is reached from a container by host.docker.internal', async () => {
    const { images } = await checkout.outputs();
    const script = "import urllib.request as u;r=u.Request('http://host.docker.internal:4318/v1/traces',b'{}',{'content-type':'application/json'});print(u.urlopen(r,timeout=10).status)";
    expect(await docker('run', '--rm', '--add-host', 'host.docker.internal:host-gateway', '--entrypoint', 'python3', images.phoenix.name, '-c', script)).toBe('200');
  });
});

describe('what breaks comes back by itself', () => {
  it.each([[phoenix], [alloy]])('after docker restart %s', async (container) => {
    const { endpoints } = await checkout.outputs();
    const before = await storedSpans(endpoints.phoenixUi, 'telemetrygen-http');
    await docker('restart', container);
    await until(`${container} to be healthy`, async () => (await health(container)) === 'healthy');
    expect(await checkout.verify()).toMatchObject({ ok: true });
    expect(await storedSpans(endpoints.phoenixUi, 'telemetrygen-http')).toBe(before);
  });

  it.each([
    ['removed', ['rm', '-f', alloy]],
    ['stopped', ['stop', phoenix]],
  ])('a container that was %s by hand is put back by npm run up', async (_, args) => {
    await docker(...args);
    const { traceId } = await checkout.up();
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(await plannedSteps()).toEqual([]);
  });
});

describe('verify names hop and cause', () => {
  it('when Alloy is stopped', async () => {
    await docker('stop', alloy);
    const { ok, failure } = await checkout.verify();
    expect(ok).toBe(false);
    expect(failure).toMatchObject({ hop: 'application -> Alloy' });
    expect(failure?.cause).toMatch(/^Alloy is not listening on http:\/\/127\.0\.0\.1:4318 \(connection refused\); container alloy-e2e is exited with 0$/);
    await docker('start', alloy);
    await until('Alloy to be healthy', async () => (await health(alloy)) === 'healthy');
  });

  it('when Phoenix is stopped, and the span arrives once it is back', async () => {
    const { endpoints } = await checkout.outputs();
    await docker('stop', phoenix);
    const { code, stdout } = await checkout.command('verify', ['--json', '--timeout', '3']);
    expect(code).toBe(1);
    const { ok, failure, traceId } = JSON.parse(stdout);
    expect(ok).toBe(false);
    expect(failure.hop).toBe('Alloy -> Phoenix');
    expect(failure.cause).toMatch(/^Phoenix does not take OTLP on http:\/\/127\.0\.0\.1:6006 \(the gate does not reach it\); container phoenix-e2e is exited with 0, container phoenix-e2e-gate is running, healthy; Alloy keeps what it has accepted on disk/);
    await docker('start', phoenix);
    await until(`the trace ${traceId} that waited in the queue`, async () => {
      const projects = (await (await fetch(`${endpoints.phoenixUi}/v1/projects?limit=1000`)).json()) as { data: { name: string }[] };
      const waiting = projects.data.find(({ name }) => name.startsWith('verify-'));
      const spans = waiting && (await fetch(`${endpoints.phoenixUi}/v1/projects/${waiting.name}/spans?trace_id=${traceId}`));
      return spans ? ((await spans.json()) as { data: unknown[] }).data.length === 1 : false;
    });
  });
});

describe('a changed setting', () => {
  const changes: readonly (readonly [what: string, key: string, value: string, steps: readonly string[]])[] = [
    ['a port', 'alloy:uiPort', '22345', ['replace alloy-server', 'update delivery']],
    ['a memory limit', 'phoenix:memory', '3GiB', ['update phoenix-server']],
    ['the retention', 'phoenix:retentionDays', '30', ['update phoenix-settings']],
    ['a store of metrics', 'prometheus:enabled', 'true', [
      'create prometheus', 'create prometheus-config', 'create prometheus-config-check', 'create prometheus-config-files', 'create prometheus-data', 'create prometheus-data-owner', 'create prometheus-image', 'create prometheus-server',
      'create prometheus-gate', 'create prometheus-gate-config', 'create prometheus-gate-config-files', 'create prometheus-gate-image', 'create prometheus-gate-server',
      'replace alloy-config-files', 'replace alloy-server', 'update delivery',
    ]],
    ['a store of logs', 'victorialogs:enabled', 'true', [
      'create victorialogs', 'create victorialogs-chown-image', 'create victorialogs-data', 'create victorialogs-data-owner', 'create victorialogs-image', 'create victorialogs-server',
      'create victorialogs-gate', 'create victorialogs-gate-config', 'create victorialogs-gate-config-files', 'create victorialogs-gate-image', 'create victorialogs-gate-server',
      'replace alloy-config-files', 'replace alloy-server', 'update delivery',
    ]],
    ['what is not stored', 'redact:pattern', 'unspeakable-[0-9]+', [
      'replace alloy-config-files', 'replace alloy-server', 'replace phoenix-gate-config-files', 'replace phoenix-gate-server', 'update intake', 'update delivery',
    ]],
  ];

  it.each(changes)('%s previews exactly that', async (_, key, value, steps) => {
    expect((await checkout.pulumi('config', 'set', key, value)).code).toBe(0);
    expect((await plannedSteps()).sort()).toEqual([...steps].sort());
    expect((await checkout.pulumi('config', 'rm', key)).code).toBe(0);
  });

  it('all of them are applied by one deployment', async () => {
    await checkout.up(Object.fromEntries(changes.map(([, key, value]) => [key, value])));
    expect(await plannedSteps()).toEqual([]);
  });

  it('shows the changed lines of the config', async () => {
    await checkout.pulumi('config', 'set', 'alloy:queue', '3GiB');
    const { stdout } = await checkout.pulumi('preview', '--diff');
    expect(stdout).toMatch(/-\s+queue_size\s+= 2147483648/);
    expect(stdout).toMatch(/\+\s+queue_size\s+= 3221225472/);
    await checkout.pulumi('config', 'rm', 'alloy:queue');
  });

  it('is in force', async () => {
    const { endpoints } = await checkout.outputs();
    expect(endpoints.alloyUi).toBe('http://127.0.0.1:22345');
    expect((await fetch(`${endpoints.alloyUi}/-/ready`)).status).toBe(200);
    expect(await docker('inspect', '--format', '{{.HostConfig.Memory}}', phoenix)).toBe(String(3 * 1024 ** 3));
    const query = '{ defaultProjectTraceRetentionPolicy { rule { ... on TraceRetentionRuleMaxDays { maxDays } } } }';
    const answer = await fetch(`${endpoints.phoenixUi}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query }) });
    expect(await answer.json()).toEqual({ data: { defaultProjectTraceRetentionPolicy: { rule: { maxDays: 30 } } } });
  });

  it('brings metrics to a real Prometheus, those of Alloy too, and its rules work', async () => {
    // For promtool.
    await aptInstall(['prometheus']);
    const { endpoints } = await checkout.outputs();
    const prometheus = endpoints.prometheus ?? '';
    expect(prometheus).toBe('http://127.0.0.1:9090');
    await finished(await pythonOtel(), [path.join(__dirname, 'seed_app.py')], {
      PHOENIX_COLLECTOR_ENDPOINT: `${endpoints.otlpHttp}/v1/traces`,
      ALLOY_HOST: '127.0.0.1',
    });
    await until('the counter of the seed application', async () =>
      (await queried(prometheus, 'last_over_time(requests_total{service_name="my-ai-service"}[5m])'))[0]?.value[1] === '1');
    await expectLlmMetrics(prometheus, endpoints.otlpHttp);
    await until("Alloy's own metrics", async () => (await queried(prometheus, `sum by (instance) (otelcol_receiver_accepted_spans_total{job="alloy"}) and on (instance) up{instance="${alloy}"} == 1`)).length === 1);
    const rules = async (): Promise<{ name: string; health: string; state: string }[]> =>
      ((await (await fetch(`${prometheus}/api/v1/rules`)).json()) as { data: { groups: { rules: { name: string; health: string; state: string }[] }[] } }).data.groups.flatMap((group) => group.rules);
    await until('each rule to be evaluated', async () => (await rules()).every(({ health }) => health !== 'unknown'));
    expect((await rules()).filter(({ health, state }) => health !== 'ok' || state === 'firing')).toEqual([]);
  });

  it('and its page is for this machine alone, to read', async () => {
    const { endpoints: { prometheus = '' } } = await checkout.outputs();
    const [host, query] = ['localhost:9090', '/api/v1/query?query=up'];
    const status = (method: string, path: string, headers: http.OutgoingHttpHeaders): Promise<number> => new Promise((resolve, reject) => {
      http.request(prometheus, { method, path, headers }, (answer) => resolve(answer.resume().statusCode ?? 0)).on('error', reject).end();
    });
    for (const [headers, expected] of [[{ host }, 200], [{ host: '[::1]:9090' }, 200], [{ host: 'rebound.example.com' }, 421], [{ host: 'prometheus:9090' }, 421], [{ host, origin: 'https://other.example.com' }, 403], [{ host, origin: 'http://localhost:9090' }, 200]] as const) {
      expect([headers, await status('GET', query, headers)]).toEqual([headers, expected]);
    }
    for (const wanted of ['/api/v1/write', '//api/v1/write', '/%61pi/v1/write', '/api/v1/otlp/v1/metrics', '/api/v1/admin/tsdb/snapshot', '/-/quit', '/-/reload']) {
      expect([wanted, await status('POST', wanted, { host })]).toEqual([wanted, 404]);
    }
  });

  it('brings logs to a real VictoriaLogs, each with the trace that it belongs to', async () => {
    const { endpoints } = await checkout.outputs();
    const victorialogs = endpoints.victorialogs ?? '';
    expect(victorialogs).toBe('http://127.0.0.1:9428');
    const found = async (): Promise<{ _msg: string; trace_id: string; severity_text: string }[]> => {
      const answer = await fetch(`${victorialogs}/select/logsql/query?query=${encodeURIComponent('{service.name="my-ai-service"}')}`);
      return (await answer.text()).split('\n').filter(Boolean).map((line) => JSON.parse(line) as Awaited<ReturnType<typeof found>>[number]);
    };
    await until('the log record of the seed application', async () => (await found()).length > 0);
    const [record] = await found();
    expect(record).toMatchObject({ _msg: 'answered', severity_text: 'WARN' });
    await until('its trace in Phoenix', async () => (await fetch(`${endpoints.phoenixUi}/redirects/traces/${record?.trace_id}`, { redirect: 'manual' })).status < 400);
  });

  it('which keeps what it has accepted when it is stopped, and whose page only reads', async () => {
    const { endpoints: { victorialogs = '', otlpHttp } } = await checkout.outputs();
    const marked = `kept-${Date.now()}`;
    const body = { resourceLogs: [{ resource: { attributes: [{ key: 'service.name', value: { stringValue: marked } }] }, scopeLogs: [{ logRecords: [{ timeUnixNano: `${Date.now()}000000`, body: { stringValue: marked } }] }] }] };
    const send = async (): Promise<number> => (await fetch(`${otlpHttp}/v1/logs`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).status;
    const count = async (): Promise<number> => {
      const answer = await fetch(`${victorialogs}/select/logsql/query?query=${encodeURIComponent(`{service.name="${marked}"}`)}`).catch(() => undefined);
      return answer?.ok ? (await answer.text()).split('\n').filter(Boolean).length : -1;
    };
    expect(await send()).toBe(200);
    await until('the record', async () => (await count()) === 1);
    await docker('stop', `victorialogs-${stack}`);
    // The store is away: this one waits at Alloy.
    expect(await send()).toBe(200);
    await docker('start', `victorialogs-${stack}`);
    await until('both records', async () => (await count()) === 2);
    for (const wanted of ['/insert/opentelemetry/v1/logs', '//insert/ready', '/%69nsert/ready', '/delete/active_tasks', '/internal/force_merge', '/debug/pprof/heap', '/flags']) {
      expect([wanted, (await fetch(`${victorialogs}${wanted}`)).status]).toEqual([wanted, 404]);
    }
    expect((await fetch(`${victorialogs}/health`, { headers: { origin: 'https://other.example.com' } })).status).toBe(403);
  });

  it('keeps what must not be stored out of the queue, the database, the stores and every log, and no way leads past that', async () => {
    const { endpoints } = await checkout.outputs();
    const [secret, mark] = [`unspeakable-${Date.now()}`, `speakable-${Date.now()}`];
    const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } });
    const nanoseconds = `${Date.now()}000000`;
    const span = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex'), name: secret, kind: 1, startTimeUnixNano: nanoseconds, endTimeUnixNano: nanoseconds, attributes: [text('input.value', `${mark} ${secret}`), text('openinference.span.kind', 'LLM'), text('llm.model_name', `${mark} ${secret}`)] };
    const traces = { resourceSpans: [{ resource: { attributes: [text('service.name', `${mark} ${secret}`)] }, scopeSpans: [{ scope: { name: 'e2e' }, spans: [span] }] }] };
    const logs = { resourceLogs: [{ resource: { attributes: [text('service.name', mark)] }, scopeLogs: [{ scope: { name: 'e2e' }, logRecords: [{ timeUnixNano: nanoseconds, body: { stringValue: `${mark} ${secret}` } }] }] }] };
    const send = async (url: string, body: object): Promise<number> => (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).status;
    /** How often each is in the files of a volume. */
    const inVolume = async (volume: string, image: string): Promise<boolean[]> => {
      const script = "import pathlib, sys; data = b''.join(p.read_bytes() for p in pathlib.Path('/volume').rglob('*') if p.is_file()); print(*(word.encode() in data for word in sys.argv[1:]))";
      return (await docker('run', '--rm', '--network', 'none', '--user', '0:0', '--entrypoint', 'python3', '--volume', `${volume}:/volume:ro`, image, '-c', script, secret, mark)).split(' ').map((word) => word === 'True');
    };
    const image = await docker('inspect', '--format', '{{.Config.Image}}', phoenix);
    await docker('stop', phoenix);
    expect(await send(`${endpoints.otlpHttp}/v1/traces`, traces)).toBe(200);
    expect(await send(`${endpoints.otlpHttp}/v1/logs`, logs)).toBe(200);
    // It waits on disk: what is searched is there.
    await until('the span in the queue', async () => (await inVolume(`alloy-${stack}-data`, image))[1]);
    expect(await inVolume(`alloy-${stack}-data`, image)).toEqual([false, true]);
    await docker('start', phoenix);
    await until('the span in the database', async () => (await inVolume(`phoenix-${stack}-data`, image))[1]);
    await until('the log record in its store', async () => (await (await fetch(`${endpoints.victorialogs}/select/logsql/query?query=${encodeURIComponent(mark)}`)).text()).includes(mark));
    await until('the call in its store', async () => (await queried(endpoints.prometheus ?? '', `{service_name=~"${mark}.*"}`)).length > 0);
    for (const volume of [`phoenix-${stack}-data`, `alloy-${stack}-data`, `prometheus-${stack}-data`]) {
      expect([volume, (await inVolume(volume, image))[0]]).toEqual([volume, false]);
    }
    expect(await (await fetch(`${endpoints.victorialogs}/select/logsql/query?query=${encodeURIComponent('*')}`)).text()).not.toContain(secret);
    const containers = (await docker('ps', '--all', '--format', '{{.Names}}', '--filter', 'label=llm-observability.stack')).split('\n').filter((name) => name.includes(`-${stack}`));
    expect(containers.length).toBeGreaterThan(5);
    for (const name of containers) {
      expect([name, (await docker('logs', name)).includes(secret)]).toEqual([name, false]);
    }
    // Past Alloy nothing would be removed.
    for (const url of [`${endpoints.phoenixOtlpHttp}/v1/traces`, `${endpoints.phoenixUi}/v1/traces`, `${endpoints.phoenixUi}//v1/%74races/`, `${endpoints.phoenixUi}/v1/projects/default/spans`]) {
      expect([url, await send(url, traces)]).toEqual([url, 403]);
    }
    const overGrpc = finished(await telemetrygen(), ['traces', '--otlp-endpoint', new URL(endpoints.phoenixOtlpGrpc ?? '').host, '--otlp-insecure', '--traces', '1']);
    await expect(overGrpc).resolves.toMatchObject({ output: expect.stringMatching(/PermissionDenied/) });
  });

  it('of only a health check really takes effect', async () => {
    const file = path.join(checkout.dir, 'components', 'alloy.ts');
    const source = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, source.replace("startPeriod: '30s'", "startPeriod: '31s'"));
    expect((await plannedSteps()).sort()).toEqual(['replace alloy-server', 'update delivery']);
    await checkout.up();
    expect(await docker('inspect', '--format', '{{.Config.Healthcheck.StartPeriod}}', alloy)).toBe('31s');
  });
});

describe('bad input', () => {
  it('is told all at once, with the commands that mend it, and changes nothing', async () => {
    const holder = net.createServer().listen(24317, '127.0.0.1');
    const bad = {
      'phoenix:uiPort': '70000', 'phoenix:otlpHttpPort': '14317', 'alloy:otlpGrpcPort': '24317', 'alloy:memory': '2GB',
      'alloy:bind': 'host.docker.internal', 'alloy:image': 'grafana/alloy', 'phoenix:image': 'arizephoenix/phoenix:version-8.0.0', 'phoenix:uiport': '1',
    };
    const settings = fs.readFileSync(path.join(checkout.dir, `Pulumi.${stack}.yaml`), 'utf8');
    const { code, stderr } = await checkout.command('up', ['--yes', ...Object.entries(bad).flatMap(([key, value]) => ['-c', `${key}=${value}`])]);
    await new Promise((resolve) => holder.close(resolve));
    expect(code).toBe(1);
    expect(stderr).toMatch(/8 problems with stack e2e; nothing was changed\./);
    for (const [key, value] of Object.entries(bad)) {
      expect(stderr).toContain(key === 'phoenix:uiport' ? 'phoenix:uiport' : `${key} is '${value}'`);
    }
    expect(stderr).toMatch(/\(pid \d+\) holds that port/);
    expect(stderr).not.toMatch(/^\s+at .*\.[jt]s:\d+/m);
    expect(fs.readFileSync(path.join(checkout.dir, `Pulumi.${stack}.yaml`), 'utf8')).toBe(settings);
    expect(await plannedSteps()).toEqual([]);
  });

  it('a passphrase that does not fit is named', async () => {
    const file = path.join(checkout.state, 'passphrase');
    const passphrase = fs.readFileSync(file);
    fs.writeFileSync(file, 'another one\n');
    const { code, stderr } = await checkout.command('up', ['--yes']);
    fs.writeFileSync(file, passphrase);
    expect(code).toBe(1);
    expect(stderr).toMatch(/state\/llm-observability\/passphrase does not fit the secrets of stack e2e/);
  });

  it('an engine that does not answer is named', async () => {
    const { code, stderr } = await checkout.command('up', ['--yes', '-c', 'docker:host=unix:///nowhere/docker.sock']);
    await checkout.pulumi('config', 'rm', 'docker:host');
    expect(code).toBe(1);
    expect(stderr).toMatch(/The Docker Engine at unix:\/\/\/nowhere\/docker\.sock \(docker:host\) does not answer/);
  });
});

describe('at a terminal', () => {
  const settings = (): string => fs.readFileSync(path.join(checkout.dir, `Pulumi.${stack}.yaml`), 'utf8');

  // The other ways to say no are those of every question (ask.test.ts).
  it.each([
    ['Enter', '\r'],
    ['Ctrl-C', '\x03'],
  ])('%s at the question of npm run up deploys nothing and keeps no setting', async (_, answer) => {
    const before = settings();
    const { seen, status } = await checkout.atTerminal('up', ['-c', 'phoenix:cpus=0.9'], [[question, answer]]);
    expect(seen).toMatch(/cpus|cpuQuota/i);
    expect(seen).toMatch(/Nothing was deployed\.\r\n/);
    expect(seen).not.toMatch(/^\s+at .*\.[jt]s:\d+/m);
    expect([status, settings()]).toEqual([1, before]);
    expect(await plannedSteps()).toEqual([]);
  });

  it('y deploys it, and the name of the stack is asked for before its data is deleted', async () => {
    const up = await checkout.atTerminal('up', [], [[question, 'y\r']]);
    expect([up.status, up.seen]).toEqual([0, expect.stringMatching(/http:\/\/127\.0\.0\.1:6006/)]);
    const down = await checkout.atTerminal('down', ['--purge'], [['Type the name of the stack to continue: ', 'yes\r']]);
    expect([down.status, down.seen]).toEqual([1, expect.stringContaining('Nothing was removed.')]);
    const kept = await checkout.atTerminal('down', [], [[`Remove stack ${stack}? Its data stays. [y/N] `, '\x03']]);
    expect([kept.status, kept.seen]).toEqual([1, expect.stringContaining('Nothing was removed.')]);
    expect(await plannedSteps()).toEqual([]);
  });

  it('a preview of a setting keeps nothing of it', async () => {
    const before = settings();
    expect(await checkout.command('up', ['--preview-only', '-c', 'phoenix:cpus=0.9'])).toMatchObject({ code: 0 });
    expect(settings()).toBe(before);
  });
});

describe('a run that was cut off', () => {
  it('by SIGTERM to npm alone, as supervisors send it: the deployment ends its step, and that is waited for', async () => {
    await docker('rm', '-f', phoenix);
    const { child, ended } = checkout.start('up', ['--yes']);
    await until('the container to be made', async () => (await docker('ps', '--quiet', '--filter', `name=^${phoenix}$`)) !== '');
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/Stopped\. Nothing is lost: the next run continues from here\./);
    expect(await checkout.up()).toMatchObject({ traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(await plannedSteps()).toEqual([]);
  });

  it.each([['SIGKILL'], ['SIGINT']] as const)('by %s in the middle of a deployment is gone on with', async (signal) => {
    await docker('rm', '-f', phoenix);
    const { child, ended } = checkout.start('up', ['--yes']);
    await until('the container to be made', async () => (await docker('ps', '--quiet', '--filter', `name=^${phoenix}$`)) !== '');
    // The whole group, as a terminal's Ctrl-C or a dying machine would.
    process.kill(-(child.pid ?? 0), signal);
    expect((await ended).code).not.toBe(0);
    const { traceId } = await checkout.up();
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(await plannedSteps()).toEqual([]);
  });
});

describe('the lines of README and docs for the Pulumi CLI', () => {
  const stackFile = (): string => path.join(checkout.dir, `Pulumi.${stack}.yaml`);
  const here = (line: string): string => line.replace(/^npm run pulumi --/, 'pulumi').replace(/--stack \w+/, `--stack ${stack}`).replace(/^pulumi (up|destroy)\b/, '$& --yes');
  const rest = pulumiLines.filter((line) => ![...pulumiNotRun, ...pulumiWithLogin, ...pulumiWithToken].includes(line));
  const configuring = rest.filter((line) => / config /.test(line));
  /** How a line is put: its keys are settings and its values are taken, docs-commands.test.ts says. */
  const form = (line: string): string => line.replace(/[a-z]+:\w+|KEY/, 'KEY').replace(/(?<= KEY )[^-'<]\S*/, 'VALUE').replace(/(?<=--stack )\w+/, 'STACK').replace(/(?<=< )\S+/, 'FILE');
  const settings = [...new Map(configuring.map((line) => [form(line), line])).values()];
  const moving = rest.filter((line) => / stack (change|export|init|import)/.test(line));
  const deployed = rest.filter((line) => ![...configuring, ...moving].includes(line));

  beforeAll(async () => expect(await checkout.pulumi('stack', 'select')).toMatchObject({ code: 0 }));

  it.each(settings)('%s', async (line) => {
    const before = fs.readFileSync(stackFile(), 'utf8');
    const [, verb = '', words = '', file] = / config (set|rm) (.*?)(?: < (\S+))?$/.exec(line) ?? [];
    const key = words.split(' ').find((word) => /^[a-z]+:\w+$|^KEY$/.test(word)) ?? '';
    const ours = key === 'KEY' ? 'phoenix:uiPort' : key;
    const typed = file === undefined ? 'typed-0' : 'of-a-file-0';
    try {
      if (file !== undefined) {
        fs.writeFileSync(path.join(checkout.dir, file), `${typed}\n`);
      }
      const { code, stderr } = await checkout.shell(here(line).replace('KEY', ours), `${typed}\n`);
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      const after = fs.readFileSync(stackFile(), 'utf8');
      if (verb === 'set') {
        expect(after).toContain(ours);
        expect(after).not.toBe(before);
      }
      expect(/--secret/.test(line) && after.includes(typed)).toBe(false);
    } finally {
      fs.writeFileSync(stackFile(), before);
      if (file !== undefined) {
        fs.rmSync(path.join(checkout.dir, file));
      }
    }
  });

  it.each(deployed.filter((line) => !line.includes('destroy')))('%s', async (line) => {
    const { code, stdout, stderr } = await checkout.shell(here(line));
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    if (/ output /.test(line)) {
      expect(JSON.parse(stdout)).toEqual(expect.anything());
    }
  });

  it('a stack moves to a folder of state that another checkout has made, and nothing of it changes', async () => {
    const [block = '', ...more] = blocks('docs/state.md').filter((each) => moving.every((line) => each.includes(line)));
    expect([moving.length, more]).toEqual([4, []]);
    const home = fs.mkdtempSync(path.join(os.tmpdir(), 'home-'));
    const moved = checkout.in({ env: { HOME: home, XDG_STATE_HOME: path.join(home, '.local', 'state') } });
    const old = path.join(checkout.dir, '.state');
    // What is downloaded and built for this machine stays where it is.
    fs.symlinkSync(path.join(os.homedir(), '.cache'), path.join(home, '.cache'));
    try {
      expect(await moved.shell('pulumi stack init other --no-select')).toMatchObject({ code: 0 });
      fs.renameSync(checkout.state, old);
      const { code, stderr } = await moved.shell(block.replaceAll('dev', stack));
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      fs.rmSync(old, { recursive: true });
      expect(await moved.plannedSteps()).toEqual([]);
      expect((await moved.outputs()).alloyPage.password).toMatch(/^\S{16,}$/);
    } finally {
      fs.rmSync(old, { recursive: true, force: true });
      fs.renameSync(moved.state, checkout.state);
      fs.rmSync(home, { recursive: true, force: true });
    }
    expect(await plannedSteps()).toEqual([]);
  });

  it('pulumi destroy: what is protected keeps all of it', async () => {
    const { code, stdout, stderr } = await checkout.shell(here('pulumi destroy'));
    expect([code === 0, `${stdout}${stderr}`]).toEqual([false, expect.stringContaining('protect')]);
    expect(await plannedSteps()).toEqual([]);
  });

  it.each(deployed.filter((line) => / destroy -/.test(line)))('%s', async (line) => {
    const { code, stderr } = await checkout.shell(here(line));
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(await docker('ps', '--all', '--quiet', '--filter', `label=llm-observability.stack=llm-observability/${stack}`)).toBe('');
    await checkout.up();
  });
});

describe('down', () => {
  it('removes the stack and keeps the data, which the next up takes up again', async () => {
    const { code, stderr } = await checkout.command('down', ['--yes']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/Its data stays in the volumes alloy-e2e-data, phoenix-e2e-data/);
    expect(await docker('ps', '--all', '--quiet', '--filter', `label=llm-observability.stack=llm-observability/${stack}`)).toBe('');
    const { endpoints } = await checkout.up();
    expect(await storedSpans(endpoints.phoenixUi, 'telemetrygen-grpc')).toBe(5000);
  });
});
