/**
 * Resources of the local provider `observability` (provider/): what has to be done inside a running
 * stack, declared like everything else.
 */
import * as pulumi from '@pulumi/pulumi';
import type { Engine } from '../engine';
import type { ApiKeyInputs, ApiKeyListInputs, CloudflareAccountInputs, EngineCheckInputs, IntakeInputs, PhoenixAccess, PhoenixReadyInputs, PhoenixSettingsInputs } from './observability-contract';

/** What the provider takes, of which any part may be known only later. */
type Args<T> = { readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? pulumi.Input<readonly pulumi.Input<E>[]> : pulumi.Input<T[K]> };

/** Where Phoenix is, and what opens it. */
export type PhoenixAccessArgs = Args<PhoenixAccess>;

export type ApiKeyArgs = Args<ApiKeyInputs>;

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

export type ApiKeyListArgs = Args<ApiKeyListInputs>;

/** The API keys that the stack has: every other key with its description is revoked. */
export class ApiKeyList extends pulumi.CustomResource {
  constructor(name: string, args: ApiKeyListArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:ApiKeyList', name, { ...args }, opts);
  }
}

export type PhoenixReadyArgs = Args<PhoenixReadyInputs>;

/**
 * Phoenix, started: its database migrated, its health check passed. However long that takes it is waited for as long as it
 * gets on. Refuses, at the preview, to replace a container that is in the middle of migrating.
 */
export class PhoenixReady extends pulumi.CustomResource {
  constructor(name: string, args: PhoenixReadyArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:PhoenixReady', name, { ...args }, opts);
  }
}

export type PhoenixSettingsArgs = Args<PhoenixSettingsInputs>;

/** What Phoenix reads from its environment only when it makes its database, and so has to be told. */
export class PhoenixSettings extends pulumi.CustomResource {
  constructor(name: string, args: PhoenixSettingsArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:PhoenixSettings', name, { ...args }, opts);
  }
}

export type EngineCheckArgs = Args<EngineCheckInputs>;

/**
 * The Docker Engine that the stack runs on. Refuses, at the preview, to go on with a different one: the containers and the
 * data would stay behind where they are, out of sight.
 */
export class EngineCheck extends pulumi.CustomResource {
  constructor(name: string, args: EngineCheckArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:EngineCheck', name, { ...args }, opts);
  }
}

export type IntakeArgs = Args<IntakeInputs>;

/**
 * Whether Phoenix is being sent spans. It is deleted before Phoenix's container is, and that closes the gate and
 * waits until Phoenix has stored what it holds; it is made again with the next container.
 */
export class Intake extends pulumi.CustomResource {
  constructor(name: string, args: IntakeArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:Intake', name, { ...args }, { ...opts, deleteBeforeReplace: true });
  }
}

export type DeliveryCheckArgs = Args<{
  engine: Engine;
  /** Base URLs on the private network. */
  endpoints: pulumi.Input<Args<{ otlpHttp: string; alloyUi: string; phoenix: string }>>;
  /** Command that puts the stack's containers back. */
  redeploy: string;
  /** IDs and hashes of everything on the path: when one is another, the path proves itself again. */
  path: pulumi.Input<string>[];
}> & (AtHome | AtTheEdge);

/** Phoenix is in this stack. */
type AtHome = Args<{
  /** URL of Phoenix's metrics, as seen in its container. */
  metrics: string;
  /** Names on the Docker host. */
  containers: pulumi.Input<Args<{ phoenix: string; alloy: string; gate: string; journal?: string; egress?: string; prometheusGate?: string; lokiGate?: string }>>;
  auth: boolean;
  adminSecret: string;
}>;

/** Phoenix is in another stack, behind a tunnel. */
type AtTheEdge = Args<{
  containers: pulumi.Input<Args<{ alloy: string; gate: string; prometheusGate?: string; lokiGate?: string }>>;
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

export type CloudflareAccountArgs = Args<CloudflareAccountInputs>;

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
