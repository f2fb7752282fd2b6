import { kernel } from './op.js'

export default [kernel('aten::range', 'range_start'), kernel('aten::range.step', 'range_step')]
