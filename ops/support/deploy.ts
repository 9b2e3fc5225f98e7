/**
 * What the commands that deploy a stack have in common: finding it, its engine, and recovering from an interrupted run.
 */
import type { Engine } from '../../engine';
import type { Consent } from './ask';
import { ensureEngine } from './docker';
import { choiceOf } from './engine-choice';
import { removeLeftovers } from './leftovers';
import { clearStaleLock } from './lock';
import { projectName, readStackFile, writeStackFile } from './project';
import { settingsOf } from './preview/workspace';
import type { Pulumi } from './pulumi';
import type { StackState } from './stack-state';
import { rotation, type Rotation } from './rotation';
import { Failure, say, Stopped } from './say';

/** A failure before anything was changed. */
export class Refused extends Failure {}

/**
 * --refresh: what somebody removed or stopped by hand is restored. The outputs are for programs; people get what they need in
 * the summary at the end.
 */
export const commonArgs: readonly string[] = ['--refresh', '--non-interactive', '--suppress-outputs'];

/** Settings for a run of the CLI, which stores them in the stack file. */
export function configArgs(config: Readonly<Record<string, string>>): string[] {
  return Object.entries(config).flatMap(([key, value]) => ['--config', `${key}=${value}`]);
}

interface Opened {
  readonly state: StackState | undefined;
  readonly settings: Record<string, string>;
  readonly rotated: Rotation;
  /** If nothing was deployed, a new stack is removed again, and its file is restored. */
  readonly takeBack: () => Promise<void>;
}

/** State and settings of the stack, which is created if it is new. Each is a run of the CLI, so they run in parallel. */
export async function opened(pulumi: Pulumi, rotate: readonly string[]): Promise<Opened> {
  const before = readStackFile(pulumi.stack);
  const hasFile = readStackFile(pulumi.stack) !== undefined;
  const [state, settings] = await Promise.all([pulumi.state(), hasFile ? pulumi.settings().catch(() => undefined) : {}]);
  const rotated = rotation(rotate, state, pulumi.stack, rotate.length > 0 ? Object.keys(settingsOf(pulumi.stack).config ?? {}) : []);
  const takeBack = async (): Promise<void> => {
    if (!state) {
      await pulumi.remove();
      writeStackFile(pulumi.stack, before);
    }
  };
  let isMade = false;
  try {
    if (!state) {
      await makeStack(pulumi);
      isMade = true;
    }
    return { state, settings: settings ?? (await pulumi.settings()), rotated, takeBack };
  } catch (error) {
    // A stack that could not be created may be somebody else's by now; one whose creation was interrupted may still have been
    // created.
    if (isMade || error instanceof Stopped) {
      await takeBack();
    }
    throw error;
  }
}

/** Creates a stack that does not exist yet, without resources. */
export async function makeStack(pulumi: Pulumi): Promise<void> {
  say(`Stack ${pulumi.stack}: new`);
  forgetSalt(pulumi.stack);
  await pulumi.init();
}

/**
 * The passphrase salt of a removed stack in its stack file, if nothing in the file is encrypted: the new stack has its own.
 */
function forgetSalt(stack: string): void {
  const file = readStackFile(stack);
  if (file !== undefined && /^encryptionsalt:/m.test(file) && !/^\s+secure:/m.test(file)) {
    writeStackFile(stack, file.replace(/^encryptionsalt:.*\n?/m, ''));
  }
}

/**
 * The stack's Docker Engine, which responds.
 * @param consent whether one may be installed or started
 * @param again the command to run again once a person has done that
 */
export async function readyEngine(stack: string, settings: Readonly<Record<string, string>>, consent: Consent, again: string): Promise<Engine> {
  const choice = choiceOf(settings, stack);
  try {
    await ensureEngine(choice, consent, again);
  } catch (error) {
    throw error instanceof Failure ? new Refused(error.message) : error;
  }
  return choice.engine;
}

/** Removes the lock of a killed run and resources that it had only partly created. */
export async function goOnFromCutOffRun(pulumi: Pulumi, engine: Engine, read: StackState | undefined, stop?: AbortSignal): Promise<void> {
  const state = (await clearStaleLock(pulumi, stop ? { stop } : {})) ? await pulumi.state() : read;
  await removeLeftovers(engine, `${projectName}/${pulumi.stack}`, state);
  if (state?.pending.length) {
    const names = state.pending.map(({ urn }) => urn.split('::').at(-1)).join(', ');
    say(`A previous run was interrupted at ${names}; resuming`);
    await pulumi.must(['refresh', '--yes', '--clear-pending-creates'], 'repairing the state');
  }
}
