import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { distance, sameOnDevice } from './compare.js'

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

const last = (x: T): T => x.contiguous({ memoryFormat: 'channels_last' })

t.test('tiles', (t) => {
  const cases: [string, number[], number[], object][] = [
    ['3x3', [2, 16, 7, 9], [24, 16, 3, 3], { padding: 1 }],
    ['stride and dilation', [1, 8, 12, 11], [16, 8, 3, 2], { stride: 2, dilation: [1, 2], padding: [2, 1] }],
    ['larger than a tile', [2, 16, 13, 15], [72, 16, 3, 3], { padding: 1 }],
    ['large tiles', [2, 8, 17, 19], [136, 8, 2, 2], {}],
    ['a long depth', [1, 40, 4, 4], [24, 40, 5, 5], { padding: 2 }],
    ['padded channels', [1, 3, 17, 16], [16, 3, 7, 7], { stride: 2, padding: 3 }],
    ['groups', [1, 16, 6, 5], [48, 8, 3, 3], { groups: 2, padding: 1 }],
    ['groups of 12', [1, 32, 6, 5], [24, 16, 3, 3], { groups: 2, padding: 1 }],
    ['depthwise', [2, 16, 6, 7], [16, 1, 3, 3], { groups: 16, padding: 1 }],
    ['depthwise with a stride', [1, 24, 9, 8], [24, 1, 5, 3], { groups: 24, stride: 2, padding: [2, 1], dilation: [1, 2] }],
    ['1x1', [2, 24, 5, 8], [16, 24, 1, 1], {}],
    ['1x1 of odd images', [3, 16, 7, 7], [40, 16, 1, 1], {}],
    ['1x1 with a stride', [1, 16, 7, 7], [40, 16, 1, 1], { stride: 2 }],
  ]
  for (const [dtype, tolerance] of [
    ['float32', 2e-5],
    ['float16', 8e-3],
    ['bfloat16', 6e-2],
  ] as const)
    for (const [name, x, w, options] of cases) {
      const [a, b, c] = [randn(...x).to(dtype), randn(...w).mul(0.2).to(dtype), randn(w[0]).to(dtype)]
      const run = (a: T, b: T, c: T): T => F.conv2d(a, b, { bias: c, ...options })
      sameOnDevice(t, `${dtype} ${name}`, run, [a, b, c], tolerance)
      sameOnDevice(t, `${dtype} ${name}, channels last`, (a: T, b: T, c: T) => run(last(a), b, c), [a, b, c], tolerance)
    }
  for (const [dtype, tolerance] of [
    ['float16', 8e-3],
    ['float32', 2e-5],
  ] as const) {
    const some = (...shape: number[]): T => randn(...shape).mul(0.5).to(dtype)
    sameOnDevice(t, `${dtype} transposed`, (a: T, b: T, c: T) => F.convTranspose2d(last(a), b, { bias: c, stride: 2, padding: 1, outputPadding: 1 }), [some(2, 16, 3, 5), some(16, 24, 3, 3), some(24)], tolerance)
    sameOnDevice(t, `${dtype} transposed groups`, (a: T, b: T) => F.convTranspose2d(a, b, { groups: 2, stride: 2 }), [some(1, 16, 3, 3), some(16, 12, 2, 2)], tolerance)
    sameOnDevice(t, `${dtype} one dimension`, (a: T, b: T) => F.conv1d(a, b, { padding: 2, stride: 2 }), [some(2, 8, 33), some(16, 8, 5)], tolerance)
    sameOnDevice(t, `${dtype} three dimensions`, (a: T, b: T) => F.conv3d(a, b, { padding: 1 }), [some(1, 8, 4, 5, 3), some(16, 8, 2, 3, 3)], tolerance)
  }
  t.end()
})

class Following extends torch.nn.Module {
  one = new torch.nn.Conv2d(8, 16, 3, { padding: 1 })
  two = new torch.nn.Conv2d(16, 16, 3, { padding: 1 })
  apart = new torch.nn.Conv2d(16, 16, 3, { padding: 1, groups: 16 })
  point = new torch.nn.Conv2d(16, 24, 1)
  override forward(x: T): T {
    const y = F.relu(this.one.forward(x))
    return F.silu(this.point.forward(F.relu(this.two.forward(F.hardswish(this.apart.forward(y))).add(y))))
  }
}
class Inverted extends torch.nn.Module {
  widen = new torch.nn.Conv2d(8, 24, 1)
  apart = new torch.nn.Conv2d(24, 24, 3, { padding: 1, groups: 24 })
  narrow = new torch.nn.Conv2d(24, 8, 1)
  again = new torch.nn.Conv2d(8, 24, 1)
  stepping = new torch.nn.Conv2d(24, 24, 3, { padding: 1, stride: 2, groups: 24 })
  last = new torch.nn.Conv2d(24, 16, 1)
  override forward(x: T): T {
    const y = this.narrow.forward(F.relu6(this.apart.forward(F.relu6(this.widen.forward(x))))).add(x)
    return this.last.forward(F.relu6(this.stepping.forward(F.relu6(this.again.forward(y)))))
  }
}
t.test('bottlenecks', (t) => {
  const module = new Inverted()
  module.eval()
  const x = randn(2, 8, 9, 7)
  const frozen = (): torch.jit.ScriptModule => torch.jit.freeze(torch.jit.trace(module, [x]))
  const expected = frozen().forward(x) as T
  const moved = frozen().to('cuda')
  for (const turn of [1, 2]) {
    const received = moved.forward(x.to('cuda')) as T
    t.ok(distance(received.cpu(), expected) <= 2e-5, `${turn}: ${distance(received.cpu(), expected)}`)
  }
  t.end()
})

t.test('what follows', (t) => {
  const module = new Following()
  module.eval()
  for (const [dtype, tolerance] of [
    ['float16', 8e-3],
    ['float32', 2e-5],
  ] as const) {
    const x = randn(2, 8, 6, 7).to(dtype)
    const frozen = (): torch.jit.ScriptModule => torch.jit.freeze(torch.jit.trace(module.to(dtype), [x]))
    const expected = frozen().forward(x) as T
    const received = frozen().to('cuda').forward(x.to('cuda')) as T
    t.ok(distance(received.cpu(), expected) <= tolerance, `${dtype}: ${distance(received.cpu(), expected)}`)
  }
  t.end()
})

t.test('TF32 where it is allowed', (t) => {
  const [a, b] = [randn(1, 16, 6, 6), randn(24, 16, 3, 3).mul(0.2)]
  const exact = F.conv2d(a, b)
  torch.cuda.allowTf32({ matmul: true, convolution: true })
  const rounded = F.conv2d(a.to('cuda'), b.to('cuda')).cpu()
  const product = torch.matmul(randn(20, 40).to('cuda'), randn(40, 24).to('cuda'))
  torch.cuda.allowTf32({})
  t.ok(distance(rounded, exact) < 5e-3 && distance(rounded, exact) > 2e-5, `distance ${distance(rounded, exact)}`)
  t.same(product.shape, [20, 24])
  sameOnDevice(t, 'and not otherwise', (a: T, b: T) => F.conv2d(a, b), [a, b], 2e-5)
  sameOnDevice(t, 'products', (a: T, b: T) => torch.matmul(a, b), [randn(70, 40), randn(40, 136)], 2e-5)
  t.end()
})
