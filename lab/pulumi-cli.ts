import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pulumiVersion } from '../components/catalog';
import { cacheKey, cacheRoot, ensure } from './cache';
import { buildGoProgram } from './go';
import type { GoProgram } from './go-module';

/** The pinned one, which is newer than @pulumi/pulumi: few versions of its module are complete on the module proxy. */
const version = pulumiVersion.pinned;

const program: GoProgram = {
  module: 'github.com/pulumi/pulumi/pkg/v3',
  version: `v${version}`,
  package: 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi',
  siblings: { 'github.com/pulumi/pulumi/sdk/v3': `v${version}` },
  // Without the version in it the Automation API fails with "Failed to get Pulumi version".
  flags: ['-ldflags', `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`],
};

const recipe = {
  name: 'Pulumi',
  version,
  inputs: program,
  why: `no CLI here and its download site does not answer; building ${version} from the Go module proxy (5 to 10 minutes, once)`,
};

/** Path of a Pulumi CLI, built if it is not in the cache. */
export async function pulumiCli(): Promise<string> {
  return join(await ensure(recipe, (build) => buildGoProgram(build, program, 'pulumi')), 'bin', 'pulumi');
}

/** The same if it was built before, else undefined. */
export function builtPulumiCli(): string | undefined {
  const file = join(cacheRoot(), cacheKey(recipe), 'bin', 'pulumi');
  return existsSync(file) ? file : undefined;
}
