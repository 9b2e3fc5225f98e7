/**
 * `npm run preview` as a person types it, in this process: with a CLI that answers from a table.
 */
import * as fs from 'node:fs';
import type * as os from 'node:os';
import * as path from 'node:path';
import * as yaml from 'js-yaml';
import { unknownSecret } from '../../settings/setting';
import { problemsVariable, report, shown, type Problem } from '../../settings/problem';
import { standsEmpty } from '../../settings/settings';
import { localState, projectDir } from '../../ops/support/backend';
import type { Page } from '../../ops/support/preview/page';
import { setEnvironment } from '../support/environment';
import { fakeEngine } from '../support/fake-engine';
import { fakePulumi, type FakePulumi, type Said } from '../support/fake-pulumi';
import { listen } from '../support/said';
import { container, creates, digest, keeps, network, replaces } from '../support/steps';
import { tempDir } from '../support/temp';
import { nobody } from '../support/web';
import type * as typed from '../support/typed';

const mockCommand: { args: readonly string[]; main?: () => Promise<void>; pulumi?: string; backends: unknown[] } = { args: [], backends: [] };

jest.mock('../../ops/support/command-line', () => jest.requireActual<typeof typed>('../support/typed').keptMain(() => mockCommand.args, (run) => (mockCommand.main = run)));
jest.mock('../../ops/support/toolchain', () => ({
  findToolchain: async (backend: unknown) => {
    mockCommand.backends.push(backend);
    return { pulumi: mockCommand.pulumi, env: {} };
  },
  withPlugins: async (tools: object) => tools,
}));
jest.mock('../../ops/support/backend', () => jest.requireActual<typeof typed>('../support/typed').ownBackend());

interface Ended {
  readonly stdout: string;
  readonly said: string[];
  readonly exitCode: number;
  /** Message of the failure with which it ended. */
  readonly failure?: string;
}

/** Runs `npm run preview -- <args>`. */
async function run(args: readonly string[], cli?: FakePulumi): Promise<Ended> {
  const said = listen();
  let stdout = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((stdout += String(text))));
  Object.assign(mockCommand, { args, pulumi: cli?.file, backends: [] });
  process.exitCode = 0;
  jest.isolateModules(() => void require('../../ops/preview'));
  try {
    await mockCommand.main?.();
    return { stdout, said, exitCode: process.exitCode };
  } catch (error) {
    // Anything else would be shown with a stack trace.
    expect((error as Error).constructor.name).toMatch(/^(Failure|Misread)$/);
    return { stdout, said, exitCode: 1, failure: (error as Error).message };
  } finally {
    // It is this process's own.
    process.exitCode = 0;
  }
}

const stackFile = (stack: string, content: string): void => fs.writeFileSync(path.join(projectDir, `Pulumi.${stack}.yaml`), content);
/** Names and contents of what is in the checkout. */
const inProject = (): string[][] => fs.readdirSync(projectDir).sort().map((file) => [file, fs.readFileSync(path.join(projectDir, file), 'utf8')]);
/** Commands of the CLI, without their options. */
const commands = (cli: FakePulumi): string[] => cli.calls().map((args) => args.slice(0, args[0] === 'preview' ? 1 : 2).join(' '));

const deployed: Said = { stdout: JSON.stringify({ deployment: { resources: [] } }) };
const noStack: Said = { stderr: "error: no stack named 'dev' found\n", code: 6 };
const same: Said = { stdout: JSON.stringify(digest(keeps(network, 'network'))) };
const alloy: Said = { stdout: JSON.stringify(digest(replaces(container, 'alloy-server', { name: 'alloy-dev', restart: 'unless-stopped' }), keeps(network, 'network'))) };
const refusal: Said = { stdout: JSON.stringify({ diagnostics: [{ message: 'error: 1 problem with stack dev; nothing was changed.\n  - phoenix:auth is \'false\': …\n', severity: 'error' }, { message: 'error: preview failed\n', severity: 'error' }] }), code: 255 };
/** How a stack is made of which nothing is known. */
const making: Record<string, Said> = { 'stack init': {}, 'config set-all': {}, 'stack import': {} };

