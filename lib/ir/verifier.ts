import { InvariantError } from '../util/errors.js'
import type { Block, Graph, Node, Value } from './graph.js'
import { BoolType, IntType, isSubtype, typeToString } from './types.js'

/**
 * Checks what every graph keeps, and throws InvariantError naming the broken rule and `after`, the pass that ran:
 * - blocks: every node is in the block it says it is in; block nesting matches owners;
 * - SSA: every input is defined before its use, in this block or one around it;
 * - uses: each input is registered once as a use of its value, and no value lists a use that is not there;
 * - prim::If: a bool input, two blocks without parameters, as many results as outputs, result types fit output types;
 * - prim::Loop: trip count int, condition bool, block parameters (int, carried...), results (bool, carried...), outputs carried;
 * - schemas: the number of inputs of a node with a schema that is not variadic.
 */
export function verifyGraph(graph: Graph, after: string): void {
  const fail = (rule: string, node: Node): never => {
    throw new InvariantError(`After ${after}: ${rule} (at ${node.kind} in ${node.range?.file ?? 'unknown source'}).`)
  }
  const checkInputs = (node: Node, defined: ReadonlySet<Value>): void => {
    node.inputs.forEach((input, i) => {
      if (!defined.has(input)) fail(`input ${i} is not defined before its use`, node)
      if (input.uses.filter((u) => u.user === node && u.offset === i).length !== 1)
        fail(`input ${i} is not registered exactly once as a use`, node)
    })
  }
  const checkOutputs = (node: Node): void => {
    node.outputs.forEach((output, i) => {
      if (output.node !== node || output.offset !== i) fail(`output ${i} names another node or position`, node)
      for (const use of output.uses) if (use.user.inputs[use.offset] !== output) fail(`output ${i} lists a use that is not there`, node)
    })
  }
  const checkIf = (node: Node): void => {
    if (node.inputs.length !== 1 || node.inputs[0].type !== BoolType) fail('prim::If needs one bool input', node)
    if (node.blocks.length !== 2) fail('prim::If needs two blocks', node)
    for (const block of node.blocks) {
      if (block.inputs.length !== 0) fail('a block of prim::If has parameters', node)
      if (block.outputs.length !== node.outputs.length)
        fail('a block of prim::If has another number of results than the node outputs', node)
      block.outputs.forEach((result, i) => {
        if (!isSubtype(result.type, node.outputs[i].type)) {
          fail(`result ${i} of type ${typeToString(result.type)} does not fit output type ${typeToString(node.outputs[i].type)}`, node)
        }
      })
    }
  }
  const checkLoop = (node: Node): void => {
    if (node.inputs.length < 2 || node.inputs[0].type !== IntType || node.inputs[1].type !== BoolType)
      fail('prim::Loop needs an int trip count and a bool condition', node)
    const carried = node.inputs.length - 2
    if (node.blocks.length !== 1) fail('prim::Loop needs one block', node)
    const [block] = node.blocks
    if (block.inputs.length !== carried + 1 || block.outputs.length !== carried + 1 || node.outputs.length !== carried) {
      fail('the numbers of carried values, block parameters, block results and outputs of prim::Loop differ', node)
    }
    if (block.inputs[0].type !== IntType || block.outputs[0].type !== BoolType)
      fail('a block of prim::Loop takes an int and gives a bool first', node)
    for (let i = 0; i < carried; i++) {
      if (!isSubtype(block.outputs[i + 1].type, block.inputs[i + 1].type)) fail(`carried value ${i} changes its type`, node)
    }
  }
  const checkBlock = (block: Block, outer: ReadonlySet<Value>): void => {
    const defined = new Set(outer)
    checkOutputs(block.paramNode)
    block.inputs.forEach((v) => defined.add(v))
    for (const node of block.nodes) {
      if (node.owner !== block) fail('a node says it is in another block', node)
      checkInputs(node, defined)
      for (const inner of node.blocks) {
        if (inner.owner !== node) fail('a block says it belongs to another node', node)
        checkBlock(inner, defined)
      }
      if (node.kind === 'prim::If') checkIf(node)
      else if (node.kind === 'prim::Loop') checkLoop(node)
      else if (node.schema !== undefined && !node.schema.isVararg && node.schema.arguments.length !== node.inputs.length) {
        fail(`${node.inputs.length} inputs where the schema has ${node.schema.arguments.length} arguments`, node)
      }
      checkOutputs(node)
      node.outputs.forEach((v) => defined.add(v))
    }
    checkInputs(block.returnNode, defined)
  }
  checkBlock(graph.block, new Set())
}
