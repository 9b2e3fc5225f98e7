/**
 * Resources of the local provider `observability` (provider/): what has to be done inside a running
 * stack, declared like everything else.
 */
import * as pulumi from '@pulumi/pulumi';
import type { Engine } from '../engine';

type Inputs<T> = { readonly [K in keyof T]: pulumi.Input<T[K]> };

/** Where Phoenix is, and what opens it; see PhoenixAccess in provider/phoenix-api.ts. */
export type PhoenixAccess = Inputs<{
  /** Docker Engine of the stack. */
  engine: Engine;
  /** Phoenix's container; requests are made from inside it, so nothing has to be published for them. */
  container: string;
  /** Base URL of its REST API, as seen there. */
  url: string;
  auth: boolean;
  adminSecret: string;
}>;

export type ApiKeyArgs = PhoenixAccess & Inputs<{
  name: string;
  /** Tells the keys of this stack from those that people made; names are not unique in Phoenix. */
  description: string;
  /** PHOENIX_SECRET: another one makes every key worthless. */
  signedWith: string;
  /** ID of Phoenix's container: another one may have another database. */
  server: string;
}> & {
  /** Hours for which the next key that is minted is good; 0 is for ever. One that is there keeps its end. Default: for ever. */
  readonly hours?: pulumi.Input<number> | undefined;
};

/**
 * A system API key of Phoenix: minted once, minted again when it no longer works, revoked when the
 * resource goes (see ApiKeyList). While auth is off it keeps the key it had, if any.
 */
export class ApiKey extends pulumi.CustomResource {
  /** The key, secret; empty while auth was never on. */
  declare readonly key: pulumi.Output<string>;
  /** Phoenix's own ID of it; empty as long as there is none. */
  declare readonly keyId: pulumi.Output<string>;
  /** When it ends, in ISO 8601; empty for one that is good for ever. State of an earlier version has none, until the first deployment. */
  declare readonly expiresAt: pulumi.Output<string>;

  constructor(name: string, args: ApiKeyArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:ApiKey', name, { ...args, key: undefined, keyId: undefined, expiresAt: undefined }, pulumi.mergeOptions(opts, { additionalSecretOutputs: ['key'] }));
  }
}

export type ApiKeyListArgs = PhoenixAccess & Inputs<{
  /** Description of every key of this stack. */
  description: string;
  /** ID of Phoenix's container: a different one may have a different database. */
  server: string;
}> & {
  /** Phoenix's own IDs of the keys that the stack has. */
  readonly keyIds: readonly pulumi.Input<string>[];
};

/** The API keys that the stack has: every other key with its description is revoked. */
export class ApiKeyList extends pulumi.CustomResource {
  constructor(name: string, args: ApiKeyListArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:ApiKeyList', name, { ...args }, opts);
  }
}

export type PhoenixReadyArgs = Inputs<{
  engine: Engine;
  /** Phoenix's container: its name, known before it is there, and its ID. */
  container: string;
  server: string;
  /** Command that goes on with the deployment. */
  redeploy: string;
}>;

/**
 * Phoenix, started: its database migrated, its health check passed. However long that takes it is waited for as long as it
 * gets on. Refuses, at the preview, to replace a container that is in the middle of migrating.
 */
export class PhoenixReady extends pulumi.CustomResource {
  constructor(name: string, args: PhoenixReadyArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:PhoenixReady', name, { ...args }, opts);
  }
}

export type PhoenixSettingsArgs = PhoenixAccess & {
  /** Days after which traces are deleted; 0 keeps them for ever. Default: what is set in Phoenix. */
  readonly retentionDays?: pulumi.Input<number> | undefined;
} & Inputs<{
  /** Takes the place of the password that everybody knows, where the database still has that. */
  firstPassword: string;
  server: string;
}>;

/** What Phoenix reads from its environment only when it makes its database, and so has to be told. */
export class PhoenixSettings extends pulumi.CustomResource {
  constructor(name: string, args: PhoenixSettingsArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:PhoenixSettings', name, { ...args }, opts);
  }
}

