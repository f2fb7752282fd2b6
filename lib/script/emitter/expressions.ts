import type { Value } from '../../ir/graph.js'
import type { ConstantValue, Type } from '../../ir/types.js'
import {
  AnyType,
  BoolType,
  ComplexType,
  DeviceType,
  FloatType,
  IntType,
  NoneType,
  NumberType,
  StringType,
  TensorType,
  dictOf,
  isNumeric,
  isSubtype,
  listOf,
  sameType,
  simpleType,
  tupleOf,
  typeAnnotation,
  unionMembers,
  unionOf,
} from '../../ir/types.js'
import type { BinaryOperator, Expr } from '../ast.js'
import { constantType, convertToType, insertOperator, unifyTypes } from '../schema-matching.js'
import { compileError } from '../source.js'
import { dottedName } from '../type-resolver.js'
import { emitAttribute } from './attributes.js'
import { callMethod, callOperator, emitCall, unwrapOptional } from './calls.js'
import { emitComprehension } from './loops.js'
import type { Emitter } from './emitter.js'
import { emitSubscript } from './indexing.js'
import type { Condition, Meaning, Refinements } from './values.js'
import { describe, fail, noRefinements, valueMeaning } from './values.js'

/** Names that every program may use. */
const specials = new Set([
  'annotate',
  'unchecked_cast',
  'uninitialized',
  'fork',
  'isinstance',
  'getattr',
  'hasattr',
  'print',
  'range',
  'enumerate',
  'zip',
  'len',
  'int',
  'float',
  'bool',
  'str',
  'complex',
  'abs',
  'min',
  'max',
  'sum',
  'any',
  'all',
  'round',
  'sorted',
  'list',
  'tuple',
  'dict',
  'ord',
  'chr',
  'hex',
  'oct',
  'bin',
  'hash',
  'divmod',
  'pow',
  'reversed',
])

/** The meaning of an expression. `hint` is the type that the context wants, which decides empty and mixed displays. */
export function emitExpr(e: Emitter, expr: Expr, hint?: Type): Meaning {
  return e.at(expr.range, () => emit(e, expr, hint))
}

/** The value of an expression; a compile error where it means something else. */
export function emitValue(e: Emitter, expr: Expr, hint?: Type): Value {
  return asValue(e, emitExpr(e, expr, hint), expr, hint)
}

/** Turns a meaning into a value of the graph. */
export function asValue(e: Emitter, meaning: Meaning, at: Expr, hint?: Type): Value {
  switch (meaning.kind) {
    case 'value':
      return meaning.value
    case 'constant':
      return e.constant(meaning.value, meaning.type)
    case 'meanings': {
      const items = meaning.items.map((m, i) => asValue(e, m, at, hint?.kind === 'Tuple' ? hint.elements[i] : undefined))
      const node = e.b.add('prim::TupleConstruct', items)
      return node.output.setType(tupleOf(items.map((v) => v.type)))
    }
    case 'function':
      return e.constant({ kind: 'function', fn: meaning.fn }, { kind: 'Function', fn: meaning.fn })
    case 'iterable':
      if (meaning.name === 'range' && meaning.args.length === 1)
        return callOperator(e, 'prim::rangelist', [asValue(e, meaning.args[0], at)], [], at.range)
      return fail(`${describe(meaning)} cannot be used as a value`, at)
    case 'operator':
      if (meaning.self !== undefined)
        return fail(`'${typeAnnotation(meaning.self.type)}' object has no attribute or method '${meaning.name.slice(6)}'.`, at)
      return fail(`${describe(meaning)} cannot be used as a value`, at)
    default:
      return fail(`${describe(meaning)} cannot be used as a value`, at)
  }
}

