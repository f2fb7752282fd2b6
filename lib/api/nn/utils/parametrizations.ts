import { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError, UnsupportedError } from '../../../util/errors.js'
import type { AttributeTable } from '../attributes.js'
import { copyInto, detached, op, opWith, plainShape } from '../eager.js'
import { normalize } from '../functional/normalization.js'
import { Module } from '../module.js'
import { type Rest, settle } from '../options.js'
import { registerParametrization } from './parametrize.js'
import { outputDimOf, spectralMatrix } from './weights.js'

/** `nn.utils.parametrizations`: parametrizations of torch.nn. */

const tensorOf = (module: Module, name: string): Tensor => {
  const value = (module as unknown as Record<string, unknown>)[module.fieldOf(name)]
  if (!(value instanceof Tensor)) throw new ArgumentError(`Module '${module.toString()}' has no parameter or buffer with name '${name}'`)
  return value
}

/** `v g / ‖v‖`, from g and v. */
class WeightNorm extends Module {
  static readonly pythonName: string = 'torch.nn.utils.parametrizations._WeightNorm'
  readonly dim: number
  constructor(dim: number | null) {
    super()
    this.dim = dim ?? -1
  }
  override forward(g: Tensor, v: Tensor): Tensor {
    return op('_weight_norm', v, g, this.dim)
  }
  rightInverse(weight: Tensor): Tensor[] {
    return [op('norm_except_dim', weight, 2, this.dim), weight]
  }
  /** `utils.weightNorm` has other names. */
  renameEntries(entries: Map<string, unknown>, prefix: string, name: string): void {
    const old = [`${prefix}${name}_g`, `${prefix}${name}_v`]
    if (!old.every((key) => entries.has(key))) return
    old.forEach((key, i) => {
      entries.set(`${prefix}parametrizations.${name}.original${i}`, entries.get(key))
      entries.delete(key)
    })
  }
}

export interface WeightNormOptions {
  /** Of the tensor. Default: `weight`. */
  name?: string
  /** The dimension whose slices have a norm each; null for one norm of the whole tensor. Default: 0. */
  dim?: number | null
}
const weightNormNames = ['name', 'dim'] as const

/** Puts a tensor, `weight` by default, as its magnitude times its direction. State dicts of `utils.weightNorm` load too. */
export function weightNorm<T extends Module>(module: T, ...rest: Rest<WeightNormOptions, typeof weightNormNames>): T {
  const { name = 'weight', dim = 0 } = settle<WeightNormOptions>(weightNormNames, rest)
  return registerParametrization(module, name, new WeightNorm(dim), { unsafe: true })
}

/** A tensor divided by its largest singular value, which power iteration keeps track of in training. */
class SpectralNorm extends Module {
  static override readonly attributes: AttributeTable = { nPowerIterations: 'int' }
  static readonly pythonName: string = 'torch.nn.utils.parametrizations._SpectralNorm'
  readonly dim: number
  readonly eps: number
  readonly nPowerIterations: number
  declare _u: Tensor
  declare _v: Tensor

  constructor(weight: Tensor, nPowerIterations: number, dim: number, eps: number) {
    super()
    const dims = weight.dim()
    if (dim >= dims || dim < -dims)
      throw new ArgumentError(`Dimension out of range (expected to be in range of [-${dims}, ${dims - 1}] but got ${dim})`)
    if (!(nPowerIterations > 0))
      throw new ArgumentError(`Expected n_power_iterations to be positive, but got n_power_iterations=${nPowerIterations}`)
    this.dim = dim < 0 ? dim + dims : dim
    this.eps = eps
    this.nPowerIterations = nPowerIterations
    if (dims <= 1) return
    const matrix = spectralMatrix(detached(weight), this.dim)
    const [height, width] = plainShape(matrix)
    const [u, v] = [height, width].map((length) => op('normal_', op('new_empty', matrix, [length]), 0, 1))
    this.registerBuffer('_u', normalize(u, 2, 0, eps))
    this.registerBuffer('_v', normalize(v, 2, 0, eps))
    this.iterate(matrix, 15)
  }
  private iterate(matrix: Tensor, count: number): void {
    for (let i = 0; i < count; i++) {
      copyInto(this._u, normalize(op('mv', matrix, this._v), 2, 0, this.eps))
      copyInto(this._v, normalize(op('mv', op('t', matrix), this._u), 2, 0, this.eps))
    }
  }
  override forward(weight: Tensor): Tensor {
    if (weight.dim() === 1) return normalize(weight, 2, 0, this.eps)
    const matrix = spectralMatrix(weight, this.dim)
    if (this.training) this.iterate(matrix, this.nPowerIterations)
    const [u, v] = [this._u, this._v].map((tensor) => opWith('clone', [tensor], { memory_format: 'contiguous_format' }))
    return op('div', weight, op('vdot', u, op('mv', matrix, v)))
  }
  rightInverse(value: Tensor): Tensor {
    return value
  }
}

