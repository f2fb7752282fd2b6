import './emulated.js'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import * as torch from '../../lib/index.js'
import { distance } from './compare.js'
import { makeCase } from '../passes/random-groups.js'
import { assemble, refusedOnCpu, runGroup } from './fused-groups.js'

torch.manualSeed(5)
t.setTimeout(120_000)
// The texts of all kernels of this process.
const folder = mkdtempSync(join(tmpdir(), 'ptx-'))
process.env.TORCHSCRIPT_CUDA_PTX = folder
t.teardown(() => {
  rmSync(folder, { recursive: true })
})

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
  for (const name of ['atan2', 'pow', 'maximum', 'minimum', 'div', 'fmod', 'remainder', 'floor_divide']) {
    const text = graphOf('%x : Tensor, %z : Tensor', ['%y : Tensor = aten::mul(%x, %one)', `%u : Tensor = aten::${name}(%y, %z)`], '%u')
    same(t, name, text, [x, other], 2e-6)
  }
  t.end()
})

t.test('how operands lie in memory', (t) => {
  const text = graphOf(
    '%x : Tensor, %y : Tensor',
    ['%a : Tensor = aten::mul(%x, %y)', '%b : Tensor = aten::sub(%a, %x, %one)', '%c : Tensor = aten::tanh(%y)'],
    '%b, %c',
  )
  const cases: readonly (readonly [string, torch.Tensor, torch.Tensor])[] = [
    ['a row', torch.randn([5, 64]), torch.randn([64])],
    ['a row of an odd length', torch.randn([5, 37]), torch.randn([37])],
    ['a column', torch.randn([5, 64]), torch.randn([5, 1])],
    ['channels', torch.randn([2, 6, 4, 4]), torch.randn([6, 1, 1])],
    ['one element', torch.randn([5, 64]), torch.randn([1, 1])],
    ['no dimensions', torch.randn([65]), torch.randn([])],
    ['transposed', torch.randn([33, 12]), torch.randn([12, 33]).t()],
    ['both transposed', torch.randn([12, 32]).t(), torch.randn([12, 32]).t()],
    ['a window', torch.randn([9, 40]).narrow(1, 3, 32), torch.randn([9, 32])],
    ['off alignment', torch.randn([257]).narrow(0, 1, 256), torch.randn([256])],
    ['half off alignment', torch.randn([67]).to('float16').narrow(0, 3, 64), torch.randn([64]).to('float16')],
    ['halves', torch.randn([7, 24]).to('float16'), torch.randn([24]).to('float16')],
    ['bfloat16', torch.randn([3, 29]).to('bfloat16'), torch.randn([3, 29]).to('bfloat16')],
    ['half and float', torch.randn([3, 40]).to('float16'), torch.randn([3, 40])],
    ['channels last', torch.randn([2, 8, 3, 5]).contiguous({ memoryFormat: 'channels_last' }), torch.randn([8, 1, 1])],
    ['expanded', torch.randn([1, 16]).expand([6, 16]), torch.randn([6, 16])],
    ['six dimensions', torch.randn([2, 1, 3, 1, 2, 4]), torch.randn([1, 2, 3, 5, 1, 4])],
  ]
  for (const [name, x, y] of cases) {
    // The second result is one of the largest shape only where y is.
    const whole = y.numel() === torch.mul(x, y).numel()
    same(t, name, whole ? text : text.replace('%b, %c)', '%b)').replace(/\n.*tanh.*/, ''), [x, y], y.dtype === 'float32' ? 1e-6 : 0)
    if (!whole) same(t, `${name}, a smaller result`, text.replace(/%c : .*/, '%c : Tensor = aten::mul(%y, %y)\n  %d : Tensor = aten::add(%b, %c, %one)').replace('%b, %c)', '%d, %c)'), [x, y])
  }
  t.end()
})

