import { type DType, dtypeCode, dtypeSize, dtypeStorageName } from '../tensor/dtype.js'
import { ArgumentError, UnsupportedError } from '../util/errors.js'
import type { DictValue, ListValue, ObjectValue, PickleValue, QuantizationData, StorageData, TensorData } from './values.js'

/**
 * Pickle protocol 2 as PyTorch's pickler writes it for TorchScript (`torch/csrc/jit/serialization/pickler.cpp`), byte for byte:
 * - names of classes, strings and storages are memoized at their first use, devices too;
 * - tensors and objects always, containers only where the tree holds them more than once (PyTorch counts references);
 * - typed lists go through `torch.jit._pickle`, every dict and the other lists carry the text of their type.
 * For torch.save (`python`) containers are plain and dtypes are the classes of `torch`.
 */
export interface PickleOptions {
  readonly style: 'script' | 'python'
  /** The name under which the archive's code has a class. */
  readonly className?: (name: string) => string
  /** Told about every object, in the order of the pickle. */
  readonly onObject?: (value: ObjectValue) => void
}

export interface Pickled {
  readonly bytes: Uint8Array
  /** Storages in the order of their keys `0`, `1`, ... */
  readonly storages: readonly StorageData[]
}

/** Nesting of values; more than programs build, less than the stack takes. */
const maxDepth = 1200

const specialLists = new Map([
  ['int', 'build_intlist'],
  ['float', 'build_doublelist'],
  ['bool', 'build_boollist'],
  ['Tensor', 'build_tensorlist'],
])

const sparseLayoutCodes = { coo: 1, csr: 2, csc: 4, bsr: 5, bsc: 6 } as const

/** Pickles one value. */
export function pickle(value: PickleValue, options: PickleOptions): Pickled {
  const pickler = new Pickler(options)
  pickler.count(value)
  pickler.value(value)
  return pickler.finish()
}

/** dtypes that have no storage class in Python (`torch.storage._new_dtypes`). */
const untyped = new Set<DType>([
  'uint16',
  'uint32',
  'uint64',
  'complex32',
  'float8_e5m2',
  'float8_e4m3fn',
  'float8_e5m2fnuz',
  'float8_e4m3fnuz',
  'float8_e8m0fnu',
])

type Counted = PickleValue & { kind: 'list' | 'tuple' | 'dict' | 'enum' | 'object' | 'tensor' }
/** What identifies a value that may be shared: tensors by their data, so that two wrappers of one are one. */
const identity = (value: Counted): object => (value.kind === 'tensor' ? value.tensor : value)

class Pickler {
  private bytes = Buffer.allocUnsafe(1 << 12)
  private length = 0
  private readonly options: PickleOptions
  private readonly uses = new Map<object, number>()
  private readonly memo = new Map<object, number>()
  private readonly names = new Map<string, number>()
  private readonly strings = new Map<string, number>()
  private readonly devices = new Map<string, number>()
  private readonly storageMemo = new Map<StorageData, Map<DType, number>>()
  private readonly storages: StorageData[] = []
  private readonly pending = new Set<object>()
  private nextMemo = 0
  private depth = 0

  constructor(options: PickleOptions) {
    this.options = options
    this.byte(0x80, 2)
  }

  finish(): Pickled {
    this.byte(0x2e)
    return { bytes: this.bytes.subarray(0, this.length), storages: this.storages }
  }

  // Bytes

