// The operators that this pass reads and makes.
import '../ops/bottleneck.js'
import '../ops/convolution-epilogue.js'
import type { Block, Graph, Node, Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import { IntType, StringType, TensorType } from '../ir/types.js'
import { AliasAnalysis } from './alias-analysis.js'
import type { ConstantFacts } from './evaluator.js'
import type { Pass } from './pass.js'

const epilogue = 'torchscript::convolution_epilogue'
/** Places in the arguments of a convolution with an epilogue. */
const [weightAt, biasAt, strideAt, paddingAt, dilationAt, residualAt, activationAt, channelsLastAt] = [1, 2, 3, 4, 5, 9, 10, 11]

/** Elements of all pointwise weights: larger ones belong to images so small that the cache holds them anyway, and their packing takes time. */
const maxWeights = 16384

/** Channels of an image that is still planar, and taps over all of them: a stem of conv/last.h. */
const [maxStemChannels, maxStemTaps] = [4, 256]

/**
 * A pointwise convolution or the first of a network, a depthwise and a pointwise convolution, or the last two, become one operator that never writes the wide images between
 * them to memory. Run by kernels only: see torchscript::bottleneck.
 *
 *     %a : Tensor = torchscript::convolution_epilogue(%x, %e, ...)     # 1x1 or of few channels, alone read
 *     %b : Tensor = torchscript::convolution_epilogue(%a, %d, ...)     # depthwise 3x3, alone read
 *     %y : Tensor = torchscript::convolution_epilogue(%b, %p, ...)     # 1x1
 *                =>  %y : Tensor = torchscript::bottleneck(%x, %e, ..., %d, ..., %p, ...)
 */
export const fuseBottlenecks = (facts: ConstantFacts): Pass => ({
  name: 'fuse-bottlenecks',
  run: (graph: Graph): boolean => new Bottlenecks(graph, facts).block(graph.block),
})

class Bottlenecks {
  private analysis: AliasAnalysis | undefined

  constructor(
    private readonly graph: Graph,
    private readonly facts: ConstantFacts,
  ) {}

  block(block: Block): boolean {
    let changed = false
    for (const node of [...block.nodes]) {
      for (const inner of node.blocks) changed = this.block(inner) || changed
      if (node.owner !== undefined) changed = this.fuse(node) || changed
    }
    return changed
  }

  private fuse(project: Node): boolean {
    const projected = this.pointwise(project)
    const depthwise = project.inputs[0]?.node
    if (projected === undefined || !this.isDepthwise(depthwise) || !this.isBetween(depthwise, project)) return false
    const before = depthwise.inputs[0].node
    const expanded =
      this.isBetween(before, depthwise) && !this.hasResidual(before) ? (this.pointwise(before) ?? this.stem(before)) : undefined
    const expand = expanded === undefined ? undefined : before
    if (projected + (expanded ?? 0) > maxWeights) return false
    const input = (expand ?? depthwise).inputs[0]
    const { nodes } = project.owner!
    const between = nodes.slice(nodes.indexOf(expand ?? depthwise) + 1, nodes.indexOf(project))
    const aliases = (this.analysis ??= new AliasAnalysis(this.graph))
    if (between.some((node) => aliases.mayChange(node, input))) return false

    const none = (): Value =>
      this.graph.createConstant({ kind: 'none' }, { kind: 'Optional', element: TensorType }).insertBefore(project).output
    const nothing = (): Value => this.graph.createConstant({ kind: 'string', value: '' }, StringType).insertBefore(project).output
    const wide = expand === undefined ? [none(), none(), nothing()] : [weightAt, biasAt, activationAt].map((i) => expand.inputs[i])
    const narrow = [weightAt, biasAt, strideAt, paddingAt, activationAt].map((i) => depthwise.inputs[i])
    const last = [weightAt, biasAt, residualAt, activationAt].map((i) => project.inputs[i])
    const int = (value: number): Value =>
      this.graph.createConstant({ kind: 'int', value: BigInt(value) }, IntType).insertBefore(project).output
    const window = expand === undefined ? [1, 0] : [strideAt, paddingAt].map((i) => items(expand.inputs[i])[0])
    const fused = this.graph
      .create('torchscript::bottleneck', [input, ...wide, ...narrow, ...last, ...window.map(int)])
      .insertBefore(project)
    fused.schema = schemaByFullName('torchscript::bottleneck')
    fused.range = project.range
    fused.callStack = project.callStack
    fused.output.debugName = project.output.debugName
    aliases.adopt(fused.output, project.output)
    project.output.replaceAllUsesWith(fused.output)
    for (const node of [project, depthwise, expand]) node?.destroy()
    return true
  }

  /** Whether only `reader` uses the result of a node, as its image. */
  private isBetween(node: Node, reader: Node): boolean {
    const [use, other] = node.outputs.length === 1 ? node.outputs[0].uses : []
    return use !== undefined && other === undefined && use.user === reader && use.offset === 0 && node.owner === reader.owner
  }

  /** Whether it is a marked convolution with these constant strides, and which weight it has. */
  private shapeOf(node: Node): readonly number[] | undefined {
    if (node.kind !== epilogue) return undefined
    const flag = node.inputs[channelsLastAt].node.constant
    const weight = node.inputs[weightAt].node.constant
    if (flag?.kind !== 'bool' || !flag.value || weight?.kind !== 'tensor') return undefined
    return this.facts.facts(weight.tensor)?.shape
  }

  /** The size of the weight of a convolution without taps, strides and padding. */
  private pointwise(node: Node): number | undefined {
    const shape = this.shapeOf(node)
    const groups = shape && node.inputs[8].node.constant
    if (shape === undefined || groups?.kind !== 'int' || groups.value !== 1n || shape[2] !== 1 || shape[3] !== 1) return undefined
    return isList(node.inputs[strideAt], 1) && isList(node.inputs[paddingAt], 0) ? shape[0] * shape[1] : undefined
  }

  /** The size of the weight of a convolution of few channels and taps. */
  private stem(node: Node): number | undefined {
    const shape = this.shapeOf(node)
    const groups = shape && node.inputs[8].node.constant
    if (shape === undefined || groups?.kind !== 'int' || groups.value !== 1n || shape[1] > maxStemChannels) return undefined
    const taps = shape[1] * shape[2] * shape[3]
    const windows = [strideAt, paddingAt].map((i) => items(node.inputs[i]))
    const square = windows.every(([first]) => first !== undefined) && windows.every((list) => list.every((item) => item === list[0]))
    return square && isList(node.inputs[dilationAt], 1) && taps <= maxStemTaps ? shape[0] * taps : undefined
  }

  private hasResidual(node: Node): boolean {
    return node.kind === epilogue && node.inputs[residualAt].node.constant?.kind !== 'none'
  }

  private isDepthwise(node: Node | undefined): node is Node {
    const shape = node && this.shapeOf(node)
    if (node === undefined || shape === undefined || shape[1] !== 1 || shape[2] !== 3 || shape[3] !== 3) return false
    const groups = node.inputs[8].node.constant
    return (
      groups?.kind === 'int' &&
      Number(groups.value) === shape[0] &&
      shape[0] > 1 &&
      !this.hasResidual(node) &&
      isList(node.inputs[dilationAt], 1)
    )
  }
}

/** The numbers of a constant list; none when they are not known. */
function items(value: Value): readonly number[] {
  const { node } = value
  const constants =
    node.kind === 'prim::ListConstruct'
      ? node.inputs.map((input) => input.node.constant)
      : node.constant?.kind === 'list'
        ? node.constant.items
        : []
  const numbers = constants.map((item) => (item?.kind === 'int' ? Number(item.value) : undefined))
  return numbers.every((item) => item !== undefined) ? numbers : []
}

/** Whether a value is a list of this number only. */
function isList(value: Value, wanted: number): boolean {
  const numbers = items(value)
  return numbers.length > 0 && numbers.every((item) => item === wanted)
}
