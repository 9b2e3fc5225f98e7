import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import * as random from '@pulumi/random';
import { beyondThisMachine } from './address';
import { alloyConfig, alloyConfigFile, alloyStart, pagePasswordFile, pageUser, secretFile, tokenFile } from './alloy-config';
import type { Backend } from './backend';
import { aliases, alloyDirectories, images, oldest, ports, users } from './catalog';
import { fileVolume } from './file-volume';
import { hostName, stackLabel } from './names';
import type { Redaction } from './redaction';
import { versionOf } from './image-reference';
import { checkTls, published, tlsVolume, urlAt, type Tls } from './tls';
import { configLabel } from './config-label';
import { transforming, type Transforms } from './transform';
import * as workload from './workload';
import { wrongInput } from './wrong-input';

export interface AlloyArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on every resource created here. */
  readonly owner: string;
  readonly network: docker.Network;
  /** Image reference with a version. */
  readonly image: pulumi.Input<string>;
  /** Where telemetry goes; a signal without a backend is accepted and discarded. */
  readonly backends: readonly Backend[];
  /** Host addresses for the two OTLP ports. */
  readonly bind: readonly string[];
  /**
   * TLS on some of these addresses.
   * @default all are plain
   */
  readonly tls?: Tls | undefined;
  /**
   * The addresses on which a token is required.
   * @default none
   */
  readonly tokenOn?: readonly string[];
  /**
   * Websites whose pages may send to it.
   * @default none
   */
  readonly origins?: readonly string[];
  readonly otlpGrpcPort: number;
  readonly otlpHttpPort: number;
  /** Whether a store of metrics gets those of language models. @default false */
  readonly llmMetrics?: boolean;
  /** Whether a store of metrics gets Alloy's own. @default false */
  readonly ownMetrics?: boolean;
  /** What is removed from all telemetry before it is written to disk. @default nothing */
  readonly redaction?: Redaction | undefined;
  /** Share of traces that is kept, in percent. @default 100 */
  readonly sampledPercent?: number;
  /** Whether the service of a span is its project in Phoenix, where the sender names none. @default false */
  readonly serviceAsProject?: boolean;
  /** Host port of Alloy's page, on loopback. */
  readonly uiPort: number;
  /** Port mappings that the engine lists for running containers. @default nothing */
  readonly listed?: workload.ListedPorts;
  readonly memoryMiB: number;
  /** Size of the disk queue for each kind of telemetry and OTLP backend. */
  readonly queueMiB: number;
  /** Largest accepted request, unpacked. @default derived from its memory */
  readonly requestMiB?: number;
  /** As the provider reads it back: "1.0". */
  readonly cpus: string;
  /** What the engine's kernel can limit. @default everything */
  readonly limits?: workload.Limits | undefined;
  /** Whether the volume with its queue can neither be destroyed nor replaced. */
  readonly protectData: boolean;
  /**
   * Overrides for each child.
   * @default none
   */
  readonly transform?: Transforms;
}

const startFile = `${alloyDirectories.config}/start.sh`;
const loopback = '127.0.0.1';

/**
 * Command of the health check; the image has bash and no curl. `/-/ready` returns 200 even when an exporter did not start, and
 * does not show whether the receiver answers. An empty request does, and is not forwarded.
 */
const takesOtlp = [
  'bash', '-c',
  [
    `ask() { exec 3<>/dev/tcp/127.0.0.1/$1 && printf "$2\\r\\n\\r\\n" >&3 && read -r status <&3 && [[ $status == *' 200 '* ]]; }`,
    `ask ${ports.alloy.ui} 'GET /-/healthy HTTP/1.0' && ask ${ports.alloy.otlpHttp} 'POST /v1/traces HTTP/1.0\\r\\nContent-Type: application/x-protobuf\\r\\nContent-Length: 0'`,
  ].join('\n'),
];

/** @throws InputPropertyError for addresses for which it is not stated who may send */
function checkBind({ bind, tls, tokenOn }: AlloyArgs): void {
  const beyond = beyondThisMachine(bind, []);
  if (beyond.length > 0 && tokenOn === undefined) {
    throw wrongInput('tokenOn', `bind publishes Alloy on ${beyond.join(', ')}; name the addresses on which it asks for a token, or [] if anyone who reaches it may send`);
  }
  const others = tokenOn?.filter((address) => !bind.includes(address)) ?? [];
  if (others.length > 0) {
    throw wrongInput('tokenOn', `${others.join(', ')} is not in bind`);
  }
  checkTls('tls', tls, bind);
}

/**
 * Grafana Alloy: receives OTLP from applications and sends each signal to its backends. What a backend
 * does not accept yet waits in a queue on a named volume that outlives the stack.
 */
export class Alloy extends pulumi.ComponentResource {
  /** Name of the container on the Docker host. */
  readonly containerName: pulumi.Output<string>;
  /** Name of the volume that holds the queue. */
  readonly volumeName: pulumi.Output<string>;
  readonly image: docker.RemoteImage;
  /** Values that change when anything on a span's path through Alloy changes. */
  readonly path: readonly pulumi.Output<string>[];
  /** Addresses on the private network. */
  readonly internal: { readonly otlpHttp: string; readonly ui: string };
  /** Addresses on the Docker host; the OTLP ones at the first address of `bind`. */
  readonly endpoints: { readonly otlpHttp: string; readonly otlpGrpc: string; readonly ui: string };
  /** Who may see Alloy's page; secret. */
  readonly page: pulumi.Output<{ readonly user: string; readonly password: string }>;
  /** The token that clients on other machines need, if it requires one; secret. */
  readonly token: pulumi.Output<string> | undefined;

