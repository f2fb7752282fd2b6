import { kernel } from './op.js'

export default kernel('aten::einsum', 'einsum', { mayReturnArgument: 'ofOne', dtypeFrom: ['tensors'] })
