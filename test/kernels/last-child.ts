// Convolutions and pooling to channels-last outputs against float64 in PyTorch's usual layout, with one and two threads; prints what is
// too far away, as JSON.
import type { TensorHandle } from '../../lib/native/binding.js'
import { load, native } from '../native/programs.js'

let state = 4242
const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 0x40000000 - 1
const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, random)

const failures: string[] = []
const kernels = new Set<string>()
let count = 0
const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)
const values = (handle: TensorHandle, sizes: readonly number[], list: typeof Float32Array | typeof Float64Array): number[] => {
  const copy = handle.contiguousCopy()
  return [...new list(copy.data(), copy.dataOffset, product(sizes))]
}
/** Runs both ways and compares; results differ by `tolerance` of the largest at most, `unclamped` being the program without its clamp. */
function check(
  name: string,
  program: ReturnType<typeof load>,
  tensors: readonly { data: Float32Array; sizes: number[] }[],
  rest: readonly unknown[],
  out: number[],
  tolerance: number,
  unclamped = program,
): void {
  const run = (list: typeof Float32Array | typeof Float64Array, dtype: number, last: boolean, what = program): number[] => {
    const handles = tensors.map(({ data, sizes }) => native.tensorFromBuffer(list.from(data).buffer, 0, dtype, sizes))
    if (last) native.setTrace(true)
    const result = what.run(0, [...handles, ...rest, last]) as TensorHandle
    if (last) native.takeTrace().forEach((kernel) => kernels.add(kernel))
    native.setTrace(false)
    return values(result, out, list)
  }
  native.setNumThreads(1)
  const exact = run(Float64Array, 7, false)
  const largest = (unclamped === program ? exact : run(Float64Array, 7, false, unclamped)).reduce((a, b) => Math.max(a, Math.abs(b)), 1e-30)
  for (const threads of [1, 2]) {
    native.setNumThreads(threads)
    const got = run(Float32Array, 6, true)
    const error = got.reduce((worst, v, i) => Math.max(worst, Math.abs(v - exact[i])), 0) / largest
    count++
    if (got.length !== exact.length || !(error < tolerance)) failures.push(`${name} with ${threads} threads: ${error}`)
  }
}

