import { empty } from '../../tensor/creation.js'
import type { DType } from '../../tensor/dtype.js'
import { Tensor } from '../../tensor/tensor.js'
import { ArgumentError } from '../../util/errors.js'
import { Parameter } from './parameter.js'

/** Parameters and buffers whose shape the first input decides. */

export interface UninitializedOptions {
  requiresGrad?: boolean
  dtype?: DType
}

/** What parameters and buffers without a shape have in common. */
export interface LazyTensor extends Tensor {
  /** Gives it a shape, and undefined contents. It stays the same object, and is a plain parameter or tensor from then on. */
  materialize(shape: readonly number[], options?: { dtype?: DType }): void
  /** Takes over the dtype that `fn` gives tensors of this one's. */
  convert(fn: (tensor: Tensor) => Tensor): void
  /** Another one like it. */
  copy(): LazyTensor
}

const misused = (name: string): Error =>
  new ArgumentError(
    `Attempted to use an uninitialized parameter. This error happens when you are using a lazy module or explicitly manipulating \`nn.${name}\` objects. When using lazy modules call \`forward\` with a dummy batch to initialize the parameters before calling torch functions`,
  )
const shapeless = (): Error =>
  new ArgumentError(
    "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `loadStateDict` when trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the parameters before accessing their attributes.",
  )

function give(tensor: Tensor, shape: readonly number[], dtype: DType, requiresGrad: boolean, plain: object): void {
  Object.setPrototypeOf(tensor, plain)
  Tensor.replaceHandle(tensor, Tensor.handleOf(empty(shape, { dtype })))
  Tensor.handleOf(tensor).setRequiresGrad(requiresGrad)
}

/** A parameter without a shape. */
export class UninitializedParameter extends Parameter implements LazyTensor {
  #dtype: DType
  readonly #requiresGrad: boolean
  constructor({ requiresGrad = true, dtype }: UninitializedOptions = {}) {
    const data = empty([0], { dtype })
    super(data, { requiresGrad })
    this.#dtype = data.dtype
    this.#requiresGrad = requiresGrad
    Tensor.withdrawHandle(this)
  }
  materialize(shape: readonly number[], { dtype = this.#dtype }: { dtype?: DType } = {}): void {
    give(this, shape, dtype, this.#requiresGrad, Parameter.prototype)
  }
  convert(fn: (tensor: Tensor) => Tensor): void {
    this.#dtype = fn(empty([0], { dtype: this.#dtype })).dtype
  }
  copy(): UninitializedParameter {
    return new UninitializedParameter({ dtype: this.#dtype, requiresGrad: this.#requiresGrad })
  }
  override get dtype(): DType {
    return this.#dtype
  }
  override get requiresGrad(): boolean {
    return this.#requiresGrad
  }
  override get shape(): number[] {
    throw shapeless()
  }
  protected override withoutMemory(): Error {
    return misused('UninitializedParameter')
  }
  override toString(): string {
    return '<UninitializedParameter>'
  }
}

/** A buffer without a shape. */
export class UninitializedBuffer extends Tensor implements LazyTensor {
  #dtype: DType
  constructor({ dtype }: Pick<UninitializedOptions, 'dtype'> = {}) {
    super()
    this.#dtype = empty([0], { dtype }).dtype
  }
  materialize(shape: readonly number[], { dtype = this.#dtype }: { dtype?: DType } = {}): void {
    give(this, shape, dtype, false, Tensor.prototype)
  }
  convert(fn: (tensor: Tensor) => Tensor): void {
    this.#dtype = fn(empty([0], { dtype: this.#dtype })).dtype
  }
  copy(): UninitializedBuffer {
    return new UninitializedBuffer({ dtype: this.#dtype })
  }
  override get dtype(): DType {
    return this.#dtype
  }
  override get requiresGrad(): boolean {
    return false
  }
  override get shape(): number[] {
    throw shapeless()
  }
  protected override withoutMemory(): Error {
    return misused('UninitializedBuffer')
  }
  override toString(): string {
    return '<UninitializedBuffer>'
  }
}

/** Whether a parameter or buffer has no shape yet. */
export const isLazy = (value: unknown): value is LazyTensor =>
  value instanceof UninitializedParameter || value instanceof UninitializedBuffer
