import { kernel } from './op.js'

export default [kernel(['aten::isin.Tensor_Tensor', 'aten::isin.Tensor_Scalar', 'aten::isin.Scalar_Tensor'], 'isin')]
