import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseImage, baseRecipe, baseWork } from './base-image';
import { Engine, proxyArguments } from './engine';
import { announcement, cacheKey, type Recipe } from './recipe';
import { recipeFile } from './recipe-file';
import type { Work } from './work';

/** Debian bookworm's. */
const version = '1.22.1';
const tag = `lab/nginx:${version}`;
const dockerfile = join(__dirname, 'gate.Dockerfile');

export const gateRecipe: Recipe = {
  name: 'nginx',
  version,
  inputs: [recipeFile(dockerfile), cacheKey(baseRecipe)],
  from: 'Debian packages',
  cost: { minutes: 0.4, engine: 20 },
};

/** The steps that are left before the engine has the nginx image. */
export async function gateWork(engine: Engine): Promise<Work[]> {
  if (await engine.has(tag, gateRecipe)) return [];
  return [...(await baseWork(engine)), { key: cacheKey(gateRecipe), from: gateRecipe.from, cost: gateRecipe.cost, packages: [] }];
}

/** Makes sure that the engine has the nginx image for gates. Returns its tag. */
export async function gateImage(engine = new Engine()): Promise<string> {
  return engine.ensure(tag, gateRecipe, async (key) => {
    await baseImage(engine);
    process.stderr.write(`${announcement(gateRecipe)}\n`);
    const context = await mkdtemp(join(tmpdir(), 'lab-nginx-'));
    try {
      await engine.build(tag, key, dockerfile, ['--network', 'host', '--build-arg', `VERSION=${version}`, ...proxyArguments(), context]);
    } finally {
      await rm(context, { recursive: true });
    }
  });
}
