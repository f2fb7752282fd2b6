import { kernel } from './op.js'

export default kernel('torchvision::ps_roi_align', 'ps_roi_align')
