import type { Value } from '../../ir/graph.js'
import type { Type } from '../../ir/types.js'
import { TensorType, isSubtype, typeAnnotation } from '../../ir/types.js'
import type { Expr, Stmt } from '../ast.js'
import { convertToType } from '../schema-matching.js'
import { callMethod, callOperator } from './calls.js'
import { valueAttribute } from './attributes.js'
import type { Emitter } from './emitter.js'
import { nameHint } from './emitter.js'
import { asValue, emitBinary, emitExpr, emitValue, tupleItems } from './expressions.js'
import { basicIndices, indexList, likeTensor } from './indexing.js'
import type { Meaning } from './values.js'
import { fail, valueMeaning } from './values.js'

export function emitAssignment(e: Emitter, stmt: Stmt & { kind: 'Assign' }): void {
  const type = stmt.annotation === undefined ? undefined : e.type(stmt.annotation)
  const [first] = stmt.targets
  const hint =
    type ??
    (first.kind === 'Attribute'
      ? attributeType(e, first)
      : emptyContainer(stmt.value) || (e.dialect !== undefined && stmt.value.kind === 'List')
        ? variableType(e, first)
        : undefined)
  let meaning = emitExpr(e, stmt.value, hint)
  if (type !== undefined) {
    const value = convertToType(e.b, asValue(e, meaning, stmt.value), type, true)
    if (!isSubtype(value.type, type))
      fail(
        `Variable ${first.kind === 'Name' ? `'${first.name}' ` : ''}is annotated with type ${typeAnnotation(type)} but is being assigned to a value of type ${typeAnnotation(value.type)}`,
        first,
      )
    meaning = valueMeaning(value.type === type ? value : e.widened(value, type))
  }
  for (const target of stmt.targets) assignTo(e, target, meaning, stmt.value)
}
const emptyContainer = (expr: Expr): boolean =>
  (expr.kind === 'List' && expr.items.length === 0) || (expr.kind === 'Dict' && expr.entries.length === 0)
/** The type that a variable has already, apart from what type tests narrowed. */
function variableType(e: Emitter, target: Expr): Type | undefined {
  const meaning = target.kind === 'Name' ? e.env.variable(target.name) : undefined
  return meaning?.kind === 'value' ? meaning.value.type : undefined
}
/** The declared type of an attribute that is assigned. */
function attributeType(e: Emitter, target: Expr & { kind: 'Attribute' }): Type | undefined {
  if (target.value.kind !== 'Name') return undefined
  const object = e.lookup(target.value.name)
  return object?.kind === 'value' && object.value.type.kind === 'Class' ? object.value.type.attribute(target.name)?.type : undefined
}

/** Gives a target what the right side means. */
export function assignTo(e: Emitter, target: Expr, meaning: Meaning, source: Expr): void {
  switch (target.kind) {
    case 'Name':
      e.assign(
        target.name,
        meaning.kind === 'meanings'
          ? valueMeaning(asValue(e, meaning, source))
          : meaning.kind === 'constant'
            ? valueMeaning(asValue(e, meaning, source))
            : meaning,
        target.range,
      )
      return
    case 'Tuple':
    case 'List':
      unpack(e, target.items, meaning, target, source)
      return
    case 'Attribute':
      assignAttribute(e, emitValue(e, target.value), target.name, asValue(e, meaning, source), target)
      return
    case 'Subscript':
      assignItem(e, target, asValue(e, meaning, source))
      return
    default:
      fail('This expression cannot be assigned to', target)
  }
}

function unpack(e: Emitter, targets: readonly Expr[], meaning: Meaning, at: Expr, source: Expr): void {
  const star = targets.findIndex((t) => t.kind === 'Starred')
  let items: readonly Meaning[]
  if (meaning.kind === 'meanings') items = meaning.items
  else {
    const value = asValue(e, meaning, source)
    if (value.type.kind === 'Tuple') items = tupleItems(e, value).map(valueMeaning)
    else if (value.type.kind === 'List' || value.type === TensorType) {
      if (star >= 0) fail('Only tuples can be unpacked into starred targets', at)
      const list = value.type === TensorType ? callOperator(e, 'aten::unbind', [value], [], at.range) : value
      const element = list.type.kind === 'List' ? list.type.element : TensorType
      const node = e.b.add('prim::ListUnpack', [list], 0)
      items = targets.map((t) => valueMeaning(node.addOutput(element, t.kind === 'Name' ? nameHint(t.name) : undefined)))
    } else return fail(`Provided ${typeAnnotation(value.type)} is not unpackable`, at)
  }
  if (star < 0) {
    if (items.length !== targets.length)
      fail(
        items.length > targets.length
          ? `too many values to unpack: need ${targets.length} but found ${items.length}`
          : `need ${targets.length} values to unpack but found only ${items.length}`,
        at,
      )
    targets.forEach((target, i) => assignTo(e, target, items[i], source))
    return
  }
  const after = targets.length - star - 1
  if (items.length < targets.length - 1) fail(`need at least ${targets.length - 1} values to unpack, found ${items.length}`, at)
  targets.slice(0, star).forEach((target, i) => assignTo(e, target, items[i], source))
  const middle = items.slice(star, items.length - after)
  assignTo(e, (targets[star] as Expr & { kind: 'Starred' }).value, { kind: 'meanings', items: middle }, source)
  targets.slice(star + 1).forEach((target, i) => assignTo(e, target, items[items.length - after + i], source))
}

