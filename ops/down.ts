/**
 * `npm run down`: removes the stack and says what stays; `--purge` asks and removes the data too.
 * What stays is the data and the secrets without which it cannot be read: these stay in the state.
 */
import { stackLabel } from '../components/catalog';
import { engineGet, remedies, type Engine } from '../engine';
import { down } from './commands';
import { removeRecords } from './support/adopt/record';
import { agreed, answerTo, consentOf } from './support/ask';
import { main } from './support/command-line';
import { engineOf, whyNoEngine } from './support/docker';
import { choiceOf, engineIn } from './support/engine-choice';
import { removeLeftovers } from './support/leftovers';
import { clearStaleLock } from './support/lock';
import { npmRun, projectName, typedName } from './support/project';
import { neededProviders } from './support/plugins';
import { Pulumi } from './support/pulumi';
import { Failure, say } from './support/say';
import { findToolchain, withPlugins } from './support/toolchain';
import { removeVolume } from './support/volumes';

main(down.action(async ({ stack, purge, yes }) => {
  const consent = consentOf(yes, purge ? `Deleting the data of stack ${stack}` : `Removing stack ${stack}`, npmRun('down', stack, ...(purge ? ['--purge'] : []), '--yes'));
  const tools = await findToolchain();
  const pulumi = new Pulumi(tools, stack);
  await clearStaleLock(pulumi);
  const state = await pulumi.state();
  if (!state) {
    throw new Failure(`There is no stack ${stack}.`, ['npm run pulumi -- stack ls']);
  }
  // Where the stack is, whatever this shell would deploy to.
  const engine = engineIn(state) ?? engineOf(choiceOf(await pulumi.settings(), stack));
  const owner = `${projectName}/${stack}`;
  const reason = await whyNoEngine(engine);
  if (reason !== undefined) {
    throw new Failure(`The Docker Engine at ${engine.host} does not answer: ${reason}. Nothing was removed.`, remedies(engine, reason));
  }
  const volumes = await dataVolumes(engine, owner);
  const kept = state.resources.filter(({ type, protect }) => protect && type === 'docker:index/volume:Volume').map(({ outputs }) => String(outputs?.['name'])).sort();
  if (purge && kept.length > 0) {
    throw new Failure(`The data of stack ${stack} is protected (data:protect): ${kept.join(', ')}. Nothing was removed.`, [
      `npm run up -- --stack ${typedName(stack)} -c data:protect=false`,
      npmRun('down', stack, '--purge'),
    ]);
  }

  if (consent === 'ask' && !(await (purge ? named(stack, volumes) : agreed(`Remove stack ${stack}? Its data stays. [y/N] `)))) {
    throw new Failure('Nothing was removed.');
  }
  await removeLeftovers(engine, owner, state);
  if (purge) {
    await pulumi.must(['state', 'unprotect', '--all', '--yes'], 'giving up the secrets of the data');
  }
  const equipped = new Pulumi(await withPlugins(tools, { plugins: neededProviders([], state.resources) }), stack);
  const { code } = await equipped.show(['destroy', '--refresh', '--yes', '--non-interactive', ...(purge ? [] : ['--exclude-protected'])]);
  if (code !== 0) {
    throw new Failure('Not all of it could be removed; the reason is above. The next run goes on from here.', [npmRun('down', stack)]);
  }
  if (!purge) {
    say(volumes.length > 0
      ? `\nStack ${stack} is removed. Its data stays in the volumes ${volumes.join(', ')}; \`${npmRun('up', stack)}\` takes it up again, \`${npmRun('down', stack, '--purge')}\` deletes it.`
      : `\nStack ${stack} is removed.`);
    return;
  }
  for (const volume of volumes) {
    await removeVolume(engine, volume);
  }
  await removeRecords(engine, stack);
  say(`\nStack ${stack} and its data are removed.`);
}));

/** Volumes of the stack that outlive it, found by their label: the stack may be gone already. */
async function dataVolumes(engine: Engine, owner: string): Promise<string[]> {
  const filter = encodeURIComponent(JSON.stringify({ label: [`${stackLabel}=${owner}`] }));
  const { Volumes } = await engineGet<{ Volumes: { Name: string }[] | null }>(engine, `/volumes?filters=${filter}`);
  return (Volumes ?? []).map(({ Name }) => Name).filter((name) => name.endsWith('-data')).sort();
}

/** Whether the person has typed the stack's name: a yes is said too fast for what cannot be undone. */
async function named(stack: string, volumes: readonly string[]): Promise<boolean> {
  const answer = await answerTo(`This deletes every trace of stack ${stack} (volumes ${volumes.join(', ') || 'none'}) for good. Type the stack's name to go on: `);
  return answer?.trim() === stack;
}
