/** Recordings that take oneDNN wherever it has a kernel, against our own kernels; prints what differs and what ran, as JSON. */
import '../../lib/ops/registry.js'
import { allNodes } from '../../lib/ir/graph.js'
import { tensor as made, type Tensor } from '../../lib/index.js'
import { native } from '../native/programs.js'
import { graphOf, programOf } from '../passes/support.js'

let state = 7
const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 0x40000000 - 1

function tensor(shape: readonly number[], special = false): Tensor {
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, random)
  if (special) data.set([NaN, Infinity, -Infinity], 1)
  return made(data, { shape: [...shape] })
}
const elements = (value: unknown): Float32Array => (value as Tensor).contiguous().data as Float32Array

const failures: string[] = []
const kernels = new Set<string>()
let count = 0
function check(name: string, call: string, constants: Record<string, Tensor>, args: Record<string, Tensor>, lists = ''): void {
  const text = `graph(${Object.keys(args)
    .map((arg) => `%${arg} : Tensor`)
    .join(', ')}):
    %none : NoneType = prim::Constant()
    %relu : str = prim::Constant[value="relu"]()
    %gelu : str = prim::Constant[value="gelu"]()
    %zero : int = prim::Constant[value=0]()
    %one : int = prim::Constant[value=1]()
    %false : bool = prim::Constant[value=0]()
${Object.keys(constants)
  .map((constant) => `    %${constant} : Tensor = prim::Constant()\n`)
  .join('')}${lists}    %r : Tensor = ${call}
    return (%r)
`
  const compiled = (): ReturnType<typeof programOf> => {
    const graph = graphOf(text, constants)
    // Copies of the descriptions stand for weights of files, which stay as they are.
    for (const node of allNodes(graph.block)) {
      const { constant } = node
      if (constant?.kind === 'tensor')
        node.setAttribute('value', { kind: 'value', value: { kind: 'tensor', tensor: { ...(constant.tensor as object) } } })
    }
    return programOf(graph)
  }
  const [[ours, ourFunction], [tuned, tunedFunction]] = [compiled(), compiled()]
  tuned.setAutotune(true)
  const want = elements(ours.call(ourFunction, Object.values(args)))
  // Plain, recorded and replayed.
  for (let i = 0; i < 4; i++) {
    native.setTrace(true)
    const got = elements(tuned.call(tunedFunction, Object.values(args)))
    for (const line of native.takeTrace()) kernels.add(line)
    native.setTrace(false)
    count++
    const bad = got.findIndex((value, j) => !(Object.is(value, want[j]) || Math.abs(value - want[j]) <= 2e-5 * (1 + Math.abs(want[j]))))
    if (bad >= 0 || got.length !== want.length) failures.push(`${name}, run ${i}: ${got[bad]} is not ${want[bad]}`)
  }
}

check('linear', 'aten::linear(%x, %w, %b)', { w: tensor([33, 70]), b: tensor([33]) }, { x: tensor([2, 9, 70]) })
check('linear, one row', 'aten::linear(%x, %w, %none)', { w: tensor([33, 70]) }, { x: tensor([70]) })
check(
  'linear and more',
  'torchscript::linear_epilogue(%x, %w, %b, %y, %gelu)',
  { w: tensor([33, 70]), b: tensor([33]) },
  { x: tensor([9, 70]), y: tensor([9, 33]) },
)
check(
  'special values',
  'torchscript::linear_epilogue(%x, %w, %b, %none, %relu)',
  { w: tensor([33, 70]), b: tensor([33]) },
  { x: tensor([9, 70], true) },
)
check('mm', 'aten::mm(%x, %w)', { w: tensor([40, 24]) }, { x: tensor([5, 40]) })
check('mm, turned', 'aten::mm(%x, %w)', { w: tensor([24, 40]).t() }, { x: tensor([5, 40]) })
check('matmul', 'aten::matmul(%x, %w)', { w: tensor([40, 24]) }, { x: tensor([2, 5, 40]) })
check('addmm', 'aten::addmm(%b, %x, %w, %one, %one)', { w: tensor([40, 24]), b: tensor([24]) }, { x: tensor([5, 40]) })

for (const [name, x, w, stride, padding, dilation, groups] of [
  ['1x1', [1, 20, 7, 9], [30, 20, 1, 1], 1, 0, 1, 1],
  ['3x3', [2, 6, 9, 11], [9, 6, 3, 3], 1, 1, 1, 1],
  ['strided', [1, 6, 9, 11], [9, 6, 3, 3], 2, 1, 1, 1],
  ['dilated', [1, 6, 9, 11], [9, 6, 3, 3], 1, 2, 2, 1],
  ['grouped', [1, 6, 9, 11], [8, 3, 3, 3], 1, 0, 1, 2],
  ['depthwise', [1, 6, 9, 11], [6, 1, 3, 3], 1, 1, 1, 6],
] as const) {
  for (const memoryFormat of ['contiguous_format', 'channels_last'] as const) {
    const pairs = Object.entries({ stride, padding, dilation })
    const lists =
      pairs
        .map(
          ([key, value]) =>
            `    %${key}0 : int = prim::Constant[value=${value}]()\n    %${key} : int[] = prim::ListConstruct(%${key}0, %${key}0)\n`,
        )
        .join('') + `    %groups : int = prim::Constant[value=${groups}]()\n    %out : int[] = prim::ListConstruct(%zero, %zero)\n`
    check(
      `convolution ${name}, ${memoryFormat}`,
      'aten::convolution(%x, %w, %b, %stride, %padding, %dilation, %false, %out, %groups)',
      { w: tensor(w), b: tensor([w[0]]) },
      { x: tensor(x).contiguous({ memoryFormat }) },
      lists,
    )
  }
}

process.stdout.write(JSON.stringify({ failures, count, kernels: [...kernels] }))
