// The operator that is made here.
import '../ops/convolution-epilogue.js'
import type { Node, Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import type { ConstantValue, Type } from '../ir/types.js'
import { BoolType, IntType, listOf, StringType, TensorType } from '../ir/types.js'
import { argumentAt, traitsOf } from '../ops/traits.js'

/* Convolutions however their overload orders its arguments, and the operator that all of them can become. */

export interface Convolution {
  readonly node: Node
  readonly groups: number
  readonly transposed: boolean
  /** `same` or `valid`, which another kernel works out. */
  readonly padsByName: boolean
  /** An argument by its name; undefined where the overload does not have it. */
  argument(name: string): Value | undefined
}

/** The convolution that a node is, if its groups are constant and its direction too. */
export function convolutionOf(node: Node): Convolution | undefined {
  const { schema } = node
  const form = schema && traitsOf(schema).convolution
  if (schema === undefined || form === undefined) return undefined
  const argument = (name: string): Value | undefined => node.inputs[argumentAt(schema, name)]
  const groups = argument(form.groups)?.node.constant
  const flag = typeof form.transposed === 'string' ? argument(form.transposed)?.node.constant : undefined
  const transposed = typeof form.transposed === 'string' ? (flag?.kind === 'bool' ? flag.value : undefined) : form.transposed
  if (groups?.kind !== 'int' || transposed === undefined) return undefined
  const padsByName = schema.arguments[argumentAt(schema, 'padding')]?.type.kind !== 'List'
  return { node, groups: Number(groups.value), transposed, padsByName, argument }
}

export const epilogueKind = 'torchscript::convolution_epilogue'
/** Places in the arguments of a convolution with an epilogue. */
export const [residualAt, activationAt, channelsLastAt] = [9, 10, 11]

export interface Epilogue {
  readonly residual?: Value
  readonly activation: string
  readonly channelsLast: boolean
}

/** A convolution in `dimensions` dimensions with an epilogue, before a node and in place of none. */
export function convolutionEpilogue(convolution: Convolution, dimensions: number, epilogue: Epilogue, before: Node): Node {
  const { graph } = before
  const constant = (value: ConstantValue, type: Type): Value => graph.createConstant(value, type).insertBefore(before).output
  const zeros: ConstantValue = { kind: 'list', items: Array(dimensions).fill({ kind: 'int', value: 0n }), type: listOf(IntType) }
  const bool = (value: boolean): Value => constant({ kind: 'bool', value }, BoolType)
  const inputs = ['input', 'weight', 'bias', 'stride', 'padding', 'dilation'].map((name) => convolution.argument(name)!)
  const made = graph.create(epilogueKind, [
    ...inputs,
    convolution.argument('transposed') ?? bool(convolution.transposed),
    convolution.argument('output_padding') ?? constant(zeros, listOf(IntType)),
    convolution.argument('groups')!,
    epilogue.residual ?? constant({ kind: 'none' }, { kind: 'Optional', element: TensorType }),
    constant({ kind: 'string', value: epilogue.activation }, StringType),
    bool(epilogue.channelsLast),
  ])
  made.schema = schemaByFullName(epilogueKind)
  return made.insertBefore(before)
}
