/**
 * Inputs of the local provider's resources: defined once, for the program and for the provider that implements them.
 */
import type { Engine } from '../engine';

/** Where a stack's Phoenix is, and its credentials. */
export interface PhoenixAccess {
  /** Docker Engine of the stack. */
  readonly engine: Engine;
  /** Phoenix's container; requests are made from inside it. */
  readonly container: string;
  /** Base URL of its REST API, as seen from that container. */
  readonly url: string;
  /** Whether it requires credentials. Without that there are no keys and no logins. */
  readonly auth: boolean;
  /** PHOENIX_ADMIN_SECRET: a bearer token with all rights. */
  readonly adminSecret: string;
}

export interface ApiKeyInputs extends PhoenixAccess {
  readonly name: string;
  /** Distinguishes this stack's keys from those that people created; names are not unique in Phoenix. */
  readonly description: string;
  /** PHOENIX_SECRET, with which Phoenix signs keys: changing it invalidates all of them. */
  readonly signedWith: string;
  /** ID of Phoenix's container: a different one may have a different database. */
  readonly server: string;
  /** Lifetime in hours of the next key; 0 never expires. An existing key keeps its expiry. Default: never expires. */
  readonly hours?: number;
}

export interface ApiKeyListInputs extends PhoenixAccess {
  /** Description of every key of this stack, which distinguishes them from those that people created. */
  readonly description: string;
  /** Phoenix's IDs of the stack's keys; an empty text if there is no key. */
  readonly keyIds: readonly string[];
  /** ID of Phoenix's container: a different one may have a different database. */
  readonly server: string;
}

export interface PhoenixReadyInputs {
  /** Docker Engine of the stack. */
  readonly engine: Engine;
  /** Phoenix's container, and its ID: a new one has to start as well. */
  readonly container: string;
  readonly server: string;
  /** Command that resumes the deployment. */
  readonly redeploy: string;
}

export interface PhoenixSettingsInputs extends PhoenixAccess {
  /** Days after which traces are deleted; 0 keeps them forever. Default: Phoenix's own setting. */
  readonly retentionDays?: number;
  /** First password of admin@localhost. */
  readonly firstPassword: string;
  /** ID of Phoenix's container: a different one may have a different database. */
  readonly server: string;
}

export interface EngineCheckInputs {
  readonly engine: Engine;
  /** The engine's own ID; empty if it was not asked. Not named `id`, because the SDK would not pass that on. */
  readonly engineId: string;
}

export interface IntakeInputs {
  /** Docker Engine of the stack. */
  readonly engine: Engine;
  /** Container of the gate, and the file that closes it. */
  readonly gate: string;
  readonly closedFile: string;
  /** Phoenix's container, and the URL of its metrics, as seen from there. */
  readonly phoenix: string;
  readonly metrics: string;
  /** ID of Phoenix's container. */
  readonly server: string;
  /** ID of the gate's container: a new one is open. */
  readonly entrance: string;
}

export interface CloudflareAccountInputs {
  /** Base URL of the API. */
  readonly baseUrl: string;
  /** Empty: the one in the environment, as for the cloudflare provider. */
  readonly apiToken: string;
  readonly accountId: string;
  readonly zone: string;
  /** Name of the stack's tunnel. */
  readonly tunnel: string;
  /** Hostnames of the stack, and the setting that defines each. */
  readonly hostnames: readonly { readonly hostname: string; readonly setting: string }[];
  /** Whether there are Access applications, and service tokens. */
  readonly access: boolean;
  readonly serviceTokens: boolean;
}
