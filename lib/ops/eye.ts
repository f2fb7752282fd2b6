import { kernel } from './op.js'

export default [kernel('aten::eye', 'eye'), kernel('aten::eye.m', 'eye_m')]
