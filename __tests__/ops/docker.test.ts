import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { at, engineGet, type Choice, type Engine } from '../../engine';
import { agreed, type Consent } from '../../ops/support/ask';
import { engineOf, ensureEngine, whyNoEngine } from '../../ops/support/docker';
import { Failure } from '../../ops/support/say';
import { setEnvironment } from '../support/environment';
import { current, fakeEngine } from '../support/fake-engine';
import { listen } from '../support/said';
import { useContext, writeContext } from '../support/surroundings';
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
  return { ...actual, homedir: jest.fn(actual.homedir), tmpdir: jest.fn(actual.tmpdir), userInfo: jest.fn(actual.userInfo) };
});
jest.mock('../../engine', () => {
  const actual = jest.requireActual<{ engineGet: typeof engineGet }>('../../engine');
  return { ...actual, engineGet: jest.fn(actual.engineGet) };
});
jest.mock('../../ops/support/ask', () => ({ agreed: jest.fn() }));
// Waiting takes no time here: the clock goes on by as much.
const mockClock = { now: 0 };
jest.mock('node:timers/promises', () => ({ setTimeout: async (ms: number) => void (mockClock.now += ms) }));

const actual = jest.requireActual<typeof fs>('node:fs');
const actualEngineGet = jest.requireActual<{ engineGet: typeof engineGet }>('../../engine').engineGet;
const ownPlatform = Object.getOwnPropertyDescriptor(process, 'platform') ?? {};
afterEach(() => void Object.defineProperty(process, 'platform', ownPlatform));

const usual = 'unix:///var/run/docker.sock';
const noSocket = 'connect ENOENT /var/run/docker.sock';
const refused = 'connect ECONNREFUSED /var/run/docker.sock';
const denied = 'connect EACCES /var/run/docker.sock';

/** Error messages of the engine at the next looks; after them it answers, or says the last for ever. */
function engineSays(reasons: readonly string[], last?: string): void {
  const mock = jest.mocked(engineGet).mockReset();
  if (last === undefined) {
    mock.mockResolvedValue({ ApiVersion: '1.51' });
  } else {
    mock.mockRejectedValue(new Error(last));
  }
  reasons.forEach((reason) => mock.mockRejectedValueOnce(new Error(reason)));
}

interface Machine {
  readonly platform?: 'linux' | 'darwin';
  /** Content of /etc/os-release. */
  readonly release?: string;
  readonly uid?: number;
  readonly systemd?: boolean;
  /** Programs on PATH. */
  readonly programs?: readonly string[];
  /** Content of /etc/group. */
  readonly group?: string;
  /** Folders of the file system besides. */
  readonly folders?: readonly string[];
}
const debian = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\n';
const fedora = 'ID=fedora\nID_LIKE="rhel centos"\n';

/** A machine without an engine. */
function machine({ platform = 'linux', release = debian, uid = 0, systemd = false, programs = [], folders = [], group = 'docker:x:101:adam\n' }: Machine = {}): void {
  const bin = tempDir();
  programs.forEach((program) => fs.writeFileSync(path.join(bin, program), ''));
  setEnvironment({ PATH: bin, DOCKER_CONFIG: undefined, XDG_CONFIG_HOME: undefined });
  // A read-only property, which jest's replaceProperty cannot put back.
  Object.defineProperty(process, 'platform', { ...ownPlatform, value: platform });
  jest.spyOn(process, 'getuid').mockReturnValue(uid);
  jest.mocked(fs.existsSync).mockImplementation((file) => {
    const name = String(file);
    return name === '/etc/os-release' ? platform === 'linux' : name === '/etc/group' ? true : name === '/run/systemd/system' ? systemd : /^\/(usr\/)?sbin\/|^\/Applications\//.test(name) ? folders.includes(name) : actual.existsSync(file);
  });
  jest.mocked(fs.readFileSync).mockImplementation(((file: string, options: object) => (file === '/etc/os-release' ? release : file === '/etc/group' ? group : actual.readFileSync(file, options))) as never);
}

