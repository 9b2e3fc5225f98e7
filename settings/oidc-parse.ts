/** Parsers for the settings of login by OIDC; what they refuse Phoenix would refuse, or ignore without a word. */
import { webUrl } from './address-parse';
import { BrokenRule } from './broken-rule';
import { isRole } from './login-parse';
import { parts, text } from './parse';

/** Name of the identity provider in variables and in the address that it sends people back to. */
export function oidcName(raw: string): string {
  if (!/^[A-Za-z0-9_]+$/.test(raw)) {
    throw new BrokenRule('it is made of letters, digits and _');
  }
  const name = raw.toLowerCase();
  // _RESERVED_OAUTH2_IDP_NAMES in Phoenix's server/app.py.
  if (['authorize', 'token', 'revoke', 'register', 'consent'].includes(name)) {
    throw new BrokenRule('Phoenix has a page of that name below /oauth2');
  }
  return name;
}

/** Address of an OpenID configuration. */
export function oidcUrl(raw: string): URL {
  const url = webUrl(raw);
  if (url.protocol !== 'https:' && !['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)) {
    throw new BrokenRule('Phoenix takes http:// from localhost only; the URL must begin with https://');
  }
  return url;
}

/** Names with spaces between them. */
export function scopes(raw: string): string {
  const line = text(raw);
  if (/[,;"\\]/.test(line)) {
    throw new BrokenRule('spaces separate scopes, and nothing else');
  }
  return line;
}

/** JMESPath to a claim. Phoenix parses the whole of it; what it stumbles over is nearly always a name without its quotes. */
export function claimPath(raw: string): string {
  const line = text(raw);
  if (/[:/-]/.test(line.replace(/"[^"]*"|'[^']*'|`[^`]*`|\[[^\]]*\]|\{[^}]*\}/g, ''))) {
    throw new BrokenRule('a name with a colon, slash or dash needs double quotes, as "cognito:groups" does');
  }
  return line;
}

/** Names with commas between them. */
export function groups(raw: string): string {
  const list = parts(text(raw));
  if (list.includes('')) {
    throw new BrokenRule('a name is empty; commas separate groups');
  }
  return list.join(',');
}

/** `TheirRole:OUR_ROLE,TheirRole:OUR_ROLE`. */
export function roleMapping(raw: string): string {
  const list = parts(text(raw));
  if (list.some((pair) => !/^[^:]*[^:\s][^:]*:[^:]+$/.test(pair) || !isRole(pair.split(':')[1]))) {
    throw new BrokenRule('write TheirRole:ADMIN, TheirRole:MEMBER or TheirRole:VIEWER, with commas between');
  }
  return list.join(',');
}
