import type { Value } from '../../ir/graph.js'
import type { Type } from '../../ir/types.js'
import {
  BoolType,
  IntType,
  NoneType,
  NumberType,
  TensorType,
  isNumeric,
  listOf,
  optionalOf,
  tupleOf,
  typeAnnotation,
} from '../../ir/types.js'
import type { Expr } from '../ast.js'
import { callMethod, callOperator, tupleItem } from './calls.js'
import type { Emitter } from './emitter.js'
import { asValue, emitExpr, emitValue } from './expressions.js'
import type { Meaning } from './values.js'
import { fail, valueMeaning } from './values.js'

/** `value[items]`. */
export function emitSubscript(e: Emitter, expr: Expr & { kind: 'Subscript' }): Meaning {
  const base = emitExpr(e, expr.value)
  if (base.kind === 'meanings')
    return valueMeaning(asValue(e, tupleItem(e, asValue(e, base, expr), emitValue(e, expr.items[0]), expr), expr))
  const value = asValue(e, base, expr.value)
  const { type } = value
  const [item] = expr.items
  e.dialect?.checkSubscript(value, expr)
  if (type === TensorType) return valueMeaning(indexTensor(e, value, expr.items, expr))
  if (expr.items.length !== 1) fail(`Only tensors take several indices; ${typeAnnotation(type)} takes one`, expr)
  if (item.kind === 'Slice') return valueMeaning(sliceValue(e, value, item, expr))
  if (type.kind === 'Tuple') return tupleItem(e, value, emitValue(e, item), expr)
  if (type.kind === 'Class') {
    if (type.methods.has('__getitem__')) return valueMeaning(callMethod(e, value, '__getitem__', [emitValue(e, item)], [], expr.range))
    if (type.isModule) return moduleItem(e, value, item, expr)
  }
  return valueMeaning(callOperator(e, 'aten::__getitem__', [value, emitValue(e, item)], [], expr.range))
}

/** An element of a module container. */
function moduleItem(e: Emitter, value: Value, item: Expr, at: Expr): Meaning {
  const { type } = value
  if (type.kind !== 'Class') return fail('Expected a module', at)
  const modules = type.attributes.filter((a) => a.type.kind === 'Class' && (a.type.isModule || a.type.isInterface))
  const key = emitValue(e, item)
  const constant = key.node.constant
  const get = (name: string, t: Type): Meaning =>
    valueMeaning(e.b.add('prim::GetAttr', [value]).setAttribute('name', { kind: 'string', value: name }).output.setType(t))
  if (constant?.kind === 'int') {
    const i = Number(constant.value) < 0 ? Number(constant.value) + modules.length : Number(constant.value)
    if (i < 0 || i >= modules.length) return fail(`Module index ${constant.value} is out of range`, at)
    return get(modules[i].name, modules[i].type)
  }
  if (constant?.kind === 'string') {
    const found = modules.find((m) => m.name === constant.value)
    if (found === undefined) return fail(`Key Error, ${constant.value}`, at)
    return get(found.name, found.type)
  }
  const common = modules[0]?.type
  if (common === undefined) return fail('The module has no submodules to index', at)
  return valueMeaning(e.b.add('prim::ModuleContainerIndex', [value, key]).output.setType(common))
}

function bound(e: Emitter, expr: Expr | undefined): Value {
  return expr === undefined ? e.none() : emitValue(e, expr)
}

function sliceValue(e: Emitter, value: Value, slice: Expr & { kind: 'Slice' }, at: Expr): Value {
  const { type } = value
  if (type.kind === 'Tuple') {
    const n = type.elements.length
    const index = (expr: Expr | undefined, fallback: number): number => {
      if (expr === undefined) return fallback
      const constant = emitValue(e, expr).node.constant
      if (constant?.kind !== 'int') return fail('Tuple slices need indices known while compiling', at)
      const i = Number(constant.value)
      return Math.max(0, Math.min(n, i < 0 ? i + n : i))
    }
    const step = slice.step === undefined ? 1 : Number((emitValue(e, slice.step).node.constant as { value: bigint }).value)
    const begin = index(slice.start, 0)
    const end = index(slice.stop, n)
    if (step === 1) {
      const node = e.b.add('prim::TupleSlice', [value])
      node.setAttribute('beg', { kind: 'int', value: begin }).setAttribute('end', { kind: 'int', value: Math.max(begin, end) })
      return node.output.setType(tupleOf(type.elements.slice(begin, end)))
    }
    const picked: Value[] = []
    const [from, to] = step > 0 ? [begin, end] : [slice.start === undefined ? n - 1 : begin, slice.stop === undefined ? -1 : end]
    for (let i = from; step > 0 ? i < to : i > to; i += step)
      picked.push(e.b.add('prim::TupleIndex', [value, e.int(i)]).output.setType(type.elements[i]))
    return e.b.add('prim::TupleConstruct', picked).output.setType(tupleOf(picked.map((v) => v.type)))
  }
  const step = slice.step === undefined ? e.int(1) : emitValue(e, slice.step)
  return callOperator(e, 'aten::slice', [value, bound(e, slice.start), bound(e, slice.stop), step], [], at.range)
}

