import { dirname, join } from 'node:path';
import { alloyBinary, alloyBinaryWork, alloyRecipe, alloyVersion } from './alloy';
import { baseImage, baseRecipe, baseWork } from './base-image';
import { Engine } from './engine';
import { runLanes } from './lanes';
import { cacheKey, titleOf, type Recipe } from './recipe';
import { recipeFile } from './recipe-file';
import type { Work } from './work';

const tag = `lab/alloy:${alloyVersion}`;
const dockerfile = join(__dirname, 'alloy.Dockerfile');

const imageRecipe: Recipe = {
  ...alloyRecipe,
  inputs: [recipeFile(dockerfile), cacheKey(alloyRecipe), cacheKey(baseRecipe)],
  cost: { minutes: 0.1, engine: 80 },
};

/** The steps that are left before the engine has the Alloy image. */
export async function alloyWork(engine: Engine): Promise<Work[]> {
  if (await engine.has(tag, imageRecipe)) return [];
  const { from, cost } = imageRecipe;
  return [...(await baseWork(engine)), ...(await alloyBinaryWork()), { key: cacheKey(imageRecipe), from, cost, packages: [] }];
}

/** Makes sure that the engine has the Alloy image. Returns its tag. */
export async function alloyImage(engine = new Engine()): Promise<string> {
  return engine.ensure(tag, imageRecipe, async (key) => {
    let binary = '';
    await runLanes([[async () => void (binary = await alloyBinary())], [async () => void (await baseImage(engine))]]);
    process.stderr.write(`${titleOf(imageRecipe)}: making the image\n`);
    await engine.build(tag, key, dockerfile, [dirname(binary)]);
  });
}
