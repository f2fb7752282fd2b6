import { kernel } from './op.js'

export default [kernel('aten::linalg_solve_triangular', 'linalg_solve_triangular'), kernel('aten::triangular_solve', 'triangular_solve')]
