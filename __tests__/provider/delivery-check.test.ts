import { at } from '../../engine';
import { deliveryCheck, type DeliveryCheckInputs } from '../../provider/delivery-check';
import type { Delivery } from '../../provider/delivery';
import { tell } from '../../provider/progress';
import type { StoreDelivery } from '../../provider/store-check';
import { setEnvironment } from '../support/environment';
import { execEngine, type ExecEngine } from '../support/exec-engine';
import { adminSecret, projectOf, services, type Behaviour, type Services } from '../support/services';
import { nobody } from '../support/web';

jest.mock('../../provider/progress', () => ({ tell: jest.fn() }));

const inputs: DeliveryCheckInputs = {
  engine: at('unix:///docker.sock'),
  endpoints: { otlpHttp: 'http://alloy:4318', alloyUi: 'http://alloy:12345', phoenix: 'http://phoenix:6006' },
  metrics: 'http://phoenix-server:9090/metrics',
  containers: { phoenix: 'phoenix-dev', alloy: 'alloy-dev', gate: 'phoenix-dev-gate' },
  auth: true,
  adminSecret,
  redeploy: 'npm run up -- --stack dev',
  path: ['c1', 'c2'],
};
const arrived: Delivery = { ok: true, traceId: 't', ms: 3, hops: [] };
const lost: Delivery = {
  ok: false, traceId: 't', ms: 3, hops: [],
  failure: { hop: 'Alloy -> Phoenix', cause: 'Phoenix refuses: 507', mend: ['docker logs phoenix-dev', 'npm run up'] },
};
const next: DeliveryCheckInputs = { ...inputs, path: ['c1', 'c3'] };

test.each<[string, (kind: ReturnType<typeof deliveryCheck>) => Promise<DeliveryCheckInputs>, DeliveryCheckInputs]>([
  ['create', (kind) => kind.create(inputs), inputs],
  ['update, of what there is now', (kind) => kind.update(inputs, next), next],
])('%s', async (_, change, expected) => {
  const check = jest.fn(async () => ({ delivery: arrived, stores: [] }));
  expect(await change(deliveryCheck(check))).toEqual(expected);
  expect(check.mock.calls).toEqual([[expected]]);
  await expect(change(deliveryCheck(async () => ({ delivery: lost, stores: [] })))).rejects.toThrow(
    new Error('A trace does not arrive. Alloy -> Phoenix: Phoenix refuses: 507.\n    docker logs phoenix-dev\n    npm run up'),
  );
});

describe('a store of metrics or logs', () => {
  const refused = (passing: boolean, hop = 'Alloy -> store of logs') => ({ hop, ms: 1, failure: { hop, passing, cause: 'it answers 401', mend: ['pulumi config set --secret loki:token'] } });
  const tried = (...stores: StoreDelivery[]): Promise<DeliveryCheckInputs> => deliveryCheck(async () => ({ delivery: arrived, stores })).create(inputs);

  test('that takes what it is sent', async () => {
    expect(await tried({ hop: 'Alloy -> store of logs', ms: 1 })).toEqual(inputs);
  });

  test('that is busy fails nothing, and is told', async () => {
    expect(await tried(refused(true))).toEqual(inputs);
    expect(jest.mocked(tell).mock.calls).toEqual([['Alloy -> store of logs: it answers 401.']]);
  });

  test('that refuses, each of them by name', async () => {
    await expect(tried(refused(false, 'Alloy -> store of metrics'), refused(false))).rejects.toThrow(new Error([
      'Alloy -> store of metrics: it answers 401.', '    pulumi config set --secret loki:token', 'Alloy -> store of logs: it answers 401.', '    pulumi config set --secret loki:token',
    ].join('\n')));
  });
});

afterEach(() => jest.restoreAllMocks());

