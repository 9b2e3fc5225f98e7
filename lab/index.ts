/**
 * The public interface of the lab: what a machine without download sites and image registries builds for itself from package
 * registries. Tests also use `lab/engines`, `lab/cloudflare` and `lab/providers`. ESLint refuses all other imports.
 */
import { alloyRecipe } from './alloy';
import { alloyImage, alloyWork } from './alloy-image';
import { cacheRoot } from './cache';
import type { Environment } from './command';
import { aptInstall } from './debian';
import { lacking, places, type Lack } from './disk';
import { Engine } from './engine';
import { gate } from './gate';
import { runLanes } from './lanes';
import { phoenixImage, phoenixRecipe, phoenixWork } from './phoenix';
import { pulumiCli, pulumiRecipe, pulumiWork } from './pulumi-cli';
import { prometheus } from './prometheus';
import type { Cost } from './recipe';
import { victorialogs } from './victorialogs';
import type { Work } from './work';

export { cacheRoot } from './cache';
export { aptInstall } from './debian';
export { lackText, type Lack } from './disk';
export { claimLabel, removeUnclaimed } from './label-claims';
export { withLock } from './lock';
export { standIns } from './providers/install';
export { builtPulumiCli, pulumiCli } from './pulumi-cli';
export { Seed } from './seed';

// For tests, which build their own programs.
export { Authority } from './authority';
export { ensure } from './cache';
export { ask } from './command';
export { freePort } from './free-port';
export { buildGoProgram } from './go';
export { goCommand } from './go-toolchain';
export { postgresql } from './postgresql';
export { pythonOtel, pythonWith } from './python';
export { recipeFile } from './recipe-file';
export { telemetrygen } from './telemetrygen';

export type ImagePart = 'phoenix' | 'alloy' | 'gate' | 'prometheus' | 'victorialogs';
export type Part = 'pulumi' | ImagePart;

export interface LabOptions {
  /** Variables for the docker command line, which selects the engine by them: DOCKER_HOST and the like. */
  readonly env?: Environment;
}

/** A part to build, with everything that it needs and that no earlier step provides. */
export interface Step {
  readonly part: Part;
  /** "Grafana Alloy 1.11.0". */
  readonly title: string;
  /** "the Go module proxy and Debian packages". */
  readonly from: string;
  /** On two idle cores. */
  readonly minutes: number;
  /** Disk space that it keeps, caches included. */
  readonly megabytes: number;
  /** Debian packages that it installs on this machine. */
  readonly packages: readonly string[];
  /** The components of `minutes` and `megabytes`, for `lack`. */
  readonly costs: readonly Cost[];
}

interface Recipes {
  title: string;
  compiles: boolean;
  /** The steps to take. */
  work(engine: Engine): Promise<Work[]>;
  make(engine: Engine): Promise<string>;
}

const parts: Readonly<Record<Part, Recipes>> = {
  pulumi: { title: `Pulumi CLI ${pulumiRecipe.version}`, compiles: true, work: pulumiWork, make: pulumiCli },
  phoenix: { title: `Arize Phoenix ${phoenixRecipe.version}`, compiles: false, work: phoenixWork, make: phoenixImage },
  alloy: { title: `Grafana Alloy ${alloyRecipe.version}`, compiles: true, work: alloyWork, make: alloyImage },
  gate: { title: `nginx ${gate.recipe.version}`, compiles: false, work: gate.work, make: gate.image },
  prometheus: { title: `Prometheus ${prometheus.recipe.version}`, compiles: false, work: prometheus.work, make: prometheus.image },
  victorialogs: { title: `VictoriaLogs ${victorialogs.recipe.version}`, compiles: true, work: victorialogs.work, make: victorialogs.image },
};

/**
 * What building `wanted` takes: a step for each part that is not in the cache or the engine yet, in the order given.
 * Read-only.
 *
 * @throws Error with what to do when something is missing that only a person can provide
 */
export async function plan(wanted: readonly Part[], options: LabOptions = {}): Promise<readonly Step[]> {
  const engine = new Engine(options.env);
  const steps: Step[] = [];
  const seen = new Set<string>();
  for (const part of wanted) {
    const work = (await parts[part].work(engine)).filter(({ key }) => !seen.has(key));
    work.forEach(({ key }) => seen.add(key));
    if (work.length > 0) steps.push(step(part, work));
  }
  return steps;
}

function step(part: Part, work: readonly Work[]): Step {
  const costs = work.map(({ cost }) => cost);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  return {
    part,
    title: parts[part].title,
    from: [...new Set(work.map(({ from }) => from))].reverse().join(' and '),
    minutes: Math.max(1, Math.round(sum(costs.map(({ minutes }) => minutes)))),
    megabytes: sum(costs.map(({ cache = 0, go = 0, engine = 0 }) => cache + go + engine)),
    packages: [...new Set(work.flatMap(({ packages }) => packages))],
    costs,
  };
}

/** The disks that are too small for `steps`, and for what is used while they run, if they are this machine's. */
export async function lack(steps: readonly Step[], options: LabOptions = {}): Promise<readonly Lack[]> {
  return lacking(await places(steps.flatMap(({ costs }) => costs), cacheRoot(), options.env));
}

/** Makes sure that the engine has the image of a part. Returns its tag. */
export async function image(part: ImagePart, options: LabOptions = {}): Promise<string> {
  return parts[part].make(new Engine(options.env));
}

/**
 * Builds the missing parts of `wanted`: those that compile, each on every core, in turn, and in parallel those that mostly wait
 * for the network. Returns the path of the CLI and the tags of the images.
 *
 * @throws Error with what failed, when the rest is done
 */
export async function build(wanted: readonly Part[], options: LabOptions = {}): Promise<Partial<Record<Part, string>>> {
  const engine = new Engine(options.env);
  // All at once, and first: sudo may ask for a password, and parallel output would overwrite the prompt.
  await aptInstall([...new Set((await plan(wanted, options)).flatMap(({ packages }) => packages))]);
  const made: Partial<Record<Part, string>> = {};
  const lane = (compiles: boolean): (() => Promise<void>)[] =>
    wanted.filter((part) => parts[part].compiles === compiles).map((part) => async () => void (made[part] = await parts[part].make(engine)));
  await runLanes([lane(true), lane(false)]);
  return made;
}
