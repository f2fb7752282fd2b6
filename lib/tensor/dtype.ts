/** Element types, with PyTorch's names and integer codes (`c10::ScalarType`). */
export type DType =
  | 'uint8'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'complex32'
  | 'complex64'
  | 'complex128'
  | 'bool'
  | 'qint8'
  | 'quint8'
  | 'qint32'
  | 'bfloat16'
  | 'quint4x2'
  | 'quint2x4'
  | 'float8_e5m2'
  | 'float8_e4m3fn'
  | 'float8_e5m2fnuz'
  | 'float8_e4m3fnuz'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float8_e8m0fnu'

interface DTypeRow {
  readonly code: number
  /** Bytes of one element; quint4x2 and quint2x4 pack several elements into one byte and say 1. */
  readonly size: number
  /** PyTorch's storage class without the suffix `Storage`. */
  readonly storage: string
}

const table: Record<DType, DTypeRow> = {
  uint8: { code: 0, size: 1, storage: 'Byte' },
  int8: { code: 1, size: 1, storage: 'Char' },
  int16: { code: 2, size: 2, storage: 'Short' },
  int32: { code: 3, size: 4, storage: 'Int' },
  int64: { code: 4, size: 8, storage: 'Long' },
  float16: { code: 5, size: 2, storage: 'Half' },
  float32: { code: 6, size: 4, storage: 'Float' },
  float64: { code: 7, size: 8, storage: 'Double' },
  complex32: { code: 8, size: 4, storage: 'ComplexHalf' },
  complex64: { code: 9, size: 8, storage: 'ComplexFloat' },
  complex128: { code: 10, size: 16, storage: 'ComplexDouble' },
  bool: { code: 11, size: 1, storage: 'Bool' },
  qint8: { code: 12, size: 1, storage: 'QInt8' },
  quint8: { code: 13, size: 1, storage: 'QUInt8' },
  qint32: { code: 14, size: 4, storage: 'QInt32' },
  bfloat16: { code: 15, size: 2, storage: 'BFloat16' },
  quint4x2: { code: 16, size: 1, storage: 'QUInt4x2' },
  quint2x4: { code: 17, size: 1, storage: 'QUInt2x4' },
  float8_e5m2: { code: 23, size: 1, storage: 'Float8_e5m2' },
  float8_e4m3fn: { code: 24, size: 1, storage: 'Float8_e4m3fn' },
  float8_e5m2fnuz: { code: 25, size: 1, storage: 'Float8_e5m2fnuz' },
  float8_e4m3fnuz: { code: 26, size: 1, storage: 'Float8_e4m3fnuz' },
  uint16: { code: 27, size: 2, storage: 'UInt16' },
  uint32: { code: 28, size: 4, storage: 'UInt32' },
  uint64: { code: 29, size: 8, storage: 'UInt64' },
  float8_e8m0fnu: { code: 44, size: 1, storage: 'Float8_e8m0fnu' },
}

const byCode = new Map<number, DType>()
const byStorage = new Map<string, DType>()
for (const [name, row] of Object.entries(table) as [DType, DTypeRow][]) {
  byCode.set(row.code, name)
  byStorage.set(row.storage, name)
}

/** Every dtype name. */
export const dtypeNames = Object.keys(table) as readonly DType[]
/** The other names that PyTorch has: `torch.long` is `torch.int64`. */
const shortNames = new Map<string, DType>([
  ['half', 'float16'],
  ['float', 'float32'],
  ['double', 'float64'],
  ['short', 'int16'],
  ['int', 'int32'],
  ['long', 'int64'],
  ['cfloat', 'complex64'],
  ['cdouble', 'complex128'],
])
/** The dtype of a name, full or short; undefined for other text. */
export const dtypeNamed = (name: string): DType | undefined => shortNames.get(name) ?? dtypeNames.find((dtype) => dtype === name)
/** PyTorch's integer code of a dtype, as TorchScript programs see it. */
export const dtypeCode = (dtype: DType): number => table[dtype].code
/** Bytes of one element. */
export const dtypeSize = (dtype: DType): number => table[dtype].size
/** PyTorch's storage class name, such as `FloatStorage`. */
export const dtypeStorageName = (dtype: DType): string => `${table[dtype].storage}Storage`
/** The dtype of a code, or undefined for a code that has none here. */
export const dtypeFromCode = (code: number): DType | undefined => byCode.get(code)
/** The dtype of a storage class name such as `FloatStorage`, or undefined. */
export const dtypeFromStorageName = (name: string): DType | undefined =>
  name.endsWith('Storage') ? byStorage.get(name.slice(0, -7)) : undefined
