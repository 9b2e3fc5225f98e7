import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { hostNames } from '../../components/names';
import * as portHolder from '../../engine/host-ports';
import { inspectHost, type HostFacts } from '../../stack/preflight';
import type { Problem } from '../../settings/problem';
import { readSettings } from '../../settings/settings';
import { portAsSet, portKeys, publishedPorts } from '../../settings/ports';
import { at, type Choice, type Engine } from '../../engine';
import { container, current, fakeEngine, type Answer } from '../support/fake-engine';
import { tempDir } from '../support/temp';

// What runs on the machine of the test must not matter: only ports that a test names are looked at.
const watched = new Set<number>();
/** Ports that a process holds, as far as the program can see. */
const held = new Set<number>();
afterEach(() => held.clear());
jest.mock('../../engine/host-ports', () => {
  const actual = jest.requireActual<typeof portHolder>('../../engine/host-ports');
  return {
    isHeld: jest.fn((address: string, port: number) => (watched.has(port) ? actual.isHeld(address, port) : Promise.resolve(held.has(port)))),
    holderOf: jest.fn(actual.holderOf),
    isOwnAddress: actual.isOwnAddress,
  };
});
jest.mock('node:http', () => {
  const actual = jest.requireActual<typeof http>('node:http');
  return { ...actual, request: jest.fn(actual.request) };
});
jest.mock('node:child_process', () => ({ ...jest.requireActual<object>('node:child_process'), spawn: jest.fn() }));

/** A listener of this process; closed after the test, however it ends. */
const servers: net.Server[] = [];
async function listen(): Promise<number> {
  const server = net.createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as net.AddressInfo).port;
}
const closeAll = (): Promise<unknown> => Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
afterEach(closeAll);
afterEach(() => jest.restoreAllMocks());

const owner = 'llm-observability/dev';
const own = { 'llm-observability.stack': owner };

/** Inspects a host with these settings; what the engine answers differs from a current one in `answers`. */
async function inspect(
  config: Record<string, string> = {},
  answers: Record<string, Answer> = {},
  over: 'unix' | 'tcp' = 'unix',
): Promise<HostFacts> {
  const { engine } = await fakeEngine({ ...current, ...answers }, over);
  return inspectAt(engine, config);
}

/** The engine as the settings name it. */
const named = (engine: Engine): Choice => ({ engine, source: 'docker:host', problems: [] });

function inspectAt(engine: Engine, config: Record<string, string> = {}, preview = true): Promise<HostFacts> {
  const { settings, problems } = readSettings(config, 'llm-observability');
  expect(problems).toEqual([]);
  return inspectHost(named(engine), settings, owner, preview);
}

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
    expect(problems).toMatchObject([{ key: 'docker:host', rule: expect.stringMatching(/ does not answer \(what answers there is no Docker Engine\)$/) }]);
  });

  test('over TCP: how to look, and how to come back to this host', async () => {
    const port = await listen();
    await closeAll();
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

describe('an engine that is too small', () => {
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
  });

  test('more CPUs than it has', async () => {
    const info = { '/info': { NCPU: 2, OperatingSystem: 'Debian' } };
    expect((await inspect({ 'phoenix:cpus': '2', 'alloy:cpus': '2.5' }, info)).problems).toEqual([
      { key: 'alloy:cpus', value: '2.5', rule: 'the Docker host has 2', mend: ['pulumi config set alloy:cpus 2'] },
    ]);
    const ten = { '/info': { NCPU: 10, OperatingSystem: 'Debian' } };
    expect((await inspect({ 'phoenix:cpus': '10', 'alloy:cpus': '20' }, ten)).problems).toMatchObject([{ key: 'alloy:cpus', rule: 'the Docker host has 10' }]);
  });
});

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

