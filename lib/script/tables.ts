import { CompileError } from '../util/errors.js'

/**
 * A table from names of a program to what they mean. It has no prototype: a program may call its variables `constructor` or `toString`,
 * which every ordinary object answers to.
 */
export const lookupTable = <T>(entries: Record<string, T>): Record<string, T> =>
  Object.assign(Object.create(null) as Record<string, T>, entries)

/** Runs a recursive walk over a program; one too deep for the stack is an error of the program, not of the process. */
export function withinStack<T>(what: string, walk: () => T): T {
  try {
    return walk()
  } catch (error) {
    if (error instanceof RangeError && /call stack/.test(error.message))
      throw new CompileError(`Expected a program of less nesting: ${what} is too deep.`)
    throw error
  }
}
