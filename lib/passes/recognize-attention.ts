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
import { intsOf, Match, nameOf, numberOf, replaceMatch } from './pattern.js'

const products = new Set(['aten::matmul', 'aten::bmm'])
const float32 = 6

/** What a mask does to scores; see lib/ops/attention.ts. */
interface Mask {
  readonly value: Value | undefined
  readonly kind: 'add' | 'fill' | 'keep'
  readonly fill: number
}
const noMask: Mask = { value: undefined, kind: 'add', fill: 0 }

interface Attention {
  readonly query: Value
  /** [..., dim, keys] */
  readonly keys: Value
  readonly value: Value
  readonly mask: Mask
  readonly scale: number
  readonly match: Match
}

/** Operators whose result has as many dimensions as their first argument, or one less. */
const keepsRank = new Set(
  'contiguous clone slice narrow linear layer_norm mul div add sub dropout to softmax split chunk split_with_sizes tensor_split cat expand'
    .split(' ')
    .map((name) => `aten::${name}`),
)
/** A number of dimensions that a value surely has, or more. */
function leastRank(value: Value, depth = 0): number {
  const { node } = value
  if (depth > 40) return 0
  const inner = (): number => (node.inputs.length === 0 ? 0 : leastRank(node.inputs[0], depth + 1))
  switch (node.kind) {
    case 'aten::permute':
    case 'aten::view':
    case 'aten::reshape':
      return intsOf(node.inputs[1])?.length ?? 0
    case 'aten::expand':
      return Math.max(intsOf(node.inputs[1])?.length ?? 0, inner())
    case 'aten::transpose':
    case 'aten::matrix_H':
    case 'aten::mT':
      return Math.max(2, inner())
    case 'aten::bmm':
    case 'aten::baddbmm':
      return 3
    case 'aten::unsqueeze':
      return inner() + 1
    case 'aten::select':
    case 'aten::unbind':
      return inner() - 1
    case 'prim::ListUnpack':
    case 'prim::ListConstruct':
      return inner()
    default:
      return keepsRank.has(node.kind) ? inner() : 0
  }
}

/** Whether a dimension is the last one of a value. */
function isLast(dim: Value, of: Value): boolean {
  const n = numberOf(dim)
  if (n === -1) return true
  // Products of exactly three dimensions.
  return n === 2 && of.node.kind === 'aten::bmm'
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
    if (scores === undefined || !isLast(softmax.inputs[1], scores.product.output)) return undefined
    const [query, keys] = scores.product.inputs
    const scaled = { scale: scores.scale }
    const found = {
      query: this.scaled(query, scaled),
      keys: this.scaled(keys, scaled),
      value: node.inputs[1],
      mask: scores.mask,
      match: this.match,
    }
    if ([found.query, found.keys, found.value].some((part) => leastRank(part) < 2)) return undefined
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

  private scores(value: Value): { product: Node; scale: number; mask: Mask } | undefined {
    const before = this.match.nodes.length
    const plain = this.product(value)
    if (plain !== undefined) return { ...plain, mask: noMask }
    this.match.rewind(before)
    const { node } = value
    const [a, b, c] = node.inputs
    const masked = (scores: Value, mask: Mask): { product: Node; scale: number; mask: Mask } | undefined => {
      this.match.rewind(before)
      const product = this.match.take(value) && this.product(scores)
      return product && { ...product, mask }
    }
    switch (nameOf(value)) {
      case 'aten::add.Tensor':
      case 'aten::add_.Tensor': {
        if (numberOf(c) !== 1) return undefined
        for (const [scores, mask] of nameOf(value) === 'aten::add.Tensor'
          ? [
              [a, b],
              [b, a],
            ]
          : [[a, b]]) {
          if (floatDType(mask, this.facts) !== 'float32') continue
          const found = masked(scores, { value: mask, kind: 'add', fill: 0 })
          if (found !== undefined) return found
        }
        return undefined
      }
      case 'aten::masked_fill.Scalar':
      case 'aten::masked_fill_.Scalar':
      case 'aten::masked_fill.Tensor': {
        const fill = this.scalar(c)
        return fill === undefined ? undefined : masked(a, { value: b, kind: 'fill', fill })
      }
      case 'aten::where.self':
      case 'aten::where.ScalarOther':
      case 'aten::where.ScalarSelf': {
        const [other, self] = [this.scalar(c), this.scalar(b)]
        if (other !== undefined) return masked(b, { value: a, kind: 'keep', fill: other })
        return self === undefined ? undefined : masked(c, { value: a, kind: 'fill', fill: self })
      }
      default:
        return undefined
    }
  }

  private scalar(value: Value): number | undefined {
    const { constant } = value.node
    if (constant?.kind !== 'tensor') return numberOf(value)
    // Of another dtype it could take part in promotion.
    const scalar = this.facts.facts(constant.tensor)?.dtype === 'float32' ? this.reader.scalar(constant.tensor) : undefined
    return scalar?.kind === 'float' ? Number(scalar.value) : undefined
  }

  private product(value: Value): { product: Node; scale: number } | undefined {
    const scaled = { scale: 1 }
    const inner = this.scaled(value, scaled)
    const node = this.match.take(inner)
    return node !== undefined && products.has(node.schema?.fullName ?? '') ? { product: node, scale: scaled.scale } : undefined
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
      const read = [found.query, found.keys, found.value, ...(found.mask.value === undefined ? [] : [found.mask.value])]
      // Steps in place write what only the match reads.
      if (read.some((value) => analysis!.isWritten(value))) continue
      replaceMatch(node, attentionNode(graph, node, found).insertBefore(node), found.match)
      changed = true
    }
    return changed
  },
})

function attentionNode(graph: Graph, at: Node, { query, keys, value, mask, scale }: Attention): Node {
  const constant = (made: ConstantValue, type: Type): Value => graph.createConstant(made, type).insertBefore(at).output
  const int = (n: number): Value => constant({ kind: 'int', value: BigInt(n) }, IntType)
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
    mask.value ?? constant({ kind: 'none' }, { kind: 'Optional', element: TensorType }),
    constant({ kind: 'string', value: mask.kind }, StringType),
    constant({ kind: 'float', value: mask.fill }, FloatType),
    constant({ kind: 'float', value: scale }, FloatType),
    constant({ kind: 'bool', value: hidesOrder(at.output) }, BoolType),
  ])
  node.schema = schemaByFullName('torchscript::attention')
  return node
}
