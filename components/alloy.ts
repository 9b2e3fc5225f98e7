import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { Backend, Signal } from './backend';
import { hostName, maxOtlpRequest, ports, stackLabel, tunnelSeconds, users } from './catalog';
import { renderFile } from './template';
import * as workload from './workload';

export interface AlloyArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on everything made here. */
  readonly owner: string;
  readonly network: docker.Network;
  /** Image reference with a version. */
  readonly image: string;
  /** Where telemetry goes; a signal without a backend is accepted and discarded. */
  readonly backends: readonly Backend[];
  /** Host addresses for the two OTLP ports. */
  readonly bind: readonly string[];
  readonly otlpGrpcPort: number;
  readonly otlpHttpPort: number;
  /** Host port of Alloy's page, on loopback: it has no login. */
  readonly uiPort: number;
  /** What the engine lists for the containers that run already. */
  readonly listed: workload.ListedPorts;
  readonly memoryMiB: number;
  /** As the provider reads it back: "1.0". */
  readonly cpus: string;
  /** What the engine's kernel can limit. Default: everything. */
  readonly limits?: workload.Limits | undefined;
  /** Whether the volume with its queue can neither be destroyed nor replaced. */
  readonly protectData: boolean;
  readonly transform?: { readonly container?: workload.Transform<docker.ContainerArgs> };
}

/** Host name on the private network. */
const alias = 'alloy';
const dataDir = '/var/lib/alloy';
const configDir = '/etc/alloy';
const configFile = `${configDir}/config.alloy`;
const secretsDir = '/etc/alloy-secrets';
const loopback = '127.0.0.1';

/**
 * Requests that wait on disk for one backend before applications get 503 and must keep their own:
 * hours of an outage for a busy service, at one request a second and exporter.
 */
const queueSize = 10_000;

/**
 * Bytes, uncompressed, in a request to a backend behind a tunnel. A batch is sent at `minSize` and holds at most one
 * accepted request more, so it stays below `maxSize`, which is below the 100 MB that Cloudflare takes. `maxSize` must
 * not be less than what the receiver takes: a span larger than it is dropped (exporterhelper's MergeSplit).
 */
const tunnelBatch = { minSize: 1_000_000, maxSize: 90_000_000 };

/** A backend whose endpoint is known; of its headers only the names are. */
type ResolvedBackend = Omit<Backend, 'endpoint'> & { readonly endpoint: string };

/** File from which Alloy reads a header's value. */
const secretFile = (backend: string, header: string): string => `${secretsDir}/${backend}.${header}`;

/** Alloy's configuration for these backends, as `alloy fmt` would write it. */
export function alloyConfig(backends: readonly ResolvedBackend[]): string {
  const component = ({ protocol, name }: ResolvedBackend): string =>
    protocol === 'otlphttp' ? `otelcol.exporter.otlphttp.${name}.input` : `otelcol.exporter.prometheus.${name}.input`;
  const takers = (signal: Signal): string[] => backends.filter(({ signals }) => signals.includes(signal)).map(component);
  const [traces, metrics, logs] = [takers('traces'), takers('metrics'), takers('logs')];
  const of = (protocol: Backend['protocol']): object[] =>
    backends
      .filter((backend) => backend.protocol === protocol)
      .map(({ name, endpoint, signals, tunnelled, headers = {} }) => ({
        name,
        endpoint,
        batch: tunnelled ? tunnelBatch : false,
        timeout: tunnelled ? `${tunnelSeconds}s` : false,
        signals: signals.join(', '),
        authenticated: Object.keys(headers).length > 0,
        headers: Object.keys(headers).map((header, index) => ({ header, first: index === 0, label: `${name}_${header.replace(/\W/g, '_')}`, file: secretFile(name, header) })),
      }));
  return renderFile('alloy/config.alloy.mustache', {
    grpcPort: ports.alloy.otlpGrpc,
    httpPort: ports.alloy.otlpHttp,
    maxRequest: maxOtlpRequest,
    traces: traces.join(', '),
    metrics: (metrics.length ? metrics : ['otelcol.exporter.prometheus.discard.input']).join(', '),
    logs: (logs.length ? logs : ['otelcol.exporter.loki.discard.input']).join(', '),
    usesQueue: of('otlphttp').length > 0,
    queueDirectory: `${dataDir}/queue`,
    queueSize,
    otlpBackends: of('otlphttp'),
    remoteWriteBackends: of('remote-write'),
    discardsMetrics: metrics.length === 0,
    discardsLogs: logs.length === 0,
  });
}

/**
 * Grafana Alloy: takes OTLP from applications and hands each signal to its backends. What a backend
 * cannot take yet waits in a queue on a named volume that outlives the stack.
 */
