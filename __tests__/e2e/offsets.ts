/**
 * Offsets of the ports (`ports:offset`) of the tests' stacks. Two files run beside each other, so no two stacks have the same;
 * what is to have the usual ports waits for them: see `usual-ports.ts`.
 */
export const offsets = {
  second: 100, third: 200, fourth: 500,
  crash: 300,
  door: 400,
  engines: 600, otherEngine: 650, rootless: 700, user: 800,
  images: 750,
  senders: 900,
  auth: 1100,
  versions: 1200,
  central: 1300,
} as const;

/** For `Checkout.up`. */
export const above = (stack: keyof typeof offsets): { 'ports:offset': string } => ({ 'ports:offset': String(offsets[stack]) });
