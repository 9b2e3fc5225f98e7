import { at } from '../../engine';
import type { Route } from '../../provider/route';
import type { Question } from '../../provider/reach';
import { checkStores, storeWarnings, type StoreDelivery } from '../../provider/store-check';
import { fakeEngine, type Answer } from '../support/fake-engine';
import { gateError, refusal } from '../support/services';

type Store = 'prometheus' | 'loki';
const gates = { prometheus: { prometheusGate: 'prometheus-dev-gate' }, loki: { lokiGate: 'loki-dev-gate' } } as const;
const whats = { prometheus: 'metrics', loki: 'logs' } as const;

/** Samples as remote write counts them: every attempt, and what became of it. */
interface Samples {
  readonly attempts: number;
  readonly retried?: number;
  readonly failed?: number;
  readonly pending?: number;
}

/** A page of Alloy's metrics. Of other components, the numbers are none of a store's. */
const written = ({ attempts, retried = 0, failed = 0, pending = 0 }: Samples): string =>
  ['prometheus.remote_write.prometheus', 'prometheus.remote_write.mine'].flatMap((component, index) =>
    Object.entries({ samples_total: attempts, samples_retried_total: retried, samples_failed_total: failed, samples_pending: pending }).map(
      ([metric, value]) => `prometheus_remote_storage_${metric}{component_id="${component}",component_path="/",remote_name="39b9af",url="http://prometheus-gate:4318/api/v1/write"} ${value + 1000 * index}`)).join('\n');
const sent = (records: number, failed = 0): string =>
  ['loki', 'phoenix'].flatMap((exporter, index) => [['sent', records], ['send_failed', failed]].map(
    ([what, value]) => `otelcol_exporter_${what}_log_records_total{component_id="otelcol.exporter.otlphttp.${exporter}",component_path="/"} ${Number(value) + 1000 * index}`)).join('\n');

/** What stands for a page that cannot be read. */
const unread = { status: 0, text: 'connection refused' } as const;

/** Alloy with these pages of metrics, one for each look; the last one stays. */
async function stack(stores: readonly Store[], pages: readonly (string | { readonly status: number; readonly text: string })[], answers: Record<string, Answer> = {}, taken = 200): Promise<{ route: Route; asked: [string, Question | undefined][] }> {
  const { host } = await fakeEngine(answers);
  const asked: [string, Question | undefined][] = [];
  let look = 0;
  const reach = {
    async ask(url: string, question?: Question) {
      asked.push([url, question]);
      if (!url.endsWith('/metrics') || question !== undefined) {
        return { status: taken, text: taken === 200 ? '{"partialSuccess":{}}' : 'data refused due to high memory usage' };
      }
      const page = pages[Math.min(look, pages.length - 1)] ?? '';
      look += 1;
      return typeof page === 'string' ? { status: 200, text: page } : page;
    },
    close() {},
  };
  const containers = { alloy: 'alloy-dev', gate: 'phoenix-dev-gate', ...Object.assign({}, ...stores.map((store) => gates[store])) };
  return { route: { reach, inside: reach, engine: at(host), endpoints: { otlpHttp: 'http://alloy:4318', alloyUi: 'http://alloy:12345', phoenix: '' }, headers: {}, redeploy: 'npm run up', containers }, asked };
}

const gateSays = (store: Store, ...lines: string[]): Record<string, Answer> => ({
  [`/containers/${store}-dev-gate/logs`]: { status: 200, body: lines.join('') },
  [`/containers/${store}-dev-gate/json`]: { State: { Status: 'running', ExitCode: 0 } },
});

const refusedBy = async (store: Store, answers: Record<string, Answer>, pages: readonly string[] = ['']): Promise<StoreDelivery['failure']> => {
  const { route } = await stack([store], pages, answers);
  const [one] = await checkStores(route, 0);
  return one?.failure;
};

test('without a store nothing is sent', async () => {
  const { route, asked } = await stack([], ['']);
  expect(await checkStores(route, 0)).toEqual([]);
  expect(await storeWarnings(route)).toEqual([]);
  expect(asked).toEqual([]);
});

