import type { GraphBuilder, SourceRange, Value } from '../ir/graph.js'
import type { FunctionSchema, SchemaArgument } from '../ir/schema.js'
import type { ConstantValue, Type } from '../ir/types.js'
import {
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
  futureOf,
  hasTypeVariables,
  isSubtype,
  listOf,
  optionalOf,
  sameType,
  scalarConstantType,
  tupleOf,
  typeToString,
  unionOf,
} from '../ir/types.js'
import { schemaByFullName } from '../ir/schema.js'
import { compileError } from './source.js'

/** Keyword argument of a call. */
export interface NamedValue {
  readonly name: string
  readonly value: Value
}
type TypeEnv = Map<string, Type>

export interface Match {
  readonly schema: FunctionSchema
  readonly inputs: Value[]
  readonly returnTypes: readonly Type[]
}

/** Binds the type variables of `formal` so that `actual` fits; false when it cannot. */
function bind(formal: Type, actual: Type, env: TypeEnv): boolean {
  switch (formal.kind) {
    case 'Var': {
      const known = env.get(formal.name)
      if (known === undefined) {
        env.set(formal.name, actual)
        return true
      }
      if (isSubtype(actual, known)) return true
      const joined = unifyTypes(known, actual)
      if (joined === undefined) return false
      env.set(formal.name, joined)
      return true
    }
    case 'List':
      if (actual.kind === 'List') return bind(formal.element, actual.element, env)
      return !hasTypeVariables(formal)
    case 'Future':
    case 'RRef':
    case 'Await':
      return actual.kind === formal.kind ? bind(formal.element, actual.element, env) : !hasTypeVariables(formal)
    case 'Dict':
      return actual.kind === 'Dict' ? bind(formal.key, actual.key, env) && bind(formal.value, actual.value, env) : !hasTypeVariables(formal)
    case 'Tuple':
      if (actual.kind !== 'Tuple') return !hasTypeVariables(formal)
      return actual.elements.length === formal.elements.length && formal.elements.every((f, i) => bind(f, actual.elements[i], env))
    case 'Optional':
      if (actual.kind === 'Optional') return bind(formal.element, actual.element, env)
      return actual === NoneType ? true : bind(formal.element, actual, env)
    default:
      return true
  }
}
function substitute(type: Type, env: TypeEnv): Type {
  if (!hasTypeVariables(type)) return type
  switch (type.kind) {
    case 'Var':
      return env.get(type.name) ?? type
    case 'List':
      return listOf(substitute(type.element, env))
    case 'Optional':
      return optionalOf(substitute(type.element, env))
    case 'Future':
      return futureOf(substitute(type.element, env))
    case 'Dict':
      return dictOf(substitute(type.key, env), substitute(type.value, env))
    case 'Tuple':
      return tupleOf(type.elements.map((e) => substitute(e, env)))
    default:
      return type
  }
}

/** The type that values of both types can have, or undefined: T and None give Optional[T], elements of tuples join one by one. */
export function unifyTypes(a: Type, b: Type, orUnion = false): Type | undefined {
  if (isSubtype(a, b)) return b
  if (isSubtype(b, a)) return a
  if (a === NoneType) return optionalOf(b)
  if (b === NoneType) return optionalOf(a)
  if (a.kind === 'Optional' || b.kind === 'Optional') {
    const inner = unifyTypes(a.kind === 'Optional' ? a.element : a, b.kind === 'Optional' ? b.element : b, orUnion)
    if (inner !== undefined) return optionalOf(inner)
  }
  if (a.kind === 'Tuple' && b.kind === 'Tuple' && a.elements.length === b.elements.length) {
    const elements = a.elements.map((e, i) => unifyTypes(e, b.elements[i], orUnion))
    if (elements.every((e) => e !== undefined)) return tupleOf(elements)
  }
  if (a.kind === 'Future' && b.kind === 'Future') {
    const inner = unifyTypes(a.element, b.element, orUnion)
    if (inner !== undefined) return futureOf(inner)
  }
  return orUnion ? unionOf([a, b]) : undefined
}