const secure = '\n    secure: v1:0123:abcd\n';
/** What the command gets when it is loaded; `import` would give a copy of it. */
const actualOs = jest.requireActual<typeof os>('node:os');

let host: string;
/** Where it makes what it needs on the way. */
let temporary: string;
beforeEach(async () => {
  fs.readdirSync(projectDir).filter((file) => file !== 'Pulumi.yaml').forEach((file) => fs.rmSync(path.join(projectDir, file), { recursive: true }));
  ({ host } = await fakeEngine({ '/version': { Version: '28.3.0', ApiVersion: '1.51' } }));
  temporary = tempDir();
  jest.spyOn(actualOs, 'tmpdir').mockReturnValue(temporary);
  setEnvironment({ DOCKER_HOST: host, CLOUDFLARE_API_TOKEN: undefined });
});
// Nothing stays behind, however a run ends.
afterEach(() => expect(fs.readdirSync(temporary)).toEqual([]));

const processors = (count: number): void => void jest.spyOn(actualOs, 'availableParallelism').mockReturnValue(count);

describe('a stack that is deployed', () => {
  const content = 'config:\n  phoenix:uiPort:   6006 # mine\n';
  beforeEach(() => stackFile('dev', content));

  test('its page, against what stands on the host, and nothing else is done', async () => {
    const before = inProject();
    const cli = fakePulumi({ 'stack export': deployed, preview: { ...alloy, first: `ls ${temporary} | grep -q "^preview-" || exit 1` } });
    expect(await run([], cli)).toEqual({
      stdout: [
        'dev: 1 to replace; 1 stays as it is',
        '  Alloy is unavailable for about 3 seconds: applications that retry, as OTLP exporters do, lose nothing. What',
        '    it has accepted waits on disk.',
        '',
        '  replace  container alloy-dev',
        '',
      ].join('\n'),
      said: ['Preview of dev …'],
      exitCode: 0,
    });
    expect(cli.calls()).toEqual([
      ['stack', 'export', '--stack', 'dev'],
      ['preview', '--json', '--show-sames', '--non-interactive', '--refresh', '--stack', 'dev'],
    ]);
    expect(inProject()).toEqual(before);
  });

  test('-c is assumed, also over a secret, and kept nowhere; a value may hold anything', async () => {
    stackFile('dev', `encryptionsalt: v1:0123\nconfig:\n  phoenix:uiPort: 6006\n  loki:url: http://a\n  phoenix:secret:${secure}`);
    const before = inProject();
    const seen = path.join(tempDir(), 'seen');
    const cli = fakePulumi({ 'stack export': deployed, preview: { ...same, first: `cp Pulumi.dev.yaml ${seen}` } });
    expect(await run(['-c', 'phoenix:uiPort=7006', '--config', 'loki:url=http://b/?c=d: e', '-c', 'phoenix:secret=x'], cli)).toMatchObject({ stdout: 'dev: nothing changes\n', exitCode: 0 });
    expect(yaml.load(fs.readFileSync(seen, 'utf8'))).toEqual({
      encryptionsalt: 'v1:0123', config: { 'phoenix:uiPort': '7006', 'loki:url': 'http://b/?c=d: e', 'phoenix:secret': 'x' },
    });
    expect(inProject()).toEqual(before);
  });

  test('where the engine does not answer what is on it is not known', async () => {
    host = (await nobody()).replace('http:', 'tcp:');
    setEnvironment({ DOCKER_HOST: 'unix:///nowhere/docker.sock' });
    stackFile('dev', `config:\n  docker:host: ${host}\n`);
    const cli = fakePulumi({ 'stack export': deployed, preview: same });
    expect(await run([], cli)).toMatchObject({
      stdout: `dev: nothing changes\n\n  Not known: whether someone has changed anything on the Docker host by hand (${host} does not answer)\n`, exitCode: 0,
    });
    expect(cli.calls().at(-1)).not.toContain('--refresh');
  });

  test('an engine that needs a secret of the stack is asked as well, with that', async () => {
    const { host: other, requests } = await fakeEngine({ '/version': { Version: '28.3.0', ApiVersion: '1.51' } });
    stackFile('dev', `config:\n  docker:host: ${other}\n  docker:registryAuth:${secure}`);
    const hidden = { 'docker:host': { value: other }, 'docker:registryAuth': { secret: true } };
    const shown = { ...hidden, 'docker:registryAuth': { value: '[{"address":"ghcr.io"}]', secret: true } };
    const cli = fakePulumi({ 'stack export': deployed, 'config --json --show-secrets': { stdout: JSON.stringify(shown) }, 'config --json': { stdout: JSON.stringify(hidden) }, preview: same });
    expect(await run([], cli)).toMatchObject({ stdout: 'dev: nothing changes\n', exitCode: 0 });
    expect(cli.calls().at(-1)).toContain('--refresh');
    expect(new Set(requests.map(({ url }) => url.replace(/^\/(images|distribution)\/.*/, '/$1')))).toEqual(new Set(['/version', '/images', '/distribution']));
  });

  test('a secret that the CLI cannot read: its own words, and no engine is asked in the place of the right one', async () => {
    const { host: other, requests } = await fakeEngine({ '/version': { Version: '28.3.0', ApiVersion: '1.51' } });
    setEnvironment({ DOCKER_HOST: other });
    stackFile('dev', `config:\n  docker:host: tcp://192.0.2.1:2376\n  docker:keyMaterial:${secure}`);
    const wrong = { stderr: 'error: incorrect passphrase\n', code: 255 };
    const cli = fakePulumi({ 'stack export': deployed, 'config --json': wrong, preview: wrong });
    expect(await run([], cli)).toMatchObject({ stdout: expect.stringMatching(/^dev: no preview could be made\n.*does not fit the secrets of stack dev/), exitCode: 1 });
    expect([cli.calls().at(-1), requests]).toEqual([expect.not.arrayContaining(['--refresh']), []]);
  });

  test('an engine that was named wrongly: the words of the program, and nothing else is asked', async () => {
    stackFile('dev', 'config:\n  docker:host: http://nonsense\n');
    const cli = fakePulumi({ 'stack export': deployed, preview: refusal });
    expect(await run([], cli)).toMatchObject({ stdout: "dev: refused; nothing would be changed\n  1 problem with stack dev; nothing was changed.\n    - phoenix:auth is 'false': …\n", exitCode: 1 });
    expect(cli.calls().at(-1)).not.toContain('--refresh');
  });

  test.each([
    ['text', [], "dev: refused; nothing would be changed\n  1 problem with stack dev; nothing was changed.\n    - phoenix:auth is 'false': …\n"],
    ['Markdown', ['--markdown'], "### `dev`: refused; nothing would be changed\n\n```text\n1 problem with stack dev; nothing was changed.\n  - phoenix:auth is 'false': …\n```\n"],
  ])('one that is refused ends with 1, and its page is printed: %s', async (_, args, stdout) => {
    expect(await run(args, fakePulumi({ 'stack export': deployed, preview: refusal }))).toEqual({ stdout, said: ['Preview of dev …'], exitCode: 1 });
  });

  test('a CLI that fails: what it said', async () => {
    const cli = fakePulumi({ 'stack export': deployed, preview: { stderr: 'error: the backend is away\n', code: 255 } });
    expect(await run([], cli)).toMatchObject({ stdout: 'dev: no preview could be made\n  error: the backend is away\n', exitCode: 1 });
  });

  test('a passphrase that does not fit is told with its command', async () => {
    setEnvironment({ PULUMI_CONFIG_PASSPHRASE: 'x' });
    const cli = fakePulumi({ 'stack export': deployed, preview: { stderr: 'error: getting secrets manager: incorrect passphrase\n', code: 255 } });
    const { stdout, exitCode } = await run([], cli);
    expect(stdout).toMatch(/^dev: no preview could be made\n {2}PULUMI_CONFIG_PASSPHRASE does not fit the secrets of stack dev: .*\n {6}export PULUMI_CONFIG_PASSPHRASE=/);
    expect(exitCode).toBe(1);
  });

  test('a state that cannot be read leaves other stacks their pages', async () => {
    const cli = fakePulumi({ 'stack export --stack prod': deployed, 'stack export --stack dev': { stderr: 'error: access denied\n', code: 255 }, preview: same });
    expect(await run(['--stack', 'dev', '--stack', 'prod'], cli)).toMatchObject({
      stdout: 'dev: no preview could be made\n  Reading the state of the stack failed: access denied\n\nprod: nothing changes\n', exitCode: 1,
    });
  });

  test('a stack file that is no YAML, too; nothing is asked of that stack', async () => {
    stackFile('dev', 'config:\n  a: b: c\n');
    const cli = fakePulumi({ 'stack export --stack prod': deployed, preview: same });
    const { stdout, exitCode } = await run(['--stack', 'dev', '--stack', 'prod'], cli);
    expect(stdout).toMatch(/^dev: no preview could be made\n {2}Pulumi\.dev\.yaml cannot be read: .*\n {6}git diff Pulumi\.dev\.yaml\n\nprod: nothing changes\n$/);
    expect(exitCode).toBe(1);
    expect(cli.calls().filter((args) => args.includes('dev'))).toEqual([]);
  });
});

