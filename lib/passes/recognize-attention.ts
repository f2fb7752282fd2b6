// The operators that this pass makes.
import '../ops/attention.js'
import '../ops/attention-in-views.js'
import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import type { ConstantValue, Type } from '../ir/types.js'
import { BoolType, FloatType, IntType, listOf, StringType, TensorType } from '../ir/types.js'
import { AliasAnalysis } from './alias-analysis.js'
import { type Attention, AttentionMatcher, type Mask, type Operand } from './attention-matcher.js'
import type { ConstantFacts } from './evaluator.js'
import type { ConstantReader, Pass } from './pass.js'
import { nameOf, numberOf, replaceMatch } from './pattern.js'

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
 *
 * Products may be sums over subscripts, and the scores may be seen through views: in parts of windows where a mask is added, say.
 */
export const recognizeAttention = (reader: ConstantReader, facts: ConstantFacts): Pass => ({
  name: 'recognize-attention',
  run(graph: Graph): boolean {
    let analysis: AliasAnalysis | undefined
    let changed = false
    for (const node of allNodes(graph.block)) {
      if (node.owner === undefined) continue
      const found = new AttentionMatcher(reader, facts).attention(node)
      if (found === undefined || found.match.nodes.some((part) => part.owner !== node.owner)) continue
      analysis ??= new AliasAnalysis(graph)
      const read = [found.query, found.keys, found.value, ...found.masks].map((part) => part.value)
      // Steps in place write what only the match reads.
      if (read.some((value) => analysis!.isWritten(value))) continue
      replaceMatch('recognize-attention', node, new Rewriter(graph, node).attention(found), found.match)
      changed = true
    }
    return changed
  },
})

/** Puts one operator in the place of an attention. */
class Rewriter {
  constructor(
    private readonly graph: Graph,
    private readonly at: Node,
  ) {}

  attention(found: Attention): Node {
    const query = this.ordered(found.query)
    const key = this.transposed(this.ordered(found.keys))
    const value = this.ordered(found.value)
    const node = found.views.length > 0 || found.repeats ? this.inViews(found, query, key, value) : this.plain(found, query, key, value)
    if (found.order === undefined || found.order.every((to, i) => to === i)) return node
    return this.operator('aten::permute', [node.output, this.ints(found.order)]).node
  }

  private plain({ masks, scale }: Attention, query: Value, key: Value, value: Value): Node {
    const mask = masks.length > 1 || masks.some(({ factor }) => factor !== 1) ? this.combined(masks) : masks[0]
    return this.operator('torchscript::attention', [
      query,
      key,
      value,
      mask?.value ?? this.constant({ kind: 'none' }, { kind: 'Optional', element: TensorType }),
      this.constant({ kind: 'string', value: mask?.kind ?? 'add' }, StringType),
      this.float(mask?.fill ?? 0),
      this.float(scale),
      this.constant({ kind: 'bool', value: hidesOrder(this.at.output) }, BoolType),
    ]).node
  }

  private inViews({ masks, views, softmaxAt, scale, repeats, order }: Attention, query: Value, key: Value, value: Value): Node {
    const places = [...new Set(masks.map(({ place }) => place))]
    const sums = places.map((place) => this.combined(masks.filter((mask) => mask.place === place)).value)
    const sizes = views.map((view) => view ?? this.constant({ kind: 'list', items: [], type: listOf(IntType) }, listOf(IntType)))
    return this.operator('torchscript::attention_in_views', [
      query,
      key,
      value,
      this.list(TensorType, sums),
      this.list(
        IntType,
        places.map((place) => this.int(place)),
      ),
      this.list(listOf(IntType), sizes),
      this.int(softmaxAt),
      this.float(scale),
      this.constant({ kind: 'bool', value: order !== undefined || hidesOrder(this.at.output) }, BoolType),
      this.constant({ kind: 'bool', value: repeats }, BoolType),
    ]).node
  }

  /** One mask that adds what several do to scores. */
  private combined(masks: readonly Mask[]): Mask {
    let sum: Value | undefined
    for (const { value, kind, fill, factor } of masks) {
      if (kind === 'add') {
        const mask = factor === 1 ? value : this.operator('aten::mul.Scalar', [value, this.float(factor)])
        sum = sum === undefined ? mask : this.operator('aten::add.Tensor', [sum, mask, this.int(1)])
      } else {
        const [set, rest] = [this.float(fill), sum ?? this.float(0)]
        const scalar = sum === undefined
        if (kind === 'fill') sum = this.operator(scalar ? 'aten::where.Scalar' : 'aten::where.ScalarSelf', [value, set, rest])
        else sum = this.operator(scalar ? 'aten::where.Scalar' : 'aten::where.ScalarOther', [value, rest, set])
      }
    }
    return { value: sum!, kind: 'add', fill: 0, factor: 1, place: masks[0].place }
  }

  private ordered({ value, order }: Operand): Value {
    if (order === undefined || order.every((from, i) => from === i)) return value
    return this.operator('aten::permute', [value, this.ints(order)])
  }

  private transposed(keys: Value): Value {
    const dims = [numberOf(keys.node.inputs[1]), numberOf(keys.node.inputs[2])].map((dim) => dim ?? 0)
    if (nameOf(keys) === 'aten::transpose.int' && Math.min(...dims) === -2 && Math.max(...dims) === -1) return keys.node.inputs[0]
    return this.operator('aten::transpose.int', [keys, this.int(-2), this.int(-1)])
  }

  private operator(name: string, inputs: readonly Value[]): Value {
    const node = this.graph.create(name.split('.')[0], inputs).insertBefore(this.at)
    node.schema = schemaByFullName(name)
    return node.output
  }
  private list(element: Type, items: readonly Value[]): Value {
    const node = this.graph.create('prim::ListConstruct', items).insertBefore(this.at)
    return node.output.setType(listOf(element))
  }
  private constant(value: ConstantValue, type: Type): Value {
    return this.graph.createConstant(value, type).insertBefore(this.at).output
  }
  private int(value: number): Value {
    return this.constant({ kind: 'int', value: BigInt(value) }, IntType)
  }
  private float(value: number): Value {
    return this.constant({ kind: 'float', value }, FloatType)
  }
  private ints(values: readonly number[]): Value {
    const items = values.map((value) => ({ kind: 'int', value: BigInt(value) }) as const)
    return this.constant({ kind: 'list', items, type: listOf(IntType) }, listOf(IntType))
  }
}
