import type { SourceRange, Value } from '../../ir/graph.js'
import { Graph } from '../../ir/graph.js'
import type { FunctionSchema } from '../../ir/schema.js'
import { schemasOf } from '../../ir/schema.js'
import type { Parameter, ScriptFunction, Type } from '../../ir/types.js'
import {
  AnyType,
  BoolType,
  ComplexType,
  FloatType,
  IntType,
  NoneType,
  StringType,
  TensorType,
  futureOf,
  isNumeric,
  isSubtype,
  listOf,
  sameType,
  tupleOf,
  typeAnnotation,
  typeToString,
} from '../../ir/types.js'
import { UnsupportedError } from '../../util/errors.js'
import type { Expr, FunctionDef, Lambda, Stmt } from '../ast.js'
import { settledName } from '../aliases.js'
import type { Match, NamedValue } from '../schema-matching.js'
import { convertToType, matchSchemas, tryMatchSchemas } from '../schema-matching.js'
import { compileError, renderRange } from '../source.js'
import { asValue, emitBinary, emitCondition, emitExpr, emitNamedBinary, emitValue, toBool, tupleItems } from './expressions.js'
import { Emitter } from './emitter.js'
import type { Meaning } from './values.js'
import { describe, Environment, fail, valueMeaning } from './values.js'
import { lookupTable } from '../tables.js'

/** Inserts the matched operator; several results come as a tuple of meanings. */
function insertMatch(e: Emitter, kind: string, match: Match, isSettled = true): Meaning {
  // What another name stands for now it has always stood for.
  const upgraded = isSettled ? e.unit.upgrade(e, match) : undefined
  if (upgraded !== undefined) return valueMeaning(upgraded)
  const node = e.b.add(kind, match.inputs, 0)
  node.schema = match.schema
  for (const type of match.returnTypes) node.addOutput(type)
  if (node.outputs.length === 1) return valueMeaning(node.outputs[0])
  if (node.outputs.length === 0) return valueMeaning(e.none())
  return { kind: 'meanings', items: node.outputs.map(valueMeaning) }
}

const reversible = new Set([
  'aten::add',
  'aten::sub',
  'aten::mul',
  'aten::div',
  'aten::lt',
  'aten::gt',
  'aten::le',
  'aten::ge',
  'aten::eq',
  'aten::ne',
])

/** A call of an operator by name, overloads resolved. */
export function callOperatorMeaning(
  e: Emitter,
  spelled: string,
  args: readonly Value[],
  kwargs: readonly NamedValue[],
  range: SourceRange,
): Meaning {
  const name = settledName(spelled)
  const schemas = schemasOf(name)
  if (schemas.length === 0) {
    throw new UnsupportedError(`The operator ${name} is not known: PyTorch's own operators and torchvision's are.\n${renderRange(range)}`)
  }
  if (
    args.length === 2 &&
    kwargs.length === 0 &&
    args[1].type === TensorType &&
    (isNumeric(args[0].type) || args[0].type === BoolType) &&
    reversible.has(name)
  ) {
    const direct = tryMatchSchemas(e.b, schemas, args, kwargs)
    if (!('reasons' in direct) && !direct.schema.arguments.every((a) => isNumeric(a.type) || a.type === BoolType))
      return insertMatch(e, name, direct)
    if (!('reasons' in direct)) dropConversions(e, direct, args)
    const at: Expr = { kind: 'None', range }
    return valueMeaning(emitNamedBinary(e, name.slice(6), args[0], args[1], at))
  }
  const old = name === spelled ? e.unit.oldSignature(name) : undefined
  // Only what no overload of today accepts is a call of the old signature.
  if (old !== undefined && !fits(e, schemas, args, kwargs) && fits(e, [functionSchema(old, false)], args, kwargs))
    return valueMeaning(callFunction(e, old, args, kwargs, range))
  return insertMatch(e, name, matchSchemas(e.b, name, schemas, args, kwargs, range), name === spelled)
}
/** Whether a call matches one of the signatures; leaves no nodes behind. */
function fits(e: Emitter, schemas: readonly FunctionSchema[], args: readonly Value[], kwargs: readonly NamedValue[]): boolean {
  const mark = e.b.block.nodes.length
  const match = tryMatchSchemas(e.b, schemas, args, kwargs)
  for (let i = e.b.block.nodes.length - 1; i >= mark; i--) e.b.block.nodes[i].destroy()
  return !('reasons' in match)
}
/** Removes the nodes a match inserted that will not be used. */
function dropConversions(e: Emitter, match: Match, args: readonly Value[]): void {
  for (const input of [...match.inputs].reverse())
    if (!args.includes(input) && input.uses.length === 0 && input.node.owner === e.b.block) input.node.destroy()
}

