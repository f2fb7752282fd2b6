import type { FunctionSchema, SchemaArgument } from '../ir/schema.js'
import { schemaByFullName, schemasOf } from '../ir/schema.js'
import type { ConstantValue, Type } from '../ir/types.js'
import { dtypeCode, dtypeNamed } from '../tensor/dtype.js'
import { Tensor } from '../tensor/tensor.js'
import { ArgumentError, UnsupportedError } from '../util/errors.js'

/*
 * Which overload a call of an operator with JavaScript values means. As PyTorch does for Python values, overloads are tried in
 * registration order and the first one wins that takes every value.
 */

/** A call with every argument in its place: the values as the addon takes them. */
export interface BoundCall {
  readonly schema: FunctionSchema
  readonly args: unknown[]
}

/** No value fits: the caller goes on with the next overload. */
const misfit = Symbol('misfit')

const memoryFormats: Readonly<Record<string, number>> = { contiguous_format: 0, preserve_format: 1, channels_last: 2, channels_last_3d: 3 }
const layouts: Readonly<Record<string, number>> = { strided: 0, sparse_coo: 1, sparse_csr: 2 }
const qschemes: Readonly<Record<string, number>> = {
  per_tensor_affine: 0,
  per_channel_affine: 1,
  per_tensor_symmetric: 2,
  per_channel_symmetric: 3,
}

/** PyTorch's code of a dtype's name such as `float32`, or one of its short names such as `long`; undefined for other text. */
function codeOfDType(name: string): number | undefined {
  const dtype = dtypeNamed(name)
  return dtype === undefined ? undefined : dtypeCode(dtype)
}

function codeOf(kind: SchemaArgument['codeOf'], name: string): number | undefined {
  switch (kind) {
    case 'ScalarType':
      return codeOfDType(name)
    case 'MemoryFormat':
      return memoryFormats[name]
    case 'Layout':
      return layouts[name]
    case 'QScheme':
      return qschemes[name]
    default:
      return undefined
  }
}

const isInt = (value: unknown): boolean => typeof value === 'bigint' || Number.isInteger(value instanceof Number ? value.valueOf() : value)
const isNumber = (value: unknown): boolean => typeof value === 'bigint' || typeof value === 'number' || value instanceof Number
const isComplex = (value: unknown): boolean => typeof value === 'object' && value !== null && 're' in value && 'im' in value
const devicePattern = /^(cpu|cuda|meta|mps|xpu)(:\d+)?$/

/** The value as an argument of the type takes it, or `misfit`. Sizes of a trace (objects of Number) stay what they are. */
function fit(type: Type, value: unknown, argument: SchemaArgument): unknown {
  switch (type.kind) {
    case 'Optional':
      return value === null || value === undefined ? null : fit(type.element, value, argument)
    case 'List': {
      const { element } = type
      if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) {
        const items = Array.from(value as ArrayLike<unknown>, (item) => fit(element, item, argument))
        return items.includes(misfit) ? misfit : items
      }
      if (argument.listSize === undefined) return misfit
      const item = fit(element, value, argument)
      return item === misfit ? misfit : Array<unknown>(argument.listSize).fill(item)
    }
    case 'Simple':
      return fitSimple(type.name, value, argument)
    case 'Tuple':
    case 'Dict':
    case 'Union':
    case 'Class':
      return value
    default:
      return misfit
  }
}

function fitSimple(name: string, value: unknown, argument: SchemaArgument): unknown {
  switch (name) {
    case 'Tensor':
      return value instanceof Tensor ? value : misfit
    case 'int':
      if (argument.codeOf !== undefined) return typeof value === 'string' ? (codeOf(argument.codeOf, value) ?? misfit) : misfit
      return isInt(value) ? value : misfit
    case 'float':
      return isNumber(value) ? value : misfit
    case 'number':
      return isNumber(value) || typeof value === 'boolean' || isComplex(value) ? value : misfit
    case 'complex':
      return isNumber(value) || isComplex(value) ? value : misfit
    case 'bool':
      return typeof value === 'boolean' ? value : misfit
    case 'str':
      return typeof value === 'string' ? value : misfit
    case 'Device':
      return typeof value === 'string' && devicePattern.test(value) ? value : misfit
    case 'Any':
      return value
    default:
      return value === null || value === undefined ? null : misfit
  }
}

