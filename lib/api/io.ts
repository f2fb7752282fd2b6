import { type Npz, openNpz, readNpy, writeNpy } from '../archive/npy.js'
import { readSafetensors, type SafeTensor, writeSafetensors } from '../archive/safetensors.js'
import { openSource, setFileMapper, type SourceInput } from '../archive/source.js'
import type { StorageData } from '../archive/values.js'
import { callNative } from '../native/errors.js'
import { nativeBinding } from '../native/loader.js'
import { TensorExporter } from '../runtime/snapshot.js'
import { TensorImporter } from '../runtime/tensors.js'
import { tensor } from '../tensor/creation.js'
import { dtypeSize } from '../tensor/dtype.js'
import { Tensor } from '../tensor/tensor.js'
import { ArgumentError } from '../util/errors.js'
import { writeFileSync } from 'node:fs'
import { fileTarget, type FileTarget, writeFile } from './files.js'

/** Reads a NumPy `.npy` file as a tensor. Throws ArchiveError on anything else. */
export function loadNpy(file: SourceInput): Tensor {
  const { data, dtype, shape } = readNpy(file)
  return tensor(data, { dtype, shape })
}

/** Reads the arrays of a NumPy `.npz` file as tensors, each when it is first asked for. */
export function loadNpz(file: SourceInput): Record<string, Tensor> {
  const npz: Npz = openNpz(file)
  const arrays: Record<string, Tensor> = {}
  for (const name of npz.names()) {
    let value: Tensor | undefined
    Object.defineProperty(arrays, name, {
      enumerable: true,
      get: () => {
        if (value === undefined) {
          const { data, dtype, shape } = npz.get(name)
          value = tensor(data, { dtype, shape })
        }
        return value
      },
    })
  }
  return arrays
}

/** Writes a tensor as a NumPy `.npy` file. Throws UnsupportedError for dtypes that NumPy does not have. */
export function saveNpy(path: string | URL, value: Tensor): void {
  writeFileSync(path, npyBytes(value))
}

/** The bytes of a `.npy` file. */
export const npyBytes = (value: Tensor): Uint8Array => writeNpy({ dtype: value.dtype, shape: value.shape, data: value.data })

/** Reads a safetensors file. Its tensors use the memory-mapped file in place. Throws ArchiveError on anything malformed. */
export function loadSafetensors(file: SourceInput): Map<string, Tensor> {
  setFileMapper((path) => nativeBinding().mapFile(path))
  const importer = new TensorImporter()
  const loaded = new Map<string, Tensor>()
  for (const [name, { dtype, shape, bytes }] of readSafetensors(openSource(file)).tensors) {
    const strides = contiguousStrides(shape)
    const storage: StorageData = { key: name, dtype, byteLength: bytes.length, location: 'cpu', bytes: () => bytes }
    const handle = importer.import({ dtype, shape: [...shape], strides, offset: 0, storage, requiresGrad: false })
    loaded.set(name, Tensor.fromHandle(handle))
  }
  return loaded
}

/** The texts that a safetensors file has about itself. */
export function safetensorsMetadata(file: SourceInput): Map<string, string> {
  setFileMapper((path) => nativeBinding().mapFile(path))
  return readSafetensors(openSource(file)).metadata
}

/** Tensors or texts by name. */
export type Named<T> = ReadonlyMap<string, T> | Readonly<Record<string, T>>
const entriesOf = <T>(named: Named<T>): [string, T][] => (named instanceof Map ? [...named] : Object.entries(named as Record<string, T>))

/** Writes tensors, such as a state dict, as a safetensors file. Tensors that share memory are written in full, each. */
export function saveSafetensors(tensors: Named<Tensor>, path: FileTarget, metadata?: Named<string>): void {
  const target = fileTarget(path)
  if (target === undefined) throw new ArgumentError('Expected a path or a file: URL for `path` but received nothing')
  writeFile(target, safetensorsPieces(tensors, metadata))
}

/** The bytes of a safetensors file. */
export const safetensorsBytes = (tensors: Named<Tensor>, metadata?: Named<string>): Buffer =>
  Buffer.concat(safetensorsPieces(tensors, metadata))

function safetensorsPieces(tensors: Named<Tensor>, metadata: Named<string> = {}): Uint8Array[] {
  const texts = new Map(entriesOf(metadata))
  for (const [key, text] of texts)
    if (typeof text !== 'string') throw new ArgumentError(`Expected text for \`metadata\`["${key}"] but received ${typeof text}`)
  return writeSafetensors(new Map(entriesOf(tensors).map(([name, value]) => [name, plainTensor(name, value)])), texts)
}

function plainTensor(name: string, value: Tensor): SafeTensor {
  if (!(value instanceof Tensor)) throw new ArgumentError(`Expected a tensor for \`tensors\`["${name}"] but received ${typeof value}`)
  const own = Tensor.handleOf(value)
  const handle = callNative(() => (own.info().isContiguous ? own : own.contiguousCopy()))
  const { dtype, shape, offset, storage } = new TensorExporter().export(handle)
  const size = dtypeSize(dtype)
  const count = shape.reduce((product, n) => product * n, 1)
  return { dtype, shape, bytes: storage.bytes().subarray(offset * size, (offset + count) * size) }
}

function contiguousStrides(shape: readonly number[]): number[] {
  const strides: number[] = []
  let stride = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    strides.unshift(stride)
    stride *= Math.max(1, shape[i])
  }
  return strides
}
