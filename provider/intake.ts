import type { IntakeInputs } from '../components/observability-contract';
import { Cancelled, cancelled, pause } from './cancellation';
import { from, run } from './container-reach';
import type { Reach } from './reach';
import { recordedEngine } from './recorded-engine';
import type { Kind } from './resource';

/** Opens and closes the gate, and reports what Phoenix holds. */
export interface Sluice {
  open(): Promise<void>;
  close(): Promise<void>;
  /** Spans that Phoenix has accepted and not stored; undefined if it does not report it. */
  held(): Promise<number | undefined>;
}

const lookEveryMs = 200;
/** Consecutive checks that must find nothing: a request that was under way may still arrive. */
const looks = 5;
/** Milliseconds without progress after which the spans that Phoenix holds are given up: they may be the reason why it is replaced. */
const patienceMs = 60_000;

/**
 * Whether spans are sent to Phoenix. Phoenix returns 200 before a span is on disk, and has five seconds to store the rest when
 * it is stopped. So this resource is deleted before its container: the gate is closed, Alloy keeps new spans on disk, and
 * Phoenix stores what it holds. It is created again, and opens the gate, with the next container.
 */
export const intake = (at: (inputs: IntakeInputs) => Sluice & { end(): void } = throughEngine, lookMs = lookEveryMs): Kind<IntakeInputs, IntakeInputs> => {
  const open = async (inputs: IntakeInputs): Promise<IntakeInputs> => {
    const sluice = at(inputs);
    await sluice.open().finally(() => sluice.end());
    return inputs;
  };
  return {
    identity: ['server'],
    create: open,
    update: (_, inputs) => open(inputs),
    async delete(inputs) {
      const sluice = at(inputs);
      try {
        await sluice.close();
        await emptied(sluice, lookMs);
      } catch (error) {
        if (error instanceof Cancelled) {
          // Phoenix stays. If the next deployment does not replace it, nothing else would open the gate again.
          await sluice.open();
        }
        throw error;
      } finally {
        sluice.end();
      }
    },
  };
};

/** Waits until Phoenix holds nothing more, does not report it, or makes no progress. */
async function emptied(sluice: Sluice, lookMs: number): Promise<void> {
  let least = Infinity;
  let progress = Date.now();
  for (let clear = 0; clear < looks; ) {
    const held = await sluice.held();
    if (held === undefined) {
      if (cancelled.aborted) {
        throw new Cancelled();
      }
      return;
    }
    clear = held === 0 ? clear + 1 : 0;
    if (held < least) {
      [least, progress] = [held, Date.now()];
    }
    if (held > 0 && Date.now() - progress > patienceMs) {
      console.error(`Phoenix holds ${held} spans that it has not stored for ${patienceMs / 1000} s; they are lost with its container.`);
      return;
    }
    await pause(lookMs);
  }
}

function throughEngine({ engine: recorded, gate, closedFile, phoenix, metrics }: IntakeInputs): Sluice & { end(): void } {
  const engine = recordedEngine(recorded);
  const reach: Reach = from(engine, phoenix);
  return {
    async open() {
      await run(engine, gate, ['rm', '-f', closedFile]);
    },
    // A gate that does not exist lets nothing through.
    async close() {
      await run(engine, gate, ['touch', closedFile]).catch(() => undefined);
    },
    async held() {
      const { status, text } = await reach.ask(metrics);
      const size = /^phoenix_span_queue_size (\S+)$/m.exec(text)?.[1];
      return status === 200 && size !== undefined ? Number(size) : undefined;
    },
    end: () => reach.close(),
  };
}