/** A call of an operator with one result (several: packed in a tuple). */
export function callOperator(e: Emitter, name: string, args: readonly Value[], kwargs: readonly NamedValue[], range: SourceRange): Value {
  return asValue(e, callOperatorMeaning(e, name, args, kwargs, range), { kind: 'None', range })
}

/** The schema that a function's parameters make. */
function functionSchema(fn: ScriptFunction, skipSelf: boolean): FunctionSchema {
  const parameters = skipSelf ? fn.parameters.slice(1) : fn.parameters
  const args = parameters.map((p) => ({ name: p.name, type: p.type, default: p.default, kwargOnly: p.kwargOnly ?? false }))
  const text = `${fn.name}(${args.map((a) => `${typeToString(a.type)} ${a.name}`).join(', ')}) -> ${typeToString(fn.returnType)}`
  return {
    name: fn.qualifiedName,
    overloadName: '',
    fullName: fn.qualifiedName,
    arguments: args,
    returns: [{ type: fn.returnType }],
    isVararg: false,
    isVarret: false,
    text,
  }
}

/** A call of a compiled function. */
export function callFunction(
  e: Emitter,
  fn: ScriptFunction,
  args: readonly Value[],
  kwargs: readonly NamedValue[],
  range: SourceRange,
): Value {
  e.unit.noteCall(e.def, fn, range)
  const match = matchSchemas(e.b, fn.qualifiedName, [functionSchema(fn, false)], args, kwargs, range)
  const callee = e.constant({ kind: 'function', fn }, { kind: 'Function', fn })
  const node = e.b.add('prim::CallFunction', [callee, ...match.inputs])
  return node.output.setType(match.returnTypes[0])
}

/** A call of a method of an object. */
export function callMethod(
  e: Emitter,
  self: Value,
  name: string,
  args: readonly Value[],
  kwargs: readonly NamedValue[],
  range: SourceRange,
): Value {
  const { type } = self
  if (type.kind !== 'Class') throw compileError(`'${typeAnnotation(type)}' object has no method '${name}'`, range)
  if (type.flavor === 'custom') return callOperator(e, customMethod(type.qualifiedName, name), [self, ...args], kwargs, range)
  e.unit.demandMethod(type, name)
  const method = type.methods.get(name)
  if (method === undefined) throw compileError(`'${type.qualifiedName}' has no method '${name}'`, range)
  if (!type.isInterface) e.unit.noteCall(e.def, method, range)
  const match = matchSchemas(e.b, method.qualifiedName, [functionSchema(method, true)], args, kwargs, range)
  const node = e.b.add('prim::CallMethod', [self, ...match.inputs]).setAttribute('name', { kind: 'string', value: name })
  return node.output.setType(match.returnTypes[0])
}

