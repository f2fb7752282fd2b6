// Times single kernels against the roofline, on the shapes of the models: `npm run bench -- --kernels [--filter gemm] [--threads 1]`.
// Each is a small module, traced and optimised as models are, so that weights are packed; the time is that of its nodes.
// The inner kernels alone, without the executor: bench/kernels/run.sh.
import * as torch from '../lib/index.js'
import { burstFor } from './harness/interleave.js'
import { describeMachine } from './harness/machine.js'
import { kernelLine } from './harness/report.js'
import { roofline, writeResults, type KernelRow, type Limits, type Results } from './harness/results.js'
import { timesOf } from './harness/statistics.js'
import { measureAllLimits } from './models.js'

const { nn, jit } = torch
type Tensor = torch.Tensor

export interface Kernel {
  readonly name: string
  readonly make: () => { module: torch.nn.Module; inputs: Tensor[] }
  /** Reads and writes large tensors in one pass: its floor is a copy of as many bytes. */
  readonly pass?: boolean
}

class Function extends nn.Module {
  readonly #body: (...inputs: Tensor[]) => Tensor
  constructor(body: (...inputs: Tensor[]) => Tensor) {
    super()
    this.#body = body
  }
  forward(...inputs: Tensor[]): Tensor {
    return this.#body(...inputs)
  }
}

const linear = (m: number, n: number, k: number, name = 'gemm'): Kernel => ({
  name: `${name} ${m}x${n}x${k}`,
  make: () => ({ module: new nn.Linear(k, n), inputs: [torch.randn([m, k])] }),
})

function conv(label: string, size: number, input: number, output: number, kernel: number, stride = 1, groups = 1): Kernel {
  const shape = groups > 1 ? `${input}` : `${input}-${output}`
  return {
    name: `${groups > 1 ? 'depthwise' : 'conv'} ${kernel}x${kernel}${stride > 1 ? `/${stride}` : ''} ${size}^2 ${shape}${label === '' ? '' : ` ${label}`}`,
    make: () => ({
      module: new nn.Conv2d(input, output, kernel, { stride, padding: kernel >> 1, groups }),
      inputs: [torch.randn([1, input, size, size])],
    }),
  }
}

const fn = (name: string, shapes: readonly (readonly number[])[], body: (...inputs: Tensor[]) => Tensor, pass = false): Kernel => ({
  name,
  pass,
  make: () => ({ module: new Function(body), inputs: shapes.map((shape) => torch.randn([...shape])) }),
})

const large = [4, 1024, 1024]
export const kernels: readonly Kernel[] = [
  linear(128, 768, 768),
  linear(128, 3072, 768),
  linear(128, 768, 3072),
  linear(197, 768, 768),
  linear(197, 3072, 768),
  linear(3136, 64, 64),
  linear(784, 128, 512),
  linear(49, 2048, 512),
  linear(32, 128, 784),
  linear(16, 2304, 768, 'small gemm'),
  linear(16, 3072, 768, 'small gemm'),
  linear(16, 50257, 768, 'small gemm'),
  linear(4, 3072, 768, 'small gemm'),
  linear(1, 128, 784, 'gemv'),
  linear(1, 3072, 768, 'gemv'),
  linear(1, 50257, 768, 'gemv'),
  fn(
    'bmm 12x128x128x64',
    [
      [12, 128, 64],
      [12, 64, 128],
    ],
    (a, b) => torch.bmm(a, b),
  ),
  conv('', 224, 3, 64, 7, 2),
  conv('', 56, 64, 64, 3),
  conv('', 28, 128, 128, 3),
  conv('', 14, 256, 256, 3),
  conv('', 7, 512, 512, 3),
  conv('', 56, 64, 128, 3, 2),
  conv('', 14, 256, 512, 3, 2),
  conv('', 56, 64, 256, 1),
  conv('', 28, 512, 128, 1),
  conv('', 14, 256, 1024, 1),
  conv('', 7, 2048, 512, 1),
  conv('', 56, 256, 512, 1, 2),
  conv('mobile', 224, 3, 32, 3, 2),
  conv('mobile', 112, 16, 96, 1),
  conv('mobile', 14, 96, 576, 1),
  conv('cnn', 28, 1, 32, 3),
  conv('patches', 224, 3, 768, 16, 16),
  conv('', 112, 32, 32, 3, 1, 32),
  conv('', 112, 96, 96, 3, 2, 96),
  conv('', 28, 192, 192, 3, 1, 192),
  conv('', 14, 384, 384, 3, 1, 384),
  conv('', 7, 960, 960, 3, 1, 960),
  fn(
    'attention 12x128x64',
    [
      [1, 12, 128, 64],
      [1, 12, 128, 64],
      [1, 12, 128, 64],
    ],
    (q, k, v) => torch.nn.functional.scaledDotProductAttention(q, k, v),
  ),
  fn(
    'attention 12x197x64',
    [
      [1, 12, 197, 64],
      [1, 12, 197, 64],
      [1, 12, 197, 64],
    ],
    (q, k, v) => torch.nn.functional.scaledDotProductAttention(q, k, v),
  ),
  fn(
    'attention causal 12x512x64',
    [
      [1, 12, 512, 64],
      [1, 12, 512, 64],
      [1, 12, 512, 64],
    ],
    (q, k, v) => torch.nn.functional.scaledDotProductAttention(q, k, v, { isCausal: true }),
  ),
  fn('softmax 1536x128', [[1536, 128]], (x) => torch.softmax(x, -1)),
  fn('softmax 16x50257', [[16, 50257]], (x) => torch.softmax(x, -1)),
  { name: 'layer_norm 128x768', make: () => ({ module: new nn.LayerNorm([768]), inputs: [torch.randn([128, 768])] }) },
  fn('gelu 128x3072', [[128, 3072]], (x) => torch.gelu(x)),
  fn('gelu tanh 128x3072', [[128, 3072]], (x) => torch.gelu(x, { approximate: 'tanh' })),
  fn('relu 1x64x112x112', [[1, 64, 112, 112]], (x) => torch.relu(x)),
  fn('max_pool 3x3/2 112^2 64', [[1, 64, 112, 112]], (x) => torch.maxPool2d(x, 3, 2, 1)),
  fn('mean 4M', [large], (x) => torch.mean(x)),
  fn('relu 4M', [large], (x) => torch.relu(x), true),
  fn('add 4M', [large, large], (a, b) => a.add(b), true),
  fn('chain of 10 over 4M', [large], (x) => x.mul(1.5).add(0.25).relu().mul(x).sub(0.5).abs().neg().clamp(-2, 2).mul(0.5).add(x), true),
  fn('tanh-exp chain over 4M', [large], (x) => x.mul(0.5).tanh().add(1).mul(x).exp(), true),
]

