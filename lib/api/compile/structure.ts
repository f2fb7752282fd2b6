import { KeywordArguments } from '../../runtime/convert.js'
import { dtypeFromCode } from '../../tensor/dtype.js'
import { Tensor } from '../../tensor/tensor.js'

/*
 * Arguments and results are trees of arrays, Maps and plain objects with tensors among other values. A trace has the tensors only; the rest is the
 * structure, which is the same for all calls of one compilation.
 */

/** A tree without its tensors. */
export type Structure =
  | { readonly kind: 'tensor' }
  | { readonly kind: 'constant'; readonly value: unknown }
  | { readonly kind: 'array'; readonly items: readonly Structure[] }
  | { readonly kind: 'map' | 'object'; readonly entries: readonly (readonly [unknown, Structure])[] }
  /** Something that is known by its identity only: an object of a class, a function. */
  | { readonly kind: 'opaque'; readonly value: unknown }

export interface Flat {
  readonly structure: Structure
  readonly tensors: readonly Tensor[]
}

const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value) as object | null
  return prototype === Object.prototype || prototype === null
}

/** Takes a tree apart. */
export function flatten(value: unknown): Flat {
  const tensors: Tensor[] = []
  const visit = (part: unknown): Structure => {
    if (part instanceof Tensor) {
      tensors.push(part)
      return { kind: 'tensor' }
    }
    if (typeof part === 'function') return { kind: 'opaque', value: part }
    if (typeof part !== 'object' || part === null) return { kind: 'constant', value: part }
    if (Array.isArray(part)) return { kind: 'array', items: part.map(visit) }
    if (part instanceof Map) return { kind: 'map', entries: [...part].map(([key, item]) => [key, visit(item)]) }
    // Sizes of a trace are objects for numbers.
    if (part instanceof Number) return { kind: 'constant', value: Number(part) }
    if (part instanceof KeywordArguments || !isPlain(part)) return { kind: 'opaque', value: part }
    return { kind: 'object', entries: Object.entries(part).map(([key, item]) => [key, visit(item)]) }
  }
  return { structure: visit(value), tensors }
}

/** Puts a tree together again. */
export function unflatten(structure: Structure, tensors: readonly unknown[]): unknown {
  let next = 0
  const visit = (part: Structure): unknown => {
    switch (part.kind) {
      case 'tensor':
        return tensors[next++]
      case 'constant':
      case 'opaque':
        return part.value
      case 'array':
        return part.items.map(visit)
      case 'map':
        return new Map(part.entries.map(([key, item]) => [key, visit(item)]))
      case 'object':
        return Object.fromEntries(part.entries.map(([key, item]) => [key as string, visit(item)]))
    }
  }
  return visit(structure)
}

/** Whether a tree has parts that are known by their identity only. */
export function hasOpaque(structure: Structure): boolean {
  if (structure.kind === 'array') return structure.items.some(hasOpaque)
  if (structure.kind === 'map' || structure.kind === 'object') return structure.entries.some(([, item]) => hasOpaque(item))
  return structure.kind === 'opaque'
}

const identities = new WeakMap<object, number>()
let nextIdentity = 0
function identityOf(value: object): number {
  let identity = identities.get(value)
  if (identity === undefined) identities.set(value, (identity = nextIdentity++))
  return identity
}

function constantText(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (Object.is(value, -0)) return '-0'
  return String(value)
}

/** A text that trees of one structure share: constants by value, tensors by dtype and number of dimensions, or by size. */
export function signatureOf({ structure, tensors }: Flat, withSizes: boolean): string {
  let next = 0
  const visit = (part: Structure): string => {
    switch (part.kind) {
      case 'tensor': {
        const { dtype, sizes, quant } = Tensor.infoOf(tensors[next++])
        return `${dtypeFromCode(dtype)}${quant === null ? '' : ':quantized'}[${withSizes ? sizes.join(', ') : '*, '.repeat(sizes.length).slice(0, -2)}]`
      }
      case 'constant':
        return constantText(part.value)
      case 'array':
        return `[${part.items.map(visit).join(', ')}]`
      case 'map':
      case 'object':
        return `${part.kind} {${part.entries.map(([key, item]) => `${typeof key === 'object' && key !== null ? `#${identityOf(key)}` : constantText(key)}: ${visit(item)}`).join(', ')}}`
      case 'opaque':
        return `#${identityOf(part.value as object)}`
    }
  }
  const text = visit(structure)
  return structure.kind === 'array' ? text.slice(1, -1) : text
}

function sameStructure(a: Structure, b: Structure): boolean {
  switch (a.kind) {
    case 'tensor':
      return b.kind === 'tensor'
    case 'constant':
    case 'opaque':
      return b.kind === a.kind && Object.is(a.value, b.value)
    case 'array':
      return b.kind === 'array' && a.items.length === b.items.length && a.items.every((item, i) => sameStructure(item, b.items[i]))
    case 'map':
    case 'object':
      return (
        b.kind === a.kind &&
        a.entries.length === b.entries.length &&
        a.entries.every(([key, item], i) => Object.is(key, b.entries[i][0]) && sameStructure(item, b.entries[i][1]))
      )
  }
}

/** Arguments that a call had. Others that match have the signature of these, which need not be made. */
export class Seen {
  private readonly structure: Structure
  private readonly infos: readonly ReturnType<typeof Tensor.infoOf>[]

  constructor(
    flat: Flat,
    private readonly withSizes: boolean,
  ) {
    this.structure = flat.structure
    this.infos = flat.tensors.map((tensor) => Tensor.infoOf(tensor))
  }

  matches({ structure, tensors }: Flat): boolean {
    const { infos, withSizes } = this
    if (tensors.length !== infos.length || !sameStructure(this.structure, structure)) return false
    for (let i = 0; i < infos.length; i++) {
      const before = infos[i]
      const now = Tensor.infoOf(tensors[i])
      if (now === before) continue
      if (now.dtype !== before.dtype || (now.quant === null) !== (before.quant === null) || now.sizes.length !== before.sizes.length)
        return false
      if (withSizes && now.sizes.some((size, d) => size !== before.sizes[d])) return false
    }
    return true
  }
}
