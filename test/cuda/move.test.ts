import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

torch.manualSeed(11)
const randn = (...shape: number[]): torch.Tensor => torch.randn(shape)
const whole = (...values: number[]): torch.Tensor => torch.tensor(values, { dtype: 'int64' })
const all = torch.slice()
type Many = (...x: torch.Tensor[]) => torch.Tensor | torch.Tensor[]
const same = (t: unknown, name: string, run: Many, args: torch.Tensor[], tolerance = 0): void => sameOnDevice(t as never, name, run as never, args, tolerance)

t.test('cat, stack', (t) => {
  const [a, b, c] = [randn(2, 3), randn(4, 3), randn(2, 5)]
  same(t, 'rows', (...x) => torch.cat(x), [a, b])
  same(t, 'columns', (...x) => torch.cat(x, 1), [a, c])
  same(t, 'with nothing, strided and another dtype', (...x) => torch.cat([x[0]!, x[1]!, x[2]!.t()]), [torch.empty([0]), torch.tensor([[1, 2, 3]], { dtype: 'int32' }), randn(3, 2)])
  for (const dim of [0, 1, 2]) same(t, `stack ${dim}`, (...x) => torch.stack(x, dim), [a, randn(2, 3)])
  same(t, 'stack of numbers', (...x) => torch.stack(x), [randn(), randn()])
  t.end()
})

t.test('flip, roll, repeat', (t) => {
  for (const dtype of ['float32', 'float64', 'uint8', 'float16', 'complex64'] as const) {
    const x = torch.arange(24).reshape([2, 3, 4]).to(dtype)
    same(t, `flip ${dtype}`, (a) => [torch.flip(a!, [0, 2]), torch.flip(a!.transpose(0, 1), [1])], [x])
    same(t, `roll ${dtype}`, (a) => [torch.roll(a!, [5]), torch.roll(a!, [1, -7], [0, 2])], [x])
    same(t, `repeat ${dtype}`, (a) => [a!.repeat([2, 1, 3, 2]), torch.tile(a!, [2]), torch.repeatInterleave(a!, 3, 1), torch.repeatInterleave(a!, 2)], [x])
  }
  t.end()
})

t.test('pads', (t) => {
  const x = randn(2, 3, 4, 5)
  const pad = torch.nn.functional.pad
  same(t, 'constant', (a) => [pad(a!, [1, 2], { value: 7 }), pad(a!, [1, -2, 0, 3, 1, 0]), pad(a!, [-1, -1])], [x])
  for (const mode of ['reflect', 'replicate', 'circular'] as const) same(t, mode, (a) => [pad(a!, [1, 2, 3, 0], { mode }), pad(a!, [-1, 2, 0, 1], { mode })], [x])
  t.end()
})

t.test('triangles, ranges, identities', (t) => {
  const x = randn(2, 5, 4)
  for (const k of [-2, 0, 3]) same(t, `triangles ${k}`, (a) => [torch.tril(a!, k), torch.triu(a!.transpose(1, 2), k)], [x])
  const make = (device: string): torch.Tensor[] => [
    torch.arange(7, { device }),
    torch.arange(1, 9, 2, { device, dtype: 'float16' }),
    torch.arange(0, 1, 0.1, { device }),
    torch.eye(3, 5, { device }),
    torch.eye(4, { device, dtype: 'int64' }),
  ]
  const [there, here] = [make('cuda'), make('cpu')]
  for (const [i, made] of there.entries()) {
    t.equal(made.device, 'cuda:0')
    t.same(made.toArray(), here[i]!.toArray())
  }
  t.end()
})

t.test('elements by position', (t) => {
  for (const dtype of ['float32', 'bfloat16', 'int8', 'int64', 'complex64'] as const) {
    const x = randn(5, 3, 4).mul(10).to(dtype)
    same(t, `index_select ${dtype}`, (a, i) => [torch.indexSelect(a!, 0, i!), torch.indexSelect(a!.transpose(0, 1), 1, i!)], [x, whole(4, 0, 0, 2)])
    same(t, `embedding ${dtype}`, (a, i) => torch.nn.functional.embedding(i!.reshape([2, 2]), a!.flatten(1)), [x, whole(4, 0, 0, 2)])
  }
  const x = randn(4, 3, 5)
  same(t, 'gather', (a, i) => [torch.gather(a!, 2, i!), torch.gather(a!.transpose(0, 2), 1, i!.transpose(0, 2))], [x, torch.randint(0, 3, [2, 3, 2])])
  same(t, 'take', (a, i) => torch.take(a!.transpose(0, 1), i!), [x, whole(0, 59, -1, 7)])
  same(t, 'index', (a, i, j) => [a!.index([i!]), a!.index([i!, j!]), a!.index([all, j!]), a!.index([i!, all, j!]), a!.index([i!.reshape([3, 1]), j!])], [x, whole(0, -1, 2), whole(1, 2, 0)])
  same(t, 'of nothing', (a, i) => [a!.index([i!]), torch.indexSelect(a!, 0, i!)], [x, torch.empty([0], { dtype: 'int64' })])
  t.end()
})

t.test('elements to positions', (t) => {
  const [x, v] = [randn(4, 3, 5), randn(4, 3, 5)]
  const i = torch.randint(0, 3, [4, 3, 5])
  same(t, 'index_put', (a, k, b) => [a!.indexPut([k!], b!.select(0, 0)), a!.indexPut([all, k!], b!.narrow(1, 0, 1))], [x, whole(0, -1, 2), v])
  for (const dtype of ['float32', 'float64', 'float16', 'bfloat16', 'int64', 'int32', 'int16', 'uint8'] as const) {
    const [p, q] = [x.abs().mul(4).to(dtype), v.abs().mul(4).to(dtype)]
    const tolerance = dtype === 'float16' ? 3e-3 : dtype === 'bfloat16' ? 3e-2 : 1e-6
    same(t, `scatter ${dtype}`, (a, k, b) => [torch.scatter(a!, 0, k!.narrow(0, 0, 1), b!), torch.scatter(a!, 1, k!.narrow(1, 0, 1), 3)], [p, i, q])
    same(t, `scatter_add ${dtype}`, (a, k, b) => [torch.scatterAdd(a!, 0, k!, b!), torch.scatterAdd(a!.transpose(0, 1), 2, k!.transpose(0, 1), b!.transpose(0, 1))], [p, i, q], tolerance)
    same(t, `index_put of sums ${dtype}`, (a, k, b) => a!.indexPut([k!], b!, { accumulate: true }), [p, whole(0, 1, 1, 0), q], tolerance)
    same(t, `index_add ${dtype}`, (a, k, b) => [torch.indexAdd(a!, 0, k!, b!), torch.indexAdd(a!, 0, k!, b!, { alpha: 2 })], [p, whole(3, 1, 1, 0), q], tolerance)
    same(t, `index_copy ${dtype}`, (a, k, b) => a!.clone().indexCopy_(0, k!, b!), [p, whole(3, 1, 2, 0), q])
    for (const includeSelf of [true, false])
      same(t, `scatter_reduce ${dtype} ${includeSelf}`, (a, k, b) => (['sum', 'amax', 'amin'] as const).map((r) => torch.scatterReduce(a!, 1, k!, b!, r, { includeSelf })), [p, i, q], tolerance)
  }
  same(t, 'index_fill', (a, k) => torch.indexFill(a!, 2, k!, 9), [x, whole(4, -2)])
  t.end()
})