/**
 * Tensor indexing: ints select, slices slice, None adds a dimension, ... skips; tensors (and lists of numbers) go together into one
 * aten::index, aligned with their dimensions.
 */
export function basicIndices(e: Emitter, tensor: Value, items: readonly Expr[], at: Expr): { view: Value; indices: (Value | undefined)[] } {
  const flat = items.length === 1 && items[0].kind === 'Tuple' ? items[0].items : items
  const evaluated = flat.map((item) =>
    item.kind === 'Slice' || item.kind === 'Ellipsis' ? undefined : emitValue(e, item, listOf(IntType)),
  )
  const consumes = flat.filter((item, i) => item.kind !== 'Ellipsis' && evaluated[i]?.type !== NoneType).length
  let view = tensor
  let dim = 0
  const indices: (Value | undefined)[] = []
  let fromEnd = false
  const place = (): number => (fromEnd ? dim : dim)
  const setIndex = (value: Value): void => {
    while (indices.length < dim) indices.push(undefined)
    indices[dim] = value
  }
  flat.forEach((item, i) => {
    if (item.kind === 'Ellipsis') {
      // Dimensions after the ellipsis are counted from the end.
      fromEnd = true
      const after = flat.slice(i + 1).filter((_, j) => evaluated[i + 1 + j]?.type !== NoneType).length
      dim = -after
      if (after === 0) dim = 0
      return
    }
    const call = (name: string, ...args: Value[]): Value => callOperator(e, name, [view, ...args], [], at.range)
    if (item.kind === 'Slice') {
      const step = item.step === undefined ? e.int(1) : emitValue(e, item.step)
      view = call('aten::slice', e.int(place()), bound(e, item.start), bound(e, item.stop), step)
      dim++
      return
    }
    const value = evaluated[i]!
    if (value.type === IntType) {
      view = call('aten::select', e.int(place()), value)
      if (fromEnd) dim++
    } else if (value.type === NoneType) {
      view = call('aten::unsqueeze', e.int(place() < 0 ? place() - 1 : place()))
      if (!fromEnd) dim++
    } else if (value.type === TensorType || value.type.kind === 'List' || value.type === BoolType || value.type.kind === 'Optional') {
      const index =
        value.type.kind === 'List'
          ? callOperator(e, 'aten::tensor', [value], [], at.range)
          : value.type === BoolType
            ? callOperator(e, 'aten::tensor', [value], [], at.range)
            : value
      if (fromEnd && dim < 0) fail('Ellipses followed by tensor indexing is currently not supported', at)
      setIndex(index)
      dim++
    } else
      fail(
        `Unsupported operation: indexing tensor with unsupported index type '${typeAnnotation(value.type)}'. Only ints, slices, lists and tensors are supported`,
        at,
      )
  })
  if (consumes > 64) fail('Too many indices', at)
  return { view, indices }
}

/** The list of tensors and Nones that aten::index takes. */
export function indexList(e: Emitter, indices: readonly (Value | undefined)[]): Value {
  const items = indices.map((v) => v ?? e.none())
  return e.b.add('prim::ListConstruct', items).output.setType(listOf(optionalOf(TensorType)))
}

export function indexTensor(e: Emitter, tensor: Value, items: readonly Expr[], at: Expr): Value {
  const { view, indices } = basicIndices(e, tensor, items, at)
  if (indices.length === 0) return view
  return callOperator(e, 'aten::index', [view, indexList(e, indices)], [], at.range)
}

/** A number as a tensor of the dtype and device of another, as assignments to indices do. */
export function likeTensor(e: Emitter, value: Value, like: Value, at: Expr): Value {
  if (!isNumeric(value.type) && value.type !== BoolType) return value
  const number = value.type === NumberType ? callOperator(e, 'aten::Float', [value], [], at.range) : value
  const dtype = callOperator(e, 'prim::dtype', [like], [], at.range)
  const device = callOperator(e, 'prim::device', [like], [], at.range)
  return callOperator(
    e,
    'aten::tensor',
    [number],
    [
      { name: 'dtype', value: dtype },
      { name: 'device', value: device },
    ],
    at.range,
  )
}