export interface SpectralNormOptions {
  /** Of the tensor. Default: `weight`. */
  name?: string
  nPowerIterations?: number
  eps?: number
  /** The dimension of the outputs. Default: 0, but 1 for transposed convolutions. */
  dim?: number | null
}
const spectralNormNames = ['name', 'nPowerIterations', 'eps', 'dim'] as const

/** Divides a tensor, `weight` by default, by an estimate of its largest singular value. */
export function spectralNorm<T extends Module>(module: T, ...rest: Rest<SpectralNormOptions, typeof spectralNormNames>): T {
  const { name = 'weight', nPowerIterations = 1, eps = 1e-12, dim } = settle<SpectralNormOptions>(spectralNormNames, rest)
  const weight = tensorOf(module, name)
  return registerParametrization(module, name, new SpectralNorm(weight, nPowerIterations, dim ?? outputDimOf(module), eps))
}

export type OrthogonalMap = 'matrix_exp' | 'cayley' | 'householder'

const transposed = (matrix: Tensor): Tensor => op('transpose', matrix, -2, -1)
const rowsAndColumns = (matrix: Tensor): number[] => plainShape(matrix).slice(-2)
const diagonal = (matrix: Tensor): Tensor => op('diagonal', matrix, 0, -2, -1)

/** The Q of a QR decomposition whose R has a positive diagonal. */
function orthogonalized(matrix: Tensor): Tensor {
  const [reflectors, tau] = opWith('geqrf', [matrix], {}) as unknown as Tensor[]
  return op('mul', op('linalg_householder_product', reflectors, tau), op('unsqueeze', op('sgn', diagonal(reflectors)), -2))
}
function isOrthogonal(matrix: Tensor): boolean {
  const [rows, columns] = rowsAndColumns(matrix)
  const epsilon = matrix.dtype === 'float64' ? 2 ** -52 : matrix.dtype === 'float16' ? 2 ** -10 : 2 ** -23
  const identity = opWith('eye', [columns], { dtype: matrix.dtype })
  const product = op('matmul', transposed(matrix), matrix)
  return (op('allclose', product, identity, 1e-5, 10 * rows * epsilon) as unknown) === true
}

/** An orthogonal matrix, from one without constraints. */
class Orthogonal extends Module {
  static readonly pythonName: string = 'torch.nn.utils.parametrizations._Orthogonal'
  readonly orthogonalMap: OrthogonalMap
  private readonly expected: readonly number[]
  declare base: Tensor | null
  readonly usesTrivialization: boolean

