import type * as pulumi from '@pulumi/pulumi';

/** A kind of telemetry in OTLP. */
export type Signal = 'traces' | 'metrics' | 'logs';

/** How a backend receives telemetry: OTLP over HTTP, or Prometheus remote write. */
export type Protocol = 'otlphttp' | 'remote-write';

/**
 * What Alloy needs to know about a store of telemetry. Alloy knows nothing else about backends,
 * so a new trace store is one more component that offers a `Backend`.
 */
export interface Backend {
  /** Label in Alloy's config, `[a-z][a-z0-9_]*`. The queue on disk is named after it: renaming it orphans the queued data. */
  readonly name: string;
  readonly signals: readonly Signal[];
  readonly protocol: Protocol;
  /** Base URL of an OTLP endpoint (`/v1/traces` and so on are appended), or the whole remote write URL. */
  readonly endpoint: pulumi.Input<string>;
  /**
   * Whether it is behind a tunnel, which limits the size of a body and may be slow. Only with `otlphttp`.
   * @default no
   */
  readonly tunnelled?: boolean;
  /**
   * Headers that it requires with every request, by lower-case name, their values secret. Only with `otlphttp`.
   * @default none
   */
  readonly headers?: Readonly<Record<string, pulumi.Input<string>>>;
  /**
   * The sender, if the gate identifies it instead of Alloy: address and credentials then change in one step.
   * @default no credentials
   */
  readonly sender?: SenderArgs;
}

/** Who sends to a store: a user with a password, or a token; and for which tenant. */
export interface Sender {
  /** @default none */
  readonly username?: string | undefined;
  /**
   * Secret.
   * @default none
   */
  readonly password?: string | undefined;
  /**
   * Secret.
   * @default none
   */
  readonly token?: string | undefined;
  /** @default none */
  readonly tenant?: string | undefined;
}

/** The same, with parts that may be known only later. */
export type SenderArgs = { readonly [K in keyof Sender]: pulumi.Input<string> | undefined };

/** The header that identifies the sender to a store; empty if there are no credentials. */
export const authorizationOf = ({ username, password, token }: Sender): string =>
  (token !== undefined ? `Bearer ${token}`
    : username !== undefined && password !== undefined ? `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` : '');
