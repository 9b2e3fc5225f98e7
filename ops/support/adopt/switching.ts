/**
 * The middle of an adoption: the stack's Alloy gets the ports of applications, then the old data is copied.
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
 * Stops the old services, moves their ports to the stack, and copies their data to the new volume.
 * @returns milliseconds for which applications could not send, if that was in this run and is known
 */
export async function takenOver({ pulumi, engine, stack, interruption }: Run, adoption: Adoption): Promise<number | undefined> {
  const containers = new Containers(engine);
  const { settings } = readSettings(await pulumi.settings(), projectName);
  // Empty if somebody has removed the stack.
  const outputs = await pulumi.outputs<Partial<Outputs>>();
  const data = new Data(engine, stack, adoption.data);
  if ((await containers.find(adoption.alloy))?.State.Running) {
    // It delivers what it holds when it is stopped.
    await containers.start(adoption.phoenix);
    await ready(engine, adoption);
  }
  // New data must not go to a database that will be replaced.
  await containers.stop(hostName('phoenix', stack), graceSeconds);
  say(`The ports of ${adoption.alloy} go to ${hostName('alloy', stack)}`);
  const { containers: stands, internal } = outputs;
  const closedAt = Date.now();
  const { networks } = adoption;
  let gapMs: number | undefined;
  try {
    if (networks && (await containers.find(adoption.phoenix))?.State.Running) {
      // Versions before 20.23 lose accepted data when they are stopped: nothing may arrive while the rest is stored.
      await containers.disconnect(adoption.phoenix, networks);
      await drained(engine, adoption);
    }
    gapMs = stands && internal ? await handOver({ engine, settings, outputs: { containers: stands, internal }, old: adoption.alloy }) : undefined;
    if (networks && gapMs !== undefined) {
      gapMs = Date.now() - closedAt;
    }
    // If there is no stack, nothing listens until there is one.
    await containers.stop(adoption.alloy, graceSeconds);
  } finally {
    // If somebody starts it again, it is as it was.
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
