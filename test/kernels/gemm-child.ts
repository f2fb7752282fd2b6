/** Matrix products of many shapes on one instruction set against sums in double precision; prints what differs, as JSON. */
import type { TensorHandle } from '../../lib/native/binding.js'
import '../../lib/ops/registry.js'
import { dtypes, load, native, values } from '../native/programs.js'

let state = 99
const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 0x40000000 - 1

interface Matrix {
  readonly handle: TensorHandle
  readonly at: (i: number, j: number) => number
}
/** A matrix whose columns are `column` elements apart and whose rows `row`. */
function matrix(m: number, n: number, row: number, column: number, weight = false): Matrix {
  const length = Math.max(1, (m - 1) * row + (n - 1) * column + 1)
  const data = Float32Array.from({ length }, random)
  const storage = native.storageFromBuffer(data.buffer, 0, data.byteLength, weight)
  return { handle: native.tensorOnStorage(storage, dtypes.float32, [m, n], [row, column], 0), at: (i, j) => data[i * row + j * column] }
}

const failures: string[] = []
let count = 0
const linear = load(`graph(%x : Tensor, %w : Tensor, %b : Tensor):
  %r : Tensor = aten::linear(%x, %w, %b)
  return (%r)`)
const mm = load(`graph(%x : Tensor, %w : Tensor):
  %r : Tensor = aten::mm(%x, %w)
  return (%r)`)
const addmm = load(`graph(%c : Tensor, %x : Tensor, %w : Tensor, %beta : float, %alpha : float):
  %r : Tensor = aten::addmm(%c, %x, %w, %beta, %alpha)
  return (%r)`)

function check(name: string, result: unknown, m: number, n: number, k: number, want: (i: number, j: number) => number): void {
  count++
  const got = values(result as TensorHandle) as number[]
  let worst = 0
  for (let i = 0; i < m; i++) {
    // Every row and column of the edges, a sample of the rest.
    for (let j = 0; j < n; j += i < 15 || i > m - 15 || n < 40 ? 1 : 7) {
      const d = Math.abs(got[i * n + j] - want(i, j))
      worst = Math.max(worst, Number.isNaN(d) ? Infinity : d)
    }
  }
  if (!(worst <= 1e-6 * (8 + k))) failures.push(`${name} ${m}x${n}x${k}: differs by ${worst}`)
}

function product(m: number, n: number, k: number): void {
  const sum = (a: Matrix, b: Matrix, i: number, j: number): number => {
    let s = 0
    for (let l = 0; l < k; l++) s += a.at(i, l) * b.at(l, j)
    return s
  }
  const transposed = (w: Matrix): Matrix => ({ handle: w.handle, at: (i, j) => w.at(j, i) })
  const bias = Float32Array.from({ length: n }, random)
  const biasHandle = native.tensorFromBuffer(bias.buffer, 0, dtypes.float32, [n])
  for (const weight of [true, false]) {
    const x = matrix(m, k, k, 1)
    const w = matrix(n, k, k, 1, weight)
    check(
      `linear, ${weight ? 'packed' : 'not packed'}`,
      linear.run(0, [x.handle, w.handle, biasHandle]),
      m,
      n,
      k,
      (i, j) => sum(x, transposed(w), i, j) + bias[j],
    )
  }
  const right = matrix(k, n, n + 3, 1)
  for (const [kind, left] of [
    ['rows apart', matrix(m, k, k + 5, 1)],
    ['rows 4 KiB apart', matrix(m, k, 1024 * Math.ceil(k / 1024), 1)],
    ['columns apart', matrix(m, k, 1, m)],
  ] as const) {
    check(`mm, ${kind}`, mm.run(0, [left.handle, right.handle]), m, n, k, (i, j) => sum(left, right, i, j))
  }
  const [left, weight, base] = [matrix(m, k, k, 1), matrix(k, n, n, 1, true), matrix(m, n, n, 1)]
  check(
    'addmm',
    addmm.run(0, [base.handle, left.handle, weight.handle, 0.5, 2]),
    m,
    n,
    k,
    (i, j) => 0.5 * base.at(i, j) + 2 * sum(left, weight, i, j),
  )
}

for (let m = 1; m <= 16; m++) product(m, 37, 19)
for (const n of [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 80]) product(9, n, 11)
for (const k of [1, 2, 3, 4, 5, 8, 31, 33, 1152, 1153, 1600]) product(7, 50, k)
for (const m of [20, 24, 26, 28, 29, 143, 144, 145, 197, 290]) product(m, 67, 9)
product(150, 96, 1200)
product(1, 200, 900)
product(3, 10, 0)

const compressed = load(`graph(%x : Tensor, %w : Tensor, %b : Tensor, %res : Tensor, %act : str, %storage : str, %transposed : bool):
  %r : Tensor = torchscript::linear_compressed(%x, %w, %b, %res, %act, %storage, %transposed)
  return (%r)`)
const plain = load(`graph(%x : Tensor, %w : Tensor, %b : Tensor, %res : Tensor, %act : str):
  %r : Tensor = torchscript::linear_epilogue(%x, %w, %b, %res, %act)
  return (%r)`)
/** A number as 16 bits hold it: rounded to the nearest, ties to even, at most the largest. */
function stored(x: number, storage: string): number {
  const [bits, least, most] = storage === 'float16' ? [10, -14, 65504] : [7, -126, 3.3895313892515355e38]
  const unit = 2 ** (Math.max(least, Math.floor(Math.log2(Math.abs(x)))) - bits)
  const steps = x / unit
  const down = Math.floor(steps)
  const rest = steps - down
  const whole = rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down
  return x === 0 ? 0 : Math.max(-most, Math.min(most, whole * unit))
}

