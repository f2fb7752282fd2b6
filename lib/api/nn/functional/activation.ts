import type { DType } from '../../../tensor/dtype.js'
import type { Tensor } from '../../../tensor/tensor.js'
import { op, ops, opWith } from '../eager.js'
import { type Rest, settle } from '../options.js'

export interface InplaceOptions {
  /** Writes the result into the input. */
  inplace?: boolean
}
const inplaceNames = ['inplace'] as const
type InplaceRest = Rest<InplaceOptions, typeof inplaceNames>

/** An activation without parameters, which can write into its input. */
const plain =
  (name: string) =>
  (input: Tensor, ...rest: InplaceRest): Tensor =>
    op(settle<InplaceOptions>(inplaceNames, rest).inplace ? `${name}_` : name, input)

export const relu = plain('relu')
export const relu6 = plain('relu6')
export const selu = plain('selu')
export const silu = plain('silu')
export const mish = plain('mish')
export const hardsigmoid = plain('hardsigmoid')
export const hardswish = plain('hardswish')

export const relu_ = (input: Tensor): Tensor => op('relu_', input)
export const selu_ = (input: Tensor): Tensor => op('selu_', input)

export const tanh = (input: Tensor): Tensor => op('tanh', input)
export const sigmoid = (input: Tensor): Tensor => op('sigmoid', input)
export const logsigmoid = (input: Tensor): Tensor => op('log_sigmoid', input)
export const softsign = (input: Tensor): Tensor => op('div', input, op('add', op('abs', input), 1))
export const tanhshrink = (input: Tensor): Tensor => op('sub', input, op('tanh', input))

export interface HardtanhOptions extends InplaceOptions {
  minVal?: number
  maxVal?: number
}
const hardtanhNames = ['minVal', 'maxVal', 'inplace'] as const
export function hardtanh(input: Tensor, ...rest: Rest<HardtanhOptions, typeof hardtanhNames>): Tensor {
  const { minVal = -1, maxVal = 1, inplace = false } = settle<HardtanhOptions>(hardtanhNames, rest)
  return op(inplace ? 'hardtanh_' : 'hardtanh', input, minVal, maxVal)
}
export const hardtanh_ = (input: Tensor, ...rest: Rest<Omit<HardtanhOptions, 'inplace'>, readonly ['minVal', 'maxVal']>): Tensor =>
  hardtanh(input, { ...settle<HardtanhOptions>(['minVal', 'maxVal'], rest), inplace: true })

export interface AlphaOptions extends InplaceOptions {
  alpha?: number
}
const alphaNames = ['alpha', 'inplace'] as const
type AlphaRest = Rest<AlphaOptions, typeof alphaNames>
const withAlpha =
  (name: string) =>
  (input: Tensor, ...rest: AlphaRest): Tensor => {
    const { alpha = 1, inplace = false } = settle<AlphaOptions>(alphaNames, rest)
    return op(inplace ? `${name}_` : name, input, alpha)
  }
export const elu = withAlpha('elu')
export const celu = withAlpha('celu')
const inPlaceWithAlpha =
  (name: string) =>
  (input: Tensor, ...rest: Rest<{ alpha?: number }, readonly ['alpha']>): Tensor =>
    op(name, input, settle<{ alpha?: number }>(['alpha'], rest).alpha ?? 1)
export const elu_ = inPlaceWithAlpha('elu_')
export const celu_ = inPlaceWithAlpha('celu_')

export interface LeakyReluOptions extends InplaceOptions {
  negativeSlope?: number
}
const leakyNames = ['negativeSlope', 'inplace'] as const
export function leakyRelu(input: Tensor, ...rest: Rest<LeakyReluOptions, typeof leakyNames>): Tensor {
  const { negativeSlope = 0.01, inplace = false } = settle<LeakyReluOptions>(leakyNames, rest)
  return op(inplace ? 'leaky_relu_' : 'leaky_relu', input, negativeSlope)
}
export const leakyRelu_ = (input: Tensor, ...rest: Rest<Omit<LeakyReluOptions, 'inplace'>, readonly ['negativeSlope']>): Tensor =>
  leakyRelu(input, { ...settle<LeakyReluOptions>(['negativeSlope'], rest), inplace: true })

