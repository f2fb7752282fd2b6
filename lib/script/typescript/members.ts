import type { Value } from '../../ir/graph.js'
import type { Type } from '../../ir/types.js'
import { FloatType, IntType, StringType, TensorType, isSubtype, listOf, typeAnnotation } from '../../ir/types.js'
import type { Expr, Stmt } from '../ast.js'
import { applyCall, callOperator } from '../emitter/calls.js'
import type { Emitter } from '../emitter/emitter.js'
import { asValue, emitBinary, emitExpr, emitValue } from '../emitter/expressions.js'
import { basicIndices, indexList, indexTensor, likeTensor } from '../emitter/indexing.js'
import type { Meaning } from '../emitter/values.js'
import { Environment, fail, valueMeaning } from '../emitter/values.js'
import { convertToType } from '../schema-matching.js'
import { lookupTable } from '../tables.js'
import { mathFunctions } from './names.js'

type Call = Expr & { kind: 'Call' }

/** A call at hand: the object, the arguments, and short ways to operators. */
class MemberCall {
  constructor(
    readonly e: Emitter,
    readonly self: Value,
    readonly expr: Call,
    readonly hint: Type | undefined,
  ) {}

  /** Checks the number of arguments. */
  need(least: number, most = least): void {
    const n = this.expr.args.length
    if (n < least || n > most)
      fail(`Expected ${least === most ? least : `${least} to ${most}`} argument${most === 1 ? '' : 's'} but received ${n}`, this.expr)
  }
  arg(i: number, hint?: Type): Value {
    if (i >= this.expr.args.length) fail(`Expected ${i + 1} argument${i === 0 ? '' : 's'} but received ${this.expr.args.length}`, this.expr)
    const value = emitValue(this.e, this.expr.args[i], hint)
    return hint === undefined ? value : convertToType(this.e.b, value, hint, true)
  }
  /** The argument, or None where there is none. */
  optional(i: number): Value {
    return this.expr.args.length > i ? this.arg(i) : this.e.none()
  }
  op(name: string, ...args: Value[]): Value {
    return callOperator(this.e, `aten::${name}`, args, [], this.expr.range)
  }
  string(value: string): Value {
    return this.e.constant({ kind: 'string', value })
  }
  name(name: string): Expr {
    return { kind: 'Name', name, range: this.expr.range }
  }
  call(name: string, ...args: Expr[]): Expr {
    return { kind: 'Call', fn: this.name(name), args, kwargs: [], range: this.expr.range }
  }
  /** Emits with a value under a name that lasts no longer. */
  bound<T>(name: string, value: Meaning, emit: () => T): T {
    const { e } = this
    const saved = e.env
    e.env = new Environment(saved)
    e.env.set(name, value)
    try {
      return emit()
    } finally {
      e.env = saved
    }
  }
  /** The function argument, applied to expressions. */
  apply(i: number, ...args: Expr[]): Expr {
    const fn = this.expr.args[i]
    if (fn === undefined) return fail('Expected a function', this.expr)
    const used = fn.kind === 'Lambda' ? args.slice(0, fn.parameters.length) : args.slice(0, 1)
    return { kind: 'Call', fn, args: used, kwargs: [], range: fn.range }
  }
}

type Members = Record<string, (c: MemberCall) => Meaning | Value | void>

const contains = (c: MemberCall): Value => c.op('__contains__', c.self, c.arg(0))
const elementOf = (type: Type): Type => (type.kind === 'List' ? type.element : TensorType)

/** `list.map(f)` as a comprehension; the function may take the index as well. */
function comprehension(
  c: MemberCall,
  iterable: Expr,
  element: (item: Expr, index: Expr) => Expr,
  conditions: readonly Expr[],
  withIndex: boolean,
): Value {
  const [item, index] = [c.name('.item'), c.name('.index')]
  const range = c.expr.range
  const target: Expr = withIndex ? { kind: 'Tuple', items: [index, item], range } : item
  const iter = withIndex ? c.call('.enumerate', iterable) : iterable
  return emitValue(c.e, { kind: 'ListComp', element: element(item, index), target, iter, conditions, range }, c.hint)
}
const takesIndex = (fn: Expr | undefined): boolean => fn?.kind === 'Lambda' && fn.parameters.length > 1
const mapped = (c: MemberCall): Value =>
  c.bound('.list', valueMeaning(c.self), () =>
    comprehension(c, c.name('.list'), (item, index) => c.apply(0, item, index), [], takesIndex(c.expr.args[0])),
  )
