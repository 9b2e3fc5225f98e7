/**
 * `npm run adopt`: a stack takes over from a Phoenix and an Alloy in docker-compose or `docker run`, with all of their data.
 *
 * 1. Rehearsal (support/adopt/beginning.ts): the stack runs beside the old setup, on other ports and with a copy of the data.
 * 2. The ports of applications move to the stack's Alloy, while its Phoenix is stopped: new data waits on disk (switching.ts).
 * 3. The old Phoenix stores what it has accepted and is stopped; its data replaces the copy (switching.ts).
 * 4. The stack is deployed on its own ports, and verified (deployment.ts).
 *
 * If it is interrupted anywhere, it continues when it is run again: support/adopt/record.ts says from where.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { hostName } from '../components/names';
import type { Engine } from '../engine';
import { commandVariable } from '../settings/problem';
import { adopt } from './commands';
import { begun } from './support/adopt/beginning';
import { Containers } from './support/adopt/containers';
import { keptFile } from './support/adopt/data';
import { deployed } from './support/adopt/deployment';
import { adoptCommand } from './support/adopt/old-setup';
import { leftText, namesOf, outcomeText } from './support/adopt/plan';
import { phases, readRecord, removeRecords, writeRecord, type Adoption } from './support/adopt/record';
import { withWords, type Options, type Run } from './support/adopt/run';
import { takenOver } from './support/adopt/switching';
import { main } from './support/command-line';
import { opened, readyEngine } from './support/deploy';
import { Interruption } from './support/interruption';
import { laboratory } from './support/lab';
import { clearStaleLock } from './support/lock';
import { Pulumi } from './support/pulumi';
import { say } from './support/say';
import { findToolchain } from './support/toolchain';
import { hasVolume } from './support/volumes';

main(adopt.action(async ({ stack, phoenix, alloy, yes, json }) => {
  const again = adoptCommand(stack, { phoenix, alloy });
  const chosen: Options = { stack, named: { phoenix, alloy }, yes, json, again };
  const { cacheRoot, withLock } = await laboratory();
  fs.mkdirSync(cacheRoot(), { recursive: true });
  await withLock(path.join(cacheRoot(), `adopt-${stack}.lock`), () => takeOver(chosen), {
    staleMs: 10_000,
    onWait: () => say(`Another adoption by stack ${stack} is in progress; waiting for it to finish`),
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

/** Starts from wherever an earlier run has stopped. */
async function takenOverFrom(chosen: Omit<Run, 'engine'>): Promise<void> {
  const { stack, pulumi, interruption } = chosen;
  const { state, settings, takeBack } = await opened(pulumi, []);
  /** A failure before anything is taken over leaves no new stack behind. */
  const orTakeBack = <T>(work: Promise<T>): Promise<T> =>
    work.catch(async (error: unknown) => {
      // If something of it remains, the next run finds the stack and removes it.
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

/** Whether an adoption is still in effect: the stack's data may have been removed since, or the old setup restored. */
async function stands(engine: Engine, stack: string, { alloy }: Adoption): Promise<boolean> {
  return (await hasVolume(engine, hostName('phoenix', stack, 'data'))) && !(await new Containers(engine).find(alloy))?.State.Running;
}

function already({ stack, json }: Options, record: Adoption): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ stack, changed: false })}\n`);
  }
  say(`Stack ${stack} has already taken over from ${namesOf(record).join(' and ')}.\n${leftText(stack, record)}`);
}

/** Continues from any phase to the end. @throws Failure that says how to continue; nothing is lost then */
async function goOn(run: Run, adoption: Adoption): Promise<void> {
  const { engine, stack, json, again } = run;
  try {
    // Records left by a run that was killed between two of them.
    await removeRecords(engine, stack, phases.filter((phase) => phase !== adoption.phase));
    const gapMs = adoption.phase === 'switching' ? await takenOver(run, adoption) : undefined;
    const { outputs, counts, delivery } = await deployed(run, adoption);
    await writeRecord(engine, stack, { ...adoption, phase: 'adopted' });
    if (json) {
      process.stdout.write(`${JSON.stringify({ stack, changed: true, ...counts, gapMs: gapMs ?? null, endpoints: outputs.endpoints, ...delivery })}\n`);
    }
    say(outcomeText(stack, adoption, { counts, gapMs, endpoints: outputs.endpoints }));
    if (counts.kept) {
      say(`What the stack's Phoenix received while the adoption was interrupted is not shown; it is in ${keptFile} in volume ${outputs.volumes.phoenix}.`);
    }
    say(leftText(stack, adoption));
  } catch (error) {
    throw withWords(error, 'Nothing is lost: what applications send waits on disk until the adoption is complete. The next run continues from here.', again);
  }
}
