import { kernel } from './op.js'

export default kernel(['aten::matmul', 'aten::linalg_matmul'], 'matmul', { dtypeFrom: ['self'] })
