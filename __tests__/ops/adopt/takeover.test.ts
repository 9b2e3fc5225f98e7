import { readSettings } from '../../../settings/settings';
import { alloyPorts, hostProblems, portsOf, publishedBy, rehearsalOffset } from '../../../ops/support/adopt/takeover';
import { fakeDocker } from '../../support/fake-docker';
import { container } from '../../support/fake-engine';
import { published, seedPorts, setupOf } from './given';

/** Ports that a process of the host holds. */
const mockHeld = new Set<number>();
jest.mock('../../../engine/host-ports', () => ({ isHeld: async (_: string, port: number) => mockHeld.has(port), holderOf: async () => 'python3 (pid 9)', isOwnAddress: async () => true }));
afterEach(() => mockHeld.clear());

const read = (config: Record<string, string> = {}): ReturnType<typeof readSettings>['settings'] => readSettings(config, 'llm-observability').settings;
const taken = (setup: ReturnType<typeof setupOf>, config: Record<string, string> = {}): ReturnType<typeof portsOf> => portsOf(setup, config, read(config));

describe('portsOf', () => {
  test("the seed's are those of the stack anyway", () => {
    expect(taken(setupOf())).toEqual({ config: {}, problems: [] });
  });

  test('others become settings', () => {
    const setup = setupOf({
      phoenix: { published: published({ 6006: 16006, 4317: 24317, 4318: 24318 }) },
      alloy: { published: published({ 4317: 34317, 4318: 34318, 12345: 22345 }) },
    });
    expect(taken(setup)).toEqual({
      config: {
        'phoenix:uiPort': '16006', 'phoenix:otlpGrpcPort': '24317', 'phoenix:otlpHttpPort': '24318',
        'alloy:uiPort': '22345', 'alloy:otlpGrpcPort': '34317', 'alloy:otlpHttpPort': '34318',
      },
      problems: [],
    });
  });

  test('without the offset of the stack', () => {
    const setup = setupOf({ phoenix: { published: published({ 6006: 6106 }) }, alloy: { published: published({ 4317: 4400, 4318: 4418 }) } });
    expect(taken(setup, { 'ports:offset': '100' })).toEqual({ config: { 'alloy:otlpGrpcPort': '4300' }, problems: [] });
  });

  test('what is not published stays as it is', () => {
    expect(taken(setupOf({ phoenix: { published: [] }, alloy: { published: [] } }))).toEqual({ config: {}, problems: [] });
  });

  test('OTLP over HTTP where the page is published twice, and on the port that Phoenix was given', () => {
    const twice = [...published({ 7007: 6006 }), ...published({ 7007: 15318 })];
    expect(taken(setupOf({ phoenix: { env: { PHOENIX_WORKING_DIR: '/phoenix_storage', PHOENIX_PORT: '7007', PHOENIX_GRPC_PORT: '7008' }, published: [...twice, ...published({ 7008: 15317, 4317: 1 })] } })))
      .toEqual({ config: { 'phoenix:otlpGrpcPort': '15317', 'phoenix:otlpHttpPort': '15318' }, problems: [] });
  });

  test('of a port that is published twice the one that the stack would take', () => {
    expect(taken(setupOf({ alloy: { published: [...published({ 4317: 5317 }), ...published(seedPorts.alloy)] } }))).toEqual({ config: {}, problems: [] });
  });

  describe('of a Phoenix to which applications send themselves', () => {
    const alone = (ports: ReturnType<typeof published>): ReturnType<typeof setupOf> => {
      const both = setupOf({ phoenix: { published: ports } });
      return { ...both, alloy: both.phoenix };
    };

    test.each<[string, ReturnType<typeof published>, Record<string, string>]>([
      ["as Phoenix's own page says: its port for gRPC is Alloy's", published({ 6006: 6006, 4317: 4317 }), {}],
      ['on other ports', published({ 6006: 8080, 4317: 5317 }), { 'phoenix:uiPort': '8080', 'alloy:otlpGrpcPort': '5317' }],
      ['with its page on the port of OTLP over HTTP, too', [...published({ 6006: 6006 }), ...published({ 6006: 4318 })], {}],
      ['with its page on a second port: that stays a page', [...published({ 6006: 6006 }), ...published({ 6006: 80 })], {}],
      ["on the ports that the stack's Phoenix has, too: they stay Phoenix's", [...published({ 6006: 6006, 4317: 14317 }), ...published({ 6006: 14318 })], {}],
      ['without a port for gRPC', published({ 6006: 6006 }), {}],
    ])('%s', (_, ports, config) => {
      expect(taken(alone(ports))).toEqual({ config, problems: [] });
    });

    test('refused where the stack sets another one', () => {
      expect(taken(alone(published({ 6006: 6006, 4317: 5317 })), { 'alloy:otlpGrpcPort': '4400' }).problems).toEqual([expect.objectContaining({
        key: 'alloy:otlpGrpcPort', rule: 'applications send to port 5317 of arize-phoenix-phoenix-1, and the stack would not listen there',
      })]);
    });
  });

  test('refused where applications send to another port than is set; a page may move', () => {
    const setup = setupOf({ phoenix: { published: published({ 6006: 16006, 4318: 14328 }) }, alloy: { published: published({ 4317: 5317, 4318: 5318, 12345: 5345 }) } });
    const config = { 'alloy:otlpGrpcPort': '4317', 'alloy:otlpHttpPort': '4400', 'alloy:uiPort': '12345', 'phoenix:uiPort': '6006', 'ports:offset': '10' };
    expect(taken(setup, config)).toEqual({
      config: {},
      problems: [
        { key: 'alloy:otlpGrpcPort', value: '4317', rule: 'applications send to port 5317 of grafana-alloy, and the stack would not listen there', mend: ['pulumi config set alloy:otlpGrpcPort 5307', 'pulumi config rm alloy:otlpGrpcPort'] },
        { key: 'alloy:otlpHttpPort', value: '4400', rule: 'applications send to port 5318 of grafana-alloy, and the stack would not listen there', mend: ['pulumi config set alloy:otlpHttpPort 5308', 'pulumi config rm alloy:otlpHttpPort'] },
      ],
    });
  });
});

