import { kernel } from './op.js'

export default [
  kernel('aten::linalg_lu_factor', 'linalg_lu_factor'),
  kernel(['aten::linalg_lu_factor_ex', 'aten::_lu_with_info'], 'linalg_lu_factor_ex'),
  kernel('aten::linalg_lu', 'linalg_lu'),
  kernel('aten::lu_unpack', 'lu_unpack'),
  kernel('aten::linalg_lu_solve', 'linalg_lu_solve'),
  kernel('aten::lu_solve', 'lu_solve'),
]