export class Alloy extends pulumi.ComponentResource {
  /** Name of the container on the Docker host. */
  readonly containerName: pulumi.Output<string>;
  /** Name of the volume that holds the queue. */
  readonly volumeName: pulumi.Output<string>;
  readonly image: docker.RemoteImage;
  /** What is another when anything that a span meets in Alloy is another. */
  readonly path: readonly pulumi.Output<string>[];
  /** Addresses on the private network. */
  readonly internal: { readonly otlpHttp: string; readonly ui: string };
  /** Addresses on the Docker host; the OTLP ones at the first address of `bind`. */
  readonly endpoints: { readonly otlpHttp: string; readonly otlpGrpc: string; readonly ui: string };

  constructor(name: string, args: AlloyArgs, opts?: pulumi.ComponentResourceOptions) {
    super('llm-observability:index:Alloy', name, {}, opts);
    const child = { parent: this };
    const labels = { [stackLabel]: args.owner };

    const config = pulumi
      .all(args.backends.map((backend) => pulumi.output(backend.endpoint)))
      .apply((endpoints) => alloyConfig(args.backends.map((backend, i) => ({ ...backend, endpoint: endpoints[i] ?? '' }))));

    const secrets = args.backends.flatMap(({ name: backend, headers = {} }) =>
      Object.entries(headers).map(([header, value]) => [secretFile(backend, header), pulumi.secret(value)] as const));

    // Kept when the stack goes: spans that nobody has taken yet may wait in it.
    const data = new docker.Volume(
      `${name}-data`,
      { name: hostName('alloy', args.stack, 'data'), labels: [{ label: stackLabel, value: args.owner }] },
      { ...child, retainOnDelete: true, protect: args.protectData },
    );
    this.image = workload.image(`${name}-image`, args.image, child);
    const from = { image: this.image, owner: args.owner };
    const configured = workload.fileVolume(
      { volume: `${name}-config`, files: `${name}-config-files` },
      {
        ...from,
        volumeName: hostName('alloy', args.stack, 'config'),
        containerName: hostName('alloy', args.stack, 'config-files'),
        path: configDir,
        files: { [configFile]: config },
      },
      child,
    );
    // Alloy looks at the files every second: a new key reaches it without a restart.
    const shown = secrets.length === 0 ? [] : [workload.fileVolume(
      { volume: `${name}-secrets`, files: `${name}-secret-files` },
      {
        ...from,
        volumeName: hostName('alloy', args.stack, 'secrets'),
        containerName: hostName('alloy', args.stack, 'secret-files'),
        path: secretsDir,
        files: Object.fromEntries(secrets),
      },
      child,
    )];

    const container = workload.service(
      `${name}-server`,
      {
        containerName: hostName('alloy', args.stack),
        image: this.image,
        // Reloading in place has open bugs for receivers: another config is another container.
        labels: { ...labels, ...workload.configLabel(config) },
        user: users.alloy,
        network: args.network,
        alias,
        // Prometheus and Loki may run on the host itself.
        reachesHost: true,
        mounts: [
          { volume: data.name, path: dataDir },
          configured.mount,
          ...shown.map(({ mount }) => mount),
        ],
        command: [
          'run', configFile,
          `--storage.path=${dataDir}/data`,
          `--server.http.listen-addr=0.0.0.0:${ports.alloy.ui}`,
          // The disk queue (otelcol.storage.file) is at this level.
          '--stability.level=public-preview',
          '--disable-reporting',
          '--server.http.enable-pprof=false',
          '--server.http.disable-support-bundle',
        ],
        ports: [
          { internal: ports.alloy.otlpGrpc, external: args.otlpGrpcPort, addresses: args.bind },
          { internal: ports.alloy.otlpHttp, external: args.otlpHttpPort, addresses: args.bind },
          { internal: ports.alloy.ui, external: args.uiPort, addresses: [loopback] },
        ],
        listed: args.listed,
        healthCheck: {
          // The image has bash and no curl.
          command: workload.httpProbe(ports.alloy.ui, '/-/ready', 200),
          interval: '2s',
          timeout: '5s',
          startPeriod: '30s',
          retries: 15,
          waitSeconds: 120,
        },
        memoryMiB: args.memoryMiB,
        cpus: args.cpus,
        limits: args.limits,
        stopSeconds: 30,
        ...(args.transform?.container ? { transform: args.transform.container } : {}),
      },
      { ...child, dependsOn: [configured.written, ...shown.map(({ written }) => written)] },
    );

    const [address = loopback] = args.bind;
    const at = workload.reachable(address);
    this.containerName = container.name;
    this.volumeName = data.name;
    this.path = [container.id, ...shown.map(({ written }) => written.id)];
    this.internal = { otlpHttp: `http://${alias}:${ports.alloy.otlpHttp}`, ui: `http://${alias}:${ports.alloy.ui}` };
    this.endpoints = {
      otlpHttp: `http://${at}:${args.otlpHttpPort}`,
      otlpGrpc: `http://${at}:${args.otlpGrpcPort}`,
      ui: `http://${loopback}:${args.uiPort}`,
    };
    this.registerOutputs({ endpoints: this.endpoints, containerName: this.containerName, volumeName: this.volumeName });
  }
}
