import { at } from '../../engine';
import { checkDelivery, type Delivery } from '../../provider/delivery';
import { whyNotForwarded, type Cause } from '../../provider/diagnosis';
import { asideWarnings, egressWarnings, journalWarnings, projectWarnings, storageWarnings } from '../../provider/warnings';
import type { CentralStack, Route } from '../../provider/route';
import { fakeEngine, type Answer } from '../support/fake-engine';
import { adminSecret, exportError, gateError, projectOf, queueMetrics, refusal, route, services, type Behaviour, type Services } from '../support/services';
import { nobody, type Reply } from '../support/web';

const inspected = (State: object): Answer => ({ State });
const logged = (...lines: string[]): Record<string, Answer> => ({ '/containers/alloy-dev/logs': { status: 200, body: lines.join('') } });
const gateLogged = (...lines: string[]): Record<string, Answer> => ({ '/containers/phoenix-dev-gate/logs': { status: 200, body: lines.join('') } });
const gateRuns: Record<string, Answer> = { '/containers/phoenix-dev-gate/json': inspected({ Status: 'running', ExitCode: 0 }) };

/** A check with an engine that answers this; it gives up after the first looks. */
async function check(behaviour: Behaviour, engine: Record<string, Answer> = {}): Promise<{ delivery: Delivery; running: Services }> {
  const { host } = await fakeEngine(engine);
  const running = await services(behaviour, host);
  return { delivery: await checkDelivery(running.route, 0), running };
}

const failureOf = async (behaviour: Behaviour, engine: Record<string, Answer> = {}): Promise<unknown> => (await check(behaviour, engine)).delivery.failure;

