/**
 * Settings of the Cloudflare tunnel, and the rules between them.
 */
import { key, optional, secret, setCommand, shellQuoted, type Key } from './setting';
import { images } from '../components/catalog';
import type { Problem } from './problem';
import * as tunnel from './tunnel-parse';
import { image } from './image-parse';

/** A part of the settings: `keys.ts` has all of them. */
export const tunnelKeys = {
  'tunnel:hostname': optional('phoenix.example.com', 'Hostname at which people reach Phoenix through a Cloudflare tunnel', tunnel.hostname),
  'tunnel:otlpHostname': optional('otlp.example.com', 'Hostname at which Alloys on other hosts reach this Alloy (OTLP over HTTP, with a service token)', tunnel.hostname),
  'tunnel:phoenixOtlpHostname': optional('phoenix-otlp.example.com', 'Hostname at which Alloys on other hosts reach Phoenix itself (OTLP over HTTP, with a service token)', tunnel.hostname),
  'tunnel:routes': optional(
    'grafana.example.com=http://host.docker.internal:3000',
    'Further hostnames for the people of `tunnel:allow…`, `HOSTNAME=http://SERVICE:PORT` separated by commas',
    tunnel.routes,
  ),
  'tunnel:zone': optional('example.com', 'Zone of these hostnames; without it the first of them without its first part', tunnel.hostname),
  'tunnel:allowEmails': optional('ada@example.com', 'Who gets past Cloudflare Access to the pages: email addresses, separated by commas', tunnel.emails),
  'tunnel:allowDomains': optional('example.com', 'The same, everyone with an address in these domains', tunnel.emailDomains),
  'tunnel:allowGroups': optional('f174e90a-fafe-4643-bbbc-4a0ed4fc8415', 'The same, Access groups by their IDs', tunnel.groupIds),
  'tunnel:serviceTokens': key('edge', 'Names of the Access service tokens for machines, separated by commas', tunnel.tokenNames),
  'tunnel:tokenDuration': key('8760h', 'How long such a token is valid, and the API key that goes with it: hours, or `forever`. An existing key keeps its end', tunnel.tokenDuration),
  'tunnel:name': optional('llm-observability-dev', 'Name of the tunnel; without it `llm-observability-` and the stack', tunnel.tunnelName),
  'tunnel:connectors': key('2', 'Containers that hold the tunnel open, with four connections each', tunnel.connectors),
  'tunnel:image': key(images.tunnel, 'Image of cloudflared, with a version', image('tunnel')),
  'cloudflare:accountId': optional('0123456789abcdef0123456789abcdef', 'Cloudflare account of the tunnel', tunnel.accountId),
  'cloudflare:baseUrl': key('https://api.cloudflare.com/client/v4', 'Address of the Cloudflare API, which the provider reads as well', tunnel.apiUrl),
  'cloudflare:apiToken': secret('API token with the permissions that the section on the tunnel lists; without it `CLOUDFLARE_API_TOKEN`', tunnel.apiToken),
} as const;

type TunnelKey = keyof typeof tunnelKeys;

/** The settings that the rules look at. */
export type TunnelSettings = { readonly [K in TunnelKey]: ReturnType<(typeof tunnelKeys)[K]['parse']> } & { readonly 'phoenix:auth': boolean; readonly 'phoenix:rootUrl': URL | undefined };

const hostnameKeys = ['tunnel:hostname', 'tunnel:otlpHostname', 'tunnel:phoenixOtlpHostname'] as const;
const allowKeys = ['tunnel:allowEmails', 'tunnel:allowDomains', 'tunnel:allowGroups'] as const;

/** What the zone is derived from: if it is invalid, the zone may be any. */
const zoneKeys = ['tunnel:zone', ...hostnameKeys] as const;

/** Hostnames with the setting that each comes from, in the order of the settings. */
export function hostnamesOf(settings: TunnelSettings): { readonly key: TunnelKey; readonly hostname: string }[] {
  return [
    ...hostnameKeys.flatMap((name) => (settings[name] === undefined ? [] : [{ key: name, hostname: settings[name] }])),
    ...(settings['tunnel:routes'] ?? []).map(({ hostname }) => ({ key: 'tunnel:routes' as const, hostname })),
  ];
}

/** Whether anything is published: then there is a tunnel. */
export const hasTunnel = (settings: TunnelSettings): boolean => hostnamesOf(settings).length > 0;

/** Whether anybody is listed whom Access lets in. */
export const hasPeople = (settings: TunnelSettings): boolean => allowKeys.some((name) => settings[name] !== undefined);

/** Zone of the hostnames. */
export function zoneOf(settings: TunnelSettings): string {
  return settings['tunnel:zone'] ?? hostnamesOf(settings)[0]?.hostname.replace(/^[^.]+\./, '') ?? '';
}

/**
 * Problems between settings that are each valid.
 * @param broken keys that already have a problem: they are set, and have their default value
 * @param env environment of the program, from which the provider takes credentials as well
 */
export function tunnelProblems(settings: TunnelSettings, broken: ReadonlySet<string>, env: NodeJS.ProcessEnv): Problem[] {
  // An invalid or still empty hostname counts as one all the same.
  if (!hasTunnel(settings) && ![...hostnameKeys, 'tunnel:routes'].some((name) => broken.has(name))) {
    return [];
  }
  return [
    ...account(settings, broken, env),
    ...(zoneKeys.some((name) => broken.has(name)) ? [] : outsideZone(settings)),
    ...otherAddress(settings),
    ...twice(settings),
    ...open(settings, broken),
    ...withoutTokens(settings),
  ];
}