describe('a stack at the edge, which has no Phoenix', () => {
  const atEdge = { 'edge:central': 'prod' };
  const holders = { '/containers/json': [6006, 14317, 14318, 4317, 4318, 12345].map((port) => container(`on-${port}`, port)) };
  const keysOf = ({ problems }: HostFacts): string[] => problems.map(({ key }) => key);

  test("whoever holds Phoenix's ports holds none of it", async () => {
    expect(keysOf(await inspect(atEdge, holders))).toEqual(['alloy:otlpGrpcPort', 'alloy:otlpHttpPort', 'alloy:uiPort']);
    expect(keysOf(await inspect({}, holders))).toHaveLength(6);
  });

  test('nor does a process that holds one', async () => {
    const port = await listen();
    watched.add(port);
    const { engine } = await fakeEngine(current);
    const config = { 'phoenix:uiPort': String(port) };
    const facts = (more: Record<string, string>): Promise<HostFacts> => inspectHost(named(engine), readSettings({ ...config, ...more }, 'llm-observability').settings, owner, true);
    expect(keysOf(await facts({}))).toEqual(['phoenix:uiPort']);
    expect(keysOf(await facts(atEdge))).toEqual([]);
  });

  test('the CPUs of Alloy count, those of Phoenix do not', async () => {
    const { engine } = await fakeEngine({ ...current, '/info': { NCPU: 2, OperatingSystem: 'Debian' } });
    const config = { 'phoenix:cpus': '4', 'alloy:cpus': '3' };
    const facts = (more: Record<string, string>): Promise<HostFacts> => inspectHost(named(engine), readSettings({ ...config, ...more }, 'llm-observability').settings, owner, true);
    expect((await facts(atEdge)).problems).toEqual([{ key: 'alloy:cpus', value: '3', rule: 'the Docker host has 2', mend: ['pulumi config set alloy:cpus 2'] }]);
    expect(keysOf(await facts({}))).toEqual(['phoenix:cpus', 'alloy:cpus']);
  });
});

describe('ports that the engine lists for the containers of the stack', () => {
  const both = [container('phoenix-dev', 6006, own), container('alloy-dev', 4318, own), container('phoenix-prod', 9000, { 'llm-observability.stack': 'llm-observability/prod' })];
  const phoenix = {
    Name: '/phoenix-dev',
    NetworkSettings: {
      Ports: {
        '4317/tcp': [{ HostIp: '127.0.0.1', HostPort: '14317' }],
        '6006/tcp': [{ HostIp: '127.0.0.1', HostPort: '14318' }, { HostIp: '127.0.0.1', HostPort: '6006' }],
        '9090/tcp': null,
      },
    },
  };
  const inOrder = [
    { internal: 4317, external: 14317, ip: '127.0.0.1' },
    { internal: 6006, external: 14318, ip: '127.0.0.1' },
    { internal: 6006, external: 6006, ip: '127.0.0.1' },
  ];

  test('come by container, in the order of the engine, and those of others are not asked for', async () => {
    const engine = await fakeEngine({
      ...current,
      '/containers/json': both,
      '/containers/phoenix-dev-id/json': phoenix,
      '/containers/alloy-dev-id/json': { Name: '/alloy-dev', NetworkSettings: { Ports: {} } },
    });
    expect(await inspectAt(engine.engine)).toMatchObject({ problems: [], listed: { 'phoenix-dev': inOrder, 'alloy-dev': [] } });
    expect(engine.requests.filter(({ url }) => url.includes('-id/')).map(({ url }) => url).sort()).toEqual([
      '/containers/alloy-dev-id/json', '/containers/phoenix-dev-id/json',
    ]);
  });

  test('a container that goes meanwhile lists nothing', async () => {
    const gone = { status: 404, body: '{"message":"No such container"}' };
    const answers = { '/containers/json': both, '/containers/phoenix-dev-id/json': phoenix, '/containers/alloy-dev-id/json': gone };
    expect(await inspect({}, answers)).toMatchObject({ problems: [], listed: { 'phoenix-dev': inOrder } });
  });
});

