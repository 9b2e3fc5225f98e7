import { createHash } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { command, type CommandOptions } from './command';
import { withLock, type LockOptions } from './lock';

/** What is built. Everything that changes the result belongs in here: the cache key is made from it. */
export interface Recipe {
  /** Name as people write it: "Alloy". Letters, digits, dot, dash. */
  name: string;
  version: string;
  /** Whatever else the result depends on: flags, file contents, keys of other recipes. Must survive JSON. */
  inputs: unknown;
  /** One sentence that says why this is built here and about how long it takes; printed when a build starts. */
  why: string;
}

/** What a build gets to work with. */
export interface Build {
  /** Empty directory; becomes the cached result when the build returns. */
  dir: string;
  /** Says what goes on now ("compiling"), shown every 15 s; `detail` is asked each time it is shown. */
  phase(text: string, detail?: () => string | undefined): void;
  /** Runs a program with its output in the build's log, and returns its stdout. */
  run(program: string, args: readonly string[], options?: CommandOptions): Promise<string>;
}

export interface EnsureOptions extends LockOptions {
  /** Cache root. Default: `cacheRoot()`. */
  root?: string;
  /** Milliseconds between two progress lines. Default: 15,000. */
  everyMs?: number;
  /** Where lines for people go. Default: stderr. */
  print?: (line: string) => void;
}

/** `$XDG_CACHE_HOME/llm-observability`, by default `~/.cache/llm-observability`. Safe to delete at any time. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'llm-observability');
}

/** Directory name of a recipe's result: name, version and a hash of all that it is made from, this machine's kind included. */
export function cacheKey(recipe: Recipe): string {
  const content = JSON.stringify([recipe.name, recipe.version, recipe.inputs, process.platform, process.arch]);
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
  return `${recipe.name}-${recipe.version}-${hash}`.toLowerCase();
}

/**
 * Returns the directory with what `recipe` describes, and builds it first if it is not there.
 *
 * A result appears by one rename when the build has returned: a build that failed or was killed leaves nothing
 * that could be taken for one. A second process that wants the same waits for the first and says so.
 *
 * @throws Error with the path of the log and its last lines when the build fails
 */
export async function ensure(recipe: Recipe, build: (build: Build) => Promise<void>, options: EnsureOptions = {}): Promise<string> {
  const root = options.root ?? cacheRoot();
  const print = options.print ?? ((line: string) => process.stderr.write(`${line}\n`));
  const key = cacheKey(recipe);
  const result = join(root, key);
  if (existsSync(result)) return result;

  const title = `${recipe.name} ${recipe.version}`;
  await mkdir(join(root, 'logs'), { recursive: true });
  const onWait = (waitedMs: number): void => print(`${title}: waiting for another run that builds it, ${elapsed(waitedMs)}`);
  return withLock(
    join(root, `${key}.lock`),
    async () => {
      if (existsSync(result)) return result;
      print(`${recipe.name}: ${recipe.why}`);
      await removeLeftovers(root, key);
      await buildInto(result, title, join(root, 'logs', `${key}.log`), build, print, options.everyMs ?? 15_000);
      return result;
    },
    { onWait, ...options },
  );
}

async function buildInto(
  result: string,
  title: string,
  logPath: string,
  build: (build: Build) => Promise<void>,
  print: (line: string) => void,
  everyMs: number,
): Promise<void> {
  const started = performance.now();
  const lastLines: string[] = [];
  const log = createWriteStream(logPath);
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
        return command(program, args, { ...commandOptions, onLine });
      },
    });
    await rename(dir, result);
    print(`${title}: ready after ${elapsed(performance.now() - started)}`);
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
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

/** Frees what killed builds of the same key left; the caller holds the lock, so that none of it is in use. */
async function removeLeftovers(root: string, key: string): Promise<void> {
  const leftovers = (await readdir(root)).filter((name) => name.startsWith(`${key}.tmp-`));
  await Promise.all(leftovers.map((name) => rm(join(root, name), { recursive: true, force: true })));
}

/** Milliseconds as people say them: "42s", "3m15s". */
export function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${String(seconds % 60).padStart(2, '0')}s`;
}
