/**
 * Settings of auth in Phoenix and of the ways to log in, and the rules between them.
 */
import { isLoopback } from '../components/address';
import { askCommand, inPhoenix, key, madeSecret, optional, secret, setCommand, type Key } from './setting';
import { attribute, dn, dns, rolesOfGroups, userFilter } from './ldap-parse';
import * as login from './login-parse';
import { claimPath, groups, oidcName, oidcUrl, roleMapping, scopes } from './oidc-parse';
import { boolean, oneOf, text } from './parse';
import { remotePort } from './port-parse';
import { inWords, type Problem } from './problem';

/** A part of the settings: `keys.ts` has all of them. */
export const loginKeys = {
  'phoenix:auth': inPhoenix('PHOENIX_ENABLE_AUTH', key('false', 'Login for people and API keys for programs; without it anyone who reaches Phoenix may do everything', boolean)),
  'phoenix:rootUrl': inPhoenix('PHOENIX_ROOT_URL', optional(
    'https://phoenix.example.com',
    'URL at which people reach Phoenix through a proxy or tunnel, which removes the path of the URL; with a path the page works nowhere else',
    login.publicUrl,
  )),
  'phoenix:trustedProxies': optional(
    '172.16.0.0/12',
    'Addresses and networks of proxies whose `X-Forwarded-For` is believed, so that the login limit counts people and not the proxy; with `phoenix:rootUrl` the stack\'s own network is where nothing is set',
    login.proxies,
  ),
  'phoenix:secret': inPhoenix('PHOENIX_SECRET', madeSecret('Signs logins and API keys; a new value makes all API keys invalid', login.phoenixSecret)),
  'phoenix:adminSecret': inPhoenix('PHOENIX_ADMIN_SECRET', madeSecret('Bearer token with all rights', login.phoenixSecret)),
  'phoenix:adminPassword': inPhoenix('PHOENIX_DEFAULT_ADMIN_INITIAL_PASSWORD', madeSecret('First password of `admin@localhost`, who has to change it', login.password)),
  'phoenix:apiKeys': key('', "Names of API keys besides Alloy's, separated by commas", login.keyNames, 'dashboards'),
  'phoenix:basicAuth': inPhoenix('PHOENIX_DISABLE_BASIC_AUTH', key('true', 'Login with passwords; `false` leaves OIDC and LDAP', boolean)),
  'phoenix:admins': inPhoenix('PHOENIX_ADMINS', optional(
    'Ada Lovelace=ada@example.com',
    'Administrators to create, `Name=email;Name=email`; with passwords they choose theirs by mail, else they come by OIDC or LDAP',
    login.admins,
  )),

  'phoenix:oidcName': key('oidc', 'Name of the identity provider, which sends people back to `/oauth2/NAME/tokens`', oidcName),
  'phoenix:oidcClientId': inPhoenix('PHOENIX_OAUTH2_{NAME}_CLIENT_ID', optional('phoenix', 'Client ID at the identity provider', text)),
  'phoenix:oidcClientSecret': inPhoenix('PHOENIX_OAUTH2_{NAME}_CLIENT_SECRET', secret('Client secret at the identity provider', text)),
  'phoenix:oidcConfigUrl': inPhoenix('PHOENIX_OAUTH2_{NAME}_OIDC_CONFIG_URL', optional(
    'https://login.example.com/.well-known/openid-configuration',
    'Address of the OpenID configuration of the provider',
    oidcUrl,
  )),
  'phoenix:oidcDisplayName': inPhoenix('PHOENIX_OAUTH2_{NAME}_DISPLAY_NAME', optional('Example Login', 'What the button of the provider says', text)),
  'phoenix:oidcAllowSignUp': inPhoenix('PHOENIX_OAUTH2_{NAME}_ALLOW_SIGN_UP', key('true', 'Whether OIDC creates a user for someone new', boolean)),
  'phoenix:oidcAutoLogin': inPhoenix('PHOENIX_OAUTH2_{NAME}_AUTO_LOGIN', key('false', 'Go to the provider at once; only where `phoenix:basicAuth` is `false`', boolean)),
  'phoenix:oidcScopes': inPhoenix('PHOENIX_OAUTH2_{NAME}_SCOPES', optional('groups', 'Scopes besides `openid email profile`, separated by spaces', scopes)),
  'phoenix:oidcGroupsAttributePath': inPhoenix('PHOENIX_OAUTH2_{NAME}_GROUPS_ATTRIBUTE_PATH', optional('groups', 'JMESPath to the groups of a person at the provider', claimPath)),
  'phoenix:oidcAllowedGroups': inPhoenix('PHOENIX_OAUTH2_{NAME}_ALLOWED_GROUPS', optional('engineering', 'Groups that may log in, separated by commas', groups)),
  'phoenix:oidcRoleAttributePath': inPhoenix('PHOENIX_OAUTH2_{NAME}_ROLE_ATTRIBUTE_PATH', optional('role', 'JMESPath to the role of a person at the provider; without it someone new is a VIEWER', claimPath)),
  'phoenix:oidcRoleMapping': inPhoenix('PHOENIX_OAUTH2_{NAME}_ROLE_MAPPING', optional('owner:ADMIN,developer:MEMBER', 'Role in Phoenix for each role at the provider: `owner:ADMIN,developer:MEMBER`, and VIEWER', roleMapping)),

  'phoenix:ldapHost': inPhoenix('PHOENIX_LDAP_HOST', optional('ldap.example.com', 'LDAP server; several with commas, asked in turn', login.hosts)),
  'phoenix:ldapPort': inPhoenix('PHOENIX_LDAP_PORT', optional('389', 'Port of the LDAP server; without it 636 for `ldaps`, else 389', remotePort)),
  'phoenix:ldapTlsMode': inPhoenix('PHOENIX_LDAP_TLS_MODE', key('starttls', 'Encryption to the LDAP server: `starttls`, `ldaps` or `none`', oneOf('starttls', 'ldaps', 'none'))),
  'phoenix:ldapBindDn': inPhoenix('PHOENIX_LDAP_BIND_DN', optional('cn=phoenix,dc=example,dc=com', 'User who searches the directory; without one the search is anonymous', dn)),
  'phoenix:ldapBindPassword': inPhoenix('PHOENIX_LDAP_BIND_PASSWORD', secret('Password of the user who searches the directory', text)),
  'phoenix:ldapUserSearchBaseDns': inPhoenix('PHOENIX_LDAP_USER_SEARCH_BASE_DNS', optional('["ou=users,dc=example,dc=com"]', 'Where people are in the directory: a JSON array of distinguished names', dns)),
  'phoenix:ldapUserSearchFilter': inPhoenix('PHOENIX_LDAP_USER_SEARCH_FILTER', key('(&(objectClass=user)(sAMAccountName=%s))', 'LDAP filter that finds a person by the name `%s`', userFilter)),
  'phoenix:ldapAttrEmail': inPhoenix('PHOENIX_LDAP_ATTR_EMAIL', key('mail', 'LDAP attribute with the e-mail address', attribute)),
  'phoenix:ldapGroupRoleMappings': inPhoenix('PHOENIX_LDAP_GROUP_ROLE_MAPPINGS', optional(
    '[{"group_dn":"*","role":"VIEWER"}]',
    'Roles of LDAP groups, the first that fits: a JSON array of `group_dn` (`*` is everyone) and `role`',
    rolesOfGroups,
  )),
  'phoenix:ldapAllowSignUp': inPhoenix('PHOENIX_LDAP_ALLOW_SIGN_UP', key('true', 'Whether LDAP creates a user for someone new', boolean)),

  'phoenix:smtpHostname': inPhoenix('PHOENIX_SMTP_HOSTNAME', optional('smtp.example.com', 'Mail server, for invitations and forgotten passwords', login.host)),
  'phoenix:smtpPort': inPhoenix('PHOENIX_SMTP_PORT', key('587', 'Port of the mail server, which must speak STARTTLS', remotePort)),
  'phoenix:smtpUsername': inPhoenix('PHOENIX_SMTP_USERNAME', optional('phoenix', 'User at the mail server', text)),
  'phoenix:smtpPassword': inPhoenix('PHOENIX_SMTP_PASSWORD', secret('Password at the mail server', text)),
  'phoenix:smtpMailFrom': inPhoenix('PHOENIX_SMTP_MAIL_FROM', optional('phoenix@example.com', 'Sender of the mails', login.mailFrom)),
} as const;

