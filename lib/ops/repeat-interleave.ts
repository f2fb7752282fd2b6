import { kernel } from './op.js'

export default [
  kernel('aten::repeat_interleave.self_int', 'repeat_interleave', { dtypeFrom: ['self'] }),
  kernel('aten::repeat_interleave.self_Tensor', 'repeat_interleave_tensor', { dtypeFrom: ['self'] }),
  kernel('aten::repeat_interleave.Tensor', 'repeat_positions'),
]
