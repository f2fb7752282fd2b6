import { kernel } from './op.js'

export default [
  kernel('aten::scatter.src', 'scatter_src'),
  kernel('aten::scatter.value', 'scatter_value'),
  kernel('aten::scatter.reduce', 'scatter_src_reduce'),
  kernel('aten::scatter.value_reduce', 'scatter_value_reduce'),
]
