import { generateKeyPairSync } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { chooseEngine, type Choice, type EngineSettings } from '../../engine';
import { engineAuthority } from '../support/engine-authority';
import { home } from '../support/surroundings';
import { tempDir } from '../support/temp';

jest.mock('node:fs', () => {
  const actual = jest.requireActual<typeof fs>('node:fs');
  return { ...actual, readFileSync: jest.fn(actual.readFileSync) };
});

const files = ['ca.pem', 'cert.pem', 'key.pem'] as const;
const text = (folder: string, file: string): string => fs.readFileSync(path.join(folder, file), 'utf8');
let client: string;
let other: string;
beforeAll(() => {
  const authority = engineAuthority();
  [client, other] = [authority.client(), authority.client()];
});

/** The certificates of a client, with something else in the place of one file. */
function folder(change: (dir: string) => void = () => {}): string {
  const dir = tempDir();
  files.forEach((file) => fs.copyFileSync(path.join(client, file), path.join(dir, file)));
  change(dir);
  return dir;
}

const encrypted = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'of somebody' });
const host = 'tcp://192.0.2.1:2376';
const choose = (settings: EngineSettings, env: NodeJS.ProcessEnv = {}): Choice => chooseEngine({ 'docker:host': host, ...settings }, { ...home(), env });
const example = '/path/of/a/folder/with/ca.pem,cert.pem,key.pem';
const texts = (): EngineSettings => ({ 'docker:caMaterial': text(client, 'ca.pem'), 'docker:certMaterial': text(client, 'cert.pem'), 'docker:keyMaterial': text(client, 'key.pem') });

describe('which certificates', () => {
  test('those of the setting', () => {
    expect(choose({ 'docker:certPath': client })).toEqual({ engine: { host, tls: { certPath: client } }, source: 'docker:host', problems: [] });
  });

  test('those that are given as text', () => {
    const tls = { ca: text(client, 'ca.pem'), cert: text(client, 'cert.pem'), key: text(client, 'key.pem') };
    expect(choose(texts())).toEqual({ engine: { host, tls }, source: 'docker:host', problems: [] });
  });

  test.each<[string, () => NodeJS.ProcessEnv, boolean]>([
    ['none', () => ({}), false],
    ['those of DOCKER_CERT_PATH with DOCKER_TLS_VERIFY', () => ({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: client }), true],
    ['those of DOCKER_CERT_PATH, whatever DOCKER_TLS says beside', () => ({ DOCKER_TLS_VERIFY: '1', DOCKER_TLS: '1', DOCKER_CERT_PATH: client }), true],
    ['those beside the configuration, where no folder is named', () => ({ DOCKER_TLS_VERIFY: '1', DOCKER_CONFIG: client }), true],
    // To docker's command line every text is a yes.
    ['those too where somebody has meant a no', () => ({ DOCKER_TLS_VERIFY: '0', DOCKER_CONFIG: client }), true],
    ['none where the variables are empty', () => ({ DOCKER_TLS_VERIFY: '', DOCKER_TLS: '', DOCKER_CERT_PATH: '' }), false],
  ])('of the environment: %s', (_, env, tls) => {
    expect(choose({}, env())).toMatchObject({ problems: [] });
    expect(choose({}, env()).engine).toEqual({ host, ...(tls ? { tls: { certPath: client } } : {}) });
  });

  test('those of the settings before those of the environment', () => {
    expect(choose(texts(), { DOCKER_TLS_VERIFY: '1', DOCKER_CONFIG: other }).engine.tls).toHaveProperty('key');
    expect(choose({ 'docker:certPath': client }, { DOCKER_TLS_VERIFY: '1', DOCKER_CONFIG: other }).engine.tls).toEqual({ certPath: client });
  });
});

