/** The stand-in for Cloudflare, for the tests that deploy a stack behind it. */
export { connectorImage } from './connector-image';
export { Cloudflare } from './container';
export type { Mode } from './edge';
export { trusting } from './trusting-image';