const bools = (c: MemberCall): Value => mapped(new MemberCall(c.e, c.self, c.expr, listOf(c.e.bool(true).type)))

const listMembers: Members = lookupTable({
  push(c: MemberCall) {
    const element = elementOf(c.self.type)
    c.expr.args.forEach((arg, i) => {
      if (arg.kind === 'Starred') return void c.op('extend', c.self, emitValue(c.e, arg.value))
      const value = c.arg(i, element)
      if (!isSubtype(value.type, element))
        fail(`Expected a value of type '${typeAnnotation(element)}' to push but received one of type '${typeAnnotation(value.type)}'`, arg)
      c.op('append', c.self, value)
    })
  },
  pop: (c: MemberCall) => c.op('pop', c.self),
  shift: (c: MemberCall) => c.op('pop', c.self, c.e.int(0)),
  unshift: (c: MemberCall) => void c.op('insert', c.self, c.e.int(0), c.arg(0, elementOf(c.self.type))),
  includes: contains,
  at: (c: MemberCall) => c.op('__getitem__', c.self, c.arg(0)),
  slice: (c: MemberCall) => c.op('slice', c.self, c.optional(0), c.optional(1), c.e.int(1)),
  concat: (c: MemberCall) => c.expr.args.reduce((list, _, i) => c.op('add', list, c.arg(i, c.self.type)), c.self),
  reverse(c: MemberCall) {
    c.op('reverse', c.self)
    return c.self
  },
  join: (c: MemberCall) => c.op('join', c.expr.args.length > 0 ? c.arg(0) : c.string(','), c.self),
  sort(c: MemberCall) {
    c.op('sort', c.self, c.e.bool(isDescending(c)))
    return c.self
  },
  map: mapped,
  filter: (c: MemberCall) =>
    c.bound('.list', valueMeaning(c.self), () => comprehension(c, c.name('.list'), (item) => item, [c.apply(0, c.name('.item'))], false)),
  some: (c: MemberCall) => c.op('any', bools(c)),
  every: (c: MemberCall) => c.op('all', bools(c)),
  reduce: (c: MemberCall) => reduce(c),
  entries: (c: MemberCall): Meaning => ({ kind: 'iterable', name: 'enumerate', args: [valueMeaning(c.self)] }),
  keys: (c: MemberCall): Meaning => ({ kind: 'iterable', name: 'range', args: [valueMeaning(c.op('len', c.self))] }),
  values: (c: MemberCall) => c.self,
  forEach: (c: MemberCall) => fail('forEach is not supported. Write `for (const x of xs) { ... }`', c.expr),
  indexOf: (c: MemberCall) =>
    fail('indexOf of lists is not supported. Write a loop, or `includes` where the place does not matter', c.expr),
  find: (c: MemberCall) => fail('find is not supported. Write a loop that returns what it finds', c.expr),
  splice: (c: MemberCall) => fail('splice is not supported. Write `[...xs.slice(0, i), ...xs.slice(j)]`', c.expr),
  fill: (c: MemberCall) => fail('fill is not supported. Write `Array.from({ length: n }, () => value)`', c.expr),
})

/** Whether the comparison of `sort((a, b) => a - b)` turns the order around. */
function isDescending(c: MemberCall): boolean {
  const [fn] = c.expr.args
  const body = fn?.kind === 'Lambda' && !Array.isArray(fn.body) ? (fn.body as Expr) : undefined
  if (fn?.kind === 'Lambda' && fn.parameters.length === 2 && body?.kind === 'Binary' && body.op === '-') {
    const [a, b] = fn.parameters.map((p) => p.name)
    const { left, right } = body
    if (left.kind === 'Name' && right.kind === 'Name') {
      if (left.name === a && right.name === b) return false
      if (left.name === b && right.name === a) return true
    }
  }
  return fail('Expected a comparison `(a, b) => a - b` or `(a, b) => b - a`; without one, JavaScript sorts by text', c.expr)
}