test.each<[string, Store, string[]]>([
  ['a log record', 'loki', [sent(7), sent(7), sent(8)]],
  ['the first log record of an Alloy', 'loki', ['', '', sent(1)]],
  ['a sample', 'prometheus', [written({ attempts: 7 }), written({ attempts: 7, pending: 1 }), written({ attempts: 8, pending: 1 }), written({ attempts: 8 })]],
  ['a sample at the second attempt', 'prometheus', [written({ attempts: 7 }), written({ attempts: 8, pending: 1 }), written({ attempts: 9, retried: 1, pending: 1 }), written({ attempts: 9, retried: 1 })]],
])('%s is there as soon as Alloy counts it as taken, and not before', async (_, store, pages) => {
  const { route, asked } = await stack([store], pages);
  const name = whats[store];
  expect(await checkStores(route, 20_000)).toEqual([{ hop: `Alloy -> store of ${name}`, ms: expect.any(Number) }]);
  expect(asked.map(([url]) => url)).toEqual(['http://alloy:12345/metrics', `http://alloy:4318/v1/${name}`, ...pages.slice(1).map(() => 'http://alloy:12345/metrics')]);
  expect(asked[1]?.[1]).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' }, body: expect.stringContaining('llm-observability-verify') });
});

test.each<[string, Store, string[]]>([
  ['what is under way', 'prometheus', [written({ attempts: 7, pending: 0 }), written({ attempts: 8, pending: 1 })]],
  ['what is tried again', 'prometheus', [written({ attempts: 7 }), written({ attempts: 9, retried: 1, pending: 1 })]],
  ['what was under way before', 'prometheus', [written({ attempts: 8, pending: 1 }), written({ attempts: 8 })]],
  ['what the store refused', 'prometheus', [written({ attempts: 7 }), written({ attempts: 8, failed: 1 })]],
  ['what the store refused', 'loki', [sent(7), sent(7, 1)]],
])('%s does not count (%s)', async (_, store, pages) => {
  const { route } = await stack([store], pages, gateSays(store));
  expect(await checkStores(route, 0)).toMatchObject([{ failure: { hop: `Alloy -> store of ${whats[store]}` } }]);
});

test('both at once', async () => {
  const { route } = await stack(['prometheus', 'loki'], [`${written({ attempts: 0 })}\n${sent(0)}`, `${written({ attempts: 0 })}\n${sent(0)}`, `${written({ attempts: 1 })}\n${sent(1)}`]);
  expect((await checkStores(route, 20_000)).map(({ hop, failure }) => [hop, failure])).toEqual([['Alloy -> store of metrics', undefined], ['Alloy -> store of logs', undefined]]);
});

describe.each(['prometheus', 'victorialogs'] as const)('a %s that the stack deploys', (store) => {
  const containers = { alloy: 'alloy-dev', gate: 'phoenix-dev-gate', [`${store}Gate`]: `${store}-dev-gate`, [store]: `${store}-dev` };
  const what = store === 'prometheus' ? 'metrics' : 'logs';
  const page = store === 'prometheus' ? written({ attempts: 7 }) : sent(7).replaceAll('otlphttp.loki', 'otlphttp.victorialogs');
  const refused = async (answers: Record<string, Answer>): Promise<StoreDelivery['failure']> => {
    const { route } = await stack([], [page], answers);
    return (await checkStores({ ...route, containers }, 0))[0]?.failure;
  };

  test('has taken it', async () => {
    const after = store === 'prometheus' ? written({ attempts: 8 }) : sent(8).replaceAll('otlphttp.loki', 'otlphttp.victorialogs');
    const { route } = await stack([], [page, after]);
    expect(await checkStores({ ...route, containers }, 20_000)).toEqual([{ hop: `Alloy -> store of ${what}`, ms: expect.any(Number) }]);
  });

  test('is stopped: its own log has the reason, and no setting has its address', async () => {
    const gone = { [`/containers/${store}-dev-gate/logs`]: { status: 200, body: gateError('connect() failed (111: Connection refused) while connecting to upstream') }, [`/containers/${store}-dev-gate/json`]: { State: { Status: 'running', ExitCode: 0 } } };
    expect(await refused(gone)).toMatchObject({ passing: true, cause: expect.stringContaining(`the store of ${what} (container ${store}-dev) cannot be reached: connect() failed`), mend: [`docker logs --tail 30 ${store}-dev`, `docker logs --tail 30 ${store}-dev-gate`, 'npm run up'] });
  });
});

