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
for (const m of [28, 29, 143, 144, 145, 197, 290]) product(m, 67, 9)
product(150, 96, 1200)
product(1, 200, 900)
product(3, 10, 0)

process.stdout.write(JSON.stringify({ failures, count }))