let said: string[];
let home: string;
/** Where logs are made. */
let temp: string;
const mockDaemon = { running: true };
jest.mock('../../ops/support/alive', () => ({ isRunning: () => mockDaemon.running }));
beforeEach(() => {
  said = listen();
  [home, temp] = [tempDir(), tempDir()];
  mockClock.now = 1_000_000;
  jest.spyOn(Date, 'now').mockImplementation(() => mockClock.now);
  mockDaemon.running = true;
  jest.mocked(os.homedir).mockReturnValue(home);
  jest.mocked(os.tmpdir).mockReturnValue(temp);
  jest.mocked(os.userInfo).mockReturnValue({ username: 'ada' } as never);
  jest.mocked(spawn).mockReset().mockImplementation(() => { throw new Error('nothing is left to itself'); });
  jest.mocked(spawnSync).mockReset().mockReturnValue({ status: 0, stdout: '4711\n' } as never);
  jest.mocked(agreed).mockReset().mockRejectedValue(new Error('nobody was to be asked'));
  jest.mocked(engineGet).mockReset();
});

const choice = (engine: Engine = at(usual), source = 'the default socket'): Choice => ({ engine, source, problems: [] });
const again = 'npm run up -- --stack prod';
const ensure = (consent: Consent = 'never', chosen = choice()): Promise<void> => ensureEngine(chosen, consent, again);
const failure = (consent?: Consent, chosen?: Choice): Promise<string> => ensure(consent, chosen).then(() => 'none', (error: Error) => {
  expect(error).toBeInstanceOf(Failure);
  return error.message;
});
/** Programs that were run to their end, and those that were started. */
const ran = (): string[] => jest.mocked(spawnSync).mock.calls.map(([program, args]) => [program, ...(args as string[])].join(' '));
const started = (): string[] => jest.mocked(spawn).mock.calls.map(([program, args]) => [program, ...(args as string[])].join(' '));
const nothing = (): void => expect([ran(), started(), said, jest.mocked(agreed).mock.calls]).toEqual([[], [], [], []]);

describe('whyNoEngine', () => {
  beforeEach(() => jest.mocked(engineGet).mockImplementation(actualEngineGet));

  test('an engine that answers', async () => {
    const { engine, requests } = await fakeEngine(current);
    expect(await whyNoEngine(engine)).toBeUndefined();
    expect(requests.map(({ url }) => url)).toEqual(['/version']);
  });

  test('the reason, as the system or the engine gives it', async () => {
    const socket = path.join(temp, 'none.sock');
    expect(await whyNoEngine(at(`unix://${socket}`))).toBe(`connect ENOENT ${socket}`);
    const url = await nobody();
    expect(await whyNoEngine(at(url.replace('http:', 'tcp:')))).toBe(`connect ECONNREFUSED ${url.slice('http://'.length)}`);
    const { engine } = await fakeEngine({ '/version': { status: 500, body: '{"message":"still starting"}' } });
    expect(await whyNoEngine(engine)).toBe('still starting');
    expect(await whyNoEngine(at('ftp://engine'))).toBe('cannot speak to a Docker Engine at ftp://engine');
  });

  test.each([
    [Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new Error(''), 'no reason given'],
  ])('a reason without words: %#', async (error, reason) => {
    jest.mocked(engineGet).mockReset().mockRejectedValueOnce(error);
    expect(await whyNoEngine(at(usual))).toBe(reason);
  });
});

