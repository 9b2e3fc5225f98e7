import { keepsLogs, victorialogsKeys } from '../../settings/victorialogs';
import { readSettings } from '../../settings/settings';

const read = (config: Readonly<Record<string, string>>): ReturnType<typeof readSettings> => readSettings(config, 'llm-observability');

test('all of them, set', () => {
  const { settings, problems } = read({
    'victorialogs:enabled': 'true', 'victorialogs:port': '19428', 'victorialogs:retentionDays': '7', 'victorialogs:storage': '1GiB', 'victorialogs:memory': '256MiB', 'victorialogs:image': 'mirror.example/victoria-logs:v1.53.0',
  });
  expect(problems).toEqual([]);
  expect(Object.fromEntries(Object.keys(victorialogsKeys).map((key) => [key, settings[key as keyof typeof settings]]))).toEqual({
    'victorialogs:enabled': true, 'victorialogs:port': 19428, 'victorialogs:retentionDays': 7, 'victorialogs:storage': 1024, 'victorialogs:memory': 256, 'victorialogs:image': 'mirror.example/victoria-logs:v1.53.0',
  });
});

test.each([[{}, false], [{ 'victorialogs:enabled': 'true' }, true], [{ 'loki:url': 'http://logs:3100' }, true]])('%j keeps logs: %s', (config, kept) => {
  expect(keepsLogs(read(config as Record<string, string>).settings)).toBe(kept);
});

test.each<[Readonly<Record<string, string>>, string, RegExp, string]>([
  [{ 'victorialogs:enabled': 'true', 'loki:url': 'http://logs:3100' }, 'victorialogs:enabled', /loki:url/, 'pulumi config rm victorialogs:enabled'],
  [{ 'victorialogs:enabled': 'true', 'loki:url': 'no address' }, 'victorialogs:enabled', /loki:url/, 'pulumi config rm victorialogs:enabled'],
  [{ 'victorialogs:enabled': 'true', 'victorialogs:port': '6006' }, 'victorialogs:port', /phoenix:uiPort/, 'pulumi config set victorialogs:port'],
  [{ 'victorialogs:retentionDays': '0' }, 'victorialogs:retentionDays', /at least 1/, 'pulumi config rm victorialogs:retentionDays'],
  [{ 'victorialogs:retentionDays': '40000' }, 'victorialogs:retentionDays', /at most 36500/, 'pulumi config rm victorialogs:retentionDays'],
  [{ 'victorialogs:storage': '100MiB' }, 'victorialogs:storage', /512MiB/, 'pulumi config set victorialogs:storage 512MiB'],
  [{ 'victorialogs:memory': '64MiB' }, 'victorialogs:memory', /256MiB/, 'pulumi config set victorialogs:memory 256MiB'],
  [{ 'victorialogs:image': 'victoriametrics/victoria-logs:latest' }, 'victorialogs:image', /version/, 'pulumi config rm victorialogs:image'],
  [{ 'victorialogs:image': 'victoriametrics/victoria-logs:v1.50.0' }, 'victorialogs:image', /older/, 'pulumi config rm victorialogs:image'],
  [{ 'victorialogs:image': 'victoriametrics/victoria-logs:v1.53.0-enterprise' }, 'victorialogs:image', /license/, 'pulumi config rm victorialogs:image'],
])('%j is refused', (config, key, rule, command) => {
  const found = read(config).problems.find((problem) => problem.key === key);
  expect(found?.rule).toMatch(rule);
  expect(found?.mend.join('\n')).toContain(command);
});

test('a log store that is off claims no port', () => {
  expect(read({ 'victorialogs:port': '6006' }).problems).toEqual([]);
});
