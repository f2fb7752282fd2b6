import { kernel } from './op.js'

export default kernel(['aten::convolution', 'aten::_convolution', 'aten::_convolution.deprecated'], 'convolution', {
  dtypeFrom: ['weight'],
  rankOf: 'input',
  convolution: { groups: 'groups', transposed: 'transposed' },
})
