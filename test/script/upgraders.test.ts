import t from 'tap'
import { allNodes } from '../../lib/ir/graph.js'
import { CompilationUnit } from '../../lib/script/compilation-unit.js'

/** The operator or function that the expression calls in an archive of a version. */
function called(expression: string, version: number): string {
  const [fn] = new CompilationUnit({ version }).define(`def f(x: Tensor, y: Tensor) -> Tensor:\n  return ${expression}\n`)
  const nodes = [...allNodes(fn.graph.block)].filter((n) => n.schema !== undefined || n.kind === 'prim::CallFunction')
  const last = nodes[nodes.length - 1]
  if (last.kind !== 'prim::CallFunction') return last.schema!.fullName
  const constant = last.inputs[0].node.constant
  if (constant?.kind !== 'function') throw new Error('Expected a function.')
  // The function itself has to compile as well.
  return constant.fn.graph.outputs.length === 1 ? constant.fn.name : ''
}

t.test('operators of old archives keep their old meaning', (t) => {
  const rows: [expression: string, bump: number, before: string, after: string][] = [
    ['torch.div(x, y)', 4, 'div_0_3', 'aten::div.Tensor'],
    ['torch.div(x, 2)', 4, 'div_Scalar_0_3', 'aten::div.Scalar'],
    ['torch.div_(x, y)', 4, 'div__0_3', 'aten::div_.Tensor'],
    ['torch.div_(x, 2)', 4, 'div__Scalar_0_3', 'aten::div_.Scalar'],
    ['torch.div(x, y, out=x)', 4, 'div_out_0_3', 'aten::div.out'],
    ['torch.full([2], 1)', 5, 'full_0_4', 'aten::full'],
    ['torch.full([2], 1, dtype=None, layout=None, device=torch.device("cpu"))', 5, 'full_0_4', 'aten::full'],
  ]
  for (const [expression, bump, before, after] of rows) {
    for (const version of [1, bump - 1]) t.equal(called(expression, version), before, `${expression} at ${version}`)
    for (const version of [bump, 10]) t.equal(called(expression, version), after, `${expression} at ${version}`)
  }
  t.end()
})

t.test('a missing number of steps was 100', (t) => {
  t.equal(called('torch.linspace(0, 1)', 7), 'linspace_0_7')
  t.equal(called('torch.linspace(0, 1, None, dtype=6)', 7), 'linspace_0_7')
  t.equal(called('torch.logspace(0, 1)', 8), 'logspace_0_8')
  t.equal(called('torch.linspace(0, 1, 5)', 8), 'aten::linspace')
  t.equal(called('torch.linspace(0, 1, 5)', 3), 'aten::linspace', 'steps were given')
  t.equal(called('torch.linspace(x, y, 5)', 3), 'aten::linspace.Tensor_Tensor')
  t.equal(called('torch.logspace(x, 1, 5)', 3), 'aten::logspace.Tensor_Scalar')
  t.throws(() => called('torch.linspace(0, 1)', 8), { code: 'ERR_COMPILE' })
  t.throws(() => called('torch.logspace(0, 1)', 9), { code: 'ERR_COMPILE' })
  t.end()
})

t.test('operators that never changed are left alone', (t) => {
  t.equal(called('torch.true_divide(x, y)', 1), 'aten::div.Tensor', 'true division under its own name has always been true')
  t.equal(called('torch.div(x, y, rounding_mode="floor")', 1), 'aten::div.Tensor_mode')
  t.equal(called('torch.gelu(x)', 1), 'aten::gelu')
  t.equal(called('torch.add(x, y)', 1), 'aten::add.Tensor')
  t.end()
})
