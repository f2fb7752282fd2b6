import { kernel } from './op.js'

export default kernel(['aten::pdist', 'aten::_pdist_forward'], 'pdist')
