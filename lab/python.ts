import { join } from 'node:path';
import { ensure } from './cache';
import { ask } from './command';
import { aptInstall } from './debian';
import type { Cost, Recipe } from './recipe';
import { recipeFile } from './recipe-file';

/**
 * Path of a Python that can `from phoenix.otel import register`, for programs that send traces as an application does. Call it
 * directly, or with `-m`: scripts in its `bin` do not run.
 */
export function pythonOtel(): Promise<string> {
  return pythonWith('python-otel', join(__dirname, 'python-otel.txt'), { minutes: 0.5, cache: 100 });
}

/** The same with the packages of a different list. @param requirements its path */
export async function pythonWith(name: string, requirements: string, cost: Cost): Promise<string> {
  const system = await ask('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
  const recipe: Recipe = { name, version: system ?? 'debian', inputs: recipeFile(requirements), from: 'PyPI', cost };
  const dir = await ensure(recipe, async (build) => {
    if ((await ask('python3', ['-c', 'import ensurepip'])) === undefined) await aptInstall(['python3-venv']);
    await build.run('python3', ['-m', 'venv', build.dir]);
    // Modules are compiled when they are first used: much of a large package never is.
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--progress-bar', 'off', '--no-compile', '--requirement', requirements];
    build.phase('installing packages');
    await build.run(join(build.dir, 'bin', 'python'), pip);
  });
  return join(dir, 'bin', 'python');
}
