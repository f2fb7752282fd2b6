import { kernel } from './op.js'

export default [kernel('aten::bartlett_window', 'bartlett_window'), kernel('aten::bartlett_window.periodic', 'bartlett_window_periodic')]
