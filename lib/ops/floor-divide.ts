import { kernel } from './op.js'

export default kernel(['aten::floor_divide', 'aten::floor_divide.Scalar'], 'floor_divide', {
  dtypeFrom: ['self', 'other'],
  fuses: 'pointwise',
})
