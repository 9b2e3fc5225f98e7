import { setTimeout as sleep } from 'node:timers/promises';
import type { PhoenixReadyInputs } from '../components/observability-contract';
import type { Problem } from '../settings/problem';
import { engineMessage, engineRequest } from '../engine';
import { cancelled } from './cancellation';
import { logOf, StartLog, type Said } from './phoenix-start';
import { tell } from './progress';
import { recordedEngine } from './recorded-engine';
import type { Kind } from './resource';

/** A container: the fields of `GET /containers/…/json` that are read. */
export interface Inspected {
  readonly RestartCount: number;
  readonly State: {
    /** 'created', 'running', 'paused', 'restarting', 'removing', 'exited' or 'dead'. */
    readonly Status: string;
    readonly ExitCode: number;
    readonly OOMKilled?: boolean;
    readonly StartedAt: string;
    /** 'starting', 'healthy' or 'unhealthy'; omitted without a health check. */
    readonly Health?: { readonly Status: string } | null;
  };
}

/** A container on its engine. */
export interface Watched {
  /** Its state; undefined if it does not exist. */
  look(): Promise<Inspected | undefined>;
  /** Its log since then, or its last lines. */
  said(since: string, tail?: number): Promise<Said>;
}

export interface Pace {
  readonly lookMs: number;
  /** Between two lines about its progress. */
  readonly tellMs: number;
  /** Without a log line or a response, after which the wait is given up. */
  readonly silenceMs: number;
}

/** A single statement on a large table says nothing until it is done. */
const usual: Pace = { lookMs: 1000, tellMs: 15_000, silenceMs: 30 * 60_000 };

/** Restarts during the wait after which another one will not help. */
const restarts = 2;
/** Consecutive requests that the engine may leave unanswered, while it restarts itself. */
const unanswered = 60;

/**
 * Phoenix, ready. The duration of its migrations depends on the size of the database, so only Phoenix knows when it is ready:
 * the wait lasts as long as its container runs and makes progress. However the wait ends, the container is left as it is.
 */
export const phoenixReady = (
  at: (inputs: Pick<PhoenixReadyInputs, 'engine'>, container: string) => Watched = throughEngine,
  say: (line: string) => void = tell,
  pace: Pace = usual,
  signal: AbortSignal = cancelled,
): Kind<PhoenixReadyInputs, PhoenixReadyInputs> => {
  const ready = async (inputs: PhoenixReadyInputs): Promise<PhoenixReadyInputs> => {
    await untilReady(at(inputs, inputs.server), inputs, say, pace, signal);
    return inputs;
  };
  return {
    // The container's ID is not known before the deployment: a new one will replace the existing one.
    planned: (inputs) => (typeof inputs.engine === 'object' && typeof inputs.container === 'string' ? cutOff(at(inputs, inputs.container), inputs) : Promise.resolve([])),
    create: ready,
    update: (_, inputs) => ready(inputs),
  };
};

/**
 * Waits for a container to become healthy.
 * @param signal ends the wait, and nothing else
 * @throws Error with its last lines and what to do, if it exits, is removed, restarts repeatedly or makes no progress
 */
