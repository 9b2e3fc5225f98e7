import * as crypto from 'node:crypto';
import { covering, lets, type Application, type Policy } from './admission';
import { Faults, type Asked } from './faults';
import { ruleFor, type IngressRule } from './ingress';

/** The part of an account that the edge network reads. */
export interface EdgeView {
  /** ID of the tunnel whose connector token (base64 of {"a","t","s"}) this is; undefined when it is none. */
  tunnelOf(token: string): string | undefined;
  /** Records how many connections of connectors a tunnel has: a tunnel with connections cannot be deleted. */
  connected(tunnelId: string, connections: number): void;
  /** The tunnel that the proxied CNAME of a hostname points to, and the service of the first ingress rule of its configuration that fits hostname and path; undefined for a hostname without a record. `service` may be `http_status:404`. */
  route(hostname: string, path: string): { readonly tunnelId: string; readonly service: string } | undefined;
  /** What Access does with a request with these headers (lower-case names): let it pass (no application covers it, or a policy admits its service token), send it to the login page, or answer 401. */
  access(hostname: string, path: string, headers: Readonly<Record<string, string | string[] | undefined>>): 'pass' | 'login' | 'unauthorized';
}

/** The permissions of an API token that a stack needs. */
export type Permission = 'tunnel' | 'dns' | 'zone' | 'access' | 'serviceTokens';
export type Rights = Readonly<Partial<Record<Permission, 'read' | 'write'>>>;
export const allRights: Rights = { tunnel: 'write', dns: 'write', zone: 'read', access: 'write', serviceTokens: 'write' };

export interface ApiToken {
  readonly id: string;
  readonly rights: Rights;
  /** Tokens of a person and of the account are verified at different places. */
  readonly owner: 'user' | 'account';
  readonly status: 'active' | 'disabled' | 'expired';
}

export interface Zone {
  readonly id: string;
  readonly name: string;
  readonly created: string;
}

export interface Tunnel {
  readonly id: string;
  readonly created: string;
  readonly configSrc: string;
  name: string;
  /** Base64. */
  secret: string;
  deleted: string | null;
  connections: number;
  activeSince: string | null;
  inactiveSince: string | null;
}

export interface Configuration {
  readonly version: number;
  readonly created: string;
  readonly config: { readonly ingress?: readonly IngressRule[] };
}

export interface DnsRecord {
  readonly id: string;
  readonly zoneId: string;
  readonly type: string;
  /** The whole name, in lower case. */
  readonly name: string;
  readonly content: string;
  readonly proxied: boolean;
  readonly created: string;
  /** Everything else as the API shows it. */
  readonly shown: Readonly<Record<string, unknown>>;
}

export interface ServiceToken {
  readonly id: string;
  readonly clientId: string;
  readonly created: string;
  updated: string;
  name: string;
  duration: string;
  enabled: boolean;
  version: number;
  expires: Date;
  secret: string;
  /** Valid for a while after a rotation. */
  previous: { readonly secret: string; until: Date } | undefined;
}

/** Everything else as the API shows it. */
type Shown = Readonly<Record<string, unknown>>;

/** One Cloudflare account: the parts that this project uses. How its API changes it is in `api.ts`. */
export class Account implements EdgeView {
  readonly id: string;
  readonly name: string;
  readonly created: string;
  readonly zones: readonly Zone[];
  readonly tunnels = new Map<string, Tunnel>();
  /** By tunnel. */
  readonly configurations = new Map<string, Configuration>();
  readonly records = new Map<string, DnsRecord>();
  readonly serviceTokens = new Map<string, ServiceToken>();
  readonly policies = new Map<string, Policy & Shown>();
  readonly applications = new Map<string, Application & Shown>();
  /** The requests to the API. Tokens of requests are not in it, secrets in bodies are. */
  readonly requests: Asked[] = [];
  readonly faults = new Faults();
  readonly now: () => Date;
  /**
   * The `Retry-After` of temporary refusals. Cloudflare sends it for 429 only, and the provider waits 2 to 30 seconds ten
   * times: no test has that long.
   */
  readonly retryAfterMs: number;
  private readonly apiTokens = new Map<string, ApiToken>();

