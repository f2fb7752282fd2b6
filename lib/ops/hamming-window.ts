import { kernel } from './op.js'

export default [
  kernel('aten::hamming_window', 'hamming_window'),
  kernel('aten::hamming_window.periodic', 'hamming_window_periodic'),
  kernel('aten::hamming_window.periodic_alpha', 'hamming_window_alpha'),
  kernel('aten::hamming_window.periodic_alpha_beta', 'hamming_window_alpha_beta'),
]
