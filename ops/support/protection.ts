/**
 * The marker of protected data (`data:protect`) on the Docker host: an empty volume beside the data, which every checkout finds
 * there. A label on the data volumes would not work: the docker provider replaces a volume whose labels change.
 */
import { hostName } from '../../components/names';
import { engineMessage, engineRequest, type Engine } from '../../engine';
import { projectName } from './project';
import { Failure } from './say';
import { hasVolume, removeVolume } from './volumes';

/** Not the label of a stack's own resources: the marker is for stacks that are deployed later. */
const label = 'llm-observability.protect';
const markOf = (stack: string): string => hostName('protected', stack);

/** Whether the data of a stack on this engine is protected, by any checkout. */
export const isProtected = (engine: Engine, stack: string): Promise<boolean> => hasVolume(engine, markOf(stack));

/**
 * Sets the marker of a stack that was deployed with these settings, or removes it if they say that the data is not protected.
 * If they do not say, the marker stays unchanged: it may be from a checkout that does.
 */
export async function recordProtection(engine: Engine, stack: string, settings: Readonly<Record<string, string>>): Promise<void> {
  if (settings['data:protect'] === 'true') {
    const answer = await engineRequest(engine, 'POST', '/volumes/create', { body: { Name: markOf(stack), Labels: { [label]: `${projectName}/${stack}` } } });
    if (answer.status >= 400) {
      throw new Failure(`Volume ${markOf(stack)}, which marks the data of stack ${stack} as protected, could not be created: ${engineMessage(answer)}.`, ['docker system df']);
    }
  } else if (settings['data:protect'] === 'false') {
    await removeMark(engine, stack);
  }
}

export const removeMark = (engine: Engine, stack: string): Promise<void> => removeVolume(engine, markOf(stack), `, which marks the data of stack ${stack} as protected,`);
