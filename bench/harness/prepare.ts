// How each of ours prepares a model; the library is given, so that a process can have loaded the bundle alone.
import type * as library from '../../lib/index.js'

export type Library = typeof library

/** A model to call. `report` says what the executor knows of the last signature; not for compiled modules, which have several programs. */
export interface Prepared {
  readonly model: { forward(...args: readonly unknown[]): unknown }
  readonly report: () => { readonly arenaBytes: number; readonly liveBytes: number; readonly outputBytes: number } | undefined
  readonly dispose: () => void
}

/** Names of `--ours`: how a model is prepared. */
export const variants = ['optimized', 'as-loaded', 'default', 'reduce-overhead', 'max-autotune', 'float16', 'bfloat16'] as const
export type Variant = (typeof variants)[number]

export const nameOf = (variant: Variant): string => (variant === 'optimized' ? 'ours' : `ours ${variant}`)
/** The variant of an engine's name; undefined for peers. */
export const variantOf = (name: string): Variant | undefined => variants.find((variant) => nameOf(variant) === name)

/** `optimized`: optimizeForInference. Modes, and half-precision weights, are those of torch.compile. `loaded` is told when the file is. */
export function prepareOurs(torch: Library, file: string, variant: Variant, loaded: () => void = () => undefined): Prepared {
  const module = torch.jit.load(file)
  loaded()
  if (variant === 'as-loaded' || variant === 'optimized') {
    const model = variant === 'as-loaded' ? module : torch.jit.optimizeForInference(module)
    return {
      model,
      report: () => model.explain().find((r) => r.function.endsWith('.forward')),
      dispose: () => model.dispose(),
    }
  }
  const options = variant === 'float16' || variant === 'bfloat16' ? { weights: variant } : { mode: variant }
  const model = torch.compile(module.eval(), options)
  return {
    model,
    report: () => undefined,
    dispose: () => {
      model.reset()
      module.dispose()
    },
  }
}