const convolution = (activation: string, residual: boolean, planar: boolean): ReturnType<typeof load> => {
  const program =
    load(`graph(%x : Tensor, %w : Tensor, %b : Tensor, %r : Tensor, %s : int[], %p : int[], %d : int[], %g : int, %last : bool):
  %false : bool = prim::Constant[value=0]()
  %none : NoneType = prim::Constant()
  %two : int = prim::Constant[value=2]()
  %a : str = prim::Constant[value="${activation}"]()
  ${planar ? '' : '%y : Tensor = aten::contiguous(%x, %two)'}
  %z : Tensor = torchscript::convolution_epilogue(${planar ? '%x' : '%y'}, %w, %b, %s, %p, %d, %false, %p, %g, ${residual ? '%r' : '%none'}, %a, %last)
  return (%z)`)
  program.setRecording(false)
  return program
}
const cases: [string, number[], number[], number, number, number, number][] = [
  // name, input, weight, stride, padding, dilation, groups
  ['1x1', [1, 24, 9, 11], [40, 24, 1, 1], 1, 0, 1, 1],
  ['1x1 of many rows', [1, 24, 40, 41], [56, 24, 1, 1], 1, 0, 1, 1],
  ['1x1 to few', [1, 19, 23, 21], [24, 19, 1, 1], 1, 0, 1, 1],
  ['1x1 to very few', [1, 12, 23, 21], [7, 12, 1, 1], 1, 0, 1, 1],
  ['1x1 of large weights', [1, 200, 9, 11], [400, 200, 1, 1], 1, 0, 1, 1],
  ['1x1 batch', [3, 33, 5, 4], [17, 33, 1, 1], 1, 0, 1, 1],
  ['1x1 stride', [2, 16, 9, 9], [35, 16, 1, 1], 2, 0, 1, 1],
  ['3x3', [1, 20, 13, 12], [37, 20, 3, 3], 1, 1, 1, 1],
  ['3x3 many', [2, 64, 14, 15], [70, 64, 3, 3], 1, 1, 1, 1],
  ['3x3 stride', [1, 40, 15, 14], [24, 40, 3, 3], 2, 1, 1, 1],
  ['3x3 dilation', [1, 8, 15, 14], [9, 8, 3, 3], 1, 2, 2, 1],
  ['5x5', [2, 7, 11, 9], [13, 7, 5, 5], 1, 2, 1, 1],
  ['stem', [1, 3, 33, 47], [32, 3, 7, 7], 2, 3, 1, 1],
  ['stem, tiles of two rows of groups', [2, 3, 41, 140], [35, 3, 7, 7], 2, 3, 1, 1],
  ['stem without padding', [1, 4, 40, 71], [16, 4, 7, 7], 2, 0, 1, 1],
  ['3x3 stride, many', [2, 64, 29, 28], [70, 64, 3, 3], 2, 1, 1, 1],
  ['3x3 stride without padding', [1, 33, 12, 13], [40, 33, 3, 3], 2, 0, 1, 1],
  ['1x1 of many channels', [1, 512, 14, 15], [400, 512, 1, 1], 1, 0, 1, 1],
  ['1x1 stride of many channels', [1, 512, 27, 28], [380, 512, 1, 1], 2, 0, 1, 1],
  ['stem of one channel', [2, 1, 28, 28], [32, 1, 3, 3], 1, 1, 1, 1],
  ['one pixel', [1, 30, 1, 1], [50, 30, 1, 1], 1, 0, 1, 1],
  ['wide k', [1, 520, 5, 6], [33, 520, 3, 3], 2, 1, 1, 1],
  ['depthwise', [1, 40, 13, 9], [40, 1, 3, 3], 1, 1, 1, 40],
  ['depthwise stride', [2, 21, 14, 17], [21, 1, 3, 3], 2, 1, 1, 21],
  ['depthwise many', [1, 70, 13, 17], [70, 1, 3, 3], 1, 1, 1, 70],
  ['depthwise many, stride', [2, 84, 14, 23], [84, 1, 3, 3], 2, 1, 1, 84],
  ['depthwise no padding', [1, 16, 7, 7], [16, 1, 3, 3], 1, 0, 1, 16],
  ['depthwise 5x5', [1, 100, 9, 8], [100, 1, 5, 5], 1, 2, 1, 100],
  ['depthwise 5x5 stride', [1, 19, 9, 8], [19, 1, 5, 5], 2, 2, 1, 19],
  ['depthwise dilation', [1, 19, 9, 8], [19, 1, 3, 3], 1, 2, 2, 19],
  ['groups', [1, 12, 9, 8], [18, 4, 3, 3], 1, 1, 1, 3],
  ['groups of 2', [1, 22, 9, 19], [22, 2, 3, 3], 1, 1, 1, 11],
  ['groups of 4', [2, 24, 17, 30], [24, 4, 3, 3], 1, 1, 1, 6],
  ['groups of 4, stride', [1, 40, 16, 33], [40, 4, 3, 3], 2, 1, 1, 10],
  ['groups of 8', [1, 24, 7, 7], [24, 8, 3, 3], 1, 1, 1, 3],
  ['groups of 16, 1x1', [1, 48, 9, 8], [48, 16, 1, 1], 1, 0, 1, 3],
  ['groups of 32, dilation', [1, 64, 12, 15], [64, 32, 3, 3], 1, 2, 2, 2],
  ['groups of 3', [2, 9, 9, 8], [9, 3, 3, 3], 1, 1, 1, 3],
  ['groups of 40', [1, 80, 9, 8], [80, 40, 3, 3], 2, 1, 1, 2],
  ['depthwise multiplier', [1, 12, 9, 8], [24, 1, 3, 3], 1, 1, 1, 12],
]
for (const [activation, residual] of [
  ['', false],
  ['relu6', true],
  ['relu', false],
  ['silu', true],
] as const) {
  for (const planar of [false, true]) {
    const program = convolution(activation, residual, planar)
    const unclamped = activation === 'relu6' ? convolution('', residual, planar) : program
    for (const [name, x, w, stride, padding, dilation, groups] of cases) {
      const size = (d: number): number => Math.floor((x[d] + 2 * padding - dilation * (w[d] - 1) - 1) / stride) + 1
      const out = [x[0], w[0], size(2), size(3)]
      const tensors = [x, w, [w[0]], out].map((sizes) => ({ data: numbers(product(sizes)), sizes }))
      const rest = [stride, padding, dilation].map((n) => [n, n])
      check(`${name} ${activation} ${planar ? 'planar' : 'last'}`, program, tensors, [...rest, groups], out, 1e-5, unclamped)
    }
  }
}

