import * as fs from 'node:fs';
import * as path from 'node:path';
import { loginsOf, type Login } from '../../ops/support/registry-login';
import { tempDir } from '../support/temp';

const hub = 'https://index.docker.io/v1/';
const ours = 'registry.example.com:5000';
const image = `${ours}/team/alloy:v1.18.1`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

let home: string;
let searched: string | undefined;
beforeEach(() => {
  home = tempDir();
  searched = process.env['PATH'];
});

/** `~/.docker/config.json` */
function config(content: object | string, dir = path.join(home, '.docker')): void {
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(path.join(dir, 'config.json'), typeof content === 'string' ? content : JSON.stringify(content));
}

const login = (reference: string, settings: Readonly<Record<string, string>> = {}, env: NodeJS.ProcessEnv = {}): Promise<Login> => loginsOf(settings, { PATH: searched, ...env }, home)(reference);

/** What the engine reads in the header: base64 with the letters of URLs, padded. */
function shown({ header }: Login): object | undefined {
  expect(header ?? '').toMatch(/^[\w-]*={0,2}$/);
  expect((header ?? '').length % 4).toBe(0);
  return header === undefined ? undefined : (JSON.parse(Buffer.from(header, 'base64url').toString()) as object);
}

test('nobody is logged in, and that is no trouble', async () => {
  expect(await login(image)).toEqual({});
  config({ auths: {} });
  expect(await login(image)).toEqual({});
  config('');
  expect(await login(image)).toEqual({});
});

test.each([
  [image, ours, { auth: base64('ann:p:w>>>???') }, { username: 'ann', password: 'p:w>>>???', serveraddress: ours }],
  [image, `https://${ours}/v2/`, { auth: base64('ann:pw\0') }, { username: 'ann', password: 'pw', serveraddress: ours }],
  [image, ours, { username: 'ann', password: 'pw' }, { username: 'ann', password: 'pw', serveraddress: ours }],
  [image, ours, { auth: base64('00000000:'), identitytoken: 'refresh' }, { username: '00000000', password: '', identitytoken: 'refresh', serveraddress: ours }],
  [image, ours, { registrytoken: 'bearer' }, { registrytoken: 'bearer', serveraddress: ours }],
  ['grafana/alloy:v1.18.1', hub, { auth: base64('ann:pw') }, { username: 'ann', password: 'pw', serveraddress: hub }],
  ['docker.io/grafana/alloy:v1.18.1', hub, { auth: base64('ann:pw') }, { username: 'ann', password: 'pw', serveraddress: hub }],
])('%s, logged in at %s with %j', async (reference, address, entry, auth) => {
  config({ auths: { 'other.example.com': { auth: base64('other:other') }, [address]: entry } });
  expect(shown(await login(reference))).toEqual(auth);
});

test('a login elsewhere is none here', async () => {
  config({ auths: { [hub]: { auth: base64('ann:pw') }, 'registry.example.com': { auth: base64('ann:pw') }, [ours]: {} } });
  expect(await login(image)).toEqual({});
});

test('DOCKER_CONFIG names another folder', async () => {
  const dir = tempDir();
  config({ auths: { [ours]: { auth: base64('ann:pw') } } }, dir);
  expect(shown(await login(image, {}, { DOCKER_CONFIG: dir }))).toMatchObject({ username: 'ann' });
});

