import type { Node, Value } from '../ir/graph.js'

/** A sum over products of two tensors that is a batched matrix product once the dimensions of its operands and of its result are in another order. */
export interface Contraction {
  readonly operands: readonly [Value, Value]
  /** Orders in which the first operand is [batch..., rows, summed], the second [batch..., summed, columns]. */
  readonly left: readonly number[]
  readonly right: readonly number[]
  /** For each dimension of the result its place in [batch..., rows, columns]. */
  readonly result: readonly number[]
  /** The same product with the operands, and rows and columns, the other way round. */
  readonly swapped: Contraction
}

/** The subscripts of each operand and of the result, where an equation has no more than that. */
export function subscriptsOf(node: Node): readonly (readonly string[])[] | undefined {
  const equation = node.inputs[0].node.constant
  const text = equation?.kind === 'string' ? equation.value.replaceAll(' ', '') : ''
  return /^[a-zA-Z]+(?:,[a-zA-Z]+)*->[a-zA-Z]+$/.test(text) ? text.split(/,|->/).map((part) => [...part]) : undefined
}

/**
 * What `aten::einsum` of two tensors computes, where one subscript is summed and each operand has one that the other has not. The batch is in the order of
 * the result's subscripts.
 */
export function contractionOf(node: Node): Contraction | undefined {
  if (node.schema?.fullName !== 'aten::einsum') return undefined
  const list = node.inputs[1].node
  const parts = subscriptsOf(node)
  if (parts?.length !== 3 || list.kind !== 'prim::ListConstruct' || list.inputs.length !== 2) return undefined
  const [first, second, result] = parts
  if ([first, second, result].some((subscripts) => new Set(subscripts).size !== subscripts.length)) return undefined
  const only = (a: readonly string[], b: readonly string[]): readonly string[] => a.filter((s) => !b.includes(s))
  const summed = only(first, result)
  const [rows, columns] = [only(first, second), only(second, first)]
  if (summed.length !== 1 || rows.length !== 1 || columns.length !== 1 || !second.includes(summed[0])) return undefined
  if (only(second, result).length !== 1 || only(result, [...first, ...second]).length > 0 || summed[0] === rows[0]) return undefined
  const batch = result.filter((s) => first.includes(s) && second.includes(s))
  const orderOf = (subscripts: readonly string[], wanted: readonly string[]): readonly number[] => wanted.map((s) => subscripts.indexOf(s))
  const [i] = rows
  const [j] = columns
  const form = (a: readonly string[], b: readonly string[], m: string, n: string): Omit<Contraction, 'operands' | 'swapped'> => ({
    left: orderOf(a, [...batch, m, summed[0]]),
    right: orderOf(b, [...batch, summed[0], n]),
    result: orderOf([...batch, m, n], result),
  })
  const [x, y] = list.inputs
  const straight = { ...form(first, second, i, j), operands: [x, y] as const }
  const turned = { ...form(second, first, j, i), operands: [y, x] as const }
  const made = { ...straight, swapped: undefined as unknown as Contraction }
  made.swapped = { ...turned, swapped: made }
  return made
}
