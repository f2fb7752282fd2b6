import { assignLayout } from './assign-layout.js'
import { canonicalizeLoops } from './canonicalize-loops.js'
import { canonicalizeConstants } from './canonicalize-constants.js'
import { compressWeights, type WeightStorage } from './compress-weights.js'
import { eliminateDeadCode } from './dead-code.js'
import type { ConstantFacts } from './evaluator.js'
import { expandBatchNorm } from './expand-batch-norm.js'
import { expandMultiHead } from './expand-multi-head.js'
import { forwardSizes } from './forward-sizes.js'
import { fuseBottlenecks } from './fuse-bottlenecks.js'
import { fuseAddmm } from './fuse-addmm.js'
import { fuseEpilogues } from './fuse-epilogues.js'
import { fusePointwise } from './fuse-pointwise.js'
import type { ConstantReader, Pass } from './pass.js'
import { hoistInvariants } from './hoist-invariants.js'
import { peephole } from './peephole.js'
import { poolConstants } from './pool-constants.js'
import { recognizeAttention } from './recognize-attention.js'
import { recognizeGelu } from './recognize-gelu.js'
import { recognizeNorm } from './recognize-norm.js'
import { recognizeSilu } from './recognize-silu.js'
import { dropUnusedResults } from './unused-results.js'

/** What runs on every function before it is lowered. `weights` asks for packed weights of 16 bits. */
export const loweringPipeline = (reader: ConstantReader, facts: ConstantFacts, weights?: WeightStorage): readonly Pass[] => [
  canonicalizeConstants(reader),
  peephole,
  hoistInvariants,
  // Weights are constants in frozen graphs only. Numbers are numbers by now.
  expandMultiHead(facts),
  recognizeGelu(facts),
  // What reads sizes only does not keep the scores of attention.
  forwardSizes,
  recognizeAttention(reader, facts),
  recognizeNorm(facts),
  recognizeSilu(facts),
  fuseEpilogues(facts),
  // Compressed weights have a product of their own for addmm.
  ...(weights === undefined ? [fuseAddmm(facts)] : []),
  assignLayout(facts),
  fuseBottlenecks(facts),
  ...(weights === undefined ? [] : [compressWeights(weights, facts)]),
  // Layouts are decided for batch norms: several operands that are no images would put images in order.
  expandBatchNorm(facts),
  // What is pointwise still.
  fusePointwise(),
  // After the rewrites above, which leave constants and conversions without readers.
  eliminateDeadCode,
  poolConstants,
]

/** What runs on a copy of a function before it is shown as code. */
export const printingPipeline: readonly Pass[] = [canonicalizeLoops, dropUnusedResults]
