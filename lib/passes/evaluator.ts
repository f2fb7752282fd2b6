import { Graph, type Node } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import type { ConstantValue, Type } from '../ir/types.js'
import { listOf, scalarConstantType, tupleOf } from '../ir/types.js'
import { InvariantError } from '../util/errors.js'

/** What passes may ask of a constant tensor. */
export interface TensorFacts {
  readonly dtype: string
  readonly shape: readonly number[]
}

/** Looks at constant tensors; handed to passes by the rooms that can. */
export interface ConstantFacts {
  /** Undefined for tensors of which nothing is known. */
  facts(tensor: unknown): TensorFacts | undefined
  /** Whether convolutions of float16 and bfloat16 may run where channels-last images suit them. Left out: they do not. */
  halvesMayRunOnDevice?(): boolean
}

/** Runs operators on constants. */
export interface Evaluator extends ConstantFacts {
  /** The outputs of a node on these inputs. Undefined when they cannot be had: the node raises, or a value has no form as a constant. */
  evaluate(node: Node, inputs: readonly ConstantValue[]): readonly ConstantValue[] | undefined
  /** Frees tensors of results that nobody uses any more, except what `kept` has too. */
  release?(values: readonly ConstantValue[], kept: readonly ConstantValue[]): void
}

/** The type that a constant has by itself; `declared` tells what its value does not. */
export function typeOfConstant(value: ConstantValue, declared: Type): Type {
  const outer = declared.kind === 'Optional' ? declared.element : declared
  const scalar = scalarConstantType(value)
  if (scalar !== undefined) return scalar
  switch (value.kind) {
    case 'list':
      if (value.type !== undefined) return value.type
      return outer.kind === 'List' || value.items.length === 0 ? outer : listOf(typeOfConstant(value.items[0], outer))
    case 'tuple':
      return value.type ?? (outer.kind === 'Tuple' ? outer : tupleOf(value.items.map((item) => typeOfConstant(item, outer))))
    case 'dict':
      return value.type ?? outer
    default:
      return outer
  }
}

/** The one result of an operator on constants. */
export function compute(evaluator: Evaluator, fullName: string, inputs: readonly ConstantValue[]): ConstantValue | undefined {
  const schema = schemaByFullName(fullName)
  if (schema === undefined) throw new InvariantError(`There is no operator ${fullName}.`)
  const graph = new Graph()
  const values = schema.arguments.map((argument, i) => {
    const value = inputs[i] ?? argument.default ?? { kind: 'none' as const }
    return graph.block.append(graph.createConstant(value, typeOfConstant(value, argument.type))).output
  })
  const node = graph.create(schema.name, values, schema.returns.length)
  node.schema = schema
  node.outputs.forEach((output, i) => output.setType(schema.returns[i].type))
  return evaluator.evaluate(
    node,
    values.map((value) => value.node.constant!),
  )?.[0]
}
