import { dirname, join } from 'node:path';
import { alloyBinary, alloyRecipe, alloyVersion } from './alloy';
import { baseImage, baseRecipe } from './base-image';
import { cacheKey, type Recipe } from './cache';
import { command } from './command';
import { engineBuilder, ensureImage, recipeLabel } from './engine';
import { recipeFile } from './recipe-file';

const dockerfile = join(__dirname, 'alloy.Dockerfile');

/** Makes sure that the engine has the Alloy image. Returns its tag. */
export async function alloyImage(): Promise<string> {
  const tag = `lab/alloy:${alloyVersion}`;
  const recipe: Recipe = { ...alloyRecipe, inputs: [recipeFile(dockerfile), cacheKey(alloyRecipe), cacheKey(baseRecipe)] };
  return ensureImage(tag, recipe, async (key) => {
    const [binary] = await Promise.all([alloyBinary(), baseImage()]);
    process.stderr.write(`Alloy ${alloyVersion}: making the image\n`);
    const args = ['build', '--file', dockerfile, '--tag', tag, '--label', `${recipeLabel}=${key}`, dirname(binary)];
    await command('docker', args, { env: engineBuilder });
  });
}
