import { kernel } from './op.js'

export default [kernel('aten::fft_ihfft', 'fft_ihfft'), kernel(['aten::fft_ihfft2', 'aten::fft_ihfftn'], 'fft_ihfftn')]
