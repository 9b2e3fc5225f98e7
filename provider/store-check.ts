/**
 * Sends one log record and one sample as an application would, and checks in Alloy's own counters that the stores accepted
 * them: nothing is read back, because write-only credentials do not allow that. If a store did not, reports its response.
 */
import { addressCommand, refusalOf } from '../settings/store-refusal';
import { pause } from './cancellation';
import type { Cause } from './diagnosis';
import { containerState, logSince, logsOf } from './container-report';
import type { Route } from './route';
import { sumOf } from './metrics';
import { markedLog, markedSample } from './otlp';

/** A store, by the namespace of its settings. */
type StoreName = 'prometheus' | 'loki' | 'victorialogs';

export interface StoreDelivery {
  /** As in `Alloy -> store of metrics`. */
  readonly hop: string;
  readonly ms: number;
  /** Set if the store did not accept it. */
  readonly failure?: Cause & { readonly hop: string; /** Whether it goes by itself: the store is busy or away. */ readonly passing: boolean };
}

interface Kind {
  readonly store: StoreName;
  readonly what: string;
  readonly path: string;
  readonly body: () => object;
  /** Counts of what the store has accepted, at most and at least: what is on its way is only in the first one. */
  readonly taken: (of: (metric: string) => number) => { readonly most: number; readonly least: number };
  /** What it refused for its content. */
  readonly lost: (of: (metric: string) => number) => number;
  readonly component: string;
}

const logs: Omit<Kind, 'store' | 'component'> = {
  what: 'logs', path: '/v1/logs', body: markedLog,
  taken: (of) => {
    const sent = of('otelcol_exporter_sent_log_records_total');
    return { most: sent, least: sent };
  },
  lost: (of) => of('otelcol_exporter_send_failed_log_records_total'),
};

const kinds: Readonly<Record<StoreName, Kind>> = {
  prometheus: {
    store: 'prometheus', what: 'metrics', path: '/v1/metrics', body: markedSample, component: 'prometheus.remote_write.prometheus',
    // The first of these counts every attempt.
    taken: (of) => {
      const most = of('prometheus_remote_storage_samples_total') - of('prometheus_remote_storage_samples_retried_total') - of('prometheus_remote_storage_samples_failed_total');
      return { most, least: most - of('prometheus_remote_storage_samples_pending') };
    },
    lost: (of) => of('prometheus_remote_storage_samples_failed_total'),
  },
  loki: { ...logs, store: 'loki', component: 'otelcol.exporter.otlphttp.loki' },
  victorialogs: { ...logs, store: 'victorialogs', component: 'otelcol.exporter.otlphttp.victorialogs' },
};

/** A store of the stack, with the names of its containers: without one of its own, somebody else runs it. */
type Used = Kind & { readonly gate: string; readonly container: string | undefined };

const storesOf = ({ containers: { prometheusGate, prometheus, lokiGate, victorialogsGate, victorialogs } }: Route): readonly Used[] =>
  [{ ...kinds.prometheus, gate: prometheusGate, container: prometheus }, { ...kinds.loki, gate: lokiGate, container: undefined }, { ...kinds.victorialogs, gate: victorialogsGate, container: victorialogs }]
    .flatMap(({ gate, ...kind }) => (gate === undefined ? [] : [{ ...kind, gate }]));

/** The namespace of its settings if somebody else runs it: it has an address there, and may refuse credentials. */
const external = ({ store, container }: Used): 'prometheus' | 'loki' | undefined => (container !== undefined || store === 'victorialogs' ? undefined : store);

const hopOf = ({ what }: Kind): string => `Alloy -> store of ${what}`;

/** Interval between two reads of the counters. Remote write waits 5 s for more to send. */
const lookEveryMs = 250;

/** @param timeoutMs how long each may take from Alloy's response until the store has it */
export async function checkStores(route: Route, timeoutMs: number): Promise<readonly StoreDelivery[]> {
  return Promise.all(storesOf(route).map((store) => checkStore(route, store, timeoutMs)));
}