export interface KernelBenchOptions {
  readonly filter: string
  readonly threads: readonly number[]
  readonly limits: boolean
  readonly json?: string
  /** The results of the models of the same run. */
  readonly before?: Results
  readonly print: (text: string) => void
}

const millisecondsEach = 250

function measure({ name, make, pass }: Kernel, threads: number, limits: Limits | undefined): KernelRow {
  torch.setNumThreads(threads)
  const { module, inputs } = make()
  module.eval()
  const traced = jit.trace(module, inputs)
  // Counted in the trace: what fuses them moves fewer bytes, but the floor of a pass is that of its arguments and result.
  const first = torch.profiler.profile(() => traced.forward(...inputs) as Tensor)
  const flops = first.events.reduce((sum, event) => sum + event.flops, 0)
  const parameters = module.parameters().reduce((sum, p) => sum + p.numel(), 0)
  const bytes = 4 * (parameters + inputs.reduce((sum, x) => sum + x.numel(), 0) + first.result.numel())
  const model = jit.optimizeForInference(traced)
  const once = (): { ms: number; code: string } =>
    torch.scope(() => {
      const { events } = torch.profiler.profile(() => model.forward(...inputs) as Tensor)
      return {
        ms: events.reduce((sum, event) => sum + event.duration, 0) / 1e3,
        code: [...new Set(events.map((event) => event.kernel))].join(' '),
      }
    })
  for (let i = 0; i < 3; i++) once()
  const { ms, code } = once()
  const times: number[] = []
  const until = performance.now() + millisecondsEach
  for (let i = burstFor(ms); i > 0 || performance.now() < until || times.length < 5; i--) times.push(once().ms)
  model.dispose()
  traced.dispose()
  const floor = limits === undefined ? 0 : pass ? bytes / limits.copy.gbs / 1e6 : roofline(limits, flops, bytes)
  return { kernel: name, threads, flops, bytes, time: timesOf(times, 1), floor, code }
}

export function benchKernels(options: KernelBenchOptions): Results {
  const { before, print } = options
  const wanted = options.filter.split(',')
  const machine = before?.machine ?? describeMachine({})
  if (before === undefined) print(`${machine.cpu}, ${machine.isa}`)
  const limits = before?.limits ?? (options.limits ? measureAllLimits(options.threads, print) : [])
  const rows: KernelRow[] = []
  for (const threads of options.threads) {
    for (const kernel of kernels) {
      if (!wanted.some((text) => kernel.name.includes(text))) continue
      const row = measure(
        kernel,
        threads,
        limits.find((l) => l.threads === threads),
      )
      rows.push(row)
      print(kernelLine(row))
    }
  }
  if (rows.length === 0) throw new Error(`Expected a part of a kernel's name for \`--filter\` but received ${options.filter}`)
  const date = before?.date ?? new Date().toISOString()
  const results: Results = { format: 1, date, machine, limits, models: before?.models ?? [], kernels: rows }
  if (options.json !== undefined) {
    writeResults(options.json, results)
    print(`written: ${options.json}`)
  }
  return results
}
