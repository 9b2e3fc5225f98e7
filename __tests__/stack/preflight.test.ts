import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as os from 'node:os';
import * as path from 'node:path';
import { inspectHost, type HostFacts } from '../../stack/preflight';
import type { Problem } from '../../settings/problem';
import { readSettings } from '../../settings/settings';
import { at } from '../../engine';
import { container, current, fakeEngine, type Answer } from '../support/fake-engine';
import { inspect, inspectAt, named, owner } from '../support/inspect-host';
import { tempDir } from '../support/temp';
import { nobody } from '../support/web';

// What runs on the machine of the test must not matter.
jest.mock('../../engine/host-ports', () => ({ ...jest.requireActual<object>('../../engine/host-ports'), isHeld: () => Promise.resolve(false) }));
jest.mock('node:http', () => {
  const actual = jest.requireActual<typeof http>('node:http');
  return { ...actual, request: jest.fn(actual.request) };
});
jest.mock('node:child_process', () => ({ ...jest.requireActual<object>('node:child_process'), spawn: jest.fn() }));

afterEach(() => jest.restoreAllMocks());

/** What is taken for true of an engine that says nothing of itself. */
const unsaid = { engineId: '', bridge: [], limits: { memory: true, swap: true, cpus: true, ulimits: [] }, ipv6: true, hostless: true };

describe('addresses of Phoenix', () => {
  const chosen = (bind: string): Record<string, string> => ({ 'phoenix:auth': 'true', 'phoenix:bind': bind });

  test.each(['127.0.0.1', '127.0.0.9', '0.0.0.0', '0.0.0.0,::'])('chosen: %s', async (bind) => {
    expect(await inspect(chosen(bind))).toMatchObject({ problems: [], warnings: [], bind: ['127.0.0.1', '172.17.0.1'] });
  });

  test('chosen: one that this host does not have', async () => {
    expect((await inspect(chosen('127.0.0.1,192.0.2.7'))).problems).toEqual([
      { key: 'phoenix:bind', value: '192.0.2.7', rule: 'this host has no such address', mend: ['pulumi config set phoenix:bind 127.0.0.1'] },
    ]);
  });

  test.each<[string, Record<string, Answer>, 'unix' | 'tcp']>([
    ['another host', {}, 'tcp'],
    ['Docker Desktop', { '/info': { NCPU: 8, OperatingSystem: 'Docker Desktop' } }, 'unix'],
  ])('the addresses of %s are not known here', async (_, answers, over) => {
    expect(await inspect(chosen('192.0.2.7'), answers, over)).toMatchObject({ problems: [], warnings: [] });
  });
});

