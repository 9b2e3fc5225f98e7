/** The check of Phoenix's database, in the Python of this machine, with a driver that behaves as a server would. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { databaseCheck } from '../../components/phoenix-database';
import { tempDir } from '../support/temp';

/** A package `asyncpg` for which these expressions are what the server does. */
const driver = ({ connects = '', version = '15.20 (Debian)', encoding = 'UTF8', replica = 'False', schema = '"public"', creates = '', owner = 'None', revisions = '()' }: Readonly<Record<string, string>>): string => `
import ssl
class PostgresConnectionError(Exception): pass
class CannotConnectNowError(Exception): pass
class TooManyConnectionsError(Exception): pass
class InvalidPasswordError(Exception): pass
class InvalidAuthorizationSpecificationError(Exception): pass
class InvalidCatalogNameError(Exception): pass
class InsufficientPrivilegeError(Exception): pass
class ReadOnlySQLTransactionError(Exception): pass
def untrusted(why):
    error = ssl.SSLCertVerificationError(1, why)
    error.verify_message = why
    return error
class Change:
    async def start(self): pass
    async def rollback(self): print("rolled back")
class Server:
    def transaction(self): return Change()
    async def fetchrow(self, _): return ("${version}", "${encoding}", ${replica}, ${schema})
    async def execute(self, _):
        ${creates || 'pass'}
    async def fetchval(self, query): return ${owner} if "tableowner" in query else ${revisions} != ()
    async def fetch(self, _): return [(one,) for one in ${revisions}]
    async def close(self): pass
async def connect(**how):
    assert how["host"] == "db.example.com" and how["port"] == 5432 and how["user"] == "wri@ter" and how["password"] == "hunter/2" and how["database"] == "phoenix", how
    ${connects || 'pass'}
    return Server()
`;

function check(server: Readonly<Record<string, string>>, sslMode = 'require'): { status: number | null; said: string } {
  const packages = tempDir();
  fs.writeFileSync(path.join(packages, 'asyncpg.py'), driver(server));
  const versions = path.join(packages, 'phoenix', 'db', 'migrations', 'versions');
  fs.mkdirSync(versions, { recursive: true });
  fs.writeFileSync(path.join(packages, 'phoenix', '__init__.py'), 'raise SystemExit("loaded")\n');
  fs.writeFileSync(path.join(versions, 'cf03bd6bae1d_init.py'), 'revision: str = "cf03bd6bae1d"\n');
  const secretsFile = path.join(packages, 'environment.json');
  fs.writeFileSync(secretsFile, JSON.stringify({ PHOENIX_SQL_DATABASE_URL: `postgresql://wri%40ter:hunter%2F2@db.example.com:5432/phoenix?sslmode=${sslMode}` }));
  const { status, stdout, stderr } = spawnSync('python3', ['-c', databaseCheck('phoenix-dev-egress', { secretsFile, patience: -1 })], { encoding: 'utf8', env: { ...process.env, PYTHONPATH: packages } });
  expect(stdout + stderr).not.toMatch(/hunter|Traceback/);
  return { status, said: stdout + stderr };
}

test.each<[string, Record<string, string>, string]>([
  ['an empty one', {}, 'require'],
  ['one of this version', { revisions: '("cf03bd6bae1d",)' }, 'require'],
  ['the oldest version', { version: '14.0' }, 'require'],
  ['without TLS', { connects: 'assert how["ssl"] is False' }, 'disable'],
  ['with TLS that checks nothing', { connects: 'assert how["ssl"].verify_mode == ssl.CERT_NONE' }, 'require'],
  ['with TLS that checks who answers', { connects: 'assert how["ssl"].verify_mode == ssl.CERT_REQUIRED and not how["ssl"].check_hostname' }, 'verify-ca'],
  ['with TLS that checks its name too', { connects: 'assert how["ssl"].check_hostname' }, 'verify-full'],
])('Phoenix may use %s, and nothing was changed in it', (_, server, sslMode) => {
  expect(check(server, sslMode)).toEqual({ status: 0, said: expect.stringMatching(/^rolled back\ndb\.example\.com:5432 is PostgreSQL .* and wri@ter may use phoenix\n$/) });
});

test.each<[string, Record<string, string>, string, string]>([
  ['a wrong password', { connects: 'raise InvalidPasswordError()' }, 'password of wri@ter', 'pulumi config set --secret phoenix:database'],
  ['no way in', { connects: 'raise InvalidAuthorizationSpecificationError("no pg_hba.conf entry")' }, 'no pg_hba.conf entry', 'phoenix:database'],
  ['no such database', { connects: 'raise InvalidCatalogNameError()' }, 'has no database phoenix', 'createdb'],
  ['a database that is closed', { connects: 'raise InsufficientPrivilegeError("denied")' }, 'may not connect', 'GRANT CONNECT'],
  ['nobody there', { connects: 'raise ConnectionRefusedError("refused")' }, 'no PostgreSQL answers', 'docker logs --tail 5 phoenix-dev-egress'],
  ['no TLS', { connects: "raise ConnectionError('PostgreSQL server at x rejected SSL upgrade')" }, 'has no TLS', 'sslmode=disable'],
  ['an unknown authority', { connects: "raise untrusted('unable to get local issuer certificate')" }, 'not trusted', 'phoenix:databaseCertificate < ca.pem'],
  ['a certificate for another name', { connects: "raise untrusted(\"Hostname mismatch, certificate is not valid for 'x'.\")" }, 'not for that name', 'sslmode=verify-ca'],
  ['a version that is too old', { version: '13.9' }, 'PostgreSQL 13.9', 'newer server'],
  ['a replica', { replica: 'True' }, 'a replica', 'primary'],
  ['an encoding of a few languages', { encoding: 'LATIN1' }, 'LATIN1', '--encoding UTF8'],
  ['no schema', { schema: 'None' }, 'search_path', 'CREATE SCHEMA'],
  ['no right to create tables', { creates: 'raise InsufficientPrivilegeError()' }, 'may not create tables', 'GRANT USAGE, CREATE ON SCHEMA'],
  ['no right to write', { creates: 'raise ReadOnlySQLTransactionError()' }, 'no writes', 'default_transaction_read_only'],
  ['tables of somebody else', { owner: '"somebody"' }, 'belong to somebody', 'GRANT "somebody"'],
  ['a newer Phoenix', { revisions: '("feedfacefeed",)' }, 'feedfacefeed', 'phoenix:image'],
])('%s ends it with what to do', (_, server, word, command) => {
  const { status, said } = check(server);
  expect(status).toBe(1);
  expect(said).toContain(word);
  expect(said).toContain(command);
  // A failed job shows no more than its last five lines.
  expect(said.replace('rolled back\n', '').trim().split('\n').length).toBeLessThanOrEqual(5);
});
