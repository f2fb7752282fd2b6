// The operator that this pass makes.
import '../ops/attention.js'
import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import type { ConstantValue, Type } from '../ir/types.js'
import { BoolType, FloatType, IntType, StringType, TensorType } from '../ir/types.js'
import { AliasAnalysis } from './alias-analysis.js'
import { floatDType } from './dtype-inference.js'
import type { ConstantFacts } from './evaluator.js'
import type { ConstantReader, Pass } from './pass.js'
import { Match, nameOf, numberOf, replaceMatch } from './pattern.js'
import { exactly, type Rank, rankOf } from './ranks.js'

const products = new Set(['aten::matmul', 'aten::bmm'])
const float32 = 6

/** What a mask does to scores; see lib/ops/attention.ts. */
interface Mask {
  readonly value: Value
  readonly kind: 'add' | 'fill' | 'keep'
  readonly fill: number
}

interface Scores {
  readonly query: Value
  readonly keys: Value
  /** The product of both. */
  readonly node: Node
  readonly scale: number
  /** The one that is applied first comes last. */
  readonly masks: readonly Mask[]
}

interface Attention {
  readonly query: Value
  /** [..., dim, keys] */
  readonly keys: Value
  readonly value: Value
  readonly masks: readonly Mask[]
  readonly scale: number
  readonly match: Match
}

/** Whether a dimension is the last one. */
function isLast(dim: Value, { least, most }: Rank): boolean {
  const n = numberOf(dim)
  if (n === -1) return true
  return least === most && n === most - 1
}

class Matcher {
  readonly match = new Match()
  constructor(
    private readonly reader: ConstantReader,
    private readonly facts: ConstantFacts,
  ) {}

  attention(node: Node): Attention | undefined {
    if (!products.has(node.schema?.fullName ?? '')) return undefined
    const softmax = this.weights(node.inputs[0])
    if (softmax === undefined || !['aten::softmax.int', 'aten::_softmax'].includes(softmax.schema?.fullName ?? '')) return undefined
    const dtype = softmax.inputs[2]?.node.constant
    if (softmax.kind === 'aten::softmax' ? dtype?.kind !== 'none' && numberOf(softmax.inputs[2]) !== float32 : dtype?.kind !== 'bool')
      return undefined
    if (dtype?.kind === 'bool' && dtype.value) return undefined
    const scores = this.scores(softmax.inputs[0])
    if (
      scores === undefined ||
      !canCombine(scores.masks) ||
      !isLast(softmax.inputs[1], node.kind === 'aten::bmm' ? exactly(3) : rankOf(softmax.inputs[0]))
    )
      return undefined
    const scaled = { scale: scores.scale }
    const found = {
      query: this.scaled(scores.query, scaled),
      keys: this.scaled(scores.keys, scaled),
      value: node.inputs[1],
      masks: scores.masks,
      match: this.match,
    }
    // Batched products take three dimensions only.
    const factors = [
      ...(scores.node.kind === 'aten::matmul' ? [found.query, found.keys] : []),
      ...(node.kind === 'aten::matmul' ? [found.value] : []),
    ]
    if (factors.some((part) => rankOf(part).least < 2)) return undefined
    // All three have one dtype, or the program raises.
    if (![found.query, found.keys, found.value].some((part) => floatDType(part, this.facts) === 'float32')) return undefined
    return { ...found, scale: scaled.scale }
  }

  /** The softmax behind what leaves its numbers as they are. */
  private weights(value: Value): Node | undefined {
    const node = this.match.take(value)
    if (node === undefined) return undefined
    const name = node.schema?.fullName
    const train = node.inputs[2]?.node.constant
    if (name === 'aten::dropout' && train?.kind === 'bool' && !train.value) return this.weights(node.inputs[0])
    if (name === 'aten::to.dtype' && numberOf(node.inputs[1]) === float32) return this.weights(node.inputs[0])
    return node
  }

  /** The product behind what masks and scales it; `masks` are those applied after it, the first one last. */
  private scores(value: Value, masks: readonly Mask[] = []): Scores | undefined {
    const before = this.match.nodes.length
    const plain = this.product(value)
    if (plain !== undefined) return { ...plain, masks: [...masks, ...plain.masks] }
    this.match.rewind(before)
    // More than a program has.
    if (masks.length > 3) return undefined
    for (const [scores, mask] of this.maskings(value)) {
      this.match.rewind(before)
      const found = this.match.take(value) && this.scores(scores, [...masks, mask])
      if (found !== undefined) return found
    }
    return undefined
  }

