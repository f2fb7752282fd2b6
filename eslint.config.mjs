import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['dist/', '.build/', 'build/', 'node_modules/', 'prebuilds/', 'lib/ops/index.ts', 'lib/ir/catalog.ts', 'lib/api/operators/functions.ts', 'lib/api/operators/methods.ts'] },
  ...tseslint.configs.recommended.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-syntax': ['error', { selector: "CallExpression[callee.property.name='only'][callee.object.name='t']", message: 'A focused test hides the others.' }],
      eqeqeq: 'error',
    },
  },
)