function reduce(c: MemberCall): Value {
  const { e, expr } = c
  c.need(2)
  const [sum, item, range] = [c.name('.sum'), c.name('.item'), expr.range]
  const start = emitValue(e, expr.args[1], c.hint)
  return c.bound('.list', valueMeaning(c.self), () => {
    e.env.set('.sum', valueMeaning(start))
    const body: Stmt = { kind: 'Assign', targets: [sum], value: c.apply(0, sum, item), range }
    const fn = expr.args[0]
    if (fn.kind === 'Lambda' && fn.parameters.length > 2) fail('The function of reduce takes two arguments', fn)
    const step: Stmt = { ...body, value: { ...(body.value as Call), args: [sum, item] } }
    e.statements([{ kind: 'For', target: item, iter: c.name('.list'), body: [step], range }])
    return emitValue(e, sum)
  })
}

const dictMembers: Members = lookupTable({
  get: (c: MemberCall) => (c.expr.args.length > 1 ? c.op('get', c.self, c.arg(0), c.arg(1)) : c.op('get', c.self, c.arg(0))),
  set(c: MemberCall) {
    c.need(2)
    const [key, value] = c.self.type.kind === 'Dict' ? [c.self.type.key, c.self.type.value] : []
    c.op('_set_item', c.self, c.arg(0, key), c.arg(1, value))
    return c.self
  },
  has: contains,
  delete: (c: MemberCall) => void c.op('Delete', c.self, c.arg(0)),
  clear: (c: MemberCall) => void c.op('clear', c.self),
  keys: (c: MemberCall) => c.op('keys', c.self),
  values: (c: MemberCall) => c.op('values', c.self),
  entries: (c: MemberCall) => c.op('items', c.self),
  forEach: (c: MemberCall) => fail('forEach is not supported. Write `for (const [key, value] of map) { ... }`', c.expr),
})

const simpleString =
  (name: string) =>
  (c: MemberCall): Value =>
    c.op(name, c.self, ...c.expr.args.map((_, i) => c.arg(i)))
const stringMembers: Members = lookupTable({
  toUpperCase: simpleString('upper'),
  toLowerCase: simpleString('lower'),
  trim: simpleString('strip'),
  trimStart: simpleString('lstrip'),
  trimEnd: simpleString('rstrip'),
  startsWith: simpleString('startswith'),
  endsWith: simpleString('endswith'),
  replaceAll: simpleString('replace'),
  replace: (c: MemberCall) => c.op('replace', c.self, c.arg(0), c.arg(1), c.e.int(1)),
  split: (c: MemberCall) => c.op('split', c.self, c.arg(0)),
  indexOf: (c: MemberCall) => c.op('find', c.self, c.arg(0)),
  lastIndexOf: (c: MemberCall) => c.op('rfind', c.self, c.arg(0)),
  includes: (c: MemberCall) => c.op('ne', c.op('find', c.self, c.arg(0)), c.e.int(-1)),
  charAt: (c: MemberCall) => c.op('__getitem__', c.self, c.arg(0)),
  at: (c: MemberCall) => c.op('__getitem__', c.self, c.arg(0)),
  slice: (c: MemberCall) => c.op('slice', c.self, c.optional(0), c.optional(1), c.e.int(1)),
  substring: (c: MemberCall) => c.op('slice', c.self, c.optional(0), c.optional(1), c.e.int(1)),
  padStart: (c: MemberCall) => c.op('rjust', c.self, c.arg(0), c.expr.args.length > 1 ? c.arg(1) : c.string(' ')),
  padEnd: (c: MemberCall) => c.op('ljust', c.self, c.arg(0), c.expr.args.length > 1 ? c.arg(1) : c.string(' ')),
  concat: (c: MemberCall) => c.expr.args.reduce((text, _, i) => c.op('add', text, c.arg(i)), c.self),
  toString: (c: MemberCall) => c.self,
})

const numberMembers: Members = lookupTable({
  toString: (c: MemberCall) => c.op('str', c.self),
  toFixed: (c: MemberCall) => fail('Numbers have no formats in TorchScript. Write a template: `${x}`', c.expr),
})

// Tensors

const dottedInTorch = (of: Expr): string =>
  of.kind === 'Name' ? of.name : of.kind === 'Attribute' && of.value.kind === 'Name' && of.value.name === 'torch' ? of.name : ''
