import { spawnSync } from 'node:child_process';
import * as crypto from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { Data } from '../../../ops/support/adopt/data';
import { fakeDocker, type FakeDocker } from '../../support/fake-docker';
import { tempDir } from '../../support/temp';
import { adoption } from './given';
import { made, sqlite, traceIds } from './sqlite';

const tokens = `${['access_tokens', 'refresh_tokens', 'password_reset_tokens'].map((name) => `CREATE TABLE ${name} (id INTEGER);`).join('')} CREATE TABLE api_keys (id INTEGER, description TEXT);`;
const owner = `${process.getuid?.()}:${process.getgid?.()}`;
const none = { traces: 0, spans: 0, rows: 0 };

/** The old folder and the new one. */
const folders = (): [string, string] => [tempDir(), tempDir()];

const ran = (task: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync('python3', ['ops/support/adopt/data.py', task, ...args.map((arg) => (path.isAbsolute(arg) && fs.statSync(arg, { throwIfNoEntry: false })?.isDirectory() ? path.join(arg, 'phoenix.db') : arg))], { encoding: 'utf8' });

/** One task of the script. @returns the JSON of its last line; where it fails, the exit code and what it said last */
function script(task: string, ...args: string[]): unknown {
  const { status, stdout, stderr } = ran(task, ...args);
  return status === 0 ? JSON.parse(stdout.trim().split('\n').at(-1) ?? '') : { status, said: stderr.trim().split('\n').at(-1) };
}

/** Files of a folder with their content, for comparison; what SQLite writes beside a database when it reads it is left out. */
const contentOf = (folder: string): Record<string, string> =>
  Object.fromEntries(fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !entry.name.endsWith('-shm'))
    .map((entry) => [path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)), fs.readFileSync(path.join(entry.parentPath ?? entry.path, entry.name), 'base64')]));

describe('snapshot', () => {
  test('holds what stands in the log alone, and all other files', () => {
    const [old, to] = folders();
    made(old, { a: 1, b: 2 });
    fs.mkdirSync(path.join(old, 'exports/deep'), { recursive: true });
    fs.writeFileSync(path.join(old, 'exports/deep/file'), 'content');
    fs.symlinkSync('exports/deep', path.join(old, 'link'));
    expect(fs.statSync(path.join(old, 'phoenix.db-wal')).size).toBeGreaterThan(0);
    const before = contentOf(old);
    expect(script('snapshot', old, to, owner)).toEqual({ traces: 2, spans: 2 });
    expect(contentOf(old)).toEqual(before);
    expect(fs.readdirSync(to).filter((name) => !/-(wal|shm)$/.test(name)).sort()).toEqual(['exports', 'link', 'phoenix.db']);
    expect(fs.readFileSync(path.join(to, 'exports/deep/file'), 'utf8')).toBe('content');
    expect(fs.readlinkSync(path.join(to, 'link'))).toBe('exports/deep');
    expect(traceIds(to)).toEqual(['a', 'b']);
  });

  test('of a database that has another name, beside one of the usual name that is not in use', () => {
    const [old, to] = folders();
    made(old, { a: 1 });
    fs.renameSync(path.join(old, 'phoenix.db'), path.join(old, 'traces.sqlite'));
    fs.renameSync(path.join(old, 'phoenix.db-wal'), path.join(old, 'traces.sqlite-wal'));
    fs.rmSync(path.join(old, 'phoenix.db-shm'));
    made(old, { unused: 1 });
    for (const task of ['snapshot', 'copy']) {
      expect(script(task, path.join(old, 'traces.sqlite'), to, owner)).toEqual({ traces: 1, spans: 1 });
      expect(traceIds(to)).toEqual(['a']);
      expect(fs.readdirSync(to).filter((name) => !/-(wal|shm)$/.test(name))).toEqual(['phoenix.db']);
      fs.readdirSync(to).forEach((name) => fs.rmSync(path.join(to, name)));
    }
  });

  test('of a database that somebody has named, and of nothing else in its folder', () => {
    const [old, to] = folders();
    made(old, { a: 1 });
    ['', '-wal'].forEach((ending) => fs.renameSync(path.join(old, `phoenix.db${ending}`), path.join(old, `traces.sqlite${ending}`)));
    fs.rmSync(path.join(old, 'phoenix.db-shm'));
    fs.writeFileSync(path.join(old, 'of-another-program.db'), 'x'.repeat(2 ** 22));
    expect(script('copy', path.join(old, 'traces.sqlite'), to, owner)).toEqual({ traces: 1, spans: 1 });
    expect(fs.readdirSync(to).filter((name) => !/-(wal|shm)$/.test(name))).toEqual(['phoenix.db']);
    expect((script('measure', path.join(old, 'traces.sqlite')) as { bytes: number }).bytes).toBeLessThan(2 ** 22);
  });

  test('of the file to which a link leads, with its log; a socket stays where it is', async () => {
    const [old, to] = folders();
    const real = path.join(old, 'real');
    fs.mkdirSync(real);
    made(real, { a: 1 });
    fs.symlinkSync(path.join(real, 'phoenix.db'), path.join(old, 'phoenix.db'));
    const socket = net.createServer().listen(path.join(real, 'app.sock'));
    await once(socket, 'listening');
    expect(script('found', old)).toMatchObject({ traces: 1 });
    for (const task of ['snapshot', 'copy']) {
      expect(script(task, old, to, owner)).toEqual({ traces: 1, spans: 1 });
      expect(fs.lstatSync(path.join(to, 'phoenix.db')).isFile()).toBe(true);
      expect(fs.existsSync(path.join(to, 'app.sock'))).toBe(false);
    }
    await new Promise((resolve) => socket.close(resolve));
  });

  test('a database that is not one: no copy has its name', () => {
    const [old, to] = folders();
    fs.writeFileSync(path.join(old, 'phoenix.db'), 'no database at all'.repeat(100));
    expect(script('snapshot', old, to, owner)).toEqual({ status: 1, said: 'sqlite3.DatabaseError: file is not a database' });
    expect(fs.existsSync(path.join(to, 'phoenix.db'))).toBe(false);
  });
});