t.test('reductions at the end', (t) => {
  const reductions: readonly (readonly [string, string])[] = [
    ['sum', 'sum(%b, %axes, %true, %none)'],
    ['mean', 'mean(%b, %axes, %true, %none)'],
    ['amax', 'amax(%b, %axes, %true)'],
    ['amin', 'amin(%b, %axes, %true)'],
    ['all elements', 'sum(%b, %none)'],
  ]
  const shapes = [[40, 3], [7, 33], [5, 64], [3, 1001], [2, 5000], [1, 40000], [70001], [3, 2, 4]]
  const tolerances = { float32: 1e-5, float64: 1e-12, float16: 2e-3, bfloat16: 2e-2 }
  for (const shape of shapes)
    for (const dtype of shape[0] === 7 || shape[0] === 2 ? ['float32', 'float64', 'float16', 'bfloat16', 'int64', 'int32'] : ['float32']) {
      const n = shape.reduce((p, q) => p * q, 1)
      const x = torch.rand([...shape]).mul(dtype.startsWith('int') ? 9 : 1).to(dtype as 'float32')
      for (const [name, call] of reductions) {
        const constants = ['%axes : int[] = prim::Constant[value=[-1]]()', '%true : bool = prim::Constant[value=1]()']
        const text = graphOf('%x : Tensor', [...constants, '%a : Tensor = aten::mul(%x, %x)', '%b : Tensor = aten::sub(%a, %x, %one)', `%r : Tensor = aten::${call}`], '%r')
        if (dtype.startsWith('int') && name === 'mean') continue
        // Sums are compared beside what they sum.
        const tolerance = (tolerances[dtype as 'float32'] ?? 0) * (name === 'sum' || name === 'all elements' ? Math.max(1, Math.sqrt(n)) : 1)
        same(t, `${name} of ${dtype}[${shape}]`, text, [x], tolerance)
      }
    }
  // Results of the group beside the reduction, and truth.
  const x = torch.randn([6, 50])
  x.data[7] = NaN
  for (const call of ['any(%b, %axis, %true)', 'all(%b, %axis, %true)', 'any(%b)', 'all(%b)'])
    same(
      t,
      call,
      graphOf(
        '%x : Tensor',
        ['%axis : int = prim::Constant[value=-1]()', '%true : bool = prim::Constant[value=1]()', '%a : Tensor = aten::mul(%x, %x)', '%b : Tensor = aten::gt(%a, %one)', `%r : Tensor = aten::${call}`],
        '%r, %a',
      ),
      [x],
    )
  for (const call of ['amax(%a, %axes, %true)', 'max(%a)', 'amin(%a, %axes, %true)'])
    same(
      t,
      `${call} of NaN`,
      graphOf(
        '%x : Tensor',
        ['%axes : int[] = prim::Constant[value=[-1]]()', '%true : bool = prim::Constant[value=1]()', '%b : Tensor = aten::neg(%x)', '%a : Tensor = aten::mul(%b, %x)', `%r : Tensor = aten::${call}`],
        '%r',
      ),
      [x],
    )
  t.end()
})

t.test('numbers are parameters', (t) => {
  const text = graphOf('%x : Tensor, %s : float, %k : int', ['%a : Tensor = aten::mul(%x, %s)', '%b : Tensor = aten::add(%a, %k, %one)'], '%b')
  same(t, 'once', text, [torch.randn([9]), 1.5, 3])
  const before = readdirSync(folder).length
  same(t, 'again', text, [torch.randn([9]), -2.25, 7])
  t.equal(readdirSync(folder).length, before, 'other numbers need no other kernel')
  t.end()
})

t.test('what is left to the operators', (t) => {
  const run = (lines: readonly string[], x: torch.Tensor): void => {
    const { received, expected, fused } = runGroup(graphOf('%x : Tensor', lines, '%b'), [x])
    t.equal(fused, 0, lines[1])
    t.equal(received[0].device, 'cuda:0')
    t.ok(distance(received[0], expected[0]) <= 1e-12)
  }
  run(['%a : Tensor = aten::exp(%x)', '%b : Tensor = aten::neg(%a)'], torch.randn([5]).to('float64'))
  run(['%a : Tensor = aten::mul(%x, %x)', '%b : Tensor = aten::neg(%a)'], torch.complex(torch.randn([3]), torch.randn([3])))
  t.end()
})

// Random groups of all dtypes, shapes and strides.
t.test('random groups', (t) => {
  const cases = Number(process.env.FUSED_CASES ?? 100)
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

t.test('ptxas', (t) => {
  assemble(t, folder)
  t.end()
})
