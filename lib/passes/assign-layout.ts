import type { Block, Graph, Node, Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import type { FunctionSchema } from '../ir/schema.js'
import { BoolType, IntType, TensorType } from '../ir/types.js'
import { hasChannelsLastKernel } from '../ops/convolution-epilogue.js'
import type { OperatorTraits } from '../ops/op.js'
import { implementationOf } from '../ops/registry.js'
import { argumentAt, traitsOf } from '../ops/traits.js'
import { AliasAnalysis } from './alias-analysis.js'
import { channelsLastAt, type Convolution, convolutionEpilogue, convolutionOf, epilogueKind, residualAt } from './convolutions.js'
import { hasEffects, readsFormOnly } from './effects.js'
import type { ConstantFacts } from './evaluator.js'
import { collectsNotes, notePass } from './notes.js'
import type { Pass } from './pass.js'
import { intsOf } from './pattern.js'

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
function layoutOf({ schema, inputs }: Node): OperatorTraits['layout'] {
  if (schema === undefined) return undefined
  const { definition } = implementationOf(schema)
  const isExpression = definition?.kind === 'pointwise' || (definition?.kind === 'kernel' && definition.fuses === 'pointwise')
  if (isExpression) return inputs.filter((value) => value.type === TensorType).length > 1 ? 'joins' : 'keeps'
  if (definition?.kind === 'kernel' && definition.fuses === 'reduction') return 'reads'
  return traitsOf(schema).layout
}
const shrinks = ({ schema }: Node): boolean => schema !== undefined && traitsOf(schema).shrinks === true

/** How values are channels-last: because convolutions are told so, as views of others, or because one pixel has either layout. */
type Layouts = Map<Value, 'chosen' | 'given' | 'pixel'>

/** Whether a permutation takes the channels of images to the end, where channels-last ones have them in memory, or from there. */
function movesChannels(node: Node): 'inside' | 'outside' | undefined {
  if (node.kind !== 'aten::permute') return undefined
  const order = intsOf(node.inputs[1])
    ?.map((dim) => (dim !== undefined && dim < 0 ? dim + 4 : dim))
    .join()
  return order === '0,2,3,1' ? 'inside' : order === '0,3,1,2' ? 'outside' : undefined
}

/** Whether a fold makes images of one pixel. */
function isFoldToPixel({ inputs }: Node, schema: FunctionSchema): boolean {
  const { definition } = implementationOf(schema)
  if (definition?.kind !== 'kernel' || definition.fuses !== 'reduction') return false
  const dims = intsOf(inputs[argumentAt(schema, 'dim')])?.map((dim) => (dim !== undefined && dim >= 0 ? dim - 4 : dim))
  const keeps = inputs[argumentAt(schema, 'keepdim')]?.node.constant
  return keeps?.kind === 'bool' && keeps.value && dims?.length === 2 && dims.includes(-1) && dims.includes(-2)
}

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
    if (collectsNotes()) this.explain(block)
    return true
  }

  /** Convolutions that have a channels-last kernel. */
  private isConvolution(node: Node): boolean {
    const convolution = this.convolution(node)
    const weight = convolution?.argument('weight')?.node.constant
    const facts = weight?.kind === 'tensor' ? this.facts.facts(weight.tensor) : undefined
    if (facts === undefined || convolution!.padsByName || !hasChannelsLastKernel(facts, convolution!)) return false
    // Those of the CPU are for float32.
    return facts.dtype === 'float32' || this.facts.halvesMayRunOnDevice?.() === true
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

  /** The values of a block that are channels-last once the convolutions are, and those that are so whatever becomes of convolutions. */
  private channelsLast(block: Block, convolutions: ReadonlySet<Node>): Layouts {
    const layouts: Layouts = new Map()
    for (const node of block.nodes) {
      const layout = convolutions.has(node) ? 'chosen' : movesChannels(node) === 'outside' ? 'given' : this.handedOn(node, layouts)
      if (layout !== undefined) layouts.set(node.outputs[0], layout)
    }
    return layouts
  }

  /** What a node hands on of the layout of its images. */
  private handedOn(node: Node, last: Layouts): 'chosen' | 'given' | 'pixel' | undefined {
    if (node.outputs.length !== 1 || node.schema === undefined) return undefined
    if (isFoldToPixel(node, node.schema)) return 'pixel'
    const layout = layoutOf(node)
    if (layout === 'keeps') return last.get(node.inputs[0])
    if (layout !== 'joins') return undefined
    const images = imagesOf(node).filter((value) => value.node.constant === undefined)
    if (images.length === 0 || images.some((value) => !last.has(value))) return undefined
    const layouts = images.map((value) => last.get(value))
    return layouts.includes('chosen') ? 'chosen' : layouts.includes('given') ? 'given' : 'pixel'
  }

  /** The convolutions of regions that gain more from channels-last images than what copies at their edges cost. */
  private worthwhile(block: Block, convolutions: ReadonlySet<Node>, last: Layouts): ReadonlySet<Node> {
    const regions = new Regions()
    const joined = block.nodes.filter((node) => node.outputs.length === 1 && last.has(node.outputs[0]))
    for (const node of joined) {
      const images = imagesOf(node).filter((value) => last.has(value))
      for (const image of images) regions.unite(image, node.outputs[0])
    }
    for (const node of convolutions) {
      const region = regions.of(node.outputs[0])
      const residual = node.kind === epilogueKind ? node.inputs[residualAt] : undefined
      if (residual !== undefined && residual.type === TensorType && !last.has(residual)) region.gain -= 1
      if (last.has(node.inputs[0])) region.gain += 1
      else if (this.shapeOf(node)![this.convolution(node)!.transposed ? 0 : 1] > maxStemChannels || this.isDepthwise(node)) region.gain -= this.isDepthwise(node) ? 1 : 0.5
    }
    for (const value of new Set(this.edges(convolutions, last).map((edge) => edge.value)))
      regions.of(value).gain -= shrinks(value.node) ? 0.25 : 1
    // What wants the channels at the end has them there.
    for (const [value] of last) if (value.uses.some(({ user }) => movesChannels(user) === 'inside')) regions.of(value).gain += 1
    return new Set([...convolutions].filter((node) => regions.of(node.outputs[0]).gain > 0))
  }

  private edges(convolutions: ReadonlySet<Node>, last: Layouts): readonly Edge[] {
    const edges: Edge[] = []
    for (const [value, layout] of last) {
      if (layout !== 'chosen') continue
      for (const use of value.uses)
        if (!this.takesLast(use.user, use.offset, value, convolutions, last)) edges.push({ value, reader: use.user, offset: use.offset })
    }
    return edges
  }

  /** Says why convolutions that could be channels-last are not. */
  private explain(block: Block): void {
    for (const node of block.nodes) {
      if (this.isConvolution(node) && !this.isMarked(node))
        notePass(
          'assign-layout',
          node,
          'kept',
          'images stay in order: copies at the edges of a channels-last region would cost more than it gains',
        )
      else if (node.kind === epilogueKind && this.convolution(node) !== undefined && !this.isMarked(node))
        notePass('assign-layout', node, 'kept', 'images stay in order: no channels-last kernel takes its weights or groups')
    }
  }

  /** Whether a node reads a channels-last value as it is. */
  private takesLast(user: Node, offset: number, value: Value, convolutions: ReadonlySet<Node>, last: Layouts): boolean {
    if (readsFormOnly(user) || movesChannels(user) === 'inside') return true
    if (convolutions.has(user)) return offset === 0 || (user.kind === epilogueKind && offset === residualAt)
    if (user.owner !== value.node.owner) return false
    // A list that one operator reads is part of it.
    if (user.kind === 'prim::ListConstruct' && user.output.uses.length === 1)
      return this.takesLast(user.output.uses[0].user, 0, value, convolutions, last)
    return (user.outputs.length > 0 && last.has(user.outputs[0])) || (layoutOf(user) === 'reads' && offset === 0)
  }

  /** Whether a copy of one of these might be told from the value: something writes it. */
  private isChanged(block: Block, values: ReadonlySet<Value>): boolean {
    const writers = block.nodes.filter(hasEffects)
    if (writers.length === 0) return false
    const aliases = (this.analysis ??= new AliasAnalysis(this.graph))
    return writers.some((node) => [...values].some((value) => value.node !== node && aliases.mayChange(node, value)))
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
    notePass('assign-layout', node, 'made', `puts a channels-last image in order for ${reader.kind}`)
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
