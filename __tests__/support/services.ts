/**
 * Alloy and Phoenix as far as a delivery check sees them: what they answered when this was recorded
 * (Alloy 1.11.0, Phoenix 20.26.1).
 */
import { at, type Engine } from '../../engine';
import type { Outputs } from '../../ops/support/outputs';
import type { Route } from '../../provider/route';
import { here } from '../../provider/reach';
import { site, type Reply, type Request, type Site } from './web';

/** A line of Alloy's log about a request that an exporter could not deliver, framed as the engine's log API sends it. */
export function exportError(exporter: 'phoenix' | 'central' | 'loki', error: string, end = 'interval=2.529925826s'): string {
  const level = end.startsWith('dropped') ? 'error msg="Exporting failed. Dropping data."' : 'info msg="Exporting failed. Will retry the request after interval."';
  return logged(`ts=2025-11-21T03:13:16.452994823Z level=${level} component_path=/ component_id=otelcol.exporter.otlphttp.${exporter} error=${JSON.stringify(error)} ${end}\n`);
}

/** A line of the gate's log about a request that was not taken behind it. */
export const refusal = (upstream: number, answered: number, uri = '/v1/traces'): string =>
  logged(`2025-11-21T03:13:16+00:00 refused upstream=${upstream} answered=${answered} uri=${uri}\n`);

/** A line of the gate's log about a request that led to nobody. */
export const gateError = (error: string): string =>
  logged(`2026/11/21 08:00:00 [error] 29#29: *1 ${error}, client: 172.18.0.3, server: , request: "POST /v1/traces HTTP/1.1", host: "central-gate:4318"\n`);

function logged(line: string): string {
  const header = Buffer.alloc(8);
  header[0] = 2;
  header.writeUInt32BE(Buffer.byteLength(line), 4);
  return header.toString('latin1') + line;
}

/** As Go writes a number in its metrics: from a million on with an exponent. */
const goFloat = (value: number): string => (value < 1e6 ? String(value) : value.toExponential().replace(/e\+(\d)$/, 'e+0$1'));

/** Alloy's metrics with this many MiB of 2 GiB waiting for the trace store; those of other signals and backends lead elsewhere. */
export function queueMetrics(waiting: number, traceStore: 'phoenix' | 'central' = 'phoenix'): string {
  const scope = 'otel_scope_name="go.opentelemetry.io/collector/exporter/exporterhelper",otel_scope_version=""';
  const line = (exporter: string, signal: string, mebibytes: number, metric = 'size'): string =>
    `otelcol_exporter_queue_${metric}{component_id="otelcol.exporter.otlphttp.${exporter}",component_path="/",data_type="${signal}",exporter="otlphttp/otelcol.exporter.otlphttp.${exporter}",${scope}} ${goFloat(mebibytes * 2 ** 20)}`;
  return [
    '# HELP otelcol_exporter_queue_capacity Fixed capacity of the retry queue (in batches) [alpha]',
    '# TYPE otelcol_exporter_queue_capacity gauge',
    line('loki', 'logs', 128, 'capacity'),
    line(traceStore, 'logs', 128, 'capacity'),
    line(traceStore, 'traces', 2048, 'capacity'),
    '# HELP otelcol_exporter_queue_size Current size of the retry queue (in batches) [alpha]',
    '# TYPE otelcol_exporter_queue_size gauge',
    line('loki', 'logs', 77),
    line('loki', 'traces', 0),
    line(traceStore, 'logs', 0),
    line(traceStore, 'metrics', 0),
    line(traceStore, 'traces', waiting),
    '',
  ].join('\n');
}

export interface Behaviour {
  /** Alloy's answer to spans. Default: 200. */
  readonly accept?: Reply;
  /** Default: nothing waits. */
  readonly metrics?: Reply;
  /** Phoenix's answer to OTLP. Default: 200. */
  readonly otlp?: Reply;
  /** Phoenix's answer to whether it can store. Default: 200. */
  readonly ready?: Reply;
  /** Looks at which the span is not there yet; `Infinity` never shows it. Default: 0. */
  readonly emptyLooks?: number;
  /** Times it is found to have stored others since it was asked last. Default: never. */
  readonly stores?: number;
  /** What Phoenix answers to every look, instead of the span. */
  readonly look?: Reply;
  /** Projects that are there besides the one of the check, or the answer to the question for them. */
  readonly projects?: readonly string[] | Reply;
  /** Whether Phoenix turns away whoever does not show its admin secret. */
  readonly auth?: boolean;
}

/** PHOENIX_ADMIN_SECRET of the stack, which it has with and without auth. */
export const adminSecret = 'the-admin-secret-of-the-stack-0123456789';