  /** How a value may be masked scores. */
  private maskings(value: Value): readonly (readonly [Value, Mask])[] {
    const [a, b, c] = value.node.inputs
    switch (nameOf(value)) {
      case 'aten::add.Tensor':
      case 'aten::add_.Tensor': {
        if (numberOf(c) !== 1) return []
        const sides =
          nameOf(value) === 'aten::add.Tensor'
            ? [
                [a, b],
                [b, a],
              ]
            : [[a, b]]
        return sides
          .filter(([, mask]) => floatDType(mask, this.facts) === 'float32')
          .map(([scores, mask]) => [scores, { value: mask, kind: 'add', fill: 0 }] as const)
      }
      case 'aten::masked_fill.Scalar':
      case 'aten::masked_fill_.Scalar':
      case 'aten::masked_fill.Tensor': {
        const fill = this.scalar(c)
        return fill === undefined ? [] : [[a, { value: b, kind: 'fill', fill }]]
      }
      case 'aten::where.self':
      case 'aten::where.ScalarOther':
      case 'aten::where.ScalarSelf': {
        const [other, self] = [this.scalar(c), this.scalar(b)]
        if (other !== undefined) return [[b, { value: a, kind: 'keep', fill: other }]]
        return self === undefined ? [] : [[c, { value: a, kind: 'fill', fill: self }]]
      }
      default:
        return []
    }
  }

  private scalar(value: Value): number | undefined {
    const { constant } = value.node
    if (constant?.kind !== 'tensor') return numberOf(value)
    // Of another dtype it could take part in promotion.
    const scalar = this.facts.facts(constant.tensor)?.dtype === 'float32' ? this.reader.scalar(constant.tensor) : undefined
    return scalar?.kind === 'float' ? Number(scalar.value) : undefined
  }

  private product(value: Value): Scores | undefined {
    const scaled = { scale: 1 }
    const inner = this.scaled(value, scaled)
    const node = this.match.take(inner)
    const name = node?.schema?.fullName ?? ''
    if (node !== undefined && products.has(name))
      return { query: node.inputs[0], keys: node.inputs[1], node, scale: scaled.scale, masks: [] }
    return name === 'aten::baddbmm' ? this.sum(node!, scaled.scale) : undefined
  }

  /** beta * input + alpha * query keys, without the input where beta is 0. */
  private sum(node: Node, scale: number): Scores | undefined {
    const [input, query, keys] = node.inputs
    const [beta, alpha] = [numberOf(node.inputs[3]), numberOf(node.inputs[4])]
    if (alpha === undefined || (beta !== 0 && (beta !== 1 || scale !== 1 || floatDType(input, this.facts) !== 'float32'))) return undefined
    return { query, keys, node, scale: scale * alpha, masks: beta === 0 ? [] : [{ value: input, kind: 'add', fill: 0 }] }
  }

  /** What a value is a number of times of, as long as nothing else reads it. */
  private scaled(value: Value, to: { scale: number }): Value {
    const name = nameOf(value)
    const factor = numberOf(value.node.inputs[1])
    const isProduct = name === 'aten::mul.Scalar' || name === 'aten::mul_.Scalar'
    if ((!isProduct && name !== 'aten::div.Scalar' && name !== 'aten::div_.Scalar') || factor === undefined) return value
    if (value.uses.length !== 1) return value
    this.match.take(value)
    to.scale *= isProduct ? factor : 1 / factor
    return this.scaled(value.node.inputs[0], to)
  }
}

/** Whether the order of the result's elements in memory shows in nothing but speed. */
function hidesOrder(value: Value): boolean {
  const copies = new Set(['aten::contiguous', 'aten::reshape', 'aten::flatten', 'aten::clone'])
  return value.uses.every(
    ({ user }) =>
      (user.kind === 'aten::transpose' || user.kind === 'aten::permute') && user.output.uses.every((use) => copies.has(use.user.kind)),
  )
}

/**
 * Attention written out on float32, with or without a mask, becomes one operator, which never holds all scores. Only where the dtype is known, as in
 * frozen graphs.
 *
 *     %s : Tensor = aten::matmul(%q, %kt)
 *     %t : Tensor = aten::div(%s, %root)             %k : Tensor = aten::transpose(%kt, %-2, %-1)
 *     %m : Tensor = aten::add(%t, %mask, %one)   =>  %y : Tensor = torchscript::attention(%q, %k, %v, %mask, %add, %0, %scale, %order)
 *     %p : Tensor = aten::softmax(%m, %-1, %none)
 *     %y : Tensor = aten::matmul(%p, %v)
 */