export interface RreluOptions extends InplaceOptions {
  lower?: number
  upper?: number
  training?: boolean
}
const rreluNames = ['lower', 'upper', 'training', 'inplace'] as const
export function rrelu(input: Tensor, ...rest: Rest<RreluOptions, typeof rreluNames>): Tensor {
  const { lower = 1 / 8, upper = 1 / 3, training = false, inplace = false } = settle<RreluOptions>(rreluNames, rest)
  return op(inplace ? 'rrelu_' : 'rrelu', input, lower, upper, training)
}
export const rrelu_ = (input: Tensor, ...rest: Rest<Omit<RreluOptions, 'inplace'>, readonly ['lower', 'upper', 'training']>): Tensor =>
  rrelu(input, { ...settle<RreluOptions>(['lower', 'upper', 'training'], rest), inplace: true })

export const prelu = (input: Tensor, weight: Tensor): Tensor => op('prelu', input, weight)

export interface GeluOptions {
  approximate?: 'none' | 'tanh'
}
export function gelu(input: Tensor, ...rest: Rest<GeluOptions, readonly ['approximate']>): Tensor {
  const { approximate = 'none' } = settle<GeluOptions>(['approximate'], rest)
  return opWith('gelu', [input], { approximate })
}

export const glu = (input: Tensor, ...rest: Rest<{ dim?: number }, readonly ['dim']>): Tensor =>
  op('glu', input, settle<{ dim?: number }>(['dim'], rest).dim ?? -1)

export const threshold = (input: Tensor, threshold: number, value: number, ...rest: InplaceRest): Tensor =>
  op(settle<InplaceOptions>(inplaceNames, rest).inplace ? 'threshold_' : 'threshold', input, threshold, value)
export const threshold_ = (input: Tensor, threshold: number, value: number): Tensor => op('threshold_', input, threshold, value)

type LambdRest = Rest<{ lambd?: number }, readonly ['lambd']>
export const hardshrink = (input: Tensor, ...rest: LambdRest): Tensor =>
  op('hardshrink', input, settle<{ lambd?: number }>(['lambd'], rest).lambd ?? 0.5)
export const softshrink = (input: Tensor, ...rest: LambdRest): Tensor =>
  op('softshrink', input, settle<{ lambd?: number }>(['lambd'], rest).lambd ?? 0.5)

export interface SoftplusOptions {
  beta?: number
  threshold?: number
}
export function softplus(input: Tensor, ...rest: Rest<SoftplusOptions, readonly ['beta', 'threshold']>): Tensor {
  const { beta = 1, threshold = 20 } = settle<SoftplusOptions>(['beta', 'threshold'], rest)
  return op('softplus', input, beta, threshold)
}

export interface SoftmaxOptions {
  /** Default: PyTorch's choice for old code, 0 for tensors of 0, 1 and 3 dimensions, else 1. */
  dim?: number | null
  dtype?: DType
}
const softmaxNames = ['dim', 'dtype'] as const
type SoftmaxRest = Rest<SoftmaxOptions, typeof softmaxNames>

/** The dimension where none is given. */
export const softmaxDim = (dims: number): number => (dims === 0 || dims === 1 || dims === 3 ? 0 : 1)

const softmaxLike = (name: string, input: Tensor, rest: readonly unknown[]): Tensor => {
  const { dim, dtype } = settle<SoftmaxOptions>(softmaxNames, rest)
  return op(name, input, dim ?? softmaxDim(input.dim()), dtype ?? null)
}
export const softmax = (input: Tensor, ...rest: SoftmaxRest): Tensor => softmaxLike('softmax', input, rest)
export const logSoftmax = (input: Tensor, ...rest: SoftmaxRest): Tensor => softmaxLike('log_softmax', input, rest)
export function softmin(input: Tensor, ...rest: SoftmaxRest): Tensor {
  const { dim, dtype } = settle<SoftmaxOptions>(softmaxNames, rest)
  return op('softmax', op('neg', input), dim ?? softmaxDim(input.dim()), dtype ?? null)
}

export interface GumbelSoftmaxOptions {
  tau?: number
  hard?: boolean
  eps?: number
  dim?: number
}
const gumbelNames = ['tau', 'hard', 'eps', 'dim'] as const
export function gumbelSoftmax(logits: Tensor, ...rest: Rest<GumbelSoftmaxOptions, typeof gumbelNames>): Tensor {
  const { tau = 1, hard = false, dim = -1 } = settle<GumbelSoftmaxOptions>(gumbelNames, rest)
  const gumbels = op('neg', op('log', op('exponential_', op('empty_like', logits))))
  const soft = op('softmax', op('div', op('add', logits, gumbels), tau), dim)
  if (!hard) return soft
  const index = ops('max', soft, dim, true)[1]
  const one = op('scatter_', op('zeros_like', logits), dim, index, 1)
  return op('add', op('sub', one, op('detach', soft)), soft)
}
