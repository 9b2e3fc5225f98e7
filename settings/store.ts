/**
 * Settings of stores of metrics and logs that somebody else runs, and the rules between them.
 */
import type { Sender } from '../components/backend';
import { askCommand, optional, secret, setCommand, valueCommand, type Key } from './setting';
import { inWords, type Problem } from './problem';
import { bearerToken, isPublic, lokiUrl, remoteWriteUrl, tenant, username, wantsCredentials, type Store, storePassword } from './store-parse';

/** A part of the settings: `keys.ts` has all of them. */
export const storeKeys = {
  'prometheus:url': optional(
    'http://host.docker.internal:9090/api/v1/write',
    'Where Alloy sends metrics by remote write: the address of Prometheus, Mimir, VictoriaMetrics or Grafana Cloud, with the path of remote write or without; without it metrics are accepted and discarded',
    remoteWriteUrl,
  ),
  'prometheus:username': optional('123456', 'User at that store; in Grafana Cloud the number of the instance', username),
  'prometheus:password': secret('Password of that user; in Grafana Cloud a token', storePassword),
  'prometheus:token': secret('Bearer token, instead of user and password', bearerToken),
  'prometheus:tenant': optional('team-a', 'Tenant at that store, the header `X-Scope-OrgID`', tenant),
  'loki:url': optional(
    'http://host.docker.internal:3100',
    'Where Alloy sends logs by OTLP: the address of Loki or Grafana Cloud, also the one for pushing logs; without it logs are accepted and discarded',
    lokiUrl,
  ),
  'loki:username': optional('123456', 'User at that store; in Grafana Cloud the number of the instance', username),
  'loki:password': secret('Password of that user; in Grafana Cloud a token', storePassword),
  'loki:token': secret('Bearer token, instead of user and password', bearerToken),
  'loki:tenant': optional('team-a', 'Tenant at that store, the header `X-Scope-OrgID`', tenant),
} as const;

type StoreKey = keyof typeof storeKeys;

/** The settings that the rules look at. */
export type StoreSettings = { readonly [K in StoreKey]: ReturnType<(typeof storeKeys)[K]['parse']> };

/** The credentials for a store. */
export const senderOf = (settings: StoreSettings, store: Store): Sender => ({
  username: settings[`${store}:username`], password: settings[`${store}:password`], token: settings[`${store}:token`], tenant: settings[`${store}:tenant`],
});

const setting = (name: StoreKey): string => setCommand(name, storeKeys[name] as Key<unknown>);
const removing = (name: StoreKey): string => `pulumi config rm ${name}`;

/**
 * Problems between settings that are each valid.
 * @param broken keys that already have a problem: they are set, and have no value
 * @param isSecret tells the keys that are stored encrypted
 */
export function storeProblems(settings: StoreSettings, broken: ReadonlySet<string>, isSecret: (key: string) => boolean): Problem[] {
  return (['prometheus', 'loki'] as const).flatMap((store) => problemsOf(store, settings, broken, isSecret));
}

function problemsOf(store: Store, settings: StoreSettings, broken: ReadonlySet<string>, isSecret: (key: string) => boolean): Problem[] {
  const [address, user, password, token, tenancy] = (['url', 'username', 'password', 'token', 'tenant'] as const).map((part) => `${store}:${part}` as const) as
    [`${Store}:url`, `${Store}:username`, `${Store}:password`, `${Store}:token`, `${Store}:tenant`];
  const isSet = (name: StoreKey): boolean => settings[name] !== undefined || broken.has(name);
  const url = settings[address];
  const basic = [user, password].filter(isSet);
  const credentials = [...basic, ...[token].filter(isSet)];
  const sender = [...credentials, ...[tenancy].filter(isSet)];
  const problems: Problem[] = [];
  if (!isSet(address)) {
    // A setting that breaks its own rule is reported once.
    return sender[0] === undefined || sender.every((name) => broken.has(name)) ? [] : [{ key: sender[0], rule: `${sender.length === 1 ? 'it is' : `${inWords(sender)} are`} for ${address}, which is not set`, mend: [setting(address), ...sender.map(removing)] }];
  }
  if (basic.length > 0 && isSet(token)) {
    problems.push({ key: token, rule: `a store takes either a token or a user with a password, and ${inWords(basic)} ${basic.length === 1 ? 'is' : 'are'} set as well`, mend: [removing(token), ...basic.map((name) => `${removing(name)}   # for the token`)] });
  } else if (basic.length === 1 && !basic.some((name) => broken.has(name))) {
    const [missing = password] = [user, password].filter((name) => !isSet(name));
    problems.push({ key: basic[0] ?? user, rule: `it needs ${missing} as well`, mend: [setting(missing)] });
  }
  if (url && credentials.length > 0 && url.protocol === 'http:' && isPublic(url)) {
    problems.push({ key: address, ...shown(url, isSecret(address)), rule: `without TLS anyone on the network can read ${inWords(credentials)}`, mend: [isSecret(address) ? askCommand(address) : valueCommand(address, overTls(url))] });
  }
  if (url && credentials.length === 0 && wantsCredentials(url)) {
    problems.push({ key: address, ...shown(url, isSecret(address)), rule: 'Grafana Cloud takes nothing without credentials', mend: [setting(user), setting(password)].map((command) => command.replace(/ (\d+)$/, ' $1   # an example')) });
  }
  return problems;
}

/** An address as a message shows it: a query may hold something secret. */
export const shown = ({ origin, pathname }: URL, hidden: boolean): { readonly value?: string } => (hidden ? {} : { value: `${origin}${pathname.replace(/\/$/, '')}` });

function overTls(url: URL): string {
  const secure = new URL(url);
  secure.protocol = 'https:';
  return secure.href.replace(/\/$/, '');
}
