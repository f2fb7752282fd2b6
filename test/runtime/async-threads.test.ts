import t from 'tap'
import { existsSync, readdirSync } from 'node:fs'
import * as torch from '../../lib/index.js'

const threads = (): number => readdirSync('/proc/self/task').length

t.test('many runs at a time use as many workers as threads are set', { skip: !existsSync('/proc/self/task') }, async (t) => {
  torch.setNumThreads(2)
  const { f } = new torch.jit.CompilationUnit('def f(x, y):\n    return torch.tanh(torch.mm(x, y))\n')
  const x = torch.ones([192, 192]).mul(0.01)
  f(x, x)
  const before = threads()
  let most = before
  const sample = setInterval(() => (most = Math.max(most, threads())), 1)
  const results = await Promise.all(Array.from({ length: 24 }, () => f.runAsync(x, x) as Promise<torch.Tensor>))
  clearInterval(sample)
  most = Math.max(most, threads())
  t.ok(most <= before + 2, `${most - before} threads were added`)
  const expected = (f(x, x) as torch.Tensor).data[0]
  t.ok(results.every((y) => y.data[0] === expected))
})
