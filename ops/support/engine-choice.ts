import { chooseEngine, type Choice, type Engine } from '../../engine';
import type { Problem } from '../../settings/problem';
import { readSettings } from '../../settings/settings';
import { projectName, typedName } from './project';
import type { StackState } from './stack-state';

/** The CLI may not be on PATH, and it uses the selected stack. */
const forStack = (command: string, stack: string): string => command.replace(/^pulumi (.*?)(   # .*)?$/, `npm run pulumi -- $1 --stack ${typedName(stack)}$2`);

/**
 * The engine that a stack with these settings is deployed to, as the program selects it.
 * @param settings text by key; other keys are ignored
 */
export function choiceOf(settings: Readonly<Record<string, string>>, stack: string): Choice {
  // Whether a secret is stored as one is checked by the program.
  const read = engineSettings(settings, () => true);
  const choice = chooseEngine(read.settings);
  return { ...choice, problems: inCommands([...read.problems, ...choice.problems], stack) };
}

/**
 * What is wrong with the settings of the engine as written, without contacting an engine or reading a file.
 * @param settings text by key; other keys are ignored
 */
export function engineProblems(settings: Readonly<Record<string, string>>, stack: string): Problem[] {
  return inCommands(engineSettings(settings, () => false).problems, stack);
}

function engineSettings(settings: Readonly<Record<string, string>>, isSecret: (key: string) => boolean): ReturnType<typeof readSettings> {
  const own = Object.fromEntries(Object.entries(settings).filter(([key]) => key.startsWith('docker:')));
  const read = readSettings(own, projectName, isSecret);
  return { ...read, problems: read.problems.filter(({ key }) => key.startsWith('docker:')) };
}

const inCommands = (problems: readonly Problem[], stack: string): Problem[] =>
  problems.map(({ mend, ...problem }) => ({ ...problem, mend: mend.map((command) => forStack(command, stack)) }));

/** The engine that a stack was deployed to; undefined if its state does not contain it, or only encrypted. */
export function engineIn(state: StackState | undefined): Engine | undefined {
  const check = state?.resources.find(({ type }) => type === 'observability:index:EngineCheck');
  const engine = check?.outputs?.['engine'] as Engine | undefined;
  return engine && typeof engine.host === 'string' && !(engine.tls && 'key' in engine.tls) ? engine : undefined;
}
