import { kernel } from './op.js'

export default kernel('aten::new_full', 'new_full', { dtypeFrom: ['self'] })
