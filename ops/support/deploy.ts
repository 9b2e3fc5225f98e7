/**
 * What the commands that deploy a stack have in common: finding it, its engine, and going on from a run that was cut off.
 */
import { createInterface } from 'node:readline/promises';
import { engineHost } from '../../components/engine';
import { ensureEngine } from './docker';
import { removeLeftovers } from './leftovers';
import { clearStaleLock } from './lock';
import { projectName, readStackFile } from './project';
import type { Pulumi, StackState } from './pulumi';
import { rotation, type Rotation } from './rotation';
import { Failure, say } from './say';

/** A failure before anything was changed. */
export class Refused extends Failure {}

/** --refresh: what somebody removed or stopped by hand is put back. */
export function commonArgs(stack: string): string[] {
  return ['--stack', stack, '--refresh', '--non-interactive'];
}

/** Settings for a run of the CLI, which stores them in the stack file. */
export function configArgs(config: Readonly<Record<string, string>>): string[] {
  return Object.entries(config).flatMap(([key, value]) => ['--config', `${key}=${value}`]);
}

/** State and settings of the stack, which is made if it is new. Each is a run of the CLI, so they run side by side. */
export async function opened(pulumi: Pulumi, rotate: readonly string[]): Promise<{ state: StackState | undefined; settings: Record<string, string>; rotated: Rotation }> {
  const hasFile = readStackFile(pulumi.stack) !== undefined;
  const [state, settings] = await Promise.all([pulumi.state(), hasFile ? pulumi.settings().catch(() => undefined) : {}]);
  const rotated = rotation(rotate, state, pulumi.stack);
  if (!state) {
    say(`Stack ${pulumi.stack}: new`);
    await pulumi.init();
  }
  return { state, settings: settings ?? (await pulumi.settings()), rotated };
}

/** Address of the stack's Docker Engine, which answers. */
export async function readyEngine(settings: Readonly<Record<string, string>>): Promise<string> {
  const host = engineHost(settings['docker:host']);
  try {
    await ensureEngine(host);
  } catch (error) {
    throw error instanceof Failure ? new Refused(error.message) : error;
  }
  return host;
}

/** Removes the lock of a killed run and what it had half made. */
export async function goOnFromCutOffRun(pulumi: Pulumi, host: string, read: StackState | undefined): Promise<void> {
  const state = (await clearStaleLock(pulumi)) ? await pulumi.state() : read;
  await removeLeftovers(host, `${projectName}/${pulumi.stack}`, state);
  if (state?.pending.length) {
    const names = state.pending.map(({ urn }) => urn.split('::').at(-1)).join(', ');
    say(`An earlier run was cut off in the middle of ${names}; going on from there`);
    await pulumi.must(['refresh', '--stack', pulumi.stack, '--yes', '--clear-pending-creates'], 'putting the state right');
  }
}

export async function agreed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(question);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
