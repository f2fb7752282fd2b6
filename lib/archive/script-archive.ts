import { ArchiveError } from '../util/errors.js'
import { describeSource, fileKind } from './file-kind.js'
import { checkLoadOptions, type LoadOptions, unpickleMember, unpickleShapes } from './records.js'
import { type ByteSource, openSource, type SourceInput } from './source.js'
import { readSourceMap, type SourceMap } from './source-map.js'
import type { PickleValue } from './values.js'
import { openZip, type ZipArchive } from './zip.js'

export interface ScriptLoadOptions extends LoadOptions {
  /** Names of the extra files wanted; those that the archive lacks are left out. `'all'` takes every one. */
  extraFiles?: readonly string[] | 'all'
}

/** A TorchScript archive: the unpickled data, and its source text on demand. */
export interface ScriptArchive {
  /** File format and operator version, 1 to 10. */
  readonly version: number
  /** `CONSTANTS.c0`, `c1`, ... of the code. */
  readonly constants: PickleValue[]
  /** The root object of data.pkl. */
  readonly root: PickleValue
  /** Text of the module `__torch__.a.b`, or undefined if the archive has no such file. */
  sources(qualifiedModule: string): string | undefined
  /** Every module that `sources` knows. */
  sourceNames(): string[]
  /** Where the code of a module came from. */
  debugInfo(qualifiedModule: string): SourceMap | undefined
  readonly extraFiles: Record<string, Buffer>
  /** Example inputs of a traced module by method: lists of meta tensors, which have shapes and no data. */
  readonly tracedInputs: Map<string, PickleValue> | undefined
  readonly memberNames: string[]
}

/** The versions that this reader understands. */
const oldestVersion = 1
const newestVersion = 10

/** The most characters of source text in one file. */
const maxSourceBytes = 2 ** 28

/** Opens what torch.jit.save (or _save_for_lite_interpreter) wrote. */
export function openScriptArchive(file: SourceInput, options: ScriptLoadOptions = {}): ScriptArchive {
  checkLoadOptions(options)
  const source = openSource(file)
  const zip = openScriptZip(source)
  const version = readVersion(zip)
  const constants = unpickleMember(zip, 'constants.pkl', 'constants/', true, options)
  if (constants.kind !== 'tuple') throw new ArchiveError('Expected a tuple of constants', 'constants.pkl')
  const root = unpickleMember(zip, 'data.pkl', 'data/', true, options)
  return new Archive(zip, version, constants.items, root, readExtraFiles(zip, options.extraFiles ?? []))
}

const expected = 'Expected a TorchScript archive but received'

function openScriptZip(source: ByteSource): ZipArchive {
  const kind = fileKind(source)
  if (kind === 'pickle') {
    throw new ArchiveError(`${expected} a file that torch.save wrote in its legacy format. Load it with torch.load`)
  }
  if (kind === 'tar') throw new ArchiveError(`${expected} a tar file`)
  if (kind !== 'zip') {
    throw new ArchiveError(`${expected} ${describeSource(source)}`)
  }
  const zip = openPyTorchZip(source)
  if (zip.has('constants.pkl') && zip.has('data.pkl')) return zip
  if (zip.has('data.pkl')) {
    throw new ArchiveError(`${expected} a file that torch.save wrote: it has no code. Load it with torch.load`)
  }
  throw new ArchiveError(`${expected} ${describeZip(zip)}`)
}

/** Opens a zip file whose members should lie under one root. */
export function openPyTorchZip(source: ByteSource): ZipArchive {
  const zip = openZip(source, { root: 'optional' })
  if (zip.names().length === 0) throw new ArchiveError('Expected a PyTorch archive but received an empty zip file')
  if (zip.root === '') throw new ArchiveError(`Expected a PyTorch archive but received ${describeZip(zip)}`)
  return zip
}

