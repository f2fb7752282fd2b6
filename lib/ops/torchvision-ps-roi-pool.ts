import { kernel } from './op.js'

export default kernel('torchvision::ps_roi_pool', 'ps_roi_pool')