/** The start of a `with` block: calls `__enter__`. The `prim::Exit` that ends the block calls `__exit__`, as an error inside it does. */
export function enterContext(e: Emitter, object: Value, range: SourceRange): Value {
  const { type } = object
  if (type.kind !== 'Class') throw compileError('With item expression must return an object', range)
  const enter = type.methods.get('__enter__')
  const exit = type.methods.get('__exit__')
  if (enter === undefined || exit === undefined)
    throw compileError('Object returned by with item expression does not define __enter__ and __exit__ methods', range)
  if (!type.isInterface) for (const method of [enter, exit]) e.unit.noteCall(e.def, method, range)
  if (enter.parameters.length !== 1) throw compileError('__enter__ must have only one argument and one return value', range)
  if (exit.parameters.length !== 4) throw compileError('__exit__ must have four arguments', range)
  const odd = exit.parameters.findIndex((p, i) => i > 0 && p.type !== AnyType)
  if (odd > 0)
    throw compileError(
      `argument ${odd} of __exit__ must have Any type; TorchScript does not currently support passing exception type, value, or traceback to the __exit__ function.`,
      range,
    )
  return e.b.add('prim::Enter', [object]).output.setType(enter.returnType)
}

/** Operators that stand for methods of packed parameter objects. */
function customMethod(className: string, method: string): string {
  const base = className.split('.').pop()!
  const kind = base.replace('PackedParamsBase', '').toLowerCase()
  if (method === 'unpack') return kind === 'linear' ? 'quantized::linear_unpack' : `quantized::${kind}_unpack`
  return `quantized::${kind}_${method}`
}

interface Arguments {
  readonly args: Value[]
  readonly kwargs: NamedValue[]
}
/** The arguments of a call; `formals` are the parameters of what is called, where they are known. */
function emitArguments(e: Emitter, expr: Expr & { kind: 'Call' }, formals?: readonly Parameter[]): Arguments {
  const hint = (key: number | string): Type | undefined =>
    e.dialect === undefined ? undefined : (typeof key === 'number' ? formals?.[key] : formals?.find((p) => p.name === key))?.type
  const args = expr.args.flatMap((a, i): readonly Value[] => {
    if (a.kind !== 'Starred') return [emitValue(e, a, hint(i))]
    const value = emitValue(e, a.value)
    if (value.type.kind !== 'Tuple') fail('Only tuples can be expanded in a call', a)
    return tupleItems(e, value)
  })
  return { args, kwargs: expr.kwargs.map((k) => ({ name: k.name, value: emitValue(e, k.value, hint(k.name)) })) }
}

/** A call of anything that can be called. */
export function emitCall(e: Emitter, expr: Expr & { kind: 'Call' }, hint: Type | undefined): Meaning {
  return e.dialect === undefined ? applyCall(e, emitExpr(e, expr.fn), expr, hint) : e.dialect.call(e, expr, hint)
}