for (const [name, x, w, stride, padding, dilation, extra] of [
  ['2x2', [2, 24, 9, 11], [24, 40, 2, 2], 2, 0, 1, 0],
  ['3x3', [1, 17, 8, 9], [17, 20, 3, 3], 2, 1, 1, 1],
  ['4x4', [1, 32, 7, 13], [32, 9, 4, 4], 2, 1, 1, 0],
  ['3x3 without a stride', [2, 8, 10, 9], [8, 35, 3, 3], 1, 1, 1, 0],
  ['dilation', [1, 5, 9, 8], [5, 16, 3, 3], 2, 2, 2, 0],
  ['stride past the kernel', [1, 6, 5, 4], [6, 18, 2, 2], 3, 0, 1, 2],
  ['5x5 stride of 3', [1, 130, 6, 7], [130, 64, 5, 5], 3, 2, 1, 1],
] as [string, number[], number[], number, number, number, number][]) {
  for (const activation of ['', 'relu', 'silu']) {
    const program =
      load(`graph(%x : Tensor, %w : Tensor, %b : Tensor, %r : Tensor, %s : int[], %p : int[], %d : int[], %e : int[], %last : bool):
  %true : bool = prim::Constant[value=1]()
  %one : int = prim::Constant[value=1]()
  %two : int = prim::Constant[value=2]()
  %none : NoneType = prim::Constant()
  %a : str = prim::Constant[value="${activation}"]()
  %y : Tensor = aten::contiguous(%x, %two)
  %z : Tensor = torchscript::convolution_epilogue(%y, %w, %b, %s, %p, %d, %true, %e, %one, ${activation === 'silu' ? '%r' : '%none'}, %a, %last)
  return (%z)`)
    program.setRecording(false)
    const size = (d: number): number => (x[d] - 1) * stride - 2 * padding + dilation * (w[d] - 1) + extra + 1
    const out = [x[0], w[1], size(2), size(3)]
    const tensors = [x, w, [w[1]], out].map((sizes) => ({ data: numbers(product(sizes)), sizes }))
    const rest = [stride, padding, dilation, extra].map((n) => [n, n])
    check(`transposed ${name} ${activation}`, program, tensors, rest, out, 1e-5)
  }
}

// What is not finite stays where it is: infinity times a weight, and NaN where weights of both signs meet.
for (const [name, x, w] of [
  ['stem', [1, 3, 40, 70], [20, 3, 7, 7]],
  ['3x3 stride', [1, 24, 20, 22], [24, 24, 3, 3]],
] as [string, number[], number[]][]) {
  const program = convolution('', false, name === 'stem')
  const pad = w[2] >> 1
  const out = [x[0], w[0], x[2] / 2, x[3] / 2]
  const data = numbers(product(x))
  data[1234] = Infinity
  const tensors = [{ data, sizes: x }, ...[w, [w[0]], out].map((sizes) => ({ data: numbers(product(sizes)), sizes }))]
  const run = (list: typeof Float32Array | typeof Float64Array, dtype: number, last: boolean): number[] => {
    const handles = tensors.map(({ data, sizes }) => native.tensorFromBuffer(list.from(data).buffer, 0, dtype, sizes))
    return values(program.run(0, [...handles, [2, 2], [pad, pad], [1, 1], 1, last]) as TensorHandle, out, list)
  }
  const exact = run(Float64Array, 7, false)
  count++
  const wrong = run(Float32Array, 6, true).filter((v, i) => !(v === exact[i] || Math.abs(v - exact[i]) < 1e-4 || (Number.isNaN(v) && Number.isNaN(exact[i]))))
  if (wrong.length || exact.every(Number.isFinite)) failures.push(`${name} of infinity: ${wrong.length} differ`)
}

