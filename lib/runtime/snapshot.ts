import type { ArchiveNames } from '../archive/code-names.js'
import type { DictValue, ListValue, ObjectValue, PickleValue, StorageData, TensorData } from '../archive/values.js'
import { type ClassType, FloatType, IntType, listOf, optionalOf, StringType, TensorType, tupleOf, type Type } from '../ir/types.js'
import type { NativeSnapshot, QuantInfo, SnapshotChild, SnapshotEntry, StorageHandle, TensorHandle } from '../native/binding.js'
import { callNative } from '../native/errors.js'
import { customClass } from '../script/type-resolver.js'
import { type DType, dtypeFromCode } from '../tensor/dtype.js'
import { ArgumentError, InvariantError, UnsupportedError } from '../util/errors.js'

/** Tensors by the storages that describe theirs, where their elements are computed when somebody reads them. */
const derived = new WeakMap<StorageData, TensorHandle>()

/** The storage of the addon that a description stands for, where describing it did not compute its elements; undefined for others. */
export const derivedStorageOf = (storage: StorageData): StorageHandle | undefined => derived.get(storage)?.derivedStorage() ?? undefined

/** Shows tensors of the addon as tensors of an archive; tensors on one storage share it there too. Nothing is copied. */
export class TensorExporter {
  private readonly storages = new Map<number, StorageData>()

  export(handle: TensorHandle): TensorData {
    const info = callNative(() => handle.info())
    const dtype = dtypeFromCode(info.dtype)
    if (dtype === undefined) throw new InvariantError(`The dtype code ${info.dtype} has no name.`)
    const { sizes: shape, strides, offset, requiresGrad } = info
    const tensor: TensorData = { dtype, shape, strides, offset, requiresGrad, storage: this.storage(handle, dtype, info.storageBytes) }
    if (info.quant !== null) tensor.quant = quantization(info.quant)
    return tensor
  }

  private storage(handle: TensorHandle, dtype: DType, byteLength: number): StorageData {
    const id = handle.storageId
    let storage = this.storages.get(id)
    if (storage === undefined) {
      const bytes = (): Uint8Array => {
        const buffer = callNative(() => handle.data(true))
        return new Uint8Array(buffer, handle.dataOffset, byteLength)
      }
      const isDerived = handle.derivedStorage() !== null
      this.storages.set(id, (storage = { key: String(id), dtype, byteLength, location: 'cpu', bytes }))
      if (isDerived) derived.set(storage, handle)
    }
    return storage
  }
}

function quantization(quant: QuantInfo): TensorData['quant'] {
  if (quant.scheme === 0) return { scheme: 'per_tensor_affine', scale: quant.scale as number, zeroPoint: quant.zeroPoint as number }
  const [scales, zeroPoints] = [quant.scale, quant.zeroPoint].map((numbers) => Array.from(numbers as Iterable<number>))
  const axis = quant.axis!
  return quant.scheme === 1
    ? {
        scheme: 'per_channel_affine',
        scales: vector('float64', Float64Array.from(scales)),
        zeroPoints: vector('int64', BigInt64Array.from(zeroPoints, BigInt)),
        axis,
      }
    : {
        scheme: 'per_channel_affine_float_qparams',
        scales: vector('float32', Float32Array.from(scales)),
        zeroPoints: vector('float32', Float32Array.from(zeroPoints)),
        axis,
      }
}

function vector(dtype: DType, values: Float64Array | Float32Array | BigInt64Array): TensorData {
  const data = new Uint8Array(values.buffer)
  const storage: StorageData = { key: '', dtype, byteLength: data.length, location: 'cpu', bytes: () => data }
  return { dtype, shape: [values.length], strides: [1], offset: 0, storage, requiresGrad: false }
}

/** What the state of a custom class holds, for the type tags of its containers. */
const linearPacked = '__torch__.torch.classes.quantized.LinearPackedParamsBase'
const tensors = listOf(TensorType)
const convState = tupleOf([StringType, tensors, listOf(optionalOf(TensorType))])
const customStates = new Map<string, Type>([
  [linearPacked, tupleOf([TensorType, optionalOf(TensorType)])],
  ['__torch__.torch.classes.quantized.Conv2dPackedParamsBase', convState],
  ['__torch__.torch.classes.quantized.Conv3dPackedParamsBase', convState],
  ['__torch__.torch.classes.quantized.EmbeddingPackedParamsBase', tupleOf([IntType, tensors, listOf(FloatType), listOf(IntType)])],
  [
    '__torch__.torch.classes.rnn.CellParamsBase',
    tupleOf([StringType, tensors, listOf(FloatType), listOf(IntType), listOf(customClass(linearPacked))]),
  ],
])

/** Nesting that our reader of pickles accepts. */
const maxDepth = 990

/** Values of a running program as values of an archive. What the program shares is shared. */
export class SnapshotReader {
  private readonly known = new Map<number, PickleValue>()
  private entries: readonly SnapshotEntry[] = []
  private depth = 0

