import { kernel } from './op.js'

export default [
  kernel(['aten::linalg_ldl_factor', 'aten::linalg_ldl_factor_ex'], 'linalg_ldl_factor'),
  kernel('aten::linalg_ldl_solve', 'linalg_ldl_solve'),
]
