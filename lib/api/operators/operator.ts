import { callOperator } from '../../runtime/dispatch.js'
import { Tensor } from '../../tensor/tensor.js'

/*
 * Operators as functions and methods. Their types are generated (functions.ts, methods.ts); what runs is one function for all of them, which
 * takes a plain object at the end as keyword arguments.
 */

const snakes = new Map<string, string>()

/** The schema's word for a name in camelCase: `memoryFormat` is `memory_format`. */
export function snakeCase(name: string): string {
  let snake = snakes.get(name)
  if (snake === undefined) snakes.set(name, (snake = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()))
  return snake
}
/** `log_softmax` is `logSoftmax`; underscores at the end stay. */
export const camelCase = (name: string): string => name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** Is a value keyword arguments: a plain object that is no complex number? */
export function isOptions(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && !('re' in value && 'im' in value)
}

/** Keyword arguments in the schema's words. */
export function keywords(options: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const key in options) out[argumentNames[key] ?? snakeCase(key)] = options[key]
  return out
}
/** Arguments whose names have capital letters. */
const argumentNames: Readonly<Record<string, string>> = {
  A: 'A',
  B: 'B',
  LU: 'LU',
  LD: 'LD',
  UPLO: 'UPLO',
  N: 'N',
  M: 'M',
  K: 'K',
  Q: 'Q',
  R: 'R',
  U: 'U',
  Vh: 'Vh',
}

/** Calls an operator with what a function or method was given. */
export function callWithOptions(name: string, args: unknown[]): unknown {
  const last = args.length - 1
  if (last >= 0 && isOptions(args[last])) {
    const { requiresGrad, ...options } = args[last]
    args.length = last
    const result = callOperator(name, args, keywords(options))
    // Creation takes it with the rest; PyTorch's Python functions set it on the result as well.
    if (requiresGrad !== undefined && result instanceof Tensor) Tensor.handleOf(result).setRequiresGrad(requiresGrad === true)
    return result
  }
  return callOperator(name, args)
}

/** The function of an operator of the `aten` namespace. */
export function operator<F>(name: string): F {
  const full = `aten::${name}`
  return ((...args: unknown[]) => callWithOptions(full, args)) as F
}

/** Gives tensors the methods of operators, by their names in the catalog. */
export function installMethods(names: readonly string[]): void {
  for (const name of names) {
    const full = `aten::${name}`
    const value = function (this: Tensor, ...args: unknown[]): unknown {
      args.unshift(this)
      return callWithOptions(full, args)
    }
    Object.defineProperty(Tensor.prototype, camelCase(name), { value, configurable: true, writable: true })
  }
}
