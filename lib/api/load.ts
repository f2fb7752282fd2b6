import { archiveType, loadObject } from '../archive/load.js'
import { openSource, setFileMapper, type SourceInput } from '../archive/source.js'
import type { PickleValue } from '../archive/values.js'
import { nativeBinding } from '../native/loader.js'
import { TensorImporter } from '../runtime/tensors.js'
import { hasDevice } from '../tensor/device.js'
import { Tensor } from '../tensor/tensor.js'
import { UnsupportedError } from '../util/errors.js'
import { load as jitLoad } from './jit/load.js'

export interface LoadOptions {
  /** Device that all tensors go to, such as `cpu` or `cuda:0`. Without it they go where they were saved. */
  mapLocation?: string
}

/** An object of a Python class in a file of torch.save. */
export interface PickledObject {
  readonly className: string
  readonly state: unknown
}

/**
 * Loads what torch.save wrote: tensors, numbers, strings; lists and tuples as arrays, dicts (state dicts) as Maps. An archive of torch.jit.save
 * gives the module, as torch.jit.load does.
 */
export function load(file: SourceInput, options: LoadOptions = {}): unknown {
  setFileMapper((path) => nativeBinding().mapFile(path))
  const source = openSource(file)
  if (archiveType(source) === 'script') return jitLoad(source, options)
  return new Converter().convert(loadObject(source, { ...options, hasDevice }))
}

/** Turns unpickled values into JavaScript's; what the file shares stays shared. */
class Converter {
  private readonly importer = new TensorImporter(false, true)
  private readonly known = new Map<PickleValue, unknown>()

  convert(value: PickleValue): unknown {
    switch (value.kind) {
      case 'none':
        return null
      case 'int':
        return Number.isSafeInteger(Number(value.value)) ? Number(value.value) : value.value
      case 'complex':
        return { re: value.re, im: value.im }
      case 'string':
        return value.bytes === undefined ? value.value : value.bytes
      case 'bool':
      case 'float':
      case 'device':
      case 'dtype':
        return value.value
      case 'constant':
        return value.name
      case 'storage':
        throw new UnsupportedError('Storages without a tensor are not supported.')
      default:
        return this.counted(value)
    }
  }

  private counted(value: PickleValue & { kind: 'tensor' | 'list' | 'tuple' | 'dict' | 'enum' | 'object' }): unknown {
    if (this.known.has(value)) return this.known.get(value)
    switch (value.kind) {
      case 'tensor': {
        const tensor = Tensor.fromHandle(this.importer.import(value.tensor))
        this.known.set(value, tensor)
        return tensor
      }
      case 'list':
      case 'tuple': {
        const items: unknown[] = []
        this.known.set(value, items)
        for (const item of value.items) items.push(this.convert(item))
        return items
      }
      case 'dict': {
        const map = new Map<unknown, unknown>()
        this.known.set(value, map)
        for (const [k, v] of value.entries) map.set(this.convert(k), this.convert(v))
        return map
      }
      case 'enum':
        return { className: value.className, value: this.convert(value.value) }
      case 'object': {
        const object: { className: string; state: unknown } = { className: value.className, state: null }
        this.known.set(value, object)
        if (value.state !== undefined) object.state = this.convert(value.state)
        return object
      }
    }
  }
}
