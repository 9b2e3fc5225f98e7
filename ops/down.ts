/**
 * `npm run down`: removes the stack and reports what stays; `--purge` asks and removes the data too.
 * The data stays, and in the state the secrets without which it cannot be read. If the engine no longer
 * exists, `--forget` removes everything that is elsewhere, and the stack.
 */
import { stackLabel } from '../components/names';
import { engineGet, remedies, type Engine } from '../engine';
import { down } from './commands';
import { removeRecords } from './support/adopt/record';
import { agreed, answerTo, consentOf, type Consent } from './support/ask';
import { main } from './support/command-line';
import { engineOf, isForbidden, whyNoEngine } from './support/docker';
import { choiceOf, engineIn } from './support/engine-choice';
import { forgetEngine } from './support/forget';
import { Interruption } from './support/interruption';
import { removeLeftovers } from './support/leftovers';
import { clearStaleLock } from './support/lock';
import { npmRun, projectName, typedName } from './support/project';
import { neededProviders } from './support/plugins';
import { isProtected, removeMark } from './support/protection';
import { Pulumi } from './support/pulumi';
import { storedIn } from './support/stack-parts';
import type { StackState } from './support/stack-state';
import { Failure, say, Stopped } from './support/say';
import { findToolchain, withPlugins, type Toolchain } from './support/toolchain';
import { removeVolume } from './support/volumes';

main(down.action(async ({ stack, purge, forget, yes }) => {
  const doing = purge ? `Deleting the data of stack ${stack}` : forget ? `Removing stack ${stack} without its Docker Engine` : `Removing stack ${stack}`;
  const consent = consentOf(yes, doing, npmRun('down', stack, ...(purge ? ['--purge'] : forget ? ['--forget'] : []), '--yes'));
  const tools = await findToolchain();
  const pulumi = new Pulumi(tools, stack);
  await clearStaleLock(pulumi);
  const state = await pulumi.state();
  if (!state) {
    throw new Failure(`There is no stack ${stack}.`, ['npm run pulumi -- stack ls']);
  }
  // The engine that the stack is on, whatever this shell would deploy to.
  const engine = engineIn(state) ?? engineOf(choiceOf(await pulumi.settings(), stack));
  const owner = `${projectName}/${stack}`;
  const reason = await whyNoEngine(engine);
  if (forget) {
    await forgotten({ tools, pulumi, state, engine, reason, consent });
    return;
  }
  if (reason !== undefined) {
    throw new Failure(`The Docker Engine at ${engine.host} does not answer: ${reason}. Nothing was removed.`, [
      ...remedies(engine, reason),
      ...(isForbidden(reason) ? [] : [`${npmRun('down', stack, '--forget')}   # if that engine no longer exists`]),
    ]);
  }
  const volumes = await dataVolumes(engine, owner);
  const kept = state.resources.filter(({ type, protect }) => protect && type === 'docker:index/volume:Volume').map(({ outputs }) => String(outputs?.['name'])).sort();
  // It may have been protected by another checkout, which this state does not know.
  const marked = purge && kept.length === 0 && (await isProtected(engine, stack)) ? volumes : kept;
  if (purge && marked.length > 0) {
    throw new Failure(`The data of stack ${stack} is protected (data:protect): ${marked.join(', ')}. Nothing was removed.`, [
      `npm run up -- --stack ${typedName(stack)} -c data:protect=false`,
      npmRun('down', stack, '--purge'),
    ]);
  }

  if (consent === 'ask' && !(await (purge ? named(stack, `This permanently deletes every trace of stack ${stack} (volumes ${volumes.join(', ') || 'none'}).`) : agreed(`Remove stack ${stack}? Its data stays. [y/N] `)))) {
    throw new Failure('Nothing was removed.');
  }
  // Somebody else runs it.
  const [database] = state.resources.flatMap(({ type, outputs }) => (type === 'docker:index/container:Container' ? storedIn(outputs ?? {}) : []));
  const besides = database === undefined ? '' : ` What Phoenix has stored in PostgreSQL, ${database}, stays there.`;
  await removeLeftovers(engine, owner, state);
  if (!purge) {
    await destroy(tools, pulumi, state, npmRun('down', stack), '--refresh', '--exclude-protected');
    say(volumes.length > 0
      ? `\nStack ${stack} is removed. Its data stays in the volumes ${volumes.join(', ')}; \`${npmRun('up', stack)}\` uses it again, \`${npmRun('down', stack, '--purge')}\` deletes it.${besides}`
      : `\nStack ${stack} is removed.${besides}`);
    return;
  }
  await Interruption.during(async (interruption) => {
    await purged(tools, pulumi, state, interruption);
    for (const volume of volumes) {
      await removeVolume(engine, volume);
    }
  });
  await removeRecords(engine, stack);
  await removeMark(engine, stack);
  say(`\nStack ${stack} and its data are removed.${besides}`);
}));

