import './turing-environment.js'
import './emulated-only.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { distance, sameOnDevice } from './compare.js'

torch.manualSeed(4)
const F = torch.nn.functional
type T = torch.Tensor

t.test('a chip that has no copies in the background', (t) => {
  t.same(torch.cuda.getDeviceCapability(), [7, 5])
  for (const [dtype, tolerance] of [
    ['float32', 2e-5],
    ['float16', 8e-3],
    ['bfloat16', 6e-2],
  ] as const) {
    const some = (...shape: number[]): T => torch.randn(shape).mul(0.5).to(dtype)
    sameOnDevice(t, `${dtype} linear`, (x: T, w: T, b: T) => torch.linear(x, w, b), [some(70, 40), some(136, 40), some(136)], tolerance)
    sameOnDevice(t, `${dtype} matmul`, (x: T, y: T) => torch.matmul(x, y), [some(2, 20, 300), some(300, 24)], tolerance)
    sameOnDevice(t, `${dtype} convolution`, (x: T, w: T, b: T) => F.conv2d(x, w, { bias: b, padding: 1 }), [some(2, 16, 7, 9), some(24, 16, 3, 3), some(24)], tolerance)
    sameOnDevice(t, `${dtype} attention`, (q: T, k: T, v: T) => F.scaledDotProductAttention(q, k, v), [some(1, 2, 9, 16), some(1, 2, 9, 16), some(1, 2, 9, 16)], tolerance)
  }
  t.end()
})

t.test('quantized layers', (t) => {
  const [input, output] = torch.load('test/fixtures/cuda/quantized.io.pt') as [T, T]
  const received = torch.jit.load('test/fixtures/cuda/quantized.pt').to('cuda').forward(input.to('cuda')) as T
  t.equal(distance(received.cpu(), output), 0)
  const signed = (): torch.jit.ScriptModule => torch.jit.load('test/fixtures/cuda/quantized-signed.pt')
  const x = torch.randn([70, 150])
  t.equal(distance((signed().to('cuda').forward(x.to('cuda')) as T).cpu(), signed().forward(x) as T), 0, 'signed bytes')
  t.end()
})
