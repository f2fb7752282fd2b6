import type { Test } from 'tap'
import { liveTensor } from '../../lib/runtime/live-tensors.js'
import { Program } from '../../lib/runtime/program.js'
import { evaluator } from '../../lib/runtime/evaluator.js'
import type { Graph } from '../../lib/ir/graph.js'
import { allNodes } from '../../lib/ir/graph.js'
import { parseGraph } from '../../lib/ir/parser.js'
import { printGraph } from '../../lib/ir/printer.js'
import { verifyGraph } from '../../lib/ir/verifier.js'
import type { ScriptFunction } from '../../lib/ir/types.js'
import { NoneType, TensorType } from '../../lib/ir/types.js'
import { cloneGraph } from '../../lib/passes/clone.js'
import type { Pass } from '../../lib/passes/pass.js'
import type { Tensor } from '../../lib/tensor/tensor.js'
import { tensor } from '../../lib/tensor/creation.js'

export { evaluator }

/** Numbers that look random and are the same in each run. */
export function numbers(count: number, seed = 1): Float32Array {
  let state = seed * 2654435761
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}
export const input = (shape: number[], seed = 1): Tensor =>
  tensor(
    numbers(
      shape.reduce((p, n) => p * n, 1),
      seed,
    ),
    { shape },
  )

/** A graph from text; constants `%name : Tensor = prim::Constant()` become the given tensors. */
export function graphOf(text: string, constants: Record<string, Tensor> = {}): Graph {
  const graph = parseGraph(text)
  for (const node of allNodes(graph.block)) {
    const given = node.kind === 'prim::Constant' ? constants[node.output.debugName ?? ''] : undefined
    if (given === undefined) continue
    node.setAttribute('value', { kind: 'value', value: { kind: 'tensor', tensor: liveTensor(given) } })
    node.output.setType(TensorType)
  }
  return graph
}

/** A program of one function, which is the graph. */
export function programOf(graph: Graph): [Program, ScriptFunction] {
  const fn: ScriptFunction = {
    qualifiedName: 'test',
    name: 'test',
    parameters: graph.inputs.map((value, i) => ({ name: `x${i}`, type: value.type })),
    returnType: graph.outputs[0]?.type ?? NoneType,
    graph,
  }
  const classes = {
    classType: (name: string): never => {
      throw new Error(name)
    },
    parseType: () => undefined,
    enumType: () => undefined,
  }
  return [new Program({ classes, functions: [fn] }), fn]
}

export function execute(graph: Graph, args: readonly unknown[]): unknown {
  const [program, fn] = programOf(graph)
  try {
    return program.call(fn, args)
  } finally {
    program.dispose()
  }
}

/** Printed graph after a pass; the graph verifies. */
export function after(graph: Graph, ...passes: readonly Pass[]): string {
  for (const pass of passes) {
    pass.run(graph)
    verifyGraph(graph, pass.name)
  }
  return printGraph(graph, { ranges: false })
}

const flat = (value: unknown): number[] =>
  Array.isArray(value)
    ? value.flatMap(flat)
    : typeof value === 'object' && value !== null && 'toArray' in value
      ? flat((value as Tensor).toArray())
      : [Number(value)]

/** Runs the passes on a graph and compares what it computes before and after. */
export function sameValues(t: Test, graph: Graph, passes: readonly Pass[], makeArgs: () => readonly unknown[], tolerance = 0): void {
  const changed = cloneGraph(graph)
  for (const pass of passes) {
    pass.run(changed)
    verifyGraph(changed, pass.name)
  }
  const [want, got] = [flat(execute(graph, makeArgs())), flat(execute(changed, makeArgs()))]
  t.equal(got.length, want.length)
  const worst = Math.max(0, ...want.map((value, i) => Math.abs(value - got[i]) / (1 + Math.abs(value))))
  t.ok(worst <= tolerance, `differs by ${worst}`)
}
