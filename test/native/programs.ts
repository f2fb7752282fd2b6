/** Programs of the executor made from graph text, and plain tensors to run them on. */
import { parseGraph } from '../../lib/ir/parser.js'
import type { ScriptFunction } from '../../lib/ir/types.js'
import { nativeBinding } from '../../lib/native/loader.js'
import type { ProgramHandle, TensorHandle } from '../../lib/native/binding.js'
import { encodePlan } from '../../lib/plan/encode.js'
import { PlanTables } from '../../lib/plan/tables.js'
import { noneValue } from '../../lib/plan/value.js'

export const native = nativeBinding()

export const dtypes = { uint8: 0, int32: 3, int64: 4, float32: 6, float64: 7, bool: 11 } as const

/** A float32 tensor, or an int64 tensor for bigints. */
export function tensor(sizes: readonly number[], values: readonly number[] | readonly bigint[]): TensorHandle {
  const isInt = typeof values[0] === 'bigint'
  const data = isInt ? new BigInt64Array(values as readonly bigint[]) : new Float32Array(values as readonly number[])
  return native.tensorFromBuffer(data.buffer, 0, isInt ? dtypes.int64 : dtypes.float32, sizes)
}

/** Elements in row-major order. */
export function values(handle: TensorHandle): (number | bigint)[] {
  const whole = handle.contiguousCopy()
  const { dtype, sizes } = whole.info()
  const count = sizes.reduce((a, b) => a * b, 1)
  const buffer = whole.data()
  const at = whole.dataOffset
  switch (dtype) {
    case dtypes.float32:
      return [...new Float32Array(buffer, at, count)]
    case dtypes.float64:
      return [...new Float64Array(buffer, at, count)]
    case dtypes.int64:
      return [...new BigInt64Array(buffer, at, count)]
    case dtypes.int32:
      return [...new Int32Array(buffer, at, count)]
    default:
      return [...new Uint8Array(buffer, at, count)]
  }
}

export function functionOf(text: string, name = 'f'): ScriptFunction {
  const graph = parseGraph(text)
  return {
    qualifiedName: name,
    name,
    graph,
    parameters: graph.inputs.map((input, i) => ({ name: input.debugName ?? `p${i}`, type: input.type })),
    returnType: graph.outputs[0].type,
  }
}

/** The plan of a program of functions given as graph texts. */
export function planOf(...texts: string[]): Uint8Array {
  const { builtins, kernels } = native.nativeOperators()
  const tables = new PlanTables({
    native: { builtins: new Set(builtins), kernels: new Set(kernels) },
    prepare: (graph) => graph,
    compile: ({ names }) => {
      throw new Error(`${names[0]} is composed`)
    },
  })
  texts.forEach((text, i) => tables.function(functionOf(text, `f${i}`)))
  return encodePlan(tables, noneValue).bytes
}

export const load = (...texts: string[]): ProgramHandle => native.loadProgram(planOf(...texts), [])
