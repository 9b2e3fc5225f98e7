import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { baseImage, baseRecipe } from './base-image';
import { cacheKey, ensure, type Recipe } from './cache';
import { machineCertificates } from './certificates';
import { command } from './command';
import { engineBuilder, ensureImage, recipeLabel, stageLabel } from './engine';
import { recipeFile } from './recipe-file';

const version = '20.26.1';
/** The extras that the official image is built with. */
const requirement = `arize-phoenix[container,pg]==${version}`;
const dockerfile = join(__dirname, 'phoenix.Dockerfile');
const constraints = join(__dirname, 'phoenix-constraints.txt');

/** Makes sure that the engine has the Phoenix image. Returns its tag. */
export async function phoenixImage(): Promise<string> {
  const tag = `lab/phoenix:${version}`;
  const recipe: Recipe = {
    name: 'Phoenix',
    version,
    inputs: [requirement, recipeFile(dockerfile), recipeFile(constraints), cacheKey(baseRecipe)],
    why: `no image registry answers; building ${version} from PyPI (4 to 8 minutes, once)`,
  };
  return ensureImage(tag, recipe, async (key) => {
    let built = false;
    // Kept as an archive as well: loading it is some ten times as fast as another build if the engine loses the image.
    const dir = await ensure(recipe, async (build) => {
      build.phase('making the base image');
      await baseImage();

      const context = join(build.dir, 'context');
      await mkdir(context);
      await copyFile(constraints, join(context, 'phoenix-constraints.txt'));
      const certificates = machineCertificates();
      if (certificates) await copyFile(certificates, join(context, 'ca-certificates.crt'));
      else await writeFile(join(context, 'ca-certificates.crt'), '');

      let packages = 0;
      build.phase('installing packages', () => `${packages} fetched`);
      const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy', 'PIP_INDEX_URL'];
      const args = [
        ...['build', '--network', 'host', '--file', dockerfile, '--tag', tag],
        ...['--label', `${recipeLabel}=${key}`, '--build-arg', `REQUIREMENT=${requirement}`],
        ...proxies.filter((name) => process.env[name]).flatMap((name) => ['--build-arg', name]),
        context,
      ];
      await build.run('docker', args, {
        env: engineBuilder,
        onLine: (line) => {
          if (/^\s*Downloading /.test(line)) packages += 1;
          if (/^Installing collected packages/.test(line)) build.phase('unpacking and compiling packages');
        },
      });
      await rm(context, { recursive: true });
      built = true;

      build.phase('keeping a copy of the image');
      await build.run('docker', ['image', 'prune', '--force', '--filter', `label=${stageLabel}=phoenix`]);
      await build.run('docker', ['save', '--output', join(build.dir, 'image.tar'), tag]);
    });
    if (!built) {
      process.stderr.write(`Phoenix ${version}: loading the image into the engine\n`);
      await command('docker', ['load', '--input', join(dir, 'image.tar')]);
    }
  });
}
