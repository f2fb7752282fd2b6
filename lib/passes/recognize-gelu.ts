import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import { StringType } from '../ir/types.js'
import { AliasAnalysis } from './alias-analysis.js'
import { floatDType } from './dtype-inference.js'
import type { ConstantFacts } from './evaluator.js'
import type { Pass } from './pass.js'
import { Match, replaceMatch } from './pattern.js'

const times = ['aten::mul.Scalar']
const rootOfTwoOverPi = Math.sqrt(2 / Math.PI)

/** x of 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), of which `inner` is the argument of tanh. */
function cubic(inner: Value, match: Match): Value | undefined {
  const sum = match.withNumber(inner, times, rootOfTwoOverPi)
  if (sum === undefined) return undefined
  for (const [x, cube] of match.operands(sum, 'aten::add.Tensor')) {
    const power = match.withNumber(cube, times, 0.044715)
    const base = power && match.withNumber(power, ['aten::pow.Tensor_Scalar'], 3)
    if (base === x) return x
  }
  return undefined
}

/** x of 0.5 x (1 + erf(x / sqrt(2))), of which `inner` is the argument of erf. */
const scaled = (inner: Value, match: Match): Value | undefined =>
  match.withNumber(inner, ['aten::div.Scalar'], Math.SQRT2) ?? match.withNumber(inner, times, Math.SQRT1_2)

function matchGelu(node: Node): { x: Value; approximate: string; match: Match } | undefined {
  if (node.schema?.fullName !== 'aten::mul.Tensor') return undefined
  for (const [half, rest] of [node.inputs, [node.inputs[1], node.inputs[0]]]) {
    const match = new Match()
    const x = match.withNumber(half, times, 0.5)
    const curve = x && match.withNumber(rest, ['aten::add.Scalar'], 1)
    if (x === undefined || curve === undefined) continue
    const tanh = match.operand(curve, 'aten::tanh')
    if (tanh !== undefined && cubic(tanh, match) === x) return { x, approximate: 'tanh', match }
    const erf = match.operand(curve, 'aten::erf')
    if (erf !== undefined && scaled(erf, match) === x) return { x, approximate: 'none', match }
  }
  return undefined
}

/**
 * GELU written out, in its tanh form or with erf, on float32 becomes the operator: one pass over memory instead of seven. Only where the dtype is known,
 * as in frozen graphs: half precision rounds each step.
 *
 *     %a : Tensor = aten::mul(%x, %half)                %y : Tensor = aten::gelu(%x, %none)
 *     %b : Tensor = aten::div(%x, %root)
 *     %c : Tensor = aten::erf(%b)                 =>
 *     %d : Tensor = aten::add(%c, %one, %one)
 *     %y : Tensor = aten::mul(%a, %d)
 */
export const recognizeGelu = (facts: ConstantFacts): Pass => ({
  name: 'recognize-gelu',
  run(graph: Graph): boolean {
    let analysis: AliasAnalysis | undefined
    let changed = false
    for (const node of allNodes(graph.block)) {
      if (node.owner === undefined || node.kind !== 'aten::mul') continue
      const found = matchGelu(node)
      if (found === undefined || floatDType(found.x, facts) !== 'float32') continue
      const { nodes } = found.match
      if (nodes.some((part) => part.owner !== node.owner)) continue
      analysis ??= new AliasAnalysis(graph)
      if ([found.x, ...nodes.map((part) => part.output)].some((value) => analysis!.isWritten(value))) continue
      const approximate = graph.createConstant({ kind: 'string', value: found.approximate }, StringType).insertBefore(node)
      const gelu = graph.create('aten::gelu', [found.x, approximate.output]).insertBefore(node)
      gelu.schema = schemaByFullName('aten::gelu')
      replaceMatch('recognize-gelu', node, gelu, found.match)
      changed = true
    }
    return changed
  },
})
