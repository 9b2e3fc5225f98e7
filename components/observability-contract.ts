/**
 * What the resources of the local provider take: written once, for the program that declares them and the provider that has them.
 */
import type { Engine } from '../engine';

/** Where a stack's Phoenix is, and what opens it. */
export interface PhoenixAccess {
  /** Docker Engine of the stack. */
  readonly engine: Engine;
  /** Phoenix's container; requests are made from inside it. */
  readonly container: string;
  /** Base URL of its REST API, as seen there. */
  readonly url: string;
  /** Whether it asks for credentials. Without that there are no keys and no logins. */
  readonly auth: boolean;
  /** PHOENIX_ADMIN_SECRET: a bearer token with all rights. */
  readonly adminSecret: string;
}

export interface ApiKeyInputs extends PhoenixAccess {
  readonly name: string;
  /** Tells the keys of this stack from those that people made; names are not unique in Phoenix. */
  readonly description: string;
  /** PHOENIX_SECRET, with which Phoenix signs keys: another one makes all of them worthless. */
  readonly signedWith: string;
  /** ID of Phoenix's container: another one may have another database. */
  readonly server: string;
  /** Hours for which the next key that is minted is good; 0 is for ever. One that is there keeps its end. Default: for ever. */
  readonly hours?: number;
}

export interface ApiKeyListInputs extends PhoenixAccess {
  /** Description of every key of this stack, by which they are told from those that people made. */
  readonly description: string;
  /** Phoenix's IDs of the keys that the stack has; an empty text where there is none. */
  readonly keyIds: readonly string[];
  /** ID of Phoenix's container: a different one may have a different database. */
  readonly server: string;
}

export interface PhoenixReadyInputs {
  /** Docker Engine of the stack. */
  readonly engine: Engine;
  /** Phoenix's container, and its ID: another one has to start as well. */
  readonly container: string;
  readonly server: string;
  /** Command that goes on with the deployment. */
  readonly redeploy: string;
}

export interface PhoenixSettingsInputs extends PhoenixAccess {
  /** Days after which traces are deleted; 0 keeps them for ever. Default: what is set in Phoenix. */
  readonly retentionDays?: number;
  /** First password of admin@localhost. */
  readonly firstPassword: string;
  /** ID of Phoenix's container: another one may have another database. */
  readonly server: string;
}

export interface EngineCheckInputs {
  readonly engine: Engine;
  /** The engine's own ID; empty where it was not asked. By the name `id` the SDK would keep it to itself. */
  readonly engineId: string;
}

export interface IntakeInputs {
  /** Docker Engine of the stack. */
  readonly engine: Engine;
  /** Container of the gate, and the file that closes it. */
  readonly gate: string;
  readonly closedFile: string;
  /** Phoenix's container, and the URL of its metrics, as seen there. */
  readonly phoenix: string;
  readonly metrics: string;
  /** ID of Phoenix's container. */
  readonly server: string;
  /** ID of the gate's: a new one is open. */
  readonly entrance: string;
}

export interface CloudflareAccountInputs {
  /** Base URL of the API. */
  readonly baseUrl: string;
  /** Empty: the one of the environment, as the cloudflare provider takes it. */
  readonly apiToken: string;
  readonly accountId: string;
  readonly zone: string;
  /** Name of the stack's tunnel. */
  readonly tunnel: string;
  /** Hostnames of the stack, and the setting that each comes from. */
  readonly hostnames: readonly { readonly hostname: string; readonly setting: string }[];
  /** Whether there are Access applications, and service tokens. */
  readonly access: boolean;
  readonly serviceTokens: boolean;
}
