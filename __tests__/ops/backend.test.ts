import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { backendEnvironment } from '../../ops/support/backend';
import { listen } from '../support/said';
import { tempDir } from '../support/temp';

jest.mock('node:fs', () => {
  const actual = jest.requireActual<typeof fs>('node:fs');
  return { ...actual, existsSync: jest.fn(actual.existsSync) };
});
jest.mock('node:os', () => {
  const actual = jest.requireActual<typeof os>('node:os');
  return { ...actual, homedir: jest.fn(actual.homedir) };
});

let dir: string;
let home: string;
beforeEach(() => {
  dir = path.join(tempDir(), '.state');
  home = tempDir();
});

const environment = (env: Record<string, string> = {}): Record<string, string> => backendEnvironment({ PULUMI_HOME: home, ...env }, dir);
const modeOf = (file: string): string => (fs.statSync(file).mode & 0o777).toString(8);
const logIn = (content: string): void => fs.writeFileSync(path.join(home, 'credentials.json'), content);

test('without a backend: files, and a passphrase that only its owner can read', () => {
  const said = listen();
  // With the loosest mask a mode that was not asked for would show.
  const mask = process.umask(0);
  try {
    expect(environment()).toEqual({ PULUMI_BACKEND_URL: `file://${dir}/backend`, PULUMI_CONFIG_PASSPHRASE_FILE: `${dir}/passphrase` });
  } finally {
    process.umask(mask);
  }
  expect([dir, path.join(dir, 'backend'), path.join(dir, 'passphrase')].map(modeOf)).toEqual(['700', '700', '600']);
  // 24 bytes.
  expect(fs.readFileSync(path.join(dir, 'passphrase'), 'utf8')).toMatch(/^[\w-]{32}\n$/);
  expect(said).toEqual([
    `State: files in ${path.relative(process.cwd(), dir)}; its secrets are encrypted with the passphrase generated there. Keep both.`,
  ]);
});

test("with a token of Pulumi's own service the state is there, and no files are made", () => {
  expect(environment({ PULUMI_ACCESS_TOKEN: 'pul-0123456789' })).toEqual({});
  expect(fs.existsSync(dir)).toBe(false);
  // A secret that a pull request does not get arrives empty.
  expect(environment({ PULUMI_ACCESS_TOKEN: '', PULUMI_BACKEND_URL: '' })).toMatchObject({ PULUMI_BACKEND_URL: `file://${dir}/backend` });
});

test('the passphrase is generated once, and said once', () => {
  const said = listen();
  const first = environment();
  const passphrase = fs.readFileSync(path.join(dir, 'passphrase'), 'utf8');
  expect(environment()).toEqual(first);
  expect(fs.readFileSync(path.join(dir, 'passphrase'), 'utf8')).toBe(passphrase);
  expect(said).toHaveLength(1);
});

test('two checkouts have two passphrases', () => {
  listen();
  environment();
  const first = fs.readFileSync(path.join(dir, 'passphrase'), 'utf8');
  dir = path.join(tempDir(), '.state');
  environment();
  expect(fs.readFileSync(path.join(dir, 'passphrase'), 'utf8')).not.toBe(first);
});

test('of two runs at once, one writes the passphrase and the other takes it', () => {
  const said = listen();
  fs.mkdirSync(dir);
  fs.writeFileSync(path.join(dir, 'passphrase'), 'of the other run\n');
  jest.mocked(fs.existsSync).mockReturnValueOnce(false);
  expect(environment()).toMatchObject({ PULUMI_CONFIG_PASSPHRASE_FILE: `${dir}/passphrase` });
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
  const nothing = (env: Record<string, string> = {}): void => {
    expect(environment(env)).toEqual({});
    expect(fs.existsSync(dir)).toBe(false);
  };

  test('in the environment', () => nothing({ PULUMI_BACKEND_URL: 's3://state' }));

  test('with `pulumi login`', () => {
    logIn('{"current":"https://api.pulumi.com","accessTokens":{}}');
    nothing();
  });

  test('in the home directory, where PULUMI_HOME names none', () => {
    fs.mkdirSync(path.join(home, '.pulumi'));
    fs.writeFileSync(path.join(home, '.pulumi', 'credentials.json'), '{"current":"file://~"}');
    jest.mocked(os.homedir).mockReturnValueOnce(home).mockReturnValueOnce(home);
    expect(backendEnvironment({}, dir)).toEqual({});
    expect(backendEnvironment({ PULUMI_HOME: '' }, dir)).toEqual({});
  });
});

test.each(['{"current":"","accessTokens":{}}', '{}', 'null', 'torn{'])('after `pulumi logout`, or with credentials that say nothing: %s', (content) => {
  listen();
  logIn(content);
  expect(environment()).toMatchObject({ PULUMI_BACKEND_URL: `file://${dir}/backend` });
});
