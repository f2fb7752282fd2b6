import type { Block, Graph, Node, Value } from '../ir/graph.js'
import type { FunctionSchema } from '../ir/schema.js'
import { TensorType } from '../ir/types.js'
import { implementationOf } from '../ops/registry.js'
import { traitsOf } from '../ops/traits.js'
import { floatDType } from './dtype-inference.js'
import { isDeterministic } from './effects.js'
import type { ConstantFacts } from './evaluator.js'
import type { Pass } from './pass.js'

/**
 * In-place operators on new memory that nothing else has become the operators that give a new tensor, after PyTorch's RemoveMutation: nothing stands
 * in the way of fusion then, and the executor reuses the memory where it can. What reads the tensor after the change reads the new one. The tensor
 * is the result of an operator whose result is its own, and until the change it was only read: no view, no list and no object has it.
 *
 *     %c : Tensor = aten::conv2d(%x, %w, ...)               %c : Tensor = aten::conv2d(%x, %w, ...)
 *     %s : Tensor = aten::sigmoid(%c)                       %s : Tensor = aten::sigmoid(%c)
 *     %d : Tensor = aten::mul_(%c, %s)               =>     %d : Tensor = aten::mul(%c, %s)
 *     %y : Tensor = aten::relu(%c)                          %y : Tensor = aten::relu(%d)
 *
 * Only expressions, and only where the new tensor surely has the dtype of the old one. An operand that does not broadcast to the tensor it is added
 * to raises no more: the result is larger.
 */
export const removeMutation = (facts: ConstantFacts): Pass => ({
  name: 'remove-mutation',
  run: (graph: Graph): boolean => removeFrom(graph.block, facts),
})

function removeFrom(block: Block, facts: ConstantFacts): boolean {
  let changed = false
  const places = new Map<Node, number>()
  block.nodes.forEach((node, i) => places.set(node, i))
  /** The place of the node of this block that a node is or is nested in. */
  const placeOf = (node: Node): number => {
    let at = node
    while (at.owner !== block) at = at.owner!.owner!
    return at === block.returnNode ? Infinity : places.get(at)!
  }
  for (const node of [...block.nodes]) {
    for (const inner of node.blocks) changed = removeFrom(inner, facts) || changed
    const functional = functionalOf(node, facts)
    if (functional === undefined) continue
    const [tensor] = node.inputs
    if (tensor.node.owner !== block || !isNew(tensor)) continue
    const place = placeOf(node)
    const earlier = tensor.uses.filter(({ user }) => user !== node && placeOf(user) < place)
    if (
      earlier.some(({ user, offset }) => mayKeep(user, offset)) ||
      node.inputs.some((value, i) => i > 0 && value === tensor && mayKeep(node, i))
    )
      continue
    const made = node.graph.create(functional.name, node.inputs).insertBefore(node)
    made.schema = functional
    made.range = node.range
    made.callStack = node.callStack
    made.output.debugName = node.output.debugName
    places.set(made, place)
    for (const { user, offset } of [...tensor.uses])
      if (user !== made && user !== node && placeOf(user) > place) user.replaceInput(offset, made.output)
    node.output.replaceAllUsesWith(made.output)
    node.destroy()
    changed = true
  }
  return changed
}

/** The operator that gives what an in-place one writes, if its results surely have the dtype of what is written. */
function functionalOf(node: Node, facts: ConstantFacts): FunctionSchema | undefined {
  const { schema } = node
  if (schema === undefined || node.outputs.length !== 1 || node.output.type !== TensorType || node.inputs[0]?.type !== TensorType)
    return undefined
  const { definition, functional, variant } = implementationOf(schema)
  if (variant !== 'inplace' || functional === schema || functional.arguments.length !== node.inputs.length) return undefined
  const isExpression = definition?.kind === 'pointwise' || (definition?.kind === 'kernel' && definition.fuses === 'pointwise')
  if (!isExpression || !isDeterministic(functional)) return undefined
  return keepsDType(node, functional, facts) ? functional : undefined
}

function keepsDType(node: Node, functional: FunctionSchema, facts: ConstantFacts): boolean {
  const { definition } = implementationOf(functional)
  const conditions = definition?.kind === 'pointwise' ? conditionsOf(definition.operands, definition.conditions) : []
  // Without numbers and other tensors, the result of most operators has the dtype of the operand whatever that is.
  if (definition?.kind === 'pointwise' && definition.promotion === 'bool') return false
  if (definition?.kind === 'pointwise' && definition.promotion === 'same' && node.inputs.length === 1) return true
  const dtype = floatDType(node.inputs[0], facts)
  if (dtype === undefined) return false
  return node.inputs.every((value, i) => {
    if (i === 0 || conditions.includes(functional.arguments[i].name)) return true
    if (value.type === TensorType) return floatDType(value, facts) === dtype
    const { constant } = value.node
    // Floats stay what they are beside numbers, other than complex ones.
    return constant === undefined
      ? value.type.kind === 'Simple' && ['int', 'float', 'bool'].includes(value.type.name)
      : constant.kind !== 'complex'
  })
}

const conditionsOf = (operands: Readonly<Record<string, string>>, conditions: readonly string[] = []): readonly string[] =>
  Object.entries(operands).flatMap(([name, letter]) => (conditions.includes(letter) ? [name] : []))

/** Whether a value is the result of an operator that always gives new memory. */
function isNew(value: Value): boolean {
  const { schema } = value.node
  if (schema === undefined) return false
  const { alias, elementAlias } = schema.returns[value.offset] ?? {}
  return !schema.isVarret && alias === undefined && elementAlias === undefined && !traitsOf(schema).mayReturnArgument
}

/** Whether something may have the memory of an argument after a node ran. */
function mayKeep(node: Node, offset: number): boolean {
  const { schema } = node
  if (schema === undefined) return true
  const argument = schema.arguments[offset]
  return (
    argument === undefined ||
    argument.alias !== undefined ||
    argument.elementAlias !== undefined ||
    traitsOf(schema).mayReturnArgument === true
  )
}
