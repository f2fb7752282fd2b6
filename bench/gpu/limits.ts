// What the device can do, and how near our kernels come: bytes against the rate of a copy, products against PyTorch's.
import * as torch from '../../lib/index.js'
import { now } from '../harness/interleave.js'
import { timesOf, type Times } from '../harness/statistics.js'
import type { TorchPeer } from '../harness/pytorch.js'
import type { BandwidthRow, ProductRow, WgmmaRow } from './results.js'

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

/** Random numbers; the rows of large matrices repeat, at a distance that no tile has, because the CPU makes them. */
function onDevice(shape: readonly number[], dtype: string): Tensor {
  const place = { device: 'cuda', dtype: dtype as torch.DType }
  const [rows, columns] = shape
  const own = 1021
  if (shape.length !== 2 || rows <= own) return torch.randn([...shape]).to(place)
  const some = torch.randn([own, columns]).to(place)
  return torch.cat(Array.from({ length: Math.ceil(rows / own) }, () => some)).slice(0, 0, rows).contiguous()
}

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

export function measureBandwidth(side: number, row: (row: BandwidthRow) => void, print: (text: string) => void): void {
  let copy = 0
  for (const { kernel, inputs, run, bytes } of passes(side)) {
    const time = timeOnDevice(() => run(...inputs))
    const gbs = bytes / time.min / 1e6
    copy = copy === 0 ? gbs : copy
    row({ kernel, bytes, time, gbs, ofCopy: gbs / copy })
    print(`${kernel}: ${gbs.toFixed(0)} GB/s, ${((100 * gbs) / copy).toFixed(0)} % of a copy`)
  }
}

interface Product {
  readonly dtype: string
  readonly shape: string
  readonly m: number
  readonly n: number
  readonly k: number
  /** Makes its operands, and gives what is timed. */
  readonly open: () => () => unknown
  /** No product: PyTorch has none to compare. */
  readonly alone?: boolean
}

const quantizedUnit = (): torch.jit.CompilationUnit =>
  new torch.jit.CompilationUnit(`
def pack_linear(w: Tensor, b: Tensor):
    return torch.ops.quantized.linear_prepack(w, b)
def linear(x: Tensor, packed: __torch__.torch.classes.quantized.LinearPackedParamsBase):
    return torch.ops.quantized.linear(x, packed, 0.5, 64)
def pack_conv(w: Tensor, b: Tensor, stride: int, padding: int):
    return torch.ops.quantized.conv2d_prepack(w, b, [stride, stride], [padding, padding], [1, 1], 1)
def conv(x: Tensor, packed: __torch__.torch.classes.quantized.Conv2dPackedParamsBase):
    return torch.ops.quantized.conv2d(x, packed, 0.5, 64)
`)

const quantized = (shape: readonly number[], dtype: 'quint8' | 'qint8'): Tensor =>
  torch.quantizePerTensor(onDevice(shape, 'float32'), 0.05, dtype === 'quint8' ? 128 : 0, dtype)

/** What the device's Tensor Cores are for: the largest product of each dtype first, then smaller ones, then layers of quantized models. */
function products(sizes: readonly number[]): Product[] {
  const unit = quantizedUnit() as unknown as Record<string, (...args: unknown[]) => unknown>
  const all: Product[] = []
  const largest = Math.max(...sizes)
  const floats = (dtype: string, m: number, n: number, k: number): Product => ({
    dtype,
    shape: m === n && n === k ? String(m) : `${m}x${n}x${k}`,
    m,
    n,
    k,
    open: () => {
      const kind = dtype === 'tfloat32' ? 'float32' : dtype
      const [a, b] = [onDevice([m, k], kind), onDevice([k, n], kind)]
      return () => torch.matmul(a, b)
    },
  })
  const bytes = (m: number, n: number, k: number): Product => ({
    ...floats('int8', m, n, k),
    open: () => {
      const x = quantized([m, k], 'quint8')
      const packed = unit.pack_linear(quantized([n, k], 'qint8'), onDevice([n], 'float32'))
      return () => unit.linear(x, packed)
    },
  })
  const convolution = (batch: number, from: number, to: number, side: number, kernel: number, stride: number): Product => {
    const out = side / stride
    return {
      dtype: 'int8',
      shape: `conv ${batch}x${from}x${side}x${side} to ${to}, ${kernel}x${kernel}, stride ${stride}`,
      m: batch * out * out,
      n: to,
      k: from * kernel * kernel,
      alone: true,
      open: () => {
        const x = quantized([batch, from, side, side], 'quint8')
        const packed = unit.pack_conv(quantized([to, from, kernel, kernel], 'qint8'), onDevice([to], 'float32'), stride, (kernel - 1) / 2)
        return () => unit.conv(x, packed)
      },
    }
  }
  for (const size of [largest, ...sizes.filter((size) => size !== largest).sort((a, b) => b - a)]) {
    all.push(floats('float16', size, size, size), bytes(size, size, size))
    for (const dtype of ['bfloat16', 'tfloat32', 'float32']) all.push(floats(dtype, size, size, size))
  }
  const scale = largest >= 1024 ? 1 : 32
  for (const [m, n, k] of [
    [1, 4096, 4096],
    [16, 4096, 4096],
    [128, 3072, 768],
    [4096, 1024, 1024],
  ])
    all.push(bytes(Math.max(1, m / scale), n / scale, k / scale), floats('float16', Math.max(1, m / scale), n / scale, k / scale))
  if (scale === 1)
    all.push(convolution(32, 64, 64, 56, 3, 1), convolution(32, 256, 64, 56, 1, 1), convolution(32, 128, 256, 28, 3, 2), convolution(1, 256, 256, 14, 3, 1))
  else all.push(convolution(1, 16, 16, 8, 3, 2))
  return all
}