export type EngineCheckArgs = Inputs<{
  engine: Engine;
  /** The engine's own ID; empty where it was not asked. By the name `id` the SDK would keep it to itself. */
  engineId: string;
}>;

/**
 * The Docker Engine that the stack runs on. Refuses, at the preview, to go on with a different one: the containers and the
 * data would stay behind where they are, out of sight.
 */
export class EngineCheck extends pulumi.CustomResource {
  constructor(name: string, args: EngineCheckArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:EngineCheck', name, { ...args }, opts);
  }
}

export type IntakeArgs = Inputs<{
  engine: Engine;
  /** Container of the gate, and the file that closes it. */
  gate: string;
  closedFile: string;
  /** Phoenix's container, and the URL of its metrics, as seen there. */
  phoenix: string;
  metrics: string;
  /** IDs of the two containers. */
  server: string;
  entrance: string;
}>;

/**
 * Whether Phoenix is being sent spans. It is deleted before Phoenix's container is, and that closes the gate and
 * waits until Phoenix has stored what it holds; it is made again with the next container.
 */
export class Intake extends pulumi.CustomResource {
  constructor(name: string, args: IntakeArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:Intake', name, { ...args }, { ...opts, deleteBeforeReplace: true });
  }
}

export type DeliveryCheckArgs = Inputs<{
  engine: Engine;
  /** Base URLs on the private network. */
  endpoints: pulumi.Input<Inputs<{ otlpHttp: string; alloyUi: string; phoenix: string }>>;
  /** Command that puts the stack's containers back. */
  redeploy: string;
  /** IDs and hashes of everything on the path: when one is another, the path proves itself again. */
  path: pulumi.Input<string>[];
}> & (AtHome | AtTheEdge);

/** Phoenix is in this stack. */
type AtHome = Inputs<{
  /** URL of Phoenix's metrics, as seen in its container. */
  metrics: string;
  /** Names on the Docker host. */
  containers: pulumi.Input<Inputs<{ phoenix: string; alloy: string; gate: string; journal?: string; egress?: string; prometheusGate?: string; lokiGate?: string }>>;
  auth: boolean;
  adminSecret: string;
}>;

/** Phoenix is in another stack, behind a tunnel. */
type AtTheEdge = Inputs<{
  containers: pulumi.Input<Inputs<{ alloy: string; gate: string; prometheusGate?: string; lokiGate?: string }>>;
  central: { readonly stack: string; readonly hostname: string; readonly sendTo: 'alloy' | 'phoenix'; readonly token: string };
  /** Headers with which Phoenix is asked; secret. */
  headers: Record<string, string>;
}>;

/**
 * A trace that is sent to Alloy and read back from Phoenix whenever something on its way has changed.
 * The deployment fails when it does not arrive, with the hop and the cause.
 */
export class DeliveryCheck extends pulumi.CustomResource {
  constructor(name: string, args: DeliveryCheckArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:DeliveryCheck', name, { ...args }, opts);
  }
}

export type CloudflareAccountArgs = Inputs<{
  /** Base URL of the API, and a token; an empty one: that of the environment. */
  baseUrl: string;
  apiToken: string;
  accountId: string;
  zone: string;
  /** Name of the stack's tunnel. */
  tunnel: string;
  /** Hostnames of the stack, and the setting that each comes from. */
  hostnames: { readonly hostname: string; readonly setting: string }[];
  /** Whether there are Access applications, and service tokens. */
  access: boolean;
  serviceTokens: boolean;
}>;

/**
 * The Cloudflare account of a tunnel, looked at before anything is made: refuses, at the preview, a token that lacks a
 * permission, a zone that is not there and names that somebody else has.
 */
export class CloudflareAccount extends pulumi.CustomResource {
  declare readonly zoneId: pulumi.Output<string>;

  constructor(name: string, args: CloudflareAccountArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:CloudflareAccount', name, { ...args, zoneId: undefined }, opts);
  }
}
