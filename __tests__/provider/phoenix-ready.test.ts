import { at } from '../../engine';
import { phoenixReady, type Inspected, type Pace } from '../../provider/phoenix-ready';
import type { PhoenixReadyInputs } from '../../components/observability-contract';
import type { Said } from '../../provider/phoenix-start';
import { unknown } from '../../provider/values';
import { fakeEngine } from '../support/fake-engine';

const inputs: PhoenixReadyInputs = { engine: at('unix:///docker.sock'), container: 'phoenix-dev', server: 'the-id', redeploy: 'npm run up -- --stack dev' };

/** A container as Docker 20.10 and 28 show it; started a minute and a half ago. */
const is = (status: string, health?: string, more: Partial<Inspected['State']> & { RestartCount?: number } = {}): Inspected => {
  const { RestartCount = 0, ...state } = more;
  return { RestartCount, State: { Status: status, ExitCode: 0, OOMKilled: false, StartedAt: new Date(Date.now() - 90_000).toISOString(), ...(health ? { Health: { Status: health } } : {}), ...state } };
};

const migrates = ['🏃‍♀️‍➡️ Running migrations on the database.', '2026-11-29 12:52:17,701 INFO sqlalchemy.engine.Engine CREATE INDEX ix_traces_start_time ON traces (start_time)'];
const everyLook: Pace = { lookMs: 0, tellMs: 0, silenceMs: 60_000 };

interface Scene {
  /** Looks one after the other, and then the last of them again. */
  readonly looks: readonly (Inspected | undefined | Error)[];
  /** Lines that come with each question for them. */
  readonly lines?: readonly (readonly string[] | Error)[];
  readonly pace?: Partial<Pace>;
  readonly signal?: AbortSignal;
}

function over({ looks, lines = [], pace = {}, signal }: Scene): { kind: ReturnType<typeof phoenixReady>; said: string[]; asked: string[] } {
  const [said, asked]: [string[], string[]] = [[], []];
  const [left, log] = [[...looks], [...lines]];
  const kind = phoenixReady((_, container) => ({
    look: async () => {
      asked.push(`look at ${container}`);
      const now = left.length > 1 ? left.shift() : left[0];
      if (now instanceof Error) {
        throw now;
      }
      return now;
    },
    said: async (since, tail): Promise<Said> => {
      asked.push(`log since ${since}${tail === undefined ? '' : `, the last ${tail}`}`);
      const next = log.shift() ?? [];
      if (next instanceof Error) {
        throw next;
      }
      return { lines: next, until: `${Number(since) + next.length}` };
    },
  }), (line) => void said.push(line), { ...everyLook, ...pace }, signal);
  return { kind, said, asked };
}

const wait = async (scene: Scene): Promise<{ said: string[]; asked: string[] }> => {
  const { kind, said, asked } = over(scene);
  expect(await kind.create(inputs)).toBe(inputs);
  return { said, asked };
};

test('one that is healthy is not waited for', async () => {
  expect(await wait({ looks: [is('running', 'healthy')] })).toEqual({ said: [], asked: ['look at the-id'] });
});

test('neither is one whose health nobody checks', async () => {
  expect(await wait({ looks: [is('created'), is('running')] })).toMatchObject({ asked: ['look at the-id', 'log since 0', 'look at the-id'] });
});

test('while it migrates it is waited for, whatever its health check makes of that, and what it does is said', async () => {
  const looks = [is('running', 'starting'), is('running', 'unhealthy'), is('running', 'unhealthy'), is('running', 'healthy')];
  const { said, asked } = await wait({ looks, lines: [[], migrates, new Error('no answer within 30000 ms')] });
  expect(said.map((line) => line.replace(/9\d s/, '90 s'))).toEqual([
    'Phoenix is starting, 90 s so far: it has logged nothing yet',
    'Phoenix is starting, 90 s so far: it migrates its database, 0 steps done, now CREATE INDEX ix_traces_start_time',
    'Phoenix is starting, 90 s so far: it migrates its database, 0 steps done, now CREATE INDEX ix_traces_start_time',
  ]);
  expect(asked).toEqual(['look at the-id', 'log since 0', 'look at the-id', 'log since 0', 'look at the-id', 'log since 2', 'look at the-id']);
});

