/**
 * `npm run adopt`: a stack takes over from a Phoenix and an Alloy that somebody runs with docker-compose or `docker run`, with all of their data.
 *
 * 1. Rehearsal: the stack runs beside the old set-up, on other ports and with a copy of the data.
 * 2. The ports of applications go to the stack's Alloy, whose Phoenix stands still: what comes in waits on disk.
 * 3. The old Phoenix stores what it has accepted and is stopped; its data takes the place of the copy.
 * 4. The stack is deployed on its own ports, and proves itself.
 *
 * Cut off anywhere, it goes on when it is run again: support/adopt/record.ts says from where.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { hostName } from '../components/names';
import { commandVariable, report } from '../settings/problem';
import { readSettings } from '../settings/settings';
import type { Engine } from '../engine';
import { checkDelivery } from '../provider/delivery';
import { adopt } from './commands';
import { Containers, isOn } from './support/adopt/containers';
import { Data, keptFile, type Found } from './support/adopt/data';
import { drained, ready } from './support/adopt/drain';
import { graceSeconds, handOver } from './support/adopt/handover';
import { amount, leftText, namesOf, outcomeText, planText } from './support/adopt/plan';
import { phases, readRecord, removeRecords, writeRecord, type Adoption } from './support/adopt/record';
import { adoptCommand, isAlone, portOf } from './support/adopt/old-setup';
import { Rehearsal } from './support/adopt/rehearsal';
import { removeRehearsal } from './support/adopt/removal';
import { point } from './support/adopt/state';
import { problemsOfStack, survey } from './support/adopt/survey';
import { alloyPorts, rehearsalOffset } from './support/adopt/takeover';
import { agreed, consentOf } from './support/ask';
import { main } from './support/command-line';
import { commonArgs, goOnFromCutOffRun, opened, readyEngine, Refused } from './support/deploy';
import { lastWords } from './support/diagnosis';
import { Interruption } from './support/interruption';
import { laboratory } from './support/lab';
import { removeLeftovers } from './support/leftovers';
import { clearStaleLock } from './support/lock';
import type { Outputs } from './support/outputs';
import { projectName } from './support/project';
import { Pulumi } from './support/pulumi';
import type { StackState } from './support/stack-state';
import { routeOf } from './support/route';
import { recordProtection } from './support/protection';
import { deploying } from './support/run-tools';
import { Failure, say, Stopped } from './support/say';
import { findToolchain, type Toolchain } from './support/toolchain';
import { hasVolume } from './support/volumes';

interface Options {
  readonly stack: string;
  /** Names of the old containers, where several could be meant. */
  readonly named: { readonly phoenix: string | undefined; readonly alloy: string | undefined };
  readonly yes: boolean;
  readonly json: boolean;
  /** This command. */
  readonly again: string;
}

interface Run extends Options {
  readonly tools: Toolchain;
  readonly pulumi: Pulumi;
  readonly engine: Engine;
  readonly interruption: Interruption;
}

main(adopt.action(async ({ stack, phoenix, alloy, yes, json }) => {
  const again = adoptCommand(stack, { phoenix, alloy });
  const chosen: Options = { stack, named: { phoenix, alloy }, yes, json, again };
  const { cacheRoot, withLock } = await laboratory();
  fs.mkdirSync(cacheRoot(), { recursive: true });
  await withLock(path.join(cacheRoot(), `adopt-${stack}.lock`), () => takeOver(chosen), {
    staleMs: 10_000,
    onWait: () => say(`Another adoption by stack ${stack} is under way; waiting for it to finish`),
  });
}));

async function takeOver(chosen: Options): Promise<void> {
  const { stack } = chosen;
  const tools = await findToolchain();
  // Commands in messages are for this machine.
  process.env[commandVariable] ??= tools.env[commandVariable] ?? 'pulumi';
  const pulumi = new Pulumi(tools, stack);
  await clearStaleLock(pulumi);
  await Interruption.during((interruption) => takenOverFrom({ ...chosen, tools, pulumi, interruption }));
}

