import { Tensor } from '../../tensor/tensor.js'
import { ArgumentError } from '../../util/errors.js'
import { op as run, ops, opWith } from './eager.js'
import { isSkippingInit } from './skipped-init.js'
import { type Rest, settle } from './options.js'

/** `nn.init`: fills tensors in place, with PyTorch's numbers for the same seed. Each function gives its tensor back. */

/** Operators that write do nothing where `withoutInit` is. */
const op = (name: string, tensor: Tensor | number, ...args: unknown[]): Tensor =>
  isSkippingInit() && name.endsWith('_') ? (tensor as Tensor) : run(name, tensor, ...args)

export type FanMode = 'fan_in' | 'fan_out'
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'conv_transpose1d'
  | 'conv_transpose2d'
  | 'conv_transpose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leaky_relu'
  | 'selu'

/** The recommended gain of a nonlinearity; `param` is the negative slope of leaky_relu. */
export function calculateGain(nonlinearity: Nonlinearity, param: number | null = null): number {
  switch (nonlinearity) {
    case 'tanh':
      return 5 / 3
    case 'relu':
      return Math.sqrt(2)
    case 'leaky_relu':
      return Math.sqrt(2 / (1 + (param ?? 0.01) ** 2))
    case 'selu':
      return 3 / 4
    case 'linear':
    case 'conv1d':
    case 'conv2d':
    case 'conv3d':
    case 'conv_transpose1d':
    case 'conv_transpose2d':
    case 'conv_transpose3d':
    case 'sigmoid':
      return 1
    default:
      throw new ArgumentError(`Unsupported nonlinearity ${String(nonlinearity)}`)
  }
}

export interface UniformOptions {
  a?: number
  b?: number
}
export function uniform_(tensor: Tensor, ...rest: Rest<UniformOptions, readonly ['a', 'b']>): Tensor {
  const { a = 0, b = 1 } = settle<UniformOptions>(['a', 'b'], rest)
  return op('uniform_', tensor, a, b)
}
export interface NormalOptions {
  mean?: number
  std?: number
}
export function normal_(tensor: Tensor, ...rest: Rest<NormalOptions, readonly ['mean', 'std']>): Tensor {
  const { mean = 0, std = 1 } = settle<NormalOptions>(['mean', 'std'], rest)
  return op('normal_', tensor, mean, std)
}

export interface TruncNormalOptions extends NormalOptions {
  a?: number
  b?: number
}

/** Error function to double precision: its series near zero, a continued fraction beyond. */
function erf(x: number): number {
  const z = Math.abs(x)
  if (z < 2) {
    let term = z
    let sum = z
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum) && n < 200; n++) {
      term *= (-z * z) / n
      sum += term / (2 * n + 1)
    }
    return Math.sign(x) * sum * (2 / Math.sqrt(Math.PI))
  }
  let fraction = 0
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction)
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * (z + fraction)))
}

/** Draws from a normal distribution until every value lies in [a, b]; rejects by the density where [a, b] is narrow. */
export function truncNormal_(tensor: Tensor, ...rest: Rest<TruncNormalOptions, readonly ['mean', 'std', 'a', 'b']>): Tensor {
  const { mean = 0, std = 1, a = -2, b = 2 } = settle<TruncNormalOptions>(['mean', 'std', 'a', 'b'], rest)
  // Its draws go on until they fit.
  if (isSkippingInit()) return tensor
  const cdf = (x: number): number => (1 + erf(x / Math.sqrt(2))) / 2
  const isPending = (mask: Tensor): boolean => op('any', mask).item<boolean>() === true
  if (cdf((b - mean) / std) - cdf((a - mean) / std) > 0.3) {
    const limit = (value: number): unknown => opWith('full', [[], value], { dtype: tensor.dtype }).item()
    const [low, high] = [limit(a), limit(b)]
    let result = op('normal_', tensor, mean, std)
    for (;;) {
      const outside = op('bitwise_or', op('lt', result, low), op('gt', result, high))
      if (!isPending(outside)) break
      result = op('where', outside, op('normal_', op('empty_like', result), mean, std), result)
    }
    return result === tensor ? tensor : op('copy_', tensor, result)
  }
  const mode = Math.max(a, Math.min(mean, b))
  const peak = -0.5 * ((mode - mean) / std) ** 2
  const candidates = op('empty_like', tensor)
  const accepted = op('empty_like', tensor)
  const logDensity = (): Tensor => op('sub_', op('mul_', op('pow_', op('div_', op('sub_', candidates, mean), std), 2), -0.5), peak)
  const rejected = (): Tensor => op('gt', op('log_', op('uniform_', accepted)), candidates)
  op('uniform_', tensor, a, b)
  op('copy_', candidates, tensor)
  logDensity()
  let pending = rejected()
  let result = tensor
  while (isPending(pending)) {
    op('uniform_', candidates, a, b)
    result = op('where', pending, candidates, result)
    logDensity()
    pending = op('where', pending, rejected(), pending)
  }
  return result === tensor ? tensor : op('copy_', tensor, result)
}

export const constant_ = (tensor: Tensor, value: number): Tensor => op('fill_', tensor, value)
export const ones_ = (tensor: Tensor): Tensor => op('fill_', tensor, 1)
export const zeros_ = (tensor: Tensor): Tensor => op('zero_', tensor)