describe('no start for whom it is not ours to start', () => {
  test('an engine that answers is left alone', async () => {
    engineSays([]);
    await ensure('yes');
    nothing();
  });

  test.each<[string, string | undefined, string]>([
    ['with a value', 'ssh://nonsense/', "docker:host is 'ssh://nonsense/': it leads nowhere.\n    go elsewhere"],
    ['without one, as for a secret', undefined, 'docker:host: it leads nowhere.\n    go elsewhere'],
  ])('a choice that is not clear is refused, and nobody is asked: %s', async (_, value, message) => {
    const unclear: Choice = { ...choice(), problems: [{ key: 'docker:host', ...(value === undefined ? {} : { value }), rule: 'it leads nowhere', mend: ['go elsewhere'] }] };
    expect(await failure('yes', unclear)).toBe(message);
    expect(() => engineOf(unclear)).toThrow(new Failure(message));
    expect(jest.mocked(engineGet).mock.calls).toEqual([]);
    nothing();
  });

  test.each<[Engine, string, string, string]>([
    [at('tcp://engine.example:2375'), 'DOCKER_HOST', 'connect ECONNREFUSED 192.0.2.1:2375', 'DOCKER_HOST=tcp://engine.example:2375 docker info'],
    [at('tcp://engine.example:2376'), 'docker:host', 'status 400: Client sent an HTTP request to an HTTPS server.', 'export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/path/of/a/folder/with/ca.pem,cert.pem,key.pem\n    DOCKER_HOST=tcp://engine.example:2376 docker info'],
    // What a firewall says, and no word about a group.
    [at('tcp://engine.example:2375'), 'docker:host', 'connect EACCES 192.0.2.1:2375', 'DOCKER_HOST=tcp://engine.example:2375 docker info'],
    [at('ssh://me@host'), 'docker context server', 'me@host: Permission denied (publickey).', 'DOCKER_HOST=ssh://me@host docker info'],
    [at('unix:///run/podman/podman.sock'), 'docker:host', 'connect EACCES /run/podman/podman.sock', 'DOCKER_HOST=unix:///run/podman/podman.sock docker info'],
    [at('unix:///home/ada/.colima/default/docker.sock'), 'Colima', 'connect ECONNREFUSED /home/ada/.colima/default/docker.sock', 'DOCKER_HOST=unix:///home/ada/.colima/default/docker.sock docker info'],
    [{ host: 'tcp://engine.example:2376', tls: { certPath: '/certs' } }, 'docker context server', 'status 500', 'DOCKER_HOST=tcp://engine.example:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/certs docker info'],
  ])('one that is not the usual one: %j', async (engine, source, reason, command) => {
    machine({ programs: ['dockerd'] });
    engineSays([], reason);
    expect(await failure('yes', choice(engine, source))).toBe(`The Docker Engine at ${engine.host} (${source}) does not answer: ${reason}.\n    ${command}`);
    nothing();
  });

  test.each<[string, Machine]>([['on Debian', {}], ['where it is installed', { programs: ['dockerd'], systemd: true }], ['on Fedora', { release: fedora }]])('one that runs, for others: the command that lets this user in, at once (%s)', async (_, which) => {
    machine({ uid: 1000, ...which });
    engineSays([], denied);
    expect(await failure('yes')).toBe([
      `This user may not use the Docker Engine (${usual}: ${denied}). Members of the group docker may, which gives them the rights of root.`,
      `    sudo usermod -aG docker ada && sg docker -c '${again}'`,
    ].join('\n'));
    nothing();
  });
});

describe('no second engine beside one that is in use', () => {
  const sockets = 'export DOCKER_HOST=unix:///path/of/docker.sock';

  test.each<[string, Machine, () => void, string, string[]]>([
    ['Docker Desktop on a Mac', { platform: 'darwin', folders: ['/Applications/Docker.app'] }, () => {}, 'Docker Desktop is set up here', ['open -a Docker']],
    ['Docker Desktop on Linux', {}, () => fs.mkdirSync(path.join(home, '.docker', 'desktop'), { recursive: true }), 'Docker Desktop is set up here', ['systemctl --user start docker-desktop']],
    ['Colima', { programs: ['colima'] }, () => {}, 'Colima is set up here', ['colima start']],
    ['Colima on a Mac', { platform: 'darwin', programs: ['colima'] }, () => {}, 'Colima is set up here', ['colima start']],
    ['OrbStack', { platform: 'darwin', programs: ['orb'] }, () => {}, 'OrbStack is set up here', ['orb start']],
    ['Rancher Desktop', { programs: ['rdctl'] }, () => {}, 'Rancher Desktop is set up here', ['rdctl start']],
    ['Podman', { programs: ['podman'] }, () => {}, 'Podman is set up here', ['systemctl --user start podman.socket']],
    ['Podman on a Mac', { platform: 'darwin', programs: ['podman'] }, () => {}, 'Podman is set up here', ['podman machine start']],
    ['rootless Docker', {}, () => {
      fs.mkdirSync(path.join(home, '.config', 'systemd', 'user'), { recursive: true });
      fs.writeFileSync(path.join(home, '.config', 'systemd', 'user', 'docker.service'), '');
    }, 'rootless Docker is set up here', ['systemctl --user start docker']],
    ['rootless Docker, whose folder is elsewhere', {}, () => {
      setEnvironment({ XDG_CONFIG_HOME: path.join(home, 'xdg') });
      fs.mkdirSync(path.join(home, 'xdg', 'systemd', 'user'), { recursive: true });
      fs.writeFileSync(path.join(home, 'xdg', 'systemd', 'user', 'docker.service'), '');
    }, 'rootless Docker is set up here', ['systemctl --user start docker']],
    ['a context', {}, () => writeContext(path.join(home, '.docker'), 'server', 'ssh://server'), 'docker context server is set up here', ['docker context use server']],
    ['several', { programs: ['colima', 'podman'] }, () => writeContext(path.join(home, '.docker'), 'colima', 'unix:///x'), 'Colima and Podman and docker context colima are set up here', ['colima start', 'systemctl --user start podman.socket', 'docker context use colima']],
    ['a context beside one that is broken', {}, () => {
      writeContext(path.join(home, '.docker'), 'server', 'ssh://server');
      fs.mkdirSync(path.join(home, '.docker', 'contexts', 'meta', 'broken'), { recursive: true });
    }, 'docker context server is set up here', ['docker context use server']],
  ])('%s', async (_, which, put, names, commands) => {
    machine(which);
    put();
    engineSays([], noSocket);
    expect(await failure('yes')).toBe([`No Docker Engine answers at ${usual} (${noSocket}). ${names}; start one, or name the one to use.`, ...[...commands, sockets].map((command) => `    ${command}`)].join('\n'));
    nothing();
  });

  test('the daemon of Docker that is installed is none of the others', async () => {
    machine({ programs: ['dockerd', 'podman'], systemd: true });
    engineSays([refused]);
    await ensure('yes');
    expect(ran()).toEqual(['systemctl start docker']);
  });

  test('the configuration alone is no engine', async () => {
    machine({ programs: ['dockerd'], systemd: true });
    useContext(path.join(home, '.docker'), '');
    engineSays([noSocket]);
    await ensure('yes');
    expect(ran()).toEqual(['systemctl start docker']);
  });
});

