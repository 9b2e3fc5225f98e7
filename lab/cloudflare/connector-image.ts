import { join } from 'node:path';
import { baseImage, baseRecipe } from '../base-image';
import { Engine } from '../engine';
import { announcement, cacheKey, type Recipe } from '../recipe';
import { recipeFile } from '../recipe-file';

/** The release that the stand-in is modeled on. */
const version = '2026.8.2';
const folder = join(__dirname, 'cloudflared');
const dockerfile = join(folder, 'Dockerfile');

/** Makes sure that the engine has the stand-in for cloudflared, which finds its edge only in the lab. Returns its tag. */
export async function connectorImage(engine = new Engine()): Promise<string> {
  const recipe: Recipe = {
    name: 'cloudflared',
    version,
    inputs: [...[dockerfile, join(folder, 'cloudflared.py'), join(folder, 'connector.py')].map(recipeFile), cacheKey(baseRecipe)],
    from: 'its own script',
    cost: { minutes: 0.1, engine: 1 },
  };
  const tag = `lab/cloudflared:${version}`;
  return engine.ensure(tag, recipe, async (key) => {
    await baseImage(engine);
    process.stderr.write(`${announcement(recipe)}\n`);
    await engine.build(tag, key, dockerfile, ['--network', 'none', folder]);
  });
}
