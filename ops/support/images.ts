/**
 * Which images a run uses. If no registry can be reached at all, images built by lab/ replace the pinned ones, only for that
 * run: nothing of this is stored.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { images } from '../../components/catalog';
import type { RunImages } from '../../stack/run-images';
import { commandEnvironment, isLocal, type Engine } from '../../engine';
import type { Consent } from './ask';
import { isBuildable, surveyedAgain, type Buildable, type Survey, type SurveyedImage, type SurveyOptions } from './image-survey';
import { buildPlan, told, type Lab } from './lab';
import { npmRun } from './project';
import { patience } from './reach';
import { onDockerHub, registryNamed } from './registry';
import { helpWith, type Trouble } from './registry-trouble';
import { Failure, say } from './say';

/** An image that is in no registry and that lab/ can build. */
type Replaceable = SurveyedImage & { readonly service: Buildable };

/** The images of a run. */
export interface Chosen {
  /** For the environment of the CLI (`imagesEnvironment`). */
  readonly images: RunImages;
  /** Images to pull before the deployment. */
  readonly pull: readonly SurveyedImage[];
}

export interface RunOptions extends SurveyOptions {
  readonly stack: string;
  readonly consent: Consent;
  /** The command to run again after the problem is fixed. */
  readonly again: string;
  /** Milliseconds before a registry that could not be reached is queried once more. */
  readonly againMs?: number;
}

/**
 * The images that a deployment uses. What no registry provides and lab/ can build is built, after confirmation.
 * @throws Failure that lists everything that can neither be pulled nor built; nothing was changed then
 */
export async function imagesOfRun(engine: Engine, survey: Survey, settings: Readonly<Record<string, string>>, options: RunOptions): Promise<Chosen> {
  const replaceable = survey.images.filter((one) => isReplaceable(engine, one));
  const built: RunImages = replaceable.length > 0 ? await told(alreadyBuilt(engine, replaceable)) : {};
  const rest = await askedAgain(engine, survey.images.filter(({ service }) => !(service in built)), settings, options);
  const missing = rest.filter((one) => isReplaceable(engine, one));
  const hopeless = rest.flatMap((one) => (isReplaceable(engine, one) || one.state.kind === 'on the engine' || one.state.kind === 'there' ? [] : [{ ...one, trouble: one.state }]));
  if (hopeless.length > 0) {
    throw notPulled(hopeless, options.stack, options.again);
  }
  const made = missing.length > 0 ? await build(engine, missing, options.consent) : {};
  const chosen = { ...built, ...made };
  standInLines([...survey.images.filter(({ service }) => service in built), ...missing], chosen).forEach(say);
  return { images: chosen, pull: rest.filter(({ state }) => state.kind === 'there') };
}

/** The images for a run that builds and installs nothing and asks no questions: a preview. A missing image keeps its name. */
export async function imagesAtHand(engine: Engine, survey: Survey): Promise<RunImages> {
  const replaceable = survey.images.filter((one) => isReplaceable(engine, one));
  // Without the docker command line lab/ cannot tell what it has built.
  return replaceable.length > 0 ? alreadyBuilt(engine, replaceable).catch(() => ({})) : {};
}

/** What a run would build, if it is not built yet: for a plan that shows everything. */
export function partsToBuild(engine: Engine, survey: Survey): Buildable[] {
  return survey.images.flatMap((one) => (isReplaceable(engine, one) ? [one.service] : []));
}

function isReplaceable(engine: Engine, one: SurveyedImage): one is Replaceable {
  return one.state.kind === 'unreachable' && !one.own && isBuildable(one.service) && isLocal(engine);
}

/** Those of them that an earlier run has built. */
async function alreadyBuilt(engine: Engine, wanted: readonly (Replaceable)[]): Promise<RunImages> {
  const env = commandEnvironment(engine);
  // An empty plan is neither shown nor confirmed.
  const lab = await buildPlan([], 'never', { env });
  const rows = await Promise.all(wanted.map(async ({ service }) => [service, (await lab.plan([service], { env })).length === 0] as const));
  return imagesIn(lab, rows.flatMap(([service, isBuilt]) => (isBuilt ? [service] : [])), env);
}

async function build(engine: Engine, wanted: readonly (Replaceable)[], consent: Consent): Promise<RunImages> {
  const env = commandEnvironment(engine);
  const parts = wanted.map(({ service }) => service);
  const lab = await buildPlan(parts, consent, { env });
  await told(lab.build(parts, { env }));
  return imagesIn(lab, parts, env);
}

async function imagesIn(lab: Lab, parts: readonly Buildable[], env: Record<string, string>): Promise<RunImages> {
  return Object.fromEntries(await Promise.all(parts.map(async (part) => [part, await lab.image(part, { env })] as const)));
}

/** A network may recover after a blip: unreachable registries are queried once more. */
async function askedAgain(engine: Engine, surveyed: readonly SurveyedImage[], settings: Readonly<Record<string, string>>, options: RunOptions): Promise<readonly SurveyedImage[]> {
  if (!surveyed.some(({ state }) => state.kind === 'unreachable')) {
    return surveyed;
  }
  await pause(options.againMs ?? patience.againMs);
  return surveyedAgain(engine, surveyed, settings, options);
}

/** One failure for all images that are unavailable. */
export function notPulled(wanted: readonly (Omit<SurveyedImage, 'state'> & { readonly trouble: Trouble })[], stack: string, again: string): Failure {
  const lines = wanted.map(({ service, reference, trouble: { why } }) => `  ${service}: ${reference}${onDockerHub(reference) ? ' from Docker Hub' : ''}: ${why}`);
  const commands = wanted.flatMap(({ service, reference, own, trouble: { sort } }) =>
    helpWith(sort, {
      reference,
      again,
      instead: (other) => npmRun('up', stack, '-c', `${service}:image=${other}`),
      pinned: own ? images[service] : undefined,
    }));
  return new Failure([`${wanted.length === 1 ? 'An image' : `${wanted.length} images`} cannot be pulled; nothing was deployed.`, ...lines].join('\n'), [...new Set(commands)]);
}

/** One line about what replaces what; none if nothing does. */
function standInLines(replaced: readonly SurveyedImage[], chosen: RunImages): string[] {
  if (replaced.length === 0) {
    return [];
  }
  const reasons = new Set(replaced.map(({ reference, state }) => `${registryNamed(reference)}: ${state.kind === 'unreachable' ? state.meaning : ''}`));
  return [`Images of ${replaced.map(({ service }) => service).join(', ')}: no registry can be reached (${[...reasons].join('; ')}); using ${replaced.map(({ service }) => chosen[service]).join(', ')} for this run`];
}
