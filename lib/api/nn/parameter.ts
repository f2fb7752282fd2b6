import { empty } from '../../tensor/creation.js'
import type { DType } from '../../tensor/dtype.js'
import { Tensor } from '../../tensor/tensor.js'
import { ArgumentError } from '../../util/errors.js'
import { detached } from './eager.js'

export interface ParameterOptions {
  requiresGrad?: boolean
}

/** A tensor that counts as a parameter of the module that has it as a field. It shares the memory of the tensor it is made from. */
export class Parameter extends Tensor {
  constructor(data: Tensor, { requiresGrad = true }: ParameterOptions = {}) {
    if (!(data instanceof Tensor)) throw new ArgumentError(`Expected a Tensor for \`data\` but received ${describe(data)}`)
    super(Tensor.handleOf(detached(data)))
    Tensor.handleOf(this).setRequiresGrad(requiresGrad)
  }
  override toString(): string {
    return `Parameter containing:\n${super.toString()}`
  }
}

/** A value in a message. */
export const describe = (value: unknown): string =>
  value === null ? 'null' : typeof value === 'object' ? value.constructor?.name || 'an object' : `${typeof value} ${String(value)}`

/** A parameter of undefined contents. */
export const emptyParameter = (shape: readonly number[], dtype?: DType): Parameter => new Parameter(empty(shape, { dtype }))
