import { join } from 'node:path';
import { ensure } from './cache';
import { ask } from './command';
import { aptInstall } from './debian';
import type { Recipe } from './recipe';
import { recipeFile } from './recipe-file';

const requirements = join(__dirname, 'python-otel.txt');

/**
 * Path of a Python that can `from phoenix.otel import register`, for programs that send traces as an
 * application does. Call it as it is, or with `-m`: scripts in its `bin` do not run.
 */
export async function pythonOtel(): Promise<string> {
  const system = await ask('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
  const recipe: Recipe = {
    name: 'python-otel',
    version: system ?? 'debian',
    inputs: recipeFile(requirements),
    from: 'PyPI',
    cost: { minutes: 0.5, cache: 100 },
  };
  const dir = await ensure(recipe, async (build) => {
    if ((await ask('python3', ['-c', 'import ensurepip'])) === undefined) await aptInstall(['python3-venv']);
    await build.run('python3', ['-m', 'venv', build.dir]);
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--progress-bar', 'off', '--requirement', requirements];
    build.phase('installing packages');
    await build.run(join(build.dir, 'bin', 'python'), pip);
  });
  return join(dir, 'bin', 'python');
}
