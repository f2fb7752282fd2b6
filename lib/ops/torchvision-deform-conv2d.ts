import { kernel } from './op.js'

export default kernel('torchvision::deform_conv2d', 'deform_conv2d')
