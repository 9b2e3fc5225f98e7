import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import * as random from '@pulumi/random';
import { aliases, ports, users } from './catalog';
import { configLabel } from './config-label';
import { aiServices, dataSource, pipeline } from './dashboards';
import { fileVolume } from './file-volume';
import { hostName, stackLabel } from './names';
import { renderFile } from './template';
import { transforming, type Transforms } from './transform';
import { whyNoWebUrl } from './web-url';
import * as workload from './workload';
import { wrongInput } from './wrong-input';

export interface GrafanaArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on every resource created here. */
  readonly owner: string;
  /** Network from which it reaches Prometheus. */
  readonly network: docker.Network;
  /** Image reference with a version. */
  readonly image: pulumi.Input<string>;
  /** Base URL of a Prometheus, or of a store with the same API, that asks for no credentials. */
  readonly prometheus: pulumi.Input<string>;
  /**
   * Whether that is on the Docker host itself, as `host.docker.internal`.
   * @default false
   */
  readonly reachesHost?: boolean;
  /** URL of Phoenix's page, as a browser reaches it. */
  readonly phoenix: pulumi.Input<string>;
  /** Host port of its page, on loopback. */
  readonly port: number;
  readonly memoryMiB: number;
  /**
   * Port mappings that the engine lists for running containers.
   * @default nothing
   */
  readonly listed?: workload.ListedPorts;
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

const loopback = '127.0.0.1';

/** The user whom Grafana creates with its database. */
const admin = 'admin';

/** How often Alloy sends metrics. */
const every = '15s';

const dataDir = '/var/lib/grafana';
const provisioningDir = '/etc/grafana/provisioning';
const dashboardDir = `${provisioningDir}/dashboards/llm-observability`;
const secretsDir = '/etc/grafana-secrets';
const passwordFile = `${secretsDir}/admin-password`;

/** Grafana replaces variables in the values of these files; `$$` is a `$`. */
const literal = (text: string): string => text.replaceAll('$', '$$$$');

/** The file with the data source, as Grafana reads it when it starts. */
export const dataSourcesFile = (prometheus: string, phoenix: string): string =>
  renderFile('grafana/data-sources.yaml.mustache', {
    uid: dataSource.uid,
    url: literal(prometheus),
    every,
    trace: literal(`${withoutSlash(phoenix)}/redirects/traces/\${__value.raw}`),
  });

/** The program that starts Grafana. */
export const grafanaStart = (): string => renderFile('grafana/start.sh.mustache', { database: `${dataDir}/grafana.db`, passwordFile });

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

/** What Grafana is given besides its files: it is to connect to nothing but its data source. */
const environment = (url: string): Record<string, string> => ({
  GF_SERVER_ROOT_URL: url,
  GF_SECURITY_ADMIN_USER: admin,
  GF_SECURITY_ADMIN_PASSWORD__FILE: passwordFile,
  GF_SECURITY_DISABLE_GRAVATAR: 'true',
  GF_ANALYTICS_REPORTING_ENABLED: 'false',
  GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
  GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
  GF_ANALYTICS_FEEDBACK_LINKS_ENABLED: 'false',
  GF_NEWS_NEWS_FEED_ENABLED: 'false',
  GF_SNAPSHOTS_EXTERNAL_ENABLED: 'false',
  // Otherwise it replaces the plugins of its image when it starts. With a read-only root that fails, and the data source is gone.
  GF_PLUGINS_PREINSTALL_DISABLED: 'true',
  GF_PLUGINS_PLUGIN_ADMIN_ENABLED: 'false',
  GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED: 'true',
});

/** @throws InputPropertyError for an address that is no URL, as far as it is known */
function checkUrls(args: GrafanaArgs): void {
  for (const name of ['prometheus', 'phoenix'] as const) {
    const url = args[name];
    const broken = typeof url === 'string' ? whyNoWebUrl(url) : undefined;
    if (broken !== undefined) {
      throw wrongInput(name, broken);
    }
  }
}

/**
 * Grafana with dashboards about AI services and about the pipeline. Its page is on loopback and asks for a login. What people
 * save in it is on a named volume that outlives the stack; the dashboards and the data source come from the program.
 */
