import { readSettings } from '../../../settings/settings';
import { problemsOfStack, survey, type Question } from '../../../ops/support/adopt/survey';
import { from, output } from '../../../provider/container-reach';
import { composed, fakeContainer, fakeDocker, type FakeDocker } from '../../support/fake-docker';
import { nobody, runningAlloy, runningPhoenix } from './given';
import { configured, engine, exporter, measured } from './seed';

jest.mock('../../../provider/container-reach', () => ({ from: jest.fn(), output: jest.fn() }));
jest.mock('../../../engine/host-ports', () => ({ isHeld: async () => false, holderOf: async () => undefined, isOwnAddress: async () => true }));

/** The old Phoenix answers this when it is asked for its version. */
const answering = (text: string, status = 200): void => void jest.mocked(from).mockReturnValue({ ask: async () => ({ status, text }), close: () => undefined } as never);
beforeEach(() => answering('20.26.1'));

const ask = ({ engine }: FakeDocker, config: Record<string, string> = {}, over: Partial<Question> = {}): ReturnType<typeof survey> =>
  survey({ engine, stack: 'dev', state: undefined, config: { 'docker:host': engine.host, ...config }, secrets: async () => ({}), named: nobody, ...over });
const refused = async (docker: FakeDocker, config: Record<string, string> = {}, over: Partial<Question> = {}): Promise<unknown> => {
  const { plan, problems } = await ask(docker, config, over);
  expect(plan).toBeUndefined();
  return problems;
};

const again = 'npm run adopt -- --stack OTHER_NAME';
const purge = 'npm run down -- --purge   # deletes its data';
const resource = { urn: 'urn:pulumi:dev::llm-observability::docker:index/network:Network::network', type: 'docker:index/network:Network' };
const problem = {
  deployed: { key: 'stack', value: 'dev', rule: 'it is deployed already, and a stack takes over before it has its own data', mend: [again, purge] },
  stopped: { key: 'Phoenix', value: 'arize-phoenix-phoenix-1', rule: 'it is exited, not running, and an adoption needs both', mend: ['docker start arize-phoenix-phoenix-1'] },
};

describe('what will be taken over', () => {
  test("the seed's, as the compose files have it", async () => {
    const docker = await engine();
    const { plan, problems } = await ask(docker);
    expect(problems).toEqual([]);
    expect(plan).toMatchObject({
      setup: { phoenix: { name: 'arize-phoenix-phoenix-1' }, alloy: { name: 'grafana-alloy' }, directory: '/phoenix_storage' },
      data: { volume: 'phoenix-dev-data', old: { image: 'sha256:arize-phoenix-phoenix-1', mount: { source: 'arize-phoenix_phoenix_data' }, directory: '/phoenix_storage' } },
      measured, version: '20.26.1', config: {},
    });
    expect(plan?.settings).toEqual(readSettings({ 'docker:host': docker.host }, 'llm-observability').settings);
    // Nothing is left of having looked.
    expect([[...docker.containers.keys()], [...docker.volumes.keys()]]).toEqual([['arize-phoenix-phoenix-1', 'grafana-alloy'], ['arize-phoenix_phoenix_data']]);
  });

  test('ports that are not the usual ones become settings of the stack', async () => {
    const { plan } = await ask(await engine([runningPhoenix(), runningAlloy({ ports: { 4317: 5317, 4318: 4318 } })]));
    expect(plan?.config).toEqual({ 'alloy:otlpGrpcPort': '5317' });
    expect(plan?.settings['alloy:otlpGrpcPort']).toBe(5317);
  });

  test('the old Phoenix is asked on its own port, from inside', async () => {
    const asked: string[] = [];
    jest.mocked(from).mockReturnValue({ ask: async (url: string) => (asked.push(url), { status: 200, text: '20.26.1\n' }), close: () => undefined } as never);
    const docker = await engine([runningPhoenix({ env: { PHOENIX_WORKING_DIR: '/phoenix_storage', PHOENIX_PORT: '7007' } }), runningAlloy()]);
    expect((await ask(docker)).plan?.version).toBe('20.26.1');
    expect(asked).toEqual(['http://127.0.0.1:7007/graphql', 'http://127.0.0.1:7007/arize_phoenix_version']);
  });
});

