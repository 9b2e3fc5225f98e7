/**
 * `npm run up`: from any starting point to a running stack and a trace that was read back from it.
 */
import { shellQuoted } from '../settings/setting';
import { refusal } from '../settings/problem';
import { checkDelivery } from '../provider/delivery';
import { up } from './commands';
import { removeRecords } from './support/adopt/record';
import { agreed, consentOf } from './support/ask';
import { configFlags, main } from './support/command-line';
import { commonArgs, configArgs, goOnFromCutOffRun, opened, readyEngine, Refused } from './support/deploy';
import { lastWords } from './support/diagnosis';
import { Interruption } from './support/interruption';
import { clearStaleLock } from './support/lock';
import type { EdgeOutputs, Outputs } from './support/outputs';
import { npmRun, projectName, readStackFile, writeStackFile } from './support/project';
import type { Result } from './support/cli-run';
import { Pulumi } from './support/pulumi';
import { isSecure, plainOf, settingsOf } from './support/preview/workspace';
import { routeOf } from './support/route';
import { recordProtection } from './support/protection';
import { deploying, otherParts, previewing } from './support/run-tools';
import { Failure, say, Stopped } from './support/say';
import { ScratchSettings } from './support/scratch-settings';
import { summary } from './support/summary';
import { findToolchain } from './support/toolchain';

main(up.action(async ({ stack, config = {}, rotate = [], yes, previewOnly, json }) => {
  const started = Date.now();
  const sameAgain = [...configFlags(config), ...rotate.flatMap((name) => ['--rotate', shellQuoted(name)]), ...(json ? ['--json'] : [])];
  const consent = previewOnly ? 'never' : consentOf(yes, `Deploying stack ${stack}`, npmRun('up', stack, ...sameAgain, '--yes'));
  const again = npmRun('up', stack, ...sameAgain, ...(yes ? ['--yes'] : []));
  const typed = { ...plainOf(settingsOf(stack)), ...config };
  if (!previewOnly && !hasSecret(stack, 'docker:')) {
    // Before anything is downloaded or built: it is known now what must be installed or allowed by hand.
    await readyEngine(stack, typed, consent, again);
  }
  const tools = await findToolchain(undefined, { consent, alsoBuilt: () => otherParts(stack, typed) });
  const pulumi = new Pulumi(tools, stack);
  if (!previewOnly || rotate.length > 0) {
    // Left by a run that was killed. While it exists, nothing in the state can be changed.
    await clearStaleLock(pulumi);
  }
  const result = await Interruption.during(async (interruption) => {
    const before = readStackFile(stack);
    const { state, settings, rotated, takeBack } = await opened(pulumi, rotate);
    const assumed = new ScratchSettings(stack);
    let freed = rotated.unprotect;
    let begun = false;
    let deployed: Result | undefined;
    try {
      interruption.check();
      // Even the preview of a rotation fails while the resources to replace are protected.
      await pulumi.protection('unprotect', freed).catch((error: unknown) => {
        freed = error instanceof Stopped ? freed : [];
        throw error;
      });
      interruption.check();
      const all = { ...settings, ...config };
      // With the settings as the CLI reads them: the file alone does not determine them.
      const engine = await interruption.orStop(readyEngine(stack, all, consent, again));
      const args = [
        ...commonArgs,
        ...configArgs(config),
        ...rotated.replace.flatMap((urn) => ['--replace', urn]),
      ];
      if (previewOnly) {
        const previewed = new Pulumi(await previewing(tools, stack, all, state), stack);
        interruption.check();
        succeeded(pulumi, await previewed.show(['preview', ...args, ...assumed.args, '--diff']));
        return undefined;
      }
      const deployment = await deploying({ tools, stack, settings: all, state, engine, interruption, consent, again });
      interruption.check();
      await goOnFromCutOffRun(pulumi, engine, state, interruption.signal);
      interruption.check();
      if (consent === 'ask') {
        succeeded(pulumi, await deployment.pulumi.show(['preview', ...args, ...assumed.args]));
        interruption.check();
        const isAgreed = await agreed(`Deploy this to stack ${stack}? [y/N] `);
        interruption.check();
        if (!isAgreed) {
          throw new Refused('Nothing was deployed.');
        }
      }
      await deployment.pull();
      begun = true;
      const run = await deployment.pulumi.show(['up', ...args, '--yes', ...(consent === 'ask' ? ['--skip-preview'] : [])]);
      if (run.code !== 0 && !refusal.test(run.stdout + run.stderr)) {
        (await lastWords(engine, `${projectName}/${stack}`)).forEach(say);
      }
      deployed = succeeded(pulumi, run);
      // From here on the stack is in use, and no longer a rehearsal that the next adoption may delete.
      await removeRecords(engine, stack, ['rehearsing']);
      await recordProtection(engine, stack, all);
      interruption.check('Stopped. The stack is deployed; whether a trace arrives was not checked.');
      return deployed;
    } catch (error) {
      if (begun && error instanceof Refused) {
        // Refused settings are not kept: the next run without them works like the last one.
        writeStackFile(stack, before);
      }
      throw interruption.signal.aborted && !begun ? new Stopped('Stopped. Nothing was deployed.') : error;
    } finally {
      assumed.remove();
      if (!deployed) {
        await pulumi.protection('protect', freed);
      }
      if (!begun) {
        await takeBack();
      }
    }
  });
  if (!result) {
    return;
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
    throw new Failure(`The stack is deployed, but a trace does not arrive.\n${hop}: ${cause}.`, mend);
  }
  say(summary(stack, outputs, delivery, Date.now() - started));
}));

/** Whether some of these settings are encrypted and cannot be read yet. */
function hasSecret(stack: string, prefix: string): boolean {
  return Object.entries(settingsOf(stack).config ?? {}).some(([key, value]) => key.startsWith(prefix) && isSecure(value));
}

/** The run, if it succeeded. @throws Refused if it changed nothing, Failure if it stopped on the way */
function succeeded(pulumi: Pulumi, run: Result): Result {
  if (run.code === 0) {
    return run;
  }
  if (run.stopped) {
    throw new Stopped('Stopped. Nothing is lost: the next run continues from here.', [npmRun('up', pulumi.stack)]);
  }
  if (run.signal) {
    throw new Failure(`The Pulumi CLI was ended by ${run.signal}${run.signal === 'SIGKILL' ? ', as the system does when memory runs out' : ''}. Nothing is lost: the next run continues from here.`, [
      npmRun('up', pulumi.stack),
    ]);
  }
  throw pulumi.known(run) ?? (refusal.test(run.stdout + run.stderr)
    ? new Refused('Not deployed: the settings above are refused.')
    : new Failure('Not deployed; the reason is above. The next run continues from here.', [npmRun('up', pulumi.stack)]));
}

/** Resources by kind of change, from the last lines of `pulumi up` ("    + 14 created", "    +-1 replaced"). */
function changesIn({ stdout }: Result): Record<string, number> {
  const closing = stdout.slice(stdout.lastIndexOf('\nResources:'));
  return Object.fromEntries([...closing.matchAll(/^\s*(?:[+~-]+ *)?(\d+) (created|updated|replaced|deleted|unchanged)/gm)].map(([, count, kind]) => [kind, Number(count)]));
}
