import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { addonBuild, nativeBinding } from '../../native/loader.js'
import type { Program } from '../../runtime/program.js'
import { TorchScriptError } from '../../util/errors.js'
import type { CompileSettings } from './options.js'

/*
 * Note [The cache of packed weights]
 * An entry holds the packed weights of a frozen module in a file `<key>.packed`, which later processes map instead of packing again. The key is a hash of
 * the weights, the build of the addon, the instruction set and the options. Each packed form says of which weight it is, by a digest of that weight or of
 * what it is folded from, so that it is found in whatever module has it; and the file has a digest of all that is in it, so that damage is noticed. Files take
 * their names when they are whole. CUDA kernels that are compiled at run time lie beside them (native/cuda/kernel_cache.h).
 */

/** Changes when what is stored changes. */
const format = 2

const hex = 32

function warn(message: string): void {
  process.emitWarning(message, 'CompileCacheWarning')
}

function keyOf(program: Program, { mode, weights }: CompileSettings): string {
  const made = JSON.stringify({ format, build: addonBuild(), isa: nativeBinding().isa(), mode, weights, of: program.packs.weightsDigest() })
  return createHash('sha256').update(made).digest('hex').slice(0, hex)
}

/**
 * Gives a program the packed weights of its entry, as far as there are any. What comes back is called after the first run, and stores what that has
 * packed; undefined without a folder.
 */
export function fromCache(program: Program, settings: CompileSettings): (() => void) | undefined {
  const { cacheDir } = settings
  if (cacheDir === undefined) return undefined
  nativeBinding().cuda.keepKernels(cacheDir)
  const path = join(cacheDir, `${keyOf(program, settings)}.packed`)
  let stored = 0
  if (existsSync(path)) {
    const found = program.packs.readPacks(path)
    if (typeof found === 'string') {
      warn(`The entry ${path} is damaged and made again: ${found}.`)
      remove(path)
    } else stored = program.memory().packedBytes
  }
  return () => {
    if (program.memory().packedBytes > stored) write(program, cacheDir, path)
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // It cannot be there, or stays.
  }
}

function write(program: Program, folder: string, path: string): void {
  // Threads of a process may write the same entry.
  const temporary = `${path.slice(0, -'.packed'.length)}-${randomBytes(8).toString('hex')}.part`
  try {
    mkdirSync(folder, { recursive: true })
    program.packs.writePacks(temporary)
    renameSync(temporary, path)
  } catch (error) {
    // What cannot be stored is made again by the next process.
    if (error instanceof TorchScriptError && error.code === 'ERR_INVARIANT') throw error
    remove(temporary)
    warn(`Packed weights could not be stored in ${folder}: ${(error as Error).message}`)
  }
}
