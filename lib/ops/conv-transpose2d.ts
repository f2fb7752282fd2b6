import { kernel } from './op.js'

export default kernel('aten::conv_transpose2d.input', 'conv_transpose2d', {
  dtypeFrom: ['weight'],
  rankOf: 'input',
  convolution: { groups: 'groups', transposed: true },
})
