import { printGraph } from '../../ir/printer.js'
import type { ScriptFunction as CompiledFunction } from '../../ir/types.js'
import { cloneGraph } from '../../passes/clone.js'
import { inlineCalls } from '../../passes/inline.js'
import { callByUser } from '../../runtime/optimized-execution.js'
import type { Program } from '../../runtime/program.js'
import type { FileTarget } from '../files.js'
import { functionCode } from './print.js'
import type { JitSaveOptions } from './save.js'
import { saveFunction } from './save-function.js'
import { noted } from './script-calls.js'

const compiled = Symbol('torchscript.function')

/** A TorchScript function: call it like the function it was made from. */
export interface ScriptFunction {
  // Arguments and results are those of the program's function.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  (...args: any[]): any
  readonly qualifiedName: string
  /** The IR. */
  readonly graph: string
  /** The IR with all calls replaced by what they call. */
  readonly inlinedGraph: string
  /** The code, as archives have it. */
  readonly code: string
  /** Writes the function as an archive whose module has it as `forward`. Without a file the bytes are returned. */
  save(file: FileTarget, options?: JitSaveOptions): undefined
  save(file?: undefined | null, options?: JitSaveOptions): Buffer
  /** Runs on a native worker: the event loop goes on meanwhile. */
  runAsync(...args: unknown[]): Promise<unknown>
  /** The function in its program; for this package. */
  readonly [compiled]: { readonly program: Program; readonly fn: CompiledFunction }
}

/** Gives a function of a program its JavaScript face. */
export function scriptFunction(program: Program, fn: CompiledFunction): ScriptFunction {
  const call = (...args: unknown[]): unknown => noted(fn, undefined, args, callByUser(program, fn, args))
  Object.defineProperties(call, {
    name: { value: fn.name },
    qualifiedName: { value: fn.qualifiedName },
    graph: { get: () => printGraph(fn.graph) },
    inlinedGraph: {
      get: () => {
        const graph = cloneGraph(fn.graph)
        inlineCalls.run(graph)
        return printGraph(graph)
      },
    },
    code: { get: () => functionCode(fn) },
    save: { value: (file?: FileTarget | null, options: JitSaveOptions = {}) => saveFunction(fn, file ?? undefined, options) },
    runAsync: { value: (...args: unknown[]) => program.callAsync(fn, args) },
    [compiled]: { value: { program, fn } },
  })
  return call as ScriptFunction
}

/** The compiled function behind a ScriptFunction; undefined for anything else. */
export const compiledFunctionOf = (value: unknown): { readonly program: Program; readonly fn: CompiledFunction } | undefined =>
  typeof value === 'function' && compiled in value ? (value as ScriptFunction)[compiled] : undefined
