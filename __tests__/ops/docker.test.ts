import { spawn, spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { defaultHost, engineGet } from '../../components/engine';
import { aptInstall } from '../../lab/debian';
import { ensureEngine, whyNoEngine } from '../../ops/support/docker';
import { Failure } from '../../ops/support/say';
import { setEnvironment } from '../support/environment';
import { current, fakeEngine } from '../support/fake-engine';
import { listen } from '../support/said';
import { tempDir } from '../support/temp';
import { nobody } from '../support/web';

// What this machine is and has must not matter, and nothing may be installed or started on it.
jest.mock('node:child_process', () => ({ ...jest.requireActual<object>('node:child_process'), spawn: jest.fn(), spawnSync: jest.fn() }));
jest.mock('node:fs', () => {
  const actual = jest.requireActual<typeof fs>('node:fs');
  return { ...actual, existsSync: jest.fn(actual.existsSync), readFileSync: jest.fn(actual.readFileSync) };
});
jest.mock('node:os', () => {
  const actual = jest.requireActual<typeof os>('node:os');
  return { ...actual, tmpdir: jest.fn(actual.tmpdir), userInfo: jest.fn(actual.userInfo) };
});
jest.mock('../../lab/debian', () => ({ aptInstall: jest.fn() }));
jest.mock('../../components/engine', () => {
  const actual = jest.requireActual<{ engineGet: typeof engineGet }>('../../components/engine');
  return { ...actual, engineGet: jest.fn(actual.engineGet) };
});

const actual = jest.requireActual<typeof fs>('node:fs');
const actualEngineGet = jest.requireActual<{ engineGet: typeof engineGet }>('../../components/engine').engineGet;
const ownPlatform = Object.getOwnPropertyDescriptor(process, 'platform') ?? {};
afterEach(() => void Object.defineProperty(process, 'platform', ownPlatform));
const noSocket = 'connect ENOENT /var/run/docker.sock';

/** Error messages of the engine at the next looks; after them it answers. */
function engineSays(...reasons: string[]): void {
  jest.mocked(engineGet).mockReset().mockResolvedValue({ ApiVersion: '1.51' });
  reasons.forEach((reason) => jest.mocked(engineGet).mockRejectedValueOnce(new Error(reason)));
}

interface Machine {
  readonly platform?: 'linux' | 'darwin';
  /** Content of /etc/os-release. */
  readonly release?: string;
  readonly uid?: number;
  readonly systemd?: boolean;
}
/** A machine without an installed engine; `programs` are on its PATH. */
function machine({ platform = 'linux', release = 'ID=debian\n', uid = 0, systemd = false }: Machine, programs: readonly string[] = []): void {
  const bin = tempDir();
  programs.forEach((program) => fs.writeFileSync(path.join(bin, program), ''));
  setEnvironment({ PATH: bin });
  // A read-only property, which jest's replaceProperty cannot put back.
  Object.defineProperty(process, 'platform', { ...ownPlatform, value: platform });
  jest.spyOn(process, 'getuid').mockReturnValue(uid);
  jest.mocked(fs.existsSync).mockImplementation((file) =>
    file === '/etc/os-release' || (file === '/run/systemd/system' ? systemd : !String(file).endsWith('sbin/dockerd') && actual.existsSync(file)));
  jest.mocked(fs.readFileSync).mockImplementation(((file: string, options: object) => (file === '/etc/os-release' ? release : actual.readFileSync(file, options))) as never);
}

let said: string[];
let temp: string;
/** The dockerd that was started, for a test to end. */
let engine: EventEmitter & { unref: jest.Mock };
beforeEach(() => {
  said = listen();
  temp = tempDir();
  engine = Object.assign(new EventEmitter(), { unref: jest.fn() });
  jest.mocked(os.tmpdir).mockReturnValue(temp);
  jest.mocked(os.userInfo).mockReturnValue({ username: 'ada' } as never);
  jest.mocked(spawn).mockReset().mockReturnValue(engine as never);
  jest.mocked(spawnSync).mockReset().mockReturnValue({ status: 0 } as never);
  jest.mocked(aptInstall).mockReset();
});
const started = (): string[] =>
  [...jest.mocked(spawnSync).mock.calls, ...jest.mocked(spawn).mock.calls].map(([program, args]) => [program, ...(args as string[])].join(' '));

describe('whyNoEngine', () => {
  beforeEach(() => jest.mocked(engineGet).mockReset().mockImplementation(actualEngineGet));

  test('an engine that answers', async () => {
    const { host, requests } = await fakeEngine(current);
    expect(await whyNoEngine(host)).toBeUndefined();
    expect(requests.map(({ url }) => url)).toEqual(['/version']);
  });

  test('the reason, as the system or the engine gives it', async () => {
    const socket = path.join(temp, 'none.sock');
    expect(await whyNoEngine(`unix://${socket}`)).toBe(`connect ENOENT ${socket}`);
    const url = await nobody();
    expect(await whyNoEngine(url.replace('http:', 'tcp:'))).toBe(`connect ECONNREFUSED ${url.slice('http://'.length)}`);
    const { host } = await fakeEngine({ '/version': { status: 500, body: '{"message":"still starting"}' } });
    expect(await whyNoEngine(host)).toBe('still starting');
    expect(await whyNoEngine('ftp://engine')).toBe('cannot speak to a Docker Engine at ftp://engine');
  });

  test.each([
    [Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new Error(''), 'no reason given'],
  ])('a reason without words: %#', async (error, reason) => {
    jest.mocked(engineGet).mockRejectedValueOnce(error);
    expect(await whyNoEngine(defaultHost)).toBe(reason);
  });
});

describe('ensureEngine', () => {
  test('an engine that answers is left alone', async () => {
    engineSays();
    await ensureEngine(defaultHost);
    expect([started(), said, jest.mocked(aptInstall).mock.calls]).toEqual([[], [], []]);
  });

  test.each<[string, Machine, string, string, string, string]>([
    ['an engine elsewhere is not ours to start', {}, 'tcp://engine.example:2375', 'connect EACCES', 'The Docker Engine at tcp://engine.example:2375 does not answer: connect EACCES.', 'DOCKER_HOST=tcp://engine.example:2375 docker info'],
    ['no right to the socket', {}, defaultHost, 'connect EACCES /var/run/docker.sock', 'This user may not speak to the Docker Engine (unix:///var/run/docker.sock: connect EACCES /var/run/docker.sock).', 'sudo usermod -aG docker ada && newgrp docker'],
    ['another Linux', { release: 'ID=fedora\nID_LIKE="rhel centos"\n' }, defaultHost, noSocket, `No Docker Engine answers at unix:///var/run/docker.sock (${noSocket}).`, 'curl -fsSL https://get.docker.com | sudo sh'],
    ['a Mac', { platform: 'darwin' }, defaultHost, noSocket, `No Docker Engine answers at unix:///var/run/docker.sock (${noSocket}).`, 'open -a Docker   # Docker Desktop, from https://docker.com'],
  ])('%s', async (_, which, host, reason, message, mend) => {
    machine(which);
    engineSays(reason);
    await expect(ensureEngine(host)).rejects.toThrow(new Failure(message, [mend]));
    expect([started(), said]).toEqual([[], []]);
  });

  test('without root and without sudo', async () => {
    machine({ uid: 1000 });
    engineSays(noSocket);
    jest.mocked(spawnSync).mockReturnValue({ status: 1 } as never);
    await expect(ensureEngine(defaultHost)).rejects.toThrow(
      new Failure(`No Docker Engine answers at unix:///var/run/docker.sock (${noSocket}), and installing or starting one needs root.`, [
        'sudo apt-get install docker.io && sudo systemctl start docker',
      ]),
    );
    expect(started()).toEqual(['sudo -v']);
  });

  test.each([
    ['root on Debian', 'ID=debian\n', 0, ['dockerd']],
    ['root on something like it', 'ID=linuxmint\nID_LIKE="ubuntu debian"\n', 0, ['dockerd']],
    ['sudo on Ubuntu', 'NAME=Ubuntu\nID=ubuntu\n', 1000, ['sudo -v', 'sudo dockerd']],
  ])('%s: installed, started, and left running', async (_, release, uid, commands) => {
    machine({ release, uid });
    engineSays(noSocket);
    await ensureEngine(defaultHost);
    expect(jest.mocked(aptInstall).mock.calls).toEqual([[['docker.io', 'ca-certificates', 'iptables']]]);
    expect(started()).toEqual(commands);
    expect(jest.mocked(spawn).mock.lastCall?.[2]).toMatchObject({ detached: true });
    expect(engine.unref).toHaveBeenCalledTimes(1);
    expect(said).toEqual([
      'Docker: no engine on this machine; installing docker.io from Debian',
      `Docker: the engine is stopped and there is no systemd; starting dockerd (log: ${temp}/dockerd.log)`,
    ]);
  });

  test.each([[0, 'systemctl start docker'], [1000, 'sudo systemctl start docker']])('one that is installed is only started, by systemd where that runs (user %d)', async (uid, command) => {
    machine({ uid, systemd: true }, ['dockerd']);
    engineSays(noSocket);
    await ensureEngine(defaultHost);
    expect(started().at(-1)).toBe(command);
    expect([jest.mocked(aptInstall).mock.calls, jest.mocked(spawn).mock.calls]).toEqual([[], []]);
    expect(said).toEqual(['Docker: the engine is stopped; starting it (systemctl start docker)']);
  });

  test('a dockerd that ends at once: its last five lines', async () => {
    machine({}, ['dockerd']);
    engineSays(noSocket);
    jest.mocked(engineGet).mockImplementationOnce(async () => {
      engine.emit('exit', 1);
      throw new Error(noSocket);
    });
    fs.writeFileSync(path.join(temp, 'dockerd.log'), 'of yesterday\none\ntwo\nthree\nfour\nfailed to start daemon: no space left on device\n');
    await expect(ensureEngine(defaultHost)).rejects.toThrow(
      new Failure(
        `The Docker Engine was started and does not answer at unix:///var/run/docker.sock (${noSocket}). Its last lines:\n    one\n    two\n    three\n    four\n    failed to start daemon: no space left on device`,
        ['sudo dockerd'],
      ),
    );
  });

  test('a systemd that cannot start it: where the reason is, not the log of another start', async () => {
    machine({ systemd: true }, ['dockerd']);
    engineSays(noSocket, noSocket);
    fs.writeFileSync(path.join(temp, 'dockerd.log'), 'of yesterday\n');
    jest.mocked(spawnSync).mockReturnValue({ status: 1 } as never);
    await expect(ensureEngine(defaultHost)).rejects.toThrow(
      new Failure(`The Docker Engine was started and does not answer at unix:///var/run/docker.sock (${noSocket}).`, ['sudo journalctl --unit docker --lines 30']),
    );
  });
});
