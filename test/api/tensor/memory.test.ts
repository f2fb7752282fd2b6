import t from 'tap'
import * as torch from '../../../lib/index.js'

const mib = 2 ** 20

t.test('scopes and dispose free at once', (t) => {
  const x = torch.ones([mib / 16])
  const before = torch.memoryStats().liveBytes
  const y = torch.scope(() => {
    let sum = x.mul(1)
    for (let i = 0; i < 20; i++) sum = sum.add(x)
    return sum
  })
  t.equal(torch.memoryStats().liveBytes - before, mib / 4)
  y.dispose()
  t.equal(torch.memoryStats().liveBytes - before, 0)
  t.end()
})

t.test('large results that a loop drops give their blocks to the next ones', (t) => {
  const x = torch.ones([mib])
  const before = torch.memoryStats()
  const held = before.liveBytes + before.cachedBytes
  let highest = 0
  for (let i = 0; i < 400; i++) {
    torch.relu(x)
    const { liveBytes, cachedBytes } = torch.memoryStats()
    highest = Math.max(highest, liveBytes + cachedBytes - held)
  }
  // 400 results of 4 MiB are 1600 MiB.
  t.ok(highest <= 200 * mib, `${Math.round(highest / mib)} MiB at most`)
  t.end()
})

t.test('tensors disposed of, and views, do not count as more memory than there is', (t) => {
  const x = torch.ones([4 * mib])
  const { cachedBytes, liveBytes } = torch.memoryStats()
  for (let i = 0; i < 100; i++) {
    x.view(2, -1)
    x.mul(2).dispose()
  }
  const after = torch.memoryStats()
  t.ok(after.liveBytes <= liveBytes)
  t.ok(after.liveBytes + after.cachedBytes <= liveBytes + cachedBytes + 16 * mib)
  // Of two handles on one storage either may go first.
  const y = x.mul(2)
  const view = y.view(2, -1)
  y.dispose()
  for (let i = 0; i < 20; i++) x.mul(2)
  t.equal(view.index(1, 7).item(), 2)
  view.dispose()
  t.end()
})

t.test('tensors that a loop drops are freed while the loop runs, though the event loop never turns', (t) => {
  const x = torch.ones([mib / 16])
  const before = torch.memoryStats().liveBytes
  let highest = 0
  for (let i = 0; i < 8000; i++) {
    x.add(1)
    if (i % 100 === 0) highest = Math.max(highest, torch.memoryStats().liveBytes - before)
  }
  // 8000 results of 256 KiB are 2000 MiB.
  t.ok(highest < 1000 * mib, `${Math.round(highest / mib)} MiB at most`)
  t.end()
})

t.test('what is in use outlives the sweeps: views, results kept, tensors in closures', (t) => {
  const kept: torch.Tensor[] = []
  for (let i = 0; i < 6000; i++) {
    const y = torch.full([4], i)
    if (i % 100 === 0) kept.push(y.view(2, 2))
  }
  t.same(
    kept.map((y) => y.index(1, 1).item()),
    kept.map((_, i) => i * 100),
  )
  t.end()
})
