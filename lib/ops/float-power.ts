import { kernel } from './op.js'

export default kernel(['aten::float_power.Tensor_Tensor', 'aten::float_power.Tensor_Scalar', 'aten::float_power.Scalar'], 'float_power')