describe('addresses of Alloy', () => {
  const bridge = (...ranges: object[]): Record<string, Answer> => ({ '/networks/bridge': { IPAM: { Config: ranges } } });

  test('on a current engine: nothing to say, and six questions asked', async () => {
    const engine = await fakeEngine(current);
    expect(await inspectAt(engine.engine)).toMatchObject({ problems: [], warnings: [], bind: ['127.0.0.1', '172.17.0.1'], listed: {} });
    expect(engine.requests.map(({ method, url }) => `${method} ${url}`).sort()).toEqual([
      'GET /containers/json?all=1', 'GET /info', 'GET /networks', 'GET /networks/bridge', 'GET /version', 'GET /volumes',
    ]);
  });

  test.each<[string, Record<string, Answer>, string[]]>([
    ['gateway of the bridge', bridge({ Subnet: '10.200.0.0/24', Gateway: '10.200.0.254' }), ['127.0.0.1', '10.200.0.254']],
    ['no gateway written down: the first address', bridge({ Subnet: '172.17.0.0/16' }), ['127.0.0.1', '172.17.0.1']],
    ['an empty one: the first address', bridge({ Subnet: '172.17.0.0/16', Gateway: '' }), ['127.0.0.1', '172.17.0.1']],
    ['a subnet that begins in the middle', bridge({ Subnet: '10.1.2.128/25' }), ['127.0.0.1', '10.1.2.129']],
    ['IPv6 listed first', bridge({ Subnet: 'fd00::/80', Gateway: 'fd00::1' }, { Subnet: '172.18.0.0/16', Gateway: '172.18.0.1' }), ['127.0.0.1', '172.18.0.1']],
    ['IPv6 alone', bridge({ Subnet: 'fd00::/80' }), ['127.0.0.1']],
    ['a bridge without addresses', { '/networks/bridge': { IPAM: {} } }, ['127.0.0.1']],
    ['no bridge', { '/networks/bridge': { status: 404, body: '{"message":"network bridge not found"}' } }, ['127.0.0.1']],
    ['Docker Desktop', { '/info': { NCPU: 8, OperatingSystem: 'Docker Desktop' } }, ['127.0.0.1']],
  ])('auto with %s', async (_, answers, bind) => {
    // Loopback is no part of it.
    expect(await inspect({}, answers)).toEqual({ problems: [], warnings: [], bind, listed: {}, ...unsaid, bridge: bind.slice(1) });
  });

  test('what containers alone reach is known, too, where addresses are chosen', async () => {
    expect(await inspect({ 'alloy:bind': '127.0.0.1' }, bridge({ Subnet: '10.200.0.0/24', Gateway: '10.200.0.254' }))).toMatchObject({ bind: ['127.0.0.1'], bridge: ['10.200.0.254'] });
  });

  describe("a gateway that is no address of the engine's host", () => {
    const gone = bridge({ Subnet: '192.0.2.0/24', Gateway: '192.0.2.7' });
    const kernel = (KernelVersion: string): Record<string, Answer> => ({ ...gone, '/info': { ...(current['/info'] as object), KernelVersion } });

    test('on this kernel: left out, and said', async () => {
      expect(await inspect({}, kernel(os.release()))).toMatchObject({ problems: [], bind: ['127.0.0.1'], warnings: [expect.stringMatching(/^192\.0\.2\.7, .*`sudo systemctl restart docker`/)] });
    });

    test.each<[string, Record<string, Answer>, 'unix' | 'tcp']>([
      ['in a virtual machine', kernel('5.15.0-of-a-machine-in-here'), 'unix'],
      ['on another host', kernel(os.release()), 'tcp'],
    ])('%s: not for this host to say', async (_, answers, over) => {
      expect(await inspect({}, answers, over)).toMatchObject({ problems: [], bind: ['127.0.0.1', '192.0.2.7'], warnings: [] });
    });
  });

  test('a queue that has no room on the disk of the engine, where that is the one of this machine', async () => {
    const info = (KernelVersion: string): Record<string, Answer> => ({ '/info': { ...(current['/info'] as object), KernelVersion, DockerRootDir: os.tmpdir() } });
    const far = { 'alloy:queue': '999999GiB' };
    expect((await inspect(far, info(os.release()))).problems).toMatchObject([{ key: 'alloy:queue', value: '999999GiB' }]);
    expect((await inspect({}, info(os.release()))).problems).toEqual([]);
    expect((await inspect(far, info('of-a-virtual-machine'))).problems).toEqual([]);
    expect((await inspect(far, info(os.release()), 'tcp')).problems).toEqual([]);
  });

  test('auto on another host is loopback and the gateway there', async () => {
    expect(await inspect({}, bridge({ Subnet: '10.200.0.0/24', Gateway: '10.200.0.254' }), 'tcp')).toMatchObject({ problems: [], warnings: [], bind: ['127.0.0.1', '10.200.0.254'] });
  });

  test.each(['127.0.0.1', '127.0.0.9', '0.0.0.0', '::', '0.0.0.0,::'])('chosen: %s', async (chosen) => {
    expect(await inspect({ 'alloy:bind': chosen })).toMatchObject({ problems: [], warnings: [], bind: chosen.split(',') });
  });

  test('chosen: one that this host does not have', async () => {
    expect((await inspect({ 'alloy:bind': '127.0.0.1,192.0.2.7' })).problems).toEqual([
      {
        key: 'alloy:bind',
        value: '192.0.2.7',
        rule: 'this host has no such address',
        mend: ['pulumi config set alloy:bind auto'],
      },
    ]);
  });

  test.each<[string, Record<string, Answer>, 'unix' | 'tcp']>([
    ['another host', {}, 'tcp'],
    ['Docker Desktop', { '/info': { NCPU: 8, OperatingSystem: 'Docker Desktop' } }, 'unix'],
  ])('the addresses of %s are not known here', async (_, answers, over) => {
    expect(await inspect({ 'alloy:bind': '192.0.2.7' }, answers, over)).toMatchObject({ problems: [], warnings: [], bind: ['192.0.2.7'] });
  });
});

