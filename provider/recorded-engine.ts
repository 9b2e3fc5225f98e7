import { at, chooseEngine, type Engine } from '../engine';

/**
 * The engine that a resource was created on. A state of the first version of this program has the text of `docker:host`
 * there, which was empty for the engine of the environment.
 */
export const recordedEngine = (recorded: Engine | string): Engine =>
  typeof recorded !== 'string' ? recorded : recorded === '' ? chosen() : at(recorded);

/** @throws Error if it is ambiguous: a different one must not be used instead */
function chosen(): Engine {
  const { engine, problems: [problem] } = chooseEngine({});
  if (problem) {
    const { key, value, rule, mend } = problem;
    throw new Error([`${key}${value === undefined ? '' : ` is '${value}'`}: ${rule}.`, ...mend.map((command) => `    ${command}`)].join('\n'));
  }
  return engine;
}