function emit(e: Emitter, expr: Expr, hint: Type | undefined): Meaning {
  switch (expr.kind) {
    case 'Int':
      return valueMeaning(e.constant({ kind: 'int', value: BigInt.asIntN(64, expr.value) }, IntType))
    case 'Float':
      return valueMeaning(e.constant({ kind: 'float', value: expr.value }, FloatType))
    case 'Imaginary':
      return valueMeaning(e.constant({ kind: 'complex', re: 0, im: expr.value }, ComplexType))
    case 'String':
      return valueMeaning(e.constant({ kind: 'string', value: expr.value }, StringType))
    case 'Bool':
      return valueMeaning(e.bool(expr.value))
    case 'None':
      return valueMeaning(e.none())
    case 'Ellipsis':
      return fail('... can only be used to index a tensor', expr)
    case 'Name':
      return emitName(e, expr.name, expr)
    case 'Attribute': {
      const dotted = e.dialect === undefined ? dottedName(expr) : undefined
      const named = dotted === undefined ? undefined : e.unit.meaningOf(dotted)
      if (named !== undefined && e.lookup(dotted!.split('.')[0]) === undefined) return named
      return emitAttribute(e, emitExpr(e, expr.value), expr.name, expr)
    }
    case 'Call':
      return emitCall(e, expr, hint)
    case 'Subscript':
      return emitSubscript(e, expr)
    case 'Slice':
      return fail('A slice can only be used as an index', expr)
    case 'Binary': {
      const [left, right] = [emitValue(e, expr.left), emitValue(e, expr.right)]
      return valueMeaning(e.dialect?.binary(e, expr.op, left, right, expr) ?? emitBinary(e, expr.op, left, right, expr))
    }
    case 'Unary':
      return valueMeaning(emitUnary(e, expr))
    case 'Compare':
      // Comparing tensors gives a tensor; only a condition makes it a bool.
      return valueMeaning(compare(e, expr).value)
    case 'Logical':
      return valueMeaning(e.at(expr.range, () => condition(e, expr, e.dialect !== undefined)).value)
    case 'Ternary': {
      const condition = emitCondition(e, expr.condition)
      if (condition.known !== undefined) return emitExpr(e, condition.known ? expr.then : expr.otherwise, hint)
      const mismatch = (a: string, b: string): string => `if-expression's true branch has type ${a} but false branch has type ${b}`
      return valueMeaning(
        e.emitIf(
          condition.value,
          () => emitValue(e, expr.then, hint),
          () => emitValue(e, expr.otherwise, hint),
          expr.range,
          condition,
          mismatch,
        ),
      )
    }
    case 'List':
      return valueMeaning(emitList(e, expr, hint))
    case 'Coalesce':
      return valueMeaning(emitCoalesce(e, expr, hint))
    case 'NonNull': {
      const value = emitValue(e, expr.value, hint)
      return valueMeaning(value.type.kind === 'Optional' || value.type.kind === 'Union' ? unwrapOptional(e, value) : value)
    }
    case 'Cast':
      return valueMeaning(emitConversion(e, expr))
    case 'Lambda':
      return { kind: 'lambda', lambda: expr }
    case 'Tuple': {
      const wanted =
        hint?.kind === 'Tuple'
          ? hint.elements
          : hint?.kind === 'Optional' && hint.element.kind === 'Tuple'
            ? hint.element.elements
            : undefined
      const items = expr.items.map((item, i) => emitValue(e, item, wanted?.[i]))
      const node = e.b.add('prim::TupleConstruct', items)
      return valueMeaning(node.output.setType(tupleOf(items.map((v) => v.type))))
    }
    case 'Dict': {
      const named = expr.record === true ? hinted(hint, 'Tuple') : undefined
      return valueMeaning(named?.named === undefined ? emitDict(e, expr, hint) : emitRecord(e, expr, named))
    }
    case 'ListComp':
    case 'DictComp':
      return valueMeaning(emitComprehension(e, expr, hint))
    case 'Starred':
      return fail('Starred expressions can only be used in calls and on the left of assignments', expr)
    case 'Format': {
      const parts = expr.parts.map((p) => (typeof p === 'string' ? p.replace(/[{}]/g, '$&') : '{}')).join('')
      const args = expr.parts.filter((p): p is Expr => typeof p !== 'string').map((p) => emitValue(e, p))
      return valueMeaning(
        callOperator(e, 'aten::format', [e.constant({ kind: 'string', value: parts }, StringType), ...args], [], expr.range),
      )
    }
  }
}

function emitName(e: Emitter, name: string, at: Expr): Meaning {
  const local = e.lookup(name)
  if (local !== undefined) return local
  const named = e.dialect === undefined ? e.unit.meaningOf(name) : e.dialect.name(name)
  if (named !== undefined) return named
  // Front ends put a dot before the names of builtins that programs cannot hide.
  const plain = name.startsWith('.') ? name.slice(1) : name
  if (specials.has(plain) && (e.dialect === undefined || plain !== name)) return { kind: 'special', name: plain }
  const reason = e.missing.get(name)
  if (reason !== undefined) throw compileError(`${reason}:`, at.range)
  throw compileError(`undefined value ${name}:`, at.range)
}

