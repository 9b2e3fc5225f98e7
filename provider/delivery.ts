/**
 * Sends one marked span as an application would and reads it back from Phoenix: the only proof that
 * traces arrive. When one does not, says at which hop it stopped and why, from what Alloy, Phoenix and
 * Docker report.
 */
import { aliases, beyondLimit, checkProject, phoenixAway, ports, storagePercent, gateAside, otlpSignals, sendAgainFile } from '../components/catalog';
import { hostName, shortName } from '../components/names';
import { engineMessage, engineRequest, type Engine } from '../engine';
import { fillOf, fullIn, queueOf, type AlloyQueue } from './alloy-queue';
import { pause } from './cancellation';
import { valueIn } from './metrics';
import { markedTrace } from './otlp';
import type { Answer, Question, Reach } from './reach';

/** What a span passes through, and how to look at each part. */
export interface Route {
  /** From where the endpoints are asked. */
  readonly reach: Reach;
  /** Docker Engine of the stack. */
  readonly engine: Engine;
  /** From inside the private network. */
  readonly inside: Reach;
  /** Base URLs, as seen from `reach`. */
  readonly endpoints: { readonly otlpHttp: string; readonly alloyUi: string; readonly phoenix: string };
  /** Headers with which Phoenix is asked, credentials among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Command that puts the stack's containers back. */
  readonly redeploy: string;
  /** Names on the Docker host; Phoenix where it is in this stack. */
  readonly containers: { readonly alloy: string; readonly gate: string; readonly phoenix?: string; readonly journal?: string; readonly egress?: string; readonly prometheusGate?: string; readonly lokiGate?: string };
  /** URL of Phoenix's metrics, as seen from `inside`; none where it is in another stack. */
  readonly metrics?: string;
  /** The stack that Phoenix is in, where it is not this one. */
  readonly central?: CentralStack;
}

/** A stack behind a tunnel, and how this one gets in. */
export interface CentralStack {
  readonly stack: string;
  readonly hostname: string;
  readonly sendTo: 'alloy' | 'phoenix';
  /** Name of the service token. */
  readonly token: string;
}

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

/** Projects of earlier checks are removed once they are this old: their span may have come late. */
const leftoverAfterMs = 3_600_000;
const projectPrefix = 'verify-';

/** Time between two looks whether the span is there; Phoenix needs about 120 ms to show one, and a tunnel is shared. */
const lookEveryMs = { here: 40, throughTunnel: 250 };

/**
 * @param timeoutMs how long the span may take from Alloy's answer until it can be read
 * @param longestMs how long it may take while Phoenix goes on storing others: after an outage under load thousands
 * stand in line before it. Default: no longer than that.
 */
