/**
 * Parsers for the settings of stores of metrics and logs, and the addresses at which these receive data from Alloy. People copy
 * such an address from a configuration of Prometheus, Promtail or a Collector, from Grafana Cloud or from a browser.
 */
import { isIP } from 'node:net';
import { decoded, httpUrl } from './address-parse';
import { BrokenRule } from './broken-rule';
import { text } from './parse';

/** Namespaces of the settings of the two stores. */
export type Store = 'prometheus' | 'loki';

/** The path without slashes at its end; empty where there is none. */
const pathOf = ({ pathname }: URL): string => pathname.replace(/\/+$/, '');

const withPath = (url: URL, path: string): string => {
  const whole = new URL(url);
  whole.pathname = path;
  return whole.href;
};

/** Where an address of Prometheus, Mimir or VictoriaMetrics accepts remote write. */
const writePaths = { default: '/api/v1/write', mimir: '/api/v1/push', cloud: '/api/prom/push' } as const;

const isCloud = ({ hostname }: URL, kind: string): boolean => new RegExp(`^${kind}-[a-z0-9-]+\\.grafana\\.net$`).test(hostname);

/** The part before the path of a remote write endpoint, if the path is left out, and the path that follows. */
const writeBases: readonly (readonly [RegExp, string])[] = [
  [/\/api\/prom$/, '/push'],
  [/\/api\/v1$/, '/write'],
  [/\/api$/, '/v1/write'],
  [/\/mimir$/, writePaths.mimir],
  [/(^|\/(prometheus|victoriametrics|vminsert|thanos))$/, writePaths.default],
];

/** Remote write URL of an address that `remoteWriteUrl` accepts. */
export function writeEndpoint(url: URL): string {
  const path = pathOf(url);
  if (path === '' && isCloud(url, 'prometheus')) {
    return withPath(url, writePaths.cloud);
  }
  const [, rest = ''] = writeBases.find(([base]) => base.test(path)) ?? [];
  return withPath(url, `${path}${rest}`);
}

/** OTLP endpoint for logs, without `/v1/logs`, of an address that `lokiUrl` accepts. */
export function logsEndpoint(url: URL): string {
  const path = pathOf(url);
  const [, collector] = /^(.*)\/v1\/logs$/.exec(path) ?? [];
  if (collector !== undefined) {
    return withPath(url, collector).replace(/\/$/, '');
  }
  const [, victoria] = /^(.*\/insert)\/loki(?:\/.*)?$/.exec(path) ?? [];
  if (victoria !== undefined) {
    return withPath(url, `${victoria}/opentelemetry`);
  }
  const [, base = path] = /^(.*?)\/(?:loki\/api|api\/prom)(?:\/.*)?$/.exec(path) ?? [];
  return withPath(url, /\/(otlp|opentelemetry)$/.test(base) ? base : `${base}/otlp`);
}

/** Parts of names of query parameters that hold credentials of a store. */
const credential = /auth(?!or(?!iz))|token|secret|passw|pwd|jwt|credential|signature|(api|access|private)[_-]?key|(^|[_-])(key|sig)([_-]|$)/i;

/** Names that InfluxDB and VictoriaMetrics use for the user. */
const userNames = /^(u|user|username)$/i;
const passwordNames = /^(p|pass|passwd|password)$/i;

const isCredential = (name: string): boolean => credential.test(name) || userNames.test(name) || passwordNames.test(name);

