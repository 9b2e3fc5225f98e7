import { setTimeout as pause } from 'node:timers/promises';
import { dataOf, phoenixOf, type Route } from '../../../provider/route';

/** The project of the service in Phoenix (`examples/ai-service/telemetry.py`). */
export const project = 'ai-service';

/** Waits until Phoenix has these traces. @returns those that it does not have after `waitMs` milliseconds */
export async function missing(route: Route, traces: readonly string[], waitMs: number): Promise<readonly string[]> {
  const ask = phoenixOf(route);
  const end = performance.now() + waitMs;
  let left = traces;
  for (;;) {
    const found = await Promise.all(left.map(async (trace) => dataOf((await ask(`/v1/projects/${project}/spans?trace_id=${trace}`)).text).length > 0));
    left = left.filter((_, index) => !found[index]);
    if (left.length === 0 || performance.now() >= end) {
      return left;
    }
    await pause(500);
  }
}
