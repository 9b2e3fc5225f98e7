/**
 * The commands as a person types them, in this process: with a CLI that answers from a table, and Alloy,
 * Phoenix and the Docker Engine on loopback.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { images } from '../../components/catalog';
import { edgeAccess } from '../../settings/edge-access';
import { localState, projectDir } from '../../ops/support/backend';
import type { StateFolder } from '../../ops/support/state-folder';
import type { Outputs } from '../../ops/support/outputs';
import { setEnvironment } from '../support/environment';
import { execEngine } from '../support/exec-engine';
import { fakeEngine, type Answer, type FakeEngine } from '../support/fake-engine';
import { fakePulumi, type FakePulumi, type Said } from '../support/fake-pulumi';
import { ownTerminal } from '../support/own-terminal';
import { listen } from '../support/said';
import { tempDir } from '../support/temp';
import { services } from '../support/services';
import type * as typed from '../support/typed';
import { nobody } from '../support/web';

const mockCommand: { args: string[]; main?: () => Promise<void>; pulumi?: string; answer?: (question: string) => string | undefined; reason?: string; ensured: unknown[][] } = { args: [], ensured: [] };

jest.mock('../../ops/support/command-line', () => jest.requireActual<typeof typed>('../support/typed').keptMain(() => mockCommand.args, (run) => (mockCommand.main = run)));
jest.mock('../../ops/support/toolchain', () => ({
  downloadSite: 'https://get.pulumi.com',
  findToolchain: async () => ({ pulumi: mockCommand.pulumi, env: {} }),
  withPlugins: async (tools: object) => tools,
  surveyToolchain: async () => ({ pulumi: mockCommand.pulumi, missing: [], env: {} }),
}));
jest.mock('../../ops/support/ask', () => ({
  ...jest.requireActual<object>('../../ops/support/ask'),
  answerTo: async (question: string) => mockCommand.answer?.(question),
  agreed: async (question: string) => mockCommand.answer?.(question) === 'y',
}));
// What it is told, and then as it is.
jest.mock('../../ops/support/docker', () => {
  const actual = jest.requireActual<{ ensureEngine: (...args: unknown[]) => Promise<void>; whyNoEngine: (engine: unknown) => Promise<string | undefined> }>('../../ops/support/docker');
  const whyNoEngine = async (engine: unknown): Promise<string | undefined> => mockCommand.reason ?? actual.whyNoEngine(engine);
  return { ...actual, whyNoEngine, ensureEngine: (...args: unknown[]) => (mockCommand.ensured.push(args), actual.ensureEngine(...args)) };
});
jest.mock('../../ops/support/reach', () => ({ siteAnswers: async () => true }));
jest.mock('../../ops/support/backend', () => jest.requireActual<typeof typed>('../support/typed').ownBackend());

interface Ended {
  readonly stdout: string;
  readonly said: string[];
  /** Message of the failure with which it ended. */
  readonly failure?: string;
}

/** Runs `npm run <command> -- <args>`. */
async function run(command: string, args: readonly string[], cli?: FakePulumi): Promise<Ended> {
  const said = listen();
  let stdout = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((stdout += String(text))));
  Object.assign(mockCommand, { args, pulumi: cli?.file });
  jest.isolateModules(() => void require(`../../ops/${command}`));
  try {
    await mockCommand.main?.();
    return { stdout, said };
  } catch (error) {
    // Anything else would be shown with a stack trace.
    expect((error as Error).constructor.name).toMatch(/^(Failure|Misread|Refused|Stopped)$/);
    return { stdout, said, failure: (error as Error).message };
  }
}

const label = encodeURIComponent(JSON.stringify({ label: ['llm-observability.stack=llm-observability/dev'] }));
const volumes = (...names: string[]): Answer => ({ Volumes: names.map((Name) => ({ Name })) });
/** An engine on which the stack has nothing but its volumes. */
const engine = (answers: Record<string, Answer> = {}): Promise<FakeEngine> =>
  fakeEngine({
    '/version': { Version: '28.3.0', ApiVersion: '1.51' },
    '/containers/json': [],
    '/networks': [],
    '/volumes': volumes('phoenix-dev-data', 'alloy-dev-data', 'phoenix-dev-cache'),
    ...Object.fromEntries(Object.values(images).map((image) => [`/images/${image}/json`, { Id: 'sha256:1d' }])),
    ...answers,
  });
/** Where a command looks for state in files. */
const local = localState() as StateFolder;
const noEngine = 'unix:///nowhere/docker.sock';
const asked = ({ requests }: FakeEngine): string[] => requests.map(({ method, url }) => `${method} ${url}`);

const state = (...pending: object[]): Said => ({ stdout: JSON.stringify({ deployment: { resources: [], pending_operations: pending } }) });
const settings = (host: string): Said => ({ stdout: JSON.stringify({ 'docker:host': { value: host } }) });
const output = (outputs: object): Said => ({ stdout: JSON.stringify(outputs) });

/** A backend of files in which a run that was killed has left its lock. */
function killedRun(): void {
  const backend = tempDir();
  const locks = path.join(backend, '.pulumi', 'locks', 'organization', 'llm-observability', 'dev');
  fs.mkdirSync(locks, { recursive: true });
  const { pid } = spawnSync(process.execPath, ['--version']);
  fs.writeFileSync(path.join(locks, 'a.json'), JSON.stringify({ pid, username: 'somebody', hostname: os.hostname() }));
  setEnvironment({ PULUMI_BACKEND_URL: `file://${backend}` });
}

/** A container of the stack that its state does not know. */
const leftover: Record<string, Answer> = { '/containers/json': [{ Id: 'c1', Names: ['/alloy-dev'] }], '/containers/c1': { status: 204, body: '' }, '/containers/c1/stop': { status: 204, body: '' } };

// On a terminal the commands would ask the person who runs the tests.
const terminal = ownTerminal(false);

/** Somebody at a terminal answers like this; returns what was asked. */
function answering(answer: string | undefined): string[] {
  const questions: string[] = [];
  mockCommand.answer = (question) => (questions.push(question), answer);
  terminal.is(true);
  return questions;
}
afterEach(() => {
  delete mockCommand.answer;
});

beforeEach(() => {
  fs.rmSync(local.dir, { recursive: true, force: true });
});

describe('as a process of its own', () => {
  test('a failure is its message and its exit code, without a stack trace', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'ops/verify.ts', '--timeout', 'x'], { encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: "\nOption '--timeout <seconds>' argument 'x' is invalid. Write whole seconds.\n    npm run verify -- --help\n",
    });
  });
});

describe('without a yes and without a terminal', () => {
  test.each<[string, string[], string, string]>([
    ['up', [], 'Deploying stack dev', 'npm run up -- --yes'],
    ['up', ['--json', '--rotate', 'alloy'], 'Deploying stack dev', 'npm run up -- --rotate alloy --json --yes'],
    ['up', ['--stack', 'prod', '-c', 'phoenix:auth=true', '-c', 'phoenix:smtpPassword=hunter2'], 'Deploying stack prod', "npm run up -- --stack prod -c 'phoenix:auth=true' -c 'phoenix:smtpPassword=…' --yes"],
    ['down', [], 'Removing stack dev', 'npm run down -- --yes'],
    ['down', ['--stack', 'prod', '--purge'], 'Deleting the data of stack prod', 'npm run down -- --stack prod --purge --yes'],
  ])('%s %j does nothing, and the command it gives is the same with a yes', async (command, args, doing, again) => {
    const cli = fakePulumi({});
    expect(await run(command, args, cli)).toEqual({ stdout: '', said: [], failure: `${doing} needs confirmation, and there is no terminal. Nothing was changed.\n    ${again}` });
    expect(cli.calls()).toEqual([]);
  });

  test.each(['stdin', 'stderr'] as const)('%s alone is none', async (name) => {
    terminal.is(true, process[name]);
    expect((await run('up', [], fakePulumi({}))).failure).toMatch(/^Deploying stack dev needs confirmation/);
  });
});

