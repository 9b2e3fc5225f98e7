import { join } from 'node:path';
import { ensure } from './cache';
import { buildGoProgram } from './go';
import type { GoProgram } from './go-module';

const version = '0.120.0';

const program: GoProgram = {
  module: 'github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen',
  version: `v${version}`,
  flags: ['-ldflags', '-s -w'],
};

/** Path of OpenTelemetry's own load generator, built if it is not in the cache. */
export async function telemetrygen(): Promise<string> {
  const recipe = { name: 'telemetrygen', version, inputs: program, from: 'the Go module proxy', cost: { minutes: 0.5, cache: 20, go: 350 } };
  const dir = await ensure(recipe, (build) => buildGoProgram(build, program, 'telemetrygen'));
  return join(dir, 'bin', 'telemetrygen');
}
