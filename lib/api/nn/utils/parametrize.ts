import { currentListener } from '../../../runtime/dispatch.js'
import { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError, UnsupportedError } from '../../../util/errors.js'
import { className, fieldToName } from '../attributes.js'
import { ModuleDict, ModuleList } from '../containers.js'
import { detached, plainShape } from '../eager.js'
import { type AnyModule, type LoadState, Module } from '../module.js'
import { describe, Parameter } from '../parameter.js'
import { plainClassOf, rememberPlainClass } from '../reparametrized.js'

/** `nn.utils.parametrize`: tensors of a module that are functions of other tensors, computed on each access. */

/** A module that computes a tensor from others. */
export interface Parametrization extends Module {
  forward(...originals: Tensor[]): Tensor
  /** Tensors that `forward` computes a value from. Without it the original is the value itself. */
  rightInverse?(value: Tensor): Tensor | readonly Tensor[]
  /** Renames the entries of a state dict that another version of the parametrization wrote. */
  renameEntries?(entries: Map<string, unknown>, prefix: string, name: string): void
}

const size = (tensor: Tensor): string => `torch.Size([${plainShape(tensor).join(', ')}])`

function checkSame(what: string, a: readonly [label: string, tensor: Tensor], b: readonly [label: string, tensor: Tensor]): void {
  const rows = (text: (tensor: Tensor) => string, kind: string): string =>
    [a, b].map(([label, tensor]) => `${label}${kind}: ${text(tensor)}`).join('\n')
  if (a[1].dtype !== b[1].dtype)
    throw new ArgumentError(
      `${what} may not change the dtype of the tensor, unless the \`unsafe\` flag is enabled.\n${rows((t) => `torch.${t.dtype}`, '.dtype')}`,
    )
  if (plainShape(a[1]).join() !== plainShape(b[1]).join())
    throw new ArgumentError(
      `${what} may not change the shape of the tensor, unless the \`unsafe\` flag is enabled.\n${rows(size, '.shape')}`,
    )
}

/** Lets a tensor, which stays the same object, have the memory of another. */
function setTensor(target: Tensor, source: Tensor): void {
  if (target === source) return
  const { requiresGrad } = target
  Tensor.replaceHandle(target, Tensor.handleOf(detached(source)))
  Tensor.handleOf(target).setRequiresGrad(requiresGrad)
}
function register(module: Module, field: string, tensor: Tensor): void {
  if (tensor instanceof Parameter) module.registerParameter(field, tensor)
  else module.registerBuffer(field, tensor)
}

/**
 * The parametrizations of one tensor, and the tensors it is computed from: `original`, or `original0`, `original1`, ... where the first
 * parametrization takes several.
 */
export class ParametrizationList extends ModuleList {
  static override readonly pythonName: string = 'torch.nn.utils.parametrize.ParametrizationList'
  isTensor = true
  ntensors = 1
  unsafe = false

  /** The list for a tensor, whose memory it takes over. */
  static of(modules: readonly Parametrization[], original: Tensor, unsafe = false): ParametrizationList {
    if (modules.length === 0) throw new ArgumentError('ParametrizationList requires one or more modules.')
    const list = new ParametrizationList(modules)
    list.unsafe = unsafe
    list.adopt(original)
    return list
  }
  private get steps(): Parametrization[] {
    return this.map((module) => module as Parametrization)
  }
  private adopt(original: Tensor): void {
    // The copy keeps dtype and shape, which the tensor itself may lose.
    const before = detached(original)
    let value: Tensor | readonly Tensor[] = original
    for (const module of this.steps.reverse()) {
      if (module.rightInverse === undefined) continue
      try {
        value = module.rightInverse(value as Tensor)
      } catch (error) {
        // What cannot be inverted counts as the identity.
        if (!(error instanceof UnsupportedError)) throw error
      }
    }
    if (value instanceof Tensor) {
      if (value.dtype !== original.dtype)
        throw new ArgumentError(
          `When \`right_inverse\` outputs one tensor, it may not change the dtype.\noriginal.dtype: torch.${original.dtype}\nright_inverse(original).dtype: torch.${value.dtype}`,
        )
      setTensor(original, value)
      register(this, 'original', original)
    } else {
      if (!Array.isArray(value) || !value.every((item) => item instanceof Tensor))
        throw new ArgumentError(
          `'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got ${describe(value as unknown)}.`,
        )
      const { requiresGrad } = original
      this.isTensor = false
      this.ntensors = value.length
      value.forEach((item: Tensor, i) =>
        register(this, `original${i}`, original instanceof Parameter ? new Parameter(item, { requiresGrad }) : item),
      )
    }
    if (this.unsafe) return
    const made = this.forward()
    if (!(made instanceof Tensor)) throw new ArgumentError(`A parametrization must return a tensor. Got ${describe(made)}.`)
    checkSame('Registering a parametrization', ['unparametrized', before], ['parametrized', made])
  }

  /** The tensors that the value is computed from. */
  get originals(): Tensor[] {
    const fields = this as unknown as Record<string, Tensor>
    return this.isTensor ? [fields.original] : Array.from({ length: this.ntensors }, (_, i) => fields[`original${i}`])
  }

