import { kernel } from './op.js'

export default kernel('torchvision::roi_align', 'roi_align')