const isListOf = (type: Type): Type | undefined => (type.kind === 'List' ? type.element : undefined)
const unwrapOptional = (type: Type): Type => (type.kind === 'Optional' ? type.element : type)
/** A tuple all of whose elements fit the list's element type, or such a list. */
function convertibleToList(type: Type, list: Type): boolean {
  if (list.kind !== 'List') return false
  return isSubtype(type, list) || (type.kind === 'Tuple' && type.elements.every((e) => isSubtype(e, list.element)))
}

/** Inserts nodes that turn constants and operators into values; an operator call without overload resolution. */
export function insertOperator(b: GraphBuilder, fullName: string, inputs: readonly Value[]): Value {
  const schema = schemaByFullName(fullName)!
  const node = b.add(schema.name, inputs)
  node.schema = schema
  node.output.setType(schema.returns[0].type)
  return node.output
}

/**
 * Converts a value to a type as PyTorch does implicitly, and returns the value unchanged where no conversion exists:
 * tuples to lists always; with `allow`, Tensor to numbers, number to int, float or complex, str to Device.
 */
export function convertToType(b: GraphBuilder, value: Value, type: Type, allow: boolean): Value {
  if (type.kind === 'Optional' && value.type.kind !== 'Optional' && value.type !== NoneType)
    return convertToType(b, value, type.element, allow)
  if (value.type.kind === 'Tuple') {
    if (type.kind === 'List' && convertibleToList(value.type, type)) {
      const list = b.add('prim::ListConstruct', unpackTuple(b, value))
      list.output.setType(type)
      return list.output
    }
    if (type.kind === 'Tuple' && !isSubtype(value.type, type) && value.type.elements.length === type.elements.length) {
      const parts = unpackTuple(b, value).map((v, i) => convertToType(b, v, type.elements[i], allow))
      const tuple = b.add('prim::TupleConstruct', parts)
      tuple.output.setType(
        tupleOf(
          parts.map((p) => p.type),
          type.named,
        ),
      )
      return tuple.output
    }
    if (
      type.kind === 'Tuple' &&
      type.named !== undefined &&
      value.type.named === undefined &&
      value.type.elements.length === type.elements.length
    ) {
      const tuple = b.add('prim::TupleConstruct', unpackTuple(b, value))
      tuple.output.setType(type)
      return tuple.output
    }
  }
  const constant = value.node.constant
  // PyTorch prints integral floats from 1e10 on without a dot; where a float is asked for, such a literal was one.
  if (type === FloatType && constant?.kind === 'int' && (constant.value >= 10000000000n || constant.value <= -10000000000n)) {
    return b.constant({ kind: 'float', value: Number(constant.value) }, FloatType)
  }
  if (!allow) return value
  if (b.widensInts && type === FloatType && value.type === IntType) {
    if (constant?.kind === 'int') return b.constant({ kind: 'float', value: Number(constant.value) }, FloatType)
    return insertOperator(b, 'aten::Float.int', [value])
  }
  if (value.type === TensorType) {
    // The language has no such conversion: a tensor would stay a tensor.
    if (b.widensInts) return value
    if (type === FloatType) return insertOperator(b, 'aten::FloatImplicit', [value])
    if (type === ComplexType) return insertOperator(b, 'aten::ComplexImplicit', [value])
    if (type === IntType) return insertOperator(b, 'aten::IntImplicit', [value])
    if (type === NumberType) return insertOperator(b, 'aten::ScalarImplicit', [value])
  } else if (value.type === NumberType) {
    if (type === FloatType) return insertOperator(b, 'aten::Float.Scalar', [value])
    if (type === ComplexType) return insertOperator(b, 'aten::Complex.Scalar', [value])
    if (type === IntType) return insertOperator(b, 'aten::Int.Scalar', [value])
  } else if (value.type === BoolType) {
    if (type === FloatType) return insertOperator(b, 'aten::Float.bool', [value])
    if (type === IntType || type === NumberType) return insertOperator(b, 'aten::Int.bool', [value])
  } else if (value.type === StringType && type === DeviceType) {
    return insertOperator(b, 'aten::device', [value])
  }
  return value
}

