import t from 'tap'
import * as torch from '../../lib/index.js'
import { authoredCases } from '../../scripts/interop/authored.js'

/*
 * The archives of `npm run interop` in our own reader: what PyTorch must compute from them, a copy of ours must compute too. Layers are
 * left out: they are many, and alike.
 */

const copied = (value: unknown): unknown =>
  value instanceof torch.Tensor ? torch.load(torch.save(value)) : Array.isArray(value) ? value.map(copied) : value

/** Whether two results are the same, up to the rounding of sums that kernels may take in another order. */
function same(a: unknown, b: unknown): boolean {
  if (a instanceof torch.Tensor)
    return b instanceof torch.Tensor && a.dtype === b.dtype && a.shape.join() === b.shape.join() && same(a.toArray(), b.toArray())
  if (typeof a === 'number' && typeof b === 'number') return Object.is(a, b) || Math.abs(a - b) <= 1e-5 * (1 + Math.abs(b))
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b
  const [left, right] = [a, b].map((v) => (v instanceof Map ? [...v] : Object.entries(v)))
  return left.length === right.length && left.every(([k, v], i) => k === right[i][0] && same(v, right[i][1]))
}

for (const { name, make } of authoredCases) {
  if (name.startsWith('layers/')) continue
  t.test(name, (t) => {
    const { module, inputs, method = 'forward' } = make()
    const bytes = torch.jit.save(module)
    t.same(torch.jit.save(module), bytes, 'the same bytes each time')
    const copy = torch.jit.load(bytes)
    t.same(torch.jit.load(copy.save()).code, copy.code, 'the code of a copy of the copy')
    const run = (m: torch.jit.ScriptModule | torch.jit.ScriptFunction): unknown => {
      const args = copied(inputs) as unknown[]
      torch.manualSeed(0)
      return m instanceof torch.jit.ScriptModule ? m.run(method, ...args) : m(...args)
    }
    t.ok(same(run(copy), run(module)), 'the same results')
    t.end()
  })
}
