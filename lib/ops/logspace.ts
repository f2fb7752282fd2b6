import { kernel } from './op.js'

export default kernel(
  ['aten::logspace', 'aten::logspace.Tensor_Tensor', 'aten::logspace.Tensor_Scalar', 'aten::logspace.Scalar_Tensor'],
  'logspace',
)
