import { join } from 'node:path';
import { ensure, type Recipe } from './cache';
import { buildGoProgram } from './go';
import type { GoProgram } from './go-module';

/** The newest release whose dependencies are all on the module proxy. */
export const alloyVersion = '1.11.0';

const program: GoProgram = {
  module: 'github.com/grafana/alloy',
  version: `v${alloyVersion}`,
  siblings: { 'github.com/grafana/alloy/syntax': 'v0.1.1' },
  flags: ['-tags', 'netgo', '-ldflags', `-s -w -X github.com/grafana/alloy/internal/build.Version=v${alloyVersion}`],
  cgo: true,
};

export const alloyRecipe: Recipe = {
  name: 'Alloy',
  version: alloyVersion,
  inputs: program,
  why: `no image registry answers; building ${alloyVersion} from the Go module proxy (12 to 26 minutes, once)`,
};

/** Path of an Alloy binary, built if it is not in the cache. Its web page is not in it: the module has no built assets. */
export async function alloyBinary(): Promise<string> {
  const dir = await ensure(alloyRecipe, (build) => buildGoProgram(build, program, 'alloy'));
  return join(dir, 'bin', 'alloy');
}
