/**
 * `npm run up`: from whatever is there to a running stack and a trace that was read back from it.
 */
import { parseArgs } from 'node:util';
import { refusal } from '../components/problem';
import { checkDelivery } from '../provider/delivery';
import { removeRecords } from './support/adopt/record';
import { configPairs } from './support/config-pairs';
import { agreed, atTerminal, type Consent } from './support/ask';
import { commonArgs, configArgs, goOnFromCutOffRun, opened, readyEngine, Refused } from './support/deploy';
import { lastWords } from './support/diagnosis';
import type { EdgeOutputs, Outputs } from './support/outputs';
import { defaultStack, npmRun, projectName, readStackFile, stackNamed, writeStackFile } from './support/project';
import { Pulumi, type Result } from './support/pulumi';
import { plainOf, settingsOf } from './support/preview/workspace';
import { routeOf } from './support/route';
import { deploying, otherParts, previewing } from './support/run-tools';
import { Failure, main, say } from './support/say';
import { summary } from './support/summary';
import { findToolchain } from './support/toolchain';

const usage = 'npm run up -- [--stack NAME] [-c KEY=VALUE]… [--rotate NAME]… [--yes] [--preview-only] [--json]';

function options(): { stack: string; config: Record<string, string>; rotate: readonly string[]; yes: boolean; previewOnly: boolean; json: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        stack: { type: 'string', default: defaultStack },
        config: { type: 'string', short: 'c', multiple: true, default: [] },
        rotate: { type: 'string', multiple: true, default: [] },
        yes: { type: 'boolean', short: 'y', default: false },
        'preview-only': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const config = configPairs(values.config);
    return { stack: stackNamed(values.stack), config, rotate: values.rotate, yes: values.yes, previewOnly: values['preview-only'], json: values.json };
  } catch (error) {
    throw error instanceof Failure ? error : new Failure((error as Error).message, [usage]);
  }
}

main(async () => {
  const started = Date.now();
  const { stack, config, rotate, yes, previewOnly, json } = options();
  const ask = Boolean(process.stdin.isTTY && process.stdout.isTTY) && !yes && !json;
  const consent: Consent = yes ? 'yes' : 'ask';
  const again = npmRun('up', stack, ...(yes ? ['--yes'] : []));
  const tools = await findToolchain(undefined, { consent, alsoBuilt: () => otherParts(stack, { ...plainOf(settingsOf(stack)), ...config }) });
  const pulumi = new Pulumi(tools, stack);
  const { state, settings, rotated } = await opened(pulumi, rotate);

  const before = readStackFile(stack);
  let result: Result | undefined;
  // Not even the preview of a rotation succeeds while what it replaces is protected.
  await pulumi.protection('unprotect', rotated.unprotect);
  try {
    const all = { ...settings, ...config };
    const engine = await readyEngine(stack, all, previewOnly ? 'never' : yes ? 'yes' : atTerminal() ? 'ask' : 'never', again);
    const args = [
      ...commonArgs(stack),
      ...configArgs(config),
      ...rotated.replace.flatMap((urn) => ['--replace', urn]),
    ];
    if (previewOnly) {
      const previewed = new Pulumi(await previewing(tools, stack, all, state), stack);
      succeeded(pulumi, await previewed.show(['preview', ...args, '--diff']));
      return;
    }
    const deployment = await deploying({ tools, stack, settings: all, state, engine, consent, again });
    await goOnFromCutOffRun(pulumi, engine, state);
    if (ask) {
      succeeded(pulumi, await deployment.pulumi.show(['preview', ...args]));
      if (!(await agreed(`Deploy this to stack ${stack}? [y/N] `))) {
        throw new Refused('Nothing was deployed.');
      }
    }
    await deployment.pull();
    const run = await deployment.pulumi.show(['up', ...args, '--yes', ...(ask ? ['--skip-preview'] : [])]);
    if (run.code !== 0 && !refusal.test(run.stdout + run.stderr)) {
      (await lastWords(engine, `${projectName}/${stack}`)).forEach(say);
    }
    result = succeeded(pulumi, run);
    // From here on the stack is at work, and no more a rehearsal that the next adoption may throw away.
    await removeRecords(engine, stack, ['rehearsing']);
  } catch (error) {
    if (error instanceof Refused) {
      // Refused settings are no settings of the stack: the next run without them works as the last one did.
      writeStackFile(stack, before);
    }
    throw error;
  } finally {
    if (!result) {
      await pulumi.protection('protect', rotated.unprotect);
    }
  }

  const outputs = await pulumi.outputs<Outputs | EdgeOutputs>();
  const route = routeOf(outputs, npmRun('up', stack));
  const delivery = await checkDelivery(route, 60_000, 900_000).finally(() => route.inside.close());
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

/** The run, if it succeeded. @throws Refused when it changed nothing, Failure when it stopped on the way */
function succeeded(pulumi: Pulumi, run: Result): Result {
  if (run.code === 0) {
    return run;
  }
  if (run.code === 130) {
    throw new Failure('Stopped. Nothing is lost: the next run goes on from here.', [npmRun('up', pulumi.stack)]);
  }
  throw pulumi.known(run) ?? (refusal.test(run.stdout + run.stderr)
    ? new Refused('Not deployed: the settings above are refused.')
    : new Failure('Not deployed; what stopped it is above. The next run goes on from here.', [npmRun('up', pulumi.stack)]));
}

/** Resources by kind of change, from the closing lines of `pulumi up` ("    + 14 created", "    +-1 replaced"). */
function changesIn({ stdout }: Result): Record<string, number> {
  const closing = stdout.slice(stdout.lastIndexOf('\nResources:'));
  return Object.fromEntries([...closing.matchAll(/^\s*(?:[+~-]+ *)?(\d+) (created|updated|replaced|deleted|unchanged)/gm)].map(([, count, kind]) => [kind, Number(count)]));
}
