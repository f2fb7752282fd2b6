import { ArgumentError } from '../../util/errors.js'

type Mark = 'export' | 'ignore' | 'unused'
const marks = new WeakMap<object, Map<string, Mark>>()

/** Marks a method. Called with a prototype and a name, with a method itself, or as a decorator of either kind. */
function mark(kind: Mark, target: unknown, name?: unknown): unknown {
  // A standard decorator: the method and its context.
  if (typeof target === 'function' && typeof name === 'object' && name !== null && 'kind' in name) {
    put(target, '', kind)
    return target
  }
  if (typeof target === 'function' && name === undefined) {
    put(target, '', kind)
    return target
  }
  if (typeof target === 'object' && target !== null && typeof name === 'string') {
    const method = (target as Record<string, unknown>)[name]
    if (typeof method !== 'function') throw new ArgumentError(`Expected the name of a method for \`name\` but received '${name}'`)
    put(target, name, kind)
    return undefined
  }
  throw new ArgumentError('Expected a method, or a prototype and the name of a method: `jit.export(Model.prototype, "encode")`')
}
function put(owner: object, name: string, kind: Mark): void {
  let known = marks.get(owner)
  if (known === undefined) marks.set(owner, (known = new Map()))
  known.set(name, kind)
}

/** How a method of a class is marked, there or in a base class. */
export function markOf(constructor: { readonly prototype: object }, name: string): Mark | undefined {
  for (let owner: object | null = constructor.prototype; owner !== null; owner = Object.getPrototypeOf(owner) as object | null) {
    const found = marks.get(owner)?.get(name)
    if (found !== undefined) return found
    const own = Object.getOwnPropertyDescriptor(owner, name)?.value as unknown
    const direct = typeof own === 'function' ? marks.get(own)?.get('') : undefined
    if (direct !== undefined) return direct
  }
  return undefined
}

/** Compiles a method that `forward` does not call: `jit.export(Model.prototype, 'encode')`, or `@jit.export`, or `static exports = ['encode']`. */
const exportMethod = (target: unknown, name?: unknown): unknown => mark('export', target, name)
/** Leaves a method to JavaScript: a script that calls it raises an error there. */
export const ignore = (target: unknown, name?: unknown): unknown => mark('ignore', target, name)
/** Replaces the body of a method by an error, so that the rest of the module compiles. */
export const unused = (target: unknown, name?: unknown): unknown => mark('unused', target, name)
/**
 * Says that a class stands for every class with its methods: fields and parameters declared with it take any of those. Interfaces of
 * TypeScript need no mark.
 */
const markInterface = <C>(target: C): C => {
  if (typeof target !== 'function') throw new ArgumentError('Expected a class for `target`')
  return target
}
export { exportMethod as export, markInterface as interface }
