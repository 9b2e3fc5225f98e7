/**
 * `npm run verify`: sends a trace through the running stack, reads it back, and removes it; also sends a log record and a
 * sample if these have a store.
 */
import { queueWarnings } from '../provider/alloy-queue';
import { refusalWarnings } from '../provider/alloy-refusals';
import { checkDelivery } from '../provider/delivery';
import { asideWarnings, egressWarnings, journalWarnings, projectWarnings, storageWarnings } from '../provider/warnings';
import { exporterOf } from '../provider/route';
import { checkStores, storeWarnings } from '../provider/store-check';
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
    stores: await checkStores(route, timeout * 1000),
    warnings: [...await storeWarnings(route), ...await queueWarnings({ reach, engine, alloyUi, component: exporterOf(route), container }), ...await refusalWarnings({ reach, alloyUi }), ...await journalWarnings(route), ...await asideWarnings(route), ...await storageWarnings(route), ...await projectWarnings(route), ...await egressWarnings(route)],
  });
  // Left open, it would keep this process running.
  const { delivery: { traceId, ms, hops, failure }, stores, warnings } = await looked().finally(() => route.inside.close());
  const failures = [...(failure ? [failure] : []), ...stores.flatMap(({ failure: refused }) => (refused ? [refused] : []))];
  if (json) {
    process.stdout.write(`${JSON.stringify({ ok: failures.length === 0, traceId, ms, hops, ...(failure ? { failure } : {}), ...(stores.length > 0 ? { stores } : {}), ...(warnings.length > 0 ? { warnings } : {}) })}\n`);
  }
  for (const { name, ms: took } of [...hops, ...stores.flatMap((store) => (store.failure ? [] : [{ name: store.hop, ms: store.ms }]))]) {
    say(`  ok     ${name}  ${took} ms`);
  }
  for (const warning of warnings) {
    say(`  note   ${warning}`);
  }
  for (const { hop } of failures) {
    say(`  failed ${hop}`);
  }
  if (failures.length > 0) {
    throw new Failure(failures.map(({ hop, cause }) => `${hop}: ${cause}.`).join('\n'), [...new Set(failures.flatMap(({ mend }) => mend))]);
  }
  say(`Trace ${traceId} arrived in ${ms} ms and was removed again.`);
}));
