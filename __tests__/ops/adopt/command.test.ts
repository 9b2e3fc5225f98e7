/**
 * `npm run adopt` as a person types it, in this process: with a CLI that answers from a table, and an engine that keeps
 * containers and volumes.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { projectDir } from '../../../ops/support/backend';
import type { Adoption } from '../../../ops/support/adopt/record';
import { setEnvironment } from '../../support/environment';
import { fakeContainer, fakeDocker, type FakeContainer, type FakeDocker } from '../../support/fake-docker';
import { fakePulumi, type FakePulumi, type Said } from '../../support/fake-pulumi';
import { listen } from '../../support/said';
import { tempDir } from '../../support/temp';
import { ownTerminal } from '../../support/own-terminal';
import type * as typed from '../../support/typed';
import { images } from '../../../components/catalog';
import { leftText } from '../../../ops/support/adopt/plan';
import { adoption, recordLabel, runningAlloy, runningPhoenix } from './given';

const mockCommand: { args: string[]; main?: () => Promise<void>; pulumi?: string; answer?: (question: string) => boolean; ensured: unknown[][]; told?: object | undefined } = { args: [], ensured: [] };

jest.mock('../../../ops/support/command-line', () => jest.requireActual<typeof typed>('../../support/typed').keptMain(() => mockCommand.args, (run) => (mockCommand.main = run)));
jest.mock('../../../ops/support/toolchain', () => ({ findToolchain: async () => ({ pulumi: mockCommand.pulumi, env: {} }), withPlugins: async (tools: object) => tools }));
jest.mock('../../../ops/support/ask', () => ({ ...jest.requireActual<object>('../../../ops/support/ask'), agreed: async (question: string) => mockCommand.answer?.(question) }));
// What it is told, and then as it is.
jest.mock('../../../ops/support/docker', () => {
  const actual = jest.requireActual<{ ensureEngine: (...args: unknown[]) => Promise<void> }>('../../../ops/support/docker');
  return { ...actual, ensureEngine: (...args: unknown[]) => (mockCommand.ensured.push(args), actual.ensureEngine(...args)) };
});
jest.mock('../../../engine/host-ports', () => ({ isHeld: async () => false, holderOf: async () => undefined, isOwnAddress: async () => true }));
jest.mock('../../../provider/container-reach', () => ({
  from: () => ({ ask: async (url: string) => (url.endsWith('/graphql') && mockCommand.told ? { status: 401, text: '' } : { status: 200, text: '20.26.1' }), close: () => undefined }),
  output: async () => JSON.stringify(mockCommand.told),
}));
jest.mock('../../../ops/support/backend', () => jest.requireActual<typeof typed>('../../support/typed').ownBackend());

const stackFile = path.join(projectDir, 'Pulumi.dev.yaml');
const terminal = ownTerminal(false);
beforeEach(() => {
  setEnvironment({ XDG_CACHE_HOME: tempDir() });
  fs.writeFileSync(stackFile, 'config: {}\n');
});

interface Ended {
  readonly stdout: string;
  readonly said: string[];
  /** Message of the failure with which it ended. */
  readonly failure?: string;
}

/** Runs `npm run adopt -- <args>`. */
async function adopt(cli: FakePulumi | undefined, ...args: string[]): Promise<Ended> {
  const said = listen();
  let stdout = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((stdout += String(text))));
  Object.assign(mockCommand, { args, pulumi: cli?.file });
  jest.isolateModules(() => void require('../../../ops/adopt'));
  try {
    await mockCommand.main?.();
    return { stdout, said };
  } catch (error) {
    expect((error as Error).constructor.name).toMatch(/^(Failure|Misread|Refused|Stopped)$/);
    return { stdout, said, failure: (error as Error).message };
  } finally {
    expect(fs.readFileSync(stackFile, 'utf8')).toBe('config: {}\n');
  }
}

const oldVolume = { 'arize-phoenix_phoenix_data': {} };
const own = { 'llm-observability.stack': 'llm-observability/dev' };
const stackVolumes = { 'phoenix-dev-data': own, 'alloy-dev-data': own };
const recorded = (phase: Adoption['phase']): Record<string, Record<string, string>> => ({ [`adoption-dev-${phase}`]: { [recordLabel]: JSON.stringify(adoption({ phase })) } });

