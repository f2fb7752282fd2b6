// Products by Hopper's own instructions, in the emulator's model of them (test/cuda/emulation/hopper.h), and which products take them.
import './wgmma-environment.js'
import './emulated-only.js'
import t from 'tap'
import type { Test } from 'tap'
import * as torch from '../../lib/index.js'
import { native } from '../native/programs.js'
import { distance, sameOnDevice } from './compare.js'

torch.manualSeed(12)
const { nn, jit } = torch
const F = nn.functional
type T = torch.Tensor
const halves = [
  ['float16', 'f16', 4e-3],
  ['bfloat16', 'bf16', 3e-2],
] as const

/** Kernels of products that `run` launches. */
function launched(run: () => unknown): string[] {
  native.setTrace(true)
  try {
    run()
    return native.takeTrace().flatMap((line) => /\b(?:gemm|gemv|conv|quantized)_(?!centered)\w+/.exec(line.replace(/^\w+: /, '')) ?? [])
  } finally {
    native.setTrace(false)
  }
}
/** Compares with the CPU, and names the kernel that has to compute it. */
function computedBy(
  t: Test,
  kernel: string,
  name: string,
  run: (...args: never[]) => unknown,
  args: readonly T[],
  tolerance: number,
): void {
  const names = launched(() => sameOnDevice(t, name, run, args, tolerance)).filter((found) => !found.includes('avx'))
  t.same(names, [kernel], `${name}: kernel`)
}
const product = (x: T, y: T): T => torch.matmul(x, y)
const turned = (x: T, y: T): T => torch.matmul(x, y.transpose(-1, -2))

t.test('products of halves', (t) => {
  t.same(torch.cuda.getDeviceCapability(), [9, 0])
  for (const [dtype, label, tolerance] of halves) {
    const half = (...shape: number[]): T => torch.randn(shape).to(dtype)
    // The smallest; tails of rows, depth and columns; more steps than stages; more tiles than multiprocessors, in tiles that take turns and in wide ones.
    for (const [m, k, n, tile] of [
      [64, 64, 64, '128x128'],
      [65, 72, 200, '128x128'],
      [130, 328, 200, '128x256'],
      [130, 520, 504, '128x256'],
      [130, 520, 328, '128x128'],
      [300, 136, 328, '128x128'],
    ] as const) {
      computedBy(
        t,
        `gemm_wgmma_${label}_${tile}_columns`,
        `${dtype} ${m} x ${k} x ${n}, transposed`,
        turned,
        [half(m, k), half(n, k)],
        tolerance,
      )
      if (n % 8 === 0)
        computedBy(t, `gemm_wgmma_${label}_${tile}_rows`, `${dtype} ${m} x ${k} x ${n}`, product, [half(m, k), half(k, n)], tolerance)
    }
  }
  const half = (...shape: number[]): T => torch.randn(shape).half()
  // Rows that are longer than the matrix, a depth that ends within a vector, and rows that have to be copied.
  const [x, y] = [half(70, 200), half(80, 200)]
  computedBy(t, 'gemm_wgmma_f16_128x128_columns', 'windows', (x: T, y: T) => turned(x.slice(1, 8, 109), y.slice(1, 0, 101)), [x, y], 4e-3)
  computedBy(t, 'gemm_wgmma_f16_128x128_rows', 'rows of odd length', turned, [half(70, 99), half(80, 99)], 4e-3)
  t.end()
})

t.test('batches', (t) => {
  const half = (...shape: number[]): T => torch.randn(shape).half()
  computedBy(t, 'gemm_wgmma_f16_128x128_columns', 'of both', turned, [half(3, 70, 72), half(3, 80, 72)], 4e-3)
  computedBy(t, 'gemm_wgmma_f16_128x128_rows', 'by rows', product, [half(3, 70, 72), half(3, 72, 80)], 4e-3)
  computedBy(t, 'gemm_wgmma_f16_128x128_rows', 'of two dimensions', product, [half(2, 2, 70, 72), half(2, 2, 72, 80)], 4e-3)
  computedBy(
    t,
    'gemm_wgmma_f16_128x128_rows',
    'one for all',
    (x: T, y: T) => torch.matmul(x, y.expand([3, 72, 80])),
    [half(3, 70, 72), half(1, 72, 80)],
    4e-3,
  )
  computedBy(
    t,
    'gemm_wgmma_f16_128x128_rows',
    'inside the rows',
    (x: T, y: T) => product(x.transpose(0, 1), y),
    [half(70, 3, 72), half(3, 72, 80)],
    4e-3,
  )
  // Matrices that are not evenly apart.
  computedBy(
    t,
    'gemm_mma_f16_128x128',
    'not evenly',
    (x: T, y: T) => product(x.slice(1, 0, 2), y.slice(1, 0, 2)),
    [half(2, 3, 70, 72), half(2, 3, 72, 80)],
    4e-3,
  )
  t.end()
})

