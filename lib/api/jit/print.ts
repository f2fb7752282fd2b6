import { programNames } from '../../archive/code-names.js'
import { type ConstantTable, printFunction } from '../../archive/python-printer.js'
import type { Graph } from '../../ir/graph.js'
import type { ScriptFunction } from '../../ir/types.js'
import { cloneGraph } from '../../passes/clone.js'
import { runPasses } from '../../passes/pass.js'
import { printingPipeline } from '../../passes/pipeline.js'

/** The graph of a function as code shows it. */
export function printedGraph(fn: ScriptFunction): Graph {
  const graph = cloneGraph(fn.graph)
  runPasses(graph, printingPipeline)
  return graph
}

/** The code of a function, as archives have it. */
export const functionCode = (fn: ScriptFunction, constants?: ConstantTable): string =>
  printFunction(fn, { constants, names: { ...programNames, graph: printedGraph } })