/** What the job that looks at the data says, by its task. */
type Jobs = Readonly<Record<string, object>>;
const measured = { traces: 1000, spans: 2000, bytes: 2 ** 20, free: 2 ** 30, defaultPassword: false };
const none = { traces: 0, spans: 0, rows: 0 };

async function engine(containers: readonly FakeContainer[], volumes: Record<string, Record<string, string>> = oldVolume, jobs: Jobs = {}): Promise<FakeDocker> {
  const docker = await fakeDocker(containers, volumes);
  const task = (): string => docker.containers.get('adoption-dev-data')?.Config.Cmd?.[0] ?? '';
  const outcomes: Jobs = { measure: measured, snapshot: measured, found: { ...measured, kept: false }, ...jobs };
  docker.answers['POST /containers/adoption-dev-data/wait'] = () => ({ StatusCode: task() in outcomes ? 0 : 1 });
  docker.answers['GET /containers/adoption-dev-data/logs'] = () => Buffer.from(JSON.stringify(outcomes[task()] ?? 'sqlite3.OperationalError: unable to open database file'));
  docker.answers['GET /networks/seed_default'] = { Containers: {} };
  Object.values(images).forEach((image) => (docker.answers[`GET /images/${image}/json`] = {}));
  return docker;
}

const container = (name: string, resource = name): object => {
  const id = `${name}-id-0123456789`;
  return { urn: `urn:pulumi:dev::llm-observability::docker:index/container:Container::${resource}`, type: 'docker:index/container:Container', id, outputs: { id } };
};
const state = (...resources: object[]): Said => ({ stdout: JSON.stringify({ deployment: { resources } }) });

/** The CLI on a stack without resources, and with the settings of a host. */
const cli = ({ host }: FakeDocker, config: Record<string, string> = {}, more: Record<string, Said> = {}): FakePulumi => fakePulumi({
  'stack export': state(),
  'config --json': { stdout: JSON.stringify(Object.fromEntries(Object.entries({ 'docker:host': host, ...config }).map(([key, value]) => [key, { value }]))) },
  preview: {},
  ...more,
});

/** What the CLI was asked for in one run besides reading. The first two read state and settings side by side: their words may stand in each other. */
const changing = (pulumi: FakePulumi): string[] =>
  pulumi.calls().slice(2).map((args) => args.slice(0, 2).join(' ')).filter((call) => !/^(stack export|config --json|stack output|preview --config-file)$/.test(call));
/** Requests that change something, the job's that looks at the data left out. */
const changes = ({ changes: all }: FakeDocker): string[] => all.filter((change) => !/adoption-dev-data/.test(change));

test.each([[[], 'npm run adopt'], [['--yes', '--json'], 'npm run adopt'], [['--alloy', 'a', '--phoenix', 'p'], 'npm run adopt -- --phoenix p --alloy a']])('no engine: an empty one would be of no use, so none is installed or started, whoever agrees (%j)', async (args, again) => {
  mockCommand.ensured.length = 0;
  const host = 'unix:///nowhere/docker.sock';
  const { failure } = await adopt(cli({ host } as FakeDocker), ...args);
  expect(failure).toBe(`The Docker Engine at ${host} (docker:host) does not answer: connect ENOENT /nowhere/docker.sock.\n    DOCKER_HOST=${host} docker info`);
  expect(mockCommand.ensured.map(([choice, consent, command]) => [(choice as { source: string }).source, consent, command])).toEqual([['docker:host', 'never', again]]);
});

