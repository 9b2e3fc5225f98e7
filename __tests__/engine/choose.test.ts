import * as fs from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { chooseEngine, type Choice, type EngineSettings, type Surroundings } from '../../engine';
import { engineAuthority, type EngineAuthority } from '../support/engine-authority';
import { contextId, home, linked, listeningSocket, useContext, writeContext, writeMeta } from '../support/surroundings';
import { tempDir } from '../support/temp';

let authority: EngineAuthority;
let client: string;
let socket: string;
beforeAll(async () => {
  authority = engineAuthority();
  client = authority.client();
  socket = await listeningSocket();
});

/** The engine and what chose it, of a choice without problems. */
function sound({ problems, ...choice }: Choice): Omit<Choice, 'problems'> {
  expect(problems).toEqual([]);
  return choice;
}

const usual = 'unix:///var/run/docker.sock';
const useUsual = `export DOCKER_HOST=${usual}`;
const config = ({ home: dir }: Surroundings): string => path.join(dir, '.docker');

describe('which source counts', () => {
  /** In their order; the last is a socket. */
  const sources = ['docker:host', 'docker:context', 'DOCKER_HOST', 'DOCKER_CONTEXT', 'docker context', 'rootless Docker'] as const;
  type Source = (typeof sources)[number];
  const addressOf = (source: Source): string => `tcp://192.0.2.${sources.indexOf(source) + 1}:2375`;

  test('the first of those that say something', () => {
    const given = home();
    const run = path.join(given.home, 'run');
    linked(socket, path.join(run, 'docker.sock'));
    sources.forEach((source, index) => writeContext(config(given), `c${index}`, addressOf(source)));
    const contextOf = (source: Source): string => `c${sources.indexOf(source)}`;
    // An empty variable says nothing, and the context `default` says that there is none.
    const emptied = fc.subarray(['DOCKER_HOST', 'DOCKER_CONTEXT'] as const);
    const withoutContext = fc.subarray(['docker:context', 'DOCKER_CONTEXT', 'docker context'] as const);

    fc.assert(fc.property(fc.subarray([...sources]), emptied, withoutContext, (said, empty, none) => {
      fc.pre(!(said.includes('docker:host') && said.includes('docker:context')));
      const says = (source: Source): boolean => said.includes(source);
      const context = (source: Source): string => ((none as readonly Source[]).includes(source) ? 'default' : contextOf(source));
      const settings: EngineSettings = {
        ...(says('docker:host') ? { 'docker:host': addressOf('docker:host') } : {}),
        ...(says('docker:context') ? { 'docker:context': context('docker:context') } : {}),
      };
      const env = {
        ...(says('DOCKER_HOST') ? { DOCKER_HOST: addressOf('DOCKER_HOST') } : (empty as readonly string[]).includes('DOCKER_HOST') ? { DOCKER_HOST: '' } : {}),
        ...(says('DOCKER_CONTEXT') ? { DOCKER_CONTEXT: context('DOCKER_CONTEXT') } : (empty as readonly string[]).includes('DOCKER_CONTEXT') ? { DOCKER_CONTEXT: '' } : {}),
        ...(says('rootless Docker') ? { XDG_RUNTIME_DIR: run } : {}),
      };
      useContext(config(given), says('docker context') ? context('docker context') : '');

      const first = sources.find(says);
      const isSocket = first === undefined || first === 'rootless Docker' || ((none as readonly Source[]).includes(first) && first !== 'docker:host' && first !== 'DOCKER_HOST');
      const isContext = first?.toLowerCase().includes('context');
      expect(sound(chooseEngine(settings, { ...given, env }))).toEqual(
        isSocket
          ? says('rootless Docker')
            ? { engine: { host: `unix://${run}/docker.sock` }, source: 'rootless Docker' }
            : { engine: { host: `unix://${given.usualSocket}` }, source: 'the default socket' }
          : { engine: { host: addressOf(first) }, source: isContext ? `docker context ${contextOf(first)}` : first },
      );
    }), { numRuns: 300 });
  });

  test('both settings: which of them is not for the program to guess', () => {
    expect(chooseEngine({ 'docker:host': 'ssh://host', 'docker:context': 'colima' }, home())).toMatchObject({
      problems: [{
        key: 'docker:context', value: 'colima', rule: 'docker:host is set as well, and each of them names an engine',
        mend: ['pulumi config rm docker:context', 'pulumi config rm docker:host'],
      }],
    });
  });

  test('DOCKER_CONFIG is where the contexts are', () => {
    const given = home();
    const dir = tempDir();
    writeContext(dir, 'there', 'tcp://192.0.2.1:2375');
    useContext(dir, 'there');
    expect(sound(chooseEngine({}, { ...given, env: { DOCKER_CONFIG: dir } }))).toEqual({ engine: { host: 'tcp://192.0.2.1:2375' }, source: 'docker context there' });
    expect(sound(chooseEngine({}, { ...given, env: { DOCKER_CONFIG: '' } })).source).toBe('the default socket');
  });
});

