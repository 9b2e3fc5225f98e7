/** Outputs of a stack, as index.ts returns them. The names are an interface: scripts of users read them. */
export interface Outputs {
  readonly endpoints: Endpoints;
  /** Backend of each signal; null where it is accepted and discarded. */
  readonly signals: Readonly<Record<'traces' | 'metrics' | 'logs', string | null>>;
  /** Names on the Docker host. */
  readonly containers: { readonly phoenix: string; readonly alloy: string };
  readonly volumes: { readonly phoenix: string; readonly alloy: string };
  /** `docker:host` of the stack, or null where it goes to the default engine. */
  readonly dockerHost: string | null;
  readonly images: Readonly<Record<'phoenix' | 'alloy', { readonly name: string; readonly digest: string; readonly id: string }>>;
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