/** Products of each dtype; PyTorch's for comparison where there is one. */
export async function measureProducts(
  sizes: readonly number[],
  peer: TorchPeer | undefined,
  row: (row: ProductRow) => void,
  print: (text: string) => void,
): Promise<void> {
  for (const { dtype, shape, m, n, k, open, alone } of products(sizes)) {
    const flops = 2 * m * n * k
    let time: Times = { min: 0, median: 0, calls: 0 }
    let skipped: string | undefined
    try {
      torch.cuda.allowTf32({ matmul: dtype === 'tfloat32' })
      time = timeOnDevice(open(), 5, flops >= 1e11 ? 3 : 10)
    } catch (error) {
      skipped = (error as Error).message.split('\n')[0]
    } finally {
      torch.cuda.allowTf32({ matmul: false })
      torch.cuda.emptyCache()
    }
    const theirs = alone === true ? undefined : await peer?.ask('product', { dtype, m, n, k })
    const torchTflops = theirs?.ms === undefined ? undefined : flops / theirs.ms / 1e9
    const tflops = skipped === undefined ? flops / time.min / 1e9 : 0
    row({ dtype, shape, time, tflops, torchTflops, skipped })
    print(`${dtype} ${shape}: ${skipped ?? `${tflops.toFixed(1)} TFLOP/s`}${torchTflops === undefined ? '' : `, cuBLAS ${torchTflops.toFixed(1)}`}`)
  }
}

/** The kernel that a call runs, of Hopper's own or not. */
function kernelOf(run: () => unknown): string {
  const { events } = torch.profiler.profile(() => void run())
  return events.map(({ kernel }) => kernel).find((kernel) => kernel.startsWith('gemm')) ?? events.at(-1)?.kernel ?? ''
}

/**
 * Products of halves against those of float32 on the same operands: odd sizes and few steps of depth first, the largest last. Which kernels run is
 * for the environment to say (TORCHSCRIPT_CUDA_WGMMA).
 */
export function checkProducts(largest: number, row: (row: WgmmaRow) => void, print: (text: string) => void): void {
  const shapes = [
    [1152, 2048, 64],
    [1024, 2048, 256],
    [1000, 2056, 200],
    [2049, 1928, 1032],
    [largest / 2, largest / 2, largest / 2],
    [largest, largest, largest],
  ]
  for (const [m, n, k] of largest >= 1024 ? shapes : [[64, 64, 64]]) {
    for (const [dtype, order] of [
      ['float16', 'columns'],
      ['float16', 'rows'],
      ['bfloat16', 'columns'],
    ] as const) {
      // The second matrix lies as a layer's weight, or as it is.
      const [a, b] = [onDevice([m, k], dtype), order === 'columns' ? onDevice([n, k], dtype).t() : onDevice([k, n], dtype)]
      const call = (): Tensor => torch.matmul(a, b)
      const theirs = torch.matmul(a.to('float32'), b.to('float32'))
      const difference = call().to('float32').sub(theirs).abs().max().item() / theirs.abs().max().item()
      // Sums of float32 that are rounded once.
      const right = difference <= (dtype === 'float16' ? 1e-3 : 8e-3)
      const kernel = kernelOf(call)
      const flops = 2 * m * n * k
      const tflops = flops >= 1e10 ? flops / timeOnDevice(call, 5, 3).min / 1e9 : undefined
      row({ dtype, shape: `${m}x${n}x${k} by ${order}`, kernel, difference, right, tflops })
      print(`${dtype} ${m}x${n}x${k} by ${order}, ${kernel}: difference ${difference.toExponential(1)}${right ? '' : ', WRONG'}`)
      for (const tensor of [a, b, theirs]) tensor.dispose()
    }
  }
}
