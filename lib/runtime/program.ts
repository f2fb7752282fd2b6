import type { ArchiveNames } from '../archive/code-names.js'
import type { PickleValue, TensorData } from '../archive/values.js'
import { type ClassType, type ScriptFunction, TensorType } from '../ir/types.js'
import type { ObjectHandle, ProgramHandle, SignatureReport, TensorHandle } from '../native/binding.js'
import { callNative, translateError } from '../native/errors.js'
import { nativeBinding } from '../native/loader.js'
import { customClass } from '../script/type-resolver.js'
import { InvariantError } from '../util/errors.js'
import { compileProgram, type ProgramSource } from './compile.js'
import { fromNative, KeywordArguments, toNative } from './convert.js'
import { type DType, dtypeCode } from '../tensor/dtype.js'
import { Tensor } from '../tensor/tensor.js'
import { SnapshotReader, TensorExporter } from './snapshot.js'
import { TensorImporter } from './tensors.js'

interface BoundMethod {
  readonly fn: ScriptFunction
  readonly self: ObjectHandle
  readonly call: (...args: unknown[]) => unknown
  /** What it gave last, where results are kept. */
  kept: Tensor | undefined
}

/** A program that the executor has: its objects and its functions. */
export class Program {
  readonly #handle: ProgramHandle
  readonly #indexOf: (fn: ScriptFunction) => number | undefined
  readonly #classes: readonly ClassType[]
  #autotune = false
  #keepsResults = false
  #device = -1
  #leastGraph: number | undefined
  /** How packed weights are stored; undefined for as they are. */
  readonly weights: ProgramSource['weights']
  /** Gives objects of the program their JavaScript face. */
  wrapObject: (handle: ObjectHandle) => unknown = (handle) => handle

  constructor(source: ProgramSource, adapt?: (fn: ScriptFunction) => ScriptFunction) {
    this.weights = source.weights
    const { plan, classes } = compileProgram(source, adapt)
    const importer = new TensorImporter()
    const tensors = plan.tensors.map((tensor) => importer.import(tensor as TensorData))
    this.#handle = callNative(() => nativeBinding().loadProgram(plan.bytes, tensors))
    // The program has them now; `dispose` should not have to wait for the collector to let go of these.
    importer.dispose()
    this.#indexOf = plan.indexOf
    this.#classes = classes
  }