/** `left ?? right`. */
function emitCoalesce(e: Emitter, expr: Expr & { kind: 'Coalesce' }, hint: Type | undefined): Value {
  const left = emitValue(e, expr.left, hint)
  if (left.type === NoneType) return emitValue(e, expr.right, hint)
  const members = unionMembers(left.type)
  if (!members.includes(NoneType)) return left
  const some = unionOf(members.filter((m) => m !== NoneType))
  const test = callOperator(e, 'aten::__isnot__', [left, e.none()], [], expr.range)
  return e.emitIf(
    test,
    () => e.b.add('prim::unchecked_cast', [left]).output.setType(some),
    () => emitValue(e, expr.right, hint),
    expr.range,
  )
}

/** `value as T`: a conversion, a wider type, or one member of a union. */
function emitConversion(e: Emitter, expr: Expr & { kind: 'Cast' }): Value {
  const type = e.type(expr.annotation)
  const value = convertToType(e.b, emitValue(e, expr.value, type), type, true)
  if (sameType(value.type, type)) return value
  if (isSubtype(value.type, type)) return e.widened(value, type)
  if (type === IntType && value.type === FloatType)
    return fail('Expected an int but received a float. Write `int(x)`, `Math.floor(x)` or `Math.trunc(x)`', expr)
  if (isSubtype(type, value.type) || value.type === AnyType) return e.b.add('prim::unchecked_cast', [value]).output.setType(type)
  return fail(`Expected a value of type '${typeAnnotation(type)}' but received one of type '${typeAnnotation(value.type)}'`, expr)
}

const operatorNames: Record<BinaryOperator, string> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '//': 'floordiv',
  '%': 'remainder',
  '**': 'pow',
  '@': 'matmul',
  '&': '__and__',
  '|': '__or__',
  '^': '__xor__',
  '<<': '__lshift__',
  '>>': '__rshift__',
}
const dunders: Partial<Record<string, string>> = {
  '+': '__add__',
  '-': '__sub__',
  '*': '__mul__',
  '/': '__truediv__',
  '//': '__floordiv__',
  '%': '__mod__',
  '**': '__pow__',
  '@': '__matmul__',
  '&': '__and__',
  '|': '__or__',
  '^': '__xor__',
  '<<': '__lshift__',
  '>>': '__rshift__',
  '<': '__lt__',
  '>': '__gt__',
  '<=': '__le__',
  '>=': '__ge__',
  '==': '__eq__',
  '!=': '__ne__',
}
/** How a number on the left of a tensor is turned around, as PyTorch's builtin functions do. */
const swapped: Record<string, string> = { lt: 'gt', gt: 'lt', le: 'ge', ge: 'le', eq: 'eq', ne: 'ne' }

/** A binary operator on two values. */
export function emitBinary(
  e: Emitter,
  op: BinaryOperator | '<' | '>' | '<=' | '>=' | '==' | '!=',
  left: Value,
  right: Value,
  at: Expr,
): Value {
  if (left.type.kind === 'Class') {
    const method = dunders[op]!
    if (left.type.methods.has(method)) return callMethod(e, left, method, [right], [], at.range)
  }
  const comparisons: Record<string, string> = { '<': 'lt', '>': 'gt', '<=': 'le', '>=': 'ge', '==': 'eq', '!=': 'ne' }
  const name = comparisons[op] ?? operatorNames[op as BinaryOperator]
  if (op === '%' && left.type === StringType) {
    return callOperator(e, 'aten::percentFormat', [left, ...(right.type.kind === 'Tuple' ? tupleItems(e, right) : [right])], [], at.range)
  }
  if (op === '+' && left.type.kind === 'Tuple' && right.type.kind === 'Tuple') {
    const items = [...tupleItems(e, left), ...tupleItems(e, right)]
    return e.b.add('prim::TupleConstruct', items).output.setType(tupleOf(items.map((v) => v.type)))
  }
  if ((op === '==' || op === '!=') && left.type.kind === 'Tuple' && right.type.kind === 'Tuple') return tupleEqual(e, op, left, right, at)
  return emitNamedBinary(e, name, left, right, at)
}

