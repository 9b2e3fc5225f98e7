import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { Backend } from './backend';
import { aliases, ports, users } from './catalog';
import { hostName, stackLabel } from './names';
import { chowned } from './owned-volume';
import { transforming, type Transforms } from './transform';
import * as workload from './workload';
import { wrongInput } from './wrong-input';

export interface VictoriaLogsArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on every resource created here. */
  readonly owner: string;
  /** Network on which it is `victorialogs`. */
  readonly network: docker.Network;
  /** Reference of a VictoriaLogs image with a version. */
  readonly image: pulumi.Input<string>;
  /** Reference of an image with `chown`, which the image of VictoriaLogs does not have: a gate's. */
  readonly chownImage: pulumi.Input<string>;
  /** Days after which log records are deleted; older ones are not accepted. */
  readonly retentionDays: number;
  /** Room on disk for everything that it stores. It deletes whole days, the oldest first, and keeps the last two. */
  readonly storageMiB: number;
  readonly memoryMiB: number;
  /**
   * As the provider reads it back: "1.0".
   * @default 1.0
   */
  readonly cpus?: string;
  /**
   * What the engine's kernel can limit.
   * @default everything
   */
  readonly limits?: workload.Limits | undefined;
  /**
   * Whether the volume with the logs can neither be destroyed nor replaced.
   * @default false
   */
  readonly protectData?: boolean;
  /**
   * Overrides for each child.
   * @default none
   */
  readonly transform?: Transforms;
}

const dataDir = '/victoria-logs-data';

/**
 * VictoriaLogs as the store of logs. It has no login: only containers on its network reach it, and its gate publishes what people
 * may see.
 */
export class VictoriaLogs extends pulumi.ComponentResource {
  /** Receives logs by OTLP. */
  readonly backend: Backend;
  /** All paths but those to read logs: for its gate, which publishes only these. */
  readonly closedPaths = '^/(?!$|select/|health$|metrics$)';
  /** Base URL on the private network. */
  readonly internal = `http://${aliases.victorialogs}:${ports.victorialogs.web}`;
  /** Name of the container on the Docker host. */
  readonly containerName: pulumi.Output<string>;
  /** Name of the volume with the logs; kept when the stack is removed. */
  readonly volumeName: pulumi.Output<string>;
  readonly image: docker.RemoteImage;

  constructor(name: string, args: VictoriaLogsArgs, opts?: pulumi.ComponentResourceOptions) {
    if (!Number.isInteger(args.retentionDays) || args.retentionDays < 1) {
      throw wrongInput('retentionDays', 'it is a whole number of days, at least 1');
    }
    super('llm-observability:index:VictoriaLogs', name, {}, transforming(args.transform, opts));
    const child = { parent: this };
    const labels = { [stackLabel]: args.owner };

    this.image = workload.image(`${name}-image`, args.image, child);
    const chown = workload.image(`${name}-chown-image`, args.chownImage, child);
    const data = new docker.Volume(
      `${name}-data`,
      { name: hostName('victorialogs', args.stack, 'data'), labels: [{ label: stackLabel, value: args.owner }] },
      { ...child, ...(args.protectData ? { protect: true } : {}), retainOnDelete: true },
    );
    const mount = { volume: data.name, path: dataDir };
    const owned = chowned(users.victorialogs, `${name}-data-owner`, { containerName: hostName('victorialogs', args.stack, 'data-owner'), image: chown, labels, mounts: [mount], path: dataDir }, child);
    const ready = workload.mustSucceed(owned, 'VictoriaLogs was not given its volume');

    const container = workload.service(
      `${name}-server`,
      {
        containerName: hostName('victorialogs', args.stack),
        image: this.image,
        labels,
        user: users.victorialogs,
        networks: [{ network: args.network, aliases: [aliases.victorialogs] }],
        mounts: [mount],
        command: [
          `-storageDataPath=${dataDir}`,
          `-retentionPeriod=${args.retentionDays}d`,
          `-retention.maxDiskSpaceUsageBytes=${args.storageMiB}MiB`,
          // Below this it refuses with 429, and logs wait at Alloy. By default it fills the disk to the last 10 MB.
          '-storage.minFreeDiskSpaceBytes=256MiB',
          // A crash loses what is only in memory; the default is 5 s.
          '-inmemoryDataFlushInterval=1s',
          // Above the largest request that Alloy accepts: a larger one would be refused with 400 and lost.
          '-opentelemetry.maxRequestSize=80MiB',
          // Each holds a request in memory, unpacked; others wait.
          '-maxConcurrentInserts=2',
          // Pages of other sites read nothing; by default they may.
          '-http.disableCORS',
          // A warning about a record that it drops has the record in it, whole.
          '-loggerLevel=ERROR',
          // What is nested in a record is a field of its own after Alloy has searched it.
          '-insert.maxFieldsPerLine=2000',
        ],
        ports: [],
        listed: {},
        // The image holds one program, which can ask nothing. A delivery check shows whether it accepts logs.
        healthCheck: 'none',
        memoryMiB: args.memoryMiB,
        cpus: args.cpus ?? '1.0',
        limits: args.limits,
        stopSeconds: 35,
      },
      { ...child, dependsOn: [ready] },
    );

    this.backend = { name: 'victorialogs', signals: ['logs'], protocol: 'otlphttp', endpoint: `${this.internal}/insert/opentelemetry` };
    this.containerName = container.name;
    this.volumeName = data.name;
    this.registerOutputs({ internal: this.internal, containerName: this.containerName, volumeName: this.volumeName });
  }
}
