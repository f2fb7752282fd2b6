import { kernel } from './op.js'

export default [kernel('aten::fft_fft', 'fft_fft'), kernel(['aten::fft_fft2', 'aten::fft_fftn'], 'fft_fftn')]
