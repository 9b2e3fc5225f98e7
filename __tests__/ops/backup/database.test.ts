/** The script that runs in Phoenix's image, run by the Python of this machine, which has no Phoenix: that part is a stand-in. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { tempDir } from '../../support/temp';
import { made, sqlite, traceIds } from '../adopt/sqlite';

const owner = `${process.getuid?.()}:${process.getgid?.()}`;
const more = "CREATE TABLE api_keys (id INTEGER, expires_at TEXT); INSERT INTO alembic_version VALUES ('abc'); INSERT INTO api_keys VALUES (7, NULL);";

/** Python packages as far as the script looks at them: a version, and the revisions of the tables. */
function installed(): string {
  const dir = tempDir();
  for (const [file, content] of [['phoenix/__init__.py', ''], ['phoenix/db/migrations/versions/abc.py', 'revision: str = "abc"\n'], ['arize_phoenix-20.26.1.dist-info/METADATA', 'Metadata-Version: 2.1\nName: arize-phoenix\nVersion: 20.26.1\n']] as const) {
    fs.mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    fs.writeFileSync(path.join(dir, file), content);
  }
  return dir;
}
const packages = installed();

function script(...args: string[]): Record<string, unknown> {
  const { status, stdout, stderr } = spawnSync('python3', ['ops/support/backup/database.py', ...args], { encoding: 'utf8', env: { ...process.env, PYTHONPATH: packages } });
  return status === 0 ? (JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>) : { status, said: stderr.trim().split('\n').at(-1) };
}

/** A volume with these traces, and a file beside it to be restored. */
function volume(): { dir: string; live: string; next: string } {
  const [dir, other] = [tempDir(), tempDir()];
  made(dir, { old: 1 }, more);
  made(other, { new1: 1, new2: 1 }, more);
  const [live, next] = [path.join(dir, 'phoenix.db'), path.join(dir, 'restore.db')];
  expect(script('copy', path.join(other, 'phoenix.db'), next)).toMatchObject({ traces: 2 });
  return { dir, live, next };
}

test('a copy is one file, with what is in the log alone', () => {
  const [dir, to] = [tempDir(), tempDir()];
  made(dir, { a: 1, b: 2 }, more);
  const copied = script('copy', path.join(dir, 'phoenix.db'), path.join(to, 'copy.db'));
  expect(copied).toMatchObject({ traces: 2, spans: 2, projects: 4, revision: 'abc', phoenix: '20.26.1', last: ['b', 'verify-1767225600000', 1], key: 7 });
  expect(fs.readdirSync(to)).toEqual(['copy.db']);
  expect(script('facts', path.join(to, 'copy.db'))).toEqual(copied);
});

test('a damaged copy', () => {
  const file = path.join(tempDir(), 'copy.db');
  fs.writeFileSync(file, Buffer.alloc(8192, 'x'));
  expect(script('facts', file)).toEqual({ status: 1, said: expect.stringMatching('not a database') });
});

test('what a restore finds', () => {
  const { live } = volume();
  expect(script('status', live, '1', 'abc')).toEqual({ known: true, spans: 1, phoenix: '20.26.1' });
  expect(script('status', live, '1', 'newer')).toMatchObject({ known: false });
  expect(script('status', live, String(2 ** 60), 'abc')).toEqual({ status: 1, said: expect.stringMatching('free') });
});

test('replaced, and done', () => {
  const { dir, live, next } = volume();
  expect(script('replace', next, live, owner)).toEqual({});
  expect(script('pending', live)).toEqual({ pending: true });
  expect(traceIds(dir)).toEqual(['new1', 'new2']);
  expect(script('done', live)).toEqual({});
  expect(script('pending', live)).toEqual({ pending: false });
  expect(fs.readdirSync(dir).filter((name) => !/-(wal|shm)$/.test(name))).toEqual(['phoenix.db']);
});

test('replaced, written to, and undone, with what was in the log', () => {
  const { dir, live, next } = volume();
  expect(fs.statSync(`${live}-wal`).size).toBeGreaterThan(0);
  script('replace', next, live, owner);
  sqlite(dir, "INSERT INTO traces VALUES (9, 1, 'later');");
  expect(script('undo', live)).toEqual({});
  expect(script('pending', live)).toEqual({ pending: false });
  expect(traceIds(dir)).toEqual(['old']);
  expect(script('undo', live)).toEqual({});
  expect(traceIds(dir)).toEqual(['old']);
});

test('cut off before the new database took the place of the old one', () => {
  const { dir, live } = volume();
  for (const ending of ['-wal', '']) {
    fs.linkSync(live + ending, path.join(dir, `before-restore.db${ending}`));
  }
  fs.rmSync(`${live}-wal`);
  expect(script('undo', live)).toEqual({});
  expect(traceIds(dir)).toEqual(['old']);
});
