import { pointwise } from './op.js'

export default pointwise(['aten::logit', 'aten::special_logit'], {
  kernel: 'logit',
  expr: 'is_nan(eps) ? log(a / (1 - a)) : (a < eps ? log(eps / (1 - eps)) : (a > 1 - eps ? log((1 - eps) / eps) : log(a / (1 - a))))',
  operands: { self: 'a' },
  promotion: 'float',
  dtypes: ['float'],
})
