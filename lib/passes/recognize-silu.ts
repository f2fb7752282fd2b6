import { allNodes, type Graph, type Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import { AliasAnalysis } from './alias-analysis.js'
import { floatDType } from './dtype-inference.js'
import type { ConstantFacts } from './evaluator.js'
import type { Pass } from './pass.js'
import { Match, replaceMatch } from './pattern.js'

/**
 * SiLU written out on float32.
 *
 *     %s : Tensor = aten::sigmoid(%x)
 *     %y : Tensor = aten::mul(%x, %s)    =>    %y : Tensor = aten::silu(%x)
 */
export const recognizeSilu = (facts: ConstantFacts): Pass => ({
  name: 'recognize-silu',
  run(graph: Graph): boolean {
    let analysis: AliasAnalysis | undefined
    let changed = false
    for (const node of allNodes(graph.block)) {
      if (node.owner === undefined || node.schema?.fullName !== 'aten::mul.Tensor') continue
      const match = new Match()
      const operandOf = (x: Value, curve: Value): Value | undefined => (match.operand(curve, 'aten::sigmoid') === x ? x : undefined)
      const [a, b] = node.inputs
      const x = operandOf(a, b) ?? (match.rewind(0), operandOf(b, a))
      if (x === undefined || floatDType(x, facts) !== 'float32' || match.nodes.some((part) => part.owner !== node.owner)) continue
      analysis ??= new AliasAnalysis(graph)
      if ([x, ...match.nodes.map((part) => part.output)].some((value) => analysis!.isWritten(value))) continue
      const silu = graph.create('aten::silu', [x]).insertBefore(node)
      silu.schema = schemaByFullName('aten::silu')
      replaceMatch('recognize-silu', node, silu, match)
      changed = true
    }
    return changed
  },
})