/** Address of a store, as Alloy's container reaches it, with the credentials in separate settings. */
function storeUrl(store: Store, raw: string): URL {
  const { bare, username, password } = userOf(raw);
  if (bare !== undefined) {
    throw new BrokenRule(
      `a URL that holds a password would show it in previews and state; ${ownSettings(store)} are for that`,
      bare,
      [],
      // Over HTTP a user without a password is a token.
      settingsOf(store, password ? username : undefined),
    );
  }
  const query = queryOf(raw);
  if (query !== undefined) {
    throw new BrokenRule(`a query that holds a credential would show it in Alloy's metrics and in logs; ${ownSettings(store)} are for that`, query.bare, [], settingsOf(store, query.username));
  }
  const url = httpUrl(raw);
  if (!isHost(url.hostname)) {
    throw new BrokenRule('its host is neither a name of letters, digits, dashes and dots nor an IP address');
  }
  if (raw.includes('#')) {
    throw new BrokenRule('what follows # never leaves a browser', raw.replace(/#.*$/s, ''));
  }
  return url;
}

/** Unlike those of servers on the internet, names of containers may have a `_`. A URL has more in its host than nginx may read. */
const isHost = (hostname: string): boolean => isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 || /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/.test(hostname);

const ownSettings = (store: Store): string => `${store}:username and ${store}:password, or ${store}:token,`;

/** The settings that take a user with a password, or a token. */
const settingsOf = (store: Store, username: string | undefined): readonly (readonly [key: string, value?: string])[] =>
  (username ? [[`${store}:username`, username], [`${store}:password`]] : [[`${store}:token`]]);

/** A URL, even an otherwise invalid one, without the credentials in its query; undefined if it has none. */
function queryOf(raw: string): { readonly bare: string; readonly username: string | undefined } | undefined {
  const [, query = ''] = /\?([^#]*)/.exec(raw) ?? [];
  const entries = [...new URLSearchParams(query)];
  if (!entries.some(([name]) => isCredential(name))) {
    return undefined;
  }
  const kept = query.split('&').filter((part) => ![...new URLSearchParams(part).keys()].some(isCredential)).join('&');
  const [, username] = entries.find(([name]) => userNames.test(name)) ?? [];
  const hasPassword = entries.some(([name]) => passwordNames.test(name));
  return { bare: raw.replace(/\?[^#]*/, () => (kept === '' ? '' : `?${kept}`)), username: hasPassword ? username : undefined };
}

function userOf(raw: string): { readonly bare?: string; readonly username?: string; readonly password?: string } {
  if (!/^https?:\/\/[^/?#]*@/i.test(raw) || !URL.canParse(raw)) {
    return {};
  }
  const { username, password } = new URL(raw);
  return { bare: raw.replace(/^(https?:\/\/)[^/?#]*@/i, '$1'), username: decoded(username), password };
}

/** `prometheus:url`: an address that accepts remote write. */
export function remoteWriteUrl(raw: string): URL {
  const url = storeUrl('prometheus', raw);
  const path = pathOf(url);
  const instead = (to: string): string => withPath(url, to);
  if (isCloud(url, 'logs') || /\/loki(\/api(\/.*)?)?$|\/v1\/logs$/.test(path)) {
    throw new BrokenRule('that is an address for logs, and this setting is for metrics', undefined, [], [['loki:url', raw]]);
  }
  if (isCloud(url, 'otlp-gateway')) {
    throw new BrokenRule('the OTLP gateway of Grafana Cloud takes no remote write; the page of Prometheus in the portal of Grafana Cloud has the address that does, https://prometheus-….grafana.net/api/prom/push');
  }
  const otlp = 'that is an address for OTLP, and metrics go by remote write';
  const [, prometheus] = /^(.*)\/api\/v1\/otlp(?:\/v1\/metrics)?$/.exec(path) ?? [];
  if (prometheus !== undefined) {
    throw new BrokenRule(otlp, instead(`${prometheus}${writePaths.default}`));
  }
  const [, mimir] = /^(.*)\/otlp(?:\/v1\/metrics)?$/.exec(path) ?? [];
  if (mimir !== undefined) {
    throw new BrokenRule(otlp, instead(`${mimir}${writePaths.mimir}`));
  }
  const [, victoria] = /^(.*)\/opentelemetry(?:(?:\/api)?\/v1\/(?:metrics|push))?$/.exec(path) ?? [];
  if (victoria !== undefined) {
    throw new BrokenRule(otlp, instead(`${victoria}${writePaths.default}`));
  }
  if (/\/v1\/(metrics|traces)$/.test(path)) {
    throw new BrokenRule(otlp);
  }
  const [, cloud] = /^(.*\/api\/prom)\/api\/v1\/(?!push$|write$).*$/.exec(path) ?? [];
  if (cloud !== undefined) {
    throw new BrokenRule('that is an address to read metrics from', instead(`${cloud}/push`));
  }
  const [, read] = /^(.*?)\/(?:(?:api\/v1\/(?:query|query_range|query_exemplars|series|labels?|metadata|targets|rules|alerts|status|read|import)(?:\/.*)?)|graph|query|targets|metrics|vmui|-\/(?:ready|healthy))$/.exec(path) ?? [];
  if (read !== undefined) {
    throw new BrokenRule('that address takes no remote write', instead(`${read}${writePaths.default}`));
  }
  return url;
}

/** The part before a path of Loki's status pages; any other path is a prefix. */
const ownPages = /^(.*?)\/(?:(?:(?:distributor|ingester|ruler|compactor|indexgateway|index-gateway|scheduler)\/)?ring|ready|metrics|config|services|flush|log_level|memberlist)$/;

/** `loki:url`: an address of Loki, or of anything else that accepts logs by OTLP. */
export function lokiUrl(raw: string): URL {
  const url = storeUrl('loki', raw);
  const path = pathOf(url);
  // Loki's first API had this path as well.
  const isLegacy = /\/api\/prom\/push$/.test(path) && !isCloud(url, 'prometheus');
  if (isCloud(url, 'prometheus') || (/\/(api\/v1\/(write|push|otlp(\/v1\/metrics)?|remote_write|receive)|api\/prom|v1\/metrics)$/.test(path) && !/\/loki\/api\/v1\/push$/.test(path) && !isLegacy)) {
    throw new BrokenRule('that is an address for metrics, and this setting is for logs', undefined, [], [['prometheus:url', raw]]);
  }
  if (/\/v1\/traces$/.test(path)) {
    throw new BrokenRule('that is an address for traces, and this setting is for logs');
  }
  const [, base] = ownPages.exec(path) ?? [];
  if (base !== undefined) {
    throw new BrokenRule('that is a page of Loki itself, and takes no logs', `${url.origin}${base}`);
  }
  if (url.search !== '') {
    throw new BrokenRule('/v1/logs follows it, so it has no query; credentials belong in loki:username, loki:token and loki:tenant', raw.replace(/\?[^#]*/s, ''));
  }
  return url;
}

/** A user at a store; a colon would end it. */
export function username(raw: string): string {
  const line = text(raw);
  if (line.includes(':')) {
    throw new BrokenRule('a user has no colon in its name: what follows it would be the password');
  }
  return bounded(line, 256);
}

/** A word in nginx's configuration has 4096 bytes at most, including the encoding of a header and the escapes of quotes. */
function bounded(line: string, bytes: number): string {
  if (Buffer.byteLength(line.replace(/["\\]/g, '$&$&')) > bytes) {
    throw new BrokenRule(`it is longer than ${bytes} bytes, which the gate of the store does not read`);
  }
  return line;
}

/** Password of a user at a store. */
export const storePassword = (raw: string): string => bounded(text(raw), 2048);

/** The part after `Bearer` in a header. */
export function bearerToken(raw: string): string {
  const line = text(raw);
  if (/^(bearer|basic)\s/i.test(line) || /^authorization\s*:/i.test(line)) {
    throw new BrokenRule('it is the token alone, without the header and the word before it');
  }
  if (!/^[\x21-\x7e]+$/.test(line)) {
    throw new BrokenRule('it is one word of letters, digits and signs, as a header holds it');
  }
  return bounded(line, 3072);
}

/** Tenant, as Mimir and Loki accept it. */
export function tenant(raw: string): string {
  const line = text(raw);
  if (line.includes('|')) {
    throw new BrokenRule('it is one tenant: several, separated by |, are for reading only');
  }
  if (!/^[a-z0-9!_.*'()-]{1,150}$/i.test(line) || line === '.' || line === '..') {
    throw new BrokenRule("a tenant has at most 150 letters, digits and signs of !-_.*'()", /^x-scope-orgid\s*:/i.test(line) ? line.replace(/^[^:]*:\s*/, '') : undefined);
  }
  return line;
}

/** Networks whose addresses are not public. */
const privateAddress = /^(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)|^\[?(f[cd]|fe[89ab])/;

/** Names that no public server has; a name without a dot is one of a container, or of a private network. */
const privateName = /^[^.]+$|\.(internal|local|localdomain|lan|home|home\.arpa|intranet|corp|private|svc|test)$/;

/** Whether what is sent to a URL crosses networks of others. */
export function isPublic({ hostname }: Pick<URL, 'hostname'>): boolean {
  const address = hostname.replace(/^\[|\]$/g, '');
  return isIP(address) === 0 ? !privateName.test(hostname) : !privateAddress.test(address);
}

/** Whether a store is Grafana Cloud's, which requires credentials. */
export const wantsCredentials = ({ hostname }: URL): boolean => /\.grafana\.net$/.test(hostname);
