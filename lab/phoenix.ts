import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { baseImage, baseRecipe, baseWork } from './base-image';
import { cached, ensure } from './cache';
import { machineCertificates } from './certificates';
import { Engine, proxyArguments, stageLabel } from './engine';
import { cacheKey, type Recipe } from './recipe';
import { recipeFile } from './recipe-file';
import type { Work } from './work';

const version = '20.26.1';
const tag = `lab/phoenix:${version}`;
/** The extras that the official image is built with. */
const requirement = `arize-phoenix[container,pg]==${version}`;
const dockerfile = join(__dirname, 'phoenix.Dockerfile');
const constraints = join(__dirname, 'phoenix-constraints.txt');

export const phoenixRecipe: Recipe = {
  name: 'Phoenix',
  version,
  inputs: [requirement, recipeFile(dockerfile), recipeFile(constraints), cacheKey(baseRecipe)],
  from: 'PyPI',
  cost: { minutes: 2.7, cache: 1050, engine: 1050, meanwhile: { engine: 3600 } },
};

/** The steps that are left before the engine has the Phoenix image. */
export async function phoenixWork(engine: Engine): Promise<Work[]> {
  if (await engine.has(tag, phoenixRecipe)) return [];
  const { from, cost } = phoenixRecipe;
  const work = { key: cacheKey(phoenixRecipe), from, cost, packages: [] };
  if (cached(phoenixRecipe)) return [{ ...work, cost: { minutes: 0.5, engine: cost.engine } }];
  return [...(await baseWork(engine)), work];
}

/** Makes sure that the engine has the Phoenix image. Returns its tag. */
export async function phoenixImage(engine = new Engine()): Promise<string> {
  return engine.ensure(tag, phoenixRecipe, async (key) => {
    let built = false;
    // Also kept as an archive: loading it is about ten times as fast as a second build if the engine loses the image.
    const dir = await ensure(phoenixRecipe, async (build) => {
      build.phase('making the base image');
      await baseImage(engine);

      const context = join(build.dir, 'context');
      await mkdir(context);
      await copyFile(constraints, join(context, 'phoenix-constraints.txt'));
      const certificates = machineCertificates();
      if (certificates) await copyFile(certificates, join(context, 'ca-certificates.crt'));
      else await writeFile(join(context, 'ca-certificates.crt'), '');

      let packages = 0;
      build.phase('installing packages', () => `${packages} fetched`);
      const args = ['--network', 'host', '--build-arg', `REQUIREMENT=${requirement}`, ...proxyArguments('PIP_INDEX_URL'), context];
      const onLine = (line: string): void => {
        if (/^\s*Downloading /.test(line)) packages += 1;
        if (/^Installing collected packages/.test(line)) build.phase('unpacking and compiling packages');
      };
      const removeStages = (): Promise<string> => engine.docker(['image', 'prune', '--force', '--filter', `label=${stageLabel}=phoenix`], {}, build.run);
      // Errors are ignored: the build's own error is the one to report.
      await engine.build(tag, key, dockerfile, args, { onLine }, build.run).finally(() => removeStages().catch(() => undefined));
      await rm(context, { recursive: true });
      built = true;

      build.phase('keeping a copy of the image');
      await engine.docker(['save', '--output', join(build.dir, 'image.tar'), tag], {}, build.run);
    });
    if (!built) {
      process.stderr.write(`Phoenix ${version}: loading the image into the engine\n`);
      await engine.docker(['load', '--input', join(dir, 'image.tar')]);
    }
  });
}
