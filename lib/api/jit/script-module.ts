import { inspect } from 'node:util'
import { ConstantTable } from '../../archive/python-printer.js'
import type { TensorData } from '../../archive/values.js'
import type { ClassType, ConstantValue, ScriptFunction } from '../../ir/types.js'
import { typeAnnotation } from '../../ir/types.js'
import { printGraph } from '../../ir/printer.js'
import type { ArchiveNames } from '../../archive/code-names.js'
import type { PickleValue } from '../../archive/values.js'
import { cloneGraph } from '../../passes/clone.js'
import { inlineCalls } from '../../passes/inline.js'
import type { ObjectHandle, SignatureReport, TensorHandle } from '../../native/binding.js'
import { objectHandle } from '../../runtime/convert.js'
import { tensorOfConstant } from '../../runtime/evaluator.js'
import { callByUser, optimizedGraph } from '../../runtime/optimized-execution.js'
import { liveTensor } from '../../runtime/live-tensors.js'
import type { Program } from '../../runtime/program.js'
import type { TensorExporter } from '../../runtime/snapshot.js'
import { deviceIndex } from '../../tensor/device.js'
import { type DType, dtypeNames } from '../../tensor/dtype.js'
import { Tensor } from '../../tensor/tensor.js'
import { ArgumentError, InvariantError } from '../../util/errors.js'
import type { FileTarget } from '../files.js'
import { functionCode } from './print.js'
import { type JitSaveOptions, saveObject } from './save.js'
import { noted } from './script-calls.js'

const state = Symbol('torchscript.state')

/** What `memoryPlan` gives. */
export interface MemoryPlan {
  readonly weightBytes: number
  readonly packedBytes: number
  /** Of `weightBytes`, those that are computed when somebody reads them: what folding has made of weights of a file, and kernels have packed. */
  readonly awayBytes: number
  readonly arenaBytes: number
  readonly liveBytes: number
  readonly outputBytes: number
  readonly constantBytes: number
}

interface State {
  readonly program: Program
  readonly handle: ObjectHandle
  readonly type: ClassType
  readonly methods: Map<string, (...args: unknown[]) => unknown>
  /** `forward` on this very object, once it was called. */
  forward?: (...args: unknown[]) => unknown
}

/** Members of this class that give way to a program's members of the same name. */
const yielding = new Set(['to', 'cuda', 'cpu', 'half'])
const isOwn = (type: ClassType, name: string): boolean => type.methods.has(name) || type.attribute(name) !== undefined

/** Attributes, methods and class constants become properties; the members of the class itself come first. */
const members: ProxyHandler<ScriptObject> = {
  get(target, name, receiver) {
    // Most calls come this way; what the method would read of the object, each time through this handler, is known by then.
    if (name === 'forward') {
      const { forward } = target[state]
      if (forward !== undefined) return forward
    }
    const { type } = target[state]
    if (typeof name === 'symbol' || (name in target && !(yielding.has(name) && isOwn(type, name)))) return Reflect.get(target, name, receiver)
    if (type.attribute(name) !== undefined || type.constants.has(name)) return target.getAttribute(name)
    return type.methods.has(name) ? method(target, name) : undefined
  },
  set(target, name, value, receiver) {
    if (typeof name === 'symbol' || name in target) return Reflect.set(target, name, value, receiver)
    target.setAttribute(name, value)
    return true
  },
  has: (target, name) => name in target || (typeof name === 'string' && target.hasMember(name)),
}

function method(target: ScriptObject, name: string): (...args: unknown[]) => unknown {
  const { methods } = target[state]
  let call = methods.get(name)
  if (call === undefined) methods.set(name, (call = (...args) => target.run(name, ...args)))
  return call
}

function constantToJs(constant: ConstantValue): unknown {
  switch (constant.kind) {
    case 'none':
      return null
    case 'int':
      return Number.isSafeInteger(Number(constant.value)) ? Number(constant.value) : constant.value
    case 'complex':
      return { re: constant.re, im: constant.im }
    case 'list':
    case 'tuple':
      return constant.items.map(constantToJs)
    case 'dict':
      return new Map(constant.entries.map(([k, v]) => [constantToJs(k), constantToJs(v)]))
    case 'enum':
      return { className: constant.className, value: constantToJs(constant.value) }
    case 'tensor':
      return tensorOfConstant(constant.tensor as TensorData)
    case 'bool':
    case 'float':
    case 'string':
    case 'device':
      return constant.value
    default:
      return undefined
  }
}

