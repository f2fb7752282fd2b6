import { kernel } from './op.js'

export default [kernel('aten::blackman_window', 'blackman_window'), kernel('aten::blackman_window.periodic', 'blackman_window_periodic')]
