/**
 * What the commands that deploy a stack have in common: finding it, its engine, and going on from a run that was cut off.
 */
import type { Engine } from '../../engine';
import type { Consent } from './ask';
import { ensureEngine } from './docker';
import { choiceOf } from './engine-choice';
import { removeLeftovers } from './leftovers';
import { clearStaleLock } from './lock';
import { projectName, readStackFile, writeStackFile } from './project';
import { settingsOf } from './preview/workspace';
import type { Pulumi, StackState } from './pulumi';
import { rotation, type Rotation } from './rotation';
import { Failure, say, Stopped } from './say';

/** A failure before anything was changed. */
export class Refused extends Failure {}

/**
 * --refresh: what somebody removed or stopped by hand is put back. The outputs are for programs; what a person needs of them
 * is in the summary at the end.
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
  /** Where nothing was deployed, a stack that was not there before goes again, and its file is as it was. */
  readonly takeBack: () => Promise<void>;
}

/** State and settings of the stack, which is made if it is new. Each is a run of the CLI, so they run side by side. */
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
    // One that could not be made may be somebody else's by now; one that somebody has stopped may be there all the same.
    if (isMade || error instanceof Stopped) {
      await takeBack();
    }
    throw error;
  }
}

/** Makes a stack that is not there yet, without resources. */
export async function makeStack(pulumi: Pulumi): Promise<void> {
  say(`Stack ${pulumi.stack}: new`);
  forgetSalt(pulumi.stack);
  await pulumi.init();
}

/**
 * What a stack file says of the passphrase of a stack that is gone, where nothing in it is encrypted: the new stack has
 * a passphrase of its own.
 */
function forgetSalt(stack: string): void {
  const file = readStackFile(stack);
  if (file !== undefined && /^encryptionsalt:/m.test(file) && !/^\s+secure:/m.test(file)) {
    writeStackFile(stack, file.replace(/^encryptionsalt:.*\n?/m, ''));
  }
}

/**
 * The stack's Docker Engine, which answers.
 * @param consent whether one may be installed or started
 * @param again the command that goes on once a person has done that
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

/** Removes the lock of a killed run and what it had half made. */
export async function goOnFromCutOffRun(pulumi: Pulumi, engine: Engine, read: StackState | undefined, stop?: AbortSignal): Promise<void> {
  const state = (await clearStaleLock(pulumi, stop ? { stop } : {})) ? await pulumi.state() : read;
  await removeLeftovers(engine, `${projectName}/${pulumi.stack}`, state);
  if (state?.pending.length) {
    const names = state.pending.map(({ urn }) => urn.split('::').at(-1)).join(', ');
    say(`A previous run was interrupted at ${names}; resuming`);
    await pulumi.must(['refresh', '--yes', '--clear-pending-creates'], 'repairing the state');
  }
}
