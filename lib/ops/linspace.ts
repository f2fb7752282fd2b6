import { kernel } from './op.js'

export default kernel(
  ['aten::linspace', 'aten::linspace.Tensor_Tensor', 'aten::linspace.Tensor_Scalar', 'aten::linspace.Scalar_Tensor'],
  'linspace',
)
