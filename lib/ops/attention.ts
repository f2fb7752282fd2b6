import { registerSchema } from '../ir/schema.js'
import { kernel } from './op.js'

/**
 * softmax(scale * query key^T, masked) value, as programs write it out. `kind` is what the mask does to the scores: "add" adds it, "fill" sets
 * them to `fill` where it is true, "keep" where it is false. `keeps_order` lets the result have the order of the query's strides. Passes make it,
 * files do not hold it.
 */
registerSchema(
  'torchscript::attention(Tensor query, Tensor key, Tensor value, Tensor? mask, str kind="add", float fill=0., float scale=1., bool keeps_order=False) -> Tensor',
)

export default kernel('torchscript::attention', 'attention', { dtypeFrom: ['query'] })
