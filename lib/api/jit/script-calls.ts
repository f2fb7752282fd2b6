import type { ScriptFunction } from '../../ir/types.js'
import type { ScriptObject } from './script-module.js'

/** A call of compiled code from JavaScript. */
export interface ScriptCall {
  readonly fn: ScriptFunction
  /** The object whose method it is; undefined for a function. */
  readonly self: ScriptObject | undefined
  readonly args: readonly unknown[]
  readonly result: unknown
}

let listener: ((call: ScriptCall) => void) | undefined

/** Has a tracer see calls of compiled code; gives the listener before. */
export function setScriptListener(next: ((call: ScriptCall) => void) | undefined): ((call: ScriptCall) => void) | undefined {
  const before = listener
  listener = next
  return before
}

/** Tells the tracer, if there is one, and gives the result back. */
export function noted(fn: ScriptFunction, self: ScriptObject | undefined, args: readonly unknown[], result: unknown): unknown {
  listener?.({ fn, self, args, result })
  return result
}
