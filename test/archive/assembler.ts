import { ZipWriter } from '../../lib/archive/zip-writer.js'

/** Opcodes of pickle protocol 2, for pickles that no pickler would write. */
const byte = (...bytes: number[]): Buffer => Buffer.from(bytes)

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer
}

const join = (parts: readonly Buffer[]): Buffer => Buffer.concat(parts)

export const op = {
  mark: byte(0x28),
  stop: byte(0x2e),
  none: byte(0x4e),
  true: byte(0x88),
  false: byte(0x89),
  emptyList: byte(0x5d),
  emptyDict: byte(0x7d),
  emptyTuple: byte(0x29),
  tuple: byte(0x74),
  tuple1: byte(0x85),
  tuple2: byte(0x86),
  tuple3: byte(0x87),
  append: byte(0x61),
  appends: byte(0x65),
  setItem: byte(0x73),
  setItems: byte(0x75),
  reduce: byte(0x52),
  newObject: byte(0x81),
  build: byte(0x62),
  persistentId: byte(0x51),
  put: (id: number): Buffer => join([byte(0x72), uint32(id)]),
  get: (id: number): Buffer => join([byte(0x6a), uint32(id)]),
  global: (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`, 'latin1'),
  string(text: string | Buffer): Buffer {
    const bytes = Buffer.from(text as string)
    return join([byte(0x58), uint32(bytes.length), bytes])
  },
  int(value: number | bigint): Buffer {
    const buffer = Buffer.alloc(10)
    buffer[0] = 0x8a
    buffer[1] = 8
    buffer.writeBigInt64LE(BigInt(value), 2)
    return buffer
  },
  float(value: number): Buffer {
    const buffer = Buffer.alloc(9)
    buffer[0] = 0x47
    buffer.writeDoubleBE(value, 1)
    return buffer
  },
  /** Items between a mark and TUPLE. */
  tupleOf: (...items: Buffer[]): Buffer => join([byte(0x28), ...items, byte(0x74)]),
  storage: (key: string, count: number | bigint, type = 'FloatStorage', location = 'cpu'): Buffer =>
    join([op.tupleOf(op.string('storage'), op.global('torch', type), op.string(key), op.string(location), op.int(count)), op.persistentId]),
  tensor: (storage: Buffer, offset: number | bigint, size: readonly (number | bigint)[], stride: readonly (number | bigint)[]): Buffer =>
    join([
      op.global('torch._utils', '_rebuild_tensor_v2'),
      op.tupleOf(storage, op.int(offset), op.tupleOf(...size.map(op.int)), op.tupleOf(...stride.map(op.int)), op.false, op.emptyDict),
      op.reduce,
    ]),
}

/** A pickle of the given opcodes. */
export const pickle = (...ops: Buffer[]): Buffer => join([byte(0x80, 2), ...ops, op.stop])

/** An archive as torch.save writes it. */
export function checkpoint(data: Buffer, storages: Record<string, Uint8Array> = {}): Buffer {
  const writer = new ZipWriter('archive')
  writer.add('data.pkl', data)
  for (const [key, bytes] of Object.entries(storages)) writer.add(`data/${key}`, bytes)
  return join(writer.finish().map((chunk) => Buffer.from(chunk)))
}

/** An archive as torch.jit.save writes it, with members replaced, added or (undefined) left out. */
export function scriptArchive(changes: Record<string, Uint8Array | string | undefined> = {}): Buffer {
  const members: Record<string, Uint8Array | string | undefined> = {
    'data.pkl': pickle(op.global('__torch__', 'M'), op.emptyTuple, op.newObject, op.emptyDict, op.build),
    'code/__torch__.py': 'class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n',
    'constants.pkl': pickle(op.emptyTuple),
    version: '3\n',
    ...changes,
  }
  const writer = new ZipWriter('archive')
  for (const [name, data] of Object.entries(members)) {
    if (data !== undefined) writer.add(name, typeof data === 'string' ? Buffer.from(data) : data)
  }
  return join(writer.finish().map((chunk) => Buffer.from(chunk)))
}
