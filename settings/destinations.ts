/**
 * The servers that Phoenix may connect to: those of its login and mail, and the ones in `phoenix:egress`. Its network allows no
 * other connections.
 */
import * as net from 'node:net';
import { domainToASCII } from 'node:url';
import { dockerHost, ports } from '../components/catalog';
import type { Destination } from '../components/egress';
import { valueCommand } from './setting';
import * as meant from './meant';
import type { Problem } from './problem';
import type { SettingKey, Settings } from './keys';
import { isHostName } from './address-parse';
import { BrokenRule } from './broken-rule';
import { parts } from './parse';
import { lastPort } from './port-parse';
import { isContainerItself } from '../components/address';

/** A destination, and where it comes from. */
interface Source extends Destination {
  readonly key: SettingKey;
}

const https = 443;
const ldapPorts = { starttls: 389, ldaps: 636, none: 389 } as const;

/** Hosts that well-known identity providers use besides the host of their OpenID configuration, as listed in it. */
const furtherHosts: Readonly<Record<string, readonly string[]>> = {
  'accounts.google.com': ['oauth2.googleapis.com', 'openidconnect.googleapis.com', 'www.googleapis.com'],
  'login.microsoftonline.com': ['graph.microsoft.com'],
};

/** Ports of the gate, which forwards what Phoenix sends. */
const taken: readonly number[] = Object.values(ports.gate);

/**
 * Servers as `name` or `name:port`, separated by commas; without a port, HTTPS is meant.
 * @throws BrokenRule for addresses, patterns and anything that stands for everything
 */
export function destinations(raw: string): readonly Destination[] {
  const list = parts(raw);
  if (list.some((part) => part.includes('*') || /^(any|all|everything|everywhere|internet|0\.0\.0\.0(\/0)?|::(\/0)?|true)$/i.test(part))) {
    throw new BrokenRule('a destination is one server, not a pattern and not everything: name each server that Phoenix has to reach, such as api.openai.com');
  }
  const found = list.map((part) => {
    const [, host = '', port = String(https)] = /^([^:/]*)(?::(\d{1,5}))?$/.exec(part) ?? [];
    return { host, port: Number(port), nameless: false };
  });
  const wrongPort = list.find((part) => /^[^:/]+:[^:/]*$/.test(part) && isName(part.replace(/:.*/, '')) && !isPort(part.replace(/.*:/, '')));
  if (wrongPort !== undefined) {
    throw new BrokenRule(`the port of ${wrongPort} is not valid: it is a whole number from 1 to ${lastPort}; the default is ${https}`);
  }
  if (!found.every(({ host }) => isName(host))) {
    throw new BrokenRule('not every part is a server such as api.openai.com or ollama.lan:11434: a host name in small letters, no address, without http:// and without a path; commas separate servers', list.map((part) => meant.server(inAscii(part))).join(','));
  }
  if (found.some(({ host }) => isContainerItself(host) || host.startsWith('ip6-'))) {
    throw new BrokenRule(`inside Phoenix's container that is the container itself; the Docker host is ${dockerHost}`, list.map((part) => part.replace(/^localhost/, dockerHost)).join(','));
  }
  const once = [...new Set(found.map(typed))];
  if (once.length < found.length) {
    throw new BrokenRule(`${once.find((one) => found.filter((other) => typed(other) === one).length > 1)} is listed twice; the default port is 443`, once.join(','));
  }
  return found;
}

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= lastPort;

/** As a person types it. */
const typed = ({ host, port }: Destination): string => (port === https ? host : `${host}:${port}`);

/** `bücher.example` as DNS has it. */
const inAscii = (part: string): string => (/[^\0-\x7f]/.test(part) ? part.replace(/^[^:/]+/, (host) => domainToASCII(host) || host) : part);

/** Words that mean something to nginx in place of a name. */
const ofNginx = ['default', 'hostnames', 'include', 'volatile'];

const isName = (host: string): boolean => isHostName(host) && !ofNginx.includes(host);

/** Names of a stack's containers: with one of these, the gate would take their place. */
const isOwn = (host: string): boolean => /^(phoenix|alloy|journal|tunnel)(-[\w-]+)?$/.test(host);

