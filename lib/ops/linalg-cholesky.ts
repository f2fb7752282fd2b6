import { kernel } from './op.js'

export default [
  kernel('aten::linalg_cholesky', 'linalg_cholesky'),
  kernel('aten::linalg_cholesky_ex', 'linalg_cholesky_ex'),
  kernel('aten::cholesky_solve', 'cholesky_solve'),
  kernel('aten::cholesky_inverse', 'cholesky_inverse'),
  kernel('aten::cholesky', 'linalg_cholesky'),
]