describe('ulimits that the engine gives every container', () => {
  const ulimit = (name: string, value: number): { name: string; soft: number; hard: number } => ({ name, soft: value, hard: value });
  /** A stack whose containers list these, in the engine's words. */
  const stackWith = (lists: Readonly<Record<string, readonly ReturnType<typeof ulimit>[] | null | undefined>>): Record<string, Answer> => ({
    '/containers/json': Object.keys(lists).map((name) => container(name, 7777, own)),
    ...Object.fromEntries(Object.entries(lists).map(([name, list]) => [`/containers/${name}-id/json`, {
      Name: `/${name}`,
      ...(list === undefined ? {} : { HostConfig: { Ulimits: list && list.map(({ name: Name, soft: Soft, hard: Hard }) => ({ Name, Soft, Hard })) } }),
      NetworkSettings: { Ports: {} },
    }])),
  });
  const [bounded, memlock, core] = [ulimit('nproc', 4096), ulimit('memlock', -1), ulimit('core', 0)];

  test.each<[string, Parameters<typeof stackWith>[0], object[]]>([
    ['a stack with nothing that runs', {}, []],
    ['an engine with none', { 'web-dev': null, 'api-dev': null }, []],
    ['an engine that does not say', { 'web-dev': undefined }, []],
    ['one container', { 'web-dev': [bounded, memlock] }, [bounded, memlock]],
    ['what all have, in any order', { 'web-dev': [bounded, memlock], 'api-dev': [memlock, bounded] }, [bounded, memlock]],
    ['not what one alone has', { 'web-dev': [core, memlock], 'api-dev': [memlock] }, [memlock]],
  ])('%s', async (_, lists, ulimits) => {
    expect((await inspect({}, stackWith(lists))).limits.ulimits).toEqual(ulimits);
  });

  test('none where it is rootless', async () => {
    const info = { '/info': { ...(current['/info'] as object), SecurityOptions: ['name=rootless'] } };
    expect((await inspect({}, { ...stackWith({ 'web-dev': [memlock] }), ...info })).limits.ulimits).toBe(false);
  });
});

describe('an older Phoenix than the one that runs', () => {
  const newer = 'arizephoenix/phoenix:version-99.1.0-nonroot';
  /** What the engine says of the stack's Phoenix. */
  const runs = (image: string, status = 'running', name = 'phoenix-dev', labels: Record<string, string> = own): Record<string, Answer> => ({
    '/containers/json': [{ ...container(name, 7777, labels), Image: 'sha256:0123456789ab', State: status }],
    [`/containers/${name}-id/json`]: { Name: `/${name}`, Config: { Image: image }, State: { Status: status }, NetworkSettings: { Ports: {} } },
  });

  test.each([newer, 'arizephoenix/phoenix:99.1.0', `my/phoenix:v99.1.0@sha256:${'0'.repeat(64)}`])('is refused, with what to set: %s', async (image) => {
    expect((await inspect({}, runs(image))).problems).toEqual([{
      key: 'phoenix:image',
      value: 'arizephoenix/phoenix:version-20.26.1-nonroot',
      rule: 'Phoenix 99.1.0 runs on the database of this stack, and Phoenix has no downgrade of its database; docs/upgrade.md says how to go back',
      mend: [`pulumi config set phoenix:image ${image}`],
    }]);
  });

  test.each<[string, Record<string, Answer>, Record<string, string>]>([
    ['the same version', runs('arizephoenix/phoenix:version-20.26.1-nonroot'), {}],
    ['the same version, built here', runs('lab/phoenix:20.26.1'), {}],
    ['a newer one than the one that runs', runs('arizephoenix/phoenix:version-20.9.3-nonroot'), {}],
    ['a tag that is no version is wanted', runs(newer), { 'phoenix:image': `my/phoenix:ours@sha256:${'1'.repeat(64)}` }],
    ['a tag that is no version runs', runs(`my/phoenix:ours@sha256:${'1'.repeat(64)}`), {}],
    ['only a digest runs', runs(`sha256:${'1'.repeat(64)}`), {}],
    ['the newer one has never come up', runs(newer, 'restarting'), {}],
    ['the newer one is one of somebody else', runs(newer, 'running', 'phoenix-other', {}), {}],
    ['what is newer is no Phoenix', runs('grafana/alloy:v99.0.0', 'running', 'alloy-dev'), {}],
  ])('is not what this is: %s', async (_, answers, config) => {
    expect((await inspect(config, answers)).problems).toEqual([]);
  });
});

