import { kernel } from './op.js'

export default [
  kernel('aten::arange', 'arange_end'),
  kernel('aten::arange.start', 'arange_start'),
  kernel('aten::arange.start_step', 'arange_step'),
]
