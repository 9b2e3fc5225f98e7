import * as fs from 'node:fs';
import { hostPortKeys } from '../settings/ports';
import { keys } from '../settings/keys';
import { commands } from '../ops/commands';
import { commandsTable, portsTable, settingsTable, withTable } from '../ops/support/readme-tables';
import { updating } from './support/golden';

test('the README holds the tables of commands, settings and ports as the code has them', () => {
  const readme = fs.readFileSync('README.md', 'utf8');
  const expected = [['commands', commandsTable()], ['settings', settingsTable()], ['ports', portsTable()]].reduce((text, [name = '', table = '']) => withTable(text, name, table), readme);
  if (updating() && readme !== expected) {
    fs.writeFileSync('README.md', expected);
  }
  expect(fs.readFileSync('README.md', 'utf8')).toBe(expected);
});

/** Cells of a table's rows, pipes in them unescaped. */
const rows = (table: string): string[][] =>
  table.split('\n').slice(2).map((row) => row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim().replace(/\\\|/g, '|')));

test('one row a setting, in order, with its default and what it does', () => {
  expect(settingsTable().split('\n').slice(0, 2)).toEqual(['| Setting | Default | What it does |', '| --- | --- | --- |']);
  expect(rows(settingsTable())).toEqual(
    Object.entries(keys).map(([key, { fallback, about }]) => [`\`${key}\``, fallback ? `\`${fallback}\`` : 'none', about]),
  );
});

test('one row a port, in order, with the setting that takes it beyond loopback', () => {
  expect(portsTable().split('\n').slice(0, 2)).toEqual(['| Host port | Where | What | Setting |', '| --- | --- | --- | --- |']);
  expect(rows(portsTable()).map(([port, , , setting]) => [port, setting])).toEqual(hostPortKeys.map((key) => [`\`${keys[key].fallback}\``, `\`${key}\``]));
  expect(rows(portsTable()).map(([port, where]) => [port, where])).toEqual([
    ...['6006', '14317', '14318'].map((port) => [`\`${port}\``, 'loopback (`phoenix:bind`)']),
    ...['4317', '4318'].map((port) => [`\`${port}\``, "loopback and the gateway of Docker's bridge (`alloy:bind`)"]),
    ...['12345', '9090', '9428', '3000', '10000'].map((port) => [`\`${port}\``, 'loopback']),
  ]);
});

test('one row a command, with all of its options', () => {
  expect(rows(commandsTable()).map(([command]) => command)).toEqual(commands.map((command) => (command.name() === 'test' ? '`npm test`' : `\`npm run ${command.name()}\``)));
  commands.forEach((command, index) => command.options.forEach(({ long, short }) => expect(rows(commandsTable())[index]?.[2]).toContain(short === '-c' ? '`-c`' : `\`${long}\``)));
});

describe('withTable', () => {
  test('replaces what stands between the marks, and only that', () => {
    expect(withTable('a\n<!-- x -->\nold\n<!-- /x -->\nb\n', 'x', 'new')).toBe('a\n<!-- x -->\nnew\n<!-- /x -->\nb\n');
  });

  test('a second time changes nothing', () => {
    const once = withTable('<!-- x --><!-- /x -->', 'x', 'new');
    expect(withTable(once, 'x', 'new')).toBe(once);
  });

  test.each(['', '<!-- x -->', '<!-- /x --> <!-- x -->'])("without marks it says so: '%s'", (text) => {
    expect(() => withTable(text, 'x', 'new')).toThrow(new Error('there is no <!-- x --> … <!-- /x --> in it'));
  });
});
