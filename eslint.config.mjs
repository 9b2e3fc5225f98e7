import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['node_modules/', '.state*/', 'coverage/'] },
  ...tseslint.configs.recommended,
  {
    rules: {
      'no-console': 'off',
      // index.ts must export its outputs as the module itself: that is how Pulumi takes an async program.
      '@typescript-eslint/no-require-imports': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: 'error',
    },
  },
);
