/** The stand-in provider plugins, for tests of their versions and their values; a run gets them from `standIns`. */
export { cloudflare } from './cloudflare';
export { docker } from './docker';
export { random, randomText } from './random';
