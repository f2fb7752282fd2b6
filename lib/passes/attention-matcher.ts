import type { Node, Value } from '../ir/graph.js'
import { floatDType } from './dtype-inference.js'
import { type Contraction, contractionOf } from './einsum-form.js'
import type { ConstantFacts } from './evaluator.js'
import type { ConstantReader } from './pass.js'
import { Match, nameOf, numberOf } from './pattern.js'
import { exactly, type Rank, rankOf } from './ranks.js'

const products = new Set(['aten::matmul', 'aten::bmm', 'aten::einsum'])
const float32 = 6

/** What a mask does to scores; see lib/ops/attention.ts. */
export interface Mask {
  readonly value: Value
  readonly kind: 'add' | 'fill' | 'keep'
  readonly fill: number
  /** A mask that is added is multiplied by this. */
  readonly factor: number
  /** How many views the scores are seen through where it is applied. */
  readonly place: number
}

/** Sizes of a view, or undefined for those of the product. */
export type View = Value | undefined

/** A tensor with its dimensions in another order. */
export interface Operand {
  readonly value: Value
  readonly order?: readonly number[]
}

interface Scores {
  readonly query: Operand
  /** [..., dim, keys] */
  readonly keys: Operand
  /** The product of both. */
  readonly node: Node
  readonly scale: number
  /** In the order in which they are applied. */
  readonly masks: readonly Mask[]
  readonly views: readonly View[]
}

export interface Attention {
  readonly query: Operand
  readonly keys: Operand
  readonly value: Operand
  readonly masks: readonly Mask[]
  /** What the scores are seen through from the first product to the softmax, and from there to the second. */
  readonly views: readonly View[]
  readonly softmaxAt: number
  readonly scale: number
  /** Order of the result's dimensions. */
  readonly order?: readonly number[]
  /** Whether a product is one that repeats what has size 1. */
  readonly repeats: boolean
  readonly match: Match
}

/** Whether a dimension is the last one. */
function isLast(dim: Value, { least, most }: Rank): boolean {
  const n = numberOf(dim)
  if (n === -1) return true
  return least === most && n === most - 1
}

/** Scores of which a number this far from them is the sum with them: a mask that sets scores to it and one that adds it do the same. */
const far = 1e20
const canCombine = (masks: readonly Mask[], views: number): boolean =>
  (masks.length < 2 && views === 0) || masks.every(({ kind, fill }) => kind === 'add' || Math.abs(fill) >= far)

/** More than a program has. */
const maxMasks = 5

/** Finds the parts of one attention. */
export class AttentionMatcher {
  readonly match = new Match()
  constructor(
    private readonly reader: ConstantReader,
    private readonly facts: ConstantFacts,
  ) {}

  /** The attention whose second product is a node. */
  attention(node: Node): Attention | undefined {
    if (!products.has(node.kind) || node.outputs.length !== 1) return undefined
    const contraction = contractionOf(node)
    if (node.kind === 'aten::einsum' && contraction === undefined) return undefined
    for (const product of contraction === undefined ? [undefined] : [contraction, contraction.swapped]) {
      // The rows of scores as they are: batch, queries, keys.
      if (product !== undefined && !product.left.every((at, i) => at === i)) continue
      this.match.rewind(0)
      const found = this.behind(node, product)
      if (found !== undefined) return found
    }
    return undefined
  }

