import type { TensorData } from '../archive/values.js'
import { nativeBinding } from '../native/loader.js'
import type { ConstantFacts } from '../passes/evaluator.js'

/** What the description of a constant tensor says. */
export const constantFacts: ConstantFacts = {
  facts(tensor) {
    const { dtype, shape, quant, sparse } = tensor as TensorData
    return quant === undefined && sparse === undefined && shape !== undefined ? { dtype, shape } : undefined
  },
  halvesMayRunOnDevice: () => nativeBinding().cuda.deviceCount() > 0,
}
