// Prints the largest errors of softmax and log_softmax of float32 rows and columns against float64, and results of special values.
import * as torch from '../../lib/index.js'

const lengths = [1, 2, 5, 8, 15, 16, 17, 31, 64, 65, 100, 128, 197, 255, 512, 513, 1000, 4097]
// Differences to the largest value: none, usual ones, up to where results are denormal and zero.
const widths = [0, 1, 12, 150]

const ulp = (y: number): number => 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(y)))) - 23)
let seed = 1
const random = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647

// Of y[i] / y[top] in units in the last place, and of the sum of a row for each element in units of float32.
let ratio = 0
let total = 0
let log = 0
function compare(y: readonly number[], e: readonly number[], top: number): void {
  for (let i = 0; i < y.length; i++) ratio = Math.max(ratio, Math.abs(y[i] - e[i] * y[top]) / ulp(e[i] * y[top]))
  total = Math.max(total, Math.abs(y.reduce((a, b) => a + b, 0) - 1) / y.length / 2 ** -24)
}
for (const n of lengths) {
  for (const width of widths) {
    const rows = 7
    const x = Float32Array.from({ length: rows * n }, () => (random() - 0.5) * width)
    const t = torch.tensor(x).reshape([rows, n])
    const y = torch.softmax(t, -1).data as Float32Array
    const across = torch.softmax(t.transpose(0, 1).contiguous(), 0).transpose(0, 1).contiguous().data as Float32Array
    const l = torch.logSoftmax(t, -1).data as Float32Array
    for (let r = 0; r < rows; r++) {
      const row = Array.from(x.subarray(r * n, (r + 1) * n))
      const top = Math.max(...row)
      // What is exact of the difference is its float32.
      const e = row.map((v) => Math.exp(Math.fround(v - top)))
      compare(Array.from(y.subarray(r * n, (r + 1) * n)), e, row.indexOf(top))
      compare(Array.from(across.subarray(r * n, (r + 1) * n)), e, row.indexOf(top))
      const sum = Math.log(e.reduce((a, b) => a + b, 0))
      for (let i = 0; i < n; i++) log = Math.max(log, Math.abs(l[r * n + i] - (row[i] - top - sum)) / (1 + top - row[i] + sum))
    }
  }
}

const special: Record<string, number[]> = {}
for (const n of [3, 40]) {
  const fill = (...values: number[]): number[] => Array.from({ length: n }, (_, i) => values[Math.min(i, values.length - 1)])
  const cases = {
    nan: fill(0, Number.NaN, 1),
    infinity: fill(0, Number.POSITIVE_INFINITY, 1),
    'minus infinity': fill(0, Number.NEGATIVE_INFINITY),
    nothing: fill(Number.NEGATIVE_INFINITY),
    large: fill(3e38, -3e38),
  }
  for (const [name, row] of Object.entries(cases)) {
    special[`${name} ${n}`] = Array.from(torch.softmax(torch.tensor(Float32Array.from(row)), 0).data as Float32Array).slice(0, 3)
    // Rows around it keep their results.
    const among = torch.softmax(torch.tensor(Float32Array.from([...fill(0), ...row, ...fill(1)])).reshape([3, n]), -1).data as Float32Array
    special[`around ${name} ${n}`] = [among[0], among[2 * n]].map((v) => Math.fround(v * n))
  }
}
process.stdout.write(JSON.stringify({ ratio, total, log, special: Object.entries(special).map(([k, v]) => [k, v.map(String)]) }))
