/**
 * Parsers for the settings of the tunnel: the rules are Cloudflare's, which would otherwise fail halfway through a deployment.
 */
import { isContainerItself } from '../components/address';
import { maxConnectors } from '../components/names';
import { whyNoTunnelOrigin } from '../components/tunnel-origin';
import * as meant from './meant';
import { hostLabel, webUrl } from './address-parse';
import { BrokenRule } from './broken-rule';
import { distinct, parts, text } from './parse';

/** A hostname and the service behind it. */
export interface ExtraRoute {
  readonly hostname: string;
  /** URL as the connector reaches it. */
  readonly service: string;
}

/** Host name with a dot in it, in lower case. */
export function hostname(raw: string): string {
  if (raw.length > 253 || !new RegExp(`^(${hostLabel}\\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$`).test(raw)) {
    throw new BrokenRule('it is a name such as phoenix.example.com: small letters, digits, dashes and dots, without http:// and without a port', meant.hostname(raw));
  }
  return raw;
}

/** ID of an account: 32 hexadecimal digits. */
export function accountId(raw: string): string {
  if (!/^[0-9a-f]{32}$/.test(raw)) {
    throw new BrokenRule("an account ID is 32 hexadecimal digits, the ones in the URL of the account's page at dash.cloudflare.com");
  }
  return raw;
}

/** API token; the provider does not accept any other form. */
export function apiToken(raw: string): string {
  if (!/^[A-Za-z0-9_-]{40,80}$/.test(raw)) {
    throw new BrokenRule('an API token is 40 to 80 letters, digits, - and _; the Global API Key is not a token and grants too much');
  }
  return raw;
}

/** Base URL of the Cloudflare API. */
export function apiUrl(raw: string): string {
  return webUrl(raw).href.replace(/\/$/, '');
}

/** Name of a tunnel. */
export function tunnelName(raw: string): string {
  if (!/^[A-Za-z0-9][\w.-]{0,99}$/.test(raw)) {
    throw new BrokenRule('a tunnel is named with up to 100 letters, digits, . _ and -');
  }
  return raw;
}

/** How many connectors: each has four connections to the edge. */
export function connectors(raw: string): number {
  const count = Number(raw);
  if (!/^\d+$/.test(raw) || count < 1 || count > maxConnectors) {
    throw new BrokenRule(`it is a whole number from 1 to ${maxConnectors}`);
  }
  return count;
}

/** Email addresses, as a login has them. */
export function emails(raw: string): readonly string[] {
  return list(raw, 'an address', (part) => /^[^\s@,]+@[^\s@,]+\.[^\s@,]+$/.test(part), 'not every part is an email address; commas separate them');
}

/** Domains of email addresses. */
export function emailDomains(raw: string): readonly string[] {
  return list(raw, 'a domain', (part) => isHostname(part), 'not every part is a domain such as example.com, without the @; commas separate them');
}

/** IDs of Access groups. */
export function groupIds(raw: string): readonly string[] {
  const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
  return list(raw, 'a group', (part) => uuid.test(part), 'not every part is the ID of an Access group, such as f174e90a-fafe-4643-bbbc-4a0ed4fc8415; commas separate them');
}

/** What `npm run up -- --rotate` calls other things: a service token has an API key with its name. */
const reserved = ['alloy', 'secret', 'admin-secret'];

/** Names of service tokens. */
export function tokenNames(raw: string): readonly string[] {
  return raw.trim() === ''
    ? []
    : list(raw, 'a name', (part) => /^[a-z][a-z0-9-]{0,38}$/.test(part) && !reserved.includes(part), `a name is a small letter and up to 38 small letters, digits and dashes, and none of ${reserved.join(', ')}; commas separate names`);
}

/** How long a service token is valid, as Cloudflare takes it: hours, or forever. */
export function tokenDuration(raw: string): string {
  if (raw !== 'forever' && !/^[1-9]\d{0,5}h$/.test(raw)) {
    throw new BrokenRule('it is hours, such as 8760h for a year, or forever', meant.hours(raw));
  }
  return raw;
}

/** Hours of such a duration; 0 is forever. */
export const hoursOf = (duration: string): number => (duration === 'forever' ? 0 : Number(duration.slice(0, -1)));

/** `hostname=http://service:port`, separated by commas. */
export function routes(raw: string): readonly ExtraRoute[] {
  const all = parts(raw).map((part) => {
    const [, name = '', service = ''] = /^([^=]*)=(.*)$/.exec(part) ?? [];
    if (!service) {
      throw new BrokenRule('a route is written HOSTNAME=http://SERVICE:PORT; commas separate routes');
    }
    return { hostname: ofWhole(raw, name.trim(), hostname), service: ofWhole(raw, service.trim(), originUrl) };
  });
  distinct(all.map(({ hostname: name }) => name), 'a hostname');
  return all;
}

/** Parses a part of a list. What was meant by it is offered with the rest of the list. */
function ofWhole<T>(whole: string, part: string, parse: (raw: string) => T): T {
  try {
    return parse(part);
  } catch (error) {
    const better = error instanceof BrokenRule ? error.meant : undefined;
    throw better === undefined ? error : new BrokenRule((error as BrokenRule).message, whole.replace(part, () => better));
  }
}

/**
 * Service behind the tunnel.
 * @throws BrokenRule for anything that a tunnel cannot lead to
 */
export function originUrl(raw: string): string {
  const rule = whyNoTunnelOrigin(raw);
  if (rule !== undefined) {
    throw new BrokenRule(rule, URL.canParse(raw) && isContainerItself(new URL(raw).hostname) ? meant.fromContainer(raw) : meant.webAddress(raw));
  }
  return new URL(raw).origin;
}

function isHostname(raw: string): boolean {
  try {
    return hostname(raw) === raw;
  } catch {
    return false;
  }
}

function list(raw: string, what: string, fits: (part: string) => boolean, rule: string): readonly string[] {
  const all = parts(text(raw));
  if (!all.every(fits)) {
    throw new BrokenRule(rule);
  }
  return distinct(all, what);
}