describe('invite', () => {
  const remote = { otlp: { alloy: 'https://otlp.example.com', phoenix: null }, requestMiB: 64, auth: true, tokens: { edge: { expiresAt: '2027-11-21T08:00:00Z' }, 'host-2': { expiresAt: '2028-01-01T00:00:00Z' } } };
  const remoteAccess = Object.fromEntries(Object.keys(remote.tokens).map((token) => [token, { clientId: `id-of-${token}`, clientSecret: `secret-of-${token}`, apiKey: `key-of-${token}` }]));
  const prod = { endpoints: {}, remote, remoteAccess, adminSecret: 'the-admin-secret' };
  const invited = (outputs: object, ...args: string[]): Promise<Ended> => run('invite', ['--stack', 'prod', ...args], fakePulumi({ 'stack output --json --show-secrets --stack prod': output(outputs) }));

  test('a file for one token, which nobody else can read, and nothing else of the stack', async () => {
    const file = path.join(tempDir(), 'for-2.json');
    const { said, stdout, failure } = await invited(prod, '--token', 'host-2', '--file', file);
    expect([failure, stdout]).toEqual([undefined, '']);
    const text = fs.readFileSync(file, 'utf8');
    expect(edgeAccess(text)).toEqual({ stack: 'prod', remote: { ...remote, tokens: { 'host-2': remote.tokens['host-2'] } }, remoteAccess: { 'host-2': remoteAccess['host-2'] } });
    expect(text).not.toMatch(/the-admin-secret|of-edge/);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(said.join('\n')).not.toMatch(/secret-of|key-of/);
    expect(said.slice(1)).toEqual([`    npm run pulumi -- config set --stack edge --secret edge:access < ${file}`, '    npm run up -- --stack edge -c edge:central=prod -c edge:token=host-2']);
  });

  test.each<[string, string | undefined, boolean, string]>([
    ['of the token', undefined, true, '2027-11-21'],
    ['of the token, with a key that is good for ever', '', true, '2027-11-21'],
    ['of the token, with a key that is good for longer', '2028-11-21T08:00:00.000Z', true, '2027-11-21'],
    ['of the key', '2027-10-21T08:00:00.000Z', true, '2027-10-21'],
    ['of the token, where nobody asks for a key', '2027-10-21T08:00:00.000Z', false, '2027-11-21'],
  ])('the end that it says is that %s', async (_, keyExpiresAt, auth, date) => {
    const file = path.join(tempDir(), 'edge.access.json');
    const tokens = { ...remote.tokens, edge: { ...remote.tokens.edge, ...(keyExpiresAt === undefined ? {} : { keyExpiresAt }) } };
    const { said } = await invited({ ...prod, remote: { ...remote, auth, tokens } }, '--file', file);
    expect(said[0]).toContain(`opens the receivers of the stack prod until ${date}. `);
    expect(edgeAccess(fs.readFileSync(file, 'utf8'))?.remote.tokens).toEqual({ edge: tokens.edge });
  });

  test('one that is there stays as it is', async () => {
    const file = path.join(tempDir(), 'edge.access.json');
    fs.writeFileSync(file, 'of somebody');
    expect((await invited(prod, '--file', file)).failure).toBe(`${file} already exists and was not changed.\n    rm ${file}\n    npm run invite -- --stack prod --token edge --file OTHER.access.json`);
    expect(fs.readFileSync(file, 'utf8')).toBe('of somebody');
  });

  test('a folder is no file', async () => {
    const file = tempDir();
    expect((await invited(prod, '--file', file)).failure).toBe(`${file} already exists and was not changed.\n    npm run invite -- --stack prod --token edge --file OTHER.access.json`);
  });

  test('secrets do not go to standard output', async () => {
    const { failure, stdout } = await invited(prod, '--file', '-');
    expect(failure).toBe('The file contains secrets and is not written to standard output.\n    npm run invite -- --stack prod --token edge --file OTHER.access.json');
    expect(stdout).toBe('');
    expect(fs.existsSync('-')).toBe(false);
  });

  test('a name that a shell would take apart is quoted', async () => {
    const file = path.join(tempDir(), 'my file.json');
    expect(JSON.stringify(await invited(prod, '--file', file))).toContain(`edge:access < '${file}'`);
  });

  test('a folder that is not there', async () => {
    const file = path.join(tempDir(), 'nowhere', 'edge.json');
    expect((await invited(prod, '--file', file)).failure).toMatch(/edge\.json cannot be written: ENOENT.*\n {4}npm run invite/);
  });

  test.each<[string, object, string[], string]>([
    ['not deployed', {}, [], 'Stack prod is not deployed.\n    npm run up -- --stack prod'],
    ['without a receiver', { ...prod, remote: { ...remote, tokens: {} } }, [], 'Stack prod publishes no receiver for other hosts.\n    npm run pulumi -- config set tunnel:otlpHostname otlp.example.com --stack prod\n    npm run up -- --stack prod'],
    ['at the edge itself', { ...prod, remote: null }, [], 'Stack prod publishes no receiver for other hosts.\n    npm run pulumi -- config set tunnel:otlpHostname otlp.example.com --stack prod\n    npm run up -- --stack prod'],
    ['without that token', prod, ['--token', 'host-3'], 'Stack prod has no service token host-3, only edge, host-2.\n    npm run pulumi -- config set tunnel:serviceTokens edge,host-2,host-3 --stack prod\n    npm run up -- --stack prod'],
  ])('a stack %s', async (_, outputs, args, failure) => {
    const file = path.join(tempDir(), 'edge.access.json');
    expect((await invited(outputs, '--file', file, ...args)).failure).toBe(failure);
    expect(fs.existsSync(file)).toBe(false);
  });
});

describe('verify', () => {
  test('a trace that arrives', async () => {
    const { outputs } = await services();
    const cli = fakePulumi({ 'stack output --json --show-secrets --stack dev': output(outputs) });
    const { stdout, said, failure } = await run('verify', ['--json'], cli);
    expect(failure).toBeUndefined();
    const { ok, traceId, ms, hops, ...rest } = JSON.parse(stdout) as { ok: boolean; traceId: string; ms: number; hops: { name: string; ms: number }[] };
    expect([ok, rest, stdout.split('\n').length]).toEqual([true, {}, 2]);
    expect(said).toEqual([...hops.map((hop) => `  ok     ${hop.name}  ${hop.ms} ms`), `Trace ${traceId} arrived in ${ms} ms and was removed again.`]);
    expect(hops).toHaveLength(3);
  });

  test('one that does not', async () => {
    const { outputs } = await services({ emptyLooks: Infinity, otlp: { status: 401, body: 'Unauthorized' } }, noEngine);
    const { stdout, said, failure } = await run('verify', ['--json', '--timeout', '0'], fakePulumi({ 'stack output': output(outputs) }));
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, hops: [{ name: 'application -> Alloy' }], failure: { hop: 'Alloy -> Phoenix', cause: 'Phoenix refuses: 401 Unauthorized' } });
    expect(said).toEqual([expect.stringMatching(/^ {2}ok {5}application -> Alloy {2}\d+ ms$/), '  failed Alloy -> Phoenix']);
    expect(failure).toBe('Alloy -> Phoenix: Phoenix refuses: 401 Unauthorized.\n    docker logs --tail 30 phoenix-dev');
  });

  test('Phoenix is asked with the credentials of the stack, which are said to nobody', async () => {
    const { outputs } = await services({ auth: true });
    const login = { url: outputs.endpoints.phoenixUi, email: 'admin@localhost', password: 'the-first-password' };
    const { stdout, said, failure } = await run('verify', ['--json'], fakePulumi({ 'stack output': output({ ...outputs, login }) }));
    expect(failure).toBeUndefined();
    expect([stdout, ...said].join('\n')).not.toMatch(new RegExp(`${outputs.adminSecret}|${login.password}`));
  });

  test('where the engine is on another machine, it is done from inside the container there', async () => {
    const { outputs, route } = await services();
    const docker = await execEngine(undefined, { over: 'tcp', running: 'phoenix-dev-gate' });
    const elsewhere = { ...outputs, dockerHost: docker.host, internal: route.endpoints, endpoints: { ...outputs.endpoints, otlpHttp: await nobody(), phoenixUi: await nobody() } };
    expect(await run('verify', [], fakePulumi({ 'stack output': output(elsewhere) }))).not.toHaveProperty('failure');
    await docker.ended();
  });

  test.each([['dev', 'npm run up'], ['prod', 'npm run up -- --stack prod']])('a stack %s that is not deployed', async (stack, mend) => {
    const { failure } = await run('verify', ['--stack', stack], fakePulumi({ 'stack output': { stdout: '{}' } }));
    expect(failure).toBe(`Stack ${stack} is not deployed.\n    ${mend}`);
  });
});

