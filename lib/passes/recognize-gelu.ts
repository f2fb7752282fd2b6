import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import { StringType } from '../ir/types.js'
import { AliasAnalysis } from './alias-analysis.js'
import { floatDType } from './dtype-inference.js'
import type { ConstantFacts } from './evaluator.js'
import type { Pass } from './pass.js'

const numberOf = (value: Value | undefined): number | undefined => {
  const constant = value?.node.constant
  return constant?.kind === 'int' || constant?.kind === 'float' ? Number(constant.value) : undefined
}
/** Programs write these constants with 4 to 17 digits. */
const isAbout = (value: number | undefined, wanted: number): boolean => value !== undefined && Math.abs(value - wanted) <= 1e-7 * wanted

/** The nodes of a match, which only other nodes of it read. */
class Match {
  readonly nodes: Node[] = []

  /** The operand of an operator with a number: `value = operator(operand, number)`. */
  withNumber(value: Value, names: readonly string[], wanted: number): Value | undefined {
    const { node } = value
    if (!names.includes(node.schema?.fullName ?? '') || !isAbout(numberOf(node.inputs[1]), wanted)) return undefined
    if (/add|sub/.test(node.kind) && numberOf(node.inputs[2]) !== 1) return undefined
    return this.take(node) ? node.inputs[0] : undefined
  }
  operand(value: Value, name: string): Value | undefined {
    return value.node.schema?.fullName === name && this.take(value.node) ? value.node.inputs[0] : undefined
  }
  /** Both operands of a product or sum of two tensors, which may stand in either order. */
  operands(value: Value, name: string): readonly (readonly [Value, Value])[] {
    const { node } = value
    if (node.schema?.fullName !== name || (node.inputs.length > 2 && numberOf(node.inputs[2]) !== 1) || !this.take(node)) return []
    const [a, b] = node.inputs
    return [
      [a, b],
      [b, a],
    ]
  }
  private take(node: Node): boolean {
    if (node.outputs.length !== 1 || node.outputs[0].uses.length !== 1) return false
    this.nodes.push(node)
    return true
  }
}

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

function matchGelu(node: Node): { x: Value; approximate: string; nodes: readonly Node[] } | undefined {
  if (node.schema?.fullName !== 'aten::mul.Tensor') return undefined
  for (const [half, rest] of [node.inputs, [node.inputs[1], node.inputs[0]]]) {
    const match = new Match()
    const x = match.withNumber(half, times, 0.5)
    const curve = x && match.withNumber(rest, ['aten::add.Scalar'], 1)
    if (x === undefined || curve === undefined) continue
    const tanh = match.operand(curve, 'aten::tanh')
    if (tanh !== undefined && cubic(tanh, match) === x) return { x, approximate: 'tanh', nodes: match.nodes }
    const erf = match.operand(curve, 'aten::erf')
    if (erf !== undefined && scaled(erf, match) === x) return { x, approximate: 'none', nodes: match.nodes }
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
      const match = matchGelu(node)
      if (match === undefined || floatDType(match.x, facts) !== 'float32') continue
      if (match.nodes.some((part) => part.owner !== node.owner)) continue
      analysis ??= new AliasAnalysis(graph)
      if ([match.x, ...match.nodes.map((part) => part.output)].some((value) => analysis!.isWritten(value))) continue
      const approximate = graph.createConstant({ kind: 'string', value: match.approximate }, StringType).insertBefore(node)
      const gelu = graph.create('aten::gelu', [match.x, approximate.output]).insertBefore(node)
      gelu.schema = schemaByFullName('aten::gelu')
      gelu.range = node.range
      gelu.callStack = node.callStack
      gelu.output.debugName = node.output.debugName
      node.output.replaceAllUsesWith(gelu.output)
      node.destroy()
      for (let left = [...match.nodes]; left.length > 0;) {
        const free = left.filter((part) => part.output.uses.length === 0)
        free.forEach((part) => part.destroy())
        left = left.filter((part) => !free.includes(part))
        if (free.length === 0) break
      }
      changed = true
    }
    return changed
  },
})