describe('an engine that does not answer', () => {
  test('no socket: one problem, with what chose it', async () => {
    const socket = path.join(tempDir(), 'none.sock');
    for (const preview of [true, false]) {
      expect(await inspectAt(at(`unix://${socket}`), {}, preview)).toEqual({
        problems: [
          {
            key: 'docker:host',
            rule: `the Docker Engine at unix://${socket} (docker:host) does not answer (connect ENOENT ${socket})`,
            mend: [`DOCKER_HOST=unix://${socket} docker info`, 'pulumi config set docker:host unix:///var/run/docker.sock'],
          },
        ],
        warnings: [],
        bind: ['127.0.0.1'],
        listed: {},
        ...unsaid,
      });
    }
  });

  test('the usual one: what starts it', async () => {
    // One question finds out how to ask the others.
    jest.mocked(http.request).mockImplementationOnce(() => {
      throw new Error('connect ENOENT /var/run/docker.sock');
    });
    const { problems } = await inspectHost({ ...named(at('unix:///var/run/docker.sock')), source: 'the default socket' }, readSettings({}, 'llm-observability').settings, owner, true);
    expect(problems).toEqual([{
      key: 'docker:host',
      rule: 'the Docker Engine at unix:///var/run/docker.sock (the default socket) does not answer (connect ENOENT /var/run/docker.sock)',
      mend: ['sudo systemctl start docker', 'npm run doctor'],
    }]);
  });

  test('in silence', async () => {
    // The limit itself is 10 s; here it has passed at once.
    const spy = jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => AbortSignal.abort());
    const { problems } = await inspect({}, Object.fromEntries(Object.keys(current).map((question) => [question, 'silence'])));
    // One question finds out how to ask the others.
    expect(spy.mock.calls).toEqual([[10_000]]);
    expect(problems).toMatchObject([{ key: 'docker:host', rule: expect.stringMatching(/ does not answer \(no answer within 10000 ms\)$/) }]);
  });

  test.each(['/version', '/info', '/containers/json', '/volumes', '/networks'])('an error of its own is told: of %s', async (question) => {
    const { problems } = await inspect({}, { [question]: { status: 500, body: '{"message":"disk full"}' } });
    expect(problems).toMatchObject([{ key: 'docker:host', rule: expect.stringMatching(/ does not answer \(disk full\)$/) }]);
  });

  test('something else listens there', async () => {
    const { problems } = await inspect({}, { '/version': { status: 200, body: 'hello' } });
    expect(problems).toMatchObject([{ key: 'docker:host', rule: expect.stringMatching(/ does not answer \(.*JSON.*\)$/) }]);
  });

  test.each<[string, Answer]>([
    ['/version', {}], ['/version', { ApiVersion: 1.41 }], ['/info', []], ['/info', { NCPU: 8 }], ['/containers/json', {}], ['/volumes', { status: 200, body: 'null' }], ['/networks', { Volumes: [] }],
    ...['/version', '/info', '/containers/json', '/networks'].map((question): [string, Answer] => [question, { status: 200, body: 'null' }]),
  ])('something that only looks like one: %s is %j', async (question, answer) => {
    const { problems } = await inspect({}, { [question]: answer });
    expect(problems).toMatchObject([{ key: 'docker:host', rule: expect.stringMatching(/ does not answer \(what answers there is not a Docker Engine\)$/) }]);
  });

  test('over TCP: how to look, and how to come back to this host', async () => {
    const { port } = new URL(await nobody());
    expect((await inspectAt(at(`tcp://127.0.0.1:${port}`), { 'alloy:bind': '192.0.2.7' })).problems).toEqual([
      {
        key: 'docker:host',
        rule: `the Docker Engine at tcp://127.0.0.1:${port} (docker:host) does not answer (connect ECONNREFUSED 127.0.0.1:${port})`,
        mend: [`DOCKER_HOST=tcp://127.0.0.1:${port} docker info`, 'pulumi config set docker:host unix:///var/run/docker.sock'],
      },
    ]);
  });

  test('over TCP where it speaks TLS: the certificates first', async () => {
    const { engine } = await fakeEngine({ '/_ping': { status: 400, body: 'Client sent an HTTP request to an HTTPS server.\n' } }, 'tcp');
    expect((await inspectAt(engine)).problems).toEqual([{
      key: 'docker:host',
      rule: `the Docker Engine at ${engine.host} (docker:host) does not answer (status 400: Client sent an HTTP request to an HTTPS server.)`,
      mend: [
        'export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/path/of/a/folder/with/ca.pem,cert.pem,key.pem',
        `DOCKER_HOST=${engine.host} docker info`, 'pulumi config set docker:host unix:///var/run/docker.sock',
      ],
    }]);
  });

  describe('over ssh', () => {
    const reason = 'the Docker Engine at ssh://me@host.example (docker:host) does not answer (no route)';
    beforeEach(() => {
      const actual = jest.requireActual<{ spawn: typeof spawn }>('node:child_process');
      jest.mocked(spawn).mockImplementation(((_: string, __: string[], options: object) =>
        actual.spawn(process.execPath, ['-e', `process.stderr.write('no route'); process.exitCode = 255;`], options)) as never);
    });

    test('a preview goes on with a warning', async () => {
      expect(await inspectAt(at('ssh://me@host.example'), {}, true)).toEqual({
        problems: [],
        warnings: [`${reason}; whether the ports are free there is not known`],
        bind: ['127.0.0.1'],
        listed: {},
        ...unsaid,
      });
    });

    test('a deployment does not', async () => {
      expect(await inspectAt(at('ssh://me@host.example'), { 'alloy:bind': '192.0.2.7' }, false)).toEqual({
        problems: [
          { key: 'docker:host', rule: reason, mend: ['DOCKER_HOST=ssh://me@host.example docker info', 'pulumi config set docker:host unix:///var/run/docker.sock'] },
        ],
        warnings: [],
        bind: ['192.0.2.7'],
        listed: {},
        ...unsaid,
      });
    });
  });
});

