import { type DType, dtypeSize } from '../tensor/dtype.js'
import { ArchiveError, ArgumentError, UnsupportedError } from '../util/errors.js'
import { describeSource } from './file-kind.js'
import { type ByteSource, memorySource, openSource, type SourceInput } from './source.js'
import { swapBytes, tensorBytes } from './storage.js'
import { elementCount } from './values.js'
import { openZip } from './zip.js'
import { ZipWriter } from './zip-writer.js'

/*
 * .npy (NumPy's format.py): '\x93NUMPY', major, minor, length of the header (u16 in version 1, u32 after), the header as the text of a
 * Python dict with `descr` (byte order, kind, item size), `fortran_order` and `shape`, then the elements.
 */

export type NpyData =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array

/** An array in row-major order and this machine's byte order. */
export interface NpyArray {
  dtype: DType
  shape: number[]
  /**
   * The elements: bool as bytes 0 and 1, float16 as its bits (Uint16Array), int64 and uint64 as BigInt arrays, complex numbers
   * as pairs (re, im) of floats.
   */
  data: NpyData
}

const codes: Record<string, DType> = {
  b1: 'bool',
  i1: 'int8',
  u1: 'uint8',
  i2: 'int16',
  u2: 'uint16',
  i4: 'int32',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  c8: 'complex64',
  c16: 'complex128',
}
const codeOf = new Map<DType, string>(Object.entries(codes).map(([code, dtype]) => [dtype, code]))

/** Typed array over the elements of a dtype. */
export function typedArray(dtype: DType, bytes: Uint8Array): NpyData {
  const make = <T>(type: new (buffer: ArrayBufferLike, offset: number, length: number) => T, size: number): T =>
    new type(bytes.buffer, bytes.byteOffset, bytes.byteLength / size)
  switch (dtype) {
    case 'bool':
    case 'uint8':
      return bytes
    case 'int8':
      return make(Int8Array, 1)
    case 'int16':
      return make(Int16Array, 2)
    case 'uint16':
    case 'float16':
      return make(Uint16Array, 2)
    case 'int32':
      return make(Int32Array, 4)
    case 'uint32':
      return make(Uint32Array, 4)
    case 'int64':
      return make(BigInt64Array, 8)
    case 'uint64':
      return make(BigUint64Array, 8)
    case 'float32':
    case 'complex64':
      return make(Float32Array, 4)
    case 'float64':
    case 'complex128':
      return make(Float64Array, 8)
    default:
      throw new UnsupportedError(`NumPy files have no dtype ${dtype}; convert the tensor first, for instance to float32`)
  }
}

/** Reads a .npy file. */
export function readNpy(file: SourceInput): NpyArray {
  const source = openSource(file)
  if (!isNpy(source)) throw new ArchiveError(`Expected a .npy file but received ${describeSource(source)}`)
  return parseNpy(source, undefined)
}

const isNpy = (source: ByteSource): boolean => source.size >= 10 && Buffer.from(source.read(0, 6)).toString('latin1') === '\x93NUMPY'

/** The largest header that NumPy's own reader takes without being told to trust the file is 10,000 bytes. */
const maxHeader = 1 << 16

function parseNpy(source: ByteSource, member: string | undefined): NpyArray {
  const start = Buffer.from(source.read(0, Math.min(source.size, 12)))
  const major = start[6]
  if (major < 1 || major > 3) throw new ArchiveError(`Expected version 1, 2 or 3 of the .npy format but received ${major}`, member)
  const headerAt = major === 1 ? 10 : 12
  if (start.length < headerAt) throw new ArchiveError('The .npy file is truncated', member)
  const headerLength = major === 1 ? start.readUInt16LE(8) : start.readUInt32LE(8)
  if (headerLength > maxHeader) {
    throw new ArchiveError(`Expected a header of at most ${maxHeader} bytes but received ${headerLength}`, member)
  }
  if (headerAt + headerLength > source.size) throw new ArchiveError('The .npy file is truncated: its header is incomplete', member)
  const header = Buffer.from(source.read(headerAt, headerLength)).toString(major === 3 ? 'utf8' : 'latin1')
  const { dtype, swap, fortran, shape } = parseHeader(header, member)
  const bytes = elementCount(shape) * dtypeSize(dtype)
  const offset = headerAt + headerLength
  if (!Number.isSafeInteger(bytes) || offset + bytes > source.size) {
    const what = `an array of ${dtype} of shape [${shape.join(', ')}]`
    throw new ArchiveError(`The .npy file is truncated: ${what} needs ${bytes} bytes and ${source.size - offset} are there`, member)
  }
  let data = source.view(offset, bytes)
  data = swap ? swapBytes(data, dtype) : tensorBytes(data, source.exclusive)
  if (fortran && shape.length > 1) data = columnToRowMajor(data, shape, dtypeSize(dtype))
  return { dtype, shape, data: typedArray(dtype, data) }
}

interface Header {
  dtype: DType
  swap: boolean
  fortran: boolean
  shape: number[]
}

