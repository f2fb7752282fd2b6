import { kernel } from './op.js'

export default [
  kernel('aten::randint_like', 'randint_like', { varies: true }),
  kernel('aten::randint_like.low_dtype', 'randint_like_low', { varies: true }),
]
