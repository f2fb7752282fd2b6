// The operator that this pass makes.
import '../ops/convolution-epilogue.js'
import type { Block, Graph, Node, Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import type { ConstantValue, Type } from '../ir/types.js'
import { BoolType, IntType, listOf, StringType, TensorType } from '../ir/types.js'
import { AliasAnalysis } from './alias-analysis.js'
import type { ConstantFacts } from './evaluator.js'
import { metadata } from './fold-weights.js'
import type { Pass } from './pass.js'

const words = (text: string): ReadonlySet<string> => new Set(text.split(' ').map((name) => `aten::${name}`))

/** Operators on one image whose result has the layout of the image, and whose kernels run as fast on channels-last ones. */
const keepsLayout = words(
  'relu relu_ relu6 relu6_ hardtanh hardtanh_ hardswish hardswish_ hardsigmoid hardsigmoid_ silu silu_ sigmoid sigmoid_ tanh tanh_ gelu leaky_relu ' +
    'leaky_relu_ elu elu_ mish mish_ softplus clamp clamp_ neg abs exp sqrt dropout max_pool2d avg_pool2d adaptive_avg_pool2d',
)
/** Operators on several, element by element. */
const joins = words('add add_ sub sub_ mul mul_ div div_ minimum maximum')

/** What the epilogue row takes after the arguments of a convolution: no residual, no activation. */
const plainConvolutions = new Set(['aten::conv2d'])
const generalConvolutions = new Set(['aten::_convolution', 'aten::convolution'])
const epilogue = 'torchscript::convolution_epilogue'
const channelsLastAt = 11

/** Convolutions and reorders that a block is worth the change from. */
const minConvolutions = 2
const convolutionsPerReorder = 2

/**
 * Images between convolutions are channels-last, where the kernels of convolutions with constant weights and of pooling work best: a convolution reads either
 * layout and writes the one it is told, so that only what leaves a region for other operators is put in order.
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

/** A value that is channels-last is read here by something that wants it in order. */
interface Edge {
  readonly value: Value
  readonly reader: Node
  readonly offset: number
}

class Assignment {
  private analysis: AliasAnalysis | undefined

  constructor(
    private readonly graph: Graph,
    private readonly facts: ConstantFacts,
  ) {}

  block(block: Block): boolean {
    let changed = false
    for (const node of block.nodes) for (const inner of node.blocks) changed = this.block(inner) || changed
    const convolutions = block.nodes.filter((node) => this.isConvolution(node))
    if (convolutions.length < minConvolutions) return changed
    const last = this.channelsLast(block, new Set(convolutions))
    const edges = this.edges(last)
    if (convolutions.every((node) => this.isMarked(node))) return changed
    const reordered = new Set(edges.map((edge) => edge.value))
    if (reordered.size * convolutionsPerReorder > convolutions.length) return changed
    if (reordered.size > 0 && this.isChanged(block, reordered)) return changed
    for (const edge of edges) this.reorder(edge)
    for (const node of convolutions) this.mark(node)
    return true
  }

  /** Convolutions in two dimensions that have a channels-last kernel. */
  private isConvolution(node: Node): boolean {
    const { kind } = node
    const plain = plainConvolutions.has(kind)
    if (!plain && !generalConvolutions.has(kind) && kind !== epilogue) return false
    if (node.schema?.arguments[4]?.type.kind !== 'List') return false
    const weight = node.inputs[1].node.constant
    const groups = node.inputs[plain ? 6 : 8]?.node.constant
    const transposed = plain ? undefined : node.inputs[6].node.constant
    if (weight?.kind !== 'tensor' || groups?.kind !== 'int' || (transposed?.kind === 'bool' && transposed.value)) return false
    if (!plain && transposed?.kind !== 'bool') return false
    const facts = this.facts.facts(weight.tensor)
    if (facts?.dtype !== 'float32' || facts.shape.length !== 4) return false
    return groups.value === 1n || (Number(groups.value) === facts.shape[0] && facts.shape[1] === 1)
  }

  private isMarked(node: Node): boolean {
    const flag = node.kind === epilogue ? node.inputs[channelsLastAt].node.constant : undefined
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
    if (node.outputs.length !== 1) return false
    if (keepsLayout.has(node.kind)) return last.has(node.inputs[0])
    if (!joins.has(node.kind)) return false
    const images = node.inputs.filter((value) => value.type === TensorType && value.node.constant === undefined)
    return images.length > 0 && images.every((value) => last.has(value))
  }

  private edges(last: ReadonlySet<Value>): readonly Edge[] {
    const edges: Edge[] = []
    for (const value of last) {
      for (const { user, offset } of value.uses) {
        if (metadata.has(user.kind) || this.readsAnyLayout(user, offset) || (this.keeps(user, last) && user.owner === value.node.owner))
          continue
        edges.push({ value, reader: user, offset })
      }
    }
    return edges
  }

  /** Whether it is a convolution of the region that reads the value, as its image or as its residual. */
  private readsAnyLayout(node: Node, offset: number): boolean {
    return (offset === 0 || (node.kind === epilogue && offset === 9)) && this.isConvolution(node)
  }

  /** Whether a copy of one of these might be told from the value: something writes it. */
  private isChanged(block: Block, values: ReadonlySet<Value>): boolean {
    const aliases = (this.analysis ??= new AliasAnalysis(this.graph))
    return block.nodes.some((node) => [...values].some((value) => value.node !== node && aliases.mayChange(node, value)))
  }

  private mark(node: Node): void {
    const constant = (value: ConstantValue, type: Type): Value => this.graph.createConstant(value, type).insertBefore(node).output
    const last = constant({ kind: 'bool', value: true }, BoolType)
    if (node.kind === epilogue) {
      node.replaceInput(channelsLastAt, last)
      return
    }
    const tail = [
      constant({ kind: 'none' }, { kind: 'Optional', element: TensorType }),
      constant({ kind: 'string', value: '' }, StringType),
      last,
    ]
    let inputs = [...node.inputs.slice(0, 9), ...tail]
    if (plainConvolutions.has(node.kind)) {
      const zeros: ConstantValue = { kind: 'list', items: [0n, 0n].map((value) => ({ kind: 'int', value })), type: listOf(IntType) }
      const [input, weight, bias, stride, padding, dilation, groups] = node.inputs
      const middle = [constant({ kind: 'bool', value: false }, BoolType), constant(zeros, listOf(IntType))]
      inputs = [input, weight, bias, stride, padding, dilation, ...middle, groups, ...tail]
    }
    const marked = this.graph.create(epilogue, inputs).insertBefore(node)
    marked.schema = schemaByFullName(epilogue)
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