describe('what is not for us to install', () => {
  test.each<[string, Machine, string, string[]]>([
    ['a Mac', { platform: 'darwin' }, '', ['open https://docs.docker.com/desktop/setup/install/mac-install/']],
    ['another Linux', { release: fedora }, ', and none is installed', ['curl -fsSL https://get.docker.com | sudo sh', again]],
    ['a Linux that does not say which', { release: '' }, ', and none is installed', ['curl -fsSL https://get.docker.com | sudo sh', again]],
  ])('%s', async (_, which, more, commands) => {
    machine(which);
    engineSays([], noSocket);
    expect(await failure('yes')).toBe([`No Docker Engine answers at ${usual} (${noSocket})${more}.`, ...commands.map((command) => `    ${command}`)].join('\n'));
    nothing();
  });
});

describe('consent', () => {
  const update = 'apt-get update';
  const install = 'apt-get install -y --no-install-recommends docker.io ca-certificates iptables';
  const sudo = (commands: readonly string[]): string[] => commands.map((command) => `sudo ${command}`);

  const ways: readonly (readonly [string, Machine, string, readonly string[]])[] = [
    ['Debian, as root', {}, "installs Debian's packages docker.io, ca-certificates, iptables and starts the Docker Engine, as root", [update, install, 'dockerd']],
    ['something like Debian, with systemd and sudo', { release: 'ID=linuxmint\nID_LIKE="ubuntu debian"\n', uid: 1000, systemd: true }, "installs Debian's packages docker.io, ca-certificates, iptables and starts the Docker Engine, as root", sudo([update, install, 'systemctl start docker'])],
    ['installed, with systemd', { programs: ['dockerd'], systemd: true }, 'starts the Docker Engine of this machine, as root', ['systemctl start docker']],
    ['installed in a folder that is on the PATH of root alone, with sudo', { folders: ['/usr/sbin/dockerd'], uid: 1000, systemd: true }, 'starts the Docker Engine of this machine, as root', sudo(['systemctl start docker'])],
    ['installed on another Linux, without systemd', { release: fedora, programs: ['dockerd'] }, 'starts the Docker Engine of this machine, as root', ['dockerd']],
  ];

  test.each(ways)('%s: never means that nothing is done, and the commands are told', async (_, which, __, commands) => {
    machine(which);
    engineSays([], refused);
    expect(await failure('never')).toBe([`No Docker Engine answers at ${usual} (${refused}).`, ...[...commands, again].map((command) => `    ${command}`)].join('\n'));
    nothing();
  });

  test.each(ways)('%s: a no at the terminal, after it was said what would be done', async (_, which, about, commands) => {
    machine(which);
    engineSays([], refused);
    const before: string[][] = [];
    jest.mocked(agreed).mockImplementation(async () => {
      before.push([...said]);
      return false;
    });
    expect(await failure('ask')).toBe(['Nothing was installed or started.', ...[...commands, again].map((command) => `    ${command}`)].join('\n'));
    expect(jest.mocked(agreed).mock.calls).toEqual([['Do that now? [y/N] ']]);
    expect(before).toEqual([[`No Docker Engine answers at ${usual} (${refused}). This ${about}:`, ...commands.map((command) => `    ${command}`)]]);
    expect([ran(), started()]).toEqual([[], []]);
  });

  test.each(ways)('%s: with a yes from either it is done, and said before', async (_, which, about, commands) => {
    for (const consent of ['ask', 'yes'] as const) {
      jest.mocked(spawnSync).mockClear();
      said.length = 0;
      machine(which);
      engineSays([refused]);
      jest.mocked(agreed).mockReset().mockResolvedValue(true);
      await ensure(consent);
      expect(jest.mocked(agreed).mock.calls).toHaveLength(consent === 'ask' ? 1 : 0);
      expect(said.slice(0, commands.length + 1)).toEqual([`No Docker Engine answers at ${usual} (${refused}). This ${about}:`, ...commands.map((command) => `    ${command}`)]);
    }
  });
});