describe('half of the set-up is removed', () => {
  test.each<[string, FakeContainer[], string[]]>([
    ['its Phoenix is stopped', [runningPhoenix({ status: 'exited' }), runningAlloy()], [
      "  - Phoenix is 'arize-phoenix-phoenix-1': it is exited, not running, and an adoption needs both.", '      docker start arize-phoenix-phoenix-1']],
    ['its Alloy is gone', [runningPhoenix()], [
      '  - Alloy: no container is the Alloy that belongs to arize-phoenix-phoenix-1, and an adoption needs both.',
      '      cd /srv/arize-phoenix && docker compose -p arize-phoenix -f /srv/arize-phoenix/docker-compose.yml up -d   # if it is in the same compose project',
      '      npm run adopt -- --alloy NAME   # if it has a different image',
      '      npm run adopt -- --alloy arize-phoenix-phoenix-1   # if applications send to Phoenix itself']],
    ['all of it is', [], [
      '  - the old setup: no container on this engine is your own Phoenix or Alloy.', '      docker ps --all', '      npm run up   # where there is nothing to take over']],
  ])('%s: refused with the command, and nothing is touched', async (_, containers, problem) => {
    const docker = await engine(containers);
    const pulumi = cli(docker);
    expect(await adopt(pulumi, '--yes')).toEqual({ stdout: '', said: [], failure: ['1 problem with stack dev; nothing was changed.', ...problem].join('\n') });
    // Not one request that is not a question.
    expect([docker.changes, changing(pulumi)]).toEqual([[], []]);
  });

  test('and the stack is not fit for it: all at once', async () => {
    const docker = await engine([runningPhoenix({ status: 'exited' }), runningAlloy()], { ...oldVolume, 'phoenix-dev-data': {} });
    const { failure } = await adopt(cli(docker), '--yes');
    expect(failure?.split('\n').filter((line) => /^\S|^ {2}-/.test(line)).map((line) => line.replace(/:(?! ).*|: .*/, ''))).toEqual([
      '2 problems with stack dev; nothing was changed.', "  - stack is 'dev'", "  - Phoenix is 'arize-phoenix-phoenix-1'",
    ]);
    expect(docker.changes).toEqual([]);
  });
});

describe('nobody says yes', () => {
  const refusal = (command: string): string => `Taking over by stack dev needs confirmation, and there is no terminal. Nothing was changed.\n    ${command}`;

  test.each<[string[], string]>([
    [[], 'npm run adopt -- --yes'],
    [['--json'], 'npm run adopt -- --yes'],
    [['--phoenix', 'arize-phoenix-phoenix-1'], 'npm run adopt -- --phoenix arize-phoenix-phoenix-1 --yes'],
  ])('%j, without a terminal: the plan, and the command', async (args, command) => {
    const docker = await engine([runningPhoenix(), runningAlloy()]);
    const pulumi = cli(docker);
    const { stdout, said, failure } = await adopt(pulumi, ...args);
    expect([stdout, failure]).toEqual(['', refusal(command)]);
    expect(said.slice(0, 2)).toEqual([
      'Stack dev takes over from:',
      '  Phoenix  arize-phoenix-phoenix-1 (20.26.1): 1,000 traces (2,000 spans), 1 MiB in arize-phoenix_phoenix_data, which are copied to volume phoenix-dev-data',
    ]);
    expect([changes(docker), changing(pulumi)]).toEqual([[], []]);
    expect([[...docker.containers.keys()], [...docker.volumes.keys()]]).toEqual([['arize-phoenix-phoenix-1', 'grafana-alloy'], Object.keys(oldVolume)]);
  });
});