describe('certificates that cannot be used', () => {
  const inFolder = 'TLS needs ca.pem, cert.pem, key.pem in that folder';
  const denied = (name: string) => (dir: string): void => {
    const actual = jest.requireActual<typeof fs>('node:fs');
    // Whoever runs the tests as root may read everything.
    jest.mocked(fs.readFileSync).mockImplementation(((file: string, options: object) => {
      if (file === path.join(dir, name)) {
        throw Object.assign(new Error(`EACCES: permission denied, open '${file}'`), { code: 'EACCES', path: file });
      }
      return actual.readFileSync(file, options);
    }) as never);
  };
  afterEach(() => jest.mocked(fs.readFileSync).mockImplementation(jest.requireActual<typeof fs>('node:fs').readFileSync));

  test.each<[string, (dir: string) => void, (dir: string) => string | RegExp]>([
    ['no folder', (dir) => fs.rmSync(dir, { recursive: true }), (dir) => `${dir}/ca.pem is not there; ${inFolder}`],
    ...files.map((file): [string, (dir: string) => void, (dir: string) => string] => [`no ${file}`, (dir) => fs.rmSync(path.join(dir, file)), (dir) => `${dir}/${file} is not there; ${inFolder}`]),
    ['a key for others', denied('key.pem'), (dir) => `${dir}/key.pem cannot be read by this user; ${inFolder}`],
    ['a folder in the place of a file', (dir) => { fs.rmSync(path.join(dir, 'ca.pem')); fs.mkdirSync(path.join(dir, 'ca.pem')); }, () => 'EISDIR: illegal operation on a directory, read'],
    ['the key of another certificate', (dir) => fs.copyFileSync(path.join(other, 'key.pem'), path.join(dir, 'key.pem')), () => 'the key does not belong to the certificate'],
    ['an authority of no form', (dir) => fs.writeFileSync(path.join(dir, 'ca.pem'), 'garbage'), () => /^the authority \(ca\.pem\) cannot be used: .*no start line$/],
    ['a certificate of no form', (dir) => fs.writeFileSync(path.join(dir, 'cert.pem'), 'garbage'), () => /^the certificate \(cert\.pem\) cannot be used: .*no start line$/],
    ['a key of no form', (dir) => fs.writeFileSync(path.join(dir, 'key.pem'), 'garbage'), () => /^the key \(key\.pem\) cannot be used: /],
    ['a certificate that was cut off', (dir) => fs.truncateSync(path.join(dir, 'cert.pem'), 100), () => /^the certificate \(cert\.pem\) cannot be used: /],
    ['an empty key', (dir) => fs.truncateSync(path.join(dir, 'key.pem')), () => /^the key \(key\.pem\) cannot be used: /],
    ['an encrypted key', (dir) => fs.writeFileSync(path.join(dir, 'key.pem'), encrypted), () => 'the key (key.pem) is encrypted, and a deployment cannot ask for its passphrase'],
  ])('%s', (_, change, rule) => {
    const dir = folder(change);
    const said = rule(dir);
    const wrong = (key: string, value: string, mend: string): object => ({ problems: [{ key, value, rule: said instanceof RegExp ? expect.stringMatching(said) : said, mend: [mend] }] });
    expect(choose({ 'docker:certPath': dir })).toMatchObject(wrong('docker:certPath', dir, `pulumi config set docker:certPath ${example}`));
    expect(choose({}, { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: dir })).toMatchObject(wrong('DOCKER_CERT_PATH', dir, `export DOCKER_CERT_PATH=${example}`));
    expect(choose({}, { DOCKER_TLS_VERIFY: '1', DOCKER_CONFIG: dir })).toMatchObject(wrong('DOCKER_TLS_VERIFY', '1', `export DOCKER_CERT_PATH=${example}`));
  });

  test.each([['docker:caMaterial', 'docker:caMaterial < ca.pem'], ['docker:certMaterial', 'docker:certMaterial < cert.pem'], ['docker:keyMaterial', '--secret docker:keyMaterial < key.pem']] as const)('as text, without %s', (key, command) => {
    expect(choose({ ...texts(), [key]: undefined }).problems).toEqual([
      { key, rule: 'TLS needs the authority, the certificate and the key together', mend: [`pulumi config set ${command}`] },
    ]);
  });

  test('as text, with the key of another certificate, which no message holds', () => {
    const key = text(other, 'key.pem');
    const { problems } = choose({ ...texts(), 'docker:keyMaterial': key });
    expect(problems).toEqual([{ key: 'docker:certMaterial', rule: 'the key does not belong to the certificate', mend: [`pulumi config set docker:certPath ${example}`] }]);
    expect(JSON.stringify(problems)).not.toContain(key.split('\n')[1]);
  });

  test('a folder and text: which of them is not for the program to guess', () => {
    expect(choose({ 'docker:certPath': client, 'docker:caMaterial': text(client, 'ca.pem') }).problems).toEqual([{
      key: 'docker:certPath', value: client,
      rule: 'docker:caMaterial, docker:certMaterial, docker:keyMaterial contain the same as text; the docker provider takes one of the two',
      mend: ['pulumi config rm docker:certPath'],
    }]);
  });

  test.each<[string, NodeJS.ProcessEnv]>([['alone', {}], ['with certificates', { DOCKER_CERT_PATH: '/certs' }]])('DOCKER_TLS %s, which checks no engine', (_, env) => {
    expect(choose({}, { DOCKER_TLS: '1', ...env }).problems).toEqual([{
      key: 'DOCKER_TLS', value: '1', rule: "that is TLS without a check of the engine's certificate, and the docker provider has no such option",
      mend: [`export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=${example}`],
    }]);
  });

  test.each<[string, EngineSettings, string]>([
    ['a socket', { 'docker:host': 'unix:///run/x.sock' }, 'unix:///run/x.sock'],
    ['ssh', { 'docker:host': 'ssh://host' }, 'ssh://host'],
  ])('for %s there are none', (_, settings, address) => {
    const rule = `certificates are for an engine at tcp://…, and this one is ${address}`;
    expect(choose({ ...settings, 'docker:certPath': client, 'docker:caMaterial': 'x' }).problems).toEqual([
      { key: 'docker:certPath', rule, mend: ['pulumi config rm docker:certPath'] },
      { key: 'docker:caMaterial', rule, mend: ['pulumi config rm docker:caMaterial'] },
    ]);
  });
});

