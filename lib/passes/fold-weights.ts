import type { Graph, Node, Value } from '../ir/graph.js'
import type { ConstantValue } from '../ir/types.js'
import { TensorType } from '../ir/types.js'
import { convolutionOf, epilogueKind } from './convolutions.js'
import { readsFormOnly } from './effects.js'
import { compute, type ConstantFacts, type Evaluator } from './evaluator.js'

/*
 * What the passes that fold arithmetic into weights have in common. A node is foldable when it scales and shifts each output channel of a convolution
 * or linear layer: y = (W x + b) * scale + shift.
 */

/** A convolution or linear layer with constant weights. */
export interface WeightedNode {
  readonly node: Node
  readonly weight: ConstantValue & { kind: 'tensor' }
  readonly bias: ConstantValue
  readonly dtype: string
  /** Number of output channels. */
  readonly channels: number
  /** Dimensions after the channels. */
  readonly spatial: number
  /** Shape of the weight as (..., channels, ...) and of a vector of channels beside it, so that the two multiply. */
  readonly weightShape: readonly number[]
  readonly split: readonly number[]
  readonly beside: readonly number[]
}

const floats: readonly string[] = ['float32', 'float64']
/** The floats that kernels compute in float32: nothing is folded into weights that are rounded so. */
export const halves: readonly string[] = ['float16', 'bfloat16']

/** The convolution that a node is, if its weight and bias are constants of a float type, or of `others`. */
export function constantConvolution(node: Node, evaluator: ConstantFacts, others: readonly string[] = []): WeightedNode | undefined {
  // What follows the convolution is in an epilogue already.
  const convolution = node.kind === epilogueKind ? undefined : convolutionOf(node)
  const weights = constantWeights(node, evaluator, others)
  if (convolution === undefined || weights === undefined) return undefined
  const { groups: g, transposed } = convolution
  const { shape } = weights
  if (shape.length < 3) return undefined
  const kernel = shape.slice(2)
  const ones = kernel.map(() => 1)
  if (!transposed)
    return {
      ...weights,
      node,
      channels: shape[0],
      spatial: kernel.length,
      weightShape: shape,
      split: shape,
      beside: [shape[0], 1, ...ones],
    }
  // The weight is (inputs, outputs of a group, kernel...).
  return {
    ...weights,
    node,
    channels: g * shape[1],
    spatial: kernel.length,
    weightShape: shape,
    split: [g, shape[0] / g, shape[1], ...kernel],
    beside: [g, 1, shape[1], ...ones],
  }
}

/** The linear layer that a node is, if its weight and bias are constants of a float type, or of `others`. */
export function constantLinear(node: Node, evaluator: ConstantFacts, others: readonly string[] = []): WeightedNode | undefined {
  if (node.kind !== 'aten::linear') return undefined
  const weights = constantWeights(node, evaluator, others)
  if (weights?.shape.length !== 2) return undefined
  const { shape } = weights
  return { ...weights, node, channels: shape[0], spatial: 0, weightShape: shape, split: shape, beside: [shape[0], 1] }
}

function constantWeights(
  node: Node,
  evaluator: ConstantFacts,
  others: readonly string[],
): { weight: ConstantValue & { kind: 'tensor' }; bias: ConstantValue; dtype: string; shape: readonly number[] } | undefined {
  const [weight, bias] = [node.inputs[1]?.node.constant, node.inputs[2]?.node.constant]
  if (weight?.kind !== 'tensor' || (bias?.kind !== 'tensor' && bias?.kind !== 'none')) return undefined
  const facts = evaluator.facts(weight.tensor)
  if (facts === undefined || !(floats.includes(facts.dtype) || others.includes(facts.dtype))) return undefined
  if (bias.kind === 'tensor' && evaluator.facts(bias.tensor)?.dtype !== facts.dtype) return undefined
  return { weight, bias, dtype: facts.dtype, shape: facts.shape }
}

/** Whether `user` alone reads the numbers of a value; others may ask for its sizes. */
export const isOnlyReader = (user: Node, value: Value): boolean =>
  value.uses.every((use) => (use.user === user ? use.offset === value.uses.find((u) => u.user === user)!.offset : readsFormOnly(use.user)))

export const ints = (values: readonly number[]): ConstantValue => ({
  kind: 'list',
  items: values.map((value) => ({ kind: 'int', value: BigInt(value) })),
})

/** Scale and shift of each channel: vectors or numbers. */
export interface Affine {
  readonly scale?: ConstantValue
  readonly shift?: ConstantValue
}

/** Gives the layer weights that do the scaling and shifting as well. False when they cannot be computed. */
export function foldAffine(graph: Graph, layer: WeightedNode, affine: Affine, evaluator: Evaluator, suffix: string): boolean {
  const { node, split, weightShape, beside } = layer
  const steps = new Steps(evaluator)
  let { weight, bias }: { weight: ConstantValue; bias: ConstantValue } = layer
  if (affine.scale !== undefined) {
    const isVector = affine.scale.kind === 'tensor'
    const scale = isVector ? steps.run('aten::reshape', affine.scale, ints(beside)) : affine.scale
    const wide = steps.run('aten::reshape', weight, ints(split))
    weight = steps.run('aten::reshape', steps.run(isVector ? 'aten::mul.Tensor' : 'aten::mul.Scalar', wide, scale), ints(weightShape))
    if (bias.kind !== 'none') bias = steps.run(isVector ? 'aten::mul.Tensor' : 'aten::mul.Scalar', bias, affine.scale)
  }
  if (affine.shift !== undefined) {
    const base = bias.kind === 'none' ? steps.run('aten::new_zeros', layer.weight, ints([layer.channels])) : bias
    bias = steps.run(affine.shift.kind === 'tensor' ? 'aten::add.Tensor' : 'aten::add.Scalar', base, affine.shift)
  }
  steps.release(layer.weight, layer.bias, weight, bias, ...Object.values(affine as Record<string, ConstantValue>))
  if (steps.failed) return false
  const weightName = node.inputs[1].debugName ?? 'weight'
  const named = (name: string): string => name.replace(/weight(?!.*weight)/, 'bias')
  const replace = (input: number, value: ConstantValue): void => {
    const old = node.inputs[input]
    if (old.node.constant === value) return
    const constant = graph.createConstant(value, TensorType).insertBefore(node)
    // A layer without a bias gets one, which is named after its weight.
    constant.output.debugName = `${(old.debugName ?? (input === 1 ? weightName : named(weightName))).replace(/\.\d+$/, '')}_${suffix}`
    node.replaceInput(input, constant.output)
  }
  replace(1, weight)
  replace(2, bias)
  return true
}

/** A computation on constants that remembers whether a step failed. */
export class Steps {
  failed = false
  private readonly made: ConstantValue[] = []
  constructor(private readonly evaluator: Evaluator) {}
  /** Frees what the steps have made, but for the results. */
  release(...results: readonly ConstantValue[]): void {
    this.evaluator.release?.(this.made, results)
  }
  run(operator: string, ...inputs: readonly ConstantValue[]): ConstantValue {
    const result = this.failed ? undefined : compute(this.evaluator, operator, inputs)
    if (result !== undefined) {
      this.made.push(result)
      return result
    }
    this.failed = true
    return { kind: 'none' }
  }
}
