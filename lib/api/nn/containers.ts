import { inspect } from 'node:util'
import type { Tensor } from '../../tensor/tensor.js'
import { ArgumentError } from '../../util/errors.js'
import { className } from './attributes.js'
import { type AnyModule, Module } from './module.js'
import { describe, Parameter } from './parameter.js'
import { indentRest } from './repr.js'

/** A place in a list of `length`; negative ones count from the end. */
function place(index: number, length: number): number {
  const at = index < 0 ? index + length : index
  if (!Number.isInteger(at) || at < 0 || at >= length)
    throw new ArgumentError(`Expected an index from ${-length} to ${length - 1} for \`index\` but received ${index}`)
  return at
}

/** What lists of modules share. Items are children under the names '0', '1', ... and readable as `list[0]`. */
abstract class ModuleSequence extends Module {
  readonly #items: AnyModule[] = [];
  [index: number]: AnyModule

  get length(): number {
    return this.#items.length
  }
  [Symbol.iterator](): IterableIterator<AnyModule> {
    return this.#items[Symbol.iterator]()
  }
  at(index: number): AnyModule {
    return this.#items[place(index, this.length)]
  }
  set(index: number, module: AnyModule): void {
    this.#items[place(index, this.length)] = this.checked(module)
    this.#number()
  }
  append(module: AnyModule): this {
    this.#items.push(this.checked(module))
    this.#number()
    return this
  }
  extend(modules: Iterable<AnyModule>): this {
    for (const module of modules) this.append(module)
    return this
  }
  insert(index: number, module: AnyModule): this {
    this.#items.splice(index < 0 ? Math.max(0, index + this.length) : index, 0, this.checked(module))
    this.#number()
    return this
  }
  pop(index = -1): AnyModule {
    const [module] = this.#items.splice(place(index, this.length), 1)
    this.#number()
    return module
  }
  map<T>(fn: (module: AnyModule, index: number) => T): T[] {
    return this.#items.map(fn)
  }

  protected checked(module: AnyModule): AnyModule {
    const isModule = typeof module === 'object' && module !== null && typeof (module as Module).namedModules === 'function'
    if (!isModule) throw new ArgumentError(`Expected a module for \`module\` but received ${describe(module)}`)
    return module
  }
  protected get items(): readonly AnyModule[] {
    return this.#items
  }

  /** `list[i]` are properties, so that items read like those of an array; they are not fields. */
  #number(): void {
    for (const key of Object.getOwnPropertyNames(this)) if (/^\d+$/.test(key)) delete this[Number(key)]
    this.#items.forEach((value, i) => Object.defineProperty(this, i, { value, enumerable: false, configurable: true }))
  }
  override ownChildren(): Map<string, AnyModule> {
    return new Map([...this.#items.map((module, i) => [String(i), module] as const), ...super.ownChildren()])
  }
}

/** Modules called one after the other. Made from modules, or from an object of named ones. */
export class Sequential extends ModuleSequence {
  static readonly pythonName: string = 'torch.nn.modules.container.Sequential'
  /** Each step has a name of its own: steps may differ in type. */
  static torchscript(module: Sequential): string {
    const names = [...module.ownChildren().keys()]
    const steps = names.map((name, i) => `  x${i + 1} = getattr(self, ${JSON.stringify(name)})(x${i})\n`)
    return `
def forward(self, input: Tensor):
  x0 = input
${steps.join('')}  return x${names.length}
`
  }
  readonly #names: string[] | undefined

  constructor(...modules: AnyModule[] | [Readonly<Record<string, AnyModule>> | ReadonlyMap<string, AnyModule>]) {
    super()
    const [first] = modules
    const isNamed =
      modules.length === 1 && (first instanceof Map || (typeof first === 'object' && Object.getPrototypeOf(first) === Object.prototype))
    const named = !isNamed
      ? undefined
      : first instanceof Map
        ? [...(first as Map<string, AnyModule>)]
        : Object.entries(first as Record<string, AnyModule>)
    this.#names = named?.map(([name]) => name)
    for (const module of named?.map(([, value]) => value) ?? (modules as AnyModule[])) this.append(module)
  }
  // Arguments of the first module; the result of the last one.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  override forward(input: any): any {
    let value: unknown = input
    for (const module of this.items) value = module.forward(value)
    return value
  }
  override ownChildren(): Map<string, AnyModule> {
    const names = this.#names
    return names === undefined ? super.ownChildren() : new Map(this.items.map((module, i) => [names[i] ?? String(i), module] as const))
  }
  /** The modules from `start` up to but without `end`, as a new Sequential. */
  slice(start?: number, end?: number): Sequential {
    const names = this.#names
    const items = this.items.slice(start, end)
    if (names === undefined) return new Sequential(...items)
    return new Sequential(new Map(items.map((module) => [names[this.items.indexOf(module)], module] as const)))
  }
}

