/**
 * `npm run verify`: sends a trace through the running stack, reads it back, removes it.
 */
import { parseArgs } from 'node:util';
import { checkDelivery } from '../provider/delivery';
import type { EdgeOutputs, Outputs } from './support/outputs';
import { defaultStack, npmRun, stackNamed } from './support/project';
import { Pulumi } from './support/pulumi';
import { routeOf } from './support/route';
import { Failure, main, say } from './support/say';
import { findToolchain } from './support/toolchain';

const usage = 'npm run verify -- [--stack NAME] [--timeout SECONDS] [--json]';

main(async () => {
  const { stack, timeoutMs, json } = options();
  const pulumi = new Pulumi(await findToolchain(), stack);
  const outputs = await pulumi.outputs<Partial<Outputs | EdgeOutputs>>();
  if (!outputs.endpoints) {
    throw new Failure(`Stack ${stack} is not deployed.`, [npmRun('up', stack)]);
  }
  const route = routeOf(outputs as Outputs | EdgeOutputs, npmRun('up', stack));
  const { ok, traceId, ms, hops, failure } = await checkDelivery(route, timeoutMs).finally(() => route.inside.close());
  if (json) {
    process.stdout.write(`${JSON.stringify({ ok, traceId, ms, hops, ...(failure ? { failure } : {}) })}\n`);
  }
  for (const hop of hops) {
    say(`  ok     ${hop.name}  ${hop.ms} ms`);
  }
  if (failure) {
    say(`  failed ${failure.hop}`);
    throw new Failure(`${failure.hop}: ${failure.cause}.`, failure.mend);
  }
  say(`Trace ${traceId} arrived in ${ms} ms and was removed again.`);
});

function options(): { stack: string; timeoutMs: number; json: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        stack: { type: 'string', default: defaultStack },
        timeout: { type: 'string', default: '30' },
        json: { type: 'boolean', default: false },
      },
    });
    if (!/^\d+$/.test(values.timeout)) {
      throw new Error(`--timeout ${values.timeout}: write whole seconds`);
    }
    return { stack: stackNamed(values.stack), timeoutMs: Number(values.timeout) * 1000, json: values.json };
  } catch (error) {
    throw error instanceof Failure ? error : new Failure((error as Error).message, [usage]);
  }
}