test("on the host's network every port is one of the host's", () => {
  const everywhere = (...listening: number[]): object[] => listening.map((port) => ({ internal: port, external: port, address: '' }));
  const env = { PHOENIX_WORKING_DIR: '/phoenix_storage', PHOENIX_PORT: '7000', PHOENIX_GRPC_PORT: '7001' };
  const onHostNetwork = { onHostNetwork: true, published: [] };
  const setup = setupOf({ phoenix: { ...onHostNetwork, env }, alloy: onHostNetwork });
  expect(publishedBy(setup, 'alloy')).toEqual(everywhere(4317, 4318, 12345));
  expect(publishedBy(setup, 'phoenix')).toEqual(everywhere(7000, 7001));
  expect(publishedBy(setupOf({ alloy: { published: published({ 1: 2 }) } }), 'alloy')).toEqual([{ internal: 1, external: 2, address: '127.0.0.1' }]);
  // A page that moves moves no port of applications.
  expect(taken(setupOf({ phoenix: onHostNetwork, alloy: onHostNetwork })).problems).toEqual([]);
});

test("host ports of the stack's Alloy, offset and all", () => {
  expect(alloyPorts(read({ 'alloy:otlpGrpcPort': '5000', 'ports:offset': '100' }))).toEqual({ 4317: 5100, 4318: 4418, 12345: 12445 });
});

describe('hostProblems', () => {
  const problemsWith = async (holders: Record<string, number[]>, setup = setupOf()): Promise<unknown[]> => {
    const docker = await fakeDocker([]);
    docker.answers['GET /containers/json'] = Object.entries(holders).flatMap(([name, ports]) => ports.map((port) => container(name, port)));
    const problems = await hostProblems(setup, read({ 'docker:host': docker.host }), 'llm-observability/dev');
    return problems.map(({ key, value }) => [key, value]);
  };

  test('the ports that are taken over are in nobody\'s way', async () => {
    expect(await problemsWith({ 'arize-phoenix-phoenix-1': [6006, 14317, 14318], 'grafana-alloy': [4317, 4318, 12345] })).toEqual([]);
  });

  test("a port that the stack needs and the old setup has not, is", async () => {
    const setup = setupOf({ alloy: { published: published({ 4317: 4317, 4318: 4318 }) } });
    expect(await problemsWith({ prometheus: [12345] }, setup)).toEqual([['alloy:uiPort', '12345']]);
    mockHeld.add(14317);
    expect(await problemsWith({}, setupOf({ phoenix: { published: [] } }))).toEqual([['phoenix:otlpGrpcPort', '14317']]);
  });

  test('a name that somebody else has', async () => {
    expect(await problemsWith({ 'phoenix-dev': [1] })).toEqual([['stack', 'dev']]);
  });
});

describe('rehearsalOffset', () => {
  const offset = async (taken: number[], config: Record<string, string> = {}): Promise<number | undefined> => {
    const docker = await fakeDocker([]);
    docker.answers['GET /containers/json'] = taken.map((port) => container(`on-${port}`, port));
    return rehearsalOffset({ 'docker:host': docker.host, ...config }, 'llm-observability/dev');
  };

  test.each<[string, number[], Record<string, string>, number | undefined]>([
    ['the first', [6006, 4317], {}, 100],
    ['past ports that are taken', [6106, 4518], {}, 300],
    ["not the stack's own", [], { 'ports:offset': '100' }, 200],
    ['none', [], { 'alloy:uiPort': '65500' }, undefined],
  ])('%s', async (_, held, config, expected) => {
    expect(await offset(held, config)).toBe(expected);
  });

  test('a process counts as well', async () => {
    mockHeld.add(12445);
    expect(await offset([])).toBe(200);
  });
});
