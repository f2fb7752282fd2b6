import { kernel } from './op.js'

export default kernel('aten::conv_transpose1d', 'conv_transpose1d', {
  dtypeFrom: ['weight'],
  convolution: { groups: 'groups', transposed: true },
})
