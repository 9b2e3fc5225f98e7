import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { isRunning } from '../../ops/support/alive';
import { projectDir } from '../../ops/support/backend';
import { Pulumi, type Result } from '../../ops/support/pulumi';
import { Failure } from '../../ops/support/say';
import { setEnvironment } from '../support/environment';
import { fakePulumi, type FakePulumi, type Said } from '../support/fake-pulumi';
import { listen } from '../support/said';
import { tempDir } from '../support/temp';

beforeEach(() => setEnvironment({ PULUMI_CONFIG_PASSPHRASE: undefined, PULUMI_CONFIG_PASSPHRASE_FILE: undefined }));

/** Stack `dev` with a CLI that answers every run with this. */
function answering(said: Said, env: Record<string, string> = {}): { pulumi: Pulumi; cli: FakePulumi } {
  const cli = fakePulumi({ '': said });
  return { pulumi: new Pulumi({ pulumi: cli.file, env }, 'dev'), cli };
}

describe('the state', () => {
  test('resources, and what was under way', async () => {
    const urn = 'urn:pulumi:dev::llm-observability::docker:index/container:Container::alloy';
    const resource = { urn, type: 'docker:index/container:Container', id: 'c1', outputs: { name: 'alloy-dev' } };
    const deployment = { manifest: {}, resources: [resource], pending_operations: [{ resource: { urn, type: resource.type }, type: 'creating' }] };
    const { pulumi, cli } = answering({ stdout: JSON.stringify({ version: 3, deployment }, null, 4) });
    expect(await pulumi.state()).toEqual({ resources: [resource], pending: [{ type: 'creating', urn }] });
    expect(cli.calls()).toEqual([['stack', 'export', '--stack', 'dev']]);
  });

  test.each(['{"version":3,"deployment":null}', '{"version":3,"deployment":{"manifest":{}}}'])('of a stack that was only made: %s', async (stdout) => {
    expect(await answering({ stdout }).pulumi.state()).toEqual({ resources: [], pending: [] });
  });

  test('of no stack', async () => {
    expect(await answering({ stderr: "error: no stack named 'dev' found\n", code: 6 }).pulumi.state()).toBeUndefined();
  });

  test('that cannot be read', async () => {
    await expect(answering({ stderr: 'error: read ".pulumi/stacks": permission denied\n', code: 255 }).pulumi.state()).rejects.toThrow(
      new Failure('Reading the state of the stack failed: read ".pulumi/stacks": permission denied'),
    );
  });
});

const sentence = (doing: string): string => doing.charAt(0).toUpperCase() + doing.slice(1);

test.each<[string, Record<string, string>, string, string[]]>([
  ['a folder that is not there', { PULUMI_BACKEND_URL: 'file:///nowhere/dir' }, 'unable to open state directory "file:///nowhere/dir": stat /nowhere/dir: no such file or directory', ['pulumi login file:///nowhere/dir']],
  ['a word that is no address', { PULUMI_BACKEND_URL: 'garbage' }, 'PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions', ['pulumi login garbage']],
  ['a bucket that cannot be read', { PULUMI_BACKEND_URL: 's3://states' }, 'read ".pulumi/meta.yaml": blob (key ".pulumi/meta.yaml") (code=Unknown): operation error S3: GetObject', ['pulumi login s3://states']],
  ['a login that has ended', {}, 'PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions', ['pulumi login URL']],
])('a backend that is out of reach, here %s: what the CLI says, and the way back', async (_, env, said, commands) => {
  setEnvironment({ PULUMI_BACKEND_URL: env['PULUMI_BACKEND_URL'] });
  const way = env['PULUMI_BACKEND_URL'] === undefined ? [] : ['unset PULUMI_BACKEND_URL   # the state of this user'];
  const where = env['PULUMI_BACKEND_URL'] === undefined ? '' : ` at ${env['PULUMI_BACKEND_URL']}`;
  await expect(answering({ stderr: `error: ${said}\n`, code: 255 }).pulumi.state()).rejects.toThrow(new Failure(`The state${where} cannot be read: ${said}.`, [...commands, ...way]));
});

