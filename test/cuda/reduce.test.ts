import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

torch.manualSeed(5)
const randn = (...shape: number[]): torch.Tensor => torch.randn(shape)
type Unary = (x: torch.Tensor) => torch.Tensor | torch.Tensor[]

const shapes: [number[], number | number[]][] = [
  [[5, 33], 1],
  [[5, 33], 0],
  [[3, 4, 5], [0, 2]],
  [[2, 2100], 1],
  [[70, 40], 0],
  [[3, 40, 6], 1],
  [[1], 0],
  [[], 0],
]

t.test('sums and what follows from them', (t) => {
  const rows: Record<string, (x: torch.Tensor, dim: number | number[]) => torch.Tensor> = {
    sum: (x, dim) => x.sum(dim),
    mean: (x, dim) => x.mean(dim, true),
    amax: (x, dim) => x.amax(dim),
    amin: (x, dim) => x.amin(dim),
    var: (x, dim) => x.var(dim),
    std: (x, dim) => x.std(dim),
    norm2: (x, dim) => torch.linalg.vectorNorm(x, { dim }),
    norm1: (x, dim) => torch.linalg.vectorNorm(x, { ord: 1, dim }),
    norm3: (x, dim) => torch.linalg.vectorNorm(x, { ord: 3, dim }),
    normInf: (x, dim) => torch.linalg.vectorNorm(x, { ord: Infinity, dim }),
    logsumexp: (x, dim) => torch.logsumexp(x, dim),
    nansum: (x, dim) => torch.nansum(x, dim),
    nanmean: (x, dim) => torch.nanmean(x, dim),
  }
  for (const [name, row] of Object.entries(rows))
    for (const [shape, dim] of shapes) sameOnDevice(t, `${name} [${shape}] ${dim}`, (x: torch.Tensor) => row(x, dim), [randn(...shape)], 5e-6)
  for (const [dtype, tolerance] of [['float16', 2e-3], ['bfloat16', 2e-2], ['float64', 1e-12]] as const) {
    sameOnDevice(t, `sum ${dtype}`, (x: torch.Tensor) => [x.sum(), x.sum(0), x.mean(1), x.amax(1), x.std(1)], [randn(5, 33).to(dtype)], tolerance)
  }
  sameOnDevice(t, 'all', (x: torch.Tensor) => [x.sum(), x.mean(), x.max(), x.min(), x.std(), x.norm(), x.prod()], [randn(9, 31)], 5e-6)
  sameOnDevice(t, 'of a dtype', (x: torch.Tensor) => x.sum(0, false, { dtype: 'float64' }), [randn(9, 31)], 1e-12)
  sameOnDevice(t, 'many elements in parts', (x: torch.Tensor) => [x.sum(), x.amax(), x.sum(0)], [randn(9001, 3)], 1e-4)
  sameOnDevice(t, 'strided', (x: torch.Tensor) => x.transpose(0, 2).sum([0, 1]), [randn(3, 4, 5)], 5e-6)
  sameOnDevice(t, 'NaN', (x: torch.Tensor) => [x.amax(1), x.amin(1), x.sum(1), torch.nansum(x, 1)], [torch.tensor([[1, NaN, 2], [3, 4, 5], [-Infinity, 0, 1]])], 0)
  sameOnDevice(t, 'of nothing', (x: torch.Tensor) => [x.sum(), x.sum(0), x.mean(0), x.prod(1), x.sum(1)], [randn(0, 3)], 0)
  t.end()
})

t.test('integers', (t) => {
  const big = torch.tensor([[2n ** 60n, 3n, -5n], [1n, 2n ** 53n + 1n, 7n]], { dtype: 'int64' })
  sameOnDevice(t, 'int64', (x: torch.Tensor) => [x.sum(), x.sum(0), x.prod(1), x.amax(1), x.min(), x.max()], [big], 0)
  for (const dtype of ['int32', 'int16', 'int8', 'uint8', 'bool'] as const) {
    const x = torch.tensor([[1, 0, 5], [0, 0, 100], [3, 2, 1]]).to(dtype)
    sameOnDevice(t, dtype, (a: torch.Tensor) => [a.sum(), a.sum(1), a.prod(0), a.amax(1), a.amin(), a.any(), a.all(1), a.any(0)], [x], 0)
    sameOnDevice(t, `${dtype} to float`, (a: torch.Tensor) => a.mean(0, false, { dtype: 'float32' }), [x], 1e-6)
  }
  t.end()
})

t.test('logical', (t) => {
  const x = torch.tensor([[0, NaN, 0], [0, 0, -0], [1, 2, 3]])
  const run: Unary = (a) => [a.any(), a.all(), a.any(1), a.all(1), a.any(0, true), torch.countNonzero(a), torch.countNonzero(a, 1)]
  sameOnDevice(t, 'any, all, count', run as never, [x], 0)
  sameOnDevice(t, 'of nothing', (a: torch.Tensor) => [a.any(), a.all(), a.any(0), a.all(0)], [randn(0, 3)], 0)
  t.end()
})

t.test('positions', (t) => {
  const ties = torch.tensor([[1, 3, 3, 2], [NaN, 5, NaN, 9], [-Infinity, -Infinity, -Infinity, -Infinity]])
  const run: Unary = (a) => [a.argmax(), a.argmin(), a.argmax(1), a.argmin(0), ...a.max(1), ...a.min(0)]
  sameOnDevice(t, 'ties and NaN', run as never, [ties], 0)
  for (const shape of [[3, 2050], [2, 70], [40, 33], [3, 4, 5]]) sameOnDevice(t, `[${shape}]`, run as never, [randn(...shape)], 0)
  sameOnDevice(t, 'strided', (a: torch.Tensor) => [a.t().argmax(), a.t().argmax(1)], [randn(5, 7)], 0)
  sameOnDevice(t, 'half', run as never, [randn(5, 7).to('float16')], 0)
  sameOnDevice(t, 'int64', (a: torch.Tensor) => [a.argmax(), ...a.max(1)], [torch.tensor([[2n ** 53n, 2n ** 53n + 1n]], { dtype: 'int64' })], 0)
  sameOnDevice(t, 'no dimensions', (a: torch.Tensor) => [a.argmax(), ...a.max(0)], [randn()], 0)
  t.end()
})

t.test('running', (t) => {
  for (const [shape, dim] of [[[5, 33], 1], [[5, 33], 0], [[2, 700], 1], [[2, 300, 3], 1], [[], 0], [[0, 3], 0]] as [number[], number][]) {
    sameOnDevice(t, `cumsum [${shape}] ${dim}`, (x: torch.Tensor) => x.cumsum(dim), [randn(...shape)], 1e-5)
    sameOnDevice(t, `cumprod [${shape}] ${dim}`, (x: torch.Tensor) => x.cumprod(dim), [randn(...shape)], 1e-5)
    sameOnDevice(t, `logcumsumexp [${shape}] ${dim}`, (x: torch.Tensor) => torch.logcumsumexp(x, dim), [randn(...shape)], 1e-5)
  }
  sameOnDevice(t, 'of integers', (x: torch.Tensor) => [x.cumsum(1), x.cumprod(0), x.cumsum(0, { dtype: 'uint8' })], [torch.randint(-9, 9, [5, 300])], 0)
  sameOnDevice(t, 'of bool', (x: torch.Tensor) => x.cumsum(0), [torch.tensor([true, false, true])], 0)
  t.end()
})
