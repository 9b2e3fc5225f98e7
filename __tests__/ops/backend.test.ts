import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { backendEnvironment, localState, projectDir } from '../../ops/support/backend';
import { listen } from '../support/said';
import { tempDir } from '../support/temp';

jest.mock('node:fs', () => {
  const actual = jest.requireActual<typeof fs>('node:fs');
  return { ...actual, existsSync: jest.fn(actual.existsSync), readFileSync: jest.fn(actual.readFileSync) };
});
jest.mock('node:os', () => {
  const actual = jest.requireActual<typeof os>('node:os');
  return { ...actual, homedir: jest.fn(actual.homedir) };
});

let dir: string;
let old: string;
let home: string;
beforeEach(() => {
  dir = path.join(tempDir(), 'state', 'llm-observability');
  old = path.join(tempDir(), '.state');
  home = tempDir();
});

const places = (): { usual: string; old: string } => ({ usual: dir, old });
const environment = (env: Record<string, string> = {}): Record<string, string> => backendEnvironment({ PULUMI_HOME: home, ...env }, places());
const modeOf = (file: string): string => (fs.statSync(file).mode & 0o777).toString(8);
const logIn = (content: string, where = home): void => fs.writeFileSync(path.join(where, 'credentials.json'), content);

test('without a backend: files, and a passphrase that only its owner can read', () => {
  const said = listen();
  // With the loosest mask a mode that was not asked for would show.
  const mask = process.umask(0);
  try {
    expect(environment()).toEqual({ PULUMI_BACKEND_URL: `file://${dir}/backend`, PULUMI_CONFIG_PASSPHRASE_FILE: `${dir}/passphrase` });
  } finally {
    process.umask(mask);
  }
  expect([path.dirname(dir), dir, path.join(dir, 'backend'), path.join(dir, 'passphrase')].map(modeOf)).toEqual(['700', '700', '700', '600']);
  // 24 bytes.
  expect(fs.readFileSync(path.join(dir, 'passphrase'), 'utf8')).toMatch(/^[\w-]{32}\n$/);
  expect(said).toEqual([`State: files in ${dir}, for all your checkouts; its secrets are encrypted with the passphrase generated there. Keep both.`]);
});

test("with a token of Pulumi's own service the state is there, and no files are made", () => {
  expect(environment({ PULUMI_ACCESS_TOKEN: 'pul-0123456789' })).toEqual({});
  expect(fs.existsSync(dir)).toBe(false);
  // A secret that a pull request does not get arrives empty.
  listen();
  expect(environment({ PULUMI_ACCESS_TOKEN: '', PULUMI_BACKEND_URL: '' })).toMatchObject({ PULUMI_BACKEND_URL: `file://${dir}/backend` });
});

test('the passphrase is generated once, and said once: all checkouts have one', () => {
  const said = listen();
  const first = environment();
  const passphrase = fs.readFileSync(path.join(dir, 'passphrase'), 'utf8');
  old = path.join(tempDir(), '.state');
  expect(environment()).toEqual(first);
  expect(fs.readFileSync(path.join(dir, 'passphrase'), 'utf8')).toBe(passphrase);
  expect(said).toHaveLength(1);
});

test('of two runs at once, one writes the passphrase and the other takes it', () => {
  const said = listen();
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(path.join(dir, 'passphrase'), 'of the other run\n');
  const actual = jest.requireActual<typeof fs>('node:fs').existsSync;
  jest.mocked(fs.existsSync).mockImplementation((file) => !String(file).endsWith('passphrase') && actual(file));
  expect(environment()).toMatchObject({ PULUMI_CONFIG_PASSPHRASE_FILE: `${dir}/passphrase` });
  jest.mocked(fs.existsSync).mockImplementation(actual);
  expect(fs.readFileSync(path.join(dir, 'passphrase'), 'utf8')).toBe('of the other run\n');
  expect(said).toEqual([]);
});

test.each([
  [{ PULUMI_CONFIG_PASSPHRASE: 'theirs' }],
  // The CLI takes an empty one as it is.
  [{ PULUMI_CONFIG_PASSPHRASE: '' }],
  [{ PULUMI_CONFIG_PASSPHRASE_FILE: '/etc/passphrase' }],
])('a passphrase of the environment is the one: %j', (env) => {
  const said = listen();
  expect(environment(env)).toEqual({ PULUMI_BACKEND_URL: `file://${dir}/backend` });
  expect(fs.readdirSync(dir)).toEqual(['backend']);
  expect(said).toEqual([]);
});

