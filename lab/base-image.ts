import { userInfo } from 'node:os';
import { join } from 'node:path';
import { shellQuoted } from '../settings/setting';
import { cached, ensure } from './cache';
import { ask } from './command';
import { aptInstall, missingPackages } from './debian';
import { Engine, recipeLabel } from './engine';
import { cacheKey, type Recipe } from './recipe';
import type { Work } from './work';

const tag = 'lab/base:bookworm';

/** What Alloy's image contains (bash comes with Debian, certificates) and what Phoenix's is built with (Python). */
const packages = ['ca-certificates', 'python3-minimal', 'python3-venv'];

export const baseRecipe: Recipe = {
  name: 'Debian',
  version: 'bookworm',
  inputs: packages,
  from: 'Debian packages',
  cost: { minutes: 0.75, cache: 220, engine: 220 },
};

/** What builds it. Without root, mmdebstrap uses a user namespace, or fakechroot if the kernel or /etc/subuid does not allow one. */
const tools = (): string[] => ['mmdebstrap', 'debian-archive-keyring', ...(process.getuid?.() === 0 ? [] : ['uidmap', 'fakechroot', 'fakeroot'])];

/**
 * The command in the user's own group: `newuidmap` refuses any other, such as that of `sg docker -c 'npm run up'`. The other
 * groups of this process stay.
 */
export async function inOwnGroup(command: readonly string[], user: { readonly gid: number; readonly username: string } = userInfo(), gid = process.getgid?.()): Promise<readonly string[]> {
  const group = gid === undefined || gid === user.gid || process.getuid?.() === 0 ? undefined : await ask('id', ['-gn', user.username]);
  return group === undefined ? command : ['sg', group.trim(), '-c', command.map(shellQuoted).join(' ')];
}

/** The steps that are left before the engine has the base image. */
export async function baseWork(engine: Engine): Promise<Work[]> {
  if (await engine.has(tag, baseRecipe)) return [];
  const { from, cost } = baseRecipe;
  const work = { key: cacheKey(baseRecipe), from, cost, packages: [] };
  if (cached(baseRecipe)) return [{ ...work, cost: { minutes: 0.1, engine: cost.engine } }];
  return [{ ...work, packages: await missingPackages(tools()) }];
}

/** Makes sure that the engine has the image that the others are built on. Returns its tag. */
export async function baseImage(engine = new Engine()): Promise<string> {
  return engine.ensure(tag, baseRecipe, async (key) => {
    const dir = await ensure(baseRecipe, async (build) => {
      build.phase('looking for tools');
      await aptInstall(tools());
      build.phase('installing packages');
      const args = ['--variant=minbase', `--include=${packages.join(',')}`, 'bookworm', join(build.dir, 'base.tar')];
      const [program = '', ...rest] = await inOwnGroup(['mmdebstrap', ...args]);
      await build.run(program, rest);
    });
    await engine.docker(['import', '--change', `LABEL ${recipeLabel}=${key}`, join(dir, 'base.tar'), tag]);
  });
}