describe('on a terminal', () => {
  beforeEach(() => terminal.is(true));

  test('somebody says no', async () => {
    const docker = await engine([runningPhoenix(), runningAlloy()]);
    const pulumi = cli(docker);
    const asked: string[] = [];
    mockCommand.answer = (question) => asked.push(question) < 0;
    expect((await adopt(pulumi)).failure).toBe('Nothing was changed.');
    expect([asked, changes(docker), changing(pulumi)]).toEqual([['Let stack dev take over? [y/N] '], [], []]);
  });

  test('somebody has deployed the stack before the yes: refused, and nothing of it is deleted', async () => {
    const docker = await engine([runningPhoenix(), runningAlloy()]);
    const pulumi = cli(docker);
    mockCommand.answer = () => {
      Object.entries(stackVolumes).forEach(([name, labels]) => docker.volumes.set(name, labels));
      return true;
    };
    expect((await adopt(pulumi)).failure).toMatch(/^1 problem with stack dev; nothing was changed\.\n {2}- stack is 'dev': it has data already \(phoenix-dev-data, alloy-dev-data\)/);
    expect([changes(docker), changing(pulumi)]).toEqual([[], []]);
  });
});

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s, of a stack that is new', (signal) => {
  const isNew: Record<string, Said> = { 'stack export': { stderr: "error: no stack named 'dev' found\n", code: 6 }, 'stack init': {}, 'stack rm': {} };

  test('at the question: nothing is changed or kept', async () => {
    terminal.is(true);
    const docker = await engine([runningPhoenix(), runningAlloy()]);
    const pulumi = cli(docker, {}, isNew);
    mockCommand.answer = () => (process.emit(signal), false);
    expect((await adopt(pulumi)).failure).toBe('Stopped. Nothing was changed.');
    expect([changes(docker), changing(pulumi)]).toEqual([[], ['stack init', 'stack rm']]);
    expect(pulumi.calls().flat().filter((arg) => arg.endsWith('/Pulumi.dev.yaml') && fs.existsSync(arg))).toEqual([]);
  });

  test('while the old data is measured', async () => {
    const docker = await engine([runningPhoenix(), runningAlloy()]);
    docker.answers['POST /containers/adoption-dev-data/wait'] = () => (process.emit(signal), { StatusCode: 0 });
    const pulumi = cli(docker, {}, isNew);
    expect((await adopt(pulumi, '--yes')).failure).toBe('Stopped.');
    expect([changes(docker), changing(pulumi)]).toEqual([[], ['stack init', 'stack rm']]);
  });
});

test('the settings are refused at the preview: it is shown, and nothing is changed', async () => {
  const docker = await engine([runningPhoenix(), runningAlloy()]);
  const pulumi = cli(docker, {}, { preview: { code: 255, stderr: '1 problem with stack dev; nothing was changed.\n' } });
  const { said, failure } = await adopt(pulumi, '--yes');
  expect(said).toEqual(['1 problem with stack dev; nothing was changed.', '']);
  expect(failure).toBe('Not adopted: the settings above are refused.');
  expect([changes(docker), changing(pulumi)]).toEqual([[], []]);
});

test('no ports for a rehearsal', async () => {
  const docker = await engine([runningPhoenix(), runningAlloy({ ports: { 4317: 4317, 4318: 4318, 12345: 65_500 } })]);
  const pulumi = cli(docker);
  expect((await adopt(pulumi, '--yes')).failure).toBe('There are no free ports on which the stack can run beside the old setup. Nothing was changed.\n    ss -ltn');
  expect([changes(docker), changing(pulumi)]).toEqual([[], []]);
});

describe('adopted already', () => {
  const stopped = [runningPhoenix({ status: 'exited' }), runningAlloy({ status: 'exited' })];

  test.each<[string, FakeContainer[]]>([['the old containers are a backup', stopped], ['they are removed', []]])('%s', async (_, containers) => {
    const docker = await engine(containers, { ...oldVolume, ...stackVolumes, ...recorded('adopted') });
    const pulumi = cli(docker);
    const done = `Stack dev has already taken over from arize-phoenix-phoenix-1 and grafana-alloy.\n${leftText('dev', adoption())}`;
    expect(await adopt(pulumi, '--yes')).toEqual({ stdout: '', said: done.split('\n') });
    expect(changing(pulumi)).toEqual([]);
    expect(await adopt(cli(docker), '--json')).toMatchObject({ stdout: '{"stack":"dev","changed":false}\n' });
    expect(docker.changes).toEqual([]);
  });

  test('but somebody has gone back: the data of then is in the way, and is not thrown away', async () => {
    const docker = await engine([runningPhoenix(), runningAlloy()], { ...oldVolume, ...stackVolumes, ...recorded('adopted') });
    const { failure } = await adopt(cli(docker), '--yes');
    expect(failure).toBe([
      '1 problem with stack dev; nothing was changed.',
      "  - stack is 'dev': it has data already (phoenix-dev-data, alloy-dev-data), and nothing is copied over them.",
      '      npm run adopt -- --stack OTHER_NAME', '      npm run down -- --purge   # deletes its data',
    ].join('\n'));
    expect(changes(docker)).toEqual([]);
  });

  test('but its data is gone: it can take over once more', async () => {
    const docker = await engine([runningPhoenix(), runningAlloy()], { ...oldVolume, ...recorded('adopted') });
    expect((await adopt(cli(docker))).failure).toMatch(/^Taking over by stack dev needs confirmation/);
    expect(changes(docker)).toEqual([]);
  });
});

