/**
 * Settings of Phoenix's database, and the rules between them. Without them it is SQLite on a volume of the stack.
 */
import { X509Certificate } from 'node:crypto';
import { authority, database, databaseName } from './database-parse';
import type { Problem } from './problem';
import { askCommand, fromFile, optional, secret, setCommand, unknownSecret } from './setting';
import { isPublic } from './store-parse';

/** A part of the settings: `keys.ts` has all of them. */
export const databaseKeys = {
  'phoenix:database': secret('A PostgreSQL, 14 or newer, in which Phoenix stores instead of SQLite on its volume: `postgresql://USER:PASSWORD@HOST:5432/NAME`, with `?sslmode=` for less than `verify-full`: [docs/database.md](docs/database.md)', database),
  'phoenix:databaseCertificate': fromFile('ca.pem', optional('-----BEGIN CERTIFICATE-----\n…', 'Certificate of the authority of that PostgreSQL as text, if it is not one that everybody knows', authority)),
  'phoenix:databaseLeft': optional('sqlite', 'The database with traces that the stack leaves behind when `phoenix:database` changes: `sqlite`, or `host:port/name`; nothing is deleted in it', databaseName),
} as const;

type DatabaseKey = keyof typeof databaseKeys;

/** The settings that the rules look at. */
export type DatabaseSettings = { readonly [K in DatabaseKey]: ReturnType<(typeof databaseKeys)[K]['parse']> };

/**
 * Problems between settings that are each valid.
 * @param broken keys that already have a problem
 */
export function databaseProblems(settings: DatabaseSettings, broken: ReadonlySet<string>, now = Date.now()): Problem[] {
  const [chosen, certificate] = [settings['phoenix:database'], settings['phoenix:databaseCertificate']];
  const key = 'phoenix:databaseCertificate';
  const set = setCommand(key, databaseKeys[key]);
  if (chosen === undefined) {
    return certificate === undefined || broken.has('phoenix:database') ? []
      : [{ key, rule: 'it is for the PostgreSQL of phoenix:database, which is not set', mend: [askCommand('phoenix:database'), `pulumi config rm ${key}`] }];
  }
  const checks = chosen.sslMode.startsWith('verify-');
  return [
    ...(chosen.sslMode === 'disable' && isPublic({ hostname: chosen.host })
      ? [{ key: 'phoenix:database', rule: 'with sslmode=disable anyone on the network can read the password and all traces, and its host is on a public network; write sslmode=verify-full, or leave sslmode out', mend: [askCommand('phoenix:database')] }] : []),
    ...(certificate !== undefined && !checks && !chosen.unknown
      ? [{ key, rule: `phoenix:database has sslmode=${chosen.sslMode}, which checks no certificate`, mend: [`${askCommand('phoenix:database')}   # with sslmode=verify-full`, `pulumi config rm ${key}`] }] : []),
    ...(certificate === undefined || certificate === unknownSecret ? [] : unusable(certificate, now).map((rule) => ({ key, rule, mend: [set] }))),
  ];
}

function unusable(text: string, now: number): string[] {
  try {
    const all = (text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? []).map((one) => new X509Certificate(one));
    return all.length === 0 ? ['no certificate can be read from it']
      : all.every(({ validTo }) => Date.parse(validTo) < now) ? ['it has expired: the server has a newer one, or soon needs it'] : [];
  } catch {
    return ['no certificate can be read from it'];
  }
}
