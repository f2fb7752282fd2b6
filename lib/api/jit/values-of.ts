import type { ObjectValue, PickleValue } from '../../archive/values.js'
import type { ClassType, Type } from '../../ir/types.js'
import {
  BoolType,
  ComplexType,
  FloatType,
  IntType,
  NoneType,
  StringType,
  TensorType,
  dictOf,
  isSubtype,
  listOf,
  typeAnnotation,
  unionMembers,
} from '../../ir/types.js'
import { liveTensor } from '../../runtime/live-tensors.js'
import { unifyTypes } from '../../script/schema-matching.js'
import { Tensor } from '../../tensor/tensor.js'
import { ArgumentError } from '../../util/errors.js'
import { Module } from '../nn/module.js'
import { ScriptModule, ScriptObject, typeOfObject } from './script-module.js'

/** A JavaScript value that has no TorchScript type, and why. */
export interface NoType {
  readonly reason: string
}
const noType = (reason: string): NoType => ({ reason })

const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value) as unknown
  return prototype === Object.prototype || prototype === null
}

/** The type that a value has by itself. `classOf` gives the class of other objects. */
export function typeOfValue(value: unknown, classOf: (value: object) => Type | undefined): Type | NoType {
  const common = (items: readonly unknown[], what: string): Type | NoType => {
    if (items.length === 0) return noType(`an empty ${what} says nothing about its elements; declare the type of the field`)
    let joined: Type | undefined
    for (const item of items) {
      const type = typeOfValue(item, classOf)
      if ('reason' in type) return type
      const isMixed = (joined === IntType && type === FloatType) || (joined === FloatType && type === IntType)
      joined = joined === undefined ? type : isMixed ? FloatType : unifyTypes(joined, type)
      if (joined === undefined) return noType(`the elements of the ${what} have different types`)
    }
    return joined!
  }
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? IntType : FloatType
    case 'bigint':
      return IntType
    case 'boolean':
      return BoolType
    case 'string':
      return StringType
    case 'undefined':
      return NoneType
    case 'function':
      return noType('functions are no values of TorchScript; call a function of the file or a method')
    case 'object':
      break
    default:
      return noType(`a ${typeof value} is no value of TorchScript`)
  }
  if (value === null) return NoneType
  if (value instanceof Tensor) return TensorType
  if (value instanceof ScriptObject) return typeOfObject(value)
  if (Array.isArray(value)) {
    if (value.some((item) => item instanceof Module || item instanceof ScriptModule))
      return noType('a plain array of modules is no list of modules; write `new nn.ModuleList([...])`')
    const element = common(value, 'array')
    return 'reason' in element ? element : listOf(element)
  }
  if (value instanceof Map || isPlain(value)) {
    const entries = value instanceof Map ? [...value] : Object.entries(value)
    const key = common(
      entries.map(([k]) => k as unknown),
      'map',
    )
    const item = common(
      entries.map(([, v]) => v as unknown),
      'map',
    )
    if ('reason' in key) return key
    return 'reason' in item ? item : dictOf(key, item)
  }
  return classOf(value) ?? noType(`objects of class ${value.constructor.name} have no TorchScript type; script the class first`)
}

/** Turns JavaScript values into the values that object trees hold. What is shared stays shared. */
export class ValueWriter {
  private readonly known = new Map<object, PickleValue>()
  /** Writes objects of classes: modules and script classes. */
  constructor(private readonly object: (value: object, type: ClassType) => ObjectValue) {}

  value(value: unknown, type: Type, what: string): PickleValue {
    const wrong = (): never => {
      throw new ArgumentError(`Expected a value of type ${typeAnnotation(type)} for \`${what}\` but received ${describe(value)}`)
    }
    const members = unionMembers(type)
    if (value === null || value === undefined) return members.includes(NoneType) || type === NoneType ? { kind: 'none' } : wrong()
    if (members.length > 1) {
      const fitting = members.find((m) => m !== NoneType && fits(value, m))
      return fitting === undefined ? wrong() : this.value(value, fitting, what)
    }
    if (typeof value === 'object') {
      const known = this.known.get(value)
      if (known !== undefined) return known
      const made = this.container(value, type, what) ?? wrong()
      this.known.set(value, made)
      return made
    }
    if (typeof value === 'boolean' && type === BoolType) return { kind: 'bool', value }
    if (typeof value === 'string')
      return type.kind === 'Simple' && type.name === 'Device'
        ? { kind: 'device', value }
        : type === StringType
          ? { kind: 'string', value }
          : wrong()
    if (typeof value === 'number' || typeof value === 'bigint') {
      if (type === IntType && (typeof value === 'bigint' || Number.isInteger(value))) return { kind: 'int', value: BigInt(value) }
      if (type === FloatType) return { kind: 'float', value: Number(value) }
    }
    return wrong()
  }

  private container(value: object, type: Type, what: string): PickleValue | undefined {
    if (value instanceof Tensor) return type === TensorType ? { kind: 'tensor', tensor: liveTensor(value) } : undefined
    if (Array.isArray(value)) {
      if (type.kind === 'List')
        return {
          kind: 'list',
          items: value.map((item, i) => this.value(item, type.element, `${what}[${i}]`)),
          elementType: typeAnnotation(type.element),
        }
      if (type.kind === 'Tuple' && type.elements.length === value.length)
        return { kind: 'tuple', items: value.map((item, i) => this.value(item, type.elements[i], `${what}[${i}]`)) }
      return undefined
    }
    if (type.kind === 'Dict' && (value instanceof Map || isPlain(value))) {
      const entries: [unknown, unknown][] = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value)
      return {
        kind: 'dict',
        entries: entries.map(([k, v]) => [this.value(k, type.key, what), this.value(v, type.value, `${what}[${String(k)}]`)]),
        keyType: typeAnnotation(type.key),
        valueType: typeAnnotation(type.value),
      }
    }
    if (type.kind === 'Tuple' && type.named !== undefined && isPlain(value)) {
      const record = value as Record<string, unknown>
      return { kind: 'tuple', items: type.named.fields.map((field, i) => this.value(record[field], type.elements[i], `${what}.${field}`)) }
    }
    if (type === ComplexType && 're' in value && 'im' in value) return { kind: 'complex', re: Number(value.re), im: Number(value.im) }
    return type.kind === 'Class' ? this.object(value, type) : undefined
  }
}

function fits(value: unknown, type: Type): boolean {
  const own = typeOfValue(value, () => undefined)
  if ('reason' in own) return type.kind === 'Class' || type.kind === 'List' || type.kind === 'Dict'
  return isSubtype(own, type) || (own === IntType && type === FloatType) || own.kind === type.kind
}

export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object') return `an object of ${value.constructor?.name ?? 'no class'}`
  return typeof value === 'string' ? `'${value}'` : String(value)
}
