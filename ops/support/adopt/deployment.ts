/**
 * The end of an adoption: the stack is deployed on its own ports, and verified.
 */
import { hostName } from '../../../components/names';
import { checkDelivery } from '../../../provider/delivery';
import { commonArgs, goOnFromCutOffRun } from '../deploy';
import { lastWords } from '../diagnosis';
import type { Outputs } from '../outputs';
import { projectName } from '../project';
import { recordProtection } from '../protection';
import { routeOf } from '../route';
import { Failure, say } from '../say';
import { Containers } from './containers';
import { Data, type Found } from './data';
import { graceSeconds } from './handover';
import { amount } from './plan';
import type { Adoption } from './record';
import { prepared, type Run } from './run';
import { point } from './state';

/** Deploys the stack with its settings: all of the old data is in it, and a trace was read back. */
export async function deployed(run: Run, adoption: Adoption): Promise<{ outputs: Outputs; counts: Found; delivery: { traceId: string; ms: number } }> {
  const { pulumi, engine, stack, interruption, again } = run;
  const containers = new Containers(engine);
  const name = hostName('alloy', stack);
  const alloy = await containers.find(name);
  if (alloy && !(await point(pulumi, 'alloy-server', alloy.Id))) {
    // The deployment would create another container with that name. What waits is in the volume.
    await containers.stop(name, graceSeconds);
    await containers.remove(name);
  }
  const state = await pulumi.state();
  await goOnFromCutOffRun(pulumi, engine, state, interruption.signal);
  const settings = await pulumi.settings();
  const deployment = await prepared(run, settings, state);
  await deployment.pull();
  // It is stopped, and its data was replaced since it was created, so it is replaced even if nothing else about it changes.
  const phoenix = state?.resources?.find(({ urn }) => urn.endsWith('::phoenix-server'));
  const up = await deployment.pulumi.show(['up', ...commonArgs, '--yes', '--skip-preview', ...(phoenix ? ['--replace', phoenix.urn] : [])]);
  if (up.code !== 0) {
    (await lastWords(engine, `${projectName}/${stack}`)).forEach(say);
    throw pulumi.known(up) ?? new Failure('The stack did not start on its own ports; the reason is above.');
  }
  await recordProtection(engine, stack, settings);
  const outputs = await pulumi.outputs<Outputs>();
  const route = routeOf(outputs, again);
  const { traceId, ms, failure } = await interruption.orStop(checkDelivery(route, 60_000, 900_000).finally(() => route.inside.close()));
  if (failure) {
    throw new Failure(`A trace does not arrive. ${failure.hop}: ${failure.cause}.`, failure.mend);
  }
  const data = new Data(engine, stack, adoption.data);
  const lost = await data.lost();
  if (lost.traces + lost.spans > 0) {
    const text = `Of the old data ${amount(lost)} are not in volume ${data.volume}. They are in ${adoption.data.mount.source}, which was not changed.`;
    if (adoption.phase === 'switching') {
      throw new Failure(text);
    }
    // The stack may have been in use since an earlier run copied the data, and somebody may have deleted these traces there.
    say(text);
  }
  return { outputs, counts: await data.countNew(), delivery: { traceId, ms } };
}