type LoginKey = keyof typeof loginKeys;

/** The settings that the rules look at. */
export type LoginSettings = { readonly [K in LoginKey]: ReturnType<(typeof loginKeys)[K]['parse']> } & { readonly 'phoenix:bind': readonly string[] };

/** If some of these settings are set, all of `needed` are required, as Phoenix demands at its start. */
const together: readonly { readonly needed: readonly LoginKey[]; readonly more?: readonly LoginKey[] }[] = [
  {
    needed: ['phoenix:oidcClientId', 'phoenix:oidcClientSecret', 'phoenix:oidcConfigUrl'],
    more: [
      'phoenix:oidcDisplayName', 'phoenix:oidcScopes', 'phoenix:oidcGroupsAttributePath', 'phoenix:oidcAllowedGroups',
      'phoenix:oidcRoleAttributePath', 'phoenix:oidcRoleMapping',
    ],
  },
  { needed: ['phoenix:oidcGroupsAttributePath', 'phoenix:oidcAllowedGroups'] },
  { needed: ['phoenix:oidcRoleAttributePath'], more: ['phoenix:oidcRoleMapping'] },
  {
    needed: ['phoenix:ldapHost', 'phoenix:ldapUserSearchBaseDns', 'phoenix:ldapGroupRoleMappings'],
    more: ['phoenix:ldapPort', 'phoenix:ldapBindDn', 'phoenix:ldapBindPassword'],
  },
  { needed: ['phoenix:ldapBindDn', 'phoenix:ldapBindPassword'] },
  // Phoenix itself would send as noreply@arize.com, which mail servers of other domains do not accept.
  { needed: ['phoenix:smtpHostname', 'phoenix:smtpUsername', 'phoenix:smtpPassword', 'phoenix:smtpMailFrom'] },
];