describe('a port that is taken', () => {
  const containers = (...list: object[]): Record<string, Answer> => ({ '/containers/json': list });
  const taken = (key: string, port: number, holder: string, offer: number): object => ({
    key,
    value: String(port),
    rule: `${holder} holds that port on the Docker host; stop it, or choose another port`,
    mend: [`pulumi config set ${key} ${offer}`],
  });

  test.each<[string, object, string]>([
    ['a plain container', container('web', 6006), 'container web'],
    ['a container of another stack', container('phoenix-prod', 6006, { 'llm-observability.stack': 'llm-observability/prod' }), 'container phoenix-prod of stack llm-observability/prod'],
    ['a compose project', container('app-web-1', 6006, { 'com.docker.compose.project': 'app' }), 'container app-web-1 of compose project app'],
    ['a container on every address', container('web', 6006, {}, '0.0.0.0'), 'container web'],
    ['one on every IPv6 address', container('web', 6006, {}, '::'), 'container web'],
    ['one whose address is not told', container('web', 6006, {}, ''), 'container web'],
    ['one that pauses', { ...container('web', 6006), State: 'paused' }, 'container web'],
    ['one that is being started again', { ...container('web', 6006), State: 'restarting' }, 'container web'],
    ['one without labels', { ...container('web', 6006), Labels: null }, 'container web'],
  ])('by %s', async (_, container, holder) => {
    expect((await inspect({}, containers(container))).problems).toEqual([taken('phoenix:uiPort', 6006, holder, 16006)]);
  });

  describe('by what docker-compose runs', () => {
    const compose = (Image: string): object => ({ ...container('llm-one-1', 6006, { 'com.docker.compose.project': 'llm' }), Image });
    const mended = async (Image: string, config: Record<string, string> = {}): Promise<readonly string[]> =>
      (await inspect(config, containers(compose(Image)))).problems.flatMap(({ mend }) => mend);
    const move = 'pulumi config set phoenix:uiPort 16006';
    const adopt = 'npm run adopt -- --stack dev   # takes over from it, with its data';

    test.each(['grafana/alloy:latest', 'alloy'])('%s: the command that takes over from it', async (image) => {
      expect(await mended(image)).toEqual([move, adopt]);
    });

    test.each(['arizephoenix/phoenix:latest', 'registry:5000/arize-phoenix@sha256:0'])('%s: the same, which names it where there is no Alloy to which applications send', async (image) => {
      const alloy = { ...container('collector', 9), Image: 'grafana/alloy:v1.18.1' };
      expect(await mended(image)).toEqual([move, 'npm run adopt -- --stack dev --alloy llm-one-1   # takes over from it, with its data']);
      expect((await inspect({}, containers(compose(image), alloy))).problems.flatMap(({ mend }) => mend)).toEqual([move, adopt]);
      // One of a stack is none of theirs.
      const ours = { ...alloy, Labels: { 'llm-observability.stack': 'llm-observability/prod' } };
      expect((await inspect({}, containers(compose(image), ours))).problems.flatMap(({ mend }) => mend)).toEqual([move, expect.stringContaining('--alloy llm-one-1')]);
    });

    test('by what `docker run` has started: the same', async () => {
      const byHand = { ...container('phoenix', 6006), Image: 'arizephoenix/phoenix' };
      expect((await inspect({}, containers(byHand))).problems.flatMap(({ mend }) => mend)).toEqual([move, expect.stringContaining('npm run adopt')]);
    });

    test('by the Phoenix of another stack: none', async () => {
      const other = { ...container('phoenix-prod', 6006, { 'llm-observability.stack': 'llm-observability/prod' }), Image: 'arizephoenix/phoenix:1' };
      expect((await inspect({}, containers(other))).problems.flatMap(({ mend }) => mend)).toEqual([move]);
    });

    test.each(['nginx:1', 'alloyed:1', 'phoenix/web:1'])('%s: none', async (image) => {
      expect(await mended(image)).toEqual([move]);
    });

    test('a stack at the edge has nothing that could', async () => {
      const held = containers({ ...compose('grafana/alloy'), Ports: [{ PrivatePort: 4317, PublicPort: 4317, Type: 'tcp', IP: '127.0.0.1' }] });
      expect((await inspect({ 'edge:central': 'prod' }, held)).problems.flatMap(({ mend }) => mend)).toEqual([expect.stringMatching(/^pulumi config set /)]);
    });
  });

  test('on a remote engine, too', async () => {
    expect((await inspect({}, containers(container('web', 12345)), 'tcp')).problems).toEqual([taken('alloy:uiPort', 12345, 'container web', 16011)]);
  });

  test.each<[string, object]>([
    ['the stack itself', container('phoenix-dev', 6006, own, '0.0.0.0')],
    ['a container at another address', container('web', 6006, {}, '192.0.2.7')],
    ['a container on another port', container('web', 6007)],
    ['a container that publishes nothing', { Names: ['/web'], State: 'running', Labels: {}, Ports: [{ PrivatePort: 6006, Type: 'tcp' }] }],
    // Engines list what it would publish, and give the port to another.
    ['a container that has ended', { ...container('web', 6006), State: 'exited' }],
    ['a container that was never started', { ...container('web', 6006), State: 'created' }],
  ])('not by %s', async (_, container) => {
    expect((await inspect({}, containers(container))).problems).toEqual([]);
  });

  test("the proxy that listens for the stack's own container is no stranger", async () => {
    const port = await listen();
    watched.add(port);
    const config = { 'phoenix:uiPort': String(port) };
    expect((await inspect(config, containers(container('phoenix-dev', port, own)))).problems).toEqual([]);
    // Alone, the same listener is one.
    const { problems } = await inspect(config);
    expect(problems).toMatchObject([{ key: 'phoenix:uiPort', value: String(port), mend: ['pulumi config set phoenix:uiPort 16006'] }]);
    expect(problems[0]?.rule).toMatch(
      os.platform() === 'linux' ? new RegExp(`^\\S.* \\(pid ${process.pid}\\) holds that port on the Docker host; `) : / holds that port on the Docker host; /,
    );
    // Paused, the container holds it all the same.
    expect((await inspect(config, containers({ ...container('phoenix-dev', port, own), State: 'paused' }))).problems).toEqual([]);
    // And over TCP the processes of this machine say nothing of the engine's.
    expect((await inspect(config, {}, 'tcp')).problems).toEqual([]);
  });

  test('by a process that cannot be named', async () => {
    jest.mocked(portHolder.holderOf).mockResolvedValueOnce(undefined);
    jest.mocked(portHolder.isHeld).mockResolvedValueOnce(true);
    expect((await inspect()).problems).toEqual([taken('phoenix:uiPort', 6006, 'another process', 16006)]);
  });

  test('Phoenix and the OTLP ports of Alloy are wanted on the chosen addresses, the page of Alloy on loopback', async () => {
    const at = (ip: string): Record<string, Answer> =>
      containers(...[6006, 14317, 14318, 4317, 4318, 12345].map((port) => container(`on-${port}`, port, {}, ip)));
    const keysOf = ({ problems }: HostFacts): string[] => problems.map(({ key }) => key);
    const desktop = { '/info': { NCPU: 8, OperatingSystem: 'Docker Desktop' } };
    const phoenix = ['phoenix:uiPort', 'phoenix:otlpGrpcPort', 'phoenix:otlpHttpPort'];
    const alloy = ['alloy:otlpGrpcPort', 'alloy:otlpHttpPort'];
    const bound = (key: string, bind: string): Record<string, string> => ({ 'phoenix:auth': 'true', [key]: bind });

    expect(keysOf(await inspect({}, at('127.0.0.1')))).toEqual([...phoenix, ...alloy, 'alloy:uiPort']);
    expect(keysOf(await inspect({}, at('172.17.0.1')))).toEqual(alloy);
    expect(keysOf(await inspect(bound('alloy:bind', '172.17.0.1'), { ...at('127.0.0.1'), ...desktop }))).toEqual([...phoenix, 'alloy:uiPort']);
    expect(keysOf(await inspect(bound('alloy:bind', '0.0.0.0'), at('192.0.2.7')))).toEqual(alloy);
    expect(keysOf(await inspect(bound('phoenix:bind', '192.0.2.7'), { ...at('127.0.0.1'), ...desktop }))).toEqual([...alloy, 'alloy:uiPort']);
    expect(keysOf(await inspect(bound('phoenix:bind', '0.0.0.0'), at('192.0.2.7')))).toEqual(phoenix);
  });

  test('the port in the command is free, there and in the settings', async () => {
    const { problems } = await inspect({ 'alloy:uiPort': '16012' }, containers(container('web', 6006), container('other', 16006)));
    expect(problems).toEqual([taken('phoenix:uiPort', 6006, 'container web', 16018)]);
  });
});

