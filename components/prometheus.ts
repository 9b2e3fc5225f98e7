import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { Backend } from './backend';
import { aliases, ports, users } from './catalog';
import { configLabel } from './config-label';
import { fileVolume } from './file-volume';
import { hostName, stackLabel } from './names';
import { chowned } from './owned-volume';
import { keptMiB } from './prometheus-room';
import { renderFile, templateText } from './template';
import { transforming, type Transforms } from './transform';
import * as workload from './workload';
import { wrongInput } from './wrong-input';

export interface PrometheusArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on every resource created here. */
  readonly owner: string;
  /** Network on which it is `prometheus`. */
  readonly network: docker.Network;
  /** Reference of a Prometheus image with a version, on busybox. */
  readonly image: pulumi.Input<string>;
  /** Days after which samples are deleted. */
  readonly retentionDays: number;
  /** Room on disk for everything that it stores; samples are deleted earlier if they need more. */
  readonly storageMiB: number;
  readonly memoryMiB: number;
  /**
   * As the provider reads it back: "1.0".
   * @default 1.0
   */
  readonly cpus?: string;
  /**
   * A file of rules, in YAML, besides those of templates/prometheus.
   * @default none
   */
  readonly rules?: pulumi.Input<string> | undefined;
  /**
   * What the engine's kernel can limit.
   * @default everything
   */
  readonly limits?: workload.Limits | undefined;
  /**
   * Whether the volume with the metrics can neither be destroyed nor replaced.
   * @default false
   */
  readonly protectData?: boolean;
  /**
   * Overrides for each child.
   * @default none
   */
  readonly transform?: Transforms;
}

const configDir = '/etc/prometheus-config';
const configFile = `${configDir}/prometheus.yml`;
const dataDir = '/prometheus';

/** Files of rules in templates/prometheus, which a Prometheus elsewhere can load as they are. */
const shipped = ['pipeline.rules.yml', 'llm.rules.yml'] as const;
const ownRules = `${configDir}/own.rules.yml`;

/** Prometheus's configuration. */
export const prometheusConfig = (instance: string): string => renderFile('prometheus/prometheus.yml.mustache', { rules: configDir, port: ports.prometheus.web, instance });

/**
 * Prometheus as the store of metrics: Alloy writes to it, and it evaluates the rules of templates/prometheus. It has no login:
 * only containers on its network reach it, and its gate publishes what people may see.
 */
export class Prometheus extends pulumi.ComponentResource {
  /** Receives metrics by remote write. */
  readonly backend: Backend;
  /** Paths that only Alloy and the operator of the stack use: for its gate, which publishes the others. */
  readonly closedPaths = '^/(-/(quit|reload)|api/v1/(write|otlp|admin)(/|$))';
  /** Base URL on the private network. */
  readonly internal = `http://${aliases.prometheus}:${ports.prometheus.web}`;
  /** Name of the container on the Docker host. */
  readonly containerName: pulumi.Output<string>;
  /** Name of the volume with the metrics; kept when the stack is removed. */
  readonly volumeName: pulumi.Output<string>;
  readonly image: docker.RemoteImage;

  constructor(name: string, args: PrometheusArgs, opts?: pulumi.ComponentResourceOptions) {
    if (!Number.isInteger(args.retentionDays) || args.retentionDays < 1) {
      throw wrongInput('retentionDays', 'it is a whole number of days, at least 1');
    }
    super('llm-observability:index:Prometheus', name, {}, transforming(args.transform, opts));
    const child = { parent: this };
    const labels = { [stackLabel]: args.owner };
    const containerName = hostName('prometheus', args.stack);

    this.image = workload.image(`${name}-image`, args.image, child);
    const data = new docker.Volume(
      `${name}-data`,
      { name: hostName('prometheus', args.stack, 'data'), labels: [{ label: stackLabel, value: args.owner }] },
      { ...child, ...(args.protectData ? { protect: true } : {}), retainOnDelete: true },
    );
    const mount = { volume: data.name, path: dataDir };
    const owned = chowned(users.prometheus, `${name}-data-owner`, { containerName: hostName('prometheus', args.stack, 'data-owner'), image: this.image, labels, mounts: [mount], path: dataDir }, child);
    const ready = workload.mustSucceed(owned, 'Prometheus was not given its volume');

    const config = prometheusConfig(containerName);
    const files = {
      [configFile]: config,
      ...Object.fromEntries(shipped.map((file) => [`${configDir}/${file}`, templateText(`prometheus/${file}`)])),
      ...(args.rules === undefined ? {} : { [ownRules]: args.rules }),
    };
    const configured = fileVolume(
      { volume: `${name}-config`, files: `${name}-config-files` },
      {
        volumeName: hostName('prometheus', args.stack, 'config'),
        containerName: hostName('prometheus', args.stack, 'config-files'),
        image: this.image,
        owner: args.owner,
        path: configDir,
        files,
      },
      child,
    );
    const content = pulumi.all(files).apply((known) => JSON.stringify(known));
    // Before the running server is replaced: with a rule that does not parse, the new one would not start.
    const checked = workload.job(
      `${name}-config-check`,
      {
        containerName: hostName('prometheus', args.stack, 'config-check'),
        image: this.image,
        labels: { ...labels, ...configLabel(content) },
        user: users.prometheus,
        mounts: [configured.mount],
        entrypoint: ['promtool'],
        command: ['check', 'config', configFile],
      },
      { ...child, dependsOn: configured.written },
    );
    const valid = workload.mustSucceed(checked, 'Prometheus cannot read its rules');

    const container = workload.service(
      `${name}-server`,
      {
        containerName,
        image: this.image,
        // It reads its configuration once: a change replaces the container.
        labels: { ...labels, ...configLabel(content) },
        user: users.prometheus,
        networks: [{ network: args.network, aliases: [aliases.prometheus] }],
        mounts: [mount, configured.mount],
        entrypoint: ['prometheus'],
        command: [
          `--config.file=${configFile}`,
          `--storage.tsdb.path=${dataDir}`,
          `--storage.tsdb.retention.time=${args.retentionDays}d`,
          `--storage.tsdb.retention.size=${keptMiB(args.storageMiB)}MB`,
          '--web.enable-remote-write-receiver',
          // Pages of other sites read nothing; by default they may.
          '--web.cors.origin=^$',
        ],
        ports: [],
        listed: {},
        healthCheck: {
          // `promtool check healthy` is newer than the oldest supported version.
          command: ['promtool', 'query', 'instant', `http://127.0.0.1:${ports.prometheus.web}`, 'vector(1)'],
          interval: '5s',
          timeout: '5s',
          // After a crash it reads what it had not yet put into a block.
          startPeriod: '2m0s',
          retries: 10,
          waitSeconds: 180,
        },
        memoryMiB: args.memoryMiB,
        cpus: args.cpus ?? '1.0',
        limits: args.limits,
        // It writes its newest samples into the log as they arrive; the rest is for running queries.
        stopSeconds: 35,
      },
      { ...child, dependsOn: [ready, valid] },
    );

    this.backend = { name: 'prometheus', signals: ['metrics'], protocol: 'remote-write', endpoint: `${this.internal}/api/v1/write` };
    this.containerName = container.name;
    this.volumeName = data.name;
    this.registerOutputs({ internal: this.internal, containerName: this.containerName, volumeName: this.volumeName });
  }
}
