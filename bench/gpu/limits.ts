// What the device can do, and how near our kernels come: bytes against the rate of a copy, products against PyTorch's.
import * as torch from '../../lib/index.js'
import { now } from '../harness/interleave.js'
import { timesOf, type Times } from '../harness/statistics.js'
import type { TorchPeer } from '../harness/pytorch.js'
import type { BandwidthRow, ProductRow } from './results.js'

type Tensor = torch.Tensor

/** Times `body` between two waits for the device, so many calls a sample. */
export function timeOnDevice(body: () => unknown, samples = 7, calls = 10): Times {
  const keep = (value: unknown): void => {
    if (value instanceof torch.Tensor) value.dispose()
  }
  for (let i = 0; i < 3; i++) keep(body())
  torch.cuda.synchronize()
  const list: number[] = []
  for (let s = 0; s < samples; s++) {
    const start = now()
    for (let i = 0; i < calls; i++) keep(body())
    torch.cuda.synchronize()
    list.push((now() - start) / calls)
  }
  return timesOf(list, calls)
}

const onDevice = (shape: readonly number[], dtype: string): Tensor => torch.randn([...shape]).to({ device: 'cuda', dtype: dtype as torch.DType })

interface Pass {
  readonly kernel: string
  readonly inputs: readonly Tensor[]
  readonly run: (...inputs: Tensor[]) => Tensor
  /** Bytes that it reads and writes. */
  readonly bytes: number
}

/** Kernels that are bound by memory, on `side` x `side` matrices. The first is the copy that the others are compared with. */
function passes(side: number): Pass[] {
  const all: Pass[] = []
  for (const [dtype, size] of [
    ['float32', 4],
    ['float16', 2],
  ] as const) {
    const x = onDevice([side, side], dtype)
    const y = onDevice([side, side], dtype)
    const row = onDevice([side], dtype)
    const n = size * side * side
    const add = (kernel: string, inputs: readonly Tensor[], run: (...inputs: Tensor[]) => Tensor, bytes: number): void =>
      void all.push({ kernel: `${kernel} ${dtype}`, inputs, run, bytes })
    add('copy', [x], (a) => a.clone(), 2 * n)
    add('add', [x, y], (a, b) => torch.add(a, b), 3 * n)
    add('add a row', [x, row], (a, b) => torch.add(a, b), 2 * n)
    add('gelu', [x], (a) => torch.gelu(a), 2 * n)
    add('transposed copy', [x], (a) => a.t().contiguous(), 2 * n)
    add('softmax', [x], (a) => torch.softmax(a, -1), 2 * n)
    add('layer_norm', [x, row], (a, w) => torch.layerNorm(a, [side], w, w), 2 * n)
    add('sum of rows', [x], (a) => torch.sum(a, [1]), n)
    add('sum of columns', [x], (a) => torch.sum(a, [0]), n)
    add('cat', [x, y], (a, b) => torch.cat([a, b], 1), 4 * n)
  }
  return all
}

export function measureBandwidth(side: number, print: (text: string) => void): BandwidthRow[] {
  const rows: BandwidthRow[] = []
  let copy = 0
  for (const { kernel, inputs, run, bytes } of passes(side)) {
    const time = timeOnDevice(() => run(...inputs))
    const gbs = bytes / time.min / 1e6
    copy = copy === 0 ? gbs : copy
    rows.push({ kernel, bytes, time, gbs, ofCopy: gbs / copy })
    print(`${kernel}: ${gbs.toFixed(0)} GB/s, ${((100 * gbs) / copy).toFixed(0)} % of a copy`)
  }
  return rows
}

/** Square products of each dtype; PyTorch's for comparison where there is one. */
export async function measureProducts(sizes: readonly number[], peer: TorchPeer | undefined, print: (text: string) => void): Promise<ProductRow[]> {
  const rows: ProductRow[] = []
  for (const size of sizes) {
    for (const dtype of ['float32', 'tfloat32', 'float16', 'bfloat16']) {
      let time: Times = { min: 0, median: 0, calls: 0 }
      let skipped: string | undefined
      try {
        torch.cuda.allowTf32({ matmul: dtype === 'tfloat32' })
        const kind = dtype === 'tfloat32' ? 'float32' : dtype
        const [a, b] = [onDevice([size, size], kind), onDevice([size, size], kind)]
        time = timeOnDevice(() => torch.matmul(a, b), 5, size >= 4096 ? 3 : 10)
      } catch (error) {
        skipped = (error as Error).message.split('\n')[0]
      } finally {
        torch.cuda.allowTf32({ matmul: false })
      }
      const flops = 2 * size ** 3
      const theirs = await peer?.ask('product', { dtype, size })
      const torchTflops = theirs?.ms === undefined ? undefined : flops / theirs.ms / 1e9
      const tflops = skipped === undefined ? flops / time.min / 1e9 : 0
      rows.push({ dtype, size, time, tflops, torchTflops, skipped })
      print(`${dtype} ${size}: ${skipped ?? `${tflops.toFixed(1)} TFLOP/s`}${torchTflops === undefined ? '' : `, cuBLAS ${torchTflops.toFixed(1)}`}`)
    }
  }
  return rows
}
