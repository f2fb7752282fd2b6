import { allNodes, type Graph, type Node } from '../ir/graph.js'
import type { ConstantValue } from '../ir/types.js'
import type { Evaluator } from './evaluator.js'
import { type Affine, constantConvolution, foldAffine, ints, isOnlyReader, Steps, type WeightedNode } from './fold-weights.js'
import type { Pass } from './pass.js'

const operators = new Set(['add', 'sub', 'mul', 'div'].flatMap((name) => [`aten::${name}.Tensor`, `aten::${name}.Scalar`]))

/** A constant operand as a number, or a vector with an entry for each channel. */
function operandOf(value: ConstantValue, layer: WeightedNode, evaluator: Evaluator, steps: Steps): ConstantValue | undefined {
  if (value.kind === 'int' || value.kind === 'float') return value
  const facts = value.kind === 'tensor' ? evaluator.facts(value.tensor) : undefined
  if (facts === undefined) return undefined
  const { shape, dtype } = facts
  // A 0-dim tensor of any real kind takes no part in promotion with a float layer.
  if (dtype !== layer.dtype && !(shape.length === 0 && /^(float|int|uint|bfloat)/.test(dtype))) return undefined
  if (shape.length > layer.spatial + 2) return undefined
  const fromChannels = [...Array<number>(Math.max(0, layer.spatial + 1 - shape.length)).fill(1), ...shape].slice(-(layer.spatial + 1))
  if ((shape.length === layer.spatial + 2 && shape[0] !== 1) || fromChannels.slice(1).some((n) => n !== 1)) return undefined
  if (fromChannels[0] !== 1 && fromChannels[0] !== layer.channels) return undefined
  let vector = steps.run('aten::reshape', value, ints([fromChannels[0]]))
  if (dtype !== layer.dtype) {
    const one = steps.run('aten::new_ones', layer.weight, ints([1]))
    vector = steps.run('aten::mul.Tensor', one, steps.run('aten::reshape', value, ints([])))
  }
  return steps.run('aten::expand', vector, ints([layer.channels]))
}

function affineOf(node: Node, operand: ConstantValue, alpha: ConstantValue | undefined, steps: Steps): Affine | undefined {
  const isTensor = operand.kind === 'tensor'
  const scaled = (factor: number): ConstantValue =>
    isTensor
      ? steps.run('aten::mul.Scalar', operand, { kind: 'float', value: factor })
      : { kind: 'float', value: factor * Number((operand as { value: bigint | number }).value) }
  switch (node.kind) {
    case 'aten::mul':
      return { scale: operand }
    case 'aten::div':
      if (isTensor) return { scale: steps.run('aten::reciprocal', operand) }
      return { scale: { kind: 'float', value: 1 / Number((operand as { value: bigint | number }).value) } }
    default: {
      if (alpha?.kind !== 'int' && alpha?.kind !== 'float') return undefined
      const sign = node.kind === 'aten::sub' ? -1 : 1
      return { shift: Number(alpha.value) * sign === 1 ? operand : scaled(Number(alpha.value) * sign) }
    }
  }
}

/**
 * Adding a constant to a convolution's result, or multiplying it by one, goes into the convolution's weights, if the constant is one number or one
 * for each channel.
 *
 *     %c : Tensor = aten::conv2d(%x, %w, %b, ...)        =>    %c : Tensor = aten::conv2d(%x, %w_fused_mul, %b_fused_mul, ...)
 *     %y : Tensor = aten::mul(%c, %constant)                   uses of %y read %c
 */
export const foldConvolutionArithmetic = (evaluator: Evaluator): Pass => ({
  name: 'fold-conv-arithmetic',
  run(graph: Graph): boolean {
    let changed = false
    for (const node of allNodes(graph.block)) {
      if (node.schema === undefined || !operators.has(node.schema.fullName)) continue
      const swapped = node.kind === 'aten::mul' && node.inputs[0].node.constant !== undefined
      const [input, other] = swapped ? [node.inputs[1], node.inputs[0]] : [node.inputs[0], node.inputs[1]]
      if (other.node.constant === undefined || input.node.owner !== node.owner || !isOnlyReader(node, input)) continue
      const layer = constantConvolution(input.node, evaluator)
      if (layer === undefined) continue
      const steps = new Steps(evaluator)
      const operand = operandOf(other.node.constant, layer, evaluator, steps)
      const affine = operand && affineOf(node, operand, node.inputs[2]?.node.constant, steps)
      const suffix = `fused_${node.kind.slice('aten::'.length)}`
      if (affine === undefined || steps.failed || !foldAffine(graph, layer, affine, evaluator, suffix)) continue
      node.output.replaceAllUsesWith(input)
      node.destroy()
      changed = true
    }
    return changed
  },
})
