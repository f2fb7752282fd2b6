import { kernel } from './op.js'

export default kernel('aten::native_dropout', 'native_dropout', { varies: true })
