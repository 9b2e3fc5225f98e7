import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import * as random from '@pulumi/random';
import type { Engine } from '../engine';
import type { Backend } from './backend';
import { aliases, ports, users } from './catalog';
import { fileVolume } from './file-volume';
import { hostName, stackLabel } from './names';
import { ApiKey, PhoenixReady, PhoenixSettings, type ApiKeyListArgs, type PhoenixAccessArgs } from './observability-resources';
import { ownedBy } from './owned-volume';
import { phoenixEnvironment, phoenixStart, secretsDir, secretsFile, served, workingDir } from './phoenix-start';
import { secretLabel } from './config-label';
import * as workload from './workload';

export interface PhoenixArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on everything made here. */
  readonly owner: string;
  /** Network on which Phoenix is `phoenix-server`; it needs no way out. */
  readonly network: docker.Network;
  /** Image reference with a version. */
  readonly image: string;
  /** Days after which traces are deleted; 0 keeps them for ever. Default: what is set in Phoenix. */
  readonly retentionDays?: number | undefined;
  /** Whether people log in and machines need an API key. */
  readonly auth: boolean;
  /** Secrets of one's own instead of generated ones; the rules are those of `phoenix:secret` and so on. */
  readonly own?: { readonly secret?: string | undefined; readonly adminSecret?: string | undefined; readonly firstPassword?: string | undefined };
  /** Names of API keys besides Alloy's. */
  readonly apiKeys: readonly string[];
  /**
   * Those of them that end, and hours for which a new one is good; 0 is for ever. Alloy's never does: it does not leave the host,
   * a deployment alone replaces it, and with an end a stack that nobody deploys would stop storing traces.
   */
  readonly ending?: { readonly names: readonly string[]; readonly hours: number };
  /** Further environment variables, and those whose values are secret, which the container does not show. */
  readonly env?: Readonly<Record<string, string>>;
  readonly secretEnv?: Readonly<Record<string, string>>;
  /** Docker Engine of the `docker` provider, through which Phoenix is told what only its API takes. */
  readonly engine: pulumi.Input<Engine>;
  /** Size that the database may have. Default: what the disk has. */
  readonly storageMiB?: number | undefined;
  /** Projects that senders can create. */
  readonly mostProjects: number;
  readonly memoryMiB: number;
  /** As the provider reads it back: "1.0". */
  readonly cpus: string;
  /** What the engine's kernel can limit. Default: everything. */
  readonly limits?: workload.Limits | undefined;
  /** Whether it publishes its metrics on the private network, which needs a kernel with IPv6. Default: true. */
  readonly metrics?: boolean;
  /** Whether the volume can neither be destroyed nor replaced. */
  readonly protectData: boolean;
  readonly transform?: { readonly container?: workload.Transform<docker.ContainerArgs> };
}

const loopback = '127.0.0.1';

/** Alloy's own API key in Phoenix's list. */
const alloyKeyName = 'alloy';