/** Printed form of a method's declaration, for messages. */
function declaration(fn: ScriptFunction): string {
  const parameters = fn.parameters.slice(1).map((p) => `${p.name}: ${typeAnnotation(p.type)}`)
  return `${fn.name}(${parameters.join(', ')}) -> ${typeAnnotation(fn.returnType)}`
}

/** An object of a TorchScript program. Its attributes and methods are properties. */
export class ScriptObject {
  [state]: State;
  // Members come from the program.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [member: string]: any

  constructor(program: Program, handle: ObjectHandle) {
    this[state] = { program, handle, type: program.classOf(handle), methods: new Map() }
    return new Proxy(this, members)
  }

  get [objectHandle](): ObjectHandle {
    return this[state].handle
  }

  /** Name of the class without its package. */
  get originalName(): string {
    return this[state].type.qualifiedName.split('.').at(-1)!
  }

  /** Calls a method by name. Keyword arguments come last: `m.run('encode', x, torch.kwargs({ mask }))`. */
  run(name: string, ...args: unknown[]): unknown {
    const { program, handle } = this[state]
    const fn = this.method(name)
    return noted(fn, this, args, callByUser(program, fn, args, handle))
  }

  /** Like `run`, on a native worker: the event loop goes on meanwhile. */
  async runAsync(name: string, ...args: unknown[]): Promise<unknown> {
    const { program, handle } = this[state]
    return program.callAsync(this.method(name), [{ [objectHandle]: handle }, ...args])
  }

  protected method(name: string): ScriptFunction {
    const { type, program } = this[state]
    const fn = type.methods.get(name)
    if (fn !== undefined && program.has(fn)) return fn
    const known = [...type.methods.keys()]
    throw new ArgumentError(
      `Expected a method of ${type.qualifiedName} for \`name\` but received '${name}'${known.length > 0 ? `; it has ${known.join(', ')}` : '; it has none'}`,
    )
  }

  /** Whether the object has an attribute, a class constant or a method of this name. */
  hasMember(name: string): boolean {
    const { type } = this[state]
    return type.attribute(name) !== undefined || type.constants.has(name) || type.methods.has(name)
  }

  getAttribute(name: string): unknown {
    const { program, handle, type } = this[state]
    const slot = type.slot(name)
    if (slot >= 0) return program.getAttribute(handle, slot)
    const constant = type.constants.get(name)
    if (constant !== undefined) return constantToJs(constant)
    throw new ArgumentError(`Expected an attribute of ${type.qualifiedName} for \`name\` but received '${name}'`)
  }

  /** Writes an attribute. The value is checked against its declared type. */
  setAttribute(name: string, value: unknown): void {
    const { program, handle, type } = this[state]
    const slot = type.slot(name)
    if (slot >= 0) return program.setAttribute(handle, slot, value)
    const reason = type.constants.has(name) ? 'a constant of the class, which cannot be set' : `'${name}'`
    throw new ArgumentError(`Expected an attribute of ${type.qualifiedName} for \`name\` but received ${reason}`)
  }

  /** Declarations of the methods, such as `forward(x: Tensor) -> Tensor`. */
  signaturesOfMethods(): string[] {
    return [...this[state].type.methods.values()].map(declaration)
  }

  [inspect.custom](): string {
    return `${this.originalName} {}`
  }
}

/** Leaves out tensors that came before under another name. Views of a tensor are others. */
function withoutRepeats(named: [string, Tensor][]): [string, Tensor][] {
  const seen = new Set<number>()
  return named.filter(([, tensor]) => {
    const { identity } = Tensor.handleOf(tensor)
    if (seen.has(identity)) return false
    seen.add(identity)
    return true
  })
}