describe('addresses', () => {
  test.each([
    ['unix:///run/user/1000/docker.sock', 'unix:///run/user/1000/docker.sock'],
    ['npipe:////./pipe/docker_engine', 'npipe:////./pipe/docker_engine'],
    ['tcp://192.0.2.7', 'tcp://192.0.2.7:2375'],
    ['tcp://engine.example:2377/', 'tcp://engine.example:2377'],
    ['tcp://[2001:db8::1]:2375', 'tcp://[2001:db8::1]:2375'],
    ['ssh://me@host.example:2222/', 'ssh://me@host.example:2222'],
    ['ssh://My_Host', 'ssh://My_Host'],
  ])('%s', (address, host) => {
    const given = home();
    writeContext(config(given), 'one', address);
    expect(sound(chooseEngine({ 'docker:host': address }, given))).toEqual({ engine: { host }, source: 'docker:host' });
    expect(sound(chooseEngine({}, { ...given, env: { DOCKER_HOST: address } }))).toEqual({ engine: { host }, source: 'DOCKER_HOST' });
    expect(sound(chooseEngine({ 'docker:context': 'one' }, given))).toEqual({ engine: { host }, source: 'docker context one' });
  });

  const form = 'write unix:///path/of/docker.sock, tcp://host:port or ssh://user@host';
  const noPassword = 'a password does not belong in the address; ssh uses a key';
  test.each([
    ['192.0.2.7:2375', '192.0.2.7:2375', form],
    ['/var/run/docker.sock', '/var/run/docker.sock', form],
    ['unix://', 'unix://', form],
    ['unix://docker.sock', 'unix://docker.sock', form],
    ['tcp://', 'tcp://', form],
    ['tcp://host:99999', 'tcp://host:99999', form],
    ['tcp://host:2375/v1.41', 'tcp://host:2375/v1.41', form],
    ['http://host:2375', 'http://host:2375', form],
    ['fd://', 'fd://', form],
    ['ssh://me:s3cret@host', 'ssh://me:[secret]@host', noPassword],
    ['ssh://me:s3cret@host/path', 'ssh://me:[secret]@host/path', form],
    ['http://me:s3:cr3t/@@host', 'http://me:[secret]@host', form],
  ])('%s is none, wherever it stands', (address, value, rule) => {
    const given = home();
    writeContext(config(given), 'one', address);
    const choices = [
      chooseEngine({ 'docker:host': address }, given),
      chooseEngine({}, { ...given, env: { DOCKER_HOST: address } }),
      chooseEngine({}, { ...given, env: { DOCKER_CONTEXT: 'one' } }),
    ];
    expect(choices.map(({ problems }) => problems)).toEqual([
      [{ key: 'docker:host', value, rule, mend: [`pulumi config set docker:host ${usual}`] }],
      [{ key: 'DOCKER_HOST', value, rule, mend: [useUsual] }],
      [{ key: 'DOCKER_CONTEXT', value: 'one', rule, mend: ['docker context inspect one', 'unset DOCKER_CONTEXT'] }],
    ]);
    expect(JSON.stringify(choices)).not.toMatch(/s3|cr3t/);
  });
});

