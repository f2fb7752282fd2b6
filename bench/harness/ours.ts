// torchscript-node as an engine, and what its program says about a model.
import { join } from 'node:path'
import * as torch from '../../lib/index.js'
import { now, type Engine } from './interleave.js'
import { firstTensor, type Pair } from './pair.js'
import { nameOf, prepareOurs, type Variant } from './prepare.js'
import { largestDifference } from './statistics.js'

export function openOurs(pair: Pair, variant: Variant, threads: number): Engine {
  torch.setNumThreads(threads)
  const { model, dispose } = prepareOurs(torch, join(pair.folder, `${pair.name}.pt`), variant)
  const { inputs } = pair
  const got = firstTensor(model.forward(...inputs))
  const difference = largestDifference(got.data as Float32Array, pair.expected.data as Float32Array)
  return {
    name: nameOf(variant),
    difference,
    run(count) {
      const start = now()
      for (let i = 0; i < count; i++) model.forward(...inputs)
      return now() - start
    },
    close: dispose,
  }
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((size, i) => size === b[i])

/** What a call computes and reads. */
export function measureWork(pair: Pair): { flops: number; weightBytes: number; parameterBytes: number } {
  const file = join(pair.folder, `${pair.name}.pt`)
  const model = torch.jit.load(file)
  const { events } = torch.profiler.profile(() => model.forward(...pair.inputs) as unknown)
  model.dispose()
  const products = events.filter((event) => event.flops > 0)
  const tables = new Map<string, number>()
  for (const event of events) {
    if (event.name !== 'aten::embedding') continue
    const { shape } = event.inputs[0]
    // A table that is the weight of the last layer too is read whole.
    if (products.some((p) => p.inputs.some((i) => sameShape(i.shape, shape) || sameShape([...i.shape].reverse(), shape)))) continue
    tables.set(event.location + shape.join(), 4 * shape.reduce((product, size) => product * size, 1))
  }
  const { parameterBytes } = torch.inspectArchive(file)
  return {
    parameterBytes,
    flops: events.reduce((sum, event) => sum + event.flops, 0),
    weightBytes: parameterBytes - [...tables.values()].reduce((sum, bytes) => sum + bytes, 0),
  }
}