describe.each(['prometheus', 'loki'] as const)('%s', (store) => {
  const what = whats[store];
  const hop = `Alloy -> store of ${what}`;
  const uri = store === 'loki' ? '/v1/logs' : '/api/v1/write';
  const waits = '; what Alloy has accepted waits on its disk';
  const address = `pulumi config get ${store}:url   # then set the one that takes ${store === 'loki' ? 'OTLP, which Loki does from 3.0 on; any other OTLP endpoint ends with /v1/logs' : 'remote write'}`;
  const log = `docker logs --tail 30 ${store}-dev-gate`;
  const says = (answer: number): string => `the store of ${what} (${store}:url) answers ${answer}`;

  test.each([401, 403])('%d: who sends', async (answer) => {
    expect(await refusedBy(store, gateSays(store, refusal(answer, 503, uri)))).toEqual({
      hop, passing: false, cause: `${says(answer)}: it rejects the credentials${waits}`,
      mend: [`pulumi config set --secret ${store}:password   # of ${store}:username`, `pulumi config set --secret ${store}:token   # instead of the two`, `pulumi config set ${store}:tenant team-a   # where it has tenants`, 'npm run up'],
    });
  });

  test.each([[404, `nothing takes ${what} there`], [405, `nothing takes ${what} there`], [301, 'it redirects, for example to a login'], [302, 'it redirects, for example to a login']])('%d: the address', async (answer, why) => {
    expect(await refusedBy(store, gateSays(store, refusal(answer, 503, uri)))).toEqual({ hop, passing: false, cause: `${says(answer)}: ${why}${waits}`, mend: [address, 'npm run up'] });
  });

  test('429: goes by itself', async () => {
    expect(await refusedBy(store, gateSays(store, refusal(429, 429, uri)))).toEqual({ hop, passing: true, cause: `${says(429)}: it takes no more for now${waits}. Set a higher limit for ${what} there`, mend: [log] });
  });

  test.each([500, 503, 507])('%d: goes by itself', async (answer) => {
    expect(await refusedBy(store, gateSays(store, refusal(answer, 503, uri)))).toEqual({ hop, passing: true, cause: `${says(answer)}${waits}`, mend: ['docker logs --tail 30 alloy-dev', log] });
  });

  const lost = store === 'loki' ? [sent(7), sent(7, 1)] : [written({ attempts: 7 }), written({ attempts: 8, failed: 1 })];
  test.each([400, 409, 413, 415, 422])('%d: what they hold, which stops no deployment', async (answer) => {
    expect(await refusedBy(store, gateSays(store, refusal(answer, answer, uri)), lost)).toEqual({ hop, passing: true, cause: `${says(answer)}: it refuses ${what} because of their content, and they are lost`, mend: ['docker logs --tail 30 alloy-dev', log] });
  });

  test.each([400, 409, 413, 415, 422])('%d of what somebody else has sent says nothing of this', async (answer) => {
    const notYet = { hop, passing: true, cause: `the store of ${what} (${store}:url) has not taken it yet${waits}`, mend: ['docker logs --tail 30 alloy-dev', log] };
    expect(await refusedBy(store, gateSays(store, refusal(answer, answer, uri)))).toEqual(notYet);
    expect(await refusedBy(store, gateSays(store, refusal(401, 503, uri), refusal(answer, answer, uri)))).toMatchObject({ passing: false, cause: `${says(401)}: it rejects the credentials${waits}` });
  });

  test.each([402, 410])('%d: Alloy keeps it', async (answer) => {
    expect(await refusedBy(store, gateSays(store, refusal(answer, 503, uri)), lost)).toEqual({ hop, passing: true, cause: `${says(answer)}${waits}`, mend: ['docker logs --tail 30 alloy-dev', log] });
  });

  test('the last answer counts', async () => {
    expect((await refusedBy(store, gateSays(store, refusal(401, 503, uri), refusal(429, 429, uri))))?.cause).toContain('answers 429');
  });

  test.each([
    ['store.example could not be resolved (3: Host not found)', true],
    ['connect() failed (111: Connection refused) while connecting to upstream', true],
    ['upstream SSL certificate verify error: (18:self-signed certificate)', false],
  ])('%s', async (error, passing) => {
    expect(await refusedBy(store, gateSays(store, gateError(error), refusal(502, 502, uri)))).toEqual({ hop, passing, cause: `the store of ${what} (${store}:url) cannot be reached: ${error}${waits}`, mend: [address, log, 'npm run up'] });
  });

  test('its gate is gone', async () => {
    expect(await refusedBy(store, {})).toMatchObject({ passing: false, cause: `the store of ${what} (${store}:url) cannot be reached: container ${store}-dev-gate is not there${waits}` });
  });

  test.each([500, 403])('the engine does not say how its gate is (%d)', async (status) => {
    expect(await refusedBy(store, { [`/containers/${store}-dev-gate/json`]: { status, body: '{"message":"try again"}' } })).toMatchObject({ passing: true, cause: expect.stringContaining(`container ${store}-dev-gate is unknown: the Docker Engine answers`) });
  });

  const [one, two] = store === 'loki' ? [sent(7), sent(8)] : [written({ attempts: 7 }), written({ attempts: 8 })];
  test('counters that cannot be read are not zeros: it asks again, before and after', async () => {
    const { route, asked } = await stack([store], [unread, { status: 503, text: '' }, one, unread, one, two]);
    expect(await checkStores(route, 20_000)).toEqual([{ hop, ms: expect.any(Number) }]);
    expect(asked.findIndex(([url]) => url.endsWith(`/v1/${what}`))).toBe(3);
    expect(asked).toHaveLength(7);
  });

  test.each([[unread, 'connection refused'], [{ status: 503, text: 'no' }, '503']])('counters that cannot be read at all (%j)', async (page, why) => {
    const { route, asked } = await stack([store], [page, two]);
    expect(await checkStores(route, 0)).toEqual([{ hop, ms: expect.any(Number), failure: { hop, passing: true, cause: `Alloy does not show its counters (${why}), so whether the store takes ${what} is not known`, mend: ['docker logs --tail 30 alloy-dev'] } }]);
    expect(asked).toHaveLength(1);
    expect(await storeWarnings((await stack([store], [page])).route)).toEqual([]);
  });

  test('it is slow', async () => {
    expect(await refusedBy(store, gateSays(store))).toMatchObject({ passing: true, cause: `the store of ${what} (${store}:url) has not taken it yet${waits}` });
  });

  test('Alloy does not take it', async () => {
    const { route } = await stack([store], [''], {}, 503);
    expect(await checkStores(route, 0)).toEqual([{ hop, ms: expect.any(Number), failure: { hop: 'application -> Alloy', passing: true, cause: `Alloy takes no ${what}: 503 data refused due to high memory usage`, mend: ['docker logs --tail 30 alloy-dev'] } }]);
  });

  test.each([[1, store === 'loki' ? '1 log record' : '1 sample'], [12, store === 'loki' ? '12 log records' : '12 samples']])('%d that it refused for what they hold is worth a word', async (lost, words) => {
    const { route } = await stack([store], [store === 'loki' ? sent(20, lost) : written({ attempts: 20, failed: lost })]);
    expect(await storeWarnings(route)).toEqual([`The store of ${what} has refused ${words} because of their content since Alloy was started; they are lost: docker logs ${store}-dev-gate has its answers.`]);
  });
});
