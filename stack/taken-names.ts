import { hostNames, shortName } from '../components/names';
import type { Problem } from '../settings/problem';
import type { Settings } from '../settings/keys';
import { isOf, origin, type Named } from './found';

/**
 * Objects that do not belong to this stack but have a name that it needs. Docker refuses the name of a container halfway
 * through a deployment, and silently uses an existing volume, whatever it contains.
 */
export function takenNames(settings: Settings, owner: string, found: Readonly<Record<'container' | 'volume' | 'network', readonly Named[]>>): Problem[] {
  const stack = shortName(owner);
  const wanted = hostNames(stack, settings['edge:central'] !== undefined);
  return (['container', 'volume', 'network'] as const).flatMap((kind) =>
    found[kind].filter((one) => wanted[kind].includes(one.Name) && !isOf(owner, one)).map((one) => ({
      key: 'stack',
      value: stack,
      rule: `${kind} ${one.Name}${origin(one)} has a name that this stack needs; give the stack a different name${kind === 'container' ? ', or the container' : ''}`,
      mend: ['npm run up -- --stack OTHER_NAME', ...(kind === 'container' ? [`docker rename ${one.Name} ${one.Name}-old`] : [])],
    })));
}