const isSlice = (expr: Expr): boolean => expr.kind === 'Call' && dottedInTorch(expr.fn) === 'slice'
const isEllipsis = (expr: Expr): boolean => dottedInTorch(expr) === 'ellipsis'

/** `slice(1, null, 2)`, `ellipsis` and null as the index expressions of the tree. */
function indexExpr(expr: Expr): Expr {
  if (expr.kind === 'Call' && isSlice(expr)) {
    const bounds = expr.args.map((a) => (a.kind === 'None' ? undefined : a))
    const [start, stop, step] = bounds.length === 1 ? [undefined, bounds[0]] : bounds
    return { kind: 'Slice', start, stop, step, range: expr.range }
  }
  return isEllipsis(expr) ? { kind: 'Ellipsis', range: expr.range } : expr
}
/** The indices that an argument holds: one, or a list of them. A list of numbers is one index, which stands for a tensor. */
function indicesOf(e: Emitter, expr: Expr): readonly Expr[] {
  if (expr.kind !== 'List') return [indexExpr(expr)]
  const isIndex = (item: Expr): boolean => {
    if (item.kind === 'None' || isSlice(item) || isEllipsis(item)) return true
    const known = item.kind === 'Name' ? e.lookup(item.name) : undefined
    return known?.kind === 'value' ? known.value.type === TensorType : item.kind === 'Call' || item.kind === 'Attribute'
  }
  return expr.items.some(isIndex) ? expr.items.map(indexExpr) : [expr]
}

const tensorMembers: Members = lookupTable({
  index(c: MemberCall) {
    const { args } = c.expr
    return indexTensor(c.e, c.self, args.length === 1 ? indicesOf(c.e, args[0]) : args.map(indexExpr), c.expr)
  },
  set(c: MemberCall) {
    c.need(2)
    const [indices] = c.expr.args
    return put(c, c.self, indices.kind === 'List' ? indices.items.map(indexExpr) : [indexExpr(indices)])
  },
  indexPut_: (c: MemberCall) => put(c, c.self, listed(c)),
  indexPut: (c: MemberCall) => put(c, c.op('clone', c.self), listed(c)),
})
function listed(c: MemberCall): readonly Expr[] {
  c.need(2, 3)
  const [indices] = c.expr.args
  if (indices.kind !== 'List') fail('Expected the indices in brackets: `x.indexPut([i, slice(1, null)], value)`', c.expr)
  return indices.kind === 'List' ? indices.items.map(indexExpr) : []
}
/** Writes the elements that indices pick, or adds to them. */
function put(c: MemberCall, tensor: Value, items: readonly Expr[]): Value {
  const { e, expr } = c
  const { view, indices } = basicIndices(e, tensor, items, expr)
  const source = likeTensor(e, c.arg(1), tensor, expr)
  const options = expr.args[2]
  const chosen =
    options?.kind === 'Dict' ? options.entries.find(([key]) => key.kind === 'String' && key.value === 'accumulate')?.[1] : undefined
  const accumulate = chosen === undefined ? e.bool(false) : emitValue(e, chosen)
  if (indices.length > 0) c.op('index_put_', view, indexList(e, indices), source, accumulate)
  else if (chosen?.kind === 'Bool' && chosen.value) c.op('add_', view, source)
  else c.op('copy_', view, source)
  return tensor
}

// Namespaces