  private behind(node: Node, product: Contraction | undefined): Attention | undefined {
    const [weights, value] = product?.operands ?? node.inputs
    if (product !== undefined && this.match.take(node.inputs[1]) === undefined) return undefined
    const after: View[] = []
    const softmax = this.weights(weights, after)
    if (softmax === undefined || !['aten::softmax.int', 'aten::_softmax'].includes(softmax.schema?.fullName ?? '')) return undefined
    const dtype = softmax.inputs[2]?.node.constant
    if (softmax.kind === 'aten::softmax' ? dtype?.kind !== 'none' && numberOf(softmax.inputs[2]) !== float32 : dtype?.kind !== 'bool')
      return undefined
    if (dtype?.kind === 'bool' && dtype.value) return undefined
    // Seen through no view, they have as many dimensions as the product takes.
    const taken = product?.left.length ?? (node.kind === 'aten::bmm' ? 3 : undefined)
    const rank = taken !== undefined && after.length === 0 ? exactly(taken) : rankOf(softmax.inputs[0])
    if (!isLast(softmax.inputs[1], rank)) return undefined
    const scores = this.scores(softmax.inputs[0], 1, 0)
    if (scores === undefined || !canCombine(scores.masks, scores.views.length + after.length)) return undefined
    const scaled = { scale: scores.scale }
    const found = {
      query: { ...scores.query, value: this.scaled(scores.query.value, scaled) },
      keys: { ...scores.keys, value: this.scaled(scores.keys.value, scaled) },
      value: product === undefined ? { value } : { value, order: product.right },
      masks: scores.masks,
      views: [...scores.views, ...after],
      softmaxAt: scores.views.length,
      match: this.match,
      repeats: product !== undefined || scores.node.kind === 'aten::einsum',
      order: product?.result,
    }
    // Batched products take three dimensions only, and sums by subscripts as many as they say.
    const factors = [
      ...(scores.node.kind === 'aten::matmul' ? [found.query, found.keys] : []),
      ...(node.kind === 'aten::matmul' ? [found.value] : []),
    ]
    if (factors.some((part) => rankOf(part.value).least < 2)) return undefined
    // All three have one dtype, or the program raises.
    if (![found.query, found.keys, found.value].some((part) => floatDType(part.value, this.facts) === 'float32')) return undefined
    return { ...found, scale: scaled.scale }
  }

  /** The softmax behind what leaves its numbers as they are; `views` are those between, in the order of the program. */
  private weights(value: Value, views: View[]): Node | undefined {
    const node = this.match.take(value)
    if (node === undefined) return undefined
    const name = node.schema?.fullName
    const train = node.inputs[2]?.node.constant
    if (name === 'aten::dropout' && train?.kind === 'bool' && !train.value) return this.weights(node.inputs[0], views)
    if (name === 'aten::to.dtype' && numberOf(node.inputs[1]) === float32) return this.weights(node.inputs[0], views)
    const sizes = sizesOf(node)
    if (sizes === undefined) return node
    views.unshift(sizes)
    return this.weights(node.inputs[0], views)
  }

  /** The product behind what masks, scales and views it; it is scaled by `factor` after that. */
  private scores(value: Value, factor: number, depth: number): Scores | undefined {
    if (depth > 40) return undefined
    const { node } = value
    const before = this.match.nodes.length
    const plain = this.product(value, factor)
    if (plain !== undefined) return plain
    this.match.rewind(before)
    const [inner, more] = [node.inputs[0], numberOf(node.inputs[1])]
    const name = nameOf(value)
    const through = (by: number, view: (found: Scores) => readonly View[] = () => []): Scores | undefined => {
      const found = this.match.take(value) && this.scores(inner, factor * by, depth + 1)
      return found && { ...found, views: [...found.views, ...view(found)] }
    }
    // The same number added to all scores changes no softmax; none is sure to be small beside them.
    if (name === 'aten::add.Scalar' && more === 0) return through(1)
    if (/^aten::(?:mul|div)_?\.Scalar$/.test(name) && more !== undefined) return through(name.startsWith('aten::mul') ? more : 1 / more)
    if (name === 'aten::contiguous' || (name === 'aten::to.dtype' && more === float32)) return through(1)
    const sizes = sizesOf(node)
    if (sizes !== undefined) return through(1, () => [sizes])
    if (name === 'aten::expand_as') {
      this.like.add(node.inputs[1])
      const found = through(1, () => [undefined])
      this.like.delete(node.inputs[1])
      return found?.node.output === node.inputs[1] ? found : undefined
    }
    for (const [scores, mask] of this.maskings(value)) {
      this.match.rewind(before)
      const found = this.match.take(value) && this.scores(scores, factor, depth + 1)
      if (found === undefined || found.masks.length === maxMasks) continue
      const [by, fill] = [mask.factor * factor, mask.kind === 'add' ? 0 : mask.fill * factor]
      return { ...found, masks: [...found.masks, { ...mask, factor: by, fill, place: found.views.length }] }
    }
    return undefined
  }

