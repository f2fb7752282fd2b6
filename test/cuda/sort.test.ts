import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

torch.manualSeed(7)
const randn = (...shape: number[]): torch.Tensor => torch.randn(shape)
const dtypes = ['float32', 'float64', 'float16', 'bfloat16', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool'] as const

t.test('sort', (t) => {
  for (const [shape, dim] of [
    [[7], 0],
    [[5, 33], 1],
    [[5, 33], 0],
    [[3, 40, 6], 1],
    [[1], 0],
    [[2, 2500], 1],
    [[2100, 2], 0],
  ] as [number[], number][])
    sameOnDevice(t, `[${shape}] ${dim}`, (x: torch.Tensor) => [...torch.sort(x, dim), ...torch.sort(x, dim, true), torch.argsort(x, dim)], [
      randn(...shape),
    ])
  for (const dtype of dtypes)
    sameOnDevice(t, `${dtype}, equal values`, (x: torch.Tensor) => [...torch.sort(x, 1), ...torch.sort(x, 1, true)], [
      torch.randint(-3, 4, [4, 37]).to(dtype),
    ])
  const special = torch.tensor([[1, NaN, -Infinity, 0, -0, Infinity, NaN, -3]])
  sameOnDevice(t, 'NaN and signs', (x: torch.Tensor) => [...torch.sort(x, 1), ...torch.sort(x, 1, true)], [special])
  sameOnDevice(t, 'strided', (x: torch.Tensor) => [...torch.sort(x.t(), 1)], [randn(9, 5)])
  sameOnDevice(t, 'big integers', (x: torch.Tensor) => [...torch.sort(x)], [
    torch.tensor([2n ** 53n + 1n, 2n ** 53n, -5n], { dtype: 'int64' }),
  ])
  sameOnDevice(t, 'nothing, no dimensions', (x: torch.Tensor, y: torch.Tensor) => [...torch.sort(x), ...torch.sort(y)], [randn(0), randn()])
  t.end()
})

t.test('topk, kthvalue', (t) => {
  sameOnDevice(t, 'topk', (x: torch.Tensor) => [...torch.topk(x, 5), ...torch.topk(x, 3, 0, false), ...torch.topk(x, 1)], [randn(7, 70)])
  sameOnDevice(t, 'topk of many', (x: torch.Tensor) => [...torch.topk(x, 100), ...torch.topk(x, 0)], [randn(3000)])
  sameOnDevice(t, 'kthvalue', (x: torch.Tensor) => [...torch.kthvalue(x, 4), ...torch.kthvalue(x, 2, 0, true)], [randn(7, 70)])
  sameOnDevice(t, 'NaN', (x: torch.Tensor) => [torch.topk(x, 2)[0], torch.kthvalue(x, 2)[0]], [torch.tensor([1, NaN, 3, 2])])
  t.end()
})

t.test('median, mode, quantile', (t) => {
  const ties = torch.tensor([
    [1, 3, 3, 2],
    [NaN, 5, NaN, 9],
    [7, 7, 7, 7],
    [2, 1, 2, 1],
  ])
  const run = (x: torch.Tensor): unknown => [torch.median(x), torch.nanmedian(x), torch.median(x, 1), torch.nanmedian(x, 0)]
  sameOnDevice(t, 'median', run, [ties])
  sameOnDevice(t, 'median of more', run, [randn(31, 9)])
  sameOnDevice(t, 'median of nothing', (x: torch.Tensor) => torch.median(x), [randn(0)])
  sameOnDevice(t, 'mode', (x: torch.Tensor) => [torch.mode(x, 1)[0], torch.mode(x, 0)[0]], [torch.randint(0, 4, [6, 21])])
  for (const interpolation of ['linear', 'lower', 'higher', 'nearest', 'midpoint'])
    sameOnDevice(
      t,
      `quantile ${interpolation}`,
      (x: torch.Tensor, q: torch.Tensor) => [
        torch.quantile(x, q, { dim: 1, interpolation }),
        torch.nanquantile(x, 0.3, { dim: 0, keepdim: true, interpolation }),
        torch.quantile(x, 0.5, { interpolation }),
      ],
      [torch.cat([randn(6, 11), torch.full([1, 11], NaN)]), torch.tensor([0, 0.1, 0.77, 1])],
      1e-6,
    )
  t.end()
})

t.test('unique', (t) => {
  const x = torch.tensor([
    [3, 1, 2],
    [1, 1, 3],
    [3, 1, 2],
    [0, NaN, NaN],
  ])
  const unit = new torch.jit.CompilationUnit(
    'def unique(x):\n  return (torch._unique2(x, True, True, True), torch.unique_dim(x, 0, True, True, True), torch.unique_dim(x, 1))\n' +
      'def consecutive(x):\n  return (torch.unique_consecutive(x, True, True), torch.unique_consecutive(x, True, True, 0))\n',
  ) as unknown as Record<string, (x: torch.Tensor) => unknown>
  const unique = (x: torch.Tensor): unknown => unit.unique(x)
  sameOnDevice(t, 'floats', unique, [x])
  for (const dtype of ['int64', 'int32', 'uint8', 'bool', 'float16'] as const)
    sameOnDevice(t, dtype, unique, [torch.randint(0, 9, [40, 3]).to(dtype)])
  sameOnDevice(t, 'many', unique, [torch.randint(0, 500, [1500, 2])])
  sameOnDevice(t, 'consecutive', (x: torch.Tensor) => unit.consecutive(x), [torch.tensor([1, 1, 2, 2, 2, 1, 3, 3])])
  sameOnDevice(t, 'nothing', (x: torch.Tensor) => unit.consecutive(x), [torch.zeros([0])])
  t.end()
})

t.test('nonzero and masks', (t) => {
  const unit = new torch.jit.CompilationUnit(
    'def indices(x, m, v):\n  a = x.clone()\n  a[m] = 2.5\n  b = x.clone()\n  b[m] = x[m] * 2\n  c = x.clone()\n  c[v] = x[v] + 1\n' +
      '  d = x.clone()\n  d[v, 1] = 7.0\n  return (x[m], x[v], x[v, 2:4], x[:, 0][v], a, b, c, d, torch.masked_fill(x, m, 3.0))\n',
  ) as unknown as Record<string, (...args: torch.Tensor[]) => unknown>
  for (const dtype of dtypes)
    sameOnDevice(t, `nonzero ${dtype}`, (x: torch.Tensor) => torch.nonzero(x), [torch.randint(0, 3, [5, 7, 3]).to(dtype)])
  sameOnDevice(t, 'nonzero of many', (x: torch.Tensor) => torch.nonzero(x), [torch.randint(0, 2, [5003])])
  sameOnDevice(t, 'nonzero of views', (x: torch.Tensor) => [torch.nonzero(x.t()), torch.nonzero(x.select(0, 1))], [
    torch.randint(0, 2, [6, 5]),
  ])
  sameOnDevice(t, 'nonzero of nothing', (x: torch.Tensor, y: torch.Tensor) => [torch.nonzero(x), torch.nonzero(y)], [
    torch.zeros([0, 3]),
    torch.tensor(2),
  ])
  const x = randn(4, 9)
  const mask = torch.gt(x, 0)
  sameOnDevice(
    t,
    'masked_select',
    (x: torch.Tensor, m: torch.Tensor) => [
      torch.maskedSelect(x, m),
      torch.maskedSelect(x.t(), m.t()),
      torch.maskedSelect(x, m.select(0, 1)),
    ],
    [x, mask],
  )
  const indices = (x: torch.Tensor, m: torch.Tensor, v: torch.Tensor): unknown => unit.indices(x, m, v)
  sameOnDevice(t, 'indices', indices, [x, mask, torch.tensor([true, false, true, true])])
  sameOnDevice(t, 'indices of nothing', indices, [x, torch.zeros([4, 9], { dtype: 'bool' }), torch.zeros([4], { dtype: 'bool' })])
  sameOnDevice(t, 'masked_scatter', (x: torch.Tensor, m: torch.Tensor, s: torch.Tensor) => torch.maskedScatter(x, m, s), [
    x,
    mask,
    randn(40),
  ])
  t.end()
})
