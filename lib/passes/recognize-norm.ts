import { allNodes, type Graph, type Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import type { ConstantValue, Type } from '../ir/types.js'
import { BoolType, FloatType, IntType, listOf, TensorType } from '../ir/types.js'
import { AliasAnalysis } from './alias-analysis.js'
import { floatDType } from './dtype-inference.js'
import type { ConstantFacts } from './evaluator.js'
import type { Pass } from './pass.js'
import { intsOf, Match, nameOf, numberOf, replaceMatch } from './pattern.js'

const float32 = 6

interface Norm {
  readonly x: Value
  readonly centered: boolean
  readonly eps: number
}

/** The operand of a mean over the last dimension, which stays with size 1. */
function meanOf(value: Value, match: Match): Value | undefined {
  const { node } = value
  const [dims, keeps, dtype] = [intsOf(node.inputs[1]), node.inputs[2]?.node.constant, node.inputs[3]?.node.constant]
  if (nameOf(value) !== 'aten::mean.dim' || dims?.length !== 1 || dims[0] !== -1 || dtype?.kind !== 'none') return undefined
  return keeps?.kind === 'bool' && keeps.value ? match.take(value)?.inputs[0] : undefined
}

/** The operand of a square. */
function rootOf(value: Value, match: Match): Value | undefined {
  const { node } = value
  if (nameOf(value) === 'aten::pow.Tensor_Scalar' && numberOf(node.inputs[1]) === 2) return match.take(value)?.inputs[0]
  return nameOf(value) === 'aten::mul.Tensor' && node.inputs[0] === node.inputs[1] ? match.take(value)?.inputs[0] : undefined
}

/** What x / sqrt(mean(x^2) + eps) normalises; x may be y - mean(y). */
function normOf(value: Value, match: Match): Norm | undefined {
  const { node } = value
  // To the dtype that it has.
  if (nameOf(value) === 'aten::to.dtype' && numberOf(node.inputs[1]) === float32) return match.take(value) && normOf(node.inputs[0], match)
  const isProduct = nameOf(value) === 'aten::mul.Tensor'
  if ((!isProduct && nameOf(value) !== 'aten::div.Tensor') || !match.take(value)) return undefined
  const start = match.nodes.length
  for (const [u, factor] of isProduct ? [node.inputs, [node.inputs[1], node.inputs[0]]] : [node.inputs]) {
    match.rewind(start)
    const sum = match.operand(factor, isProduct ? 'aten::rsqrt' : 'aten::sqrt')
    const eps = numberOf(sum?.node.inputs[1])
    if (sum === undefined || nameOf(sum) !== 'aten::add.Scalar' || eps === undefined || numberOf(sum.node.inputs[2]) !== 1) continue
    const mean = match.take(sum)?.inputs[0]
    const square = mean && meanOf(mean, match)
    if (square === undefined || rootOf(square, match) !== u) continue
    const [x, mu, one] = u.node.inputs
    const centers = nameOf(u) === 'aten::sub.Tensor' && numberOf(one) === 1 && u.uses.every(({ user }) => match.nodes.includes(user))
    if (centers && meanOf(mu, match) === x) {
      match.nodes.push(u.node)
      return { x, centered: true, eps }
    }
    return { x: u, centered: false, eps }
  }
  return undefined
}

/**
 * Layer norms and root mean square norms written out on float32, with constant weights, become the operators. Only where the dtype is known, as in
 * frozen graphs.
 *
 *     %s : Tensor = aten::pow(%x, %two)
 *     %m : Tensor = aten::mean(%s, %last, %true, %none)
 *     %e : Tensor = aten::add(%m, %eps, %one)              =>    %y : Tensor = aten::rms_norm(%x, %shape, %w, %eps)
 *     %r : Tensor = aten::rsqrt(%e)
 *     %n : Tensor = aten::mul(%x, %r)
 *     %y : Tensor = aten::mul(%w, %n)
 */
export const recognizeNorm = (facts: ConstantFacts): Pass => ({
  name: 'recognize-norm',
  run(graph: Graph): boolean {
    let analysis: AliasAnalysis | undefined
    let changed = false
    const vector = (value: Value): number | undefined => {
      const { constant } = value.node
      const fact = constant?.kind === 'tensor' ? facts.facts(constant.tensor) : undefined
      return fact?.dtype === 'float32' && fact.shape.length === 1 && fact.shape[0] > 1 ? fact.shape[0] : undefined
    }
    for (const node of allNodes(graph.block)) {
      if (node.owner === undefined || node.schema?.fullName !== 'aten::mul.Tensor') continue
      const [a, b] = node.inputs
      const [weight, inner] = vector(a) === undefined ? [b, a] : [a, b]
      const size = vector(weight)
      const match = new Match()
      const norm = size === undefined ? undefined : normOf(inner, match)
      if (norm === undefined || floatDType(norm.x, facts) !== 'float32') continue
      let last = node
      let bias: Value | undefined
      const next = node.output.uses.length === 1 ? node.output.uses[0].user : undefined
      if (norm.centered && next?.schema?.fullName === 'aten::add.Tensor' && numberOf(next.inputs[2]) === 1) {
        const other = next.inputs[0] === node.output ? next.inputs[1] : next.inputs[0]
        if (vector(other) === size) {
          match.nodes.push(node)
          ;[last, bias] = [next, other]
        }
      }
      if ([last, ...match.nodes].some((part) => part.owner !== node.owner)) continue
      analysis ??= new AliasAnalysis(graph)
      if ([norm.x, ...match.nodes.map((part) => part.output)].some((value) => analysis!.isWritten(value))) continue
      const constant = (value: ConstantValue, type: Type): Value => graph.createConstant(value, type).insertBefore(last).output
      const shape = constant({ kind: 'list', items: [{ kind: 'int', value: BigInt(size!) }], type: listOf(IntType) }, listOf(IntType))
      const eps = constant({ kind: 'float', value: norm.eps }, FloatType)
      const made = norm.centered
        ? graph.create('aten::layer_norm', [
            ...[norm.x, shape, weight, bias ?? constant({ kind: 'none' }, { kind: 'Optional', element: TensorType }), eps],
            constant({ kind: 'bool', value: false }, BoolType),
          ])
        : graph.create('aten::rms_norm', [norm.x, shape, weight, eps])
      made.schema = schemaByFullName(made.kind)
      replaceMatch('recognize-norm', last, made.insertBefore(last), match)
      changed = true
    }
    return changed
  },
})