  private room(count: number): number {
    const at = this.length
    if (at + count > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.bytes.length, at + count))
      this.bytes.copy(larger, 0, 0, at)
      this.bytes = larger
    }
    this.length = at + count
    return at
  }
  private byte(...values: number[]): void {
    let at = this.room(values.length)
    for (const value of values) this.bytes[at++] = value
  }
  private append(data: Uint8Array): void {
    const at = this.room(data.length)
    this.bytes.set(data, at)
  }
  private uint32(opcode: number, value: number): void {
    const at = this.room(5)
    this.bytes[at] = opcode
    this.bytes.writeUInt32LE(value, at + 1)
  }

  // Memo

  private put(): number {
    const id = this.nextMemo++
    if (id < 256) this.byte(0x71, id)
    else this.uint32(0x72, id)
    return id
  }
  private get(id: number): void {
    if (id < 256) this.byte(0x68, id)
    else this.uint32(0x6a, id)
  }

  /** How often the tree holds each value that may be shared. */
  count(root: PickleValue): void {
    const waiting: PickleValue[] = [root]
    const countTensor = (tensor: TensorData): void => {
      const { quant, sparse } = tensor
      const inner = [
        ...(quant !== undefined && quant.scheme !== 'per_tensor_affine' ? [quant.scales, quant.zeroPoints] : []),
        ...(sparse === undefined ? [] : [sparse.indices, sparse.compressedIndices, sparse.plainIndices, sparse.values]),
      ]
      for (const part of inner) if (part !== undefined) waiting.push({ kind: 'tensor', tensor: part })
    }
    for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
      if (!isCounted(value)) continue
      const key = identity(value)
      const known = this.uses.get(key) ?? 0
      this.uses.set(key, known + 1)
      if (known > 0) continue
      if (value.kind === 'tensor') countTensor(value.tensor)
      else for (const part of partsOf(value)) waiting.push(part)
    }
  }

  // Values

  value(value: PickleValue): void {
    if (!isCounted(value)) return this.plain(value)
    const key = identity(value)
    const known = this.memo.get(key)
    if (known !== undefined) return this.get(known)
    if (this.pending.has(key))
      throw new UnsupportedError(`Expected a tree of values to save but received a ${value.kind} that contains itself.`)
    if (++this.depth > maxDepth) throw new ArgumentError(`Expected values nested at most ${maxDepth} deep but received deeper ones`)
    this.pending.add(key)
    const isMemoized = value.kind === 'tensor' || value.kind === 'object' || (this.uses.get(key) ?? 0) > 1
    this.counted(value)
    this.pending.delete(key)
    this.depth--
    if (isMemoized) this.memo.set(key, this.put())
  }

  private plain(value: Exclude<PickleValue, Counted>): void {
    switch (value.kind) {
      case 'none':
        return this.byte(0x4e)
      case 'bool':
        return this.byte(value.value ? 0x88 : 0x89)
      case 'int':
        return this.int(value.value)
      case 'float':
        return this.float(value.value)
      case 'complex':
        this.global('builtins', 'complex')
        this.float(value.re)
        this.float(value.im)
        return this.byte(0x86, 0x52)
      case 'string':
        return this.string(value.bytes ?? value.value)
      case 'device':
        return this.device(value.value)
      case 'dtype':
        if (this.options.style === 'script') return this.int(BigInt(dtypeCode(value.value)))
        return this.global('torch', value.value)
      case 'constant':
        return this.globalName(value.name)
      case 'storage':
        throw new UnsupportedError('Storages without a tensor are not supported.')
    }
  }

  private int(value: bigint): void {
    if (value >= 0n && value < 256n) return this.byte(0x4b, Number(value))
    if (value >= 0n && value < 65536n) {
      const at = this.room(3)
      this.bytes[at] = 0x4d
      this.bytes.writeUInt16LE(Number(value), at + 1)
    } else if (BigInt.asIntN(32, value) === value) {
      const at = this.room(5)
      this.bytes[at] = 0x4a
      this.bytes.writeInt32LE(Number(value), at + 1)
    } else {
      if (BigInt.asIntN(64, value) !== value) throw new ArgumentError(`Expected an integer of 64 bits but received ${value}`)
      const at = this.room(10)
      this.bytes[at] = 0x8a
      this.bytes[at + 1] = 8
      this.bytes.writeBigInt64LE(value, at + 2)
    }
  }
  private float(value: number): void {
    const at = this.room(9)
    this.bytes[at] = 0x47
    this.bytes.writeDoubleBE(value, at + 1)
  }
  private string(value: string | Uint8Array): void {
    const key = typeof value === 'string' ? value : Buffer.from(value).toString('latin1') + '\0bytes'
    const known = this.strings.get(key)
    if (known !== undefined) return this.get(known)
    const data = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
    this.uint32(0x58, data.length)
    this.append(data)
    this.strings.set(key, this.put())
  }
  private global(module: string, name: string): void {
    const text = `${module}\n${name}\n`
    const known = this.names.get(text)
    if (known !== undefined) return this.get(known)
    this.byte(0x63)
    const data = Buffer.from(text, 'utf8')
    this.append(data)
    this.names.set(text, this.put())
  }
  /** A class by its dotted name. */
  private globalName(name: string): void {
    const dot = name.lastIndexOf('.')
    this.global(name.slice(0, dot), name.slice(dot + 1))
  }
  private classGlobal(name: string): void {
    this.globalName(this.options.className?.(name) ?? name)
  }
  private device(text: string): void {
    const known = this.devices.get(text)
    if (known !== undefined) return this.get(known)
    this.global('torch', 'device')
    this.string(text)
    this.byte(0x85, 0x52)
    this.devices.set(text, this.put())
  }

  private counted(value: Counted): void {
    switch (value.kind) {
      case 'tensor':
        return this.tensor(value.tensor)
      case 'tuple':
        return this.tuple(value.items)
      case 'list':
        return this.list(value)
      case 'dict':
        return this.dict(value)
      case 'enum':
        this.classGlobal(value.className)
        this.value(value.value)
        return this.byte(0x52)
      case 'object':
        return this.object(value)
    }
  }

  private tuple(items: readonly PickleValue[]): void {
    if (items.length === 0) return this.byte(0x29)
    if (items.length > 3) this.byte(0x28)
    for (const item of items) this.value(item)
    this.byte(items.length > 3 ? 0x74 : 0x84 + items.length)
  }

  private list({ items, elementType }: ListValue): void {
    const isScript = this.options.style === 'script'
    const special = isScript && elementType !== undefined ? specialLists.get(elementType) : undefined
    if (special !== undefined) {
      this.global('torch.jit._pickle', special)
      this.byte(0x28)
    } else if (isScript) this.global('torch.jit._pickle', 'restore_type_tag')
    this.byte(0x5d)
    this.byte(0x28)
    for (const item of items) this.value(item)
    this.byte(0x65)
    if (special !== undefined) this.byte(0x74, 0x52)
    else if (isScript) {
      this.string(`List[${elementType ?? 'Any'}]`)
      this.byte(0x86, 0x52)
    }
  }

  private dict({ entries, keyType, valueType, ordered }: DictValue): void {
    const isScript = this.options.style === 'script'
    if (isScript) this.global('torch.jit._pickle', 'restore_type_tag')
    if (!isScript && ordered) {
      this.global('collections', 'OrderedDict')
      this.byte(0x29, 0x52)
    } else this.byte(0x7d)
    this.byte(0x28)
    for (const [key, item] of entries) {
      this.value(key)
      this.value(item)
    }
    this.byte(0x75)
    if (isScript) {
      this.string(`Dict[${keyType ?? 'Any'}, ${valueType ?? 'Any'}]`)
      this.byte(0x86, 0x52)
    }
  }

  private object(value: ObjectValue): void {
    this.options.onObject?.(value)
    this.classGlobal(value.className)
    this.byte(0x29, 0x81)
    if (value.attributes !== undefined) {
      this.byte(0x7d, 0x28)
      for (const [name, attribute] of value.attributes) {
        this.string(name)
        this.value(attribute)
      }
      this.byte(0x75)
    } else this.value(value.state ?? { kind: 'none' })
    this.byte(0x62)
  }

  // Tensors

  private numbers(values: readonly number[]): void {
    this.byte(0x28)
    for (const value of values) this.int(BigInt(value))
    this.byte(0x74)
  }
  private hooks(): void {
    this.global('collections', 'OrderedDict')
    this.byte(0x29, 0x52)
  }

  private tensor(tensor: TensorData): void {
    if (tensor.sparse !== undefined) return this.sparse(tensor)
    if (this.options.style === 'python' && untyped.has(tensor.dtype)) return this.untypedTensor(tensor)
    this.global('torch._utils', tensor.quant === undefined ? '_rebuild_tensor_v2' : '_rebuild_qtensor')
    this.byte(0x28)
    this.storage(tensor)
    this.int(BigInt(tensor.offset))
    this.numbers(tensor.shape)
    this.numbers(tensor.strides)
    if (tensor.quant !== undefined) this.quantization(tensor.quant)
    this.byte(tensor.requiresGrad ? 0x88 : 0x89)
    this.hooks()
    const lazy = (['conj', 'neg'] as const).filter((bit) => tensor[bit])
    if (lazy.length > 0) {
      const entries = lazy.map((bit): [PickleValue, PickleValue] => [
        { kind: 'string', value: bit },
        { kind: 'bool', value: true },
      ])
      this.value({ kind: 'dict', entries, keyType: 'str', valueType: 'bool' })
    }
    this.byte(0x74, 0x52)
  }

  /** For dtypes that Python has no storage class for. */
  private untypedTensor(tensor: TensorData): void {
    this.global('torch._utils', '_rebuild_tensor_v3')
    this.byte(0x28)
    this.storage(tensor)
    this.int(BigInt(tensor.offset))
    this.numbers(tensor.shape)
    this.numbers(tensor.strides)
    this.byte(tensor.requiresGrad ? 0x88 : 0x89)
    this.hooks()
    this.global('torch', tensor.dtype)
    this.byte(0x74, 0x52)
  }

  private storage({ storage, dtype }: TensorData): void {
    let memo = this.storageMemo.get(storage)
    if (memo === undefined) this.storageMemo.set(storage, (memo = new Map()))
    const known = memo.get(dtype)
    if (known !== undefined) return this.get(known)
    this.byte(0x28)
    this.string('storage')
    const isUntyped = this.options.style === 'python' && untyped.has(dtype)
    if (isUntyped) this.global('torch.storage', 'UntypedStorage')
    else this.global('torch', dtypeStorageName(dtype))
    this.string(String(this.storages.length))
    this.string(storage.location)
    this.int(BigInt(isUntyped ? storage.byteLength : Math.floor(storage.byteLength / dtypeSize(dtype))))
    this.byte(0x74, 0x51)
    memo.set(dtype, this.put())
    this.storages.push(storage)
  }

  private quantization(quant: QuantizationData): void {
    this.byte(0x28)
    this.global('torch', quant.scheme)
    if (quant.scheme === 'per_tensor_affine') {
      this.float(quant.scale)
      this.int(BigInt(quant.zeroPoint))
    } else {
      this.tensor(quant.scales)
      this.tensor(quant.zeroPoints)
      this.int(BigInt(quant.axis))
    }
    this.byte(0x74)
  }

  private sparse(tensor: TensorData): void {
    const { layout, indices, compressedIndices, plainIndices, values } = tensor.sparse!
    this.global('torch._utils', '_rebuild_sparse_tensor')
    this.byte(0x28)
    this.int(BigInt(sparseLayoutCodes[layout]))
    this.numbers(tensor.shape)
    this.byte(tensor.requiresGrad ? 0x88 : 0x89)
    for (const part of [indices, compressedIndices, plainIndices, values]) if (part !== undefined) this.tensor(part)
    this.hooks()
    this.byte(0x74, 0x52)
  }
}

const isCounted = (value: PickleValue): value is Counted => {
  switch (value.kind) {
    case 'list':
    case 'tuple':
    case 'dict':
    case 'enum':
    case 'object':
    case 'tensor':
      return true
    default:
      return false
  }
}

function partsOf(value: Counted): readonly PickleValue[] {
  switch (value.kind) {
    case 'list':
    case 'tuple':
      return value.items
    case 'dict':
      return value.entries.flat()
    case 'enum':
      return [value.value]
    case 'object':
      if (value.attributes !== undefined) return [...value.attributes.values()]
      return value.state === undefined ? [] : [value.state]
    default:
      return []
  }
}
