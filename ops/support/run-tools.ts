/**
 * The CLI for runs of the program: with the plugins that the stack uses, and with the images that the run uses.
 */
import { imagesEnvironment } from '../../stack/run-images';
import { commandEnvironment, type Engine } from '../../engine';
import type { Consent } from './ask';
import { whyNoEngine } from './docker';
import { choiceOf } from './engine-choice';
import { forgetStale, surveyImages } from './image-survey';
import { imagesAtHand, imagesOfRun, partsToBuild } from './images';
import type { Interruption } from './interruption';
import type { LabOptions, Part } from './lab';
import { neededProviders } from './plugins';
import { Pulumi } from './pulumi';
import type { StackState } from './stack-state';
import { pullImages } from './pull';
import { loginsOf } from './registry-login';
import { withPlugins, type Toolchain } from './toolchain';

type Settings = Readonly<Record<string, string>>;

export interface Run {
  readonly tools: Toolchain;
  readonly stack: string;
  readonly settings: Settings;
  readonly state: StackState | undefined;
  readonly engine: Engine;
  readonly interruption: Interruption;
  readonly consent: Consent;
  /** The command to run again after the problem is fixed. */
  readonly again: string;
}

/**
 * For a deployment. What is not available is built, after confirmation.
 * @returns the CLI, and a function that pulls the images: to be called once it is certain that there will be a deployment
 * @throws Failure with the reason and what helps; nothing was changed then
 */
export async function deploying({ tools, stack, settings, state, engine, interruption, consent, again }: Run): Promise<{ pulumi: Pulumi; pull: () => Promise<void> }> {
  const equipped = await withPlugins(tools, { plugins: neededProviders(Object.keys(settings), state?.resources), consent });
  const survey = await interruption.orStop(surveyImages(engine, settings));
  await forgetStale(survey, (keys) => new Pulumi(tools, stack).must(['config', 'rm-all', ...keys], 'removing settings of an earlier version'));
  const { images, pull } = await imagesOfRun(engine, survey, settings, { stack, consent, again });
  return {
    pulumi: new Pulumi({ ...equipped, env: { ...equipped.env, ...imagesEnvironment(images) } }, stack),
    pull: () => interruption.orStop(pullImages(engine, pull, { stack, again, logins: loginsOf(settings), stop: interruption.signal })),
  };
}

/** For a preview, which builds and pulls nothing. If the engine does not respond, or is ambiguous, the program reports it. */
export async function previewing(tools: Toolchain, stack: string, settings: Settings, state: StackState | undefined): Promise<Toolchain> {
  const equipped = await withPlugins(tools, { plugins: neededProviders(Object.keys(settings), state?.resources) });
  const { engine, problems } = choiceOf(settings, stack);
  if (problems.length > 0 || (await whyNoEngine(engine)) !== undefined) {
    return equipped;
  }
  return { ...equipped, env: { ...equipped.env, ...imagesEnvironment(await imagesAtHand(engine, await surveyImages(engine, settings))) } };
}

/** What a run will build besides a CLI, as far as it can be known without one. */
export async function otherParts(stack: string, settings: Settings): Promise<{ readonly parts: readonly Part[]; readonly options?: LabOptions }> {
  const { engine, problems } = choiceOf(settings, stack);
  if (problems.length > 0 || (await whyNoEngine(engine)) !== undefined) {
    return { parts: [] };
  }
  return { parts: partsToBuild(engine, await surveyImages(engine, settings)), options: { env: commandEnvironment(engine) } };
}