test('counts, and how large it is', () => {
  const [old] = folders();
  made(old, { a: 1, b: 2 });
  expect(script('found', old)).toEqual({ traces: 2, spans: 2, kept: false });
  fs.writeFileSync(path.join(old, 'other'), '12345');
  const bytes = ['phoenix.db', 'phoenix.db-wal', 'phoenix.db-shm', 'other'].map((name) => fs.statSync(path.join(old, name)).size).reduce((sum, size) => sum + size, 0);
  expect(script('measure', old)).toEqual({ traces: 2, spans: 2, bytes, free: expect.any(Number), defaultPassword: false });
});

describe('the password of the first administrator', () => {
  const users = 'CREATE TABLE users (email TEXT, password_hash BLOB, password_salt BLOB);';
  // compute_password_hash('admin', b'salt') in Phoenix's auth.py.
  const known = crypto.pbkdf2Sync('admin', 'salt', 10_000, 32, 'sha256').toString('hex');
  const salt = Buffer.from('salt').toString('hex');

  test.each<[string, string, boolean]>([
    ['is that of everybody', `('admin@localhost', x'${known}', x'${salt}')`, true],
    ['is that of everybody, and of nobody else', `('ada@example.com', x'${known}', x'${salt}'), ('admin@localhost', x'${known}', x'0102')`, false],
    ['is none: OIDC', "('admin@localhost', NULL, NULL)", false],
    ['is nobody\'s: the user is gone', "('ada@example.com', NULL, NULL)", false],
  ])('%s', (_, rows, expected) => {
    const [old] = folders();
    made(old, { a: 1 }, `${users} INSERT INTO users VALUES ${rows};`);
    expect(script('measure', old)).toMatchObject({ defaultPassword: expected });
  });
});

describe('missing', () => {
  test.each<[string, Record<string, number>, string, Record<string, number>, string, object, object]>([
    ['the same', { a: 1 }, '', { a: 1 }, '', none, none],
    ['each has one that the other lacks', { a: 1, b: 1 }, '', { a: 1, c: 1 }, '', { ...none, traces: 1, spans: 1 }, { ...none, traces: 1, spans: 1 }],
    ["a check's project does not count; others that are called like one do", { a: 1 }, '', { a: 1, check: 2, mine: 3, longer: 4 }, '', none, { ...none, traces: 2, spans: 2 }],
    ['a span more in a trace that both have', { a: 1 }, '', { a: 1 }, "INSERT INTO spans VALUES (9, 1, 'late', '{}');", none, { ...none, spans: 1 }],
    ['rows of another table', { a: 1 }, "INSERT INTO datasets VALUES (1, 'x');", { a: 1 }, "INSERT INTO datasets VALUES (1, 'x'), (2, 'y'), (3, 'z');", none, { ...none, rows: 2 }],
    ["what comes with a login, and API keys of stacks; a person's counts", { a: 1 }, `${tokens}`, { a: 1 },
      `${tokens} ${['access_tokens', 'refresh_tokens', 'password_reset_tokens'].map((name) => `INSERT INTO ${name} VALUES (1), (2);`).join('')} INSERT INTO api_keys VALUES (1, 'made by Pulumi stack p/dev'), (2, 'mine'), (3, NULL);`,
      none, { ...none, rows: 2 }],
    ['a table that only one knows, projects, and versions', { a: 1 }, '', { a: 1 }, "CREATE TABLE later (id INTEGER); INSERT INTO later VALUES (1); INSERT INTO projects VALUES (9, 'p'); INSERT INTO alembic_version VALUES ('1');", none, none],
  ])('%s', (_, inOld, moreInOld, inNew, moreInNew, lost, added) => {
    const [old, to] = folders();
    made(old, inOld, moreInOld);
    made(to, inNew, moreInNew);
    expect(script('missing', old, to)).toEqual(lost);
    expect(script('missing', to, old)).toEqual(added);
  });

  test('a folder without a database lacks nothing elsewhere; against one nothing can be said', () => {
    const [old, to] = folders();
    made(old, { a: 1 });
    expect(script('missing', to, old)).toEqual(none);
    expect(script('missing', old, to)).toEqual({ status: 1, said: 'sqlite3.OperationalError: unable to open database: ' + `file:${to}/phoenix.db?mode=ro&immutable=1` });
    expect(fs.readdirSync(to)).toEqual([]);
  });

  test('a folder whose name needs quoting', () => {
    const [old, to] = folders().map((folder) => path.join(folder, 'a b?c#d%20')) as [string, string];
    [old, to].forEach((folder) => fs.mkdirSync(folder));
    made(old, { a: 1, b: 1 });
    made(to, { a: 1 });
    expect(script('missing', old, to)).toEqual({ ...none, traces: 1, spans: 1 });
  });
});

