/**
 * The middle of an adoption: the stack's Alloy has the ports of applications, and the old data follows.
 */
import { hostName } from '../../../components/names';
import { readSettings } from '../../../settings/settings';
import type { Outputs } from '../outputs';
import { projectName } from '../project';
import { say } from '../say';
import { Containers } from './containers';
import { Data } from './data';
import { drained, ready } from './drain';
import { graceSeconds, handOver } from './handover';
import { writeRecord, type Adoption } from './record';
import type { Run } from './run';

/**
 * The old services are stopped, their ports the stack's, their data in the new volume.
 * @returns milliseconds for which applications could not send, where that was in this run and is known
 */
export async function takenOver({ pulumi, engine, stack, interruption }: Run, adoption: Adoption): Promise<number | undefined> {
  const containers = new Containers(engine);
  const { settings } = readSettings(await pulumi.settings(), projectName);
  // Nothing of it, where somebody has taken the stack down.
  const outputs = await pulumi.outputs<Partial<Outputs>>();
  const data = new Data(engine, stack, adoption.data);
  if ((await containers.find(adoption.alloy))?.State.Running) {
    // It hands over what it holds when it is stopped.
    await containers.start(adoption.phoenix);
    await ready(engine, adoption);
  }
  // What comes in is not for a database that is replaced.
  await containers.stop(hostName('phoenix', stack), graceSeconds);
  say(`The ports of ${adoption.alloy} go to ${hostName('alloy', stack)}`);
  const { containers: stands, internal } = outputs;
  const closedAt = Date.now();
  const { networks } = adoption;
  let gapMs: number | undefined;
  try {
    if (networks && (await containers.find(adoption.phoenix))?.State.Running) {
      // Versions before 20.23 forget what they have accepted when they are stopped: nothing may come in while it is stored.
      await containers.disconnect(adoption.phoenix, networks);
      await drained(engine, adoption);
    }
    gapMs = stands && internal ? await handOver({ engine, settings, outputs: { containers: stands, internal }, old: adoption.alloy }) : undefined;
    if (networks && gapMs !== undefined) {
      gapMs = Date.now() - closedAt;
    }
    // Without a stack nobody listens until there is one.
    await containers.stop(adoption.alloy, graceSeconds);
  } finally {
    // Whoever starts it again finds it as it was.
    await containers.connect(adoption.phoenix, networks ?? {});
  }
  interruption.check();
  if ((await containers.find(adoption.phoenix))?.State.Running) {
    say(`${adoption.phoenix} stores what it has accepted, and is stopped`);
    await drained(engine, adoption);
    await containers.stop(adoption.phoenix, graceSeconds);
  }
  await containers.keepStopped(adoption.phoenix);
  await containers.keepStopped(adoption.alloy);
  interruption.check();
  say(`Copying the data to volume ${data.volume}`);
  await data.copy();
  await writeRecord(engine, stack, { ...adoption, phase: 'copied' });
  interruption.check();
  return gapMs;
}
