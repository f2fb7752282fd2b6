import { kernel } from './op.js'

export default kernel(['aten::new_zeros', 'aten::new_empty'], 'new_zeros', { dtypeFrom: ['self'] })
