// The operator that this pass makes.
import '../ops/addmm-epilogue.js'
import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import type { ConstantValue, Type } from '../ir/types.js'
import { IntType, listOf, StringType, TensorType } from '../ir/types.js'
import { AliasAnalysis } from './alias-analysis.js'
import type { ConstantFacts } from './evaluator.js'
import { activationOf } from './fuse-epilogues.js'
import type { Pass } from './pass.js'
import { numberOf } from './pattern.js'

/** Products of fewer numbers are not worth another kernel when nothing follows. */
const large = 1 << 16

/** The one node that reads a value, as its first argument or as one of the two of a sum. */
function reader(value: Value): Node | undefined {
  const [use, more] = value.uses
  return use !== undefined && more === undefined && use.user.owner === value.node.owner ? use.user : undefined
}

interface Chain {
  readonly steps: Node[]
  readonly shape: Value | undefined
  readonly residual: Value | undefined
  readonly activation: string
}

function chainOf(addmm: Node): Chain {
  const steps: Node[] = [addmm]
  let [shape, residual, activation]: [Value | undefined, Value | undefined, string] = [undefined, undefined, '']
  const last = (): Value => steps[steps.length - 1].output
  let next = reader(last())
  if (next !== undefined && (next.schema?.fullName === 'aten::view' || next.kind === 'aten::reshape') && next.inputs[0] === last()) {
    shape = next.inputs[1]
    steps.push(next)
    next = reader(last())
  }
  if (next?.schema?.fullName === 'aten::add.Tensor' && numberOf(next.inputs[2]) === 1 && next.inputs[0] !== next.inputs[1]) {
    const other = next.inputs[0] === last() ? next.inputs[1] : next.inputs[0]
    if (other.type === TensorType && other.node.constant === undefined) {
      residual = other
      steps.push(next)
      next = reader(last())
    }
  }
  const name = next === undefined ? undefined : activationOf(next)
  if (name !== undefined && next!.inputs[0] === last() && !next!.kind.endsWith('_')) {
    activation = name
    steps.push(next!)
  }
  return { steps, shape, residual, activation }
}

/**
 * Products with constant weights as GPT-2's Conv1D has them, with the view that follows, the sum with a residual and the activation, become one
 * operator. Such a graph is for running only: files hold the operators apart.
 *
 *     %a : Tensor = aten::addmm(%b, %x, %w, %one, %one)
 *     %v : Tensor = aten::view(%a, %shape)                 =>    %y : Tensor = torchscript::addmm_epilogue(%b, %x, %w, %shape, %none, %gelu)
 *     %y : Tensor = aten::gelu(%v, %tanh)
 */
export const fuseAddmm = (facts: ConstantFacts): Pass => ({
  name: 'fuse-addmm',
  run(graph: Graph): boolean {
    let analysis: AliasAnalysis | undefined
    let changed = false
    for (const node of allNodes(graph.block)) {
      if (node.owner === undefined || node.schema?.fullName !== 'aten::addmm') continue
      const [bias, x, weight, beta, alpha] = node.inputs
      const known = [bias, weight].map(({ node: { constant } }) => (constant?.kind === 'tensor' ? facts.facts(constant.tensor) : undefined))
      if (known.some((fact) => fact?.dtype !== 'float32') || known[0]!.shape.length !== 1 || known[1]!.shape.length !== 2) continue
      if (numberOf(beta) !== 1 || numberOf(alpha) !== 1) continue
      const { steps, shape, residual, activation } = chainOf(node)
      const isLarge = known[1]!.shape[0] * known[1]!.shape[1] >= large
      if (residual === undefined && activation === '' && !isLarge) continue
      // The result of a view alone may be written.
      if (residual === undefined && activation === '' && steps.length > 1) steps.splice(1)
      analysis ??= new AliasAnalysis(graph)
      const read = [x, ...(residual === undefined ? [] : [residual]), ...steps.slice(0, -1).map((step) => step.output)]
      if (read.some((value) => analysis!.isWritten(value))) continue
      const at = steps[steps.length - 1]
      const constant = (value: ConstantValue, type: Type): Value => graph.createConstant(value, type).insertBefore(at).output
      const none = (element: Type): Value => constant({ kind: 'none' }, { kind: 'Optional', element })
      const fused = graph
        .create('torchscript::addmm_epilogue', [
          ...[bias, x, weight],
          (steps.length > 1 ? shape : undefined) ?? none(listOf(IntType)),
          residual ?? none(TensorType),
          constant({ kind: 'string', value: activation }, StringType),
        ])
        .insertBefore(at)
      fused.schema = schemaByFullName('torchscript::addmm_epilogue')
      fused.range = node.range
      fused.callStack = node.callStack
      fused.output.debugName = at.output.debugName
      analysis.adopt(fused.output, at.output)
      at.output.replaceAllUsesWith(fused.output)
      for (const step of [...steps].reverse()) step.destroy()
      changed = true
    }
    return changed
  },
})