function parseHeader(text: string, member: string | undefined): Header {
  const malformed = (): ArchiveError =>
    new ArchiveError(`The .npy header is malformed: ${JSON.stringify(text.trim().slice(0, 120))}`, member)
  const descr = /['"]descr['"]\s*:\s*(?:['"]([^'"]*)['"]|(\[))/.exec(text)
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text)
  const shapeText = /['"]shape['"]\s*:\s*\(([\dL,\s]*)\)/.exec(text)
  if (descr === null || order === null || shapeText === null || !text.trimStart().startsWith('{')) throw malformed()
  if (descr[2] !== undefined) throw new UnsupportedError('NumPy arrays of records are not supported')
  const parts = /^([<>|=])([a-zA-Z]\d+)$/.exec(descr[1])
  const dtype = parts !== null && Object.hasOwn(codes, parts[2]) ? codes[parts[2]] : undefined
  if (parts === null || dtype === undefined) {
    const hint = descr[1].includes('O') ? ': it holds pickled Python objects' : ''
    throw new UnsupportedError(`NumPy arrays of type ${JSON.stringify(descr[1])} are not supported${hint}`)
  }
  const numbers = shapeText[1].split(',').map((part) => part.trim().replace(/L$/, ''))
  if (numbers[numbers.length - 1] === '') numbers.pop()
  if (numbers.length > 64 || numbers.some((part) => !/^\d{1,15}$/.test(part))) throw malformed()
  return { dtype, swap: parts[1] === '>', fortran: order[1] === 'True', shape: numbers.map(Number) }
}

/** A row-major copy of a column-major array. */
function columnToRowMajor(data: Uint8Array, shape: readonly number[], itemSize: number): Uint8Array {
  const result = new Uint8Array(data.length)
  const count = elementCount(shape)
  const strides: number[] = []
  shape.reduce((stride, size, i) => {
    strides[i] = stride
    return stride * size
  }, 1)
  const index = shape.map(() => 0)
  let from = 0
  for (let i = 0; i < count; i++) {
    for (let b = 0; b < itemSize; b++) result[i * itemSize + b] = data[from * itemSize + b]
    for (let d = shape.length - 1; d >= 0; d--) {
      from += strides[d]
      if (++index[d] < shape[d]) break
      from -= shape[d] * strides[d]
      index[d] = 0
    }
  }
  return result
}

/** An array to write: row-major, in this machine's byte order. */
export interface NpyInput {
  dtype: DType
  shape: readonly number[]
  data: ArrayBufferView
}

/** The bytes of a .npy file, as NumPy writes it. */
export function writeNpy(array: NpyInput): Uint8Array {
  const { dtype, shape, data } = array
  const code = codeOf.get(dtype)
  if (code === undefined) {
    throw new UnsupportedError(`NumPy files have no dtype ${dtype}; convert the tensor first, for instance to float32`)
  }
  const size = elementCount(shape) * dtypeSize(dtype)
  if (data.byteLength !== size) {
    throw new ArgumentError(`Expected ${size} bytes for \`data\` of shape [${shape.join(', ')}] but received ${data.byteLength}`)
  }
  const order = dtypeSize(dtype) === 1 ? '|' : '<'
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  // NumPy leaves room for the first dimension to grow in place to 21 digits.
  const room = shape.length > 0 ? ' '.repeat(21 - String(shape[0]).length) : ''
  const header = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': (${dims}), }${room}`
  const prefix = 10 + header.length + 1
  const padded = `${header}${' '.repeat((64 - (prefix % 64)) % 64)}\n`
  const start = Buffer.alloc(10)
  start.write('\x93NUMPY\x01\x00', 0, 'latin1')
  start.writeUInt16LE(padded.length, 8)
  return Buffer.concat([start, Buffer.from(padded, 'latin1'), new Uint8Array(data.buffer, data.byteOffset, data.byteLength)])
}

/** The arrays of a .npz file, each read when it is asked for. */
export interface Npz {
  names(): string[]
  get(name: string): NpyArray
}

export function openNpz(file: SourceInput): Npz {
  const zip = openZip(openSource(file), { root: false })
  const suffix = '.npy'
  const names = (): string[] =>
    zip
      .names()
      .filter((name) => name.endsWith(suffix))
      .map((name) => name.slice(0, -suffix.length))
  return {
    names,
    get(name) {
      const member = name + suffix
      if (!zip.has(member)) throw new ArchiveError(`Expected one of ${names().join(', ')} for the array's name but received ${name}`)
      const bytes = zip.bytes(member)
      const memory = memorySource(bytes, zip.source.exclusive || !zip.isStored(member))
      if (!isNpy(memory)) throw new ArchiveError('Expected a .npy file', member)
      return parseNpy(memory, member)
    },
  }
}

/** The pieces of a .npz file; `deflate` as numpy.savez_compressed does. */
export function writeNpz(arrays: Iterable<readonly [string, NpyInput]>, options: { deflate?: boolean } = {}): Uint8Array[] {
  const writer = new ZipWriter()
  for (const [name, array] of arrays) writer.add(`${name}.npy`, writeNpy(array), options)
  return writer.finish()
}
