import { kernel } from './op.js'

export default [
  kernel('aten::randint', 'randint', { varies: true }),
  kernel('aten::randint.low', 'randint_low', { varies: true }),
  kernel('aten::randint.generator', 'randint_generator'),
  kernel('aten::randint.low_generator', 'randint_low_generator'),
]
