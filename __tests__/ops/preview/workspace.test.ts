import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as yaml from 'js-yaml';
import { unknownSecret } from '../../../settings/setting';
import { keys } from '../../../settings/keys';
import { projectDir } from '../../../ops/support/backend';
import { isSecure, settingsOf, Workspace } from '../../../ops/support/preview/workspace';
import type { Toolchain } from '../../../ops/support/toolchain';
import { fakePulumi, type FakePulumi } from '../../support/fake-pulumi';
import type * as temp from '../../support/temp';

// Settings of this checkout are no test's to touch.
jest.mock('../../../ops/support/backend', () => {
  const dir = jest.requireActual<typeof temp>('../../support/temp').tempDir();
  jest.requireActual<typeof fs>('node:fs').copyFileSync('Pulumi.yaml', `${dir}/Pulumi.yaml`);
  return { projectDir: dir, backendEnvironment: () => ({}) };
});

const secure = { secure: 'v1:0123:abcd' };
const stackFile = (stack: string): string => path.join(projectDir, `Pulumi.${stack}.yaml`);
const inProject = (): string[] => fs.readdirSync(projectDir).sort();

let workspace: Workspace;
beforeEach(() => {
  inProject().filter((file) => file !== 'Pulumi.yaml').forEach((file) => fs.rmSync(path.join(projectDir, file)));
  workspace = Workspace.make();
});
afterEach(() => workspace.remove());

const tools = ({ file }: FakePulumi, env: Record<string, string> = {}): Toolchain => ({ pulumi: file, env });
const written = (file: string): unknown => yaml.load(fs.readFileSync(path.join(workspace.dir, file), 'utf8'));

describe('settings of a stack', () => {
  test('as its file has them', () => {
    fs.writeFileSync(stackFile('dev'), 'encryptionsalt: v1:0123\nconfig:\n  phoenix:auth: true\n  phoenix:secret:\n    secure: v1:0123:abcd\n');
    expect(settingsOf('dev')).toEqual({ encryptionsalt: 'v1:0123', config: { 'phoenix:auth': true, 'phoenix:secret': secure } });
  });

  test.each([['no file', undefined], ['an empty one', ''], ['one with a remark', '# Nothing yet.\n']])('%s is none', (_, content) => {
    if (content !== undefined) {
      fs.writeFileSync(stackFile('dev'), content);
    }
    expect(settingsOf('dev')).toEqual({});
  });

  test.each([
    ['config:\n  a: b: c\n', /^Pulumi\.dev\.yaml cannot be read: bad indentation of a mapping entry .*\.\n {4}git diff Pulumi\.dev\.yaml$/],
    ['- a\n', /^Pulumi\.dev\.yaml cannot be read: it has no settings by name\.\n {4}git diff/],
    ...['config: [a]\n', 'config:\n- phoenix:auth: true\n', 'config: phoenix:auth\n', 'config: 5\n'].map((content): [string, RegExp] => [content, /^Pulumi\.dev\.yaml cannot be read: it has no settings by name\.\n {4}git diff/]),
    ['config\n', /^Pulumi\.dev\.yaml cannot be read: it has no settings by name\.\n {4}git diff/],
  ])('%j is refused, in two lines', (content, message) => {
    fs.writeFileSync(stackFile('dev'), content);
    expect(() => settingsOf('dev')).toThrow(message);
  });

  test.each([[secure, true], ['v1:0123', false], [true, false], [null, false], [{ a: 'b' }, false]])('%j is encrypted: %s', (value, expected) => {
    expect(isSecure(value)).toBe(expected);
  });
});

