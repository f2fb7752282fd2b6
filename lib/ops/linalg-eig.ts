import { kernel } from './op.js'

export default [
  kernel(['aten::linalg_eigh', 'aten::linalg_eigvalsh', 'aten::_linalg_eigh'], 'linalg_eigh'),
  kernel(['aten::linalg_eig', 'aten::linalg_eigvals', 'aten::_linalg_eigvals'], 'linalg_eig'),
]
