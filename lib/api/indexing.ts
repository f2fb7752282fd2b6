import { callOperator, currentListener } from '../runtime/dispatch.js'
import { tensor } from '../tensor/creation.js'
import { Tensor } from '../tensor/tensor.js'
import { ArgumentError } from '../util/errors.js'
import { slice as sliceOperator } from './operators/functions.js'

/*
 * `t.index(0, slice(1, null), null, ellipsis, mask)` is Python's `t[0, 1:, None, ..., mask]`: integers select, slices slice, null adds a dimension,
 * the ellipsis skips, and tensors go together into one `aten::index`. The same operators run, in the same order, as in PyTorch, so that traces match.
 */

/** A range of a dimension; made by `slice`. */
export class Slice {
  constructor(
    readonly start: number | null,
    readonly stop: number | null,
    readonly step: number | null,
  ) {}
}

/** All dimensions that the other indices leave: Python's `...`. */
export const ellipsis: unique symbol = Symbol('ellipsis')

/** What a dimension is indexed with. Arrays of numbers or booleans are tensors. */
export type Index = number | bigint | boolean | null | Slice | typeof ellipsis | Tensor | readonly IndexArray[]
type IndexArray = number | bigint | boolean | readonly IndexArray[]

/** Python's `slice`: `slice(stop)`, `slice(start, stop)` or `slice(start, stop, step)`; null leaves a bound open. */
export function slice(stop?: number | null): Slice
export function slice(start: number | null, stop: number | null, step?: number | null): Slice
/** `aten::slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor(a)` */
export function slice(self: Tensor, dim?: number, start?: number | null, end?: number | null, step?: number): Tensor
export function slice(...args: unknown[]): Slice | Tensor {
  if (args[0] instanceof Tensor) return (sliceOperator as (...args: unknown[]) => Tensor)(...args)
  const [start, stop, step] = (args.length < 2 ? [null, args[0] ?? null, null] : [...args, null]) as (number | null)[]
  for (const [name, bound] of Object.entries({ start, stop, step })) {
    if (bound !== null && !Number.isInteger(bound.valueOf()))
      throw new ArgumentError(`Expected an integer or null for \`${name}\` of a slice but received ${String(bound)}`)
  }
  if (step !== null && step <= 0) throw new ArgumentError(`Expected a positive integer for \`step\` of a slice but received ${step}`)
  return new Slice(start, stop, step)
}

const call = (name: string, ...args: unknown[]): Tensor => callOperator(`aten::${name}`, args) as Tensor

const end = 9223372036854775807n

/** An array as the tensor that it stands for. */
function indexTensor(index: readonly IndexArray[]): Tensor {
  const flat = (index as unknown[]).flat(Infinity) as (number | bigint | boolean)[]
  if (flat.some((item) => typeof item !== 'boolean' && typeof item !== 'bigint' && !Number.isInteger(item)))
    throw new ArgumentError('Expected integers or booleans in an array of indices')
  const isMask = flat.length > 0 && flat.every((item) => typeof item === 'boolean')
  return tensor(index as never, { dtype: isMask ? 'bool' : 'int64' })
}

const isIndex = (item: unknown): boolean => item === null || item === ellipsis || item instanceof Slice || item instanceof Tensor

/** The indices of a call; one array that holds more than numbers is the list of them. */
function listOf(indices: readonly Index[]): readonly Index[] {
  const [only] = indices
  return indices.length === 1 && Array.isArray(only) && only.some(isIndex) ? (only as readonly Index[]) : indices
}

/** Applies what gives views; the tensors among the indices stay, each at its dimension. */
function applied(self: Tensor, given: readonly Index[]): { view: Tensor; indices: (Tensor | null)[] } {
  const consumed = given.reduce<number>((count, item) => {
    if (item === null || item === ellipsis || typeof item === 'boolean') return count
    return count + (item instanceof Tensor && /^(bool|uint8)$/.test(item.dtype) ? item.dim() : 1)
  }, 0)
  if (consumed > self.dim())
    throw new ArgumentError(`Expected at most ${self.dim()} indices for a tensor of dimension ${self.dim()} but received ${consumed}`)
  if (given.filter((item) => item === ellipsis).length > 1)
    throw new ArgumentError('Expected at most one ellipsis in the indices but received several')
  let view = self
  let dim = 0
  const indices: (Tensor | null)[] = []
  // A mask of several dimensions stands at one place of the list.
  let masked = 0
  const indexWith = (index: Tensor): void => {
    while (indices.length < dim - masked) indices.push(null)
    indices.push(index)
    dim++
    if (/^(bool|uint8)$/.test(index.dtype) && index.dim() > 1) {
      dim += index.dim() - 1
      masked += index.dim() - 1
    }
  }
  const mask = (value: boolean): void => {
    view = call('unsqueeze', view, dim)
    indexWith(tensor([value]))
  }
  for (const item of given) {
    if (item === null) view = call('unsqueeze', view, dim++)
    else if (item === ellipsis) dim += self.dim() - consumed
    else if (item instanceof Slice) {
      const isWhole = (item.start ?? 0) === 0 && item.stop === null && (item.step ?? 1) === 1
      // A trace keeps it: it says that the dimension is there.
      if (!isWhole || currentListener() !== undefined) view = call('slice', view, dim, item.start ?? 0, item.stop ?? end, item.step ?? 1)
      dim++
    } else if (typeof item === 'boolean') mask(item)
    else if (item instanceof Tensor) {
      if (item.dim() > 0 || !/^(bool|u?int\d+)$/.test(item.dtype)) {
        indexWith(item)
      } else if (item.dtype === 'bool' || item.dtype === 'uint8') mask(Boolean(item.item()))
      else view = call('select', view, dim, item.item())
    } else if (Array.isArray(item)) indexWith(indexTensor(item))
    else if (typeof item === 'number' || typeof item === 'bigint' || (item as unknown) instanceof Number)
      view = call('select', view, dim, item)
    else {
      throw new ArgumentError(
        `Expected integers, slices, null, ellipsis, booleans, tensors or arrays as indices but received ${typeof item === 'object' ? 'an object' : String(item)}`,
      )
    }
  }
  return { view, indices }
}