/** A list of modules, which are called by the module that has it. */
export class ModuleList extends ModuleSequence {
  static readonly pythonName: string = 'torch.nn.modules.container.ModuleList'
  constructor(modules: Iterable<AnyModule> = []) {
    super()
    this.extend(modules)
  }
  slice(start?: number, end?: number): ModuleList {
    return new ModuleList(this.items.slice(start, end))
  }
  /** Equal neighbours are one line: `(0-3): 4 x Linear(...)`. */
  override toString(): string {
    const runs: { text: string; from: number; to: number }[] = []
    this.items.forEach((module, i) => {
      const text = inspect(module)
      const last = runs.at(-1)
      if (last?.text === text) last.to = i
      else runs.push({ text, from: i, to: i })
    })
    if (runs.length === 0) return `${className(this)}()`
    const lines = runs.map(({ text, from, to }) =>
      indentRest(from === to ? `(${from}): ${text}` : `(${from}-${to}): ${to - from + 1} x ${text}`, 2),
    )
    return `${className(this)}(\n  ${lines.join('\n  ')}\n)`
  }
}

/** Modules by name, in the order they were added. */
export class ModuleDict extends Module {
  static readonly pythonName: string = 'torch.nn.modules.container.ModuleDict'
  readonly #items = new Map<string, AnyModule>()