/**
 * Problems between settings that are each valid.
 * @param broken keys that already have a problem: they are set, and have their default value
 * @param guarded hostnames that are protected by something else
 */
export function loginProblems(settings: LoginSettings, broken: ReadonlySet<string>, guarded: readonly string[] = []): Problem[] {
  const isSet = (name: LoginKey): boolean => settings[name] !== undefined || broken.has(name);
  const on = settings['phoenix:auth'];
  return [
    ...sameSecrets(settings),
    ...(on || broken.has('phoenix:auth') ? [] : publishedWithoutAuth(settings, guarded)),
    // Without auth none of it reaches Phoenix: somebody may be preparing it.
    ...(on ? [...incomplete(isSet), ...nobodyGetsIn(settings, isSet)] : []),
  ];
}

function sameSecrets(settings: LoginSettings): Problem[] {
  const name = 'phoenix:adminSecret';
  return settings[name] === undefined || settings[name] !== settings['phoenix:secret']
    ? []
    : [{ key: name, rule: 'it is the same as phoenix:secret, and the two must differ', mend: [`pulumi config rm ${name}`, askCommand(name)] }];
}

function publishedWithoutAuth(settings: LoginSettings, guarded: readonly string[]): Problem[] {
  const url = settings['phoenix:rootUrl'];
  const by: Partial<Record<string, string>> = {
    ...(settings['phoenix:bind'].every(isLoopback) ? {} : { 'phoenix:bind': 'pulumi config set phoenix:bind 127.0.0.1' }),
    ...(!url || isLoopback(url.hostname) || guarded.includes(url.hostname) ? {} : { 'phoenix:rootUrl': 'pulumi config rm phoenix:rootUrl' }),
  };
  const names = Object.keys(by);
  return names.length === 0
    ? []
    : [{
        key: 'phoenix:auth',
        value: 'false',
        rule: `${inWords(names)} ${names.length === 1 ? 'publishes' : 'publish'} Phoenix beyond this machine, where anyone could then read and delete everything`,
        mend: ['pulumi config set phoenix:auth true', ...Object.values(by).flatMap((command) => command ?? [])],
      }];
}

function incomplete(isSet: (name: LoginKey) => boolean): Problem[] {
  return together.flatMap(({ needed, more = [] }) => {
    const first = [...needed, ...more].find(isSet);
    const missing = needed.filter((name) => !isSet(name));
    return first === undefined || missing.length === 0
      ? []
      : [{
          key: first,
          rule: `it needs ${inWords(missing)} as well`,
          mend: missing.map((name) => setCommand(name, loginKeys[name] as Key<unknown>)),
        }];
  });
}

function nobodyGetsIn(settings: LoginSettings, isSet: (name: LoginKey) => boolean): Problem[] {
  // An incomplete group has been reported already.
  const others = (Object.keys(loginKeys) as LoginKey[]).filter((name) => /:(oidc|ldap)/.test(name) && loginKeys[name].fallback === undefined);
  return settings['phoenix:basicAuth'] || others.some(isSet)
    ? []
    : [{
        key: 'phoenix:basicAuth',
        value: 'false',
        rule: 'login with passwords is off, and neither OIDC nor LDAP is configured',
        mend: ['pulumi config set phoenix:basicAuth true'],
      }];
}
