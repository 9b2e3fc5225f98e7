import { setTimeout as pause } from 'node:timers/promises';
import type { Reach } from '../../../provider/reach';
import { conversations, inWords, sumOf, talk, type Turn } from './conversation';

export interface Load {
  /** A new one for each conversation, which closes it. */
  readonly open: () => Reach;
  /** Base URL of the service, as seen from there. */
  readonly url: string;
  /** How the sessions begin. */
  readonly session: string;
  /** Conversations that begin in a second. */
  readonly rate: number;
  /** Ends it: what has begun is waited for. */
  readonly stop: AbortSignal;
  /** Gets a line from time to time. */
  readonly report: (line: string) => void;
  /**
   * Milliseconds between two lines.
   * @default 5,000
   */
  readonly everyMs?: number;
}

/** A service that does not keep up gets no more than this many conversations at a time. */
const most = 100;

/** Of ten conversations one is slow and one fails. */
function messagesOf(index: number): readonly string[] {
  const kind = ({ 4: 'slow', 9: 'failing' } as const)[index % 10] ?? 'usual';
  const some = conversations[kind];
  return some[index % some.length] ?? [];
}

/** Has conversations at a steady rate. @returns all that was said */
export async function underLoad({ open, url, session, rate, stop, report, everyMs = 5_000 }: Load): Promise<Turn[]> {
  const turns: Turn[] = [];
  const running = new Set<Promise<void>>();
  const started = performance.now();
  let told = 0;
  let next = started + everyMs;
  for (let index = 0; !stop.aborted; index += 1) {
    if (running.size < most) {
      const reach = open();
      const one: Promise<void> = talk(reach, url, `${session}-${index}`, messagesOf(index)).then((some) => {
        turns.push(...some);
        reach.close();
        running.delete(one);
      });
      running.add(one);
    }
    if (performance.now() >= next) {
      report(`${inWords(sumOf(turns.slice(told)))}; ${running.size} conversations under way`);
      told = turns.length;
      next += everyMs;
    }
    await pause(Math.max(0, started + ((index + 1) * 1000) / rate - performance.now()), undefined, { signal: stop }).catch(() => undefined);
  }
  await Promise.all(running);
  return turns;
}
