import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

torch.manualSeed(3)
const F = torch.nn.functional
const randn = (...shape: number[]): torch.Tensor => torch.randn(shape)
type T = torch.Tensor

t.test('shapes, strides, padding, dilation and groups', (t) => {
  const cases: [string, number[], number[], object][] = [
    ['one element', [1, 1, 1, 1], [1, 1, 1, 1], {}],
    ['3x3', [2, 3, 7, 9], [5, 3, 3, 3], { padding: 1 }],
    ['more filters than a tile', [1, 5, 4, 5], [70, 5, 1, 1], {}],
    ['more pixels than a tile', [2, 2, 11, 13], [3, 2, 3, 2], { stride: [2, 1], padding: [2, 0] }],
    ['dilated', [1, 4, 9, 8], [6, 4, 3, 3], { dilation: [2, 3], padding: 3 }],
    ['groups', [1, 22, 5, 5], [20, 11, 3, 3], { groups: 2, padding: 1 }],
    ['groups of few filters', [2, 6, 5, 6], [9, 2, 3, 3], { groups: 3, stride: 2 }],
    ['depthwise', [2, 5, 6, 7], [5, 1, 3, 3], { groups: 5, padding: 1 }],
    ['depthwise with a multiplier', [1, 3, 6, 5], [6, 1, 3, 2], { groups: 3 }],
    ['no batch', [0, 3, 4, 4], [2, 3, 3, 3], {}],
  ]
  for (const [name, x, w, options] of cases) {
    const run = (a: T, b: T, c: T): T => F.conv2d(a, b, { bias: c, ...options })
    sameOnDevice(t, name, run, [randn(...x), randn(...w), randn(w[0])], 1e-5)
    if (x[0] > 0)
      sameOnDevice(t, `${name}, channels last`, (a: T, b: T, c: T): T => run(a.contiguous({ memoryFormat: 'channels_last' }), b, c), [randn(...x), randn(...w), randn(w[0])], 1e-5)
  }
  sameOnDevice(t, 'without a bias, unbatched', (a: T, b: T) => F.conv2d(a, b), [randn(3, 5, 5), randn(2, 3, 2, 2)], 1e-5)
  sameOnDevice(t, 'strided input', (a: T, b: T) => F.conv2d(a.transpose(2, 3), b), [randn(1, 3, 5, 6), randn(2, 3, 2, 2)], 1e-5)
  sameOnDevice(t, 'one dimension', (a: T, b: T) => F.conv1d(a, b, { padding: 2, stride: 2 }), [randn(2, 3, 17), randn(4, 3, 5)], 1e-5)
  sameOnDevice(t, 'same', (a: T, b: T) => F.conv1d(a, b, { padding: 'same' }), [randn(2, 3, 8), randn(4, 3, 4)], 1e-5)
  sameOnDevice(t, 'three dimensions', (a: T, b: T) => F.conv3d(a, b, { padding: 1 }), [randn(1, 2, 4, 5, 3), randn(3, 2, 2, 3, 3)], 1e-5)
  t.end()
})

t.test('transposed', (t) => {
  sameOnDevice(t, 'stride 2', (a: T, b: T, c: T) => F.convTranspose2d(a, b, { bias: c, stride: 2, padding: 1, outputPadding: 1 }), [randn(2, 4, 3, 5), randn(4, 3, 3, 3), randn(3)], 1e-5)
  sameOnDevice(t, 'groups', (a: T, b: T) => F.convTranspose2d(a, b, { groups: 2, dilation: 2 }), [randn(1, 4, 3, 3), randn(4, 10, 2, 3)], 1e-5)
  sameOnDevice(t, 'depthwise', (a: T, b: T) => F.convTranspose2d(a, b, { groups: 3, stride: 3 }), [randn(1, 3, 3, 3), randn(3, 1, 2, 2)], 1e-5)
  sameOnDevice(t, 'one dimension', (a: T, b: T) => F.convTranspose1d(a, b, { stride: 2 }), [randn(2, 3, 5), randn(3, 2, 4)], 1e-5)
  sameOnDevice(t, 'three dimensions', (a: T, b: T) => F.convTranspose3d(a, b), [randn(1, 2, 2, 3, 2), randn(2, 2, 2, 2, 2)], 1e-5)
  t.end()
})

t.test('other dtypes', (t) => {
  for (const [dtype, tolerance] of [
    ['float64', 1e-13],
    ['float16', 4e-3],
    ['bfloat16', 3e-2],
  ] as const)
    for (const groups of [1, 3])
      sameOnDevice(t, `${dtype}, ${groups} groups`, (a: T, b: T) => F.conv2d(a, b, { padding: 1, groups }), [randn(1, 3, 5, 5).to(dtype), randn(6, 3 / groups, 3, 3).to(dtype)], tolerance)
  t.throws(() => F.conv2d(torch.ones([1, 1, 2, 2], { dtype: 'int64', device: 'cuda' }), torch.ones([1, 1, 1, 1], { dtype: 'int64', device: 'cuda' })), /no CUDA kernel for int64/)
  t.end()
})
