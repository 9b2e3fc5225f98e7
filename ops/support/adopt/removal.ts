/** Removes a rehearsal: the whole stack, including its data. */
import { goOnFromCutOffRun } from '../deploy';
import { npmRun } from '../project';
import type { Pulumi } from '../pulumi';
import { Failure } from '../say';
import { dataVolumes, removeVolume } from '../volumes';
import type { Engine } from '../../../engine';
import { removeRecords } from './record';

/** @throws Failure if something remains; the record of the rehearsal then remains as well */
export async function removeRehearsal(pulumi: Pulumi, engine: Engine): Promise<void> {
  const { stack } = pulumi;
  await goOnFromCutOffRun(pulumi, engine, await pulumi.state());
  if ((await pulumi.state())?.resources.length) {
    await pulumi.must(['state', 'unprotect', '--all', '--yes'], 'removing the protection of the secrets');
    const { code } = await pulumi.show(['destroy', '--refresh', '--yes', '--non-interactive']);
    if (code !== 0) {
      throw new Failure('Not all of the rehearsal could be removed; the reason is above.', [npmRun('adopt', stack)]);
    }
  }
  for (const volume of dataVolumes(stack)) {
    await removeVolume(engine, volume);
  }
  await removeRecords(engine, stack);
}
