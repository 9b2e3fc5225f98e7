import { constants, createWriteStream, existsSync } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { command, type CommandOptions } from './command';
import { diskFullText, isDiskFull } from './disk';
import { interruptible } from './interruption';
import { isLocked, withLock, type LockOptions } from './lock';
import { announcement, cacheKey, titleOf, type Recipe } from './recipe';

export { cacheKey, type Recipe };

/** What a build can use. */
export interface Build {
  /** Empty directory; becomes the cached result when the build returns. */
  dir: string;
  /** Reports the current step ("compiling"), shown every 15 s; `detail` is called each time it is shown. */
  phase(text: string, detail?: () => string | undefined): void;
  /** Runs a program with its output in the build's log, and returns its stdout. */
  run(program: string, args: readonly string[], options?: CommandOptions): Promise<string>;
}

export interface EnsureOptions extends LockOptions {
  /** Cache root. Default: `cacheRoot()`. */
  root?: string;
  /** Milliseconds between two progress lines. Default: 15,000. */
  everyMs?: number;
  /** Where progress messages go. Default: stderr. */
  print?: (line: string) => void;
}

/** `$XDG_CACHE_HOME/llm-observability`, by default `~/.cache/llm-observability`. Safe to delete at any time. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'llm-observability');
}

/**
 * Makes a folder of the cache.
 *
 * @throws Error with what to do when it cannot be written to
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`${folder}: what is built is kept there, and it cannot be written to (${code ?? message}). Set XDG_CACHE_HOME to a folder that can, and run this again.`, { cause: error });
  }
}

/** Directory with the result of `recipe`, if it was built before. */
export function cached(recipe: Recipe): string | undefined {
  const result = join(cacheRoot(), cacheKey(recipe));
  return existsSync(result) ? result : undefined;
}

/**
 * Returns the directory with the result of `recipe`, and builds it first if it does not exist.
 *
 * A result appears by one rename when the build has returned: a build that failed or was killed leaves nothing that could be
 * mistaken for one. A second process that wants the same result waits for the first and says so.
 *
 * @throws Error with the path of the log and its last lines when the build fails
 */
export async function ensure(recipe: Recipe, build: (build: Build) => Promise<void>, options: EnsureOptions = {}): Promise<string> {
  const root = options.root ?? cacheRoot();
  const print = options.print ?? ((line: string) => process.stderr.write(`${line}\n`));
  const key = cacheKey(recipe);
  const result = join(root, key);
  if (existsSync(result)) return result;

  await makeFolder(join(root, 'logs'));
  const onWait = (waitedMs: number): void => print(`${titleOf(recipe)}: waiting for another run that makes it, ${elapsed(waitedMs)}`);
  return withLock(
    join(root, `${key}.lock`),
    async () => {
      if (existsSync(result)) return result;
      print(announcement(recipe));
      await removeLeftovers(root, key);
      await buildInto(result, recipe, join(root, 'logs', `${key}.log`), build, print, options.everyMs ?? 15_000);
      return result;
    },
    { onWait, around: interruptible, ...options },
  );
}

async function buildInto(
  result: string,
  recipe: Recipe,
  logPath: string,
  build: (build: Build) => Promise<void>,
  print: (line: string) => void,
  everyMs: number,
): Promise<void> {
  const title = titleOf(recipe);
  const started = performance.now();
  const lastLines: string[] = [];
  const log = createWriteStream(logPath);
  // A full disk shows in whatever fails because of it; the log may then end early, without a message.
  log.on('error', () => undefined);
  const write = (line: string): void => {
    log.write(`${line}\n`);
    lastLines.push(line);
    if (lastLines.length > 15) lastLines.shift();
  };

  let current = { text: 'starting', detail: (): string | undefined => undefined };
  const ticker = setInterval(() => {
    const parts = [current.text, elapsed(performance.now() - started), current.detail()];
    print(`${title}: ${parts.filter(Boolean).join(', ')}`);
  }, everyMs);

  const dir = await mkdtemp(`${result}.tmp-`);
  try {
    await build({
      dir,
      phase: (text, detail = () => undefined) => {
        current = { text, detail };
        write(`== ${text}`);
      },
      run: (program, args, commandOptions = {}) => {
        write(`$ ${program} ${args.join(' ')}`);
        const onLine = (line: string): void => {
          write(line);
          commandOptions.onLine?.(line);
        };
        // A process group, so that a signal also reaches what Go runs, and so that mmdebstrap, which on a full disk sends a
        // SIGHUP to its whole group, reaches only itself.
        return command(program, args, { ownGroup: true, ...commandOptions, onLine });
      },
    });
    await rename(dir, result);
    print(`${title}: ready after ${elapsed(performance.now() - started)}`);
  } catch (error) {
    // More than once: a program that was ended may still write its last file.
    await rm(dir, { recursive: true, force: true, maxRetries: 10 });
    if (isDiskFull(error)) throw new Error(await diskFullText(title, recipe.cost, dirname(result)), { cause: error });
    const reason = (error as Error).message.split('\n')[0];
    throw new Error(
      [`${title}: the build failed: ${reason}`, ...lastLines.map((line) => `  ${line}`), `All of it is in ${logPath}`].join('\n'),
      { cause: error },
    );
  } finally {
    clearInterval(ticker);
    await new Promise<void>((resolve) => log.end(resolve));
  }
}

/** Deletes what killed builds left: of this key, whose lock the caller holds, and of those that no process holds. */
async function removeLeftovers(root: string, key: string): Promise<void> {
  for (const name of await readdir(root)) {
    const leftover = /^(.+)\.tmp-\w+$/.exec(name)?.[1];
    if (leftover && (leftover === key || !isLocked(join(root, `${leftover}.lock`)))) {
      await rm(join(root, name), { recursive: true, force: true });
    }
  }
}

/** Milliseconds in words: "42s", "3m15s". */
export function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${String(seconds % 60).padStart(2, '0')}s`;
}
