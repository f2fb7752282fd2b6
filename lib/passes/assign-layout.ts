import type { Block, Graph, Node, Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import { BoolType, IntType, TensorType } from '../ir/types.js'
import { hasChannelsLastKernel } from '../ops/convolution-epilogue.js'
import { implementationOf } from '../ops/registry.js'
import { traitsOf } from '../ops/traits.js'
import { AliasAnalysis } from './alias-analysis.js'
import { channelsLastAt, type Convolution, convolutionEpilogue, convolutionOf, epilogueKind, residualAt } from './convolutions.js'
import type { ConstantFacts } from './evaluator.js'
import { metadata } from './fold-weights.js'
import type { Pass } from './pass.js'

/** Images of so many channels are read as they are by the kernel for first layers. */
const maxStemChannels = 4

/**
 * Images between convolutions are channels-last, where the kernels of convolutions with constant weights and of pooling work best: a
 * convolution reads either layout and writes the one it is told, so that only what leaves a region for other operators is put in order.
 *
 *     %a : Tensor = torchscript::convolution_epilogue(%x, ..., %relu)            ..., %relu, %true)
 *     %b : Tensor = torchscript::convolution_epilogue(%a, ..., %none)     =>     ..., %none, %true)
 *     %y : Tensor = aten::flatten(%b, %one, %last)                               %p : Tensor = aten::contiguous(%b, %zero)
 *                                                                                %y : Tensor = aten::flatten(%p, %one, %last)
 *
 * Results of the graph have the layout that they would have had for a contiguous input.
 */
export const assignLayout = (facts: ConstantFacts): Pass => ({
  name: 'assign-layout',
  run: (graph: Graph): boolean => new Assignment(graph, facts).block(graph.block),
})

/** The tensors that a node reads, those of lists made for it included. */
const imagesOf = (node: Node): readonly Value[] =>
  node.inputs.flatMap((value) =>
    value.type === TensorType ? [value] : value.node.kind === 'prim::ListConstruct' && value.uses.length === 1 ? value.node.inputs : [],
  )

/** What becomes of the layout of images: expressions on one keep it, those on several want all to have it. */
function layoutOf({ schema, inputs }: Node): 'keeps' | 'joins' | undefined {
  if (schema === undefined) return undefined
  const { definition } = implementationOf(schema)
  const isExpression = definition?.kind === 'pointwise' || (definition?.kind === 'kernel' && definition.fuses === 'pointwise')
  if (isExpression) return inputs.filter((value) => value.type === TensorType).length > 1 ? 'joins' : 'keeps'
  return traitsOf(schema).layout
}
const shrinks = ({ schema }: Node): boolean => schema !== undefined && traitsOf(schema).shrinks === true

/** A value that is channels-last is read here by something that wants it in order. */
interface Edge {
  readonly value: Value
  readonly reader: Node
  readonly offset: number
}

class Assignment {
  private analysis: AliasAnalysis | undefined
  private readonly known = new Map<Node, Convolution | null>()

  constructor(
    private readonly graph: Graph,
    private readonly facts: ConstantFacts,
  ) {}

  block(block: Block): boolean {
    let changed = false
    for (const node of block.nodes) for (const inner of node.blocks) changed = this.block(inner) || changed
    let convolutions: ReadonlySet<Node> = new Set(block.nodes.filter((node) => this.isConvolution(node)))
    if ([...convolutions].every((node) => this.isMarked(node))) return changed
    let last = this.channelsLast(block, convolutions)
    // Without one region others may lose too: their images met in a sum.
    for (;;) {
      const worth = this.worthwhile(block, convolutions, last)
      if (worth.size === convolutions.size) break
      convolutions = worth
      last = this.channelsLast(block, convolutions)
    }
    if (convolutions.size === 0) return changed
    const edges = this.edges(convolutions, last)
    const reordered = new Set(edges.map((edge) => edge.value))
    if (reordered.size > 0 && this.isChanged(block, reordered)) return changed
    for (const edge of edges) this.reorder(edge)
    for (const node of convolutions) this.mark(node)
    return true
  }

  /** Convolutions that have a channels-last kernel. */
  private isConvolution(node: Node): boolean {
    const convolution = this.convolution(node)
    const weight = convolution?.argument('weight')?.node.constant
    const facts = weight?.kind === 'tensor' ? this.facts.facts(weight.tensor) : undefined
    return facts !== undefined && !convolution!.padsByName && hasChannelsLastKernel(facts, convolution!)
  }

  private convolution(node: Node): Convolution | undefined {
    let found = this.known.get(node)
    if (found === undefined) this.known.set(node, (found = convolutionOf(node) ?? null))
    return found ?? undefined
  }
  private shapeOf(node: Node): readonly number[] | undefined {
    const weight = node.inputs[1].node.constant
    return weight?.kind === 'tensor' ? this.facts.facts(weight.tensor)?.shape : undefined
  }
  private isDepthwise(node: Node): boolean {
    return this.convolution(node)!.groups > 1
  }
  private isMarked(node: Node): boolean {
    const flag = node.kind === epilogueKind ? node.inputs[channelsLastAt].node.constant : undefined
    return flag?.kind === 'bool' && flag.value
  }

  /** The values of a block that are channels-last once the convolutions are. */
  private channelsLast(block: Block, convolutions: ReadonlySet<Node>): ReadonlySet<Value> {
    const last = new Set<Value>()
    for (const node of block.nodes) if (convolutions.has(node) || this.keeps(node, last)) last.add(node.outputs[0])
    return last
  }

  /** Whether a node hands the layout of its images on. */
  private keeps(node: Node, last: ReadonlySet<Value>): boolean {
    if (node.outputs.length !== 1 || node.schema === undefined) return false
    const layout = layoutOf(node)
    if (layout === 'keeps') return last.has(node.inputs[0])
    if (layout !== 'joins') return false
    const images = imagesOf(node).filter((value) => value.node.constant === undefined)
    return images.length > 0 && images.every((value) => last.has(value))
  }

  /** The convolutions of regions that gain more from channels-last images than what copies at their edges cost. */
  private worthwhile(block: Block, convolutions: ReadonlySet<Node>, last: ReadonlySet<Value>): ReadonlySet<Node> {
    const regions = new Regions()
    const joined = block.nodes.filter((node) => node.outputs.length === 1 && last.has(node.outputs[0]))
    for (const node of joined) {
      const images = node.inputs.filter((value, i) => last.has(value) && (!convolutions.has(node) || i === 0 || i === residualAt))
      for (const image of images) regions.unite(image, node.outputs[0])
    }
    for (const node of convolutions) {
      const region = regions.of(node.outputs[0])
      const residual = node.kind === epilogueKind ? node.inputs[residualAt] : undefined
      if (residual !== undefined && residual.type === TensorType && !last.has(residual)) region.gain -= 1
      if (last.has(node.inputs[0])) region.gain += 1
      else if (this.shapeOf(node)![1] > maxStemChannels || this.isDepthwise(node)) region.gain -= this.isDepthwise(node) ? 1 : 0.5
    }
    for (const value of new Set(this.edges(convolutions, last).map((edge) => edge.value)))
      regions.of(value).gain -= shrinks(value.node) ? 0.25 : 1
    return new Set([...convolutions].filter((node) => regions.of(node.outputs[0]).gain > 0))
  }

  private edges(convolutions: ReadonlySet<Node>, last: ReadonlySet<Value>): readonly Edge[] {
    const edges: Edge[] = []
    for (const value of last) {
      for (const { user, offset } of value.uses) {
        if (
          metadata.has(user.kind) ||
          (convolutions.has(user) && (offset === 0 || (user.kind === epilogueKind && offset === residualAt))) ||
          (this.keeps(user, last) && user.owner === value.node.owner)
        )
          continue
        edges.push({ value, reader: user, offset })
      }
    }
    return edges
  }

  /** Whether a copy of one of these might be told from the value: something writes it. */
  private isChanged(block: Block, values: ReadonlySet<Value>): boolean {
    const aliases = (this.analysis ??= new AliasAnalysis(this.graph))
    return block.nodes.some((node) => [...values].some((value) => value.node !== node && aliases.mayChange(node, value)))
  }

  private mark(node: Node): void {
    if (node.kind === epilogueKind) {
      node.replaceInput(channelsLastAt, this.graph.createConstant({ kind: 'bool', value: true }, BoolType).insertBefore(node).output)
      return
    }
    const marked = convolutionEpilogue(this.convolution(node)!, 2, { activation: '', channelsLast: true }, node)
    marked.range = node.range
    marked.callStack = node.callStack
    marked.output.debugName = node.output.debugName
    node.output.replaceAllUsesWith(marked.output)
    node.destroy()
  }

  private reorder({ value, reader, offset }: Edge): void {
    const { nodes } = value.node.owner!
    const known = nodes[nodes.indexOf(value.node) + 1]
    if (known?.kind === 'aten::contiguous' && known.inputs[0] === value) return reader.replaceInput(offset, known.output)
    const inOrder = this.graph.createConstant({ kind: 'int', value: 0n }, IntType).insertBefore(value.node)
    const node = this.graph.create('aten::contiguous', [value, inOrder.output]).insertAfter(value.node)
    node.schema = schemaByFullName('aten::contiguous')
    node.range = value.node.range
    node.callStack = value.node.callStack
    reader.replaceInput(offset, node.output)
  }
}

/** Sets of values whose layout goes together, with what the layout gains there: in convolutions that read what they like best. */
class Regions {
  private readonly parents = new Map<Value, Value>()
  private readonly regions = new Map<Value, { gain: number }>()

  private root(value: Value): Value {
    let at = value
    for (let next = this.parents.get(at); next !== undefined; next = this.parents.get(at)) at = next
    return at
  }
  unite(a: Value, b: Value): void {
    const [from, to] = [this.root(a), this.root(b)]
    if (from !== to) this.parents.set(from, to)
  }
  of(value: Value): { gain: number } {
    const root = this.root(value)
    let region = this.regions.get(root)
    if (region === undefined) this.regions.set(root, (region = { gain: 0 }))
    return region
  }
}
