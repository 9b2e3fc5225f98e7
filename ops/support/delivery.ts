/**
 * Sends one marked span as an application would and reads it back from Phoenix: the only proof that
 * traces arrive. When one does not, says at which hop it stopped and why, from what Alloy, Phoenix and
 * Docker report.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { engineHost, engineMessage, engineRequest } from '../../components/engine';
import { markedTrace } from './otlp';
import type { Outputs } from './outputs';

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

const hopNames = { send: 'application -> Alloy', forward: 'Alloy -> Phoenix', read: 'Phoenix -> reader' } as const;

/** Projects of earlier checks are removed once they are this old: their span may have come late. */
const leftoverAfterMs = 3_600_000;
const projectPrefix = 'verify-';

/** Time between two looks whether the span is there; Phoenix needs about 120 ms to show one. */
const lookEveryMs = 40;

/**
 * @param timeoutMs how long the span may take from Alloy's answer until it can be read
 * @param redeploy command that puts the stack's containers back
 */
export async function checkDelivery(outputs: Outputs, timeoutMs: number, redeploy = 'npm run up'): Promise<Delivery> {
  const { otlpHttp, phoenixUi } = outputs.endpoints;
  // The first request of a process loads Node's HTTP client, which takes longer than any hop: not theirs to be counted.
  await ask(`${outputs.endpoints.alloyUi}/-/ready`);
  const started = Date.now();
  const trace = markedTrace(`${projectPrefix}${started}`);
  const { traceId } = trace;
  const fail = (hop: string, hops: Hop[], { cause, mend }: Cause): Delivery =>
    ({ ok: false, traceId, ms: Date.now() - started, hops, failure: { hop, cause, mend } });

  const sent = await post(`${otlpHttp}/v1/traces`, trace.body);
  const sentMs = Date.now() - started;
  if (sent.status !== 200) {
    return fail(hopNames.send, [], await whyNotSent(outputs, sent, redeploy));
  }
  const hops: Hop[] = [{ name: hopNames.send, ms: sentMs }];

  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await spansOf(phoenixUi, trace.project, traceId);
    const now = Date.now();
    if (found === 1) {
      // The look that found it may have begun before it was there: what reading costs is told by a second one.
      await spansOf(phoenixUi, trace.project, traceId);
      const readMs = Math.min(Date.now() - now, now - started - sentMs);
      hops.push({ name: hopNames.forward, ms: now - started - sentMs - readMs }, { name: hopNames.read, ms: readMs });
      await removeProjects(phoenixUi, trace.project, now - leftoverAfterMs);
      return { ok: true, traceId, ms: now - started, hops };
    }
    if (now > deadline) {
      return fail(hopNames.forward, hops, await whyNotForwarded(outputs, started, redeploy));
    }
    await pause(lookEveryMs);
  }
}

/** An HTTP answer; status 0 when there was none, with the reason as its text. */
interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Cause {
  readonly cause: string;
  readonly mend: readonly string[];
}

async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(10_000), ...init });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const { message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
    return { status: 0, text: cause?.code === 'ECONNREFUSED' ? 'connection refused' : cause?.message || cause?.code || message };
  }
}

