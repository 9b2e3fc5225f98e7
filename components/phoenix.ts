import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { Engine } from '../engine';
import type { Backend } from './backend';
import { aliases, ports, users } from './catalog';
import { fileVolume } from './file-volume';
import { hostName, stackLabel } from './names';
import { ApiKey, PhoenixReady, PhoenixSettings, type ApiKeyListArgs, type PhoenixAccessArgs } from './observability-resources';
import { ownedBy } from './owned-volume';
import { checkedDatabase, databaseEnvironment, databaseFiles, secretLabels, type PhoenixDatabase } from './phoenix-database';
import { checkOwn, phoenixSecrets, secretEnvironment, type OwnSecrets } from './phoenix-secrets';
import { answers, phoenixEnvironment, phoenixStart, secretsDir, secretsFile, served, workingDir } from './phoenix-start';
import { transforming, type Transforms } from './transform';
import * as workload from './workload';

export interface PhoenixArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on every resource created here. */
  readonly owner: string;
  /** Network on which Phoenix is `phoenix-server`; it needs no access to the outside. */
  readonly network: docker.Network;
  /** Image reference with a version. */
  readonly image: pulumi.Input<string>;
  /**
   * Days after which traces are deleted; 0 keeps them forever.
   * @default Phoenix's own setting
   */
  readonly retentionDays?: number | undefined;
  /** Whether people must log in and machines need an API key. */
  readonly auth: boolean;
  /**
   * Your own secrets instead of generated ones.
   * @default generated ones
   */
  readonly own?: OwnSecrets;
  /** Names of API keys besides Alloy's. */
  readonly apiKeys: readonly string[];
  /**
   * The keys among them that expire, and the lifetime of a new one in hours; 0 never expires. Alloy's never expires: it does
   * not leave the host, only a deployment replaces it, and a stack that nobody deploys would stop storing traces.
   * @default none expires
   */
  readonly ending?: { readonly names: readonly string[]; readonly hours: number };
  /**
   * Further environment variables.
   * @default none
   */
  readonly env?: Readonly<Record<string, pulumi.Input<string>>>;
  /**
   * Those whose values are secret and not visible in the container's definition.
   * @default none
   */
  readonly secretEnv?: Readonly<Record<string, pulumi.Input<string>>>;
  /** Docker Engine of the `docker` provider, through which Phoenix gets the settings that only its API accepts. */
  readonly engine: pulumi.Input<Engine>;
  /**
   * A PostgreSQL to store in.
   * @default SQLite on the volume
   */
  readonly database?: PhoenixDatabase | undefined;
  /**
   * Maximum size of the database.
   * @default the size of the disk
   */
  readonly storageMiB?: number | undefined;
  /** Projects that senders can create. */
  readonly mostProjects: number;
  readonly memoryMiB: number;
  /** As the provider reads it back: "1.0". */
  readonly cpus: string;
  /**
   * What the engine's kernel can limit.
   * @default everything
   */
  readonly limits?: workload.Limits | undefined;
  /**
   * Whether it publishes its metrics on the private network, which needs a kernel with IPv6.
   * @default true
   */
  readonly metrics?: boolean;
  /** Whether the volume can be neither destroyed nor replaced. */
  readonly protectData: boolean;
  /**
   * Command that resumes a deployment, for messages.
   * @default `pulumi up --stack` and the name of the program's stack
   */
  readonly redeploy?: string;
  /**
   * Overrides for each child.
   * @default none
   */
  readonly transform?: Transforms;
}

const loopback = '127.0.0.1';

