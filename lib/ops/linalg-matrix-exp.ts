import { kernel } from './op.js'

export default kernel(['aten::linalg_matrix_exp', 'aten::matrix_exp'], 'linalg_matrix_exp')
