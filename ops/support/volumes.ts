/** Volumes of a Docker host. */
import { hostName } from '../../components/names';
import { engineMessage, engineRequest, type Engine } from '../../engine';
import { Failure } from './say';

/** Names of the volumes of a stack that hold data that cannot be recreated. */
export const dataVolumes = (stack: string): string[] => [hostName('phoenix', stack, 'data'), hostName('alloy', stack, 'data'), hostName('journal', stack, 'data'), hostName('prometheus', stack, 'data'), hostName('victorialogs', stack, 'data'), hostName('grafana', stack, 'data')];

export async function hasVolume(engine: Engine, name: string): Promise<boolean> {
  return (await engineRequest(engine, 'GET', `/volumes/${name}`)).status === 200;
}

/**
 * A volume that does not exist is no error.
 * @param aside remark about the volume, after its name
 * @throws Failure with the engine's words
 */
export async function removeVolume(engine: Engine, name: string, aside = ''): Promise<void> {
  const answer = await engineRequest(engine, 'DELETE', `/volumes/${name}`);
  if (answer.status >= 400 && answer.status !== 404) {
    throw new Failure(`Volume ${name}${aside} could not be removed: ${engineMessage(answer)}.`, [`docker volume rm ${name}`]);
  }
}