function half(m: number, n: number, k: number, storage: string, transposed: boolean, scale = 1): void {
  const [rows, columns] = transposed ? [k, n] : [n, k]
  const x = matrix(m, k, k, 1)
  const w = Float32Array.from({ length: rows * columns }, () => scale * random())
  const weightOf = (data: Float32Array): TensorHandle =>
    native.tensorOnStorage(
      native.storageFromBuffer(data.buffer as ArrayBuffer, 0, data.byteLength, true),
      dtypes.float32,
      [rows, columns],
      [columns, 1],
      0,
    )
  const [bias, residual] = [matrix(1, n, n, 1), matrix(m, n, n, 1)]
  const vector = native.tensorFromBuffer(Float32Array.from({ length: n }, (_, j) => bias.at(0, j)).buffer, 0, dtypes.float32, [n])
  const got = values(
    compressed.run(0, [x.handle, weightOf(w), vector, residual.handle, 'relu', storage, transposed]) as TensorHandle,
  ) as number[]
  const kept = w.map((value) => stored(value, storage))
  const turned = transposed ? Float32Array.from({ length: n * k }, (_, i) => kept[(i % k) * n + Math.floor(i / k)]) : kept
  const right = native.tensorFromBuffer(turned.buffer, 0, dtypes.float32, [n, k])
  const want = values(plain.run(0, [x.handle, right, vector, residual.handle, 'relu']) as TensorHandle) as number[]
  count++
  let worst = 0
  got.forEach((value, i) => {
    const d = Math.abs(value - want[i]) / (8 + k) / Math.max(1, scale)
    worst = Math.max(worst, Number.isNaN(d) ? Infinity : d)
  })
  if (!(worst <= 1e-6)) failures.push(`linear_compressed ${storage} ${m}x${n}x${k}${transposed ? ' transposed' : ''}: differs by ${worst}`)
}
native.setTrace(true)
for (const storage of ['float16', 'bfloat16']) {
  for (const transposed of [false, true]) {
    for (let m = 1; m <= 20; m++) half(m, 37, 19, storage, transposed)
    for (const n of [1, 8, 16, 17, 32, 64, 70]) half(3, n, 21, storage, transposed)
    for (const k of [1, 2, 3, 4, 7, 900, 1600]) half(k === 1600 ? 100 : 1, 50, k, storage, transposed)
    half(4, 40, 30, storage, transposed, 1e5)
    half(4, 40, 30, storage, transposed, 1e-6)
  }
}
const ran = new Set(native.takeTrace())
native.setTrace(false)
if (!ran.has(`linear_compressed: gemm_half_${native.isa()}`)) failures.push(`ran ${[...ran].join(', ')}`)

// Tensors of 16 bits, in any layout: the product of the same numbers as float32, rounded. `part` leaves columns out.
const graphOfHalves = (operands: string): string => `graph(%x : Tensor, %w : Tensor, %dtype : int, %n : int):
  %float : int = prim::Constant[value=6]()
  %one : int = prim::Constant[value=1]()
  %zero : int = prim::Constant[value=0]()
  %no : bool = prim::Constant[value=0]()
  %none : NoneType = prim::Constant()
  %a : Tensor = aten::to(%x, %dtype, %no, %no, %none)
  %whole : Tensor = aten::to(%w, %dtype, %no, %no, %none)
  %b : Tensor = aten::slice(%whole, %one, %zero, %n, %one)
${operands}`
const productOfHalves = load(
  graphOfHalves(`  %p : Tensor = aten::mm(%a, %b)
  %r : Tensor = aten::to(%p, %float, %no, %no, %none)
  return (%r)`),
)
const productAsFloats = load(
  graphOfHalves(`  %af : Tensor = aten::to(%a, %float, %no, %no, %none)
  %bf : Tensor = aten::to(%b, %float, %no, %no, %none)
  %p : Tensor = aten::mm(%af, %bf)
  %h : Tensor = aten::to(%p, %dtype, %no, %no, %none)
  %r : Tensor = aten::to(%h, %float, %no, %no, %none)
  return (%r)`),
)
for (const dtype of [5, 15]) {
  for (const [m, n, k, part] of [
    [3, 5, 7, 5],
    [20, 70, 33, 70],
    [20, 70, 33, 41],
    [150, 40, 64, 40],
  ]) {
    for (const [kind, x, w] of [
      ['rows', matrix(m, k, k, 1), matrix(k, n, n, 1)],
      ['columns', matrix(m, k, 1, m), matrix(k, n, 1, k)],
      ['apart', matrix(m, k, k + 3, 1), matrix(k, n, 2 * n, 2)],
    ] as const) {
      const got = values(productOfHalves.run(0, [x.handle, w.handle, dtype, part]) as TensorHandle) as number[]
      const want = values(productAsFloats.run(0, [x.handle, w.handle, dtype, part]) as TensorHandle) as number[]
      count++
      // One unit of the last place: sums may be made in another order.
      const worst = Math.max(...got.map((v, i) => Math.abs(v - want[i]) / Math.max(0.1, Math.abs(want[i]))))
      if (!(got.length === m * part && worst <= 2 ** (dtype === 5 ? -10 : -7))) {
        failures.push(`mm of dtype ${dtype}, ${kind}, ${m}x${part}x${k}: differs by ${worst}`)
      }
    }
  }
}

process.stdout.write(JSON.stringify({ failures, count }))
