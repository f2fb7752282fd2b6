import './emulated.js'
import t, { type Test } from 'tap'
import * as torch from '../../lib/index.js'
import { distance } from './compare.js'
import { runGroup } from './fused-groups.js'

torch.manualSeed(5)

/** A graph whose last value, or values, are its results. */
function graphOf(inputs: string, lines: readonly string[], results: string): string {
  const constants = ['%one : int = prim::Constant[value=1]()', '%none : NoneType = prim::Constant()', '%text : str = prim::Constant[value="none"]()']
  return `graph(${inputs}):\n  ${[...constants, ...lines].join('\n  ')}\n  %out : Tensor[] = prim::ListConstruct(${results})\n  return (%out)`
}

function same(t: Test, name: string, text: string, inputs: readonly unknown[], tolerance = 0): void {
  const { received, expected, fused } = runGroup(text, inputs)
  t.equal(fused, 2, `${name} runs as one kernel`)
  received.forEach((result, i) => {
    t.equal(result.device, 'cuda:0')
    t.equal(result.dtype, expected[i].dtype, `${name} dtype`)
    t.same(result.shape, expected[i].shape, `${name} shape`)
    const d = distance(result, expected[i])
    t.ok(d <= tolerance, `${name} result ${i}: distance ${d}`)
  })
}

t.test('runs of memory', (t) => {
  const text = graphOf('%x : Tensor, %y : Tensor', ['%a : Tensor = aten::add(%x, %y, %one)', '%b : Tensor = aten::relu(%a)'], '%b')
  for (const n of [1, 3, 4, 257, 5000]) same(t, `${n} elements`, text, [torch.randn([n]), torch.randn([n])])
  t.end()
})