function post(url: string, body: object): Promise<Answer> {
  return ask(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

/** Number of spans of a trace in a project; 0 while the project is not there, or nobody answers. */
async function spansOf(phoenixUi: string, project: string, traceId: string): Promise<number> {
  const { status, text } = await ask(`${phoenixUi}/v1/projects/${project}/spans?trace_id=${traceId}`);
  return status === 200 ? dataOf(text).length : 0;
}

/** The list in an answer of Phoenix; empty when something else answers on its port. */
function dataOf<T>(text: string): readonly T[] {
  try {
    const { data } = JSON.parse(text) as { data?: readonly T[] };
    return data ?? [];
  } catch {
    return [];
  }
}

/** Removes the project of this check, and those that earlier checks left because their span came late. */
async function removeProjects(phoenixUi: string, own: string, before: number): Promise<void> {
  const listed = await ask(`${phoenixUi}/v1/projects?limit=1000`);
  const names = listed.status === 200 ? dataOf<{ name: string }>(listed.text).map(({ name }) => name) : [];
  const old = names.filter((name) => new RegExp(`^${projectPrefix}\\d{13}$`).test(name) && Number(name.slice(projectPrefix.length)) < before);
  for (const name of new Set([own, ...old])) {
    await ask(`${phoenixUi}/v1/projects/${name}`, { method: 'DELETE' });
  }
}

async function whyNotSent(outputs: Outputs, { status, text }: Answer, redeploy: string): Promise<Cause> {
  const { otlpHttp } = outputs.endpoints;
  const { alloy } = outputs.containers;
  if (status === 0) {
    const state = await containerState(outputs, alloy);
    return { cause: `Alloy is not listening on ${otlpHttp} (${text}); container ${alloy} is ${state}`, mend: [`docker logs --tail 30 ${alloy}`, redeploy] };
  }
  return { cause: `Alloy answered ${status}: ${text.trim().slice(0, 300)}`, mend: [`docker logs --tail 30 ${alloy}`] };
}

async function whyNotForwarded(outputs: Outputs, since: number, redeploy: string): Promise<Cause> {
  const { phoenixOtlpHttp, phoenixUi } = outputs.endpoints;
  const { alloy, phoenix } = outputs.containers;
  const queued = await queueSize(outputs.endpoints.alloyUi);
  // Without a queue there is nothing to promise: what Phoenix refuses for good, such as with 401, Alloy drops.
  const waiting = queued ? `; Alloy keeps what it has accepted on disk (${requests(queued)} queued) and sends it when that is put right` : '';

  // An empty body is a valid OTLP request without spans: Phoenix answers it as it answers Alloy.
  const probe = await ask(`${phoenixOtlpHttp}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body: '' });
  const complaint = await lastExportError(outputs, since);
  if (probe.status === 0) {
    const state = await containerState(outputs, phoenix);
    return { cause: `Phoenix does not take OTLP on ${phoenixOtlpHttp} (${probe.text}); container ${phoenix} is ${state}${waiting}`, mend: [`docker logs --tail 30 ${phoenix}`, redeploy] };
  }
  if (probe.status >= 400) {
    return { cause: `Phoenix refuses: ${probe.status} ${probe.text.trim().slice(0, 200)}${waiting}`, mend: [`docker logs --tail 30 ${phoenix}`] };
  }
  if (complaint) {
    return { cause: `Alloy reports: ${complaint}${waiting}`, mend: [`docker logs --tail 30 ${alloy}`] };
  }
  if (queued) {
    return { cause: `Phoenix is slower than what comes in: Alloy's queue on disk holds ${requests(queued)}`, mend: [`docker stats --no-stream ${phoenix}`] };
  }
  return {
    cause: `Alloy has handed the span over and Phoenix does not show it on ${phoenixUi}`,
    mend: [`docker logs --tail 30 ${phoenix}`, `docker logs --tail 30 ${alloy}`],
  };
}

/** "running", "exited with 137", "not there", or why it cannot be told. */
async function containerState(outputs: Outputs, name: string): Promise<string> {
  const host = engineHost(outputs.dockerHost ?? undefined);
  try {
    const { status, body } = await engineRequest(host, 'GET', `/containers/${name}/json`, { timeoutMs: 10_000 });
    if (status === 404) {
      return 'not there';
    }
    if (status >= 400) {
      return `unknown: the Docker Engine answers ${engineMessage({ status, body })}`;
    }
    const { State } = JSON.parse(body.toString()) as { State: { Status: string; ExitCode: number; Health?: { Status: string } } };
    return State.Status === 'exited' ? `exited with ${State.ExitCode}` : [State.Status, State.Health?.Status].filter(Boolean).join(', ');
  } catch (error) {
    return `unknown: the Docker Engine does not answer (${(error as Error).message})`;
  }
}

/** Alloy's exporter of traces; one to another backend has its own queue and its own troubles. */
const exporter = 'component_id="otelcol.exporter.otlphttp.phoenix"';

const requests = (count: number): string => (count === 1 ? '1 request' : `${count} requests`);

/**
 * Requests in the queue to Phoenix, from Alloy's own metrics; undefined when they cannot be read.
 * An exporter has a queue for each signal, and only the one of traces leads anywhere.
 */
async function queueSize(alloyUi: string): Promise<number | undefined> {
  const { status, text } = await ask(`${alloyUi}/metrics`);
  const line = text.split('\n').find((one) => one.startsWith('otelcol_exporter_queue_size{') && one.includes(exporter) && one.includes('data_type="traces"'));
  return status === 200 && line ? Number(line.slice(line.lastIndexOf(' '))) : undefined;
}

/** The newest error of the exporter to Phoenix in Alloy's log since a time in milliseconds, or undefined. */
async function lastExportError(outputs: Outputs, since: number): Promise<string | undefined> {
  const host = engineHost(outputs.dockerHost ?? undefined);
  const query = `stdout=1&stderr=1&tail=500&since=${Math.floor(since / 1000)}`;
  const log = await engineRequest(host, 'GET', `/containers/${outputs.containers.alloy}/logs?${query}`, { timeoutMs: 10_000 }).catch(() => undefined);
  const lines = (log?.body.toString() ?? '').split('\n').filter((line) => line.includes(exporter.replaceAll('"', '')) && /level=(warn|error|info).*error=/.test(line));
  return /error="?(.*?)"?(?: rejected_items| dropped_items| interval|$)/.exec(lines.at(-1) ?? '')?.[1]?.replaceAll('\\"', '"');
}
