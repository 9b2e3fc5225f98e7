/**
 * What a stack publishes through a Cloudflare tunnel: where each hostname leads, and who has access.
 */
import type * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { largestRequestOf } from './largest-request';
import type { Remote, RemoteAccess } from '../settings/edge-access';
import type { Route } from '../components/route';
import { checksPath } from '../components/door';
import type { Host } from './host';
import { CloudflareAccount } from '../components/observability-resources';
import type { Phoenix } from '../components/phoenix';
import type { Settings } from '../settings/keys';
import { hasPeople, hasTunnel, hostnamesOf, zoneOf } from '../settings/tunnel';

/** Base URLs of the services on the private network. */
export interface Services {
  /** Phoenix: page and REST API, through the door of the gate. */
  readonly page: string;
  /** OTLP to Phoenix, through the gate, which is closed while Phoenix is replaced. */
  readonly phoenixOtlp: string;
  /** OTLP to Alloy. */
  readonly otlp: string;
}

/** The tunnel, and the outputs of the stack about it. */
export interface Published {
  readonly component: pulumi.Resource;
  readonly image: docker.RemoteImage;
  readonly tunnel: object;
  readonly remote: pulumi.Output<Remote>;
  readonly remoteAccess: pulumi.Output<RemoteAccess>;
}

/** What a stack that publishes nothing reports to other stacks. */
export const nothingRemote: Remote = { otlp: { alloy: null, phoenix: null }, auth: false, tokens: {} };

/** Paths of OTLP over HTTP. */
const otlpPaths = '^/v1/(traces|metrics|logs)$';
const tracesPath = '^/v1/traces$';

/** Where each hostname leads, and for whom. */
export function routesOf(settings: Settings, { page, phoenixOtlp, otlp }: Services): Route[] {
  const hostnames = { page: settings['tunnel:hostname'], otlp: settings['tunnel:otlpHostname'], phoenixOtlp: settings['tunnel:phoenixOtlpHostname'] };
  // Nothing else of Phoenix is behind a hostname for machines.
  const checks = { path: checksPath, service: page };
  return [
    ...(hostnames.page === undefined ? [] : [{ name: 'page', hostname: hostnames.page, rules: [{ service: page }], audience: hasPeople(settings) ? 'people' : 'everybody' } as const]),
    ...(hostnames.otlp === undefined ? [] : [{ name: 'otlp', hostname: hostnames.otlp, rules: [{ path: otlpPaths, service: otlp }, checks], audience: 'machines' } as const]),
    ...(hostnames.phoenixOtlp === undefined ? [] : [{ name: 'phoenix-otlp', hostname: hostnames.phoenixOtlp, rules: [{ path: tracesPath, service: phoenixOtlp }, checks], audience: 'machines' } as const]),
    ...(settings['tunnel:routes'] ?? []).map(({ hostname, service }) => ({ name: hostname, hostname, rules: [{ service }], audience: 'people' } as const)),
  ];
}

/** Name of the tunnel in its account. */
const tunnelName = (settings: Settings, stack: string): string => settings['tunnel:name'] ?? `llm-observability-${stack}`;

/** Names of the service tokens; none if no hostname is for machines. */
export function serviceTokensOf(settings: Settings): readonly string[] {
  return settings['tunnel:otlpHostname'] === undefined && settings['tunnel:phoenixOtlpHostname'] === undefined ? [] : settings['tunnel:serviceTokens'];
}

/** The account of the tunnel, to be checked before anything is created; undefined if nothing is published. */
export function accountOf(settings: Settings, stack: string): CloudflareAccount | undefined {
  if (!hasTunnel(settings)) {
    return undefined;
  }
  const machines = serviceTokensOf(settings).length > 0;
  return new CloudflareAccount('cloudflare-account', {
    baseUrl: settings['cloudflare:baseUrl'],
    apiToken: pulumi.secret(settings['cloudflare:apiToken'] ?? ''),
    accountId: settings['cloudflare:accountId'] ?? '',
    zone: zoneOf(settings),
    tunnel: tunnelName(settings, stack),
    hostnames: hostnamesOf(settings).map(({ key, hostname }) => ({ hostname, setting: key })),
    access: machines || hasPeople(settings),
    serviceTokens: machines,
  });
}

/**
 * Publishes the stack.
 * @param phoenix its keys by name, and their expiry; a key named after a service token belongs to that token's holder
 * @param after what must have succeeded first: a tunnel that fails never stops the host's own traces
 */
export async function publish({ stack, owner, network, settings, facts, provider }: Host, account: CloudflareAccount, services: Services, { apiKeys, keyEnds }: Pick<Phoenix, 'apiKeys' | 'keyEnds'>, after: pulumi.Resource): Promise<Published> {
  // Most stacks publish nothing, and do not need to load it.
  const [{ CloudflareTunnel }, { Provider }] = await Promise.all([import('../components/cloudflare-tunnel'), import('@pulumi/cloudflare')]);
  // A separate provider: the default one treats every key of its namespace as its own, and cloudflare:accountId is not one.
  const cloudflare = new Provider('cloudflare', {
    baseUrl: settings['cloudflare:baseUrl'],
    ...(settings['cloudflare:apiToken'] === undefined ? {} : { apiToken: pulumi.secret(settings['cloudflare:apiToken']) }),
  });
  const name = tunnelName(settings, stack);
  const tunnel = new CloudflareTunnel('tunnel', {
    stack,
    owner,
    network,
    image: settings['tunnel:image'],
    accountId: settings['cloudflare:accountId'] ?? '',
    zoneId: account.zoneId,
    name,
    routes: routesOf(settings, services),
    people: { emails: settings['tunnel:allowEmails'] ?? [], domains: settings['tunnel:allowDomains'] ?? [], groups: settings['tunnel:allowGroups'] ?? [] },
    serviceTokens: settings['tunnel:serviceTokens'],
    tokenDuration: settings['tunnel:tokenDuration'],
    connectors: settings['tunnel:connectors'],
    limits: facts.limits,
  }, { dependsOn: after, providers: { cloudflare, docker: provider } });

  const url = (hostname: string | undefined): string | null => (hostname === undefined ? null : `https://${hostname}`);
  const tokens = tunnel.serviceTokens;
  return {
    component: tunnel,
    image: tunnel.image,
    tunnel: { id: tunnel.tunnelId, name, page: url(settings['tunnel:hostname']), hostnames: hostnamesOf(settings).map(({ hostname }) => hostname), containers: tunnel.containerNames },
    remote: pulumi.output({
      otlp: { alloy: url(settings['tunnel:otlpHostname']), phoenix: url(settings['tunnel:phoenixOtlpHostname']) },
      requestMiB: largestRequestOf(settings),
      auth: settings['phoenix:auth'],
      tokens: Object.fromEntries(Object.entries(tokens).map(([token, { expiresAt }]) => [token, { expiresAt, keyExpiresAt: keyEnds[token] ?? '' }])),
    }),
    remoteAccess: pulumi.secret(pulumi.output(Object.fromEntries(
      Object.entries(tokens).map(([token, { clientId, clientSecret }]) => [token, { clientId, clientSecret, apiKey: apiKeys[token] ?? '' }])))),
  };
}