describe('several ports that are taken', () => {
  const defaults = [6006, 14317, 14318, 4317, 4318, 12345];
  const prod = { 'llm-observability.stack': 'llm-observability/prod' };
  const at = (...ports: number[]): Record<string, Answer> => ({ '/containers/json': ports.map((port) => container('phoenix-prod', port, prod)) });
  const moved = (key: string, port: number, offset: number): Problem => ({
    key,
    value: String(port),
    rule: 'container phoenix-prod of stack llm-observability/prod holds that port on the Docker host; stop it, or choose other ports',
    mend: [`pulumi config set ports:offset ${offset}`],
  });

  test('one command moves past another stack', async () => {
    const { problems } = await inspect({}, at(...defaults));
    expect(problems).toEqual(portKeys.map((key, index) => moved(key, defaults[index] ?? 0, 100)));
    expect((await inspect({ 'ports:offset': '100' }, at(...defaults))).problems).toEqual([]);
  });

  test('past all stacks that are there', async () => {
    const three = [0, 100, 300].flatMap((offset) => defaults.map((port) => port + offset));
    expect((await inspect({}, at(...three))).problems.map(({ mend }) => mend)).toEqual(portKeys.map(() => ['pulumi config set ports:offset 200']));
  });

  test('at the edge past those that it needs', async () => {
    const edge = { 'edge:central': 'prod' };
    const { problems } = await inspect(edge, at(...defaults, 6106, 14417, 14418));
    expect(problems).toEqual([moved('alloy:otlpGrpcPort', 4317, 100), moved('alloy:otlpHttpPort', 4318, 100), moved('alloy:uiPort', 12345, 100)]);
  });

  test('an offset that does not help is told, with the ports as the stack file has them, and another one offered', async () => {
    const both = at(...defaults, ...defaults.map((port) => port + 100));
    const { problems } = await inspect({ 'ports:offset': '100' }, both);
    expect(problems.map(({ key, value, mend }) => [key, value, mend])).toEqual(
      portKeys.map((key, index) => [key, String(defaults[index]), ['pulumi config set ports:offset 200']]));
    expect(problems[0]?.rule).toBe(
      'container phoenix-prod of stack llm-observability/prod holds port 6106 (ports:offset is 100) on the Docker host; stop it, or choose other ports');
  });

  test('a single one gets a port of its own, which is free with the offset', async () => {
    const { problems } = await inspect({ 'ports:offset': '100' }, at(6106, 16106));
    expect(problems).toEqual([{
      key: 'phoenix:uiPort',
      value: '6006',
      rule: 'container phoenix-prod of stack llm-observability/prod holds port 6106 (ports:offset is 100) on the Docker host; stop it, or choose another port',
      mend: ['pulumi config set phoenix:uiPort 16012'],
    }]);
  });

  test('where no offset leaves all in range each gets a port of its own', async () => {
    const { problems } = await inspect({ 'alloy:uiPort': '65500' }, at(6006, 65500));
    expect(problems.map(({ rule, mend }) => [rule.split('; ')[1], mend])).toEqual([
      ['stop it, or choose another port', ['pulumi config set phoenix:uiPort 16006']],
      ['stop it, or choose another port', ['pulumi config set alloy:uiPort 16011']],
    ]);
  });

  test('the own containers stand in the way of no offset', async () => {
    const answers = { '/containers/json': [...defaults.map((port) => container('web', port)), ...defaults.map((port) => container('alloy-dev', port + 100, own))] };
    expect((await inspect({}, answers)).problems.map(({ mend }) => mend)).toEqual(portKeys.map(() => ['pulumi config set ports:offset 100']));
  });

  test('a process stands in the way of one as well', async () => {
    for (const port of [6006, 4318, 6106]) {
      held.add(port);
    }
    expect((await inspect()).problems.map(({ key, mend }) => [key, mend])).toEqual([
      ['phoenix:uiPort', ['pulumi config set ports:offset 200']],
      ['alloy:otlpHttpPort', ['pulumi config set ports:offset 200']],
    ]);
  });

  test('whatever is held, with whatever offset, the commands of the message end it', async () => {
    const answers: Record<string, Answer> = { ...current };
    const { engine } = await fakeEngine(answers);
    const offset = fc.oneof(fc.constantFrom(0, 100, 40_000), fc.integer({ min: 0, max: 40_000 }));
    // Ports of this stack, those that would be offered first, and others around.
    const near = fc.oneof(fc.constantFrom(...defaults), fc.integer({ min: 16006, max: 16017 }), fc.constantFrom(...defaults).map((port) => port + 100));
    await fc.assert(
      fc.asyncProperty(offset, fc.uniqueArray(near, { maxLength: 12 }), fc.constantFrom('12345', '25500', '65535'), fc.boolean(), async (by, taken, uiPort, edge) => {
        const config: Record<string, string> = { 'ports:offset': String(Math.min(by, 65535 - Number(uiPort))), 'alloy:uiPort': uiPort, ...(edge ? { 'edge:central': 'prod' } : {}) };
        answers['/containers/json'] = taken.map((port) => container(`on-${port}`, port + Number(config['ports:offset'])));
        const { problems } = await inspectAt(engine, config);
        // The ports are told as the stack file has them.
        const { settings } = readSettings(config, 'llm-observability');
        const wrong = publishedPorts(settings).filter((key) => taken.includes(portAsSet(key, settings)));
        expect(problems.map(({ key, value }) => [key, value])).toEqual(wrong.map((key) => [key, String(portAsSet(key, settings))]));

        const commands = new Set(problems.flatMap(({ mend }) => mend));
        const mended = Object.fromEntries([...commands].map((command) => /^pulumi config set (\S+) (\d+)$/.exec(command)?.slice(1) ?? [command]));
        const together = wrong.length > 1 && uiPort !== '65535';
        expect(Object.keys(mended)).toEqual(together ? ['ports:offset'] : wrong);
        expect(together && mended['ports:offset'] === config['ports:offset']).toBe(false);
        expect((await inspectAt(engine, { ...config, ...mended })).problems).toEqual([]);
      }),
    );
  });
});

