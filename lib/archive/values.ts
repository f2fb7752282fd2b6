import type { ClassType } from '../ir/types.js'
import { type DType, dtypeSize } from '../tensor/dtype.js'

/**
 * What unpickling an archive gives: plain tagged data that still tells `2` from `2.0`. Containers, objects and tensors
 * are shared by identity: what the file shares is one JS object here. Cycles exist only through objects.
 */
export type PickleValue =
  | { kind: 'none' }
  | { kind: 'bool'; value: boolean }
  | { kind: 'int'; value: bigint }
  | { kind: 'float'; value: number }
  | { kind: 'complex'; re: number; im: number }
  | StringValue
  | ListValue
  | DictValue
  | TupleValue
  | { kind: 'tensor'; tensor: TensorData }
  | ObjectValue
  | { kind: 'enum'; className: string; value: PickleValue }
  | { kind: 'device'; value: string }
  | { kind: 'dtype'; value: DType }
  /** A named constant of torch that is no dtype, such as `torch.channels_last` or `torch.per_tensor_affine`. */
  | { kind: 'constant'; name: string }
  | StorageValue

export interface StringValue {
  kind: 'string'
  value: string
  /** The exact bytes, present only where they are no valid UTF-8 (TorchScript strings are bytes) or were Python `bytes`. */
  bytes?: Uint8Array
}

export interface ListValue {
  kind: 'list'
  items: PickleValue[]
  /** TorchScript type text of the elements, such as `int` or `Optional[Tensor]`, where the file says it. */
  elementType?: string
}

export interface DictValue {
  kind: 'dict'
  /** In insertion order. */
  entries: [PickleValue, PickleValue][]
  keyType?: string
  valueType?: string
  /** torch.save writes it as `collections.OrderedDict`, as state dicts are. */
  ordered?: boolean
}

export interface TupleValue {
  kind: 'tuple'
  items: PickleValue[]
}

export interface ObjectValue {
  kind: 'object'
  /** Qualified name of the class, such as `__torch__.a.b.C`. */
  className: string
  /** The class itself, in trees of modules that live in memory: two classes may have one name there. */
  type?: ClassType
  /** The argument of BUILD: the dict of attributes, or what `__getstate__` returned. */
  state?: PickleValue
  /** The attributes by name, where `state` is a dict of attributes. */
  attributes?: Map<string, PickleValue>
}

export interface StorageValue {
  kind: 'storage'
  storage: StorageData
  dtype: DType
}

/** The memory behind tensors; tensors that share a key share this object. */
export interface StorageData {
  readonly key: string
  /** Element type of the first use; another tensor may look at the same bytes with another one. */
  readonly dtype: DType
  readonly byteLength: number
  /** Device, after `mapLocation`: `cpu`, `cuda:0`, `meta` (no bytes). */
  readonly location: string
  /**
   * The bytes, little endian, `byteLength` long and aligned to the element size. Writable without effect on the file or on
   * another load of it. The same memory at each call.
   */
  bytes(): Uint8Array
}

export type QuantizationData =
  | { scheme: 'per_tensor_affine'; scale: number; zeroPoint: number }
  | { scheme: 'per_channel_affine' | 'per_channel_affine_float_qparams'; scales: TensorData; zeroPoints: TensorData; axis: number }

export interface SparseData {
  layout: 'coo' | 'csr' | 'csc' | 'bsr' | 'bsc'
  /** COO: (sparse dims, nnz). The compressed layouts hold compressed and plain indices instead. */
  indices?: TensorData
  compressedIndices?: TensorData
  plainIndices?: TensorData
  values: TensorData
  coalesced?: boolean
}

export interface TensorData {
  dtype: DType
  shape: number[]
  /** In elements, like `offset`. */
  strides: number[]
  offset: number
  /** Every element that shape and strides reach lies inside it. Empty for sparse tensors. */
  storage: StorageData
  requiresGrad: boolean
  /** An `nn.Parameter` of a `torch.save` file. */
  parameter?: boolean
  quant?: QuantizationData
  /** Lazy conjugation and negation: the stored numbers still need them. */
  conj?: boolean
  neg?: boolean
  sparse?: SparseData
}

export const noneValue: PickleValue = { kind: 'none' }

/** Number of elements of a shape. */
export const elementCount = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

/** How many elements one byte holds: more than one for the sub-byte quantized types. */
export const elementsPerByte = (dtype: DType): number => (dtype === 'quint4x2' ? 2 : dtype === 'quint2x4' ? 4 : 1)

/** Bytes that `count` elements take. */
export const bytesOfElements = (dtype: DType, count: number): number => Math.ceil(count / elementsPerByte(dtype)) * dtypeSize(dtype)

/** The value of `key` in a dict with string keys, or undefined. */
export function dictGet(dict: PickleValue, key: string): PickleValue | undefined {
  if (dict.kind !== 'dict') return undefined
  return dict.entries.findLast(([k]) => k.kind === 'string' && k.value === key)?.[1]
}

/** How an error message calls a value. */
export function describeValue(value: PickleValue): string {
  switch (value.kind) {
    case 'none':
      return 'None'
    case 'bool':
      return value.value ? 'True' : 'False'
    case 'int':
      return `the int ${value.value}`
    case 'float':
      return `the float ${value.value}`
    case 'string':
      return value.value.length <= 40 ? `the string '${value.value}'` : `a string of ${value.value.length} characters`
    case 'list':
      return `a list of ${value.items.length}`
    case 'tuple':
      return `a tuple of ${value.items.length}`
    case 'dict':
      return `a dict of ${value.entries.length}`
    case 'object':
      return `an object of ${value.className}`
    case 'enum':
      return `an enum value of ${value.className}`
    default:
      return `a ${value.kind}`
  }
}
