/**
 * Phoenix's login settings as environment variables. Its own secrets and PHOENIX_ENABLE_AUTH are
 * set by the component.
 */
import { isLoopback, isWildcard } from '../components/address';
import { loginKeys } from '../settings/login';
import type { Key } from '../settings/setting';
import type { Settings } from '../settings/keys';

export interface LoginEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** The same for secret values. */
  readonly secrets: Readonly<Record<string, string>>;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Without auth only the location of the page: Phoenix would still read the rest, and stop at what it does not accept. */
export function loginEnvironment(settings: Settings): LoginEnvironment {
  const on = settings['phoenix:auth'];
  return {
    env: present({ ...page(settings), ...(on && { ...published(settings), ...people(settings), ...waysIn(settings, false) }) }),
    secrets: present({ ...(on && waysIn(settings, true)) }),
  };
}

function page({ 'phoenix:rootUrl': url }: Settings): Variables {
  const path = url?.pathname.replace(/\/$/, '');
  return { PHOENIX_ROOT_URL: url && `${url.origin}${path}`, PHOENIX_HOST_ROOT_PATH: path || undefined };
}

function published(settings: Settings): Variables {
  const url = settings['phoenix:rootUrl'];
  return {
    PHOENIX_USE_SECURE_COOKIES: url?.protocol === 'https:' ? 'true' : undefined,
    // Phoenix only compares their host names with the page that a request comes from. Without a URL nobody
    // knows which names people use, and SameSite=Strict of the cookies must suffice.
    PHOENIX_CSRF_TRUSTED_ORIGINS: url && [...new Set([url.origin, ...origins(settings)])].join(','),
  };
}

/** Addresses of the page on the Docker host. */
function origins(settings: Settings): string[] {
  const chosen = settings['phoenix:bind'].filter((address) => !isLoopback(address) && !isWildcard(address));
  return ['localhost', '127.0.0.1', ...chosen].map((host) => `http://${host.includes(':') ? `[${host}]` : host}:${settings['phoenix:uiPort']}`);
}

function people(settings: Settings): Variables {
  return {
    PHOENIX_DISABLE_BASIC_AUTH: settings['phoenix:basicAuth'] ? undefined : 'true',
    PHOENIX_ADMINS: settings['phoenix:admins'],
  };
}

/** Login methods, and mail, each with its main setting; without it none is passed: given one variable, Phoenix requires all. */
const ways = { oidc: 'phoenix:oidcClientId', ldap: 'phoenix:ldapHost', smtp: 'phoenix:smtpHostname' } as const;

/** Their settings with a secret value, or those with a plain value. */
function waysIn(settings: Settings, secret: boolean): Variables {
  const name = settings['phoenix:oidcName'].toUpperCase();
  const on = Object.entries(ways).filter(([, lead]) => settings[lead] !== undefined).map(([way]) => `phoenix:${way}`);
  const keys = (Object.keys(loginKeys) as (keyof typeof loginKeys)[]).filter((key) => on.some((way) => key.startsWith(way)));
  return Object.fromEntries(keys.flatMap((key) => {
    const { variable, secret: hidden }: Key<unknown> = loginKeys[key];
    return variable === undefined || (hidden === true) !== secret ? [] : [[variable.replace('{NAME}', name), asText(settings[key])]];
  }));
}

/** In the form that Phoenix reads: lists are JSON. */
function asText(value: unknown): string | undefined {
  return value === undefined || typeof value === 'string' ? value : value instanceof URL ? value.href : JSON.stringify(value);
}

/** Only what is set: for Phoenix an empty variable differs from a missing one. */
function present(variables: Variables): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