/** The elements of a tuple value; of a tuple just constructed, its inputs. */
export function unpackTuple(b: GraphBuilder, value: Value): readonly Value[] {
  if (value.node.kind === 'prim::TupleConstruct') return value.node.inputs
  const { type } = value
  const elements = type.kind === 'Tuple' ? type.elements : []
  const node = b.add('prim::TupleUnpack', [value], 0)
  return elements.map((e) => node.addOutput(e))
}

/** The type of a constant by its kind; lists and tuples by their items. */
export function constantType(value: ConstantValue): Type {
  const scalar = scalarConstantType(value)
  if (scalar !== undefined) return scalar
  switch (value.kind) {
    case 'list':
      return (
        value.type ??
        listOf(value.items.length === 0 ? TensorType : value.items.map(constantType).reduce((a, b) => unifyTypes(a, b, true)!))
      )
    case 'tuple':
      return value.type ?? tupleOf(value.items.map(constantType))
    case 'dict':
      return (
        value.type ??
        dictOf(
          value.entries.length ? constantType(value.entries[0][0]) : StringType,
          value.entries.length ? constantType(value.entries[0][1]) : TensorType,
        )
      )
    case 'function':
      return { kind: 'Function', fn: value.fn }
    default:
      return TensorType
  }
}

/** Inserts a default value as a constant of the argument's type. */
function insertDefault(b: GraphBuilder, argument: SchemaArgument, value: ConstantValue): Value {
  const type = argument.type
  if (value.kind === 'none') return b.constant(value, NoneType)
  if (value.kind === 'list') {
    const items = value.items.map((item) => b.constant(item, constantType(item)))
    const list = b.add('prim::ListConstruct', items)
    list.output.setType(unwrapOptional(type).kind === 'List' ? unwrapOptional(type) : constantType(value))
    return list.output
  }
  if (value.kind === 'int' && unwrapOptional(type) === FloatType)
    return b.constant({ kind: 'float', value: Number(value.value) }, FloatType)
  const own = constantType(value)
  const declared = unwrapOptional(type)
  return b.constant(
    value,
    value.kind === 'enum' || value.kind === 'object' || value.kind === 'tuple' || value.kind === 'dict' ? declared : own,
  )
}

interface Failure {
  readonly reason: string
}

