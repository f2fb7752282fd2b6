// Random graphs of pointwise operators, fused, against the same operators one by one, on one instruction set; prints what differs, as JSON.
import '../../lib/index.js'
import { parseGraph } from '../../lib/ir/parser.js'
import type { Graph } from '../../lib/ir/graph.js'
import { fusePointwise } from '../../lib/passes/fuse-pointwise.js'
import { cloneGraph } from '../../lib/passes/clone.js'
import { nativeBinding } from '../../lib/native/loader.js'
import type { Tensor } from '../../lib/tensor/tensor.js'
import { makeCase, oneByOne } from './random-groups.js'
import { programOf } from './support.js'

const bytesOf = (t: Tensor): string => Buffer.from(new Uint8Array((t.contiguous().data as Float32Array).slice().buffer)).toString('hex')
const flat = (value: unknown): number[] => (Array.isArray(value) ? value.flatMap(flat) : [Number(value)])
const numbersOf = (t: Tensor): number[] => flat(t.toArray())

const failures: string[] = []
let count = 0
let fused = 0
let compared = 0
let refused = 0
let ran = 0
const cases = Number(process.argv[2] ?? 400)
const native = nativeBinding()
for (; count < cases; count++) {
  const { text, inputs } = makeCase()
  let graph: Graph
  try {
    graph = parseGraph(text)
  } catch (error) {
    failures.push(`${(error as Error).message}\n${text}`)
    break
  }
  const copy = cloneGraph(graph)
  fusePointwise().run(copy)
  const groups = copy.nodes.filter((node) => node.kind === 'prim::FusionGroup').length
  const [program, fn] = programOf(graph)
  let want: readonly Tensor[] | string
  try {
    want = oneByOne(graph, inputs)
  } catch (error) {
    want = (error as Error).message.split('\n')[0]
  }
  // The second call replays what the first one has recorded, the third does it again.
  for (let round = 0; round < 3; round++) {
    let got: readonly Tensor[] | string
    native.setTrace(true)
    try {
      got = program.call(fn, inputs) as Tensor[]
    } catch (error) {
      got = (error as Error).message
    }
    if (native.takeTrace().some((line) => line.startsWith('fused_pointwise: fused_pointwise_'))) ran++
    native.setTrace(false)
    if (typeof want === 'string' || typeof got === 'string') {
      if (typeof want === 'string') refused++
      // Operators that do not read one another may change places, so that another one of several errors comes first.
      if (typeof want !== typeof got)
        failures.push(`case ${count} round ${round}: ${String(got).slice(0, 200)} for ${String(want).slice(0, 200)}\n${text}`)
      continue
    }
    got.forEach((result, i) => {
      const expected = want[i] as Tensor
      const isReduced = text.includes('%r :') && i === got.length - 1
      const same =
        result.dtype === expected.dtype &&
        String(result.shape) === String(expected.shape) &&
        String(result.stride()) === String(expected.stride())
      let equal = same
      if (same && isReduced && result.dtype.startsWith('float')) {
        const [x, y] = [numbersOf(result), numbersOf(expected)]
        const tolerance = { float16: 1e-2, float32: 1e-5, float64: 1e-12 }[result.dtype as 'float32'] ?? 1e-1
        equal = x.every((v, k) => Object.is(v, y[k]) || v === y[k] || Math.abs(v - y[k]) <= tolerance * (1 + Math.abs(y[k])))
      } else if (same && !(isReduced && result.dtype === 'bfloat16')) equal = bytesOf(result) === bytesOf(expected)
      compared++
      if (!equal) {
        const [x, y] = [numbersOf(result), numbersOf(expected)]
        const at = bytesOf(result) === bytesOf(expected) ? -1 : x.findIndex((v, k) => !Object.is(v, y[k]))
        const shown = (v: Tensor): string => `${v.dtype}[${v.shape}](${v.stride()})`
        failures.push(
          `case ${count} round ${round} result ${i}: ${shown(result)} for ${shown(expected)}, ${x[at]} for ${y[at]} at ${at}\n${text}\n` +
            inputs.map((v) => (typeof v === 'number' ? String(v) : shown(v))).join('; '),
        )
      }
    })
  }
  if (groups > 0) fused++
  program.dispose()
}
console.log(JSON.stringify({ failures: failures.slice(0, 40), failed: failures.length, count, fused, compared, refused, ran }))
