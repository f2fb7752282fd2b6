import { type DType, dtypeSize } from '../tensor/dtype.js'
import { ArchiveError, ArgumentError, UnsupportedError } from '../util/errors.js'
import { tensorBytes } from './storage.js'
import type { ByteSource } from './source.js'
import { elementCount } from './values.js'

/*
 * Safetensors files (huggingface/safetensors), little endian:
 *
 *     u64   length of the header
 *     text  JSON: name -> { dtype, shape, data_offsets: [begin, end] }, and `__metadata__`: name -> text; blanks fill it up to 8 bytes
 *     data  the tensors, contiguous, one behind the other without a gap; offsets count from here
 */

/** In the order in which they are written: by alignment, largest first. */
const names: readonly (readonly [DType, string])[] = [
  ['uint64', 'U64'],
  ['int64', 'I64'],
  ['float64', 'F64'],
  ['complex64', 'C64'],
  ['float32', 'F32'],
  ['uint32', 'U32'],
  ['int32', 'I32'],
  ['bfloat16', 'BF16'],
  ['float16', 'F16'],
  ['uint16', 'U16'],
  ['int16', 'I16'],
  ['float8_e8m0fnu', 'F8_E8M0'],
  ['float8_e4m3fn', 'F8_E4M3'],
  ['float8_e5m2', 'F8_E5M2'],
  ['int8', 'I8'],
  ['uint8', 'U8'],
  ['bool', 'BOOL'],
]
const dtypeOf = new Map(names.map(([dtype, name]) => [name, dtype]))
const nameOf = new Map(names)
const rank = new Map(names.map(([dtype], i) => [dtype, i]))

/** The reference implementation reads no longer ones. */
const maxHeaderBytes = 100_000_000
const maxDimensions = 64
const metadataKey = '__metadata__'

export interface SafeTensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  /** The elements, contiguous and little endian. */
  readonly bytes: Uint8Array
}

export interface Safetensors {
  readonly tensors: Map<string, SafeTensor>
  readonly metadata: Map<string, string>
}

interface Entry {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

const fail = (message: string): ArchiveError => new ArchiveError(`The safetensors file is malformed: ${message}`)

/** Reads a file. Bytes of tensors are in place where the file lies in memory and they are aligned. */
export function readSafetensors(source: ByteSource): Safetensors {
  if (source.size < 8) throw fail(`it has ${source.size} bytes, and 8 are needed for the length of its header`)
  const length = Buffer.from(source.view(0, 8)).readBigUInt64LE()
  if (length > BigInt(maxHeaderBytes)) throw fail(`its header of ${length} bytes is longer than ${maxHeaderBytes}`)
  const start = 8 + Number(length)
  if (start > source.size) throw fail(`its header of ${length} bytes reaches past its end`)
  const header = parseHeader(source.view(8, Number(length)))
  const metadata = new Map<string, string>()
  const entries: Entry[] = []
  for (const [name, value] of Object.entries(header)) {
    if (name === metadataKey) readMetadata(value, metadata)
    else entries.push(readEntry(name, value))
  }
  checkCoverage(entries, source.size - start)
  const tensors = new Map<string, SafeTensor>()
  for (const { name, dtype, shape, begin, end } of entries) {
    tensors.set(name, { dtype, shape, bytes: tensorBytes(source.view(start + begin, end - begin), source.exclusive) })
  }
  return { tensors, metadata }
}

function parseHeader(bytes: Uint8Array): object {
  const text = Buffer.from(bytes).toString('utf8')
  if (!text.startsWith('{')) throw fail('its header does not start with {')
  let header: unknown
  try {
    header = JSON.parse(text)
  } catch (error) {
    throw fail(`its header is no JSON (${(error as Error).message})`)
  }
  return header as object
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function readMetadata(value: unknown, into: Map<string, string>): void {
  if (!isRecord(value)) throw fail('its metadata is no object')
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw fail(`its metadata '${key}' is no text`)
    into.set(key, text)
  }
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

function readEntry(name: string, value: unknown): Entry {
  const what = `the tensor '${name}'`
  if (!isRecord(value)) throw fail(`${what} is no object`)
  const { dtype: dtypeName, shape, data_offsets: offsets } = value
  const dtype = typeof dtypeName === 'string' ? dtypeOf.get(dtypeName) : undefined
  if (dtype === undefined) {
    if (typeof dtypeName !== 'string') throw fail(`${what} has no dtype`)
    throw new UnsupportedError(`The safetensors dtype ${JSON.stringify(dtypeName)} of ${what} is not supported.`)
  }
  if (!Array.isArray(shape) || shape.length > maxDimensions || !shape.every(isCount)) throw fail(`${what} has no valid shape`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0] > offsets[1]) {
    throw fail(`${what} has no valid offsets`)
  }
  const [begin, end] = offsets as [number, number]
  const needed = (shape as number[]).includes(0) ? 0 : elementCount(shape as number[]) * dtypeSize(dtype)
  if (needed !== end - begin) throw fail(`${what} of ${dtypeName} and shape [${shape.join(', ')}] has ${end - begin} bytes`)
  return { name, dtype, shape: shape as number[], begin, end }
}

/** Tensors lie one behind the other: no byte belongs to two, or to none. */
function checkCoverage(entries: Entry[], size: number): void {
  let at = 0
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) throw fail(`the tensor '${name}' begins at byte ${begin}, and the one before it ends at ${at}`)
    at = end
  }
  if (at !== size) throw fail(`its tensors take ${at} bytes, and ${size} follow the header`)
}

/** The pieces of a file. The same tensors give the same bytes, in whatever order they come. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, SafeTensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array[] {
  for (const [name, { dtype }] of tensors)
    if (!rank.has(dtype)) throw new UnsupportedError(`Safetensors files have no dtype for ${dtype}, which '${name}' has.`)
  const sorted = [...tensors].sort(([aName, a], [bName, b]) => rank.get(a.dtype)! - rank.get(b.dtype)! || (aName < bName ? -1 : 1))
  const entries: string[] = []
  if (metadata.size > 0) {
    const pairs = [...metadata].sort(([a], [b]) => (a < b ? -1 : 1))
    entries.push(`"${metadataKey}":{${pairs.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`).join(',')}}`)
  }
  let at = 0
  for (const [name, { dtype, shape, bytes }] of sorted) {
    if (name === metadataKey) throw new ArgumentError(`Expected another name than '${metadataKey}' for a tensor`)
    const offsets = `[${at},${at + bytes.length}]`
    entries.push(`${JSON.stringify(name)}:{"dtype":"${nameOf.get(dtype)}","shape":[${shape.join(',')}],"data_offsets":${offsets}}`)
    at += bytes.length
  }
  const text = Buffer.from(`{${entries.join(',')}}`, 'utf8')
  const header = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ')
  header.writeBigUInt64LE(BigInt(header.length - 8))
  text.copy(header, 8)
  return [header, ...sorted.map(([, { bytes }]) => bytes)]
}
