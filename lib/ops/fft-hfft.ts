import { kernel } from './op.js'

export default [kernel('aten::fft_hfft', 'fft_hfft'), kernel(['aten::fft_hfft2', 'aten::fft_hfftn'], 'fft_hfftn')]
