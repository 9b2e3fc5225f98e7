import type { Backend, Protocol, Signal } from './backend';
import { alloyDirectories, ports, tlsFiles, tunnelSeconds } from './catalog';
import { compareVersions } from './image-reference';
import { llmMetrics, llmMetricsInput } from './llm-metrics';
import { ownMetrics } from './own-metrics';
import { redaction, redactionInput, type Redaction } from './redaction';
import { renderFile } from './template';
import { unreachable } from './unreachable';

export interface AlloyConfigArgs {
  /** Where telemetry goes; a signal without a backend is accepted and discarded. */
  readonly backends: readonly ResolvedBackend[];
  /** Version of Alloy, such as "1.18.1". */
  readonly version: string;
  /** Memory limit of its container. */
  readonly memoryMiB: number;
  /** Size of the disk queue for each kind of telemetry and OTLP backend. */
  readonly queueMiB: number;
  /** Largest accepted request, unpacked. Default: `largestRequestMiB(memoryMiB)`. */
  readonly requestMiB?: number;
  /** Whether it also accepts OTLP over TLS, on separate ports. Default: it does not. */
  readonly tls?: boolean;
  /** Whether clients on other machines need a token, on the same ports. Default: they do not. */
  readonly token?: boolean;
  /** Websites whose pages may send to it. Default: none. */
  readonly origins?: readonly string[];
  /** Whether language model calls and tokens are counted from spans, if a backend accepts remote write. Default: no. */
  readonly llmMetrics?: boolean;
  /** What is removed from all telemetry. Default: nothing. */
  readonly redaction?: Redaction | undefined;
  /** Share of traces that is kept, in percent; language model calls are counted in all of them. Default: 100. */
  readonly sampledPercent?: number;
  /** Whether the service of a span is its project in Phoenix, where the sender names none. Default: it is not. */
  readonly serviceAsProject?: boolean;
  /** The label `instance` of its own metrics, if a backend that accepts remote write gets them. Default: none does. */
  readonly ownMetrics?: string | undefined;
}

/** A backend whose endpoint is known; of its headers only the names are known. */
export type ResolvedBackend = Omit<Backend, 'endpoint'> & { readonly endpoint: string };

/** User for Alloy's page, with the password in the file. Its health and metrics endpoints need no login. */
export const pageUser = 'alloy';
export const pagePasswordFile = `${alloyDirectories.secrets}/page`;
/** The bearer token that clients on other machines send. */
export const tokenFile = `${alloyDirectories.secrets}/token`;

export const alloyConfigFile = `${alloyDirectories.config}/config.alloy`;

/** The version since which Alloy behaves differently, according to its change log and its source. */
const since = {
  /** The receiver has `write_timeout`, and its default of 30 s cuts off the answer to a slow sender. */
  writeTimeout: '1.18.0',
  /** The queue file is named after the exporter's new type, `otlp_http`; before, `otlphttp`. */
  otlpHttpType: '1.15.0',
} as const;

const atLeast = (version: string, first: string): boolean => compareVersions(version, first) >= 0;

const clamp = (least: number, value: number, most: number): number => Math.min(most, Math.max(least, Math.floor(value)));

/**
 * Largest OTLP request in MiB, unpacked: prompts exceed the defaults of 4 MiB (gRPC) and 20 MiB (HTTP). Alloy needs about
 * five times the size of a request while it receives it, and more for what waits in its exporters. With a sixteenth of the
 * memory, eight of the largest at once sometimes exhaust it while the backend is down, sixteen always do (Alloy 1.11.0, 384MiB
 * to 1GiB): no setting limits how many it reads at once, and its memory limiter sees a request only after it is read.
 */
export function largestRequestMiB(memoryMiB: number): number {
  return clamp(1, memoryMiB / 16, 64);
}

/** Requests that an exporter sends at a time; each holds one of any size while its backend does not accept it. */
const consumers = (memoryMiB: number): number => clamp(1, memoryMiB / 256, 10);

/**
 * Bytes, unpacked, in a request to a backend behind a tunnel: at most the largest request that the other end accepts, because
 * a larger one is answered with 400, which loses it. It is below Cloudflare's limit of 100 MB.
 */
const tunnelBatch = (requestMiB: number): { maxSize: number } => ({ maxSize: requestMiB * 2 ** 20 });

/** File from which Alloy reads a header's value. */
export const secretFile = (backend: string, header: string): string => `${alloyDirectories.secrets}/${backend}.${header}`;

/** How long metrics wait for their store: longer than a weekend and the time to notice. */
const metricsHours = 96;

/** Where spans are sent to be sampled. */
const samplerInput = 'otelcol.processor.probabilistic_sampler.traces.input';

/** The pipeline's entry for the telemetry that a backend accepts. */
function inputOf({ protocol, name }: ResolvedBackend): string {
  switch (protocol) {
    case 'otlphttp':
      return `otelcol.exporter.otlphttp.${name}.input`;
    case 'remote-write':
      return `otelcol.exporter.prometheus.${name}.input`;
    default:
      return unreachable(protocol);
  }
}

