import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

torch.manualSeed(5)
const F = torch.nn.functional
const randn = (...shape: number[]): torch.Tensor => torch.randn(shape)
type T = torch.Tensor
const last = (x: T): T => x.contiguous({ memoryFormat: 'channels_last' })

t.test('windows', (t) => {
  const x = randn(2, 3, 7, 9)
  for (const [name, input] of [['contiguous', x], ['channels last', last(x)], ['strided', x.transpose(2, 3)], ['unbatched', randn(3, 5, 6)]] as const) {
    sameOnDevice(t, `max, ${name}`, (a: T) => F.maxPool2d(a, 3, { stride: 2, padding: 1 }), [input])
    sameOnDevice(t, `max with dilation, ${name}`, (a: T) => F.maxPool2d(a, 2, { dilation: 2, ceilMode: true }), [input])
    sameOnDevice(t, `mean, ${name}`, (a: T) => F.avgPool2d(a, 3, { stride: 2, padding: 1 }), [input], 1e-6)
    sameOnDevice(t, `mean without padding, ${name}`, (a: T) => F.avgPool2d(a, 3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false }), [input], 1e-6)
    sameOnDevice(t, `adaptive, ${name}`, (a: T) => F.adaptiveAvgPool2d(a, [3, 4]), [input], 1e-6)
    sameOnDevice(t, `global, ${name}`, (a: T) => F.adaptiveAvgPool2d(a, 1), [input], 1e-6)
    sameOnDevice(t, `adaptive max, ${name}`, (a: T) => F.adaptiveMaxPool2d(a, [3, 2]), [input])
  }
  sameOnDevice(t, 'large windows', (a: T) => F.adaptiveAvgPool2d(a, 1), [randn(1, 3, 17, 13)], 1e-6)
  sameOnDevice(t, 'NaN', (a: T) => F.maxPool2d(a, 2), [torch.tensor([[[[1, NaN], [2, 3]]]])])
  sameOnDevice(t, 'one dimension', (a: T) => F.maxPool1d(a, 3), [randn(2, 3, 8)])
  sameOnDevice(t, 'mean of one dimension', (a: T) => F.avgPool1d(a, 3), [randn(2, 3, 8)], 1e-6)
  sameOnDevice(t, 'three dimensions', (a: T) => F.maxPool3d(a, 2), [randn(1, 2, 4, 5, 4)])
  sameOnDevice(t, 'mean of three dimensions', (a: T) => F.avgPool3d(a, 2), [randn(1, 2, 4, 5, 4)], 1e-6)
  for (const dtype of ['float16', 'bfloat16', 'float64'] as const) {
    sameOnDevice(t, dtype, (a: T) => F.maxPool2d(a, 2), [x.to(dtype)])
    sameOnDevice(t, `mean, ${dtype}`, (a: T) => F.avgPool2d(a, 2), [x.to(dtype)], dtype === 'float64' ? 1e-14 : 1e-2)
  }
  t.end()
})

t.test('resizing', (t) => {
  const x = randn(2, 3, 5, 6)
  for (const mode of ['nearest', 'nearest-exact', 'bilinear', 'bicubic'] as const) {
    sameOnDevice(t, `${mode} to a size`, (a: T) => F.interpolate(a, { size: [7, 4], mode }), [x], 1e-5)
    sameOnDevice(t, `${mode} by a factor`, (a: T) => F.interpolate(a, { scaleFactor: 2, mode }), [x], 1e-5)
    sameOnDevice(t, `${mode}, strided, one element`, (a: T) => F.interpolate(a.transpose(2, 3), { size: [1, 9], mode }), [x], 1e-5)
  }
  sameOnDevice(t, 'corners', (a: T) => F.interpolate(a, { size: [9, 3], mode: 'bilinear', alignCorners: true }), [x], 1e-5)
  sameOnDevice(t, 'linear', (a: T) => F.interpolate(a, { size: 7, mode: 'linear' }), [randn(1, 2, 4)], 1e-5)
  sameOnDevice(t, 'trilinear', (a: T) => F.interpolate(a, { size: [3, 5, 4], mode: 'trilinear' }), [randn(1, 2, 4, 3, 2)], 1e-5)
  sameOnDevice(t, 'bytes', (a: T) => F.interpolate(a, { size: [3, 3] }), [torch.arange(4).to('uint8').reshape([1, 1, 2, 2])])
  sameOnDevice(t, 'float16', (a: T) => F.interpolate(a, { scaleFactor: 1.5, mode: 'bilinear' }), [x.to('float16')], 2e-3)
  t.end()
})
