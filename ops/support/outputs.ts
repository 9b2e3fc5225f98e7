import type { Remote, RemoteAccess } from '../../settings/edge-access';
import type { Engine } from '../../engine';
import type { CentralStack } from '../../provider/route';

/** Outputs of a stack, as index.ts returns them. The names are an interface: scripts of users read them. */
export interface Outputs {
  readonly endpoints: Endpoints;
  /** Backend of each signal; null if it is accepted and discarded. */
  readonly signals: Readonly<Record<'traces' | 'metrics' | 'logs', string | null>>;
  /** Settings by which Alloy removes something from telemetry; absent if it removes nothing. */
  readonly redactedBy?: readonly string[];
  /** Share of traces that Alloy keeps, in percent; absent if it keeps all. */
  readonly sampledPercent?: number;
  /** Base URLs on the stack's private network, for containers in it. */
  readonly internal: { readonly otlpHttp: string; readonly alloyUi: string; readonly phoenix: string };
  /** Whether Phoenix requires credentials. */
  readonly auth: boolean;
  /** How the first administrator logs in, with a password that Phoenix requires to be changed at once; null without auth. Secret. */
  readonly login: { readonly url: string; readonly email: string; readonly password: string } | null;
  /** A bearer token with all rights. Secret. */
  readonly adminSecret: string;
  /** Keys of `phoenix:apiKeys` by name. Secret. */
  readonly apiKeys: Readonly<Record<string, string>>;
  /** Names on the Docker host. */
  readonly containers: { readonly phoenix: string; readonly alloy: string; readonly gate: string; readonly journal?: string; readonly egress?: string; readonly database?: string; readonly prometheusGate?: string; readonly lokiGate?: string; readonly victorialogsGate?: string; readonly prometheus?: string; readonly victorialogs?: string; readonly grafana?: string; readonly example?: string };
  readonly volumes: { readonly phoenix: string; readonly alloy: string; readonly journal?: string; readonly prometheus?: string; readonly victorialogs?: string; readonly grafana?: string };
  /** Address of the stack's Docker Engine. */
  readonly dockerHost: string | null;
  /** How to reach it. Secret. Stacks of the first version do not have it. */
  readonly engine?: Engine;
  /** Where applications in containers send; null if there is no such address. Stacks of an older version do not have it. */
  readonly forContainers?: string | null;
  /** Credentials for Alloy's page. Secret. */
  readonly alloyPage: { readonly user: string; readonly password: string };
  /** How the administrator of Grafana logs in; absent without Grafana. Secret. */
  readonly grafanaLogin?: { readonly url: string; readonly user: string; readonly password: string };
  /** The token that senders on other machines put into a header; absent if Alloy requires none. Secret. */
  readonly otlpToken?: string;
  /** Addresses of `alloy:bind` on which Alloy requires it. */
  readonly otlpTokenOn?: readonly string[];
  readonly images: Readonly<Record<'phoenix' | 'alloy' | 'gate', Image> & Partial<Record<'tunnel' | 'prometheus' | 'victorialogs' | 'grafana', Image>>>;
  /** What is published through Cloudflare; null if nothing is. */
  readonly tunnel: {
    /** ID and name of the tunnel in the account. */
    readonly id: string;
    readonly name: string;
    /** URL of Phoenix's page, if it has a hostname. */
    readonly page: string | null;
    readonly hostnames: readonly string[];
    /** Names of the connectors' containers on the Docker host. */
    readonly containers: readonly string[];
  } | null;
  /** What edge stacks need to know about this one. */
  readonly remote: Remote;
  /** Credentials for it, by the name of the service token. Secret. */
  readonly remoteAccess: RemoteAccess;
}

/** Outputs of an edge stack (`edge:central`). */
export interface EdgeOutputs extends Pick<Outputs, 'signals' | 'redactedBy' | 'sampledPercent' | 'internal' | 'dockerHost' | 'engine' | 'alloyPage' | 'otlpToken' | 'otlpTokenOn' | 'forContainers'> {
  readonly endpoints: Pick<Endpoints, 'otlpHttp' | 'otlpGrpc' | 'alloyUi' | 'prometheus' | 'victorialogs'>;
  /** Where it sends, and with which credentials. */
  readonly central: CentralStack;
  /** Headers for reading a trace from Phoenix there. Secret. */
  readonly reader: Readonly<Record<string, string>>;
  readonly containers: { readonly alloy: string; readonly gate: string; readonly prometheusGate?: string; readonly lokiGate?: string; readonly victorialogsGate?: string; readonly prometheus?: string; readonly victorialogs?: string };
  readonly volumes: { readonly alloy: string; readonly prometheus?: string; readonly victorialogs?: string };
  readonly remote: null;
  readonly images: Readonly<Record<'alloy' | 'gate', Image> & Partial<Record<'prometheus' | 'victorialogs', Image>>>;
}

/** Whether a stack is an edge stack. */
export const isEdge = (outputs: Outputs | EdgeOutputs): outputs is EdgeOutputs => 'central' in outputs;

/** What runs: the reference, the digest in the image registry, the ID of the image. */
export interface Image {
  readonly name: string;
  readonly digest: string;
  readonly id: string;
}

/** Base URLs on the Docker host. */
export interface Endpoints {
  readonly otlpHttp: string;
  readonly otlpGrpc: string;
  readonly phoenixUi: string;
  readonly phoenixOtlpHttp: string;
  readonly phoenixOtlpGrpc: string;
  readonly alloyUi: string;
  /** Page of the deployed Prometheus, if there is one. */
  readonly prometheus?: string;
  /** Page of the deployed VictoriaLogs, if there is one. */
  readonly victorialogs?: string;
  /** With `example:enabled` alone. */
  readonly example?: string;
  /** Absent without Grafana. */
  readonly grafana?: string;
}
