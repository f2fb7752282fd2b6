import { kernel } from './op.js'

export default [
  kernel(['aten::bucketize.Tensor', 'aten::bucketize.Scalar'], 'bucketize'),
  kernel(['aten::searchsorted.Tensor', 'aten::searchsorted.Scalar'], 'searchsorted'),
]
