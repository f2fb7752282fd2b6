import { MemberWriter, rootOfPath } from '../archive/script-writer.js'
import type { DictValue, ListValue, PickleValue } from '../archive/values.js'
import { TensorExporter } from '../runtime/snapshot.js'
import { Tensor } from '../tensor/tensor.js'
import { ArgumentError } from '../util/errors.js'
import { ScriptObject } from './jit/script-module.js'
import { fileTarget, type FileTarget, writeFile } from './files.js'
import { Module } from './nn/module.js'

/** The version of the zip format of torch.save, which has not changed since it exists. */
const version = 3

/**
 * Saves tensors, numbers, strings, booleans, null, and arrays, Maps and plain objects of them, as a file that PyTorch's
 * `torch.load(weights_only=True)` reads. Arrays become lists, Maps with names as keys ordered dicts as state dicts are, plain objects dicts;
 * numbers without a fraction become ints. Tensors that share memory share it in the file. Without a file the bytes are returned.
 */
export function save(value: unknown, file: FileTarget): undefined
export function save(value: unknown, file?: undefined | null): Buffer
export function save(value: unknown, file?: FileTarget | null): Buffer | undefined {
  const path = fileTarget(file)
  const archive = new MemberWriter(path === undefined ? 'archive' : rootOfPath(path))
  archive.pickled('data', new ValueReader().value(value, 'value'), { style: 'python' })
  const pieces = archive.finish(version, false)
  if (path === undefined) return Buffer.concat(pieces)
  writeFile(path, pieces)
  return undefined
}

class ValueReader {
  private readonly exporter = new TensorExporter()
  private readonly known = new Map<object, PickleValue>()

  value(value: unknown, place: string): PickleValue {
    switch (typeof value) {
      case 'undefined':
        return { kind: 'none' }
      case 'boolean':
        return { kind: 'bool', value }
      case 'number':
        return Number.isSafeInteger(value) && !Object.is(value, -0) ? { kind: 'int', value: BigInt(value) } : { kind: 'float', value }
      case 'bigint':
        return { kind: 'int', value }
      case 'string':
        return { kind: 'string', value }
      case 'object':
        return value === null ? { kind: 'none' } : this.object(value, place)
      default:
        throw unsavable(place, `a ${typeof value}`)
    }
  }

  private object(value: object, place: string): PickleValue {
    const known = this.known.get(value)
    if (known !== undefined) return known
    if (value instanceof Tensor) return this.remember(value, { kind: 'tensor', tensor: this.exporter.export(Tensor.handleOf(value)) })
    if (Array.isArray(value)) {
      const list: ListValue = this.remember(value, { kind: 'list', items: [] })
      value.forEach((item, i) => list.items.push(this.value(item, `${place}[${i}]`)))
      return list
    }
    if (value instanceof Map) {
      const ordered = [...value.keys()].every((key) => typeof key === 'string')
      return this.dict(value, [...value], ordered, place)
    }
    if (value instanceof Module) throw unsavable(place, 'a module; save its stateDict(), or trace or script it and use jit.save')
    if (value instanceof ScriptObject) throw unsavable(place, 'a TorchScript object; use jit.save')
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) throw unsavable(place, `a ${value.constructor?.name ?? 'object of a class'}`)
    const entries = Object.entries(value)
    if (entries.length === 2 && typeof (value as { re: unknown }).re === 'number' && typeof (value as { im: unknown }).im === 'number') {
      const { re, im } = value as { re: number; im: number }
      return { kind: 'complex', re, im }
    }
    return this.dict(value, entries, false, place)
  }

  private dict(key: object, entries: [unknown, unknown][], ordered: boolean, place: string): PickleValue {
    const dict: DictValue = this.remember(key, { kind: 'dict', entries: [], ordered })
    for (const [name, item] of entries) {
      const inner = `${place}[${typeof name === 'string' ? JSON.stringify(name) : String(name)}]`
      if (typeof name === 'object' && name !== null && !(name instanceof Tensor)) throw unsavable(`a key of ${place}`, 'an object')
      dict.entries.push([this.value(name, `a key of ${place}`), this.value(item, inner)])
    }
    return dict
  }

  private remember<T extends PickleValue>(key: object, value: T): T {
    this.known.set(key, value)
    return value
  }
}

const unsavable = (place: string, received: string): ArgumentError =>
  new ArgumentError(
    `Expected tensors, numbers, strings, booleans, null, or arrays, Maps and plain objects of them, for \`${place}\` but received ${received}`,
  )