/** A call of what `expr.fn` means. */
export function applyCall(e: Emitter, callee: Meaning, expr: Expr & { kind: 'Call' }, hint: Type | undefined): Meaning {
  switch (callee.kind) {
    case 'special':
      return emitSpecial(e, callee, expr, hint)
    case 'operator': {
      const { args, kwargs } = emitArguments(e, expr)
      if (
        callee.self === undefined &&
        kwargs.length === 0 &&
        args.length > 0 &&
        callee.name === 'aten::device' &&
        args[0].node.constant?.kind === 'string' &&
        args.length === 1
      ) {
        return valueMeaning(e.constant({ kind: 'device', value: args[0].node.constant.value }))
      }
      if (callee.self === undefined) return operatorCall(e, callee.name, args, kwargs, expr.range)
      return methodOperator(e, callee.self, callee.name, args, kwargs, expr, hint)
    }
    case 'lambda':
      if (expr.kwargs.length > 0) fail('Local functions take no keyword arguments', expr)
      return e.inline(
        callee.lambda,
        expr.args.map((a) => emitExpr(e, a)),
        expr.range,
      )
    case 'function': {
      const { args, kwargs } = emitArguments(e, expr, callee.fn.parameters)
      return valueMeaning(callFunction(e, callee.fn, args, kwargs, expr.range))
    }
    case 'method': {
      const { args, kwargs } = emitArguments(e, expr, method(callee.self, callee.name)?.parameters.slice(1))
      return valueMeaning(callMethod(e, callee.self, callee.name, args, kwargs, expr.range))
    }
    case 'class': {
      e.unit.demandMethod(callee.type, '__init__')
      const { args, kwargs } = emitArguments(e, expr, callee.type.methods.get('__init__')?.parameters.slice(1))
      const object = e.b.add('prim::CreateObject', []).output.setType(callee.type)
      callMethod(e, object, '__init__', args, kwargs, expr.range)
      return valueMeaning(object)
    }
    case 'namedTuple': {
      const { args, kwargs } = emitArguments(e, expr)
      const { elements, named } = callee.type
      const schema: FunctionSchema = {
        name: named!.qualifiedName,
        overloadName: '',
        fullName: named!.qualifiedName,
        isVararg: false,
        isVarret: false,
        text: named!.qualifiedName,
        returns: [{ type: callee.type }],
        arguments: named!.fields.map((name, i) => ({ name, type: elements[i], kwargOnly: false, default: named!.defaults?.[i] })),
      }
      const match = matchSchemas(e.b, named!.qualifiedName, [schema], args, kwargs, expr.range)
      return valueMeaning(e.b.add('prim::TupleConstruct', match.inputs).output.setType(callee.type))
    }
    case 'enum': {
      const { args } = emitArguments(e, expr)
      const constant = args[0]?.node.constant
      const member = callee.type.members.find(
        (m) => constant !== undefined && 'value' in constant && 'value' in m.value && m.value.value === constant.value,
      )
      if (member === undefined) return fail(`Enum class ${callee.type.qualifiedName} takes one of its values, known while compiling`, expr)
      return valueMeaning(e.constant({ kind: 'enum', className: callee.type.qualifiedName, value: member.value }, callee.type))
    }
    case 'value':
      if (callee.value.type.kind === 'Class') {
        e.unit.demandMethod(callee.value.type, 'forward')
        const { methods } = callee.value.type
        const { args, kwargs } = emitArguments(e, expr, methods.get('forward')?.parameters.slice(1))
        return valueMeaning(
          callMethod(
            e,
            callee.value,
            methods.has('forward') && !methods.has('__call__') ? 'forward' : '__call__',
            args,
            kwargs,
            expr.range,
          ),
        )
      }
      if (callee.value.type.kind === 'Function') {
        const { args, kwargs } = emitArguments(e, expr)
        return valueMeaning(callFunction(e, callee.value.type.fn, args, kwargs, expr.range))
      }
      return fail(`cannot call a value of type '${typeAnnotation(callee.value.type)}'`, expr.fn)
    default:
      return fail(`${describe(callee)} cannot be called`, expr)
  }
}

/** An operator call with the rules that have no schema. */
function operatorCall(e: Emitter, name: string, args: Value[], kwargs: NamedValue[], range: SourceRange): Meaning {
  const at: Expr = { kind: 'None', range }
  if (name === 'prim::RaiseException') {
    const node = e.b.add(name, [args[0], args[1] ?? e.none()], 0)
    node.schema = e.unit.schema(name)
    return valueMeaning(e.none())
  }
  if (name === 'aten::is_scripting') return valueMeaning(e.bool(true))
  if (name === 'aten::_unwrap_optional' && args.length === 1) return valueMeaning(unwrapOptional(e, args[0]))
  if (name === 'prim::unchecked_unwrap_optional') return valueMeaning(uncheckedCast(e, args[0], optionalElement(args[0].type)))
  if (name === 'aten::__getitem__' && args[0]?.type.kind === 'Tuple') return tupleItem(e, args[0], args[1], at)
  if (name === 'aten::eq' || name === 'aten::ne') {
    if (args[0]?.type.kind === 'Tuple') return valueMeaning(emitBinary(e, name === 'aten::eq' ? '==' : '!=', args[0], args[1], at))
    if (args[0]?.type.kind === 'Class') return valueMeaning(emitBinary(e, name === 'aten::eq' ? '==' : '!=', args[0], args[1], at))
  }
  if (name === 'aten::len' && args[0]?.type.kind === 'Tuple') return valueMeaning(e.int(args[0].type.elements.length))
  if (
    (name === 'aten::min' || name === 'aten::max') &&
    args.length > 0 &&
    args.every((a) => a.type !== TensorType) &&
    schemasOf(name).length > 0
  ) {
    const primitive = tryMatchSchemas(e.b, schemasOf(name.replace('aten', 'prim')), args, kwargs)
    if (!('reasons' in primitive)) return insertMatch(e, name.replace('aten', 'prim'), primitive)
  }
  return callOperatorMeaning(e, name, args, kwargs, range)
}
const optionalElement = (type: Type): Type => (type.kind === 'Optional' ? type.element : type)
export function unwrapOptional(e: Emitter, value: Value): Value {
  const node = e.b.add('aten::_unwrap_optional', [value])
  node.schema = schemasOf('aten::_unwrap_optional')[0]
  return node.output.setType(value.type === NoneType ? TensorType : optionalElement(value.type))
}
export function uncheckedCast(e: Emitter, value: Value, type: Type): Value {
  return e.b.add('prim::unchecked_cast', [value]).output.setType(type)
}

