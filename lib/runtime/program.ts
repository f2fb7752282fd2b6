import type { PickleValue, TensorData } from '../archive/values.js'
import type { ClassType, ConstantValue, ScriptFunction } from '../ir/types.js'
import type { ObjectHandle, ProgramHandle, SignatureReport } from '../native/binding.js'
import { callNative, translateError } from '../native/errors.js'
import { nativeBinding } from '../native/loader.js'
import { cloneGraph } from '../passes/clone.js'
import { runPasses } from '../passes/pass.js'
import { loweringPipeline } from '../passes/pipeline.js'
import { composedFunction } from '../plan/composed.js'
import { encodePlan } from '../plan/encode.js'
import { type NativeOperators, PlanTables } from '../plan/tables.js'
import { noneValue } from '../plan/value.js'
import { InvariantError } from '../util/errors.js'
import { fromNative, toNative } from './convert.js'
import { type ClassTable, ObjectWriter } from './objects.js'
import { scalarOf, TensorImporter } from './tensors.js'

let operators: NativeOperators | undefined
/** What the linked executor runs by name. */
export function nativeOperators(): NativeOperators {
  if (operators === undefined) {
    const { builtins, kernels } = nativeBinding().nativeOperators()
    operators = { builtins: new Set(builtins), kernels: new Set(kernels) }
  }
  return operators
}

export interface ProgramSource {
  readonly classes: ClassTable
  /** The object tree; undefined for a program of functions. */
  readonly root?: PickleValue
  /** Functions to have besides the methods of the objects. */
  readonly functions?: readonly ScriptFunction[]
}

const passes = loweringPipeline({ scalar: (tensor) => scalarOf(tensor as TensorData) })

/** A program that the executor has: its objects and its functions. */
export class Program {
  readonly #handle: ProgramHandle
  readonly #indexOf: (fn: ScriptFunction) => number | undefined
  readonly #classes: readonly ClassType[]
  /** Gives objects of the program their JavaScript face. */
  wrapObject: (handle: ObjectHandle) => unknown = (handle) => handle

  constructor(source: ProgramSource) {
    const tables: PlanTables = new PlanTables({
      native: nativeOperators(),
      compile: composedFunction,
      prepare: (graph) => {
        const copy = cloneGraph(graph)
        runPasses(copy, passes)
        return copy
      },
      object: (_, value: ConstantValue & { kind: 'object' }) => objects.value(value.object as PickleValue),
    })
    const objects = new ObjectWriter(tables, source.classes)
    const root = source.root === undefined ? noneValue : objects.value(source.root)
    for (const type of objects.classes) for (const method of type.methods.values()) tables.function(method)
    for (const fn of source.functions ?? []) tables.function(fn)
    const plan = encodePlan(tables, root)
    const importer = new TensorImporter()
    const tensors = plan.tensors.map((tensor) => importer.import(tensor as TensorData))
    this.#handle = callNative(() => nativeBinding().loadProgram(plan.bytes, tensors))
    this.#indexOf = plan.indexOf
    this.#classes = tables.classes
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
    return this.#classes[object.classIndex]
  }
  has(fn: ScriptFunction): boolean {
    return this.#indexOf(fn) !== undefined
  }

  call(fn: ScriptFunction, args: readonly unknown[]): unknown {
    const converted = args.map(toNative)
    return fromNative(callNative(() => this.#handle.run(this.#index(fn), converted)), this.wrapObject)
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
    return fromNative(callNative(() => this.#handle.getAttr(object, slot)), this.wrapObject)
  }
  setAttribute(object: ObjectHandle, slot: number, value: unknown): void {
    const converted = toNative(value)
    callNative(() => this.#handle.setAttr(object, slot, converted))
  }

  /** How each signature of shapes seen so far runs. */
  signatures(): SignatureReport[] {
    return callNative(() => this.#handle.signatures())
  }
  setRecording(enabled: boolean): void {
    callNative(() => this.#handle.setRecording(enabled))
  }
  dispose(): void {
    this.#handle.dispose()
  }
}