function mathCall(e: Emitter, name: string, expr: Call): Meaning {
  const { args, range } = expr
  const op = (operator: string, ...values: Value[]): Meaning => valueMeaning(callOperator(e, `aten::${operator}`, values, [], range))
  const special = (builtin: string, items: readonly Expr[]): Meaning =>
    applyCall(e, { kind: 'special', name: builtin }, { ...expr, args: items, kwargs: [] }, undefined)
  const isKnown = name in mathFunctions || ['trunc', 'round', 'abs', 'min', 'max', 'log2'].includes(name)
  if (isKnown && args.length === 0) fail(`Expected an argument of Math.${name}`, expr)
  switch (name) {
    case 'floor':
      if (args[0]?.kind === 'Binary' && args[0].op === '/') {
        // The quotient of ints, without a way over floats.
        const [left, right] = [emitValue(e, args[0].left), emitValue(e, args[0].right)]
        if (left.type === IntType && right.type === IntType) return op('floordiv', left, right)
        return op('floor', emitBinary(e, '/', left, right, args[0]))
      }
      break
    case 'trunc': {
      const value = emitValue(e, args[0])
      return value.type === IntType ? valueMeaning(value) : op('Int', value)
    }
    case 'round': {
      const value = emitValue(e, args[0])
      if (value.type === IntType) return valueMeaning(value)
      return op('floor', callOperator(e, 'aten::add', [value, e.constant({ kind: 'float', value: 0.5 })], [], range))
    }
    case 'abs':
      return special('abs', args)
    case 'min':
    case 'max': {
      const [first] = args
      if (args.length === 1 && first.kind === 'Starred') return special(name, [first.value])
      if (args.length < 2) return fail(`Math.${name} takes two or more numbers, or a list: \`Math.${name}(...xs)\``, expr)
      return valueMeaning(
        args
          .map((a) => emitValue(e, a))
          .reduce((a, b) => {
            const [x, y] = a.type === b.type ? [a, b] : [convertToType(e.b, a, FloatType, true), convertToType(e.b, b, FloatType, true)]
            return callOperator(e, `prim::${name}`, [x, y], [], range)
          }),
      )
    }
    case 'log2': {
      const two = e.constant({ kind: 'float', value: Math.LN2 })
      return op('div', callOperator(e, 'aten::log', [emitValue(e, args[0])], [], range), two)
    }
  }
  const operator = mathFunctions[name]
  if (operator === undefined) return fail(`Math.${name} has no counterpart in TorchScript`, expr)
  const values = args.map((a) => emitValue(e, a))
  if (values.some((v) => v.type === TensorType)) return fail(`Math.${name} takes numbers. Write \`x.${name}()\` for tensors`, expr)
  return op(operator, ...values)
}

/** `Array.from({ length: n }, (_, i) => ...)`, `Array.from(xs)`. */
function arrayFrom(e: Emitter, expr: Call, hint: Type | undefined): Meaning {
  const [source, fn] = expr.args
  const c = new MemberCall(e, e.none(), expr, hint)
  if (source?.kind === 'Dict' && source.record === true) {
    const length = source.entries.find(([k]) => k.kind === 'String' && k.value === 'length')?.[1]
    if (length === undefined || fn === undefined) return fail('Expected `Array.from({ length: n }, (_, i) => value)`', expr)
    const range = c.call('.range', length)
    return valueMeaning(
      c.bound('.none', valueMeaning(e.none()), () => comprehension(c, range, (item) => c.apply(1, c.name('.none'), item), [], false)),
    )
  }
  if (fn !== undefined) return fail('Expected one argument. Write `xs.map(f)`', expr)
  return applyCall(e, { kind: 'special', name: 'list' }, expr, hint)
}

function namespaceCall(e: Emitter, path: string, name: string, expr: Call, hint: Type | undefined): Meaning | undefined {
  const dict = (operator: string): Meaning =>
    valueMeaning(callOperator(e, `aten::${operator}`, [emitValue(e, expr.args[0])], [], expr.range))
  switch (path) {
    case 'Math':
      return mathCall(e, name, expr)
    case 'Array':
      if (name === 'from') return arrayFrom(e, expr, hint)
      return fail(`Array.${name} isn't supported`, expr)
    case 'Object':
      if (expr.args.length !== 1) fail(`Expected one argument of Object.${name}`, expr)
      if (name === 'keys') return dict('keys')
      if (name === 'values') return dict('values')
      if (name === 'entries') return dict('items')
      return fail(`Object.${name} isn't supported`, expr)
    default:
      return undefined
  }
}

// Doors

function membersOf(value: Value): Members | undefined {
  const { type } = value
  if (type === TensorType) return tensorMembers
  if (type === StringType) return stringMembers
  if (type === IntType || type === FloatType) return numberMembers
  return type.kind === 'List' ? listMembers : type.kind === 'Dict' ? dictMembers : undefined
}

