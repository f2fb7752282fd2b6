import type { Value } from '../ir/graph.js'
import { rankSources } from './known-ranks.js'
import { intsOf, numberOf } from './pattern.js'

/** How many dimensions a value has at least, and at most as far as that is known. */
export interface Rank {
  readonly least: number
  readonly most: number
}
const anyRank: Rank = { least: 0, most: Infinity }
export const exactly = (n: number): Rank => ({ least: n, most: n })
const shifted = ({ least, most }: Rank, by: number): Rank => ({ least: Math.max(0, least + by), most: most + by })
const largest = (ranks: readonly Rank[]): Rank =>
  ranks.reduce((a, b) => ({ least: Math.max(a.least, b.least), most: Math.max(a.most, b.most) }), { least: 0, most: 0 })

/** What is left of dimensions of which those from `start` to `end` become one. */
function flattened(rank: Rank, start: number | undefined, end: number | undefined): Rank {
  if (start === undefined || end === undefined || start < 0) return anyRank
  // A number has no dimensions, and becomes a vector.
  if (end === -1) return exactly(start + 1)
  return end < start || rank.least <= end ? anyRank : shifted(rank, start - end)
}

/** What the operators that give a value say of it. What is known already is not found out again: both sides of a sum may lead to it. */
export function rankOf(value: Value, depth = 0, known = new Map<Value, Rank>()): Rank {
  if (depth > 40) return anyRank
  let rank = known.get(value)
  if (rank === undefined) known.set(value, (rank = findRank(value, depth, known)))
  return rank
}

function findRank(value: Value, depth: number, known: Map<Value, Rank>): Rank {
  const { node } = value
  const inner = (): Rank => (node.inputs.length === 0 ? anyRank : rankOf(node.inputs[0], depth + 1, known))
  const listed = (): Rank => {
    const sizes = intsOf(node.inputs[1])
    return sizes === undefined ? anyRank : exactly(sizes.length)
  }
  switch (node.kind) {
    case 'aten::permute':
    case 'aten::view':
    case 'aten::reshape':
    case 'aten::expand':
      return listed()
    case 'aten::transpose':
    case 'aten::mT': {
      const rank = inner()
      return { least: Math.max(2, rank.least), most: rank.most }
    }
    case 'aten::flatten':
      return flattened(inner(), numberOf(node.inputs[1]), numberOf(node.inputs[2]))
    case 'aten::bmm':
    case 'aten::baddbmm':
      return exactly(3)
    case 'aten::einsum': {
      const equation = node.inputs[0].node.constant
      const result = equation?.kind === 'string' ? /->([a-zA-Z ]*)$/.exec(equation.value)?.[1].replaceAll(' ', '') : undefined
      return result === undefined ? anyRank : exactly(result.length)
    }
    case 'aten::matmul': {
      const ranks = node.inputs.slice(0, 2).map((part) => rankOf(part, depth + 1, known))
      return ranks.every(({ least }) => least >= 2) ? largest(ranks) : anyRank
    }
    case 'aten::unsqueeze':
      return shifted(inner(), 1)
    case 'aten::select':
    case 'aten::unbind':
      return shifted(inner(), -1)
    case 'aten::amax':
    case 'aten::mean': {
      const [dims, keeps] = [intsOf(node.inputs[1]), node.inputs[2]?.node.constant]
      if (dims === undefined || keeps?.kind !== 'bool') return anyRank
      return keeps.value ? inner() : shifted(inner(), -dims.length)
    }
    case 'prim::ListUnpack':
      return inner()
  }
  // Joins want all to have one rank: what is known of one holds of the others.
  const sources = rankSources(node)
  if (node.kind === 'aten::cat') {
    const ranks = sources.map((source) => rankOf(source, depth + 1, known))
    return { least: Math.max(0, ...ranks.map(({ least }) => least)), most: Math.min(...ranks.map(({ most }) => most)) }
  }
  return sources.length === 0 ? anyRank : largest(sources.map((source) => rankOf(source, depth + 1, known)))
}