  /** Chooses the originals so that the value becomes `value`. */
  rightInverse(value: Tensor): void {
    let found: Tensor | readonly Tensor[] = value
    for (const module of this.steps.reverse()) {
      if (module.rightInverse === undefined)
        throw new ArgumentError(`parametrization ${className(module)} does not implement right_inverse.`)
      found = module.rightInverse(found as Tensor)
    }
    const values = found instanceof Tensor ? [found] : found
    if (this.isTensor !== found instanceof Tensor || values.length !== this.ntensors)
      throw new ArgumentError(
        this.isTensor
          ? `\`right_inverse\` should return a tensor. Got ${describe(found)}`
          : `'right_inverse' must return a sequence of tensors of length ${this.ntensors}. Got a sequence of length ${values.length}.`,
      )
    this.originals.forEach((original, i) => {
      const name = this.isTensor ? 'original' : `original${i}`
      if (values[i].dtype !== original.dtype)
        throw new ArgumentError(
          `The tensor returned by \`right_inverse\` has dtype torch.${values[i].dtype} while \`${name}\` has dtype torch.${original.dtype}`,
        )
      setTensor(original, values[i])
    })
  }

  override forward(): Tensor {
    const [first, ...others] = this.steps
    return others.reduce((value, module) => module.forward(value), first.forward(...this.originals))
  }
}

let cacheDepth = 0
let cache = new Map<Module, Map<string, Tensor>>()

/** Runs `body`; tensors that are parametrized are computed once in it, at the first access. */
export function cached<T>(body: () => T): T {
  cacheDepth++
  try {
    return body()
  } finally {
    cacheDepth--
    if (cacheDepth === 0) cache = new Map()
  }
}

interface WithParametrizations {
  parametrizations?: unknown
}
const listsOf = (module: Module): ModuleDict | undefined => {
  const { parametrizations } = module as WithParametrizations
  return parametrizations instanceof ModuleDict ? parametrizations : undefined
}
const listOf = (module: Module, name: string): ParametrizationList => listsOf(module)!.get(name) as ParametrizationList

function valueOf(module: Module, name: string): Tensor {
  const list = listOf(module, name)
  if (cacheDepth === 0) return list.forward()
  if (currentListener() !== undefined) throw new ArgumentError('Cannot trace a model while caching parametrizations.')
  const known = cache.get(module) ?? new Map<string, Tensor>()
  cache.set(module, known)
  const value = known.get(name) ?? list.forward()
  known.set(name, value)
  return value
}

type ModuleConstructor = typeof Module
const classes = new WeakMap<ModuleConstructor, Map<string, ModuleConstructor>>()

/** The class of modules of `base` whose fields of these names are parametrized. See Note [Classes of parametrized modules]. */
function parametrizedClass(base: ModuleConstructor, fields: readonly string[]): ModuleConstructor {
  const known = classes.get(base) ?? new Map<string, ModuleConstructor>()
  classes.set(base, known)
  const key = fields.join()
  const existing = known.get(key)
  if (existing !== undefined) return existing
  const name = `Parametrized${className({ constructor: base })}`
  const made = class extends base {
    static readonly pythonName: string = `torch.nn.utils.parametrize.${name}`
    protected override loadOwnState(state: LoadState, prefix: string): void {
      for (const [tensor, list] of listsOf(this) ?? [])
        for (const module of list as ParametrizationList) (module as Parametrization).renameEntries?.(state.entries, prefix, tensor)
      super.loadOwnState(state, prefix)
    }
  }
  Object.defineProperty(made, 'name', { value: name })
  for (const field of fields)
    Object.defineProperty(made.prototype, field, {
      get(this: Module): Tensor {
        return valueOf(this, fieldToName(this, field))
      },
      set(this: Module, value: Tensor) {
        listOf(this, fieldToName(this, field)).rightInverse(value)
      },
      configurable: true,
    })
  rememberPlainClass(made, base)
  known.set(key, made)
  return made
}
const fieldsOf = new WeakMap<object, readonly string[]>()
function setParametrizedFields(module: Module, fields: readonly string[]): void {
  const base = plainClassOf(module) as unknown as ModuleConstructor
  const made = fields.length === 0 ? base : parametrizedClass(base, fields)
  fieldsOf.set(made, fields)
  Object.setPrototypeOf(module, made.prototype)
}
const parametrizedFields = (module: Module): readonly string[] =>
  plainClassOf(module) === (module.constructor as unknown) ? [] : (fieldsOf.get(module.constructor) ?? [])

/** The field in the place of a parametrized tensor. */
const fieldNamed = (module: Module, name: string): string =>
  parametrizedFields(module).find((field) => fieldToName(module, field) === name) ?? name

/** Whether a tensor of the module is parametrized; without a name, whether any is. */
export function isParametrized(module: AnyModule, tensorName?: string): boolean {
  const lists = module instanceof Module ? listsOf(module) : undefined
  return lists !== undefined && (tensorName === undefined ? lists.length > 0 : lists.has(fieldToName(module, tensorName)))
}

