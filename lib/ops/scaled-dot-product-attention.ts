import { kernel } from './op.js'

export default kernel('aten::scaled_dot_product_attention', 'scaled_dot_product_attention', { dtypeFrom: ['query'] })