/** From wherever an earlier run has left it. */
async function takenOverFrom(chosen: Omit<Run, 'engine'>): Promise<void> {
  const { stack, pulumi, interruption } = chosen;
  const { state, settings, takeBack } = await opened(pulumi, []);
  /** What fails before anything is taken over leaves no new stack behind. */
  const orTakeBack = <T>(work: Promise<T>): Promise<T> =>
    work.catch(async (error: unknown) => {
      // Where something of it is left, the next run removes that, and finds the stack.
      await takeBack().catch(() => undefined);
      throw error;
    });
  const engine = await orTakeBack(interruption.orStop(readyEngine(stack, settings, 'never', chosen.again)));
  const record = await orTakeBack(interruption.orStop(readRecord(engine, stack)));
  const standing = record !== undefined && (await stands(engine, stack, record));
  if (record?.phase === 'adopted' && standing) {
    already(chosen, record);
    return;
  }
  const run = { ...chosen, engine };
  const cutOff = record?.phase === 'switching' || (record?.phase === 'copied' && standing);
  const adoption = record && cutOff ? record : await orTakeBack(begun(run, record, state, settings));
  await goOn(run, adoption);
}

/** The CLI for deploying the stack, and what pulls its images. */
function prepared({ tools, engine, interruption, stack, yes, again }: Run, settings: Readonly<Record<string, string>>, state: StackState | undefined): ReturnType<typeof deploying> {
  return deploying({ tools, stack, settings, state, engine, interruption, consent: yes ? 'yes' : 'ask', again });
}

/** Whether an adoption still stands: the stack's data may have been removed since, or somebody may have gone back. */
async function stands(engine: Engine, stack: string, { alloy }: Adoption): Promise<boolean> {
  return (await hasVolume(engine, hostName('phoenix', stack, 'data'))) && !(await new Containers(engine).find(alloy))?.State.Running;
}

function already({ stack, json }: Options, record: Adoption): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ stack, changed: false })}\n`);
  }
  say(`Stack ${stack} has taken over from ${namesOf(record).join(' and ')} already.\n${leftText(stack, record)}`);
}

/** From nothing to a rehearsal that went well. @throws Failure with everything as it was before */
async function begun(run: Run, record: Adoption | undefined, state: StackState | undefined, config: Readonly<Record<string, string>>): Promise<Adoption> {
  const { pulumi, engine, stack, named, interruption, again } = run;
  if (record?.phase === 'rehearsing' && (await isRehearsal(engine, stack, record))) {
    say('An earlier run was cut off before it touched the old set-up: removing what it had made');
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
    throw new Refused('There are no ports for the stack to run beside the old set-up on. Nothing was changed.', ['ss -ltn']);
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
    // While somebody was asked, somebody else may have deployed the stack.
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

/** Whether what stands is the rehearsal that was cut off, and nobody has used it since: then it can be thrown away. */
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
  // Where the two cannot be compared nothing is known, and nothing is thrown away.
  const added = await data.added().catch(() => undefined);
  return added !== undefined && added.traces + added.spans + added.rows === 0;
}

/** Settings that the stack has from here on. */
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

/** From wherever it is to the end. @throws Failure that says how to go on; nothing is lost then */
async function goOn(run: Run, adoption: Adoption): Promise<void> {
  const { engine, stack, json, again } = run;
  try {
    // Of a run that was killed between one and the next.
    await removeRecords(engine, stack, phases.filter((phase) => phase !== adoption.phase));
    const gapMs = adoption.phase === 'switching' ? await takenOver(run, adoption) : undefined;
    const { outputs, counts, delivery } = await deployed(run, adoption);
    await writeRecord(engine, stack, { ...adoption, phase: 'adopted' });
    if (json) {
      process.stdout.write(`${JSON.stringify({ stack, changed: true, ...counts, gapMs: gapMs ?? null, endpoints: outputs.endpoints, ...delivery })}\n`);
    }
    say(outcomeText(stack, adoption, { counts, gapMs, endpoints: outputs.endpoints }));
    if (counts.kept) {
      say(`What the stack's Phoenix had taken while the adoption stood still is not shown; it is kept in ${keptFile} in volume ${outputs.volumes.phoenix}.`);
    }
    say(leftText(stack, adoption));
  } catch (error) {
    throw withWords(error, 'Nothing is lost: what applications send waits on disk until the adoption is complete. The next run goes on from here.', again);
  }
}

