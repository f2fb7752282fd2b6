import { kernel } from './op.js'

export default kernel(['aten::conv2d', 'aten::conv2d.padding'], 'conv2d', {
  dtypeFrom: ['weight'],
  convolution: { groups: 'groups', transposed: false },
})
