import t from 'tap'
import * as torch from '../../../lib/index.js'

const mib = 2 ** 20

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

t.test('scopes and dispose free at once', (t) => {
  const x = torch.ones([mib / 4])
  const before = torch.memoryStats().liveBytes
  const y = torch.scope(() => {
    let sum = x.mul(1)
    for (let i = 0; i < 20; i++) sum = sum.add(x)
    return sum
  })
  t.equal(torch.memoryStats().liveBytes - before, mib)
  y.dispose()
  t.equal(torch.memoryStats().liveBytes - before, 0)
  t.end()
})
