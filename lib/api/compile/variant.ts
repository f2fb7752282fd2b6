import type { ScriptFunction as CompiledFunction } from '../../ir/types.js'
import type { ObjectHandle } from '../../native/binding.js'
import { objectHandle } from '../../runtime/convert.js'
import { callByUser } from '../../runtime/optimized-execution.js'
import type { Program } from '../../runtime/program.js'
import type { Tensor } from '../../tensor/tensor.js'
import { partsOf, type ScriptModule } from '../jit/script-module.js'

/** What a call runs. */
export interface Variant {
  /** Where the graph comes from; `eager` has none: the function runs as it is. */
  readonly origin: 'script' | 'trace' | 'module' | 'eager'
  /** Whether parameters and attributes are constants of the graph. */
  readonly frozen: boolean
  /** Why it is eager, or not frozen; empty where neither is the case. */
  readonly reason: string
  /** The module that runs; undefined for `eager`. */
  readonly module: ScriptModule | undefined
  /** False when something has changed that it was compiled with. */
  holds(): boolean
}

/** Calls `forward` of a module without the detour of its properties. */
export class ModuleCall {
  readonly fn: CompiledFunction
  private readonly program: Program
  private readonly self: ObjectHandle

  /** `afterFirst` is called once, after the first run. */
  constructor(
    module: ScriptModule,
    private afterFirst?: () => void,
  ) {
    const { program, handle, type } = partsOf(module)
    this.program = program
    this.fn = type.methods.get('forward')!
    this.self = handle
  }
  run(args: readonly unknown[]): unknown {
    const result = callByUser(this.program, this.fn, args, this.self)
    if (this.afterFirst !== undefined) this.settle()
    return result
  }
  async runAsync(args: readonly unknown[]): Promise<unknown> {
    const result = await this.program.callAsync(this.fn, [{ [objectHandle]: this.self }, ...args])
    if (this.afterFirst !== undefined) this.settle()
    return result
  }
  private settle(): void {
    const { afterFirst } = this
    this.afterFirst = undefined
    afterFirst!()
  }
}

/** Where a result of a trace comes from: number `computed` of what it gives, or the tensor that was passed in at a place. */
export type Origin = { readonly computed: number } | { readonly input: number }

export function gather(origins: readonly Origin[], computed: readonly Tensor[], inputs: readonly Tensor[]): Tensor[] {
  return origins.map((origin) => ('input' in origin ? inputs[origin.input] : computed[origin.computed]))
}
