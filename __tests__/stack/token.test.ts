import { listed } from '../../settings/problem';
import { readSettings } from '../../settings/settings';
import type { Settings } from '../../settings/keys';
import { tokenFindings, tokenOn } from '../../stack/token';

const bridge = ['172.17.0.1'];
const settingsOf = (config: Readonly<Record<string, string>>): Settings => readSettings(config, 'llm-observability').settings;
const find = (config: Readonly<Record<string, string>>): { problems: string[]; warnings: readonly string[] } => {
  const { problems, warnings } = tokenFindings(settingsOf(config), bridge, new Set());
  return { problems: problems.map(listed), warnings };
};

test.each([
  ['192.0.2.7', '192.0.2.7'], ['127.0.0.1,192.0.2.7,2001:db8::7', '192.0.2.7, 2001:db8::7'], ['0.0.0.0', '0.0.0.0'], ['::', '::'], ['172.17.0.1,172.18.0.1', '172.18.0.1'],
])('on %s it has to be set', (bind, where) => {
  expect(find({ 'alloy:bind': bind })).toEqual({
    problems: [[
      `  - alloy:auth: alloy:bind publishes beyond this machine, on ${where}, and without a token anyone who reaches it can send.`,
      '      pulumi config set alloy:auth true   # senders on other machines need the token, which the output otlpToken has',
      '      pulumi config set alloy:auth false   # without a token',
    ].join('\n')],
    warnings: [],
  });
  expect(find({ 'alloy:bind': bind, 'alloy:auth': 'true' })).toEqual({ problems: [], warnings: [] });
  expect(find({ 'alloy:bind': bind, 'alloy:auth': 'false' })).toEqual({
    problems: [], warnings: [`alloy:bind publishes beyond this machine, on ${where}, and without a token anyone who reaches it can send (alloy:auth)`],
  });
  expect(tokenOn(settingsOf({ 'alloy:bind': bind, 'alloy:auth': 'true' }), bridge)).toEqual(where.split(', '));
  expect(tokenOn(settingsOf({ 'alloy:bind': bind, 'alloy:auth': 'false' }), bridge)).toEqual([]);
});

test.each<Record<string, string>>([{}, { 'alloy:bind': 'auto' }, { 'alloy:bind': '127.0.0.1,::1,172.17.0.1' }, { 'phoenix:auth': 'true', 'phoenix:bind': '192.0.2.7' }])('nobody asks for it with %j, where it does nothing', (config) => {
  expect(find(config)).toEqual({ problems: [], warnings: [] });
  expect(find({ ...config, 'alloy:auth': 'true' })).toEqual({ problems: [], warnings: ['alloy:auth does nothing: Alloy is not published beyond this machine (alloy:bind)'] });
  expect(tokenOn(settingsOf({ ...config, 'alloy:auth': 'true' }), bridge)).toEqual([]);
});

test('one that is set to something else has a problem of its own', () => {
  expect(tokenFindings(settingsOf({ 'alloy:bind': '192.0.2.7', 'alloy:auth': 'maybe' }), bridge, new Set(['alloy:auth']))).toEqual({ problems: [], warnings: [] });
});
