import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseImage, baseRecipe } from './base-image';
import { cacheKey, type Recipe } from './cache';
import { command } from './command';
import { engineBuilder, ensureImage, recipeLabel } from './engine';
import { recipeFile } from './recipe-file';

/** Debian bookworm's. */
const version = '1.22.1';
const dockerfile = join(__dirname, 'gate.Dockerfile');

/** Makes sure that the engine has the nginx image for gates. Returns its tag. */
export async function gateImage(): Promise<string> {
  const tag = `lab/nginx:${version}`;
  const recipe: Recipe = {
    name: 'nginx',
    version,
    inputs: [recipeFile(dockerfile), cacheKey(baseRecipe)],
    why: `no image registry answers; installing ${version} from Debian packages (half a minute, once)`,
  };
  return ensureImage(tag, recipe, async (key) => {
    await baseImage();
    process.stderr.write(`${recipe.name}: ${recipe.why}\n`);
    const context = await mkdtemp(join(tmpdir(), 'lab-nginx-'));
    try {
      const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];
      const args = [
        ...['build', '--network', 'host', '--file', dockerfile, '--tag', tag],
        ...['--label', `${recipeLabel}=${key}`, '--build-arg', `VERSION=${version}`],
        ...proxies.filter((name) => process.env[name]).flatMap((name) => ['--build-arg', name]),
        context,
      ];
      await command('docker', args, { env: engineBuilder });
    } finally {
      await rm(context, { recursive: true });
    }
  });
}
