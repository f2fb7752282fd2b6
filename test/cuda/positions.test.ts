import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

const F = torch.nn.functional
torch.manualSeed(5)
type T = torch.Tensor
const randn = (...shape: number[]): T => torch.randn(shape)
const index = (...values: number[]): T => torch.tensor(values, { dtype: 'int64' })

t.test('combined along a dimension', (t) => {
  for (const reduce of ['prod', 'mean', 'amax', 'amin']) {
    for (const includeSelf of [true, false]) {
      const run = (dim: number) => (x: T, i: T, s: T) => x.indexReduce(dim, i, s, reduce, { includeSelf })
      const name = `${reduce} ${includeSelf ? 'with' : 'without'} self`
      sameOnDevice(t, `${name}, rows`, run(0), [randn(5, 3), index(0, 4, 0, 2), randn(4, 3)], 1e-6)
      sameOnDevice(t, `${name}, columns`, run(-1), [randn(3, 7), index(6, 6, 6), randn(3, 3)], 1e-6)
      const whole = (...shape: number[]): T => torch.randint(-9, 9, shape)
      sameOnDevice(t, `${name}, whole`, run(0), [whole(5, 3), index(1, 4, 1), whole(3, 3)])
    }
  }
  const nan = torch.tensor([1, NaN, 3])
  sameOnDevice(t, 'NaN', (x: T, i: T, s: T) => x.indexReduce(0, i, s, 'amax'), [nan, index(0, 1, 2), torch.tensor([NaN, 5, 4])])
  t.end()
})

t.test('means of what is scattered', (t) => {
  for (const includeSelf of [true, false]) {
    const run = (x: T, i: T, s: T): T => x.scatterReduce(1, i, s, 'mean', { includeSelf })
    const at = torch.tensor(
      [
        [0, 1, 0],
        [4, 4, 4],
      ],
      { dtype: 'int64' },
    )
    sameOnDevice(t, `float32 ${includeSelf}`, run, [randn(3, 5), at, randn(2, 3)], 1e-6)
    const whole = torch.tensor(
      [
        [-7, 8, 2],
        [1, -1, -9],
      ],
      { dtype: 'int32' },
    )
    sameOnDevice(t, `int32 ${includeSelf}`, run, [torch.ones([3, 5], { dtype: 'int32' }), at, whole])
  }
  t.end()
})

t.test('one value or many by position', (t) => {
  const fill = (x: T, i: T, v: T): T => x.indexFill(1, i, v)
  sameOnDevice(t, 'a value that is a tensor', fill, [randn(3, 5), index(0, -1), torch.tensor(2.5)])
  for (const accumulate of [false, true]) {
    const put = (x: T, i: T, s: T): T => x.put(i, s, accumulate)
    sameOnDevice(t, `put, ${accumulate}`, put, [randn(3, 5), index(0, -1, 7), randn(3)], 1e-6)
    const turned = (x: T, i: T, s: T): T => x.t().put(i, s, accumulate)
    sameOnDevice(
      t,
      `put where rows are columns, ${accumulate}`,
      turned,
      [
        randn(3, 5),
        torch.tensor(
          [
            [1, 14],
            [2, 3],
          ],
          { dtype: 'int64' },
        ),
        randn(2, 2),
      ],
      1e-6,
    )
  }
  t.end()
})

t.test('unpooling', (t) => {
  const run =
    (dims: 1 | 2 | 3) =>
    (x: T): T => {
      const [values, indices] = (
        dims === 1 ? F.maxPool1dWithIndices(x, 2) : dims === 2 ? F.maxPool2dWithIndices(x, 2) : F.maxPool3dWithIndices(x, 2)
      ) as [T, T]
      return dims === 1
        ? F.maxUnpool1d(values, indices, 2)
        : dims === 2
          ? F.maxUnpool2d(values, indices, 2)
          : F.maxUnpool3d(values, indices, 2)
    }
  sameOnDevice(t, '1d', run(1), [randn(2, 3, 8)])
  sameOnDevice(t, '2d', run(2), [randn(2, 3, 6, 4)])
  sameOnDevice(t, 'without a batch', run(2), [randn(3, 6, 4)])
  sameOnDevice(t, '3d', run(3), [randn(1, 3, 4, 2, 6)])
  t.end()
})

t.test('distances', (t) => {
  for (const p of [0, 0.5, 1, 2, 3, Infinity]) {
    const run = (x: T, y: T): T => torch.cdist(x, y, p)
    sameOnDevice(t, `p ${p}`, run, [randn(5, 3), randn(7, 3)], 2e-5)
    sameOnDevice(t, `p ${p}, batches`, run, [randn(2, 1, 3, 37), randn(3, 4, 37)], 1e-4)
    sameOnDevice(t, `p ${p}, pairs`, (x: T) => F.pdist(x, p), [randn(9, 5).to('float64')], 1e-12)
  }
  sameOnDevice(t, 'many pairs', (x: T) => F.pdist(x), [randn(70, 2)], 1e-5)
  sameOnDevice(t, 'no columns', (x: T, y: T) => torch.cdist(x, y), [randn(2, 0), randn(3, 0)])
  sameOnDevice(t, 'NaN', (x: T, y: T) => torch.cdist(x, y, Infinity), [torch.tensor([[NaN, 1]]), torch.tensor([[0, 2]])])
  t.end()
})

t.test('membership and counts', (t) => {
  const isin = (x: T, among: T): T => torch.isin(x, among) as T
  sameOnDevice(t, 'floats', isin, [
    torch.tensor([
      [1, NaN, -0],
      [3, 4, 5],
    ]),
    torch.tensor([5, 0, NaN, 1, 1]),
  ])
  sameOnDevice(t, 'large whole numbers', isin, [
    torch.tensor([2n ** 53n, 2n ** 53n + 1n], { dtype: 'int64' }),
    torch.tensor([2n ** 53n + 1n], { dtype: 'int64' }),
  ])
  sameOnDevice(t, 'among none', isin, [randn(3), torch.zeros([0])])
  sameOnDevice(t, 'inverted', (x: T, among: T) => torch.isin(x, among, { invert: true }) as T, [index(1, 2, 3), index(2)])
  sameOnDevice(t, 'counts', (x: T) => x.bincount(), [index(1, 5, 1, 0, 3)])
  sameOnDevice(t, 'at least', (x: T) => x.bincount(null, 9), [index(1, 5, 1).to('uint8')])
  sameOnDevice(t, 'weights', (x: T, w: T) => x.bincount(w), [index(1, 5, 1, 0), randn(4)], 1e-6)
  sameOnDevice(t, 'of nothing', (x: T) => x.bincount(null, 2), [index()])
  t.throws(() => index(1, -1).to('cuda').bincount(), /non-negative/)
  t.end()
})