async function checkStore(route: Route, kind: Used, timeoutMs: number): Promise<StoreDelivery> {
  const { reach, endpoints: { otlpHttp }, containers: { alloy } } = route;
  const [hop, started] = [hopOf(kind), Date.now()];
  const deadline = started + timeoutMs;
  const failed = (failure: Cause & { readonly passing: boolean }, at = hop): StoreDelivery => ({ hop, ms: Date.now() - started, failure: { hop: at, ...failure } });
  let before = await countersOf(route, kind);
  while ('unread' in before && Date.now() < deadline) {
    await pause(lookEveryMs);
    before = await countersOf(route, kind);
  }
  // Without them the check's data could not be told from earlier data.
  if ('unread' in before) {
    return failed({ passing: true, cause: `Alloy does not show its counters (${before.unread}), so whether the store takes ${kind.what} is not known`, mend: [logsOf(alloy)] });
  }
  const sent = await reach.ask(`${otlpHttp}${kind.path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(kind.body()) });
  if (sent.status !== 200) {
    return failed({ passing: true, cause: `Alloy takes no ${kind.what}: ${sent.status === 0 ? sent.text : `${sent.status} ${sent.text.trim().slice(0, 300)}`}`, mend: [logsOf(alloy)] }, 'application -> Alloy');
  }
  const end = Date.now() + timeoutMs;
  let lost = before.lost;
  for (;;) {
    const now = await countersOf(route, kind);
    if (!('unread' in now)) {
      if (now.least > before.most) {
        return { hop, ms: Date.now() - started };
      }
      ({ lost } = now);
    }
    if (Date.now() >= end) {
      return failed(await whyNotTaken(route, kind, { since: started, isLost: lost > before.lost }));
    }
    await pause(lookEveryMs);
  }
}

interface Counters {
  readonly most: number;
  readonly least: number;
  readonly lost: number;
}

/** Alloy's counters, or why they cannot be read: without a response each of them would be 0. */
async function countersOf({ reach, endpoints: { alloyUi } }: Route, { component, taken, lost }: Kind): Promise<Counters | { readonly unread: string }> {
  const { status, text } = await reach.ask(`${alloyUi}/metrics`);
  if (status !== 200) {
    return { unread: status === 0 ? text : String(status) };
  }
  const of = (metric: string): number => sumOf(text, metric, `component_id="${component}"`);
  return { ...taken(of), lost: lost(of) };
}

/** @param isLost whether the store has refused something for its content since: only then was it what the check has sent */
async function whyNotTaken(route: Route, used: Used, { since, isLost }: { readonly since: number; readonly isLost: boolean }): Promise<Cause & { readonly passing: boolean }> {
  const { containers: { alloy }, redeploy } = route;
  const { what, gate, container } = used;
  const store = external(used);
  const named = `the store of ${what} (${store === undefined ? `container ${container ?? ''}` : `${store}:url`})`;
  const waiting = '; what Alloy has accepted waits on its disk';
  const log = await logSince(route, gate, since);
  const answers = log.flatMap((line) => {
    const [, upstream, answered] = /refused upstream=(\d{3}) answered=(\d{3}) uri=/.exec(line) ?? [];
    // A response that is passed on unchanged means that the data is lost, unless Alloy retries. It may be somebody else's data.
    return upstream === undefined ? [] : [{ answer: Number(upstream), isContent: upstream === answered && /^4(?!29)/.test(upstream) }];
  }).filter(({ isContent }) => isLost || !isContent);
  const { answer, isContent } = answers.at(-1) ?? { isContent: false };
  const says = `${named} answers ${answer}`;
  const refusal = answer === undefined || store === undefined ? undefined : refusalOf(store, answer);
  if (refusal) {
    return { passing: false, cause: `${says}: ${refusal.means}${waiting}`, mend: [...refusal.mend, redeploy] };
  }
  if (answer === 429) {
    return { passing: true, cause: `${says}: it takes no more for now${waiting}. Set a higher limit for ${what} there`, mend: [logsOf(gate)] };
  }
  if (isContent) {
    return { passing: true, cause: `${says}: it refuses ${what} because of their content, and they are lost`, mend: [logsOf(alloy), logsOf(gate)] };
  }
  const errors = log.flatMap((line) => /\[(?:error|crit|emerg)\] \d+#\d+: (?:\*\d+ )?(.*?)(?:, client: .*)?$/.exec(line)?.[1] ?? []);
  const state = await containerState(route, gate);
  if (errors.length > 0 || !state.startsWith('running')) {
    // A store may be down while a stack is deployed, and its name with it; an untrusted certificate does not fix itself.
    return { passing: /^(running|unknown)/.test(state) && !errors.at(-1)?.includes('SSL'), cause: `${named} cannot be reached: ${errors.at(-1) ?? `container ${gate} is ${state}`}${waiting}`, mend: [store === undefined ? logsOf(container ?? '') : addressCommand(store), logsOf(gate), redeploy] };
  }
  return { passing: true, cause: `${answer === undefined ? `${named} has not taken it yet` : says}${waiting}`, mend: [logsOf(alloy), logsOf(gate)] };
}

/** What an operator should know about the stores although they accept data now. */
export async function storeWarnings(route: Route): Promise<string[]> {
  return (await Promise.all(storesOf(route).map(async (kind) => {
    const counters = await countersOf(route, kind);
    const lost = 'unread' in counters ? 0 : counters.lost;
    const [few, many] = kind.what === 'logs' ? ['log record', 'log records'] : ['sample', 'samples'];
    return lost === 0 ? [] : [`The store of ${kind.what} has refused ${lost} ${lost === 1 ? few : many} because of their content since Alloy was started; they are lost: docker logs ${kind.gate} has its answers.`];
  }))).flat();
}
