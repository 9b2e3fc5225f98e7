/**
 * The beginning of an adoption: the old setup is inspected, a person confirms, and the stack is rehearsed beside the old setup.
 */
import { hostName } from '../../../components/names';
import type { Engine } from '../../../engine';
import { report } from '../../../settings/problem';
import { readSettings } from '../../../settings/settings';
import { agreed, consentOf } from '../ask';
import { Refused } from '../deploy';
import { removeLeftovers } from '../leftovers';
import { projectName } from '../project';
import type { Pulumi } from '../pulumi';
import { say } from '../say';
import type { StackState } from '../stack-state';
import { hasVolume } from '../volumes';
import { Containers, isOn } from './containers';
import { Data } from './data';
import { isAlone, portOf } from './old-setup';
import { planText } from './plan';
import { removeRecords, writeRecord, type Adoption } from './record';
import { Rehearsal } from './rehearsal';
import { removeRehearsal } from './removal';
import { prepared, withWords, type Run } from './run';
import { problemsOfStack, survey } from './survey';
import { alloyPorts, rehearsalOffset } from './takeover';

/** From nothing to a successful rehearsal. @throws Failure with everything as it was before */
export async function begun(run: Run, record: Adoption | undefined, state: StackState | undefined, config: Readonly<Record<string, string>>): Promise<Adoption> {
  const { pulumi, engine, stack, named, interruption, again } = run;
  if (record?.phase === 'rehearsing' && (await isRehearsal(engine, stack, record))) {
    say('An earlier run was interrupted before it changed the old setup: removing what it had created');
    await removeRehearsal(pulumi, engine);
  }
  const now = record ? await pulumi.state() : state;
  const question = { engine, stack, state: now, config, secrets: () => pulumi.secrets(), named };
  const { plan, problems } = await survey(question);
  if (!plan) {
    throw new Refused(report(stack, problems));
  }
  await removeLeftovers(engine, `${projectName}/${stack}`, now);
  const deployment = await prepared(run, config, now);
  const kept = plan.config;
  const offset = await rehearsalOffset({ ...config, ...kept }, `${projectName}/${stack}`);
  if (offset === undefined) {
    throw new Refused('There are no free ports on which the stack can run beside the old setup. Nothing was changed.', ['ss -ltn']);
  }
  const beside = { ...kept, 'ports:offset': String(offset) };
  const { settings: moved } = readSettings({ ...config, ...beside }, projectName);
  const rehearsal = new Rehearsal(deployment.pulumi, engine, beside, plan.secrets);
  const { setup, data } = plan;
  const adoption = { rehearsal: alloyPorts(moved), phoenix: setup.phoenix.name, alloy: setup.alloy.name, port: portOf(setup.phoenix), data: data.old, ...(isAlone(setup) ? { networks: await new Containers(engine).networks(setup.phoenix.name) } : {}) };
  try {
    await rehearsal.preview();
    interruption.check();
    say(planText(stack, plan));
    await consent(run);
    // While a person was asked, somebody else may have deployed the stack.
    const since = await problemsOfStack({ ...question, state: await pulumi.state() });
    if (since.length > 0) {
      throw new Refused(report(stack, since));
    }
    await deployment.pull();
    await removeRecords(engine, stack);
    await writeRecord(engine, stack, { phase: 'rehearsing', ...adoption });
    try {
      await rehearsal.run(plan);
      interruption.check();
    } catch (error) {
      say('Removing the rehearsal');
      await removeRehearsal(pulumi, engine);
      throw withWords(error, 'The old services run as before; the new ones were removed.', again);
    }
  } finally {
    rehearsal.end();
  }
  await keep(pulumi, kept, plan.secrets);
  const switching: Adoption = { phase: 'switching', ...adoption };
  await writeRecord(engine, stack, switching);
  return switching;
}

/** Whether the stack is the interrupted rehearsal, and nobody has used it since: then it can be deleted. */
async function isRehearsal(engine: Engine, stack: string, { rehearsal, data: old }: Adoption): Promise<boolean> {
  const alloy = await new Containers(engine).find(hostName('alloy', stack));
  if (alloy && !isOn(alloy, rehearsal)) {
    return false;
  }
  const data = new Data(engine, stack, old);
  if (!(await hasVolume(engine, data.volume))) {
    return true;
  }
  if (old.mount.kind === 'volume' && !(await hasVolume(engine, old.mount.source))) {
    return false;
  }
  // If the two cannot be compared, nothing is known and nothing is deleted.
  const added = await data.added().catch(() => undefined);
  return added !== undefined && added.traces + added.spans + added.rows === 0;
}

/** Stores the settings that the stack has from now on. */
async function keep(pulumi: Pulumi, config: Readonly<Record<string, string>>, secrets: Readonly<Record<string, string>>): Promise<void> {
  const pairs = Object.entries(config).flatMap(([key, value]) => ['--plaintext', `${key}=${value}`]);
  if (pairs.length > 0) {
    await pulumi.must(['config', 'set-all', ...pairs], 'keeping the settings');
  }
  await pulumi.setSecrets(secrets);
}

async function consent({ stack, yes, again, interruption }: Run): Promise<void> {
  const by = consentOf(yes, `Taking over by stack ${stack}`, `${again}${again.includes(' -- ') ? '' : ' --'} --yes`);
  const isAgreed = by === 'yes' || (await agreed(`Let stack ${stack} take over? [y/N] `));
  interruption.check('Stopped. Nothing was changed.');
  if (!isAgreed) {
    throw new Refused('Nothing was changed.');
  }
}
