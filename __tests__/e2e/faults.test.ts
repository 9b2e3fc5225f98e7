/** Some of the faults of `npm run faults`, with a shorter time before and after. */
import { chooseEngine, engineGet } from '../../engine';
import { named } from '../../ops/support/faults/faults';
import { isGood, line } from '../../ops/support/faults/row';
import { run, usualPace } from '../../ops/support/faults/run';
import { OwnStack, phoenixImage } from '../../ops/support/faults/stack';
import type { Target } from '../../ops/support/faults/target';

const { engine } = chooseEngine({});
// Nothing is away for longer than Alloy waits between two tries here.
const pace = { ...usualPace, before: 1, after: 5, quiet: 15 };
const load = { spansPerSecond: 50, spansPerRequest: 5, spanBytes: 1024 };
const stack = new OwnStack(engine);
let target: Target;

beforeAll(async () => {
  target = await stack.deploy({ config: { 'phoenix:journal': 'true' } }, await phoenixImage(engine));
});

afterAll(async () => {
  await stack.remove();
  const all = await engineGet<{ Names: string[] }[]>(engine, '/containers/json?all=1');
  expect(all.flatMap(({ Names }) => Names).filter((name) => name.includes(stack.name))).toEqual([]);
});

// None that pauses a container: with Docker 20.10 a pause that meets a health check never ends.
test.each(named(['both-sigkill', 'gate-sigkill'], false).map((fault) => [fault.about, fault] as const))('%s: nothing is lost', async (_, fault) => {
  const row = await run(fault, target, load, pace);
  console.log(`${fault.name}: ${line(row)}`);
  expect({ line: line(row), good: isGood(row) }).toEqual({ line: line(row), good: true });
  expect(row.lost).toBe(0);
  expect(row.accepted).toBeGreaterThan(0);
});
