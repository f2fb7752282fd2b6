import { lookupTable } from './tables.js'

/**
 * Operators that PyTorch keeps under two names, and the name it settles on once a program is compiled; archives only hold that one.
 * Overloads and arguments are the same under both names. In-place forms follow from these.
 */
const names = lookupTable<string>({
  absolute: 'abs',
  arccos: 'acos',
  arccosh: 'acosh',
  arcsin: 'asin',
  arcsinh: 'asinh',
  arctan: 'atan',
  arctan2: 'atan2',
  arctanh: 'atanh',
  clip: 'clamp',
  concat: 'cat',
  concatenate: 'cat',
  divide: 'div',
  fix: 'trunc',
  greater: 'gt',
  greater_equal: 'ge',
  less: 'lt',
  less_equal: 'le',
  linalg_matmul: 'matmul',
  moveaxis: 'movedim',
  multiply: 'mul',
  negative: 'neg',
  not_equal: 'ne',
  row_stack: 'vstack',
  special_digamma: 'digamma',
  special_erf: 'erf',
  special_erfc: 'erfc',
  special_erfinv: 'erfinv',
  special_exp2: 'exp2',
  special_expit: 'sigmoid',
  special_expm1: 'expm1',
  special_gammaln: 'lgamma',
  special_i0: 'i0',
  special_log1p: 'log1p',
  special_logit: 'logit',
  special_logsumexp: 'logsumexp',
  special_multigammaln: 'mvlgamma',
  special_polygamma: 'polygamma',
  special_psi: 'digamma',
  special_round: 'round',
  special_sinc: 'sinc',
  special_xlogy: 'xlogy',
  subtract: 'sub',
  swapaxes: 'transpose',
  swapdims: 'transpose',
  true_divide: 'div',
})

/** The name that stands for `aten::name` in graphs. */
export function settledName(qualifiedName: string): string {
  const plain = qualifiedName.startsWith('aten::') ? qualifiedName.slice(6) : ''
  if (plain in names) return `aten::${names[plain]}`
  const inPlace = plain.endsWith('_') ? plain.slice(0, -1) : ''
  return inPlace in names ? `aten::${names[inPlace]}_` : qualifiedName
}
