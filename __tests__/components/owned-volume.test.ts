/** The job that runs in Phoenix's image before Phoenix does, in the Python of this machine. */
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { renderFile } from '../../components/template';
import { tempDir } from '../support/temp';

const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];

/** Scripts as alembic has made them over the years. */
const scripts: Readonly<Record<string, string>> = {
  'cf03bd6bae1d_init.py': '"""init\n\nRevision ID: cf03bd6bae1d\nRevises:\n"""\nrevision: str = "cf03bd6bae1d"\ndown_revision: Union[str, None] = None\n',
  '10460e46d750_datasets.py': "revision = '10460e46d750'\ndown_revision: Union[str, None] = \"cf03bd6bae1d\"\n",
};

interface Scene {
  /** Revision in the database; undefined: there is no database. */
  readonly revision?: string;
  /** What the file of the database has in place of one. */
  readonly instead?: string;
  /** Spans in the database, whose revision counts for nothing then. */
  readonly spans?: number;
  /** What the stack stores in. Default: this database. */
  readonly elsewhere?: 'left behind' | 'refused';
  /** Default: the scripts of Phoenix. Undefined: no package of Phoenix. */
  readonly image?: Readonly<Record<string, string>> | 'no Phoenix';
}

function job({ revision, instead, spans, elsewhere, image = scripts }: Scene): { status: number | null; said: string[]; volume: string } {
  const [volume, packages] = [tempDir(), tempDir()];
  if (image !== 'no Phoenix') {
    const versions = path.join(packages, 'phoenix', 'db', 'migrations', 'versions');
    fs.mkdirSync(versions, { recursive: true });
    // It takes seconds to load, and is not to be.
    fs.writeFileSync(path.join(packages, 'phoenix', '__init__.py'), 'raise SystemExit("loaded")\n');
    Object.entries(image).forEach(([name, text]) => fs.writeFileSync(path.join(versions, name), text));
  }
  const database = path.join(volume, 'phoenix.db');
  if (instead !== undefined) {
    fs.writeFileSync(database, instead);
  } else if (revision !== undefined) {
    // As Phoenix leaves it: in WAL mode, and what is newest not yet in the file.
    const made = 'import os, sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\nc.execute("PRAGMA journal_mode=WAL")\n'
      + 'c.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")\nc.execute("INSERT INTO alembic_version VALUES (?)", (sys.argv[2],))\nos._exit(0)';
    execFileSync('python3', ['-c', made, database, revision]);
  }
  if (spans !== undefined) {
    execFileSync('python3', ['-c', 'import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.execute("CREATE TABLE spans (id INTEGER PRIMARY KEY)")\nc.executemany("INSERT INTO spans VALUES (?)", [(n + 1,) for n in range(int(sys.argv[2]))])\nc.commit()', database, String(spans)]);
  }
  // Only root may become somebody, and this is who owns the files already.
  const asItself = 'import os\nos.setgroups = os.setgid = os.setuid = lambda *_: None\n';
  const script = asItself + renderFile('phoenix/own-volume.py.mustache', { path: volume, uid: String(uid), gid: String(gid), inUse: elsewhere === undefined, refused: elsewhere === 'refused' });
  const { status, stdout, stderr } = spawnSync('python3', ['-c', script], { encoding: 'utf8', env: { ...process.env, PYTHONPATH: packages } });
  return { status, said: (stdout + stderr).trim().replaceAll(volume, '/data').split('\n'), volume };
}

const given = `0 entries of /data given to ${uid}:${gid}`;
const known = [given, 'the image knows the revision of /data/phoenix.db'];

test.each<[string, Scene, readonly string[]]>([
  ['a fresh volume', {}, [given]],
  ['a database of this version', { revision: '10460e46d750' }, known],
  ['one of an older version', { revision: 'cf03bd6bae1d' }, known],
  ['an image without Phoenix in it', { revision: 'feedfacefeed', image: 'no Phoenix' }, [given]],
  ['an image that has its scripts elsewhere', { revision: 'feedfacefeed', image: {} }, [given]],
  ['what is no database', { instead: 'x'.repeat(5000) }, [given, 'the revision of /data/phoenix.db was not looked at: file is not a database']],
  ['nothing, beside a PostgreSQL', { elsewhere: 'refused' }, [given]],
  ['a database without spans, beside a PostgreSQL', { spans: 0, elsewhere: 'refused' }, [given]],
  ['one with spans that are left behind', { spans: 2, elsewhere: 'left behind' }, [given]],
  ['what is no database, beside a PostgreSQL', { instead: 'x'.repeat(5000), elsewhere: 'refused' }, [given, '/data/phoenix.db was not looked at: file is not a database']],
  ['a database without a revision', { instead: '' }, [given, 'the revision of /data/phoenix.db was not looked at: no such table: alembic_version']],
])('it lets Phoenix start: %s', (_, scene, said) => {
  expect(job(scene)).toMatchObject({ status: 0, said });
});

test('a database that only a newer version knows ends it with what to do', () => {
  expect(job({ revision: 'feedfacefeed' })).toMatchObject({
    status: 1,
    said: [
      given,
      '/data/phoenix.db is of a newer Phoenix than this image: its revision feedfacefeed is none of the 2 that the image knows.',
      'Phoenix has no downgrade of its database. Nothing was changed, and a Phoenix that runs goes on running.',
      'Set phoenix:image to the version that wrote it, or a newer one; or go back to a backup of before (docs/upgrade.md).',
    ],
  });
});

test('spans that a PostgreSQL would hide end it with what to do', () => {
  const { status, said } = job({ spans: 3, elsewhere: 'refused' });
  expect(status).toBe(1);
  expect(said.join('\n')).toContain('has spans');
  expect(said.at(-1)).toContain('pulumi config set phoenix:databaseLeft sqlite');
});
