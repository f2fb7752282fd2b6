import type { Graph } from '../ir/graph.js'
import type { ConstantValue, ScriptFunction } from '../ir/types.js'
import { ArgumentError, InvariantError } from '../util/errors.js'
import { printFiles } from './class-printer.js'
import { ArchiveNames } from './code-names.js'
import { pickle, type PickleOptions } from './pickle-writer.js'
import { ConstantTable } from './python-printer.js'
import type { PickleValue, StorageData, TensorData } from './values.js'
import { ZipWriter } from './zip-writer.js'

/** Extra files of an archive: text or bytes by name. */
export type ExtraFiles = Readonly<Record<string, string | Uint8Array>> | ReadonlyMap<string, string | Uint8Array>

export interface ScriptWriterOptions {
  /** The folder above all members: the name of the file without its extension. */
  readonly root?: string
  readonly extraFiles?: ExtraFiles
}

/** What an archive is made of. */
export interface ScriptContents {
  /** The object tree; classes are called as `names` calls them, which registers them for printing. */
  object(names: ArchiveNames): PickleValue
  /** The graph of a function as it is to be printed. */
  graph?(fn: ScriptFunction): Graph
  /** The data of a tensor constant of the code. */
  tensor(constant: unknown): TensorData
}

/** Text that is longer is deflated, as PyTorch does it. */
const deflateFrom = 200

/** The pieces of a TorchScript archive, in PyTorch's order of members. The same contents give the same bytes. */
export function writeScriptArchive(contents: ScriptContents, options: ScriptWriterOptions = {}): Uint8Array[] {
  const archive = new MemberWriter(options.root ?? 'archive')
  for (const [name, data] of extraEntries(options.extraFiles)) archive.add(`extra/${name}`, data)
  const archiveNames = new ArchiveNames(contents.graph)
  archive.pickled('data', contents.object(archiveNames), { style: 'script' })
  const table = new ConstantTable()
  const files = printFiles(archiveNames, table)
  for (const [module, text] of files) {
    const bytes = Buffer.from(text, 'utf8')
    archive.add(`code/${module.replaceAll('.', '/')}.py`, bytes, bytes.length > deflateFrom)
  }
  const constants = table.values.map((value) => constantToPickle(value, contents))
  archive.pickled('constants', { kind: 'tuple', items: constants }, { style: 'script', className: (name) => archiveNames.classNamed(name) })
  return archive.finish(table.version)
}

/** The folder that PyTorch gives to the members of a file: its name without the last extension. */
export function rootOfPath(path: string): string {
  const name = path.split(/[\\/]/).at(-1)!
  const dot = name.lastIndexOf('.')
  return (dot > 0 ? name.slice(0, dot) : name) || 'archive'
}

function extraEntries(extraFiles: ExtraFiles | undefined): [string, Uint8Array][] {
  const entries: [string, unknown][] = extraFiles instanceof Map ? [...extraFiles] : Object.entries(extraFiles ?? {})
  return entries.map(([name, data]) => {
    if (typeof data === 'string') return [name, Buffer.from(data, 'utf8')]
    if (data instanceof Uint8Array) return [name, data]
    throw new ArgumentError(`Expected text or bytes for \`extraFiles\`["${name}"] but received ${data === null ? 'null' : typeof data}`)
  })
}

/** A zip file in the making, with what goes into its last members. */
export class MemberWriter {
  private readonly zip: ZipWriter
  private readonly fingerprint: { name: string; crc: number }[] = []

  constructor(root: string) {
    this.zip = new ZipWriter(root)
  }

  add(name: string, data: Uint8Array, deflate = false): void {
    this.fingerprint.push({ name, crc: this.zip.add(name, data, { deflate }) })
  }

  /** Pickles a value as `<name>.pkl`, with its storages in the folder `name` before it. */
  pickled(name: string, value: PickleValue, options: PickleOptions): void {
    const { bytes, storages } = pickle(value, options)
    const isScript = options.style === 'script'
    const addStorages = (): void => storages.forEach((storage, i) => this.add(`${name}/${i}`, storageBytes(storage)))
    if (isScript) addStorages()
    this.add(`${name}.pkl`, bytes)
    if (isScript) return
    this.add('.format_version', Buffer.from('1'))
    this.add('.storage_alignment', Buffer.from('64'))
    this.add('byteorder', Buffer.from('little'))
    addStorages()
  }

  /** `isScript` decides where the byte order stands. */
  finish(version: number, isScript = true): Uint8Array[] {
    this.add(version >= 6 ? '.data/version' : 'version', Buffer.from(`${version}\n`))
    if (isScript) this.add('byteorder', Buffer.from('little'))
    this.zip.add('.data/serialization_id', Buffer.from(this.serializationId()))
    return this.zip.finish()
  }

  /** 20 digits from the names of all members and 20 from their CRCs: an identity, which nothing compares with anything but itself. */
  private serializationId(): string {
    let [nameHash, crcHash] = [0xcbf29ce484222325n, 0n]
    for (const { name, crc } of this.fingerprint) {
      for (const byte of Buffer.from(`${name}\n`, 'utf8')) nameHash = BigInt.asUintN(64, (nameHash ^ BigInt(byte)) * 0x100000001b3n)
      crcHash = BigInt.asUintN(64, crcHash ^ (BigInt(crc) + 0x9e3779b9n + (crcHash << 6n) + (crcHash >> 2n)))
    }
    return [nameHash, crcHash].map((hash) => String(hash).padStart(20, '0')).join('')
  }
}

function storageBytes(storage: StorageData): Uint8Array {
  return storage.location === 'meta' ? new Uint8Array(0) : storage.bytes()
}

/** A constant of code as constants.pkl holds it. */
function constantToPickle(value: ConstantValue, contents: ScriptContents): PickleValue {
  switch (value.kind) {
    case 'tensor':
      return { kind: 'tensor', tensor: contents.tensor(value.tensor) }
    case 'object':
      if (value.object === undefined) throw new InvariantError(`A constant of ${value.className} has no object.`)
      return value.object as PickleValue
    case 'string':
      return value
    default:
      throw new InvariantError(`A constant of the kind ${value.kind} is part of the code.`)
  }
}
