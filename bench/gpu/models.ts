// The benchmark's models on the device beside PyTorch: dtypes and batches, a call until its results are there.
import { join } from 'node:path'
import * as torch from '../../lib/index.js'
import { interleave, now, type Engine } from '../harness/interleave.js'
import { firstTensor, namesIn, readPair, type Pair } from '../harness/pair.js'
import { openTorch, type TorchMode, type TorchPeer } from '../harness/pytorch.js'
import type { GpuModelRow } from './results.js'

type Tensor = torch.Tensor

export interface GpuModelOptions {
  readonly folder: string
  readonly filter: string
  readonly dtypes: readonly string[]
  readonly batches: readonly number[]
  /** For each model, dtype and batch. */
  readonly seconds: number
  readonly peers: ReadonlyMap<TorchMode, TorchPeer>
  /** A row that is done. */
  readonly row: (row: GpuModelRow) => void
  /** When no further rows are begun, by `now()`. */
  readonly until: number
  readonly print: (text: string) => void
}

const repeated = (tensor: Tensor, batch: number): Tensor => (batch === 1 ? tensor : torch.cat(Array.from({ length: batch }, () => tensor)))

/** Largest |difference| relative to the largest |value|; NaN where one is. */
export function relativeDifference(got: Tensor, want: Tensor): number {
  const a = got.cpu().to('float32').contiguous().data as Float32Array
  const b = want.contiguous().data as Float32Array
  if (a.length !== b.length) return Infinity
  let most = 0
  let largest = 0
  for (let i = 0; i < b.length; i++) {
    const d = Math.abs(a[i] - b[i])
    if (Number.isNaN(d)) return NaN
    if (d > most) most = d
    if (Math.abs(b[i]) > largest) largest = Math.abs(b[i])
  }
  return most / largest
}

/** Our engine on the device; throws where the model cannot run there in that dtype and batch. */
function openOnDevice(pair: Pair, dtype: string, batch: number): Engine {
  const loaded = torch.jit.load(join(pair.folder, `${pair.name}.pt`))
  // Whole in the dtype, as PyTorch's `model.half()` that the peers are.
  const model = torch.jit.optimizeForInference(loaded.to({ device: 'cuda', dtype: dtype as torch.DType }))
  const inputs = pair.inputs.map((x) => {
    const moved = repeated(x, batch).to('cuda')
    return x.dtype === 'float32' ? moved.to(dtype as torch.DType) : moved
  })
  const call = (): unknown => {
    const result: unknown = model.forward(...inputs)
    torch.cuda.synchronize()
    return result
  }
  for (let i = 0; i < 3; i++) call()
  const difference = relativeDifference(firstTensor(call()), repeated(pair.expected, batch))
  return {
    name: 'ours',
    difference,
    run(count) {
      const start = now()
      for (let i = 0; i < count; i++) call()
      return now() - start
    },
    close: () => model.dispose(),
  }
}

/** Batches and dtypes come one after the other, each for all models. */
export async function benchOnDevice(options: GpuModelOptions): Promise<void> {
  for (const batch of options.batches) {
    for (const dtype of options.dtypes) {
      for (const name of namesIn(options.folder, options.filter)) {
        const pair = readPair(options.folder, name)
        const skipped: Record<string, string> = {}
        const engines: Engine[] = []
        const add = async (engine: string, open: () => Engine | string | Promise<Engine | string>): Promise<void> => {
          try {
            const opened = await open()
            if (typeof opened === 'string') skipped[engine] = opened
            else engines.push(opened)
          } catch (error) {
            skipped[engine] = (error as Error).message.split('\n')[0]
          }
        }
        if (now() > options.until) skipped.ours = 'the time was over'
        else {
          await add('ours', () => openOnDevice(pair, dtype, batch))
          for (const [mode, peer] of options.peers) await add(`torch ${mode}`, () => openTorch(peer, mode, pair, { dtype, batch }))
        }
        const { times, failed } = await interleave(engines, { seconds: options.seconds, settle: 0, rounds: 5 })
        const differences = Object.fromEntries(engines.map((engine) => [engine.name, engine.difference]))
        for (const engine of engines) await engine.close()
        torch.cuda.emptyCache()
        const row: GpuModelRow = { model: name, dtype, batch, engines: times, differences, skipped: { ...skipped, ...failed } }
        options.row(row)
        options.print(
          `${name} ${dtype} batch ${batch}: ${[
            ...Object.entries(times).map(([engine, t]) => `${engine} ${t.min.toFixed(3)} ms`),
            ...Object.entries(row.skipped).map(([engine, why]) => `${engine}: ${why}`),
          ].join(', ')}`,
        )
      }
    }
  }
}
