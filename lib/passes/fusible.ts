import type { Node, Value } from '../ir/graph.js'
import { TensorType } from '../ir/types.js'
import { implementationOf } from '../ops/registry.js'
import { isDeterministic } from './effects.js'

/** A node as a step of a fused group: the kernel row, and the arguments that it takes. */
export interface FusionStep {
  readonly role: 'pointwise' | 'reduction'
  readonly row: string
  readonly arguments: readonly Value[]
}

/** Steps take at most this many arguments (native/cpu-avx/fused.h). */
const maxArguments = 8

const isNone = (value: Value | undefined): boolean => value === undefined || value.node.constant?.kind === 'none'
const isFalse = (value: Value | undefined): boolean => {
  const constant = value?.node.constant
  return isNone(value) || (constant?.kind === 'bool' && !constant.value)
}
const isCpu = (value: Value | undefined): boolean => {
  const constant = value?.node.constant
  return isNone(value) || (constant?.kind === 'device' && constant.value === 'cpu')
}

/** Conversions to a dtype, which keep the memory format and may give their argument itself. */
function castOf(node: Node): readonly Value[] | undefined {
  const { inputs } = node
  switch (node.schema?.fullName) {
    case 'aten::to.dtype':
      return isFalse(inputs[3]) && isNone(inputs[4]) && !isNone(inputs[1]) ? [inputs[0], inputs[1]] : undefined
    case 'aten::to.dtype_layout': {
      const layout = inputs[2]?.node.constant
      const strided = isNone(inputs[2]) || (layout?.kind === 'int' && layout.value === 0n)
      const plain = strided && isCpu(inputs[3]) && isFalse(inputs[4]) && isFalse(inputs[6]) && isNone(inputs[7])
      return plain && !isNone(inputs[1]) ? [inputs[0], inputs[1]] : undefined
    }
    case 'aten::to.device':
      return isCpu(inputs[1]) && isFalse(inputs[4]) && isNone(inputs[5]) && !isNone(inputs[2]) ? [inputs[0], inputs[2]] : undefined
    default:
      return undefined
  }
}

/** How a node would run in a fused group; undefined when it cannot be part of one. */
export function fusionStep(node: Node): FusionStep | undefined {
  const { schema } = node
  if (schema === undefined || node.outputs.length !== 1 || node.output.type !== TensorType || node.blocks.length > 0) return undefined
  const cast = castOf(node)
  if (cast !== undefined) return { role: 'pointwise', row: 'cast', arguments: cast }
  const { definition, variant } = implementationOf(schema)
  if (definition === undefined || variant !== 'functional' || node.inputs.length > maxArguments || !isDeterministic(schema))
    return undefined
  if (definition.kind === 'pointwise') return { role: 'pointwise', row: definition.kernel, arguments: node.inputs }
  if (definition.kind === 'kernel' && definition.fuses !== undefined)
    return { role: definition.fuses, row: definition.kernel, arguments: node.inputs }
  return undefined
}

/** Whether a fusible node may give its argument itself. */
export const mayGiveArgument = (node: Node): boolean => castOf(node) !== undefined