/** `torch.add(a, b)` and the like where the left operand is a number and the right one a tensor. */
export function emitNamedBinary(e: Emitter, name: string, left: Value, right: Value, at: Expr): Value {
  const reversed = isNumeric(left.type) || left.type === BoolType
  if (reversed && right.type === TensorType) {
    const call = (op: string, ...args: Value[]): Value => callOperator(e, `aten::${op}`, args, [], at.range)
    if (name in swapped) return call(swapped[name], right, left)
    if (name === 'add' || name === 'mul') return call(name, right, left)
    if (name === 'sub') return call('add', call('neg', right), left)
    if (name === 'div') return call('mul', call('reciprocal', right), left)
  }
  if (name === 'floordiv' && left.type === TensorType) return callOperator(e, 'aten::floor_divide', [left, right], [], at.range)
  return callOperator(e, `aten::${name}`, [left, right], [], at.range)
}

function tupleItems(e: Emitter, value: Value): readonly Value[] {
  const { type } = value
  if (type.kind !== 'Tuple') return [value]
  if (value.node.kind === 'prim::TupleConstruct') return value.node.inputs
  const node = e.b.add('prim::TupleUnpack', [value], 0)
  return type.elements.map((t) => node.addOutput(t))
}
export { tupleItems }

function tupleEqual(e: Emitter, op: '==' | '!=', left: Value, right: Value, at: Expr): Value {
  const a = tupleItems(e, left)
  const b = tupleItems(e, right)
  if (a.length !== b.length) return e.bool(op === '!=')
  const equal = a
    .map((x, i) => emitBinary(e, '==', x, b[i], at))
    .reduce((x, y) => insertOperator(e.b, 'aten::__and__.bool', [x, y]), e.bool(true))
  return op === '==' ? equal : insertOperator(e.b, 'aten::__not__', [equal])
}

function emitUnary(e: Emitter, expr: Expr & { kind: 'Unary' }): Value {
  if (expr.op === 'not') return emitCondition(e, expr).value
  const value = emitValue(e, expr.value)
  const constant = value.node.constant
  if (expr.op === '+') return value
  if (expr.op === '-') {
    if (constant?.kind === 'int') return e.constant({ kind: 'int', value: BigInt.asIntN(64, -constant.value) }, IntType)
    if (constant?.kind === 'float') return e.constant({ kind: 'float', value: -constant.value }, FloatType)
    if (constant?.kind === 'complex') return e.constant({ kind: 'complex', re: -constant.re, im: -constant.im }, ComplexType)
  }
  if (value.type.kind === 'Class') return callMethod(e, value, expr.op === '-' ? '__neg__' : '__invert__', [], [], expr.range)
  return callOperator(e, expr.op === '-' ? 'aten::neg' : 'aten::bitwise_not', [value], [], expr.range)
}

// Conditions

const plain = (value: Value): Condition => ({ value, whenTrue: noRefinements, whenFalse: noRefinements })
const staticCondition = (
  e: Emitter,
  known: boolean,
  whenTrue: Refinements = noRefinements,
  whenFalse: Refinements = noRefinements,
): Condition => ({
  value: e.bool(known),
  whenTrue,
  whenFalse,
  known,
})

/** A value as a bool: tensors, numbers, and containers by their length. */
export function toBool(e: Emitter, value: Value, at: Expr): Value {
  const { type } = value
  if (type === BoolType) return value
  if (type === IntType || type === FloatType || type === TensorType) return callOperator(e, 'aten::Bool', [value], [], at.range)
  if (type === NumberType) return callOperator(e, 'aten::Bool', [insertOperator(e.b, 'aten::Float.Scalar', [value])], [], at.range)
  if (type === StringType || type.kind === 'List' || type.kind === 'Dict') {
    return insertOperator(e.b, 'aten::gt.int', [callOperator(e, 'aten::len', [value], [], at.range), e.int(0)])
  }
  if (type.kind === 'Class' && type.methods.has('__bool__')) return callMethod(e, value, '__bool__', [], [], at.range)
  if (type.kind === 'Class' && type.methods.has('__len__'))
    return insertOperator(e.b, 'aten::ne.int', [callMethod(e, value, '__len__', [], [], at.range), e.int(0)])
  throw compileError(`Could not cast value of type ${typeAnnotation(type)} to bool`, at.range)
}

