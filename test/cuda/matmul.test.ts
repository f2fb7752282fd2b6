import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { distance, sameOnDevice } from './compare.js'

torch.manualSeed(7)
const randn = (...shape: number[]): torch.Tensor => torch.randn(shape)

t.test('matrix products of all ranks', (t) => {
  const cases: [number[], number[]][] = [
    [[3], [3]],
    [[5, 3], [3]],
    [[3], [3, 4]],
    [[5, 3], [3, 4]],
    [[65, 17], [17, 70]],
    [[2, 5, 3], [3, 4]],
    [[5, 3], [2, 3, 4]],
    [[2, 1, 5, 3], [3, 3, 4]],
    [[2, 5, 3], [3]],
    [[3], [2, 3, 4]],
    [[4, 0], [0, 3]],
    [[0, 4], [4, 3]],
  ]
  for (const [a, b] of cases) sameOnDevice(t, `[${a}] x [${b}]`, (x: torch.Tensor, y: torch.Tensor) => torch.matmul(x, y), [randn(...a), randn(...b)], 1e-5)
  sameOnDevice(t, 'transposed', (x: torch.Tensor, y: torch.Tensor) => torch.matmul(x.t(), y.t()), [randn(6, 5), randn(7, 6)], 1e-5)
  t.end()
})

t.test('with something added', (t) => {
  const [a, b] = [randn(5, 3), randn(3, 4)]
  sameOnDevice(t, 'addmm', (s: torch.Tensor, x: torch.Tensor, y: torch.Tensor) => torch.addmm(s, x, y, { beta: 2, alpha: 0.5 }), [randn(4), a, b], 1e-5)
  sameOnDevice(t, 'addmm of beta 0', (s: torch.Tensor, x: torch.Tensor, y: torch.Tensor) => torch.addmm(s, x, y, { beta: 0 }), [torch.full([4], NaN), a, b], 1e-5)
  sameOnDevice(t, 'addmv', (s: torch.Tensor, x: torch.Tensor, y: torch.Tensor) => torch.addmv(s, x, y), [randn(5), a, randn(3)], 1e-5)
  sameOnDevice(t, 'baddbmm', (s: torch.Tensor, x: torch.Tensor, y: torch.Tensor) => torch.baddbmm(s, x, y), [randn(1, 5, 4), randn(2, 5, 3), randn(2, 3, 4)], 1e-5)
  sameOnDevice(t, 'linear', (x: torch.Tensor, w: torch.Tensor, c: torch.Tensor) => torch.linear(x, w, c), [randn(2, 5, 3), randn(4, 3), randn(4)], 1e-5)
  sameOnDevice(t, 'linear of a strided input', (x: torch.Tensor, w: torch.Tensor) => torch.linear(x.transpose(0, 1), w), [randn(2, 5, 3), randn(4, 3)], 1e-5)
  t.end()
})

t.test('few rows', (t) => {
  for (const [dtype, tolerance] of [
    ['float32', 2e-5],
    ['float16', 4e-3],
    ['bfloat16', 3e-2],
  ] as const) {
    const some = (...shape: number[]): torch.Tensor => randn(...shape).mul(0.5).to(dtype)
    for (const [m, k, n] of [
      [1, 300, 40],
      [3, 257, 9],
      [8, 136, 72],
      [2, 1, 8],
      [1, 700, 8],
    ]) {
      sameOnDevice(t, `${dtype} ${m} x ${k} x ${n}`, (s: torch.Tensor, x: torch.Tensor, y: torch.Tensor) => torch.addmm(s, x, y, { beta: 2 }), [some(n), some(m, k), some(k, n)], tolerance)
      sameOnDevice(t, `${dtype} ${m} x ${k} x ${n}, linear`, (x: torch.Tensor, w: torch.Tensor, c: torch.Tensor) => torch.linear(x, w, c), [some(m, k), some(n, k), some(n)], tolerance)
    }
    sameOnDevice(t, `${dtype} batches`, (x: torch.Tensor, y: torch.Tensor) => torch.matmul(x, y), [some(2, 3, 1, 40), some(2, 1, 40, 24)], tolerance)
    sameOnDevice(t, `${dtype} shared depth`, (x: torch.Tensor, y: torch.Tensor) => torch.matmul(x, y), [some(20, 300), some(300, 24)], tolerance)
  }
  t.end()
})

t.test('other dtypes', (t) => {
  for (const [dtype, tolerance] of [
    ['float64', 1e-13],
    ['float16', 2e-3],
    ['bfloat16', 1.6e-2],
  ] as const)
    sameOnDevice(t, dtype, (x: torch.Tensor, y: torch.Tensor) => torch.matmul(x, y), [randn(9, 33).to(dtype), randn(33, 8).to(dtype)], tolerance)
  const pair = torch.eye(2).to('complex64').to('cuda')
  t.equal(distance(torch.linalg.inv(pair), torch.eye(2).to('complex64')), 0)
  t.end()
})
