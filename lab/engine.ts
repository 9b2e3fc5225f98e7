import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheKey, cacheRoot, elapsed, type Recipe } from './cache';
import { ask } from './command';
import { withLock } from './lock';

/** Label of a lab image: the cache key of what it was made from. */
export const recipeLabel = 'llm-observability.lab.recipe';
/** Label of what a build leaves behind in the engine and nobody needs again. */
export const stageLabel = 'llm-observability.lab.stage';

/**
 * Makes sure that the Docker engine has `tag` as made from `recipe`, and calls `make` if it does not.
 * A tag that was made from another recipe is replaced. Returns the tag.
 *
 * @param make puts the image into the engine, with the given key as its `recipeLabel`
 * @throws Error when the engine does not have it afterwards, or `make` fails
 */
export async function ensureImage(tag: string, recipe: Recipe, make: (key: string) => Promise<void>): Promise<string> {
  const key = cacheKey(recipe);
  if (await hasImage(tag, key)) return tag;
  // Asked before anything long begins: what is built for minutes has to have somewhere to go.
  if ((await ask('docker', ['version', '--format', '{{.Server.Version}}'])) === undefined) {
    throw new Error(`No Docker engine answers, and ${tag} is to be made for one: start Docker, or set DOCKER_HOST, and check with: docker version`);
  }
  await mkdir(cacheRoot(), { recursive: true });
  const onWait = (waitedMs: number): void => {
    process.stderr.write(`${tag}: waiting for another run that makes it, ${elapsed(waitedMs)}\n`);
  };
  await withLock(
    join(cacheRoot(), `${key}.image.lock`),
    async () => {
      if (await hasImage(tag, key)) return;
      const replaced = await ask('docker', ['image', 'inspect', '--format', '{{.Id}}', tag]);
      await make(key);
      // A gigabyte that no tag leads to any more. The engine refuses while a container uses it, which is right.
      if (replaced) await ask('docker', ['image', 'rm', replaced]);
    },
    { onWait },
  );
  if (!(await hasImage(tag, key))) throw new Error(`${tag} was made, but the engine does not have it: docker image inspect ${tag}`);
  return tag;
}

async function hasImage(tag: string, key: string): Promise<boolean> {
  return (await ask('docker', ['image', 'inspect', '--format', `{{index .Config.Labels "${recipeLabel}"}}`, tag])) === key;
}

/** Builder of the engine itself: Debian's client has no buildx, and one way everywhere is easier to trust. */
export const engineBuilder = { DOCKER_BUILDKIT: '0' };
