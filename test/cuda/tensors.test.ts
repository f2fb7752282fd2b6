import { emulated, onlyEmulated } from './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

t.test('the device is there, and says what it is', onlyEmulated, (t) => {
  t.equal(torch.cuda.isAvailable(), true)
  t.equal(torch.cuda.unavailableReason(), undefined)
  t.equal(torch.cuda.deviceCount(), 2)
  t.equal(torch.cuda.getDeviceName(), 'Emulated GPU 0')
  t.same(torch.cuda.getDeviceCapability(1), [8, 0])
  t.equal(torch.cuda.driverVersion(), '12.8')
  t.ok(torch.cuda.kernelFile().kernels.includes('copy_4'))
  t.throws(() => torch.cuda.getDeviceProperties(2), /Expected a CUDA device from 0 to 1 for `device` but received the number 2/)
  t.end()
})

const dtypes = [
  'uint8',
  'int8',
  'int16',
  'int32',
  'int64',
  'float16',
  'float32',
  'float64',
  'bool',
  'bfloat16',
  'complex64',
  'complex128',
] as const

t.test('tensors go to the device and come back, of every dtype', (t) => {
  const x = torch.tensor([
    [0, 1, 2],
    [3, -4, 5],
  ])
  for (const dtype of dtypes) {
    const here = x.to(dtype)
    const there = here.to('cuda')
    t.equal(there.device, 'cuda:0')
    t.equal(there.dtype, dtype)
    t.same(there.cpu().toArray(), here.toArray(), dtype)
    t.same(there.toArray(), here.toArray(), `${dtype}, read where it is`)
    t.same(there.t().cpu().toArray(), here.t().toArray(), `${dtype}, transposed`)
    t.same(there.select(1, 1).contiguous().toArray(), here.select(1, 1).toArray(), `${dtype}, a column`)
  }
  t.end()
})

t.test('casts on the device are those of the CPU', (t) => {
  const x = torch.tensor([0, 1, -1, 2.5, -2.5, 300.7, -129, 65504, 1e6, 3e9, -3e9, 1e20, NaN, Infinity, -Infinity, -0, 1e-8, 5.96e-8, 0.1])
  for (const from of dtypes) {
    const source = x.to(from)
    for (const to of dtypes) sameOnDevice(t, `${from} to ${to}`, (v: torch.Tensor) => v.to(to), [source])
  }
  t.end()
})

t.test('views share memory on the device', (t) => {
  const x = torch.zeros([3, 4]).to('cuda')
  x.select(0, 1).fill_(7)
  x.t().select(0, 2).fill_(5)
  t.same(x.toArray(), [
    [0, 0, 5, 0],
    [7, 7, 5, 7],
    [0, 0, 5, 0],
  ])
  t.same(x.reshape([2, 6]).toArray(), [
    [0, 0, 5, 0, 7, 7],
    [5, 7, 0, 0, 5, 0],
  ])
  x.select(0, 0).copy_(torch.tensor([1, 2, 3, 4]))
  t.same(x.select(0, 0).cpu().toArray(), [1, 2, 3, 4])
  const here = torch.zeros([4, 3])
  here.t().copy_(x)
  t.same(here.toArray(), x.t().toArray())
  t.end()
})

t.test('creation on the device', (t) => {
  t.equal(torch.tensor([1, 2], { device: 'cuda' }).device, 'cuda:0')
  if (emulated) t.equal(torch.tensor([1, 2], { device: 'cuda:1' }).device, 'cuda:1')
  t.same(torch.tensor(3, { device: 'cuda' }).item(), 3)
  t.same(torch.ones([2, 2], { device: 'cuda' }).toArray(), [
    [1, 1],
    [1, 1],
  ])
  t.same(torch.full([3], 2.5, { device: 'cuda', dtype: 'float16' }).toArray(), [2.5, 2.5, 2.5])
  t.same(torch.arange(5, { device: 'cuda' }).device, 'cuda:0')
  const like = torch.zerosLike(torch.ones([2], { device: 'cuda' }))
  t.same([like.device, like.toArray()], ['cuda:0', [0, 0]])
  t.throws(() => torch.tensor([1], { device: 'cuda:77' }), /Expected a CUDA device below \d+ for `device` but received 'cuda:77'/)
  t.throws(() => torch.tensor([1], { device: 'tpu' }), /Expected 'cpu' or a device such as 'cuda:0' for `device` but received "tpu"/)
  t.end()
})

t.test('printing names the device', (t) => {
  t.equal(torch.tensor([1, 2.5], { device: 'cuda' }).toString(), "tensor([1.0000, 2.5000], device='cuda:0')")
  t.end()
})

t.test('what memory of the device does not allow is said', (t) => {
  const x = torch.ones([2], { device: 'cuda' })
  t.throws(() => x.data, /Expected a tensor on the CPU for `data` but received one on cuda:0; copy it with `cpu\(\)` first/)
  t.throws(
    () => torch.add(x, torch.ones([2])),
    /Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!/,
  )
  if (emulated) t.throws(() => torch.add(x, torch.ones([2], { device: 'cuda:1' })), /found at least two devices, cuda:0 and cuda:1!/)
  t.same(torch.add(x, torch.tensor(2)).toArray(), [3, 3], 'a single value of the CPU counts as a number')
  t.end()
})

t.test('memory is counted, kept, and its want is an error with sizes', onlyEmulated, (t) => {
  const before = torch.cuda.memoryAllocated()
  const x = torch.ones([1000], { device: 'cuda' })
  t.equal(torch.cuda.memoryAllocated() - before, 4000)
  x.dispose()
  t.equal(torch.cuda.memoryAllocated(), before)
  t.throws(
    () => torch.zeros([1 << 20, 1 << 10], { device: 'cuda' }),
    /CUDA out of memory. Tried to allocate 4.00 GiB. GPU 0 has a total capacity of 1.00 GiB of which/,
  )
  t.same(torch.ones([2], { device: 'cuda' }).toArray(), [1, 1], 'the process goes on')
  t.end()
})

t.test('several devices', onlyEmulated, (t) => {
  const x = torch.tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { device: 'cuda:1' },
  )
  t.same(x.t().to('cuda:0').toArray(), [
    [1, 3],
    [2, 4],
  ])
  torch.cuda.setDevice(1)
  t.equal(torch.ones([1]).to('cuda').device, 'cuda:1')
  torch.cuda.setDevice('cuda:0')
  t.equal(torch.cuda.currentDevice(), 0)
  torch.cuda.synchronize()
  t.end()
})

t.test('an operator without a kernel is named, and runs on the CPU where that is allowed', (t) => {
  const x = torch.eye(2).mul(2).to('cuda')
  t.throws(
    () => torch.linalg.eigvals(x),
    /has no CUDA kernel for float32 .* on cuda:0. It runs on the CPU: .*torch.cuda.setFallback\('cpu'\)/,
  )
  torch.cuda.setFallback('cpu')
  t.teardown(() => torch.cuda.setFallback('error'))
  torch.cuda.takeFallenBack()
  const values = torch.linalg.eigvals(x)
  t.equal(values.device, 'cuda:0')
  t.same(torch.cuda.takeFallenBack(), ['aten::linalg_eigvals'])
  t.same(values.cpu().abs().toArray(), [2, 2])
  t.end()
})