describe('a preview that asks the host nothing', () => {
  const unasked = { 'docker:disableDockerDaemonCheck': 'true' };

  test.each([['auto', ['127.0.0.1']], ['192.0.2.7', ['192.0.2.7']]])('says so, and that it knows less (alloy:bind %s)', async (bind, addresses) => {
    const { engine, requests } = await fakeEngine({ ...current, '/containers/json': [container('web', 6006)] });
    expect(await inspectAt(engine, { ...unasked, 'alloy:bind': bind })).toEqual({
      problems: [],
      warnings: ['the Docker host was not asked; whether the ports are free there is not known'],
      bind: addresses,
      listed: {},
      ...unsaid,
    });
    expect(requests).toEqual([]);
  });

  test('a deployment asks all the same', async () => {
    const { engine } = await fakeEngine({ ...current, '/containers/json': [container('web', 6006)] });
    expect((await inspectAt(engine, unasked, false)).problems.map(({ key }) => key)).toEqual(['phoenix:uiPort']);
  });
});

describe('an engine that is too old', () => {
  test.each(['1.41', '1.100', '2.0'])('API %s is new enough', async (ApiVersion) => {
    expect((await inspect({}, { '/version': { ApiVersion, Version: 'x' } })).problems).toEqual([]);
  });

  test.each(['1.40', '1.9', '0.50'])('API %s is too old', async (ApiVersion) => {
    expect((await inspect({}, { '/version': { ApiVersion, Version: '19.03.15' } })).problems).toEqual([
      {
        key: 'docker:host',
        rule: `Docker 19.03.15 is too old: its API is ${ApiVersion}, and 1.41 (Docker 20.10) is the oldest that is supported`,
        mend: ['sudo apt-get install --only-upgrade docker.io'],
      },
    ]);
  });});

