import type { Block, Graph, Node, Value } from '../ir/graph.js'
import type { FunctionSchema } from '../ir/schema.js'
import { TensorType } from '../ir/types.js'
import type { OperatorDefinition } from '../ops/op.js'
import { implementationOf } from '../ops/registry.js'
import { argumentAt, traitsOf } from '../ops/traits.js'
import { dtypeFromCode } from '../tensor/dtype.js'
import type { ConstantFacts, TensorFacts } from './evaluator.js'
import { rankOf } from './ranks.js'

/** What is deeper is not looked at, for the stack's sake. */
const maxDepth = 500

/** How the dtype of an overload's results follows from its arguments, which are told by their offsets. */
interface Rule {
  /** An argument that asks for a dtype where it is not None. */
  readonly asked: number | undefined
  /** Arguments that have to agree; undefined when nothing is known. */
  readonly from: readonly number[] | undefined
}
const rules = new WeakMap<FunctionSchema, Rule>()

function ruleOf(schema: FunctionSchema): Rule {
  let rule = rules.get(schema)
  if (rule === undefined) rules.set(schema, (rule = { asked: askedBy(schema), from: sourcesOf(schema) }))
  return rule
}

function askedBy(schema: FunctionSchema): number | undefined {
  const at = schema.arguments.findIndex((a) => a.name === 'dtype' && a.codeOf === 'ScalarType')
  return at < 0 ? undefined : at
}

/** Arguments whose memory the result is, by the schema: it has their dtype. */
function aliased(schema: FunctionSchema): number | undefined {
  const info = schema.returns[0]?.alias ?? schema.returns[0]?.elementAlias
  const names = info?.before ?? []
  const at = schema.arguments.findIndex((a) => (a.alias ?? a.elementAlias)?.before.some((name) => name !== '*' && names.includes(name)))
  return at < 0 ? undefined : at
}

/** Operands of an expression that take part in promotion. */
function operandsOf(definition: OperatorDefinition & { kind: 'pointwise' }): readonly string[] | undefined {
  if (definition.promotion === 'bool') return undefined
  const { conditions = [] } = definition
  return Object.entries(definition.operands).flatMap(([name, letter]) => (conditions.includes(letter) ? [] : [name]))
}

function sourcesOf(schema: FunctionSchema): readonly number[] | undefined {
  const { definition, variant, functional } = implementationOf(schema)
  const named = definition?.kind === 'pointwise' ? operandsOf(definition) : traitsOf(schema).dtypeFrom
  const alias = aliased(schema)
  if (variant !== 'functional' || named === undefined) return alias === undefined ? undefined : [alias]
  const known = named.map((name) => argumentAt(functional, name)).filter((at) => at >= 0)
  return known.length === 0 ? undefined : known
}

/** Whether an argument can be no tensor of a dtype that takes part in promotion: floats keep their dtype beside real numbers. */
function isRealNumber(value: Value): boolean {
  const { constant } = value.node
  if (constant !== undefined)
    return constant.kind === 'int' || constant.kind === 'float' || constant.kind === 'bool' || constant.kind === 'none'
  return value.type.kind === 'Simple' && ['int', 'float', 'bool'].includes(value.type.name)
}

/** What is known stays true whatever passes do to the graph, but for those that call `forgetDTypes`. */
const known = new WeakMap<Value, string>()

/** The float dtype that a tensor, or each tensor of a list, surely has when the program gets there; undefined when it is not known or no float. */
export function floatDType(value: Value, evaluator: ConstantFacts): string | undefined {
  return known.get(value) ?? new Inference(evaluator).of(value, 0)
}

/** Says what a value surely is, where the pass that made it knows more than its operator tells. */
export const learnDType = (value: Value, dtype: string): void => void known.set(value, dtype)

/** To be called before a pass changes dtypes. */
export function forgetDTypes(graph: Graph): void {
  const forget = (block: Block): void => {
    for (const input of block.inputs) known.delete(input)
    for (const node of block.nodes) {
      for (const output of node.outputs) known.delete(output)
      node.blocks.forEach(forget)
    }
  }
  forget(graph.block)
}

const float = (dtype: string | undefined): string | undefined =>
  dtype !== undefined && (dtype.startsWith('float') || dtype === 'bfloat16') ? dtype : undefined

/** One question, which leads to many values and to each once. */
class Inference {
  private readonly unknown = new Set<Value>()

  constructor(private readonly evaluator: ConstantFacts) {}

  of(value: Value, depth: number): string | undefined {
    const before = known.get(value)
    if (before !== undefined || this.unknown.has(value)) return before
    this.unknown.add(value)
    const found = depth > maxDepth ? undefined : this.find(value, depth)
    if (found !== undefined) known.set(value, found)
    return found
  }

  private find({ node }: Value, depth: number): string | undefined {
    if (node.constant?.kind === 'tensor') return float(this.evaluator.facts(node.constant.tensor)?.dtype)
    if (node.schema !== undefined) return this.operator(node, node.schema, depth)
    return node.kind === 'prim::ListUnpack' || node.kind === 'prim::ListConstruct' ? this.agreed(node.inputs, depth) : undefined
  }

  private operator(node: Node, schema: FunctionSchema, depth: number): string | undefined {
    const { asked, from } = ruleOf(schema)
    if (asked !== undefined) {
      const { constant } = node.inputs[asked].node
      if (constant?.kind === 'int') return float(dtypeFromCode(Number(constant.value)))
      if (constant?.kind !== 'none') return undefined
    }
    const values = from?.map((at) => node.inputs[at]).filter((value) => value !== undefined && !isRealNumber(value)) ?? []
    // Numbers alone, or a tensor that may be None.
    if (values.some((value) => value.type !== TensorType && value.type.kind !== 'List')) return undefined
    return this.agreed(this.deciding(node, values), depth)
  }

  /**
   * The values that decide, as the rules of promotion have it, what float dtype others beside them have: not constants of integers, and not constants
   * without dimensions beside a value that has some.
   */
  private deciding(node: Node, values: readonly Value[]): readonly Value[] {
    if (values.length < 2) return values
    const factsOf = ({ node: { constant } }: Value): TensorFacts | undefined =>
      constant?.kind === 'tensor' ? this.evaluator.facts(constant.tensor) : undefined
    const wide = values.filter((value) => !/^(?:u?int|bool)/.test(factsOf(value)?.dtype ?? ''))
    const { definition } = implementationOf(node.schema!)
    if (definition?.kind !== 'pointwise' || wide.every((value) => factsOf(value)?.shape.length !== 0)) return wide
    const sized = wide.filter((value) => factsOf(value)?.shape.length !== 0)
    return sized.some((value) => (factsOf(value)?.shape.length ?? rankOf(value).least) > 0) ? sized : wide
  }

  /** The one float dtype of several tensors. */
  private agreed(values: readonly Value[], depth: number): string | undefined {
    const [first, ...others] = values
    const dtype = first && this.of(first, depth + 1)
    return dtype !== undefined && others.every((value) => this.of(value, depth + 1) === dtype) ? dtype : undefined
  }
}