test('another container is waited for as well', async () => {
  const { kind, asked } = over({ looks: [is('running', 'healthy')] });
  const after = { ...inputs, server: 'another' };
  expect(await kind.update(inputs, after)).toBe(after);
  expect(asked).toEqual(['look at another']);
});

describe('it ends with what to do', () => {
  const failure = (scene: Scene): Promise<string> => over(scene).kind.create(inputs).then(() => 'none', (error: Error) => error.message);
  /** The end of what Phoenix 20.26.1 says of a database that it does not know, with less of the traceback. */
  const crash = [
    '  File "/phoenix/.venv/lib/python3.11/site-packages/alembic/script/base.py", line 239, in _catch_revision_errors',
    '    raise util.CommandError(resolution) from re',
    "alembic.util.exc.CommandError: Can't locate revision identified by 'feedfacefeed'",
    '',
    'The above exception was the direct cause of the following exception:',
    'Traceback (most recent call last):',
    'phoenix.exceptions.PhoenixMigrationError: ',
    '',
    '⚠️⚠️ Phoenix failed to migrate the database to the latest version. ⚠️⚠️',
    'https://alembic.sqlalchemy.org/en/latest/tutorial.html',
    '',
  ];
  const ways = ['    docker logs --tail 50 phoenix-dev   # its log', '    npm run up -- --stack dev   # when that is fixed'];

  test('when the container has ended', async () => {
    expect(await failure({ looks: [is('running', 'starting'), is('exited', 'unhealthy', { ExitCode: 3 })], lines: [[], crash] })).toBe([
      'Phoenix does not start: container phoenix-dev has exited with 3.',
      "    | alembic.util.exc.CommandError: Can't locate revision identified by 'feedfacefeed'",
      ...ways,
    ].join('\n'));
  });

  test('with its last lines where there is no exception', async () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
    expect(await failure({ looks: [is('dead', 'unhealthy', { ExitCode: 1 })], lines: [lines] })).toBe([
      'Phoenix does not start: container phoenix-dev has exited with 1.', ...lines.slice(-8).map((line) => `    | ${line}`), ...ways,
    ].join('\n'));
  });

  test('when it ends again and again, counted from the beginning of this wait', async () => {
    // Docker forgets how it ended as soon as it runs again.
    const runs = (RestartCount: number): Inspected => is('running', 'starting', { RestartCount });
    const restarts = (RestartCount: number): Inspected => is('restarting', 'unhealthy', { RestartCount, ExitCode: 137, OOMKilled: true });
    const { kind, asked } = over({ looks: [runs(7), restarts(8), runs(8), runs(9)], lines: [[], [], [], new Error('gone')] });
    await expect(kind.create(inputs)).rejects.toThrow(/^Phoenix does not start: container phoenix-dev keeps exiting with 137, because it ran out of memory \(phoenix:memory\)\.\n {4}docker logs/);
    expect(asked.at(-1)).toBe('log since 0, the last 80');
  });

  test('when nobody has seen how it ended', async () => {
    expect(await failure({ looks: [is('running', 'starting'), is('running', 'starting', { RestartCount: 2 })] })).toMatch(/^Phoenix does not start: container phoenix-dev keeps exiting\.\n/);
  });

  test('when it is gone', async () => {
    expect(await failure({ looks: [is('running', 'starting'), undefined] })).toBe('container phoenix-dev no longer exists: it was removed while Phoenix was starting.\n    npm run up -- --stack dev');
  });

  test('when nothing moves', async () => {
    let now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => (now += 60_000));
    try {
      const { kind, said } = over({ looks: [is('running', 'starting', { StartedAt: '2026-11-29T12:52:04.917990929Z' })], lines: [migrates], pace: { silenceMs: 30 * 60_000 } });
      await expect(kind.create(inputs)).rejects.toThrow(
        /^Phoenix has logged nothing for 30 min and is not ready: it migrates its database, 0 steps done, now CREATE INDEX ix_traces_start_time\. Its container phoenix-dev keeps running\.\n {4}docker logs -f --tail 20 phoenix-dev {3}# .*\n {4}npm run up -- --stack dev {3}# wait for it again$/,
      );
      expect(said.at(-1)).toMatch(/^Phoenix is starting, \d{2,} min so far: /);
    } finally {
      clock.mockRestore();
    }
  });

  test('when it is interrupted; nothing is asked any more', async () => {
    const stop = new AbortController();
    const { kind, asked } = over({ looks: [is('running', 'starting')], pace: { lookMs: 1_000_000 }, signal: stop.signal });
    const made = kind.create(inputs);
    await new Promise(setImmediate);
    stop.abort();
    await expect(made).rejects.toThrow('the wait for Phoenix was interrupted; its container phoenix-dev continues to start.\n    npm run up -- --stack dev   # wait for it again');
    expect(asked).toEqual(['look at the-id', 'log since 0']);
  });

  test('when the engine answers no more; a minute without an answer is none too many', async () => {
    const away = new Error('connect ENOENT /docker.sock');
    await wait({ looks: [...Array<Error>(60).fill(away), is('running', 'healthy')] });
    expect(await failure({ looks: [...Array<Error>(61).fill(away), is('running', 'healthy')] })).toBe('connect ENOENT /docker.sock');
  });
});

