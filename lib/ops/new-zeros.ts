import { kernel } from './op.js'

export default [
  kernel('aten::new_zeros', 'new_zeros', { dtypeFrom: ['self'] }),
  kernel('aten::new_empty', 'new_zeros', { dtypeFrom: ['self'], varies: true }),
]