/** The identity matrix. */
export function eye_(tensor: Tensor): Tensor {
  if (tensor.dim() !== 2) throw new ArgumentError('Only tensors with 2 dimensions are supported')
  return op('copy_', tensor, opWith('eye', tensor.shape, { dtype: tensor.dtype }))
}

/** Kernels that keep each channel as it is. */
export function dirac_(tensor: Tensor, groups = 1): Tensor {
  const dims = tensor.dim()
  if (dims < 3 || dims > 5) throw new ArgumentError('Only tensors with 3, 4, or 5 dimensions are supported')
  const { shape } = tensor
  if (shape[0] % groups !== 0) throw new ArgumentError('dim 0 must be divisible by groups')
  const perGroup = shape[0] / groups
  op('zero_', tensor)
  for (let group = 0; group < groups; group++) {
    for (let channel = 0; channel < Math.min(perGroup, shape[1]); channel++) {
      let at = op('select', op('select', tensor, 0, group * perGroup + channel), 0, channel)
      for (let dim = 2; dim < dims; dim++) at = op('select', at, 0, Math.floor(shape[dim] / 2))
      op('fill_', at, 1)
    }
  }
  return tensor
}

/** Numbers of inputs and outputs of one element. */
export function fanInAndFanOut(tensor: Tensor): [fanIn: number, fanOut: number] {
  const { shape } = tensor
  if (shape.length < 2) throw new ArgumentError('Fan in and fan out can not be computed for tensor with fewer than 2 dimensions')
  const field = shape.slice(2).reduce((product, length) => product * length, 1)
  return [shape[1] * field, shape[0] * field]
}
function fan(tensor: Tensor, mode: FanMode): number {
  if (mode !== 'fan_in' && mode !== 'fan_out')
    throw new ArgumentError(`Mode ${String(mode)} not supported, please use one of ['fan_in', 'fan_out']`)
  return fanInAndFanOut(tensor)[mode === 'fan_in' ? 0 : 1]
}

export function xavierUniform_(tensor: Tensor, gain = 1): Tensor {
  const [fanIn, fanOut] = fanInAndFanOut(tensor)
  const bound = Math.sqrt(3) * (gain * Math.sqrt(2 / (fanIn + fanOut)))
  return op('uniform_', tensor, -bound, bound)
}
export function xavierNormal_(tensor: Tensor, gain = 1): Tensor {
  const [fanIn, fanOut] = fanInAndFanOut(tensor)
  return op('normal_', tensor, 0, gain * Math.sqrt(2 / (fanIn + fanOut)))
}

export interface KaimingOptions {
  /** Negative slope of the leaky_relu after the layer. */
  a?: number
  mode?: FanMode
  nonlinearity?: Nonlinearity
}
const kaimingNames = ['a', 'mode', 'nonlinearity'] as const
function kaimingStd(tensor: Tensor, rest: readonly unknown[]): number {
  const { a = 0, mode = 'fan_in', nonlinearity = 'leaky_relu' } = settle<KaimingOptions>(kaimingNames, rest)
  return calculateGain(nonlinearity, a) / Math.sqrt(fan(tensor, mode))
}
export function kaimingUniform_(tensor: Tensor, ...rest: Rest<KaimingOptions, typeof kaimingNames>): Tensor {
  if (tensor.shape.includes(0)) return tensor
  const bound = Math.sqrt(3) * kaimingStd(tensor, rest)
  return op('uniform_', tensor, -bound, bound)
}
export function kaimingNormal_(tensor: Tensor, ...rest: Rest<KaimingOptions, typeof kaimingNames>): Tensor {
  return tensor.shape.includes(0) ? tensor : op('normal_', tensor, 0, kaimingStd(tensor, rest))
}

/** A (semi) orthogonal matrix. */
export function orthogonal_(tensor: Tensor, gain = 1): Tensor {
  if (tensor.dim() < 2) throw new ArgumentError('Only tensors with 2 or more dimensions are supported')
  if (tensor.numel() === 0) return tensor
  const rows = tensor.shape[0]
  const columns = tensor.numel() / rows
  let flat = op('normal_', opWith('empty', [[rows, columns]], { dtype: tensor.dtype }), 0, 1)
  if (rows < columns) flat = op('t', flat)
  const [q, r] = ops('linalg_qr', flat)
  let unique = op('mul', q, op('sign', op('diag', r, 0)))
  if (rows < columns) unique = op('t', unique)
  op('copy_', op('view_as', tensor, unique), unique)
  return op('mul_', tensor, gain)
}

/** Normal numbers with a share of each column zero. */
export function sparse_(tensor: Tensor, sparsity: number, std = 0.01): Tensor {
  if (tensor.dim() !== 2) throw new ArgumentError('Only tensors with 2 dimensions are supported')
  const [rows, columns] = tensor.shape
  const zeros = Math.ceil(sparsity * rows)
  op('normal_', tensor, 0, std)
  for (let column = 0; column < columns; column++) {
    const rowIndices = op('slice', op('randperm', rows), 0, 0, zeros)
    op('index_fill_', op('select', tensor, 1, column), 0, rowIndices, 0)
  }
  return tensor
}