describe('how the old Alloy takes OTLP', () => {
  const receiver = (body: string): string => `otelcol.receiver.otlp "default" {\n${body}\n}\n`;

  test('on other ports of its container: their host ports are those of the stack', async () => {
    const docker = await engine([runningPhoenix({ address: '127.0.0.1' }), runningAlloy({ address: '127.0.0.1', ports: { 5317: 4317, 5318: 4319, 12345: 12345 } })]);
    configured(docker, receiver('  grpc {\n    endpoint = "0.0.0.0:5317"\n  }\n  http {\n    endpoint = "0.0.0.0:5318"\n  }') + exporter());
    expect((await ask(docker)).plan).toMatchObject({ config: { 'alloy:otlpHttpPort': '4319' }, notes: [] });
  });

  test('on several, with TLS, credentials and CORS: what does not go on is in the plan by name', async () => {
    const docker = await engine([runningPhoenix({ address: '127.0.0.1' }), runningAlloy({ address: '127.0.0.1', ports: { 4317: 4317, 4318: 4318, 5318: 5318 } })]);
    configured(docker, `${receiver('  grpc {\n    auth = otelcol.auth.basic.in.handler\n  }\n  http {\n    cors {\n    }\n  }')}${receiver('  http {\n    endpoint = "0.0.0.0:5318"\n    tls {\n    }\n  }')}${exporter()}`);
    expect((await ask(docker)).plan?.notes).toEqual([
      "grafana-alloy takes telemetry from websites (CORS); the stack's Alloy takes none until alloy:cors names them.",
      expect.stringMatching(/^grafana-alloy asks senders for credentials, and takes OTLP over TLS; /),
      'Port 5318 of grafana-alloy closes: change applications that send there to port 4318.',
    ]);
  });

  test('and hands it to something else: it is taken over from where somebody says so, and what ends is in the plan', async () => {
    const docker = await engine([runningPhoenix({ address: '127.0.0.1' }), runningAlloy({ address: '127.0.0.1' })]);
    configured(docker, `${receiver('  grpc { }')}${exporter('http://tempo:4318', 'traces')}`);
    expect(await refused(docker)).toEqual([{
      key: 'Alloy', value: 'grafana-alloy', rule: 'its configuration sends no traces to arize-phoenix-phoenix-1',
      mend: ['npm run adopt -- --alloy grafana-alloy   # if applications send to it all the same', 'npm run adopt -- --alloy arize-phoenix-phoenix-1   # if applications send to Phoenix itself'],
    }]);
    expect((await ask(docker, {}, { named: { phoenix: undefined, alloy: 'grafana-alloy' } })).plan?.notes).toEqual([expect.stringMatching(/^grafana-alloy does more .*: otelcol\.exporter\.otlphttp\.traces\. /)]);
  });

  test.each([
    ['a module', 'import.file "receivers" {\n  filename = "/etc/alloy/receivers.alloy"\n}\n'],
    ["a Collector's YAML", 'receivers:\n  otlp:\n    protocols:\n      grpc:\n'],
  ])('in what cannot be read, %s: every port that the stack does not take is named', async (_, config) => {
    const docker = await engine([runningPhoenix({ address: '127.0.0.1' }), runningAlloy({ address: '127.0.0.1', ports: { 4317: 4317, 5317: 5317, 12345: 12345 } })]);
    configured(docker, config);
    expect((await ask(docker)).plan?.notes).toEqual([
      expect.stringMatching(/^The configuration of grafana-alloy could not be read: /),
      'Port 5317 of grafana-alloy closes: change applications that send there to port 4318.',
    ]);
  });

  test('and hands it to a Phoenix by a name that may be of another one: that is said', async () => {
    const docker = await engine([runningPhoenix({ address: '127.0.0.1' }), runningAlloy({ address: '127.0.0.1' })]);
    configured(docker, `${receiver('  grpc { }')}${exporter('https://phoenix.central.example')}`);
    expect((await ask(docker)).plan?.notes).toEqual(["grafana-alloy sends traces to https://phoenix.central.example today; after the adoption they go only to the stack's Phoenix."]);
  });

  test('not at all: it is not the one whose ports are taken', async () => {
    const docker = await engine();
    configured(docker, 'loki.source.file "logs" {\n}\n');
    expect(await refused(docker)).toEqual([{
      key: 'Alloy', value: 'grafana-alloy', rule: 'its configuration has no otelcol.receiver.otlp, so no application sends to it', mend: ['npm run adopt -- --alloy NAME   # the collector to which they send', 'npm run adopt -- --alloy arize-phoenix-phoenix-1   # if applications send to Phoenix itself'],
    }]);
    // Who names it knows better: some of it may stand in a module.
    expect((await ask(docker, {}, { named: { phoenix: undefined, alloy: 'grafana-alloy' } })).problems).toEqual([]);
  });
});