describe('several stacks', () => {
  /** The first to be asked answers last. */
  function waiting(): FakePulumi {
    const done = path.join(tempDir(), 'done');
    return fakePulumi({
      'stack export': deployed,
      'preview --json --show-sames --non-interactive --refresh --stack dev': { ...alloy, first: `while [ ! -e ${done} ]; do sleep 0.02; done` },
      'preview --json --show-sames --non-interactive --refresh --stack edge': same,
      'preview --json --show-sames --non-interactive --refresh --stack prod': { ...same, first: `touch ${done}` },
    });
  }

  test('--all: every one with a file, in alphabetical order, though they run side by side', async () => {
    processors(3);
    ['prod', 'edge', 'dev'].forEach((stack) => stackFile(stack, 'config: {}\n'));
    const { stdout, exitCode } = await run(['--all', '--json'], waiting());
    expect((JSON.parse(stdout) as Page[]).map(({ stack, outcome, counts }) => [stack, outcome, counts.replace])).toEqual([
      ['dev', 'previewed', 1], ['edge', 'previewed', 0], ['prod', 'previewed', 0],
    ]);
    expect(exitCode).toBe(0);
  });

  test('--stack several times: in that order, each once', async () => {
    const cli = fakePulumi({ 'stack export': deployed, preview: same });
    expect((await run(['--stack', 'prod', '--stack', 'dev', '--stack', 'prod'], cli)).stdout).toBe('prod: nothing changes\n\ndev: nothing changes\n');
    expect(commands(cli).filter((command) => command === 'preview')).toHaveLength(2);
  });

  test('no more at once than there are processors', async () => {
    processors(1);
    const cli = fakePulumi({ 'stack export': deployed, preview: same });
    await run(['--stack', 'a', '--stack', 'b', '--stack', 'c'], cli);
    expect(cli.calls().map((args) => [args[0], args[args.indexOf('--stack') + 1]].join(' '))).toEqual(['stack a', 'preview a', 'stack b', 'preview b', 'stack c', 'preview c']);
  });

  test('one that is refused ends with 1', async () => {
    const cli = fakePulumi({ 'stack export': deployed, 'preview --json --show-sames --non-interactive --refresh --stack dev': refusal, preview: same });
    const { stdout, exitCode } = await run(['--stack', 'dev', '--stack', 'prod', '--json'], cli);
    expect([exitCode, (JSON.parse(stdout) as Page[]).map(({ outcome }) => outcome)]).toEqual([1, ['refused', 'previewed']]);
  });

  test('--json: a list of pages, also of one', async () => {
    const { stdout } = await run(['--json'], fakePulumi({ 'stack export': deployed, preview: same }));
    expect(JSON.parse(stdout)).toEqual([{
      stack: 'dev', outcome: 'previewed', counts: { remove: 0, replace: 0, change: 0, create: 0, same: 1 },
      alerts: [], effects: [], changes: [], warnings: [], unknown: [], reason: '', problems: [],
    }]);
  });
});