/** A condition with what it tells about types. */
export function emitCondition(e: Emitter, expr: Expr): Condition {
  return e.at(expr.range, () => condition(e, expr))
}

/** `wantsBool`: only bools are operands, because the value of the whole is used. */
function condition(e: Emitter, expr: Expr, wantsBool = false): Condition {
  if (expr.kind === 'Unary' && expr.op === 'not') {
    const inner = emitCondition(e, expr.value)
    const value = inner.known !== undefined ? e.bool(!inner.known) : insertOperator(e.b, 'aten::__not__', [inner.value])
    return { value, whenTrue: inner.whenFalse, whenFalse: inner.whenTrue, known: inner.known === undefined ? undefined : !inner.known }
  }
  if (expr.kind === 'Logical') return logical(e, expr, wantsBool)
  if (expr.kind === 'Compare') {
    const result = compare(e, expr)
    return result.value.type === BoolType ? result : { ...result, value: toBool(e, result.value, expr) }
  }
  if (expr.kind === 'Call') {
    const known = e.dialect === undefined ? dottedName(expr.fn) : specialName(e, expr.fn)
    const name = known?.replace(/^\./, '')
    if (name === 'isinstance' || name === 'torch.jit.isinstance') return isInstance(e, expr)
    if (name === 'hasattr') return hasAttribute(e, expr)
    if (name === 'torch.jit.is_scripting') return staticCondition(e, true)
    if (name === 'torch.jit.is_tracing') return staticCondition(e, false)
  }
  const raw = emitValue(e, expr)
  if (wantsBool && raw.type !== BoolType)
    fail(
      `Expected operands of type bool but received ${typeAnnotation(raw.type)}. Write \`a ?? b\` for a value that may be null, else \`test ? a : b\``,
      expr,
    )
  const truth = e.dialect?.truth(e, raw, expr)
  if (truth !== undefined) return truth
  const value = toBool(e, raw, expr)
  const constant = value.node.constant
  // A literal or Final constant decides while compiling; archives print conditions that are already folded.
  if (constant?.kind === 'bool' && (expr.kind === 'Bool' || expr.kind === 'Attribute')) return { ...plain(value), known: constant.value }
  return plain(value)
}

/** The name of a builtin with rules of its own that an expression leads to. */
function specialName(e: Emitter, fn: Expr): string | undefined {
  if (fn.kind === 'Name' && e.lookup(fn.name) !== undefined) return undefined
  const name = dottedName(fn)
  if (name === undefined || name.startsWith('self')) return undefined
  if (fn.kind === 'Attribute') {
    const head = dottedName(fn.value)
    if (head === undefined || e.lookup(head.split('.')[0]) !== undefined || e.dialect?.name(head.split('.')[0]) === undefined)
      return undefined
    const meaning = emitExpr(e, fn)
    return meaning.kind === 'special' ? meaning.name : undefined
  }
  const meaning = name.startsWith('.') ? undefined : e.dialect?.name(name)
  return meaning?.kind === 'special' ? meaning.name : name
}

const merge = (a: Refinements, b: Refinements): Refinements => new Map([...a, ...b])
/** Refinements that hold whichever of the two did. */
function either(a: Refinements, b: Refinements): Refinements {
  const out = new Map<string, Type>()
  for (const [name, type] of a) {
    const other = b.get(name)
    if (other !== undefined) out.set(name, unionOf([type, other]))
  }
  return out
}

function logical(e: Emitter, expr: Expr & { kind: 'Logical' }, wantsBool: boolean): Condition {
  const isAnd = expr.op === 'and'
  const part = (side: Expr): Condition => e.at(side.range, () => condition(e, side, wantsBool))
  const left = part(expr.left)
  if (left.known !== undefined) {
    if (left.known !== isAnd) return left
    e.refine(isAnd ? left.whenTrue : left.whenFalse)
    const right = part(expr.right)
    return {
      ...right,
      whenTrue: isAnd ? merge(left.whenTrue, right.whenTrue) : right.whenTrue,
      whenFalse: isAnd ? right.whenFalse : merge(left.whenFalse, right.whenFalse),
    }
  }
  let right: Condition | undefined
  const rest = (): Value => (right = part(expr.right)).value
  const shortcut = (): Value => e.bool(!isAnd)
  const value = e.emitIf(left.value, isAnd ? rest : shortcut, isAnd ? shortcut : rest, expr.range, left)
  const { whenTrue, whenFalse } = right!
  return isAnd
    ? { value, whenTrue: merge(left.whenTrue, whenTrue), whenFalse: either(left.whenFalse, whenFalse) }
    : { value, whenTrue: either(left.whenTrue, whenTrue), whenFalse: merge(left.whenFalse, whenFalse) }
}

