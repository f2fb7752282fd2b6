import { kernel } from './op.js'

export default kernel(['aten::conv2d', 'aten::conv2d.padding'], 'conv2d', {
  dtypeFrom: ['weight'],
  rankOf: 'input',
  convolution: { groups: 'groups', transposed: false },
})
