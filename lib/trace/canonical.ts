import type { FunctionSchema } from '../ir/schema.js'
import { schemaByFullName } from '../ir/schema.js'
import { Tensor } from '../tensor/tensor.js'

const convolution = /^aten::conv(_transpose)?[123]d(\.input)?$/

const rank = (value: unknown): number => (value instanceof Tensor ? Tensor.handleOf(value).info().sizes.length : -1)

/**
 * A call as PyTorch's tracer writes it down. Convolutions of every rank appear as the one operator that they are made of; all else stays
 * what was called. That operator takes batches only: a convolution of one image without a batch stays too.
 */
export function tracedCall(schema: FunctionSchema, args: readonly unknown[]): { schema: FunctionSchema; args: readonly unknown[] } {
  const match = convolution.exec(schema.fullName)
  const target = match === null ? undefined : schemaByFullName('aten::_convolution')
  if (match === null || target === undefined) return { schema, args }
  if (rank(args[0]) !== rank(args[1])) return { schema, args }
  const isTransposed = match[1] !== undefined
  const [input, weight, bias, stride, padding] = args
  const zeros = (stride as unknown[]).map(() => 0)
  const [outputPadding, groups, dilation] = isTransposed ? args.slice(5) : [zeros, args[6], args[5]]
  // benchmark, deterministic, cudnn_enabled and allow_tf32 speak to GPUs; these are PyTorch's settings out of the box.
  return {
    schema: target,
    args: [input, weight, bias, stride, padding, dilation, isTransposed, outputPadding, groups, false, false, true, true],
  }
}
