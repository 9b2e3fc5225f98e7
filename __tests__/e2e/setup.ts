import { pythonOtel } from '../../lab/python';
import { telemetrygen } from '../../lab/telemetrygen';
import { chooseEngine } from '../../engine';
import { ensureEngine } from '../../ops/support/docker';
import { usedImages } from './images';
import { findToolchain } from '../../ops/support/toolchain';

/**
 * Makes what the tests need and may take long to make, where no test's time limit counts: on a machine
 * that reaches only package registries the first run compiles for half an hour. Later runs find it in the cache.
 */
export default async function setup(): Promise<void> {
  await ensureEngine(chooseEngine({}), 'yes', 'npm run e2e');
  await Promise.all([findToolchain({}, { consent: 'yes' }).then(telemetrygen), usedImages(), pythonOtel()]);
}
