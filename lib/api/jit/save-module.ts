import { ArgumentError } from '../../util/errors.js'
import type { FileTarget } from '../files.js'
import type { JitSaveOptions } from './save.js'
import { saveFunction } from './save-function.js'
import { compiledFunctionOf, type ScriptFunction } from './script-function.js'
import { ScriptModule } from './script-module.js'

/**
 * Saves a module, or a function as the `forward` of one, as an archive that PyTorch's `torch.jit.load` reads: to a file, or as the returned bytes where none is given. The same
 * module gives the same bytes.
 */
export function save(module: ScriptModule | ScriptFunction, file: FileTarget, options?: JitSaveOptions): undefined
export function save(module: ScriptModule | ScriptFunction, file?: undefined | null, options?: JitSaveOptions): Buffer
export function save(module: ScriptModule | ScriptFunction, file?: FileTarget | null, options: JitSaveOptions = {}): Buffer | undefined {
  const compiled = compiledFunctionOf(module)
  if (compiled !== undefined) return saveFunction(compiled.fn, file ?? undefined, options)
  if (!(module instanceof ScriptModule)) {
    throw new ArgumentError(
      `Expected a module or function of jit.load, jit.trace or jit.script for \`module\` but received ${describe(module)}`,
    )
  }
  return file === undefined || file === null ? module.save(undefined, options) : module.save(file, options)
}

const describe = (value: unknown): string =>
  typeof value === 'object' && value !== null ? (value.constructor?.name ?? 'an object') : value === null ? 'null' : typeof value