describe('variables that the docker provider reads whatever it is told', () => {
  const certificates = (value: string, at: string): object =>
    ({ key: 'DOCKER_CERT_PATH', value, rule: `the docker provider uses these certificates for every engine, and they are not for the one at ${at}`, mend: ['unset DOCKER_CERT_PATH'] });
  const address = (value: string): object => ({ key: 'DOCKER_HOST', value, rule: `the docker provider uses that engine, but the stack is for ${host}`, mend: ['unset DOCKER_HOST'] });

  test.each<[string, () => EngineSettings, () => NodeJS.ProcessEnv, () => object[]]>([
    ['certificates that are used', () => ({ 'docker:certPath': client }), () => ({ DOCKER_CERT_PATH: client }), () => []],
    ['certificates of another engine', () => ({ 'docker:certPath': client }), () => ({ DOCKER_CERT_PATH: other }), () => [certificates(other, host)]],
    ['certificates where text is used', texts, () => ({ DOCKER_CERT_PATH: client }), () => [certificates(client, host)]],
    // Docker's command line leaves them alone without DOCKER_TLS_VERIFY, the provider does not.
    ['certificates for a plain engine', () => ({}), () => ({ DOCKER_CERT_PATH: client }), () => [certificates(client, host)]],
    ['certificates for a socket', () => ({ 'docker:host': 'unix:///run/x.sock' }), () => ({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: client }), () => [certificates(client, 'unix:///run/x.sock')]],
    ['another address', () => ({}), () => ({ DOCKER_HOST: 'ssh://other' }), () => []],
    ['another address where text is used', texts, () => ({ DOCKER_HOST: 'ssh://other' }), () => [address('ssh://other')]],
    ['the same address where text is used', texts, () => ({ DOCKER_HOST: host }), () => []],
    ['an address that is none', () => ({}), () => ({ DOCKER_HOST: 'ssh://me:s3cret@other' }), () => [address('ssh://me:[secret]@other')]],
    ['an empty one', () => ({}), () => ({ DOCKER_HOST: '', DOCKER_CERT_PATH: '' }), () => []],
  ])('%s', (_, settings, env, problems) => {
    expect(choose(settings(), env()).problems).toEqual(problems());
  });

  test('one thing after the other: a choice that is broken anyway is not told of them', () => {
    expect(choose({ 'docker:certPath': '/nowhere' }, { DOCKER_CERT_PATH: client }).problems.map(({ key }) => key)).toEqual(['docker:certPath']);
  });
});
