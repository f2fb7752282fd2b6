import { allNodes, type Block, type Graph, type Node, type Value } from '../ir/graph.js'
import type { ConstantValue } from '../ir/types.js'
import { IntType, TensorType } from '../ir/types.js'
import { implementationOf } from '../ops/registry.js'
import { argumentAt, traitsOf } from '../ops/traits.js'
import type { ConstantFacts } from './evaluator.js'
import type { Pass } from './pass.js'

/**
 * Numbers of dimensions that the program has already found out are constants: layers that a script checks one by one are checked once. A check is a
 * branch that raises when a tensor has another number of dimensions; convolutions, norms, pooling and expressions hand the number on.
 *
 *     %n : int = aten::dim(%x)                                  %n : int = aten::dim(%x)
 *     %b : bool = aten::ne(%n, %four)                           %b : bool = aten::ne(%n, %four)
 *      = prim::If(%b)                                            = prim::If(%b)
 *       block0(): prim::RaiseException(...)                       block0(): prim::RaiseException(...)
 *       block1():                                     =>          block1():
 *     %y : Tensor = aten::conv2d(%x, ...)                       %y : Tensor = aten::conv2d(%x, ...)
 *     %m : int = aten::dim(%y)                                  %m : int = prim::Constant[value=4]()
 */
export const knownRanks = (facts: ConstantFacts): Pass => ({
  name: 'known-ranks',
  run: (graph: Graph): boolean => !changesShapes(graph) && new Ranks(facts).block(graph.block),
})

/** Whether some tensor may get another shape in place: by operators that say nothing of it, and as the `out` of another. */
export function changesShapes(graph: Graph): boolean {
  for (const { schema } of allNodes(graph.block)) {
    if (schema === undefined || !schema.arguments.some((a) => a.alias?.isWrite && a.type === TensorType)) continue
    const { definition, variant } = implementationOf(schema)
    if (variant === 'out' || (definition === undefined && !traitsOf(schema).keepsShape)) return true
  }
  return false
}

/** Values that have one number of dimensions, which may be known. */
interface Rank {
  of: number | undefined
  same: Rank | undefined
}
const rootOf = (rank: Rank): Rank => {
  let root = rank
  while (root.same !== undefined) root = root.same
  if (rank !== root) rank.same = root
  return root
}

class Ranks {
  private readonly ranks = new Map<Value, Rank>()

  constructor(private readonly facts: ConstantFacts) {}

  block(block: Block): boolean {
    let changed = false
    for (const node of [...block.nodes]) {
      if (node.kind === 'aten::dim') changed = this.replace(node) || changed
      // What a branch finds out does not hold after it, so inner blocks only look.
      for (const inner of node.blocks) changed = new Inner(this).block(inner) || changed
      this.learn(node)
    }
    return changed
  }

  rankOf(value: Value): Rank {
    let rank = this.ranks.get(value)
    if (rank === undefined) this.ranks.set(value, (rank = this.newRank(value)))
    return rootOf(rank)
  }

  private newRank(value: Value): Rank {
    const { node } = value
    if (node.constant?.kind === 'tensor') return { of: this.facts.facts(node.constant.tensor)?.shape.length, same: undefined }
    const from = rankSources(node)
    const ranks = from.map((source) => this.ranks.get(source)).map((rank) => rank && rootOf(rank))
    const [first] = ranks
    if (first !== undefined && ranks.every((rank) => rank === first || (rank?.of !== undefined && rank.of === first.of)))
      return { of: undefined, same: first }
    return { of: undefined, same: undefined }
  }

  private learn(node: Node): void {
    // In the order of the program: a value's sources are there before it.
    for (const value of node.inputs) if (value.type === TensorType) this.rankOf(value)
    for (const value of node.outputs) if (value.type === TensorType) this.rankOf(value)
    const checked = checkOf(node)
    if (checked !== undefined) this.rankOf(checked.value).of = checked.rank
  }

  replace(node: Node): boolean {
    const rank = this.rankOf(node.inputs[0]).of
    if (rank === undefined || node.output.uses.length === 0) return false
    const constant = node.graph.createConstant({ kind: 'int', value: BigInt(rank) }, IntType).insertBefore(node)
    constant.range = node.range
    node.output.replaceAllUsesWith(constant.output)
    return true
  }
}

/** Blocks inside, which take what is known around. */
class Inner {
  constructor(private readonly around: Ranks) {}
  block(block: Block): boolean {
    let changed = false
    for (const node of [...block.nodes]) {
      if (node.kind === 'aten::dim') changed = this.around.replace(node) || changed
      for (const inner of node.blocks) changed = this.block(inner) || changed
    }
    return changed
  }
}

/** Tensors that together decide how many dimensions the first result of a node has: as many as the one that has most. */
export function rankSources({ schema, inputs }: Node): readonly Value[] {
  if (schema === undefined) return []
  const { definition, functional } = implementationOf(schema)
  const isExpression = definition?.kind === 'pointwise' || (definition?.kind === 'kernel' && definition.fuses === 'pointwise')
  const { rankOf, shapeOf: name = rankOf } = traitsOf(schema)
  const values = isExpression ? inputs : name === undefined ? [] : [inputs[argumentAt(functional, name)]]
  return values.flatMap((value) =>
    value.type === TensorType ? [value] : value.node.kind === 'prim::ListConstruct' ? value.node.inputs : [],
  )
}

const intOf = (constant: ConstantValue | undefined): number | undefined => (constant?.kind === 'int' ? Number(constant.value) : undefined)

/** What holds after a node that raises unless a tensor has so many dimensions. */
function checkOf(node: Node): { readonly value: Value; readonly rank: number } | undefined {
  if (node.kind !== 'prim::If') return undefined
  const raises = node.blocks.map((block) => block.nodes.some((inner) => inner.kind === 'prim::RaiseException'))
  const condition = node.inputs[0].node
  const name = condition.schema?.fullName
  const isDifferent = name === 'aten::ne.int' && raises[0]
  const isSame = name === 'aten::eq.int' && raises[1]
  if (!isDifferent && !isSame) return undefined
  const [a, b] = condition.inputs
  const [dim, rank] = a.node.kind === 'aten::dim' ? [a.node, intOf(b.node.constant)] : [b.node, intOf(a.node.constant)]
  return dim.kind === 'aten::dim' && rank !== undefined ? { value: dim.inputs[0], rank } : undefined
}
