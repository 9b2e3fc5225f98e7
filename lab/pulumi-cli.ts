import { join } from 'node:path';
import { pulumiVersion } from '../components/catalog';
import { cached, ensure } from './cache';
import { buildGoProgram } from './go';
import type { GoProgram } from './go-module';
import { goWork } from './go-toolchain';
import { cacheKey, type Recipe } from './recipe';
import type { Work } from './work';

/** The pinned version, which is newer than @pulumi/pulumi: few versions of its module are complete on the module proxy. */
const version = pulumiVersion.pinned;

const program: GoProgram = {
  module: 'github.com/pulumi/pulumi/pkg/v3',
  version: `v${version}`,
  package: 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi',
  siblings: { 'github.com/pulumi/pulumi/sdk/v3': `v${version}` },
  // Without the version in the binary, the Automation API fails with "Failed to get Pulumi version".
  flags: ['-ldflags', `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`],
};

export const pulumiRecipe: Recipe = {
  name: 'Pulumi',
  version,
  inputs: program,
  from: 'the Go module proxy',
  cost: { minutes: 3.5, cache: 110, go: 3700, meanwhile: { cache: 1400 } },
};

/** The steps that are left before there is a CLI. */
export async function pulumiWork(): Promise<Work[]> {
  if (cached(pulumiRecipe)) return [];
  return [...(await goWork('Pulumi')), { key: cacheKey(pulumiRecipe), from: pulumiRecipe.from, cost: pulumiRecipe.cost, packages: [] }];
}

/** Path of a Pulumi CLI, built if it is not in the cache. */
export async function pulumiCli(): Promise<string> {
  return programIn(await ensure(pulumiRecipe, (build) => buildGoProgram(build, program, 'pulumi')));
}

/** The same if it was built before, else undefined. */
export function builtPulumiCli(): string | undefined {
  const dir = cached(pulumiRecipe);
  return dir && programIn(dir);
}

const programIn = (dir: string): string => join(dir, 'bin', 'pulumi');
