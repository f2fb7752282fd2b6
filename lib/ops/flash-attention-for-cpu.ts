import { kernel } from './op.js'

export default kernel('aten::_scaled_dot_product_flash_attention_for_cpu', 'flash_attention_for_cpu')