describe('down', () => {
  const purged = ['alloy-dev-data', 'phoenix-dev-data', ...['rehearsing', 'switching', 'copied', 'adopted'].map((phase) => `adoption-dev-${phase}`), 'protected-dev'].map((name) => `DELETE /volumes/${name}`);

  const cliOn = (host: string, answers: Record<string, Said> = {}): FakePulumi =>
    fakePulumi({ 'stack export': state(), 'config --json': settings(host), 'state unprotect --all': {}, destroy: {}, ...answers });
  const destroyed = (...more: string[]): string[] => ['destroy', '--yes', '--non-interactive', '--refresh', ...more, '--stack', 'dev'];

  test('keeps the data and says where it is', async () => {
    const docker = await engine();
    const cli = cliOn(docker.host);
    const { said, failure } = await run('down', ['--yes'], cli);
    expect(failure).toBeUndefined();
    expect(cli.calls().at(-1)).toEqual(destroyed('--exclude-protected'));
    expect(cli.calls().map(([command]) => command)).not.toContain('state');
    expect(said.at(-1)).toBe('Stack dev is removed. Its data stays in the volumes alloy-dev-data, phoenix-dev-data; `npm run up` uses it again, `npm run down -- --purge` deletes it.');
    expect(asked(docker)).toContain(`GET /volumes?filters=${label}`);
    expect(asked(docker).filter((request) => request.startsWith('DELETE'))).toEqual([]);
  });

  test.each([['--yes'], ['--purge', '--yes']])('and what is in a PostgreSQL stays there: %s', async (...args) => {
    const docker = await engine({ '/volumes/alloy-dev-data': { status: 204, body: '' }, '/volumes/phoenix-dev-data': { status: 204, body: '' } });
    const phoenix = { type: 'docker:index/container:Container', urn: 'urn:pulumi:dev::llm-observability::docker:index/container:Container::phoenix-server', outputs: { labels: [{ label: 'llm-observability.stack.database', value: 'db.example.com:5432/phoenix' }] } };
    const cli = cliOn(docker.host, { 'stack export': { stdout: JSON.stringify({ deployment: { resources: [phoenix] } }) } });
    const { said, failure } = await run('down', args, cli);
    expect(failure).toBeUndefined();
    expect(said.at(-1)).toContain('PostgreSQL, db.example.com:5432/phoenix, stays there');
  });

  test('after a run that was killed: its lock goes first, then what it had half made, then the stack', async () => {
    killedRun();
    const docker = await engine(leftover);
    const urn = 'urn:pulumi:dev::llm-observability::docker:index/container:Container::alloy';
    const cli = cliOn(docker.host, { cancel: {}, 'stack export': state({ type: 'creating', resource: { urn } }), destroy: { code: 1 } });
    expect((await run('down', ['--yes'], cli)).said.slice(0, 2)).toEqual(['An earlier run was killed; removing its lock', 'Removing container alloy-dev: an earlier run was interrupted while it created it']);
    expect(cli.calls().map(([command]) => command)).toEqual(['cancel', 'stack', 'config', 'destroy']);
    expect(asked(docker)).toContain('DELETE /containers/c1?force=1');
  });

  test("what another checkout has made is not removed from under it", async () => {
    const docker = await engine(leftover);
    const cli = cliOn(docker.host);
    expect((await run('down', ['--yes'], cli)).failure).toMatch(/^alloy-dev on this Docker host belong to a stack llm-observability\/dev whose state is not here/);
    expect(cli.calls().map(([command]) => command)).not.toContain('destroy');
  });

  test('--purge removes the data, after the stack', async () => {
    const gone: Answer = { status: 404, body: '{"message":"no such volume"}' };
    const docker = await engine({ '/volumes/alloy-dev-data': gone, '/volumes/phoenix-dev-data': { status: 204, body: '' } });
    const cli = cliOn(docker.host);
    const { said, failure } = await run('down', ['--purge', '--yes'], cli);
    expect(failure).toBeUndefined();
    // What is protected goes too: without the data its secrets are good for nothing.
    expect(cli.calls().slice(-2)).toEqual([['state', 'unprotect', '--all', '--yes', '--stack', 'dev'], destroyed()]);
    expect(asked(docker).filter((request) => request.startsWith('DELETE /volumes/'))).toEqual(purged);
    expect(said.at(-1)).toBe('Stack dev and its data are removed.');
  });

  describe('--purge at a terminal', () => {
    const question = "This permanently deletes every trace of stack dev (volumes alloy-dev-data, phoenix-dev-data). Type the name of the stack to continue: ";

    test.each<[string, string | undefined]>([['another name', 'prod'], ['a yes', 'y'], ['nothing', ''], ['an end by Ctrl-C', undefined]])('%s is no answer, and removes nothing', async (_, answer) => {
      const docker = await engine();
      const cli = cliOn(docker.host);
      const questions = answering(answer);
      expect(await run('down', ['--purge'], cli)).toEqual({ stdout: '', said: [], failure: 'Nothing was removed.' });
      expect([questions, cli.calls().map(([command]) => command)]).toEqual([[question], ['stack', 'config']]);
      expect(asked(docker).filter((request) => !request.startsWith('GET '))).toEqual([]);
    });

    test('the name of the stack is', async () => {
      const docker = await engine({ '/volumes/alloy-dev-data': { status: 204, body: '' }, '/volumes/phoenix-dev-data': { status: 204, body: '' } });
      const questions = answering(' dev ');
      expect((await run('down', ['--purge'], cliOn(docker.host))).failure).toBeUndefined();
      expect(questions).toEqual([question]);
      expect(asked(docker).filter((request) => request.startsWith('DELETE /volumes/'))).toEqual(purged);
    });
  });

  describe('which engine', () => {
    const check = (engineOfIt: object): object => ({ urn: 'urn:pulumi:dev::llm-observability::observability:index:EngineCheck::engine-check', type: 'observability:index:EngineCheck', outputs: { engine: engineOfIt, engineId: 'A' } });
    const standing = (engineOfIt: object): Record<string, Said> => ({ 'stack export': { stdout: JSON.stringify({ deployment: { resources: [check(engineOfIt)] } }) } });
    const gone: Record<string, Answer> = { '/volumes/alloy-dev-data': { status: 204, body: '' }, '/volumes/phoenix-dev-data': { status: 204, body: '' } };

    test('the one on which the stack is, whatever this shell and its settings would deploy to', async () => {
      const [its, others, shells] = [await engine(gone), await engine(), await engine()];
      setEnvironment({ DOCKER_HOST: shells.host });
      const cli = cliOn(others.host, standing(its.engine));
      expect((await run('down', ['--purge', '--yes'], cli)).failure).toBeUndefined();
      expect(asked(its).filter((request) => request.startsWith('DELETE /volumes/'))).toEqual(purged);
      expect([others.requests, shells.requests]).toEqual([[], []]);
    });

    test.each<[string, object]>([
      ['holds a key, which is encrypted there', { host: 'tcp://192.0.2.1:2376', tls: { ca: 'a', cert: 'c', key: { '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270', ciphertext: 'v1:x' } } }],
      ['is encrypted as a whole', { '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270', ciphertext: 'v1:x' }],
    ])('the one of the settings where that of the state %s', async (_, secret) => {
      const docker = await engine(gone);
      expect((await run('down', ['--purge', '--yes'], cliOn(docker.host, standing(secret)))).failure).toBeUndefined();
      expect(asked(docker).filter((request) => request.startsWith('DELETE /volumes/'))).toEqual(purged);
    });

    test('none, where it is not clear which: nothing is removed from another', async () => {
      const docker = await engine();
      setEnvironment({ DOCKER_HOST: docker.host });
      const cli = fakePulumi({ 'stack export': state(), 'config --json': { stdout: JSON.stringify({ 'docker:context': { value: 'missing' } }) } });
      expect((await run('down', ['--purge', '--yes'], cli)).failure).toBe(
        "docker:context is 'missing': there is no docker context of that name in /nowhere/docker.\n    docker context ls\n    npm run pulumi -- config rm docker:context --stack dev",
      );
      expect([docker.requests, cli.calls().map(([command]) => command)]).toEqual([[], ['stack', 'config']]);
    });
  });

  describe('at a terminal', () => {
    test.each<[string, string | undefined]>([['a no', 'n'], ['nothing', ''], ['an end by Ctrl-C', undefined]])('%s removes nothing', async (_, answer) => {
      const docker = await engine();
      const cli = cliOn(docker.host);
      const questions = answering(answer);
      expect(await run('down', ['--stack', 'prod'], cli)).toEqual({ stdout: '', said: [], failure: 'Nothing was removed.' });
      expect([questions, cli.calls().map(([command]) => command)]).toEqual([['Remove stack prod? Its data stays. [y/N] '], ['stack', 'config']]);
      expect(asked(docker).filter((request) => !request.startsWith('GET '))).toEqual([]);
    });

    test.each([['a yes', 'y', []], ['--yes, which asks nothing,', 'n', ['--yes']]] as const)('%s removes it', async (_, answer, args) => {
      const docker = await engine();
      const cli = cliOn(docker.host);
      const questions = answering(answer);
      expect((await run('down', args, cli)).failure).toBeUndefined();
      expect([questions.length, cli.calls().at(-1)]).toEqual([args.length === 0 ? 1 : 0, destroyed('--exclude-protected')]);
    });
  });

  test('--purge of a stack whose state cannot be changed removes nothing', async () => {
    const docker = await engine();
    const cli = cliOn(docker.host, { 'state unprotect --all': { stderr: 'error: the stack is locked\n', code: 255 } });
    expect((await run('down', ['--purge', '--yes'], cli)).failure).toBe('Removing the protection of the secrets failed: the stack is locked');
    expect(cli.calls().map(([command]) => command)).not.toContain('destroy');
    expect(asked(docker).filter((request) => request.startsWith('DELETE'))).toEqual([]);
  });

  describe('of data that is protected', () => {
    const resource = (type: string, name: string, protect: boolean): object =>
      ({ urn: `urn:pulumi:dev::llm-observability::${type}::${name}`, type, protect, outputs: { name: name.replace('-', '-dev-') } });
    const volume = (name: string, protect: boolean): object => resource('docker:index/volume:Volume', name, protect);
    const secret = resource('random:index/randomPassword:RandomPassword', 'phoenix-secret', true);
    const deployed = (...resources: object[]): Record<string, Said> => ({ 'stack export': { stdout: JSON.stringify({ deployment: { resources } }) } });
    const both = deployed(secret, volume('alloy-data', true), volume('alloy-config', false), volume('phoenix-data', true));

    test.each([
      ['dev', ['--yes']],
      ['prod', ['--yes']],
    ] as const)('--purge of stack %s is refused, and nothing is touched: %j', async (stack, more) => {
      const docker = await engine();
      const cli = cliOn(docker.host, both);
      const { stdout, said, failure } = await run('down', ['--purge', '--stack', stack, ...more], cli);
      expect(failure).toBe(
        [
          `The data of stack ${stack} is protected (data:protect): alloy-dev-data, phoenix-dev-data. Nothing was removed.`,
          `    npm run up -- --stack ${stack} -c data:protect=false`,
          `    npm run down -- ${stack === 'dev' ? '' : '--stack prod '}--purge`,
        ].join('\n'),
      );
      expect([stdout, said]).toEqual(['', []]);
      expect(cli.calls().map(([command, action]) => [command, action])).toEqual([['stack', 'export'], ['config', '--json']]);
      expect(asked(docker).filter((request) => !request.startsWith('GET '))).toEqual([]);
    });

    test('by another checkout, whose mark is on the engine: --purge is refused, and nothing is touched', async () => {
      const docker = await engine({ '/volumes/protected-dev': { Name: 'protected-dev' } });
      const cli = cliOn(docker.host);
      expect((await run('down', ['--purge', '--yes'], cli)).failure).toBe(
        'The data of stack dev is protected (data:protect): alloy-dev-data, phoenix-dev-data. Nothing was removed.\n    npm run up -- --stack dev -c data:protect=false\n    npm run down -- --purge',
      );
      expect(cli.calls().map(([command]) => command)).toEqual(['stack', 'config']);
      expect(asked(docker).filter((request) => !request.startsWith('GET '))).toEqual([]);
      // Without --purge the data stays, and so does the mark.
      expect((await run('down', ['--yes'], cliOn(docker.host))).failure).toBeUndefined();
      expect(asked(docker).filter((request) => !request.startsWith('GET '))).toEqual([]);
    });

    test('a mark without data protects nothing', async () => {
      const docker = await engine({ '/volumes': volumes(), '/volumes/protected-dev': { Name: 'protected-dev' } });
      expect((await run('down', ['--purge', '--yes'], cliOn(docker.host))).failure).toBeUndefined();
      expect(asked(docker)).toContain('DELETE /volumes/protected-dev');
    });

    test('one volume is enough', async () => {
      const { host } = await engine();
      const { failure } = await run('down', ['--purge', '--yes'], cliOn(host, deployed(volume('alloy-data', true), volume('phoenix-data', false))));
      expect(failure).toMatch(/^The data of stack dev is protected \(data:protect\): alloy-dev-data\. Nothing was removed\.\n/);
    });

    test('without --purge the stack goes, and the data stays', async () => {
      const docker = await engine();
      const cli = cliOn(docker.host, both);
      const { said, failure } = await run('down', ['--yes'], cli);
      expect(failure).toBeUndefined();
      expect(cli.calls().at(-1)).toEqual(destroyed('--exclude-protected'));
      expect(cli.calls().map(([command]) => command)).not.toContain('state');
      expect(asked(docker).filter((request) => request.startsWith('DELETE'))).toEqual([]);
      expect(said.at(-1)).toMatch(/^Stack dev is removed\. Its data stays in the volumes alloy-dev-data, phoenix-dev-data; /);
    });

    test('the secrets that belong to it are protected always, and go with --purge', async () => {
      const docker = await engine({ '/volumes/alloy-dev-data': { status: 204, body: '' }, '/volumes/phoenix-dev-data': { status: 204, body: '' } });
      const cli = cliOn(docker.host, deployed(secret, volume('alloy-data', false), volume('phoenix-data', false)));
      expect((await run('down', ['--purge', '--yes'], cli)).failure).toBeUndefined();
      expect(cli.calls().at(-1)).toEqual(destroyed());
      expect(asked(docker).filter((request) => request.startsWith('DELETE /volumes/'))).toEqual(purged);
    });
  });

  describe('--purge that stops on the way protects the secrets again', () => {
    const urn = 'urn:pulumi:dev::llm-observability::random:index/randomPassword:RandomPassword::phoenix-secret';
    const gone = urn.replace('phoenix-secret', 'gone');
    const exported = (...urns: string[]): string => JSON.stringify({ deployment: { resources: urns.map((one) => ({ urn: one, type: 'random:index/randomPassword:RandomPassword', protect: true })) } });

    /** A CLI that knows less after `destroy`, as where a removal has come half the way. */
    function halfWay(host: string, destroy: string, unprotect = ':'): FakePulumi {
      const mark = path.join(tempDir(), 'begun');
      const half = `[ -e ${mark} ] && { echo '${exported(urn)}'; exit 0; }`;
      return cliOn(host, { 'stack export': { first: half, stdout: exported(urn, gone) }, 'state unprotect --all': { first: `: > ${mark}; ${unprotect}` }, 'state protect': {}, destroy: { first: destroy, code: 255 } });
    }
    const protectedAgain = ['state', 'protect', urn, '--yes', '--stack', 'dev'];

    test('where it fails', async () => {
      const docker = await engine();
      const cli = halfWay(docker.host, ':');
      expect((await run('down', ['--purge', '--yes'], cli)).failure).toMatch(/^Not everything was removed/);
      expect(cli.calls().at(-1)).toEqual(protectedAgain);
    });

    describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('at %s', (signal) => {
      const waiting = (until: string, then: string): string => `trap '${then}' INT; : > ${until}; while [ -e ${until} ]; do sleep 0.05; done`;

      test.each<[string, (begun: string) => [string, string?], string]>([
        ['while they are unprotected', (begun) => [':', waiting(begun, 'exit 1')], 'Stopped.'],
        ['between that and the removal', (begun) => [':', waiting(begun, `rm ${begun}`)], 'Stopped. Nothing was removed.'],
        ['while the stack is removed', (begun) => [waiting(begun, 'exit 1')], 'Stopped. The next run continues from here.\n    npm run down -- --purge'],
      ])('%s', async (_, steps, message) => {
        const docker = await engine();
        const begun = path.join(tempDir(), 'begun');
        const cli = halfWay(docker.host, ...steps(begun));
        const running = run('down', ['--purge', '--yes'], cli);
        while (!fs.existsSync(begun)) {
          await pause(10);
        }
        process.emit(signal);
        expect((await running).failure).toBe(message);
        expect(cli.calls().at(-1)).toEqual(protectedAgain);
        expect(asked(docker).filter((request) => request.startsWith('DELETE'))).toEqual([]);
      });
    });
  });

  test('a volume that is in use', async () => {
    const docker = await engine({ '/volumes/alloy-dev-data': { status: 409, body: '{"message":"volume is in use"}' } });
    expect((await run('down', ['--purge', '--yes'], cliOn(docker.host))).failure).toBe(
      'Volume alloy-dev-data could not be removed: volume is in use.\n    docker volume rm alloy-dev-data',
    );
  });

  test('a removal that stops on the way keeps the data', async () => {
    const docker = await engine();
    const { failure } = await run('down', ['--purge', '--yes', '--stack', 'prod'], cliOn(docker.host, { destroy: { code: 255 } }));
    expect(failure).toBe('Not everything was removed; the reason is above. The next run continues from here.\n    npm run down -- --stack prod --purge');
    expect(asked(docker).filter((request) => request.startsWith('DELETE'))).toEqual([]);
  });

  test('no stack', async () => {
    const cli = fakePulumi({ 'stack export': { stderr: "error: no stack named 'dev' found\n", code: 6 } });
    expect((await run('down', ['--yes'], cli)).failure).toBe('There is no stack dev.\n    npm run pulumi -- stack ls');
  });

  test('no engine', async () => {
    const host = (await nobody()).replace('http:', 'tcp:');
    const cli = cliOn(host);
    expect((await run('down', ['--yes'], cli)).failure).toBe(
      `The Docker Engine at ${host} does not answer: connect ECONNREFUSED ${host.slice('tcp://'.length)}. Nothing was removed.\n    DOCKER_HOST=${host} docker info\n    npm run down -- --forget   # if that engine no longer exists`,
    );
    expect(cli.calls().map(([command]) => command)).not.toContain('destroy');
  });

  describe('--forget, for an engine that is gone for good', () => {
    const volume = { urn: 'urn:pulumi:dev::llm-observability::docker:index/volume:Volume::phoenix-data', type: 'docker:index/volume:Volume', protect: true, outputs: { name: 'phoenix-dev-data' } };
    const done: Record<string, Said> = { 'stack export': { stdout: JSON.stringify({ deployment: { resources: [volume] } }) }, 'stack import': {}, 'stack rm': {} };
    const changing = (cli: FakePulumi): string[] => cli.calls().map((args) => args.join(' ').replace(/--file \S+/, '--file STATE')).filter((call) => !/^(stack export|config)/.test(call));
    const all = ['stack import --file STATE --stack dev', 'destroy --yes --non-interactive --stack dev', 'stack rm --yes --preserve-config --stack dev'];
    let gone: string;
    let why: string;
    beforeEach(async () => {
      gone = (await nobody()).replace('http:', 'tcp:');
      why = `The Docker Engine at ${gone} does not answer: connect ECONNREFUSED ${gone.slice('tcp://'.length)}.`;
    });

    test('removes what is elsewhere, then the stack, whose settings stay; protected data is no obstacle', async () => {
      const cli = cliOn(gone, done);
      const { said, failure } = await run('down', ['--forget', '--yes'], cli);
      expect(failure).toBeUndefined();
      expect(changing(cli)).toEqual(all);
      expect(said.at(-1)).toBe(`Stack dev is removed from the state; its settings stay. What is on the Docker Engine at ${gone} was not touched.`);
    });

    test('is refused where the engine answers', async () => {
      const docker = await engine();
      const cli = cliOn(docker.host, done);
      expect((await run('down', ['--forget', '--yes'], cli)).failure).toBe(`The Docker Engine at ${docker.host} answers, so the stack can be removed from it. Nothing was removed.\n    npm run down`);
      expect([changing(cli), asked(docker).filter((request) => !request.startsWith('GET '))]).toEqual([[], []]);
    });

    test.each<[string, string | undefined, string[]]>([['another name', 'prod', []], ['a yes', 'y', []], ['an end by Ctrl-C', undefined, []], ['the name of the stack', 'dev', all]])('at a terminal, %s', async (_, answer, calls) => {
      const cli = cliOn(gone, done);
      const questions = answering(answer);
      expect((await run('down', ['--forget'], cli)).failure).toBe(calls.length > 0 ? undefined : 'Nothing was removed.');
      expect(questions).toEqual([`${why} This permanently removes stack dev from the state, with the keys and secrets of its data. What is on that engine stays there. Type the name of the stack to continue: `]);
      expect(changing(cli)).toEqual(calls);
    });

    test('without a yes and a terminal nothing is done', async () => {
      const cli = fakePulumi({});
      expect((await run('down', ['--forget'], cli)).failure).toBe('Removing stack dev without its Docker Engine needs confirmation, and there is no terminal. Nothing was changed.\n    npm run down -- --forget --yes');
      expect(cli.calls()).toEqual([]);
    });

    test('a removal that stops on the way keeps the stack, and goes on by the same command', async () => {
      const cli = cliOn(gone, { ...done, destroy: { code: 255 } });
      expect((await run('down', ['--forget', '--yes'], cli)).failure).toBe('Not everything was removed; the reason is above. The next run continues from here.\n    npm run down -- --forget');
      expect(changing(cli)).toEqual(all.slice(0, 2));
    });

    test('is one thing, and --purge is another', async () => {
      expect((await run('down', ['--forget', '--purge', '--yes'], fakePulumi({}))).failure).toMatch(/^Option '--forget' cannot be used with option '--purge'\./);
    });

    test('an engine that somebody may not use is not gone', async () => {
      mockCommand.reason = 'connect EACCES /var/run/docker.sock';
      const cli = cliOn('unix:///var/run/docker.sock', done);
      const [plain, forget] = [await run('down', ['--yes'], cli), await run('down', ['--forget', '--yes'], cli)];
      delete mockCommand.reason;
      expect(plain.failure).not.toContain('--forget');
      expect(forget.failure).toMatch(/^The Docker Engine at unix:\/\/\/var\/run\/docker\.sock is running, but you are not allowed to use it: connect EACCES .*\. Nothing was removed\./);
      expect(changing(cli)).toEqual([]);
    });
  });
});

