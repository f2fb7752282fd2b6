import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { scalarOf } from '../../lib/runtime/tensors.js'
import type { TensorData } from '../../lib/archive/values.js'
import { printGraph } from '../../lib/ir/printer.js'
import { autocast } from '../../lib/passes/autocast.js'
import { assignLayout } from '../../lib/passes/assign-layout.js'
import { cancelTransposes } from '../../lib/passes/cancel-transposes.js'
import { canonicalizeLoops } from '../../lib/passes/canonicalize-loops.js'
import { canonicalizeConstants } from '../../lib/passes/canonicalize-constants.js'
import { cloneGraph } from '../../lib/passes/clone.js'
import { eliminateCommonSubexpressions } from '../../lib/passes/common-subexpressions.js'
import { compressWeights } from '../../lib/passes/compress-weights.js'
import { concatLinears } from '../../lib/passes/concat-linear.js'
import { propagateConstants } from '../../lib/passes/constant-propagation.js'
import { eliminateDeadCode, eliminateUnusedWork } from '../../lib/passes/dead-code.js'
import { foldConvolutionBatchNorm, foldLinearBatchNorm } from '../../lib/passes/fold-batch-norm.js'
import { foldConvolutionArithmetic } from '../../lib/passes/fold-conv-arithmetic.js'
import { optimizeFrozenGraph } from '../../lib/passes/frozen-pipeline.js'
import { forwardSizes } from '../../lib/passes/forward-sizes.js'
import { fuseBottlenecks } from '../../lib/passes/fuse-bottlenecks.js'
import { expandBatchNorm } from '../../lib/passes/expand-batch-norm.js'
import { expandMultiHead } from '../../lib/passes/expand-multi-head.js'
import { fuseAddmm } from '../../lib/passes/fuse-addmm.js'
import { expandFusion } from '../../lib/passes/expand-fusion.js'
import { fuseEpilogues } from '../../lib/passes/fuse-epilogues.js'
import { fusePointwise } from '../../lib/passes/fuse-pointwise.js'
import { hoistInvariants } from '../../lib/passes/hoist-invariants.js'
import { knownRanks } from '../../lib/passes/known-ranks.js'
import { lowerTuples } from '../../lib/passes/lower-tuples.js'
import type { Pass } from '../../lib/passes/pass.js'
import { peephole } from '../../lib/passes/peephole.js'
import { poolConstants } from '../../lib/passes/pool-constants.js'
import { recognizeAttention } from '../../lib/passes/recognize-attention.js'
import { recognizeGelu } from '../../lib/passes/recognize-gelu.js'
import { recognizeNorm } from '../../lib/passes/recognize-norm.js'
import { recognizeSilu } from '../../lib/passes/recognize-silu.js'
import { removeDropout } from '../../lib/passes/remove-dropout.js'
import { removeMutation } from '../../lib/passes/remove-mutation.js'
import { removeNoOps } from '../../lib/passes/remove-no-ops.js'
import { simplifyBranches } from '../../lib/passes/simplify-branches.js'
import { simplifyLists } from '../../lib/passes/simplify-lists.js'
import { simplifyOptionals } from '../../lib/passes/simplify-optionals.js'
import { unrollLoops } from '../../lib/passes/unroll-loops.js'
import { dropUnusedResults } from '../../lib/passes/unused-results.js'
import type { Tensor } from '../../lib/tensor/tensor.js'
import { tensor } from '../../lib/tensor/creation.js'
import { after, evaluator, graphOf, input, sameValues } from './support.js'

