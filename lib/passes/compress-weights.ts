// The operators that this pass reads and makes.
import '../ops/linear-compressed.js'
import '../ops/linear-epilogue.js'
import type { Graph, Node, Value } from '../ir/graph.js'
import { allNodes } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import type { ConstantValue, Type } from '../ir/types.js'
import { BoolType, StringType, TensorType } from '../ir/types.js'
import type { ConstantFacts } from './evaluator.js'
import type { Pass } from './pass.js'

/** How packed weights of linear layers are kept. */
export type WeightStorage = 'float16' | 'bfloat16'

/** Elements of a weight that are worth it: smaller ones stay in the first levels of cache. */
const fewest = 1 << 12

interface Layer {
  readonly input: Value
  readonly weight: Value
  readonly bias?: Value
  readonly residual?: Value
  readonly activation?: Value
  /** Whether the weight is [in, out]. */
  readonly transposed: boolean
}

/**
 * Linear layers and products with constant float32 weights keep their packed weights in 16 bits. Changes results by the rounding of the weights;
 * sums stay float32. Runs on request only, after the fusion of epilogues. Such a graph is for running only.
 *
 *     %y : Tensor = aten::addmm(%b, %x, %w, %one, %one)   =>   %y : Tensor = torchscript::linear_compressed(%x, %w, %b, %none, %name, %storage, %true)
 */
export const compressWeights = (storage: WeightStorage, facts: ConstantFacts): Pass => ({
  name: 'compress-weights',
  run: (graph: Graph): boolean => {
    let changed = false
    for (const node of [...allNodes(graph.block)]) {
      const layer = layerOf(node, facts)
      if (layer === undefined) continue
      replace(graph, node, layer, storage)
      changed = true
    }
    return changed
  },
})

const isOne = (value: Value | undefined): boolean => {
  const constant = value?.node.constant
  return (constant?.kind === 'int' || constant?.kind === 'float') && Number(constant.value) === 1
}

function layerOf(node: Node, facts: ConstantFacts): Layer | undefined {
  const shapeOf = (value: Value): readonly number[] | undefined => {
    const constant = value.node.constant
    const known = constant?.kind === 'tensor' ? facts.facts(constant.tensor) : undefined
    return known?.dtype === 'float32' ? known.shape : undefined
  }
  const isLarge = (weight: Value): boolean => {
    const shape = shapeOf(weight)
    return shape?.length === 2 && shape[0] * shape[1] >= fewest
  }
  const { inputs } = node
  switch (node.schema?.fullName) {
    case 'torchscript::linear_epilogue': {
      const [input, weight, bias, residual, activation] = inputs
      return isLarge(weight) ? { input, weight, bias, residual, activation, transposed: false } : undefined
    }
    case 'aten::linear': {
      const [input, weight, bias] = inputs
      return isLarge(weight) ? { input, weight, bias, transposed: false } : undefined
    }
    case 'aten::mm': {
      const [input, weight] = inputs
      return isLarge(weight) ? { input, weight, transposed: true } : undefined
    }
    case 'aten::addmm': {
      const [bias, input, weight, beta, alpha] = inputs
      if (!isLarge(weight) || !isOne(beta) || !isOne(alpha)) return undefined
      const shape = shapeOf(bias)
      return shape?.length === 1 && shape[0] === shapeOf(weight)![1] ? { input, weight, bias, transposed: true } : undefined
    }
    default:
      return undefined
  }
}

function replace(graph: Graph, node: Node, layer: Layer, storage: WeightStorage): void {
  const constant = (value: ConstantValue, type: Type): Value => graph.createConstant(value, type).insertBefore(node).output
  const none = (): Value => constant({ kind: 'none' }, { kind: 'Optional', element: TensorType })
  const made = graph.create('torchscript::linear_compressed', [
    layer.input,
    layer.weight,
    layer.bias ?? none(),
    layer.residual ?? none(),
    layer.activation ?? constant({ kind: 'string', value: '' }, StringType),
    constant({ kind: 'string', value: storage }, StringType),
    constant({ kind: 'bool', value: layer.transposed }, BoolType),
  ])
  made.schema = schemaByFullName('torchscript::linear_compressed')
  made.insertBefore(node)
  made.range = node.range
  made.callStack = node.callStack
  made.output.debugName = node.output.debugName
  node.output.replaceAllUsesWith(made.output)
  node.destroy()
}
