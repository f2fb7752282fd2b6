import { kernel } from './op.js'

export default [
  kernel('aten::linalg_svd', 'linalg_svd'),
  kernel('aten::_linalg_svd', 'linalg_svd_uv'),
  kernel('aten::linalg_svdvals', 'linalg_svdvals'),
  kernel('aten::svd', 'svd'),
]
