/**
 * `npm run pin`: writes the digests of the pinned images into components/catalog.ts, as the image
 * registry gives them now. A tag can be moved; with its digest it cannot.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { images } from '../components/catalog';
import { engineHost } from '../components/engine';
import { projectDir } from './support/backend';
import { ensureEngine } from './support/docker';
import { askRegistry } from './support/registry';
import { Failure, main, say } from './support/say';

main(async () => {
  const host = engineHost(undefined);
  await ensureEngine(host);
  const file = join(projectDir, 'components', 'catalog.ts');
  let source = await readFile(file, 'utf8');
  for (const [service, pinned] of Object.entries(images)) {
    const [reference = ''] = pinned.split('@');
    const { digest, reason } = await askRegistry(host, reference);
    if (digest === undefined) {
      throw new Failure(`The image registry gives no digest of ${reference}: ${reason}. Nothing was written.`, [`docker pull ${reference}`]);
    }
    source = source.replace(`'${pinned}'`, `'${reference}@${digest}'`);
    say(`${service}: ${reference}@${digest}`);
  }
  // All digests or none: half of them would be a catalog that nobody has run.
  await writeFile(file, source);
  say('Written to components/catalog.ts.');
});
