import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

torch.manualSeed(9)
const F = torch.nn.functional
const randn = (...shape: number[]): torch.Tensor => torch.randn(shape)
type T = torch.Tensor

t.test('attention', (t) => {
  const plain = (q: T, k: T, v: T): T => F.scaledDotProductAttention(q, k, v)
  const causal = (q: T, k: T, v: T): T => F.scaledDotProductAttention(q, k, v, { isCausal: true })
  const masked = (q: T, k: T, v: T, m: T): T => F.scaledDotProductAttention(q, k, v, { attnMask: m })
  for (const [length, keys, dim, values] of [
    [1, 1, 1, 1],
    [5, 7, 8, 8],
    [67, 70, 17, 66],
    [3, 130, 80, 5],
  ]) {
    const [q, k, v] = [randn(2, 2, length, dim), randn(2, 2, keys, dim), randn(2, 2, keys, values)]
    sameOnDevice(t, `${length} x ${keys}`, plain, [q, k, v], 1e-5)
    sameOnDevice(t, `${length} x ${keys}, causal`, causal, [q, k, v], 1e-5)
    sameOnDevice(t, `${length} x ${keys}, bias`, masked, [q, k, v, randn(1, 1, length, keys)], 1e-5)
    sameOnDevice(t, `${length} x ${keys}, mask`, masked, [q, k, v, randn(2, 1, 1, keys).gt(0)], 1e-5)
  }
  sameOnDevice(t, 'a row that sees nothing', masked, [randn(2, 3), randn(4, 3), randn(4, 3), torch.tensor([[true, false, true, true], [false, false, false, false]])], 1e-5)
  sameOnDevice(t, 'no keys', plain, [randn(1, 2, 3), randn(1, 0, 3), randn(1, 0, 3)], 1e-5)
  sameOnDevice(t, 'no batch', plain, [randn(0, 2, 3), randn(0, 4, 3), randn(0, 4, 3)], 1e-5)
  const heads = (x: T): T => x.reshape([2, 6, 3, 4]).transpose(1, 2)
  sameOnDevice(t, 'transposed projections', (q: T, k: T, v: T) => plain(heads(q), heads(k), heads(v)), [randn(2, 6, 12), randn(2, 6, 12), randn(2, 6, 12)], 1e-5)
  sameOnDevice(t, 'shared heads', (q: T, k: T, v: T) => F.scaledDotProductAttention(q, k, v, { enableGqa: true }), [randn(2, 6, 3, 4), randn(2, 2, 5, 4), randn(2, 2, 5, 4)], 1e-5)
  sameOnDevice(t, 'NaN', plain, [torch.full([1, 2, 2], NaN), randn(1, 3, 2), randn(1, 3, 2)], 1e-5)
  for (const [dtype, tolerance] of [
    ['float16', 2e-3],
    ['bfloat16', 1.6e-2],
  ] as const)
    sameOnDevice(t, dtype, plain, [randn(1, 2, 9, 8).to(dtype), randn(1, 2, 9, 8).to(dtype), randn(1, 2, 9, 8).to(dtype)], tolerance)
  t.end()
})

t.test('halves on Tensor Cores, and float64', (t) => {
  const plain = (q: T, k: T, v: T): T => F.scaledDotProductAttention(q, k, v)
  const causal = (q: T, k: T, v: T): T => F.scaledDotProductAttention(q, k, v, { isCausal: true })
  const masked = (q: T, k: T, v: T, m: T): T => F.scaledDotProductAttention(q, k, v, { attnMask: m })
  for (const [dtype, tolerance] of [
    ['float16', 4e-3],
    ['bfloat16', 3e-2],
    ['float64', 1e-12],
  ] as const) {
    for (const [length, keys, dim, values] of [
      [1, 1, 8, 8],
      [5, 7, 16, 16],
      [67, 130, 64, 64],
      [20, 70, 72, 128],
      [3, 66, 160, 200],
      [9, 9, 12, 5],
    ]) {
      const some = (...shape: number[]): T => randn(...shape).to(dtype)
      const [q, k, v] = [some(1, 2, length, dim), some(1, 2, keys, dim), some(1, 2, keys, values)]
      sameOnDevice(t, `${dtype} ${length} x ${keys} x ${dim}`, plain, [q, k, v], tolerance)
      sameOnDevice(t, `${dtype} ${length} x ${keys} x ${dim}, causal`, causal, [q, k, v], tolerance)
      sameOnDevice(t, `${dtype} ${length} x ${keys} x ${dim}, bias`, masked, [q, k, v, some(1, 1, length, keys)], tolerance)
      sameOnDevice(t, `${dtype} ${length} x ${keys} x ${dim}, mask`, masked, [q, k, v, randn(2, 1, keys).gt(0)], tolerance)
    }
    const heads = (x: T): T => x.reshape([2, 6, 3, 8]).transpose(1, 2)
    const three = [randn(2, 6, 24).to(dtype), randn(2, 6, 24).to(dtype), randn(2, 6, 24).to(dtype)]
    sameOnDevice(t, `${dtype}, transposed projections`, (q: T, k: T, v: T) => plain(heads(q), heads(k), heads(v)), three, tolerance)
    sameOnDevice(t, `${dtype}, a row that sees nothing`, masked, [randn(2, 8).to(dtype), randn(4, 8).to(dtype), randn(4, 8).to(dtype), torch.tensor([[true, false, true, true], [false, false, false, false]])], tolerance)
    sameOnDevice(t, `${dtype}, shared heads`, (q: T, k: T, v: T) => F.scaledDotProductAttention(q, k, v, { enableGqa: true }), [randn(1, 6, 3, 8).to(dtype), randn(1, 2, 5, 8).to(dtype), randn(1, 2, 5, 8).to(dtype)], tolerance)
  }
  t.end()
})