/** `tuple[i]` with an index known while compiling, or any index where all elements have one type. */
export function tupleItem(e: Emitter, tuple: Value, index: Value, at: Expr): Meaning {
  const { type } = tuple
  if (type.kind !== 'Tuple') return fail('Expected a tuple', at)
  const constant = index.node.constant
  if (constant?.kind === 'int') {
    const n = type.elements.length
    const i = Number(constant.value) < 0 ? Number(constant.value) + n : Number(constant.value)
    if (i < 0 || i >= n) fail(`Tuple index out of range. Tuple is length ${n} and index is ${constant.value}`, at)
    return valueMeaning(e.b.add('prim::TupleIndex', [tuple, index]).output.setType(type.elements[i]))
  }
  if (type.elements.length === 0 || !type.elements.every((t) => sameType(t, type.elements[0]))) {
    return fail(`Cannot index into a ${typeAnnotation(type)} with a non-integer literal because we cannot resolve the output type`, at)
  }
  return valueMeaning(e.b.add('prim::TupleIndex', [tuple, index]).output.setType(type.elements[0]))
}

/** A method of a tensor, list, dict, string ... that is an operator with the object first. */
function methodOperator(
  e: Emitter,
  self: Value,
  name: string,
  args: Value[],
  kwargs: NamedValue[],
  expr: Expr & { kind: 'Call' },
  hint: Type | undefined,
): Meaning {
  const range = expr.range
  const method = name.slice(6)
  if (self.type === TensorType) {
    const casts = lookupTable<number>({
      float: 6,
      double: 7,
      half: 5,
      int: 3,
      long: 4,
      short: 2,
      byte: 0,
      char: 1,
      cfloat: 9,
      cdouble: 10,
      bool: 11,
      bfloat16: 15,
    })
    if (method in casts && args.length === 0) return callOperatorMeaning(e, 'aten::to', [self, e.int(casts[method])], [], range)
    if (method === 'tolist') return valueMeaning(toList(e, self, hint, expr))
    if (method === 'type') return callOperatorMeaning(e, 'aten::to', [self, ...args], kwargs, range)
    if (method === 'size' || schemasOf(name).length > 0) return callOperatorMeaning(e, name, [self, ...args], kwargs, range)
  }
  if (schemasOf(settledName(name)).length === 0)
    fail(`'${typeAnnotation(self.type)}' object has no attribute or method '${method}'.`, expr.fn)
  if (self.type.kind === 'List' && method === 'sort' && kwargs.length === 1)
    return callOperatorMeaning(e, name, [self, kwargs[0].value], [], range)
  return callOperatorMeaning(e, name, [self, ...args], kwargs, range)
}

/** `x.tolist()`: the annotation says the nesting and the element type. */
function toList(e: Emitter, self: Value, type: Type | undefined, at: Expr): Value {
  if (type === undefined) return fail('Expected type hint for result of tolist()', at)
  let depth = 0
  let element = type
  for (; element.kind === 'List'; element = element.element) depth++
  const code = element === IntType ? 0 : element === FloatType ? 1 : element === BoolType ? 2 : element === ComplexType ? 3 : -1
  if (code < 0) fail('tolist() needs a result annotated as int, float, complex or bool, or as a (nested) list of them', at)
  const node = e.b.add('prim::tolist', [self, e.int(depth), e.int(code)])
  return node.output.setType(type)
}