const passes: readonly Pass[] = [
  autocast('float16', evaluator),
  assignLayout(evaluator),
  cancelTransposes,
  canonicalizeConstants({ scalar: (constant) => scalarOf(constant as TensorData) }),
  eliminateCommonSubexpressions,
  compressWeights('float16', evaluator),
  concatLinears(evaluator),
  propagateConstants(evaluator),
  eliminateDeadCode,
  eliminateUnusedWork,
  foldConvolutionBatchNorm(evaluator),
  foldLinearBatchNorm(evaluator),
  foldConvolutionArithmetic(evaluator),
  forwardSizes,
  fuseBottlenecks(evaluator),
  expandBatchNorm(evaluator),
  expandMultiHead(evaluator),
  fuseAddmm(evaluator),
  fuseEpilogues(evaluator),
  fusePointwise(),
  expandFusion,
  hoistInvariants,
  knownRanks(evaluator),
  lowerTuples,
  peephole,
  poolConstants,
  recognizeAttention({ scalar: (constant) => scalarOf(constant as TensorData) }, evaluator),
  recognizeGelu(evaluator),
  recognizeNorm(evaluator),
  recognizeSilu(evaluator),
  removeDropout,
  removeMutation(evaluator),
  removeNoOps(evaluator),
  simplifyBranches,
  simplifyLists,
  simplifyOptionals,
  unrollLoops,
  canonicalizeLoops,
  dropUnusedResults,
  {
    name: 'frozen',
    run(graph) {
      optimizeFrozenGraph(graph, evaluator, { numerics: true })
      return true
    },
  },
]

/** `[2, 3]`, `[2, 3] positive`, `[2, 3] float16`, a number, `true`, ... */
function valueOf(text: string, seed: number): unknown {
  const shape = /^\[([\d, ]*)\]( positive| float16)?$/.exec(text)
  if (shape === null) return JSON.parse(text)
  const sizes = shape[1] === '' ? [] : shape[1].split(',').map(Number)
  const made = input(sizes, seed)
  if (shape[2] === undefined) return made
  if (shape[2] === ' float16') return tensor(Array.from(made.data as Float32Array), { shape: sizes, dtype: 'float16' })
  return tensor(Float32Array.from(made.data as Float32Array, Math.abs), { shape: sizes })
}

/**
 * A file is a header, a graph, and the graph after the passes. Lines of the header: `# passes: a, b`; `# constant name: [2, 3]` for a tensor constant;
 * `# run: [1, 4]; 3` for arguments with which both graphs have to give the same, up to `# tolerance: 1e-6`. BLESS=1 writes what comes out.
 */
const folder = 'test/fixtures/passes'
for (const file of readdirSync(folder).filter((name) => name.endsWith('.ir'))) {
  t.test(file, (t) => {
    const text = readFileSync(`${folder}/${file}`, 'utf8')
    const [before, expected] = text.split('\n---\n')
    const header = before.split('\n').filter((line) => line.startsWith('# '))
    const field = (name: string): string[] =>
      header.filter((line) => line.startsWith(`# ${name}`)).map((line) => line.slice(line.indexOf(':') + 1).trim())
    const named = field('passes')[0]
      .split(', ')
      .map((name) => passes.find((pass) => pass.name === name) ?? t.bailout(`no pass ${name}`)) as Pass[]
    const constants: Record<string, Tensor> = {}
    header
      .filter((line) => line.startsWith('# constant '))
      .forEach((line, i) => {
        const [name, value] = line.slice('# constant '.length).split(': ')
        constants[name] = valueOf(value, i + 10) as Tensor
      })
    const graph = graphOf(before, constants)
    const result = after(cloneGraph(graph), ...named)
    if (process.env.BLESS) writeFileSync(`${folder}/${file}`, `${before.trimEnd()}\n---\n${result}`)
    else t.equal(result, expected, named.map((pass) => pass.name).join())
    t.equal(printGraph(graph) === result, /unchanged/.test(file), 'what is not called unchanged changes')
    const tolerance = Number(field('tolerance')[0] ?? 0)
    for (const run of field('run')) sameValues(t, graph, named, () => run.split(';').map((arg, i) => valueOf(arg.trim(), i + 1)), tolerance)
    t.end()
  })
}
