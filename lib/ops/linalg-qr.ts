import { kernel } from './op.js'

export default [
  kernel('aten::linalg_qr', 'linalg_qr'),
  kernel('aten::geqrf', 'geqrf'),
  kernel(['aten::linalg_householder_product', 'aten::orgqr'], 'linalg_householder_product'),
  kernel('aten::ormqr', 'ormqr'),
]
