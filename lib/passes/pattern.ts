import type { Node, Value } from '../ir/graph.js'

import { notePass } from './notes.js'

/* What the passes that recognise an operator in its written-out form have in common. */

/** The number that a value is, when it is a constant. */
export const numberOf = (value: Value | undefined): number | undefined => {
  const constant = value?.node.constant
  return constant?.kind === 'int' || constant?.kind === 'float' ? Number(constant.value) : undefined
}
/** Programs write constants with 4 to 17 digits. */
export const isAbout = (value: number | undefined, wanted: number): boolean =>
  value !== undefined && Math.abs(value - wanted) <= 1e-7 * Math.abs(wanted)

/** The integers that a list is made of, as far as they are constants; undefined for a list of unknown length. */
export function intsOf(value: Value | undefined): readonly (number | undefined)[] | undefined {
  const node = value?.node
  if (node?.kind === 'prim::ListConstruct') return node.inputs.map(numberOf)
  const { constant } = node ?? {}
  return constant?.kind === 'list' ? constant.items.map((item) => (item.kind === 'int' ? Number(item.value) : undefined)) : undefined
}

export const nameOf = (value: Value): string => value.node.schema?.fullName ?? ''

/** The nodes of a match, which only other nodes of it read. */
export class Match {
  readonly nodes: Node[] = []

  /** Makes the node of a value, which nothing else reads, a part of the match. */
  take(value: Value): Node | undefined {
    const { node } = value
    if (node.outputs.length !== 1 || value.uses.length !== 1) return undefined
    this.nodes.push(node)
    return node
  }
  /** The operand of an operator with a number: `value = operator(operand, number)`. */
  withNumber(value: Value, names: readonly string[], wanted: number): Value | undefined {
    const { node } = value
    if (!names.includes(nameOf(value)) || !isAbout(numberOf(node.inputs[1]), wanted)) return undefined
    if (/add|sub/.test(node.kind) && numberOf(node.inputs[2]) !== 1) return undefined
    return this.take(value)?.inputs[0]
  }
  operand(value: Value, name: string): Value | undefined {
    return nameOf(value) === name ? this.take(value)?.inputs[0] : undefined
  }
  /** Both operands of a product or sum of two tensors, which may stand in either order. */
  operands(value: Value, name: string): readonly (readonly [Value, Value])[] {
    const { node } = value
    if (nameOf(value) !== name || (node.inputs.length > 2 && numberOf(node.inputs[2]) !== 1) || !this.take(value)) return []
    const [a, b] = node.inputs
    return [
      [a, b],
      [b, a],
    ]
  }
  /** Forgets what was taken after there were `count` nodes. */
  rewind(count: number): void {
    this.nodes.length = count
  }
  /** Removes the nodes that nothing reads any more. */
  destroy(): void {
    for (let left = [...this.nodes]; left.length > 0;) {
      const free = left.filter((part) => part.outputs.every((output) => output.uses.length === 0))
      if (free.length === 0) break
      free.forEach((part) => part.destroy())
      left = left.filter((part) => !free.includes(part))
    }
  }
}

/** Puts a node in the place of the last one of a match. */
export function replaceMatch(pass: string, last: Node, by: Node, match: Match): void {
  notePass(pass, by, 'fused', `one operator instead of ${new Set([last, ...match.nodes]).size}`)
  by.range = last.range
  by.callStack = last.callStack
  by.output.debugName = last.output.debugName
  last.output.replaceAllUsesWith(by.output)
  last.destroy()
  match.destroy()
}