describe('what the engine says of itself and of its kernel', () => {
  /** Fields as moby writes them (api/types/system.Info). */
  const info = (fields: object): Record<string, Answer> => ({ '/info': { ...(current['/info'] as object), ID: 'engine-id', SecurityOptions: ['name=seccomp,profile=default'], MemoryLimit: true, SwapLimit: true, CpuCfsQuota: true, ...fields } });
  const [both, loopback] = [['127.0.0.1', '172.17.0.1'], ['127.0.0.1']];
  const all = { memory: true, swap: true, cpus: true, ulimits: [] };
  const nothing = { memory: false, swap: false, cpus: false, ulimits: false } as const;
  const noMemory = 'the kernel of the Docker host has no memory limit: phoenix:memory and alloy:memory are not enforced';
  const noSwap = 'the kernel of the Docker host does not count swap: containers may use it beyond their memory limit';
  const noCpus = 'the kernel of the Docker host has no CPU quota for this engine: phoenix:cpus and alloy:cpus are not enforced';
  const noBridge = { '/networks/bridge': { status: 404, body: '{"message":"network bridge not found"}' } };

  /** What such an engine answered when this was recorded. */
  const recorded = (name: string): Record<string, Answer> => {
    const { version, info: said, bridge } = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'support', 'engines', `${name}.json`), 'utf8')) as Record<string, object>;
    return { '/version': version as Answer, '/info': said as Answer, '/networks/bridge': bridge as Answer };
  };
  const dockers = { engineId: 'AAAA:BBBB:CCCC:DDDD' };

  test.each<[string, Partial<HostFacts>]>([
    ['docker-20.10', { ...dockers, bind: both, limits: all, warnings: [] }],
    ['docker-28.5', { ...dockers, bind: both, limits: all, warnings: [] }],
    ['docker-28.5-rootless', { ...dockers, bind: loopback, limits: nothing, warnings: [noMemory, noCpus] }],
    // Podman makes up an ID for each question (pkg/api/handlers/compat/info.go): it is none.
    ['podman-4.3', { hostless: false, engineId: '', bind: loopback, limits: { ...all, ulimits: false }, warnings: [] }],
    ['podman-5.8', { hostless: false, engineId: '', bind: loopback, limits: { ...all, ulimits: false }, warnings: [] }],
  ])('as recorded: %s', async (name, facts) => {
    expect(await inspect({}, recorded(name))).toMatchObject({ problems: [], ...facts });
    expect(await inspect({}, recorded(name), 'tcp')).toMatchObject({ problems: [], ...facts });
  });

  test.each<[string, Record<string, Answer>, Partial<HostFacts>]>([
    ['a whole engine', info({}), { bind: both, limits: all, warnings: [] }],
    ['rootless Docker, whose kernel delegates nothing', info({ SecurityOptions: ['name=seccomp,profile=default', 'name=rootless'], MemoryLimit: false, SwapLimit: false, CpuCfsQuota: false }), { bind: loopback, limits: nothing, warnings: [noMemory, noCpus] }],
    ['rootless Docker with cgroup v2 and all controllers', info({ SecurityOptions: ['name=seccomp,profile=builtin', 'name=rootless', 'name=cgroupns'] }), { bind: loopback, limits: { ...all, ulimits: false }, warnings: [] }],
    ['users of containers that are others on the host', info({ SecurityOptions: ['name=seccomp,profile=builtin', 'name=userns'] }), { bind: both, limits: all, warnings: [] }],
    ['no CPU quota', info({ CpuCfsQuota: false }), { bind: both, limits: { ...all, cpus: false }, warnings: [noCpus] }],
    ['no swap accounting', info({ SwapLimit: false }), { bind: both, limits: { ...all, swap: false }, warnings: [noSwap] }],
    ['no memory limit', info({ MemoryLimit: false, SwapLimit: false }), { bind: both, limits: { ...all, memory: false, swap: false }, warnings: [noMemory] }],
    ['an engine that says none of it, and has no bridge', { ...noBridge, '/info': { ID: 'engine-id', NCPU: 8, OperatingSystem: 'fedora' } }, { bind: loopback, limits: all, warnings: [] }],
    ['no security options at all', info({ SecurityOptions: null }), { bind: both, limits: all, warnings: [] }],
  ])('%s', async (_, answers, facts) => {
    expect(await inspect({}, answers)).toMatchObject({ problems: [], engineId: 'engine-id', ...facts });
    // The engine is asked over TCP or SSH just the same.
    expect(await inspect({}, answers, 'tcp')).toMatchObject({ problems: [], engineId: 'engine-id', ...facts });
  });

  test('an engine without an ID of its own', async () => {
    expect(await inspect({}, { '/info': { NCPU: 8, OperatingSystem: 'fedora' } })).toMatchObject({ problems: [], engineId: '' });
  });

  test('where CPUs are not limited anyway, none are too many', async () => {
    const cpus = { 'phoenix:cpus': '9' };
    expect((await inspect(cpus, info({ NCPU: 2, CpuCfsQuota: false }))).problems).toEqual([]);
    expect((await inspect(cpus, info({ NCPU: 2 }))).problems).toMatchObject([{ key: 'phoenix:cpus' }]);
  });

  test('rootless Docker takes addresses that somebody has chosen', async () => {
    const rootless = info({ SecurityOptions: ['name=rootless'] });
    expect(await inspect({ 'alloy:bind': '0.0.0.0' }, rootless)).toMatchObject({ problems: [], bind: ['0.0.0.0'] });
  });

  const ownPlatform = Object.getOwnPropertyDescriptor(process, 'platform') ?? {};
  afterEach(() => void Object.defineProperty(process, 'platform', ownPlatform));

  const [none, some] = ['/nowhere/if_inet6', __filename];
  test.each<[string, NodeJS.Platform, 'unix' | 'tcp', object, string, boolean]>([
    ['this machine has IPv6', 'linux', 'unix', {}, some, true],
    ['this machine has none', 'linux', 'unix', {}, none, false],
    ['the kernel is that of another machine', 'linux', 'tcp', {}, none, true],
    ['the kernel is that of a virtual machine', 'linux', 'unix', { OperatingSystem: 'Docker Desktop' }, none, true],
    ['this machine has no kernel of Linux', 'darwin', 'unix', {}, none, true],
  ])('IPv6: %s', async (_, platform, over, fields, inet6, ipv6) => {
    // A read-only property, which jest's replaceProperty cannot put back.
    Object.defineProperty(process, 'platform', { ...ownPlatform, value: platform });
    const { engine } = await fakeEngine({ ...current, ...info(fields) }, over);
    expect(await inspectHost(named(engine), readSettings({}, 'llm-observability').settings, owner, true, inet6)).toMatchObject({ problems: [], ipv6 });
  });
});