describe('from inside the container of the gate', () => {
  /** Services and an engine to which nothing but `docker exec` leads. */
  async function deployed(behaviour: Behaviour): Promise<{ kind: ReturnType<typeof deliveryCheck>; given: DeliveryCheckInputs; running: Services; engine: ExecEngine }> {
    const engine = await execEngine(undefined, { running: 'phoenix-dev-gate' });
    const running = await services(behaviour);
    const { endpoints, metrics = '' } = running.route;
    return { kind: deliveryCheck(), given: { ...inputs, engine: engine.engine, endpoints, metrics, auth: behaviour.auth ?? false }, running, engine };
  }

  test('a trace is sent and read back, and nothing is held open', async () => {
    const { kind, given, running, engine } = await deployed({ auth: true, emptyLooks: 1 });
    const ask = jest.spyOn(globalThis, 'fetch');
    expect(await kind.create(given)).toEqual(given);
    await engine.ended();
    expect(ask).not.toHaveBeenCalled();
    expect([...new Set(engine.execs.map(({ container, body }) => `${container} ${body.Cmd[0]}`))]).toEqual(['phoenix-dev-gate bash']);
    const project = projectOf(running.alloy.requests[0]?.body ?? '');
    expect(running.phoenix.requests.at(-1)).toMatchObject({ method: 'DELETE', url: `/v1/projects/${project}`, headers: { authorization: `Bearer ${adminSecret}` } });
    expect(JSON.stringify(engine.execs)).not.toContain(adminSecret);
  });

  test('one that Alloy does not take', async () => {
    const { kind, given, engine } = await deployed({ accept: { status: 503, body: 'queue is full' } });
    await expect(kind.create(given)).rejects.toThrow(
      new Error('A trace does not arrive. application -> Alloy: Alloy answered 503: queue is full.\n    docker logs --tail 30 alloy-dev'),
    );
    await engine.ended();
  });

  describe('a state of the first version names no engine: it is the one the docker command line would use', () => {
    const unnamed = '' as never;

    test('to send', async () => {
      const { kind, given, engine } = await deployed({});
      setEnvironment({ DOCKER_HOST: engine.host });
      await kind.create({ ...given, engine: unnamed });
      expect(engine.execs).not.toEqual([]);
    });

    test('and to look up what went wrong', async () => {
      const { kind, given, engine } = await deployed({});
      setEnvironment({ DOCKER_HOST: engine.host });
      const otlpHttp = await nobody();
      await expect(kind.create({ ...given, engine: unnamed, endpoints: { ...given.endpoints, otlpHttp } })).rejects.toThrow(
        `application -> Alloy: Alloy is not listening on ${otlpHttp} (connection refused); container alloy-dev is not there, container phoenix-dev-gate, which asks it, is not there.\n    docker logs --tail 30 alloy-dev\n    npm run up -- --stack dev`,
      );
    });
  });
});

describe('where Phoenix is in another stack: from inside the container of the gate', () => {
  const badge = { 'cf-access-client-id': 'id.access', 'cf-access-client-secret': 's3cret', authorization: `Bearer ${adminSecret}` };

  async function atTheEdge(behaviour: Behaviour): Promise<{ given: DeliveryCheckInputs; running: Services; engine: ExecEngine }> {
    const engine = await execEngine(undefined, { running: 'central-dev-gate' });
    const running = await services(behaviour);
    const given = {
      engine: engine.engine,
      redeploy: inputs.redeploy,
      path: inputs.path,
      endpoints: running.route.endpoints,
      containers: { alloy: 'alloy-dev', gate: 'central-dev-gate' },
      central: { stack: 'prod', hostname: 'otlp.example.com', sendTo: 'alloy', token: 'edge' },
      headers: badge,
    } as const;
    return { given, running, engine };
  }

  test('a trace is sent and read back with the headers, by bash, and nothing is held open', async () => {
    const { given, running, engine } = await atTheEdge({ auth: true, emptyLooks: 1 });
    const ask = jest.spyOn(globalThis, 'fetch');
    expect(await deliveryCheck().create(given)).toEqual(given);
    await engine.ended();
    expect(ask).not.toHaveBeenCalled();
    expect([...new Set(engine.execs.map(({ container, body }) => `${container} ${body.Cmd[0]}`))]).toEqual(['central-dev-gate bash']);
    expect(running.phoenix.requests.map(({ headers }) => headers)).toEqual(running.phoenix.requests.map(() => expect.objectContaining(badge)));
    expect(running.phoenix.requests.at(-1)).toMatchObject({ method: 'DELETE', url: `/v1/projects/${projectOf(running.alloy.requests[0]?.body ?? '')}` });
    expect(JSON.stringify([engine.execs, running.alloy.requests, running.alloyPage.requests])).not.toMatch(new RegExp(`s3cret|${adminSecret}`));
  });

  test('one that Alloy does not take', async () => {
    const { given, engine } = await atTheEdge({ accept: { status: 503, body: 'queue is full' } });
    await expect(deliveryCheck().update(given, given)).rejects.toThrow(
      new Error('A trace does not arrive. application -> Alloy: Alloy answered 503: queue is full.\n    docker logs --tail 30 alloy-dev'),
    );
    await engine.ended();
  });

  test('a gate that does not run', async () => {
    const { given } = await atTheEdge({});
    await expect(deliveryCheck().create({ ...given, containers: { ...given.containers, gate: 'another-gate' } })).rejects.toThrow(
      `application -> Alloy: Alloy is not listening on ${given.endpoints.otlpHttp} (container another-gate: No such container: another-gate); container alloy-dev is not there, container another-gate, which asks it, is not there.`,
    );
  });
});
