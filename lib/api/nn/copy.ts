import { Tensor } from '../../tensor/tensor.js'
import { ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential } from './containers.js'
import { op } from './eager.js'
import { type AnyModule, Module } from './module.js'
import { Parameter } from './parameter.js'
import { copyHookedWeights } from './reparametrized.js'
import { isLazy } from './uninitialized.js'

/**
 * A copy of a module with memory of its own. What the module shares within itself, the copy shares too. Hooks stay behind, but for those of `weightNorm` and
 * `spectralNorm`; so do private `#` fields.
 */
export function deepCopy<T extends AnyModule>(module: T): T {
  return copyModule(module, new Map()) as T
}

function copyModule(module: AnyModule, known: Map<object, unknown>): AnyModule {
  if (!(module instanceof Module)) return module
  const copied = known.get(module)
  if (copied !== undefined) return copied as Module
  const made = emptyCopy(module, known)
  known.set(module, made)
  const buffers = new Map(module.namedBuffers({ recurse: false }))
  for (const [field, value] of Object.entries(module)) {
    const isBuffer = value instanceof Tensor && [...buffers.values()].includes(value)
    const copy = copyValue(value, known)
    if (isBuffer) made.registerBuffer(field, copy as Tensor, { persistent: module.isPersistentField(field) })
    else Object.defineProperty(made, field, { value: copy, writable: true, configurable: true, enumerable: true })
  }
  made.adoptNulls(module)
  copyHookedWeights(module, made)
  return made
}

/** A module of the same class without fields. Containers keep their items outside of fields. */
function emptyCopy(module: Module, known: Map<object, unknown>): Module {
  type Make = new (items: unknown) => Module
  const make = module.constructor as Make
  if (module instanceof Sequential)
    return new make(new Map([...module.ownChildren()].map(([name, child]) => [name, copyModule(child, known)])))
  if (module instanceof ModuleList) return new make(module.map((child) => copyModule(child, known)))
  if (module instanceof ModuleDict) return new make([...module].map(([name, child]) => [name, copyModule(child, known)]))
  if (module instanceof ParameterList) return new make([...module].map((value) => copyValue(value, known)))
  if (module instanceof ParameterDict) return new make([...module].map(([name, value]) => [name, copyValue(value, known)]))
  return Reflect.construct(Module, [], module.constructor) as Module
}

function copyValue(value: unknown, known: Map<object, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value
  const copied = known.get(value)
  if (copied !== undefined) return copied
  if (value instanceof Module) return copyModule(value, known)
  let made: unknown = value
  if (isLazy(value)) made = value.copy()
  else if (value instanceof Parameter) made = new Parameter(op('clone', value), { requiresGrad: value.requiresGrad })
  else if (value instanceof Tensor) made = op('clone', value)
  else if (Array.isArray(value)) made = value.map((item) => copyValue(item, known))
  else if (value instanceof Map) made = new Map([...value].map(([k, v]) => [k, copyValue(v, known)]))
  known.set(value, made)
  return made
}
