/**
 * `npm run up`: from whatever is there to a running stack and a trace that was read back from it.
 */
import { parseArgs } from 'node:util';
import { engineHost } from '../components/engine';
import { checkDelivery } from './support/delivery';
import { ensureEngine } from './support/docker';
import { imageSettings } from './support/images';
import { removeLeftovers } from './support/leftovers';
import { clearStaleLock } from './support/lock';
import type { Outputs } from './support/outputs';
import { projectName, stackNamed } from './support/project';
import { Pulumi, type Result } from './support/pulumi';
import { Failure, main, say } from './support/say';
import { summary } from './support/summary';
import { findToolchain } from './support/toolchain';

const usage = 'npm run up -- [--stack NAME] [-c KEY=VALUE]… [--yes] [--preview-only] [--json]';

function options(): { stack: string; config: Record<string, string>; yes: boolean; previewOnly: boolean; json: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        stack: { type: 'string', default: 'dev' },
        config: { type: 'string', short: 'c', multiple: true, default: [] },
        yes: { type: 'boolean', short: 'y', default: false },
        'preview-only': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const config = Object.fromEntries(
      values.config.map((pair) => {
        const [, key, value] = /^([\w-]+:[\w-]+)=(.*)$/s.exec(pair) ?? [];
        if (key === undefined || value === undefined) {
          throw new Error(`-c ${pair}: write KEY=VALUE, such as -c phoenix:uiPort=16006`);
        }
        return [key, value];
      }),
    );
    return { stack: stackNamed(values.stack), config, yes: values.yes, previewOnly: values['preview-only'], json: values.json };
  } catch (error) {
    throw error instanceof Failure ? error : new Failure((error as Error).message, [usage]);
  }
}

main(async () => {
  const started = Date.now();
  const { stack, config, yes, previewOnly, json } = options();
  const ask = Boolean(process.stdin.isTTY && process.stdout.isTTY) && !yes && !json;

  const pulumi = new Pulumi(await findToolchain(), stack);
  let state = await pulumi.state();
  if (!state) {
    say(`Stack ${stack}: new`);
    await pulumi.init();
  }
  await pulumi.set(config);
  const settings = await pulumi.settings();
  const host = engineHost(settings['docker:host']);
  await ensureEngine(host);
  await pulumi.set(await imageSettings(settings));

  if (previewOnly) {
    await deployed(pulumi, pulumi.show(['preview', '--stack', stack, '--refresh', '--diff']));
    return;
  }
  if (await clearStaleLock(pulumi)) {
    state = await pulumi.state();
  }
  await removeLeftovers(host, `${projectName}/${stack}`, state);
  if (state?.pending.length) {
    say(`An earlier run was cut off in the middle of ${state.pending.map(({ urn }) => urn.split('::').at(-1)).join(', ')}; going on from there`);
    await pulumi.must(['refresh', '--stack', stack, '--yes', '--clear-pending-creates'], 'putting the state right');
  }
  // --refresh: what somebody removed or stopped by hand is put back.
  const args = ['up', '--stack', stack, '--refresh'];
  const result = await deployed(pulumi, ask ? pulumi.interactive(args) : pulumi.show([...args, '--yes', '--non-interactive']));

  const outputs = await pulumi.outputs<Outputs>();
  const delivery = await checkDelivery(outputs, 60_000);
  if (json) {
    const { traceId, ms } = delivery;
    process.stdout.write(`${JSON.stringify({ endpoints: outputs.endpoints, traceId, ms, changes: changesIn(result) })}\n`);
  }
  if (delivery.failure) {
    const { hop, cause, mend } = delivery.failure;
    throw new Failure(`The stack is deployed and a trace does not arrive.\n${hop}: ${cause}.`, mend);
  }
  say(summary(stack, outputs, delivery, Date.now() - started));
});

async function deployed(pulumi: Pulumi, run: Promise<Result>): Promise<Result> {
  const result = await run;
  if (result.code === 130) {
    throw new Failure('Stopped. Nothing is lost: the next run goes on from here.', ['npm run up']);
  }
  if (result.code !== 0) {
    throw new Failure('Not deployed; what stopped it is above. The next run goes on from here.', ['npm run up']);
  }
  return result;
}

/** Resources by kind of change, from the closing lines of `pulumi up` ("    + 14 created"). */
function changesIn({ stdout }: Result): Record<string, number> {
  const closing = stdout.slice(stdout.lastIndexOf('\nResources:'));
  return Object.fromEntries([...closing.matchAll(/^\s*(?:[+~-]+ )?(\d+) (created|updated|replaced|deleted|unchanged)/gm)].map(([, count, kind]) => [kind, Number(count)]));
}