describe('names that are taken', () => {
  const named = (kind: 'container' | 'volume' | 'network', Name: string, Labels: Record<string, string> | null = {}): Record<string, Answer> =>
    ({
      container: { '/containers/json': [{ Id: 'x', Names: [`/${Name}`], State: 'exited', Labels, Ports: [] }] },
      volume: { '/volumes': { Volumes: [{ Name, Labels }] } },
      network: { '/networks': [{ Name, Labels }] },
    })[kind];
  const project = { 'com.docker.compose.project': 'llm' };
  const other = { 'llm-observability.stack': 'another/dev' };
  const anew = 'npm run up -- --stack OTHER_NAME';
  const [all, atEdge] = [hostNames('dev', false), hostNames('dev', true)];

  test.each<['container' | 'volume' | 'network', string, Record<string, string> | null, string, string[]]>([
    ['container', 'phoenix-dev', {}, 'container phoenix-dev has a name that this stack needs; give the stack another name, or the container', [anew, 'docker rename phoenix-dev phoenix-dev-old']],
    ['container', 'alloy-dev', project, 'container alloy-dev of compose project llm has a name that this stack needs; give the stack another name, or the container', [anew, 'docker rename alloy-dev alloy-dev-old']],
    ['container', 'tunnel-dev-25', other, 'container tunnel-dev-25 of stack another/dev has a name that this stack needs; give the stack another name, or the container', [anew, 'docker rename tunnel-dev-25 tunnel-dev-25-old']],
    ['volume', 'phoenix-dev-data', null, 'volume phoenix-dev-data has a name that this stack needs; give the stack another name', [anew]],
    ['volume', 'alloy-dev-data', project, 'volume alloy-dev-data of compose project llm has a name that this stack needs; give the stack another name', [anew]],
    ['volume', 'tunnel-dev-secrets', other, 'volume tunnel-dev-secrets of stack another/dev has a name that this stack needs; give the stack another name', [anew]],
    // A network cannot be given another name.
    ['network', 'observability-dev', {}, 'network observability-dev has a name that this stack needs; give the stack another name', [anew]],
    ['network', 'observability-dev', other, 'network observability-dev of stack another/dev has a name that this stack needs; give the stack another name', [anew]],
  ])('%s %s, labels %j', async (kind, name, labels, rule, mend) => {
    expect((await inspect({}, named(kind, name, labels))).problems).toEqual([{ key: 'stack', value: 'dev', rule, mend }]);
  });

  test('every name that the stack may take', async () => {
    const answers = {
      '/containers/json': all.container.map((name) => ({ Id: name, Names: [`/${name}`], State: 'created', Labels: {}, Ports: [] })),
      '/volumes': { Volumes: all.volume.map((Name) => ({ Name, Labels: null })) },
      '/networks': all.network.map((Name) => ({ Name, Labels: {} })),
    };
    const taken = ({ problems }: HostFacts): string[] => problems.map(({ rule }) => rule.split(' has ')[0] ?? '');
    const of = ({ container, volume, network }: typeof all): string[] =>
      [...container.map((name) => `container ${name}`), ...volume.map((name) => `volume ${name}`), ...network.map((name) => `network ${name}`)];
    expect(taken(await inspect({}, answers))).toEqual(of(all));
    // At the edge the names of Phoenix and of its gate are nobody's.
    const shared = of(atEdge).filter((name) => of(all).includes(name));
    expect(taken(await inspect({ 'edge:central': 'prod' }, answers)).sort()).toEqual(shared.sort());
    expect(of(all).filter((name) => !shared.includes(name)).every((name) => /^\w+ ((phoenix|journal|tunnel)-dev|observability-dev-store$)/.test(name))).toBe(true);
    expect(taken(await inspect({ 'edge:central': 'prod' }, named('container', 'central-dev-gate')))).toEqual(['container central-dev-gate']);
    expect(taken(await inspect({}, named('container', 'central-dev-gate')))).toEqual([]);
  });

  test.each(['container', 'volume', 'network'] as const)("the stack's own %s, and one of another kind or name, is in nobody's way", async (kind) => {
    const [name = ''] = all[kind];
    expect((await inspect({}, named(kind, name, own))).problems).toEqual([]);
    expect((await inspect({}, named(kind, name.replace('dev', 'prod')))).problems).toEqual([]);
    expect((await inspect({}, named(kind, `${name}-old`))).problems).toEqual([]);
    // A volume called as a container is, and so on.
    const elsewhere = (['container', 'volume', 'network'] as const).filter((one) => one !== kind);
    for (const one of elsewhere) {
      expect((await inspect({}, named(one, name))).problems).toEqual([]);
    }
  });

  test('a container counts for names in whatever state it is, and for ports only while it may hold them', async () => {
    const keysOf = async (State: string): Promise<string[]> =>
      (await inspect({}, { '/containers/json': [{ ...container('phoenix-dev', 6006), State }] })).problems.map(({ key }) => key);
    expect(await keysOf('running')).toEqual(['stack', 'phoenix:uiPort']);
    for (const state of ['exited', 'created', 'dead', 'removing']) {
      expect(await keysOf(state)).toEqual(['stack']);
    }
  });

  test('on another host as well', async () => {
    expect((await inspect({}, named('volume', 'alloy-dev-data'), 'tcp')).problems).toMatchObject([{ key: 'stack', value: 'dev' }]);
  });
});

describe('a stack in the middle of taking over', () => {
  const withVolume = async (name: string): Promise<readonly Problem[]> => (await inspect({}, { '/volumes': { Volumes: [{ Name: name, Labels: { 'llm-observability.adoption': '{}' } }] } })).problems;

  test('is refused until it has come to the end', async () => {
    expect(await withVolume('adoption-dev-switching')).toEqual([{
      key: 'stack', value: 'dev', rule: 'it is in the middle of taking over from the services before it, and nothing is lost: let it come to the end', mend: ['npm run adopt -- --stack dev'],
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