export interface Services {
  readonly alloy: Site;
  readonly alloyPage: Site;
  readonly phoenix: Site;
  readonly outputs: Outputs;
  /** To the same from this process. */
  readonly route: Route;
}

/**
 * An Alloy that hands every span to a Phoenix.
 * @param dockerHost where the outputs and the route have the engine; default: the usual one, which no test asks
 */
export async function services(behaviour: Behaviour = {}, dockerHost: string | null = null): Promise<Services> {
  const { accept = {}, metrics = { body: queueMetrics(0) }, otlp = {}, ready = {}, emptyLooks = 0, stores = 0, look, projects = [], auth = false } = behaviour;
  let looks = 0;
  let asked = 0;
  let own = '';
  const alloy = await site(({ body }) => {
    own = projectOf(body);
    return { body: { partialSuccess: {} }, ...accept };
  });
  const alloyPage = await site(({ url }) => (url === '/metrics' ? metrics : {}));
  const phoenix = await site(({ method, url, headers }: Request): Reply => {
    if (auth && headers.authorization !== `Bearer ${adminSecret}`) {
      return { status: 401, body: 'Invalid token' };
    }
    if (url === '/metrics') {
      asked += 1;
      return { body: `phoenix_bulk_loader_span_insertion_time_seconds_count ${Math.min(asked, stores)}.0\n` };
    }
    if (url === '/v1/traces') {
      return otlp;
    }
    if (url === '/readyz') {
      return ready;
    }
    if (method === 'DELETE') {
      return { status: 204 };
    }
    if (url === '/v1/projects?limit=1000') {
      return Array.isArray(projects) ? { body: { data: ['default', own, ...(projects as string[])].map((name) => ({ id: `id-${name}`, name })), next_cursor: null } } : (projects as Reply);
    }
    looks += 1;
    return look ?? (looks > emptyLooks ? { body: { data: [{ name: 'verify' }], next_cursor: null } } : { status: 404, body: `Project with identifier ${own} not found` });
  });
  return {
    alloy,
    alloyPage,
    phoenix,
    outputs: { ...outputs(alloy.url, alloyPage.url, phoenix.url, dockerHost), auth },
    route: { ...route(alloy.url, alloyPage.url, phoenix.url, at(dockerHost ?? 'unix:///nowhere/docker.sock')), headers: auth ? { authorization: `Bearer ${adminSecret}` } : {} },
  };
}

/** From this process to a deployed stack `dev` with these addresses. */
export function route(otlpHttp: string, alloyUi: string, phoenix: string, engine: Engine): Route {
  return { reach: here, inside: here, metrics: `${phoenix}/metrics`, engine, endpoints: { otlpHttp, alloyUi, phoenix }, containers, headers: {}, redeploy: 'npm run up' };
}

const containers = { phoenix: 'phoenix-dev', alloy: 'alloy-dev', gate: 'phoenix-dev-gate' };

/** Outputs of a deployed stack `dev` with these addresses. */
export function outputs(alloy: string, alloyUi: string, phoenix: string, dockerHost: string | null): Outputs {
  return {
    endpoints: {
      otlpHttp: alloy,
      otlpGrpc: 'http://127.0.0.1:4317',
      phoenixUi: phoenix,
      phoenixOtlpHttp: phoenix,
      phoenixOtlpGrpc: 'http://127.0.0.1:14317',
      alloyUi,
    },
    internal: { otlpHttp: 'http://alloy:4318', alloyUi: 'http://alloy:12345', phoenix: 'http://phoenix:6006' },
    auth: false,
    alloyPage: { user: 'alloy', password: 'the-password-of-the-page' },
    login: null,
    adminSecret,
    apiKeys: {},
    signals: { traces: 'phoenix', metrics: null, logs: null },
    containers,
    volumes: { phoenix: 'phoenix-dev-data', alloy: 'alloy-dev-data' },
    dockerHost,
    tunnel: null,
    remote: { otlp: { alloy: null, phoenix: null }, auth: false, tokens: {} },
    remoteAccess: {},
    images: {
      phoenix: { name: 'arizephoenix/phoenix:version-20.26.1-nonroot', digest: '', id: 'sha256:1d' },
      alloy: { name: 'grafana/alloy:v1.18.1', digest: '', id: 'sha256:2d' },
      gate: { name: 'nginx:1.28.0', digest: '', id: 'sha256:3d' },
    },
  };
}

/** The Phoenix project that the spans of an OTLP request go to. */
export function projectOf(body: string): string {
  const { resourceSpans } = JSON.parse(body) as { resourceSpans: { resource: { attributes: { key: string; value: { stringValue: string } }[] } }[] };
  return resourceSpans[0]?.resource.attributes.find(({ key }) => key === 'openinference.project.name')?.value.stringValue ?? '';
}