describe('a Phoenix at which people log in', () => {
  const secret = 'a1'.repeat(16);
  const env = { PHOENIX_WORKING_DIR: '/phoenix_storage', PHOENIX_ENABLE_AUTH: 'True', PHOENIX_SECRET: 'of the container' };
  /** What Phoenix sees: its secret comes from a file that a script of the image has read. */
  const told = { env: { ...env, PHOENIX_SECRET: secret, PHOENIX_LOGGING_MODE: 'structured', PHOENIX_EMPTY: '' }, opens: true };
  const local = { address: '127.0.0.1' };

  beforeEach(() => {
    jest.mocked(output).mockReset().mockResolvedValue(`a warning\n${JSON.stringify(told)}\n`);
    jest.mocked(from).mockReturnValue({ ask: async (url: string) => (url.endsWith('/graphql') ? { status: 401, text: 'Invalid token' } : { status: 200, text: '20.26.1' }), close: () => undefined } as never);
  });
  const withLogin = async (): Promise<FakeDocker> => {
    const docker = await engine([runningPhoenix({ ...local, env }), runningAlloy(local)]);
    configured(docker, `otelcol.receiver.otlp "default" {\n  grpc { }\n  http { }\n}\n${exporter()}`);
    return docker;
  };

  test('its secret and what else it was told become settings of the stack; what does not is named', async () => {
    expect((await ask(await withLogin())).plan).toMatchObject({
      config: { 'phoenix:auth': 'true' }, secrets: { 'phoenix:secret': secret }, settings: { 'phoenix:auth': true },
      notes: ['Settings of arize-phoenix-phoenix-1 that the stack does not take over: PHOENIX_LOGGING_MODE.'],
    });
  });

  test('what is known of it before it is agreed to', async () => {
    const docker = await withLogin();
    docker.answers['GET /containers/adoption-dev-data/logs'] = Buffer.from(JSON.stringify({ ...measured, defaultPassword: true }));
    const { plan } = await ask(docker, {}, { named: { phoenix: undefined, alloy: 'arize-phoenix-phoenix-1' } });
    expect(plan?.notes).toEqual(expect.arrayContaining([
      "arize-phoenix-phoenix-1 asks senders for an API key; the stack's Alloy does not on this machine: it takes OTLP from every program here.",
      'admin@localhost has the default password, and gets the first password of the stack.',
    ]));
  });

  test('what is wrong with it comes with all the rest', async () => {
    jest.mocked(output).mockResolvedValue(JSON.stringify({ env: { ...env, PHOENIX_SECRET: 'short1' }, opens: true }));
    const docker = await engine([runningPhoenix({ ...local, env }), runningAlloy(local)], {});
    const problems = (await refused(docker, { 'phoenix:auth': 'false' })) as { key: string }[];
    expect(problems.map(({ key }) => key)).toEqual(['PHOENIX_SECRET of arize-phoenix-phoenix-1', 'phoenix:auth', 'volume of arize-phoenix-phoenix-1']);
    expect(docker.changes).toEqual([]);
  });

  test('a secret of the stack is read only then', async () => {
    const secrets = jest.fn(async () => ({ 'phoenix:secret': 'c3'.repeat(16) }));
    expect(await refused(await withLogin(), {}, { secrets })).toMatchObject([{ key: 'phoenix:secret' }]);
    answering('20.26.1');
    expect((await ask(await withLogin(), {}, { secrets })).problems).toEqual([]);
    expect(secrets).toHaveBeenCalledTimes(1);
  });

  test('that cannot be asked', async () => {
    jest.mocked(output).mockRejectedValue(new Error('container x: python3 ended with 1 Traceback\nsqlite3.OperationalError: database is locked'));
    expect(await refused(await withLogin())).toEqual([{
      key: 'Phoenix', value: 'arize-phoenix-phoenix-1', rule: 'people log in, and its environment and its API keys could not be read (sqlite3.OperationalError: database is locked)', mend: ['docker logs --tail 30 arize-phoenix-phoenix-1'],
    }]);
  });

  test('from then on, where until now nobody did', async () => {
    answering('20.26.1');
    expect((await ask(await withLogin(), { 'phoenix:auth': 'true' })).plan).toMatchObject({
      config: {}, secrets: {},
      notes: ['arize-phoenix-phoenix-1 requires no login, and phoenix:auth is on: after the adoption people log in as admin@localhost, and programs that call Phoenix need an API key.', expect.anything()],
    });
  });
});

