import { kernel } from './op.js'

export default [kernel('aten::_fft_c2c', 'fft_c2c'), kernel('aten::_fft_r2c', 'fft_r2c'), kernel('aten::_fft_c2r', 'fft_c2r')]
