import { allNodes } from '../../ir/graph.js'
import type { ScriptFunction as CompiledFunction } from '../../ir/types.js'
import { cloneGraph } from '../../passes/clone.js'
import { isDeterministic } from '../../passes/effects.js'
import { inlineCalls } from '../../passes/inline.js'
import { callOperator } from '../../runtime/dispatch.js'
import { Tensor } from '../../tensor/tensor.js'
import { copyInto, op } from '../nn/eager.js'
import { Module } from '../nn/module.js'
import { flatten, unflatten } from './structure.js'

/*
 * Note [Scripts are checked]
 * A script is found by names in the file of the caller. Names may mean something else to the running function: a variable of a function around it,
 * another class of that name. So the first call runs both, on copies, and a script that gives other results is dropped.
 */

/** The greatest difference that rounding makes, relative to the greatest number. */
const tolerance = 1e-3

/** Copies of the tensors in a tree. */
export function copied(value: unknown): unknown {
  const { structure, tensors } = flatten(value)
  return unflatten(
    structure,
    tensors.map((tensor) => op('clone', tensor)),
  )
}

/** Runs `body` and gives the module the buffers back that it had. */
export function keepingBuffers<T>(target: unknown, body: () => T): T {
  const buffers = target instanceof Module ? target.buffers().map((buffer) => [buffer, op('clone', buffer)] as const) : []
  try {
    return body()
  } finally {
    for (const [buffer, before] of buffers) copyInto(buffer, before)
  }
}

/** Whether a function gives the same results each time. */
export function isRepeatable(fn: CompiledFunction): boolean {
  const graph = cloneGraph(fn.graph)
  inlineCalls.run(graph)
  for (const { schema } of allNodes(graph.block)) if (schema !== undefined && !isDeterministic(schema)) return false
  return true
}

function isSameTensor(a: Tensor, b: Tensor, rtol: number): boolean {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false
  if (a.numel() === 0) return true
  if (a.quantization !== null || a.dtype.startsWith('complex')) return true
  if (!/^(float|bfloat)/.test(a.dtype)) return callOperator('aten::equal', [a, b]) === true
  const [left, right] = [a, b].map((t) => op('to', t, 'float64'))
  const finite = op('where', op('isfinite', right), op('abs', right), op('zeros_like', right))
  const scale = op('max', finite).item()
  return callOperator('aten::allclose', [left, right, rtol, rtol * scale, true]) === true
}

/** Whether two results agree, up to rounding. */
export function agree(a: unknown, b: unknown, rtol = tolerance): boolean {
  const [left, right] = [flatten(a), flatten(b)]
  const shape = (flat: typeof left): string =>
    JSON.stringify(flat.structure, (_, item: unknown) =>
      typeof item === 'bigint' ? `${item}n` : typeof item === 'number' ? String(item) : item,
    )
  if (shape(left) !== shape(right)) return false
  return left.tensors.every((tensor, i) => isSameTensor(tensor, right.tensors[i], rtol))
}
