/** Databases as Phoenix has them, made and asked by Python, as Node 20 has no SQLite. */
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';

/** As far as an adoption looks at it. */
const schema = `
CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE traces (id INTEGER PRIMARY KEY, project_rowid INTEGER, trace_id TEXT);
CREATE TABLE spans (id INTEGER PRIMARY KEY, trace_rowid INTEGER, span_id TEXT, attributes TEXT);
CREATE TABLE datasets (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE alembic_version (version_num TEXT);
INSERT INTO projects VALUES (1, 'default'), (2, 'verify-1767225600000'), (3, 'verify-answers'), (4, 'verify-17672256000001');
`;

const program = `
import json, os, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute('PRAGMA journal_mode=WAL')
db.executescript(sys.argv[2])
print(json.dumps(db.execute(sys.argv[3]).fetchall()))
db.commit()
# As Phoenix leaves it when it is stopped, or is at work: what came last is in the log alone.
sys.stdout.flush()
os._exit(0)
`;

/** Statements on the database of a folder. @returns rows of a query */
export function sqlite(folder: string, statements: string, query = 'SELECT 1'): unknown[][] {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', program, path.join(folder, 'phoenix.db'), statements, query], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as unknown[][];
}

/** A new database with one span a trace. @param traces project of each, by the ID of the trace */
export const made = (folder: string, traces: Readonly<Record<string, number>>, more = ''): unknown => sqlite(folder, schema + Object.entries(traces).map(([id, project], number) =>
  `INSERT INTO traces VALUES (${number + 1}, ${project}, '${id}'); INSERT INTO spans VALUES (${number + 1}, ${number + 1}, 'span-of-${id}', '{}');`).join('\n') + more);

export const traceIds = (folder: string): unknown[] => sqlite(folder, '', 'SELECT trace_id FROM traces ORDER BY 1').flat();