export function describeZip(zip: ZipArchive): string {
  const names = zip.names()
  if (names.length > 0 && names.every((name) => name.endsWith('.npy'))) return 'a NumPy .npz file'
  if (names.some((name) => name.endsWith('archive_format')) || names.some((name) => name.includes('serialized_exported_program'))) {
    return 'a torch.export program (.pt2), which is no TorchScript'
  }
  if (names.some((name) => name.endsWith('model.json'))) return 'an archive of PyTorch 1.0 (model.json), a format that is not supported'
  if (names.some((name) => name.includes('.data/extern_modules'))) return 'a torch.package archive, which holds Python code'
  if (names.includes('[Content_Types].xml')) return 'an office document'
  return `a zip file without data.pkl${names.length > 0 ? ` (its first member is ${names[0]})` : ''}`
}

function readVersion(zip: ZipArchive): number {
  const name = ['.data/version', 'version'].find((candidate) => zip.has(candidate))
  if (name === undefined) throw new ArchiveError('The archive has no version: neither .data/version nor version is there')
  if (zip.size(name) > 64) throw new ArchiveError(`Expected a version number but received ${zip.size(name)} bytes`, name)
  const text = Buffer.from(zip.bytes(name)).toString('latin1').trim()
  const version = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(version)) throw new ArchiveError(`Expected a version number but received ${JSON.stringify(text)}`, name)
  if (version > newestVersion) {
    throw new ArchiveError(`Expected a version of at most ${newestVersion} but received ${version}; a newer PyTorch wrote this file`, name)
  }
  if (version < oldestVersion) throw new ArchiveError(`Expected a version of at least ${oldestVersion} but received ${version}`, name)
  return version
}

function readExtraFiles(zip: ZipArchive, wanted: readonly string[] | 'all'): Record<string, Buffer> {
  const prefix = 'extra/'
  const names =
    wanted === 'all'
      ? zip
          .names()
          .filter((name) => name.startsWith(prefix))
          .map((name) => name.slice(prefix.length))
      : wanted
  const files: Record<string, Buffer> = Object.create(null)
  for (const name of names) if (zip.has(prefix + name)) files[name] = Buffer.from(zip.bytes(prefix + name))
  return files
}

const sourceMember = (qualifiedModule: string): string => `code/${qualifiedModule.replaceAll('.', '/')}.py`

class Archive implements ScriptArchive {
  readonly version: number
  readonly constants: PickleValue[]
  readonly root: PickleValue
  readonly extraFiles: Record<string, Buffer>
  readonly memberNames: string[]
  readonly #zip: ZipArchive
  #tracedInputs: Map<string, PickleValue> | undefined

  constructor(zip: ZipArchive, version: number, constants: PickleValue[], root: PickleValue, extraFiles: Record<string, Buffer>) {
    this.#zip = zip
    this.version = version
    this.constants = constants
    this.root = root
    this.extraFiles = extraFiles
    this.memberNames = zip.names()
  }

  sources(qualifiedModule: string): string | undefined {
    const name = sourceMember(qualifiedModule)
    if (!this.#zip.has(name)) return undefined
    if (this.#zip.size(name) > maxSourceBytes) throw new ArchiveError(`Expected at most ${maxSourceBytes} bytes of source text`, name)
    return Buffer.from(this.#zip.bytes(name)).toString('utf8')
  }

  sourceNames(): string[] {
    const files = this.memberNames.filter((name) => name.startsWith('code/') && name.endsWith('.py'))
    return files.map((name) => name.slice('code/'.length, -'.py'.length).replaceAll('/', '.'))
  }

  debugInfo(qualifiedModule: string): SourceMap | undefined {
    const name = `${sourceMember(qualifiedModule)}.debug_pkl`
    if (!this.#zip.has(name)) return undefined
    try {
      return readSourceMap(unpickleMember(this.#zip, name, undefined, false, {}))
    } catch (error) {
      if (error instanceof ArchiveError) return undefined // The code runs without it.
      throw error
    }
  }

  get tracedInputs(): Map<string, PickleValue> | undefined {
    if (this.#tracedInputs === undefined && this.#zip.has('traced_inputs.pkl')) {
      const value = unpickleShapes(this.#zip, 'traced_inputs.pkl')
      const entries = value.kind === 'dict' ? value.entries : []
      this.#tracedInputs = new Map(entries.flatMap(([key, inputs]) => (key.kind === 'string' ? [[key.value, inputs]] : [])))
    }
    return this.#tracedInputs
  }
}
