import { kernel } from './op.js'

export default kernel(['aten::conv1d', 'aten::conv1d.padding'], 'conv1d', {
  dtypeFrom: ['weight'],
  rankOf: 'input',
  convolution: { groups: 'groups', transposed: false },
})
