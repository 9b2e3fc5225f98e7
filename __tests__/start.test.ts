/** What the start of the program loads, in a process of its own with Pulumi's own ts-node. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as yaml from 'js-yaml';
import * as ts from 'typescript';

const root = path.join(__dirname, '..');
const read = (name: string): string => fs.readFileSync(path.join(root, name), 'utf8');

/** As Pulumi reads them: without what they extend. */
function compilerOptions(): { file: string; options: Record<string, unknown> } {
  const { runtime } = yaml.load(read('Pulumi.yaml')) as { runtime: { options: { tsconfig: string } } };
  const file = runtime.options.tsconfig;
  return { file, options: (ts.parseConfigFileTextToJson(file, read(file)).config as { compilerOptions: Record<string, unknown> }).compilerOptions };
}

/**
 * Runs the program with these settings to its end, which without an engine is never a deployment.
 * @returns names of the packages that are loaded
 */
function packages(config: Readonly<Record<string, string>> = {}): string[] {
  const { file, options } = compilerOptions();
  const script = `
    require('@pulumi/pulumi/vendor/ts-node@7.0.1').register({ project: '${file}', transpileOnly: true, compilerOptions: ${JSON.stringify(options)} });
    require('./index.ts')().then(() => {
      const names = Object.keys(require.cache).map((file) => /.*node_modules[/]((?:@[^/]+[/])?[^/]+)/.exec(file)?.[1]);
      console.log(JSON.stringify([...new Set(names)].filter(Boolean)));
      process.exit();
    }, ({ message }) => process.stderr.write(message));`;
  const settings = { 'docker:disableDockerDaemonCheck': 'true', ...config };
  const env = { PATH: process.env['PATH'], PULUMI_NODEJS_PROJECT: 'llm-observability', PULUMI_NODEJS_STACK: 'dev', PULUMI_NODEJS_DRY_RUN: 'true', PULUMI_CONFIG: JSON.stringify(settings), CLOUDFLARE_API_TOKEN: 'x'.repeat(40) };
  const { stdout, stderr } = spawnSync('node', ['-e', script], { cwd: root, env, encoding: 'utf8' });
  return JSON.parse(stdout || JSON.stringify(stderr)) as string[];
}

/** Of tests and of tools, and of a provider that only some stacks have. */
const unused = ['esbuild', 'diff', '@pulumi/cloudflare', '@grafana/grafana-foundation-sdk'];

test('types are not checked', () => {
  expect(compilerOptions().options['noCheck']).toBe(true);
});

test('Pulumi, which does not read what the options extend, finds the options of the program', () => {
  const { file, options } = compilerOptions();
  const parsed = (name: string): Record<string, unknown> => ts.getParsedCommandLineOfConfigFile(path.join(root, name), {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: ({ messageText }) => { throw new Error(String(messageText)); } })?.options ?? {};
  const [checked, own] = [parsed('tsconfig.json'), parsed(file)];
  for (const name of ['target', 'module', 'moduleResolution']) {
    expect([name, own[name], name in options]).toEqual([name, checked[name], true]);
  }
});

describe('packages', () => {
  test('that are not used are not loaded', () => {
    const loaded = packages();
    expect(loaded).toEqual(expect.arrayContaining(['@pulumi/pulumi', '@pulumi/docker', 'mustache']));
    expect(loaded.filter((name) => unused.includes(name))).toEqual([]);
  });

  test('that read settings load nothing of Pulumi: every command reads them', () => {
    const script = "require('./settings/settings'); console.log(JSON.stringify(Object.keys(require.cache)))";
    const { stdout, stderr } = spawnSync('node', ['--import', 'tsx', '-e', script], { cwd: root, encoding: 'utf8' });
    const loaded = JSON.parse(stdout || JSON.stringify([stderr])) as string[];
    expect(loaded).toContain(path.join(root, 'settings', 'settings.ts'));
    expect(loaded.filter((file) => file.includes('@pulumi'))).toEqual([]);
  });

  test('a stack with a tunnel loads its provider', () => {
    const published = { 'tunnel:hostname': 'phoenix.example.com', 'cloudflare:accountId': '0'.repeat(32), 'phoenix:auth': 'true' };
    expect(packages(published)).toContain('@pulumi/cloudflare');
  });
});