/**
 * The old services are stopped, their ports the stack's, their data in the new volume.
 * @returns milliseconds for which applications could not send, where that was in this run and is known
 */
async function takenOver({ pulumi, engine, stack, interruption }: Run, adoption: Adoption): Promise<number | undefined> {
  const containers = new Containers(engine);
  const { settings } = readSettings(await pulumi.settings(), projectName);
  // Nothing of it, where somebody has taken the stack down.
  const outputs = await pulumi.outputs<Partial<Outputs>>();
  const data = new Data(engine, stack, adoption.data);
  if ((await containers.find(adoption.alloy))?.State.Running) {
    // It hands over what it holds when it is stopped.
    await containers.start(adoption.phoenix);
    await ready(engine, adoption);
  }
  // What comes in is not for a database that is replaced.
  await containers.stop(hostName('phoenix', stack), graceSeconds);
  say(`The ports of ${adoption.alloy} go to ${hostName('alloy', stack)}`);
  const { containers: stands, internal } = outputs;
  const closedAt = Date.now();
  const { networks } = adoption;
  let gapMs: number | undefined;
  try {
    if (networks && (await containers.find(adoption.phoenix))?.State.Running) {
      // Versions before 20.23 forget what they have accepted when they are stopped: nothing may come in while it is stored.
      await containers.disconnect(adoption.phoenix, networks);
      await drained(engine, adoption);
    }
    gapMs = stands && internal ? await handOver({ engine, settings, outputs: { containers: stands, internal }, old: adoption.alloy }) : undefined;
    if (networks && gapMs !== undefined) {
      gapMs = Date.now() - closedAt;
    }
    // Without a stack nobody listens until there is one.
    await containers.stop(adoption.alloy, graceSeconds);
  } finally {
    // Whoever starts it again finds it as it was.
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

/** The stack as its settings say, with all of the old data in it and a trace that was read back. */
async function deployed(run: Run, adoption: Adoption): Promise<{ outputs: Outputs; counts: Found; delivery: { traceId: string; ms: number } }> {
  const { pulumi, engine, stack, interruption, again } = run;
  const containers = new Containers(engine);
  const name = hostName('alloy', stack);
  const alloy = await containers.find(name);
  if (alloy && !(await point(pulumi, 'alloy-server', alloy.Id))) {
    // The deployment would make another one of that name. What waits is in the volume.
    await containers.stop(name, graceSeconds);
    await containers.remove(name);
  }
  const state = await pulumi.state();
  await goOnFromCutOffRun(pulumi, engine, state, interruption.signal);
  const settings = await pulumi.settings();
  const deployment = await prepared(run, settings, state);
  await deployment.pull();
  // It stands still, on data that was not its own when it was made: nothing else about it has to be different.
  const phoenix = state?.resources?.find(({ urn }) => urn.endsWith('::phoenix-server'));
  const up = await deployment.pulumi.show(['up', ...commonArgs, '--yes', '--skip-preview', ...(phoenix ? ['--replace', phoenix.urn] : [])]);
  if (up.code !== 0) {
    (await lastWords(engine, `${projectName}/${stack}`)).forEach(say);
    throw pulumi.known(up) ?? new Failure('The stack did not come up on its own ports; what stopped it is above.');
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
    const text = `Of the old data ${amount(lost)} are not in volume ${data.volume}. They are in ${adoption.data.mount.source}, which is as it was.`;
    if (adoption.phase === 'switching') {
      throw new Failure(text);
    }
    // The stack may have been at work since an earlier run had copied them, and somebody may have deleted them there.
    say(text);
  }
  return { outputs, counts: await data.countNew(), delivery: { traceId, ms } };
}

/** The same failure, or end by a signal, with what it means for the two set-ups. */
function withWords(error: unknown, words: string, again: string): Failure {
  const text = `${error instanceof Error ? error.message : String(error)}\n${words}`;
  return error instanceof Stopped ? new Stopped(text, [again]) : new Failure(text, [again]);
}