/** Alloy's configuration, as `alloy fmt` would write it. */
export function alloyConfig({ backends, version, memoryMiB, queueMiB, requestMiB = largestRequestMiB(memoryMiB), tls = false, token = false, origins = [], llmMetrics: counted = false, ownMetrics: instance, redaction: removed, sampledPercent: percent = 100, serviceAsProject = false }: AlloyConfigArgs): string {
  const takers = (signal: Signal): string[] => backends.filter(({ signals }) => signals.includes(signal)).map(inputOf);
  const [traces, metrics, logs] = [takers('traces'), takers('metrics'), takers('logs')];
  const stores = backends.filter(({ protocol }) => protocol === 'remote-write').map(({ name }) => `prometheus.remote_write.${name}.receiver`);
  const counters = counted && traces.length > 0 ? stores : [];
  const of = (protocol: Protocol): object[] =>
    backends
      .filter((backend) => backend.protocol === protocol)
      .map(({ name, endpoint, signals, tunnelled, headers = {} }) => ({
        name,
        endpoint,
        batch: tunnelled ? tunnelBatch(requestMiB) : false,
        timeout: tunnelled ? `${tunnelSeconds}s` : false,
        signals: signals.join(', '),
        authenticated: Object.keys(headers).length > 0,
        headers: Object.keys(headers).map((header, index) => ({ header, first: index === 0, label: `${name}_${header.replace(/\W/g, '_')}`, file: secretFile(name, header) })),
      }));
  const [toMetrics, toLogs] = [
    (metrics.length ? metrics : ['otelcol.processor.filter.discard_metrics.input']).join(', '),
    (logs.length ? logs : ['otelcol.processor.filter.discard_logs.input']).join(', '),
  ];
  const kept = percent < 100 && traces.length > 0 ? [samplerInput] : traces;
  const toTraces = [...kept, ...(counters.length > 0 ? [llmMetricsInput] : [])].join(', ');
  const entry = removed === undefined ? undefined : redactionInput;
  const config = renderFile('alloy/config.alloy.mustache', {
    pageUser,
    pagePasswordFile,
    receivers: [
      { label: 'default', what: 'Applications send here.', grpcPort: ports.alloy.otlpGrpc, httpPort: ports.alloy.otlpHttp, files: false, token: false },
      ...(tls || token ? [{
        label: tls ? 'tls' : 'token',
        what: 'Those on other machines send here.',
        grpcPort: ports.alloy.tlsGrpc,
        httpPort: ports.alloy.tlsHttp,
        files: tls && tlsFiles(alloyDirectories.tls),
        token: token && { file: tokenFile },
      }] : []),
    ],
    cors: origins.length > 0 && { origins: origins.map((origin) => JSON.stringify(origin)).join(', ') },
    maxRequest: `${requestMiB}MiB`,
    answersSlowSenders: atLeast(version, since.writeTimeout),
    // It refuses data from the difference of the two. The rest is for garbage that Go has not collected yet, and for requests
    // that are being read.
    memoryLimit: `${Math.floor(memoryMiB * 0.55)}MiB`,
    memorySpike: `${Math.floor(memoryMiB * 0.2)}MiB`,
    project: traces.length > 0 && { attribute: 'llm-observability.project', serviceAsProject, traces: entry ?? toTraces },
    metrics: entry ?? toMetrics,
    logs: entry ?? toLogs,
    usesQueue: of('otlphttp').length > 0,
    queueDirectory: alloyDirectories.queue,
    queueBytes: queueMiB * 2 ** 20,
    consumers: consumers(memoryMiB),
    otlpBackends: of('otlphttp'),
    remoteWriteBackends: of('remote-write'),
    metricsHours,
    discardsMetrics: metrics.length === 0,
    discardsLogs: logs.length === 0,
  });
  return [
    config,
    ...(removed === undefined ? [] : [redaction(removed, { traces: toTraces, metrics: toMetrics, logs: toLogs })]),
    ...(kept === traces ? [] : [renderFile('alloy/sampling.alloy.mustache', { percent, traces: traces.join(', ') })]),
    ...(counters.length > 0 ? [llmMetrics(counters, memoryMiB)] : []),
    ...(instance !== undefined && stores.length > 0 ? [ownMetrics(stores, instance)] : []),
  ].join('');
}

/** The program that starts this version of Alloy: with the existing queue, or without what it cannot read. */
export function alloyStart(version: string): string {
  const types = ['otlphttp', 'otlp_http'];
  const [type, otherType] = atLeast(version, since.otlpHttpType) ? types.reverse() : types;
  return renderFile('alloy/start.sh.mustache', { queue: alloyDirectories.queue, damaged: alloyDirectories.damaged, type, otherType });
}