/** A call of a member that JavaScript has and Python has not, or not so; undefined where the member is looked up as usual. */
export function callMember(e: Emitter, base: Meaning, name: string, expr: Call, hint: Type | undefined): Meaning | undefined {
  if (base.kind === 'namespace') return namespaceCall(e, base.path, name, expr, hint)
  if (base.kind !== 'value' && base.kind !== 'constant' && base.kind !== 'meanings') return undefined
  const self = asValue(e, base, expr)
  if (self.type.kind === 'Class' && self.type.isModule) return moduleMember(e, self, name, expr)
  const members = membersOf(self)
  const member = members?.[name]
  if (member === undefined) {
    if (members === listMembers || members === dictMembers || members === stringMembers) {
      const what = members === listMembers ? 'Lists' : members === dictMembers ? 'Maps' : 'Strings'
      return fail(`${what} have no method ${name} in TorchScript; they have ${Object.keys(members).sort().join(', ')}`, expr.fn)
    }
    return undefined
  }
  const result = member(new MemberCall(e, self, expr, hint))
  if (result === undefined) return valueMeaning(e.none())
  return 'kind' in result ? result : valueMeaning(result)
}

/** Members of containers of modules, which TypeScript calls by methods where Python has brackets. */
function moduleMember(e: Emitter, self: Value, name: string, expr: Call): Meaning | undefined {
  if (self.type.kind !== 'Class') return undefined
  e.unit.demandMethod(self.type, name)
  if (self.type.methods.has(name) || self.type.attribute(name) !== undefined) return undefined
  const c = new MemberCall(e, self, expr, undefined)
  switch (name) {
    case 'at':
    case 'get': {
      c.need(1)
      const item = (): Meaning => emitExpr(e, { kind: 'Subscript', value: c.name('.module'), items: expr.args, range: expr.range })
      return c.bound('.module', valueMeaning(self), item)
    }
    case 'entries': {
      const isNumbered = self.type.attributes.filter((a) => a.type.kind === 'Class').every((a) => /^\d+$/.test(a.name))
      if (isNumbered) return { kind: 'iterable', name: 'enumerate', args: [valueMeaning(self)] }
      return { kind: 'meanings', items: named(e, self).map(([key, value]) => ({ kind: 'meanings', items: [key, value] })) }
    }
    case 'items':
      return { kind: 'meanings', items: named(e, self).map(([key, value]) => ({ kind: 'meanings', items: [key, value] })) }
    case 'keys':
      return { kind: 'meanings', items: named(e, self).map(([key]) => key) }
    case 'values':
      return { kind: 'meanings', items: named(e, self).map(([, value]) => value) }
  }
  return undefined
}
function named(e: Emitter, self: Value): [Meaning, Meaning][] {
  if (self.type.kind !== 'Class') return []
  return self.type.attributes
    .filter((a) => a.type.kind === 'Class')
    .map((a): [Meaning, Meaning] => {
      const get = e.b.add('prim::GetAttr', [self]).setAttribute('name', { kind: 'string', value: a.name }).output.setType(a.type)
      return [valueMeaning(e.constant({ kind: 'string', value: a.name })), valueMeaning(get)]
    })
}

/** Members that are no calls: sizes. */
export function constantMember(e: Emitter, value: Value, name: string, at: Expr): Meaning | undefined {
  const { type } = value
  const len = (): Meaning => valueMeaning(callOperator(e, 'aten::len', [value], [], at.range))
  if (name === 'length') {
    if (type.kind === 'List' || type === StringType) return len()
    if (type.kind === 'Tuple') return valueMeaning(e.int(type.elements.length))
    if (type.kind === 'Class' && type.isModule && type.attribute('length') === undefined)
      return valueMeaning(e.int(type.attributes.filter((a) => a.type.kind === 'Class').length))
    if (type.kind === 'Dict') return fail('Maps have no length. Write `map.size`', at)
  }
  if (name === 'size' && type.kind === 'Dict') return len()
  if (type.kind === 'Class' || type.kind === 'Enum' || (type.kind === 'Tuple' && type.named !== undefined) || type.kind === 'Future')
    return undefined
  if (type.kind === 'Tuple') return undefined
  const members = membersOf(value)
  if (members === undefined) return undefined
  if (type.kind === 'Dict' && !(name in members)) {
    // Records are read by the names of their fields.
    return valueMeaning(callOperator(e, 'aten::__getitem__', [value, e.constant({ kind: 'string', value: name })], [], at.range))
  }
  if (name in members) return fail(`The method ${name} needs to be called`, at)
  return fail(`${typeAnnotation(type)} has no member ${name}`, at)
}
