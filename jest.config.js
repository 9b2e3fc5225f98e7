/** Units and goldens: seconds, without Docker or a network. What needs a real engine is in __tests__/e2e. */
module.exports = {
  testEnvironment: 'node',
  // By default one core is left to the person at the machine, which is half of a small one.
  maxWorkers: '100%',
  // Only ends what would hang for ever: a busy machine takes its time.
  testTimeout: 60_000,
  testMatch: ['**/__tests__/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/__tests__/e2e/'],
  // What the Pulumi SDK loads to serialize functions, of which this project has none: most of the time in which a test file loads it.
  moduleNameMapper: { '^@npmcli/arborist$|/typescript-shim$': '<rootDir>/__tests__/support/for-closures.cjs' },
  setupFiles: ['<rootDir>/__tests__/support/own-engine.ts', '<rootDir>/__tests__/support/exit-listeners.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
};
