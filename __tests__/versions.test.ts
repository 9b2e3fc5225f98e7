import * as fs from 'node:fs';
import * as path from 'node:path';
import * as yaml from 'js-yaml';
import { pulumiVersion } from '../components/catalog';
import { compareVersions } from '../components/image-reference';
import { cloudflare, docker, random } from '../lab/providers';
import { providers, providerVersion } from '../ops/support/plugins';

const { dependencies, scripts } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as Record<'dependencies' | 'scripts', Record<string, string>>;
const readme = fs.readFileSync('README.md', 'utf8');

test('the pinned CLI is as new as the SDK, and not older than the oldest supported', () => {
  expect(compareVersions(pulumiVersion.pinned, dependencies['@pulumi/pulumi'] ?? '')).toBeGreaterThanOrEqual(0);
  expect(compareVersions(pulumiVersion.pinned, pulumiVersion.oldest)).toBeGreaterThanOrEqual(0);
});

test.each([
  ['docker', docker().version],
  ['random', random.version],
  ['cloudflare', cloudflare().version],
])('the stand-in for %s is of the version of its SDK', (name, version) => {
  expect(version).toBe(dependencies[`@pulumi/${name}`]);
});

test.each(providers)('and so is the published plugin of %s', (name) => {
  expect(providerVersion(name)).toBe(dependencies[`@pulumi/${name}`]);
});

test('the provider of Pulumi.yaml is an executable in its folder, and answers to the types of the program', () => {
  const { plugins } = yaml.load(fs.readFileSync('Pulumi.yaml', 'utf8')) as { plugins: { providers: { name: string; path: string }[] } };
  expect(plugins.providers).toHaveLength(1);
  const [{ name, path: folder }] = plugins.providers as [{ name: string; path: string }];
  expect(fs.statSync(path.join(folder, `pulumi-resource-${name}`)).mode & 0o111).toBe(0o111);
  const types = (file: string): string[] => [...fs.readFileSync(file, 'utf8').matchAll(/'(\w+:index:\w+)'/g)].map(([, type = '']) => type).sort();
  expect(types('components/observability-resources.ts')).toEqual(['ApiKey', 'ApiKeyList', 'CloudflareAccount', 'DeliveryCheck', 'EngineCheck', 'Intake', 'PhoenixReady', 'PhoenixSettings'].map((type) => `${name}:index:${type}`));
  expect(types(path.join(folder, 'main.ts'))).toEqual(types('components/observability-resources.ts'));
});

test('every version of package.json is exact', () => {
  expect(Object.entries(dependencies).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

test('every command that the README names is there, and every one of ops/ is in the README', () => {
  const named = new Set([...readme.matchAll(/npm (?:run ([a-z][\w:-]*)|(test)\b)/g)].map(([, script, test]) => script ?? test ?? ''));
  expect([...named].filter((name) => !(name in scripts))).toEqual([]);
  // Parts of the tests.
  const commands = Object.keys(scripts).filter((name) => !['lint', 'typecheck'].includes(name));
  expect(commands.filter((name) => !named.has(name))).toEqual([]);
});

test('every command has its file, or is a suite of the entry', () => {
  const suites = ['test', 'e2e', 'lint', 'typecheck'];
  const entry = fs.readFileSync('ops/run.mjs', 'utf8');
  for (const [name, script] of Object.entries(scripts)) {
    // What a supervisor sends to npm, npm sends to its shell: without `exec` it would end there.
    expect(script).toBe(`exec node ops/run.mjs ${name}`);
    if (suites.includes(name)) {
      expect(entry).toContain(`\n  ${name}: (args) => [`);
    } else {
      expect(fs.existsSync(`ops/${name}.ts`)).toBe(true);
    }
  }
});
