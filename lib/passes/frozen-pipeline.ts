import type { Graph } from '../ir/graph.js'
import { cancelTransposes } from './cancel-transposes.js'
import { eliminateCommonSubexpressions } from './common-subexpressions.js'
import { concatLinears } from './concat-linear.js'
import { propagateConstants } from './constant-propagation.js'
import { eliminateUnusedWork } from './dead-code.js'
import type { Evaluator } from './evaluator.js'
import { foldConvolutionBatchNorm, foldLinearBatchNorm } from './fold-batch-norm.js'
import { foldConvolutionArithmetic } from './fold-conv-arithmetic.js'
import { knownRanks } from './known-ranks.js'
import { lowerTuples } from './lower-tuples.js'
import { type Pass, runPass } from './pass.js'
import { peephole } from './peephole.js'
import { poolConstants } from './pool-constants.js'
import { removeDropout } from './remove-dropout.js'
import { removeMutation } from './remove-mutation.js'
import { removeNoOps } from './remove-no-ops.js'
import { simplifyBranches } from './simplify-branches.js'
import { simplifyLists } from './simplify-lists.js'
import { simplifyOptionals } from './simplify-optionals.js'
import { unrollLoops } from './unroll-loops.js'

/** Rounds after which a graph is taken to be as simple as it gets. */
const maxRounds = 8

/** Runs passes in order, again and again, until none changes anything. */
export function runToFixpoint(graph: Graph, passes: readonly Pass[]): boolean {
  let any = false
  for (let round = 0; round < maxRounds; round++) {
    let changed = false
    for (const pass of passes) changed = runPass(graph, pass) || changed
    if (!changed) break
    any = true
  }
  return any
}

/** What makes branches and attributes that are never used go away. Keeps every number as it is. */
export const simplifyingPasses = (evaluator: Evaluator): readonly Pass[] => [
  simplifyOptionals,
  // Answers and constants first: what they decide need not be looked at by the others.
  propagateConstants(evaluator),
  lowerTuples,
  simplifyLists,
  peephole,
  simplifyBranches,
  eliminateUnusedWork,
]

/** What freezing does once, after all constants are in place. */
export const cleanupPasses = (evaluator: Evaluator): readonly Pass[] => [
  unrollLoops,
  // Unrolled loops are straight code; the others do not look at what is written.
  removeMutation(evaluator),
  knownRanks(evaluator),
  ...simplifyingPasses(evaluator),
  removeNoOps(evaluator),
  cancelTransposes,
  eliminateCommonSubexpressions,
  eliminateUnusedWork,
]

/**
 * Changes numbers by rounding: batch norms and arithmetic go into weights. A folding may put a convolution beside the next thing to fold, so these
 * run until nothing changes.
 */
export const numericPasses = (evaluator: Evaluator): readonly Pass[] => [
  foldConvolutionBatchNorm(evaluator),
  foldConvolutionArithmetic(evaluator),
  foldLinearBatchNorm(evaluator),
]

export interface FrozenOptimizationOptions {
  /** Whether to fold arithmetic into weights. */
  readonly numerics: boolean
}

/** The optimisations of a frozen graph. */
export function optimizeFrozenGraph(graph: Graph, evaluator: Evaluator, options: FrozenOptimizationOptions): void {
  runPass(graph, removeDropout)
  runPass(graph, removeMutation(evaluator))
  if (options.numerics) runToFixpoint(graph, numericPasses(evaluator))
  runToFixpoint(graph, cleanupPasses(evaluator))
  // Once common inputs are one value.
  if (options.numerics && runPass(graph, concatLinears(evaluator))) runPass(graph, eliminateUnusedWork)
  runPass(graph, poolConstants)
}
