import { kernel } from './op.js'

export default [kernel('aten::prod', 'prod_all'), kernel('aten::prod.dim_int', 'prod_dim')]