  constructor(modules: Readonly<Record<string, AnyModule>> | Iterable<readonly [string, AnyModule]> = {}) {
    super()
    this.update(modules)
  }
  get length(): number {
    return this.#items.size
  }
  get(name: string): AnyModule {
    const module = this.#items.get(name)
    if (module === undefined)
      throw new ArgumentError(`Expected one of ${[...this.#items.keys()].join(', ')} for \`name\` but received "${name}"`)
    return module
  }
  set(name: string, module: AnyModule): this {
    if (typeof module !== 'object' || module === null || typeof module.namedModules !== 'function')
      throw new ArgumentError(`Expected a module for \`${name}\` but received ${describe(module)}`)
    this.#items.set(name, module)
    return this
  }
  has(name: string): boolean {
    return this.#items.has(name)
  }
  pop(name: string): AnyModule {
    const module = this.get(name)
    this.#items.delete(name)
    return module
  }
  clear(): void {
    this.#items.clear()
  }
  update(modules: Readonly<Record<string, AnyModule>> | Iterable<readonly [string, AnyModule]>): this {
    const entries = Symbol.iterator in modules ? (modules as Iterable<readonly [string, AnyModule]>) : Object.entries(modules)
    for (const [name, module] of entries) this.set(name, module)
    return this
  }
  keys(): IterableIterator<string> {
    return this.#items.keys()
  }
  values(): IterableIterator<AnyModule> {
    return this.#items.values()
  }
  entries(): IterableIterator<[string, AnyModule]> {
    return this.#items.entries()
  }
  [Symbol.iterator](): IterableIterator<[string, AnyModule]> {
    return this.entries()
  }
  override ownChildren(): Map<string, AnyModule> {
    return new Map([...this.#items, ...super.ownChildren()])
  }
}

/** A tensor becomes a parameter. */
function parameterOf(value: Tensor): Parameter {
  return value instanceof Parameter ? value : new Parameter(value)
}
const tensorTypes: Readonly<Record<string, string>> = {
  float32: 'FloatTensor',
  float64: 'DoubleTensor',
  float16: 'HalfTensor',
  bfloat16: 'BFloat16Tensor',
}
/** One line for each parameter, as the repr of lists and dicts of them has it. */
const parameterLines = (entries: Iterable<readonly [name: unknown, parameter: Tensor]>, type: (dtype: string) => string): string =>
  [...entries]
    .map(([name, { dtype, shape }]) => `  (${String(name)}): Parameter containing: [torch.${type(dtype)} of size ${shape.join('x')}]`)
    .join('\n')

/** A list of parameters; tensors put into it become parameters. */
export class ParameterList extends Module {
  static readonly pythonName: string = 'torch.nn.modules.container.ParameterList'
  readonly #items: Parameter[] = [];
  [index: number]: Parameter

  constructor(values: Iterable<Tensor> = []) {
    super()
    this.extend(values)
  }
  get length(): number {
    return this.#items.length
  }
  [Symbol.iterator](): IterableIterator<Parameter> {
    return this.#items[Symbol.iterator]()
  }
  at(index: number): Parameter {
    return this.#items[place(index, this.length)]
  }
  set(index: number, value: Tensor): void {
    this.#put(place(index, this.length), parameterOf(value))
  }
  append(value: Tensor): this {
    this.#put(this.length, parameterOf(value))
    return this
  }
  extend(values: Iterable<Tensor>): this {
    for (const value of values) this.append(value)
    return this
  }
  #put(index: number, value: Parameter): void {
    this.#items[index] = value
    Object.defineProperty(this, index, { value, enumerable: false, configurable: true })
  }
  override ownParameters(): Map<string, Parameter> {
    return new Map([...this.#items.map((parameter, i) => [String(i), parameter] as const), ...super.ownParameters()])
  }
  override extraRepr(): string {
    return parameterLines(this.#items.entries(), (dtype) => dtype)
  }
}

/** Parameters by name; tensors put into it become parameters. */
export class ParameterDict extends Module {
  static readonly pythonName: string = 'torch.nn.modules.container.ParameterDict'
  readonly #items = new Map<string, Parameter>()

  constructor(values: Readonly<Record<string, Tensor>> | Iterable<readonly [string, Tensor]> = {}) {
    super()
    const entries = Symbol.iterator in values ? (values as Iterable<readonly [string, Tensor]>) : Object.entries(values)
    for (const [name, value] of entries) this.set(name, value)
  }
  get length(): number {
    return this.#items.size
  }
  get(name: string): Parameter {
    const parameter = this.#items.get(name)
    if (parameter === undefined)
      throw new ArgumentError(`Expected one of ${[...this.#items.keys()].join(', ')} for \`name\` but received "${name}"`)
    return parameter
  }
  set(name: string, value: Tensor): this {
    this.#items.set(name, parameterOf(value))
    return this
  }
  has(name: string): boolean {
    return this.#items.has(name)
  }
  keys(): IterableIterator<string> {
    return this.#items.keys()
  }
  values(): IterableIterator<Parameter> {
    return this.#items.values()
  }
  entries(): IterableIterator<[string, Parameter]> {
    return this.#items.entries()
  }
  [Symbol.iterator](): IterableIterator<[string, Parameter]> {
    return this.entries()
  }
  override ownParameters(): Map<string, Parameter> {
    return new Map([...this.#items, ...super.ownParameters()])
  }
  override extraRepr(): string {
    return parameterLines(this.#items, (dtype) => tensorTypes[dtype] ?? dtype)
  }
}