/** A module of a TorchScript program. */
export class ScriptModule extends ScriptObject {
  // Arguments and results are the program's.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  forward(...args: any[]): any {
    const of = this[state]
    if (of.forward === undefined) {
      const { program, handle } = of
      const fn = this.method('forward')
      of.forward = (...given) => noted(fn, this, given, callByUser(program, fn, given, handle))
    }
    return of.forward(...(args as unknown[]))
  }

  /** `forward` on a native worker: the event loop goes on meanwhile. Calls of one module may overlap. */
  forwardAsync(...args: unknown[]): Promise<unknown> {
    return this.runAsync('forward', ...args)
  }

  /** The code of `forward`, as archives have it. */
  get code(): string {
    return functionCode(this.method('forward'))
  }
  /** The code of a method. */
  codeOf(name: string): string {
    return functionCode(this.method(name))
  }
  /** The IR of `forward` with all calls replaced by what they call. */
  get inlinedGraph(): string {
    const graph = cloneGraph(this.method('forward').graph)
    inlineCalls.run(graph)
    return printGraph(graph)
  }
  /** The IR of `forward`. */
  get graph(): string {
    return printGraph(this.method('forward').graph)
  }
  /** The code of `forward` with the constants that it names `CONSTANTS.c0` and so on. */
  get codeWithConstants(): [code: string, constants: Map<string, unknown>] {
    const table = new ConstantTable()
    const code = functionCode(this.method('forward'), table)
    return [code, new Map(table.values.map((value, i) => [`c${i}`, constantToJs(value)]))]
  }
  /** Runs `forward` and gives the graph that ran, with all passes applied. */
  graphFor(...inputs: unknown[]): string {
    this.forward(...inputs)
    return optimizedGraph(this[state].program, this.method('forward'))
  }
  /** The IR of a method. */
  graphOf(name: string): string {
    return printGraph(this.method(name).graph)
  }

  /** Submodules by name. */
  namedChildren(): [string, ScriptModule][] {
    const { type } = this[state]
    const modules = type.attributes.filter((a) => a.type.kind === 'Class' || a.type.kind === 'Optional')
    return modules.flatMap(({ name }) => {
      const value = this.getAttribute(name)
      return value instanceof ScriptModule ? [[name, value] as [string, ScriptModule]] : []
    })
  }
  children(): ScriptModule[] {
    return this.namedChildren().map(([, module]) => module)
  }

  /** This module (under the name '') and all below it, by dotted name. */
  namedModules(prefix = ''): [string, ScriptModule][] {
    const inner = this.namedChildren().flatMap(([name, module]) => module.namedModules(prefix === '' ? name : `${prefix}.${name}`))
    return [[prefix, this], ...inner]
  }
  modules(): ScriptModule[] {
    return this.namedModules().map(([, module]) => module)
  }

  private tensors(wanted: (attribute: { isParameter: boolean; isBuffer: boolean }) => boolean): [string, Tensor][] {
    return this.namedModules().flatMap(([path, module]) =>
      module[state].type.attributes.filter(wanted).flatMap(({ name }) => {
        const value = module.getAttribute(name)
        return value instanceof Tensor ? [[path === '' ? name : `${path}.${name}`, value] as [string, Tensor]] : []
      }),
    )
  }
  /** Parameters by dotted name; one that is tied comes once, under its first name. */
  namedParameters(): [string, Tensor][] {
    return withoutRepeats(this.tensors((attribute) => attribute.isParameter))
  }
  parameters(): Tensor[] {
    return this.namedParameters().map(([, tensor]) => tensor)
  }
  /** Buffers by dotted name; one that is tied comes once, under its first name. */
  namedBuffers(): [string, Tensor][] {
    return withoutRepeats(this.tensors((attribute) => attribute.isBuffer))
  }
  buffers(): Tensor[] {
    return this.namedBuffers().map(([, tensor]) => tensor)
  }
  /** Parameters and buffers by dotted name, tied ones under each of their names; they share the module's memory. */
  stateDict(): Map<string, Tensor> {
    return new Map(this.tensors((attribute) => attribute.isParameter || attribute.isBuffer))
  }

  /** Sets `training` here and in all submodules that have it (frozen modules do not). */
  train(mode = true): this {
    for (const module of this.modules()) if (module[state].type.slot('training') >= 0) module.setAttribute('training', mode)
    return this
  }
  eval(): this {
    return this.train(false)
  }

  /**
   * Moves the module to a device, and casts its floating-point parameters and buffers to a dtype, in place: `m.to('cuda')`, `m.to('float16')`,
   * `m.to({ device: 'cuda:1', dtype: 'float16' })`. The modules that were loaded or scripted together move together.
   */
  to(target: string | { dtype?: DType; device?: string }): this {
    const { program } = this[state]
    const wanted = typeof target !== 'string' ? target : (dtypeNames as readonly string[]).includes(target) ? { dtype: target } : { device: target }
    const { dtype, device } = wanted as { dtype?: DType; device?: string }
    if (dtype !== undefined && !/^(float|complex|bfloat16)/.test(dtype))
      throw new ArgumentError(`Expected a floating point or complex dtype for \`dtype\` but received ${JSON.stringify(dtype)}`)
    program.moveTo(device === undefined ? program.device : deviceIndex(device), dtype)
    return this
  }
  cuda(device = 'cuda'): this {
    return this.to(device)
  }
  cpu(): this {
    return this.to('cpu')
  }
  half(): this {
    return this.to('float16')
  }

  /**
   * Writes the module, with its attributes as they are now, as an archive that PyTorch's `torch.jit.load` reads. Without a file the bytes
   * are returned.
   */
  save(file: FileTarget, options?: JitSaveOptions): undefined
  save(file?: undefined | null, options?: JitSaveOptions): Buffer
  save(file?: FileTarget | null, options: JitSaveOptions = {}): Buffer | undefined {
    const { program, handle } = this[state]
    return saveObject(program, handle, file ?? undefined, options)
  }

  /** Adds methods in TorchScript's Python syntax, with `self`. */
  define(source: string): void {
    definer!(this, source)
  }

  /** How each signature of input shapes seen so far runs: from a recorded schedule, or operator by operator and why. */
  explain(): SignatureReport[] {
    return this[state].program.signatures()
  }
  /**
   * The memory that the module needs, in bytes: its weights, the packed forms that kernels have made of them, and for the signature of input
   * shapes that needs most, what is made between input and result: no arena can be smaller than the `liveBytes` of it.
   */
  memoryPlan(): MemoryPlan {
    const { program } = this[state]
    const reports = program.signatures()
    const most = (of: (report: SignatureReport) => number): number => reports.reduce((max, report) => Math.max(max, of(report)), 0)
    return {
      ...program.memory(),
      arenaBytes: most((r) => r.arenaBytes),
      liveBytes: most((r) => r.liveBytes),
      outputBytes: most((r) => r.outputBytes),
      constantBytes: most((r) => r.constantBytes),
    }
  }
  /** Switches recording of schedules, which is on by default. */
  setRecording(enabled: boolean): void {
    this[state].program.setRecording(enabled)
  }

  /** Frees the program and its weights now. The module and everything taken from it cannot be used afterwards. */
  dispose(): void {
    this[state].program.dispose()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }

  override [inspect.custom](): string {
    const lines = this.namedChildren().map(([name, module]) => `  (${name}): ${inspect(module).replaceAll('\n', '\n  ')}`)
    return lines.length === 0 ? `${this.originalName}()` : `${this.originalName}(\n${lines.join('\n')}\n)`
  }
}