describe('a stack that is not there', () => {
  test('all of it is new, in a state that goes again', async () => {
    stackFile('dev', `config:\n  phoenix:uiPort: 6006\n  phoenix:secret:${secure}`);
    const before = inProject();
    const cli = fakePulumi({ 'stack export': noStack, ...making, preview: { stdout: JSON.stringify(digest(creates(network, 'network', { name: 'observability-dev' }))) } });
    expect(await run([], cli)).toMatchObject({
      stdout: 'dev: 1 to create; nothing is deployed yet\n\n  create   network observability-dev\n\n  Not known: the values of phoenix:secret (secrets)\n', exitCode: 0,
    });
    expect(cli.calls()).toEqual([
      ['stack', 'export', '--stack', 'dev'],
      ['stack', 'init', '--no-select', '--stack', 'dev'],
      ['config', 'set-all', '--secret', `phoenix:secret=${unknownSecret}`, '--stack', 'dev'],
      ['preview', '--json', '--show-sames', '--non-interactive', '--stack', 'dev'],
    ]);
    expect(inProject()).toEqual(before);
  });

  test('an engine that nobody reaches without a secret is not asked', async () => {
    stackFile('dev', `config:\n  docker:host: tcp://192.0.2.1:2376\n  docker:keyMaterial:${secure}`);
    const seen = path.join(tempDir(), 'seen');
    const cli = fakePulumi({ 'stack export': noStack, ...making, preview: { ...same, first: `cp Pulumi.dev.yaml ${seen}` } });
    expect(await run([], cli)).toMatchObject({
      stdout: 'dev: nothing changes\n\n  Not known: the values of docker:keyMaterial (secrets)\n  Not known: what is on the Docker host, which is not asked without that key\n', exitCode: 0,
    });
    expect(yaml.load(fs.readFileSync(seen, 'utf8'))).toEqual({ config: { 'docker:disableDockerDaemonCheck': 'true', 'docker:host': 'ssh://not-asked.invalid' } });
  });

  test('without a file its settings are those that stand in the program', async () => {
    const cli = fakePulumi({ 'stack export': noStack, ...making, preview: same });
    expect(await run(['--stack', 'try'], cli)).toMatchObject({ stdout: 'try: nothing changes\n', exitCode: 0 });
    expect(commands(cli)).toEqual(['stack export', 'stack init', 'preview']);
  });

  test('one that cannot be made: what the CLI said, and nothing stays behind', async () => {
    const cli = fakePulumi({ 'stack export': noStack, 'stack init': { stderr: 'error: no space left\n', code: 255 } });
    expect(await run([], cli)).toMatchObject({ stdout: 'dev: no preview could be made\n  Creating the stack failed: no space left\n', exitCode: 1 });
  });

  test.each([
    ['tells of itself', { stdout: JSON.stringify({ remote: { otlp: { alloy: 'https://otlp.example.com', phoenix: null }, auth: true, tokens: { edge: { expiresAt: '2999-12-31T00:00:00Z' } } } }) }, ['stack import']],
    ['tells nothing', { stdout: '{}' }, []],
    ['is not there', { stderr: "error: no stack named 'prod' found\n", code: 6 }, []],
  ] as const)('at the edge: the central stack is asked for what is no secret; one that %s', async (_, output, steps) => {
    stackFile('edge', 'config:\n  edge:central: prod\n');
    const cli = fakePulumi({ 'stack export': noStack, 'stack output': output, ...making, preview: same });
    expect(await run(['--stack', 'edge'], cli)).toMatchObject({ stdout: 'edge: nothing changes\n' });
    expect(cli.calls()[1]).toEqual(['stack', 'output', '--json', '--stack', 'prod']);
    expect(commands(cli).filter((command) => command === 'stack import')).toEqual(steps);
  });
});