/** Matches one schema. Nodes of conversions go to `b`; on failure the caller removes what was inserted. */
export function matchSchema(
  b: GraphBuilder,
  schema: FunctionSchema,
  args: readonly Value[],
  kwargs: readonly NamedValue[],
  allow: boolean,
): Match | Failure {
  const env: TypeEnv = new Map()
  const inputs: Value[] = []
  const usedKeywords = new Set<string>()
  let used = 0
  for (let i = 0; i < schema.arguments.length; i++) {
    const argument = schema.arguments[i]
    let value: Value | undefined
    if (!argument.kwargOnly && used < args.length) {
      const type = unwrapOptional(argument.type)
      const isLast = i + 1 === schema.arguments.length || schema.arguments[i + 1].kwargOnly
      const element = isListOf(type)
      if (allow && isLast && element !== undefined && element.kind !== 'Var' && argument.listSize === undefined) {
        const actual = args[used].type
        // zeros(1, 2) for zeros([1, 2]).
        if (actual.kind !== 'List' && !convertibleToList(actual, type) && !(actual === NoneType && argument.type.kind === 'Optional')) {
          const items = args.slice(used).map((v) => convertToType(b, v, element, allow))
          const wrong = items.find((v) => !isSubtype(v.type, element))
          if (wrong !== undefined)
            return {
              reason: `Expected a value of type '${typeToString(argument.type)}' for argument '${argument.name}' but instead found type '${typeToString(args[used].type)}'.`,
            }
          const list = b.add('prim::ListConstruct', items)
          list.output.setType(listOf(element))
          inputs.push(list.output)
          used = args.length
          continue
        }
      }
      value = args[used++]
    } else {
      const keyword = kwargs.find((k) => k.name === argument.name)
      if (keyword !== undefined) {
        if (usedKeywords.has(argument.name)) return { reason: `Argument ${argument.name} specified twice in schema, submit a bug report!` }
        usedKeywords.add(argument.name)
        value = keyword.value
      } else if (argument.default !== undefined) {
        inputs.push(insertDefault(b, argument, argument.default))
        continue
      } else return { reason: `Argument ${argument.name} not provided.` }
    }
    // A number stands for a list of fixed size.
    const fixed = isListOf(unwrapOptional(argument.type))
    if (
      argument.listSize !== undefined &&
      fixed !== undefined &&
      (value.type === IntType || value.type === FloatType) &&
      sameType(fixed, value.type)
    ) {
      const list = b.add('prim::ListConstruct', Array<Value>(argument.listSize).fill(value))
      list.output.setType(listOf(value.type))
      value = list.output
    }
    if (!bind(argument.type, value.type, env)) {
      const names = [...env].map(
        ([name, t]) =>
          ` Type variable '${name}' previously matched to type ${typeToString(t)} is matched to type ${typeToString(value.type)}.`,
      )
      return {
        reason: `Could not match type ${typeToString(value.type)} to ${typeToString(argument.type)} in argument '${argument.name}'${names.length > 0 ? `:${names[0]}` : '.'}`,
      }
    }
    const type = substitute(argument.type, env)
    const converted = convertToType(b, value, type, allow)
    if (!isSubtype(converted.type, type)) {
      return {
        reason: `Expected a value of type '${typeToString(type)}' for argument '${argument.name}' but instead found type '${typeToString(converted.type)}'.`,
      }
    }
    inputs.push(converted)
  }
  if (schema.isVararg) {
    for (; used < args.length; used++) inputs.push(args[used])
  }
  if (used < args.length)
    return {
      reason: `Expected at most ${schema.arguments.filter((a) => !a.kwargOnly).length} positional arguments but found ${args.length}.`,
    }
  const unknown = kwargs.find((k) => !usedKeywords.has(k.name))
  if (unknown !== undefined) {
    const known = schema.arguments.some((a) => a.name === unknown.name)
    return { reason: known ? `Keyword argument ${unknown.name} specified twice.` : `Unknown keyword argument '${unknown.name}'.` }
  }
  return { schema, inputs, returnTypes: schema.returns.map((r) => substitute(r.type, env)) }
}

/**
 * Chooses the overload of a call: registration order, first without implicit conversions, then with them; the first that matches wins.
 * Throws the error PyTorch gives, which lists every variant and why it does not match.
 */
export function matchSchemas(
  b: GraphBuilder,
  name: string,
  schemas: readonly FunctionSchema[],
  args: readonly Value[],
  kwargs: readonly NamedValue[],
  range: SourceRange,
): Match {
  const found = tryMatchSchemas(b, schemas, args, kwargs)
  if (!('reasons' in found)) return found
  if (schemas.length === 1) throw compileError(`${schemas[0].text}:\n${found.reasons[0]}\n`, range)
  const variants = schemas.map((s, i) => `\n  ${s.text}:\n  ${found.reasons[i]}\n`).join('')
  throw compileError(`Arguments for call are not valid.\nThe following variants are available:\n${variants}\nThe original call is:`, range)
}

/** An overload that programs cannot choose, and PyTorch's front end skips: dtypes are ints, so nothing tells `x.view(1)` from `x.view(torch.int8)`. */
const isHidden = (schema: FunctionSchema): boolean => schema.fullName === 'aten::view.dtype'

/** Like {@link matchSchemas}, giving the reasons of failure instead of throwing. */
export function tryMatchSchemas(
  b: GraphBuilder,
  schemas: readonly FunctionSchema[],
  args: readonly Value[],
  kwargs: readonly NamedValue[],
): Match | { readonly reasons: string[] } {
  let reasons: string[] = []
  for (const allow of [false, true]) {
    reasons = []
    for (const schema of schemas) {
      if (schemas.length > 1 && isHidden(schema)) {
        reasons.push('This overload cannot be called by a program.')
        continue
      }
      const mark = b.block.nodes.length
      const match = matchSchema(b, schema, args, kwargs, allow)
      if (!('reason' in match)) return match
      for (let i = b.block.nodes.length - 1; i >= mark; i--) b.block.nodes[i].destroy()
      reasons.push(match.reason)
    }
  }
  return { reasons }
}
