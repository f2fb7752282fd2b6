import type { ByteWriter } from './bytes.js'
import { HeapKind, noIndex, ValueTag } from './format.js'

/** A value of a plan. Counted values are entries of the heap table, referred to by index. */
export type PlanValue =
  | { readonly kind: 'none' | 'uninitialized' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'complex'; readonly re: number; readonly im: number }
  | { readonly kind: 'tensor' | 'heap' | 'function'; readonly index: number }
  | { readonly kind: 'device'; readonly value: string }
  | { readonly kind: 'string'; readonly value: string | Uint8Array }

export const noneValue: PlanValue = { kind: 'none' }

/** An entry of the heap table. Types and classes are indices into their tables. */
export type HeapEntry =
  | { readonly kind: 'list'; readonly element: number; readonly items: readonly PlanValue[] }
  | { readonly kind: 'tuple'; readonly type: number | undefined; readonly items: readonly PlanValue[] }
  | { readonly kind: 'dict'; readonly key: number; readonly value: number; readonly entries: readonly (readonly [PlanValue, PlanValue])[] }
  | { readonly kind: 'object'; readonly class: number; readonly slots: readonly PlanValue[] }
  | { readonly kind: 'objectWithState'; readonly class: number; readonly setState: number | undefined; readonly state: PlanValue }
  | { readonly kind: 'enum'; readonly className: string; readonly name: string; readonly value: PlanValue }

/** Wraps to 64 bits, as TorchScript's ints do. */
const wrap = (value: bigint): bigint => BigInt.asIntN(64, value)

export function writeValue(out: ByteWriter, value: PlanValue): void {
  switch (value.kind) {
    case 'none':
      out.u8(ValueTag.None)
      break
    case 'uninitialized':
      out.u8(ValueTag.uninitialized)
      break
    case 'bool':
      out.u8(value.value ? ValueTag.true : ValueTag.false)
      break
    case 'int':
      out.u8(ValueTag.int).i64(wrap(value.value))
      break
    case 'float':
      out.u8(ValueTag.float).f64(value.value)
      break
    case 'complex':
      out.u8(ValueTag.complex).f64(value.re).f64(value.im)
      break
    case 'tensor':
    case 'heap':
    case 'function':
      out.u8(ValueTag[value.kind]).u32(value.index)
      break
    case 'device':
      out.u8(ValueTag.device).str(value.value)
      break
    case 'string':
      out.u8(ValueTag.string).str(value.value)
  }
}

export function writeHeapEntry(out: ByteWriter, entry: HeapEntry): void {
  const write = (value: PlanValue): void => writeValue(out, value)
  out.u8(HeapKind[entry.kind])
  switch (entry.kind) {
    case 'list':
      out.u32(entry.element).vec(entry.items, write)
      break
    case 'tuple':
      out.u32(entry.type ?? noIndex).vec(entry.items, write)
      break
    case 'dict':
      out
        .u32(entry.key)
        .u32(entry.value)
        .vec(entry.entries, ([key, value]) => {
          write(key)
          write(value)
        })
      break
    case 'object':
      out.u32(entry.class).vec(entry.slots, write)
      break
    case 'objectWithState':
      out.u32(entry.class).u32(entry.setState ?? noIndex)
      write(entry.state)
      break
    case 'enum':
      out.str(entry.className).str(entry.name)
      write(entry.value)
  }
}
