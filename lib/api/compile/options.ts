import type { WeightStorage } from '../../passes/compress-weights.js'
import { ArgumentError } from '../../util/errors.js'

export type { WeightStorage }

export type CompileBackend = 'native' | 'eager'
export type CompileMode = 'default' | 'reduce-overhead' | 'max-autotune'
export interface CompileOptions {
  /** `native` optimises; `eager` runs the function as it is, to tell what a difference comes from. Default `native`. */
  backend?: CompileBackend
  /**
   * What to optimise for; docs/optimizing.md has the table. Default `default`. With `reduce-overhead` a result is valid until the next call, which writes
   * the same memory.
   */
  mode?: CompileMode
  /**
   * Whether one compilation may serve tensors of all sizes: `false` compiles for each combination of sizes. Default: one for all sizes, where the
   * function does not compute with them.
   */
  dynamic?: boolean
  /** Throw where the function cannot be compiled as a whole, instead of running it as it is. Default false. */
  fullgraph?: boolean
  /** Keep the weights of linear layers in half precision, half the bytes to wait for; arithmetic stays in float32. Changes results by rounding. */
  weights?: WeightStorage
  /** A folder for packed weights, which later processes map instead of packing again. Nothing is stored without it. */
  cacheDir?: string
  /** How many compilations are kept; the least recently used goes first. Default 16. */
  cacheSizeLimit?: number
  /** TypeScript source of the function or module, as for `jit.script`. Default: the file of the caller. */
  source?: string | URL
  /** Functions, classes and constants that the source names and neither declares nor imports, as for `jit.script`. */
  scope?: Readonly<Record<string, unknown>>
}

export interface CompileSettings {
  readonly backend: CompileBackend
  readonly mode: CompileMode
  readonly dynamic: boolean | undefined
  readonly fullgraph: boolean
  readonly weights: WeightStorage | undefined
  readonly cacheDir: string | undefined
  readonly cacheSizeLimit: number
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], name: string): T {
  if (allowed.includes(value as T)) return value as T
  throw new ArgumentError(`Expected ${allowed.map((a) => `'${a}'`).join(' or ')} for \`${name}\` but received ${shown(value)}`)
}
function ofType(value: unknown, type: 'boolean' | 'string', name: string): void {
  if (typeof value !== type) throw new ArgumentError(`Expected a ${type} for \`${name}\` but received ${shown(value)}`)
}
const shown = (value: unknown): string =>
  typeof value === 'string'
    ? `'${value}'`
    : typeof value === 'object' && value !== null
      ? (value.constructor?.name ?? 'an object')
      : String(value)

const known = new Set(['backend', 'mode', 'dynamic', 'fullgraph', 'weights', 'cacheDir', 'cacheSizeLimit', 'source', 'scope'])

/** Checks the options of a user and fills in what they leave out. */
export function settingsOf(options: unknown): CompileSettings {
  if (typeof options !== 'object' || options === null)
    throw new ArgumentError(`Expected an object for \`options\` but received ${shown(options)}`)
  for (const name of Object.keys(options))
    if (!known.has(name)) throw new ArgumentError(`Expected one of ${[...known].join(', ')} as an option but received '${name}'`)
  const given = options as CompileOptions
  const { dynamic, fullgraph = false, weights, cacheDir, cacheSizeLimit = 16 } = given
  if (dynamic !== undefined) ofType(dynamic, 'boolean', 'dynamic')
  ofType(fullgraph, 'boolean', 'fullgraph')
  if (cacheDir !== undefined) ofType(cacheDir, 'string', 'cacheDir')
  if (!Number.isInteger(cacheSizeLimit) || cacheSizeLimit < 1)
    throw new ArgumentError(`Expected a positive integer for \`cacheSizeLimit\` but received ${shown(cacheSizeLimit)}`)
  return {
    backend: oneOf(given.backend ?? 'native', ['native', 'eager'], 'backend'),
    mode: oneOf(given.mode ?? 'default', ['default', 'reduce-overhead', 'max-autotune'], 'mode'),
    dynamic,
    fullgraph,
    weights: weights === undefined ? undefined : oneOf<WeightStorage>(weights, ['float16', 'bfloat16'], 'weights'),
    cacheDir,
    cacheSizeLimit,
  }
}
