import type { Block, Graph, Node, Value } from '../ir/graph.js'
import { type FunctionSchema, isMutating, schemaByFullName } from '../ir/schema.js'
import { IntType, TensorType } from '../ir/types.js'
import { implementationOf } from '../ops/registry.js'
import { AliasAnalysis } from './alias-analysis.js'
import { floatDType } from './dtype-inference.js'
import { isDeterministic, mayReturnArgument } from './effects.js'
import type { ConstantFacts } from './evaluator.js'
import type { Pass } from './pass.js'

/**
 * In-place operators on new memory that nothing else has become the operators that give a new tensor, after PyTorch's RemoveMutation: nothing stands
 * in the way of fusion then, and the executor reuses the memory where it can. What reads the tensor after the change reads the new one. The tensor
 * is the result of an operator whose result is its own, or a view of one: whatever else has its memory is not read after the change.
 *
 *     %c : Tensor = aten::conv2d(%x, %w, ...)               %c : Tensor = aten::conv2d(%x, %w, ...)
 *     %s : Tensor = aten::sigmoid(%c)                       %s : Tensor = aten::sigmoid(%c)
 *     %d : Tensor = aten::mul_(%c, %s)               =>     %d : Tensor = aten::mul(%c, %s)
 *     %y : Tensor = aten::relu(%c)                          %y : Tensor = aten::relu(%d)
 *
 * A copy of another new tensor onto the whole of one becomes that tensor, if nobody can tell:
 *
 *     %e : Tensor = aten::copy_(%c, %s, %false)      =>     %e : Tensor = aten::expand_as(%s, %c)
 *     %y : Tensor = aten::relu(%c)                          %f : Tensor = aten::contiguous(%e, %0)
 *                                                           %y : Tensor = aten::relu(%f)
 *
 * Only expressions, and only where the new tensor surely has the dtype of the old one. An operand that does not broadcast to the tensor it is added
 * to raises no more: the result is larger. Writes to a part of a tensor that is read as a whole stay: without them the whole would be copied.
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
    const copies = functional === undefined && isCopy(node, facts)
    if (functional === undefined && !copies) continue
    if (!ownsMemory(node, placeOf)) continue
    const [tensor] = node.inputs
    const place = placeOf(node)
    const later = tensor.uses.filter(({ user }) => user !== node && placeOf(user) > place)
    let made: Value
    if (functional !== undefined) made = insert(node, functional, node.inputs)
    else if (canBeSource(node, later)) {
      const expanded = insert(node, schemaByFullName('aten::expand_as')!, [node.inputs[1], tensor])
      const format = node.graph.createConstant({ kind: 'int', value: 0n }, IntType).insertBefore(node).output
      made = insert(node, schemaByFullName('aten::contiguous')!, [expanded, format])
    } else continue
    made.debugName = node.output.debugName
    for (let added: Node | undefined = made.node; added !== undefined && !places.has(added); added = added.inputs[0]?.node)
      places.set(added, place)
    for (const { user, offset } of later) user.replaceInput(offset, made)
    node.output.replaceAllUsesWith(made)
    node.destroy()
    changed = true
  }
  return changed
}

function insert(before: Node, schema: FunctionSchema, inputs: readonly Value[]): Value {
  const made = before.graph.create(schema.name, inputs).insertBefore(before)
  made.schema = schema
  made.range = before.range
  made.callStack = before.callStack
  return made.output
}

/** Whether the first argument of an in-place operator is new memory that is read after it through that argument alone. */
function ownsMemory(node: Node, placeOf: (node: Node) => number): boolean {
  const { owner } = node
  const place = placeOf(node)
  const isDone = (value: Value, link: Node | undefined): boolean =>
    value.uses.every(({ user, offset }) => {
      if (user === link) return true
      if (user === node) return (offset === 0 && value === node.inputs[0]) || !mayKeep(node, offset)
      const at = placeOf(user)
      if (at > place) return value === node.inputs[0]
      if (!mayKeep(user, offset)) return true
      // Another view, or another change before this one.
      return user.owner === owner && user.outputs.length === 1 && user.output.type === TensorType && isDone(user.output, undefined)
    })
  let [value] = node.inputs
  let link: Node | undefined
  for (;;) {
    if (value.node.owner !== owner || value.node.outputs.length !== 1 || !isDone(value, link)) return false
    if (isNew(value)) return true
    link = value.node
    if (link.schema === undefined || link.inputs[0]?.type !== TensorType || !mayKeep(link, 0)) return false
    if (link.inputs.some((input, i) => i > 0 && input.type === TensorType && mayKeep(link!, i))) return false
    value = link.inputs[0]
  }
}

/** `copy_` of a tensor of the same dtype. */
function isCopy({ schema, inputs }: Node, facts: ConstantFacts): boolean {
  if (schema?.fullName !== 'aten::copy_' || inputs[0] === inputs[1]) return false
  const dtype = floatDType(inputs[0], facts)
  return dtype !== undefined && dtype === floatDType(inputs[1], facts)
}

/** Whether the source of a copy can be in the place of the copy: new memory that neither it nor what reads the copy changes, and nobody else gets. */
function canBeSource(node: Node, later: Value['uses']): boolean {
  let [, root] = node.inputs
  while (!isNew(root)) {
    if (root.node.schema === undefined || root.node.inputs[0]?.type !== TensorType || !mayKeep(root.node, 0)) return false
    root = root.node.inputs[0]
  }
  const analysis = new AliasAnalysis(node.graph)
  if (analysis.isWritten(node.inputs[1]) || analysis.escapes(node.inputs[1])) return false
  return [...later, ...node.output.uses].every(({ user, offset }) => !mayKeep(user, offset) || isOnlyRead(user))
}

/** Whether nothing changes a view, or a view of it. */
function isOnlyRead(view: Node): boolean {
  const { schema } = view
  if (schema === undefined || isMutating(schema) || view.outputs.length !== 1 || view.output.type !== TensorType) return false
  return view.output.uses.every(({ user, offset }) => !mayKeep(user, offset) || isOnlyRead(user))
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
  return !schema.isVarret && alias === undefined && elementAlias === undefined && !mayReturnArgument(value.node)
}

/** Whether something may have the memory of an argument after a node ran. */
function mayKeep(node: Node, offset: number): boolean {
  const { schema } = node
  if (schema === undefined) return true
  const argument = schema.arguments[offset]
  return argument === undefined || argument.alias !== undefined || argument.elementAlias !== undefined || mayReturnArgument(node)
}