/** A value of an assignment without the leading dimensions of size 1 that broadcasting does not need. */
function withoutLeadingOnes(value: Tensor): Tensor {
  const sizes = Tensor.handleOf(value).info().sizes
  const first = sizes.findIndex((size) => size !== 1)
  const kept = first < 0 ? [] : sizes.slice(first)
  return kept.length === sizes.length ? value : call('view', value, kept)
}

function assign(self: Tensor, given: readonly Index[], value: Tensor | Element, accumulate: boolean): void {
  const { view, indices } = applied(self, given)
  const source = value instanceof Tensor ? value : tensor(value as number, { dtype: self.dtype })
  if (indices.length > 0) {
    call('index_put_', view, indices, withoutLeadingOnes(source), accumulate)
    return
  }
  if (accumulate) {
    call('add_', view, source)
    return
  }
  const [to, from] = [view, source].map((tensor) => Tensor.handleOf(tensor).info().sizes)
  if (from.length === to.length && from.every((size, dim) => size === to[dim])) call('copy_', view, source)
  else if (from.length === 0) call('fill_', view, source)
  else call('copy_', view, withoutLeadingOnes(source))
}

type Element = number | bigint | boolean

export interface IndexAssignOptions {
  /** Adds to what is there, once for each index that says so, instead of replacing it. */
  accumulate?: boolean
}

declare module '../tensor/tensor.js' {
  interface Tensor {
    /** Python's `self[indices]`: a view where the indices hold no tensors and arrays, else a new tensor. */
    index(...indices: Index[]): Tensor
    index(indices: readonly Index[]): Tensor
    /** Python's `self[indices] = value`: one index, or an array of them. Returns this tensor. */
    set(indices: Index | readonly Index[], value: Tensor | number | bigint | boolean): Tensor
    /** A new tensor with the indexed elements replaced, or added to. */
    indexPut(indices: readonly Index[], value: Tensor | number | bigint | boolean, options?: IndexAssignOptions): Tensor
    /** Replaces the indexed elements, or adds to them. Returns this tensor. */
    indexPut_(indices: readonly Index[], value: Tensor | number | bigint | boolean, options?: IndexAssignOptions): Tensor
  }
}

const methods = {
  index(this: Tensor, ...given: Index[]): Tensor {
    const { view, indices } = applied(this, listOf(given))
    if (indices.length > 0) return call('index', view, indices)
    return view === this ? call('alias', this) : view
  },
  set(this: Tensor, indices: Index | readonly Index[], value: Tensor | Element): Tensor {
    assign(this, Array.isArray(indices) ? (indices as readonly Index[]) : [indices as Index], value, false)
    return this
  },
  indexPut_(this: Tensor, indices: readonly Index[], value: Tensor | Element, { accumulate = false }: IndexAssignOptions = {}): Tensor {
    assign(this, indices, value, accumulate)
    return this
  },
  indexPut(this: Tensor, indices: readonly Index[], value: Tensor | Element, { accumulate = false }: IndexAssignOptions = {}): Tensor {
    if (indices.every((item) => item instanceof Tensor && item.dim() > 0)) {
      const source = value instanceof Tensor ? value : tensor(value as number, { dtype: this.dtype })
      return call('index_put', this, indices, withoutLeadingOnes(source), accumulate)
    }
    const copy = call('clone', this)
    assign(copy, indices, value, accumulate)
    return copy
  },
}
for (const [name, value] of Object.entries(methods))
  Object.defineProperty(Tensor.prototype, name, { value, configurable: true, writable: true })