function emitSpecial(e: Emitter, callee: Meaning & { kind: 'special' }, expr: Expr & { kind: 'Call' }, hint: Type | undefined): Meaning {
  const { args, range } = expr
  const need = (n: number): void => {
    if (args.length !== n) fail(`${callee.name} takes ${n} argument${n === 1 ? '' : 's'} but received ${args.length}`, expr)
  }
  switch (callee.name) {
    case 'annotate':
    case 'torch.jit.annotate': {
      need(2)
      const type = e.type(args[0])
      const inner = args[1]
      if (inner.kind === 'Call' && inner.fn.kind === 'Attribute' && inner.fn.name === 'tolist')
        return valueMeaning(toList(e, emitValue(e, inner.fn.value), type, expr))
      const value = convertToType(e.b, emitValue(e, inner, type), type, true)
      if (!isSubtype(value.type, type))
        fail(`expected an expression of type ${typeAnnotation(type)} but found ${typeAnnotation(value.type)}`, expr)
      // The annotation widens the type of literals.
      if (!sameType(value.type, type)) {
        if (type.kind === 'Optional' && value.type === NoneType) return valueMeaning(e.constant({ kind: 'none' }, type))
        return valueMeaning(uncheckedCast(e, value, type))
      }
      return valueMeaning(value)
    }
    case 'unchecked_cast': {
      need(2)
      return valueMeaning(uncheckedCast(e, emitValue(e, args[1]), e.type(args[0])))
    }
    case 'uninitialized':
      need(1)
      return valueMeaning(e.uninitialized(e.type(args[0])))
    case '__new__': {
      const type = e.type(args[0])
      if (type.kind !== 'Class') return fail('__new__ takes a class', expr)
      return valueMeaning(e.b.add('prim::CreateObject', []).output.setType(type))
    }
    case 'fork':
    case 'torch.jit.fork':
      return valueMeaning(emitFork(e, expr))
    case 'torch.jit._unwrap_optional':
      need(1)
      return valueMeaning(unwrapOptional(e, emitValue(e, args[0])))
    case 'torch.jit.wait':
      return callOperatorMeaning(e, 'aten::wait', [emitValue(e, args[0])], [], range)
    case 'isinstance':
    case 'hasattr':
    case 'torch.jit.isinstance':
    case 'torch.jit.is_scripting':
    case 'torch.jit.is_tracing':
      return valueMeaning(emitCondition(e, expr).value)
    case 'getattr': {
      const [object, name] = args
      if (name?.kind !== 'String') return fail("getattr's second argument must be a string literal", expr)
      const synthetic: Expr = { kind: 'Attribute', value: object, name: name.value, range }
      return emitExpr(e, synthetic)
    }
    case 'print': {
      const node = e.b.add(
        'prim::Print',
        args.map((a) => emitValue(e, a)),
        0,
      )
      node.schema = e.unit.schema('prim::Print')
      return valueMeaning(e.none())
    }
    case 'range':
    case 'enumerate':
    case 'zip':
      return { kind: 'iterable', name: callee.name, args: args.map((a) => emitExpr(e, a)) }
    case 'int':
    case 'float':
    case 'bool':
    case 'complex':
    case 'str':
      return valueMeaning(emitCast(e, callee.name, expr))
    case 'list':
      if (args.length === 0)
        return valueMeaning(e.b.add('prim::ListConstruct', []).output.setType(hint?.kind === 'List' ? hint : listOf(TensorType)))
      return valueMeaning(listOfIterable(e, emitExpr(e, args[0]), expr))
    case 'tuple': {
      const meaning = emitExpr(e, args[0])
      if (meaning.kind === 'value' && meaning.value.type.kind === 'Tuple') return meaning
      return fail('tuple() needs a value whose length is known while compiling', expr)
    }
    case 'dict': {
      if (args.length === 0) {
        const items = expr.kwargs.flatMap((k) => [e.constant({ kind: 'string', value: k.name }), emitValue(e, k.value)])
        const value = items.length > 0 ? items[1].type : TensorType
        const type: Type =
          items.length > 0
            ? { kind: 'Dict', key: StringType, value }
            : hint?.kind === 'Dict'
              ? hint
              : { kind: 'Dict', key: StringType, value }
        return valueMeaning(e.b.add('prim::DictConstruct', items).output.setType(type))
      }
      return callOperatorMeaning(e, 'aten::dict', [emitValue(e, args[0])], [], range)
    }
    case 'sorted':
      return callOperatorMeaning(e, 'aten::sorted', emitArguments(e, expr).args, [], range)
    case 'min':
    case 'max':
    case 'abs':
      return callBuiltin(e, [`prim::${callee.name}`, `aten::${callee.name}`], expr)
    case 'len': {
      const value = emitValue(e, args[0])
      if (value.type.kind === 'Class') return valueMeaning(callMethod(e, value, '__len__', [], [], range))
      return operatorCall(e, 'aten::len', [value], [], range)
    }
    case 'bin':
    case 'hex':
    case 'oct':
    case 'chr':
    case 'ord':
    case 'hash':
    case 'divmod':
    case 'pow':
    case 'round':
    case 'sum':
    case 'any':
    case 'all':
      return callBuiltin(e, [`aten::${callee.name}`], expr)
    default:
      return fail(`${callee.name} isn't supported`, expr)
  }
}

