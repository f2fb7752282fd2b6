import { kernel } from './op.js'

export default kernel('aten::int_repr', 'int_repr')
