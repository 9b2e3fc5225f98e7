import * as fs from 'node:fs';
import { keepsMetrics, prometheusKeys } from '../../settings/prometheus';
import { readSettings } from '../../settings/settings';
import { codeOf } from '../support/docs-lines';

const read = (config: Readonly<Record<string, string>>): ReturnType<typeof readSettings> => readSettings(config, 'llm-observability');
const rules = 'groups:\n  - name: own\n    rules: []';

test('all of them, set', () => {
  const { settings, problems } = read({
    'prometheus:enabled': 'true', 'prometheus:port': '19090', 'prometheus:retentionDays': '7', 'prometheus:storage': '1GiB', 'prometheus:memory': '256MiB', 'prometheus:rules': rules, 'prometheus:image': 'mirror.example/prometheus:v3.15.0',
  });
  expect(problems).toEqual([]);
  expect(Object.fromEntries(Object.keys(prometheusKeys).map((key) => [key, settings[key as keyof typeof settings]]))).toEqual({
    'prometheus:enabled': true, 'prometheus:port': 19090, 'prometheus:retentionDays': 7, 'prometheus:storage': 1024, 'prometheus:memory': 256, 'prometheus:rules': rules, 'prometheus:image': 'mirror.example/prometheus:v3.15.0',
  });
});

test.each([[{}, false], [{ 'prometheus:enabled': 'true' }, true], [{ 'prometheus:url': 'http://metrics:9090' }, true]])('%j keeps metrics: %s', (config, kept) => {
  expect(keepsMetrics(read(config as Record<string, string>).settings)).toBe(kept);
});

test.each<[Readonly<Record<string, string>>, string, RegExp, string]>([
  [{ 'prometheus:enabled': 'true', 'prometheus:url': 'http://metrics:9090' }, 'prometheus:enabled', /prometheus:url/, 'pulumi config rm prometheus:enabled'],
  [{ 'prometheus:enabled': 'true', 'prometheus:url': 'no address' }, 'prometheus:enabled', /prometheus:url/, 'pulumi config rm prometheus:enabled'],
  [{ 'prometheus:rules': rules }, 'prometheus:rules', /prometheus:enabled/, 'pulumi config set prometheus:enabled true'],
  [{ 'prometheus:enabled': 'true', 'prometheus:rules': 'groups: [' }, 'prometheus:rules', /not YAML/, 'pulumi config set prometheus:rules < own.rules.yml'],
  [{ 'prometheus:enabled': 'true', 'prometheus:rules': 'rules: []' }, 'prometheus:rules', /groups/, 'pulumi config set prometheus:rules < own.rules.yml'],
  [{ 'prometheus:enabled': 'true', 'prometheus:rules': 'own.rules.yml' }, 'prometheus:rules', /groups/, 'pulumi config set prometheus:rules < own.rules.yml'],
  [{ 'prometheus:enabled': 'true', 'prometheus:rules': 'groups:\n  - rules: []' }, 'prometheus:rules', /group 1/, 'pulumi config set prometheus:rules < own.rules.yml'],
  [{ 'prometheus:enabled': 'true', 'prometheus:rules': 'groups:\n  - name: own' }, 'prometheus:rules', /group 1/, 'pulumi config set prometheus:rules < own.rules.yml'],
  [{ 'prometheus:enabled': 'true', 'prometheus:rules': 'groups: [text]' }, 'prometheus:rules', /group 1/, 'pulumi config set prometheus:rules < own.rules.yml'],
  [{ 'prometheus:enabled': 'true', 'prometheus:rules': 'groups:\n  - { name: own, rules: [{ record: a, expr: 1 }, { record: b, alert: B, expr: up }] }' }, 'prometheus:rules', /rule 2 of group own/, 'pulumi config set prometheus:rules < own.rules.yml'],
  [{ 'prometheus:enabled': 'true', 'prometheus:rules': 'groups:\n  - { name: own, rules: [{ alert: A, exprr: up }] }' }, 'prometheus:rules', /rule 1 of group own/, 'pulumi config set prometheus:rules < own.rules.yml'],
  [{ 'prometheus:retentionDays': '0' }, 'prometheus:retentionDays', /at least 1/, 'pulumi config rm prometheus:retentionDays'],
  [{ 'prometheus:retentionDays': '30d' }, 'prometheus:retentionDays', /at least 1/, 'pulumi config rm prometheus:retentionDays'],
  [{ 'prometheus:storage': '100MiB' }, 'prometheus:storage', /512MiB/, 'pulumi config set prometheus:storage 512MiB'],
  [{ 'prometheus:memory': '64MiB' }, 'prometheus:memory', /256MiB/, 'pulumi config set prometheus:memory 256MiB'],
  [{ 'prometheus:image': 'prom/prometheus:latest' }, 'prometheus:image', /version/, 'pulumi config rm prometheus:image'],
  [{ 'prometheus:image': 'prom/prometheus:v2.20.0' }, 'prometheus:image', /older/, 'pulumi config rm prometheus:image'],
  [{ 'prometheus:image': 'prom/prometheus:v3.14.0-distroless' }, 'prometheus:image', /chown/, 'pulumi config rm prometheus:image'],
])('%j is refused', (config, key, rule, command) => {
  const found = read(config).problems.find((problem) => problem.key === key);
  expect(found?.rule).toMatch(rule);
  expect(found?.mend.join('\n')).toContain(command);
});

test('the rules of the docs and those that Prometheus has of its own are accepted', () => {
  const files = ['templates/prometheus/pipeline.rules.yml', 'templates/prometheus/llm.rules.yml'].map((file) => fs.readFileSync(file, 'utf8'));
  for (const text of [...files, ...codeOf('docs/llm-metrics.md', 'yaml')]) {
    expect(read({ 'prometheus:enabled': 'true', 'prometheus:rules': text }).problems).toEqual([]);
  }
});

test('its port is taken only where it is deployed', () => {
  expect(read({ 'alloy:uiPort': '9090' }).problems).toEqual([]);
  expect(read({ 'alloy:uiPort': '9090', 'prometheus:enabled': 'true' }).problems).toMatchObject([{ key: 'prometheus:port', value: '9090' }]);
});