describe('installing', () => {
  test.each<[string, number, string]>([['as root', 0, ''], ['by sudo', 1000, 'sudo ']])("%s: apt asks nothing, waits for another apt, and prints where people look", async (_, uid, prefix) => {
    machine({ uid, systemd: true });
    engineSays([noSocket]);
    await ensure('yes');
    expect(ran()).toEqual([
      `${prefix}env DEBIAN_FRONTEND=noninteractive apt-get -q update`,
      `${prefix}env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends docker.io ca-certificates iptables`,
      `${prefix}systemctl start docker`,
    ]);
    // stdout belongs to the command, which may print JSON; sudo asks at the terminal.
    expect(jest.mocked(spawnSync).mock.calls.map(([, , options]) => options)).toEqual(Array(3).fill({ stdio: ['inherit', 2, 2] }));
  });

  test.each<[string, number, object, string]>([
    ['the lists cannot be had', 1, { status: 100 }, 'env DEBIAN_FRONTEND=noninteractive apt-get -q update ended with 100'],
    ['a package cannot be installed', 2, { status: 100 }, 'env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends docker.io ca-certificates iptables ended with 100'],
    ['somebody ends it', 1, { status: null, signal: 'SIGINT' }, 'env DEBIAN_FRONTEND=noninteractive apt-get -q update ended with SIGINT'],
  ])('%s: nothing is started, and why is above', async (_, steps, result, reason) => {
    machine();
    engineSays([], noSocket);
    jest.mocked(spawnSync).mockImplementation((() => (ran().length < steps ? { status: 0 } : result)) as never);
    expect(await failure('yes')).toBe(`The Docker Engine could not be installed or started: ${reason}.\n    ${again}`);
    expect([ran().length, started()]).toEqual([steps, []]);
  });

  test('no sudo on this machine', async () => {
    machine({ uid: 1000 });
    engineSays([], noSocket);
    jest.mocked(spawnSync).mockReturnValue({ status: null, signal: null, error: Object.assign(new Error('spawnSync sudo ENOENT'), { code: 'ENOENT' }) } as never);
    expect(await failure('yes')).toBe(`The Docker Engine could not be installed or started: sudo cannot be run (ENOENT).\n    ${again}`);
  });
});

