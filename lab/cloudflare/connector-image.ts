import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseImage, baseRecipe } from '../base-image';
import { cacheKey, type Recipe } from '../cache';
import { command } from '../command';
import { engineBuilder, ensureImage, recipeLabel } from '../engine';
import { announcement } from '../recipe';
import { recipeFile } from '../recipe-file';

/** The release that the stand-in was written after. */
const version = '2026.8.2';
const dockerfile = join(__dirname, 'cloudflared.Dockerfile');
const script = join(__dirname, 'cloudflared.py');

/** Makes sure that the engine has the stand-in for cloudflared, which finds its edge only in the lab. Returns its tag. */
export async function connectorImage(): Promise<string> {
  const tag = `lab/cloudflared:${version}`;
  const recipe: Recipe = {
    name: 'cloudflared',
    version,
    inputs: [recipeFile(dockerfile), recipeFile(script), cacheKey(baseRecipe)],
    from: 'a script of its own',
    cost: { minutes: 0.1, engine: 1 },
  };
  return ensureImage(tag, recipe, async (key) => {
    await baseImage();
    process.stderr.write(`${announcement(recipe)}\n`);
    const context = await mkdtemp(join(tmpdir(), 'lab-cloudflared-'));
    try {
      await copyFile(script, join(context, 'cloudflared.py'));
      const args = ['build', '--network', 'none', '--file', dockerfile, '--tag', tag, '--label', `${recipeLabel}=${key}`, context];
      await command('docker', args, { env: engineBuilder });
    } finally {
      await rm(context, { recursive: true });
    }
  });
}
