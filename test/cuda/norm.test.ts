import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

torch.manualSeed(3)
const randn = (...shape: number[]): torch.Tensor => torch.randn(shape)
const positive = (n: number): torch.Tensor => torch.rand([n]).add(0.5)
const tolerances = { float32: 2e-6, float64: 1e-12, float16: 4e-3, bfloat16: 3e-2 } as const
const dtypes = Object.keys(tolerances) as (keyof typeof tolerances)[]

t.test('softmax', (t) => {
  for (const dtype of dtypes) {
    for (const [shape, dim] of [
      [[5, 33], 1],
      [[3, 1500], -1],
      [[4, 64], 1],
      [[6, 5, 7], 1],
      [[6, 5, 7], 0],
      [[], 0],
      [[1, 1], 1],
      [[0, 3], 1],
      [[3, 0], 1],
    ] as [number[], number][]) {
      const x = randn(...shape).to(dtype)
      sameOnDevice(t, `softmax ${dtype} [${shape}] ${dim}`, (a: torch.Tensor) => torch.softmax(a, dim), [x], tolerances[dtype])
      sameOnDevice(t, `log_softmax ${dtype} [${shape}] ${dim}`, (a: torch.Tensor) => torch.logSoftmax(a, dim), [x], tolerances[dtype])
    }
  }
  sameOnDevice(t, 'strided', (a: torch.Tensor) => torch.softmax(a.t(), 1), [randn(7, 5)], 1e-6)
  sameOnDevice(t, 'in another dtype', (a: torch.Tensor) => torch.softmax(a, 1, { dtype: 'float64' }), [randn(7, 5)], 1e-12)
  const odd = torch.tensor([[NaN, 1, 2], [-Infinity, -Infinity, -Infinity], [Infinity, 1, 2], [-Infinity, 1, 2]])
  sameOnDevice(t, 'NaN and infinities', (a: torch.Tensor) => torch.softmax(a, 1), [odd], 1e-6)
  sameOnDevice(t, 'their logarithms', (a: torch.Tensor) => torch.logSoftmax(a, 1), [odd], 1e-6)
  t.end()
})

t.test('norms of rows', (t) => {
  for (const dtype of dtypes) {
    for (const n of [1, 3, 32, 33, 1028, 2048]) {
      const [x, w, b] = [randn(3, n).to(dtype), randn(n).to(dtype), randn(n).to(dtype)]
      const tolerance = tolerances[dtype] * 4
      sameOnDevice(t, `layer_norm ${dtype} ${n}`, (...[a, c, d]: torch.Tensor[]) => torch.layerNorm(a!, [n], c!, d!), [x, w, b], tolerance)
      sameOnDevice(t, `rms_norm ${dtype} ${n}`, (...[a, c]: torch.Tensor[]) => torch.rmsNorm(a!, [n], c!), [x, w], tolerance)
    }
  }
  sameOnDevice(t, 'plain, of two dimensions', (a: torch.Tensor) => torch.layerNorm(a, [3, 5]), [randn(2, 4, 3, 5)], 1e-5)
  sameOnDevice(t, 'of strided rows', (a: torch.Tensor) => torch.layerNorm(a.transpose(0, 1), [4]), [randn(4, 6)], 1e-5)
  sameOnDevice(t, 'of nothing', (a: torch.Tensor) => torch.layerNorm(a, [4]), [randn(0, 4)], 1e-5)
  t.end()
})

t.test('norms of groups', (t) => {
  for (const dtype of dtypes) {
    const [x, w, b] = [randn(2, 6, 5, 3).to(dtype), randn(6).to(dtype), randn(6).to(dtype)]
    const tolerance = tolerances[dtype] * 4
    sameOnDevice(t, `group_norm ${dtype}`, (...[a, c, d]: torch.Tensor[]) => torch.groupNorm(a!, 3, c!, d!), [x, w, b], tolerance)
    sameOnDevice(t, `instance_norm ${dtype}`, (a: torch.Tensor) => torch.nn.functional.instanceNorm(a), [x], tolerance)
  }
  const last = (a: torch.Tensor): torch.Tensor => a.contiguous({ memoryFormat: 'channels_last' })
  sameOnDevice(t, 'channels last', (a: torch.Tensor) => torch.groupNorm(last(a), 2), [randn(2, 4, 3, 5)], 1e-5)
  sameOnDevice(t, 'without pixels', (a: torch.Tensor) => torch.groupNorm(a, 2), [randn(3, 8)], 1e-5)
  t.end()
})

t.test('batch_norm', (t) => {
  const last = (a: torch.Tensor): torch.Tensor => a.contiguous({ memoryFormat: 'channels_last' })
  for (const dtype of dtypes) {
    const tolerance = tolerances[dtype] * 4
    for (const shape of [[2, 5, 3, 7], [4, 5], [1, 5, 1], [2, 5, 2, 3, 4]]) {
      const args = [randn(...shape), randn(5), positive(5), randn(5), randn(5)].map((x) => x.to(dtype))
      const run = (...[x, mean, variance, w, b]: torch.Tensor[]): torch.Tensor => torch.nn.functional.batchNorm(x!, mean!, variance!, { weight: w!, bias: b! })
      sameOnDevice(t, `${dtype} [${shape}]`, run, args, tolerance)
    }
  }
  const training = (...[x, mean, variance]: torch.Tensor[]): torch.Tensor[] => {
    const [m, v] = [mean!.clone(), variance!.clone()]
    return [torch.nn.functional.batchNorm(x!, m, v, { training: true }), m, v]
  }
  for (const shape of [[2, 5, 3, 7], [9, 5]]) sameOnDevice(t, `training [${shape}]`, training, [randn(...shape), randn(5), positive(5)], 1e-5)
  const eval4 = (...[x, mean, variance]: torch.Tensor[]): torch.Tensor => torch.nn.functional.batchNorm(last(x!), mean!, variance!)
  sameOnDevice(t, 'channels last', eval4, [randn(2, 5, 3, 7), randn(5), positive(5)], 1e-5)
  const train4 = (...[x, mean, variance]: torch.Tensor[]): torch.Tensor[] => training(last(x!), mean!, variance!)
  sameOnDevice(t, 'channels last, training', train4, [randn(2, 5, 3, 7), randn(5), positive(5)], 1e-5)
  t.end()
})