/** A default of a schema as a JavaScript value. */
export function defaultValue(constant: ConstantValue): unknown {
  switch (constant.kind) {
    case 'none':
      return null
    case 'int':
      return Number.isSafeInteger(Number(constant.value)) ? Number(constant.value) : constant.value
    case 'complex':
      return { re: constant.re, im: constant.im }
    case 'list':
    case 'tuple':
      return constant.items.map(defaultValue)
    case 'bool':
    case 'float':
    case 'string':
    case 'device':
      return constant.value
    default:
      return null
  }
}

/** The arguments of a call with those from the place of the last positional one on, which is a list, made one: `t.permute(2, 0, 1)`. */
function gathered(schema: FunctionSchema, args: readonly unknown[]): readonly unknown[] | undefined {
  const at = schema.arguments.filter((formal) => !formal.kwargOnly).length - 1
  const isList = at >= 0 && schema.arguments[at].type.kind === 'List'
  return isList && args.length > at && !Array.isArray(args[at]) ? [...args.slice(0, at), args.slice(at)] : undefined
}

/** The arguments of a call in the order of one schema, or undefined when they do not fit it. */
function bind(schema: FunctionSchema, given: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): unknown[] | undefined {
  const formals = schema.arguments
  if (given.length > formals.length) return undefined
  const used = new Set<string>()
  const out: unknown[] = []
  let at = 0
  for (const formal of formals) {
    let value: unknown
    if (!formal.kwargOnly && at < given.length) {
      value = given[at++]
      if (formal.name in kwargs) return undefined
    } else if (formal.name in kwargs) {
      value = kwargs[formal.name]
      used.add(formal.name)
    }
    if (value === undefined) {
      if (formal.default === undefined) return undefined
      out.push(defaultValue(formal.default))
      continue
    }
    const fitted = fit(formal.type, value, formal)
    if (fitted === misfit) return undefined
    out.push(fitted)
  }
  if (at < given.length) return undefined
  for (const name in kwargs) if (kwargs[name] !== undefined && !used.has(name)) return undefined
  return out
}

function describe(value: unknown): string {
  if (value instanceof Tensor) return `Tensor ${value.dtype}`
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[${describe(value[0])}${value.length > 1 ? ', ...' : ''}]`
  if (typeof value === 'string') return `'${value}'`
  if (typeof value === 'object' && value !== null && !(value instanceof Number)) return value.constructor?.name ?? 'object'
  return String(value)
}

/**
 * Finds the overload that takes the values. `name` is `aten::add`, or `aten::add.Tensor` for one overload.
 * @throws UnsupportedError when PyTorch has no such operator.
 * @throws ArgumentError when no overload takes the values; it lists the overloads.
 */
export function resolveOverload(name: string, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>> = {}): BoundCall {
  const one = name.includes('.') ? schemaByFullName(name) : undefined
  const schemas = one !== undefined ? [one] : schemasOf(name)
  if (schemas.length === 0) throw new UnsupportedError(`Expected an operator of PyTorch for \`name\` but received '${name}'`)
  for (const schema of schemas) {
    const bound = bind(schema, args, kwargs)
    if (bound !== undefined) return { schema, args: bound }
  }
  for (const schema of schemas) {
    const list = gathered(schema, args)
    const bound = list && bind(schema, list, kwargs)
    if (bound !== undefined) return { schema, args: bound }
  }
  const received = [...args.map(describe), ...Object.entries(kwargs).map(([k, v]) => `${k}: ${describe(v)}`)].join(', ')
  throw new ArgumentError(
    `Expected arguments of an overload of \`${name}\` but received (${received}). The overloads are:\n${schemas.map((s) => `  ${s.text}`).join('\n')}`,
  )
}
