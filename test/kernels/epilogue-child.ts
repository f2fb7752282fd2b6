// Compares linear_epilogue and convolution_epilogue with the operators they stand for, on one instruction set; prints what differs, as JSON.
import type { TensorHandle } from '../../lib/native/binding.js'
import '../../lib/ops/registry.js'
import { load, native } from '../native/programs.js'

let state = 12345
const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 0x40000000 - 1

type Kind = 'float32' | 'float64' | 'bfloat16' | 'int64'
const codes: Record<Kind, number> = { float32: 6, float64: 7, bfloat16: 15, int64: 4 }
function tensor(sizes: readonly number[], kind: Kind = 'float32', scale = 1, special = false): TensorHandle {
  const n = sizes.reduce((a, b) => a * b, 1)
  const list = Array.from({ length: n }, () => scale * random())
  if (special && n > 4) list.splice(1, 3, NaN, Infinity, -Infinity)
  const data =
    kind === 'float32'
      ? Float32Array.from(list)
      : kind === 'float64'
        ? Float64Array.from(list)
        : kind === 'int64'
          ? BigInt64Array.from(list, (x) => BigInt(Math.round(4 * x)))
          : Uint16Array.from(Uint32Array.from(new Uint32Array(Float32Array.from(list).buffer), (bits) => bits >>> 16))
  return native.tensorFromBuffer(data.buffer, 0, codes[kind], sizes)
}
function elements(handle: TensorHandle): number[] {
  const whole = handle.contiguousCopy()
  const { dtype, sizes } = whole.info()
  const n = sizes.reduce((a, b) => a * b, 1)
  const [buffer, at] = [whole.data(), whole.dataOffset]
  if (dtype === 6) return [...new Float32Array(buffer, at, n)]
  if (dtype === 7) return [...new Float64Array(buffer, at, n)]
  if (dtype === 4) return [...new BigInt64Array(buffer, at, n)].map(Number)
  return [...new Float32Array(Uint32Array.from(new Uint16Array(buffer.slice(at, at + 2 * n)), (bits) => bits << 16).buffer)]
}

const separate: Record<string, string> = {
  '': '',
  relu: 'aten::relu(%s)',
  relu6: 'aten::relu6(%s)',
  hardswish: 'aten::hardswish(%s)',
  hardsigmoid: 'aten::hardsigmoid(%s)',
  silu: 'aten::silu(%s)',
  sigmoid: 'aten::sigmoid(%s)',
  tanh: 'aten::tanh(%s)',
  gelu: 'aten::gelu(%s, %erf)',
  gelu_tanh: 'aten::gelu(%s, %approximate)',
}
const failures: string[] = []
const kernels = new Set<string>()
let count = 0

function traced(text: string, args: readonly unknown[]): { result: TensorHandle; kernels: string[] } {
  const program = load(text)
  program.setRecording(false)
  native.setTrace(true)
  const result = program.run(0, args) as TensorHandle
  const trace = native.takeTrace()
  native.setTrace(false)
  return { result, kernels: trace }
}

/** Largest difference in units of `tolerance`; a shape or dtype that differs is infinite. */
function differ(a: TensorHandle, b: TensorHandle, tolerance: number): number {
  const [x, y] = [a.info(), b.info()]
  if (x.dtype !== y.dtype || x.sizes.join() !== y.sizes.join()) return Infinity
  if (x.sizes.reduce((p, q) => p * q, 1) > 1 && x.strides.some((s, d) => x.sizes[d] > 1 && s !== y.strides[d])) return Infinity
  const [p, q] = [elements(a), elements(b)]
  let worst = 0
  q.forEach((want, i) => {
    if (Object.is(p[i], want) || p[i] === want) return
    const d = Math.abs(p[i] - want)
    worst = Math.max(worst, Number.isNaN(d) ? Infinity : d - tolerance * (1 + Math.abs(want)))
  })
  return worst
}

