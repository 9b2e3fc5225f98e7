/**
 * Phoenix's database according to the settings, and a change of it, after which Phoenix would show none of the traces.
 */
import type { PhoenixDatabase } from '../components/phoenix-database';
import { databaseLabel, hostName, shortName } from '../components/names';
import { nameOfDatabase, sqlite, type Database } from '../settings/database-parse';
import type { Problem } from '../settings/problem';
import type { Settings } from '../settings/keys';
import { describe, isOf, nameOf, type Container } from './found';

/** The database as Phoenix has it; undefined for SQLite. */
export function databaseOf(settings: Settings): PhoenixDatabase | undefined {
  const chosen = settings['phoenix:database'];
  return chosen && { name: nameOfDatabase(chosen), url: urlOf(chosen), certificate: settings['phoenix:databaseCertificate'], leavesSpans: settings['phoenix:databaseLeft'] !== undefined };
}

const urlOf = ({ host, port, name, user, password, sslMode }: Database): string =>
  `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${name}?sslmode=${sslMode}`;

/**
 * @param owner `project/stack`
 * @param containers all that the engine has
 * @returns a problem if the stack's Phoenix has a different database, and nobody has said that its traces are left behind, and
 * one if the database is that of a different stack on this engine
 */
export function databaseProblems(settings: Settings, owner: string, containers: readonly Container[]): Problem[] {
  const chosen = settings['phoenix:database'];
  if (chosen?.unknown) {
    return [];
  }
  const name = nameOfDatabase(chosen);
  return [...left(name, settings['phoenix:databaseLeft'], owner, containers), ...shared(name, owner, containers)];
}

function left(name: string, consent: string | undefined, owner: string, containers: readonly Container[]): Problem[] {
  const stack = shortName(owner);
  const existing = containers.find((one) => isOf(owner, one) && nameOf(one) === hostName('phoenix', stack));
  const was = existing?.Labels?.[databaseLabel] ?? sqlite;
  if (existing === undefined || was === name || consent === was) {
    return [];
  }
  const where = was === sqlite ? `in SQLite, on the volume ${hostName('phoenix', stack, 'data')}` : `in PostgreSQL, ${was}`;
  return [{
    key: 'phoenix:database',
    rule: `Phoenix of this stack stores ${where}; with ${name === sqlite ? 'SQLite' : name} it would show none of its traces, users and API keys. They stay where they are`,
    mend: [
      was === sqlite ? 'pulumi config rm phoenix:database   # go on with these' : 'pulumi config set --secret phoenix:database   # the one from before',
      `pulumi config set phoenix:databaseLeft ${was}   # leave them there`,
    ],
  }];
}

/** Each stack has its own PHOENIX_SECRET: what one has encrypted the other cannot read, and neither takes the other's keys. */
function shared(name: string, owner: string, containers: readonly Container[]): Problem[] {
  const other = name === sqlite ? undefined : containers.find((one) => !isOf(owner, one) && one.Labels?.[databaseLabel] === name);
  return other === undefined ? [] : [{
    key: 'phoenix:database',
    rule: `${describe(other)} stores in ${name}, and a database is for one stack: with the secret of another neither would take its API keys`,
    mend: ['createdb NAME   # at that server', 'pulumi config set --secret phoenix:database'],
  }];
}
