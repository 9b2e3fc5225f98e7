import { join } from 'node:path';
import { ensure, type Recipe } from './cache';
import { command } from './command';
import { aptInstall } from './debian';
import { ensureImage, recipeLabel } from './engine';

const tag = 'lab/base:bookworm';

/** What Alloy's image has (bash comes with Debian, certificates) and what Phoenix's is made with (Python). */
const packages = ['ca-certificates', 'python3-minimal', 'python3-venv'];

export const baseRecipe: Recipe = {
  name: 'Debian',
  version: 'bookworm',
  inputs: packages,
  why: 'no image registry answers; making a base image from Debian packages (2 to 4 minutes, once)',
};

/** Makes sure that the engine has the image that the others are built on. Returns its tag. */
export async function baseImage(): Promise<string> {
  return ensureImage(tag, baseRecipe, async (key) => {
    const dir = await ensure(baseRecipe, async (build) => {
      await aptInstall(['mmdebstrap', 'debian-archive-keyring']);
      build.phase('installing packages');
      await build.run('mmdebstrap', ['--variant=minbase', `--include=${packages.join(',')}`, 'bookworm', join(build.dir, 'base.tar')]);
    });
    await command('docker', ['import', '--change', `LABEL ${recipeLabel}=${key}`, join(dir, 'base.tar'), tag]);
  });
}
