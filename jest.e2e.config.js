/** They start engines beside the one of the machine, or a browser, in namespaces, which takes root. */
const takesRoot = ['door', 'engines', 'images'];
const left = process.getuid?.() === 0 ? [] : takesRoot;
if (left.length > 0) {
  console.error(`Left out, because they start engines or a browser in namespaces, which takes root: ${left.join(', ')}. On a machine without systemd: sudo npm run e2e -- ${left.join(' ')}`);
}

/** End to end: the real engine, Docker, Phoenix and Alloy. Two files at a time: a deployment waits more than half of its time. */
module.exports = {
  testPathIgnorePatterns: ['/node_modules/', ...left.map((name) => `/__tests__/e2e/${name}\\.test\\.ts$`)],
  testMatch: ['**/__tests__/e2e/**/*.test.ts'],
  globalSetup: './__tests__/e2e/setup.ts',
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } }],
  },
  maxWorkers: 2,
  testSequencer: './__tests__/e2e/sequencer.js',
  // A deployment on a busy machine takes minutes; what a test waits for it waits for by its condition.
  testTimeout: 15 * 60_000,
  verbose: true,
  // A test that has failed may leave something open; the run has its result by then.
  forceExit: true,
};
