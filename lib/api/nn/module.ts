import { inspect } from 'node:util'
import type { DType } from '../../tensor/dtype.js'
import { dtypeNames } from '../../tensor/dtype.js'
import { onDevice } from '../../tensor/creation.js'
import { deviceIndex } from '../../tensor/device.js'
import { Tensor } from '../../tensor/tensor.js'
import { ArgumentError, UnsupportedError } from '../../util/errors.js'
import { ScriptModule } from '../jit/script-module.js'
import { type AttributeTable, className, fieldToName } from './attributes.js'
import { addDefinition } from './definitions.js'
import { converted, copyInto, detached } from './eager.js'
import { describe, Parameter } from './parameter.js'
import { reprOf } from './repr.js'
import { isLazy } from './uninitialized.js'

/** What may be a submodule: modules written in TypeScript, and loaded, traced or scripted ones. */
export type AnyModule = Module | ScriptModule

// Arguments and results of forward are the subclass's.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Any = any

/** Sees arguments before a module computes; what it returns, other than undefined, replaces them. */
export type ForwardPreHook = (module: Module, args: unknown[]) => unknown
/** Sees the result of a module; what it returns, other than undefined, replaces it. */
export type ForwardHook = (module: Module, args: unknown[], output: unknown) => unknown

export interface HookHandle {
  remove(): void
}

/** Is told when modules begin and end to compute: a tracer. `leave` comes after an exception too, with `result` undefined. */
export interface ModuleListener {
  enter(module: Module, args: unknown[]): void
  leave(module: Module, result: unknown): void
}

let listener: ModuleListener | null = null

/** Sets the listener and gives the one before. */
export function setModuleListener(next: ModuleListener | null): ModuleListener | null {
  const before = listener
  listener = next
  return before
}

const isModule = (value: unknown): value is AnyModule => value instanceof Module || value instanceof ScriptModule

/** Calls a module as `module(...args)` does in PyTorch: hooks, then `forward` in the module's scope. */
export const callModule = (module: AnyModule, args: unknown[]): unknown => module.forward(...args)

export interface StateDictOptions {
  /** Put before every name. */
  prefix?: string
  /** Gives the parameters themselves, not tensors on their memory. */
  keepVars?: boolean
}

/** Tensors by dotted name: a Map, or a plain object. */
export type StateDict = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>

export interface LoadResult {
  missingKeys: string[]
  unexpectedKeys: string[]
}

/** What a module adds while a state dict is loaded. */
export interface LoadState {
  readonly entries: Map<string, unknown>
  readonly missingKeys: string[]
  readonly unexpectedKeys: string[]
  readonly errors: string[]
}

const join = (prefix: string, name: string): string => (prefix === '' ? name : `${prefix}.${name}`)

/**
 * Base of all modules. Fields that hold a `Parameter` are parameters, fields that hold a module are submodules; buffers are registered.
 * `forward` may be called like any method: hooks run, and tracers see the module.
 */
export class Module {
  /** Fields with their TorchScript types; see attributes.ts. */
  static readonly attributes: AttributeTable = { training: 'bool' }

  training = true

  readonly #buffers = new Map<string, { persistent: boolean }>()
  readonly #nullParameters = new Set<string>()
  readonly #preHooks: ForwardPreHook[] = []
  readonly #hooks: ForwardHook[] = []

  constructor() {
    // The method of the class stays as it is; what callers see runs hooks around it.
    const call = (...args: unknown[]): unknown => this.#run(args)
    Object.defineProperty(this, 'forward', { value: call, writable: true, configurable: true, enumerable: false })
  }

  forward(..._args: Any[]): Any {
    throw new UnsupportedError(`Module [${className(this)}] is missing the required "forward" function.`)
  }

  /** `forward` with hooks, as `module(...args)` in PyTorch. */
  call(...args: Parameters<this['forward']>): ReturnType<this['forward']> {
    return this.forward(...args) as ReturnType<this['forward']>
  }