function account(settings: TunnelSettings, broken: ReadonlySet<string>, env: NodeJS.ProcessEnv): Problem[] {
  const missing = (name: 'cloudflare:accountId' | 'cloudflare:apiToken', what: string): Problem =>
    ({ key: name, rule: `a tunnel needs ${what}`, mend: [setCommand(name, tunnelKeys[name] as Key<unknown>)] });
  const isThere = (name: 'cloudflare:accountId' | 'cloudflare:apiToken'): boolean => settings[name] !== undefined || broken.has(name);
  return [
    ...(isThere('cloudflare:accountId') ? [] : [missing('cloudflare:accountId', "the account that it is made in, whose ID is in the URL of the account's page at dash.cloudflare.com")]),
    ...(isThere('cloudflare:apiToken') || env['CLOUDFLARE_API_TOKEN'] ? [] : [missing('cloudflare:apiToken', 'an API token, which dash.cloudflare.com/profile/api-tokens makes; the README lists the permissions that it needs')]),
  ];
}

function outsideZone(settings: TunnelSettings): Problem[] {
  const zone = zoneOf(settings);
  return hostnamesOf(settings)
    .filter(({ hostname }) => hostname !== zone && !hostname.endsWith(`.${zone}`))
    .map(({ key: name, hostname }) => ({
      key: name,
      value: hostname,
      rule: `it is not in the zone ${zone}${settings['tunnel:zone'] === undefined ? `, which is that of ${hostnamesOf(settings)[0]?.key}` : ''}; all hostnames of a stack are in one zone`,
      mend: [
        name === 'tunnel:routes' ? `pulumi config set ${name} 'NAME.${zone}=http://SERVICE:PORT'` : `pulumi config set ${name} ${hostname.split('.')[0]}.${zone}`,
      ],
    }));
}

function twice(settings: TunnelSettings): Problem[] {
  const all = hostnamesOf(settings);
  return all.flatMap(({ key: name, hostname }, index) => {
    const earlier = all.slice(0, index).find((other) => other.hostname === hostname);
    return earlier
      ? [{ key: name, value: hostname, rule: `${earlier.key} is the same hostname; each service needs its own hostname`, mend: [without(settings, name)] }]
      : [];
  });
}

/** Removes everything that is a duplicate: after one such command none is left. */
function without(settings: TunnelSettings, name: TunnelKey): string {
  const elsewhere = hostnameKeys.map((other) => settings[other]);
  const others = name === 'tunnel:routes' ? (settings[name] ?? []).filter((route) => !elsewhere.includes(route.hostname)) : [];
  return others.length === 0 ? `pulumi config rm ${name}` : `pulumi config set ${name} ${shellQuoted(others.map((route) => `${route.hostname}=${route.service}`).join(','))}`;
}

/** Phoenix builds its links from the URL in its settings, and the tunnel removes no part of the path. */
function otherAddress(settings: TunnelSettings): Problem[] {
  const [page, url] = [settings['tunnel:hostname'], settings['phoenix:rootUrl']];
  return page === undefined || url === undefined || url.hostname !== page || url.href === `https://${page}/`
    ? []
    : [{
        key: 'phoenix:rootUrl',
        value: url.href,
        rule: `the tunnel leads to https://${page}, which is the default of this setting`,
        mend: ['pulumi config rm phoenix:rootUrl'],
      }];
}

/** What would be open to everybody who finds the hostname. */
function open(settings: TunnelSettings, broken: ReadonlySet<string>): Problem[] {
  if (hasPeople(settings) || allowKeys.some((name) => broken.has(name))) {
    return [];
  }
  const allow = setCommand('tunnel:allowEmails', tunnelKeys['tunnel:allowEmails'] as Key<unknown>);
  const page = settings['tunnel:hostname'];
  return [
    ...(page === undefined || settings['phoenix:auth'] || broken.has('phoenix:auth')
      ? []
      : [{
          key: 'tunnel:hostname',
          value: page,
          rule: 'it publishes Phoenix, where anyone could read and delete everything: there is neither a login in Phoenix nor Access in front of it',
          mend: ['pulumi config set phoenix:auth true', allow],
        }]),
    ...(settings['tunnel:routes'] ?? []).map(({ hostname }) => ({
      key: 'tunnel:routes',
      value: hostname,
      rule: 'no Access rule lets anyone in, so the page would be public',
      mend: [allow],
    })),
  ];
}

function withoutTokens(settings: TunnelSettings): Problem[] {
  return settings['tunnel:serviceTokens'].length > 0
    ? []
    : (['tunnel:otlpHostname', 'tunnel:phoenixOtlpHostname'] as const).filter((name) => settings[name] !== undefined).map((name) => ({
        key: name,
        value: settings[name] ?? '',
        rule: 'machines get in with a service token, and there is none',
        mend: ['pulumi config set tunnel:serviceTokens edge'],
      }));
}

/** Warnings that do not stop a deployment. */
export function tunnelWarnings(settings: TunnelSettings): string[] {
  const zone = zoneOf(settings);
  return hostnamesOf(settings)
    .filter(({ hostname }) => hostname.endsWith(`.${zone}`) && hostname.slice(0, -zone.length - 1).includes('.'))
    .map(({ key: name, hostname }) =>
      `${name}: the free certificate of a zone at Cloudflare covers ${zone} and one level below; ${hostname} needs an advanced certificate, or clients fail in TLS`);
}
