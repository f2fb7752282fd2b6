import { Tensor } from '../../tensor/tensor.js'
import { ArgumentError } from '../../util/errors.js'
import { attributeName } from './attributes.js'

type Values<O, K extends readonly (keyof O)[]> = { [I in keyof K]: O[K[I]] }
type Prefixes<P extends readonly unknown[], O> = P extends readonly [...infer Init, unknown]
  ? [...P, options?: O] | Prefixes<Init, O>
  : [options?: O]

/** Optional arguments: by position in PyTorch's order, and in an object at the end by name. */
export type Rest<O, K extends readonly (keyof O)[]> = Prefixes<Values<O, K>, O>

function isOptions(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** The arguments of `Rest` by name. Undefined ones count as not given. */
export function settle<O>(names: readonly (keyof O & string)[], rest: readonly unknown[]): O {
  const last = rest.at(-1)
  const options = isOptions(last) ? last : undefined
  const positional = options === undefined ? rest : rest.slice(0, -1)
  if (positional.length > names.length)
    throw new ArgumentError(`Expected at most ${names.length} optional arguments (${names.join(', ')}) but received ${positional.length}`)
  const found: Record<string, unknown> = {}
  positional.forEach((value, i) => {
    if (value !== undefined) found[names[i]] = value
  })
  for (const [name, value] of Object.entries(options ?? {})) {
    if (value === undefined) continue
    if (!(names as readonly string[]).includes(name)) {
      const meant = names.find((known) => attributeName(known) === name)
      throw new ArgumentError(
        `Expected options among ${names.join(', ')} but received "${name}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`,
      )
    }
    if (Object.hasOwn(found, name))
      throw new ArgumentError(`Expected one value for \`${name}\` but received one by position and one by name`)
    found[name] = value
  }
  return found as O
}

/** One integer for all dimensions, or one for each. */
export type IntList = number | readonly number[]

/** `value` for each of `count` dimensions. */
export function tuple(value: IntList, count: number, name: string): number[] {
  if (typeof value === 'number') return new Array<number>(count).fill(value)
  if (!Array.isArray(value) || value.length !== count)
    throw new ArgumentError(`Expected an integer or ${count} of them for \`${name}\` but received ${JSON.stringify(value)}`)
  return [...(value as number[])]
}

export type Reduction = 'none' | 'mean' | 'sum'

/** The number that operators take for a reduction. */
export function reductionCode(reduction: Reduction): number {
  const code = ['none', 'mean', 'sum'].indexOf(reduction)
  if (code < 0) throw new ArgumentError(`Expected 'none', 'mean' or 'sum' for \`reduction\` but received ${JSON.stringify(reduction)}`)
  return code
}

export function checkProbability(p: number): void {
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`dropout probability has to be between 0 and 1, but got ${p}`)
}

export function checkTensor(value: unknown, name: string): asserts value is Tensor {
  if (!(value instanceof Tensor)) throw new ArgumentError(`Expected a Tensor for \`${name}\` but received ${typeof value}`)
}