describe('a container that would be replaced', () => {
  const planned = { ...inputs, server: unknown };
  const refused = async (scene: Scene): Promise<unknown> => over(scene).kind.planned?.(planned);

  test('is not, while it migrates', async () => {
    const now = is('running', 'unhealthy', { StartedAt: '2026-11-29T12:52:04.917990929Z' });
    const { kind, asked } = over({ looks: [now], lines: [migrates] });
    expect(await kind.planned?.(planned)).toEqual([{
      key: 'container phoenix-dev',
      rule: 'Phoenix is migrating its database (since 2026-11-29T12:52:04Z), and this deployment would replace it; an interrupted migration may leave a database that no Phoenix opens',
      mend: ['docker logs -f --tail 5 phoenix-dev   # until it says "Migrations completed"', 'npm run up -- --stack dev'],
    }]);
    expect(asked).toEqual(['look at phoenix-dev', 'log since 1795956724.917']);
  });

  test.each<[string, Scene]>([
    ['there is none yet', { looks: [undefined] }],
    ['it is healthy', { looks: [is('running', 'healthy')], lines: [migrates] }],
    ['nobody checks its health', { looks: [is('running')], lines: [migrates] }],
    ['it restarts over and over', { looks: [is('restarting', 'unhealthy')], lines: [migrates] }],
    ['it has migrated, and is not well for another reason', { looks: [is('running', 'unhealthy')], lines: [[...migrates, '✅ Migrations completed in 1.158 seconds.']] }],
    ['it has said nothing of it', { looks: [is('running', 'starting')], lines: [['a warning']] }],
    ['the engine does not answer', { looks: [new Error('no route')] }],
    ['its log cannot be read', { looks: [is('running', 'starting')], lines: [new Error('no answer')] }],
  ])('is, as ever: %s', async (_, scene) => {
    expect(await refused(scene)).toEqual([]);
  });
});

test('through the engine: by its ID, and one that is not there is none', async () => {
  const { engine, requests } = await fakeEngine({ '/containers/the-id/json': is('running', 'healthy'), '/containers/broken/json': { status: 500, body: '{"message":"layer does not exist"}' } });
  const kind = phoenixReady();
  expect(await kind.create({ ...inputs, engine })).toEqual({ ...inputs, engine });
  expect(requests.map(({ url }) => url)).toEqual(['/containers/the-id/json']);
  await expect(kind.create({ ...inputs, engine, server: 'gone' })).rejects.toThrow('container phoenix-dev no longer exists');
});
