import { lastCalled, optimizedGraph, withOptimizedExecution } from '../../runtime/optimized-execution.js'
import { ArgumentError } from '../../util/errors.js'

/**
 * Runs `body` with optimised execution on or off: without it, programs run operator by operator and record no schedules. Holds for what `body` calls,
 * until the promise is settled that it may give.
 */
export function optimizedExecution<T>(enabled: boolean, body: () => T): T {
  if (typeof enabled !== 'boolean') throw new ArgumentError(`Expected a boolean for \`enabled\` but received ${String(enabled)}`)
  if (typeof body !== 'function') throw new ArgumentError(`Expected a function for \`body\` but received ${String(body)}`)
  return withOptimizedExecution(enabled, body)
}

/** The graph of the method or function that was called last, with all passes applied. */
export function lastExecutedOptimizedGraph(): string {
  const last = lastCalled()
  if (last === undefined) throw new ArgumentError('Expected a call of a module or function before this one, but none has run.')
  return optimizedGraph(last, last.fn)
}