describe('a run was cut off in the rehearsal', () => {
  const besides = { 4317: 4417, 4318: 4418, 12345: 12445 };
  const stackOn = (ports: Record<number, number>): FakeContainer[] => [fakeContainer('phoenix-dev', { labels: own }), fakeContainer('alloy-dev', { labels: own, ports })];
  const old = [runningPhoenix(), runningAlloy()];
  const volumes = { ...oldVolume, ...stackVolumes, ...recorded('rehearsing') };
  const deployed = { 'stack export': state(container('phoenix-dev'), container('alloy-dev')) };

  test.each<[string, Record<number, number>, Jobs]>([
    ['is on its own ports', { 4317: 4317, 4318: 4318, 12345: 12345 }, { missing: none }],
    ['has one port of its own', { ...besides, 4318: 4318 }, { missing: none }],
    ['has taken traces', besides, { missing: { ...none, traces: 1 } }],
    ['has taken spans', besides, { missing: { ...none, spans: 1 } }],
    ['has a dataset', besides, { missing: { ...none, rows: 1 } }],
    ['has data of which nothing is known', besides, {}],
  ])('the stack %s since: refused, and nothing of it is deleted', async (_, ports, jobs) => {
    const docker = await engine([...old, ...stackOn(ports)], volumes, jobs);
    const pulumi = cli(docker, {}, deployed);
    expect((await adopt(pulumi, '--yes')).failure).toMatch(/^1 problem with stack dev; nothing was changed\.\n {2}- stack is 'dev': it is deployed already/);
    expect([changes(docker), changing(pulumi)]).toEqual([[], []]);
    expect([...docker.volumes.keys()]).toEqual(Object.keys(volumes));
  });

  test('and nobody has used it: it is removed, and the next one may begin', async () => {
    const docker = await engine([...old, ...stackOn(besides)], volumes, { missing: none });
    // What the CLI takes away on a real engine is gone when the volumes go.
    const gone = path.join(tempDir(), 'gone');
    docker.answers['DELETE /volumes/phoenix-dev-data'] = () => {
      expect(fs.existsSync(gone)).toBe(true);
      [docker.volumes, docker.containers].forEach((all) => ['phoenix-dev-data', 'phoenix-dev', 'alloy-dev'].forEach((name) => all.delete(name)));
      return { status: 204 };
    };
    const pulumi = cli(docker, {}, {
      'stack export': { first: `[ -e ${gone} ] && { echo '{"deployment":{}}'; exit 0; }`, ...deployed['stack export'] },
      'state unprotect': {},
      destroy: { first: `touch ${gone}` },
    });
    const { said, failure } = await adopt(pulumi);
    expect(said.slice(0, 2)).toEqual(['An earlier run was interrupted before it changed the old setup: removing what it had created', 'Stack dev takes over from:']);
    expect(failure).toMatch(/^Taking over by stack dev needs confirmation/);
    expect(changing(pulumi)).toEqual(['state unprotect', 'destroy --refresh']);
    expect([[...docker.volumes.keys()], [...docker.containers.keys()]]).toEqual([Object.keys(oldVolume), ['arize-phoenix-phoenix-1', 'grafana-alloy']]);
  });

  test('before there was anything of it: the record alone goes', async () => {
    const docker = await engine(old, { ...oldVolume, ...recorded('rehearsing') });
    const pulumi = cli(docker);
    expect((await adopt(pulumi)).failure).toMatch(/^Taking over by stack dev needs confirmation/);
    expect([[...docker.volumes.keys()], changing(pulumi)]).toEqual([Object.keys(oldVolume), []]);
  });
});