export class Grafana extends pulumi.ComponentResource {
  /** Name of the container on the Docker host. */
  readonly containerName: pulumi.Output<string>;
  /** Name of the volume with what people save in it. */
  readonly volumeName: pulumi.Output<string>;
  readonly image: docker.RemoteImage;
  /** URL of its page on the Docker host. */
  readonly endpoint: string;
  /** How its administrator logs in; secret. */
  readonly login: pulumi.Output<{ readonly url: string; readonly user: string; readonly password: string }>;

  constructor(name: string, args: GrafanaArgs, opts?: pulumi.ComponentResourceOptions) {
    checkUrls(args);
    super('llm-observability:index:Grafana', name, {}, transforming(args.transform, opts));
    const child = { parent: this };
    const labels = { [stackLabel]: args.owner };
    this.endpoint = `http://${loopback}:${args.port}`;

    const password = pulumi.secret(new random.RandomPassword(`${name}-admin-password`, { length: 24, special: false }, child).result);
    this.login = pulumi.secret(password.apply((known) => ({ url: this.endpoint, user: admin, password: known })));

    // Kept when the stack is removed: people may have created dashboards and users in it.
    const data = new docker.Volume(
      `${name}-data`,
      { name: hostName('grafana', args.stack, 'data'), labels: [{ label: stackLabel, value: args.owner }] },
      { ...child, retainOnDelete: true },
    );
    this.image = workload.image(`${name}-image`, args.image, child);
    const from = { image: this.image, owner: args.owner };
    const dataSources = pulumi.all([args.prometheus, args.phoenix]).apply(([prometheus, phoenix]) => dataSourcesFile(prometheus, phoenix));
    const dashboards = renderFile('grafana/dashboards.yaml.mustache', { path: dashboardDir });
    const configured = fileVolume(
      { volume: `${name}-config`, files: `${name}-config-files` },
      {
        ...from,
        volumeName: hostName('grafana', args.stack, 'config'),
        containerName: hostName('grafana', args.stack, 'config-files'),
        path: provisioningDir,
        files: {
          [`${provisioningDir}/datasources/llm-observability.yaml`]: dataSources,
          [`${provisioningDir}/dashboards/llm-observability.yaml`]: dashboards,
          [`${dashboardDir}/ai-services.json`]: pulumi.output(args.phoenix).apply((phoenix) => JSON.stringify(aiServices(withoutSlash(phoenix)), null, 2)),
          [`${dashboardDir}/pipeline.json`]: JSON.stringify(pipeline(), null, 2),
        },
      },
      child,
    );
    const secrets = fileVolume(
      { volume: `${name}-secrets`, files: `${name}-secret-files` },
      {
        ...from,
        volumeName: hostName('grafana', args.stack, 'secrets'),
        containerName: hostName('grafana', args.stack, 'secret-files'),
        path: secretsDir,
        files: { [passwordFile]: password },
        reader: users.grafana,
        giver: 'chown',
      },
      child,
    );
    const readable = workload.mustSucceed(secrets.written, 'Grafana cannot read the password of its administrator');

    const container = workload.service(
      `${name}-server`,
      {
        containerName: hostName('grafana', args.stack),
        image: this.image,
        // It looks for changed dashboards every few seconds, and reads the rest when it starts.
        labels: { ...labels, ...configLabel(pulumi.interpolate`${dataSources}${dashboards}`) },
        user: users.grafana,
        networks: [{ network: args.network, aliases: [aliases.grafana] }],
        reachesHost: args.reachesHost ?? false,
        mounts: [{ volume: data.name, path: dataDir }, configured.mount, secrets.mount],
        env: environment(this.endpoint),
        entrypoint: ['sh', '-c'],
        command: [grafanaStart()],
        ports: [{ internal: ports.grafana.ui, external: args.port, addresses: [loopback] }],
        listed: args.listed ?? {},
        healthCheck: {
          command: ['wget', '-q', '-O', '/dev/null', `http://${loopback}:${ports.grafana.ui}/api/health`],
          interval: '5s',
          timeout: '5s',
          // It creates its database when it starts for the first time, and changes it with a new version.
          startPeriod: '2m0s',
          retries: 15,
          waitSeconds: 240,
        },
        memoryMiB: args.memoryMiB,
        cpus: '1.0',
        limits: args.limits,
        stopSeconds: 30,
      },
      { ...child, dependsOn: [configured.written, readable] },
    );

    this.containerName = container.name;
    this.volumeName = data.name;
    this.registerOutputs({ endpoint: this.endpoint, containerName: this.containerName, volumeName: this.volumeName });
  }
}
