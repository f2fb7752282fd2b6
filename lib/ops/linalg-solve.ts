import { kernel } from './op.js'

export default [
  kernel('aten::linalg_solve', 'linalg_solve'),
  kernel(['aten::linalg_solve_ex', 'aten::_linalg_solve_ex'], 'linalg_solve_ex'),
]