export async function checkDelivery(route: Route, timeoutMs: number, longestMs = timeoutMs): Promise<Delivery> {
  const { reach, endpoints } = route;
  const names = hopNames(route);
  const phoenix = phoenixOf(route);
  // The first request of a process loads Node's HTTP client, which takes longer than any hop: not theirs to be counted.
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
      // The look that found it may have begun before it was there: what reading costs is told by a second one.
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

/** Milliseconds after which a span that is not there yet is worth a look at the queue, to know later how fast that grows. */
const slowMs = 2_000;

/** What the queue held at a time in milliseconds. */
interface Look {
  readonly queue: AlloyQueue | undefined;
  readonly at: number;
}

export interface Cause {
  readonly cause: string;
  readonly mend: readonly string[];
}

type Phoenix = (path: string, question?: Question) => Promise<Answer>;

/** Phoenix's API, with the credentials it asks for. */
function phoenixOf({ reach, endpoints, headers }: Route): Phoenix {
  return (path, question = {}) => reach.ask(`${endpoints.phoenix}${path}`, { ...question, headers: { ...question.headers, ...headers } });
}

/** How often Phoenix has stored something since it was started; undefined when it does not say. */
async function insertions({ inside, metrics }: Route): Promise<number | undefined> {
  if (metrics === undefined) {
    return undefined;
  }
  const { status, text } = await inside.ask(metrics);
  const count = /^phoenix_bulk_loader_span_insertion_time_seconds_count (\S+)$/m.exec(text)?.[1];
  return status === 200 && count !== undefined ? Number(count) : undefined;
}

/** Number of spans of a trace in a project; 0 while the project is not there, or nobody answers. */
async function spansOf(phoenix: Phoenix, project: string, traceId: string): Promise<number> {
  const { status, text } = await phoenix(`/v1/projects/${project}/spans?trace_id=${traceId}`);
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
async function removeProjects(phoenix: Phoenix, own: string, before: number): Promise<void> {
  const listed = await phoenix('/v1/projects?limit=1000');
  const names = listed.status === 200 ? dataOf<{ name: string }>(listed.text).map(({ name }) => name) : [];
  const old = names.filter((name) => new RegExp(`^${checkProject}$`).test(name) && Number(name.slice(projectPrefix.length)) < before);
  for (const name of new Set([own, ...old])) {
    await phoenix(`/v1/projects/${name}`, { method: 'DELETE' });
  }
}

/** What somebody has done to a container by hand: another deployment finds nothing to change. */
async function heldUp(route: Route): Promise<Cause | undefined> {
  const { containers: { alloy, gate, phoenix, journal }, redeploy } = route;
  const network = hostName('observability', alloy.slice(hostName('alloy', '').length + 1));
  const store = hostName(network, 'store');
  const places: readonly (readonly [string | undefined, readonly string[]])[] = [
    [alloy, [network]], [gate, phoenix === undefined ? [network] : [network, store]], [journal, [store]], [phoenix, [store]],
  ];
  for (const [name, networks] of places) {
    const { State, NetworkSettings } = (name && (await inspected(route, name).catch(() => undefined))) || {};
    if (State?.Status === 'paused') {
      return { cause: `container ${name} is paused`, mend: [`docker unpause ${name}`] };
    }
    const missing = networks.find((one) => NetworkSettings?.Networks && !(one in NetworkSettings.Networks));
    if (State?.Status === 'running' && missing !== undefined) {
      return { cause: `container ${name} is no longer on the network ${missing}`, mend: [`docker stop ${name} && docker rm ${name} && ${redeploy}`] };
    }
  }
  return undefined;
}

async function whyNotSent(route: Route, { status, text }: Answer, since: number): Promise<Cause> {
  const { reach, inside, endpoints: { otlpHttp, alloyUi }, containers: { alloy, gate }, redeploy } = route;
  if (status === 0) {
    // From inside it is the gate that asks.
    const [state, asking] = await Promise.all([containerState(route, alloy), reach === inside ? containerState(route, gate) : 'running']);
    const mute = /^(running|unknown)/.test(asking) ? '' : `, container ${gate}, which asks it, is ${asking}`;
    const closed = portClosed(route, text, state);
    return { cause: `Alloy is not listening on ${otlpHttp} (${text}); container ${alloy} is ${state}${mute}${closed}`, mend: closed ? [`docker restart ${alloy}`] : [logsOf(alloy), redeploy] };
  }
  // Alloy's own words (exporterhelper's ErrQueueIsFull, memorylimiter's ErrDataRefused).
  if (status === 503 && text.includes('sending queue is full')) {
    const queue = await queueOf(reach, alloyUi, exporterOf(route));
    const { cause, mend } = await whyNotForwarded(route, since);
    return { cause: `Alloy's queue on disk is full${queue ? ` (${fillOf(queue)})` : ''}, so senders are told to try again later; ${cause}`, mend: [...mend, ...(queue ? [`pulumi config set alloy:queue ${Math.ceil((2 * queue.capacity) / 2 ** 30)}GiB`] : [])] };
  }
  if (status === 503 && text.includes('memory')) {
    return { cause: `Alloy is short of memory and tells senders to try again: ${text.trim().slice(0, 300)}`, mend: [`docker stats --no-stream ${alloy}`, 'pulumi config get alloy:memory   # then set twice as much'] };
  }
  return { cause: `Alloy answered ${status}: ${text.trim().slice(0, 300)}`, mend: [`docker logs --tail 30 ${alloy}`] };
}

/**
 * What closes a port of this machine though the container behind it is well. Docker's proxy of a published port ends when it
 * runs out of open files, and nothing but a start of the container starts it again.
 */
function portClosed({ reach, inside }: Route, text: string, state: string | undefined): string {
  return reach !== inside && text === 'connection refused' && state === 'running, healthy' ? ', and the engine does not forward the port to it any more' : '';
}

async function whyNotForwarded(route: Route, since: number, early?: Look): Promise<Cause> {
  const { reach, endpoints, central } = route;
  const queue = await queueOf(reach, endpoints.alloyUi, exporterOf(route));
  const left = queue && early?.queue ? fullIn(early.queue, queue, Date.now() - early.at) : undefined;
  const queued = queue && queue.held > 0 ? `${fillOf(queue)}${left ? `, full in ${left} at this rate` : ''}` : undefined;
  const waiting = queued ? `; Alloy keeps what it has accepted on disk (${queued}) and sends it when that is put right` : '';
  return central ? whyNotThroughTunnel(route, central, since, queued, waiting) : whyNotToPhoenix(route, since, queued, waiting);
}

export const logsOf = (container: string): string => `docker logs --tail 30 ${container}`;

async function whyNotToPhoenix(route: Route, since: number, queued: string | undefined, waiting: string): Promise<Cause> {
  const { endpoints, containers: { alloy, phoenix = '', gate }, redeploy } = route;
  // An empty body is a valid OTLP request without spans: Phoenix answers it as it answers Alloy.
  const probe = await phoenixOf(route)('/v1/traces', { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body: '' });
  const refusal = await lastRefusal(route, since);
  if (refusal === 'closed') {
    return { cause: `the gate in front of Phoenix is closed, because a deployment was cut off while it replaced Phoenix${waiting}`, mend: [redeploy] };
  }
  const gateSays = probe.status === 503 && probe.text.includes(phoenixAway);
  if (probe.status === 0 || gateSays) {
    const found = await Promise.all([phoenix, gate].map(async (name) => ({ name, state: await containerState(route, name) })));
    const states = found.map(({ name, state }) => `container ${name} is ${state}`).join(', ');
    const ailing = found.filter(({ state }) => !/^(running(, healthy)?|not there)$/.test(state)).map(({ name }) => name);
    const closed = portClosed(route, probe.text, found[1]?.state);
    return {
      cause: `Phoenix does not take OTLP on ${endpoints.phoenix} (${gateSays ? 'the gate does not reach it' : probe.text}); ${states}${closed}${waiting}`,
      mend: closed ? [`docker restart ${gate}`] : [...(ailing.length > 0 ? ailing : [phoenix]).map(logsOf), redeploy],
    };
  }
  if (probe.status >= 400) {
    return { cause: `Phoenix refuses: ${probe.status} ${probe.text.trim().slice(0, 200)}${waiting}`, mend: [logsOf(phoenix)] };
  }
  const journal = await journalTrouble(route, since);
  if (journal) {
    return { cause: `${journal}${waiting}`, mend: [logsOf(route.containers.journal ?? ''), logsOf(phoenix), redeploy] };
  }
  if (refusal === 401 || refusal === 403) {
    return { cause: `Phoenix does not take Alloy's API key: it answers ${refusal}${waiting}`, mend: [redeploy] };
  }
  if (refusal !== undefined) {
    if (refusal === 507) {
      return { cause: `Phoenix's database is as large as phoenix:storage lets it be, so it takes no more spans${waiting}`, mend: ['pulumi config get phoenix:storage   # then set more, or phoenix:retentionDays'] };
    }
    const aside = refusal === 500 && route.containers.journal === undefined ? ['pulumi config set phoenix:journal true   # puts a request aside that is refused for 15 minutes while others are accepted'] : [];
    return { cause: `Phoenix refuses what Alloy sends: ${refusal}${waiting}`, mend: [logsOf(gate), logsOf(phoenix), ...aside] };
  }
  const complaint = await lastExportError(route, since, 'phoenix');
  if (complaint) {
    const state = await containerState(route, gate);
    return { cause: `Alloy reports: ${complaint}; container ${gate} is ${state}${waiting}`, mend: [logsOf(alloy), redeploy] };
  }
  if (queued) {
    return { cause: `Phoenix is slower than what comes in: Alloy's queue on disk holds ${queued}`, mend: [`docker stats --no-stream ${phoenix}`] };
  }
  return { cause: `Alloy has handed the span over and Phoenix does not show it on ${endpoints.phoenix}`, mend: [logsOf(phoenix), logsOf(alloy)] };
}

/** What the journal says of itself, as seen from `inside`. */
const journalStatus = `http://${aliases.journal}:${ports.journal.otlpHttp}/status`;

/** What keeps the journal from taking spans, from its own status and log; undefined where nothing does. */
async function journalTrouble(route: Route, since: number): Promise<string | undefined> {
  const { inside, containers: { journal } } = route;
  if (journal === undefined) {
    return undefined;
  }
  const { status, text } = await inside.ask(journalStatus);
  if (status !== 200) {
    return `the journal in front of Phoenix does not answer (${text}); container ${journal} is ${await containerState(route, journal)}`;
  }
  const { full, waiting, kept, limit } = JSON.parse(text) as { full: boolean; waiting: number; kept: number; limit: number };
  const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;
  if (full) {
    return `the journal in front of Phoenix is full: it keeps ${mebibytes(kept)} of ${mebibytes(limit)}, and ${requests(waiting)} in it ${waiting === 1 ? 'is' : 'are'} not known to be stored`;
  }
  const complaint = (await logSince(route, journal, since)).flatMap((line) => /\b503: (The journal .*)$/.exec(line)?.[1] ?? []).at(-1);
  return complaint?.replace(/^The/, 'the').replace(/\.$/, '');
}

/** What whoever operates a stack should know of its journal although spans arrive. */
export async function journalWarnings({ inside, containers: { journal } }: Route): Promise<string[]> {
  if (journal === undefined) {
    return [];
  }
  const { status, text } = await inside.ask(journalStatus);
  if (status !== 200) {
    return [`The journal in front of Phoenix does not say how it is (${text}): ${logsOf(journal)}`];
  }
  const { aside } = JSON.parse(text) as { aside: number };
  const [it, holds] = aside === 1 ? ['it', 'it holds'] : ['them', 'they hold'];
  return aside === 0 ? [] : [
    `Phoenix refuses ${requests(aside)} for what ${holds}, and the journal has put ${it} aside: docker exec ${journal} ls -l /journal/aside lists ${it}, docker kill --signal HUP ${journal} has ${it} sent again.`,
  ];
}

/** The same of the gate of a stack at the edge. */
export async function asideWarnings({ inside, central, containers: { gate } }: Route): Promise<string[]> {
  if (central === undefined) {
    return [];
  }
  const listed = await Promise.all(otlpSignals.map((signal) => inside.ask(`http://127.0.0.1:${ports.gate.health}${gateAside}/${signal}/`)));
  // A gate of an older version has no such folder.
  const aside = listed.reduce((sum, { status, text }) => sum + (status === 200 ? (JSON.parse(text) as unknown[]).length : 0), 0);
  const it = aside === 1 ? 'it' : 'them';
  return aside === 0 ? [] : [
    `${central.hostname} refuses ${requests(aside)} for what ${aside === 1 ? 'it holds' : 'they hold'}, and the gate has put ${it} aside: docker exec ${gate} ls -lR ${gateAside} lists ${it}, docker exec ${gate} bash ${sendAgainFile} has ${it} sent again.`,
  ];
}

/** The same of what Phoenix connects to servers by, where there are some that it may reach. */
export async function egressWarnings(route: Route): Promise<string[]> {
  const { containers: { egress }, redeploy } = route;
  const state = egress === undefined ? 'running' : await containerState(route, egress);
  return /^running(, (healthy|starting))?$/.test(state) ? [] : [`Phoenix reaches none of its servers (phoenix:egress, login, mail): container ${egress} is ${state}: docker logs --tail 30 ${egress}; ${redeploy}`];
}

/** The same of the database of Phoenix, where it has a bound. */
export async function storageWarnings({ inside, metrics }: Route): Promise<string[]> {
  const { text } = metrics === undefined ? { text: '' } : await inside.ask(metrics);
  const used = Math.floor(100 * valueIn(text, 'database_disk_usage_ratio'));
  return used < storagePercent.warned ? [] : [`Phoenix's database has used ${used} % of phoenix:storage; from ${storagePercent.blocked} % on spans wait in Alloy's queue. A larger phoenix:storage, or phoenix:retentionDays, makes room.`];
}

/**
 * The same of the projects in Phoenix: whether senders name too many, and, while Phoenix is behind, which one it is busy with.
 * @param betweenMs milliseconds between two looks at what it stores
 */
export async function projectWarnings({ inside, metrics }: Route, betweenMs = 5_000): Promise<string[]> {
  const look = async (): Promise<string> => (metrics === undefined ? '' : (await inside.ask(metrics)).text);
  const before = await look();
  const elsewhere = valueIn(before, 'observability_spans_elsewhere_total');
  const warnings = elsewhere === 0 ? [] : [
    `Senders name more projects than phoenix:projects allows: ${elsewhere} span${elsewhere === 1 ? '' : 's'} of others went to the project ${beyondLimit} since Phoenix was started. Delete projects, or set a larger phoenix:projects.`,
  ];
  if (valueIn(before, 'phoenix_span_queue_size') < behind) {
    return warnings;
  }
  await pause(betweenMs);
  const counted = storedByProject(before);
  const grown = [...storedByProject(await look())].map(([project, count]) => [project, count - (counted.get(project) ?? 0)] as const);
  const [project, most] = grown.reduce((largest, one) => (one[1] > largest[1] ? one : largest), ['', 0] as const);
  const share = most / grown.reduce((sum, [, count]) => sum + count, 0);
  return share > 0.5 ? [...warnings, `Phoenix is behind, and ${Math.floor(100 * share)} % of what it stores now is of the project ${project}: the spans of others wait with them.`] : warnings;
}

/** Spans in Phoenix's memory from which on it is behind: more than it stores in one transaction. */
const behind = 200;

const storedByProject = (text: string): Map<string, number> =>
  new Map([...text.matchAll(/^observability_spans_total\{project="((?:[^"\\]|\\.)*)"\} (\S+)$/gm)].map(([, project = '', count]) => [project, Number(count)]));

/** What an answer means that the gate at the edge was given. */
async function whyNotThroughTunnel(route: Route, central: CentralStack, since: number, queued: string | undefined, waiting: string): Promise<Cause> {
  const { containers: { alloy, gate }, redeploy } = route;
  const { stack, hostname, sendTo, token } = central;
  const there = (command: string, ...args: string[]): string => `npm run ${command} -- ${['--stack', shortName(stack), ...args].join(' ')}`;
  const refusal = await lastRefusal(route, since);
  if (refusal === 401 || refusal === 403 || (typeof refusal === 'number' && refusal >= 300 && refusal < 400)) {
    const how = refusal < 400 ? `a redirect to a login page (${refusal})` : String(refusal);
    return {
      cause: `${hostname} answers ${how}: Cloudflare Access does not take the service token ${token} of the stack ${stack}${sendTo === 'phoenix' ? ', or Phoenix not the API key' : ''}${waiting}`,
      mend: [there('up', '--rotate', `token:${token}`), redeploy],
    };
  }
  if (refusal === 530) {
    return { cause: `${hostname} answers 530: no connector of the stack ${stack} holds its tunnel open${waiting}`, mend: [there('up')] };
  }
  if (refusal === 404) {
    return { cause: `${hostname} answers 404: the tunnel of the stack ${stack} has no such route, or has it in a moment${waiting}`, mend: [there('up'), redeploy] };
  }
  const unreachable = await lastGateError(route, since);
  if (typeof refusal === 'number' && !unreachable) {
    return { cause: `${hostname} answers ${refusal}${waiting}`, mend: [there('verify'), logsOf(gate)] };
  }
  const complaint = unreachable ?? (await lastExportError(route, since, 'central'));
  if (complaint) {
    const state = await containerState(route, gate);
    return { cause: `${hostname} cannot be reached: ${complaint}; container ${gate} is ${state}${waiting}`, mend: [logsOf(gate), redeploy] };
  }
  if (queued) {
    return { cause: `the stack ${stack} is slower than what comes in: Alloy's queue on disk holds ${queued}`, mend: [there('verify')] };
  }
  // Until the span is there Phoenix knows no such project.
  const unread = await lastRefusal(route, since, 'projects');
  const how = typeof unread === 'number' && unread !== 404 ? `cannot be asked for it: ${hostname} answers ${unread}` : 'does not show it';
  // Access has let the span pass, so it is the key, and a deployment there mints the next one.
  const mend = unread === 401 ? [there('up'), redeploy] : [there('verify'), logsOf(alloy)];
  return { cause: `Alloy has handed the span over and the Phoenix of the stack ${stack} ${how}`, mend };
}

/** "running", "exited with 137", "not there", or why it cannot be told. */
export async function containerState(route: Route, name: string): Promise<string> {
  try {
    const found = await inspected(route, name);
    if (found === undefined) {
      return 'not there';
    }
    const { State } = found;
    return State.Status === 'exited' ? `exited with ${State.ExitCode}` : [State.Status, State.Health?.Status].filter(Boolean).join(', ');
  } catch (error) {
    return `unknown: ${(error as Error).message}`;
  }
}

interface Inspected {
  readonly State: { readonly Status: string; readonly ExitCode: number; readonly Health?: { readonly Status: string } };
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, unknown>> };
}

/** A container as the engine sees it; undefined when it is not there. Rejects when the engine does not say. */
async function inspected({ engine }: Route, name: string): Promise<Inspected | undefined> {
  const { status, body } = await engineRequest(engine, 'GET', `/containers/${name}/json`, { timeoutMs: 10_000 }).catch((error: unknown) => {
    throw new Error(`the Docker Engine does not answer (${(error as Error).message})`);
  });
  if (status >= 400 && status !== 404) {
    throw new Error(`the Docker Engine answers ${engineMessage({ status, body })}`);
  }
  return status === 404 ? undefined : (JSON.parse(body.toString()) as Inspected);
}

/** Alloy's exporter of traces; one to another backend has its own queue and its own troubles. */
type Exporter = 'phoenix' | 'central';
const componentOf = (exporter: Exporter): string => `otelcol.exporter.otlphttp.${exporter}`;

const requests = (count: number): string => (count === 1 ? '1 request' : `${count} requests`);

/** The one that takes traces on their way. */
export const exporterOf = ({ central }: Pick<Route, 'central'>): string => componentOf(central ? 'central' : 'phoenix');

/** Lines of a container's log since a time in milliseconds; none when the engine does not say. */
export async function logSince({ engine }: Route, container: string, since: number): Promise<readonly string[]> {
  const query = `stdout=1&stderr=1&tail=500&since=${Math.floor(since / 1000)}`;
  const log = await engineRequest(engine, 'GET', `/containers/${container}/logs?${query}`, { timeoutMs: 10_000 }).catch(() => undefined);
  return log?.status === 200 ? log.body.toString().split('\n') : [];
}

/** What the backend last answered to the gate that was no success, or that it was not asked; undefined when the gate has refused nothing since. */
async function lastRefusal(route: Route, since: number, paths = 'traces|metrics|logs'): Promise<number | 'closed' | undefined> {
  // Without an upstream only a closed gate answers 503; the rest is about senders that hung up, and names that are not known.
  const refused = new RegExp(`refused upstream=(\\d{3}|-(?= answered=503)) answered=\\d{3} uri=/v1/(?:${paths})(?:[/?]|$)`);
  const refusals = (await logSince(route, route.containers.gate, since)).flatMap((line) => refused.exec(line)?.[1] ?? []);
  const last = refusals.at(-1);
  return last === '-' ? 'closed' : last === undefined ? undefined : Number(last);
}

/** What nginx last complained of since a time in milliseconds: a name that is not known, a certificate, a connection. */
async function lastGateError(route: Route, since: number): Promise<string | undefined> {
  // nginx complains, too, when an empty request is refused as the one before it was.
  const errors = (await logSince(route, route.containers.gate, since)).flatMap((line) => /\[(?:error|crit)\] \d+#\d+: (?!\*\d+ auth request )(?:\*\d+ )?(.*?)(?:, client: .*)?$/.exec(line)?.[1] ?? []);
  return errors.at(-1);
}

/** The newest error of an exporter in Alloy's log since a time in milliseconds, or undefined. */
async function lastExportError(route: Route, since: number, exporter: Exporter): Promise<string | undefined> {
  const lines = (await logSince(route, route.containers.alloy, since)).filter((line) => line.includes(`component_id=${componentOf(exporter)}`) && /level=(warn|error|info).*error=/.test(line));
  return /error="?(.*?)"?(?: rejected_items| dropped_items| interval|$)/.exec(lines.at(-1) ?? '')?.[1]?.replaceAll('\\"', '"');
}