test('an empty name of a file is none', () => {
  listen();
  expect(environment({ PULUMI_CONFIG_PASSPHRASE_FILE: '' })).toMatchObject({ PULUMI_CONFIG_PASSPHRASE_FILE: `${dir}/passphrase` });
});

describe('a backend that somebody chose wins, and nothing is written', () => {
  const nothing = (env: Record<string, string> = {}, given: object = {}): void => {
    expect(environment(env)).toEqual(given);
    expect(localState({ PULUMI_HOME: home, ...env }, places())).toBeUndefined();
    expect(fs.existsSync(dir)).toBe(false);
  };

  /** As if Pulumi.yaml had these lines. */
  function project(lines: string): void {
    const actual = jest.requireActual<typeof fs>('node:fs').readFileSync;
    jest.mocked(fs.readFileSync).mockImplementation(((file: string, ...args: [BufferEncoding]) =>
      file === path.join(projectDir, 'Pulumi.yaml') ? `name: llm-observability\n${lines}` : actual(file, ...args)) as typeof fs.readFileSync);
  }
  afterEach(() => jest.mocked(fs.readFileSync).mockImplementation(jest.requireActual<typeof fs>('node:fs').readFileSync));

  test('in the environment', () => nothing({ PULUMI_BACKEND_URL: 's3://state' }));

  test('with `pulumi login`', () => {
    logIn('{"current":"https://api.pulumi.com","accessTokens":{}}');
    nothing();
  });

  test('with a login whose credentials are elsewhere', () => {
    const elsewhere = tempDir();
    logIn('{"current":"https://api.pulumi.com"}', elsewhere);
    nothing({ PULUMI_CREDENTIALS_PATH: elsewhere });
  });

  test('in the home directory, where PULUMI_HOME names none', () => {
    fs.mkdirSync(path.join(home, '.pulumi'));
    logIn('{"current":"file://~"}', path.join(home, '.pulumi'));
    jest.mocked(os.homedir).mockReturnValueOnce(home).mockReturnValueOnce(home);
    expect(backendEnvironment({}, places())).toEqual({});
    expect(backendEnvironment({ PULUMI_HOME: '' }, places())).toEqual({});
  });

  test.each(['backend:\n  url: s3://state?region=eu-central-1\n', 'backend: { url: "file://~/state" }\n', 'backend:\n  url: file:///srv/state\n'])('in Pulumi.yaml: %j', (lines) => {
    project(lines);
    nothing();
  });

  test.each(['backend:\n', 'backend: {}\n', 'backend:\n  url: ""\n', 'description: "backend: url: s3://state"\n'])('but not by a Pulumi.yaml that names none: %j', (lines) => {
    project(lines);
    listen();
    expect(environment()).toMatchObject({ PULUMI_BACKEND_URL: `file://${dir}/backend` });
  });

  test('not by a Pulumi.yaml that cannot be read, which is said', () => {
    project('\tbackend: x\n');
    expect(() => environment()).toThrow(/^Pulumi\.yaml is not valid YAML: .+\.\n {4}git diff Pulumi\.yaml$/);
  });

  test('as a folder relative to the checkout, wherever the CLI runs', () => {
    project('backend:\n  url: file://./state\n');
    nothing({}, { PULUMI_BACKEND_URL: `file://${projectDir}/state` });
    nothing({ PULUMI_BACKEND_URL: 'file://../other' }, { PULUMI_BACKEND_URL: `file://${path.dirname(projectDir)}/other` });
    // The environment counts before the file.
    nothing({ PULUMI_BACKEND_URL: 's3://state' });
  });
});

test.each(['{"current":"","accessTokens":{}}', '{}', 'null', 'torn{'])('after `pulumi logout`, or with credentials that say nothing: %s', (content) => {
  listen();
  logIn(content);
  expect(environment()).toMatchObject({ PULUMI_BACKEND_URL: `file://${dir}/backend` });
});

test('by default outside of every checkout, as the XDG specification says', () => {
  jest.mocked(os.homedir).mockReturnValueOnce(home).mockReturnValueOnce(home);
  expect(localState({})).toMatchObject({ dir: path.join(home, '.local', 'state', 'llm-observability') });
  expect(localState({ PULUMI_HOME: home, XDG_STATE_HOME: '/srv/states' })).toMatchObject({ dir: '/srv/states/llm-observability', backend: '/srv/states/llm-observability/backend' });
});