/**
 * Each of them once, by port; those with the same port in the order of the settings. The ones on the host of the database are
 * not among those of the gate, which starts after Phoenix: a name leads to one container.
 */
export function destinationsOf(settings: Settings): readonly Destination[] {
  const found = new Map(sources(settings).map(({ host, port, nameless }) => [`${host}:${port}`, { host, port, nameless }]));
  return [...found.values()].sort((a, b) => a.port - b.port);
}

function sources(settings: Settings): Source[] {
  const chosen = [...(settings['phoenix:egress'] ?? []).map((one) => ({ ...one, key: 'phoenix:egress' }) as const), ...store(settings)];
  return settings['phoenix:auth'] ? [...chosen, ...oidc(settings), ...ldap(settings), ...smtp(settings)] : chosen;
}

/** PostgreSQL begins without TLS. */
function store({ 'phoenix:database': chosen }: Settings): Source[] {
  return chosen === undefined ? [] : [{ host: chosen.host, port: chosen.port, key: 'phoenix:database', nameless: true }];
}

function oidc({ 'phoenix:oidcConfigUrl': url }: Settings): Source[] {
  if (url === undefined || isContainerItself(url.hostname)) {
    return [];
  }
  const name = url.hostname.replace(/\.$/, '');
  const port = Number(url.port) || (url.protocol === 'https:' ? https : 80);
  return [name, ...(furtherHosts[name] ?? [])].map((host) => ({ host, port, key: 'phoenix:oidcConfigUrl', nameless: false }));
}

function ldap({ 'phoenix:ldapHost': hosts, 'phoenix:ldapPort': port, 'phoenix:ldapTlsMode': mode }: Settings): Source[] {
  return (hosts ?? '').split(',').filter(Boolean).map((host) => ({ host: host.toLowerCase(), port: port ?? ldapPorts[mode], key: 'phoenix:ldapHost', nameless: true }));
}

function smtp({ 'phoenix:smtpHostname': host, 'phoenix:smtpPort': port }: Settings): Source[] {
  return host === undefined ? [] : [{ host: host.toLowerCase(), port, key: 'phoenix:smtpHostname', nameless: true }];
}

/**
 * Problems of servers that the gate cannot forward to.
 * @param broken keys that already have a problem
 */
export function destinationProblems(settings: Settings, broken: ReadonlySet<string>): Problem[] {
  const all = sources(settings).filter(({ key }) => !broken.has(key));
  return all.flatMap((one, index) => {
    const { key, host, port, nameless } = one;
    // One message for a setting that lists several servers.
    const told = key !== 'phoenix:egress' && all.slice(0, index).some((earlier) => earlier.key === key);
    const refused = (rule: string, ...mend: string[]): Problem[] => (told ? [] : [{ key, value: key === 'phoenix:egress' ? typed(one) : host, rule, mend }]);
    if (net.isIP(host.replace(/^\[|\]$/g, '')) !== 0) {
      return refused('Phoenix reaches servers by name alone; give this one a name in the DNS of the Docker host', valueCommand(key, key === 'phoenix:oidcConfigUrl' ? 'https://login.example.com/.well-known/openid-configuration' : 'NAME'));
    }
    if (!isName(host)) {
      return refused('that is not the host name of a server');
    }
    if (isOwn(host)) {
      return refused("the containers of the stack have such names, and Phoenix reaches none of them but the gate and the journal");
    }
    if (taken.includes(port)) {
      return refused(`${port} is a port of the gate, which carries what Phoenix sends: reach the server by a different port`, ...(portOf[key] === undefined ? [] : [`pulumi config set ${portOf[key]} PORT`]));
    }
    const other = nameless ? all.find((another) => another.port === port && another.host !== host && another.key !== key) : undefined;
    return other === undefined ? [] : refused(
      `${other.host} (${other.key}) has the same port ${port}, and what Phoenix sends there does not say which of the two it is for: reach one of them by a different port`,
      ...(portOf[key] === undefined ? [] : [`pulumi config set ${portOf[key]} PORT`]));
  });
}

const portOf: Partial<Record<SettingKey, SettingKey>> = { 'phoenix:ldapHost': 'phoenix:ldapPort', 'phoenix:smtpHostname': 'phoenix:smtpPort' };
