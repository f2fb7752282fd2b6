import { kernel } from './op.js'

export default kernel('aten::affine_grid_generator', 'affine_grid_generator')
