import { kernel } from './op.js'

export default [kernel('aten::fft_rfft', 'fft_rfft'), kernel(['aten::fft_rfft2', 'aten::fft_rfftn'], 'fft_rfftn')]
