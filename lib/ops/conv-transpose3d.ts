import { kernel } from './op.js'

export default kernel('aten::conv_transpose3d.input', 'conv_transpose3d', {
  dtypeFrom: ['weight'],
  rankOf: 'input',
  convolution: { groups: 'groups', transposed: true },
})
