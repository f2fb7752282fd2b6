import { kernel } from './op.js'

export default kernel(['aten::aminmax', 'aten::_aminmax', 'aten::_aminmax.dim'], 'aminmax')
