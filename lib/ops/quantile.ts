import { kernel } from './op.js'

export default [
  kernel(['aten::quantile', 'aten::quantile.scalar'], 'quantile'),
  kernel(['aten::nanquantile', 'aten::nanquantile.scalar'], 'nanquantile'),
]