describe('starting', () => {
  const journal = 'journalctl --unit docker --lines 30';
  const log = (): string => path.join(temp, fs.readdirSync(temp)[0] ?? '', 'dockerd.log');

  test('by systemd, which waits for it itself', async () => {
    machine({ programs: ['dockerd'], systemd: true });
    engineSays([refused]);
    await ensure('yes');
    expect([ran(), started(), said.at(-1)]).toEqual([['systemctl start docker'], [], 'Docker: starting the engine (systemctl start docker)']);
  });

  test.each<[string, number, string]>([['as root', 0, ''], ['by sudo', 1000, 'sudo ']])('a systemd that cannot: where the reason is (%s)', async (_, uid, prefix) => {
    machine({ uid, programs: ['dockerd'], systemd: true });
    engineSays([], noSocket);
    jest.mocked(spawnSync).mockReturnValue({ status: 1 } as never);
    expect(await failure('yes')).toBe(`The Docker Engine could not be installed or started: ${prefix}systemctl start docker ended with 1.\n    ${prefix}${journal}\n    ${again}`);
    // One look: there is nothing to wait for.
    expect(jest.mocked(engineGet).mock.calls).toHaveLength(2);
  });

  test.each<[string, number, string]>([['as root', 0, ''], ['by sudo', 1000, 'sudo ']])('without systemd: at this terminal, on which sudo may ask, with a log that nobody else writes (%s)', async (_, uid, prefix) => {
    machine({ uid, programs: ['dockerd'] });
    engineSays([noSocket, noSocket, noSocket]);
    await ensure('yes');
    expect(ran()).toEqual([`${prefix}sh -c setsid dockerd >> "$0" 2>&1 < /dev/null & echo $! ${log()}`]);
    expect(jest.mocked(spawnSync).mock.calls.map(([, , options]) => options)).toEqual([{ env: process.env, stdio: ['inherit', 'pipe', 2], encoding: 'utf8' }]);
    expect(said.at(-1)).toBe(`Docker: there is no systemd; starting dockerd (log: ${log()})`);
    expect([fs.statSync(path.dirname(log())).mode & 0o777, fs.statSync(log()).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  test.each<[string, string, string]>([
    ['its last five lines', 'one\ntwo\nthree\nfour\nfive\nfailed to start daemon: no space left on device\n', '; its last lines:\n    two\n    three\n    four\n    five\n    failed to start daemon: no space left on device'],
    ['of which there are none', '', ''],
  ])('a dockerd that ends at once: %s', async (_, content, lines) => {
    machine({ programs: ['dockerd'] });
    mockDaemon.running = false;
    jest.mocked(engineGet).mockImplementation(async () => {
      if (fs.existsSync(temp) && fs.readdirSync(temp).length > 0) {
        fs.writeFileSync(log(), content);
      }
      throw new Error(noSocket);
    });
    expect(await failure('yes')).toBe(`The Docker Engine could not be installed or started: dockerd has ended${lines}.\n    tail ${log()}\n    ${again}`);
  });

  test.each<[string, object, string]>([
    ['a password that is wrong', { status: 1, stdout: '' }, 'sudo ended with 1'],
    ['Ctrl-C at the password', { status: null, signal: 'SIGINT', stdout: '' }, 'sudo ended with SIGINT'],
    ['no sudo', { status: null, signal: null, stdout: null, error: Object.assign(new Error('spawnSync sudo ENOENT'), { code: 'ENOENT' }) }, 'sudo cannot be run (ENOENT)'],
  ])('%s', async (_, result, reason) => {
    machine({ uid: 1000, programs: ['dockerd'] });
    engineSays([], noSocket);
    jest.mocked(spawnSync).mockReturnValue(result as never);
    expect(await failure('yes')).toBe(`The Docker Engine could not be installed or started: ${reason}.\n    ${again}`);
    expect(fs.readdirSync(temp).filter((name) => name.startsWith('dockerd-'))).toEqual([]);
  });

  test('one that never answers', async () => {
    machine({ programs: ['dockerd'], systemd: true });
    engineSays([], refused);
    expect(await failure('yes')).toBe(`The Docker Engine was started but does not answer at ${usual} (${refused}).\n    ${journal}\n    ${again}`);
  });
});

describe('the socket after a start', () => {
  const looks = (): number => jest.mocked(engineGet).mock.calls.length;

  test('is for others: the command that lets this user in, long before the engine would be given up', async () => {
    machine({ uid: 1000, systemd: true });
    engineSays([noSocket], denied);
    expect(await failure('yes')).toMatch(new RegExp(`^This user may not use the Docker Engine .*\\n {4}sudo usermod -aG docker ada && sg docker -c '${again}'$`));
    expect(looks()).toBeLessThan(20);
  });

  test('is for others, and this user is in their group from the next login on', async () => {
    machine({ uid: 1000, programs: ['dockerd'], group: 'root:x:0:\ndocker:x:101:bob,ada\n' });
    engineSays([], denied);
    expect(await failure('yes')).toMatch(new RegExp(`^This shell may not use the Docker Engine .* yet: ada becomes a member of the group docker at the next login\\.\\n {4}sg docker -c '${again}'$`));
  });

  test('is for others for a moment: a daemon makes it before it gives it to its group', async () => {
    machine({ uid: 1000, systemd: true });
    engineSays([noSocket, noSocket, denied, denied, denied]);
    await ensure('yes');
    expect(looks()).toBe(6);
  });

  test('the moment begins anew where it went in between', async () => {
    machine({ uid: 1000, programs: ['dockerd'] });
    const nearly = Array<string>(8).fill(denied);
    engineSays([noSocket, ...nearly, refused, ...nearly]);
    await ensure('yes');
    expect(looks()).toBe(19);
  });
});
