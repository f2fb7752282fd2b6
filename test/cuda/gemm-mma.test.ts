import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

torch.manualSeed(11)
const randn = (...shape: number[]): torch.Tensor => torch.randn(shape)
type T = torch.Tensor

t.test('products of halves on Tensor Cores', (t) => {
  for (const [dtype, tolerance] of [
    ['float16', 4e-3],
    ['bfloat16', 3e-2],
  ] as const) {
    const half = (...shape: number[]): T => randn(...shape).to(dtype)
    const product = (x: T, y: T): T => torch.matmul(x, y)
    for (const [m, k, n] of [
      [1, 8, 8],
      [17, 40, 24],
      [70, 72, 136],
      [130, 24, 200],
      [3, 8, 70],
    ]) {
      if (n % 8 === 0) sameOnDevice(t, `${dtype} ${m} x ${k} x ${n}`, product, [half(m, k), half(k, n)], tolerance)
      sameOnDevice(t, `${dtype} ${m} x ${k} x ${n}, transposed`, (x: T, y: T) => product(x, y.t()), [half(m, k), half(n, k)], tolerance)
    }
    sameOnDevice(t, `${dtype}, a row that ends within a vector`, (x: T, y: T) => product(x.slice(1, 0, 13), y.slice(0, 0, 13)), [half(5, 16), half(16, 8)], tolerance)
    sameOnDevice(t, `${dtype}, batches`, product, [half(2, 3, 5, 16), half(3, 16, 8)], tolerance)
    sameOnDevice(t, `${dtype}, linear`, (x: T, w: T, b: T) => torch.linear(x, w, b), [half(2, 5, 16), half(11, 16), half(11)], tolerance)
    sameOnDevice(t, `${dtype}, rows that are not aligned`, product, [half(5, 9), half(9, 7)], tolerance)
    sameOnDevice(t, `${dtype}, larger and not aligned`, product, [half(2, 17, 19), half(1, 19, 33)], tolerance)
    sameOnDevice(t, `${dtype}, both transposed`, (x: T, y: T) => product(x.t(), y.t()), [half(24, 20), half(30, 24)], tolerance)
    sameOnDevice(t, `${dtype}, added`, (s: T, x: T, y: T) => torch.addmm(s, x, y, { beta: 2, alpha: 0.5 }), [half(8), half(5, 16), half(16, 8)], tolerance)
    sameOnDevice(t, `${dtype}, a result by columns`, (s: T, x: T, y: T) => torch.addmm(s.t(), x, y), [half(24, 20), half(20, 16), half(16, 24)], tolerance)
  }
  t.end()
})

t.test('a long depth is shared among blocks', (t) => {
  const half = (...shape: number[]): T => randn(...shape).mul(0.25).to('float16')
  for (const [m, k, n] of [
    [17, 1000, 24],
    [33, 300, 64],
    [9, 513, 40],
  ])
    sameOnDevice(t, `${m} x ${k} x ${n}`, (s: T, x: T, y: T) => torch.addmm(s, x, y), [half(n), half(m, k), half(k, n)], 4e-3)
  // The counters are zero again.
  sameOnDevice(t, 'again', (x: T, y: T) => torch.matmul(x, y), [half(2, 16, 512), half(2, 512, 16)], 4e-3)
  t.end()
})
