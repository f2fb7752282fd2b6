import { kernel } from './op.js'

export default kernel('aten::einsum', 'einsum', { mayReturnArgument: true, dtypeFrom: ['tensors'] })
