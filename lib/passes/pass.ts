import type { Graph } from '../ir/graph.js'
import type { ConstantValue } from '../ir/types.js'
import { TorchScriptError, InvariantError } from '../util/errors.js'

/** Rewrites a graph in place and says whether anything changed. */
export interface Pass {
  readonly name: string
  run(graph: Graph): boolean
}

/** Reads the numbers in a constant tensor, where the caller's tensors can be read. */
export interface ConstantReader {
  /** The value of a one-element, 0-dim tensor constant, or undefined for any other tensor. */
  scalar(tensor: unknown): ConstantValue | undefined
}

/** Runs one pass. A failure names it. */
export function runPass(graph: Graph, pass: Pass): boolean {
  try {
    return pass.run(graph)
  } catch (error) {
    if (error instanceof TorchScriptError) throw error
    throw new InvariantError(`Pass ${pass.name} failed: ${(error as Error).message}.`, { cause: error })
  }
}

/** Runs passes in order. A failure names the pass. */
export function runPasses(graph: Graph, passes: readonly Pass[]): void {
  for (const pass of passes) runPass(graph, pass)
}
