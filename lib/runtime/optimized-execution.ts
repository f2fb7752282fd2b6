import type { ScriptFunction } from '../ir/types.js'
import { cloneGraph } from '../passes/clone.js'
import { inlineCalls } from '../passes/inline.js'
import { runPasses } from '../passes/pass.js'
import { printGraph } from '../ir/printer.js'
import type { ObjectHandle } from '../native/binding.js'
import { loweringPassesOf } from './compile.js'
import type { Program } from './program.js'

let enabled = true
let lastRun: ScriptFunction | undefined
let lastWeights: Program['weights']

/** Whether programs may replay recorded schedules. */
export const isOptimizedExecution = (): boolean => enabled

/** Runs `body` with optimised execution on or off, also until the promise is settled that `body` may give. */
export function withOptimizedExecution<T>(on: boolean, body: () => T): T {
  const saved = enabled
  const restore = (): void => void (enabled = saved)
  enabled = on
  let result: T
  try {
    result = body()
  } catch (error) {
    restore()
    throw error
  }
  if (result instanceof Promise) return result.finally(restore) as T
  restore()
  return result
}

/** Calls a function of a program as a user asked for it: within the switch above, and remembered. Methods get their object as `self`. */
export function callByUser(program: Program, fn: ScriptFunction, args: readonly unknown[], self?: ObjectHandle): unknown {
  lastRun = fn
  lastWeights = program.weights
  if (enabled) return program.call(fn, args, self)
  program.setRecording(false)
  try {
    return program.call(fn, args, self)
  } finally {
    program.setRecording(true)
  }
}

/** The graph of a function of a program as it is lowered, with the calls in it dissolved. */
export function optimizedGraph(program: Pick<Program, 'weights'>, fn: ScriptFunction): string {
  const graph = cloneGraph(fn.graph)
  runPasses(graph, [inlineCalls, ...loweringPassesOf(program)])
  return printGraph(graph)
}

/** The function that a user called last; undefined before the first call. */
export const lastCalled = (): { readonly weights: Program['weights']; readonly fn: ScriptFunction } | undefined =>
  lastRun && { fn: lastRun, weights: lastWeights }
