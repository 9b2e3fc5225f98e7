import { cacheRoot, pythonOtel, removeUnclaimed, telemetrygen } from '../../lab';
import { chooseEngine } from '../../engine';
import { ensureEngine } from '../../ops/support/docker';
import { providers } from '../../ops/support/plugins';
import { findToolchain, type Toolchain } from '../../ops/support/toolchain';
import { usedImages } from './images';

/** Whether the tests are to prove the published CLI, plugins and images. Then nothing may take their place. */
const published = process.env['E2E_PUBLISHED'] === 'true';

/**
 * Makes what the tests need and may take long to make, where no test's time limit counts: on a machine
 * that reaches only package registries the first run compiles for half an hour. Later runs find it in the cache.
 */
export default async function setup(): Promise<void> {
  await ensureEngine(chooseEngine({}), 'yes', 'npm run e2e');
  for (const label of await removeUnclaimed()) {
    console.log(`Removed what an earlier run of these tests left on the engine: ${label}`);
  }
  if (published) {
    // Before anything else, which may take long: this ends at once where something cannot be had.
    expectPublished(await findToolchain({}, { consent: 'never', plugins: providers }), await usedImages());
  }
  await Promise.all([findToolchain({}, { consent: 'yes' }).then(telemetrygen), usedImages(), pythonOtel()]);
}

/** @throws Error naming what was built here, or stands in for what was published */
export function expectPublished({ pulumi, env }: Toolchain, images: Readonly<Record<string, string>>): void {
  const others = [
    ...(pulumi.startsWith(cacheRoot()) ? [`the Pulumi CLI (${pulumi})`] : []),
    // Nothing else puts a folder of programs before those of the machine.
    ...(env['PATH'] === undefined ? [] : [`provider plugins (${env['PATH'].split(':')[0]})`]),
    ...Object.entries(images).filter(([, image]) => image.startsWith('lab/')).map(([service, image]) => `the image of ${service} (${image})`),
  ];
  if (others.length > 0) {
    throw new Error(`E2E_PUBLISHED is set, and these are not the published ones: ${others.join(', ')}`);
  }
}
