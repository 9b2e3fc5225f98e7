import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { Backend } from './backend';
import { hostName, ports, stackLabel, users } from './catalog';
import { renderFile } from './template';
import * as workload from './workload';

export interface PhoenixArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on everything made here. */
  readonly owner: string;
  /** Private network on which Phoenix is `phoenix`. */
  readonly network: docker.Network;
  /** Image reference with a version. */
  readonly image: string;
  /** Host ports, on loopback. */
  readonly uiPort: number;
  readonly otlpGrpcPort: number;
  readonly otlpHttpPort: number;
  /** Days after which traces are deleted; 0 keeps them for ever. */
  readonly retentionDays: number;
  /** What the engine lists for the containers that run already. */
  readonly listed: workload.ListedPorts;
  readonly memoryMiB: number;
  /** As the provider reads it back: "1.0". */
  readonly cpus: string;
  readonly transform?: { readonly container?: workload.Transform<docker.ContainerArgs> };
}

/** Host name on the private network. */
const alias = 'phoenix';
const workingDir = '/phoenix_storage';
const loopback = '127.0.0.1';

/** Relay ID of the policy that every project has until it is given another: `ProjectTraceRetentionPolicy:0`. */
const defaultRetentionPolicy = 'UHJvamVjdFRyYWNlUmV0ZW50aW9uUG9saWN5OjA=';

/** A server that stores traces needs none of these; all are on by default. */
const switchedOff = {
  PHOENIX_TELEMETRY_ENABLED: 'false',
  PHOENIX_ALLOW_EXTERNAL_RESOURCES: 'false',
  PHOENIX_DISABLE_AGENT_ASSISTANT: 'true',
  PHOENIX_AGENTS_DISABLE_BASH: 'true',
  PHOENIX_AGENTS_DISABLE_WEB_ACCESS: 'true',
  PHOENIX_ENABLE_MCP_SERVER: 'false',
  PHOENIX_ALLOWED_SANDBOX_PROVIDERS: 'NONE',
  PHOENIX_ENABLE_OAUTH2_AUTHORIZATION_SERVER: 'false',
};

/**
 * Arize Phoenix: stores LLM traces and shows them. SQLite on a named volume that outlives the stack.
 */
export class Phoenix extends pulumi.ComponentResource {
  /** Name of the container on the Docker host. */
  readonly containerName: pulumi.Output<string>;
  /** Name of the data volume on the Docker host. */
  readonly volumeName: pulumi.Output<string>;
  readonly image: docker.RemoteImage;
  /** What an exporter on the private network needs to know. */
  readonly backend: Backend;
  /** Addresses on the Docker host. */
  readonly endpoints: { readonly ui: string; readonly otlpHttp: string; readonly otlpGrpc: string };

  constructor(name: string, args: PhoenixArgs, opts?: pulumi.ComponentResourceOptions) {
    super('llm-observability:index:Phoenix', name, {}, opts);
    const child = { parent: this };
    const labels = { [stackLabel]: args.owner };

    // Kept when the stack goes: traces are the one thing here that cannot be made again.
    const data = new docker.Volume(
      `${name}-data`,
      { name: hostName('phoenix', args.stack, 'data'), labels: [{ label: stackLabel, value: args.owner }] },
      { ...child, retainOnDelete: true },
    );
    this.image = workload.image(`${name}-image`, args.image, child);
    const mounts = [{ volume: data.name, path: workingDir }];

    const owner = workload.job(
      `${name}-data-owner`,
      {
        containerName: hostName('phoenix', args.stack, 'data-owner'),
        image: this.image,
        labels,
        user: '0:0',
        capabilities: ['CHOWN', 'DAC_READ_SEARCH'],
        mounts,
        ...python('phoenix/own-volume.py.mustache', { path: workingDir, ...idsOf(users.phoenix) }),
      },
      child,
    );
    workload.mustSucceed(owner, 'Phoenix was not given its data volume');

    const container = workload.service(
      `${name}-server`,
      {
        containerName: hostName('phoenix', args.stack),
        image: this.image,
        labels,
        user: users.phoenix,
        network: args.network,
        alias,
        mounts,
        env: {
          PHOENIX_WORKING_DIR: workingDir,
          PHOENIX_PORT: String(ports.phoenix.ui),
          PHOENIX_GRPC_PORT: String(ports.phoenix.otlpGrpc),
          // The root is read-only, and libraries write below the home directory.
          HOME: '/tmp',
          ...switchedOff,
        },
        ports: [
          { internal: ports.phoenix.otlpGrpc, external: args.otlpGrpcPort, addresses: [loopback] },
          { internal: ports.phoenix.ui, external: args.uiPort, addresses: [loopback] },
          { internal: ports.phoenix.ui, external: args.otlpHttpPort, addresses: [loopback] },
        ],
        listed: args.listed,
        healthCheck: {
          // A bare socket without site-packages costs half the CPU of urllib, which allows to ask often: a
          // deployment waits for the answer. The image has neither a shell nor curl.
          command: [
            'python3', '-ISc',
            `import socket;s=socket.create_connection(('127.0.0.1',${ports.phoenix.ui}),3);s.send(b'GET /readyz HTTP/1.0\\r\\n\\r\\n');assert b' 200 ' in s.recv(32)`,
          ],
          interval: '2s',
          timeout: '5s',
          // A fresh database takes 13 s on an idle machine and twice that on a busy one; a migration takes longer.
          startPeriod: '1m0s',
          retries: 15,
          waitSeconds: 300,
        },
        memoryMiB: args.memoryMiB,
        cpus: args.cpus,
        // On SIGTERM Phoenix writes the spans it holds in memory, within 5 s.
        stopSeconds: 20,
        ...(args.transform?.container ? { transform: args.transform.container } : {}),
      },
      { ...child, dependsOn: [owner] },
    );

    const retention = workload.job(
      `${name}-retention`,
      {
        containerName: hostName('phoenix', args.stack, 'retention'),
        image: this.image,
        // The label makes a new Phoenix container, perhaps over a new database, set the policy again.
        labels: { ...labels, [`${stackLabel}.phoenix`]: container.id },
        user: users.phoenix,
        network: args.network,
        ...python('phoenix/set-retention.py.mustache', {
          policyId: defaultRetentionPolicy,
          endpoint: `http://${alias}:${ports.phoenix.ui}`,
          days: args.retentionDays,
        }),
      },
      child,
    );
    workload.mustSucceed(retention, 'Phoenix did not take the retention setting');

    this.containerName = container.name;
    this.volumeName = data.name;
    this.backend = {
      name: 'phoenix',
      signals: ['traces'],
      protocol: 'otlphttp',
      endpoint: `http://${alias}:${ports.phoenix.ui}`,
    };
    this.endpoints = {
      ui: `http://${loopback}:${args.uiPort}`,
      otlpHttp: `http://${loopback}:${args.otlpHttpPort}`,
      otlpGrpc: `http://${loopback}:${args.otlpGrpcPort}`,
    };
    this.registerOutputs({ endpoints: this.endpoints, containerName: this.containerName, volumeName: this.volumeName });
  }
}

/** A script for the image's own Python: the image has no shell. */
function python(file: string, view: object): { entrypoint: string[]; command: string[] } {
  return { entrypoint: ['python3', '-c'], command: [renderFile(file, view)] };
}

function idsOf(user: string): { uid: string; gid: string } {
  const [uid = '', gid = ''] = user.split(':');
  return { uid, gid };
}
