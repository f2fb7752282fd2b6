import { kernel } from './op.js'

export default [
  kernel('aten::_unique', 'unique'),
  kernel('aten::_unique2', 'unique2'),
  kernel('aten::unique_dim', 'unique_dim'),
  kernel('aten::unique_dim_consecutive', 'unique_dim_consecutive'),
  kernel('aten::unique_consecutive', 'unique_consecutive'),
]