describe('a stack in the middle of taking over', () => {
  const withVolume = async (name: string): Promise<readonly Problem[]> => (await inspect({}, { '/volumes': { Volumes: [{ Name: name, Labels: { 'llm-observability.adoption': '{}' } }] } })).problems;

  test('is refused until it has come to the end', async () => {
    expect(await withVolume('adoption-dev-switching')).toEqual([{
      key: 'stack', value: 'dev', rule: 'it has not finished taking over from the earlier services, and nothing is lost: run the adoption to its end', mend: ['npm run adopt -- --stack dev'],
    }]);
  });

  test.each(['adoption-dev-rehearsing', 'adoption-dev-copied', 'adoption-dev-adopted', 'adoption-prod-switching', 'adoption-dev-2-switching'])('%s stands in nobody\'s way', async (name) => {
    expect(await withVolume(name)).toEqual([]);
  });
});

test('everything that is wrong with a host comes at once', async () => {
  const { problems } = await inspect(
    { 'alloy:cpus': '9', 'phoenix:auth': 'true', 'phoenix:bind': '127.0.0.1,192.0.2.8', 'alloy:bind': '192.0.2.7' },
    {
      '/version': { ApiVersion: '1.40', Version: '19.03.15' },
      '/containers/json': [container('a', 6006), container('b', 4317, {}, '0.0.0.0')],
      '/volumes': { Volumes: [{ Name: 'phoenix-dev-data', Labels: null }] },
    },
  );
  expect(problems.map(({ key, value }) => [key, value])).toEqual([
    ['docker:host', undefined],
    ['alloy:cpus', '9'],
    ['phoenix:bind', '192.0.2.8'],
    ['alloy:bind', '192.0.2.7'],
    ['stack', 'dev'],
    ['phoenix:uiPort', '6006'],
    ['alloy:otlpGrpcPort', '4317'],
  ]);
});
