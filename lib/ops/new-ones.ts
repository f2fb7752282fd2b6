import { kernel } from './op.js'

export default kernel('aten::new_ones', 'new_ones', { dtypeFrom: ['self'] })
