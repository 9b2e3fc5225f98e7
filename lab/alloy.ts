import { join } from 'node:path';
import { cached, ensure } from './cache';
import { buildGoProgram } from './go';
import type { GoProgram } from './go-module';
import { goWork } from './go-toolchain';
import { goFiles } from './module-copy';
import { cacheKey, type Recipe } from './recipe';
import type { Work } from './work';

/** The newest release whose dependencies are all on the module proxy. */
export const alloyVersion = '1.11.0';

/**
 * With the components that this project uses and may use next, listed in alloy-module/internal/component/all/all.go: a third of
 * Alloy's packages. The other files in there exclude Git, Kubernetes, clustering, the converters and the clients of a dozen
 * clouds.
 */
const program: GoProgram = {
  module: 'github.com/grafana/alloy',
  version: `v${alloyVersion}`,
  siblings: { 'github.com/grafana/alloy/syntax': 'v0.1.1' },
  flags: ['-ldflags', `-s -w -X github.com/grafana/alloy/internal/build.Version=v${alloyVersion}`],
  files: goFiles(join(__dirname, 'alloy-module')),
};

export const alloyRecipe: Recipe = {
  name: 'Alloy',
  version: alloyVersion,
  inputs: program,
  from: 'the Go module proxy',
  cost: { minutes: 2.5, cache: 75, go: 3600, meanwhile: { cache: 1100 } },
};

/** The steps that are left before there is a binary. */
export async function alloyBinaryWork(): Promise<Work[]> {
  if (cached(alloyRecipe)) return [];
  return [...(await goWork('Alloy')), { key: cacheKey(alloyRecipe), from: alloyRecipe.from, cost: alloyRecipe.cost, packages: [] }];
}

/** Path of an Alloy binary, built if it is not in the cache. It has no web page: the module has no built assets. */
export async function alloyBinary(): Promise<string> {
  const dir = await ensure(alloyRecipe, (build) => buildGoProgram(build, program, 'alloy'));
  return join(dir, 'bin', 'alloy');
}
