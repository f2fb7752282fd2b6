import { kernel } from './op.js'

export default kernel('aten::conv_transpose1d', 'conv_transpose1d', {
  dtypeFrom: ['weight'],
  rankOf: 'input',
  convolution: { groups: 'groups', transposed: true },
})
