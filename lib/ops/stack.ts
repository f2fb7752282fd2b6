import { kernel } from './op.js'

export default kernel(['aten::stack', 'aten::_stack'], 'stack')
