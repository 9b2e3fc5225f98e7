/** Outputs of a stack, as index.ts returns them. The names are an interface: scripts of users read them. */
export interface Outputs {
  readonly endpoints: Endpoints;
  /** Backend of each signal; null where it is accepted and discarded. */
  readonly signals: Readonly<Record<'traces' | 'metrics' | 'logs', string | null>>;
  /** Base URLs on the stack's private network, for containers in it. */
  readonly internal: { readonly otlpHttp: string; readonly alloyUi: string; readonly phoenix: string };
  /** Whether Phoenix asks for credentials. */
  readonly auth: boolean;
  /** How the first administrator logs in, with a password that Phoenix has changed at once; null without auth. Secret. */
  readonly login: { readonly url: string; readonly email: string; readonly password: string } | null;
  /** A bearer token with all rights. Secret. */
  readonly adminSecret: string;
  /** Keys of `phoenix:apiKeys` by name. Secret. */
  readonly apiKeys: Readonly<Record<string, string>>;
  /** Names on the Docker host. */
  readonly containers: { readonly phoenix: string; readonly alloy: string; readonly gate: string };
  readonly volumes: { readonly phoenix: string; readonly alloy: string };
  /** `docker:host` of the stack, or null where it goes to the default engine. */
  readonly dockerHost: string | null;
  readonly images: Readonly<Record<'phoenix' | 'alloy' | 'gate', { readonly name: string; readonly digest: string; readonly id: string }>>;
}

/** Base URLs on the Docker host. */
export interface Endpoints {
  readonly otlpHttp: string;
  readonly otlpGrpc: string;
  readonly phoenixUi: string;
  readonly phoenixOtlpHttp: string;
  readonly phoenixOtlpGrpc: string;
  readonly alloyUi: string;
}