test('a Phoenix to which applications send, on the network of the host: it cannot be closed before it is stopped', async () => {
  const docker = await engine([runningPhoenix({ network: 'host' })]);
  expect(await refused(docker, {}, { named: { phoenix: undefined, alloy: 'arize-phoenix-phoenix-1' } })).toEqual([expect.objectContaining({ key: 'Phoenix', rule: expect.stringMatching(/network of the host/) })]);
});

test('applications send to Phoenix itself: its port for gRPC is that of the stack, and what its page does not get meanwhile is said', async () => {
  const docker = await engine([runningPhoenix({ address: '127.0.0.1', ports: { 6006: 6006, 4317: 5317 } })]);
  const { plan, problems } = await ask(docker, {}, { named: { phoenix: undefined, alloy: 'arize-phoenix-phoenix-1' } });
  expect(problems).toEqual([]);
  expect(plan).toMatchObject({
    config: { 'alloy:otlpGrpcPort': '5317' },
    notes: [expect.stringMatching(/^Applications that send to port 6006 get no answer from when .*: change them to send to ports 5317 \(gRPC\) or 4318 \(HTTP\) afterwards/), expect.stringMatching(/^grafana-alloy share/)],
  });
});

describe('refused', () => {
  test('all that is wrong with the stack and with the set-up, at once', async () => {
    const docker = await engine([runningPhoenix({ status: 'exited', env: { PHOENIX_WORKING_DIR: '/phoenix_storage', PHOENIX_POSTGRES_HOST: 'db' } })]);
    const problems = (await refused(docker, {}, { state: { resources: [resource], pending: [] } })) as { key: string }[];
    expect(problems.slice(0, 2)).toEqual([problem.deployed, problem.stopped]);
    expect(problems.slice(2).map(({ key }) => key)).toEqual(['Alloy', 'PHOENIX_POSTGRES_HOST of arize-phoenix-phoenix-1']);
    expect(docker.changes).toEqual([]);
  });

  test('all that is wrong with a set-up that is there, at once, before its data is looked at', async () => {
    answering('21.0.0');
    const docker = await engine([runningPhoenix(), runningAlloy({ ports: { 4317: 5317, 4318: 4318 } }), fakeContainer('alloy-dev')], {});
    expect(await refused(docker, { 'alloy:otlpGrpcPort': '4317' })).toEqual([
      { key: 'alloy:otlpGrpcPort', value: '4317', rule: 'applications send to port 5317 of grafana-alloy, and the stack would not listen there', mend: ['pulumi config set alloy:otlpGrpcPort 5317', 'pulumi config rm alloy:otlpGrpcPort'] },
      expect.objectContaining({ key: 'stack', value: 'dev', rule: expect.stringMatching(/^container alloy-dev has a name that this stack needs/) }),
      {
        key: 'phoenix:image', value: 'arizephoenix/phoenix:version-20.26.1-nonroot', rule: 'the old Phoenix is 21.0.0, and an older one cannot open its database',
        mend: ['pulumi config set phoenix:image arizephoenix/phoenix:version-21.0.0-nonroot'],
      },
      { key: 'volume of arize-phoenix-phoenix-1', value: 'arize-phoenix_phoenix_data', rule: 'it no longer exists', mend: ['cd /srv/arize-phoenix && docker compose -p arize-phoenix -f /srv/arize-phoenix/docker-compose.yml up -d'] },
    ]);
    expect(docker.changes).toEqual([]);
  });

  test.each([
    ['20.26.2', '20.26.1', 1], ['20.26.1', '20.26.1', 0], ['19.9.9', '20.26.1', 0], ['21.3.0rc1', '21.2.9', 1], ['21.3.0', '21.3.0', 0],
  ])('Phoenix %s by one of %s: %i problems', async (version, ours, count) => {
    answering(version);
    const { problems } = await ask(await engine(), { 'phoenix:image': `arizephoenix/phoenix:version-${ours}-nonroot` });
    expect(problems).toHaveLength(count);
  });

  test.each<[string, number, string]>([['<html>', 200, '200'], ['connection refused', 0, 'connection refused'], ['no', 500, '500']])('a version that is none: %s', async (text, status, said) => {
    answering(text, status);
    expect(await refused(await engine())).toEqual([
      { key: 'Phoenix', value: 'arize-phoenix-phoenix-1', rule: `it does not report its version (${said})`, mend: ['docker logs --tail 30 arize-phoenix-phoenix-1'] },
    ]);
  });

  test('too little room for a copy', async () => {
    const docker = await engine();
    docker.answers['GET /containers/adoption-dev-data/logs'] = Buffer.from(JSON.stringify({ ...measured, free: measured.free - 1 }));
    expect(await refused(docker)).toEqual([{
      key: 'disk', value: '120 MiB free', rule: 'a copy of the data takes 120 MiB where Docker keeps its volumes; the old ones in arize-phoenix_phoenix_data stay as a backup',
      mend: ['docker system df', 'docker image prune'],
    }]);
  });

  test('a folder of the host needs no volume', async () => {
    const docker = await engine([runningPhoenix({ mounts: [{ Type: 'bind', Source: '/srv/data', Destination: '/phoenix_storage' }] }), runningAlloy()], {});
    expect((await ask(docker)).problems).toEqual([]);
  });

  test('the stack that takes over is none of those that are taken over from', async () => {
    const own = { 'llm-observability.stack': 'llm-observability/dev' };
    const docker = await engine([runningPhoenix(), runningAlloy(), fakeContainer('other-phoenix', { image: 'arizephoenix/phoenix:1', labels: own })]);
    expect((await ask(docker)).plan?.setup.phoenix.name).toBe('arize-phoenix-phoenix-1');
    docker.containers.set('second', fakeContainer('second', { image: 'arizephoenix/phoenix:1', labels: composed('second', 'phoenix') }));
    expect(await refused(docker)).toMatchObject([{ key: 'Phoenix', rule: 'more than one container could be it: arize-phoenix-phoenix-1 (running), second (running)' }]);
    expect((await ask(docker, {}, { named: { phoenix: 'arize-phoenix-phoenix-1', alloy: undefined } })).plan?.setup.phoenix.name).toBe('arize-phoenix-phoenix-1');
  });
});