/** Alloy's own API key in Phoenix's list. */
const alloyKeyName = 'alloy';

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
  /** Base URL on its network. */
  readonly internal = `http://${aliases.phoenix}:${ports.phoenix.ui}`;
  /** A bearer token with all rights, for the operator of the stack. */
  readonly adminSecret: pulumi.Output<string>;
  /** First password of the first administrator. */
  readonly firstPassword: pulumi.Output<string>;
  /** Alloy's API key, secret; an empty text if auth was never on. */
  readonly alloyKey: pulumi.Output<string>;
  /** API keys besides Alloy's by name; empty texts if auth was never on. */
  readonly apiKeys: Readonly<Record<string, pulumi.Output<string>>>;
  /** Expiry of those that expire, in ISO 8601; empty texts for the others. */
  readonly keyEnds: Readonly<Record<string, pulumi.Output<string>>>;
  /** Arguments of the ApiKeyList, which revokes all other keys of this stack once nobody uses them any more. */
  readonly keyList: ApiKeyListArgs;
  /** Its container, ready or not. */
  readonly container: docker.Container;
  /** ID of the container; it changes when the container is replaced. */
  readonly server: pulumi.Output<string>;
  /** URL of its metrics, as seen from its container. */
  readonly metrics = `http://${loopback}:${ports.phoenix.metrics}/metrics`;
  /** Values that change when anything on a span's path through Phoenix changes. */
  readonly path: readonly pulumi.Output<string>[];

  constructor(name: string, args: PhoenixArgs, opts?: pulumi.ComponentResourceOptions) {
    checkOwn(args.own ?? {});
    super('llm-observability:index:Phoenix', name, {}, transforming(args.transform, opts));
    const child = { parent: this };
    const labels = { [stackLabel]: args.owner };

    const own = phoenixSecrets(name, args.own ?? {}, child);
    this.adminSecret = own.adminSecret;
    this.firstPassword = own.firstPassword;

    // Kept when the stack is removed: only traces cannot be created again.
    const data = new docker.Volume(
      `${name}-data`,
      { name: hostName('phoenix', args.stack, 'data'), labels: [{ label: stackLabel, value: args.owner }] },
      { ...child, retainOnDelete: true, ...(args.protectData ? { protect: true } : {}) },
    );
    this.image = workload.image(`${name}-image`, args.image, child);
    const mounts = [{ volume: data.name, path: workingDir }];

    const owner = ownedBy(users.phoenix, `${name}-data-owner`, { containerName: hostName('phoenix', args.stack, 'data-owner'), image: this.image, labels, mounts, path: workingDir, unused: args.database && (args.database.leavesSpans ? 'left behind' : 'refused if it has spans') }, child);
    const owned = workload.mustSucceed(owner, 'Phoenix cannot start on its data volume');

    // One file for all secrets: with several, one that is no longer needed would stay in the volume.
    const secretEnv = secretEnvironment(own, { ...databaseEnvironment(args.database), ...args.secretEnv });
    const secrets = fileVolume(
      { volume: `${name}-secrets`, files: `${name}-secret-files` },
      {
        volumeName: hostName('phoenix', args.stack, 'secrets'),
        containerName: hostName('phoenix', args.stack, 'secret-files'),
        image: this.image,
        owner: args.owner,
        path: secretsDir,
        files: { [secretsFile]: secretEnv, ...databaseFiles(args.database) },
        reader: users.phoenix,
      },
      child,
    );
    const readable = workload.mustSucceed(secrets.written, 'Phoenix cannot read its secrets');

    const restarting = { ...labels, ...secretLabels(secretEnv, own.drawnSecret, args.database) };
    const usable = args.database === undefined ? [] : [checkedDatabase(name, { stack: args.stack, image: this.image, labels: restarting, secrets: secrets.mount, network: args.network }, { ...child, dependsOn: [readable] })];
    const container = workload.service(
      `${name}-server`,
      {
        containerName: hostName('phoenix', args.stack),
        image: this.image,
        // Secrets are read only once: a change replaces the container.
        labels: restarting,
        user: users.phoenix,
        networks: [{ network: args.network, aliases: [aliases.phoenix] }],
        mounts: [...mounts, secrets.mount],
        entrypoint: ['python3', '-c'],
        command: [phoenixStart(args.mostProjects), ...served.args],
        env: phoenixEnvironment(args),
        // The gate publishes all of its ports.
        ports: [],
        listed: {},
        healthCheck: answers,
        memoryMiB: args.memoryMiB,
        cpus: args.cpus,
        limits: args.limits,
        // On SIGTERM Phoenix stores the spans it holds in memory, within 5 s.
        stopSeconds: 20,
      },
      { ...child, dependsOn: [owned, readable, ...usable] },
    );
    const ready = new PhoenixReady(
      `${name}-ready`,
      { engine: args.engine, container: hostName('phoenix', args.stack), server: container.id, redeploy: args.redeploy ?? `pulumi up --stack ${pulumi.getStack()}` },
      child,
    );
    // Anything that uses this ID waits until Phoenix is ready.
    const server = pulumi.all([container.id, ready.urn]).apply(([id]) => id);

    const access: PhoenixAccessArgs = {
      engine: args.engine,
      container: container.name,
      url: `http://${loopback}:${ports.phoenix.ui}`,
      auth: args.auth,
      adminSecret: this.adminSecret,
    };
    const settings = new PhoenixSettings(`${name}-settings`, { ...access, server, retentionDays: args.retentionDays, firstPassword: this.firstPassword }, child);
    const description = `made by Pulumi stack ${args.owner}`;
    const { names: ending = [], hours } = args.ending ?? {};
    const apiKey = (key: string): ApiKey =>
      new ApiKey(
        `${name}-key-${key}`,
        { ...access, server, name: key, description, signedWith: own.secret, hours: ending.includes(key) ? hours : undefined },
        // Not before the password that everybody knows has been changed.
        { ...child, dependsOn: [settings] },
      );
    const alloyKey = apiKey(alloyKeyName);
    this.alloyKey = pulumi.secret(alloyKey.key);
    const others = args.apiKeys.map((key) => [key, apiKey(key)] as const);
    this.apiKeys = Object.fromEntries(others.map(([key, { key: value }]) => [key, pulumi.secret(value)]));
    this.keyEnds = Object.fromEntries(others.flatMap(([key, { expiresAt }]) => (ending.includes(key) ? [[key, expiresAt]] : [])));
    this.keyList = { ...access, server, description, keyIds: [alloyKey.keyId, ...others.map(([, { keyId }]) => keyId)] };

    this.container = container;
    this.containerName = container.name;
    this.volumeName = data.name;
    this.backend = {
      name: 'phoenix',
      signals: ['traces'],
      protocol: 'otlphttp',
      endpoint: this.internal,
      // Also without auth, when Phoenix ignores it: switching auth on or off then leaves Alloy unchanged. Without a key a
      // placeholder is sent: an empty header is no header, and would change the configuration.
      headers: { authorization: pulumi.secret(alloyKey.key.apply((key) => `Bearer ${key === '' ? 'none' : key}`)) },
    };
    this.server = server;
    this.path = [server, alloyKey.keyId];
    this.registerOutputs({ internal: this.internal, containerName: this.containerName, volumeName: this.volumeName });
  }
}
