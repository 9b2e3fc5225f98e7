/**
 * `npm run verify`: sends a trace through the running stack, reads it back, removes it.
 */
import { queueWarnings } from '../provider/alloy-queue';
import { refusalWarnings } from '../provider/alloy-refusals';
import { checkDelivery, egressWarnings, exporterOf, journalWarnings, projectWarnings, storageWarnings } from '../provider/delivery';
import { verify } from './commands';
import { main } from './support/command-line';
import type { EdgeOutputs, Outputs } from './support/outputs';
import { npmRun } from './support/project';
import { Pulumi } from './support/pulumi';
import { routeOf } from './support/route';
import { Failure, say } from './support/say';
import { findToolchain } from './support/toolchain';

main(verify.action(async ({ stack, timeout, json }) => {
  const pulumi = new Pulumi(await findToolchain(), stack);
  const outputs = await pulumi.outputs<Partial<Outputs | EdgeOutputs>>();
  if (!outputs.endpoints) {
    throw new Failure(`Stack ${stack} is not deployed.`, [npmRun('up', stack)]);
  }
  const route = routeOf(outputs as Outputs | EdgeOutputs, npmRun('up', stack));
  const { reach, engine, endpoints: { alloyUi }, containers: { alloy: container } } = route;
  const looked = async () => ({
    delivery: await checkDelivery(route, timeout * 1000),
    warnings: [...await queueWarnings({ reach, engine, alloyUi, component: exporterOf(route), container }), ...await refusalWarnings({ reach, alloyUi }), ...await journalWarnings(route), ...await storageWarnings(route), ...await projectWarnings(route), ...await egressWarnings(route)],
  });
  // Left open, it would keep this process from its end.
  const { delivery: { ok, traceId, ms, hops, failure }, warnings } = await looked().finally(() => route.inside.close());
  if (json) {
    process.stdout.write(`${JSON.stringify({ ok, traceId, ms, hops, ...(failure ? { failure } : {}), ...(warnings.length > 0 ? { warnings } : {}) })}\n`);
  }
  for (const hop of hops) {
    say(`  ok     ${hop.name}  ${hop.ms} ms`);
  }
  for (const warning of warnings) {
    say(`  note   ${warning}`);
  }
  if (failure) {
    say(`  failed ${failure.hop}`);
    throw new Failure(`${failure.hop}: ${failure.cause}.`, failure.mend);
  }
  say(`Trace ${traceId} arrived in ${ms} ms and was removed again.`);
}));