export function assignAttribute(e: Emitter, object: Value, name: string, value: Value, at: Expr): void {
  const { type } = object
  if (type === TensorType && name === 'data') return void callOperator(e, 'aten::set_data', [object, value], [], at.range)
  if (type.kind !== 'Class') fail(`Attributes of ${typeAnnotation(type)} cannot be assigned`, at)
  const attribute = type.attribute(name)
  if (attribute === undefined) {
    if (type.methods.has(`__${name}_setter`)) return void callMethod(e, object, `__${name}_setter`, [value], [], at.range)
    fail(`Tried to set nonexistent attribute: ${name}. Did you forget to initialize it in __init__()?`, at)
  }
  const converted = convertToType(e.b, value, attribute.type, true)
  if (!isSubtype(converted.type, attribute.type))
    fail(`Wrong type for attribute assignment. Expected ${typeAnnotation(attribute.type)} but got ${typeAnnotation(value.type)}`, at)
  e.b.add('prim::SetAttr', [object, converted], 0).setAttribute('name', { kind: 'string', value: name })
}

/** `base[items] = value`. */
export function assignItem(e: Emitter, target: Expr & { kind: 'Subscript' }, value: Value): void {
  const base = emitValue(e, target.value)
  const { range } = target
  e.dialect?.checkSubscript(base, target)
  if (base.type === TensorType) {
    const { view, indices } = basicIndices(e, base, target.items, target)
    const source = likeTensor(e, value, base, target)
    if (indices.length === 0) callOperator(e, 'aten::copy_', [view, source], [], range)
    else callOperator(e, 'aten::index_put_', [view, indexList(e, indices), source, e.bool(false)], [], range)
    return
  }
  const [item] = target.items
  if (item.kind === 'Slice') fail("Slice assignment to lists isn't supported", target)
  if (base.type.kind === 'Class') return void callMethod(e, base, '__setitem__', [emitValue(e, item), value], [], range)
  const element = base.type.kind === 'List' ? base.type.element : base.type.kind === 'Dict' ? base.type.value : undefined
  const converted = element === undefined ? value : convertToType(e.b, value, element, e.b.widensInts)
  callOperator(e, 'aten::_set_item', [base, emitValue(e, item), converted], [], range)
}

const inPlace: Partial<Record<string, string>> = {
  '+': 'add_',
  '-': 'sub_',
  '*': 'mul_',
  '/': 'div_',
  '%': 'remainder_',
  '**': 'pow_',
  '&': '__iand__',
  '|': '__ior__',
  '^': '__ixor__',
  '<<': '__ilshift__',
  '>>': '__irshift__',
}

/** `target op= value`: in place for tensors and lists, else a new value. */
export function emitAugmented(e: Emitter, stmt: Stmt & { kind: 'AugAssign' }): void {
  const { target, op } = stmt
  const at: Expr = { kind: 'None', range: stmt.range }
  const combine = (left: Value): Value => {
    const right = emitValue(e, stmt.value)
    const own = e.dialect?.binary(e, op, left, right, at)
    if (own !== undefined) return own
    const name = inPlace[op]
    if (left.type === TensorType && name !== undefined) return callOperator(e, `aten::${name}`, [left, right], [], stmt.range)
    if (left.type.kind === 'List' && op === '+') return callOperator(e, 'aten::add_', [left, right], [], stmt.range)
    if (left.type.kind === 'List' && op === '*') return callOperator(e, 'aten::mul_', [left, right], [], stmt.range)
    if (left.type.kind === 'Class' && op === '+' && left.type.methods.has('__iadd__'))
      return callMethod(e, left, '__iadd__', [right], [], stmt.range)
    return emitBinary(e, op, left, right, at)
  }
  switch (target.kind) {
    case 'Name':
      e.assign(target.name, valueMeaning(combine(emitValue(e, target))), target.range)
      return
    case 'Attribute': {
      const object = emitValue(e, target.value)
      const old = asValue(e, valueAttribute(e, object, target.name, target), target)
      const value = combine(old)
      if (object.type.kind === 'Class') assignAttribute(e, object, target.name, value, target)
      return
    }
    case 'Subscript': {
      const base = emitValue(e, target.value)
      e.dialect?.checkSubscript(base, target)
      if (base.type === TensorType) {
        const { view, indices } = basicIndices(e, base, target.items, target)
        if (indices.length === 0) return void combine(view)
        const list = indexList(e, indices)
        const old = callOperator(e, 'aten::index', [view, list], [], stmt.range)
        const updated = combine(old)
        callOperator(e, 'aten::index_put_', [view, list, updated, e.bool(false)], [], stmt.range)
        return
      }
      const key = emitValue(e, target.items[0])
      if (base.type.kind === 'Class') {
        const old = callMethod(e, base, '__getitem__', [key], [], stmt.range)
        callMethod(e, base, '__setitem__', [key, combine(old)], [], stmt.range)
        return
      }
      const old = callOperator(e, 'aten::__getitem__', [base, key], [], stmt.range)
      callOperator(e, 'aten::_set_item', [base, key, combine(old)], [], stmt.range)
      return
    }
    default:
      fail('This expression cannot be assigned to', target)
  }
}

export function emitDelete(e: Emitter, target: Expr): void {
  if (target.kind === 'Name') e.env.delete(target.name)
  else if (target.kind === 'Subscript') {
    const base = emitValue(e, target.value)
    if (base.type.kind === 'Class') callMethod(e, base, '__delitem__', [emitValue(e, target.items[0])], [], target.range)
    else callOperator(e, 'aten::Delete', [base, emitValue(e, target.items[0])], [], target.range)
  } else fail('Only variables and items can be deleted', target)
}
