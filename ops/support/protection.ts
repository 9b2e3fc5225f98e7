/**
 * The mark of protected data (`data:protect`) on the Docker host: an empty volume beside the data, which every checkout finds there. A
 * label on the data volumes would not do: the docker provider replaces a volume whose labels change.
 */
import { hostName } from '../../components/names';
import { engineMessage, engineRequest, type Engine } from '../../engine';
import { projectName } from './project';
import { Failure } from './say';
import { hasVolume, removeVolume } from './volumes';

/** Not the label of what a stack is made of: the mark is there for the stacks that come after it. */
const label = 'llm-observability.protect';
const markOf = (stack: string): string => hostName('protected', stack);

/** Whether the data of a stack on this engine is protected, by whichever checkout. */
export const isProtected = (engine: Engine, stack: string): Promise<boolean> => hasVolume(engine, markOf(stack));

/**
 * Marks the data of a stack that was deployed with these settings, or takes the mark away where they say that it is not
 * protected. Where they say nothing, the mark stays as it is: it may be that of a checkout that does.
 */
export async function recordProtection(engine: Engine, stack: string, settings: Readonly<Record<string, string>>): Promise<void> {
  if (settings['data:protect'] === 'true') {
    const answer = await engineRequest(engine, 'POST', '/volumes/create', { body: { Name: markOf(stack), Labels: { [label]: `${projectName}/${stack}` } } });
    if (answer.status >= 400) {
      throw new Failure(`Volume ${markOf(stack)}, which marks the data of stack ${stack} as protected, could not be made: ${engineMessage(answer)}.`, ['docker system df']);
    }
  } else if (settings['data:protect'] === 'false') {
    await removeMark(engine, stack);
  }
}

export const removeMark = (engine: Engine, stack: string): Promise<void> => removeVolume(engine, markOf(stack), `, which marks the data of stack ${stack} as protected,`);