let definer: ((module: ScriptModule, source: string) => void) | undefined
/** Says how methods are added to a module. */
export function setDefiner(define: (module: ScriptModule, source: string) => void): void {
  definer = define
}

/** The class of an object. */
export const typeOfObject = (object: ScriptObject): ClassType => object[state].type
const ownNames = {
  class: (type: ClassType) => type.qualifiedName,
  mention: typeAnnotation,
  classNamed: (name: string) => name,
} as unknown as ArchiveNames
/** An object with everything below it as the values of an archive; its tensors are the very same. */
export function snapshotOf(object: ScriptObject): PickleValue {
  const { program, handle } = object[state]
  return program.snapshot(handle, ownNames, { export: (tensor: TensorHandle) => liveTensor(Tensor.fromHandle(tensor)) } as TensorExporter)
}
/** Has an object stand for one of another program, which has what was added to it. */
export function rebind(object: ScriptObject, program: Program, handle: ObjectHandle): void {
  object[state] = { program, handle, type: program.classOf(handle), methods: new Map() }
}

/** The program behind an object, with the object's place in it. */
export const partsOf = (object: ScriptObject): { readonly program: Program; readonly handle: ObjectHandle; readonly type: ClassType } =>
  object[state]

/** The root module of a new program. */
export function rootModule(program: Program): ScriptModule {
  wrapObjects(program)
  const root = program.root()
  if (root === null) throw new InvariantError('A program without a root was made where a module is needed.')
  return new ScriptModule(program, root)
}

/** Gives the objects of a program their JavaScript face. */
export function wrapObjects(program: Program): void {
  program.wrapObject = (handle) =>
    program.classOf(handle).isModule ? new ScriptModule(program, handle) : new ScriptObject(program, handle)
}
