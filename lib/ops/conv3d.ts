import { kernel } from './op.js'

export default kernel(['aten::conv3d', 'aten::conv3d.padding'], 'conv3d', {
  dtypeFrom: ['weight'],
  rankOf: 'input',
  convolution: { groups: 'groups', transposed: false },
})
