import type * as pulumi from '@pulumi/pulumi';

/** A kind of telemetry in OTLP. */
export type Signal = 'traces' | 'metrics' | 'logs';

/** How a backend takes telemetry: OTLP over HTTP, or Prometheus remote write. */
export type Protocol = 'otlphttp' | 'remote-write';

/**
 * What Alloy needs to know of something that stores telemetry. Alloy knows backends by this
 * alone, so another trace store is one more component that offers a `Backend`.
 */
export interface Backend {
  /** Label in Alloy's config, `[a-z][a-z0-9_]*`. The queue on disk is named after it: renaming orphans what waits there. */
  readonly name: string;
  readonly signals: readonly Signal[];
  readonly protocol: Protocol;
  /** Base URL of an OTLP endpoint (`/v1/traces` and so on are appended), or the whole remote write URL. */
  readonly endpoint: pulumi.Input<string>;
  /**
   * Whether it is behind a tunnel, which takes bodies up to a limit and as long as the way takes. Only with `otlphttp`.
   * @default no
   */
  readonly tunnelled?: boolean;
  /**
   * Headers that it wants with every request, by lower-case name, their values secret. Only with `otlphttp`.
   * @default none
   */
  readonly headers?: Readonly<Record<string, pulumi.Input<string>>>;
  /**
   * Who sends, where its gate says so in place of Alloy: address and credentials then change in one step.
   * @default nobody in particular
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

/** The same, of which any part may be known only later. */
export type SenderArgs = { readonly [K in keyof Sender]: pulumi.Input<string> | undefined };

/** The header by which a store knows who sends; empty for nobody in particular. */
export const authorizationOf = ({ username, password, token }: Sender): string =>
  (token !== undefined ? `Bearer ${token}`
    : username !== undefined && password !== undefined ? `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` : '');
