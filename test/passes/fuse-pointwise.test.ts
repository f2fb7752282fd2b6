import t from 'tap'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseGraph } from '../../lib/ir/parser.js'
import { explainFusion } from '../../lib/passes/fuse-pointwise.js'
import { isas } from '../kernels/golden.js'

t.setTimeout(180000)

for (const isa of isas) {
  t.test(`random groups give the bits of the separate operators with ${isa}`, (t) => {
    const script = fileURLToPath(new URL('./fuse-pointwise-child.js', import.meta.url))
    const text = execFileSync(process.execPath, [script, '300'], {
      env: { ...process.env, TORCHSCRIPT_ISA: isa },
      maxBuffer: 1 << 26,
    }).toString()
    const { failures, count, fused, compared, ran } = JSON.parse(text) as Record<'count' | 'fused' | 'compared' | 'ran', number> & {
      failures: string[]
    }
    t.same(failures, [])
    t.equal(count, 300)
    t.ok(fused > 240, 'most graphs have a group')
    t.ok(ran > 400, 'most groups run as one kernel')
    t.ok(compared > 1000)
    t.end()
  })
}

t.test('explanations: a line for each group and for each operator that is in none', (t) => {
  const graph = parseGraph(`graph(%x : Tensor, %y : Tensor):
    %one : int = prim::Constant[value=1]()
    %k : Tensor = prim::NumToTensor(%one)
    %k2 : Tensor = aten::neg(%k)
    %a : Tensor = aten::exp(%x)
    %b : Tensor = aten::mul(%a, %k2)
    %p : Tensor = aten::relu_(%y)
    %c : Tensor = aten::neg(%y)
    %m : Tensor = aten::mm(%b, %c)
    %d : Tensor = aten::tanh(%m)
    return (%d)`)
  const lines = explainFusion(graph)
  t.match(lines[0], /^not fused: aten::neg %k2: it reads no data of the call/)
  t.match(lines[1], /^fused: exp, mul: one pass over memory instead of 2; 1 result never reaches memory/)
  t.match(lines[2], /^not fused: aten::neg %c: no pointwise operator beside it/)
  t.match(lines[3], /^not fused: aten::tanh %d: no pointwise operator beside it/)
  t.equal(lines.length, 4)
  t.end()
})