function compare(e: Emitter, expr: Expr & { kind: 'Compare' }): Condition {
  if (expr.ops.length > 1) {
    // a < b < c evaluates b once.
    let last = emitValue(e, expr.operands[0])
    const step = (i: number): Value => {
      const next = emitValue(e, expr.operands[i + 1])
      const value = toBoolIfLast(e, compareValues(e, expr.ops[i], last, next, expr), expr, i < expr.ops.length - 1)
      last = next
      if (i === expr.ops.length - 1) return value
      return e.emitIf(
        value,
        () => step(i + 1),
        () => e.bool(false),
        expr.range,
      )
    }
    return plain(step(0))
  }
  const [op] = expr.ops
  const [leftExpr, rightExpr] = expr.operands
  if (op === 'is' || op === 'is not') return isTest(e, op, leftExpr, rightExpr, expr)
  return plain(compareValues(e, op, emitValue(e, leftExpr), emitValue(e, rightExpr), expr))
}
const toBoolIfLast = (e: Emitter, value: Value, at: Expr, needed: boolean): Value => (needed ? toBool(e, value, at) : value)

function compareValues(e: Emitter, op: string, left: Value, right: Value, at: Expr): Value {
  switch (op) {
    case 'is':
    case 'is not':
      return callOperator(e, op === 'is' ? 'aten::__is__' : 'aten::__isnot__', [left, right], [], at.range)
    case 'in':
    case 'not in': {
      let found: Value
      if (right.type === StringType) {
        const at0 = [e.int(0), callOperator(e, 'aten::len', [right], [], at.range)]
        found = insertOperator(e.b, 'aten::ne.int', [callOperator(e, 'aten::find', [right, left, ...at0], [], at.range), e.int(-1)])
      } else if (right.type.kind === 'Class') found = callMethod(e, right, '__contains__', [left], [], at.range)
      else if (right.type.kind === 'Tuple') {
        found = tupleItems(e, right)
          .map((item) => toBool(e, emitBinary(e, '==', left, item, at), at))
          .reduce((a, b) => insertOperator(e.b, 'aten::__or__.bool', [a, b]), e.bool(false))
      } else found = callOperator(e, 'aten::__contains__', [right, left], [], at.range)
      return op === 'in' ? found : insertOperator(e.b, 'aten::__not__', [found])
    }
    default:
      return e.dialect?.binary(e, op as '<', left, right, at) ?? emitBinary(e, op as '<', left, right, at)
  }
}

/** `x is None` and `x is not None`: decided while compiling when the type says so, else a test that narrows `x`. */
function isTest(e: Emitter, op: 'is' | 'is not', leftExpr: Expr, rightExpr: Expr, at: Expr): Condition {
  const left = emitValue(e, leftExpr)
  const right = emitValue(e, rightExpr)
  const value = compareValues(e, op, left, right, at)
  const isNone = (v: Value): boolean => v.type === NoneType
  const mayBeNone = (v: Value): boolean => v.type === AnyType || unionMembers(v.type).includes(NoneType)
  const yes = op === 'is'
  if (isNone(left) && isNone(right)) return staticCondition(e, yes)
  const [tested, expr] = isNone(right) ? [left, leftExpr] : [right, rightExpr]
  if (!isNone(left) && !isNone(right)) return plain(value)
  if (!mayBeNone(tested)) return staticCondition(e, !yes)
  if (tested.type === AnyType || expr.kind !== 'Name') return plain(value)
  const rest = unionMembers(tested.type).filter((m) => m !== NoneType)
  const none = new Map([[expr.name, NoneType as Type]])
  const some = new Map([[expr.name, unionOf(rest)]])
  return { value, whenTrue: yes ? none : some, whenFalse: yes ? some : none }
}

