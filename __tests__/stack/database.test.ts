import { databaseLabel, stackLabel } from '../../components/names';
import { databaseOf } from '../../stack/database';
import { readSettings } from '../../settings/settings';
import { unknownSecret } from '../../settings/setting';
import { container, type Answer } from '../support/fake-engine';
import { inspect, own } from '../support/inspect-host';

// What runs on the machine of the test must not matter.
jest.mock('../../engine/host-ports', () => ({ ...jest.requireActual<object>('../../engine/host-ports'), isHeld: () => Promise.resolve(false) }));

const url = 'postgresql://writer:hunter2@db.example.com/phoenix';
const name = 'db.example.com:5432/phoenix';

test('Phoenix is told its address with every sign encoded, and what it may do without', () => {
  const { settings } = readSettings({ 'phoenix:database': 'postgres://a%40b:p%C3%A4%2F%25@DB.example.com/phoenix?ssl=require', 'phoenix:databaseLeft': 'sqlite' }, 'llm-observability', () => true);
  expect(databaseOf(settings)).toEqual({ name, url: 'postgresql://a%40b:p%C3%A4%2F%25@db.example.com:5432/phoenix?sslmode=require', certificate: undefined, leavesSpans: true });
  expect(databaseOf(readSettings({}, 'llm-observability').settings)).toBeUndefined();
});

/** A Phoenix of this stack, or of a different one. */
const runs = (database: string | undefined, { labels = own, State = 'running', of = 'phoenix-dev' } = {}): Record<string, Answer> => ({
  '/containers/json': [{ ...container(of, 7777, { ...labels, ...(database === undefined ? {} : { [databaseLabel]: database }) }), State }],
});

describe('a change of database', () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ['from SQLite', { 'phoenix:database': url }, undefined],
    ['back to SQLite', {}, name],
    ['from another PostgreSQL', { 'phoenix:database': url }, 'old.example.com:5432/phoenix'],
    ['to which something else has been said', { 'phoenix:database': url, 'phoenix:databaseLeft': name }, undefined],
  ])('%s is refused, with the word that allows it', async (_, config, was) => {
    const { problems } = await inspect(config, runs(was));
    expect(problems).toMatchObject([{ key: 'phoenix:database', rule: expect.stringContaining(was ?? 'phoenix-dev-data'), mend: [expect.stringContaining('phoenix:database '), expect.stringContaining(`pulumi config set phoenix:databaseLeft ${was ?? 'sqlite'} `)] }]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
    // A stopped one has its traces as well.
    expect((await inspect(config, runs(was, { State: 'exited' }))).problems).toHaveLength(1);
  });

  test.each<[string, Record<string, string>, Record<string, Answer>]>([
    ['none', { 'phoenix:database': url }, runs(name)],
    ['the same, otherwise logged in', { 'phoenix:database': `${url.replace('hunter2', 'other')}?sslmode=require` }, runs(name)],
    ['a stack that is new', { 'phoenix:database': url }, {}],
    ['SQLite as before', {}, runs(undefined)],
    ['what is left is named', { 'phoenix:database': url, 'phoenix:databaseLeft': 'sqlite' }, runs(undefined)],
    ['back, and named', { 'phoenix:databaseLeft': name }, runs(name)],
    ['a preview that does not know the setting', { 'phoenix:database': unknownSecret }, runs(name)],
  ])('nothing is refused: %s', async (_, config, answers) => expect((await inspect(config, answers)).problems).toEqual([]));
});

test('a database is for one stack', async () => {
  const other = { labels: { [stackLabel]: 'llm-observability/prod' }, of: 'phoenix-prod' };
  expect((await inspect({ 'phoenix:database': url }, runs(name, other))).problems).toMatchObject([{ key: 'phoenix:database', rule: expect.stringContaining('phoenix-prod'), mend: [expect.stringContaining('createdb'), 'pulumi config set --secret phoenix:database'] }]);
  expect((await inspect({}, runs(name, other))).problems).toEqual([]);
  expect((await inspect({ 'phoenix:database': `${url}2` }, runs(name, other))).problems).toEqual([]);
});
