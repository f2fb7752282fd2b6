import { kernel } from './op.js'

export default [kernel('aten::zeros_like', 'zeros_like'), kernel('aten::empty_like', 'zeros_like', { varies: true })]
