import type { Block, Graph, Node, Value } from '../ir/graph.js'
import type { ConstantValue, Type } from '../ir/types.js'
import { isSubtype, listOf } from '../ir/types.js'
import { AliasAnalysis, isMutableType } from './alias-analysis.js'
import { takeBranch } from './dead-branches.js'
import { hasEffects, isDeterministic } from './effects.js'
import { type Evaluator, typeOfConstant } from './evaluator.js'
import type { Pass } from './pass.js'

/** Kinds without an operator behind them that give a constant for constants. */
const constructors = new Set(['prim::TupleConstruct', 'prim::ListConstruct', 'prim::TupleIndex', 'prim::TupleUnpack', 'prim::ListUnpack'])
const casts = new Set(['prim::unchecked_cast', 'prim::unchecked_unwrap_optional', 'aten::_unwrap_optional'])

/** Constants larger than this many times the tensors they are made of, and than the floor, are left to be made at run time. */
const growth = 4
const floorElements = 1 << 16

/**
 * Nodes that always give the same value become that value, branches that are always taken take the place of their prim::If, and loops that never run
 * go. A result that the graph changes later, or that callers get and may change, stays as it is: it has to be made anew each time.
 *
 *     %a : int = prim::Constant[value=2]()
 *     %b : int = aten::mul(%a, %a)              =>    %b : int = prim::Constant[value=4]()
 */
export const propagateConstants = (evaluator: Evaluator): Pass => ({
  name: 'constant-propagation',
  run(graph: Graph): boolean {
    return new Propagation(graph, evaluator).run()
  },
})

class Propagation {
  private readonly aliases: AliasAnalysis
  private changed = false

  constructor(
    private readonly graph: Graph,
    private readonly evaluator: Evaluator,
  ) {
    // Constants that come in behave as the results they replace; nodes that go only make fewer values change.
    this.aliases = new AliasAnalysis(graph)
  }

  run(): boolean {
    this.block(this.graph.block)
    return this.changed
  }

  private block(block: Block): void {
    for (let i = 0; i < block.nodes.length; i++) {
      const node = block.nodes[i]
      if (node.kind === 'prim::If') {
        const condition = node.inputs[0].node.constant
        if (condition?.kind === 'bool') {
          takeBranch(node, condition.value ? node.blocks[0] : node.blocks[1])
          this.changed = true
          i--
          continue
        }
      } else if (node.kind === 'prim::Loop' && neverRuns(node)) {
        node.outputs.forEach((output, k) => output.replaceAllUsesWith(node.inputs[k + 2]))
        node.destroy()
        this.changed = true
        i--
        continue
      }
      for (const inner of node.blocks) this.block(inner)
      if (node.kind === 'prim::If') this.commonResults(node)
      else if (node.kind === 'prim::Loop') this.invariants(node)
      else this.fold(node)
    }
  }

  /** Results that are the same constant or the same value in both branches. */
  private commonResults(node: Node): void {
    const [a, b] = node.blocks
    for (let i = node.outputs.length - 1; i >= 0; i--) {
      const [x, y] = [a.outputs[i], b.outputs[i]]
      const output = node.outputs[i]
      if (x === y && !isInside(x, node)) output.replaceAllUsesWith(x)
      else if (x.node.constant !== undefined && y.node.constant !== undefined && sameScalar(x.node.constant, y.node.constant)) {
        if (output.uses.length === 0) continue
        const copy = this.graph.createConstant(x.node.constant, x.type).insertBefore(node)
        output.replaceAllUsesWith(copy.output)
      } else continue
      removeResult(node, i)
      this.changed = true
    }
  }

  /** Carried values that no iteration changes. */
  private invariants(node: Node): void {
    const [body] = node.blocks
    for (let i = node.outputs.length - 1; i >= 0; i--) {
      const [result, parameter, initial] = [body.outputs[i + 1], body.inputs[i + 1], node.inputs[i + 2]]
      if (result !== parameter && result !== initial) continue
      node.outputs[i].replaceAllUsesWith(initial)
      parameter.replaceAllUsesWith(initial)
      body.returnNode.removeInput(i + 1)
      body.paramNode.removeOutput(i + 1)
      node.removeInput(i + 2)
      node.removeOutput(i)
      this.changed = true
    }
  }

