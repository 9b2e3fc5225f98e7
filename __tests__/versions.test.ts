import * as fs from 'node:fs';
import * as path from 'node:path';
import * as yaml from 'js-yaml';
import { pulumiVersion } from '../components/catalog';
import { compareVersions } from '../components/values';
import { cloudflare } from '../lab/providers/cloudflare';
import { docker } from '../lab/providers/docker';
import { missingPlugins } from '../lab/providers/install';
import { random } from '../lab/providers/random';
import { tempDir } from './support/temp';

const { dependencies, scripts } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as Record<'dependencies' | 'scripts', Record<string, string>>;
const readme = fs.readFileSync('README.md', 'utf8');

test('the CLI that npm installs is the one of the catalog, and not older than the oldest supported', () => {
  expect(dependencies['pulumi']).toBe(pulumiVersion.pinned);
  expect(compareVersions(pulumiVersion.pinned, pulumiVersion.oldest)).toBeGreaterThanOrEqual(0);
});

test.each([
  ['docker', docker().version],
  ['random', random.version],
  ['cloudflare', cloudflare().version],
])('the stand-in for %s is of the version of its SDK', (name, version) => {
  expect(version).toBe(dependencies[`@pulumi/${name}`]);
});

test('and so are the published plugins that it gives way to', async () => {
  const home = tempDir();
  const publish = (name: string, version: string): void => {
    const dir = path.join(home, 'plugins', `resource-${name}-v${version}`);
    fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync(path.join(dir, `pulumi-resource-${name}`), '');
  };
  const missing = (): Promise<string[]> => missingPlugins('', { PULUMI_HOME: home, PATH: '' });
  ['docker', 'random', 'cloudflare'].forEach((name) => publish(name, '0.0.1'));
  expect(await missing()).toEqual(['docker', 'random', 'cloudflare', 'nodejs', 'pulumi-nodejs']);
  ['docker', 'random', 'cloudflare'].forEach((name) => publish(name, dependencies[`@pulumi/${name}`] ?? ''));
  expect(await missing()).toEqual(['nodejs', 'pulumi-nodejs']);
});

test('the provider of Pulumi.yaml is an executable in its folder, and answers to the types of the program', () => {
  const { plugins } = yaml.load(fs.readFileSync('Pulumi.yaml', 'utf8')) as { plugins: { providers: { name: string; path: string }[] } };
  expect(plugins.providers).toHaveLength(1);
  const [{ name, path: folder }] = plugins.providers as [{ name: string; path: string }];
  expect(fs.statSync(path.join(folder, `pulumi-resource-${name}`)).mode & 0o111).toBe(0o111);
  const types = (file: string): string[] => [...fs.readFileSync(file, 'utf8').matchAll(/'(\w+:index:\w+)'/g)].map(([, type = '']) => type).sort();
  expect(types('components/observability.ts')).toEqual(['ApiKey', 'CloudflareAccount', 'DeliveryCheck', 'Intake', 'PhoenixSettings'].map((type) => `${name}:index:${type}`));
  expect(types(path.join(folder, 'main.ts'))).toEqual(types('components/observability.ts'));
});

test('every version of package.json is exact', () => {
  expect(Object.entries(dependencies).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

test('every command that the README names is there, and every one of ops/ is in the README', () => {
  const named = new Set([...readme.matchAll(/npm (?:run ([a-z][\w:-]*)|(test)\b)/g)].map(([, script, test]) => script ?? test ?? ''));
  expect([...named].filter((name) => !(name in scripts))).toEqual([]);
  const commands = Object.entries(scripts).filter(([, script]) => script.startsWith('node ops/run.mjs ')).map(([name]) => name);
  expect(commands.filter((name) => !named.has(name))).toEqual([]);
});

test('every command has its file, or is a suite of the entry', () => {
  const suites = ['test', 'e2e'];
  const entry = fs.readFileSync('ops/run.mjs', 'utf8');
  for (const [name, script] of Object.entries(scripts)) {
    if (!script.startsWith('node ')) {
      continue;
    }
    expect(script).toBe(`node ops/run.mjs ${name}`);
    if (suites.includes(name)) {
      expect(entry).toContain(`\n  ${name}: (args) => [`);
    } else {
      expect(fs.existsSync(`ops/${name}.ts`)).toBe(true);
    }
  }
});