function isInstance(e: Emitter, expr: Expr & { kind: 'Call' }): Condition {
  const [subject, typesExpr] = expr.args
  if (expr.args.length !== 2) fail('isinstance needs a value and a type', expr)
  const value = emitValue(e, subject)
  const typeExprs = typesExpr.kind === 'Tuple' ? typesExpr.items : [typesExpr]
  const types = typeExprs.flatMap((t): Type[] => {
    const name = dottedName(t)
    if (name === 'list' || name === 'List') return [simpleType('AnyList')]
    if (name === 'tuple' || name === 'Tuple') return [simpleType('AnyTuple')]
    return [e.type(t)]
  })
  const fits = (actual: Type): boolean => types.some((t) => isSubtype(actual, t))
  const members = unionMembers(value.type)
  const canBe = members.filter((m) => fits(m))
  const cannot = members.filter((m) => !fits(m))
  const undecided = members.some((m) => m === AnyType || m === NumberType || (m.kind === 'Class' && m.isInterface))
  // An archive's isinstance was kept because it was not decided when it was compiled; it tests the value itself.
  if (!undecided && cannot.length === 0) return staticCondition(e, true)
  if (!undecided && canBe.length === 0 && !members.some((m) => types.some((t) => isSubtype(t, m)))) return staticCondition(e, false)
  const node = e.b.add('prim::isinstance', [value]).setAttribute('types', { kind: 'types', types })
  const result = node.output.setType(BoolType)
  if (subject.kind !== 'Name') return plain(result)
  const narrow = canBe.length > 0 ? unionOf(canBe) : types.length === 1 ? types[0] : unionOf(types)
  const whenTrue = new Map<string, Type>([[subject.name, narrow]])
  const whenFalse = cannot.length > 0 && canBe.length > 0 ? new Map<string, Type>([[subject.name, unionOf(cannot)]]) : noRefinements
  return { value: result, whenTrue, whenFalse }
}

function hasAttribute(e: Emitter, expr: Expr & { kind: 'Call' }): Condition {
  const [subject, name] = expr.args
  const value = emitValue(e, subject)
  if (name.kind !== 'String') fail("hasattr's second argument must be a string literal", expr)
  const { type } = value
  if (type.kind !== 'Class') fail(`hasattr's first argument must be an object but is of type ${typeAnnotation(type)}`, expr)
  return staticCondition(e, type.attribute(name.value) !== undefined || type.methods.has(name.value) || type.constants.has(name.value))
}

// Displays

/** The element type of a display: what the context wants, else the common type of the items. */
function commonType(items: readonly Value[], wanted: Type | undefined): Type {
  if (wanted !== undefined && items.every((v) => isSubtype(v.type, wanted))) return wanted
  if (items.length === 0) return wanted ?? TensorType
  return items.map((v) => v.type).reduce((a, b) => unifyTypes(a, b, true)!)
}

/** The List (or Dict) type inside a hint. */
function hinted<K extends 'List' | 'Dict' | 'Tuple'>(hint: Type | undefined, kind: K): (Type & { kind: K }) | undefined {
  if (hint === undefined) return undefined
  return unionMembers(hint).find((m): m is Type & { kind: K } => m.kind === kind)
}

function emitList(e: Emitter, expr: Expr & { kind: 'List' }, hint: Type | undefined): Value {
  const wanted = hinted(hint, 'List')?.element
  if (expr.items.some((item) => item.kind === 'Starred')) return emitSpread(e, expr, hint)
  // Where displays of lists and tuples look the same, the type that is wanted tells them apart.
  const tuple = e.dialect === undefined ? undefined : hinted(hint, 'Tuple')
  if (tuple !== undefined && wanted === undefined) return emitValue(e, { ...expr, kind: 'Tuple' }, tuple)
  let items = expr.items.map((item) => emitValue(e, item, wanted))
  if (wanted !== undefined) items = items.map((v) => convertToType(e.b, v, wanted, e.b.widensInts))
  if (e.dialect !== undefined && wanted === undefined) {
    const unified = items.map((v): Type | undefined => v.type).reduce((a, b) => a && b && unifyTypes(a, b), items[0]?.type)
    if (items.length > 0 && unified === undefined) {
      if (items.every((v) => v.type === IntType || v.type === FloatType)) items = items.map((v) => convertToType(e.b, v, FloatType, true))
      else return e.b.add('prim::TupleConstruct', items).output.setType(tupleOf(items.map((v) => v.type)))
    }
  }
  const element = commonType(items, wanted)
  items = items.map((v) => (sameType(v.type, element) ? v : convertToType(e.b, v, element, false)))
  return e.b.add('prim::ListConstruct', items).output.setType(listOf(element))
}

