// torchscript-node as an engine, and what its program says about a model.
import { join } from 'node:path'
import * as torch from '../../lib/index.js'
import { now, type Engine } from './interleave.js'
import { firstTensor, largestDifference, type Pair } from './pair.js'

export interface Callable {
  forward(...args: readonly unknown[]): unknown
  explain(): ReturnType<torch.jit.ScriptModule['explain']>
  dispose(): void
}

/** `optimized`: optimizeForInference. `as-loaded`. Anything else is a mode of torch.compile. */
export function prepareOurs(pair: Pair, variant: string): Callable {
  const loaded = torch.jit.load(join(pair.folder, `${pair.name}.pt`))
  if (variant === 'as-loaded') return loaded as unknown as Callable
  if (variant === 'optimized') return torch.jit.optimizeForInference(loaded) as unknown as Callable
  const { compile } = torch as unknown as { compile?: (model: unknown, options: { mode: string }) => unknown }
  if (compile === undefined) throw new Error(`Expected optimized or as-loaded for \`--ours\` but received ${variant}`)
  return compile(loaded, { mode: variant }) as Callable
}

export function openOurs(pair: Pair, variant: string, threads: number): Engine {
  torch.setNumThreads(threads)
  const model = prepareOurs(pair, variant)
  const { inputs } = pair
  const got = firstTensor(model.forward(...inputs))
  const difference = largestDifference(got.data as Float32Array, pair.expected.data as Float32Array)
  return {
    name: variant === 'optimized' ? 'ours' : `ours ${variant}`,
    difference,
    run(count) {
      const start = now()
      for (let i = 0; i < count; i++) model.forward(...inputs)
      return now() - start
    },
    close: () => model.dispose(),
  }
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((size, i) => size === b[i])

/** Operations of a call, and bytes of the weights that it reads: not embedding tables, of which it reads some rows. */
export function measureWork(pair: Pair): { flops: number; weightBytes: number } {
  const file = join(pair.folder, `${pair.name}.pt`)
  const model = torch.jit.load(file) as unknown as Callable
  const { events } = torch.profiler.profile(() => model.forward(...pair.inputs))
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
  const all = torch.inspectArchive(file).parameterBytes
  return {
    flops: events.reduce((sum, event) => sum + event.flops, 0),
    weightBytes: all - [...tables.values()].reduce((sum, bytes) => sum + bytes, 0),
  }
}
