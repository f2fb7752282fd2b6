import { ArgumentError } from '../../util/errors.js'
import { className } from './attributes.js'
import type { HookHandle, Module } from './module.js'

/**
 * Weights that are computed from other tensors, in both of PyTorch's ways: by a hook before each forward (`utils.weightNorm`), or on each
 * access through a class made for that (`utils.parametrize`). What copies and scripts modules asks here.
 */

/** A weight that a hook computes before each forward. */
export interface HookedWeight {
  /** What made it, as it is called: `weightNorm`. */
  readonly kind: string
  /** Name of the weight. */
  readonly name: string
  /** The weight as of now. */
  compute(module: Module, training: boolean): void
  /** Makes the weight a parameter again. */
  remove(module: Module): void
}

const hooked = new WeakMap<Module, { readonly weight: HookedWeight; readonly handle: HookHandle }[]>()

/** Has a weight computed before each forward from now on. */
export function attachWeight(module: Module, weight: HookedWeight): void {
  const handle = module.registerForwardPreHook((owner) => weight.compute(owner, owner.training))
  const known = hooked.get(module)
  if (known === undefined) hooked.set(module, [{ weight, handle }])
  else known.push({ weight, handle })
}
export const hookedWeight = (module: Module, kind: string, name: string): HookedWeight | undefined =>
  hooked.get(module)?.find(({ weight }) => weight.kind === kind && weight.name === name)?.weight

/** Ends it, and makes the weight a parameter again. */
export function detachWeight(module: Module, kind: string, name: string): boolean {
  const known = hooked.get(module) ?? []
  const at = known.findIndex(({ weight }) => weight.kind === kind && weight.name === name)
  if (at < 0) return false
  const [{ weight, handle }] = known.splice(at, 1)
  handle.remove()
  weight.remove(module)
  return true
}

/** A copy of a module computes its weights as the module does. */
export function copyHookedWeights(from: Module, to: Module): void {
  for (const { weight } of hooked.get(from) ?? []) attachWeight(to, weight)
}

// Note [Classes of parametrized modules]
// A parametrized module has a class of its own, which is derived from its class and has an accessor in the place of each tensor. Which tensors
// these are never changes for a class: modules change their class instead, so that copies may share one.
type ModuleConstructor = abstract new (...args: never[]) => Module
const plainClasses = new WeakMap<object, ModuleConstructor>()

export const rememberPlainClass = (made: object, plain: ModuleConstructor): void => void plainClasses.set(made, plain)
/** The class that a module had before its tensors were parametrized. */
export const plainClassOf = (module: Module): ModuleConstructor =>
  plainClasses.get(module.constructor) ?? (module.constructor as unknown as ModuleConstructor)

/** Scripts have neither hooks nor accessors. */
export function checkScriptable(module: Module): void {
  const [weight] = (hooked.get(module) ?? []).map((entry) => entry.weight)
  if (weight !== undefined) {
    const remove = weight.kind.replace(/^./, (letter) => `remove${letter.toUpperCase()}`)
    throw new ArgumentError(
      `Expected a module without ${weight.kind} to script but ${className(module)} has it on '${weight.name}': scripts cannot compute a weight before each forward. Call nn.utils.${remove}(module, '${weight.name}') first, or trace the module`,
    )
  }
  if (plainClasses.has(module.constructor))
    throw new ArgumentError(
      `Parametrization is not working with scripting. Call nn.utils.parametrize.removeParametrizations on the tensors of ${className(module)} first, or trace the module`,
    )
}