export interface RegisterParametrizationOptions {
  /** Lets the parametrization change dtype and shape. */
  unsafe?: boolean
}

/**
 * Puts a parametrization on a parameter or buffer: reading `module.weight` from now on computes it from `module.parametrizations`. A tensor
 * that has one already gets another on top. Gives the module back.
 */
export function registerParametrization<T extends Module>(
  module: T,
  tensorName: string,
  parametrization: Parametrization,
  { unsafe = false }: RegisterParametrizationOptions = {},
): T {
  const name = fieldToName(module, tensorName)
  parametrization.train(module.training)
  if (isParametrized(module, name)) {
    const list = listOf(module, name)
    if (!unsafe) checkOnTop(list, parametrization, name)
    list.append(parametrization)
    list.unsafe ||= unsafe
    return module
  }
  const field = module.fieldOf(name)
  const original = module.ownParameters().get(name) ?? module.ownBuffers().get(name)
  if (original === undefined)
    throw new ArgumentError(
      `Module '${module.toString()}' does not have a parameter, a buffer, or a parametrized element with name '${name}'`,
    )
  const list = ParametrizationList.of([parametrization], original, unsafe)
  module.removeField(field)
  if (!isParametrized(module)) module.registerModule('parametrizations', new ModuleDict())
  listsOf(module)!.set(name, list)
  setParametrizedFields(module, [...parametrizedFields(module), field])
  return module
}
function checkOnTop(list: ParametrizationList, parametrization: Parametrization, name: string): void {
  const value = list.forward()
  const made: unknown = parametrization.forward(value)
  if (!(made instanceof Tensor)) throw new ArgumentError(`A parametrization must return a tensor. Got ${describe(made)}.`)
  checkSame('Registering a parametrization', [`module.${name}`, value], [`parametrization(module.${name})`, made])
  if (parametrization.rightInverse === undefined) return
  let back: unknown
  try {
    back = parametrization.rightInverse(made)
  } catch (error) {
    if (error instanceof UnsupportedError) return
    throw error
  }
  if (!(back instanceof Tensor)) throw new ArgumentError(`parametrization.right_inverse must return a tensor. Got: ${describe(back)}`)
  checkSame('The tensor returned by parametrization.right_inverse', [`module.${name}`, value], ['returned', back])
}

export interface RemoveParametrizationsOptions {
  /** Keeps the value that the parametrizations give, not the original. Default: true. */
  leaveParametrized?: boolean
}

/** Makes a tensor a parameter or buffer again. Gives the module back. */
export function removeParametrizations<T extends Module>(
  module: T,
  tensorName: string,
  { leaveParametrized = true }: RemoveParametrizationsOptions = {},
): T {
  const name = fieldToName(module, tensorName)
  if (!isParametrized(module, name)) throw new ArgumentError(`Module ${module.toString()} does not have a parametrization on ${name}`)
  const list = listOf(module, name)
  const [first] = list.originals
  let tensor = first
  if (list.isTensor) {
    if (leaveParametrized) setTensor(first, valueOf(module, name))
  } else {
    if (!leaveParametrized)
      throw new ArgumentError(
        'Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a sequence of tensors.',
      )
    const value = valueOf(module, name)
    tensor = first instanceof Parameter ? new Parameter(value, { requiresGrad: first.requiresGrad }) : value
  }
  const lists = listsOf(module)!
  const fields = parametrizedFields(module)
  const field = fieldNamed(module, name)
  lists.pop(name)
  cache.get(module)?.delete(name)
  setParametrizedFields(
    module,
    fields.filter((candidate) => candidate !== field),
  )
  register(module, field, tensor)
  if (lists.length === 0) module.removeField('parametrizations')
  return module
}

/** The class of a module, without regard to its parametrizations. */
export const typeBeforeParametrizations = (module: Module): new (...args: never[]) => Module =>
  plainClassOf(module) as unknown as new (...args: never[]) => Module

/** Puts the parametrizations of one module, and the tensors they compute from, on another one too; of all tensors, or of one. */
export function transferParametrizationsAndParams<T extends Module>(from: Module, to: T, tensorName?: string): T {
  if (!isParametrized(from)) return to
  for (const name of tensorName === undefined ? [...listsOf(from)!.keys()] : [fieldToName(from, tensorName)]) {
    const field = fieldNamed(from, name)
    const fields = to as unknown as Record<string, unknown>
    if (fields[field] === undefined) to.registerParameter(field, new Parameter(valueOf(from, name)))
    const list = listOf(from, name)
    for (const module of list) registerParametrization(to, name, module as Parametrization, { unsafe: true })
    const target = listOf(to, name)
    for (const [original, parameter] of list.ownParameters()) {
      target.removeField(original)
      target.registerParameter(original, parameter)
    }
    for (const [original, buffer] of list.ownBuffers()) {
      target.removeField(original)
      target.registerBuffer(original, buffer)
    }
    target.isTensor = list.isTensor
    target.ntensors = list.ntensors
  }
  return to
}