  #index(fn: ScriptFunction): number {
    const index = this.#indexOf(fn)
    if (index === undefined) throw new InvariantError(`The function ${fn.qualifiedName} is not part of the program.`)
    return index
  }

  root(): ObjectHandle | null {
    return callNative(() => this.#handle.root())
  }
  classOf(object: ObjectHandle): ClassType {
    const type = this.#classes[object.classIndex]
    // Packed weights are made by operators, which do not know the program's classes.
    return type?.qualifiedName === object.className ? type : customClass(object.className)
  }
  has(fn: ScriptFunction): boolean {
    return this.#indexOf(fn) !== undefined
  }

  /** Calls a function; for a method the handle of its object comes as `self`. */
  call(fn: ScriptFunction, args: readonly unknown[], self?: ObjectHandle): unknown {
    const first = self === undefined ? 0 : 1
    const isDirect =
      fn.returnType === TensorType && first + args.length === fn.parameters.length && !(args[args.length - 1] instanceof KeywordArguments)
    if (!isDirect) return this.#run(fn, self === undefined ? args : [self, ...args], first)
    const converted = new Array<unknown>(args.length)
    for (let i = 0; i < args.length; i++) {
      const value = args[i]
      converted[i] = value instanceof Tensor ? Tensor.argumentOf(value, first + i) : toNative(value)
    }
    try {
      const method = self === undefined ? undefined : this.#method(fn, self)
      const given = method === undefined ? this.#handle.invoke(this.#index(fn), ...converted) : method.call(...converted)
      const result = given === -1 ? method!.kept! : Tensor.fromResult(given as TensorHandle | number)
      if (this.#keepsResults && method !== undefined) method.kept = result
      Tensor.settleArguments(args, first)
      return result
    } catch (error) {
      Tensor.settleArguments(args, first)
      throw translateError(error)
    }
  }
  #run(fn: ScriptFunction, args: readonly unknown[], first: number): unknown {
    const converted = args.map((value, i) => (i < first ? value : toNative(value)))
    return fromNative(
      callNative(() => this.#handle.run(this.#index(fn), converted)),
      this.wrapObject,
    )
  }
  /** The method that was called last, which is mostly the next one too. */
  #last: BoundMethod | undefined
  readonly #methods = new WeakMap<ObjectHandle, Map<ScriptFunction, BoundMethod>>()
  #method(fn: ScriptFunction, self: ObjectHandle): BoundMethod {
    if (this.#last?.fn === fn && this.#last.self === self) return this.#last
    let methods = this.#methods.get(self)
    if (methods === undefined) this.#methods.set(self, (methods = new Map()))
    let method = methods.get(fn)
    if (method === undefined) methods.set(fn, (method = { fn, self, call: this.#handle.bind(this.#index(fn), self), kept: undefined }))
    return (this.#last = method)
  }

  /**
   * A function as a call on what the addon takes, which gives what the addon gives (`invoke`, where the function returns a tensor): eager
   * operators convert values themselves.
   */
  direct(fn: ScriptFunction): (args: readonly unknown[]) => unknown {
    const handle = this.#handle
    const index = this.#index(fn)
    const isTensor = fn.returnType === TensorType
    return (args) => {
      try {
        return isTensor ? handle.invoke(index, ...args) : handle.call(index, ...args)
      } catch (error) {
        throw translateError(error)
      }
    }
  }

  async callAsync(fn: ScriptFunction, args: readonly unknown[]): Promise<unknown> {
    const converted = args.map(toNative)
    try {
      return fromNative(await this.#handle.runAsync(this.#index(fn), converted), this.wrapObject)
    } catch (error) {
      throw translateError(error)
    }
  }

  getAttribute(object: ObjectHandle, slot: number): unknown {
    return fromNative(
      callNative(() => this.#handle.getAttr(object, slot)),
      this.wrapObject,
    )
  }
  setAttribute(object: ObjectHandle, slot: number, value: unknown): void {
    const converted = toNative(value)
    callNative(() => this.#handle.setAttr(object, slot, converted))
  }

  /** An object and all that it reaches as values of an archive; classes get the names of the archive. */
  snapshot(object: ObjectHandle, names: ArchiveNames, exporter = new TensorExporter()): PickleValue {
    const taken = callNative(() => this.#handle.snapshot(object))
    return new SnapshotReader(this.#classes, names, exporter).read(taken, this.classOf(object))
  }

  /** How each signature of shapes seen so far runs. */
  signatures(): SignatureReport[] {
    return callNative(() => this.#handle.signatures())
  }
  memory(): { readonly weightBytes: number; readonly packedBytes: number; readonly awayBytes: number } {
    return callNative(() => this.#handle.memory())
  }
  get autotune(): boolean {
    return this.#autotune
  }
  /** Whether recordings time the kernels of other providers and keep the fastest. */
  setAutotune(enabled: boolean): void {
    callNative(() => this.#handle.setAutotune(enabled))
    this.#autotune = enabled
  }
  /** Moves all tensors of the program to a device (-1: the CPU), in place; those of objects are cast when a floating-point dtype is given. */
  moveTo(device: number, dtype?: DType): void {
    callNative(() => this.#handle.moveTo(device, dtype === undefined ? undefined : dtypeCode(dtype)))
    this.#device = device
  }
  /** Where `moveTo` brought the program: -1 for the CPU. */
  get device(): number {
    return this.#device
  }
  setRecording(enabled: boolean): void {
    callNative(() => this.#handle.setRecording(enabled))
  }
  /** Whether a call (not an asynchronous one) may give the tensors that an earlier one gave, with new contents. */
  setKeepsResults(enabled: boolean): void {
    callNative(() => this.#handle.setKeepsResults(enabled))
    this.#keepsResults = enabled
  }
  /** How many steps in a row on a device are launched as one CUDA graph; 0: none. */
  setLeastGraph(steps: number): void {
    callNative(() => this.#handle.setLeastGraph(steps))
    this.#leastGraph = steps
  }
  get leastGraph(): number | undefined {
    return this.#leastGraph
  }
  /** The native program, for packed weights in files. */
  get packs(): Pick<ProgramHandle, 'weightsDigest' | 'writePacks' | 'readPacks'> {
    return this.#handle
  }
  /** Whether large results are computed when they are read first: for operators that passes run on weights. */
  setDerives(enabled: boolean): void {
    callNative(() => this.#handle.setDerives(enabled))
  }
  /** Grows when an attribute or the memory of a tensor that the program was made with is written. */
  stateVersion(): number {
    return this.#handle.stateVersion()
  }
  dispose(): void {
    this.#last = undefined
    this.#handle.dispose()
  }
}
export { nativeOperators } from './compile.js'
