import type { ObjectHandle, TensorHandle } from '../native/binding.js'
import { Tensor } from '../tensor/tensor.js'
import { ArgumentError } from '../util/errors.js'

/** Keyword arguments of a call; made by `kwargs`, passed last. */
export class KeywordArguments {
  readonly values: Readonly<Record<string, unknown>>
  constructor(values: Readonly<Record<string, unknown>>) {
    this.values = values
  }
}

/** Keyword arguments of a call: `model.forward(x, kwargs({ mask }))`. */
export function kwargs(values: Readonly<Record<string, unknown>>): KeywordArguments {
  if (typeof values !== 'object' || values === null)
    throw new ArgumentError(`Expected an object of keyword arguments for \`values\` but received ${String(values)}`)
  return new KeywordArguments(values)
}

/** What wraps an object of a program, so that it can be passed back in. */
export interface ObjectWrapper {
  readonly [objectHandle]: ObjectHandle
}
export const objectHandle = Symbol('torchscript.object')

const isTensorHandle = (value: object): value is TensorHandle => 'isDisposed' in value && 'info' in value
const isObjectHandle = (value: object): value is ObjectHandle => 'classIndex' in value && 'className' in value

/** An argument as the addon takes it: tensors and objects unwrapped, whatever they lie in. */
export function toNative(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function' && objectHandle in value) return (value as unknown as ObjectWrapper)[objectHandle]
    return value
  }
  if (value instanceof Tensor) return Tensor.handleOf(value)
  if (Array.isArray(value)) return value.map(toNative)
  if (value instanceof KeywordArguments) return { __kwargs__: toNativeRecord(value.values) }
  if (value instanceof Map) return new Map([...value].map(([k, v]) => [toNative(k), toNative(v)]))
  if (objectHandle in value) return (value as ObjectWrapper)[objectHandle]
  // Typed arrays are lists of numbers to the addon.
  if (ArrayBuffer.isView(value)) return value
  return toNativeRecord(value as Record<string, unknown>)
}

function toNativeRecord(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, toNative(v)]))
}

/** A result of the addon with tensors and objects wrapped. */
export function fromNative(value: unknown, wrapObject: (handle: ObjectHandle) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (isTensorHandle(value)) return Tensor.fromHandle(value)
  if (Array.isArray(value)) return value.map((item) => fromNative(item, wrapObject))
  if (value instanceof Map) return new Map([...value].map(([k, v]) => [fromNative(k, wrapObject), fromNative(v, wrapObject)]))
  if (isObjectHandle(value)) return wrapObject(value)
  const out: Record<string, unknown> = {}
  for (const [k, v] of Object.entries(value)) out[k] = fromNative(v, wrapObject)
  return out
}
