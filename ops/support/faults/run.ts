import { setTimeout as pause } from 'node:timers/promises';
import { say } from '../say';
import { stored, type Stored } from './count';
import type { Fault } from './faults';
import { counts, type Row } from './row';
import { Sender, type Load } from './sender';
import type { Target } from './target';

/** Times in seconds. Tests use shorter ones. */
export interface Pace {
  /** Load before the fault, and after it. */
  readonly before: number;
  readonly after: number;
  /** Between two reads of the database. */
  readonly look: number;
  /** Without another span stored, after which nothing more is expected: with an empty queue, and otherwise. */
  readonly quiet: number;
  readonly stalled: number;
}

/** Alloy's exporter tries for 30 s, then waits for up to 5; a start of Phoenix on a busy machine takes a minute. */
export const usualPace: Pace = { before: 5, after: 15, look: 2, quiet: 45, stalled: 100 };

/** Last accepted spans that must be stored before ingest counts as recovered. */
const newest = 20;

/**
 * A fault under steady load: what was sent, what was accepted, and what of it is stored once nothing changes any more.
 * @throws Error if the fault cannot be injected, or the target stores nothing before it
 */
export async function run(fault: Fault, target: Target, load: Omit<Load, 'receiver' | 'project'>, pace: Pace = usualPace): Promise<Row> {
  const sender = new Sender({ ...load, receiver: target.receiver, project: `fault-${fault.name}` });
  const watch = new Watch(sender, target, pace);
  sender.start();
  try {
    await watch.until((seen) => seen.ids.size > 0, pace.stalled, `a span before ${fault.name}`);
    await pause(pace.before * 1000);
    await watch.begins();
    const storedBefore = watch.seen.ids.size;
    let mayLose = 0;
    const watching = watch.keepLooking();
    try {
      await fault.happen(target, { hold: (seconds) => pause(seconds * 1000), damages: () => void (mayLose = sender.accepted.length - storedBefore) });
    } finally {
      watching.stop();
      await watching.ended;
    }
    await watch.during(pace.after);
    await settled(sender.stop(), watch);
    await watch.toTheEnd();
    const byItself = watch.wholeAfter;
    const repaired = byItself === undefined && fault.repair ? await repair(fault.name, fault.repair, target, load, watch, pace) : undefined;
    return { fault, ...counts({ sender, stored: watch.seen }), mayLose, wholeAfter: byItself, ...repaired };
  } finally {
    await sender.stop();
  }
}

/** Keeps reading while the last requests get their responses. */
async function settled(stopping: Promise<void>, watch: Watch): Promise<void> {
  const watching = watch.keepLooking();
  await stopping;
  watching.stop();
  await watching.ended;
}

/** Applies the fix, and sends a few more spans to see whether it worked. */
async function repair(name: string, { about, work }: NonNullable<Fault['repair']>, target: Target, load: Omit<Load, 'receiver' | 'project'>, watch: Watch, pace: Pace): Promise<Pick<Row, 'repaired' | 'wholeAfter'>> {
  say(`  ${name}: ingest does not go on by itself; ${about}`);
  await work(target);
  const probe = new Sender({ ...load, receiver: target.receiver, project: `fault-${name}` });
  probe.start();
  const helped = await new Watch(probe, target, pace).until(({ ids }) => ids.size > 0, pace.stalled, `a span after ${name} was repaired`).then(() => true, () => false);
  const wholeAfter = helped ? watch.sinceBegin() : undefined;
  await probe.stop();
  await watch.toTheEnd();
  return { repaired: about, wholeAfter };
}

/** Reads the database repeatedly. */
class Watch {
  /** As of the last successful read. */
  seen: Stored = { ids: new Set(), duplicates: 0 };
  /** Seconds from the start of the fault until ingest had recovered; undefined while it has not. */
  wholeAfter: number | undefined;
  private began: number | undefined;
  private acceptedBefore = 0;
  private awaited: readonly string[] = [];

  constructor(private readonly sender: Sender, private readonly target: Target, private readonly pace: Pace) {}

  /** The fault starts now. */
  async begins(): Promise<void> {
    await this.look();
    this.began = Date.now();
    this.acceptedBefore = this.sender.accepted.length;
  }

  /** Seconds since then. */
  sinceBegin(): number {
    return (Date.now() - (this.began ?? Date.now())) / 1000;
  }

  keepLooking(): { stop: () => void; ended: Promise<void> } {
    let going = true;
    const ended = (async () => {
      while (going) {
        await this.look();
        await pause(this.pace.look * 1000);
      }
    })();
    return { stop: () => (going = false), ended };
  }

  async during(seconds: number): Promise<void> {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await pause(this.pace.look * 1000)) {
      await this.look();
    }
  }

  async until(reached: (seen: Stored) => boolean, seconds: number, what: string): Promise<void> {
    for (const deadline = Date.now() + seconds * 1000; ; await pause(this.pace.look * 100)) {
      await this.look();
      if (reached(this.seen)) {
        return;
      }
      if (Date.now() > deadline) {
        throw new Error(`waited ${seconds} s for ${what}`);
      }
    }
  }

  /** Until everything that was accepted is stored, or nothing changes any more. */
  async toTheEnd(): Promise<void> {
    let moved = Date.now();
    for (;;) {
      const before = this.seen.ids.size;
      await this.look();
      if (this.wholeAfter !== undefined && this.sender.accepted.every((id) => this.seen.ids.has(id))) {
        return;
      }
      if (this.seen.ids.size > before) {
        moved = Date.now();
      }
      const still = (Date.now() - moved) / 1000;
      if (still > this.pace.stalled || (still > this.pace.quiet && (await this.queued()) === 0)) {
        return;
      }
      await pause(this.pace.look * 1000);
    }
  }

  /** Recovered means that spans are accepted, and that everything accepted before the previous read was stored at one read. */
  private async look(): Promise<void> {
    const { accepted, prefix, running } = this.sender;
    const awaited = this.awaited;
    this.awaited = accepted.slice(this.acceptedBefore).slice(-newest);
    const now = await stored(this.target.phoenix, prefix);
    this.seen = now ?? this.seen;
    const takes = !running || this.awaited.at(-1) !== awaited.at(-1);
    const whole = now !== undefined && takes && awaited.length > 0 && awaited.every((id) => now.ids.has(id));
    this.wholeAfter = this.began !== undefined && whole ? this.wholeAfter ?? this.sinceBegin() : undefined;
  }

  /** Requests in Alloy's queues; undefined if it does not report them. */
  private async queued(): Promise<number | undefined> {
    try {
      const text = await (await fetch(`${this.target.alloyUi}/metrics`, { signal: AbortSignal.timeout(5_000) })).text();
      const sizes = [...text.matchAll(/^otelcol_exporter_queue_size\{.*\} (\S+)$/gm)].map(([, size]) => Number(size));
      return sizes.length === 0 ? undefined : sizes.reduce((sum, size) => sum + size, 0);
    } catch {
      return undefined;
    }
  }
}
