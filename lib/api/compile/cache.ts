import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { nativeBinding, packageVersion } from '../../native/loader.js'
import { TorchScriptError } from '../../util/errors.js'
import { writeFile } from '../files.js'
import { load } from '../jit/load.js'
import { archiveBytes } from '../jit/save.js'
import { partsOf, type ScriptModule } from '../jit/script-module.js'
import type { CompileSettings } from './options.js'

/*
 * Note [The cache of compiled modules]
 * An entry is the archive of an optimised module, a plain .pt, in a file `<key>-<digest>.pt`. The key is a hash of what it was made from: the archive
 * of the module before, the version of this package, the instruction set and the options. The digest is a hash of the file itself, so that a
 * damaged entry is known by its name. Files take their names when they are whole.
 */

/** Changes when what is stored changes. */
const format = 1

const hex = 32
const entryName = new RegExp(`^[0-9a-f]{${hex}}-[0-9a-f]{${hex}}\\.pt$`)

const digestOf = (pieces: Iterable<Uint8Array>, start = ''): string => {
  const hash = createHash('sha256').update(start)
  for (const piece of pieces) hash.update(piece)
  return hash.digest('hex').slice(0, hex)
}

const bytesOf = (module: ScriptModule): Uint8Array[] => {
  const { program, handle } = partsOf(module)
  return archiveBytes(program, handle, 'compiled.pt', {})
}

function warn(message: string): void {
  process.emitWarning(message, 'CompileCacheWarning')
}

/** Entries of a key. There is one, unless two processes have made it at a time or an option changed what comes out. */
function entriesOf(folder: string, key: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.startsWith(`${key}-`) && entryName.test(name))
  } catch {
    return []
  }
}

/** The module of an entry; undefined where it is damaged, which is said. */
function read(path: string, digest: string): ScriptModule | undefined {
  try {
    if (digestOf([new Uint8Array(nativeBinding().mapFile(path))]) === digest) return load(path)
    warn(`The entry ${path} is damaged and made again.`)
  } catch (error) {
    warn(`The entry ${path} cannot be read and is made again: ${(error as Error).message}`)
  }
  rmSync(path, { force: true })
  return undefined
}

function write(folder: string, key: string, module: ScriptModule): void {
  try {
    const pieces = bytesOf(module)
    mkdirSync(folder, { recursive: true })
    // Threads of a process may write the same entry.
    const temporary = join(folder, `${key}-${randomBytes(8).toString('hex')}.part`)
    writeFile(temporary, pieces)
    renameSync(temporary, join(folder, `${key}-${digestOf(pieces)}.pt`))
  } catch (error) {
    // What cannot be stored is made again by the next process.
    if (error instanceof TorchScriptError && error.code === 'ERR_INVARIANT') throw error
    warn(`The optimised module could not be stored in ${folder}: ${(error as Error).message}`)
  }
}

/** The optimised form of a module from the cache, or made and stored there. Without a folder it is made. */
export function throughCache(source: ScriptModule, settings: CompileSettings, make: () => ScriptModule): ScriptModule {
  const { cacheDir, mode, weights } = settings
  if (cacheDir === undefined) return make()
  const isa = nativeBinding().isa()
  const key = digestOf(bytesOf(source), JSON.stringify({ format, version: packageVersion(), isa, mode, weights }))
  for (const name of entriesOf(cacheDir, key)) {
    const found = read(join(cacheDir, name), name.slice(hex + 1, -'.pt'.length))
    if (found !== undefined) return found
  }
  const made = make()
  write(cacheDir, key, made)
  return made
}
