import t from 'tap'
import * as torch from '../../../lib/index.js'

const unit = new torch.jit.CompilationUnit(`
def double(x):
    return torch.mul(x, 2)
def row(x):
    return torch.mul(x, 2)[0]
def same(x):
    return x
`)

t.test('small results hold their values, shapes and dtypes however many there are', (t) => {
  const made = Array.from({ length: 1200 }, (_, i) => unit.double(torch.tensor([i, i + 1, i + 2])) as torch.Tensor)
  t.ok(
    made.every((y, i) => y.data[0] === 2 * i && y.data[1] === 2 * i + 2 && y.data[2] === 2 * i + 4),
    'no result was written over',
  )
  const one = made[700]
  t.same(one.shape, [3])
  t.same(one.stride(), [1])
  t.equal(one.dtype, 'float32')
  t.equal(one.storageOffset(), 0)
  t.equal(one.isContiguous(), true)
  t.equal(one.numel(), 3)
  t.same(one.toArray(), [1400, 1402, 1404])
  t.equal((unit.double(torch.tensor(4n)) as torch.Tensor).item(), 8)
  t.end()
})

t.test('what callers do to shape and stride stays with them', (t) => {
  const y = unit.double(torch.ones([2, 3])) as torch.Tensor
  y.shape.push(9)
  y.stride().push(9)
  t.same((unit.double(torch.ones([2, 3])) as torch.Tensor).shape, [2, 3])
  t.same(y.stride(), [3, 1])
  t.end()
})

t.test('a small result can be written, passed on and kept in place', (t) => {
  const y = unit.double(torch.tensor([1, 2])) as torch.Tensor
  const data = y.data
  data[0] = 10
  t.same((unit.double(y) as torch.Tensor).toArray(), [20, 8])
  y.add_(1)
  t.same([...data], [11, 5], 'the memory stays the same when the tensor gets a handle')
  t.equal(y.data.buffer, data.buffer)
  const { storageBytes } = torch.Tensor.handleOf(y).info()
  t.equal(storageBytes, 8, 'its storage ends where it ends')
  t.throws(() => y.asStrided([3], [1]), /out of bounds/)
  t.end()
})

t.test('others that share the memory are not hurt by a transfer', (t) => {
  const y = unit.double(torch.tensor([1, 2])) as torch.Tensor
  const z = unit.double(torch.tensor([3, 4])) as torch.Tensor
  try {
    structuredClone(y.data.buffer, { transfer: [y.data.buffer as ArrayBuffer] })
  } catch {
    // Refused by some versions of Node, copied by others.
  }
  t.same(z.toArray(), [6, 8])
  t.end()
})

t.test('dispose', (t) => {
  const y = unit.double(torch.tensor([1, 2])) as torch.Tensor
  const z = unit.double(torch.tensor([1, 2])) as torch.Tensor
  t.equal(y.isDisposed, false)
  y.dispose()
  y.dispose()
  t.equal(y.isDisposed, true)
  t.throws(() => y.shape, /disposed of/)
  t.throws(() => y.data, /disposed of/)
  t.throws(() => unit.double(y), /disposed of/)
  t.equal(z.isDisposed, false)
  t.same(z.toArray(), [2, 4])
  t.end()
})

t.test('views, arguments and large results keep their identity', (t) => {
  const x = torch.ones([2, 2])
  const y = unit.same(x) as torch.Tensor
  y.data[0] = 5
  t.equal(x.data[0], 5)
  t.same((unit.row(x) as torch.Tensor).toArray(), [10, 2])
  const large = unit.double(torch.ones([2000])) as torch.Tensor
  t.equal(large.data.length, 2000)
  t.equal(large.data[1999], 2)
  t.end()
})

t.test('scopes keep what is returned and dispose of the rest', (t) => {
  const inner: torch.Tensor[] = []
  const kept = torch.scope(() => {
    inner.push(unit.double(torch.tensor([1])) as torch.Tensor)
    return unit.double(inner[0]) as torch.Tensor
  })
  t.equal(inner[0].isDisposed, true)
  t.same(kept.toArray(), [4])
  t.end()
})
