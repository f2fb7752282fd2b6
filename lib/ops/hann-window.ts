import { kernel } from './op.js'

export default [kernel('aten::hann_window', 'hann_window'), kernel('aten::hann_window.periodic', 'hann_window_periodic')]