t.test('what follows a product', (t) => {
  const half = (...shape: number[]): T => torch.randn(shape).half()
  const added = (s: T, x: T, y: T): T => torch.addmm(s, x, y, { beta: 2, alpha: 0.5 })
  computedBy(t, 'gemm_wgmma_f16_128x128_rows', 'a row', added, [half(80), half(70, 72), half(72, 80)], 4e-3)
  computedBy(t, 'gemm_wgmma_f16_128x128_rows', 'a matrix', added, [half(70, 80), half(70, 72), half(72, 80)], 4e-3)
  computedBy(t, 'gemm_wgmma_f16_128x128_rows', 'a column', added, [half(70, 1), half(70, 72), half(72, 80)], 4e-3)
  computedBy(
    t,
    'gemm_wgmma_f16_128x128_rows',
    'by columns',
    (s: T, x: T, y: T) => torch.addmm(s.t(), x, y),
    [half(80, 70), half(70, 72), half(72, 80)],
    4e-3,
  )
  computedBy(
    t,
    'gemm_wgmma_f16_128x128_columns',
    'linear',
    (x: T, w: T, b: T) => torch.linear(x, w, b),
    [half(2, 35, 72), half(75, 72), half(75)],
    4e-3,
  )

  class Layers extends nn.Module {
    up = new nn.Linear(72, 150)
    down = new nn.Linear(150, 72)
    pixels = new nn.Conv2d(72, 80, 1)
    constructor(readonly activation: (x: T) => T) {
      super()
    }
    override forward(x: T): T {
      const y = x.add(this.down.forward(this.activation(this.up.forward(x))))
      return F.relu(this.pixels.forward(y.t().reshape([1, 72, 7, 10])))
    }
  }
  for (const [name, activation] of Object.entries({
    gelu: (x: T) => F.gelu(x),
    silu: (x: T) => F.silu(x),
    tanh: (x: T) => torch.tanh(x),
  })) {
    const x = torch.randn([70, 72])
    const traced = jit.trace(new Layers(activation).eval(), [x])
    const expected = traced.forward(x) as T
    const there = jit.optimizeForInference(jit.load(traced.save()), { device: 'cuda', dtype: 'float16' })
    const check = (when: string): void =>
      void t.ok(distance((there.forward(x.to('cuda')) as T).float(), expected) <= 5e-3, `${name}, ${when}`)
    const kernels = launched(() => check('traced'))
    t.ok(kernels.filter((kernel) => kernel.startsWith('gemm_wgmma_f16_128x128')).length >= 2, kernels.join())
    for (const when of ['recorded', 'captured', 'as a graph']) check(when)
    t.equal(there.explain()[0].graphs, 1)
  }
  t.end()
})

t.test('convolutions', (t) => {
  for (const [dtype, label, tolerance] of halves) {
    const some = (...shape: number[]): T => torch.randn(shape).mul(0.3).to(dtype)
    const convolution = (options: object) => (x: T, w: T, b: T) => F.conv2d(x, w, { bias: b, ...options })
    const check = (name: string, kernel: string, options: object, x: T, w: T): void =>
      computedBy(t, kernel, `${dtype} ${name}`, convolution(options), [x, w, some(w.shape[0])], tolerance)
    check('of images within a patch', `conv_wgmma_${label}_128x128`, { padding: 1 }, some(5, 64, 7, 6), some(72, 64, 3, 3))
    check('of lines', `conv_wgmma_${label}_128x256`, { padding: [1, 0] }, some(1, 104, 8, 60), some(200, 104, 3, 2))
    check('dilated', `conv_wgmma_${label}_128x128`, { padding: 2, dilation: 2 }, some(2, 56, 13, 14), some(70, 56, 3, 3))
    check('of steps of two', `conv_mma_${label}_64x64`, { stride: 2 }, some(1, 64, 17, 17), some(64, 64, 3, 3))
    check('of few channels', `conv_mma_${label}_128x128`, { padding: 1 }, some(5, 24, 7, 6), some(72, 24, 3, 3))
  }
  t.end()
})

t.test('quantized layers', (t) => {
  const [input, output] = torch.load('test/fixtures/cuda/quantized-wide.io.pt') as [T, T]
  const module = jit.load('test/fixtures/cuda/quantized-wide.pt').to('cuda')
  let received: T | undefined
  // The second has 70 bytes of depth.
  const names = ['quantized_wgmma_u8_128x128', 'quantized_mma_u8_128x128', 'quantized_wgmma_u8_128x128']
  t.same(
    launched(() => (received = module.forward(input.to('cuda')) as T)),
    names,
  )
  t.equal(distance((received as T).cpu(), output), 0)
  const signed = (): torch.jit.ScriptModule => jit.load('test/fixtures/cuda/quantized-signed.pt')
  for (const rows of [70, 140]) {
    const x = torch.randn([rows, 150])
    const expected = signed().forward(x) as T
    t.same(
      launched(() => (received = signed().to('cuda').forward(x.to('cuda')) as T)),
      [`quantized_wgmma_s8_128x${rows === 70 ? 128 : 256}`],
    )
    t.equal(distance((received as T).cpu(), expected), 0)
  }
  t.end()
})

t.test('products that other kernels compute', (t) => {
  const half = (...shape: number[]): T => torch.randn(shape).half()
  const cases: [string, string, (x: T, y: T) => T, T[], number][] = [
    ['a short depth', 'gemm_mma_f16_64x64', turned, [half(70, 63), half(80, 63)], 4e-3],
    ['few rows', 'gemm_mma_f16_64x64', turned, [half(63, 72), half(80, 72)], 4e-3],
    ['few columns', 'gemm_mma_f16_64x64', turned, [half(70, 72), half(56, 72)], 4e-3],
    ['a first matrix by columns', 'gemm_wgmma_f16_128x128_columns', (x, y) => turned(x.t(), y), [half(72, 70), half(80, 72)], 4e-3],
    ['float32', 'gemm_plain_f32_64x64', turned, [torch.randn([70, 72]), torch.randn([80, 72])], 1e-4],
    [
      'lines that overlap',
      'gemm_mma_f16_64x64',
      (x, y) => turned(x.reshape([-1]).asStrided([70, 72], [8, 1]), y),
      [half(10, 72), half(80, 72)],
      4e-3,
    ],
  ]
  for (const [name, kernel, run, args, tolerance] of cases) computedBy(t, kernel, name, run, args, tolerance)
  t.end()
})
