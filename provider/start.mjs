/**
 * Starts the provider from one file made of its sources: the CLI waits for it in every preview, and
 * loading them one by one takes three times as long. The file is made again when a source has changed.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..');

const sources = ['provider', 'settings', 'components', 'engine'].flatMap((folder) =>
  readdirSync(join(root, folder)).filter((name) => name.endsWith('.ts')).sort().map((name) => join(root, folder, name)));
const hash = createHash('sha256');
for (const file of [...sources, join(root, 'package-lock.json')]) {
  hash.update(readFileSync(file));
}
const cache = join(root, 'node_modules', '.cache', 'observability');
const bundle = join(cache, `${hash.digest('hex').slice(0, 16)}.cjs`);

if (!existsSync(bundle)) {
  const { buildSync } = await import('esbuild');
  mkdirSync(cache, { recursive: true });
  // Built aside and moved into place: two concurrent runs must not see each other's half.
  const draft = `${bundle}.${process.pid}`;
  buildSync({ entryPoints: [join(here, 'main.ts')], outfile: draft, bundle: true, platform: 'node', target: 'node20', minify: true, logLevel: 'error' });
  renameSync(draft, bundle);
}
createRequire(import.meta.url)(bundle);
