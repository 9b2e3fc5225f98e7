/**
 * Resources of the local provider `observability` (provider/): actions inside a running
 * stack, declared like everything else.
 */
import * as pulumi from '@pulumi/pulumi';
import type { Engine } from '../engine';
import type { ApiKeyInputs, ApiKeyListInputs, CloudflareAccountInputs, EngineCheckInputs, IntakeInputs, PhoenixAccess, PhoenixReadyInputs, PhoenixSettingsInputs } from './observability-contract';

/** Inputs of the provider, with parts that may be known only later. */
type Args<T> = { readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? pulumi.Input<readonly pulumi.Input<E>[]> : pulumi.Input<T[K]> };

/** Where Phoenix is, and its credentials. */
export type PhoenixAccessArgs = Args<PhoenixAccess>;

export type ApiKeyArgs = Args<ApiKeyInputs>;

/**
 * A system API key of Phoenix: created once, created again when it no longer works, revoked when the
 * resource is removed (see ApiKeyList). While auth is off it keeps its existing key, if any.
 */
export class ApiKey extends pulumi.CustomResource {
  /** The key, secret; empty if auth was never on. */
  declare readonly key: pulumi.Output<string>;
  /** Phoenix's ID of the key; empty as long as there is none. */
  declare readonly keyId: pulumi.Output<string>;
  /** Expiry in ISO 8601; empty for a key that never expires. State of an earlier version has none until the first deployment. */
  declare readonly expiresAt: pulumi.Output<string>;

  constructor(name: string, args: ApiKeyArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:ApiKey', name, { ...args, key: undefined, keyId: undefined, expiresAt: undefined }, pulumi.mergeOptions(opts, { additionalSecretOutputs: ['key'] }));
  }
}

export type ApiKeyListArgs = Args<ApiKeyListInputs>;

/** The API keys of the stack: every other key with its description is revoked. */
export class ApiKeyList extends pulumi.CustomResource {
  constructor(name: string, args: ApiKeyListArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:ApiKeyList', name, { ...args }, opts);
  }
}

export type PhoenixReadyArgs = Args<PhoenixReadyInputs>;

/**
 * Waits until Phoenix has started: its database is migrated and its health check has passed. There is no time limit while it
 * makes progress. Refuses, at the preview, to replace a container that is in the middle of migrating.
 */
export class PhoenixReady extends pulumi.CustomResource {
  constructor(name: string, args: PhoenixReadyArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:PhoenixReady', name, { ...args }, opts);
  }
}

export type PhoenixSettingsArgs = Args<PhoenixSettingsInputs>;

/** Settings that Phoenix reads from its environment only when it creates its database, and so must be set through its API. */
export class PhoenixSettings extends pulumi.CustomResource {
  constructor(name: string, args: PhoenixSettingsArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:PhoenixSettings', name, { ...args }, opts);
  }
}

export type EngineCheckArgs = Args<EngineCheckInputs>;

/**
 * The Docker Engine that the stack runs on. Refuses, at the preview, to continue with a different one: the containers and
 * data would be left behind, out of sight.
 */
export class EngineCheck extends pulumi.CustomResource {
  constructor(name: string, args: EngineCheckArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:EngineCheck', name, { ...args }, opts);
  }
}

export type IntakeArgs = Args<IntakeInputs>;

/**
 * Whether spans are sent to Phoenix. It is deleted before Phoenix's container, which closes the gate and
 * waits until Phoenix has stored what it holds; it is created again with the next container.
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
  /** Command that recreates the stack's containers. */
  redeploy: string;
  /** IDs and hashes of everything on the path: if one changes, the path is verified again. */
  path: pulumi.Input<string>[];
}> & (AtHome | AtTheEdge);

/** Phoenix is in this stack. */
type AtHome = Args<{
  /** URL of Phoenix's metrics, as seen from its container. */
  metrics: string;
  /** Names on the Docker host. */
  containers: pulumi.Input<Args<{ phoenix: string; alloy: string; gate: string; journal?: string; egress?: string; database?: string; prometheusGate?: string; lokiGate?: string; victorialogsGate?: string; prometheus?: string; victorialogs?: string }>>;
  auth: boolean;
  adminSecret: string;
}>;

/** Phoenix is in another stack, behind a tunnel. */
type AtTheEdge = Args<{
  containers: pulumi.Input<Args<{ alloy: string; gate: string; prometheusGate?: string; lokiGate?: string; victorialogsGate?: string; prometheus?: string; victorialogs?: string }>>;
  central: { readonly stack: string; readonly hostname: string; readonly sendTo: 'alloy' | 'phoenix'; readonly token: string };
  /** Headers for requests to Phoenix; secret. */
  headers: Record<string, string>;
}>;

/**
 * A trace that is sent to Alloy and read back from Phoenix whenever something on its path has changed.
 * If it does not arrive, the deployment fails and reports the hop and the cause.
 */
export class DeliveryCheck extends pulumi.CustomResource {
  constructor(name: string, args: DeliveryCheckArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:DeliveryCheck', name, { ...args }, opts);
  }
}

export type CloudflareAccountArgs = Args<CloudflareAccountInputs>;

/**
 * Checks the Cloudflare account of a tunnel before anything is created: refuses, at the preview, a token that lacks a
 * permission, a zone that does not exist and names that belong to somebody else.
 */
export class CloudflareAccount extends pulumi.CustomResource {
  declare readonly zoneId: pulumi.Output<string>;

  constructor(name: string, args: CloudflareAccountArgs, opts?: pulumi.CustomResourceOptions) {
    super('observability:index:CloudflareAccount', name, { ...args, zoneId: undefined }, opts);
  }
}