describe('the settings', () => {
  test('without what is secret', async () => {
    const stdout = JSON.stringify({ 'phoenix:uiPort': { value: '6007', secret: false }, 'alloy:token': { secret: true }, 'loki:url': { value: '', secret: false } });
    const { pulumi, cli } = answering({ stdout });
    expect(await pulumi.settings()).toEqual({ 'phoenix:uiPort': '6007', 'loki:url': '' });
    expect(cli.calls()).toEqual([['config', '--json', '--stack', 'dev']]);
  });

  test('what is secret, and nothing else', async () => {
    const stdout = JSON.stringify({ 'phoenix:uiPort': { value: '6007', secret: false }, 'phoenix:secret': { value: 's', secret: true }, 'loki:url': { secret: true } });
    const { pulumi, cli } = answering({ stdout });
    expect(await pulumi.secrets()).toEqual({ 'phoenix:secret': 's' });
    expect(cli.calls()).toEqual([['config', '--json', '--show-secrets', '--stack', 'dev']]);
  });

  test('secrets go into the stack file by the input of the CLI, one after the other, and are in no argument', async () => {
    const read = path.join(tempDir(), 'read');
    const { pulumi, cli } = answering({ first: `cat >> '${read}'` });
    await pulumi.setSecrets({ 'phoenix:secret': 'one ', 'phoenix:adminSecret': '-two' }, ['--config-file', 'x.yaml']);
    expect(fs.readFileSync(read, 'utf8')).toBe('one -two');
    expect(cli.calls()).toEqual(['phoenix:secret', 'phoenix:adminSecret'].map((key) => ['config', 'set', '--secret', key, '--config-file', 'x.yaml', '--stack', 'dev']));
  });

  test('one that the CLI does not read: why', async () => {
    await expect(answering({ stderr: 'error: broken\n', code: 1 }).pulumi.setSecrets({ 'phoenix:secret': 'x'.repeat(1 << 20) })).rejects.toThrow(new Failure('Setting phoenix:secret failed: broken'));
  });

  test.each<[string, (pulumi: Pulumi) => Promise<unknown>]>([
    ['reading the settings', (pulumi) => pulumi.settings()],
    ['reading the outputs', (pulumi) => pulumi.outputs()],
    ['making the stack', (pulumi) => pulumi.init()],
    ['repairing the state', (pulumi) => pulumi.must(['refresh'], 'repairing the state')],
  ])('a failure while %s', async (doing, run) => {
    await expect(run(answering({ stderr: 'error: broken\n', code: 1 }).pulumi)).rejects.toThrow(new Failure(`${sentence(doing)} failed: broken`));
    await expect(run(answering({ code: 1 }).pulumi)).rejects.toThrow(new Failure(`${sentence(doing)} failed: Pulumi said nothing`));
  });
});

test('a new stack is made and not selected; its outputs are read, those that are secret too', async () => {
  const { pulumi, cli } = answering({ stdout: '{"dockerHost":null}' });
  await pulumi.init();
  expect(await pulumi.outputs()).toEqual({ dockerHost: null });
  expect(cli.calls()).toEqual([['stack', 'init', '--no-select', '--stack', 'dev'], ['stack', 'output', '--json', '--show-secrets', '--stack', 'dev']]);
});

describe('the stack', () => {
  const cliOf = (said: Said): FakePulumi => fakePulumi({ '': said });
  const named = (stack: string, name?: string): Pulumi => new Pulumi({ pulumi: cliOf({ first: 'printenv LLM_OBSERVABILITY_STACK' }).file, env: {} }, stack, projectDir, name);

  test('is an argument of every run, by the name that was typed', async () => {
    const cli = cliOf({ stdout: '{}' });
    const pulumi = new Pulumi({ pulumi: cli.file, env: {} }, 'prod', projectDir, 'acme/prod');
    await pulumi.run(['preview']);
    await pulumi.show(['up', '--yes']);
    await pulumi.init();
    await pulumi.outputs();
    expect(cli.calls()).toEqual([['preview'], ['up', '--yes'], ['stack', 'init', '--no-select'], ['stack', 'output', '--json', '--show-secrets']].map((args) => [...args, '--stack', 'acme/prod']));
  });

  test('is none where the arguments are handed over', async () => {
    const cli = cliOf({});
    await new Pulumi({ pulumi: cli.file, env: {} }, 'prod').handOver(['whoami']);
    await new Pulumi({ pulumi: cli.file, env: {} }, '').run(['stack', '--show-name']);
    expect(cli.calls()).toEqual([['whoami'], ['stack', '--show-name']]);
  });

  test('has its whole name in the environment of the program, whose commands carry it', async () => {
    expect((await named('prod', 'acme/prod').run([])).stdout).toBe('acme/prod\n');
    expect((await named('prod').run([])).stdout).toBe('');
  });

  test('of an organization, on a backend without', async () => {
    const pulumi = new Pulumi({ pulumi: cliOf({ stderr: "error: organization name must be 'organization'\n", code: 255 }).file, env: {} }, 'prod', projectDir, 'acme/prod');
    await expect(pulumi.state()).rejects.toThrow(
      new Failure('This backend has no organizations, so it has no stack acme/prod. Use --stack prod. Nothing was changed.', ['npm run pulumi -- whoami --verbose   # shows the backend']),
    );
  });
});

