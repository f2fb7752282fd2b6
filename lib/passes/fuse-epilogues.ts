// The operators that this pass makes.
import '../ops/linear-epilogue.js'
import type { Block, Graph, Node, Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import type { ConstantValue, Type } from '../ir/types.js'
import { StringType, TensorType } from '../ir/types.js'
import { argumentAt, traitsOf } from '../ops/traits.js'
import { AliasAnalysis } from './alias-analysis.js'
import { convolutionEpilogue, convolutionOf, epilogueKind } from './convolutions.js'
import { floatDType } from './dtype-inference.js'
import type { ConstantFacts } from './evaluator.js'
import { readsFormOnly } from './effects.js'
import { constantConvolution, constantLinear, halves, type WeightedNode } from './fold-weights.js'
import { collectsNotes, notePass } from './notes.js'
import type { Pass } from './pass.js'

const isNumber = (value: Value | undefined, wanted: number): boolean => {
  const constant = value?.node.constant
  return (constant?.kind === 'int' || constant?.kind === 'float') && Number(constant.value) === wanted
}

/** The epilogue's name for an activation node. */
export function activationOf(node: Node): string | undefined {
  const { schema } = node
  const forms = schema && traitsOf(schema).activation
  const holds = ([name, wanted]: readonly [string, number | string]): boolean => {
    const value = node.inputs[argumentAt(schema!, name)]
    const constant = value?.node.constant
    return typeof wanted === 'number' ? isNumber(value, wanted) : constant?.kind === 'string' && constant.value === wanted
  }
  return forms?.find(({ when = {} }) => Object.entries(when).every(holds))?.name
}

/** The node that alone reads the numbers of a value, as one argument. */
function onlyReader(value: Value): Node | undefined {
  const readers = value.uses.filter((use) => !readsFormOnly(use.user))
  return readers.length === 1 && readers[0].user.owner === value.node.owner ? readers[0].user : undefined
}

const isLarge = ({ node, weightShape: [rows, columns] }: WeightedNode): boolean => node.kind === 'aten::linear' && rows * columns >= 1 << 16

const isLayer = ({ kind, schema }: Node): boolean =>
  kind === 'aten::linear' || (kind !== epilogueKind && schema !== undefined && traitsOf(schema).convolution !== undefined)

interface Chain {
  readonly layer: Node
  /** The addition of a residual, and the activation, as far as they are there. */
  readonly sum: Node | undefined
  readonly residual: Value | undefined
  readonly activation: Node | undefined
  readonly name: string
}

const passName = 'fuse-epilogues'

/**
 * Convolutions and linear layers with constant weights do the sum with a residual and the activation that follow, while their results are in
 * registers. Such a graph is for running only: files hold the operators apart.
 *
 *     %c : Tensor = aten::linear(%x, %w, %b)
 *     %s : Tensor = aten::add(%c, %r, %one)     =>    %y : Tensor = torchscript::linear_epilogue(%x, %w, %b, %r, %name)     # name="relu"
 *     %y : Tensor = aten::relu(%s)
 */
export const fuseEpilogues = (facts: ConstantFacts): Pass => ({
  name: passName,
  run: (graph: Graph): boolean => new Fusion(graph, facts).block(graph.block),
})

class Fusion {
  private analysis: AliasAnalysis | undefined

  constructor(
    private readonly graph: Graph,
    private readonly facts: ConstantFacts,
  ) {}

  block(block: Block): boolean {
    let changed = false
    for (const node of [...block.nodes]) {
      if (node.owner === undefined) continue
      for (const inner of node.blocks) changed = this.block(inner) || changed
      const layer = this.layerOf(node)
      const chain = layer && this.chainOf(layer)
      const why = collectsNotes() && isLayer(node) ? this.whyKept(node, layer, chain) : ''
      if (layer !== undefined && chain !== undefined && this.fuse(layer, chain)) changed = true
      else {
        const kept = layer !== undefined && isLarge(layer) ? this.alone(layer) : node
        if (kept !== node) changed = true
        if (why !== '') notePass(passName, kept, 'kept', why)
      }
    }
    return changed
  }

  private get aliases(): AliasAnalysis {
    return (this.analysis ??= new AliasAnalysis(this.graph))
  }

  private layerOf(node: Node): WeightedNode | undefined {
    if (node.kind === 'aten::linear') return constantLinear(node, this.facts, halves)
    if (convolutionOf(node)?.padsByName !== false) return undefined
    return constantConvolution(node, this.facts, halves)
  }

  /** Why a layer keeps its results to itself. */
  private whyKept(node: Node, layer: WeightedNode | undefined, chain: Chain | undefined): string {
    if (layer === undefined) return 'its weight or bias is no constant, or its arguments are not known'
    if (chain !== undefined) return 'a result is used elsewhere too, or something between writes what would be read earlier'
    const readers = node.output.uses.filter((use) => !readsFormOnly(use.user))
    if (readers.length > 1) return `its result is read ${readers.length} times`
    const kind = readers[0]?.user.kind ?? 'prim::Return'
    if (kind === 'prim::Return') return 'its result is returned'
    return `${kind} after it is nothing that can be done in registers, or adds a constant or a tensor of unknown dtype`
  }

  private chainOf(layer: WeightedNode): Chain | undefined {
    let last = layer.node
    let [sum, residual, activation]: [Node | undefined, Value | undefined, Node | undefined] = [undefined, undefined, undefined]
    let next = onlyReader(last.output)
    const other = next && this.residualOf(next, last.output, layer)
    if (next !== undefined && other !== undefined) {
      ;[sum, residual, last] = [next, other, next]
      next = onlyReader(last.output)
    }
    const name = next === undefined ? undefined : activationOf(next)
    if (name !== undefined && next!.inputs[0] === last.output) activation = next
    if (sum === undefined && activation === undefined) return undefined
    return { layer: layer.node, sum, residual, activation, name: activation === undefined ? '' : name! }
  }

  /** What a node adds to a value that it alone reads. */
  private residualOf(node: Node, value: Value, layer: WeightedNode): Value | undefined {
    const name = node.schema?.fullName
    if ((name !== 'aten::add.Tensor' && name !== 'aten::add_.Tensor') || !isNumber(node.inputs[2], 1)) return undefined
    const [a, b] = node.inputs
    if (a === b || (name === 'aten::add_.Tensor' && a !== value)) return undefined
    const other = a === value ? b : a
    // Constants are mostly vectors that broadcast, which the kernels add more slowly than the operator does.
    if (other.type !== TensorType || other.node.constant !== undefined) return undefined
    // In place, the sum has the dtype of the layer; else the rows promote as the operator does. Residuals of float32, which mixed precision brings to
    // layers of halves, belong to the group of what follows: the rows would add them apart, in a kernel of its own.
    const mayPromote = name === 'aten::add.Tensor' && !halves.includes(layer.dtype)
    return mayPromote || floatDType(other, this.facts) === layer.dtype ? other : undefined
  }

  /** A large linear layer that nothing follows becomes the same operator, which may use algorithms with fewer multiplications. */
  private alone(layer: WeightedNode): Node {
    const { node } = layer
    const chain = { layer: node, sum: undefined, residual: undefined, activation: undefined, name: '' }
    const fused = this.fusedNode(layer, chain, node)
    fused.range = node.range
    fused.callStack = node.callStack
    fused.output.debugName = node.output.debugName
    if (this.analysis !== undefined) this.analysis.adopt(fused.output, node.output)
    node.output.replaceAllUsesWith(fused.output)
    node.destroy()
    return fused
  }

  private fuse(layer: WeightedNode, chain: Chain): boolean {
    const { node } = layer
    const { sum, residual, activation } = chain
    const parts = [sum, activation].filter((part) => part !== undefined)
    const last = parts[parts.length - 1]
    const { nodes } = node.owner!
    const [from, to] = [nodes.indexOf(node), nodes.indexOf(last)]
    const between = nodes.slice(from + 1, to).filter((other) => !parts.includes(other))
    const early = residual === undefined || residual.node.owner !== node.owner || nodes.indexOf(residual.node) < from
    const moved = early ? (residual === undefined ? [] : [residual]) : [...node.inputs, residual]
    if (between.some((other) => moved.some((value) => value.type === TensorType && this.aliases.mayChange(other, value)))) return false
    const steps = [node, ...parts]
    // The sum may have other sizes than the layer's result.
    if (residual !== undefined && node.output.uses.length > 1) return false
    // Those that ask for sizes come before the place of the new node.
    if (!early && steps.slice(0, -1).some((step) => step.output.uses.length > 1)) return false
    const fused = this.fusedNode(layer, chain, early ? node : last)
    const taken = [...(sum === undefined ? [] : ['the sum with a residual']), ...(activation === undefined ? [] : [chain.name])]
    notePass(passName, fused, 'fused', `does ${taken.join(' and ')} on its results in registers`)
    fused.range = node.range
    fused.callStack = node.callStack
    fused.output.debugName = last.output.debugName
    if (this.analysis !== undefined) this.analysis.adopt(fused.output, last.output)
    for (const step of steps.reverse()) {
      for (const { user, offset } of [...step.output.uses]) if (!steps.includes(user)) user.replaceInput(offset, fused.output)
      step.destroy()
    }
    return true
  }

  private fusedNode(layer: WeightedNode, { residual, name }: Chain, before: Node): Node {
    const { node, spatial } = layer
    const convolution = convolutionOf(node)
    // No layout yet.
    if (convolution !== undefined)
      return convolutionEpilogue(convolution, spatial, { residual, activation: name, channelsLast: false }, before)
    const constant = (value: ConstantValue, type: Type): Value => this.graph.createConstant(value, type).insertBefore(before).output
    const fused = this.graph.create('torchscript::linear_epilogue', [
      ...node.inputs,
      residual ?? constant({ kind: 'none' }, { kind: 'Optional', element: TensorType }),
      constant({ kind: 'string', value: name }, StringType),
    ])
    fused.schema = schemaByFullName('torchscript::linear_epilogue')
    return fused.insertBefore(before)
  }
}
