import type { Block, Graph, Node } from '../ir/graph.js'
import { typeToString, type Type } from '../ir/types.js'
import { AliasAnalysis } from './alias-analysis.js'
import { hasEffects, isDeterministic } from './effects.js'
import type { Pass } from './pass.js'

/** Kinds without a schema that give equal results for equal inputs. */
const functional = new Set([
  'prim::GetAttr',
  'prim::TupleConstruct',
  'prim::ListConstruct',
  'prim::DictConstruct',
  'prim::TupleIndex',
  'prim::TupleSlice',
  'prim::TupleUnpack',
  'prim::ListUnpack',
  'prim::isinstance',
  'prim::unchecked_cast',
  'prim::unchecked_unwrap_optional',
  'prim::EnumName',
  'prim::EnumValue',
])

/**
 * A node that repeats another one, in its block or a block around it, gives way to the results of the first. Nodes whose inputs or results change
 * anywhere in the graph stay; so do results that callers could tell apart.
 */
export const eliminateCommonSubexpressions: Pass = {
  name: 'common-subexpressions',
  run(graph: Graph): boolean {
    return new Elimination(graph).block(graph.block, [])
  },
}

class Elimination {
  private readonly aliases: AliasAnalysis
  private readonly numbers = new Map<object, number>()
  private readonly setNames = new Set<string>()

  constructor(graph: Graph) {
    this.aliases = new AliasAnalysis(graph)
    this.collectSets(graph.block)
  }

  private collectSets(block: Block): void {
    for (const node of block.nodes) {
      if (node.kind === 'prim::SetAttr') this.setNames.add(node.stringAttribute('name'))
      node.blocks.forEach((inner) => this.collectSets(inner))
      const subgraph = node.attributes.get('Subgraph')
      if (subgraph?.kind === 'graph') this.collectSets(subgraph.graph.block)
    }
  }

  block(block: Block, around: readonly Map<string, Node>[]): boolean {
    const mine = new Map<string, Node>()
    const scopes = [...around, mine]
    let changed = false
    for (const node of [...block.nodes]) {
      for (const inner of node.blocks) changed = this.block(inner, scopes) || changed
      const key = this.key(node)
      if (key === undefined) continue
      const first = scopes.map((scope) => scope.get(key)).find((found) => found !== undefined)
      if (first === undefined) mine.set(key, node)
      else if (this.mayReplace(node, first)) {
        node.outputs.forEach((output, i) => output.replaceAllUsesWith(first.outputs[i]))
        node.destroy()
        changed = true
      }
    }
    return changed
  }

  private number(object: object): number {
    let number = this.numbers.get(object)
    if (number === undefined) this.numbers.set(object, (number = this.numbers.size))
    return number
  }

  /** What two nodes that give the same have in common; undefined for nodes that never do. */
  private key(node: Node): string | undefined {
    if (node.blocks.length > 0 || node.outputs.length === 0 || node.kind === 'prim::Constant' || hasEffects(node)) return undefined
    if (node.schema === undefined ? !functional.has(node.kind) : !isDeterministic(node.schema) && !functional.has(node.kind))
      return undefined
    if (node.kind === 'prim::GetAttr' && (this.aliases.callsOut || this.setNames.has(node.stringAttribute('name')))) return undefined
    const attributes = [...node.attributes].map(([name, attribute]) => {
      if (attribute.kind === 'string' || attribute.kind === 'int') return `${name}=${attribute.value}`
      if (attribute.kind === 'types') return `${name}=${attribute.types.map((type: Type) => typeToString(type)).join()}`
      return `${name}=#${this.number(attribute)}`
    })
    const inputs = node.inputs.map((input) => this.number(input))
    const outputs = node.outputs.map((output) => typeToString(output.type))
    return `${node.kind} ${node.schema?.fullName} [${attributes.join()}] (${inputs.join()}) ${outputs.join()}`
  }

  private mayReplace(node: Node, first: Node): boolean {
    const { aliases } = this
    if (node.kind !== 'prim::GetAttr' && node.inputs.some((input) => aliases.isWritten(input))) return false
    return node.outputs.every((output, i) => {
      // Two reads of one attribute are the same object, whatever happens to it.
      if (node.kind === 'prim::GetAttr') return true
      return aliases.canReplace(output, first.outputs[i])
    })
  }
}
