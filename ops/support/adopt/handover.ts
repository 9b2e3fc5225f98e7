/**
 * The ports of applications move from the old Alloy to the stack's. Docker gives a port to one container at a time, so for a
 * moment nothing listens; everything that takes time is done before or after that moment. A Pulumi run in between would take
 * several seconds, so the new container is created from the one that Pulumi created, and the state is updated later (state.ts).
 */
import type { Settings } from '../../../settings/keys';
import type { Engine } from '../../../engine';
import { from } from '../../../provider/container-reach';
import type { Reach } from '../../../provider/reach';
import type { Outputs } from '../outputs';
import { Failure, say } from '../say';
import { Containers, isOn, likeness, until } from './containers';
import { alloyPorts } from './takeover';

export interface Handover {
  readonly engine: Engine;
  readonly settings: Settings;
  /** Of the stack: its containers, and its receiver on the private network. */
  readonly outputs: Pick<Outputs, 'containers' | 'internal'>;
  /** Name of the old Alloy's container. */
  readonly old: string;
}

/** Seconds that a service gets to stop; meanwhile it delivers what it holds. */
export const graceSeconds = 30;

/** Milliseconds within which a started Alloy listens. */
const patienceMs = 30_000;

/**
 * Continues from wherever an earlier run was interrupted. Afterwards the old Alloy is stopped, and the stack's, which may not
 * reach a Phoenix yet, listens in its place.
 * @returns milliseconds for which nothing listened; undefined if an earlier run had switched already, or nothing listens
 * @throws Failure if the stack's Alloy does not start to listen; the old one then runs again
 */
export async function handOver({ engine, settings, outputs, old }: Handover): Promise<number | undefined> {
  const containers = new Containers(engine);
  const { alloy, gate } = outputs.containers;
  const next = `${alloy}-next`;
  const wanted = alloyPorts(settings);
  const [made, prepared] = await Promise.all([containers.find(alloy), containers.find(next)]);
  if (!prepared && made && isOn(made, wanted)) {
    await containers.stop(old, graceSeconds);
    await containers.start(alloy);
    return undefined;
  }
  const stale = prepared && !prepared.State.Running && !isOn(prepared, wanted);
  if (stale) {
    await containers.remove(next);
  }
  if (!prepared || stale) {
    if (!made) {
      // Somebody has removed it: the next deployment creates a new one, and until then nothing listens.
      await containers.stop(old, graceSeconds);
      return undefined;
    }
    await containers.create(next, likeness(made, wanted));
  }
  // Only one of the two may use the queue on disk.
  await containers.stop(alloy, graceSeconds);
  const reach = from(engine, gate, 'bash');
  const ms = await take(containers, reach, { old, next, receiver: outputs.internal.otlpHttp }).finally(() => reach.close());
  await containers.keepStopped(old);
  await containers.remove(alloy);
  await containers.rename(next, alloy);
  return prepared?.State.Running ? undefined : ms;
}

/** The switch itself. @returns its duration in milliseconds */
async function take(containers: Containers, reach: Reach, { old, next, receiver }: { old: string; next: string; receiver: string }): Promise<number> {
  const start = Date.now();
  await containers.stop(old, graceSeconds);
  try {
    await containers.start(next);
    // Checked from the private network: on the host's port Docker listens before Alloy does.
    const spans = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    if (!(await until(async () => (await reach.ask(`${receiver}/v1/traces`, spans)).status === 200, patienceMs))) {
      throw new Failure(`Container ${next} was started but does not accept spans.`, [`docker logs --tail 30 ${next}`]);
    }
    return Date.now() - start;
  } catch (error) {
    say(`The stack's Alloy does not listen; starting ${old} again`);
    await containers.stop(next, graceSeconds);
    await containers.start(old);
    throw error;
  }
}