  /** How a value may be masked scores. */
  private maskings(value: Value): readonly (readonly [Value, Omit<Mask, 'place'>])[] {
    const [a, b, c] = value.node.inputs
    const name = nameOf(value)
    switch (name) {
      case 'aten::add.Tensor':
      case 'aten::add_.Tensor':
      case 'aten::sub.Tensor':
      case 'aten::sub_.Tensor': {
        const alpha = numberOf(c)
        if (alpha === undefined) return []
        const factor = name.startsWith('aten::sub') ? -alpha : alpha
        const sides = [[a, b], ...(name === 'aten::add.Tensor' && alpha === 1 ? [[b, a]] : [])]
        return sides
          .filter(([, mask]) => floatDType(mask, this.facts) === 'float32')
          .map(([scores, mask]) => [scores, { value: mask, kind: 'add', fill: 0, factor }] as const)
      }
      case 'aten::masked_fill.Scalar':
      case 'aten::masked_fill_.Scalar':
      case 'aten::masked_fill.Tensor': {
        const fill = this.scalar(c)
        return fill === undefined ? [] : [[a, { value: b, kind: 'fill', fill, factor: 1 }]]
      }
      case 'aten::where.self':
      case 'aten::where.ScalarOther':
      case 'aten::where.ScalarSelf': {
        const [other, self] = [this.scalar(c), this.scalar(b)]
        if (other !== undefined) return [[b, { value: a, kind: 'keep', fill: other, factor: 1 }]]
        return self === undefined ? [] : [[c, { value: a, kind: 'fill', fill: self, factor: 1 }]]
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

  /** Products whose shape something of the match reads. */
  private readonly like = new Set<Value>()

  private product(value: Value, factor: number): Scores | undefined {
    const { node } = value
    if (!products.has(node.kind) && node.kind !== 'aten::baddbmm') return undefined
    if (this.like.has(value) && value.uses.length === 2) this.match.nodes.push(node)
    else if (this.match.take(value) === undefined) return undefined
    if (node.kind === 'aten::baddbmm') return this.sum(node, factor)
    const rest = { node, scale: factor, masks: [], views: [] }
    if (node.kind !== 'aten::einsum') return { query: { value: node.inputs[0] }, keys: { value: node.inputs[1] }, ...rest }
    const product = contractionOf(node)
    // The first operand is the one whose rows the result has.
    if (product === undefined || !product.result.every((at, i) => at === i) || this.match.take(node.inputs[1]) === undefined)
      return undefined
    const [query, keys] = product.operands
    return { query: { value: query, order: product.left }, keys: { value: keys, order: product.right }, ...rest }
  }

  /** beta * input + alpha * query keys, without the input where beta is 0. */
  private sum(node: Node, scale: number): Scores | undefined {
    const [input, query, keys] = node.inputs
    const [beta, alpha] = [numberOf(node.inputs[3]), numberOf(node.inputs[4])]
    if (alpha === undefined || beta === undefined || (beta !== 0 && floatDType(input, this.facts) !== 'float32')) return undefined
    const mask: Mask = { value: input, kind: 'add', fill: 0, factor: beta * scale, place: 0 }
    return { query: { value: query }, keys: { value: keys }, node, scale: scale * alpha, masks: beta === 0 ? [] : [mask], views: [] }
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

/** The sizes that a node sees its argument by. */
const sizesOf = (node: Node): Value | undefined =>
  node.schema?.fullName === 'aten::view' || node.schema?.fullName === 'aten::reshape' ? node.inputs[1] : undefined
