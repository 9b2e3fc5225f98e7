import { join } from 'node:path';
import { cacheRoot, elapsed, makeFolder } from './cache';
import { ask, command, CommandError, type CommandOptions, type Environment } from './command';
import { diskFullText, isDiskFull } from './disk';
import { interruptible } from './interruption';
import { withLock } from './lock';
import { cacheKey, titleOf, type Recipe } from './recipe';

/** Label of a lab image: the cache key of its recipe. */
export const recipeLabel = 'llm-observability.lab.recipe';
/** Label of what a build leaves in the engine and nobody needs again. */
export const stageLabel = 'llm-observability.lab.stage';

const underway = new Map<string, Promise<string>>();

/**
 * The Docker engine that the docker command line reaches with `env` on top of this process's environment: with DOCKER_HOST,
 * DOCKER_CONTEXT, DOCKER_TLS_VERIFY and other variables that it reads.
 */
export class Engine {
  private readonly env: Environment;

  constructor(env: Environment = {}) {
    // The engine's own builder: Debian's client has no buildx, and using the same builder everywhere is easier to trust.
    this.env = { ...env, DOCKER_BUILDKIT: '0' };
  }

  /**
   * Runs the docker command line and returns its stdout.
   * @param run what runs it, so that a build has it in its log
   */
  docker(args: readonly string[], options: CommandOptions = {}, run = command): Promise<string> {
    return run('docker', args, { ...options, env: { ...this.env, ...options.env } });
  }

  /**
   * Builds `tag` with the `key` of its recipe. A build that fails leaves no container behind.
   * @param rest more arguments, the build context last
   */
  build(tag: string, key: string, dockerfile: string, rest: readonly string[], options: CommandOptions = {}, run = command): Promise<string> {
    const label = `${recipeLabel}=${key}`;
    return this.docker(['build', '--force-rm', '--file', dockerfile, '--tag', tag, '--label', label, ...rest], options, run);
  }

  /** Whether it has `tag`, built from `recipe`. */
  async has(tag: string, recipe: Recipe): Promise<boolean> {
    const label = await this.asks(['image', 'inspect', '--format', `{{index .Config.Labels "${recipeLabel}"}}`, tag]);
    return label === cacheKey(recipe);
  }

  /**
   * Makes sure that it has `tag`, built from `recipe`, and calls `make` if it does not. A tag that was built from a different
   * recipe is replaced. Returns the tag.
   *
   * @param make puts the image into the engine, with the given key as its `recipeLabel`
   * @throws Error when the engine does not have it afterwards, or `make` fails
   */
  async ensure(tag: string, recipe: Recipe, make: (key: string) => Promise<void>): Promise<string> {
    const same = JSON.stringify([cacheKey(recipe), this.env]);
    const making = underway.get(same) ?? this.make(tag, recipe, make).finally(() => underway.delete(same));
    underway.set(same, making);
    return making;
  }

  private async make(tag: string, recipe: Recipe, make: (key: string) => Promise<void>): Promise<string> {
    const key = cacheKey(recipe);
    if (await this.has(tag, recipe)) return tag;
    // Checked before anything long begins: a build of minutes needs an engine to put the result into.
    await this.docker(['version', '--format', '{{.Server.Version}}']).catch((error: Error) => {
      const reason = error instanceof CommandError ? (error.lastLines.at(-1) ?? error.message) : error.message;
      throw new Error(`No Docker engine answers, and ${tag} is to be made for one: ${reason}\nStart Docker, or set DOCKER_HOST, and check with: docker version`, { cause: error });
    });
    await makeFolder(cacheRoot());
    const onWait = (waitedMs: number): void => {
      process.stderr.write(`${tag}: waiting for another run that makes it, ${elapsed(waitedMs)}\n`);
    };
    const held = async (): Promise<void> => {
      if (await this.has(tag, recipe)) return;
      const replaced = await this.asks(['image', 'inspect', '--format', '{{.Id}}', tag]);
      await make(key);
      // A gigabyte without a tag. The engine refuses while a container uses it, which is right.
      if (replaced) await this.asks(['image', 'rm', replaced]);
    };
    await withLock(join(cacheRoot(), `${key}.image.lock`), held, { onWait, around: interruptible }).catch(async (error) => {
      if (isDiskFull(error)) throw new Error(await diskFullText(titleOf(recipe), recipe.cost, cacheRoot()), { cause: error });
      throw error;
    });
    if (!(await this.has(tag, recipe))) throw new Error(`${tag} was made, but the engine does not have it: docker image inspect ${tag}`);
    return tag;
  }

  private asks(args: readonly string[]): Promise<string | undefined> {
    return ask('docker', args, { env: this.env });
  }
}

/** The proxies of this machine, for a build: their values stay out of the image. */
export function proxyArguments(...more: readonly string[]): string[] {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy', ...more];
  return names.filter((name) => process.env[name]).flatMap((name) => ['--build-arg', name]);
}