describe('a run', () => {
  test('is in the project, with the environment of the toolchain, and without input', async () => {
    const { pulumi } = answering({ first: 'pwd; echo "$PULUMI_BACKEND_URL"; cat' }, { PULUMI_BACKEND_URL: 'file:///somewhere' });
    expect(await pulumi.run(['about'])).toEqual({ code: 0, stopped: false, stdout: `${projectDir}\nfile:///somewhere\n`, stderr: '' });
  });

  test('keeps its exit code, and a last line without an end', async () => {
    expect(await answering({ stdout: 'one\ntwo', stderr: 'warning', code: 7 }).pulumi.run([])).toEqual({ code: 7, stopped: false, stdout: 'one\ntwo\n', stderr: 'warning\n' });
  });

  test('that a signal ended says which, and nobody has stopped it', async () => {
    expect(await answering({ first: 'kill -KILL $$' }).pulumi.run([])).toEqual({ code: 137, signal: 'SIGKILL', stopped: false, stdout: '', stderr: '' });
  });

  test('is shown on stderr, all but what the toolchain has said already', async () => {
    const said = listen();
    const known = 'warning: using pulumi-resource-docker from $PATH at /x/pulumi-resource-docker';
    const { pulumi } = answering({ stdout: ' +  docker:index:Container alloy created\n', stderr: `${known}\n  ${known}\nwarning: using an old engine\n` });
    const { stdout, stderr } = await pulumi.show(['up']);
    expect(said.sort()).toEqual([' +  docker:index:Container alloy created', 'warning: using an old engine']);
    expect([stdout, stderr.split('\n').length]).toEqual([' +  docker:index:Container alloy created\n', 4]);
  });

  test('that is only collected shows nothing', async () => {
    const said = listen();
    await answering({ stdout: 'a\n', stderr: 'b\n' }).pulumi.run([]);
    expect(said).toEqual([]);
  });
});

test('a stack that there is not is named, whatever was to be done with it', async () => {
  const { pulumi } = answering({ stderr: "error: no stack named 'dev' found\n", code: 255 });
  await expect(pulumi.outputs()).rejects.toThrow(new Failure('There is no stack dev.', ['npm run pulumi -- stack ls', 'npm run up']));
});

