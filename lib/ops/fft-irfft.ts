import { kernel } from './op.js'

export default [kernel('aten::fft_irfft', 'fft_irfft'), kernel(['aten::fft_irfft2', 'aten::fft_irfftn'], 'fft_irfftn')]
