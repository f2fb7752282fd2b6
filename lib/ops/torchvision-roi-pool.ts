import { kernel } from './op.js'

export default kernel('torchvision::roi_pool', 'roi_pool')