for (const first of ['pointwise', 'stem', 'none'] as const) {
  const [expands, stem] = [first !== 'none', first === 'stem']
  for (const [activation, residual] of [
    ['relu6', true],
    ['silu', false],
  ] as const) {
    // The last argument tells the bottleneck from the convolutions that it stands for.
    const part = (x: string, w: string, p: string, s: string, g: string, r: string, a: string): string =>
      `torchscript::convolution_epilogue(${x}, %${w}w, %${w}b, ${s}, ${p}, %ones, %false, %zeros, ${g}, ${r}, ${a}, %false)`
    const program =
      load(`graph(%x : Tensor, %ew : Tensor, %eb : Tensor, %dw : Tensor, %db : Tensor, %pw : Tensor, %pb : Tensor, %r : Tensor, %s : int[], %p : int[], %g : int, %last : bool):
  %false : bool = prim::Constant[value=0]()
  %none : NoneType = prim::Constant()
  %two : int = prim::Constant[value=2]()
  %one : int = prim::Constant[value=1]()
  %zero : int = prim::Constant[value=0]()
  %ones : int[] = prim::ListConstruct(%one, %one)
  %zeros : int[] = prim::ListConstruct(%zero, %zero)
  %twos : int[] = prim::ListConstruct(%two, %two)
  %a : str = prim::Constant[value="${activation}"]()
  %no : str = prim::Constant[value=""]()
  %z : Tensor = prim::If(%last)
    block0():
      %y : Tensor = aten::contiguous(%x, ${stem ? '%zero' : '%two'})
      %k : Tensor = aten::contiguous(%r, %two)
      %f : Tensor = torchscript::bottleneck(%y, ${expands ? '%ew, %eb, %a' : '%none, %none, %no'}, %dw, %db, %s, %p, %a, %pw, %none, ${residual ? '%k' : '%none'}, %no, ${stem ? '%two, %one' : '%one, %zero'})
      -> (%f)
    block1():
      ${expands ? `%e : Tensor = ${part('%x', 'e', stem ? '%ones' : '%zeros', stem ? '%twos' : '%ones', '%one', '%none', '%a')}` : ''}
      %d : Tensor = ${part(expands ? '%e' : '%x', 'd', '%p', '%s', '%g', '%none', '%a')}
      %q : Tensor = ${part('%d', 'p', '%zeros', '%ones', '%one', residual ? '%r' : '%none', '%no').replace('%pb', '%none')}
      -> (%q)
  return (%z)`)
    program.setRecording(false)
    for (const [batch, narrow, hidden, out, h, w, stride, padding] of [
      [1, 8, 48, 24, 21, 19, 1, 1],
      [2, 5, 33, 17, 12, 23, 2, 1],
      [1, 16, 20, 16, 64, 40, 1, 0],
      [3, 7, 96, 9, 40, 70, 2, 0],
      [1, 4, 16, 5, 2, 2, 1, 1],
      [1, 9, 56, 40, 17, 15, 1, 1],
    ]) {
      const wide = (n: number): number => (stem ? Math.floor((n - 1) / 2) + 1 : n)
      const size = (n: number): number => Math.floor((wide(n) + 2 * padding - 3) / stride) + 1
      if (Math.min(size(h), size(w)) < 1) continue
      const result = [batch, out, size(h), size(w)]
      const shapes = [
        [batch, stem ? 3 : expands ? narrow : hidden, h, w],
        stem ? [hidden, 3, 3, 3] : [hidden, narrow, 1, 1],
        [hidden],
        [hidden, 1, 3, 3],
        [hidden],
        [out, hidden, 1, 1],
        [out],
        result,
      ]
      const tensors = shapes.map((sizes) => ({ data: numbers(product(sizes)), sizes }))
      const rest = [[stride, stride], [padding, padding], hidden]
      check(`bottleneck ${first} ${shapes.join(' ')} ${activation}`, program, tensors, rest, result, 1e-5)
    }
  }
}

const pool = (text: string): ReturnType<typeof load> => {
  const program = load(`graph(%x : Tensor, %last : bool):
  %none : NoneType = prim::Constant()
  %zero : int = prim::Constant[value=0]()
  %one : int = prim::Constant[value=1]()
  %two : int = prim::Constant[value=2]()
  %three : int = prim::Constant[value=3]()
  %false : bool = prim::Constant[value=0]()
  %true : bool = prim::Constant[value=1]()
  %k1 : int[] = prim::ListConstruct(%one, %one)
  %k2 : int[] = prim::ListConstruct(%two, %two)
  %k3 : int[] = prim::ListConstruct(%three, %two)
  %format : int = prim::If(%last)
    block0():
      -> (%two)
    block1():
      -> (%zero)
  %i : Tensor = aten::contiguous(%x, %format)
  %z : Tensor = ${text}
  return (%z)`)
  program.setRecording(false)
  return program
}
for (const [name, text, size] of [
  ['max', 'aten::max_pool2d(%i, %k3, %k2, %k1, %k1, %false)', [6, 7]],
  ['max, ceil', 'aten::max_pool2d(%i, %k2, %k2, %k1, %k1, %true)', [7, 7]],
  ['average', 'aten::avg_pool2d(%i, %k3, %k2, %k1, %false, %true, %none)', [6, 7]],
  ['average without padding', 'aten::avg_pool2d(%i, %k3, %k2, %k1, %true, %false, %none)', [7, 7]],
  ['average with a divisor', 'aten::avg_pool2d(%i, %k3, %k2, %k1, %false, %true, %three)', [6, 7]],
  ['global average', 'aten::adaptive_avg_pool2d(%i, %k1)', [1, 1]],
  ['adaptive average', 'aten::adaptive_avg_pool2d(%i, %k3)', [3, 2]],
] as const) {
  for (const channels of [1, 3, 16, 70])
    check(name, pool(text), [{ data: numbers(2 * channels * 12 * 13), sizes: [2, channels, 12, 13] }], [], [2, channels, ...size], 1e-6)
}
console.log(JSON.stringify({ failures, kernels: [...kernels].sort(), count }))
