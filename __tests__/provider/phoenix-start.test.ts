import { logOf, StartLog } from '../../provider/phoenix-start';
import { frame } from '../support/exec-engine';
import { fakeEngine } from '../support/fake-engine';
import { pong, rawEngine } from '../support/raw-engine';

/** What Phoenix 20.26.1 says as it starts, shortened. */
const begin = ['🏃‍♀️‍➡️ Running migrations on the database.', '---------------------------'];
const sql = (text: string): string => `2026-11-29 12:52:17,656 INFO sqlalchemy.engine.Engine ${text}`;
const first = [
  sql('BEGIN (implicit)'),
  sql('PRAGMA main.table_info("alembic_version")'),
  sql('[raw sql] ()'),
  sql(''),
  'CREATE TABLE alembic_version (',
  '\tversion_num VARCHAR(32) NOT NULL, ',
  ')',
  sql(''),
  'CREATE TABLE projects (',
  '\tname VARCHAR NOT NULL, ',
  sql("INSERT INTO projects (name, description) VALUES (?, ?)"),
  sql("[generated in 0.00012s] ('default', 'what nobody should read')"),
  sql("INSERT INTO alembic_version (version_num) VALUES ('cf03bd6bae1d') RETURNING version_num"),
];
const second = [sql('CREATE INDEX ix_spans_session_id ON spans (session_id)'), sql('[no key 0.00023s] ()')];
const done = [sql("UPDATE alembic_version SET version_num='10460e46d750' WHERE alembic_version.version_num = 'cf03bd6bae1d'")];
const end = ['---------------------------', '✅ Migrations completed in 1.158 seconds.'];

const after = (...lines: readonly string[]): StartLog => {
  const log = new StartLog();
  log.add(lines);
  return log;
};

describe('how far a Phoenix is', () => {
  test.each<[string, readonly string[], string, boolean]>([
    ['nothing said', [], 'it has logged nothing yet', false],
    ['its program is being loaded', ['a warning of a library'], 'its last line is: a warning of a library', false],
    ['it begins', begin, 'it migrates its database, 0 steps done', true],
    ['its first step is done', [...begin, ...first], 'it migrates its database, 1 step done, now INSERT INTO projects', true],
    ['in the second', [...begin, ...first, ...second], 'it migrates its database, 1 step done, now CREATE INDEX ix_spans_session_id', true],
    ['the second is done', [...begin, ...first, ...second, ...done], 'it migrates its database, 2 steps done, now CREATE INDEX ix_spans_session_id', true],
    ['migrated', [...begin, ...first, ...end, 'INFO:     Waiting for application startup.'], 'its last line is: INFO:     Waiting for application startup.', false],
    ['it has crashed and begins again', [...begin, ...first, ...begin], 'it migrates its database, 0 steps done', true],
    ['it could not', [...begin, ...first, '⚠️⚠️ Phoenix failed to migrate the database to the latest version. ⚠️⚠️'], 'its last line is: ⚠️⚠️ Phoenix failed to migrate the database to the latest version. ⚠️⚠️', false],
    ['a long line', ['x'.repeat(300)], `its last line is: ${'x'.repeat(120)}`, false],
  ])('%s', (_, lines, words, migrating) => {
    const log = after(...lines);
    expect(log.words).toBe(words);
    expect(log.migrating).toBe(migrating);
  });

  test('no value of the database is ever quoted while it migrates', () => {
    const log = new StartLog();
    for (const line of [...begin, ...first, ...second, ...done]) {
      log.add([line]);
      expect(log.words).not.toMatch(/nobody should read|default/);
    }
  });

  test('questions of the health check are no sign of life', () => {
    const log = new StartLog();
    expect(log.add(['INFO:     127.0.0.1:51234 - "GET /readyz HTTP/1.0" 503 Service Unavailable', '  '])).toBe(false);
    expect(log.add(['INFO:     Waiting for application startup.'])).toBe(true);
  });
});

describe('the log of a container', () => {
  const lines = Buffer.concat([
    frame(1, '2026-11-29T12:52:17.649905148Z one\n'),
    frame(2, '2026-11-29T12:52:17.650059358Z two\n2026-11-29T12:52:18Z \n'),
  ]);
  const engine = (asked: string[], body: Buffer = lines): ReturnType<typeof rawEngine> =>
    rawEngine((socket, line) => {
      if (line.includes('_ping')) {
        socket.end(pong);
        return;
      }
      asked.push(line);
      socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`);
      socket.end(body);
    });

  test('is read from the time of the last line on, which is not said twice', async () => {
    const asked: string[] = [];
    const at = await engine(asked);
    const whole = await logOf(at, 'id');
    expect(whole).toEqual({ lines: ['one', 'two', ''], until: '1795956738.000000000' });
    expect(await logOf(at, 'id', '1795956737.650059358', 8)).toEqual({ lines: ['one', ''], until: '1795956738.000000000' });
    expect(asked).toEqual([
      'GET /v1.51/containers/id/logs?stdout=1&stderr=1&timestamps=1&since=0&tail=all HTTP/1.1',
      'GET /v1.51/containers/id/logs?stdout=1&stderr=1&timestamps=1&since=1795956737.650059358&tail=8 HTTP/1.1',
    ]);
  });

  test('of a container that says nothing, the next question is the same', async () => {
    expect(await logOf(await engine([], Buffer.alloc(0)), 'id', '7.5')).toEqual({ lines: [], until: '7.5' });
  });

  test('of none is an error in the words of the engine', async () => {
    const { engine: gone } = await fakeEngine({ '/containers/id/logs': { status: 404, body: '{"message":"No such container: id"}' } });
    await expect(logOf(gone, 'id')).rejects.toThrow('No such container: id');
  });
});