function check(
  name: string,
  fused: string,
  product: string,
  params: string,
  args: readonly unknown[],
  residual: TensorHandle | undefined,
  activation: string,
  tolerance = 0,
): void {
  count++
  const given = residual === undefined ? '' : ', %res : Tensor'
  const constants =
    '  %none : NoneType = prim::Constant()\n  %one : int = prim::Constant[value=1]()\n' +
    `  %act : str = prim::Constant[value="${activation}"]()\n  %layout : bool = prim::Constant[value=0]()\n  %erf : str = prim::Constant[value="none"]()\n  %approximate : str = prim::Constant[value="tanh"]()\n`
  const tail = residual === undefined ? '%none' : '%res'
  const rest = fused.includes('convolution') ? ', %layout' : ''
  const together = `graph(${params}${given}):\n${constants}  %r : Tensor = ${fused}, ${tail}, %act${rest})\n  return (%r)`
  let apart = `graph(${params}${given}):\n${constants}  %sum : Tensor = ${product})\n`
  apart += residual === undefined ? '' : '  %q : Tensor = aten::add(%sum, %res, %one)\n'
  const last = residual === undefined ? '%sum' : '%q'
  apart += activation === '' ? `  return (${last})` : `  %r : Tensor = ${separate[activation].replace('%s', last)}\n  return (%r)`
  const all = residual === undefined ? args : [...args, residual]
  try {
    const one = traced(together, all)
    const many = traced(apart, all)
    one.kernels.forEach((k) => kernels.add(k))
    const d = differ(one.result, many.result, tolerance)
    if (d > 0) failures.push(`${name} ${activation}: differs by ${d}`)
  } catch (error) {
    failures.push(`${name} ${activation}: ${(error as Error).message.split('\n')[0]}`)
  }
}

const linear = (
  name: string,
  x: TensorHandle,
  w: TensorHandle,
  b: TensorHandle | undefined,
  r: TensorHandle | undefined,
  act: string,
  tolerance = 0,
): void =>
  check(
    `linear ${name}`,
    `torchscript::linear_epilogue(%x, %w, ${b === undefined ? '%none' : '%b'}`,
    `aten::linear(%x, %w, ${b === undefined ? '%none' : '%b'}`,
    `%x : Tensor, %w : Tensor${b === undefined ? '' : ', %b : Tensor'}`,
    b === undefined ? [x, w] : [x, w, b],
    r,
    act,
    tolerance,
  )

const addmm = (name: string, rows: number, inner: number, columns: number, r: TensorHandle | undefined, act: string, tolerance = 0): void =>
  check(
    `addmm ${name}`,
    'torchscript::addmm_epilogue(%b, %x, %w, %none',
    'aten::addmm(%b, %x, %w, %one, %one',
    '%b : Tensor, %x : Tensor, %w : Tensor',
    [tensor([columns]), tensor([rows, inner], 'float32', 2), tensor([inner, columns])],
    r,
    act,
    tolerance,
  )

interface Conv {
  readonly x: readonly number[]
  readonly w: readonly number[]
  readonly out: readonly number[]
  readonly stride?: readonly number[]
  readonly padding?: readonly number[]
  readonly groups?: number
  readonly transposed?: boolean
}
function conv(
  name: string,
  c: Conv,
  r: TensorHandle | undefined,
  act: string,
  kind: Kind = 'float32',
  tolerance = 0,
  special = false,
): void {
  const spatial = c.x.length - 2
  const list = (v: readonly number[] | undefined, other: number): number[] => [...(v ?? Array<number>(spatial).fill(other))]
  const args = '(%x, %w, %b, %s, %p, %d, %t, %o, %g'
  const filters = c.transposed === true ? c.w[1] * (c.groups ?? 1) : c.w[0]
  check(
    `convolution ${name}`,
    `torchscript::convolution_epilogue${args}`,
    `aten::convolution${args}`,
    '%x : Tensor, %w : Tensor, %b : Tensor, %s : int[], %p : int[], %d : int[], %t : bool, %o : int[], %g : int',
    [
      tensor(c.x, kind, 1, special),
      tensor(c.w, kind),
      tensor([filters], kind),
      list(c.stride, 1),
      list(c.padding, 0),
      list(undefined, 1),
      c.transposed === true,
      list(undefined, 0),
      c.groups ?? 1,
    ],
    r,
    act,
    tolerance,
  )
}