export const recognizeAttention = (reader: ConstantReader, facts: ConstantFacts): Pass => ({
  name: 'recognize-attention',
  run(graph: Graph): boolean {
    let analysis: AliasAnalysis | undefined
    let changed = false
    for (const node of allNodes(graph.block)) {
      if (node.owner === undefined || (node.kind !== 'aten::matmul' && node.kind !== 'aten::bmm')) continue
      const found = new Matcher(reader, facts).attention(node)
      if (found === undefined || found.match.nodes.some((part) => part.owner !== node.owner)) continue
      analysis ??= new AliasAnalysis(graph)
      const read = [found.query, found.keys, found.value, ...found.masks.map((mask) => mask.value)]
      // Steps in place write what only the match reads.
      if (read.some((value) => analysis!.isWritten(value))) continue
      replaceMatch('recognize-attention', node, attentionNode(graph, node, found).insertBefore(node), found.match)
      changed = true
    }
    return changed
  },
})

/** Scores of which a number this far from them is the sum with them: a mask that sets scores to it and one that adds it do the same. */
const far = 1e20
const canCombine = (masks: readonly Mask[]): boolean =>
  masks.length < 2 || masks.every(({ kind, fill }) => kind === 'add' || Math.abs(fill) >= far)

/** One mask that adds what several do to scores. */
function combined(graph: Graph, at: Node, masks: readonly Mask[]): Mask {
  const number = (value: number): Value => graph.createConstant({ kind: 'float', value }, FloatType).insertBefore(at).output
  const operator = (name: string, inputs: readonly Value[]): Value => {
    const node = graph.create(name.split('.')[0], inputs).insertBefore(at)
    node.schema = schemaByFullName(name)
    return node.output
  }
  let sum: Value | undefined
  for (const { value, kind, fill } of [...masks].reverse()) {
    if (kind === 'add') {
      const one = graph.createConstant({ kind: 'int', value: 1n }, IntType).insertBefore(at).output
      sum = sum === undefined ? value : operator('aten::add.Tensor', [sum, value, one])
    } else {
      const [set, rest] = [number(fill), sum ?? number(0)]
      const scalar = sum === undefined
      if (kind === 'fill') sum = operator(scalar ? 'aten::where.Scalar' : 'aten::where.ScalarSelf', [value, set, rest])
      else sum = operator(scalar ? 'aten::where.Scalar' : 'aten::where.ScalarOther', [value, rest, set])
    }
  }
  return { value: sum!, kind: 'add', fill: 0 }
}

function attentionNode(graph: Graph, at: Node, { query, keys, value, masks, scale }: Attention): Node {
  const constant = (made: ConstantValue, type: Type): Value => graph.createConstant(made, type).insertBefore(at).output
  const int = (n: number): Value => constant({ kind: 'int', value: BigInt(n) }, IntType)
  const mask = masks.length > 1 ? combined(graph, at, masks) : masks[0]
  let key = keys.node.inputs[0]
  const dims = [numberOf(keys.node.inputs[1]), numberOf(keys.node.inputs[2])]
  if (
    nameOf(keys) !== 'aten::transpose.int' ||
    Math.min(dims[0] ?? 0, dims[1] ?? 0) !== -2 ||
    Math.max(dims[0] ?? 0, dims[1] ?? 0) !== -1
  ) {
    const transpose = graph.create('aten::transpose', [keys, int(-2), int(-1)]).insertBefore(at)
    transpose.schema = schemaByFullName('aten::transpose.int')
    key = transpose.output
  }
  const node = graph.create('torchscript::attention', [
    query,
    key,
    value,
    mask?.value ?? constant({ kind: 'none' }, { kind: 'Optional', element: TensorType }),
    constant({ kind: 'string', value: mask?.kind ?? 'add' }, StringType),
    constant({ kind: 'float', value: mask?.fill ?? 0 }, FloatType),
    constant({ kind: 'float', value: scale }, FloatType),
    constant({ kind: 'bool', value: hidesOrder(at.output) }, BoolType),
  ])
  node.schema = schemaByFullName('torchscript::attention')
  return node
}