/** Removes the stack with the secrets of its data. If something stays, they stay protected: the next run may keep the data. */
async function purged(tools: Toolchain, pulumi: Pulumi, state: StackState, interruption: Interruption): Promise<void> {
  const { stack } = pulumi;
  let freed = state.resources.filter(({ protect }) => protect).map(({ urn }) => urn);
  try {
    await pulumi.must(['state', 'unprotect', '--all', '--yes'], 'removing the protection of the secrets').catch((error: unknown) => {
      freed = error instanceof Stopped ? freed : [];
      throw error;
    });
    interruption.check('Stopped. Nothing was removed.');
    await destroy(tools, pulumi, state, npmRun('down', stack, '--purge'), '--refresh');
  } catch (error) {
    if (freed.length > 0) {
      const left = (await pulumi.state())?.resources.map(({ urn }) => urn) ?? [];
      await pulumi.protection('protect', freed.filter((urn) => left.includes(urn)));
    }
    throw error;
  }
}

/** Removes what is not on the engine, then the stack. @throws Failure if the engine exists: what runs on it would stay there */
async function forgotten({ tools, pulumi, state, engine, reason, consent }: {
  readonly tools: Toolchain;
  readonly pulumi: Pulumi;
  readonly state: StackState;
  readonly engine: Engine;
  readonly reason: string | undefined;
  readonly consent: Consent;
}): Promise<void> {
  const { stack } = pulumi;
  if (reason === undefined) {
    throw new Failure(`The Docker Engine at ${engine.host} answers, so the stack can be removed from it. Nothing was removed.`, [npmRun('down', stack)]);
  }
  if (isForbidden(reason)) {
    throw new Failure(`The Docker Engine at ${engine.host} is running, but you are not allowed to use it: ${reason}. Nothing was removed.`, remedies(engine, reason));
  }
  const what = `The Docker Engine at ${engine.host} does not answer: ${reason}. This permanently removes stack ${stack} from the state, with the keys and secrets of its data. What is on that engine stays there.`;
  if (consent === 'ask' && !(await named(stack, what))) {
    throw new Failure('Nothing was removed.');
  }
  await forgetEngine(pulumi);
  await destroy(tools, pulumi, state, npmRun('down', stack, '--forget'));
  await pulumi.must(['stack', 'rm', '--yes', '--preserve-config'], 'removing the stack from the state');
  say(`\nStack ${stack} is removed from the state; its settings stay. What is on the Docker Engine at ${engine.host} was not touched.`);
}

/** @param again the command that continues if not everything could be removed */
async function destroy(tools: Toolchain, { stack }: Pulumi, { resources }: StackState, again: string, ...args: readonly string[]): Promise<void> {
  const equipped = new Pulumi(await withPlugins(tools, { plugins: neededProviders([], resources) }), stack);
  const { code, stopped } = await equipped.show(['destroy', '--yes', '--non-interactive', ...args]);
  if (code !== 0) {
    if (stopped) {
      throw new Stopped('Stopped. The next run continues from here.', [again]);
    }
    throw new Failure('Not everything was removed; the reason is above. The next run continues from here.', [again]);
  }
}

/** Volumes of the stack that outlive it, found by their label: the stack may already be removed. */
async function dataVolumes(engine: Engine, owner: string): Promise<string[]> {
  const filter = encodeURIComponent(JSON.stringify({ label: [`${stackLabel}=${owner}`] }));
  const { Volumes } = await engineGet<{ Volumes: { Name: string }[] | null }>(engine, `/volumes?filters=${filter}`);
  return (Volumes ?? []).map(({ Name }) => Name).filter((name) => name.endsWith('-data')).sort();
}

/** Whether the person has typed the stack's name: a yes is typed too quickly for something that cannot be undone. */
async function named(stack: string, what: string): Promise<boolean> {
  const answer = await answerTo(`${what} Type the name of the stack to continue: `);
  return answer?.trim() === stack;
}