describe('a context', () => {
  const chosenBy = {
    'docker:context': { settings: (name: string): EngineSettings => ({ 'docker:context': name }), env: () => ({}), current: '', leave: 'pulumi config rm docker:context' },
    DOCKER_CONTEXT: { settings: () => ({}), env: (name: string) => ({ DOCKER_CONTEXT: name }), current: '', leave: 'unset DOCKER_CONTEXT' },
    'docker context': { settings: () => ({}), env: () => ({}), current: 'one', leave: 'docker context use default' },
  } as const;

  describe.each(Object.entries(chosenBy))('chosen by %s', (key, { settings, env, current, leave }) => {
    /** The choice where the files of the context hold this. */
    function choose(write: (dir: string) => void): { choice: Choice; dir: string } {
      const given = home();
      const dir = config(given);
      useContext(dir, current);
      write(dir);
      return { choice: chooseEngine(settings('one'), { ...given, env: env('one') }), dir };
    }
    const inspect = ['docker context inspect one', leave];

    test.each<[string, (dir: string) => void, (dir: string) => string, readonly string[]]>([
      ['that is not there', () => {}, (dir) => `there is no docker context of that name in ${dir}`, ['docker context ls', leave]],
      ['of broken JSON', (dir) => writeMeta(dir, 'one', '{"Name":'), (dir) => `${dir}/contexts/meta/${contextId('one')}/meta.json is not JSON`, [leave]],
      ['that cannot be read', (dir) => fs.mkdirSync(path.join(dir, 'contexts', 'meta', contextId('one'), 'meta.json'), { recursive: true }), (dir) => `${dir}/contexts/meta/${contextId('one')}/meta.json cannot be read (EISDIR)`, [leave]],
      ['of another program', (dir) => writeMeta(dir, 'one', '{"Name":"one","Endpoints":{"kubernetes":{"Host":"https://k"}}}'), () => 'it names no Docker Engine', inspect],
      ['of null', (dir) => writeMeta(dir, 'one', 'null'), () => 'it names no Docker Engine', inspect],
      ['of a number', (dir) => writeMeta(dir, 'one', '{"Endpoints":{"docker":{"Host":7}}}'), () => 'write unix:///path/of/docker.sock, tcp://host:port or ssh://user@host', inspect],
      ['that checks no certificate', (dir) => writeContext(dir, 'one', 'tcp://192.0.2.1:2376', { skipsVerify: true }), () => "it does not check the engine's certificate, and the docker provider has no such option", inspect],
      ['with half of the certificates', (dir) => {
        writeContext(dir, 'one', 'tcp://192.0.2.1:2376', { certificates: client });
        fs.rmSync(path.join(dir, 'contexts', 'tls', contextId('one'), 'docker', 'key.pem'));
      }, (dir) => `${dir}/contexts/tls/${contextId('one')}/docker/key.pem is not there; TLS needs ca.pem, cert.pem, key.pem in that folder`, inspect],
    ])('%s', (_, write, rule, mend) => {
      const { choice, dir } = choose(write);
      expect(choice.problems).toEqual([{ key, value: 'one', rule: rule(dir), mend }]);
    });

    test('with its certificates', () => {
      const { choice, dir } = choose((folder) => writeContext(folder, 'one', 'tcp://192.0.2.1', { certificates: client }));
      const certPath = path.join(dir, 'contexts', 'tls', contextId('one'), 'docker');
      expect(sound(choice)).toEqual({ engine: { host: 'tcp://192.0.2.1:2376', tls: { certPath } }, source: 'docker context one' });
    });
  });

  test('its certificates are no matter of a socket', () => {
    const given = home();
    writeContext(config(given), 'one', 'unix:///run/x.sock', { certificates: client });
    fs.rmSync(path.join(config(given), 'contexts', 'tls', contextId('one'), 'docker', 'key.pem'));
    expect(sound(chooseEngine({ 'docker:context': 'one' }, given)).engine).toEqual({ host: 'unix:///run/x.sock' });
  });

  test('it has its own certificates, and none of the settings', () => {
    const given = home();
    writeContext(config(given), 'one', 'tcp://192.0.2.1:2375');
    expect(chooseEngine({ 'docker:context': 'one', 'docker:certPath': client }, given).problems).toEqual([
      { key: 'docker:certPath', rule: 'docker context one has its own certificates', mend: ['pulumi config rm docker:certPath'] },
    ]);
  });
});

