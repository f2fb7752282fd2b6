import { ArgumentError, InvariantError, ScriptRuntimeError, UnsupportedError } from '../util/errors.js'
import type { NativeErrorFields } from './binding.js'

/** The error class of this package for an error that the addon threw; other errors pass. */
export function translateError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const fields = error as Error & Partial<NativeErrorFields>
  switch (fields.code) {
    case 'ERR_SCRIPT':
      return Object.assign(new ScriptRuntimeError(error.message, fields.pythonType), {
        scriptMessage: fields.scriptMessage ?? error.message,
        scriptStack: fields.scriptStack ?? '',
      })
    case 'ERR_ARGUMENT':
      return new ArgumentError(error.message)
    case 'ERR_UNSUPPORTED':
      return new UnsupportedError(error.message)
    case 'ERR_PLAN':
      return new InvariantError(`The executor refuses a plan: ${error.message}.`)
    default:
      return error
  }
}

/** Runs `call` and turns what the addon throws into the errors of this package. */
export function callNative<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw translateError(error)
  }
}
