import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { Backend } from './backend';
import { hostName, ports, stackLabel, tunnelSeconds, users } from './catalog';
import { renderFile } from './template';
import * as workload from './workload';

export interface GateArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on everything made here. */
  readonly owner: string;
  /** Private network on which the gate is `<backend>-gate`. */
  readonly network: docker.Network;
  /** Reference of an nginx image with a version. */
  readonly image: string;
  /** What stands behind it; it takes OTLP over HTTP. */
  readonly backend: Backend;
  /** Base URL of what takes `POST /v1/traces` in its place. Default: nothing does. */
  readonly journal?: string | undefined;
  /** What the engine's kernel can limit. Default: everything. */
  readonly limits?: workload.Limits | undefined;
  readonly transform?: { readonly container?: workload.Transform<docker.ContainerArgs> };
}

const configDir = '/etc/gate';
const configFile = `${configDir}/nginx.conf`;

/** While this file is there, nothing is let through. */
export const closedFile = '/tmp/closed';

/**
 * Refusals that reach Alloy as they are. The first four say that the data is bad: sent again, it would block
 * the queue for ever. The others are the ones that Alloy retries by itself.
 */
export const passedCodes: readonly number[] = [400, 413, 415, 422, 429, 502, 503, 504];

/** nginx's own word for a client that hung up; it refuses to start with a rule for it. */
const hungUp = 499;

/**
 * nginx's configuration for a gate in front of this base URL. (From a backend, 408 and 444 end as a cut connection,
 * whatever the rules say: Alloy tries those again, too.)
 */
export function gateConfig(backendUrl: string, tunnelled = false, journal?: string): string {
  const { protocol, origin, pathname } = new URL(backendUrl);
  const rows = Array.from({ length: 30 }, (_, row) => Array.from({ length: 10 }, (_, column) => 300 + row * 10 + column));
  return renderFile('gate/nginx.conf.mustache', {
    port: ports.gate.otlpHttp,
    healthPort: ports.gate.health,
    closedFile,
    upstream: `${origin}${pathname.replace(/\/$/, '')}`,
    journal: journal === undefined ? false : { url: journal },
    tls: protocol === 'https:',
    // Longer than Alloy waits: its timeout is the one that counts.
    seconds: 5 + (tunnelled ? tunnelSeconds : 30),
    later: rows.map((row) => row.filter((code) => code !== hungUp && !passedCodes.includes(code)).join(' ')),
  });
}

/**
 * nginx between Alloy and a backend, for which a refusal means "later": Alloy drops a batch that is answered
 * with 401, 403, 500, 507 or a tunnel's 530, and takes the page at the end of a redirect for a success. Here all
 * of these become 503, which Alloy keeps on disk and sends again until somebody has put it right.
 */
export class Gate extends pulumi.ComponentResource {
  /** The same backend at the gate's address. */
  readonly backend: Backend;
  /** Base URL on the private network. */
  readonly internal: string;
  /** Name of the container on the Docker host; each refusal is a line of its log. */
  readonly containerName: pulumi.Output<string>;
  readonly image: docker.RemoteImage;
  /** ID of the container, another one when it is replaced. */
  readonly server: pulumi.Output<string>;

  constructor(name: string, args: GateArgs, opts?: pulumi.ComponentResourceOptions) {
    super('llm-observability:index:Gate', name, {}, opts);
    const child = { parent: this };
    const labels = { [stackLabel]: args.owner };
    const role = args.backend.name;
    const alias = `${role}-gate`;
    const config = pulumi.output(args.backend.endpoint).apply((url) => gateConfig(url, args.backend.tunnelled, args.journal));

    this.image = workload.image(`${name}-image`, args.image, child);
    const configured = workload.fileVolume(
      { volume: `${name}-config`, files: `${name}-config-files` },
      {
        volumeName: hostName(role, args.stack, 'gate-config'),
        containerName: hostName(role, args.stack, 'gate-config-files'),
        image: this.image,
        owner: args.owner,
        path: configDir,
        files: { [configFile]: config },
      },
      child,
    );

    const container = workload.service(
      `${name}-server`,
      {
        containerName: hostName(role, args.stack, 'gate'),
        image: this.image,
        // nginx reads its configuration once: another config is another container.
        labels: { ...labels, ...workload.configLabel(config) },
        user: users.gate,
        network: args.network,
        alias,
        mounts: [configured.mount],
        // The image's own entry point writes below /etc/nginx.
        entrypoint: ['nginx'],
        command: ['-c', configFile, '-g', 'daemon off;'],
        ports: [],
        listed: {},
        healthCheck: {
          // bash is in every image made on Debian. The backend is not asked: without it the gate has most to do.
          command: workload.httpProbe(ports.gate.health, '/healthz', 204),
          interval: '2s',
          timeout: '5s',
          startPeriod: '10s',
          retries: 15,
          waitSeconds: 60,
        },
        memoryMiB: 128,
        cpus: '1.0',
        limits: args.limits,
        // The image's stop signal lets requests end, which take at most the 30 s for which Alloy waits; one through a
        // tunnel may take longer, and is then sent again.
        stopSeconds: 35,
        ...(args.transform?.container ? { transform: args.transform.container } : {}),
      },
      { ...child, dependsOn: [configured.written] },
    );

    this.containerName = container.name;
    this.internal = `http://${alias}:${ports.gate.otlpHttp}`;
    this.backend = { ...args.backend, endpoint: this.internal };
    this.server = container.id;
    this.registerOutputs({ containerName: this.containerName });
  }
}