describe('a keychain', () => {
  /** `docker-credential-NAME`, on PATH. */
  function helper(name: string, script: string): void {
    const dir = tempDir();
    fs.writeFileSync(path.join(dir, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    searched = [dir, searched].join(path.delimiter);
  }
  const answers = 'read -r server || :; printf \'{"ServerURL":"%s","Username":"%s","Secret":"from %s"}\\n\' "$server" "$1" "$server"';

  test('is asked for the registry on its stdin', async () => {
    helper('chain', answers);
    config({ credsStore: 'chain', auths: { [ours]: {} } });
    expect(shown(await login(image))).toEqual({ username: 'get', password: `from ${ours}`, serveraddress: ours });
    expect(shown(await login('nginx:1.30.6'))).toEqual({ username: 'get', password: `from ${hub}`, serveraddress: hub });
  });

  test("that is a registry's own comes before the one for all", async () => {
    helper('all', 'echo "{\\"Username\\":\\"all\\",\\"Secret\\":\\"s\\"}"');
    helper('own', 'echo "{\\"Username\\":\\"own\\",\\"Secret\\":\\"s\\"}"');
    config({ credsStore: 'all', credHelpers: { [ours]: 'own' } });
    expect(shown(await login(image))).toMatchObject({ username: 'own' });
    expect(shown(await login('nginx:1.30.6'))).toMatchObject({ username: 'all' });
  });

  test('may keep a token in the place of a password', async () => {
    helper('token', 'echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"refresh\\"}"');
    config({ credsStore: 'token' });
    expect(shown(await login(image))).toEqual({ identitytoken: 'refresh', serveraddress: ours });
  });

  test('without a login there is no trouble', async () => {
    helper('empty', 'echo "credentials not found in native keychain"; exit 1');
    config({ credsStore: 'empty' });
    expect(await login(image)).toEqual({});
  });

  test.each([
    ['that is locked', 'echo "error getting credentials - err: exit status 1, out: the keychain is locked"; exit 1', /docker-credential-bad gives no login for registry\.example\.com:5000 \(error getting credentials.*locked\)/],
    ['that says nothing', 'exit 3', /gives no login .*\(it ended with 3\)/],
    ['that answers with no JSON, which is not shown', 'echo "my secret"', /^the answer of docker-credential-bad is not JSON$/],
  ])('%s is told of', async (_, script, trouble) => {
    helper('bad', script);
    config({ credsStore: 'bad' });
    expect(await login(image)).toEqual({ trouble: expect.stringMatching(trouble) });
  });

  test('that is not installed, as on a server with the configuration of a laptop', async () => {
    config({ credsStore: 'nowhere' });
    // Jest has timers of its own.
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    expect(await login(image)).toEqual({ trouble: 'docker-credential-nowhere is not on PATH' });
    // One that is left keeps the command alive after its last word.
    expect(timers()).toBe(before);
  });

  test('is asked once for a registry, however many images come from there', async () => {
    const count = path.join(tempDir(), 'count');
    helper('counted', `echo asked >> ${count}; ${answers}`);
    config({ credsStore: 'counted' });
    const logins = loginsOf({}, { PATH: searched }, home);
    await Promise.all([logins(image), logins(`${ours}/team/phoenix:20.26.1`), logins(image)]);
    expect(fs.readFileSync(count, 'utf8')).toBe('asked\n');
  });
});

test.each([
  ['no JSON', '{', 'is not JSON'],
])('a configuration that is %s', async (_, content, trouble) => {
  config(content);
  expect(await login(image)).toEqual({ trouble: `${path.join(home, '.docker', 'config.json')} ${trouble}` });
});

test('DOCKER_AUTH_CONFIG comes before the file, where it has a login', async () => {
  config({ auths: { [ours]: { auth: base64('file:pw') } } });
  const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [ours]: { auth: base64('variable:pw') } } }) };
  expect(shown(await login(image, {}, env))).toMatchObject({ username: 'variable' });
  expect(shown(await login(image, {}, { DOCKER_AUTH_CONFIG: '{"auths":{}}' }))).toMatchObject({ username: 'file' });
});

describe('docker:registryAuth', () => {
  const of = (...entries: object[]): Record<string, string> => ({ 'docker:registryAuth': JSON.stringify(entries) });

  test('wins over what this user is logged in with', async () => {
    config({ auths: { [ours]: { auth: base64('file:pw') }, [hub]: { auth: base64('hub:pw') } } });
    const settings = of({ address: 'other.example.com', username: 'x', password: 'x' }, { address: `https://${ours}/`, username: 'stack', password: 's' });
    expect(shown(await login(image, settings))).toEqual({ username: 'stack', password: 's', serveraddress: ours });
    expect(shown(await login('nginx:1.30.6', settings))).toMatchObject({ username: 'hub' });
  });

  test.each(['docker.io', 'registry-1.docker.io', 'https://index.docker.io/v1/', 'registry.hub.docker.com'])('%s is Docker Hub', async (address) => {
    expect(shown(await login('nginx:1.30.6', of({ address, username: 'ann', password: 'pw' })))).toEqual({ username: 'ann', password: 'pw', serveraddress: hub });
  });

  test('may name a configuration of docker, or hold one', async () => {
    const dir = tempDir();
    config({ auths: { [ours]: { auth: base64('named:pw') } } }, dir);
    expect(shown(await login(image, of({ address: ours, configFile: path.join(dir, 'config.json') })))).toMatchObject({ username: 'named' });
    const configFileContent = JSON.stringify({ auths: { [ours]: { auth: base64('held:pw') } } });
    expect(shown(await login(image, of({ address: ours, configFileContent })))).toMatchObject({ username: 'held' });
  });

  test('that is no JSON is named and not shown', async () => {
    expect(await login(image, { 'docker:registryAuth': '[{"password":"s3cret"' })).toEqual({ trouble: 'docker:registryAuth is not JSON' });
  });
});
