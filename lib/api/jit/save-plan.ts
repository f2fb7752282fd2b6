import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { openScriptArchive } from '../../archive/script-archive.js'
import { openSource, setFileMapper, type SourceInput } from '../../archive/source.js'
import { nativeBinding } from '../../native/loader.js'
import { planFileOf } from '../../runtime/load-program.js'
import { ArgumentError } from '../../util/errors.js'

/**
 * Compiles what torch.jit.save wrote to a plan file, which programs in C++ load without Node (docs/cpp.md). Gives the operators that are not
 * supported: they raise when they are reached.
 */
export function savePlan(file: SourceInput, path: string): { missingOperators: readonly string[] } {
  if (typeof path !== 'string') throw new ArgumentError(`Expected a path for \`path\` but received ${String(path)}`)
  setFileMapper((name) => nativeBinding().mapFile(name))
  const { pieces, missingOperators } = planFileOf(openScriptArchive(openSource(file), { mapLocation: 'cpu' }))
  try {
    replaceFile(path, pieces)
  } catch (error) {
    throw new ArgumentError(`Expected a file that can be written for \`path\` but received ${path}: ${(error as Error).message}`, {
      cause: error,
    })
  }
  return { missingOperators }
}

/** Writes a file beside and moves it into place: what was there may be mapped, and is whole until the new one is. */
function replaceFile(path: string, pieces: readonly Uint8Array[]): void {
  const beside = `${path}.${process.pid}.part`
  const out = openSync(beside, 'w')
  try {
    try {
      for (const piece of pieces) for (let at = 0; at < piece.length;) at += writeSync(out, piece, at)
    } finally {
      closeSync(out)
    }
    renameSync(beside, path)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
}
