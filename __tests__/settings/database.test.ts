import * as fs from 'node:fs';
import * as path from 'node:path';
import { databaseProblems, type DatabaseSettings } from '../../settings/database';
import { authority, database, databaseName, nameOfDatabase, type Database } from '../../settings/database-parse';
import { BrokenRule } from '../../settings/broken-rule';
import { readSettings } from '../../settings/settings';
import { unknownSecret } from '../../settings/setting';
import { engineAuthority } from '../support/engine-authority';

const ruleOf = (parse: (raw: string) => unknown, raw: string): string => {
  try {
    parse(raw);
  } catch (error) {
    expect(error).toBeInstanceOf(BrokenRule);
    return (error as Error).message;
  }
  throw new Error(`accepted: ${raw}`);
};

const usual: Database = { host: 'db.example.com', port: 5432, name: 'phoenix', user: 'writer', password: 'pä/ss@1', sslMode: 'verify-full', unknown: false };
const address = 'postgresql://writer:p%C3%A4%2Fss%401@db.example.com:5432/phoenix';

describe('an address', () => {
  test.each<[string, string, Partial<Database>]>([
    ['as it is', address, {}],
    ['the other scheme', address.replace('postgresql:', 'postgres:'), {}],
    ['of SQLAlchemy', address.replace('postgresql:', 'postgresql+asyncpg:'), {}],
    ['with spaces around', ` ${address}\n`, {}],
    ['without a port', address.replace(':5432', ''), {}],
    ['another port', address.replace('5432', '6543'), { port: 6543 }],
    ['in capital letters', address.replace('db.example', 'DB.Example'), {}],
    ['of the Docker host', address.replace('db.example.com', 'host.docker.internal'), { host: 'host.docker.internal' }],
    ['with what others need', `${address}?channel_binding=require&connect_timeout=10&sslmode=require`, { sslMode: 'require' }],
    ['with all that everybody knows', `${address}?sslmode=verify-full&sslrootcert=system`, {}],
    ['sslmode', `${address}?sslmode=verify-ca`, { sslMode: 'verify-ca' }],
    ['ssl', `${address}?ssl=true`, {}],
    ['ssl off', `${address}?ssl=false`, { sslMode: 'disable' }],
  ])('%s', (_, raw, changes) => expect(database(raw)).toEqual({ ...usual, ...changes }));

  test('a preview that may not know it goes on', () => expect(database(unknownSecret)).toMatchObject({ unknown: true, password: unknownSecret }));

  test.each<[string, string, string]>([
    ['of another database', 'mysql://u:hunter2@db/x', 'PostgreSQL only'],
    ['of SQLite', 'sqlite:////data/phoenix.db', 'without this setting'],
    ['of Java', 'jdbc:postgresql://db:5432/x', 'another program'],
    ['as libpq has it', 'host=db user=u password=hunter2', 'another program'],
    ['without its scheme', 'u:hunter2@db:5432/x', 'postgresql://USER'],
    ['nothing', '', 'postgresql://USER'],
    ['a password with a #', 'postgresql://u:hunter#2@db/x', '# as %23'],
    ['a password with a /', 'postgresql://u:1/hunter2@db/x', '/ as %2F'],
    ['without a user', 'postgresql://db/x', 'the user, the password are missing'],
    ['without a password', 'postgresql://u@db/x', 'the password is missing'],
    ['without a database', 'postgresql://u:hunter2@db', 'the name of the database is missing'],
    ['this machine', 'postgresql://u:hunter2@localhost:5432/x', 'host.docker.internal'],
    ['an IP address', 'postgresql://u:hunter2@192.0.2.7/x', 'by name alone'],
    ['several servers', 'postgresql://u:hunter2@db1,db2/x', 'one server'],
    ['a strange name', 'postgresql://u:hunter2@db/x%20y', 'name of the database'],
    ['port 0', 'postgresql://u:hunter2@db:0/x', 'port'],
    ['a file', 'postgresql://u:hunter2@db/x?sslrootcert=/certs/ca.pem', 'phoenix:databaseCertificate'],
    ['sslmode=prefer', 'postgresql://u:hunter2@db/x?sslmode=prefer', 'sslmode=verify-full'],
    ['no such sslmode', 'postgresql://u:hunter2@db/x?sslmode=maybe', 'verify-full, verify-ca'],
    ['a schema', 'postgresql://u:hunter2@db/x?options=-csearch_path%3Dhunter2', 'ALTER ROLE'],
    ['a parameter of others', 'postgresql://u:hunter2@db/x?pgbouncer=true', 'pgbouncer'],
  ])('%s is refused, and not shown', (_, raw, word) => {
    expect(ruleOf(database, raw)).toContain(word);
    expect(ruleOf(database, raw)).not.toMatch(/hunter/);
    expect(readSettings({ 'phoenix:database': raw }, 'llm-observability', () => true).problems).toMatchObject([{ key: 'phoenix:database', mend: ['pulumi config set --secret phoenix:database'] }]);
  });

  test('in plain text it is refused', () => expect(readSettings({ 'phoenix:database': address }, 'llm-observability').problems).toEqual([{ key: 'phoenix:database', rule: expect.stringContaining('plain text'), mend: ['pulumi config set --secret phoenix:database'] }]));

  test('it is named without its secrets', () => expect([nameOfDatabase(database(address)), nameOfDatabase(undefined)]).toEqual(['db.example.com:5432/phoenix', 'sqlite']));
});

