// One model of a folder: NAME.pt, NAME.io.pt and perhaps NAME.onnx.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as torch from '../../lib/index.js'

export interface Pair {
  readonly name: string
  readonly folder: string
  readonly inputs: readonly torch.Tensor[]
  readonly expected: torch.Tensor
}

export function namesIn(folder: string, filter: string): string[] {
  const wanted = filter.split(',')
  return readdirSync(folder)
    .filter((file) => file.endsWith('.io.pt') && wanted.some((text) => file.includes(text)))
    .map((file) => file.slice(0, -'.io.pt'.length))
    .sort()
}

export function readPair(folder: string, name: string): Pair {
  const io = torch.load(join(folder, `${name}.io.pt`)) as Map<string, unknown>
  return { name, folder, inputs: io.get('inputs') as torch.Tensor[], expected: io.get('expected') as torch.Tensor }
}

/** The first tensor of what a model gives. */
export function firstTensor(value: unknown): torch.Tensor {
  if (value instanceof torch.Tensor) return value
  if (value instanceof Map) return firstTensor([...value.values()][0])
  if (Array.isArray(value)) return firstTensor(value[0])
  if (typeof value === 'object' && value !== null) return firstTensor(Object.values(value)[0])
  throw new Error(`Expected a result with a tensor but received ${String(value)}`)
}