  constructor(
    private readonly classes: readonly ClassType[],
    private readonly names: ArchiveNames,
    private readonly exporter: TensorExporter,
  ) {}

  read({ root, entries }: NativeSnapshot, declared: Type): PickleValue {
    this.entries = entries
    this.known.clear()
    this.depth = 0
    return this.value(root, declared)
  }

  private value(child: SnapshotChild, declared: Type | undefined): PickleValue {
    switch (typeof child) {
      case 'boolean':
        return { kind: 'bool', value: child }
      case 'bigint':
        return { kind: 'int', value: child }
      case 'number':
        return { kind: 'float', value: child }
      case 'string':
        return { kind: 'string', value: child }
      default:
        if (child === null) return { kind: 'none' }
        if (child instanceof Uint8Array) return { kind: 'string', value: Buffer.from(child).toString('utf8'), bytes: child }
        if ('device' in child) return { kind: 'device', value: child.device }
        if ('re' in child) return { kind: 'complex', re: child.re, im: child.im }
        return this.entry(child.ref, declared)
    }
  }

  private entry(index: number, declared: Type | undefined): PickleValue {
    const known = this.known.get(index)
    if (known !== undefined) return known
    if (this.depth >= maxDepth) throw new ArgumentError(`Expected values nested at most ${maxDepth} deep to save but received deeper ones`)
    const entry = this.entries[index]
    // An object is a dict of attributes in an object.
    const levels = entry.kind === 'object' ? 2 : 1
    this.depth += levels
    const value = this.found(index, entry, declared)
    this.depth -= levels
    return value
  }

  private found(index: number, entry: SnapshotEntry, declared: Type | undefined): PickleValue {
    switch (entry.kind) {
      case 'tensor':
        return this.remember(index, { kind: 'tensor', tensor: this.exporter.export(entry.tensor) })
      case 'tuple': {
        const type = member(declared, 'Tuple')
        const value = this.remember(index, { kind: 'tuple' as const, items: [] as PickleValue[] })
        entry.items.forEach((item, i) => value.items.push(this.value(item, type?.elements[i])))
        return value
      }
      case 'list': {
        const type = member(declared, 'List')
        const value: ListValue = this.remember(index, { kind: 'list', items: [], elementType: this.text(type?.element, entry.elementType) })
        for (const item of entry.items) value.items.push(this.value(item, type?.element))
        return value
      }
      case 'dict': {
        const type = member(declared, 'Dict')
        const [keyType, valueType] = [this.text(type?.key, entry.keyType), this.text(type?.value, entry.valueType)]
        const value: DictValue = this.remember(index, { kind: 'dict', entries: [], keyType, valueType })
        for (let i = 0; i < entry.items.length; i += 2)
          value.entries.push([this.value(entry.items[i], type?.key), this.value(entry.items[i + 1], type?.value)])
        return value
      }
      case 'enum': {
        const type = member(declared, 'Enum')
        const className = type === undefined ? this.names.classNamed(entry.className) : this.names.mention(type)
        return this.remember(index, { kind: 'enum', className, value: this.value(entry.value, type?.valueType) })
      }
      case 'object':
        return this.object(index, entry)
    }
  }

  private object(index: number, entry: SnapshotEntry & { kind: 'object' }): ObjectValue {
    const type = entry.classIndex < 0 ? undefined : this.classes[entry.classIndex]
    if (type === undefined || type.flavor === 'custom') {
      const value = this.remember<ObjectValue>(index, { kind: 'object', className: entry.className })
      value.state = this.value(entry.state!, customStates.get(entry.className))
      return value
    }
    const value = this.remember<ObjectValue>(index, { kind: 'object', className: this.names.class(type) })
    const getState = type.methods.get('__getstate__')
    if (entry.state !== undefined) value.state = this.value(entry.state, getState?.returnType)
    else if (getState !== undefined && type.methods.has('__setstate__'))
      throw new UnsupportedError(
        `The state of an object of ${type.qualifiedName} cannot be saved: its __getstate__ is not part of the program.`,
      )
    else {
      value.attributes = new Map()
      type.attributes.forEach((attribute, i) => value.attributes!.set(attribute.name, this.value(entry.slots![i], attribute.type)))
    }
    return value
  }

  private remember<T extends PickleValue>(index: number, value: T): T {
    this.known.set(index, value)
    return value
  }

  /** The text of a type in a tag: of the declared one, else what the executor knows. */
  private text(declared: Type | undefined, native: string | undefined): string {
    if (declared !== undefined) return this.names.mention(declared)
    return (native ?? 'Any').replace(/__torch__[\w.]*/g, (name) => this.names.classNamed(name))
  }
}

/** The member of an Optional or Union that a value of this kind has. */
function member<K extends Type['kind']>(declared: Type | undefined, kind: K): (Type & { kind: K }) | undefined {
  if (declared === undefined) return undefined
  const members = declared.kind === 'Optional' ? [declared.element] : declared.kind === 'Union' ? declared.members : [declared]
  const matching = members.filter((m) => m.kind === kind)
  return matching.length === 1 ? (matching[0] as Type & { kind: K }) : undefined
}