  constructor(name: string, args: AlloyArgs, opts?: pulumi.ComponentResourceOptions) {
    checkBind(args);
    super('llm-observability:index:Alloy', name, {}, transforming(args.transform, opts));
    const child = { parent: this };
    const labels = { [stackLabel]: args.owner };

    const { tokenOn = [] } = args;
    const asksToken = tokenOn.length > 0;
    const others = args.tls?.addresses ?? tokenOn;
    const version = pulumi.output(args.image).apply((reference) => versionOf(reference) ?? versionOf(images.alloy) ?? oldest.alloy);
    const config = pulumi
      .all([version, pulumi.all(args.backends.map((backend) => pulumi.output(backend.endpoint)))])
      .apply(([known, endpoints]) => alloyConfig({ ...args, ownMetrics: args.ownMetrics ? hostName('alloy', args.stack) : undefined, tls: args.tls !== undefined, token: asksToken, version: known, backends: args.backends.map((backend, i) => ({ ...backend, endpoint: endpoints[i] ?? '' })) }));
    const start = version.apply(alloyStart);

    const password = pulumi.secret(new random.RandomPassword(`${name}-page-password`, { length: 24, special: false }, child).result);
    this.page = pulumi.secret(password.apply((known) => ({ user: pageUser, password: known })));
    this.token = asksToken ? pulumi.secret(new random.RandomPassword(`${name}-token`, { length: 40, special: false }, child).result) : undefined;
    const credentials = args.backends.flatMap(({ name: backend, headers: named = {} }) =>
      Object.entries(named).map(([header, value]) => [secretFile(backend, header), pulumi.secret(value)] as const));

    // Kept when the stack is removed: undelivered spans may wait in it.
    const data = new docker.Volume(
      `${name}-data`,
      { name: hostName('alloy', args.stack, 'data'), labels: [{ label: stackLabel, value: args.owner }] },
      { ...child, retainOnDelete: true, ...(args.protectData ? { protect: true } : {}) },
    );
    this.image = workload.image(`${name}-image`, args.image, child);
    const from = { image: this.image, owner: args.owner };
    const configured = fileVolume(
      { volume: `${name}-config`, files: `${name}-config-files` },
      {
        ...from,
        volumeName: hostName('alloy', args.stack, 'config'),
        containerName: hostName('alloy', args.stack, 'config-files'),
        path: alloyDirectories.config,
        files: { [alloyConfigFile]: config, [startFile]: start },
      },
      child,
    );
    // Alloy checks the files every second: a new key takes effect without a restart.
    const shown = fileVolume(
      { volume: `${name}-secrets`, files: `${name}-secret-files` },
      {
        ...from,
        volumeName: hostName('alloy', args.stack, 'secrets'),
        containerName: hostName('alloy', args.stack, 'secret-files'),
        path: alloyDirectories.secrets,
        files: { [pagePasswordFile]: password, ...(this.token ? { [tokenFile]: this.token } : {}), ...Object.fromEntries(credentials) },
      },
      child,
    );

    // Alloy also reloads these by itself.
    const certified = args.tls && tlsVolume(`${name}-tls`, args.tls, {
      ...from,
      volumeName: hostName('alloy', args.stack, 'tls'),
      containerName: hostName('alloy', args.stack, 'tls-files'),
      directory: alloyDirectories.tls,
      reader: users.alloy,
    }, child);

    const container = workload.service(
      `${name}-server`,
      {
        containerName: hostName('alloy', args.stack),
        image: this.image,
        // Reloading in place has open bugs for receivers: a new config replaces the container.
        labels: { ...labels, ...configLabel(pulumi.interpolate`${config}${start}`) },
        user: users.alloy,
        networks: [{ network: args.network, aliases: [aliases.alloy] }],
        mounts: [
          { volume: data.name, path: alloyDirectories.data },
          configured.mount,
          shown.mount,
          ...(certified ? [certified.mount] : []),
        ],
        entrypoint: ['bash', startFile],
        command: [
          'run', alloyConfigFile,
          `--storage.path=${alloyDirectories.data}/data`,
          `--server.http.listen-addr=0.0.0.0:${ports.alloy.ui}`,
          // The disk queue (otelcol.storage.file) has this stability level.
          '--stability.level=public-preview',
          '--disable-reporting',
          '--server.http.enable-pprof=false',
          '--server.http.disable-support-bundle',
        ],
        ports: [
          ...published({ plain: ports.alloy.otlpGrpc, others: ports.alloy.tlsGrpc }, args.otlpGrpcPort, args.bind, others),
          ...published({ plain: ports.alloy.otlpHttp, others: ports.alloy.tlsHttp }, args.otlpHttpPort, args.bind, others),
          { internal: ports.alloy.ui, external: args.uiPort, addresses: [loopback] },
        ],
        listed: args.listed ?? {},
        healthCheck: {
          command: takesOtlp,
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
      },
      { ...child, dependsOn: [configured.written, shown.written, ...(certified ? [certified.written] : [])] },
    );

    const [address = loopback] = args.bind;
    this.containerName = container.name;
    this.volumeName = data.name;
    this.path = [container.id, shown.written.id];
    this.internal = { otlpHttp: `http://${aliases.alloy}:${ports.alloy.otlpHttp}`, ui: `http://${aliases.alloy}:${ports.alloy.ui}` };
    this.endpoints = {
      otlpHttp: urlAt(address, args.otlpHttpPort, args.tls),
      otlpGrpc: urlAt(address, args.otlpGrpcPort, args.tls),
      ui: `http://${loopback}:${args.uiPort}`,
    };
    this.registerOutputs({ endpoints: this.endpoints, containerName: this.containerName, volumeName: this.volumeName });
  }
}