  #run(inputs: unknown[]): unknown {
    const forward = (Object.getPrototypeOf(this) as Module).forward
    if (listener === null && this.#preHooks.length === 0 && this.#hooks.length === 0) return forward.apply(this, inputs)
    let args = inputs
    for (const hook of [...this.#preHooks]) {
      const replaced = hook(this, args)
      if (replaced !== undefined) args = Array.isArray(replaced) ? (replaced as unknown[]) : [replaced]
    }
    let output = this.#inScope(forward, args)
    for (const hook of [...this.#hooks]) {
      const replaced = hook(this, args, output)
      if (replaced !== undefined) output = replaced
    }
    return output
  }

  #inScope(forward: (...args: Any[]) => unknown, args: unknown[]): unknown {
    const listening = listener
    if (listening === null) return forward.apply(this, args)
    let result: unknown
    listening.enter(this, args)
    try {
      result = forward.apply(this, args)
    } finally {
      listening.leave(this, result)
    }
    return result
  }

  /** Adds methods in TorchScript's Python syntax, which `jit.script` compiles: `m.define('def twice(self, x): return x * 2')`. */
  define(source: string): void {
    addDefinition(this, source)
  }

  // Fields

  /** A parameter under a name that is computed; null is one that is known to be absent. */
  registerParameter(name: string, parameter: Parameter | null): void {
    if (parameter !== null && !(parameter instanceof Parameter))
      throw new ArgumentError(`Expected a Parameter or null for \`${name}\` but received ${describe(parameter)}`)
    this.#checkName(name)
    if (parameter === null) this.#nullParameters.add(name)
    this.#setField(name, parameter)
  }

  /** A tensor that belongs to the module's state without being a parameter. Only persistent ones are in the state dict. */
  registerBuffer(name: string, tensor: Tensor | null, { persistent = true }: { persistent?: boolean } = {}): void {
    if (tensor !== null && !(tensor instanceof Tensor))
      throw new ArgumentError(`Expected a Tensor or null for \`${name}\` but received ${describe(tensor)}`)
    this.#checkName(name)
    this.#buffers.set(name, { persistent })
    this.#setField(name, tensor)
  }

  /** A submodule under a name that is computed. */
  registerModule(name: string, module: AnyModule | null): void {
    if (module !== null && !isModule(module))
      throw new ArgumentError(`Expected a module or null for \`${name}\` but received ${describe(module)}`)
    this.#checkName(name)
    this.#setField(name, module)
  }
  addModule(name: string, module: AnyModule | null): void {
    this.registerModule(name, module)
  }

  /** Takes a field away, and what is known of it as a parameter or buffer: for what puts something else in its place. */
  removeField(field: string): void {
    this.#buffers.delete(field)
    this.#nullParameters.delete(field)
    delete (this as Record<string, unknown>)[field]
  }

  #checkName(name: string): void {
    if (typeof name !== 'string' || name === '' || name.includes('.'))
      throw new ArgumentError(`Expected a name without "." for \`name\` but received ${JSON.stringify(name)}`)
    if (name in Module.prototype) throw new ArgumentError(`Expected a name that modules do not use for \`name\` but received "${name}"`)
  }
  #setField(name: string, value: unknown): void {
    Object.defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true })
  }
  #field(name: string): unknown {
    return (this as Record<string, unknown>)[name]
  }

  /** The field of a name of PyTorch's. */
  fieldOf(name: string): string {
    return Object.keys(this).find((field) => fieldToName(this, field) === name) ?? name
  }

  /** Parameters of this module alone, by PyTorch's names. */
  ownParameters(): Map<string, Parameter> {
    const found = new Map<string, Parameter>()
    for (const [field, value] of Object.entries(this))
      if (value instanceof Parameter && !this.#buffers.has(field)) found.set(fieldToName(this, field), value)
    return found
  }
  /** Names registered as parameters that are absent, such as `bias` of a layer without one. */
  ownNullParameters(): string[] {
    return [...this.#nullParameters].filter((field) => this.#field(field) === null).map((field) => fieldToName(this, field))
  }
  /** Buffers of this module alone, by PyTorch's names. */
  ownBuffers(): Map<string, Tensor> {
    const found = new Map<string, Tensor>()
    for (const field of this.#buffers.keys()) {
      const value = this.#field(field)
      if (value instanceof Tensor) found.set(fieldToName(this, field), value)
    }
    return found
  }
  /** Names registered as buffers that are absent. */
  ownNullBuffers(): string[] {
    return [...this.#buffers.keys()].filter((field) => this.#field(field) === null).map((field) => fieldToName(this, field))
  }
  /** Whether a buffer of this module is in the state dict. */
  isPersistent(name: string): boolean {
    return this.isPersistentField(this.fieldOf(name))
  }
  /** Whether the buffer in a field of this module is in the state dict. */
  isPersistentField(field: string): boolean {
    return this.#buffers.get(field)?.persistent ?? false
  }
  /** Takes over which parameters and buffers of a module of the same class are known to be absent. */
  adoptNulls(other: Module): void {
    for (const field of other.#nullParameters) this.#nullParameters.add(field)
    for (const [field, { persistent }] of other.#buffers) if (!this.#buffers.has(field)) this.#buffers.set(field, { persistent })
  }
  /** Submodules of this module alone, by PyTorch's names. */
  ownChildren(): Map<string, AnyModule> {
    const found = new Map<string, AnyModule>()
    for (const [field, value] of Object.entries(this)) if (isModule(value)) found.set(fieldToName(this, field), value)
    return found
  }

  // Traversal

  /** Direct submodules by name, each once. */
  namedChildren(): [string, AnyModule][] {
    const seen = new Set<AnyModule>()
    return [...this.ownChildren()].filter(([, module]) => !seen.has(module) && seen.add(module))
  }
  children(): AnyModule[] {
    return this.namedChildren().map(([, module]) => module)
  }

  /** This module (under the name '') and all below it, by dotted name, each once. */
  namedModules(prefix = ''): [string, AnyModule][] {
    const seen = new Set<AnyModule>()
    const found: [string, AnyModule][] = []
    const visit = (module: AnyModule, path: string): void => {
      if (seen.has(module)) return
      seen.add(module)
      if (!(module instanceof Module)) {
        found.push(...module.namedModules(path))
        return
      }
      found.push([path, module])
      for (const [name, child] of module.ownChildren()) visit(child, join(path, name))
    }
    visit(this, prefix)
    return found
  }
  modules(): AnyModule[] {
    return this.namedModules().map(([, module]) => module)
  }

  #namedTensors<T extends Tensor>(
    prefix: string,
    recurse: boolean,
    own: (module: Module) => Map<string, T>,
    script: 'namedParameters' | 'namedBuffers',
  ): [string, T][] {
    const seen = new Set<Tensor>()
    const found: [string, T][] = []
    const add = (path: string, tensor: T): void => {
      if (seen.has(tensor)) return
      seen.add(tensor)
      found.push([path, tensor])
    }
    const visited = new Set<AnyModule>()
    const visit = (module: AnyModule, path: string): void => {
      if (visited.has(module)) return
      visited.add(module)
      if (!(module instanceof Module)) {
        for (const [name, tensor] of module[script]()) add(join(path, name), tensor as T)
        return
      }
      for (const [name, tensor] of own(module)) add(join(path, name), tensor)
      if (recurse) for (const [name, child] of module.ownChildren()) visit(child, join(path, name))
    }
    visit(this, prefix)
    return found
  }

  /** Parameters by dotted name, each once. Those of loaded modules are Tensors. */
  namedParameters({ prefix = '', recurse = true }: { prefix?: string; recurse?: boolean } = {}): [string, Tensor][] {
    return this.#namedTensors<Tensor>(prefix, recurse, (module) => module.ownParameters(), 'namedParameters')
  }
  parameters({ recurse = true }: { recurse?: boolean } = {}): Tensor[] {
    return this.namedParameters({ recurse }).map(([, tensor]) => tensor)
  }
  /** Buffers by dotted name, each once. */
  namedBuffers({ prefix = '', recurse = true }: { prefix?: string; recurse?: boolean } = {}): [string, Tensor][] {
    return this.#namedTensors<Tensor>(prefix, recurse, (module) => module.ownBuffers(), 'namedBuffers')
  }
  buffers({ recurse = true }: { recurse?: boolean } = {}): Tensor[] {
    return this.namedBuffers({ recurse }).map(([, tensor]) => tensor)
  }

  /** The submodule at a dotted path; '' is this module. */
  getSubmodule(path: string): AnyModule {
    const step = (module: AnyModule, name: string): AnyModule => {
      const child = module instanceof Module ? module.ownChildren().get(name) : new Map(module.namedChildren()).get(name)
      if (child !== undefined) return child
      throw new ArgumentError(`${module instanceof Module ? className(module) : module.originalName} has no submodule \`${name}\``)
    }
    return path === '' ? this : path.split('.').reduce(step, this as AnyModule)
  }
  /** The parameter at a dotted path. */
  getParameter(path: string): Tensor {
    return this.#tensorAt(path, 'parameter', (module) =>
      module instanceof Module ? module.ownParameters() : new Map(module.namedParameters()),
    )
  }
  /** The buffer at a dotted path. */
  getBuffer(path: string): Tensor {
    return this.#tensorAt(path, 'buffer', (module) => (module instanceof Module ? module.ownBuffers() : new Map(module.namedBuffers())))
  }
  #tensorAt(path: string, kind: string, own: (module: AnyModule) => ReadonlyMap<string, Tensor>): Tensor {
    const at = path.lastIndexOf('.')
    const module = this.getSubmodule(at < 0 ? '' : path.slice(0, at))
    const tensor = own(module).get(path.slice(at + 1))
    if (tensor === undefined) {
      const owner = module instanceof Module ? className(module) : module.originalName
      throw new ArgumentError(`${owner} has no ${kind} \`${path.slice(at + 1)}\``)
    }
    return tensor
  }

  // State

  /** Parameters and persistent buffers by dotted name: tensors on the module's memory. */
  stateDict({ prefix = '', keepVars = false }: StateDictOptions = {}): Map<string, Tensor> {
    const entries = new Map<string, Tensor>()
    const kept = (tensor: Tensor): Tensor => (keepVars || isLazy(tensor) ? tensor : detached(tensor))
    for (const [name, tensor] of this.#ownState()) entries.set(prefix + name, kept(tensor))
    for (const [name, child] of this.ownChildren()) {
      const below =
        child instanceof Module
          ? child.stateDict({ prefix: `${prefix}${name}.`, keepVars })
          : [...child.stateDict()].map(([key, tensor]) => [`${prefix}${name}.${key}`, tensor] as const)
      for (const [key, tensor] of below) entries.set(key, tensor)
    }
    return entries
  }

  #ownState(): Map<string, Tensor> {
    const persistent = [...this.ownBuffers()].filter(([name]) => this.isPersistent(name))
    return new Map<string, Tensor>([...this.ownParameters(), ...persistent])
  }

  /**
   * Copies values into the parameters and buffers. With `strict`, missing and unexpected names are errors; differing shapes always are.
   * All problems are in one message.
   */
  loadStateDict(stateDict: StateDict, { strict = true }: { strict?: boolean } = {}): LoadResult {
    if (typeof stateDict !== 'object' || stateDict === null || stateDict instanceof Tensor || Array.isArray(stateDict))
      throw new ArgumentError(`Expected a Map or an object of tensors for \`stateDict\` but received ${describe(stateDict)}`)
    const entries = new Map<string, unknown>(stateDict instanceof Map ? stateDict : Object.entries(stateDict))
    const state: LoadState = { entries, missingKeys: [], unexpectedKeys: [], errors: [] }
    this.loadOwnState(state, '')
    const { missingKeys, unexpectedKeys, errors } = state
    const quoted = (keys: string[]): string => keys.map((key) => `"${key}"`).join(', ')
    if (strict) {
      if (unexpectedKeys.length > 0) errors.unshift(`Unexpected key(s) in state_dict: ${quoted(unexpectedKeys)}. `)
      if (missingKeys.length > 0) errors.unshift(`Missing key(s) in state_dict: ${quoted(missingKeys)}. `)
    }
    if (errors.length > 0) throw new ArgumentError(`Error(s) in loading state_dict for ${className(this)}:\n\t${errors.join('\n\t')}`)
    return { missingKeys, unexpectedKeys }
  }

  /** Loads this module and those below it from the names that begin with `prefix`. */
  protected loadOwnState(state: LoadState, prefix: string): void {
    const own = this.#ownState()
    for (const [name, target] of own) loadTensor(state, prefix + name, target)
    const children = this.ownChildren()
    for (const key of state.entries.keys()) {
      if (!key.startsWith(prefix)) continue
      const [name, ...rest] = key.slice(prefix.length).split('.')
      if (rest.length > 0 ? !children.has(name) : !own.has(name)) state.unexpectedKeys.push(key)
    }
    for (const [name, child] of children) {
      if (child instanceof Module) child.loadOwnState(state, `${prefix}${name}.`)
      else loadScriptModule(state, `${prefix}${name}.`, child)
    }
  }

  // Changes of the whole tree

  /** Sets training mode here and below. */
  train(mode = true): this {
    if (typeof mode !== 'boolean') throw new ArgumentError(`Expected a boolean for \`mode\` but received ${describe(mode)}`)
    this.training = mode
    for (const child of this.children()) child.train(mode)
    return this
  }
  eval(): this {
    return this.train(false)
  }

  /** Calls `fn` with every module below, then with this one. */
  apply(fn: (module: AnyModule) => void): this {
    for (const child of this.children()) {
      if (child instanceof Module) child.apply(fn)
      else for (const module of child.modules().reverse()) fn(module)
    }
    fn(this)
    return this
  }

  requiresGrad_(requiresGrad = true): this {
    for (const parameter of this.parameters()) Tensor.handleOf(parameter).setRequiresGrad(requiresGrad)
    return this
  }

  /** Moves parameters and buffers to a device, or converts floating-point ones to a dtype; parameters stay the same objects. */
  to(target: DType | 'cpu' | 'cuda' | `cuda:${number}` | Tensor | { dtype?: DType; device?: string }): this {
    const wanted = typeof target === 'string' ? (isDType(target) ? { dtype: target } : { device: target }) : target
    const { dtype, device } = wanted as { dtype?: DType; device?: string }
    if (device !== undefined) {
      deviceIndex(device)
      this.convert((tensor) => onDevice(tensor, device), (module) => module.to(device))
    }
    if (dtype === undefined) return this
    if (!isDType(dtype) || !(isFloating(dtype) || isComplex(dtype)))
      throw new ArgumentError(`Expected a floating point or complex dtype for \`dtype\` but received ${JSON.stringify(dtype)}`)
    return this.convert((tensor) => (isFloating(tensor.dtype) || isComplex(tensor.dtype) ? converted(tensor, dtype) : tensor))
  }
  half(): this {
    return this.convert((tensor) => (isFloating(tensor.dtype) ? converted(tensor, 'float16') : tensor))
  }
  bfloat16(): this {
    return this.convert((tensor) => (isFloating(tensor.dtype) ? converted(tensor, 'bfloat16') : tensor))
  }
  float(): this {
    return this.convert((tensor) => (isFloating(tensor.dtype) ? converted(tensor, 'float32') : tensor))
  }
  double(): this {
    return this.convert((tensor) => (isFloating(tensor.dtype) ? converted(tensor, 'float64') : tensor))
  }
  cpu(): this {
    return this.to('cpu')
  }
  cuda(device: 'cuda' | `cuda:${number}` = 'cuda'): this {
    return this.to(device)
  }

  /** Replaces the memory of all parameters and the buffers by what `fn` makes of them. */
  protected convert(fn: (tensor: Tensor) => Tensor, loaded?: (module: ScriptModule) => void): this {
    for (const child of this.children()) {
      if (child instanceof Module) child.convert(fn, loaded)
      else if (loaded !== undefined) loaded(child)
      else throw new UnsupportedError(`Converting ${child.originalName}, a loaded module, to another dtype is not supported.`)
    }
    for (const parameter of this.ownParameters().values()) {
      if (isLazy(parameter)) {
        parameter.convert(fn)
        continue
      }
      const made = fn(parameter)
      if (made === parameter) continue
      const requiresGrad = parameter.requiresGrad
      Tensor.replaceHandle(parameter, Tensor.handleOf(made))
      Tensor.handleOf(parameter).setRequiresGrad(requiresGrad)
    }
    for (const field of this.#buffers.keys()) {
      const value = this.#field(field)
      if (isLazy(value)) value.convert(fn)
      else if (value instanceof Tensor) this.#setField(field, fn(value))
    }
    return this
  }

  // Hooks

  registerForwardPreHook(hook: ForwardPreHook, { prepend = false }: { prepend?: boolean } = {}): HookHandle {
    return addHook(this.#preHooks, hook, prepend)
  }
  registerForwardHook(hook: ForwardHook, { prepend = false }: { prepend?: boolean } = {}): HookHandle {
    return addHook(this.#hooks, hook, prepend)
  }
  /** Hooks in the order they run, for what converts modules. */
  forwardHooks(): { readonly pre: readonly ForwardPreHook[]; readonly post: readonly ForwardHook[] } {
    return { pre: this.#preHooks, post: this.#hooks }
  }

  // Text

  /** What stands between the parentheses of the printed form. */
  extraRepr(): string {
    return ''
  }
  toString(): string {
    const children = [...this.ownChildren()].map(([name, child]) => [name, inspect(child)] as const)
    return reprOf(className(this), this.extraRepr(), children)
  }
  [inspect.custom](): string {
    return this.toString()
  }
}

const isDType = (name: string): name is DType => (dtypeNames as readonly string[]).includes(name)
const isFloating = (dtype: string): boolean => dtype.startsWith('float') || dtype === 'bfloat16'
const isComplex = (dtype: string): boolean => dtype.startsWith('complex')

function addHook<T>(hooks: T[], hook: T, prepend: boolean): HookHandle {
  if (typeof hook !== 'function') throw new ArgumentError(`Expected a function for \`hook\` but received ${describe(hook)}`)
  // Each registration is removed on its own, also when the same function is there twice.
  const entry = ((...args: unknown[]) => (hook as (...args: unknown[]) => unknown)(...args)) as T
  if (prepend) hooks.unshift(entry)
  else hooks.push(entry)
  return {
    remove() {
      const at = hooks.indexOf(entry)
      if (at >= 0) hooks.splice(at, 1)
    },
  }
}

const size = (shape: readonly number[]): string => `torch.Size([${shape.join(', ')}])`

/** Copies one entry; problems are added to the errors. */
function loadTensor(state: LoadState, key: string, target: Tensor): void {
  const { entries } = state
  if (!entries.has(key)) {
    state.missingKeys.push(key)
    return
  }
  const source = entries.get(key)
  if (!(source instanceof Tensor)) {
    state.errors.push(`While copying the parameter named "${key}", expected Tensor from checkpoint but received ${describe(source)}`)
    return
  }
  if (isLazy(target)) {
    if (isLazy(source)) return
    target.materialize(source.shape)
  }
  // Files of PyTorch 0.3 have tensors of one element where there are 0-dim ones now.
  const isOldScalar = target.dim() === 0 && source.dim() === 1 && source.shape[0] === 1
  if (!isOldScalar && source.shape.join() !== target.shape.join()) {
    state.errors.push(
      `size mismatch for ${key}: copying a param with shape ${size(source.shape)} from checkpoint, the shape in current model is ${size(target.shape)}.`,
    )
    return
  }
  copyInto(target, source)
}

function loadScriptModule(state: LoadState, prefix: string, module: ScriptModule): void {
  const own = module.stateDict()
  for (const [name, target] of own) loadTensor(state, prefix + name, target)
  for (const key of state.entries.keys()) if (key.startsWith(prefix) && !own.has(key.slice(prefix.length))) state.unexpectedKeys.push(key)
}
