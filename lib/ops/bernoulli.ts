import { kernel } from './op.js'

export default [
  kernel('aten::bernoulli', 'bernoulli'),
  kernel(['aten::bernoulli.p', 'aten::bernoulli_.float'], 'bernoulli_p'),
  kernel('aten::bernoulli.Tensor', 'bernoulli_tensor'),
]