describe('a passphrase', () => {
  const incorrect = 'error: incorrect passphrase\n';
  const missing = 'error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables\n';
  const unreadable = 'error: unable to read PULUMI_CONFIG_PASSPHRASE_FILE: open /gone: no such file or directory\n';
  const wrong = (what: string): string => `${what} does not fit the secrets of stack dev: they were encrypted with another passphrase. Nothing was changed.`;
  const none = (what: string): string => `The secrets of stack dev need a passphrase, and ${what}. Nothing was changed.`;
  const inFile = 'export PULUMI_CONFIG_PASSPHRASE_FILE=/path/of/the/passphrase/that/fits';
  const give = "export PULUMI_CONFIG_PASSPHRASE='the passphrase that fits'";

  test.each<[string, string, Record<string, string>, Record<string, string>, string, string]>([
    ['generated here', incorrect, { PULUMI_CONFIG_PASSPHRASE_FILE: '/state/passphrase' }, {}, wrong('/state/passphrase'), inFile],
    ['in a file of the environment', incorrect, {}, { PULUMI_CONFIG_PASSPHRASE_FILE: '/etc/p' }, wrong('/etc/p'), inFile],
    ['in the environment', incorrect, {}, { PULUMI_CONFIG_PASSPHRASE: 'x' }, wrong('PULUMI_CONFIG_PASSPHRASE'), give],
    ['in both, of which the CLI takes the first', incorrect, {}, { PULUMI_CONFIG_PASSPHRASE: 'x', PULUMI_CONFIG_PASSPHRASE_FILE: '/etc/p' }, wrong('PULUMI_CONFIG_PASSPHRASE'), give],
    ['empty', incorrect, {}, { PULUMI_CONFIG_PASSPHRASE: '' }, wrong('PULUMI_CONFIG_PASSPHRASE'), give],
    ['not there', missing, {}, {}, none('none is given'), give],
    ['in a file that is gone', unreadable, {}, { PULUMI_CONFIG_PASSPHRASE_FILE: '/gone' }, none('/gone cannot be read'), inFile],
  ])('%s', async (_, stderr, tools, env, message, mend) => {
    setEnvironment(env);
    await expect(answering({ stderr, code: 255 }, tools).pulumi.must(['config'], 'reading')).rejects.toThrow(new Failure(message, [mend]));
  });

  test('is told from what a deployment prints, too; anything else is not', () => {
    const { pulumi } = answering({}, { PULUMI_CONFIG_PASSPHRASE_FILE: '/p' });
    const run = (stdout: string, stderr = ''): Pick<Result, 'stdout' | 'stderr'> => ({ stdout, stderr });
    expect(pulumi.known(run('    error: Incorrect passphrase'))?.message).toBe(`${wrong('/p')}\n    ${inFile}`);
    expect(pulumi.known(run('', 'error: update failed'))).toBeUndefined();
  });
});

describe('a signal', () => {
  jest.setTimeout(60_000);
  const started: number[] = [];
  afterEach(() => started.splice(0).forEach((pid) => isRunning(pid) && process.kill(-pid, 'SIGKILL')));

  /** A CLI that ends its step when it is interrupted, as the real one does. */
  const patient = { first: "trap 'echo done; exit 7' INT TERM; echo ready >&2; exec 2>/dev/null; while :; do sleep 0.05; done" };

  /** Who is told: Ctrl-C, `timeout` and a terminal that is closed reach the whole group, `kill` one process. */
  async function stoppedBy(kind: string, signal: NodeJS.Signals, whom: 'all' | 'one'): Promise<unknown> {
    const child = spawn(process.execPath, ['--import', 'tsx', '__tests__/support/running.ts', fakePulumi({ '': patient }).file, kind], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    started.push(Number(child.pid));
    await new Promise((resolve) => child.stderr.once('data', resolve));
    process.kill(whom === 'all' ? -Number(child.pid) : Number(child.pid), signal);
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout };
  }

  test.each([
    ['SIGINT', 'all'],
    ['SIGTERM', 'all'],
    ['SIGHUP', 'all'],
    ['SIGINT', 'one'],
    ['SIGTERM', 'one'],
    ['SIGHUP', 'one'],
  ] as const)('%s to %s of its processes: the CLI ends its step, which is waited for', async (signal, whom) => {
    expect(await stoppedBy('show', signal, whom)).toEqual({ code: 0, stdout: JSON.stringify({ code: 7, stopped: true, stdout: 'done\n', stderr: 'ready\n' }) });
    expect(await stoppedBy('handOver', signal, whom)).toEqual({ code: 0, stdout: 'done\n7' });
  });

  test.each([['Ctrl-C', '\x03'], ['a terminal that is closed', null]] as const)('%s at a terminal, of a run that asks: it can read the answer, and ends its step', (_, end) => {
    const log = path.join(tempDir(), 'log');
    const asking = { first: `trap 'echo INT >> ${log}; exit 7' INT; printf 'Go on? '; read -r answer; echo "$answer" >> ${log}; echo working; while :; do sleep 0.05; done` };
    const command = `exec '${process.execPath}' --import tsx __tests__/support/running.ts '${fakePulumi({ '': asking }).file}' handOver`;
    const steps = [['Go on? ', 'yes\r'], ['working', end]];
    expect(spawnSync('python3', ['__tests__/support/terminal.py', JSON.stringify({ command, steps })], { encoding: 'utf8' })).toMatchObject({ stderr: '', stdout: expect.stringContaining('working') });
    expect(fs.readFileSync(log, 'utf8')).toBe('yes\nINT\n');
  });
});
