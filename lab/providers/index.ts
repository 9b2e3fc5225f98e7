/** The provider plugins that stand in, for tests of their versions and their values; a run has them by `standIns`. */
export { cloudflare } from './cloudflare';
export { docker } from './docker';
export { random, randomText } from './random';
