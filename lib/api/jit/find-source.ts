import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { SourceFile } from '../../script/typescript/source-file.js'
import { ArgumentError } from '../../util/errors.js'
import { isOwnFile } from '../../util/own-files.js'
import { offsetOf, originalPlace } from './source-map.js'

/** A source file with the place in it that is meant. */
export interface FoundSource {
  readonly source: SourceFile
  readonly near?: number
}

const files = new Map<string, SourceFile>()
function sourceFile(file: string, text: string): SourceFile {
  const known = files.get(file)
  if (known !== undefined && known.text === text) return known
  const made = new SourceFile(text, file)
  files.set(file, made)
  return made
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** The file that called into this package, as it was written: source maps are followed. */
export function callerSource(): FoundSource | undefined {
  const saved = Error.stackTraceLimit
  Error.stackTraceLimit = 30
  const stack = new Error().stack ?? ''
  Error.stackTraceLimit = saved
  for (const line of stack.split('\n').slice(1)) {
    const match = /\(?((?:file:\/\/)?[^\s()]*):(\d+):(\d+)\)?$/.exec(line.trim())
    if (match === null) continue
    const file = match[1].startsWith('file://') ? fileURLToPath(match[1]) : match[1]
    if (file.startsWith('node:') || !/[\\/]/.test(file) || isOwnFile(file)) continue
    return placeIn(file, Number(match[2]) - 1, Number(match[3]) - 1)
  }
  return undefined
}
function placeIn(file: string, line: number, column: number): FoundSource | undefined {
  const code = readText(file)
  if (code === undefined) return undefined
  const original = originalPlace(code, file, line, column)
  if (original !== undefined) return { source: sourceFile(original.file, original.text), near: original.offset }
  return { source: sourceFile(file, code), near: offsetOf(code, line, column) }
}

/** The source that the caller names: text, or the path or URL of a file. */
export function givenSource(source: string | URL): FoundSource {
  if (source instanceof URL || source.startsWith('file://')) return fileSource(fileURLToPath(source))
  const isText = /[\n{;]|=>/.test(source)
  return isText ? { source: new SourceFile(source, '<source>') } : fileSource(source)
}
function fileSource(path: string): FoundSource {
  const text = readText(path)
  if (text === undefined) throw new ArgumentError(`Expected source text or the path of a file for \`source\` but cannot read '${path}'`)
  return { source: sourceFile(resolve(path), text) }
}

/** The file that a relative import names, in TypeScript where there is one. */
export function importedSource(from: string, file: string): SourceFile | undefined {
  if (!from.startsWith('.') && !from.startsWith('/')) return undefined
  const path = fileURLToPath(new URL(from, pathToFileURL(file)))
  const stem = path.replace(/\.[cm]?js$/, '')
  const candidates = [`${stem}.ts`, `${stem}.mts`, path, `${path}.ts`, `${path}.js`, `${path}/index.ts`, `${path}/index.js`]
  const found = candidates.find((candidate) => existsSync(candidate) && /\.[cm]?[jt]s$/.test(candidate))
  const text = found === undefined ? undefined : readText(found)
  return text === undefined ? undefined : sourceFile(found!, text)
}

/** The source of a function or class as the engine has it, without types. */
export const engineSource = (target: object): SourceFile =>
  new SourceFile(Function.prototype.toString.call(target), (target as { name?: string }).name || '<anonymous>')
