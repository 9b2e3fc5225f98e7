/**
 * Sends one marked span as an application would and reads it back from Phoenix: the only proof that
 * traces arrive. When one does not, says at which hop it stopped and why, from what Alloy, Phoenix and
 * Docker report.
 */
import { checkProject } from '../components/catalog';
import { queueOf } from './alloy-queue';
import { pause } from './cancellation';
import { type Cause, heldUp, type Look, slowMs, whyNotForwarded, whyNotSent } from './diagnosis';
import { markedTrace } from './otlp';
import { dataOf, exporterOf, type Phoenix, phoenixOf, type Route } from './route';

export interface Hop {
  readonly name: string;
  readonly ms: number;
}

export interface Delivery {
  readonly ok: boolean;
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** From the first byte sent to the answer that held the span. */
  readonly ms: number;
  /** The hops that were made, in order. */
  readonly hops: readonly Hop[];
  /** Set when `ok` is false. */
  readonly failure?: { readonly hop: string; readonly cause: string; readonly mend: readonly string[] };
}

const hopNames = ({ central }: Route) =>
  ({ send: 'application -> Alloy', forward: `Alloy -> ${central ? `${central.stack}'s ` : ''}Phoenix`, read: 'Phoenix -> reader' }) as const;

/** Projects of earlier checks are removed once they are this old: their span may have arrived late. */
const leftoverAfterMs = 3_600_000;
const projectPrefix = 'verify-';

/** Interval between checks for the span; Phoenix needs about 120 ms to show one, and a tunnel is shared. */
const lookEveryMs = { here: 40, throughTunnel: 250 };

/**
 * @param timeoutMs how long the span may take from Alloy's response until it can be read
 * @param longestMs how long it may take while Phoenix keeps storing others: after an outage under load thousands are queued
 * before it. Default: no longer than that.
 */
export async function checkDelivery(route: Route, timeoutMs: number, longestMs = timeoutMs): Promise<Delivery> {
  const { reach, endpoints } = route;
  const names = hopNames(route);
  const phoenix = phoenixOf(route);
  // The first request of a process loads Node's HTTP client, which takes longer than any hop and is not counted as theirs.
  await reach.ask(`${endpoints.alloyUi}/-/ready`);
  const started = Date.now();
  const trace = markedTrace(`${projectPrefix}${started}`);
  const { traceId } = trace;
  const fail = (hop: string, hops: Hop[], { cause, mend }: Cause): Delivery =>
    ({ ok: false, traceId, ms: Date.now() - started, hops, failure: { hop, cause, mend } });

  const sent = await reach.ask(`${endpoints.otlpHttp}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(trace.body),
  });
  const sentMs = Date.now() - started;
  if (sent.status !== 200) {
    return fail(names.send, [], (await heldUp(route)) ?? (await whyNotSent(route, sent, started)));
  }
  const hops: Hop[] = [{ name: names.send, ms: sentMs }];

  let early: Look | undefined;
  let deadline = Date.now() + timeoutMs;
  const end = Date.now() + longestMs;
  let stored = longestMs > timeoutMs ? await insertions(route) : undefined;
  for (;;) {
    const found = await spansOf(phoenix, trace.project, traceId);
    const now = Date.now();
    if (found === 1) {
      // The read that found it may have begun before it was there: a second read measures what reading costs.
      await spansOf(phoenix, trace.project, traceId);
      const readMs = Math.min(Date.now() - now, now - started - sentMs);
      hops.push({ name: names.forward, ms: now - started - sentMs - readMs }, { name: names.read, ms: readMs });
      await removeProjects(phoenix, trace.project, now - leftoverAfterMs);
      return { ok: true, traceId, ms: now - started, hops };
    }
    if (now > deadline && now < end) {
      const before = stored;
      stored = await insertions(route);
      deadline = stored !== before && stored !== undefined ? now + timeoutMs : deadline;
    }
    if (now > deadline) {
      return fail(names.forward, hops, (await heldUp(route)) ?? (await whyNotForwarded(route, started, early)));
    }
    if (early === undefined && now - started > slowMs) {
      early = { queue: await queueOf(reach, endpoints.alloyUi, exporterOf(route)), at: now };
    }
    await pause(route.central ? lookEveryMs.throughTunnel : lookEveryMs.here);
  }
}

/** How often Phoenix has stored something since its start; undefined if it does not report it. */
async function insertions({ inside, metrics }: Route): Promise<number | undefined> {
  if (metrics === undefined) {
    return undefined;
  }
  const { status, text } = await inside.ask(metrics);
  const count = /^phoenix_bulk_loader_span_insertion_time_seconds_count (\S+)$/m.exec(text)?.[1];
  return status === 200 && count !== undefined ? Number(count) : undefined;
}

/** Number of spans of a trace in a project; 0 if the project does not exist, or nobody responds. */
async function spansOf(phoenix: Phoenix, project: string, traceId: string): Promise<number> {
  const { status, text } = await phoenix(`/v1/projects/${project}/spans?trace_id=${traceId}`);
  return status === 200 ? dataOf(text).length : 0;
}

/** Removes the project of this check, and those that earlier checks left because their span arrived late. */
async function removeProjects(phoenix: Phoenix, own: string, before: number): Promise<void> {
  const listed = await phoenix('/v1/projects?limit=1000');
  const names = listed.status === 200 ? dataOf<{ name: string }>(listed.text).map(({ name }) => name) : [];
  const old = names.filter((name) => new RegExp(`^${checkProject}$`).test(name) && Number(name.slice(projectPrefix.length)) < before);
  for (const name of new Set([own, ...old])) {
    await phoenix(`/v1/projects/${name}`, { method: 'DELETE' });
  }
}