  constructor(weight: Tensor, map: OrthogonalMap, usesTrivialization: boolean) {
    super()
    this.expected = plainShape(weight)
    this.orthogonalMap = map
    this.usesTrivialization = usesTrivialization
    if (usesTrivialization) this.registerBuffer('base', null)
  }
  override forward(matrix: Tensor): Tensor {
    const [n, k] = rowsAndColumns(matrix)
    const isWide = n < k
    const tall = isWide ? transposed(matrix) : matrix
    let q = this.orthogonalMap === 'householder' ? this.reflected(tall) : this.rotated(tall, Math.max(n, k), Math.min(n, k))
    if (this.usesTrivialization) q = op('matmul', this.base, q)
    return isWide ? transposed(q) : q
  }
  /** From a skew-symmetric matrix, by its exponential or Cayley's map. */
  private rotated(tall: Tensor, n: number, k: number): Tensor {
    let lower = op('tril', tall)
    if (n !== k) lower = op('cat', [lower, op('new_zeros', lower, [...plainShape(tall).slice(0, -2), n, n - k])], -1)
    const skew = op('sub', lower, transposed(lower))
    let q: Tensor
    if (this.orthogonalMap === 'matrix_exp') q = op('matrix_exp', skew)
    else {
      const identity = opWith('eye', [n], { dtype: skew.dtype })
      const moved = (alpha: number): Tensor => opWith('add', [identity, skew], { alpha })
      q = op('linalg_solve', moved(-0.5), moved(0.5))
    }
    return n === k ? q : op('slice', q, -1, 0, k)
  }
  /** As a product of reflections. */
  private reflected(tall: Tensor): Tensor {
    const reflectors = op('tril', tall, -1)
    const tau = op('reciprocal', op('add', op('sum', op('mul', reflectors, reflectors), [-2]), 1))
    const q = op('linalg_householder_product', reflectors, op('mul', tau, 2))
    // The diagonal is of ones and minus ones.
    return op('mul', q, op('unsqueeze', op('to', diagonal(tall), 'int32'), -2))
  }

  rightInverse(value: Tensor): Tensor {
    if (plainShape(value).join() !== this.expected.join())
      throw new ArgumentError(
        `Expected a matrix or batch of matrices of shape torch.Size([${this.expected.join(', ')}]). Got a tensor of shape torch.Size([${plainShape(value).join(', ')}]).`,
      )
    const [rows, columns] = rowsAndColumns(value)
    const isWide = rows < columns
    const tall = isWide ? transposed(value) : value
    const [n, k] = rowsAndColumns(tall)
    if (!this.usesTrivialization) {
      if (this.orthogonalMap !== 'householder')
        throw new UnsupportedError(
          'It is not possible to assign to the matrix exponential or the Cayley parametrizations when use_trivialization=False.',
        )
      const [reflectors, tau] = opWith('geqrf', [tall], {}) as unknown as Tensor[]
      op('sign_', diagonal(reflectors))
      const flipped = op('masked_fill', op('ones_like', tau), op('eq', tau, 0), -1)
      op('mul_', diagonal(reflectors), flipped)
      return isWide ? transposed(reflectors) : reflectors
    }
    if (n !== k) {
      const others = opWith('randn', [[...plainShape(tall).slice(0, -2), n, n - k]], { dtype: tall.dtype })
      this.base = orthogonalized(op('cat', [tall, others], -1))
    } else this.base = isOrthogonal(tall) ? op('clone', tall) : orthogonalized(tall)
    const original = op('zeros_like', value)
    op('fill_', diagonal(original), -1)
    return original
  }
}

export interface OrthogonalOptions {
  /** Of the tensor. Default: `weight`. */
  name?: string
  /** Default: `matrix_exp` for square matrices, else `householder`. */
  orthogonalMap?: OrthogonalMap | null
  /** Keeps a matrix from which the others are seen. Default: true. */
  useTrivialization?: boolean
}
const orthogonalNames = ['name', 'orthogonalMap', 'useTrivialization'] as const

/** Keeps a matrix, or each of a batch of them, orthogonal. */
export function orthogonal<T extends Module>(module: T, ...rest: Rest<OrthogonalOptions, typeof orthogonalNames>): T {
  const { name = 'weight', orthogonalMap, useTrivialization = true } = settle<OrthogonalOptions>(orthogonalNames, rest)
  const weight = tensorOf(module, name)
  if (weight.dim() < 2) throw new ArgumentError(`Expected a matrix or batch of matrices. Got a tensor of ${weight.dim()} dimensions.`)
  if (weight.dtype.startsWith('complex')) throw new UnsupportedError('Orthogonal parametrizations of complex tensors are not supported')
  const [rows, columns] = rowsAndColumns(weight)
  const map = orthogonalMap ?? (rows === columns ? 'matrix_exp' : 'householder')
  if (!['matrix_exp', 'cayley', 'householder'].includes(map))
    throw new ArgumentError(`orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: ${String(map)}`)
  return registerParametrization(module, name, new Orthogonal(weight, map, useTrivialization), { unsafe: true })
}