describe('the folder', () => {
  test('has a project whose program and provider are those of the checkout', () => {
    const [own, here] = [yaml.load(fs.readFileSync('Pulumi.yaml', 'utf8')), written('Pulumi.yaml')] as { plugins: { providers: { path: string }[] } }[];
    expect(own?.plugins.providers.map(({ path: provider }) => path.isAbsolute(provider))).toEqual([false]);
    expect(here).toEqual({
      ...own,
      main: projectDir,
      plugins: { providers: own?.plugins.providers.map((provider) => ({ ...provider, path: path.join(projectDir, provider.path) })) },
    });
  });

  test.each(['"provider"', "'provider'"])('the path of the provider may be written %s', (written) => {
    const file = path.join(projectDir, 'Pulumi.yaml');
    const before = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, before.replace(/path: provider$/m, `path: ${written}`));
    const other = Workspace.make();
    fs.writeFileSync(file, before);
    expect(yaml.load(fs.readFileSync(path.join(other.dir, 'Pulumi.yaml'), 'utf8'))).toMatchObject({ plugins: { providers: [{ path: path.join(projectDir, 'provider') }] } });
    other.remove();
  });

  test('is one of its own each time, and gone with all that is in it', () => {
    const other = Workspace.make();
    expect(other.dir).not.toBe(workspace.dir);
    expect(path.dirname(other.dir)).toBe(os.tmpdir());
    fs.mkdirSync(path.join(other.dir, 'state', 'inner'), { recursive: true });
    other.remove();
    other.remove();
    expect([fs.existsSync(other.dir), fs.existsSync(workspace.dir)]).toEqual([false, true]);
  });
});

test('a stack of the backend: with these settings, from this folder, and nothing in the checkout is another', async () => {
  const content = 'config:\n  phoenix:uiPort:   6006 # mine\n';
  fs.writeFileSync(stackFile('dev'), content);
  const cli = fakePulumi({ preview: { first: 'pwd; cat Pulumi.dev.yaml; echo more >> Pulumi.dev.yaml' } });
  const settings = { encryptionsalt: 'v1:0123', config: { 'phoenix:uiPort': 7006, 'phoenix:secret': secure, 'phoenix:memory': 'x'.repeat(200) } };
  const { stdout } = await workspace.stack(tools(cli), 'dev', settings).run(['preview']);
  const [dir = '', ...file] = stdout.split('\n');
  expect(fs.realpathSync(dir)).toBe(fs.realpathSync(workspace.dir));
  expect(yaml.load(file.join('\n'))).toEqual(settings);
  expect([fs.readFileSync(stackFile('dev'), 'utf8'), inProject()]).toEqual([content, ['Pulumi.dev.yaml', 'Pulumi.yaml']]);
});