/** The first of several operator names that the arguments fit. */
function callBuiltin(e: Emitter, names: readonly string[], expr: Expr & { kind: 'Call' }): Meaning {
  const { args, kwargs } = emitArguments(e, expr)
  for (const name of names) {
    const match = tryMatchSchemas(e.b, schemasOf(name), args, kwargs)
    if (!('reasons' in match)) return insertMatch(e, name, match)
  }
  return callOperatorMeaning(e, names[names.length - 1], args, kwargs, expr.range)
}

function emitCast(e: Emitter, name: string, expr: Expr & { kind: 'Call' }): Value {
  const [first] = expr.args
  const operator = { int: 'aten::Int', float: 'aten::Float', bool: 'aten::Bool', complex: 'aten::Complex', str: 'aten::str' }[name]!
  if (first === undefined)
    return e.constant(
      name === 'str'
        ? { kind: 'string', value: '' }
        : name === 'float'
          ? { kind: 'float', value: 0 }
          : name === 'bool'
            ? { kind: 'bool', value: false }
            : { kind: 'int', value: 0n },
    )
  const args = expr.args.map((a) => emitValue(e, a))
  const [value] = args
  const same: Record<string, Type> = { int: IntType, float: FloatType, bool: BoolType, str: StringType, complex: ComplexType }
  if (args.length === 1 && sameType(value.type, same[name])) return value
  if (name === 'bool') return toBool(e, value, expr)
  if (value.type.kind === 'Class') {
    const method = `__${name}__`
    return callMethod(e, value, method, [], [], expr.range)
  }
  return callOperator(e, operator, args, [], expr.range)
}

function listOfIterable(e: Emitter, meaning: Meaning, at: Expr): Value {
  if (meaning.kind === 'iterable' && meaning.name === 'range' && meaning.args.length === 1)
    return callOperator(e, 'prim::rangelist', [asValue(e, meaning.args[0], at)], [], at.range)
  const value = asValue(e, meaning, at)
  if (value.type.kind === 'Tuple') return convertToType(e.b, value, listOf(value.type.elements[0] ?? TensorType), false)
  if (value.type.kind === 'Dict') return callOperator(e, 'aten::keys', [value], [], at.range)
  return callOperator(e, 'aten::list', [value], [], at.range)
}

