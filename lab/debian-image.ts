import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseImage, baseRecipe, baseWork } from './base-image';
import { Engine, proxyArguments } from './engine';
import { announcement, cacheKey, type Recipe } from './recipe';
import { recipeFile } from './recipe-file';
import type { Work } from './work';

/** The image of a service that Debian has as a package. */
export interface DebianImage {
  readonly recipe: Recipe;
  /** The steps that are left before the engine has it. */
  readonly work: (engine: Engine) => Promise<Work[]>;
  /** Makes sure that the engine has it. Returns its tag. */
  readonly image: (engine?: Engine) => Promise<string>;
}

/**
 * @param name of the image, in `lab/<name>:<version>`
 * @param dockerfile in this folder; it installs the package at this `VERSION`, and has an empty build context
 * @param cost on two idle cores
 */
export function debianImage(name: string, version: string, dockerfile: string, cost: Recipe['cost']): DebianImage {
  const tag = `lab/${name}:${version}`;
  const file = join(__dirname, dockerfile);
  const recipe: Recipe = { name, version, inputs: [recipeFile(file), cacheKey(baseRecipe)], from: 'Debian packages', cost };
  return {
    recipe,
    work: async (engine) => ((await engine.has(tag, recipe)) ? [] : [...(await baseWork(engine)), { key: cacheKey(recipe), from: recipe.from, cost, packages: [] }]),
    image: async (engine = new Engine()) => engine.ensure(tag, recipe, async (key) => {
      await baseImage(engine);
      process.stderr.write(`${announcement(recipe)}\n`);
      const context = await mkdtemp(join(tmpdir(), `lab-${name}-`));
      try {
        await engine.build(tag, key, file, ['--network', 'host', '--build-arg', `VERSION=${version}`, ...proxyArguments(), context]);
      } finally {
        await rm(context, { recursive: true });
      }
    }),
  };
}
