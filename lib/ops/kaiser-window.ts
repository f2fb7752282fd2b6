import { kernel } from './op.js'

export default [
  kernel('aten::kaiser_window', 'kaiser_window'),
  kernel('aten::kaiser_window.periodic', 'kaiser_window_periodic'),
  kernel('aten::kaiser_window.beta', 'kaiser_window_beta'),
]
