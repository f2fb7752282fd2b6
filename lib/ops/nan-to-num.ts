import { kernel, pointwise } from './op.js'

export default [
  kernel('aten::nan_to_num', 'nan_to_num'),
  pointwise([], {
    kernel: 'nan_to_num_of',
    expr: 'is_nan(a) ? (is_nan(n) ? 0 : n) : (a == inf ? (is_nan(p) ? highest : p) : (a == -inf ? (is_nan(q) ? lowest : q) : a))',
    intExpr: 'a',
    complexExpr: 'nan_to_num(a, n, p, q)',
    operands: { self: 'a' },
    params: { nan: 'n', posinf: 'p', neginf: 'q' },
    promotion: 'same',
    dtypes: ['bool', 'int', 'float', 'complex'],
  }),
]
