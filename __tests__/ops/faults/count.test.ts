/** The count over a database like Phoenix's: the script runs as it does in the container. */
import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import { stored } from '../../../ops/support/faults/count';
import { output } from '../../../provider/container-reach';
import { complaining, execEngine, ran } from '../../support/exec-engine';
import { tempDir } from '../../support/temp';

/** Without the constraint of the real table, by which a span is in it once. */
function database(...spans: string[]): string {
  const file = path.join(tempDir(), 'phoenix.db');
  const script = 'import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\ndb.execute("PRAGMA journal_mode=WAL")\ndb.execute("CREATE TABLE spans (id INTEGER PRIMARY KEY, span_id TEXT)")\ndb.executemany("INSERT INTO spans (span_id) VALUES (?)", [(span,) for span in sys.argv[2:]])\ndb.commit()\n';
  execFileSync('python3', ['-c', script, file, ...spans]);
  return file;
}

const here = { output: async (command: readonly string[]) => output((await execEngine(ran)).engine, 'phoenix-dev', command) };

test('counts the spans of one sender, each once, and the rows beyond that', async () => {
  const file = database('aaaaaaaa00000001', 'aaaaaaaa00000002', 'aaaaaaaaffffffff', 'aaaaaaaa00000002', 'bbbbbbbb00000001', 'aaaaaaa900000001');
  const { ids, duplicates } = (await stored(here, 'aaaaaaaa', file)) ?? {};
  expect([[...(ids ?? [])].sort(), duplicates]).toEqual([['aaaaaaaa00000001', 'aaaaaaaa00000002', 'aaaaaaaaffffffff'], 1]);
});

test('nothing stored yet', async () => {
  expect(await stored(here, 'aaaaaaaa', database())).toEqual({ ids: new Set(), duplicates: 0 });
});

test('a container that does not run is no count', async () => {
  const { engine } = await execEngine();
  expect(await stored({ output: (command) => output(engine, 'gone', command) }, 'aaaaaaaa')).toBeUndefined();
});

test('a command that fails is none either', async () => {
  const { engine } = await execEngine(complaining('no such table: spans\n'), { exitCode: 1 });
  expect(await stored({ output: (command) => output(engine, 'phoenix-dev', command) }, 'aaaaaaaa')).toBeUndefined();
});
