import type { EngineCheckInputs } from '../components/observability-contract';
import type { Problem } from '../settings/problem';
import { infoCommand, type Engine } from '../engine';
import type { Kind } from './resource';

/**
 * Keeps a stack on its engine. A different address alone is no different engine (a socket and ssh lead to the same one), and a
 * different ID at the same address is a reinstalled one: only both together mean a different engine.
 */
export const engineCheck = (): Kind<EngineCheckInputs, EngineCheckInputs> => ({
  check: ({ engine, engineId }, before) =>
    Promise.resolve(before === undefined || engine.host === before.engine.host || (engineId !== '' && engineId === before.engineId) ? [] : [moved(before.engine, engine)]),
  // If its ID was not read, it counts as unchanged.
  same: (before, after) => after.engineId === '' && before.engine.host === after.engine.host,
  create: (inputs) => Promise.resolve(inputs),
  update: (_, inputs) => Promise.resolve(inputs),
});

function moved(from: Engine, to: Engine): Problem {
  return {
    key: 'docker:host',
    value: to.host,
    rule: `the stack runs on the Docker Engine at ${from.host}, which is not this one; its containers and its data would stay there, and this deployment would treat them as deleted`,
    mend: [
      `pulumi config set docker:host ${from.host}   # stay there`,
      `pulumi destroy --exclude-protected   # remove it there first, then deploy here`,
      `${infoCommand(from)}   # when that one no longer exists:`,
      'pulumi stack rm --force --preserve-config',
    ],
  };
}
