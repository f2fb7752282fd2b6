import { type Block, type Graph, type Node, type Value } from '../ir/graph.js'
import type { ScriptFunction } from '../ir/types.js'
import { UnsupportedError } from '../util/errors.js'
import type { Pass } from './pass.js'

/** The function that a call surely calls; undefined for calls by dynamic class and everything that is no call. */
export function calledFunction(node: Node): ScriptFunction | undefined {
  if (node.kind === 'prim::CallMethod') {
    const { type } = node.inputs[0]
    if (type.kind !== 'Class' || type.isInterface) return undefined
    return type.methods.get(node.stringAttribute('name'))
  }
  if (node.kind !== 'prim::CallFunction') return undefined
  const [callee] = node.inputs
  if (callee.type.kind === 'Function') return callee.type.fn
  const constant = callee.node.constant
  return constant?.kind === 'function' ? constant.fn : undefined
}

/**
 * Puts the bodies of called functions in place of the calls, as deep as they go. A call through an interface stays; so does one whose function does
 * not compile. Nodes that come in remember the calls they came through.
 *
 *     %y : Tensor = prim::CallMethod[name="forward"](%sub, %x)    =>    the nodes of forward, with %sub and %x for its parameters
 */
export const inlineCalls: Pass = inlineCallsOf(calledFunction)

/** Inlines the calls of which `called` knows the function. */
export function inlineCallsOf(called: (call: Node) => ScriptFunction | undefined): Pass {
  return { name: 'inline', run: (graph: Graph): boolean => inlineBlock(graph.block, { left: maxNodes, called }) }
}

/** Functions that call others twice, those others twice, and so on make a graph that no memory holds; real models stay far below. */
const maxNodes = 100_000
interface Budget {
  left: number
  readonly called: (call: Node) => ScriptFunction | undefined
}

function inlineBlock(block: Block, budget: Budget): boolean {
  let changed = false
  for (let i = 0; i < block.nodes.length; i++) {
    const node = block.nodes[i]
    for (const inner of node.blocks) changed = inlineBlock(inner, budget) || changed
    const fn = budget.called(node)
    if (fn === undefined) continue
    let body: Graph
    try {
      body = fn.graph
    } catch {
      continue
    }
    inlineCall(node, fn, body, budget)
    changed = true
    // The nodes that came in stand where the call was (or one before, when its function constant went): look at them too.
    i = Math.max(-1, i - 2)
  }
  return changed
}

function inlineCall(call: Node, fn: ScriptFunction, body: Graph, budget: Budget): void {
  const args = call.kind === 'prim::CallMethod' ? call.inputs : call.inputs.slice(1)
  const values = new Map<Value, Value>()
  body.inputs.forEach((input, i) => values.set(input, args[i]))
  const frame = { functionName: fn.qualifiedName, range: call.range }
  const stack = [...(call.callStack ?? []), frame]
  const copyNodes = (from: Block, insert: (node: Node) => void): void => {
    for (const node of from.nodes) {
      if (--budget.left < 0)
        throw new UnsupportedError(
          `Expected a program of at most ${maxNodes} nodes after inlining but ${fn.qualifiedName} makes it larger.`,
        )
      const copy = call.graph.create(
        node.kind,
        node.inputs.map((value) => values.get(value)!),
        0,
      )
      for (const [name, attribute] of node.attributes) copy.setAttribute(name, attribute)
      copy.schema = node.schema
      copy.range = node.range
      copy.callStack = [...stack, ...(node.callStack ?? [])]
      insert(copy)
      for (const inner of node.blocks) {
        const block = copy.addBlock()
        for (const input of inner.inputs) values.set(input, block.addInput(input.type, input.debugName))
        copyNodes(inner, (nested) => block.append(nested))
        for (const output of inner.outputs) block.addOutput(values.get(output)!)
      }
      for (const output of node.outputs) values.set(output, copy.addOutput(output.type, output.debugName))
    }
  }
  copyNodes(body.block, (node) => node.insertBefore(call))
  call.outputs.forEach((output, i) => output.replaceAllUsesWith(values.get(body.outputs[i])!))
  const callee = call.kind === 'prim::CallFunction' ? call.inputs[0].node : undefined
  call.destroy()
  if (callee?.kind === 'prim::Constant' && callee.outputs[0].uses.length === 0 && callee.owner !== undefined) callee.destroy()
}