  private fold(node: Node): void {
    if (node.kind === 'prim::Constant' || node.outputs.length === 0 || node.blocks.length > 0) return
    if (node.outputs.every((output) => output.uses.length === 0)) return
    const inputs = node.inputs.map((input) => input.node.constant)
    if (!inputs.every((input) => input !== undefined)) return
    if (casts.has(node.kind)) {
      if (inputs[0].kind !== 'none') this.replace(node, [inputs[0]], [node.inputs[0].type])
      return
    }
    const isConstructor = constructors.has(node.kind)
    if (!isConstructor && !this.mayEvaluate(node)) return
    for (const output of node.outputs) {
      if (isMutableType(output.type) && (this.aliases.isWritten(output) || (this.isNew(node) && this.aliases.escapes(output)))) return
    }
    const results = isConstructor ? construct(node, inputs) : this.evaluator.evaluate(node, inputs)
    if (results === undefined || results.length !== node.outputs.length) return
    const types = results.map((result, i) => typeOfConstant(result, node.outputs[i].type))
    if (!types.every((type, i) => isSubtype(type, node.outputs[i].type)) || this.grows(results, inputs)) return
    this.replace(node, results, types)
  }

  private mayEvaluate(node: Node): boolean {
    if (hasEffects(node) || node.attributes.size > 0) return false
    if (node.schema === undefined || !isDeterministic(node.schema)) return false
    return true
  }

  /** Whether the node makes its tensors: then each run must make them again if somebody may keep and change them. */
  private isNew(node: Node): boolean {
    return !constructors.has(node.kind) || node.outputs.some((output) => output.type.kind === 'List')
  }

  private grows(results: readonly ConstantValue[], inputs: readonly ConstantValue[]): boolean {
    const count = (values: readonly ConstantValue[]): number =>
      values.reduce((sum, value) => {
        if (value.kind === 'tensor') return sum + (this.evaluator.facts(value.tensor)?.shape ?? []).reduce((p, n) => p * n, 1)
        return value.kind === 'list' || value.kind === 'tuple' ? sum + count(value.items) : sum
      }, 0)
    const made = count(results)
    return made > floorElements && made > growth * count(inputs)
  }

  private replace(node: Node, results: readonly ConstantValue[], types: readonly Type[]): void {
    node.outputs.forEach((output, i) => {
      if (output.uses.length === 0) return
      const constant = this.graph.createConstant(results[i], types[i]).insertBefore(node)
      constant.range = node.range
      constant.output.debugName = output.debugName
      output.replaceAllUsesWith(constant.output)
    })
    node.destroy()
    this.changed = true
  }
}

/** Tuples and lists of constants, and what is in them. */
function construct(node: Node, inputs: readonly ConstantValue[]): readonly ConstantValue[] | undefined {
  const [first] = inputs
  switch (node.kind) {
    case 'prim::TupleConstruct':
      return [{ kind: 'tuple', items: inputs, type: node.output.type }]
    case 'prim::ListConstruct':
      return [{ kind: 'list', items: inputs, type: node.output.type.kind === 'List' ? node.output.type : listOf(node.output.type) }]
    case 'prim::TupleIndex': {
      const index = inputs[1]
      if (first.kind !== 'tuple' || index?.kind !== 'int') return undefined
      const item = first.items[Number(index.value < 0n ? index.value + BigInt(first.items.length) : index.value)]
      return item === undefined ? undefined : [item]
    }
    default:
      return (first.kind === 'tuple' || first.kind === 'list') && first.items.length === node.outputs.length ? first.items : undefined
  }
}

function neverRuns(loop: Node): boolean {
  const [count, condition] = [loop.inputs[0].node.constant, loop.inputs[1].node.constant]
  return (count?.kind === 'int' && count.value <= 0n) || (condition?.kind === 'bool' && !condition.value)
}

const isInside = (value: Value, node: Node): boolean => {
  for (let block = value.node.owner; block !== undefined; block = block.owner?.owner) if (block.owner === node) return true
  return false
}

function removeResult(node: Node, index: number): void {
  for (const block of node.blocks) block.returnNode.removeInput(index)
  node.removeOutput(index)
}

/** Whether two constants are the same number, string or None. */
export function sameScalar(a: ConstantValue, b: ConstantValue): boolean {
  if (a.kind !== b.kind) return false
  if (a.kind === 'none') return true
  if (a.kind === 'float' && b.kind === 'float') return Object.is(a.value, b.value)
  if (a.kind === 'string' && b.kind === 'string') return a.value === b.value && a.bytes === undefined && b.bytes === undefined
  if ((a.kind === 'bool' && b.kind === 'bool') || (a.kind === 'int' && b.kind === 'int') || (a.kind === 'device' && b.kind === 'device'))
    return a.value === b.value
  return false
}
