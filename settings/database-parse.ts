/**
 * Parsers for the settings of Phoenix's database. People copy such an address from the page of a provider, from a `.env` file or
 * from another program's configuration.
 */
import { isIP } from 'node:net';
import { isContainerItself } from '../components/address';
import { dockerHost } from '../components/catalog';
import { decoded, isHostName } from './address-parse';
import { BrokenRule } from './broken-rule';
import { pem } from './parse';
import { lastPort } from './port-parse';
import { unknownSecret } from './setting';

/** `verify-ca` does not check the name of the server, `require` does not check who answers, `disable` is without TLS. */
export const sslModes = ['verify-full', 'verify-ca', 'require', 'disable'] as const;

/** A PostgreSQL that somebody else runs. */
export interface Database {
  /** Lower-case host name, as Phoenix's container reaches it. */
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  readonly password: string;
  readonly sslMode: (typeof sslModes)[number];
  /** Whether it is the placeholder of a preview that does not know the setting. */
  readonly unknown: boolean;
}

const form = 'postgresql://USER:PASSWORD@HOST:5432/NAME';
const defaultPort = 5432;

/** Parameters that other programs have in the same address, and that say nothing to Phoenix's. */
const ignored = ['application_name', 'channel_binding', 'connect_timeout', 'gssencmode'];

/** In a preview that does not know it. */
const placeholder: Database = { host: 'unknown-database', port: defaultPort, name: 'unknown', user: 'unknown', password: unknownSecret, sslMode: 'verify-full', unknown: true };

/**
 * `phoenix:database`: the address of a database.
 * @throws BrokenRule for anything that Phoenix could not use; the value is a secret, and in no message
 */
export function database(raw: string): Database {
  const text = raw.trim();
  if (text === unknownSecret) {
    return placeholder;
  }
  const [, scheme = ''] = /^([a-z][a-z0-9+.:-]*):\/\//i.exec(text) ?? [];
  if (/^jdbc:/i.test(scheme) || /(^|[\s;])(host|server|data source)\s*=/i.test(text)) {
    throw new BrokenRule(`it is in the form of another program; here it is ${form}`);
  }
  if (/^sqlite/i.test(text)) {
    throw new BrokenRule('SQLite is what Phoenix has without this setting; it is for a PostgreSQL, postgresql://…');
  }
  if (scheme !== '' && !/^postgres(ql)?(\+(asyncpg|psycopg2?))?$/i.test(scheme)) {
    throw new BrokenRule(`Phoenix stores in PostgreSQL only, and its address is ${form}`);
  }
  const url = scheme === '' ? undefined : parsed(text.replace(scheme, 'postgresql'));
  if (url === undefined) {
    throw new BrokenRule(`it is an address such as ${form}; in a user or password write @ as %40, : as %3A, / as %2F, # as %23, ? as %3F and % as %25`);
  }
  const [host, name] = [url.hostname.toLowerCase().replace(/\.$/, ''), url.pathname.slice(1)];
  const missing = [...(url.username === '' ? ['the user'] : []), ...(url.password === '' ? ['the password'] : []), ...(host === '' ? ['the host'] : []), ...(name === '' ? ['the name of the database'] : [])];
  if (missing.length > 0) {
    throw new BrokenRule(`${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing: ${form}`);
  }
  if (isContainerItself(host)) {
    throw new BrokenRule(`inside Phoenix's container ${host} is the container itself; the Docker host is ${dockerHost}`);
  }
  if (isIP(host.replace(/^\[|\]$/g, '')) !== 0) {
    throw new BrokenRule('Phoenix reaches servers by name alone; give this one a name in the DNS of the Docker host');
  }
  if (!isHostName(host)) {
    throw new BrokenRule('its host is not the name of one server: letters, digits, dashes and dots');
  }
  if (!/^[\w.-]+$/.test(name)) {
    throw new BrokenRule('the name of the database has other characters than letters, digits, _, . and -');
  }
  return { host, port: portOf(url), name, user: decoded(url.username), password: decoded(url.password), sslMode: sslModeOf(url.searchParams), unknown: false };
}

function parsed(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // An unencoded # or / ends the password early.
  return url === undefined || url.hash !== '' || url.pathname.includes('@') ? undefined : url;
}

function portOf({ port }: URL): number {
  const number = port === '' ? defaultPort : Number(port);
  if (number < 1 || number > lastPort) {
    throw new BrokenRule(`its port is a whole number from 1 to ${lastPort}`);
  }
  return number;
}

function sslModeOf(query: URLSearchParams): Database['sslMode'] {
  const names = [...new Set(query.keys())].filter((name) => !ignored.includes(name));
  if (names.includes('sslrootcert') && query.get('sslrootcert') !== 'system') {
    throw new BrokenRule('it names a file (sslrootcert), which Phoenix does not have: leave that out, and set phoenix:databaseCertificate to the text of the file');
  }
  const other = names.find((name) => !['sslmode', 'ssl', 'sslrootcert'].includes(name));
  if (other !== undefined) {
    throw new BrokenRule(/^(options|currentSchema|schema|search_path)$/.test(other)
      ? `it chooses a schema (${other}): set that for the user in PostgreSQL, ALTER ROLE … SET search_path`
      : `it has a parameter that is not known here, ${/^\w{1,40}$/.test(other) ? other : 'after the ?'}; leave it out`);
  }
  const chosen = query.get('sslmode') ?? query.get('ssl') ?? 'verify-full';
  const mode = { true: 'verify-full', false: 'disable', 1: 'verify-full', 0: 'disable' }[chosen] ?? chosen;
  if (mode === 'prefer' || mode === 'allow') {
    throw new BrokenRule(`sslmode=${mode} goes on without TLS where the server has none: write sslmode=verify-full, or sslmode=require for a certificate that cannot be checked`);
  }
  const found = sslModes.find((one) => one === mode);
  if (found === undefined) {
    throw new BrokenRule(`its sslmode is one of ${sslModes.join(', ')}`);
  }
  return found;
}

/** The text of a file of authorities. */
export function authority(raw: string): string {
  if (raw !== unknownSecret && !/-----BEGIN CERTIFICATE-----/.test(raw)) {
    throw new BrokenRule('it is the text of a file with certificates, which begin with -----BEGIN CERTIFICATE-----');
  }
  if (raw.includes('PRIVATE KEY-----')) {
    throw new BrokenRule('it holds a private key; the certificate of the authority alone is needed');
  }
  return raw === unknownSecret ? raw : pem(raw);
}

/** A database as `phoenix:databaseLeft` names it: `sqlite`, or `host:port/name`. */
export function databaseName(raw: string): string {
  const name = raw.trim();
  if (name !== sqlite && !/^[a-z0-9.-]+:\d+\/[\w.-]+$/.test(name)) {
    throw new BrokenRule(`it is ${sqlite}, or a PostgreSQL as host:port/name, as the message has it that asks for it`);
  }
  return name;
}

/** Phoenix's own database, on its volume. */
export const sqlite = 'sqlite';

/** How messages and labels name a database; it has no secret in it. */
export const nameOfDatabase = (of: Database | undefined): string => (of === undefined ? sqlite : `${of.host}:${of.port}/${of.name}`);
