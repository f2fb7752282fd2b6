import { kernel } from './op.js'

export default kernel(
  [
    'aten::index_put',
    'aten::index_put.hacked_twin',
    'aten::_index_put_impl',
    'aten::_unsafe_index_put',
    'aten::_unsafe_index_put.hacked_twin',
  ],
  'index_put',
)
