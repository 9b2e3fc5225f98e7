import { spawn } from 'node:child_process';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import * as portHolder from '../../components/port-holder';
import { inspectHost, type HostFacts } from '../../components/preflight';
import { readSettings } from '../../components/settings';
import { container, current, fakeEngine, type Answer } from '../support/fake-engine';
import { tempDir } from '../support/temp';

// What runs on the machine of the test must not matter: only ports that a test names are looked at.
const watched = new Set<number>();
jest.mock('../../components/port-holder', () => {
  const actual = jest.requireActual<typeof portHolder>('../../components/port-holder');
  return {
    isHeld: jest.fn((address: string, port: number) => (watched.has(port) ? actual.isHeld(address, port) : Promise.resolve(false))),
    holderOf: jest.fn(actual.holderOf),
    isOwnAddress: actual.isOwnAddress,
  };
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

const owner = 'llm-observability/dev';
const own = { 'llm-observability.stack': owner };

/** Inspects a host with these settings; what the engine answers differs from a current one in `answers`. */
async function inspect(
  config: Record<string, string> = {},
  answers: Record<string, Answer> = {},
  over: 'unix' | 'tcp' = 'unix',
): Promise<HostFacts> {
  const { host } = await fakeEngine({ ...current, ...answers }, over);
  return inspectAt(host, config);
}

function inspectAt(host: string, config: Record<string, string> = {}, preview = true): Promise<HostFacts> {
  const { settings, problems } = readSettings({ ...config, 'docker:host': host }, 'llm-observability');
  expect(problems).toEqual([]);
  return inspectHost(settings, owner, preview);
}

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

  test('on a current engine: nothing to say, and four questions asked', async () => {
    const engine = await fakeEngine(current);
    expect(await inspectAt(engine.host)).toMatchObject({ problems: [], warnings: [], bind: ['127.0.0.1', '172.17.0.1'], listed: {} });
    expect(engine.requests.map(({ method, url }) => `${method} ${url}`).sort()).toEqual([
      'GET /containers/json', 'GET /info', 'GET /networks/bridge', 'GET /version',
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
    expect(await inspect({}, answers)).toEqual({ problems: [], warnings: [], bind, listed: {} });
  });

  test('auto on another host is loopback there', async () => {
    expect(await inspect({}, {}, 'tcp')).toMatchObject({ problems: [], warnings: [], bind: ['127.0.0.1'] });
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
  test('no socket: one problem, with what starts it', async () => {
    const socket = path.join(tempDir(), 'none.sock');
    for (const preview of [true, false]) {
      expect(await inspectAt(`unix://${socket}`, {}, preview)).toEqual({
        problems: [
          {
            key: 'docker:host',
            rule: `the Docker Engine at unix://${socket} does not answer (connect ENOENT ${socket})`,
            mend: ['sudo systemctl start docker', 'npm run doctor'],
          },
        ],
        warnings: [],
        bind: ['127.0.0.1'],
        listed: {},
      });
    }
  });

  test('in silence', async () => {
    // The limit itself is 10 s; here it has passed at once.
    const spy = jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => AbortSignal.abort());
    const { problems } = await inspect({}, { '/version': 'silence', '/info': 'silence', '/networks/bridge': 'silence', '/containers/json': 'silence' });
    expect(spy.mock.calls).toEqual([[10_000], [10_000], [10_000], [10_000]]);
    spy.mockRestore();
    expect(problems).toMatchObject([{ key: 'docker:host', rule: expect.stringMatching(/ does not answer \(no answer within 10000 ms\)$/) }]);
  });

  test('an error of its own is told', async () => {
    const { problems } = await inspect({}, { '/info': { status: 500, body: '{"message":"disk full"}' } });
    expect(problems).toMatchObject([{ rule: expect.stringMatching(/ does not answer \(disk full\)$/) }]);
  });

  test('something else listens there', async () => {
    const { problems } = await inspect({}, { '/version': { status: 200, body: 'hello' } });
    expect(problems).toMatchObject([{ key: 'docker:host', rule: expect.stringMatching(/ does not answer \(.*JSON.*\)$/) }]);
  });

  test('over TCP: how to look, and how to come back to this host', async () => {
    const port = await listen();
    await closeAll();
    expect((await inspectAt(`tcp://127.0.0.1:${port}`, { 'alloy:bind': '192.0.2.7' })).problems).toEqual([
      {
        key: 'docker:host',
        rule: `the Docker Engine at tcp://127.0.0.1:${port} does not answer (connect ECONNREFUSED 127.0.0.1:${port})`,
        mend: [`DOCKER_HOST=tcp://127.0.0.1:${port} docker info`, 'pulumi config set docker:host unix:///var/run/docker.sock'],
      },
    ]);
  });

  describe('over ssh', () => {
    const reason = 'the Docker Engine at ssh://me@host.example does not answer (no route)';
    beforeEach(() => {
      const actual = jest.requireActual<{ spawn: typeof spawn }>('node:child_process');
      jest.mocked(spawn).mockImplementation(((_: string, __: string[], options: object) =>
        actual.spawn(process.execPath, ['-e', `process.stderr.write('no route'); process.exitCode = 255;`], options)) as never);
    });

    test('a preview goes on with a warning', async () => {
      expect(await inspectAt('ssh://me@host.example', {}, true)).toEqual({
        problems: [],
        warnings: [`${reason}; whether the ports are free there is not known`],
        bind: ['127.0.0.1'],
        listed: {},
      });
    });

    test('a deployment does not', async () => {
      expect(await inspectAt('ssh://me@host.example', { 'alloy:bind': '192.0.2.7' }, false)).toEqual({
        problems: [
          { key: 'docker:host', rule: reason, mend: ['DOCKER_HOST=ssh://me@host.example docker info', 'pulumi config set docker:host unix:///var/run/docker.sock'] },
        ],
        warnings: [],
        bind: ['192.0.2.7'],
        listed: {},
      });
    });
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
    const { host } = await fakeEngine(current);
    const config = { 'phoenix:uiPort': String(port), 'docker:host': host };
    const facts = (more: Record<string, string>): Promise<HostFacts> => inspectHost(readSettings({ ...config, ...more }, 'llm-observability').settings, owner, true);
    expect(keysOf(await facts({}))).toEqual(['phoenix:uiPort']);
    expect(keysOf(await facts(atEdge))).toEqual([]);
  });

  test('the CPUs of Alloy count, those of Phoenix do not', async () => {
    const { host } = await fakeEngine({ ...current, '/info': { NCPU: 2, OperatingSystem: 'Debian' } });
    const config = { 'phoenix:cpus': '4', 'alloy:cpus': '3', 'docker:host': host };
    const facts = (more: Record<string, string>): Promise<HostFacts> => inspectHost(readSettings({ ...config, ...more }, 'llm-observability').settings, owner, true);
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
    expect(await inspectAt(engine.host)).toMatchObject({ problems: [], listed: { 'phoenix-dev': inOrder, 'alloy-dev': [] } });
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
  ])('by %s', async (_, container, holder) => {
    expect((await inspect({}, containers(container))).problems).toEqual([taken('phoenix:uiPort', 6006, holder, 16006)]);
  });

  test('on a remote engine, too', async () => {
    expect((await inspect({}, containers(container('web', 12345)), 'tcp')).problems).toEqual([taken('alloy:uiPort', 12345, 'container web', 16011)]);
  });

  test.each<[string, object]>([
    ['the stack itself', container('phoenix-dev', 6006, own, '0.0.0.0')],
    ['a container at another address', container('web', 6006, {}, '192.0.2.7')],
    ['a container on another port', container('web', 6007)],
    ['a container that publishes nothing', { Names: ['/web'], Labels: {}, Ports: [{ PrivatePort: 6006, Type: 'tcp' }] }],
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

test('everything that is wrong with a host comes at once', async () => {
  const { problems } = await inspect(
    { 'alloy:cpus': '9', 'phoenix:auth': 'true', 'phoenix:bind': '127.0.0.1,192.0.2.8', 'alloy:bind': '192.0.2.7' },
    { '/version': { ApiVersion: '1.40', Version: '19.03.15' }, '/containers/json': [container('a', 6006), container('b', 4317, {}, '0.0.0.0')] },
  );
  expect(problems.map(({ key, value }) => [key, value])).toEqual([
    ['docker:host', undefined],
    ['alloy:cpus', '9'],
    ['phoenix:bind', '192.0.2.8'],
    ['alloy:bind', '192.0.2.7'],
    ['phoenix:uiPort', '6006'],
    ['alloy:otlpGrpcPort', '4317'],
  ]);
});