export async function untilReady(watched: Watched, inputs: Pick<PhoenixReadyInputs, 'container' | 'redeploy'>, say: (line: string) => void, pace: Pace, signal?: AbortSignal): Promise<void> {
  const { container, redeploy } = inputs;
  const log = new StartLog();
  let since = '0';
  let before: number | undefined;
  let ended: string | undefined;
  let silent = 0;
  let moved = Date.now();
  let told = Date.now();
  for (;;) {
    if (signal?.aborted) {
      throw new Error(`the wait for Phoenix was interrupted; its container ${container} continues to start.\n    ${redeploy}   # wait for it again`);
    }
    const now = await watched.look().catch((error: Error) => {
      silent += 1;
      if (silent > unanswered) {
        throw error;
      }
      return 'no answer' as const;
    });
    if (now === undefined) {
      throw new Error(`container ${container} no longer exists: it was removed while Phoenix was starting.\n    ${redeploy}`);
    }
    if (now !== 'no answer') {
      silent = 0;
      const { State: { Status, Health, ExitCode, OOMKilled } } = now;
      // Without a health check, running is all that can be waited for.
      if (Status === 'running' && (Health?.Status === 'healthy' || !Health)) {
        return;
      }
      before ??= now.RestartCount;
      const again = now.RestartCount - before;
      // While it runs again, the engine shows 0.
      ended = Status === 'running' ? ended : ` with ${ExitCode}${OOMKilled ? ', because it ran out of memory (phoenix:memory)' : ''}`;
      if (['exited', 'dead', 'removing'].includes(Status) || again >= restarts) {
        const how = again >= restarts ? 'keeps exiting' : 'has exited';
        throw new Error(`Phoenix does not start: container ${container} ${how}${ended ?? ''}.${await lastLines(watched)}\n    docker logs --tail 50 ${container}   # its log\n    ${redeploy}   # when that is fixed`);
      }
      if (Date.now() - told >= pace.tellMs) {
        told = Date.now();
        const said = await watched.said(since).catch(() => undefined);
        if (said) {
          since = said.until;
          moved = log.add(said.lines) ? Date.now() : moved;
        }
        say(`Phoenix is starting, ${duration(now.State.StartedAt)} so far: ${log.words}`);
      }
    }
    if (Date.now() - moved > pace.silenceMs) {
      throw new Error(`Phoenix has logged nothing for ${Math.round(pace.silenceMs / 60_000)} min and is not ready: ${log.words}. Its container ${container} keeps running.\n    docker logs -f --tail 20 ${container}   # see whether it makes progress\n    ${redeploy}   # wait for it again`);
    }
    await sleep(pace.lookMs, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}

/** A Python exception with its message; Phoenix ends its log with twenty lines about where to get help instead. */
const exception = /^(?:\w+\.)*\w+(?:Error|Exception): ?\S/;

/** Why it exited, as lines of a message: its last exceptions, or its last log lines. */
async function lastLines(watched: Watched): Promise<string> {
  const { lines } = await watched.said('0', 80).catch(() => ({ lines: [] }));
  const said = lines.filter((line) => line.trim() !== '');
  const exceptions = [...new Set(said.filter((line) => exception.test(line)))];
  return (exceptions.length > 0 ? exceptions.slice(-3) : said.slice(-8)).map((line) => `\n    | ${line}`).join('');
}

/** A Phoenix in the middle of migrating its database, which this deployment would replace. */
async function cutOff(watched: Watched, { container, redeploy }: Pick<PhoenixReadyInputs, 'container' | 'redeploy'>): Promise<readonly Problem[]> {
  try {
    const now = await watched.look();
    if (now?.State.Status !== 'running' || !now.State.Health || now.State.Health.Status === 'healthy') {
      return [];
    }
    const log = new StartLog();
    log.add((await watched.said(String(Date.parse(now.State.StartedAt) / 1000))).lines);
    return log.migrating
      ? [{
          key: `container ${container}`,
          rule: `Phoenix is migrating its database (since ${now.State.StartedAt.replace(/\.\d+Z$/, 'Z')}), and this deployment would replace it; an interrupted migration may leave a database that no Phoenix opens`,
          mend: [`docker logs -f --tail 5 ${container}   # until it says "Migrations completed"`, redeploy],
        }]
      : [];
  } catch {
    // An engine that a preview cannot reach is no reason to refuse it.
    return [];
  }
}

/** `45 s`, `12 min`, since a time that the engine gave. */
function duration(start: string): string {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(start)) / 1000));
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
}

function throughEngine({ engine: recorded }: Pick<PhoenixReadyInputs, 'engine'>, container: string): Watched {
  const engine = recordedEngine(recorded);
  return {
    async look() {
      const answer = await engineRequest(engine, 'GET', `/containers/${container}/json`, { timeoutMs: 10_000 });
      if (answer.status >= 400 && answer.status !== 404) {
        throw new Error(engineMessage(answer));
      }
      return answer.status === 404 ? undefined : (JSON.parse(answer.body.toString()) as Inspected);
    },
    said: (since, tail) => logOf(engine, container, since, tail),
  };
}