/** fork: of a nested function (as archives print it), a function or a method; the body becomes a subgraph with its captures as inputs. */
function emitFork(e: Emitter, expr: Expr & { kind: 'Call' }): Value {
  const [target] = expr.args
  const found = emitExpr(e, target)
  const callee: Meaning = found.kind === 'lambda' ? { kind: 'forked', def: functionOf(found.lambda) } : found
  const rest = { ...expr, args: expr.args.slice(1) }
  const graph = new Graph()
  const node = e.b.add('prim::fork', [], 0)
  if (callee.kind === 'forked') {
    // Captured values become inputs the first time the body names them.
    const captures = new CapturingEnvironment(e.env, node, graph)
    e.unit.noteCall(e.def, callee.def, expr.range)
    const inner = new Emitter(e.unit, callee.def, undefined, undefined, captures, e.dialect)
    captures.graph = inner.graph
    const { graph: body, returnType } = inner.run([])
    node.setAttribute('Subgraph', { kind: 'graph', graph: body })
    return node.addOutput(futureOf(returnType))
  }
  const { args, kwargs } = emitArguments(e, rest)
  const self = callee.kind === 'method' ? [callee.self] : callee.kind === 'value' ? [callee.value] : []
  const fn =
    callee.kind === 'function'
      ? callee.fn
      : callee.kind === 'method'
        ? method(callee.self, callee.name)
        : callee.kind === 'value'
          ? method(callee.value, 'forward')
          : undefined
  if (fn === undefined) return fail('fork takes a function or a method', expr)
  e.unit.noteCall(e.def, fn, expr.range)
  const match = matchSchemas(e.b, fn.qualifiedName, [functionSchema(fn, self.length > 0)], args, kwargs, expr.range)
  for (const input of [...self, ...match.inputs]) {
    node.addInput(input)
    graph.block.addInput(input.type)
  }
  const inputs = [...graph.inputs]
  const call = graph.create(self.length > 0 ? 'prim::CallMethod' : 'prim::CallFunction', [], 1)
  graph.block.append(call)
  if (self.length > 0) call.setAttribute('name', { kind: 'string', value: fn.name })
  else {
    const constant = graph.createConstant({ kind: 'function', fn }, { kind: 'Function', fn })
    constant.insertBefore(call)
    call.addInput(constant.output)
  }
  for (const input of inputs) call.addInput(input)
  call.output.setType(fn.returnType)
  graph.block.addOutput(call.output)
  node.setAttribute('Subgraph', { kind: 'graph', graph })
  // The node must follow the nodes that made its arguments.
  const block = e.b.block
  block.nodes.splice(block.nodes.indexOf(node), 1)
  block.nodes.push(node)
  return node.addOutput(futureOf(fn.returnType))
}
/** A local function without parameters as a nested function. */
function functionOf(lambda: Lambda): FunctionDef {
  if (lambda.parameters.length > 0) fail('A local function that is forked takes no parameters: `jit.fork(() => f(x))`', lambda)
  const { body, range } = lambda
  const statements = Array.isArray(body) ? (body as readonly Stmt[]) : [{ kind: 'Return', value: body as Expr, range } as const]
  return { kind: 'FunctionDef', name: '__forked_function', parameters: [], body: statements, decorators: [], range }
}
function method(self: Value, name: string): ScriptFunction | undefined {
  return self.type.kind === 'Class' ? self.type.methods.get(name) : undefined
}

/** Looks names up in the scope of the fork and makes what is found an input of the forked graph. */
class CapturingEnvironment extends Environment {
  constructor(
    private readonly source: Environment,
    private readonly node: { addInput(value: Value): unknown },
    public graph: Graph,
  ) {
    super()
  }
  override find(name: string): Meaning | undefined {
    const known = super.find(name)
    if (known !== undefined) return known
    if (name.startsWith('%')) return undefined
    const outer = this.source.find(name)
    if (outer?.kind !== 'value') return outer
    this.node.addInput(outer.value)
    const input = this.graph.block.addInput(outer.value.type, outer.value.debugName)
    this.set(name, valueMeaning(input))
    return valueMeaning(input)
  }
}

/** A tuple from several values. */
export const packTuple = (e: Emitter, items: readonly Value[]): Value =>
  e.b.add('prim::TupleConstruct', items).output.setType(tupleOf(items.map((v) => v.type)))
