import { join } from 'node:path';
import { cached, ensure } from './cache';
import type { DebianImage } from './debian-image';
import { Engine } from './engine';
import { buildGoProgram } from './go';
import type { GoProgram } from './go-module';
import { goWork } from './go-toolchain';
import { cacheKey, titleOf, type Recipe } from './recipe';
import { recipeFile } from './recipe-file';

const version = '1.52.1';
const binary = 'victoria-logs-prod';

const program: GoProgram = {
  module: 'github.com/VictoriaMetrics/VictoriaLogs',
  version: `v${version}`,
  package: 'github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs',
  flags: ['-ldflags', `-s -w -X github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version=victoria-logs-v${version}`],
};

const binaryRecipe: Recipe = { name: 'VictoriaLogs', version, inputs: program, from: 'the Go module proxy', cost: { minutes: 1, cache: 20, go: 400 } };

const tag = `lab/victorialogs:${version}`;
const dockerfile = join(__dirname, 'victorialogs.Dockerfile');
const imageRecipe: Recipe = { ...binaryRecipe, inputs: [recipeFile(dockerfile), cacheKey(binaryRecipe)], cost: { minutes: 0.1, engine: 20 } };

/** The image of VictoriaLogs, of the pinned version. */
export const victorialogs: DebianImage = {
  recipe: imageRecipe,
  work: async (engine) => {
    if (await engine.has(tag, imageRecipe)) return [];
    const { from, cost } = imageRecipe;
    const compile = cached(binaryRecipe) ? [] : [...(await goWork('VictoriaLogs')), { key: cacheKey(binaryRecipe), from, cost: binaryRecipe.cost, packages: [] }];
    return [...compile, { key: cacheKey(imageRecipe), from, cost, packages: [] }];
  },
  image: async (engine = new Engine()) => engine.ensure(tag, imageRecipe, async (key) => {
    const dir = await ensure(binaryRecipe, (build) => buildGoProgram(build, program, binary));
    process.stderr.write(`${titleOf(imageRecipe)}: making the image\n`);
    await engine.build(tag, key, dockerfile, [join(dir, 'bin')]);
  }),
};
