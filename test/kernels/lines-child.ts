// Prints what is wrong with functions of two float32 numbers, with Fourier transforms of many float32 lines and with distances by products.
import * as torch from '../../lib/index.js'

const wrong: string[] = []

/** Special values in all pairs, then numbers of every size and sign. */
const special = [0, -0, 1, -1, Infinity, -Infinity, NaN, 1e-40, -1e-40, 3.4e38, -3.4e38, 2, -2, 0.5, -0.5, 3, -3, 1e-45, 7, 16777217]
const left = special.flatMap((a) => special.map(() => a))
const right = special.flatMap(() => special)
for (let i = 0; i < 20000; i++) {
  const number = (k: number): number => {
    const u = (Math.imul(k, 2654435761) >>> 0) / 2 ** 32
    return (k & 1 ? -1 : 1) * 2 ** ((2 * u - 1) * (i % 2 ? 126 : 4))
  }
  left.push(number(3 * i + 1))
  right.push(number(7 * i + 5))
}
const a = Float32Array.from(left)
const b = Float32Array.from(right)
/** C's: 1 to any power, and -1 to an infinite one, are 1. */
const power = (x: number, y: number): number => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y)
for (const [name, got, exact] of [
  ['atan2', torch.atan2(torch.tensor(a), torch.tensor(b)), Math.atan2],
  ['pow', torch.pow(torch.tensor(a), torch.tensor(b)), power],
] as const) {
  const values = got.data as Float32Array
  a.forEach((x, i) => {
    const y = exact(x, b[i])
    const rounded = Math.fround(y)
    if (Object.is(rounded, values[i])) return
    const unit = 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(y)))) - 23)
    if (rounded !== 0 && Number.isFinite(rounded) && Math.abs(values[i] - y) <= 1.5 * unit) return
    wrong.push(`${name}(${x}, ${b[i]}) = ${values[i]}, want ${rounded}`)
  })
}

const plain = (x: torch.Tensor): torch.Tensor => (x.isComplex() ? torch.viewAsReal(x) : x).to('float64')
const distance = (x: torch.Tensor, y: torch.Tensor): number => {
  const scale = plain(y).abs().max().item() as number
  return (plain(x).sub(plain(y)).abs().max().item() as number) / scale
}
const wide = (x: torch.Tensor): torch.Tensor => x.to(x.isComplex() ? 'complex128' : 'float64')
for (const shape of [
  [5, 8],
  [16, 12],
  [33, 60],
  [17, 256],
  [64, 26],
  [7, 2],
  [20, 13],
  [4, 3, 10],
  [40, 7, 6],
]) {
  const real = torch.randn(shape)
  const complex = torch.complex(real, torch.randn(shape))
  for (const f of ['fft', 'ifft', 'rfft', 'irfft', 'hfft', 'ihfft'] as const) {
    for (const x of f === 'rfft' || f === 'ihfft' ? [real] : [real, complex]) {
      for (let dim = 0; dim < shape.length; dim++) {
        for (const n of [null, shape[dim] + 3, Math.max(2, shape[dim] - 2)]) {
          const error = distance(torch.fft[f](x, n, dim), torch.fft[f](wide(x), n, dim))
          if (!(error < 1e-6)) wrong.push(`${f} of ${shape.join('x')} along ${dim} to ${n}: ${error}`)
        }
      }
    }
  }
  for (const f of ['fft2', 'ifft2', 'irfft2'] as const) {
    const error = distance(torch.fft[f](complex), torch.fft[f](wide(complex)))
    if (!(error < 1e-6)) wrong.push(`${f} of ${shape.join('x')}: ${error}`)
  }
}

const [x, y] = [torch.randn([3, 40, 16]), torch.randn([1, 30, 16])]
const near = distance(torch.cdist(x, y), torch.cdist(wide(x), wide(y), 2, 2))
if (!(near < 1e-6)) wrong.push(`cdist: ${near}`)
console.log(JSON.stringify(wrong.slice(0, 20)))
