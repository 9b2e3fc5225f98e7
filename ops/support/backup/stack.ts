/** What backup and restore need to know of a stack. */
import { secretsFile } from '../../../components/phoenix-start';
import { engineRequest, engineMessage, remedies, type Engine } from '../../../engine';
import { onlyFile } from '../adopt/alloy-config';
import { Containers } from '../adopt/containers';
import { whyNoEngine, engineOf } from '../docker';
import { choiceOf, engineIn } from '../engine-choice';
import { clearStaleLock } from '../lock';
import { isEdge, type EdgeOutputs, type Outputs } from '../outputs';
import { npmRun } from '../project';
import type { Pulumi } from '../pulumi';
import { Failure } from '../say';
import type { Secrets } from './file';

export interface Deployed {
  readonly engine: Engine;
  readonly outputs: Outputs;
  /** ID of Phoenix's image. */
  readonly image: string;
  readonly secrets: Secrets;
  /** Whether Phoenix runs. */
  readonly running: boolean;
}

/** @throws Failure if there is nothing to back up, or the engine does not answer */
export async function deployedStack(pulumi: Pulumi): Promise<Deployed> {
  const { stack } = pulumi;
  await clearStaleLock(pulumi);
  const state = await pulumi.state();
  const outputs: Partial<Outputs | EdgeOutputs> = state && state.resources.length > 0 ? await pulumi.outputs() : {};
  if (!state || !outputs.endpoints) {
    throw new Failure(`Stack ${stack} is not deployed.`, [npmRun('up', stack)]);
  }
  const whole = outputs as Outputs | EdgeOutputs;
  if (isEdge(whole)) {
    throw new Failure(`Stack ${stack} has no database: it sends to stack ${whole.central.stack}.`, [npmRun('backup', whole.central.stack)]);
  }
  if (whole.containers.database !== undefined) {
    throw new Failure(`Stack ${stack} has its traces in a PostgreSQL (phoenix:database), which this command does not copy or replace.`, ['pg_dump --format=custom --file=phoenix.dump "$DATABASE_URL"   # with the address of phoenix:database; pg_restore reads it']);
  }
  const engine = engineIn(state) ?? engineOf(choiceOf(await pulumi.settings(), stack));
  const reason = await whyNoEngine(engine);
  if (reason !== undefined) {
    throw new Failure(`The Docker Engine at ${engine.host} does not answer: ${reason}.`, remedies(engine, reason));
  }
  const { phoenix } = whole.containers;
  const found = await new Containers(engine).find(phoenix);
  if (!found) {
    throw new Failure(`Container ${phoenix} does not exist.`, [npmRun('up', stack)]);
  }
  return { engine, outputs: whole, image: String((found as unknown as { Image: string }).Image), secrets: await secretsOf(engine, phoenix), running: found.State.Running };
}

/** The secrets that Phoenix was started with; its container may be stopped. */
async function secretsOf(engine: Engine, phoenix: string): Promise<Secrets> {
  const answer = await engineRequest(engine, 'GET', `/containers/${phoenix}/archive?path=${encodeURIComponent(secretsFile)}`);
  const text = answer.status === 200 ? onlyFile(answer.body) : undefined;
  if (text === undefined) {
    throw new Failure(`The secrets of ${phoenix} cannot be read: ${answer.status === 200 ? 'there is no such file' : engineMessage(answer)}.`);
  }
  const { PHOENIX_SECRET } = JSON.parse(text) as Secrets;
  return { PHOENIX_SECRET };
}