/** `[...a, b]`: lists joined, or a tuple where only tuples are spread. */
function emitSpread(e: Emitter, expr: Expr & { kind: 'List' }, hint: Type | undefined): Value {
  const pieces = expr.items.map((item) => ({
    isSpread: item.kind === 'Starred',
    value: emitValue(e, item.kind === 'Starred' ? item.value : item),
  }))
  const spread = pieces.filter((p) => p.isSpread)
  if (spread.every((p) => p.value.type.kind === 'Tuple')) {
    const items = pieces.flatMap((p) => (p.isSpread ? tupleItems(e, p.value) : [p.value]))
    if (hinted(hint, 'List') === undefined) return e.b.add('prim::TupleConstruct', items).output.setType(tupleOf(items.map((v) => v.type)))
    const type = hinted(hint, 'List')!
    return e.b.add('prim::ListConstruct', items).output.setType(type)
  }
  const type = hinted(hint, 'List') ?? spread.find((p) => p.value.type.kind === 'List')?.value.type
  if (type === undefined || type.kind !== 'List') return fail('Only lists and tuples can be spread', expr)
  const list = (items: readonly Value[]): Value =>
    e.b
      .add(
        'prim::ListConstruct',
        items.map((v) => convertToType(e.b, v, type.element, e.b.widensInts)),
      )
      .output.setType(type)
  const parts: Value[] = []
  let single: Value[] = []
  for (const { isSpread, value } of pieces) {
    if (!isSpread) single.push(value)
    else {
      if (single.length > 0) parts.push(list(single))
      single = []
      parts.push(value.type.kind === 'Tuple' ? list(tupleItems(e, value)) : value)
    }
  }
  if (single.length > 0) parts.push(list(single))
  // A list of its own, also where one list is spread alone.
  return parts.reduce((a, b) => callOperator(e, 'aten::add', [a, b], [], expr.range), list([]))
}

/** An object with the fields of a named tuple. */
function emitRecord(e: Emitter, expr: Expr & { kind: 'Dict' }, type: Type & { kind: 'Tuple' }): Value {
  const { fields, qualifiedName, defaults } = type.named!
  const given = new Map(expr.entries.map(([key, value]) => [(key as Expr & { kind: 'String' }).value, value]))
  for (const [field, value] of given) if (!fields.includes(field)) fail(`${qualifiedName} has no field '${field}'`, value)
  const items = fields.map((field, i) => {
    const value = given.get(field)
    if (value === undefined) {
      const constant = defaults?.[i]
      return constant === undefined ? fail(`Expected a value for the field '${field}' of ${qualifiedName}`, expr) : e.constant(constant)
    }
    const converted = convertToType(e.b, emitValue(e, value, type.elements[i]), type.elements[i], true)
    if (!isSubtype(converted.type, type.elements[i]))
      fail(
        `Expected a value of type '${typeAnnotation(type.elements[i])}' for the field '${field}' but received '${typeAnnotation(converted.type)}'`,
        value,
      )
    return converted
  })
  return e.b.add('prim::TupleConstruct', items).output.setType(type)
}

function emitDict(e: Emitter, expr: Expr & { kind: 'Dict' }, hint: Type | undefined): Value {
  const wanted = hinted(hint, 'Dict')
  const keys = expr.entries.map(([k]) => k)
  const pairs = expr.entries.map(([k, v]) => [emitValue(e, k, wanted?.key), emitValue(e, v, wanted?.value)] as const)
  const key =
    keys.length === 0
      ? (wanted?.key ?? StringType)
      : commonType(
          pairs.map(([k]) => k),
          wanted?.key,
        )
  const values = pairs.map(([, v]) => (wanted === undefined ? v : convertToType(e.b, v, wanted.value, e.b.widensInts)))
  const value = commonType(values, wanted?.value)
  const inputs = pairs.flatMap(([k], i) => [k, convertToType(e.b, values[i], value, e.b.widensInts)])
  return e.b.add('prim::DictConstruct', inputs).output.setType(dictOf(key, value))
}

/** A compile-time constant as a meaning: scalars become nodes when used. */
export const constantMeaning = (value: ConstantValue, type: Type = constantType(value)): Meaning => ({ kind: 'constant', value, type })
export const deviceConstant = (e: Emitter, text: string): Value => e.constant({ kind: 'device', value: text }, DeviceType)
