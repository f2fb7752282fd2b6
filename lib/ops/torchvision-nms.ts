import { kernel } from './op.js'

export default kernel('torchvision::nms', 'nms')