describe('an environment that nobody has filled in', () => {
  const empty = (key: string, mend: string): Problem => ({ key, rule: standsEmpty, mend: [mend, `pulumi config rm ${key}`] });
  const loki = empty('loki:url', 'pulumi config set loki:url http://host.docker.internal:3100');
  /** A program that refuses as the real one does: in its error, and in the file that it is given. */
  const refusing = (stack: string, ...problems: Problem[]): Said => ({
    stdout: JSON.stringify({ diagnostics: [{ message: `error: ${report(stack, problems)}\n`, severity: 'error' }] }), code: 255,
    first: `cat > "$${problemsVariable}" <<'END'\n${JSON.stringify(shown(stack, problems))}\nEND\n:`,
  });

  beforeEach(() => stackFile('prod', 'config:\n  loki:url: ""\n'));

  test.each([
    ['text', [], `prod: not configured
  Settings in Pulumi.prod.yaml are still empty. Fill them in to get a preview:
    - loki:url: it is empty in the stack file; set a value.
        pulumi config set loki:url http://host.docker.internal:3100 --stack prod
        pulumi config rm loki:url --stack prod
`],
    ['Markdown', ['--markdown'], `### \`prod\`: not configured

\`\`\`text
Settings in Pulumi.prod.yaml are still empty. Fill them in to get a preview:
  - loki:url: it is empty in the stack file; set a value.
      pulumi config set loki:url http://host.docker.internal:3100 --stack prod
      pulumi config rm loki:url --stack prod
\`\`\`
`],
  ])('says so, with what is to be filled in, and is no error: %s', async (_, args, stdout) => {
    const cli = fakePulumi({ 'stack export': noStack, ...making, preview: refusing('prod', loki) });
    expect(await run(['--stack', 'prod', ...args], cli)).toEqual({ stdout, said: ['Preview of prod …'], exitCode: 0 });
  });

  test('--json has its problems as data', async () => {
    const cli = fakePulumi({ ...making, preview: refusing('prod', loki) });
    const { stdout, exitCode } = await run(['--stack', 'prod', '--offline', '--json'], cli);
    expect([exitCode, JSON.parse(stdout)]).toEqual([0, [expect.objectContaining({ outcome: 'notConfigured', problems: shown('prod', [loki]) })]]);
  });

  test('so does the one that sends to it', async () => {
    stackFile('edge', 'config:\n  edge:central: acme/llm-observability/prod\n');
    const central: Problem = { key: 'edge:central', value: 'acme/llm-observability/prod', rule: 'its outputs cannot be read', mend: ['npm run pulumi -- stack ls'] };
    const cli = fakePulumi({
      'stack export': noStack, 'stack output': noStack, ...making,
      'preview --json --show-sames --non-interactive --stack edge': refusing('edge', central), preview: refusing('prod', loki),
    });
    expect(await run(['--all'], cli)).toMatchObject({
      stdout: expect.stringMatching(/^edge: not configured\n {2}It sends to prod, which is not configured yet:\n {4}- edge:central is 'acme.*\n.*\n\nprod: not configured\n/), exitCode: 0,
    });
  });

  test.each<[string, Said, Problem[]]>([
    ['a wrong setting stands beside the empty one', noStack, [loki, { key: 'phoenix:memory', value: '2GB', rule: 'no', mend: [] }]],
    ['it is deployed already', { stdout: JSON.stringify({ deployment: { resources: [{ urn: 'urn:pulumi:prod::a::b::c', type: 'b' }] } }) }, [loki]],
  ])('is an error where %s', async (_, state, problems) => {
    const cli = fakePulumi({ 'stack export': state, ...making, preview: refusing('prod', ...problems) });
    expect(await run(['--stack', 'prod'], cli)).toMatchObject({ stdout: expect.stringMatching(/^prod: refused; nothing would be changed\n/), exitCode: 1 });
  });
});

describe('--offline', () => {
  const stands = 'what stack dev has already deployed (its state was not read): everything shows as new';
  const unknown = async (args: readonly string[], cli: FakePulumi): Promise<readonly string[]> => (JSON.parse((await run([...args, '--offline', '--json'], cli)).stdout) as Page[]).flatMap((page) => page.unknown);
  const cli = (first = ':'): FakePulumi => fakePulumi({ ...making, preview: { ...same, first } });
  /** The settings with which the preview ran, the token it had, and the variables of the Docker Engine. */
  const looking = (stack: string): { own: FakePulumi; settings: () => unknown; token: () => string; docker: () => string } => {
    const dir = tempDir();
    return {
      own: cli(`cp Pulumi.${stack}.yaml ${dir}/file; printf %s "$CLOUDFLARE_API_TOKEN" > ${dir}/token; printf %s "$DOCKER_HOST $DOCKER_CERT_PATH" > ${dir}/docker`),
      settings: () => (yaml.load(fs.readFileSync(`${dir}/file`, 'utf8')) as { config: unknown }).config,
      token: () => fs.readFileSync(`${dir}/token`, 'utf8'),
      docker: () => fs.readFileSync(`${dir}/docker`, 'utf8'),
    };
  };

  test('neither the backend nor a Docker host is asked, whatever the file says, and no state is made', async () => {
    const { requests, host: other } = await fakeEngine({ '/version': { Version: '28.3.0', ApiVersion: '1.51' } });
    stackFile('dev', `config:\n  docker:host: ${other}\n`);
    const { own, settings } = looking('dev');
    expect(await unknown([], own)).toEqual([stands]);
    expect(commands(own)).toEqual(['stack init', 'preview']);
    expect(settings()).toEqual({ 'docker:disableDockerDaemonCheck': 'true', 'docker:host': 'ssh://not-asked.invalid' });
    expect(requests).toEqual([]);
    expect(mockCommand.backends).toEqual([{}]);
    expect(fs.existsSync(localState()?.dir ?? '')).toBe(false);
  });

  test('whatever leads to an engine otherwise does not', async () => {
    setEnvironment({ DOCKER_HOST: 'http://nonsense', DOCKER_CERT_PATH: '/certs' });
    stackFile('dev', `config:\n  docker:context: colima\n  docker:certPath: /certs\n  docker:sshOpts: [-i, /key]\n  docker:registryAuth:${secure}  docker:keyMaterial:${secure}`);
    const { own, settings, docker } = looking('dev');
    expect(await unknown([], own)).toEqual([stands, 'the values of docker:registryAuth, docker:keyMaterial (secrets)']);
    expect(settings()).toEqual({ 'docker:disableDockerDaemonCheck': 'true', 'docker:host': 'ssh://not-asked.invalid' });
    expect([commands(own), docker()]).toEqual([['stack init', 'preview'], ' ']);
  });

  test.each([
    ['wrong', 'docker:host: http://nonsense', "docker:host is 'http://nonsense': ", 'npm run pulumi -- config set docker:host unix:///var/run/docker.sock --stack dev   # an example', 1],
    ['misspelt', 'docker:hots: unix:///var/run/docker.sock', 'docker:hots: unknown setting; the nearest is docker:host.', 'npm run pulumi -- config rm docker:hots --stack dev', 1],
    ['empty', 'docker:host: ""', 'docker:host: it is empty in the stack file; set a value.', 'npm run pulumi -- config rm docker:host --stack dev', 0],
  ])('what is written of the engine is checked all the same: one that is %s', async (_, setting, problem, mend, code) => {
    stackFile('dev', `config:\n  ${setting}\n`);
    const { stdout, exitCode } = await run(['--offline'], cli());
    expect(stdout).toMatch(code === 1 ? /^dev: refused; nothing would be changed\n {2}1 problem with stack dev; nothing was changed\.\n/ : /^dev: not configured\n/);
    expect(stdout).toContain(`\n    - ${problem}`);
    expect(stdout).toContain(`\n        ${mend}\n`);
    expect(exitCode).toBe(code);
  });

  test('all problems come at once, of the engine and of the rest', async () => {
    stackFile('dev', 'config:\n  docker:host: http://nonsense\n  phoenix:cpus: none\n');
    const other: Problem = { key: 'phoenix:cpus', value: 'none', rule: 'no', mend: [] };
    const own = fakePulumi({
      ...making,
      preview: { stdout: JSON.stringify({ diagnostics: [{ message: `error: ${report('dev', [other])}\n`, severity: 'error' }] }), code: 255, first: `echo '${JSON.stringify([other])}' > "$${problemsVariable}"` },
    });
    const [page] = JSON.parse((await run(['--offline', '--json'], own)).stdout) as Page[];
    expect([page?.outcome, page?.problems.map(({ key }) => key), page?.reason.split('\n')[0]]).toEqual(['refused', ['phoenix:cpus', 'docker:host'], '2 problems with stack dev; nothing was changed.']);
  });

  test('with a backend it is otherwise: the one that is there, or is made', async () => {
    await run([], fakePulumi({ 'stack export': deployed, preview: same }));
    expect(mockCommand.backends).toEqual([undefined]);
  });

  test('without a token whether the account has what a tunnel needs is not known; nobody is asked with the word that stands for it', async () => {
    stackFile('dev', 'config:\n  tunnel:hostname: phoenix.example.com\n');
    const { own, token } = looking('dev');
    expect(await unknown([], own)).toEqual([stands, 'whether the Cloudflare account has what the tunnel needs (no API token)']);
    expect(token()).toBe(unknownSecret);
  });

  test('a token of the environment is that, and stands in no argument', async () => {
    stackFile('dev', 'config:\n  tunnel:hostname: phoenix.example.com\n');
    setEnvironment({ CLOUDFLARE_API_TOKEN: 'chosen-at-cloudflare' });
    const { own, token } = looking('dev');
    expect(await unknown([], own)).toEqual([stands]);
    expect(token()).toBe('chosen-at-cloudflare');
    expect(JSON.stringify(own.calls())).not.toContain('chosen-at-cloudflare');
  });

  test('without a tunnel no token is needed', async () => {
    const { own, token } = looking('dev');
    await unknown([], own);
    expect(token()).toBe('');
  });

  test('secrets, and the central stack of one at the edge', async () => {
    stackFile('edge', `config:\n  edge:central: acme/llm-observability/prod\n  edge:token: lab\n  loki:url:${secure}`);
    const before = inProject();
    const dir = tempDir();
    const own = fakePulumi({ ...making, 'stack import': { first: `cp prod.json ${dir}/prod.json` }, preview: same });
    expect(await unknown(['--stack', 'edge'], own)).toEqual([
      stands.replace('dev', 'edge'),
      'the values of loki:url (secrets)',
      'whether stack acme/llm-observability/prod exists and publishes the receiver to which this one sends',
    ]);
    expect(commands(own)).toEqual(['stack init', 'config set-all', 'stack init', 'stack import', 'preview']);
    expect(fs.readFileSync(`${dir}/prod.json`, 'utf8')).toContain('"tokens":{"lab":{"expiresAt":"2999');
    expect(inProject()).toEqual(before);
  });
});
