import './emulated.js'
import t, { type Test } from 'tap'
import * as torch from '../../lib/index.js'
import { distance } from './compare.js'
import { makeCase } from '../passes/random-groups.js'
import { refusedOnCpu, runGroup } from './fused-groups.js'

torch.manualSeed(5)

const unary = `relu neg abs exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc
  erfinv sigmoid silu gelu hardswish hardsigmoid relu6 square sign trunc frac floor ceil isnan logical_not`.split(/\s+/)

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

t.test('functions of float32', (t) => {
  const edges = [0, -0, 1, -1, 0.5, -0.5, 1e-40, -1e-40, 1e-8, 87.5, -87.5, 100, -104, 3e38, -3e38, Infinity, -Infinity, NaN, 2, 8, -8]
  const large = [8192, 8193.5, -9000, 1e5, 123456789, -1e10, 3e20, 1e38, 3.4e38, -3.4e38]
  const many = Array.from({ length: 500 }, (_, i) => Math.sinh((i - 250) / 40))
  const x = torch.tensor([...edges, ...large, ...many])
  const lines = unary.map((name, i) => `%u${i} : Tensor = aten::${name}(%y${name === 'gelu' ? ', %text' : ''})`)
  for (let i = 0; i < lines.length; i++) {
    const text = graphOf('%x : Tensor', ['%y : Tensor = aten::mul(%x, %one)', lines[i]], `%u${i}`)
    same(t, unary[i], text, [x], 2e-6)
  }
  const other = torch.tensor([...edges, ...large, ...many].reverse())
  for (const name of ['atan2', 'pow', 'maximum', 'minimum', 'div']) {
    const text = graphOf('%x : Tensor, %z : Tensor', ['%y : Tensor = aten::mul(%x, %one)', `%u : Tensor = aten::${name}(%y, %z)`], '%u')
    same(t, name, text, [x, other], 2e-6)
  }
  t.end()
})

// Random groups of all dtypes, shapes and strides.
t.test('random groups', (t) => {
  const cases = Number(process.env.FUSED_CASES ?? 150)
  const failures: string[] = []
  let fused = 0
  let results = 0
  for (let i = 0; i < cases; i++) {
    const { text, inputs } = makeCase()
    let ran
    try {
      ran = runGroup(text, inputs, 1)
    } catch (error) {
      // What the CPU refuses too.
      if (!refusedOnCpu(text, inputs)) failures.push(`case ${i}: ${(error as Error).message}\n${text}`)
      continue
    }
    fused += ran.fused
    ran.received.forEach((result, k) => {
      results++
      const expected = ran.expected[k]
      const isReduced = text.includes('%r :') && k === ran.received.length - 1
      const tolerance =
        { float16: isReduced ? 1e-2 : 2e-3, bfloat16: isReduced ? 0.1 : 2e-2, float32: isReduced ? 2e-5 : 2e-6, float64: 1e-11 }[
          result.dtype as 'float32'
        ] ?? 0
      const d = result.dtype === expected.dtype && String(result.shape) === String(expected.shape) ? distance(result, expected) : Infinity
      if (d <= tolerance) return
      const shown = (v: torch.Tensor): string => `${v.dtype}[${v.shape}](${v.stride()})`
      failures.push(
        `case ${i} result ${k}: ${shown(result)} for ${shown(expected)}, distance ${d}, fused ${ran.fused}\n${text}\n` +
          inputs.map((v) => (v instanceof torch.Tensor ? shown(v) : String(v))).join('; '),
      )
    })
  }
  t.comment(`${results} results of ${cases} groups, ${fused} fused`)
  t.same(failures, [])
  t.ok(fused > cases / 3, `${fused} of ${cases} run as one kernel`)
  t.end()
})
