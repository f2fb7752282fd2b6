import type { Block, Node, Value } from '../ir/graph.js'
import { invariant } from '../util/errors.js'

/** Where values of a graph die, so that registers are freed and memory is released as early as possible. */
export interface Liveness {
  /** Inputs of a node that nothing reads afterwards (not for values that the next iteration of a loop reads). */
  dyingInputs(node: Node): ReadonlySet<Value>
  /** Whether nothing reads an output of a node, or a parameter of a block. */
  isDead(output: Value): boolean
  /** Values that die on the way into a branch of an If: the other branch reads them. */
  dyingOnEntry(block: Block): readonly Value[]
  /** Values that the body of a loop reads and nothing after the loop does. */
  dyingOnExit(loop: Node): readonly Value[]
}

const none: ReadonlySet<Value> = new Set()

/** Values defined outside of a block that it reads, nested blocks included. */
export function freeValues(block: Block): Set<Value> {
  const free = new Set<Value>()
  const visit = (inner: Block, defined: Set<Value>): void => {
    const read = (value: Value): void => {
      if (!defined.has(value)) free.add(value)
    }
    for (const input of inner.inputs) defined.add(input)
    for (const node of inner.nodes) {
      node.inputs.forEach(read)
      for (const nested of node.blocks) visit(nested, defined)
      for (const output of node.outputs) defined.add(output)
    }
    inner.outputs.forEach(read)
  }
  visit(block, new Set())
  return free
}

/** Backward walk over structured control flow. */
export function analyzeLiveness(top: Block): Liveness {
  const dying = new Map<Node, Set<Value>>()
  const dead = new Set<Value>()
  const onEntry = new Map<Block, Value[]>()
  const onExit = new Map<Node, Value[]>()

  function readAt(node: Node, values: Iterable<Value>, live: Set<Value>): void {
    let last: Set<Value> | undefined
    for (const value of values) {
      if (live.has(value)) continue
      live.add(value)
      last ??= new Set()
      last.add(value)
    }
    if (last !== undefined) dying.set(node, last)
  }

  /** `live` holds what is read after the block and ends as what is read from the block's start on. */
  function visitBlock(block: Block, results: readonly Value[], live: Set<Value>): void {
    readAt(block.returnNode, results, live)
    for (let i = block.nodes.length - 1; i >= 0; i--) visitNode(block.nodes[i], live)
    for (const input of block.inputs) if (!live.delete(input)) dead.add(input)
  }

  function visitNode(node: Node, live: Set<Value>): void {
    const used = node.outputs.map((output) => live.delete(output))
    node.outputs.forEach((output, i) => {
      if (!used[i]) dead.add(output)
    })
    if (node.kind === 'prim::If') visitIf(node, used, live)
    else if (node.kind === 'prim::Loop') visitLoop(node, live)
    else {
      invariant(node.blocks.length === 0, `${node.kind} has blocks and no lowering.`)
      readAt(node, node.inputs, live)
    }
  }

  function visitIf(node: Node, used: readonly boolean[], live: Set<Value>): void {
    const branches = node.blocks.map((block) => {
      const liveIn = new Set(live)
      visitBlock(
        block,
        block.outputs.filter((_, i) => used[i]),
        liveIn,
      )
      return liveIn
    })
    for (const branch of branches) for (const value of branch) live.add(value)
    node.blocks.forEach((block, i) =>
      onEntry.set(
        block,
        [...live].filter((value) => !branches[i].has(value)),
      ),
    )
    readAt(node, node.inputs, live)
  }

  function visitLoop(node: Node, live: Set<Value>): void {
    const [body] = node.blocks
    const outer = freeValues(body)
    outer.add(node.inputs[0])
    onExit.set(
      node,
      [...outer].filter((value) => !live.has(value)),
    )
    for (const value of outer) live.add(value)
    const atEnd = new Set(live)
    atEnd.add(body.inputs[0])
    visitBlock(body, body.outputs, atEnd)
    readAt(node, node.inputs, live)
  }

  visitBlock(top, top.outputs, new Set())
  return {
    dyingInputs: (node) => dying.get(node) ?? none,
    isDead: (output) => dead.has(output),
    dyingOnEntry: (block) => onEntry.get(block) ?? [],
    dyingOnExit: (loop) => onExit.get(loop) ?? [],
  }
}