const names = Object.keys(separate)
for (const act of names) {
  linear('5x40x70', tensor([5, 40], 'float32', 2), tensor([70, 40]), tensor([70]), tensor([5, 70], 'float32', 4), act)
  addmm('5x40x70', 5, 40, 70, tensor([5, 70], 'float32', 4), act)
  addmm('one row, no residual', 1, 33, 21, undefined, act)
  linear('one row', tensor([1, 33], 'float32', 2), tensor([21, 33]), tensor([21]), tensor([1, 21]), act)
  linear('one column', tensor([9, 33]), tensor([1, 33]), undefined, tensor([9, 1]), act)
  linear('empty sum', tensor([3, 0]), tensor([4, 0]), tensor([4]), tensor([3, 4], 'float32', 8), act)
  linear('batched, no residual', tensor([2, 3, 500]), tensor([7, 500]), tensor([7]), undefined, act)
  linear('double', tensor([4, 9], 'float64'), tensor([18, 9], 'float64'), undefined, tensor([4, 18], 'float64'), act)
  linear('special values', tensor([20, 4], 'float32', 1, true), tensor([6, 4]), undefined, tensor([20, 6]), act)
  conv('filters first', { x: [2, 5, 9, 11], w: [9, 5, 3, 3], out: [9, 11], padding: [1, 1] }, tensor([2, 9, 9, 11], 'float32', 4), act)
  conv('pixels first', { x: [1, 60, 7, 7], w: [64, 60, 3, 3], out: [7, 7], padding: [1, 1] }, tensor([1, 64, 7, 7], 'float32', 9), act)
  conv('pixels first, no residual', { x: [1, 60, 7, 7], w: [64, 60, 1, 1], out: [7, 7] }, undefined, act)
  conv('depthwise', { x: [1, 6, 9, 21], w: [6, 1, 3, 3], out: [9, 21], padding: [1, 1], groups: 6 }, tensor([1, 6, 9, 21]), act)
  conv(
    'depthwise, no residual',
    { x: [1, 4, 9, 9], w: [8, 1, 5, 5], out: [5, 5], padding: [2, 2], stride: [2, 2], groups: 4 },
    undefined,
    act,
  )
  conv('grouped', { x: [1, 6, 8, 8], w: [4, 3, 3, 3], out: [6, 6], groups: 2 }, tensor([1, 4, 6, 6]), act)
  conv('transposed', { x: [1, 3, 5, 5], w: [3, 4, 2, 2], out: [10, 10], stride: [2, 2], transposed: true }, tensor([1, 4, 10, 10]), act)
  conv('one dimension', { x: [2, 3, 30], w: [5, 3, 4], out: [27] }, tensor([2, 5, 27]), act)
  conv('double', { x: [1, 3, 8, 8], w: [5, 3, 3, 3], out: [6, 6] }, tensor([1, 5, 6, 6], 'float64'), act, 'float64')
  conv('bfloat16', { x: [1, 3, 8, 8], w: [5, 3, 3, 3], out: [6, 6] }, tensor([1, 5, 6, 6], 'bfloat16'), act, 'bfloat16', 0.04)
  conv('special values', { x: [1, 3, 8, 8], w: [5, 3, 3, 3], out: [6, 6] }, tensor([1, 5, 6, 6]), act, 'float32', 0, true)
}
for (const act of ['', 'relu']) {
  conv('no batch', { x: [0, 3, 8, 8], w: [5, 3, 3, 3], out: [6, 6] }, tensor([0, 5, 6, 6]), act)
  conv('no channels', { x: [1, 0, 8, 8], w: [5, 0, 3, 3], out: [6, 6] }, tensor([1, 5, 6, 6]), act)
  conv('residual that repeats', { x: [1, 3, 8, 8], w: [5, 3, 3, 3], out: [6, 6] }, tensor([5, 1, 1]), act)
  conv('residual that is larger', { x: [1, 3, 8, 8], w: [5, 3, 3, 3], out: [6, 6] }, tensor([2, 4, 5, 6, 6]), act)
  conv('residual of another dtype', { x: [1, 3, 8, 8], w: [5, 3, 3, 3], out: [6, 6] }, tensor([1, 5, 6, 6], 'float64'), act)
  conv('integers', { x: [1, 3, 8, 8], w: [5, 3, 3, 3], out: [6, 6] }, tensor([1, 5, 6, 6], 'int64'), act, 'int64')
  linear('residual that repeats', tensor([5, 8]), tensor([6, 8]), tensor([6]), tensor([6]), act)
  linear('residual of another dtype', tensor([5, 8]), tensor([6, 8]), tensor([6]), tensor([5, 6], 'int64'), act)
  linear('bias that is a number', tensor([5, 8]), tensor([6, 8]), tensor([]), tensor([5, 6]), act)
}
// Products with fewer multiplications. A sum of n terms below 1 in magnitude has n roundings of partial sums, here of sums of up to four elements
// each; the bound of the plain sum is n * n / 4 * 2^-24, far above.
const rounding = 4 * 512 * 2 ** -24
for (const act of ['', 'gelu', 'relu'] as const) {
  linear('130x520', tensor([130, 512]), tensor([520, 512]), tensor([520]), tensor([130, 520]), act, rounding)
  linear('odd row, tail of a panel', tensor([3, 45, 512]), tensor([517, 512]), undefined, undefined, act, rounding)
}
addmm('130x520', 130, 512, 520, tensor([130, 520]), 'gelu_tanh', 2 * rounding)
linear('slices of the sum', tensor([97, 1026]), tensor([400, 1026]), tensor([400]), tensor([97, 400]), 'silu', 2 * rounding)
linear('blocks of rows', tensor([300, 512]), tensor([300, 512]), tensor([300]), undefined, '', rounding)
linear('special values in a large product', tensor([131, 512], 'float32', 1, true), tensor([520, 512]), undefined, undefined, '', rounding)
linear('special weights of a large product', tensor([131, 512]), tensor([520, 512], 'float32', 1, true), undefined, undefined, '', rounding)
// Two levels of it: sums of up to sixteen elements.
for (const act of ['', 'gelu', 'relu6'] as const) {
  linear('131x512, two levels', tensor([131, 512]), tensor([512, 512]), tensor([512]), tensor([131, 512]), act, 4 * rounding)
}
linear('slices of the sum, two levels', tensor([2, 62, 1024]), tensor([512, 1024]), tensor([512]), undefined, 'silu', 16 * rounding)
linear('blocks of rows, two levels', tensor([263, 512]), tensor([512, 512]), undefined, tensor([263, 512]), '', 4 * rounding)
linear('special values, two levels', tensor([131, 512], 'float32', 1, true), tensor([512, 512]), undefined, undefined, '', 4 * rounding)
linear('special weights, two levels', tensor([131, 512]), tensor([512, 512], 'float32', 1, true), tensor([512]), undefined, '', 4 * rounding)
const far = tensor([128, 512])
new Float32Array(far.data(), far.dataOffset + 4 * 512 * 40, 512).forEach((x, i, row) => (row[i] = 1e6 * x))
linear('rows unlike in magnitude, two levels', far, tensor([512, 512]), undefined, undefined, '', 1e-6)
// The same with sums of small weights that are kept with them: packed weights of at least 256 rows.
function weight(sizes: readonly number[], special = false): TensorHandle {
  const data = Float32Array.from({ length: sizes[0] * sizes[1] }, random)
  if (special) data.set([NaN, Infinity, -Infinity], sizes[1] + 1)
  return native.tensorOnStorage(native.storageFromBuffer(data.buffer, 0, data.byteLength, true), codes.float32, sizes, [sizes[1], 1], 0)
}
for (const rows of [24, 32, 33, 61, 300]) {
  for (const act of ['', 'relu', 'gelu'] as const) {
    linear(`${rows}x128, kept sums`, tensor([rows, 512]), weight([128, 512]), tensor([128]), tensor([rows, 128]), act, rounding)
  }
}
linear('tail of a panel, kept sums', tensor([2, 20, 300]), weight([115, 300]), undefined, undefined, 'relu', rounding)
linear('odd panels, kept sums', tensor([40, 300]), weight([200, 300]), tensor([200]), tensor([40, 200]), 'relu6', rounding)
linear('slices of the sum, kept sums', tensor([32, 1600]), weight([70, 1600]), tensor([70]), undefined, '', 4 * rounding)
linear('rows 4 KiB apart, kept sums', tensor([48, 1024]), weight([96, 1024]), tensor([96]), undefined, 'silu', 2 * rounding)
linear('special values, kept sums', tensor([40, 512], 'float32', 1, true), weight([128, 512]), undefined, undefined, '', rounding)
linear('special weights, kept sums', tensor([40, 512]), weight([128, 512], true), tensor([128]), undefined, 'relu', rounding)
const unlike = tensor([100, 512])
new Float32Array(unlike.data(), unlike.dataOffset, 512).forEach((x, i, row) => (row[i] = 1e6 * x))
linear('rows unlike in magnitude, kept sums', unlike, weight([128, 512]), undefined, undefined, '')
let refused = ''
try {
  const act = '%act : str = prim::Constant[value="softsign"]()\n  %none : NoneType = prim::Constant()'
  traced(
    `graph(%x : Tensor, %w : Tensor):\n  ${act}\n  %r : Tensor = torchscript::linear_epilogue(%x, %w, %none, %none, %act)\n  return (%r)`,
    [tensor([2, 2]), tensor([2, 2])],
  )
} catch (error) {
  refused = (error as Error).message
}
console.log(JSON.stringify({ failures, kernels: [...kernels].sort(), count, refused }))
