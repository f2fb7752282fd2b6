import { type Npz, openNpz, readNpy, writeNpy } from '../archive/npy.js'
import type { SourceInput } from '../archive/source.js'
import { tensor } from '../tensor/creation.js'
import type { Tensor } from '../tensor/tensor.js'
import { writeFileSync } from 'node:fs'

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
