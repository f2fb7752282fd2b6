import { kernel } from './op.js'

export default [kernel('aten::fft_ifft', 'fft_ifft'), kernel(['aten::fft_ifft2', 'aten::fft_ifftn'], 'fft_ifftn')]
