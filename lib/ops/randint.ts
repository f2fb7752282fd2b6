import { kernel } from './op.js'

export default [
  kernel('aten::randint', 'randint'),
  kernel('aten::randint.low', 'randint_low'),
]