  constructor({ zones, id = hexId(), name = 'Laboratory', now = () => new Date(), retryAfterMs = 10 }: {
    readonly zones: readonly string[]; readonly id?: string; readonly name?: string; readonly now?: () => Date; readonly retryAfterMs?: number;
  }) {
    this.id = id;
    this.name = name;
    this.now = now;
    this.retryAfterMs = retryAfterMs;
    this.created = this.timestamp();
    this.zones = zones.map((zone) => ({ id: hexId(), name: zone, created: this.timestamp() }));
  }

  /** A new API token, in Cloudflare's own format. */
  issueToken(rights: Rights = allRights, rest: Partial<Pick<ApiToken, 'owner' | 'status'>> = {}): string {
    const value = crypto.randomBytes(30).toString('base64url');
    this.apiTokens.set(value, { id: hexId(), rights, owner: 'user', status: 'active', ...rest });
    return value;
  }

  apiToken(value: string): ApiToken | undefined {
    return this.apiTokens.get(value);
  }

  timestamp(): string {
    return this.now().toISOString();
  }

  connectorToken({ id, secret }: Tunnel): string {
    return Buffer.from(JSON.stringify({ a: this.id, t: id, s: secret })).toString('base64');
  }

  tunnelOf(token: string): string | undefined {
    try {
      const { a, t, s } = JSON.parse(Buffer.from(token, 'base64').toString()) as Record<string, string>;
      const tunnel = this.tunnels.get(t ?? '');
      return a === this.id && tunnel?.deleted === null && tunnel.secret === s ? tunnel.id : undefined;
    } catch {
      return undefined;
    }
  }

  connected(tunnelId: string, connections: number): void {
    const tunnel = this.tunnels.get(tunnelId);
    if (!tunnel) {
      throw new Error(`the account has no tunnel ${tunnelId}`);
    }
    if ((tunnel.connections > 0) !== (connections > 0)) {
      tunnel.activeSince = connections > 0 ? this.timestamp() : null;
      tunnel.inactiveSince = connections > 0 ? null : this.timestamp();
    }
    tunnel.connections = connections;
  }

  route(hostname: string, path: string): { tunnelId: string; service: string } | undefined {
    const record = this.recordOf(hostname.toLowerCase());
    const [, tunnelId] = (record?.type === 'CNAME' && record.proxied && /^([0-9a-f-]{36})\.cfargotunnel\.com$/i.exec(record.content)) || [];
    if (!tunnelId) {
      return undefined;
    }
    // cloudflared without rules returns 503.
    const rules = this.configurations.get(tunnelId)?.config.ingress ?? [];
    return { tunnelId, service: ruleFor(rules, hostname.toLowerCase(), path)?.service ?? 'http_status:503' };
  }

  access(hostname: string, path: string, headers: Readonly<Record<string, string | string[] | undefined>>): 'pass' | 'login' | 'unauthorized' {
    const application = covering([...this.applications.values()], hostname.toLowerCase(), path);
    if (!application) {
      return 'pass';
    }
    const token = this.shown(headers['cf-access-client-id'], headers['cf-access-client-secret']);
    const policies = application.policies.flatMap(({ id }) => this.policies.get(id) ?? []);
    return lets(policies, token?.id) ? 'pass' : application.service_auth_401_redirect ? 'unauthorized' : 'login';
  }

  /** The record for a hostname: its own, else the nearest wildcard. */
  private recordOf(hostname: string): DnsRecord | undefined {
    const parts = hostname.split('.');
    const names = [hostname, ...parts.slice(1).map((_, i) => `*.${parts.slice(i + 1).join('.')}`)];
    const records = [...this.records.values()].filter(({ type }) => ['A', 'AAAA', 'CNAME'].includes(type));
    return names.map((name) => records.find((record) => record.name === name)).find(Boolean);
  }

  private shown(clientId: string | string[] | undefined, secret: string | string[] | undefined): ServiceToken | undefined {
    const now = this.now();
    const good = ({ secret: current, previous }: ServiceToken) => secret === current || (previous !== undefined && secret === previous.secret && now < previous.until);
    return [...this.serviceTokens.values()].find((token) => token.clientId === clientId && token.enabled && now < token.expires && good(token));
  }
}

export function hexId(): string {
  return crypto.randomBytes(16).toString('hex');
}
