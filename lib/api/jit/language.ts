import { Tensor } from '../../tensor/tensor.js'
import { ArgumentError } from '../../util/errors.js'
import { ScriptModule } from './script-module.js'
import { Module } from '../nn/module.js'

/*
 * What programs write that runs in TypeScript and compiles: the types of numbers, loops over ranges, tasks. In compiled code each of these
 * is a rule of the compiler; here is what they do without it.
 */

/** A whole number: `int` of TorchScript. */
export type int = number
/** A floating point number: `float` of TorchScript. */
export type float = number

/** A number, string or tensor as a whole number, rounded towards zero. */
export function int(value: number | bigint | string | boolean | Tensor): int {
  const number = Number(value instanceof Tensor ? value.item() : value)
  if (!Number.isFinite(number)) throw new ArgumentError(`Expected a finite number for \`value\` but received ${String(value)}`)
  return Math.trunc(number)
}
/** A number, string or tensor as a floating point number. */
export const float = (value: number | bigint | string | boolean | Tensor): float => Number(value instanceof Tensor ? value.item() : value)

/** `range(stop)`, `range(start, stop, step)`: whole numbers to loop over, as in Python. */
export function range(stop: int): Iterable<int>
export function range(start: int, stop: int, step?: int): Iterable<int>
export function* range(first: int, second?: int, step: int = 1): Generator<int> {
  if (step === 0) throw new ArgumentError('Expected a number other than 0 for `step` but received 0')
  const [start, stop] = second === undefined ? [0, first] : [first, second]
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) yield i
}
/** Pairs of a counter and the items. */
export function* enumerate<T>(items: Iterable<T>, start: int = 0): Generator<[int, T]> {
  let i = start
  for (const item of items) yield [i++, item]
}
/** Tuples of the items at the same place, as many as the shortest has. */
export function* zip<T extends readonly Iterable<unknown>[]>(
  ...lists: T
): Generator<{ -readonly [K in keyof T]: T[K] extends Iterable<infer U> ? U : never }> {
  const iterators = lists.map((list) => list[Symbol.iterator]())
  for (;;) {
    const steps = iterators.map((iterator) => iterator.next())
    if (steps.some((step) => step.done === true) || steps.length === 0) return
    yield steps.map((step) => step.value) as never
  }
}

/** Whether compiled code is running: false here, and true where the compiler reads it, which then leaves the other branch alone. */
export const isScripting = (): boolean => false

/** Says the type of a value to the compiler: `jit.annotate<int[]>([])`. */
export function annotate<T>(value: T): T
export function annotate<T>(type: string, value: T): T
export function annotate(...args: unknown[]): unknown {
  return args.at(-1)
}

/** Whether a value has a type, given in TorchScript's words: `jit.isinstance(x, 'List[Tensor]')`. Numbers are ints where they are whole. */
export function isinstance(value: unknown, type: string | readonly string[]): boolean {
  return typeof type === 'string' ? hasType(value, type.replace(/\s|^torch\./g, '')) : type.some((one) => isinstance(value, one))
}
function hasType(value: unknown, type: string): boolean {
  const inner = (prefix: string): string | undefined => (type.startsWith(`${prefix}[`) ? type.slice(prefix.length + 1, -1) : undefined)
  const optional = inner('Optional')
  if (optional !== undefined) return value === null || hasType(value, optional)
  const element = inner('List') ?? inner('list')
  if (element !== undefined) return Array.isArray(value) && value.every((item) => hasType(item, element))
  const elements = inner('Tuple') ?? inner('tuple')
  if (elements !== undefined) {
    const types = splitTypes(elements)
    return Array.isArray(value) && value.length === types.length && value.every((item, i) => hasType(item, types[i]))
  }
  const entry = inner('Dict') ?? inner('dict')
  if (entry !== undefined) {
    const [key, item] = splitTypes(entry)
    return value instanceof Map && [...value].every(([k, v]) => hasType(k, key) && hasType(v, item))
  }
  switch (type) {
    case 'Tensor':
      return value instanceof Tensor
    case 'int':
      return typeof value === 'bigint' || Number.isInteger(value)
    case 'float':
      return typeof value === 'number'
    case 'bool':
      return typeof value === 'boolean'
    case 'str':
      return typeof value === 'string'
    case 'None':
    case 'NoneType':
      return value === null || value === undefined
    default:
      throw new ArgumentError(`Expected a type of TorchScript for \`type\` but received '${type}'`)
  }
}
/** The types between the commas outside of brackets. */
function splitTypes(text: string): string[] {
  const out = ['']
  let depth = 0
  for (const c of text) {
    if (c === '[') depth++
    else if (c === ']') depth--
    if (c === ',' && depth === 0) out.push('')
    else out[out.length - 1] += c
  }
  return out
}

/** The result of a task. Here the task has run when `fork` returns; in compiled code tasks run at the same time. */
export class Future<T> {
  readonly #value: T
  constructor(value: T) {
    this.#value = value
  }
  wait(): T {
    return this.#value
  }
  value(): T {
    return this.#value
  }
  done(): boolean {
    return true
  }
}
/** Starts a task: `jit.fork(fn, ...args)` or `jit.fork(module, ...args)`. */
export function fork<A extends unknown[], R>(target: ((...args: A) => R) | Module | ScriptModule, ...args: A): Future<R> {
  if (target instanceof Module || target instanceof ScriptModule) return new Future(target.forward(...args) as R)
  if (typeof target !== 'function') throw new ArgumentError(`Expected a function or a module for \`target\` but received ${String(target)}`)
  return new Future(target(...args))
}
/** The result of a task. */
export const wait = <T>(future: Future<T>): T => future.wait()