describe('a span that arrives', () => {
  test('three hops, whose times add up to the whole', async () => {
    const { route: deployed, alloy, phoenix } = await services({ emptyLooks: 2 });
    const delivery = await checkDelivery(deployed, 20_000);
    expect(delivery).toEqual({
      ok: true,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      ms: expect.any(Number),
      hops: [
        { name: 'application -> Alloy', ms: expect.any(Number) },
        { name: 'Alloy -> Phoenix', ms: expect.any(Number) },
        { name: 'Phoenix -> reader', ms: expect.any(Number) },
      ],
    });
    expect(delivery.hops.reduce((sum, { ms }) => sum + ms, 0)).toBe(delivery.ms);
    expect(Math.min(...delivery.hops.map(({ ms }) => ms))).toBeGreaterThanOrEqual(0);

    expect(alloy.requests).toMatchObject([{ method: 'POST', url: '/v1/traces', headers: { 'content-type': 'application/json' } }]);
    const project = projectOf(alloy.requests[0]?.body ?? '');
    expect(project).toMatch(/^verify-\d{13}$/);
    const look = `GET /v1/projects/${project}/spans?trace_id=${delivery.traceId}`;
    // Two looks too early, the one that finds it and the one that is timed.
    expect(phoenix.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([look, look, look, look, 'GET /v1/projects?limit=1000', `DELETE /v1/projects/${project}`]);
  });

  test('as long as Phoenix goes on storing others, it is waited for', async () => {
    const { route: deployed, phoenix } = await services({ emptyLooks: 3, stores: 10 });
    expect(await checkDelivery(deployed, 0, 20_000)).toMatchObject({ ok: true });
    expect(phoenix.requests.filter(({ url }) => url === '/metrics').length).toBeGreaterThan(1);
  });

  test.each([
    ['it stores nothing more', { stores: 2 }, 20_000],
    ['nobody said so', { stores: Infinity }, 0],
  ])('not when %s', async (_, behaviour, longest) => {
    const { route: deployed } = await services({ emptyLooks: Infinity, ...behaviour });
    expect(await checkDelivery(deployed, 0, longest)).toMatchObject({ ok: false, failure: { hop: 'Alloy -> Phoenix' } });
  });

  /** Names of the projects that a check removed, its own left out. */
  async function removed(projects: Behaviour['projects']): Promise<string[]> {
    const { alloy, phoenix, route: deployed } = await services(projects ? { projects } : {});
    await checkDelivery(deployed, 20_000);
    const names = phoenix.requests.filter(({ method }) => method === 'DELETE').map(({ url }) => url.replace('/v1/projects/', ''));
    const own = projectOf(alloy.requests[0]?.body ?? '');
    expect(names.filter((name) => name === own)).toEqual([own]);
    return names.filter((name) => name !== own);
  }

  test('takes along what earlier checks left an hour ago, and nothing of anybody else', async () => {
    const hour = 3_600_000;
    const old = `verify-${Date.now() - hour - 1}`;
    // Old enough only at the end of the check, if it took a minute.
    const young = `verify-${Date.now() - hour + 60_000}`;
    const others = [`my-${old}`, `${old}-mine`, `${old}0`, 'verify-me', 'verify-', 'Verify-1600000000000', 'my-service'];
    expect(await removed([old, young, 'verify-1600000000000', ...others])).toEqual([old, 'verify-1600000000000']);
  });

  test.each([
    ['refuses to list them', { status: 403, body: 'Forbidden' }],
    ['lists them in words', { status: 200, body: '<html>' }],
  ])("a Phoenix that %s: only the check's own", async (_, projects) => {
    expect(await removed(projects)).toEqual([]);
  });
});

describe('credentials', () => {
  const shown = ({ requests }: Services['phoenix']): unknown[] => [...new Set(requests.map(({ headers }) => headers.authorization))];

  test('with auth Phoenix is asked with its admin secret, and nobody else is told it', async () => {
    const { route: deployed, alloy, alloyPage, phoenix } = await services({ auth: true, emptyLooks: 1 });
    expect(await checkDelivery(deployed, 20_000)).toMatchObject({ ok: true });
    expect([shown(phoenix), shown(alloy), shown(alloyPage)]).toEqual([[`Bearer ${adminSecret}`], [undefined], [undefined]]);
    expect(phoenix.requests.map(({ method }) => method)).toContain('DELETE');
  });

  test('the look why a span does not arrive has them, too', async () => {
    const { delivery, running } = await check({ auth: true, emptyLooks: Infinity });
    expect(delivery.failure?.cause).toMatch(/^Alloy has sent the span/);
    expect(running.phoenix.requests.at(-1)).toMatchObject({ method: 'POST', url: '/v1/traces', headers: { authorization: `Bearer ${adminSecret}`, 'content-type': 'application/x-protobuf' } });
  });

  test('without auth nobody is told it', async () => {
    const { route: deployed, phoenix } = await services();
    expect(await checkDelivery(deployed, 20_000)).toMatchObject({ ok: true });
    expect(shown(phoenix)).toEqual([undefined]);
  });

  test('a secret that Phoenix does not take, and that is not in what is said of it', async () => {
    const { route: deployed } = await services({ auth: true });
    const { failure } = await checkDelivery({ ...deployed, headers: { authorization: 'Bearer an-outdated-secret' } }, 0);
    expect(failure).toEqual({ hop: 'Alloy -> Phoenix', cause: 'Phoenix refuses: 401 Invalid token', mend: ['docker logs --tail 30 phoenix-dev'] });
  });
});

describe('application -> Alloy', () => {
  const hop = 'application -> Alloy';

  test.each<[string, Record<string, Answer>, string]>([
    ['exited', { '/containers/alloy-dev/json': inspected({ Status: 'exited', ExitCode: 137 }) }, 'exited with 137'],
    ['running', { '/containers/alloy-dev/json': inspected({ Status: 'running', ExitCode: 0 }) }, 'running'],
    ['running and unhealthy', { '/containers/alloy-dev/json': inspected({ Status: 'running', ExitCode: 0, Health: { Status: 'unhealthy' } }) }, 'running, unhealthy'],
    ['gone', {}, 'not there'],
    ['out of reach for the engine', { '/containers/alloy-dev/json': { status: 500, body: '{"message":"open /run/x: no such file"}' } }, 'unknown: the Docker Engine answers open /run/x: no such file'],
  ])('nobody listens; the container is %s', async (_, answers, state) => {
    const { host } = await fakeEngine({ ...gateRuns, ...answers });
    const url = await nobody();
    const delivery = await checkDelivery(route(url, url, url, at(host)), 0);
    expect(delivery).toEqual({
      ok: false,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      ms: expect.any(Number),
      hops: [],
      failure: {
        hop,
        cause: `Alloy is not listening on ${url} (connection refused); container alloy-dev is ${state}`,
        mend: ['docker logs --tail 30 alloy-dev', 'npm run up'],
      },
    });
  });

  test('the container is well, and the proxy of its port has ended: a deployment would find nothing to change', async () => {
    const { host } = await fakeEngine({ ...gateRuns, '/containers/alloy-dev/json': inspected({ Status: 'running', ExitCode: 0, Health: { Status: 'healthy' } }) });
    const url = await nobody();
    const asked = route(url, url, url, at(host));
    expect((await checkDelivery({ ...asked, inside: { ...asked.reach } }, 0)).failure).toEqual({
      hop,
      cause: `Alloy is not listening on ${url} (connection refused); container alloy-dev is running, healthy, and the engine no longer forwards the port to it`,
      mend: ['docker restart alloy-dev'],
    });
    // From inside there is no such proxy.
    expect((await checkDelivery(asked, 0)).failure?.mend).toEqual(['docker logs --tail 30 alloy-dev', 'npm run up']);
  });

  test('from inside it is the gate that asks: whether that one runs', async () => {
    const { host } = await fakeEngine({
      '/containers/alloy-dev/json': inspected({ Status: 'running', ExitCode: 0 }),
      '/containers/phoenix-dev-gate/json': inspected({ Status: 'exited', ExitCode: 1 }),
    });
    const url = await nobody();
    const asked = route(url, url, url, at(host));
    const told = `Alloy is not listening on ${url} (connection refused); container alloy-dev is running`;
    expect((await checkDelivery({ ...asked, inside: asked.reach }, 0)).failure?.cause).toBe(`${told}, container phoenix-dev-gate, which asks it, is exited with 1`);
    expect((await checkDelivery({ ...asked, inside: { ...asked.reach } }, 0)).failure?.cause).toBe(told);
  });

  test('nor does the engine answer', async () => {
    const [url, nowhere] = [await nobody(), await nobody()];
    const { failure } = await checkDelivery(route(url, url, url, at(nowhere.replace('http:', 'tcp:'))), 0);
    expect(failure?.cause).toBe(
      `Alloy is not listening on ${url} (connection refused); container alloy-dev is unknown: the Docker Engine does not answer (connect ECONNREFUSED ${nowhere.slice('http://'.length)})`,
    );
  });

  test('the command that puts it back is the one of the stack', async () => {
    const url = await nobody();
    const { failure } = await checkDelivery({ ...route(url, url, url, at(url.replace('http:', 'tcp:'))), redeploy: 'npm run up -- --stack prod' }, 0);
    expect(failure?.mend).toEqual(['docker logs --tail 30 alloy-dev', 'npm run up -- --stack prod']);
  });

  test.each([
    [503, 'no such words\n', 'Alloy answered 503: no such words'],
    [404, '404 page not found', 'Alloy answered 404: 404 page not found'],
    [413, 'x'.repeat(400), `Alloy answered 413: ${'x'.repeat(300)}`],
  ])('Alloy answers %d', async (status, body, cause) => {
    const { delivery, running } = await check({ accept: { status, body } });
    expect(delivery).toMatchObject({ ok: false, hops: [], failure: { hop, cause, mend: ['docker logs --tail 30 alloy-dev'] } });
    // What was not accepted is not looked for, and nothing is removed.
    expect(running.phoenix.requests).toEqual([]);
  });
});

describe('Alloy refuses for now', () => {
  /** As its receiver writes an error of the pipeline (otlpreceiver's errorHandler), with the words of exporterhelper and of memorylimiter. */
  const refusing = (message: string): Behaviour['accept'] => ({ status: 503, body: `{"code":14,"message":"${message}"}` });

  test('its queue is full: what is wrong behind it is said too', async () => {
    const { delivery } = await check({ accept: refusing('sending queue is full'), otlp: { status: 507, body: 'Database disk usage threshold exceeded' }, metrics: { body: queueMetrics(2047.5) } });
    expect(delivery.failure).toEqual({
      hop: 'application -> Alloy',
      cause: "Alloy's queue on disk is full (2 GiB of 2 GiB), so senders are told to try again later; Phoenix refuses: 507 Database disk usage threshold exceeded; "
        + 'Alloy keeps what it has accepted on disk (2 GiB of 2 GiB) and sends it when that is fixed',
      mend: ['docker logs --tail 30 phoenix-dev', 'pulumi config set alloy:queue 4GiB'],
    });
  });

  test('it is short of memory', async () => {
    const { delivery } = await check({ accept: refusing('data refused due to high memory usage') });
    expect(delivery.failure).toEqual({
      hop: 'application -> Alloy',
      cause: 'Alloy is short of memory and tells senders to try again: {"code":14,"message":"data refused due to high memory usage"}',
      mend: ['docker stats --no-stream alloy-dev', 'pulumi config get alloy:memory   # then set twice as much'],
    });
  });
});

describe('Alloy -> Phoenix', () => {
  const hop = 'Alloy -> Phoenix';
  const never: Behaviour = { emptyLooks: Infinity };

  test('the first hop was made, and nothing is removed', async () => {
    const { delivery, running } = await check(never);
    expect(delivery).toMatchObject({ ok: false, hops: [{ name: 'application -> Alloy' }], failure: { hop } });
    expect(delivery.hops).toHaveLength(1);
    expect(running.phoenix.requests.filter(({ method }) => method === 'DELETE')).toEqual([]);
  });

  test.each([
    [401, 'Unauthorized\n', 'Phoenix refuses: 401 Unauthorized'],
    [507, 'Database disk usage threshold exceeded', 'Phoenix refuses: 507 Database disk usage threshold exceeded'],
    [503, 'x'.repeat(300), `Phoenix refuses: 503 ${'x'.repeat(200)}`],
  ])('Phoenix refuses OTLP with %d', async (status, body, cause) => {
    const refused = exportError('phoenix', `not retryable error: Permanent error: rpc error: responded with HTTP Status Code ${status}`, 'dropped_items=1');
    const { delivery, running } = await check({ ...never, otlp: { status, body } }, logged(refused));
    // The queue is empty: what is refused for good is dropped, so nothing is promised.
    expect(delivery.failure).toEqual({ hop, cause, mend: ['docker logs --tail 30 phoenix-dev'] });
    // Asked as Alloy asks, with a request that holds no span.
    expect(running.phoenix.requests.at(-1)).toMatchObject({ method: 'POST', url: '/v1/traces', body: '', headers: { 'content-type': 'application/x-protobuf' } });
  });

  test('Phoenix refuses, and Alloy keeps it', async () => {
    expect(await failureOf({ ...never, otlp: { status: 503, body: 'busy' }, metrics: { body: queueMetrics(1) } })).toEqual({
      hop,
      cause: 'Phoenix refuses: 503 busy; Alloy keeps what it has accepted on disk (1 MiB of 2 GiB) and sends it when that is fixed',
      mend: ['docker logs --tail 30 phoenix-dev'],
    });
  });

  test('nobody listens where Phoenix should', async () => {
    const { host } = await fakeEngine({ '/containers/phoenix-dev/json': inspected({ Status: 'exited', ExitCode: 1 }) });
    const { alloy, alloyPage } = await services({ metrics: { body: queueMetrics(12) } });
    const phoenix = await nobody();
    const { failure } = await checkDelivery({ ...route(alloy.url, alloyPage.url, phoenix, at(host)), redeploy: 'npm run up -- --stack prod' }, 0);
    expect(failure).toEqual({
      hop,
      cause: `Phoenix does not take OTLP on ${phoenix} (connection refused); container phoenix-dev is exited with 1, container phoenix-dev-gate is not there; Alloy keeps what it has accepted on disk (12 MiB of 2 GiB) and sends it when that is fixed`,
      mend: ['docker logs --tail 30 phoenix-dev', 'npm run up -- --stack prod'],
    });
  });

  test('nobody listens on the port of a gate that is well', async () => {
    const well = inspected({ Status: 'running', ExitCode: 0, Health: { Status: 'healthy' } });
    const { host } = await fakeEngine({ '/containers/phoenix-dev/json': well, '/containers/phoenix-dev-gate/json': well });
    const { alloy, alloyPage } = await services({ metrics: { body: queueMetrics(0) } });
    const phoenix = await nobody();
    const asked = route(alloy.url, alloyPage.url, phoenix, at(host));
    expect((await checkDelivery({ ...asked, inside: { ...asked.reach } }, 0)).failure).toEqual({
      hop,
      cause: `Phoenix does not take OTLP on ${phoenix} (connection refused); container phoenix-dev is running, healthy, container phoenix-dev-gate is running, healthy, and the engine no longer forwards the port to it`,
      mend: ['docker restart phoenix-dev-gate'],
    });
  });

  const refusedConnection = 'failed to make an HTTP request: Post "http://phoenix:6006/v1/traces": dial tcp: lookup phoenix: no such host';
  const lokiIsDown = exportError('loki', 'rpc error: code = Unavailable desc = error exporting items, request to http://loki:3100/otlp/v1/logs responded with HTTP Status Code 503');

  test('what Alloy reports of its exporter to Phoenix, the newest, as it said it', async () => {
    const answers = { ...logged(exportError('phoenix', 'an older one'), exportError('phoenix', refusedConnection), lokiIsDown), ...gateRuns };
    expect(await failureOf({ ...never, metrics: { body: queueMetrics(3) } }, answers)).toEqual({
      hop,
      cause: `Alloy reports: ${refusedConnection}; container phoenix-dev-gate is running; Alloy keeps what it has accepted on disk (3 MiB of 2 GiB) and sends it when that is fixed`,
      mend: ['docker logs --tail 30 alloy-dev', 'npm run up'],
    });
  });

  test('between the two, the gate has ended', async () => {
    const answers = { ...logged(exportError('phoenix', refusedConnection)), '/containers/phoenix-dev-gate/json': inspected({ Status: 'exited', ExitCode: 1 }) };
    expect(await failureOf(never, answers)).toMatchObject({ cause: `Alloy reports: ${refusedConnection}; container phoenix-dev-gate is exited with 1` });
  });

  test('what it has dropped', async () => {
    const error = 'not retryable error: Permanent error: rpc error: code = Unknown desc = error exporting items, request to http://phoenix:6006/v1/traces responded with HTTP Status Code 422';
    expect(await failureOf(never, { ...logged(exportError('phoenix', error, 'dropped_items=1')), ...gateRuns })).toEqual({
      hop,
      cause: `Alloy reports: ${error}; container phoenix-dev-gate is running`,
      mend: ['docker logs --tail 30 alloy-dev', 'npm run up'],
    });
  });

  const [logsOfGate, logsOfPhoenix] = ['docker logs --tail 30 phoenix-dev-gate', 'docker logs --tail 30 phoenix-dev'];
  test.each<[string, string[], string, string[]]>([
    ['401', [refusal(401, 503)], "Phoenix does not take Alloy's API key: it answers 401", ['npm run up']],
    ['403', [refusal(403, 503)], "Phoenix does not take Alloy's API key: it answers 403", ['npm run up']],
    ['507', [refusal(507, 503)], "Phoenix's database has reached the limit of phoenix:storage, so it takes no more spans", ['pulumi config get phoenix:storage   # then set more, or phoenix:retentionDays']],
    ['422, handed on as it is', [refusal(422, 422)], 'Phoenix refuses what Alloy sends: 422', [logsOfGate, logsOfPhoenix]],
    ['nothing, because the gate is closed', ['2025-11-21T03:13:17+00:00 refused upstream=- answered=503 uri=/v1/traces\n'], 'the gate in front of Phoenix is closed, because a deployment was interrupted while it replaced Phoenix', ['npm run up']],
    ['senders that hung up do not count', [refusal(401, 503), '2025-11-21T03:13:17+00:00 refused upstream=- answered=499 uri=/v1/traces\n'], "Phoenix does not take Alloy's API key: it answers 401", ['npm run up']],
    ['the newest counts', [refusal(401, 503), refusal(500, 503), '2025-11-21T03:13:17Z signal process started\n'], 'Phoenix refuses what Alloy sends: 500', [logsOfGate, logsOfPhoenix, 'pulumi config set phoenix:journal true   # puts aside a request that is refused for 15 minutes while others are accepted']],
  ])('the gate has seen Phoenix refuse: %s', async (_, lines, cause, mend) => {
    // What Alloy says of it is the gate's answer and no news.
    const answers = { ...gateLogged(...lines), ...logged(exportError('phoenix', 'responded with HTTP Status Code 503')) };
    expect(await failureOf(never, answers)).toEqual({ hop, cause, mend });
  });

  test('Phoenix refuses the key, and Alloy keeps what it has', async () => {
    expect(await failureOf({ ...never, auth: true, metrics: { body: queueMetrics(2) } }, gateLogged(refusal(401, 503)))).toEqual({
      hop,
      cause: "Phoenix does not take Alloy's API key: it answers 401; Alloy keeps what it has accepted on disk (2 MiB of 2 GiB) and sends it when that is fixed",
      mend: ['npm run up'],
    });
  });

  test.each<[string, Record<string, Answer>]>([
    ['a log of other things', gateLogged('refused by upstream, no code\n', 'refused upstream=- answered=502 uri=/v1/traces\n')],
    ['an engine that does not give it', { '/containers/phoenix-dev-gate/logs': { status: 500, body: refusal(401, 503) } }],
  ])('the gate tells of no refusal: %s', async (_, answers) => {
    expect(await failureOf(never, answers)).toMatchObject({ cause: expect.stringMatching(/^Alloy has sent the span/) });
  });

  test('the logs are asked for from the start of the check', async () => {
    const engine = await fakeEngine({});
    const { route: deployed, alloy } = await services(never, engine.host);
    await checkDelivery(deployed, 0);
    const started = Number(projectOf(alloy.requests[0]?.body ?? '').slice('verify-'.length));
    const query = `stdout=1&stderr=1&tail=500&since=${Math.floor(started / 1000)}`;
    expect(engine.requests.map(({ url }) => url).filter((url) => !url.endsWith('/json'))).toEqual([`/containers/phoenix-dev-gate/logs?${query}`, `/containers/alloy-dev/logs?${query}`]);
  });

  test('a queue that grows without an error', async () => {
    expect(await failureOf({ ...never, metrics: { body: queueMetrics(420) } }, logged(lokiIsDown))).toEqual({
      hop,
      cause: "Phoenix is slower than what comes in: Alloy's queue on disk holds 420 MiB of 2 GiB",
      mend: ['docker stats --no-stream phoenix-dev'],
    });
  });

  test.each<[string, Behaviour, Record<string, Answer>]>([
    ['an empty queue', {}, logged('ts=2025-11-21T03:13:16Z level=info msg="now listening for http traffic"\n')],
    ['only the log backend in trouble', {}, logged(lokiIsDown)],
    ['no metrics and no log', { metrics: { status: 500, body: queueMetrics(9) } }, {}],
    ['metrics without a queue', { metrics: { body: '# nothing yet\n' } }, {}],
    ['something else on the port of Phoenix', { look: { body: '<!doctype html><title>Grafana</title>' } }, {}],
    ['another kind of JSON there', { look: { body: { ok: true } } }, {}],
  ])('handed over and not shown: %s', async (_, behaviour, answers) => {
    const { delivery, running } = await check({ ...never, ...behaviour }, answers);
    expect(delivery.failure).toEqual({
      hop,
      cause: `Alloy has sent the span, but Phoenix does not show it on ${running.phoenix.url}`,
      mend: ['docker logs --tail 30 phoenix-dev', 'docker logs --tail 30 alloy-dev'],
    });
  });
});

describe('to a stack behind a tunnel', () => {
  const central: CentralStack = { stack: 'prod', hostname: 'otlp.example.com', sendTo: 'alloy', token: 'edge' };
  const hop = "Alloy -> prod's Phoenix";
  const never: Behaviour = { emptyLooks: Infinity };
  const badge = { 'cf-access-client-id': 'id.access', 'cf-access-client-secret': 's3cret', authorization: `Bearer ${adminSecret}` };
  const gateLogged = (...lines: string[]): Record<string, Answer> => ({ '/containers/central-dev-gate/logs': { status: 200, body: lines.join('') } });
  const gateIs = (State: object): Record<string, Answer> => ({ '/containers/central-dev-gate/json': inspected(State) });
  const [logsOfGate, logsOfAlloy] = ['docker logs --tail 30 central-dev-gate', 'docker logs --tail 30 alloy-dev'];

  /** The same services; what is Phoenix there is reached through the gate of this stack. */
  function edge({ route: { metrics: _, ...own } }: Services, changes: Partial<CentralStack> = {}): Route {
    return { ...own, headers: badge, containers: { alloy: 'alloy-dev', gate: 'central-dev-gate' }, central: { ...central, ...changes } };
  }

  async function failure(engine: Record<string, Answer>, { behaviour = {}, changes = {} }: { behaviour?: Behaviour; changes?: Partial<CentralStack> } = {}): Promise<Delivery['failure']> {
    const { host } = await fakeEngine(engine);
    const running = await services({ ...never, ...behaviour }, host);
    const delivery = await checkDelivery(edge(running, changes), 0);
    expect(JSON.stringify(delivery)).not.toMatch(new RegExp(`s3cret|${adminSecret}`));
    // Whoever asks there with a request of its own asks somebody else's Phoenix.
    expect(running.phoenix.requests.map(({ method }) => method)).not.toContain('POST');
    return delivery.failure;
  }

  test('a span that arrives: the hops name the stack, and whoever reads shows the headers', async () => {
    const running = await services({ auth: true, emptyLooks: 1 });
    const delivery = await checkDelivery(edge(running), 20_000);
    expect(delivery).toMatchObject({ ok: true, hops: [{ name: 'application -> Alloy' }, { name: hop }, { name: 'Phoenix -> reader' }] });
    expect(running.phoenix.requests.map(({ headers }) => headers)).toEqual(running.phoenix.requests.map(() => expect.objectContaining(badge)));
    expect(JSON.stringify([...running.alloy.requests, ...running.alloyPage.requests])).not.toMatch(/s3cret|authorization/);
    const project = projectOf(running.alloy.requests[0]?.body ?? '');
    expect(running.phoenix.requests.at(-1)).toMatchObject({ method: 'DELETE', url: `/v1/projects/${project}` });
  });

  test('what the other Phoenix stores besides is not to be seen from here, and not waited for', async () => {
    const running = await services({ ...never, stores: Infinity });
    expect(await checkDelivery(edge(running), 0, 20_000)).toMatchObject({ ok: false, hops: [{ name: 'application -> Alloy' }], failure: { hop } });
    expect(running.phoenix.requests.map(({ url }) => url)).not.toContain('/metrics');
  });

  test('Alloy of this stack does not take it', async () => {
    expect(await failure({}, { behaviour: { accept: { status: 503, body: 'busy' } } })).toEqual({
      hop: 'application -> Alloy', cause: 'Alloy answered 503: busy', mend: [logsOfAlloy],
    });
  });

  const byToken = 'Cloudflare Access does not take the service token edge of the stack prod';
  const rotate = ['npm run up -- --stack prod --rotate token:edge', 'npm run up'];
  const gone = ['npm run up -- --stack prod'];
  const elsewhere = ['npm run verify -- --stack prod', logsOfGate];
  test.each<[number, string, string[]]>([
    [302, `a redirect to a login page (302): ${byToken}`, rotate],
    [307, `a redirect to a login page (307): ${byToken}`, rotate],
    [401, `401: ${byToken}`, rotate],
    [403, `403: ${byToken}`, rotate],
    [530, '530: no connector of the stack prod holds its tunnel open', gone],
    [404, '404: the tunnel of the stack prod has no such route, or not yet', [...gone, 'npm run up']],
    [502, '502', elsewhere],
    [507, '507', elsewhere],
    [413, '413', elsewhere],
  ])('the gate was answered %d', async (code, meaning, mend) => {
    // What Alloy says of it is the gate's answer and no news.
    const answers = { ...gateLogged(refusal(code, 503)), ...logged(exportError('central', 'responded with HTTP Status Code 503')) };
    expect(await failure(answers)).toEqual({ hop, cause: `otlp.example.com answers ${meaning}`, mend });
  });

  test.each([[401, '401'], [403, '403'], [302, 'a redirect to a login page (302)']])('%d to what goes to Phoenix itself may be about the key as well', async (code, how) => {
    expect(await failure(gateLogged(refusal(code, 503)), { changes: { sendTo: 'phoenix', hostname: 'phoenix-otlp.example.com', token: 'lab' } })).toEqual({
      hop,
      cause: `phoenix-otlp.example.com answers ${how}: Cloudflare Access does not take the service token lab of the stack prod, or Phoenix not the API key`,
      mend: ['npm run up -- --stack prod --rotate token:lab', 'npm run up'],
    });
  });

  test('a stack of another organization is named in full, and in commands by its own name', async () => {
    expect(await failure(gateLogged(refusal(530, 503)), { changes: { stack: 'acme/observability/prod' } })).toEqual({
      hop: "Alloy -> acme/observability/prod's Phoenix",
      cause: 'otlp.example.com answers 530: no connector of the stack acme/observability/prod holds its tunnel open',
      mend: gone,
    });
  });

  test.each<[string, string[], string]>([
    ['the newest', [refusal(401, 503), refusal(530, 503)], '530: no connector of the stack prod holds its tunnel open'],
    ['not senders that hung up', [refusal(401, 503), '2025-11-21T03:13:17+00:00 refused upstream=- answered=499 uri=/v1/traces\n'], `401: ${byToken}`],
    ['not what came before it to nobody', [gateError('otlp.example.com could not be resolved (3: Host not found)'), refusal(401, 503)], `401: ${byToken}`],
    ['not what was answered to the check, while its trace was not there', [refusal(401, 503), refusal(404, 503, '/v1/projects/verify-1763694796000/spans?trace_id=0')], `401: ${byToken}`],
  ])('of what the gate was answered counts %s', async (_, lines, meaning) => {
    expect(await failure(gateLogged(...lines))).toMatchObject({ cause: `otlp.example.com answers ${meaning}` });
  });

  test('what the gate was told when it asked with an empty request is no news', async () => {
    const asked = gateError('auth request unexpected status: 500 while sending to client');
    expect(await failure(gateLogged(refusal(500, 503), asked))).toMatchObject({ cause: 'otlp.example.com answers 500' });
  });

  describe('requests that are refused for what they hold', () => {
    /** What `verify` notes while the gate lists so many of each signal. */
    async function noted(counts: Readonly<Record<string, number>>, one = (route: Route): Route => route): Promise<string[]> {
      const { host } = await fakeEngine({});
      const running = one(edge(await services({}, host)));
      const ask: Route['inside']['ask'] = (url) => {
        const count = counts[/^http:\/\/127\.0\.0\.1:14319\/var\/lib\/gate-aside\/(traces|metrics|logs)\/$/.exec(url)?.[1] ?? ''];
        return Promise.resolve(count === undefined ? { status: 404, text: 'Not Found' } : { status: 200, text: JSON.stringify(Array.from({ length: count }, () => ({ type: 'file' }))) });
      };
      return asideWarnings({ ...running, inside: { ...running.inside, ask } });
    }

    test('are counted and named, with what sends them again', async () => {
      expect(await noted({ traces: 1, metrics: 0, logs: 0 })).toEqual([
        'otlp.example.com refuses 1 request because of its content, and the gate has put it aside: docker exec central-dev-gate ls -lR /var/lib/gate-aside lists it, docker exec central-dev-gate bash /etc/gate/send-again.sh has it sent again.',
      ]);
      expect(await noted({ traces: 2, metrics: 0, logs: 1 })).toEqual([expect.stringMatching(/ refuses 3 requests because of their content, .* put them aside: .* lists them, .* has them sent again\.$/)]);
    });

    test.each<[string, Record<string, number>]>([['there are none', { traces: 0, metrics: 0, logs: 0 }], ['the gate is of an older version', {}]])('not where %s', async (_, counts) => expect(await noted(counts)).toEqual([]));

    test('nobody asks the gate of a stack with a Phoenix', async () =>
      expect(await noted({ traces: 1 }, ({ central: _, ...route }) => route)).toEqual([]));
  });

  test('Alloy keeps what it has', async () => {
    expect(await failure(gateLogged(refusal(530, 503)), { behaviour: { metrics: { body: queueMetrics(2, 'central') } } })).toMatchObject({
      cause: 'otlp.example.com answers 530: no connector of the stack prod holds its tunnel open; Alloy keeps what it has accepted on disk (2 MiB of 2 GiB) and sends it when that is fixed',
    });
  });

  const unknownName = 'otlp.example.com could not be resolved (3: Host not found)';
  const noCertificate = 'upstream SSL certificate verify error: (10:certificate has expired) while SSL handshaking to upstream';
  const refusedThere = 'connect() failed (111: Connection refused) while connecting to upstream';
  const noGate = 'failed to make an HTTP request: Post "http://central-gate:4318/v1/traces": dial tcp: lookup central-gate: no such host';
  const notAnswered = '2026-11-21T08:00:00+00:00 refused upstream=- answered=502 uri=/v1/traces\n';
  test.each<[string, Record<string, Answer>, string]>([
    ['a name that nobody knows', { ...gateLogged(gateError(unknownName), notAnswered), ...gateIs({ Status: 'running', ExitCode: 0 }) }, `${unknownName}; container central-dev-gate is running`],
    ['the newest of several', { ...gateLogged(gateError(unknownName), notAnswered, gateError(noCertificate)), ...gateIs({ Status: 'running', ExitCode: 0 }) }, `${noCertificate}; container central-dev-gate is running`],
    ['without the number of a connection', { ...gateLogged('2026/11/21 08:00:00 [error] 6#6: recv() failed (111: Connection refused) while resolving, resolver: 127.0.0.11:53\n'), ...gateIs({ Status: 'running', ExitCode: 0 }) }, 'recv() failed (111: Connection refused) while resolving, resolver: 127.0.0.11:53; container central-dev-gate is running'],
    ['the gate answers for it', { ...gateLogged(gateError(refusedThere), refusal(502, 502)), ...gateIs({ Status: 'running', ExitCode: 0 }) }, `${refusedThere}; container central-dev-gate is running`],
    ['the gate says nothing and Alloy does', { ...logged(exportError('central', noGate)), ...gateIs({ Status: 'exited', ExitCode: 1 }) }, `${noGate}; container central-dev-gate is exited with 1`],
    ['both do', { ...logged(exportError('central', noGate)), ...gateLogged(gateError(unknownName)) }, `${unknownName}; container central-dev-gate is not there`],
  ])('nobody was reached: %s', async (_, answers, complaint) => {
    expect(await failure(answers)).toEqual({ hop, cause: `otlp.example.com cannot be reached: ${complaint}`, mend: [logsOfGate, 'npm run up'] });
  });

  test('nobody was reached, and Alloy keeps what it has', async () => {
    expect(await failure({ ...gateLogged(gateError(unknownName)) }, { behaviour: { metrics: { body: queueMetrics(1, 'central') } } })).toMatchObject({
      cause: `otlp.example.com cannot be reached: ${unknownName}; container central-dev-gate is not there; Alloy keeps what it has accepted on disk (1 MiB of 2 GiB) and sends it when that is fixed`,
    });
  });

  test('a queue that grows without an error', async () => {
    expect(await failure(logged(exportError('loki', 'connection refused')), { behaviour: { metrics: { body: queueMetrics(420, 'central') } } })).toEqual({
      hop,
      cause: "the stack prod is slower than what comes in: Alloy's queue on disk holds 420 MiB of 2 GiB",
      mend: ['npm run verify -- --stack prod'],
    });
  });

  test.each<[string, Record<string, Answer>, Behaviour]>([
    ['nothing is known', {}, {}],
    ['only other exporters are in trouble', logged(exportError('loki', 'connection refused'), exportError('phoenix', 'connection refused')), {}],
    ['the queue is one of another', {}, { metrics: { body: queueMetrics(9, 'phoenix') } }],
    ['the gate has only warned', gateLogged('2026/11/21 08:00:00 [warn] 29#29: *1 a client request body is buffered, client: 172.18.0.3\n'), {}],
  ])('handed over and not shown: %s', async (_, answers, behaviour) => {
    expect(await failure(answers, { behaviour })).toEqual({
      hop,
      cause: 'Alloy has sent the span, but the Phoenix of the stack prod does not show it',
      mend: ['npm run verify -- --stack prod', logsOfAlloy],
    });
  });

  const unread = '/v1/projects/verify-1763694796000/spans?trace_id=0';
  test.each([
    // A key that has ended: the central stack mints the next one, and this one takes it over.
    [401, ['npm run up -- --stack prod', 'npm run up']],
    [403, ['npm run verify -- --stack prod', logsOfAlloy]],
    [502, ['npm run verify -- --stack prod', logsOfAlloy]],
  ])('handed over, and who asks for it is answered %d', async (code, mend) => {
    expect(await failure(gateLogged(refusal(code, code, unread)))).toEqual({
      hop,
      cause: `Alloy has sent the span, but the Phoenix of the stack prod cannot be asked for it: otlp.example.com answers ${code}`,
      mend,
    });
  });

  test('the logs are asked for from the start of the check', async () => {
    const engine = await fakeEngine({});
    const running = await services(never, engine.host);
    await checkDelivery(edge(running), 0);
    const started = Number(projectOf(running.alloy.requests[0]?.body ?? '').slice('verify-'.length));
    const query = `stdout=1&stderr=1&tail=500&since=${Math.floor(started / 1000)}`;
    expect([...new Set(engine.requests.map(({ url }) => url))].filter((url) => !url.endsWith('/json'))).toEqual([`/containers/central-dev-gate/logs?${query}`, `/containers/alloy-dev/logs?${query}`]);
  });
});

test.each([
  ['database_disk_usage_ratio 0.79\n', []],
  ['database_disk_usage_bytes 1.2e+09\ndatabase_disk_usage_ratio 0.871\n', [expect.stringMatching(/^Phoenix's database has used 87 % of phoenix:storage; /)]],
  ['', []],
])('of a database whose metrics are %j', async (text, warnings) => {
  const { host } = await fakeEngine({});
  const { route: deployed } = await services({}, host);
  expect(await storageWarnings({ ...deployed, metrics: 'http://phoenix:9090/metrics', inside: { ...deployed.inside, ask: () => Promise.resolve({ status: 200, text }) } })).toEqual(warnings);
});

describe('what somebody did by hand, and another deployment does not see', () => {
  const networks = (...names: string[]): object => ({ Networks: Object.fromEntries(names.map((name) => [name, {}])) });
  const is = (Status: string, ...names: string[]): Answer => ({ State: { Status, ExitCode: 0 }, NetworkSettings: networks(...names) });
  const well: Record<string, Answer> = {
    '/containers/alloy-dev/json': is('running', 'observability-dev'),
    '/containers/phoenix-dev-gate/json': is('running', 'observability-dev', 'observability-dev-store'),
    '/containers/phoenix-dev/json': is('running', 'observability-dev-store'),
  };

  test.each(['alloy-dev', 'phoenix-dev-gate', 'phoenix-dev'])('%s is paused', async (name) =>
    expect(await failureOf({ emptyLooks: Infinity }, { ...well, [`/containers/${name}/json`]: is('paused', 'observability-dev', 'observability-dev-store') })).toMatchObject({
      cause: `container ${name} is paused`, mend: [`docker unpause ${name}`],
    }));

  test.each([
    ['alloy-dev', [], 'observability-dev'],
    ['phoenix-dev-gate', ['observability-dev-store'], 'observability-dev'],
    ['phoenix-dev-gate', ['observability-dev'], 'observability-dev-store'],
    ['phoenix-dev', ['bridge'], 'observability-dev-store'],
  ])('%s is only on %j', async (name, on, missing) =>
    expect(await failureOf({ emptyLooks: Infinity }, { ...well, [`/containers/${name}/json`]: is('running', ...on) })).toMatchObject({
      cause: `container ${name} is no longer on the network ${missing}`, mend: [`docker stop ${name} && docker rm ${name} && npm run up`],
    }));

  test.each([['running', 'where it belongs', well], ['exited', 'nowhere', { ...well, '/containers/phoenix-dev/json': is('exited') }]])('what is %s, %s, is not meant', async (_, __, answers) =>
    expect((await failureOf({ emptyLooks: Infinity }, answers) as { cause: string }).cause).not.toMatch(/no longer|paused/));
});

describe('projects', () => {
  /** What prometheus_client prints of them. */
  const metrics = (held: number, stored: Readonly<Record<string, number>>, elsewhere = 0): string => [
    '# HELP observability_spans_total Spans that were stored, by project', '# TYPE observability_spans_total counter',
    ...Object.entries(stored).map(([project, count]) => `observability_spans_total{project="${project.replace(/["\\]/g, '\\$&')}"} ${count.toFixed(1)}`),
    ...Object.keys(stored).map((project) => `observability_spans_created{project="${project.replace(/["\\]/g, '\\$&')}"} 1.7e+09`),
    `observability_spans_elsewhere_total ${elsewhere.toFixed(1)}`, 'observability_spans_elsewhere_created 1.7e+09', `phoenix_span_queue_size ${held.toFixed(1)}`, '',
  ].join('\n');
  async function said(...looks: string[]): Promise<string[]> {
    const { host } = await fakeEngine({});
    const { route: deployed } = await services({}, host);
    const left = [...looks];
    const warnings = await projectWarnings({ ...deployed, metrics: 'http://phoenix:9090/metrics', inside: { ...deployed.inside, ask: () => Promise.resolve({ status: 200, text: left.shift() ?? '' }) } }, 1);
    expect(left).toEqual([]);
    return warnings;
  }

  test.each<[string, string[]]>([
    ['nothing is stored', [metrics(0, {})]],
    ['Phoenix keeps up, whoever sends most', [metrics(199, { chat: 9000, batch: 1 })]],
    ['Phoenix is behind, and all send alike', [metrics(2000, { chat: 10, batch: 20 }), metrics(2000, { chat: 110, batch: 120 })]],
    ['Phoenix is behind and stores nothing', [metrics(2000, { chat: 10 }), metrics(2000, { chat: 10 })]],
    ['Phoenix is of a version that does not count', ['phoenix_span_queue_size 2000.0\n', 'phoenix_span_queue_size 2000.0\n']],
    ['there are no metrics', ['']],
  ])('%s: nothing to say', async (_, looks) => expect(await said(...looks)).toEqual([]));

  test.each([['batch', 'batch'], ['new', 'new'], ['with "quotes" \\ and } ', 'with \\"quotes\\" \\\\ and } ']])('the one that Phoenix is busy with: %s', async (project, shown) =>
    expect(await said(metrics(200, { chat: 5000 }), metrics(300, { chat: 5007, [project]: 93 }))).toEqual([`Phoenix is behind, and 93 % of what it stores now is of the project ${shown}: the spans of others wait with them.`]));

  test.each([[1, '1 span of others'], [4000, '4000 spans of others']])('more than are allowed', async (count, words) =>
    expect(await said(metrics(0, { 'beyond-limit': count }, count))).toEqual([
      `Senders name more projects than phoenix:projects allows: ${words} went to the project beyond-limit since Phoenix was started. Delete projects, or set a larger phoenix:projects.`,
    ]));
});

describe('the journal in front of Phoenix', () => {
  /** What a check says with a journal whose status is this, and whose log holds these lines. */
  async function cause(status: { status: number; text: string }, ...log: string[]): Promise<string | undefined> {
    const { host } = await fakeEngine({
      '/containers/journal-dev/logs': { status: 200, body: log.join('') },
      '/containers/journal-dev/json': inspected({ Status: 'exited', ExitCode: 1 }),
      ...gateRuns,
    });
    const { route: deployed } = await services({ emptyLooks: Infinity }, host);
    const inside: Route['inside'] = { ...deployed.inside, ask: (url, question) => (url === 'http://phoenix-journal:4318/status' ? Promise.resolve(status) : deployed.inside.ask(url, question)) };
    return (await checkDelivery({ ...deployed, inside, containers: { ...deployed.containers, journal: 'journal-dev' } }, 0)).failure?.cause;
  }
  const says = (changes: object = {}): { status: number; text: string } => ({ status: 200, text: JSON.stringify({ full: false, waiting: 0, kept: 0, limit: 1024 ** 3, ...changes }) });

  test('is full', async () =>
    expect(await cause(says({ full: true, waiting: 7000, kept: 1000 * 1024 ** 2 }))).toBe(
      'the journal in front of Phoenix is full: it keeps 1000 MiB of 1024 MiB, and 7000 requests in it are not known to be stored',
    ));

  test('does not answer', async () =>
    expect(await cause({ status: 0, text: 'connection refused' })).toBe('the journal in front of Phoenix does not answer (connection refused); container journal-dev is exited with 1'));

  test('cannot write', async () =>
    expect(await cause(says(), '503: The journal cannot write: [Errno 28] No space left on device.\n')).toBe('the journal cannot write: [Errno 28] No space left on device'));

  const warned = async (status: { status: number; text: string }): Promise<string[]> => {
    const { host } = await fakeEngine({});
    const { route: deployed } = await services({}, host);
    return journalWarnings({ ...deployed, inside: { ...deployed.inside, ask: () => Promise.resolve(status) }, containers: { ...deployed.containers, journal: 'journal-dev' } });
  };

  test('has nothing to say while spans arrive', async () => expect(await warned(says({ aside: 0 }))).toEqual([]));

  test('has put requests aside', async () => {
    expect(await warned(says({ aside: 1 }))).toEqual([
      'Phoenix refuses 1 request because of its content, and the journal has put it aside: docker exec journal-dev ls -l /journal/aside lists it, docker kill --signal HUP journal-dev has it sent again.',
    ]);
    expect(await warned(says({ aside: 3 }))).toEqual([expect.stringMatching(/^Phoenix refuses 3 requests because of their content, and the journal has put them aside: .* lists them, .* has them sent again\.$/)]);
  });

  test('does not say how it is', async () =>
    expect(await warned({ status: 0, text: 'connection refused' })).toEqual(['The journal in front of Phoenix does not report its state (connection refused): docker logs --tail 30 journal-dev']));

  test('is well, and something else is wrong', async () =>
    expect(await cause(says(), '502: Phoenix cannot be reached: [Errno 111] Connection refused.\n')).not.toMatch(/journal/));
});

test.each<[string, Record<string, Answer>, string | undefined]>([
  ['runs', { '/containers/phoenix-dev-egress/json': inspected({ Status: 'running', ExitCode: 0, Health: { Status: 'healthy' } }) }, undefined],
  ['has just started', { '/containers/phoenix-dev-egress/json': inspected({ Status: 'running', ExitCode: 0, Health: { Status: 'starting' } }) }, undefined],
  ['was killed', { '/containers/phoenix-dev-egress/json': inspected({ Status: 'exited', ExitCode: 137 }) }, 'exited with 137'],
  ['is paused', { '/containers/phoenix-dev-egress/json': inspected({ Status: 'paused', ExitCode: 0, Health: { Status: 'unhealthy' } }) }, 'paused, unhealthy'],
  ['is gone', {}, 'not there'],
])('what Phoenix reaches its servers by %s', async (_, answers, state) => {
  const { host } = await fakeEngine(answers);
  const { route: deployed } = await services({}, host);
  expect(await egressWarnings({ ...deployed, containers: { ...deployed.containers, egress: 'phoenix-dev-egress' } })).toEqual(state === undefined ? [] : [
    `Phoenix reaches none of its servers (phoenix:egress, login, mail): container phoenix-dev-egress is ${state}: docker logs --tail 30 phoenix-dev-egress; ${deployed.redeploy}`,
  ]);
  // A stack without any has none.
  expect(await egressWarnings(deployed)).toEqual([]);
});

test('a PostgreSQL that is away is named, with the log of each hop to it', async () => {
  const { host } = await fakeEngine({});
  const cause = async (database: string | undefined, ready: Reply): Promise<Cause> => {
    const { route: deployed } = await services({ ready }, host);
    return whyNotForwarded({ ...deployed, containers: { ...deployed.containers, egress: 'phoenix-dev-egress', ...(database === undefined ? {} : { database }) } }, Date.now());
  };
  const away = { status: 503, body: 'database unreachable' };
  expect(await cause('phoenix-dev-database', away)).toEqual({ cause: expect.stringContaining('phoenix:database'), mend: ['phoenix-dev', 'phoenix-dev-egress', 'phoenix-dev-database'].map((name) => `docker logs --tail 30 ${name}`) });
  expect((await cause('phoenix-dev-database', {})).cause).not.toContain('phoenix:database');
  expect((await cause(undefined, away)).cause).not.toContain('phoenix:database');
});

test('and of the way to its database', async () => {
  const { host } = await fakeEngine({ '/containers/phoenix-dev-database/json': inspected({ Status: 'exited', ExitCode: 1 }), '/containers/phoenix-dev-egress/json': inspected({ Status: 'running', ExitCode: 0 }) });
  const { route: deployed } = await services({}, host);
  expect(await egressWarnings({ ...deployed, containers: { ...deployed.containers, egress: 'phoenix-dev-egress', database: 'phoenix-dev-database' } })).toEqual([expect.stringContaining('docker logs --tail 30 phoenix-dev-database')]);
});