describe('up', () => {
  const stackFile = path.join(projectDir, 'Pulumi.dev.yaml');
  const deployArgs = ['--refresh', '--non-interactive', '--suppress-outputs'];
  const deployed: Said = { stdout: 'Updating (dev):\n     12 created of old\n\nResources:\n    + 12 created\n    ~ 1 updated\n    +-2 replaced\n    16 unchanged\n\nDuration: 9s\n' };
  const noStack: Said = { stderr: "error: no stack named 'dev' found\n", code: 6 };
  let host: string;
  let outputs: Outputs;
  beforeEach(async () => {
    fs.rmSync(stackFile, { force: true });
    ({ host } = await engine());
    // A stack without settings is on the engine of the environment: never on that of the machine of the test.
    setEnvironment({ DOCKER_HOST: host });
    ({ outputs } = await services());
  });

  /** Its calls; a copy of the settings has another name each time. */
  const calls = (pulumi: FakePulumi): string[][] => pulumi.calls().map((args) => args.map((arg, index) => (args[index - 1] === '--config-file' ? 'COPY' : arg)));
  const cli = (answers: Record<string, Said> = {}): FakePulumi =>
    fakePulumi({ 'stack export': state(), 'config --json': settings(host), up: deployed, 'stack output': output(outputs), ...answers });

  test('a new stack: made, set, deployed, verified; one object on stdout', async () => {
    const pulumi = cli({ 'stack export': noStack, 'stack init': {} });
    const { stdout, said, failure } = await run('up', ['--yes', '--json', '-c', 'phoenix:uiPort=6007', '-c', 'loki:url=http://a/?b=c'], pulumi);
    expect(failure).toBeUndefined();
    expect(JSON.parse(stdout)).toEqual({
      endpoints: outputs.endpoints,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      ms: expect.any(Number),
      changes: { created: 12, updated: 1, replaced: 2, unchanged: 16 },
    });
    expect(pulumi.calls()).toEqual([
      ['stack', 'export', '--stack', 'dev'],
      ['stack', 'init', '--no-select', '--stack', 'dev'],
      ['up', ...deployArgs, '--config', 'phoenix:uiPort=6007', '--config', 'loki:url=http://a/?b=c', '--yes', '--stack', 'dev'],
      ['stack', 'output', '--json', '--show-secrets', '--stack', 'dev'],
    ]);
    expect(said[0]).toBe('Stack dev: new');
    expect(said.at(-1)).toBe('  npm run down        remove it; the data stays');
  });

  test('a stack of an organization: the CLI gets its whole name, and files, labels and containers have the short one', async () => {
    const file = path.join(projectDir, 'Pulumi.live.yaml');
    const docker = await engine();
    setEnvironment({ DOCKER_HOST: docker.host });
    const pulumi = cli({ 'stack export': noStack, 'stack init': {}, 'config --json': { stdout: '{}' }, up: { first: 'echo "config: {phoenix:uiPort: x}" > Pulumi.live.yaml', stdout: '1 problem with stack live; nothing was changed.\n', code: 255 }, 'stack rm': {} });
    const { failure } = await run('up', ['--yes', '--stack', 'acme/live'], pulumi);
    expect(failure).toBe('Not deployed: the settings above are refused.');
    expect(pulumi.calls().map((args) => args.slice(-2))).toEqual(pulumi.calls().map(() => ['--stack', 'acme/live']));
    expect(fs.existsSync(file)).toBe(false);
    expect(decodeURIComponent(asked(docker).join('\n'))).toContain('{"label":["llm-observability.stack=llm-observability/live"]}');
    expect((await run('up', ['--stack', 'acme/live'], fakePulumi({}))).failure).toBe('Deploying stack live needs confirmation, and there is no terminal. Nothing was changed.\n    npm run up -- --stack acme/live --yes');
  });

  /** What the real one does with `-c`: it keeps the setting in the file that it is told of, or the stack's. */
  const keepsIt = 'file=Pulumi.dev.yaml; while [ $# -gt 0 ]; do [ "$1" = --config-file ] && file=$2; shift; done; echo "config: {phoenix:uiPort: 6007}" > "$file"';

  test('--preview-only changes nothing', async () => {
    fs.writeFileSync(stackFile, 'config: {}\n');
    const pulumi = cli({ preview: { first: keepsIt } });
    expect(await run('up', ['--preview-only', '-c', 'phoenix:uiPort=6007'], pulumi)).toEqual({ stdout: '', said: [] });
    expect(pulumi.calls().map(([command]) => command).sort()).toEqual(['config', 'preview', 'stack']);
    expect(calls(pulumi).at(-1)).toEqual(['preview', ...deployArgs, '--config', 'phoenix:uiPort=6007', '--config-file', 'COPY', '--diff', '--stack', 'dev']);
    expect(fs.readFileSync(stackFile, 'utf8')).toBe('config: {}\n');
    expect(pulumi.calls().at(-1)?.filter((arg) => fs.existsSync(arg))).toEqual([]);
  });

  test.each([
    ['config: {}\nencryptionsalt: v1:x\n', 'config: {}\n'],
    ['encryptionsalt: v1:x\nconfig:\n  phoenix:auth: "true"\n', 'config:\n  phoenix:auth: "true"\n'],
    // Encrypted with a passphrase that somebody may still have.
    ['encryptionsalt: v1:x\nconfig:\n  phoenix:secret:\n    secure: v1:y\n', 'encryptionsalt: v1:x\nconfig:\n  phoenix:secret:\n    secure: v1:y\n'],
  ])('what the file of a stack that is gone says of its passphrase goes, where nothing is encrypted: %j', async (before, after) => {
    fs.writeFileSync(stackFile, before);
    const pulumi = cli({ 'stack export': noStack, 'stack init': { first: 'cp Pulumi.dev.yaml seen' } });
    expect((await run('up', ['--yes'], pulumi)).failure).toBeUndefined();
    expect(fs.readFileSync(path.join(projectDir, 'seen'), 'utf8')).toBe(after);
  });

  test('the engine is looked for before there is a CLI: what a person has to do comes first', async () => {
    setEnvironment({ DOCKER_HOST: noEngine });
    const pulumi = cli();
    expect((await run('up', ['--yes'], pulumi)).failure).toMatch(/^The Docker Engine at unix:\/\/\/nowhere\/docker\.sock/);
    expect(pulumi.calls()).toEqual([]);
  });

  test('--preview-only of a new stack leaves none', async () => {
    const pulumi = cli({ 'stack export': noStack, 'stack init': { first: 'echo "encryptionsalt: v1:x" > Pulumi.dev.yaml' }, preview: {}, 'stack rm': {} });
    expect((await run('up', ['--preview-only'], pulumi)).failure).toBeUndefined();
    expect(pulumi.calls().at(-1)).toEqual(['stack', 'rm', '--yes', '--preserve-config', '--stack', 'dev']);
    expect(fs.existsSync(stackFile)).toBe(false);
  });

  test('settings that are refused are not kept', async () => {
    fs.writeFileSync(stackFile, 'config: {}\n');
    const pulumi = cli({
      up: { first: "echo 'config: {phoenix:uiPort: x}' > Pulumi.dev.yaml", stdout: "1 problem with stack dev; nothing was changed.\n  - phoenix:uiPort is 'x': …\n", code: 255 },
    });
    expect((await run('up', ['--yes', '-c', 'phoenix:uiPort=x'], pulumi)).failure).toBe('Not deployed: the settings above are refused.');
    expect(fs.readFileSync(stackFile, 'utf8')).toBe('config: {}\n');
  });

  test('settings of a deployment that stopped on the way are', async () => {
    const pulumi = cli({
      up: { first: "echo 'config: {phoenix:uiPort: 6007}' > Pulumi.dev.yaml", stderr: 'error: update failed\n', code: 255 },
    });
    expect((await run('up', ['--yes', '-c', 'phoenix:uiPort=6007'], pulumi)).failure).toBe('Not deployed; the reason is above. The next run continues from here.\n    npm run up');
    expect(fs.readFileSync(stackFile, 'utf8')).toBe('config: {phoenix:uiPort: 6007}\n');
  });

  test('after a run that was killed its lock goes first', async () => {
    killedRun();
    const pulumi = cli({ cancel: {} });
    const { said, failure } = await run('up', ['--yes'], pulumi);
    expect([failure, said[0], pulumi.calls()[0]]).toEqual([undefined, 'An earlier run was killed; removing its lock', ['cancel', '--yes', '--stack', 'dev']]);
  });

  test('a stack that is deployed is no rehearsal any more, which the next adoption would throw away', async () => {
    const docker = await engine();
    const answers = { 'config --json': settings(docker.host) };
    fs.writeFileSync(stackFile, 'config: {}\n');
    const removals = (): string[] => asked(docker).filter((request) => request.startsWith('DELETE'));
    expect((await run('up', ['--yes'], cli({ ...answers, up: { code: 255 } }))).failure).toMatch(/^Not deployed/);
    expect(removals()).toEqual([]);
    expect((await run('up', ['--yes'], cli(answers))).failure).toBeUndefined();
    expect(removals()).toEqual(['DELETE /volumes/adoption-dev-rehearsing']);
  });

  test.each<[string, Said, string[]]>([
    ['at a container: what that has said last', { code: 255 }, ['Container phoenix-dev (Restarting (1) 3 seconds ago) has logged nothing.']],
    ['at its settings: nothing of the containers', { stdout: '1 problem with stack dev; nothing was changed.\n', code: 255 }, []],
  ])('a deployment that stops %s', async (_, stopped, words) => {
    // In the state, so that it is no leftover of somebody else.
    const known = { stdout: JSON.stringify({ deployment: { resources: [{ urn: 'urn:pulumi:dev::a::b::phoenix', type: 'docker:index/container:Container', id: 'c1' }] } }) };
    const docker = await engine({ '/containers/json': [{ Id: 'c1', Names: ['/phoenix-dev'], State: 'restarting', Status: 'Restarting (1) 3 seconds ago' }] });
    fs.writeFileSync(stackFile, 'config: {}\n');
    const { said, failure } = await run('up', ['--yes'], cli({ 'stack export': known, 'config --json': settings(docker.host), up: stopped }));
    expect(failure).toMatch(/^Not deployed/);
    expect(said.filter((text) => text.startsWith('Container '))).toEqual(words);
  });

  test('a run that the system has ended', async () => {
    const { failure } = await run('up', ['--yes'], cli({ up: { first: 'kill -KILL $$' } }));
    expect(failure).toBe('The Pulumi CLI was ended by SIGKILL, as the system does when memory runs out. Nothing is lost: the next run continues from here.\n    npm run up');
  });

  test('after a run that was cut off, the state is put right first', async () => {
    fs.writeFileSync(stackFile, 'config: {}\n');
    const urn = 'urn:pulumi:dev::llm-observability::docker:index/container:Container::alloy';
    const pulumi = cli({ 'stack export': state({ type: 'creating', resource: { urn } }), refresh: {} });
    const { said, failure } = await run('up', ['--yes'], pulumi);
    expect(failure).toBeUndefined();
    expect(said[0]).toBe('A previous run was interrupted at alloy; resuming');
    // State and settings are read side by side.
    expect(pulumi.calls().slice(0, 2).map(([command]) => command).sort()).toEqual(['config', 'stack']);
    expect(pulumi.calls().slice(2).map((args) => args.join(' '))).toEqual([
      'refresh --yes --clear-pending-creates --stack dev',
      `up ${deployArgs.join(' ')} --yes --stack dev`,
      'stack output --json --show-secrets --stack dev',
    ]);
  });

  describe('at a terminal', () => {
    const out = Object.getOwnPropertyDescriptor(process.stdout, 'isTTY') ?? { value: undefined, configurable: true, writable: true };
    beforeEach(() => void Object.defineProperty(process.stdout, 'isTTY', { ...out, value: true }));
    afterEach(() => void Object.defineProperty(process.stdout, 'isTTY', out));
    const done = (pulumi: FakePulumi): string[] => calls(pulumi).map((args) => args.join(' ')).filter((call) => /^(preview|up) /.test(call));
    const shown = `preview ${deployArgs.join(' ')} --config phoenix:uiPort=6007 --config-file COPY --stack dev`;

    test.each<[string, string | undefined]>([['a no', 'n'], ['an end by Ctrl-C', undefined]])('the preview is shown, and after %s nothing is deployed or kept', async (_, answer) => {
      fs.writeFileSync(stackFile, 'config: {}\n');
      const questions = answering(answer);
      const pulumi = cli({ preview: { first: keepsIt } });
      expect((await run('up', ['-c', 'phoenix:uiPort=6007'], pulumi)).failure).toBe('Nothing was deployed.');
      expect([questions, done(pulumi), fs.readFileSync(stackFile, 'utf8')]).toEqual([['Deploy this to stack dev? [y/N] '], [shown], 'config: {}\n']);
    });

    test('after a yes what was shown is deployed, without another preview', async () => {
      const questions = answering('y');
      const pulumi = cli({ preview: {} });
      expect((await run('up', ['-c', 'phoenix:uiPort=6007'], pulumi)).failure).toBeUndefined();
      expect([questions, done(pulumi)]).toEqual([['Deploy this to stack dev? [y/N] '], [shown, `up ${deployArgs.join(' ')} --config phoenix:uiPort=6007 --yes --skip-preview --stack dev`]]);
    });

    test.each([[['--yes']], [['-y', '--json']]])('with %j nobody is asked', async (args) => {
      const questions = answering('n');
      const pulumi = cli();
      expect((await run('up', args, pulumi)).failure).toBeUndefined();
      expect([questions, done(pulumi)]).toEqual([[], [`up ${deployArgs.join(' ')} --yes --stack dev`]]);
    });
  });

  describe('the mark of protected data on the engine', () => {
    /** What a deployment with these settings changes on it. */
    async function marking(args: readonly string[], stored: Record<string, string>, answers: Record<string, Said> = {}): Promise<{ changes: string[]; bodies: unknown[]; failure?: string }> {
      const docker = await engine({ '/volumes/create': { status: 201, body: '{}' } });
      fs.writeFileSync(stackFile, 'config: {}\n');
      const values = Object.fromEntries(Object.entries({ 'docker:host': docker.host, ...stored }).map(([key, value]) => [key, { value }]));
      const { failure } = await run('up', ['--yes', ...args], cli({ 'config --json': { stdout: JSON.stringify(values) }, ...answers }));
      const about = docker.requests.filter(({ method, url }) => method !== 'GET' && /protected|create/.test(url));
      return { changes: about.map(({ method, url }) => `${method} ${url}`), bodies: about.map(({ body }) => body).filter(Boolean), ...(failure === undefined ? {} : { failure }) };
    }

    test.each<[string, string[], Record<string, string>]>([['kept in the stack file', [], { 'data:protect': 'true' }], ['of the command line', ['-c', 'data:protect=true'], { 'data:protect': 'false' }]])('is made by a setting %s', async (_, args, stored) => {
      const { changes, bodies, failure } = await marking(args, stored);
      expect({ changes, failure }).toEqual({ changes: ['POST /volumes/create'] });
      expect(bodies.map((body) => JSON.parse(String(body)) as unknown)).toEqual([{ Name: 'protected-dev', Labels: { 'llm-observability.protect': 'llm-observability/dev' } }]);
    });

    test('goes by a setting that says so', async () => {
      expect(await marking(['-c', 'data:protect=false'], { 'data:protect': 'true' })).toEqual({ changes: ['DELETE /volumes/protected-dev'], bodies: [] });
    });

    test('stays as it is without a setting, and after a deployment that failed', async () => {
      expect(await marking([], {})).toEqual({ changes: [], bodies: [] });
      expect(await marking([], { 'data:protect': 'false' }, { up: { code: 255 } })).toMatchObject({ changes: [], failure: expect.stringMatching(/^Not deployed/) });
    });
  });

  describe('--rotate', () => {
    const urn = (type: string, name: string): string => `urn:pulumi:dev::llm-observability::llm-observability:index:Phoenix$${type}::${name}`;
    const secret = urn('random:index/randomPassword:RandomPassword', 'phoenix-secret');
    const alloyKey = urn('observability:index:ApiKey', 'phoenix-key-alloy');
    const resources = [secret, alloyKey].map((one) => ({ urn: one, type: one.split('$')[1]?.split('::')[0] }));
    const exported: Said = { stdout: JSON.stringify({ deployment: { resources } }) };
    beforeEach(() => fs.writeFileSync(stackFile, 'config: {}\n'));
    const changing = (calls: string[][]): string[][] => calls.filter(([command, action]) => ['up', 'preview', 'state'].includes(command ?? '') || action === 'init');

    test('a key is replaced', async () => {
      const pulumi = cli({ 'stack export': exported });
      expect((await run('up', ['--yes', '--rotate', 'alloy'], pulumi)).failure).toBeUndefined();
      expect(changing(pulumi.calls())).toEqual([['up', ...deployArgs, '--replace', alloyKey, '--yes', '--stack', 'dev']]);
    });

    test('what is protected is given free for it, first', async () => {
      const pulumi = cli({ 'stack export': exported, 'state unprotect': {} });
      expect((await run('up', ['--yes', '--rotate', 'secret', '--rotate', 'alloy'], pulumi)).failure).toBeUndefined();
      expect(changing(pulumi.calls())).toEqual([
        ['state', 'unprotect', secret, '--yes', '--stack', 'dev'],
        ['up', ...deployArgs, '--replace', secret, '--replace', alloyKey, '--yes', '--stack', 'dev'],
      ]);
    });

    test('where that is refused nothing is deployed', async () => {
      const pulumi = cli({ 'stack export': exported, 'state unprotect': { stderr: 'error: the stack is locked\n', code: 255 } });
      expect((await run('up', ['--yes', '--rotate', 'secret'], pulumi)).failure).toBe('Unprotecting what is to be rotated failed: the stack is locked');
      expect(pulumi.calls().map(([command]) => command)).not.toContain('up');
    });

    test('with --preview-only it is shown and nothing else', async () => {
      const pulumi = cli({ 'stack export': exported, preview: {} });
      await run('up', ['--preview-only', '--rotate', 'alloy'], pulumi);
      expect(changing(calls(pulumi))).toEqual([['preview', ...deployArgs, '--replace', alloyKey, '--config-file', 'COPY', '--diff', '--stack', 'dev']]);
    });

    test.each([
      ['only previewed', ['--preview-only'], { preview: {} }, ['preview', ...deployArgs, '--replace', secret, '--config-file', 'COPY', '--diff', '--stack', 'dev']],
      ['that failed', [], { up: { code: 1 } }, ['up', ...deployArgs, '--replace', secret, '--yes', '--stack', 'dev']],
    ] as const)('what was given free for a rotation %s is protected again', async (_, args, answers, call) => {
      const pulumi = cli({ 'stack export': exported, 'state unprotect': {}, 'state protect': {}, ...answers });
      await run('up', [...args, '--yes', '--rotate', 'secret'], pulumi);
      expect(changing(calls(pulumi))).toEqual([
        ['state', 'unprotect', secret, '--yes', '--stack', 'dev'],
        call,
        ['state', 'protect', secret, '--yes', '--stack', 'dev'],
      ]);
    });

    test('a name that there is not: those that there are, and nothing is done', async () => {
      const pulumi = cli({ 'stack export': exported });
      expect((await run('up', ['--yes', '--rotate', 'nobody'], pulumi)).failure).toBe('--rotate nobody: there is secret, alloy.\n    npm run up -- --rotate alloy');
      expect(changing(pulumi.calls())).toEqual([]);
    });
  });

  describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s outside of a run of the CLI undoes what is open, as an error does', (signal) => {
    const out = Object.getOwnPropertyDescriptor(process.stdout, 'isTTY') ?? { value: undefined, configurable: true, writable: true };
    beforeEach(() => void Object.defineProperty(process.stdout, 'isTTY', { ...out, value: true }));
    afterEach(() => void Object.defineProperty(process.stdout, 'isTTY', out));
    const stopping = 'Stopping at the next safe point …';
    const salted = { first: 'echo "encryptionsalt: v1:x" > Pulumi.dev.yaml' };
    const removal = ['stack', 'rm', '--yes', '--preserve-config', '--stack', 'dev'];
    const copies = (pulumi: FakePulumi): string[] => pulumi.calls().flat().filter((arg) => arg.endsWith('/Pulumi.dev.yaml') && fs.existsSync(arg));

    /** Sends it when this is said. */
    const when = (text: string, then: () => void = () => undefined): void => {
      jest.mocked(process.stderr.write).mockImplementation((said) => {
        if (String(said).includes(text)) {
          process.emit(signal);
          then();
        }
        return true;
      });
    };

    test('at the question, of a new stack', async () => {
      mockCommand.answer = () => (process.emit(signal), undefined);
      terminal.is(true);
      const pulumi = cli({ 'stack export': noStack, 'stack init': salted, preview: {}, 'stack rm': {} });
      const { said, failure } = await run('up', [], pulumi);
      expect([failure, said.at(-1)]).toEqual(['Stopped. Nothing was deployed.', stopping]);
      expect(pulumi.calls().at(-1)).toEqual(removal);
      expect([fs.existsSync(stackFile), copies(pulumi)]).toEqual([false, []]);
    });

    test('at the question, of a rotation', async () => {
      fs.writeFileSync(stackFile, 'config: {}\n');
      mockCommand.answer = () => (process.emit(signal), 'y');
      terminal.is(true);
      const urn = 'urn:pulumi:dev::llm-observability::random:index/randomPassword:RandomPassword::phoenix-secret';
      const exported = { stdout: JSON.stringify({ deployment: { resources: [{ urn, type: 'random:index/randomPassword:RandomPassword' }] } }) };
      const pulumi = cli({ 'stack export': exported, 'state unprotect': {}, 'state protect': {}, preview: {} });
      expect((await run('up', ['--rotate', 'secret'], pulumi)).failure).toBe('Stopped. Nothing was deployed.');
      expect(pulumi.calls().map(([command, action]) => (command === 'state' ? action : command)).slice(-3)).toEqual(['unprotect', 'preview', 'protect']);
    });

    test('just before a new stack is made', async () => {
      const pulumi = cli({ 'stack export': noStack, 'stack init': salted, 'stack rm': {} });
      const running = run('up', ['--yes'], pulumi);
      when('Stack dev: new');
      expect((await running).failure).toBe('Stopped. Nothing was deployed.');
      expect(pulumi.calls().map((args) => args.slice(0, 2).join(' '))).toEqual(['stack export', 'stack init', 'stack rm']);
      expect(fs.existsSync(stackFile)).toBe(false);
    });

    test.each<[string, Said]>([
      ['was made', {}],
      ['was not made', { code: 6, stderr: "error: no stack named 'dev' found\n" }],
    ])('while a new stack is made, which %s', async (_, answer) => {
      const begun = path.join(tempDir(), 'begun');
      const pulumi = cli({ 'stack export': noStack, 'stack init': { first: `${salted.first}; trap 'exit 1' INT; : > ${begun}; while :; do sleep 0.05; done` }, 'stack rm': answer });
      const running = run('up', ['--yes'], pulumi);
      while (!fs.existsSync(begun)) {
        await pause(10);
      }
      process.emit(signal);
      expect((await running).failure).toBe('Stopped.');
      expect(pulumi.calls().at(-1)).toEqual(removal);
      expect(fs.existsSync(stackFile)).toBe(false);
    });

    const each = (path: (image: string) => string, answer: Answer): Record<string, Answer> => Object.fromEntries(Object.values(images).map((image) => [path(image), answer]));
    const absent = each((image) => `/images/${image}/json`, { status: 404, body: '{"message":"No such image"}' });

    test.each<[string, Record<string, Answer>, string]>([
      ['the registry is asked', each((image) => `/distribution/${image}/json`, 'silence'), 'GET /distribution/'],
      ['an image is pulled', { ...each((image) => `/distribution/${image}/json`, { Descriptor: { digest: 'sha256:1d' } }), '/images/create': 'silence' }, 'POST /images/create'],
    ])('while %s', async (_, answers, request) => {
      const docker = await engine({ ...absent, ...answers });
      setEnvironment({ DOCKER_HOST: docker.host });
      const pulumi = cli({ 'stack export': noStack, 'stack init': salted, 'config --json': settings(docker.host), 'stack rm': {} });
      const running = run('up', ['--yes'], pulumi);
      while (!asked(docker).some((one) => one.startsWith(request))) {
        await pause(10);
      }
      process.emit(signal);
      expect((await running).failure).toBe('Stopped. Nothing was deployed.');
      expect(pulumi.calls().at(-1)).toEqual(removal);
    });

    test('after the deployment: whether a trace arrives is not looked at', async () => {
      fs.writeFileSync(stackFile, 'config: {}\n');
      // In its last step, so that all of it is done.
      const begun = path.join(tempDir(), 'begun');
      const pulumi = cli({ up: { ...deployed, first: `trap '' INT; echo 'the last step' >&2; while [ ! -e ${begun} ]; do sleep 0.05; done` } });
      const running = run('up', ['--yes'], pulumi);
      when('the last step', () => fs.writeFileSync(begun, ''));
      expect((await running).failure).toBe('Stopped. The stack is deployed; whether a trace arrives was not checked.');
      expect(pulumi.calls().at(-1)?.[0]).toBe('up');
    });
  });

  test('a trace that does not arrive: the object is printed all the same', async () => {
    const broken = await services({ accept: { status: 503, body: 'queue is full' } });
    const { stdout, failure } = await run('up', ['--yes', '--json'], cli({ 'stack output': output(broken.outputs) }));
    expect(Object.keys(JSON.parse(stdout) as object)).toEqual(['endpoints', 'traceId', 'ms', 'changes']);
    expect(failure).toBe(
      'The stack is deployed, but a trace does not arrive.\napplication -> Alloy: Alloy answered 503: queue is full.\n    docker logs --tail 30 alloy-dev',
    );
  });

  describe('an engine that is not there is installed or started', () => {
    const consents = async (args: readonly string[]): Promise<unknown[][]> => {
      mockCommand.ensured.length = 0;
      setEnvironment({ DOCKER_HOST: noEngine });
      const pulumi = cli({ 'config --json': { stdout: '{}' } });
      expect((await run('up', args, pulumi)).failure).toBe('The Docker Engine at unix:///nowhere/docker.sock (DOCKER_HOST) does not answer: connect ENOENT /nowhere/docker.sock.\n    DOCKER_HOST=unix:///nowhere/docker.sock docker info');
      expect(pulumi.calls().map(([command]) => command)).not.toContain('up');
      return mockCommand.ensured.map((args) => args.slice(1));
    };

    test.each<[string, string[], boolean, string, string]>([
      ['if a person agrees', [], true, 'ask', 'npm run up'],
      ['with --yes', ['--yes', '--stack', 'prod'], false, 'yes', 'npm run up -- --stack prod --yes'],
      ['with --yes at a terminal, which asks nothing more', ['-y'], true, 'yes', 'npm run up -- --yes'],
      ['never for a preview', ['--preview-only'], true, 'never', 'npm run up'],
      ['never for a preview, with a yes either', ['--preview-only', '--yes'], true, 'never', 'npm run up -- --yes'],
    ])('%s', async (_, args, terminal, consent, again) => {
      if (terminal) {
        answering('n');
      }
      expect(await consents(args)).toEqual([[consent, again]]);
    });
  });

  test('no engine: nothing is deployed, and the setting that named it is not kept', async () => {
    fs.writeFileSync(stackFile, 'config: {}\n');
    host = (await nobody()).replace('http:', 'tcp:');
    const pulumi = cli();
    expect((await run('up', ['--yes', '-c', `docker:host=${host}`], pulumi)).failure).toBe(
      `The Docker Engine at ${host} (docker:host) does not answer: connect ECONNREFUSED ${host.slice('tcp://'.length)}.\n    DOCKER_HOST=${host} docker info`,
    );
    expect(pulumi.calls().map(([command]) => command)).not.toContain('up');
    expect(fs.readFileSync(stackFile, 'utf8')).toBe('config: {}\n');
  });
});

