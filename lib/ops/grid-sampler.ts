import { kernel } from './op.js'

export default kernel(
  ['aten::grid_sampler', 'aten::grid_sampler_2d', 'aten::grid_sampler_3d', 'aten::_grid_sampler_2d_cpu_fallback'],
  'grid_sampler',
)