describe('the rehearsal does not come up', () => {
  test('all that was new is removed, the old setup was never touched', async () => {
    const docker = await engine([runningPhoenix(), runningAlloy()]);
    const pulumi = cli(docker, {}, { up: { code: 255, stderr: 'error: no space left on device\n' } });
    const { failure } = await adopt(pulumi, '--yes');
    expect(failure).toBe([
      'The stack did not start beside the old setup; the reason is above.',
      'The old services run as before; the new ones were removed.',
      '    npm run adopt',
    ].join('\n'));
    expect([...docker.volumes.keys()]).toEqual(Object.keys(oldVolume));
    expect(docker.changes.filter((change) => /arize-phoenix|grafana-alloy/.test(change.replace(/\{.*/, '')))).toEqual([]);
    // On ports of its own, with a stack file of its own.
    const [up = []] = pulumi.calls().slice(2).filter(([command]) => command === 'up');
    expect(up.filter((arg) => /:offset/.test(arg))).toEqual(['ports:offset=100']);
    expect(up[up.indexOf('--config-file') + 1]).not.toContain(projectDir);
    expect(fs.existsSync(up[up.indexOf('--config-file') + 1] ?? '')).toBe(false);
  });

  test('nor does it hold all of the data', async () => {
    const docker = await engine([runningPhoenix(), runningAlloy()], oldVolume, { found: { traces: 1000, spans: 1999, kept: false } });
    const { failure } = await adopt(cli(docker, {}, { up: {} }), '--yes');
    expect(failure).toMatch(/^The new Phoenix holds 1,000 traces \(1,999 spans\) of the 1,000 traces \(2,000 spans\) that were copied\.\n/);
    expect([...docker.volumes.keys()]).toEqual(Object.keys(oldVolume));
  });
});

describe('people log in at the old Phoenix', () => {
  const secret = 'a1'.repeat(16);
  beforeEach(() => void (mockCommand.told = { env: { PHOENIX_ENABLE_AUTH: 'true', PHOENIX_SECRET: secret }, opens: true }));
  afterEach(() => void (mockCommand.told = undefined));

  test('its secret is a secret of the rehearsal, and once that went well of the stack; no argument and no word has it', async () => {
    const docker = await engine([runningPhoenix(), runningAlloy()], { ...oldVolume });
    const read = path.join(tempDir(), 'read');
    const pulumi = cli(docker, {}, { 'config set-all': {}, 'config set --secret': { first: `cat >> '${read}'` }, up: {}, 'stack output': { stderr: 'error: gone\n', code: 255 } });
    const { said, failure } = await adopt(pulumi, '--yes');
    const setting = pulumi.calls().filter(([command, verb]) => command === 'config' && verb?.startsWith('set'));
    const [scratch = []] = setting;
    expect(scratch.slice(0, 5)).toEqual(['config', 'set', '--secret', 'phoenix:secret', '--config-file']);
    expect(setting.slice(1)).toEqual([['config', 'set-all', '--plaintext', 'phoenix:auth=true', '--stack', 'dev'], ['config', 'set', '--secret', 'phoenix:secret', '--stack', 'dev']]);
    // The preview and the rehearsal are with that file.
    expect(pulumi.calls().filter(([command = '']) => ['preview', 'up'].includes(command)).map((args) => args[args.indexOf('--config-file') + 1])).toEqual([scratch[5], scratch[5]]);
    expect(fs.readFileSync(read, 'utf8')).toBe(secret + secret);
    expect([...said, failure, ...pulumi.calls().flat(), ...docker.changes].filter((text) => text?.includes(secret))).toEqual([]);
    expect(said).toContain('  Login    its users with their passwords, and its API keys, as phoenix:auth, phoenix:secret of the stack');
  });
});

describe('a run was cut off after the ports had changed hands', () => {
  const stopped = [runningPhoenix({ status: 'exited' }), runningAlloy({ status: 'exited' })];
  const stack = [fakeContainer('phoenix-dev', { labels: own }), fakeContainer('alloy-dev', { labels: own, ports: { 4317: 4317, 4318: 4318, 12345: 12345 } })];
  const failed = 'The stack did not start on its own ports; the reason is above.';
  const goesOn = 'Nothing is lost: what applications send waits on disk until the adoption is complete. The next run continues from here.\n    npm run adopt';
  const tasks = (docker: FakeDocker): string[] => docker.changes.flatMap((change) => /"Cmd":\["(\w+)"/.exec(change)?.[1] ?? []);
  const known = state(container('phoenix-dev'), container('alloy-dev', 'alloy-server'));

  test('the data was copied: it is not copied again, over what has come in since', async () => {
    const docker = await engine([...stopped, ...stack], { ...oldVolume, ...stackVolumes, ...recorded('copied') });
    const pulumi = cli(docker, {}, { up: { code: 255 }, 'stack export': known });
    expect((await adopt(pulumi, '--yes')).failure).toBe(`${failed}\n${goesOn}`);
    const others = ['rehearsing', 'switching', 'adopted'].map((phase) => `DELETE /volumes/adoption-dev-${phase}`);
    expect([tasks(docker), changes(docker), changing(pulumi)]).toEqual([[], others, ['up --refresh']]);
  });

  test('the state has lost the container: it goes, and the deployment makes another on the same data', async () => {
    const docker = await engine([...stopped, ...stack], { ...oldVolume, ...stackVolumes, ...recorded('copied') });
    const pulumi = cli(docker, {}, { up: { code: 255 }, 'stack export': state(container('phoenix-dev')) });
    await adopt(pulumi, '--yes');
    expect([docker.containers.has('alloy-dev'), changing(pulumi), docker.volumes.has('alloy-dev-data')]).toEqual([false, ['up --refresh'], true]);
  });

  test('data that is protected from now on is marked on the engine', async () => {
    const docker = await engine([...stopped, ...stack], { ...oldVolume, ...stackVolumes, ...recorded('copied') });
    const unread: Record<string, Said> = { up: {}, 'stack export': known, 'stack output': { stderr: 'error: gone\n', code: 255 } };
    expect((await adopt(cli(docker, { 'data:protect': 'true' }, unread), '--yes')).failure).toBe(`Reading the outputs failed: gone\n${goesOn}`);
    expect(docker.volumes.get('protected-dev')).toEqual({ 'llm-observability.protect': 'llm-observability/dev' });
  });

  test('killed between the two records: what is in the way of a deployment goes first', async () => {
    const docker = await engine([...stopped, ...stack], { ...oldVolume, ...stackVolumes, ...recorded('copied'), ...recorded('switching') });
    await adopt(cli(docker, {}, { up: { code: 255 }, 'stack export': known }), '--yes');
    expect([...docker.volumes.keys()].filter((name) => name.startsWith('adoption'))).toEqual(['adoption-dev-copied']);
  });

  test('it was not, and somebody has taken the stack down: the data is copied, and the stack deployed', async () => {
    const docker = await engine([...stopped], { ...oldVolume, ...stackVolumes, ...recorded('switching') }, { copy: measured });
    const pulumi = cli(docker, {}, { up: { code: 255 }, 'stack output': { stdout: '{}' } });
    expect((await adopt(pulumi, '--yes')).failure).toBe(`${failed}\n${goesOn}`);
    expect([tasks(docker), changing(pulumi)]).toEqual([['copy'], ['up --refresh']]);
    expect([...docker.volumes.keys()].sort()).toEqual(['adoption-dev-copied', 'alloy-dev-data', ...Object.keys(oldVolume), 'phoenix-dev-data']);
    expect(docker.containers.get('grafana-alloy')?.State.Status).toBe('exited');
  });

  test('the copy fails: the record stays, so that it is made again', async () => {
    const docker = await engine([...stopped], { ...oldVolume, ...stackVolumes, ...recorded('switching') });
    const pulumi = cli(docker, {}, { 'stack output': { stdout: '{}' } });
    expect((await adopt(pulumi, '--yes')).failure).toMatch(/^The data could not be read or copied \(copy\): .*\.\nNothing is lost: /);
    expect([...docker.volumes.keys()]).toContain('adoption-dev-switching');
    expect(changing(pulumi)).toEqual([]);
  });
});