describe('pulumi', () => {
  const set = ['config', 'set', 'phoenix:auth', 'true', '--stack', 'prod'];
  const noStack: Said = { stderr: "error: no stack named 'prod' found\n", code: 6 };
  const noneSelected: Said = { stderr: 'error: no stack selected; please use `pulumi stack select` or `pulumi stack init` to choose one\n', code: 255 };
  const done = async (args: readonly string[], answers: Record<string, Said>): Promise<[string[][], unknown, string[]]> => {
    const cli = fakePulumi({ ...answers, '': {} });
    const { said } = await run('pulumi', args, cli);
    const { exitCode } = process;
    // It is this process's own.
    process.exitCode = 0;
    return [cli.calls(), exitCode, said];
  };

  test('a setting comes before the first deployment: the stack is made', async () => {
    expect(await done(set, { 'stack export': noStack })).toEqual([[['stack', 'export', '--stack', 'prod'], ['stack', 'init', '--no-select', '--stack', 'prod'], set], 0, ['Stack prod: new']]);
  });

  test.each<[string, Said]>([['is there', state()], ['cannot be read', { stderr: 'error: no access\n', code: 255 }]])('that of a stack that %s is for the CLI alone', async (_, exported) => {
    expect(await done(set, { 'stack export': exported })).toEqual([[['stack', 'export', '--stack', 'prod'], set], 0, []]);
  });

  test.each([[['stack', 'ls']], [['stack', 'rm']], [['destroy']], [['--help']], [['config', 'set', '--help']], [['stack', '-h']], [['stack', 'output', '-s', 'prod']]])('%j is handed on as it is', async (args) => {
    expect(await done(args, { 'stack --show-name': noneSelected })).toEqual([[args], 0, []]);
  });

  test.each([
    [['config'], ['config', '--stack=dev']],
    [['config', '--show-secrets'], ['config', '--stack=dev', '--show-secrets']],
    [['config', 'set', 'a:b', 'c'], ['config', 'set', '--stack=dev', 'a:b', 'c']],
    [['config', 'set', 'a:b', '--', '-c'], ['config', 'set', '--stack=dev', 'a:b', '--', '-c']],
    [['stack'], ['stack', '--stack=dev']],
    [['stack', '--show-urns'], ['stack', '--stack=dev', '--show-urns']],
    [['stack', 'output', 'login', '--show-secrets'], ['stack', 'output', '--stack=dev', 'login', '--show-secrets']],
    [['refresh', '--yes'], ['refresh', '--stack=dev', '--yes']],
  ])('%j is for the stack dev, unless one is selected', async (args, expected) => {
    const asks = ['stack', '--show-name'];
    const reads = expected[0] === 'config' && args.length > 1 ? [['stack', 'export', '--stack', 'dev']] : [];
    expect(await done(args, { 'stack --show-name': noneSelected, 'stack export': state() })).toEqual([[asks, ...reads, expected], 0, []]);
    expect(await done(args, { 'stack --show-name': { stdout: 'prod\n' } })).toEqual([[asks, args], 0, []]);
  });

  test('a setting on a fresh machine, without a stack: dev is made', async () => {
    const [calls, code, said] = await done(['config', 'set', 'tls:plain', 'true'], { 'stack --show-name': noneSelected, 'stack export': { stderr: "error: no stack named 'dev' found\n", code: 6 } });
    expect([calls.slice(2), code, said]).toEqual([[['stack', 'init', '--no-select', '--stack', 'dev'], ['config', 'set', '--stack=dev', 'tls:plain', 'true']], 0, ['Stack dev: new']]);
  });

  test.each([
    ['names none', ['destroy', '--stack='], '--stack names no stack. Nothing was done.'],
    ['names an empty one', ['up', '--stack', '', '--yes'], '--stack names no stack. Nothing was done.'],
    ['is the last word', ['up', '-s'], '--stack names no stack. Nothing was done.'],
    ['is given twice', ['up', '-s', 'dev', '--stack=prod'], '--stack is given 2 times: dev, prod. Nothing was done.'],
  ])('a --stack that %s reaches no CLI, which would act on some stack', async (_, args, failure) => {
    const cli = fakePulumi({});
    expect((await run('pulumi', args, cli)).failure).toBe(`${failure}\n    npm run pulumi -- stack ls`);
    expect(cli.calls()).toEqual([]);
  });

  test('its exit code is that of the command', async () => {
    expect((await done(['about'], { about: { code: 7 } }))[1]).toBe(7);
  });
});