describe('the configuration of the docker command line', () => {
  const chosen = (write: (file: string) => void): { choice: Choice; dir: string } => {
    const given = home();
    fs.mkdirSync(config(given));
    write(path.join(config(given), 'config.json'));
    return { choice: chooseEngine({}, given), dir: config(given) };
  };

  test.each<[string, string]>([
    ['of another matter', '{"auths":{"ghcr.io":{}}}'],
    ['without a name', '{"currentContext":""}'],
    ['with a number, of which docker warns', '{"currentContext":7}'],
    ['of null', 'null'],
    // As `touch` makes it, to be mounted somewhere.
    ['with nothing in it', ''],
  ])('%s chooses none', (_, text) => {
    expect(sound(chosen((file) => fs.writeFileSync(file, text)).choice).source).toBe('the default socket');
  });

  test.each<[string, (file: string) => void, string]>([
    ['broken', (file) => fs.writeFileSync(file, '{'), 'is not JSON'],
    ['out of reach', (file) => fs.mkdirSync(file), 'cannot be read (EISDIR)'],
  ])('%s: what it chooses is not known', (_, write, what) => {
    const { choice, dir } = chosen(write);
    expect(choice.problems).toEqual([{
      key: 'DOCKER_CONFIG', value: dir,
      rule: `it holds the configuration of the docker command line, which says what engine is in use, and ${dir}/config.json ${what}`,
      mend: ['docker context show', useUsual],
    }]);
  });
});

describe('options of ssh', () => {
  const sshOpts = ['-i', '/a key'];
  const variable = { DOCKER_SSH_OPTS: ' -i  /key ' };

  test.each<[string, EngineSettings, NodeJS.ProcessEnv, readonly string[] | undefined]>([
    ['of the setting', { 'docker:sshOpts': sshOpts }, {}, sshOpts],
    ['of the setting before the variable', { 'docker:sshOpts': sshOpts }, variable, sshOpts],
    ['of the variable', {}, variable, ['-i', '/key']],
    ['of the variable, from which an empty list does not keep the provider', { 'docker:sshOpts': [] }, variable, ['-i', '/key']],
    ['none', { 'docker:sshOpts': [] }, { DOCKER_SSH_OPTS: ' ' }, undefined],
  ])('%s', (_, settings, env, options) => {
    const { engine } = sound(chooseEngine({ ...settings, 'docker:host': 'ssh://host' }, { ...home(), env }));
    expect(engine).toEqual({ host: 'ssh://host', ...(options ? { sshOpts: options } : {}) });
  });

  test('reach an engine of a context as well, and no other', () => {
    const given = home();
    writeContext(config(given), 'one', 'ssh://host');
    expect(sound(chooseEngine({ 'docker:context': 'one', 'docker:sshOpts': sshOpts }, given)).engine).toEqual({ host: 'ssh://host', sshOpts });
    expect(sound(chooseEngine({ 'docker:host': 'tcp://192.0.2.1:2375' }, { ...given, env: variable })).engine).toEqual({ host: 'tcp://192.0.2.1:2375' });
    expect(chooseEngine({ 'docker:sshOpts': sshOpts }, given).problems).toEqual([
      { key: 'docker:sshOpts', rule: `these are options of ssh, and the engine is unix://${given.usualSocket}`, mend: ['pulumi config rm docker:sshOpts'] },
    ]);
  });
});
