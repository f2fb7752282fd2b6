import { kernel } from './op.js'

export default [
  kernel(['aten::normal_', 'aten::normal_functional', 'aten::_no_grad_normal_'], 'normal', { varies: true }),
  kernel(['aten::normal.Tensor_float', 'aten::normal.float_Tensor', 'aten::normal.Tensor_Tensor'], 'normal_tensors'),
  kernel('aten::normal.float_float', 'normal_sized'),
]