describe('doctor', () => {
  const missing = 'Something is missing; the command under each line fixes it. `npm run up` does most of it by itself.';

  test('all is there', async () => {
    const { host } = await engine();
    setEnvironment({ DOCKER_HOST: host });
    const cli = fakePulumi({});
    expect(await run('doctor', [], cli)).toEqual({
      said: [],
      stdout: [
        `ok       Node       ${process.versions.node}`,
        'ok       network    https://get.pulumi.com answers',
        `ok       Pulumi     ${cli.file}`,
        'ok       plugins    installed',
        `ok       state      ${local.dir} (created by the first run)`,
        `ok       Docker     28.3.0 at ${host} (DOCKER_HOST)`,
        // A stack without a tunnel and stores has no use for their images.
        ...(['phoenix', 'alloy', 'gate'] as const).map((service) => [service, images[service]] as const).map(([service, image]) => `ok       ${service.padEnd(10)} ${image} is on the engine`),
        '',
      ].join('\n'),
    });
  });

  test('what is missing has its command under it', async () => {
    const { host } = await fakeEngine({ '/version': { Version: '19.3.0', ApiVersion: '1.40' } });
    setEnvironment({ DOCKER_HOST: host });
    fs.mkdirSync(local.dir);
    fs.writeFileSync(local.passphrase, 'x');
    fs.chmodSync(local.passphrase, 0o644);
    const { stdout, failure } = await run('doctor', []);
    expect(failure).toBe(missing);
    const mend = (command: string): string => `${' '.repeat(20)}${command}`;
    expect(stdout.split('\n').slice(2)).toEqual([
      'missing  Pulumi     no CLI on PATH and none downloaded yet',
      mend('npm run up   # downloads the pinned one'),
      'ok       plugins    installed',
      `missing  state      ${local.passphrase} can be read by other users (mode 644)`,
      mend(`chmod 600 ${local.passphrase}`),
      'missing  Docker     19.3.0 is too old (API 1.40, at least 1.41)',
      mend('sudo apt-get install --only-upgrade docker.io'),
      '',
    ]);
  });

  test('a folder for the state that cannot be written to', async () => {
    const { host } = await engine();
    setEnvironment({ DOCKER_HOST: host });
    fs.writeFileSync(local.dir, 'a file');
    const { stdout, failure } = await run('doctor', [], fakePulumi({}));
    expect(failure).toBe(missing);
    expect(stdout).toMatch(new RegExp(`^missing {2}state {6}${local.dir} cannot be written to: ENOTDIR.*\n {20}export XDG_STATE_HOME=/a/folder/that/you/may/write/to `, 'm'));
  });

  test('an engine that was named wrongly; doctor never installs or starts one', async () => {
    setEnvironment({ DOCKER_HOST: undefined, DOCKER_CONTEXT: 'missing' });
    mockCommand.ensured.length = 0;
    answering('y');
    const { stdout, failure } = await run('doctor', [], fakePulumi({}));
    expect([failure, mockCommand.ensured.map(([, consent]) => consent)]).toEqual([missing, ['never']]);
    const mend = ['docker context ls', 'unset DOCKER_CONTEXT'].map((command) => `${' '.repeat(20)}${command}\n`).join('');
    expect(stdout).toContain(`missing  Docker     DOCKER_CONTEXT is 'missing': there is no docker context of that name in /nowhere/docker.\n${mend}`);
  });

  test('no engine', async () => {
    const host = (await nobody()).replace('http:', 'tcp:');
    setEnvironment({ DOCKER_HOST: host });
    const { stdout, failure } = await run('doctor', [], fakePulumi({}));
    expect(failure).toBe(missing);
    expect(stdout).toContain(`missing  Docker     The Docker Engine at ${host} (DOCKER_HOST) does not answer: connect ECONNREFUSED ${host.slice('tcp://'.length)}.\n${' '.repeat(20)}DOCKER_HOST=${host} docker info\n`);
  });
});