/** At least 32 characters, a digit and a lower-case letter: REQUIREMENTS_FOR_PHOENIX_SECRET in Phoenix's auth.py. */
const phoenixSecret = { length: 48, special: false, minNumeric: 1, minLower: 1 };
/** Also good for PHOENIX_ENABLE_STRONG_PASSWORD_POLICY, and nothing in it that a shell or a form would take apart. */
const password = { length: 24, special: true, overrideSpecial: '-_.', minUpper: 1, minLower: 1, minNumeric: 1, minSpecial: 1 };

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
  /** A bearer token with all rights, for who operates the stack. */
  readonly adminSecret: pulumi.Output<string>;
  /** First password of the first administrator. */
  readonly firstPassword: pulumi.Output<string>;
  /** Alloy's API key, secret; an empty text while auth was never on. */
  readonly alloyKey: pulumi.Output<string>;
  /** API keys besides Alloy's by name; empty texts while auth was never on. */
  readonly apiKeys: Readonly<Record<string, pulumi.Output<string>>>;
  /** When those end that do, in ISO 8601; empty texts for ever. */
  readonly keyEnds: Readonly<Record<string, pulumi.Output<string>>>;
  /** What an ApiKeyList needs, which revokes all other keys of this stack once nobody uses them any more. */
  readonly keyList: ApiKeyListArgs;
  /** What runs it, ready or not. */
  readonly container: docker.Container;
  /** ID of the container, another one when it is replaced. */
  readonly server: pulumi.Output<string>;
  /** URL of its metrics, as seen in its container. */
  readonly metrics = `http://${loopback}:${ports.phoenix.metrics}/metrics`;
  /** What is another when anything that a span meets in Phoenix is another. */
  readonly path: readonly pulumi.Output<string>[];

  constructor(name: string, args: PhoenixArgs, opts?: pulumi.ComponentResourceOptions) {
    super('llm-observability:index:Phoenix', name, {}, opts);
    const child = { parent: this };
    const labels = { [stackLabel]: args.owner };

    // Made whether auth is on or not: the first boot makes the administrator and encrypts with the secret, and both
    // are then in the database for good. With secrets of one's own they stay unused, because what is protected
    // cannot go: without PHOENIX_SECRET what Phoenix has encrypted is lost, without the first password the way in.
    const drawn = (part: string, args: random.RandomPasswordArgs, protect: boolean): pulumi.Output<string> =>
      pulumi.secret(new random.RandomPassword(`${name}-${part}`, args, { ...child, protect }).result);
    const given = (own: string | undefined, generated: pulumi.Output<string>): pulumi.Output<string> => (own === undefined ? generated : pulumi.secret(own));
    const drawnSecret = drawn('secret', phoenixSecret, true);
    const secret = given(args.own?.secret, drawnSecret);
    this.adminSecret = given(args.own?.adminSecret, drawn('admin-secret', phoenixSecret, false));
    this.firstPassword = given(args.own?.firstPassword, drawn('first-password', password, true));

    // Kept when the stack goes: traces are the one thing here that cannot be made again.
    const data = new docker.Volume(
      `${name}-data`,
      { name: hostName('phoenix', args.stack, 'data'), labels: [{ label: stackLabel, value: args.owner }] },
      { ...child, retainOnDelete: true, protect: args.protectData },
    );
    this.image = workload.image(`${name}-image`, args.image, child);
    const mounts = [{ volume: data.name, path: workingDir }];

    const owner = ownedBy(users.phoenix, `${name}-data-owner`, { containerName: hostName('phoenix', args.stack, 'data-owner'), image: this.image, labels, mounts, path: workingDir }, child);
    const owned = workload.mustSucceed(owner, 'Phoenix cannot start on its data volume');

    // One file: of several, one that is no longer wanted would stay in the volume.
    const secretEnv = pulumi.secret(pulumi.jsonStringify({
      PHOENIX_SECRET: secret,
      PHOENIX_ADMIN_SECRET: this.adminSecret,
      PHOENIX_DEFAULT_ADMIN_INITIAL_PASSWORD: this.firstPassword,
      ...args.secretEnv,
    }));
    const secrets = fileVolume(
      { volume: `${name}-secrets`, files: `${name}-secret-files` },
      {
        volumeName: hostName('phoenix', args.stack, 'secrets'),
        containerName: hostName('phoenix', args.stack, 'secret-files'),
        image: this.image,
        owner: args.owner,
        path: secretsDir,
        files: { [secretsFile]: secretEnv },
        reader: users.phoenix,
      },
      child,
    );
    const readable = workload.mustSucceed(secrets.written, 'Phoenix cannot read its secrets');

    const container = workload.service(
      `${name}-server`,
      {
        containerName: hostName('phoenix', args.stack),
        image: this.image,
        // Secrets are read once: a change replaces the container.
        labels: { ...labels, ...secretLabel(secretEnv, drawnSecret) },
        user: users.phoenix,
        networks: [{ network: args.network, aliases: [aliases.phoenix] }],
        mounts: [...mounts, secrets.mount],
        entrypoint: ['python3', '-c'],
        command: [phoenixStart(args.mostProjects), ...served.args],
        env: phoenixEnvironment(args),
        // All of it is published by the gate.
        ports: [],
        listed: {},
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
          // The provider would give up after a time and replace the container in the next deployment: PhoenixReady waits.
        },
        memoryMiB: args.memoryMiB,
        cpus: args.cpus,
        limits: args.limits,
        // On SIGTERM Phoenix writes the spans it holds in memory, within 5 s.
        stopSeconds: 20,
        ...(args.transform?.container ? { transform: args.transform.container } : {}),
      },
      { ...child, dependsOn: [owned, readable] },
    );
    const ready = new PhoenixReady(
      `${name}-ready`,
      { engine: args.engine, container: hostName('phoenix', args.stack), server: container.id, redeploy: `npm run up -- --stack ${args.stack}` },
      child,
    );
    // Whoever has the ID may speak to it.
    const server = pulumi.all([container.id, ready.urn]).apply(([id]) => id);

    const access: PhoenixAccessArgs = {
      engine: args.engine,
      container: container.name,
      url: `http://${loopback}:${ports.phoenix.ui}`,
      auth: args.auth,
      adminSecret: this.adminSecret,
    };
    const settings = new PhoenixSettings(
      `${name}-settings`,
      { ...access, server, retentionDays: args.retentionDays, firstPassword: this.firstPassword },
      child,
    );
    const description = `made by Pulumi stack ${args.owner}`;
    const { names: ending = [], hours } = args.ending ?? {};
    const apiKey = (key: string): ApiKey =>
      new ApiKey(
        `${name}-key-${key}`,
        { ...access, server, name: key, description, signedWith: secret, hours: ending.includes(key) ? hours : undefined },
        // Not before a password that everybody knows is gone.
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
      // Also without auth, when Phoenix ignores it: switching auth on or off then leaves Alloy as it is. Without a key there is
      // a word in its place: an empty header is none, and would be another configuration.
      headers: { authorization: pulumi.secret(alloyKey.key.apply((key) => `Bearer ${key === '' ? 'none' : key}`)) },
    };
    this.server = server;
    this.path = [server, alloyKey.keyId];
    this.registerOutputs({ containerName: this.containerName, volumeName: this.volumeName });
  }
}
