import * as os from 'node:os';
import * as fc from 'fast-check';
import * as portHolder from '../../engine/host-ports';
import { portAsSet, publishedPorts } from '../../settings/ports';
import type { Problem } from '../../settings/problem';
import { readSettings } from '../../settings/settings';
import { inspectHost, type HostFacts } from '../../stack/preflight';
import { container, current, fakeEngine, type Answer } from '../support/fake-engine';
import { heldPort } from '../support/held-port';
import { inspect, inspectAt, named, own, owner } from '../support/inspect-host';

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

afterEach(() => jest.restoreAllMocks());

describe('a stack at the edge, which has no Phoenix', () => {
  const atEdge = { 'edge:central': 'prod' };
  const holders = { '/containers/json': [6006, 14317, 14318, 4317, 4318, 12345].map((port) => container(`on-${port}`, port)) };
  const keysOf = ({ problems }: HostFacts): string[] => problems.map(({ key }) => key);

  test("whoever holds Phoenix's ports holds none of it", async () => {
    expect(keysOf(await inspect(atEdge, holders))).toEqual(['alloy:otlpGrpcPort', 'alloy:otlpHttpPort', 'alloy:uiPort']);
    expect(keysOf(await inspect({}, holders))).toHaveLength(6);
  });

  test('nor does a process that holds one', async () => {
    const port = await heldPort();
    watched.add(port);
    const { engine } = await fakeEngine(current);
    const config = { 'phoenix:uiPort': String(port) };
    const facts = (more: Record<string, string>): Promise<HostFacts> => inspectHost(named(engine), readSettings({ ...config, ...more }, 'llm-observability').settings, owner, true);
    expect(keysOf(await facts({}))).toEqual(['phoenix:uiPort']);
    expect(keysOf(await facts(atEdge))).toEqual([]);
  });});

describe('a port that is taken', () => {
  const containers = (...list: object[]): Record<string, Answer> => ({ '/containers/json': list });
  const taken = (key: string, port: number, holder: string, offer: number): object => ({
    key,
    value: String(port),
    rule: `${holder} holds that port on the Docker host; stop it, or choose a different port`,
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
    const port = await heldPort();
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
    expect((await inspect()).problems).toEqual([taken('phoenix:uiPort', 6006, 'a process', 16006)]);
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

/** Ports of a stack without settings. */
const ofDefault = publishedPorts(readSettings({}, 'llm-observability').settings);

describe('several ports that are taken', () => {
  const defaults = [6006, 14317, 14318, 4317, 4318, 12345];
  const prod = { 'llm-observability.stack': 'llm-observability/prod' };
  const at = (...ports: number[]): Record<string, Answer> => ({ '/containers/json': ports.map((port) => container('phoenix-prod', port, prod)) });
  const moved = (key: string, port: number, offset: number): Problem => ({
    key,
    value: String(port),
    rule: 'container phoenix-prod of stack llm-observability/prod holds that port on the Docker host; stop it, or choose different ports',
    mend: [`pulumi config set ports:offset ${offset}`],
  });

  test('one command moves past another stack', async () => {
    const { problems } = await inspect({}, at(...defaults));
    expect(problems).toEqual(ofDefault.map((key, index) => moved(key, defaults[index] ?? 0, 100)));
    expect((await inspect({ 'ports:offset': '100' }, at(...defaults))).problems).toEqual([]);
  });

  test('past all stacks that are there', async () => {
    const three = [0, 100, 300].flatMap((offset) => defaults.map((port) => port + offset));
    expect((await inspect({}, at(...three))).problems.map(({ mend }) => mend)).toEqual(ofDefault.map(() => ['pulumi config set ports:offset 200']));
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
      ofDefault.map((key, index) => [key, String(defaults[index]), ['pulumi config set ports:offset 200']]));
    expect(problems[0]?.rule).toBe(
      'container phoenix-prod of stack llm-observability/prod holds port 6106 (ports:offset is 100) on the Docker host; stop it, or choose different ports');
  });

  test('a single one gets a port of its own, which is free with the offset', async () => {
    const { problems } = await inspect({ 'ports:offset': '100' }, at(6106, 16106));
    expect(problems).toEqual([{
      key: 'phoenix:uiPort',
      value: '6006',
      rule: 'container phoenix-prod of stack llm-observability/prod holds port 6106 (ports:offset is 100) on the Docker host; stop it, or choose a different port',
      mend: ['pulumi config set phoenix:uiPort 16012'],
    }]);
  });

  test('where no offset leaves all in range each gets a port of its own', async () => {
    const { problems } = await inspect({ 'alloy:uiPort': '65500' }, at(6006, 65500));
    expect(problems.map(({ rule, mend }) => [rule.split('; ')[1], mend])).toEqual([
      ['stop it, or choose a different port', ['pulumi config set phoenix:uiPort 16006']],
      ['stop it, or choose a different port', ['pulumi config set alloy:uiPort 16011']],
    ]);
  });

  test('the own containers stand in the way of no offset', async () => {
    const answers = { '/containers/json': [...defaults.map((port) => container('web', port)), ...defaults.map((port) => container('alloy-dev', port + 100, own))] };
    expect((await inspect({}, answers)).problems.map(({ mend }) => mend)).toEqual(ofDefault.map(() => ['pulumi config set ports:offset 100']));
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
