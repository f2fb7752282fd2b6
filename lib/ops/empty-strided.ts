import { kernel } from './op.js'

export default [
  kernel('aten::empty_strided', 'empty_strided', { varies: true }),
  kernel('aten::new_empty_strided', 'new_empty_strided', { varies: true }),
]