describe('copy', () => {
  /** The old data, and a rehearsal's copy of it with something of its own. */
  function rehearsed(more: Record<string, number> = {}): [string, string] {
    const [old, to] = folders();
    made(old, { a: 1, b: 1, since: 1 });
    fs.writeFileSync(path.join(old, 'other'), 'old');
    made(to, { a: 1, b: 1, ...more });
    fs.writeFileSync(path.join(to, 'other'), 'new');
    fs.mkdirSync(path.join(to, 'folder'));
    fs.writeFileSync(path.join(to, 'folder/file'), '');
    return [old, to];
  }
  const names = (folder: string): string[] => fs.readdirSync(folder).filter((name) => !/-(wal|shm)$/.test(name)).sort();
  /** What is kept of the data before. */
  const keptTraces = (folder: string): unknown[] => {
    const beside = tempDir();
    fs.copyFileSync(path.join(folder, 'before-adoption.db'), path.join(beside, 'phoenix.db'));
    return traceIds(beside);
  };

  test('in place of all that was there; the old data stays as it is', () => {
    const [old, to] = rehearsed({ check: 2 });
    const before = contentOf(old);
    expect(script('copy', old, to, owner)).toEqual({ traces: 3, spans: 3 });
    expect(contentOf(old)).toEqual(before);
    expect(names(to)).toEqual(['other', 'phoenix.db']);
    expect(fs.readFileSync(path.join(to, 'other'), 'utf8')).toBe('old');
    expect(traceIds(to)).toEqual(['a', 'b', 'since']);
    expect(script('missing', old, to)).toEqual(none);
  });

  test('into an empty folder', () => {
    const [old] = rehearsed();
    const to = tempDir();
    expect(script('copy', old, to, owner)).toEqual({ traces: 3, spans: 3 });
    expect(traceIds(to)).toEqual(['a', 'b', 'since']);
  });

  test('what only the new one held is kept beside it', () => {
    const [old, to] = rehearsed({ 'only-here': 1 });
    sqlite(to, "INSERT INTO datasets VALUES (1, 'made since');");
    expect(script('copy', old, to, owner)).toEqual({ traces: 3, spans: 3 });
    expect(names(to)).toEqual(['before-adoption.db', 'other', 'phoenix.db']);
    expect(traceIds(to)).toEqual(['a', 'b', 'since']);
    expect(keptTraces(to)).toEqual(['a', 'b', 'only-here']);
  });

  test('a dataset alone is reason enough', () => {
    const [old, to] = rehearsed();
    sqlite(to, "INSERT INTO datasets VALUES (1, 'made since');");
    expect(script('copy', old, to, owner)).toEqual({ traces: 3, spans: 3 });
    expect(keptTraces(to)).toEqual(['a', 'b']);
  });

  test('one that was cut off is made again, and what was kept stays', () => {
    const [old, to] = rehearsed({ 'only-here': 1 });
    script('copy', old, to, owner);
    // As when it was killed in the middle of the database.
    fs.mkdirSync(path.join(to, '.adopting'));
    fs.truncateSync(path.join(to, 'phoenix.db'), 5000);
    expect(script('copy', old, to, owner)).toEqual({ traces: 3, spans: 3 });
    expect(names(to)).toEqual(['before-adoption.db', 'other', 'phoenix.db']);
    expect(traceIds(to)).toEqual(['a', 'b', 'since']);
    expect(keptTraces(to)).toEqual(['a', 'b', 'only-here']);
  });

  test('a damaged database is refused, and goes on being refused', () => {
    const [old] = folders();
    const to = tempDir();
    made(old, { a: 1 }, `INSERT INTO datasets VALUES (1, '${'x'.repeat(20_000)}'); CREATE INDEX by_name ON datasets (name); PRAGMA wal_checkpoint(TRUNCATE);`);
    const [[page] = []] = sqlite(old, '', "SELECT rootpage FROM sqlite_master WHERE name = 'by_name'");
    for (const name of ['phoenix.db-wal', 'phoenix.db-shm']) {
      fs.rmSync(path.join(old, name), { force: true });
    }
    const file = fs.openSync(path.join(old, 'phoenix.db'), 'r+');
    fs.writeSync(file, Buffer.alloc(4096, 'z'), 0, 4096, (Number(page) - 1) * 4096);
    fs.closeSync(file);
    const before = contentOf(old);
    const refused = { status: 1, stdout: '', stderr: expect.stringMatching(/^the copy of the database is damaged: /) };
    // In the rehearsal, before anything is stopped.
    expect(ran('snapshot', old, tempDir(), owner)).toMatchObject(refused);
    expect(ran('copy', old, to, owner)).toMatchObject(refused);
    expect(ran('copy', old, to, owner)).toMatchObject(refused);
    // It is not taken for complete.
    expect(fs.existsSync(path.join(to, '.adopting'))).toBe(true);
    expect(contentOf(old)).toEqual(before);
  });
});

