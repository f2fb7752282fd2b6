import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { isas } from './golden.js'

for (const isa of isas) {
  t.test(`two-argument functions, Fourier transforms of many lines and distances with ${isa}`, (t) => {
    const script = fileURLToPath(new URL('./lines-child.js', import.meta.url))
    const text = execFileSync(process.execPath, [script], { env: { ...process.env, TORCHSCRIPT_ISA: isa } }).toString()
    t.same(JSON.parse(text), [])
    t.end()
  })
}

t.test('histogramdd counts points in a grid, weighted and as a density', (t) => {
  const points = torch.tensor([
    [0, 0],
    [0.5, 2],
    [1, 3],
    [-1, 1],
    [5, 1],
  ])
  const weight = torch.tensor([1, 2, 4, 8, 16])
  const [counts, edges] = torch.histogramdd(points, [2, 3], { range: [-1, 1, 0, 3], weight })
  t.same(counts.toArray(), [
    [0, 8, 0],
    [1, 0, 6],
  ])
  t.same(
    edges.map((e) => e.toArray()),
    [
      [-1, 0, 1],
      [0, 1, 2, 3],
    ],
  )
  const [density] = torch.histogramdd(points, [2, 3], { range: [-1, 1, 0, 3], weight, density: true })
  t.equal(density.sum().item(), 1)
  t.same(torch.histogramdd(points, [torch.tensor([-1, 0, 1]), torch.tensor([0, 1, 2, 3])], { weight })[0].toArray(), counts.toArray())
  t.throws(() => torch.histogramdd(points, [2]), /size of bins must be equal/)
  t.end()
})

t.test('roll by a few elements', (t) => {
  const rows = torch.arange(0, 3000).reshape([3, 1000])
  for (const shift of [1, 3, -3, 64, 999, -1003]) {
    const moved = torch.roll(rows, [shift], [1])
    const at = ((shift % 1000) + 1000) % 1000
    t.ok(moved.equal(torch.cat([rows.narrow(1, 1000 - at, at), rows.narrow(1, 0, 1000 - at)], 1)), `by ${shift}`)
  }
  t.end()
})