describe('problemsOfStack', () => {
  const problems = async (volumes: string[], config: Record<string, string> = {}, state: Question['state'] = undefined, stack = 'dev'): ReturnType<typeof problemsOfStack> => {
    const { engine } = await fakeDocker([], Object.fromEntries(volumes.map((name) => [name, {}])));
    return problemsOfStack({ engine, stack, state, config });
  };
  const stackItself = { urn: 'urn:pulumi:dev::llm-observability::pulumi:pulumi:Stack::llm-observability-dev', type: 'pulumi:pulumi:Stack' };
  const hasData = (names: string): object => ({ key: 'stack', value: 'dev', rule: `it has data already (${names}), and nothing is copied over them`, mend: [again, purge] });

  test.each<[string, string[], Question['state'], object[]]>([
    ['a new one', ['phoenix-prod-data', 'phoenix-dev-cache'], undefined, []],
    ['one that is empty', [], { resources: [stackItself], pending: [] }, []],
    ['one with a volume of traces', ['phoenix-dev-data'], undefined, [hasData('phoenix-dev-data')]],
    ['one with spans that wait', ['alloy-dev-data'], undefined, [hasData('alloy-dev-data')]],
    ['one with both', ['alloy-dev-data', 'phoenix-dev-data'], undefined, [hasData('phoenix-dev-data, alloy-dev-data')]],
    ['one that is deployed', ['phoenix-dev-data'], { resources: [stackItself, resource], pending: [] }, [problem.deployed]],
    ['one that was cut off while it was', [], { resources: [], pending: [{ type: 'creating', urn: resource.urn }] }, [problem.deployed]],
  ])('%s', async (_, volumes, state, expected) => {
    expect(await problems(volumes, {}, state)).toEqual(expected);
  });

  test('one at the edge', async () => {
    expect(await problems([], { 'edge:central': 'prod' })).toEqual([
      { key: 'edge:central', value: 'prod', rule: 'a stack at the edge has no Phoenix that could take over', mend: [again] },
    ]);
  });

  test('one that stores in PostgreSQL', async () => {
    expect(await problems([], { 'phoenix:database': 'hunter2' })).toEqual([{ key: 'phoenix:database', rule: expect.stringContaining('SQLite'), mend: ['pulumi config rm phoenix:database', again] }]);
  });

  test('commands are for the stack', async () => {
    expect((await problems(['phoenix-prod-data'], {}, undefined, 'prod')).map(({ mend }) => mend)).toEqual([[again, 'npm run down -- --stack prod --purge   # deletes its data']]);
  });
});
