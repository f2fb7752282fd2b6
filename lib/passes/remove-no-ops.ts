import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js'
import { dtypeFromCode } from '../tensor/dtype.js'
import { AliasAnalysis } from './alias-analysis.js'
import { floatDType } from './dtype-inference.js'
import type { Evaluator } from './evaluator.js'
import { changesShapes } from './known-ranks.js'
import type { Pass } from './pass.js'

const isNumber = (value: Value | undefined, wanted: number): boolean => {
  const constant = value?.node.constant
  return (constant?.kind === 'int' || constant?.kind === 'float') && Number(constant.value) === wanted && !Object.is(constant.value, -0)
}
const isNone = (value: Value): boolean => value.node.constant?.kind === 'none'
const isFalse = (value: Value): boolean => value.node.constant?.kind === 'bool' && !value.node.constant.value

const isFrom = (start: Value, wanted: number): boolean => isNone(start) || isNumber(start, wanted)
/** Programs write the largest integer for the end of a dimension. */
const isToEnd = (end: Value): boolean => isNone(end) || (end.node.constant?.kind === 'int' && end.node.constant.value >= 2n ** 62n)

/** Whether a node gives its input itself, not a copy. */
function returnsInput(node: Node, evaluator: Evaluator): boolean {
  switch (node.schema?.fullName) {
    case 'aten::detach':
    case 'aten::alias':
      return true
    case 'aten::to.dtype': {
      const code = node.inputs[1].node.constant
      const [, , , copy, format] = node.inputs
      if (code?.kind !== 'int' || !isFalse(copy) || !isNone(format)) return false
      const dtype = floatDType(node.inputs[0], evaluator)
      return dtype !== undefined && dtypeFromCode(Number(code.value)) === dtype
    }
    case 'aten::type_as': {
      const dtype = floatDType(node.inputs[0], evaluator)
      return dtype !== undefined && dtype === floatDType(node.inputs[1], evaluator)
    }
    case 'aten::slice.Tensor':
      return isFrom(node.inputs[2], 0) && isToEnd(node.inputs[3]) && isNumber(node.inputs[4], 1)
    default:
      return false
  }
}

/** Whether a node copies its first input unchanged. x + 0 is not here: it turns -0 into 0. */
function copiesInput(node: Node, evaluator: Evaluator): boolean {
  switch (node.schema?.fullName) {
    case 'aten::mul.Scalar':
    case 'aten::div.Scalar':
      return isNumber(node.inputs[1], 1) && floatDType(node.inputs[0], evaluator) !== undefined
    case 'aten::sub.Scalar':
      return isNumber(node.inputs[1], 0) && isNumber(node.inputs[2], 1) && floatDType(node.inputs[0], evaluator) !== undefined
    default:
      return false
  }
}

/** What a node gives back its shape: the tensor that it is like, seen through views until then. */
function restored(node: Node): Value | undefined {
  if (node.schema?.fullName !== 'aten::reshape_as') return undefined
  let [value] = node.inputs
  while (['aten::flatten', 'aten::reshape', 'aten::view'].includes(value.node.kind)) [value] = value.node.inputs
  return value === node.inputs[1] && value !== node.inputs[0] ? value : undefined
}

/**
 * Operators that change nothing: detach, slices from beginning to end, conversions to the dtype a tensor has, views back to the
 * shape from before, and x * 1, x / 1 and x - 0 of floats.
 *
 *     %y : Tensor = aten::mul(%x, %one)    =>    uses of %y read %x
 */
export const removeNoOps = (evaluator: Evaluator): Pass => ({
  name: 'remove-no-ops',
  run(graph: Graph): boolean {
    let analysis: AliasAnalysis | undefined
    let changed = false
    // Views of the same memory are two where one of them gets another shape.
    if (changesShapes(graph)) return false
    for (const node of allNodes(graph.block)) {
      if (node.outputs.length !== 1) continue
      const input = restored(node) ?? node.inputs[0]
      if (!returnsInput(node, evaluator)) {
        if (input === node.inputs[0] && !copiesInput(node, evaluator)) continue
        analysis ??= new AliasAnalysis(graph)
        if (!analysis.canReplace(node.output, input)) continue
      }
      node.output.replaceAllUsesWith(input)
      node.destroy()
      changed = true
    }
    return changed
  },
})
