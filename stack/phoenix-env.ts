/**
 * What Phoenix is told of login, as environment variables. Its own secrets and PHOENIX_ENABLE_AUTH are
 * the component's matter.
 */
import type { Settings } from '../settings/settings';
import { isLoopback, isWildcard } from '../components/address';

export interface LoginEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** The same, of values that are secret. */
  readonly secrets: Readonly<Record<string, string>>;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Without auth only where the page is: Phoenix reads the rest all the same, and stops at what it does not like. */
export function loginEnvironment(settings: Settings): LoginEnvironment {
  const on = settings['phoenix:auth'];
  return {
    env: present({ ...page(settings), ...(on && { ...published(settings), ...people(settings), ...oidc(settings), ...ldap(settings), ...smtp(settings) }) }),
    secrets: present({ ...(on && secrets(settings)) }),
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
    // Of these Phoenix compares the host names alone, with the page that a request comes from. Without a URL nobody
    // knows by which names people come, and that the cookies are SameSite=Strict must do.
    PHOENIX_CSRF_TRUSTED_ORIGINS: url && [...new Set([url.origin, ...origins(settings)])].join(','),
  };
}

/** Where the page is on the Docker host. */
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

const provider = (settings: Settings): string => `PHOENIX_OAUTH2_${settings['phoenix:oidcName'].toUpperCase()}`;

function oidc(settings: Settings): Variables {
  // One variable of it is enough for Phoenix to want all of it.
  if (settings['phoenix:oidcClientId'] === undefined) {
    return {};
  }
  const prefix = provider(settings);
  return {
    [`${prefix}_CLIENT_ID`]: settings['phoenix:oidcClientId'],
    [`${prefix}_OIDC_CONFIG_URL`]: settings['phoenix:oidcConfigUrl']?.href,
    [`${prefix}_DISPLAY_NAME`]: settings['phoenix:oidcDisplayName'],
    [`${prefix}_ALLOW_SIGN_UP`]: String(settings['phoenix:oidcAllowSignUp']),
    [`${prefix}_AUTO_LOGIN`]: String(settings['phoenix:oidcAutoLogin']),
    [`${prefix}_SCOPES`]: settings['phoenix:oidcScopes'],
    [`${prefix}_GROUPS_ATTRIBUTE_PATH`]: settings['phoenix:oidcGroupsAttributePath'],
    [`${prefix}_ALLOWED_GROUPS`]: settings['phoenix:oidcAllowedGroups'],
    [`${prefix}_ROLE_ATTRIBUTE_PATH`]: settings['phoenix:oidcRoleAttributePath'],
    [`${prefix}_ROLE_MAPPING`]: settings['phoenix:oidcRoleMapping'],
  };
}

function ldap(settings: Settings): Variables {
  if (settings['phoenix:ldapHost'] === undefined) {
    return {};
  }
  return {
    PHOENIX_LDAP_HOST: settings['phoenix:ldapHost'],
    PHOENIX_LDAP_PORT: settings['phoenix:ldapPort']?.toString(),
    PHOENIX_LDAP_TLS_MODE: settings['phoenix:ldapTlsMode'],
    PHOENIX_LDAP_BIND_DN: settings['phoenix:ldapBindDn'],
    PHOENIX_LDAP_USER_SEARCH_BASE_DNS: JSON.stringify(settings['phoenix:ldapUserSearchBaseDns']),
    PHOENIX_LDAP_USER_SEARCH_FILTER: settings['phoenix:ldapUserSearchFilter'],
    PHOENIX_LDAP_ATTR_EMAIL: settings['phoenix:ldapAttrEmail'],
    PHOENIX_LDAP_GROUP_ROLE_MAPPINGS: JSON.stringify(settings['phoenix:ldapGroupRoleMappings']),
    PHOENIX_LDAP_ALLOW_SIGN_UP: String(settings['phoenix:ldapAllowSignUp']),
  };
}

function smtp(settings: Settings): Variables {
  if (settings['phoenix:smtpHostname'] === undefined) {
    return {};
  }
  return {
    PHOENIX_SMTP_HOSTNAME: settings['phoenix:smtpHostname'],
    PHOENIX_SMTP_PORT: String(settings['phoenix:smtpPort']),
    PHOENIX_SMTP_USERNAME: settings['phoenix:smtpUsername'],
    PHOENIX_SMTP_MAIL_FROM: settings['phoenix:smtpMailFrom'],
  };
}

function secrets(settings: Settings): Variables {
  return {
    [`${provider(settings)}_CLIENT_SECRET`]: settings['phoenix:oidcClientSecret'],
    PHOENIX_LDAP_BIND_PASSWORD: settings['phoenix:ldapBindPassword'],
    PHOENIX_SMTP_PASSWORD: settings['phoenix:smtpPassword'],
  };
}

/** What is set: an empty variable is not the same to Phoenix as none. */
function present(variables: Variables): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
