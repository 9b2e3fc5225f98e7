import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { aliases, ports, users } from './catalog';
import { fileVolume } from './file-volume';
import { hostName, stackLabel } from './names';
import { ownedBy } from './owned-volume';
import { renderFile } from './template';
import { transforming, type Transforms } from './transform';
import * as workload from './workload';

export interface JournalArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on every resource created here. */
  readonly owner: string;
  /** Network that Phoenix is on, and where the journal is `phoenix-journal`. */
  readonly network: docker.Network;
  /** Phoenix's image, which has Python: no other image is needed. */
  readonly image: docker.RemoteImage;
  /** Base URL of Phoenix on the private network. */
  readonly phoenix: pulumi.Input<string>;
  /** Whether Phoenix has metrics there. Without them, records are kept for a fixed time. */
  readonly metrics: boolean;
  /**
   * `authorization` header with which Phoenix accepts spans; becomes a secret here.
   * @default none, for a Phoenix without auth
   */
  readonly authorization?: pulumi.Input<string> | undefined;
  /**
   * What the engine's kernel can limit.
   * @default everything
   */
  readonly limits?: workload.Limits | undefined;
  /**
   * Overrides for each child.
   * @default none
   */
  readonly transform?: Transforms;
}

const dataDir = '/journal';
const secretsDir = '/etc/journal-secrets';
const authorizationFile = `${secretsDir}/phoenix.authorization`;

const bounds = {
  /** Maximum of bytes kept, in total and as a share of the disk space that is free without them. */
  mostBytes: 1024 ** 3,
  share: 0.2,
  /** Twice the time that the kernel takes to write a database's data to disk. */
  keepSeconds: 120,
  segmentBytes: 16 * 1024 ** 2,
  lookSeconds: 0.5,
  backoffSeconds: 5,
  holdSeconds: 600,
  asideSeconds: 900,
};

/** Seconds until Phoenix has queued what it has acknowledged; and, if it has no metrics, has stored it. */
const settleSeconds = { withMetrics: 10, without: 300 };

export interface JournalProgram {
  /** Base URL of Phoenix. */
  readonly phoenix: string;
  /** Port of Phoenix's metrics; 0 if it has none. */
  readonly metricsPort: number;
  /**
   * @default the one in the container
   */
  readonly port?: number;
  readonly folder?: string;
  readonly authorizationFile?: string;
  readonly bounds?: Partial<typeof bounds & { settleSeconds: number }>;
}

/** The program that a journal runs, in Python. */
export function journalProgram({ phoenix, metricsPort, bounds: other, ...rest }: JournalProgram): string {
  const { hostname, port } = new URL(phoenix);
  return renderFile('journal/journal.py.mustache', {
    port: ports.journal.otlpHttp,
    folder: dataDir,
    authorizationFile,
    ...rest,
    host: hostname,
    phoenixPort: port,
    metricsPort: String(metricsPort),
    ...bounds,
    settleSeconds: metricsPort ? settleSeconds.withMetrics : settleSeconds.without,
    ...other,
  });
}

/**
 * Sits between the gate and Phoenix and keeps what Phoenix has accepted until it is stored: Phoenix acknowledges spans
 * earlier, and a crash loses those in memory. Lost spans are sent again; see docs/journal.md.
 */
export class Journal extends pulumi.ComponentResource {
  /** Base URL on the private network; accepts only `POST /v1/traces`. */
  readonly internal = `http://${aliases.journal}:${ports.journal.otlpHttp}`;
  /** Name of the container on the Docker host. */
  readonly containerName: pulumi.Output<string>;
  /** Name of the volume with what is kept. */
  readonly volumeName: pulumi.Output<string>;
  /** ID of the container; it changes when the container is replaced. */
  readonly server: pulumi.Output<string>;

  constructor(name: string, args: JournalArgs, opts?: pulumi.ComponentResourceOptions) {
    super('llm-observability:index:Journal', name, {}, transforming(args.transform, opts));
    const child = { parent: this };
    const labels = { [stackLabel]: args.owner };

    // Kept when the stack is removed: it may have the only copy of spans. Not protected: the setting can be switched off.
    const data = new docker.Volume(
      `${name}-data`,
      { name: hostName('journal', args.stack, 'data'), labels: [{ label: stackLabel, value: args.owner }] },
      { ...child, retainOnDelete: true },
    );
    const mounts = [{ volume: data.name, path: dataDir }];
    const owned = ownedBy(users.journal, `${name}-data-owner`, { containerName: hostName('journal', args.stack, 'data-owner'), image: args.image, labels, mounts, path: dataDir }, child);
    const ready = workload.mustSucceed(owned, 'The journal was not given its data volume');

    // Exists with and without auth: enabling login replaces nothing.
    const secrets = fileVolume(
      { volume: `${name}-secrets`, files: `${name}-secret-files` },
      {
        volumeName: hostName('journal', args.stack, 'secrets'),
        containerName: hostName('journal', args.stack, 'secret-files'),
        image: args.image,
        owner: args.owner,
        path: secretsDir,
        files: { [authorizationFile]: args.authorization === undefined ? 'none' : pulumi.secret(args.authorization) },
      },
      child,
    );

    const container = workload.service(
      `${name}-server`,
      {
        containerName: hostName('journal', args.stack),
        image: args.image,
        labels,
        user: users.journal,
        networks: [{ network: args.network, aliases: [aliases.journal] }],
        mounts: [...mounts, secrets.mount],
        entrypoint: ['python3', '-ISc'],
        command: [pulumi.output(args.phoenix).apply((phoenix) => journalProgram({ phoenix, metricsPort: args.metrics ? ports.phoenix.metrics : 0 }))],
        ports: [],
        listed: {},
        healthCheck: {
          command: [
            'python3', '-ISc',
            `import socket;s=socket.create_connection(('127.0.0.1',${ports.journal.otlpHttp}),3);s.send(b'GET /healthz HTTP/1.0\\r\\n\\r\\n');assert b' 200 ' in s.recv(32)`,
          ],
          interval: '5s',
          timeout: '5s',
          // It reads its stored records at startup: 1 GiB at most.
          startPeriod: '1m0s',
          retries: 15,
          waitSeconds: 120,
        },
        memoryMiB: 128,
        cpus: '1.0',
        limits: args.limits,
        // Requests in progress finish within Phoenix's response time, which is what the gate waits for.
        stopSeconds: 35,
      },
      { ...child, dependsOn: [ready, secrets.written] },
    );

    this.containerName = container.name;
    this.volumeName = data.name;
    this.server = container.id;
    this.registerOutputs({ internal: this.internal, containerName: this.containerName, volumeName: this.volumeName });
  }
}