describe('Data', () => {
  const { data: old } = adoption();
  const job = '/containers/adoption-dev-data';

  async function engine(last: string, StatusCode = 0): Promise<FakeDocker> {
    const docker = await fakeDocker([]);
    docker.answers[`POST ${job}/wait`] = { StatusCode };
    docker.answers[`GET ${job}/logs`] = Buffer.from(last);
    return docker;
  }
  const mounts = ({ changes }: FakeDocker): { User: string; Image: string; Cmd: string[]; HostConfig: { Mounts: object[]; NetworkMode: string } } =>
    JSON.parse(changes.find((change) => change.startsWith('POST /containers/create'))?.split(/ (?=\{)(.*)/s)[1] ?? '');

  const oldMount = { Type: 'volume', Source: 'arize-phoenix_phoenix_data', Target: '/phoenix_storage', ReadOnly: true };
  const newMount = (ReadOnly: boolean): object => ({ Type: 'volume', Source: 'phoenix-dev-data', Target: '/adopted', ReadOnly });
  const both = ['/phoenix_storage/phoenix.db', '/adopted/phoenix.db'];
  test.each<[string, (data: Data) => Promise<unknown>, string[], object[]]>([
    ['measureOld', (data) => data.measureOld(), ['measure', '/phoenix_storage/phoenix.db'], [oldMount]],
    ['snapshot', (data) => data.snapshot(), ['snapshot', ...both, '65532:65532'], [oldMount, newMount(false)]],
    ['countNew', (data) => data.countNew(), ['found', '/adopted/phoenix.db'], [newMount(true)]],
    ['copy', (data) => data.copy(), ['copy', ...both, '65532:65532'], [oldMount, newMount(false)]],
    ['added', (data) => data.added(), ['missing', '/adopted/phoenix.db', '/phoenix_storage/phoenix.db'], [oldMount, newMount(true)]],
    ['lost', (data) => data.lost(), ['missing', ...both], [oldMount, newMount(true)]],
  ])('%s: the old data is never mounted to be written', async (_, task, Cmd, Mounts) => {
    const docker = await engine('WARNING: noise\r\n{"traces": 1}\r\n');
    expect(await task(new Data(docker.engine, 'dev', old))).toEqual({ traces: 1 });
    expect(mounts(docker)).toMatchObject({ Image: old.image, User: '0:0', Cmd, HostConfig: { Mounts, NetworkMode: 'none', CapDrop: ['ALL'] } });
    expect([...docker.containers.keys()]).toEqual([]);
  });

  test('a job that fails: its last words, and no container stays', async () => {
    const docker = await engine('Traceback\r\nsqlite3.OperationalError: disk I/O error\r\n', 1);
    await expect(new Data(docker.engine, 'dev', old).copy()).rejects.toThrow('The data could not be read or copied (copy): sqlite3.OperationalError: disk I/O error.');
    expect([...docker.containers.keys()]).toEqual([]);
  });

  test('an engine that refuses it', async () => {
    const docker = await engine('');
    docker.answers['POST /containers/create'] = { status: 404, message: 'No such image: sha256:gone' };
    await expect(new Data(docker.engine, 'dev', old).copy()).rejects.toThrow(
      'Container adoption-dev-data could not read the data: No such image: sha256:gone.\n    docker logs adoption-dev-data');
  });
});