describe('a stack of which nothing is known', () => {
  const show = 'echo "$PULUMI_BACKEND_URL $PULUMI_CONFIG_PASSPHRASE_FILE."; echo $PULUMI_CONFIG_PASSPHRASE';
  const cli = (): FakePulumi => fakePulumi({ 'stack init': {}, 'config set-all': {}, 'stack import': {}, preview: { first: show } });
  const remote = { otlp: { alloy: 'https://otlp.example.com', phoenix: null }, auth: true, tokens: { edge: { expiresAt: '2999-12-31T00:00:00Z' }, lab: { expiresAt: '2027-01-01T00:00:00Z' } } };

  test('has a state of its own, with a passphrase that is another each time', async () => {
    const [own, env] = [cli(), { PULUMI_BACKEND_URL: 'https://api.example.com', PULUMI_CONFIG_PASSPHRASE_FILE: '/etc/passphrase' }];
    const { stdout } = await (await workspace.unknownStack(tools(own, env), 'dev', {}, undefined)).run(['preview']);
    const other = Workspace.make();
    const { stdout: again } = await (await other.unknownStack(tools(own, env), 'dev', {}, undefined)).run(['preview']).finally(() => other.remove());
    const [[where, passphrase], [, another]] = [stdout.split('\n'), again.split('\n')];
    expect(where).toBe(`file://${workspace.dir}/state .`);
    expect([passphrase, another]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), expect.stringMatching(/^[0-9a-f]{32}$/)]);
    expect(passphrase).not.toBe(another);
    expect(own.calls().slice(0, 2)).toEqual([['stack', 'init', '--no-select', '--stack', 'dev'], ['preview', '--stack', 'dev']]);
    expect(fs.existsSync(path.join(workspace.dir, 'state'))).toBe(true);
  });

  test('keeps its plain settings; a word that is none stands for each secret, in one run of the CLI', async () => {
    const own = cli();
    const file = { encryptionsalt: 'v1:0123', secretsprovider: 'awskms://key', config: { 'phoenix:auth': true, 'phoenix:secret': secure, 'cloudflare:apiToken': secure, 'tunnel:hostname': null } };
    await workspace.unknownStack(tools(own), 'dev', file, undefined);
    expect(written('Pulumi.dev.yaml')).toEqual({ config: { 'phoenix:auth': true, 'tunnel:hostname': null } });
    expect(own.calls()).toEqual([
      ['stack', 'init', '--no-select', '--stack', 'dev'],
      ['config', 'set-all', '--secret', `phoenix:secret=${unknownSecret}`, '--secret', `cloudflare:apiToken=${unknownSecret}`, '--stack', 'dev'],
    ]);
  });

  test('without the secrets of the engine, for which no word stands', async () => {
    const own = cli();
    await workspace.unknownStack(tools(own), 'dev', { config: { 'docker:host': 'tcp://192.0.2.1:2376', 'docker:registryAuth': secure } }, undefined);
    expect(written('Pulumi.dev.yaml')).toEqual({ config: { 'docker:host': 'tcp://192.0.2.1:2376' } });
    expect(own.calls()).toEqual([['stack', 'init', '--no-select', '--stack', 'dev']]);
  });

  test('at the edge, beside one that stands in for the central stack, with what is known of it and no access', async () => {
    const own = cli();
    await workspace.unknownStack(tools(own), 'edge', { config: { 'edge:central': 'acme/llm-observability/prod', 'edge:sendTo': 'alloy' } }, remote);
    expect(written('Pulumi.edge.yaml')).toEqual({ config: { 'edge:central': 'prod', 'edge:sendTo': 'alloy' } });
    expect(own.calls()).toEqual([
      ['stack', 'init', '--no-select', '--stack', 'edge'],
      ['stack', 'init', '--no-select', '--stack', 'prod'],
      ['stack', 'import', '--file', path.join(workspace.dir, 'prod.json'), '--stack', 'prod'],
    ]);
    const access = { clientId: unknownSecret, clientSecret: unknownSecret, apiKey: unknownSecret };
    expect(written('prod.json')).toMatchObject({
      version: 3,
      deployment: { resources: [{
        urn: 'urn:pulumi:prod::llm-observability::pulumi:pulumi:Stack::llm-observability-prod',
        outputs: { remote, remoteAccess: { edge: access, lab: access } },
      }] },
    });
  });

  test('at the edge of one that tells nothing: the program says so', async () => {
    const own = cli();
    await workspace.unknownStack(tools(own), 'edge', { config: { 'edge:central': 'acme/llm-observability/prod' } }, undefined);
    expect(written('Pulumi.edge.yaml')).toEqual({ config: { 'edge:central': 'acme/llm-observability/prod' } });
    expect(own.calls()).toEqual([['stack', 'init', '--no-select', '--stack', 'edge']]);
  });

  test.each([
    ['stack init', 'creating the stack'],
    ['config set-all', 'generating placeholders for secrets'],
    ['stack import', 'generating placeholders for the stack prod'],
  ])('a CLI that fails at %s', async (begin, doing) => {
    const own = fakePulumi({ 'stack init': {}, 'config set-all': {}, 'stack import': {}, [begin]: { stderr: 'error: no space left\n', code: 255 } });
    await expect(workspace.unknownStack(tools(own), 'edge', { config: { 'edge:central': 'prod', 'cloudflare:apiToken': secure } }, remote)).rejects.toThrow(`${doing.slice(1)} failed: no space left`);
  });
});

test.each(Object.entries(keys).filter(([name, key]) => 'secret' in key && !name.startsWith('docker:')))('the word that stands for a secret fits the rule of %s', (_, { parse }) => {
  // What has a form of its own is then not there, or stands for one.
  const parsed = parse(unknownSecret);
  expect([unknownSecret, undefined, true]).toContainEqual(typeof parsed === 'object' && parsed !== null && 'unknown' in parsed ? parsed.unknown : parsed);
});
