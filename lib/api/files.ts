import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ArgumentError } from '../util/errors.js'

/** Where a file goes: a path or a file: URL. */
export type FileTarget = string | URL

/** The path of a target; undefined for none. */
export function fileTarget(file: FileTarget | undefined | null): string | undefined {
  if (file === undefined || file === null) return undefined
  if (typeof file === 'string' && file !== '') return file
  if (file instanceof URL && file.protocol === 'file:') return fileURLToPath(file)
  const received = typeof file === 'string' ? "''" : file instanceof URL ? file.protocol : typeof file
  throw new ArgumentError(`Expected a path or a file: URL for \`file\` but received ${received}`)
}

/** No write takes more at once, on any system. */
const largestWrite = 2 ** 30

/**
 * Writes pieces one after the other. The file takes its name when it is complete: the pieces may be memory mapped from the very file
 * that is written, and half a file never stands where a whole one was.
 */
export function writeFile(path: string, pieces: readonly Uint8Array[]): void {
  const temporary = `${path}.${process.pid}.tmp`
  const fd = openSync(temporary, 'w')
  try {
    try {
      for (const piece of pieces)
        for (let at = 0; at < piece.length;) at += writeSync(fd, piece, at, Math.min(largestWrite, piece.length - at))
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}
