import tseslint from 'typescript-eslint';

const labInside = '(^|/)lab/(?!(engines|cloudflare|providers)$)';
const labFaces = 'Import lab, lab/engines, lab/cloudflare or lab/providers: nothing else knows the inside of the lab.';

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
  {
    // The lab itself and its tests know its inside.
    ignores: ['lab/**', '__tests__/lab/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ regex: labInside, message: labFaces }] }],
      'no-restricted-syntax': ['error', {
        selector: `:matches(ImportExpression, CallExpression[callee.name='require'], CallExpression[callee.object.name='jest']) > Literal[value=/${labInside.replaceAll('/', '\\u002f')}/]`,
        message: labFaces,
      }],
    },
  },
);