test('the one that is left is named as a message has it', () => {
  expect([databaseName('sqlite'), databaseName('db:5432/phoenix')]).toEqual(['sqlite', 'db:5432/phoenix']);
  expect(ruleOf(databaseName, 'true')).toContain('host:port/name');
});

describe('rules between them', () => {
  const ca = fs.readFileSync(path.join(engineAuthority().client(), 'ca.pem'), 'utf8');
  const find = (url: string | undefined, certificate?: string, now?: number): { key: string; rule: string; mend: readonly string[] }[] => {
    const settings = { 'phoenix:database': url && database(url), 'phoenix:databaseCertificate': certificate, 'phoenix:databaseLeft': undefined } as DatabaseSettings;
    return databaseProblems(settings, new Set(), now).map(({ key, rule, mend }) => ({ key, rule, mend }));
  };

  test('none', () => expect([find(undefined), find(address), find(address, ca), find(address, unknownSecret), find(unknownSecret, ca)].flat()).toEqual([]));

  test('without TLS in a private network alone', () => {
    expect(find(address.replace('db.example.com', 'db.lan') + '?sslmode=disable')).toEqual([]);
    expect(find(`${address}?sslmode=disable`)).toMatchObject([{ key: 'phoenix:database', rule: expect.stringContaining('public network'), mend: ['pulumi config set --secret phoenix:database'] }]);
  });

  test('a certificate is for a database whose certificate is checked', () => {
    expect(find(undefined, ca)).toMatchObject([{ key: 'phoenix:databaseCertificate', rule: expect.stringContaining('not set') }]);
    expect(find(`${address}?sslmode=require`, ca)).toMatchObject([{ key: 'phoenix:databaseCertificate', mend: [expect.stringContaining('verify-full'), 'pulumi config rm phoenix:databaseCertificate'] }]);
  });

  test('one that is none, and one that has expired', () => {
    const command = 'pulumi config set phoenix:databaseCertificate < ca.pem';
    expect(find(address, '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----')).toMatchObject([{ rule: expect.stringContaining('no certificate'), mend: [command] }]);
    expect(find(address, ca, Date.parse('2999-01-01'))).toMatchObject([{ rule: expect.stringContaining('expired'), mend: [command] }]);
    expect([ruleOf(authority, 'x'), ruleOf(authority, `${ca}-----BEGIN PRIVATE KEY-----`)]).toEqual([expect.stringContaining('certificates'), expect.stringContaining('private key')]);
  });
});
