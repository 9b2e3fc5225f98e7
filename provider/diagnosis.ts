/**
 * Why a trace does not arrive, from what Alloy, the gates, Phoenix and Docker report.
 */
import { phoenixAway } from '../components/catalog';
import { hostName, shortName } from '../components/names';
import { type AlloyQueue, fillOf, fullIn, queueOf } from './alloy-queue';
import { containerState, inspected, lastExportError, lastGateError, lastRefusal, logSince, logsOf } from './container-report';
import type { Answer } from './reach';
import { type CentralStack, exporterOf, phoenixOf, type Route } from './route';
import { journalStatus, requests } from './warnings';

/** Milliseconds after which a missing span triggers a read of the queue, to know later how fast it grows. */
export const slowMs = 2_000;

/** The size of the queue at a time in milliseconds. */
export interface Look {
  readonly queue: AlloyQueue | undefined;
  readonly at: number;
}

export interface Cause {
  readonly cause: string;
  readonly mend: readonly string[];
}

/** What somebody has done to a container by hand: another deployment finds nothing to change. */
export async function heldUp(route: Route): Promise<Cause | undefined> {
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

export async function whyNotSent(route: Route, { status, text }: Answer, since: number): Promise<Cause> {
  const { reach, inside, endpoints: { otlpHttp, alloyUi }, containers: { alloy, gate }, redeploy } = route;
  if (status === 0) {
    // From inside, the gate makes the request.
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
 * Why a port of this machine is closed though its container is healthy. Docker's proxy of a published port exits when it runs
 * out of open files, and only a start of the container starts it again.
 */
function portClosed({ reach, inside }: Route, text: string, state: string | undefined): string {
  return reach !== inside && text === 'connection refused' && state === 'running, healthy' ? ', and the engine no longer forwards the port to it' : '';
}

export async function whyNotForwarded(route: Route, since: number, early?: Look): Promise<Cause> {
  const { reach, endpoints, central } = route;
  const queue = await queueOf(reach, endpoints.alloyUi, exporterOf(route));
  const left = queue && early?.queue ? fullIn(early.queue, queue, Date.now() - early.at) : undefined;
  const queued = queue && queue.held > 0 ? `${fillOf(queue)}${left ? `, full in ${left} at this rate` : ''}` : undefined;
  const waiting = queued ? `; Alloy keeps what it has accepted on disk (${queued}) and sends it when that is fixed` : '';
  return central ? whyNotThroughTunnel(route, central, since, queued, waiting) : whyNotToPhoenix(route, since, queued, waiting);
}

async function whyNotToPhoenix(route: Route, since: number, queued: string | undefined, waiting: string): Promise<Cause> {
  const { endpoints, containers: { alloy, phoenix = '', gate }, redeploy } = route;
  // An empty body is a valid OTLP request without spans: Phoenix responds as it does to Alloy.
  const probe = await phoenixOf(route)('/v1/traces', { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body: '' });
  const refusal = await lastRefusal(route, since);
  if (refusal === 'closed') {
    return { cause: `the gate in front of Phoenix is closed, because a deployment was interrupted while it replaced Phoenix${waiting}`, mend: [redeploy] };
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
  const { database } = route.containers;
  if (database !== undefined && (await phoenixOf(route)('/readyz')).status === 503) {
    return {
      cause: `Phoenix does not reach its database (phoenix:database): PostgreSQL is away, or does not let it in any more; it keeps what it has accepted in memory and tries again${waiting}`,
      mend: [logsOf(phoenix), ...[route.containers.egress ?? '', database].filter(Boolean).map(logsOf)],
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
      return { cause: `Phoenix's database has reached the limit of phoenix:storage, so it takes no more spans${waiting}`, mend: ['pulumi config get phoenix:storage   # then set more, or phoenix:retentionDays'] };
    }
    const aside = refusal === 500 && route.containers.journal === undefined ? ['pulumi config set phoenix:journal true   # puts aside a request that is refused for 15 minutes while others are accepted'] : [];
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
  return { cause: `Alloy has sent the span, but Phoenix does not show it on ${endpoints.phoenix}`, mend: [logsOf(phoenix), logsOf(alloy)] };
}

/** Why the journal does not accept spans, from its own status and log; undefined if it does. */
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

/** What a response to the gate of an edge stack means. */
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
    return { cause: `${hostname} answers 404: the tunnel of the stack ${stack} has no such route, or not yet${waiting}`, mend: [there('up'), redeploy] };
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
  // Access has let the span pass, so the key is invalid, and a deployment there creates the next one.
  const mend = unread === 401 ? [there('up'), redeploy] : [there('verify'), logsOf(alloy)];
  return { cause: `Alloy has sent the span, but the Phoenix of the stack ${stack} ${how}`, mend };
}

