/** End to end: the real engine, Docker, Phoenix and Alloy. One file after the other: they share the machine. */
module.exports = {
  testMatch: ['**/__tests__/e2e/**/*.test.ts'],
  globalSetup: './__tests__/e2e/setup.ts',
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } }],
  },
  maxWorkers: 1,
  // A deployment on a busy machine takes minutes; what a test waits for it waits for by its condition.
  testTimeout: 15 * 60_000,
  verbose: true,
};
