import { allNodes, type Block, type Graph, type Node, type Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import { BoolType, IntType, TensorType } from '../ir/types.js'
import { AliasAnalysis, isMutableType } from './alias-analysis.js'
import { hasEffects, isDeterministic } from './effects.js'
import type { Pass } from './pass.js'

/** Operators that cost less than the branch around them would. */
const cheap = (node: Node): boolean => node.output.type !== TensorType

/**
 * What an iteration computes from values outside of the loop alone is computed once, before the loop, if the loop runs at all.
 *
 *     %y : Tensor = prim::Loop(%n, %true, %x)              %go : bool = aten::gt(%n, %zero)
 *       block0(%i : int, %h : Tensor):                     %t.1 : Tensor = prim::If(%go)
 *         %t : Tensor = aten::mm(%a, %b)              =>     block0(): %t : Tensor = aten::mm(%a, %b)
 *         %z : Tensor = aten::add(%h, %t, %one)              block1(): %u : Tensor = prim::Uninitialized()
 *         -> (%true, %z)                                   %y : Tensor = prim::Loop(%n, %true, %x) ...
 */
export const hoistInvariants: Pass = {
  name: 'hoist-invariants',
  run(graph: Graph): boolean {
    // Inner loops first: what leaves them may leave the outer ones.
    const loops = [...allNodes(graph.block)].filter((node) => node.kind === 'prim::Loop').reverse()
    let changed = false
    for (const loop of loops) {
      const invariant = invariantsOf(graph, loop)
      if (invariant.length === 0) continue
      hoist(graph, loop, invariant)
      changed = true
    }
    return changed
  },
}

const isInside = (value: Value, body: Block): boolean => {
  for (let block = value.node.owner; block !== undefined; block = block.owner?.owner) if (block === body) return true
  return false
}

/** Nodes of the body that give the same in each iteration, in order, with something worth a branch among them. */
function invariantsOf(graph: Graph, loop: Node): readonly Node[] {
  const [body] = loop.blocks
  let aliases: AliasAnalysis | undefined
  const found = new Set<Node>()
  for (const node of body.nodes) {
    // An error must not come before an effect that stands before it.
    if (hasEffects(node) || node.kind === 'prim::If' || node.kind === 'prim::Loop') break
    if (node.kind === 'prim::Constant' || node.schema === undefined || node.outputs.length !== 1 || !isDeterministic(node.schema)) continue
    if (node.inputs.some((value) => isInside(value, body) && value.node.kind !== 'prim::Constant' && !found.has(value.node))) continue
    aliases ??= new AliasAnalysis(graph)
    const { output } = node
    if (isMutableType(output.type) && (output.type !== TensorType || aliases.isWritten(output) || aliases.escapes(output))) continue
    if (node.inputs.some((value) => isMutableType(value.type) && aliases!.isWritten(value))) continue
    found.add(node)
  }
  // Cheap ones go along where others read them.
  const needed = new Set<Node>()
  for (const node of [...found].reverse()) {
    if (!cheap(node) || node.output.uses.some(({ user }) => needed.has(user))) needed.add(node)
  }
  return [...found].filter((node) => needed.has(node))
}

function hoist(graph: Graph, loop: Node, nodes: readonly Node[]): void {
  const [limit, condition] = loop.inputs
  const operator = (name: string, inputs: readonly Value[]): Value => {
    const node = graph.create(name.split('.')[0], inputs).insertBefore(loop)
    node.schema = schemaByFullName(name)
    node.output.setType(BoolType)
    return node.output
  }
  const zero = graph.createConstant({ kind: 'int', value: 0n }, IntType).insertBefore(loop).output
  const some = operator('aten::gt.int', [limit, zero])
  const constant = condition.node.constant
  const runs = constant?.kind === 'bool' && constant.value ? some : operator('aten::__and__.bool', [some, condition])
  const branch = graph.create('prim::If', [runs], 0).insertBefore(loop)
  const [then, otherwise] = [branch.addBlock(), branch.addBlock()]
  const moved = new Set(nodes)
  for (const node of nodes) {
    for (const { node: source } of node.inputs)
      if (source.kind === 'prim::Constant' && isInside(source.outputs[0], loop.blocks[0])) source.insertBefore(branch)
    node.owner!.nodes.splice(node.owner!.nodes.indexOf(node), 1)
    then.append(node)
  }
  for (const node of nodes) {
    const outside = node.output.uses.filter(({ user }) => !moved.has(user))
    if (outside.length === 0) continue
    const output = branch.addOutput(node.output.type, node.output.debugName)
    for (const { user, offset } of outside) user.replaceInput(offset, output)
    then.addOutput(node.output)
    const nothing = otherwise.append(graph.create('prim::Uninitialized'))
    nothing.output.setType(node.output.type)
    otherwise.addOutput(nothing.output)
  }
}
