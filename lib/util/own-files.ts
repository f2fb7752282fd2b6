import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

// Bundlers that make CommonJS of this module leave import.meta empty.
const url = import.meta.url as string | undefined

/** A file of this package: the bundle, or this one. Undefined where a bundler has taken the code into a CommonJS file. */
export const ownFile = url === undefined ? undefined : fileURLToPath(url)

/** The folder of compiled rooms, where the package runs file by file. */
const rooms = ownFile !== undefined && /[\\/]util[\\/][^\\/]+$/.test(ownFile) ? dirname(dirname(ownFile)) + sep : undefined

/** The folder of the sources: what stack frames name where the process follows source maps (`--enable-source-maps`). */
const sources = ownFile === undefined ? undefined : join(dirname(ownFile), rooms === undefined ? '../lib' : '../../../lib') + sep

/** Whether a file is this package's, so that a stack frame in it is not the caller's. */
export const isOwnFile = (file: string): boolean =>
  file === ownFile || (rooms !== undefined && file.startsWith(rooms)) || (sources !== undefined && file.startsWith(sources))
