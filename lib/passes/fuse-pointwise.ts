import { type Block, Graph, type Node, type Value } from '../ir/graph.js'
import { lineAndColumn } from '../ir/printer.js'
import { mayHoldTensors, TensorType } from '../ir/types.js'
import { AliasAnalysis } from './alias-analysis.js'
import { copyNodes } from './clone.js'
import { hasEffects, isDeterministic } from './effects.js'
import { fusionStep, mayGiveArgument } from './fusible.js'
import { collectsNotes, notePass } from './notes.js'
import type { Pass } from './pass.js'

/** Nodes without a schema whose results follow from what they are given. */
const makers: ReadonlySet<string> = new Set([
  'prim::NumToTensor',
  'prim::ListConstruct',
  'prim::TupleConstruct',
  'prim::ListUnpack',
  'prim::TupleUnpack',
])

/** Limits of the kernel (native/cpu-avx/fused.h). */
const maxSteps = 64
const maxOutputs = 8
const maxTensors = 20

/** Why groups were formed, and why operators that could be part of one are not: a line each, by blocks in the order of the program. */
export class FusionLog {
  readonly lines: string[] = []
}

const nameOf = (value: Value): string => (value.debugName === undefined ? '' : ` %${value.debugName}`)
function placeOf(node: Node): string {
  if (node.range === undefined) return ''
  const { line, column } = lineAndColumn(node.range)
  return ` (${node.range.file}:${line}:${column})`
}
const describe = (node: Node): string => `${node.kind}${nameOf(node.outputs[0])}${placeOf(node)}`

/**
 * Pointwise operators that read one another become a group, which reads and writes memory once. A group holds several results where others read them,
 * and may end in a reduction. What it holds is unchanged; the kernel takes groups whose results have one shape, and others run
 * operator by operator (expand-fusion.ts). Runs after the rewrites that want operators by their names.
 *
 *     %a : Tensor = aten::mul(%x, %w)
 *     %b : Tensor = aten::relu(%a)        =>    %b : Tensor = prim::FusionGroup_0(%x, %w)
 */
export const fusePointwise = (log?: FusionLog): Pass => ({
  name: 'fuse-pointwise',
  run(graph: Graph): boolean {
    return fuseBlock(graph, graph.block, { graph, log })
  },
})

/** Says for each group why it was formed and for each candidate that is in none why not. The graph is changed. */
export function explainFusion(graph: Graph): readonly string[] {
  const log = new FusionLog()
  fusePointwise(log).run(graph)
  return log.lines
}

interface Context {
  readonly graph: Graph
  readonly log: FusionLog | undefined
  aliases?: AliasAnalysis
}

function fuseBlock(graph: Graph, block: Block, context: Context): boolean {
  let changed = false
  for (const node of block.nodes) for (const inner of node.blocks) changed = fuseBlock(graph, inner, context) || changed
  return new BlockFusion(block, context).run() || changed
}

/** A node, or several that will be one. */
interface Unit {
  readonly nodes: Node[]
  readonly isGroup: boolean
  /** Inputs of the group's reduction read it; nothing of the group reads its result. */
  reduction: Node | undefined
}

/** What a node reads, nested blocks included. */
function* readsOf(node: Node): Generator<Value> {
  yield* node.inputs
  for (const block of node.blocks) {
    for (const inner of block.nodes) yield* readsOf(inner)
    yield* block.outputs
  }
}

/** Nodes that keep their place: others stay before or after them. */
function isBarrier(node: Node): boolean {
  if (hasEffects(node)) return true
  if (node.schema !== undefined) return !isDeterministic(node.schema)
  if (node.blocks.some((block) => block.nodes.some(isBarrier))) return true
  return false
}

class BlockFusion {
  private readonly index = new Map<Node, number>()
  /** Number of barriers before a node. */
  private readonly stretch = new Map<Node, number>()
  private readonly units = new Map<Node, Unit>()
  private readonly reasons = new Map<Node, string>()
  private readonly known = new Map<Value, boolean>()

  constructor(
    private readonly block: Block,
    private readonly context: Context,
  ) {}

  run(): boolean {
    const { block } = this
    const candidates = block.nodes.filter((node) => fusionStep(node) !== undefined)
    if (candidates.length === 0) return false
    let stretch = 0
    block.nodes.forEach((node, i) => {
      this.index.set(node, i)
      const barrier = isBarrier(node)
      if (barrier) stretch++
      this.stretch.set(node, stretch)
      if (barrier) stretch++
    })
    const members = candidates.filter((node) => {
      const reason = this.excluded(node)
      if (reason !== undefined) this.reasons.set(node, reason)
      return reason === undefined
    })
    const isMember = new Set(members)
    for (const node of block.nodes) {
      const isGroup = isMember.has(node)
      const reduction = isGroup && fusionStep(node)!.role === 'reduction' ? node : undefined
      this.units.set(node, { nodes: [node], isGroup, reduction })
    }
    for (const node of members) {
      for (const input of fusionStep(node)!.arguments) {
        if (input.node.owner !== block || !isMember.has(input.node)) continue
        const [producer, consumer] = [this.units.get(input.node)!, this.units.get(node)!]
        if (producer === consumer) continue
        const reason = this.refusal(producer, consumer)
        if (reason === undefined) this.merge(producer, consumer)
        else this.reasons.set(node, `${reason} (beside ${describe(input.node)})`)
      }
    }
    const groups = [...new Set(this.units.values())].filter((unit) => unit.isGroup && unit.nodes.length > 1)
    this.explain(candidates, groups)
    if (groups.length === 0) return false
    this.reorder()
    for (const group of groups) this.replace(group)
    return true
  }

  /** Why a node that could be a step is left alone. */
  private excluded(node: Node): string | undefined {
    if (this.isKnown(node.output)) return 'it reads no data of the call: it is computed once for a signature'
    if (node.output.uses.length === 0) return 'nothing reads its result'
    for (const input of node.inputs) {
      if (input.type.kind === 'Optional' && input.node.constant === undefined) return 'an argument may be None'
    }
    if (mayGiveArgument(node)) {
      const aliases = (this.context.aliases ??= new AliasAnalysis(this.context.graph))
      if (aliases.isWritten(node.output)) return 'its result may be its argument, which is written'
    }
    return undefined
  }

  /** Whether a value follows from constants and the shapes of a call. */
  private isKnown(value: Value): boolean {
    if (!mayHoldTensors(value.type)) return true
    const known = this.known.get(value)
    if (known !== undefined) return known
    // Loops carry what they start with, and are not looked into.
    this.known.set(value, false)
    const { node } = value
    const plain = makers.has(node.kind) || (node.schema !== undefined && node.blocks.length === 0 && isDeterministic(node.schema))
    const result = node.constant !== undefined || (plain && node.inputs.every((input) => this.isKnown(input)))
    this.known.set(value, result)
    return result
  }

  /** The unit of this block that a node is in or below. */
  private unitOf(node: Node): Unit | undefined {
    let at: Node | undefined = node
    while (at !== undefined && at.owner !== this.block) at = at.owner?.owner
    return at === undefined ? undefined : this.units.get(at)
  }

  private *readers(unit: Unit): Generator<Unit> {
    for (const node of unit.nodes) {
      for (const output of node.outputs) {
        for (const { user } of output.uses) {
          const reader = this.unitOf(user)
          if (reader !== undefined && reader !== unit) yield reader
        }
      }
    }
  }

  /** Why two units cannot be one. */
  private refusal(a: Unit, b: Unit): string | undefined {
    const nodes = [...a.nodes, ...b.nodes]
    const stretch = this.stretch.get(a.nodes[0])
    if (nodes.some((node) => this.stretch.get(node) !== stretch)) return 'something with effects stands between'
    if (nodes.length > maxSteps) return `a group has at most ${maxSteps} steps`
    if (a.reduction !== undefined && b.reduction !== undefined) return 'a group has one reduction'
    const inside = new Set(nodes)
    const reduction = a.reduction ?? b.reduction
    if (reduction?.output.uses.some(({ user }) => inside.has(user))) return 'a reduction ends a group'
    const outputs = nodes.filter((node) => this.isRead(node.output, inside))
    if (outputs.length > maxOutputs) return `a group has at most ${maxOutputs} results`
    const tensors = new Set(nodes.flatMap((node) => node.inputs).filter((value) => value.type === TensorType && !inside.has(value.node)))
    if (tensors.size + outputs.length > maxTensors) return `a group has at most ${maxTensors} tensors around it`
    // Nothing outside may stand between: read a result and give what leads to an argument.
    const pending: Unit[] = []
    for (const unit of [a, b]) for (const reader of this.readers(unit)) if (reader !== a && reader !== b) pending.push(reader)
    const seen = new Set(pending)
    for (let unit = pending.pop(); unit !== undefined; unit = pending.pop()) {
      for (const reader of this.readers(unit)) {
        if (reader === a || reader === b) return 'another operator stands between'
        if (seen.has(reader)) continue
        seen.add(reader)
        pending.push(reader)
      }
    }
    return undefined
  }

  private isRead(value: Value, inside: ReadonlySet<Node>): boolean {
    return value.uses.some(({ user }) => !inside.has(user))
  }

  private merge(a: Unit, b: Unit): void {
    a.nodes.push(...b.nodes)
    a.nodes.sort((x, y) => this.index.get(x)! - this.index.get(y)!)
    a.reduction ??= b.reduction
    for (const node of b.nodes) this.units.set(node, a)
  }

  private explain(candidates: readonly Node[], groups: readonly Unit[]): void {
    const { log } = this.context
    if (log === undefined && !collectsNotes()) return
    const first = new Map(groups.map((group) => [group.nodes[0], group]))
    const grouped = new Set(groups.flatMap((group) => group.nodes))
    for (const node of candidates) {
      const group = first.get(node)
      if (group !== undefined) {
        const inside = new Set(group.nodes)
        const results = group.nodes.filter((member) => this.isRead(member.output, inside)).length
        const kept = group.nodes.length - results
        const names = group.nodes.map((member) => member.kind.replace('aten::', '')).join(', ')
        log?.lines.push(
          `fused: ${names}${placeOf(node)}: one pass over memory instead of ${group.nodes.length}` +
            (kept > 0 ? `; ${kept} result${kept > 1 ? 's' : ''} never reach${kept > 1 ? '' : 'es'} memory` : ''),
        )
      } else if (!grouped.has(node)) {
        const reason = this.reasons.get(node) ?? 'no pointwise operator beside it'
        log?.lines.push(`not fused: ${describe(node)}: ${reason}`)
        notePass('fuse-pointwise', node, 'kept', reason)
      }
    }
  }

  /** Puts the nodes of each group side by side, where the last of them stands; what reads a group follows it. */
  private reorder(): void {
    const { nodes } = this.block
    const units = [...new Set(nodes.map((node) => this.units.get(node)!))]
    const last = (unit: Unit): number => this.index.get(unit.nodes[unit.nodes.length - 1])!
    const waiting = new Map<Unit, Set<Unit>>()
    const followers = new Map<Unit, Unit[]>()
    for (const unit of units) {
      const before = new Set<Unit>()
      for (const node of unit.nodes) {
        for (const value of readsOf(node)) {
          const from = value.node.owner === this.block ? this.units.get(value.node) : undefined
          if (from !== undefined && from !== unit) before.add(from)
        }
      }
      waiting.set(unit, before)
      for (const from of before) {
        const list = followers.get(from)
        if (list === undefined) followers.set(from, [unit])
        else list.push(unit)
      }
    }
    const ordered: Node[] = []
    // Stretches between barriers one after the other: nothing moves across them.
    const byStretch = new Map<number, Unit[]>()
    for (const unit of units) {
      const key = this.stretch.get(unit.nodes[0])!
      const list = byStretch.get(key)
      if (list === undefined) byStretch.set(key, [unit])
      else list.push(unit)
    }
    for (const key of [...byStretch.keys()].sort((a, b) => a - b)) {
      const left = byStretch.get(key)!.sort((a, b) => last(a) - last(b))
      const here = new Set(left)
      const done = new Set<Unit>()
      const place = (unit: Unit): void => {
        // Units that were passed over for want of an argument come as soon as they can.
        const stack = [unit]
        for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
          if (done.has(next)) continue
          done.add(next)
          ordered.push(...next.nodes)
          const ready: Unit[] = []
          for (const follower of followers.get(next) ?? []) {
            const before = waiting.get(follower)!
            before.delete(next)
            if (before.size === 0 && here.has(follower) && !done.has(follower) && last(follower) < last(unit)) ready.push(follower)
          }
          stack.push(...ready.sort((a, b) => last(b) - last(a)))
        }
      }
      for (const unit of left) if (!done.has(unit) && waiting.get(unit)!.size === 0) place(unit)
      for (const unit of left) if (!done.has(unit)) place(unit)
    }
    nodes.splice(0, nodes.length, ...ordered)
  }

  private replace(group: Unit): void {
    const { graph } = this.block
    const inside = new Set(group.nodes)
    const inner = new Graph()
    const values = new Map<Value, Value>()
    const inputs: Value[] = []
    for (const node of group.nodes) {
      for (const value of node.inputs) {
        if (inside.has(value.node) || values.has(value)) continue
        const { constant } = value.node
        if (constant !== undefined && constant.kind !== 'tensor') {
          const copy = inner.createConstant(constant, value.type)
          copy.output.debugName = value.debugName
          values.set(value, inner.block.append(copy).output)
        } else {
          inputs.push(value)
          values.set(value, inner.block.addInput(value.type, value.debugName))
        }
      }
    }
    // The reduction comes last: nothing of the group reads it.
    const order = [...group.nodes.filter((node) => node !== group.reduction), ...(group.reduction === undefined ? [] : [group.reduction])]
    copyNodes(order, inner, values, (node) => inner.block.append(node))
    const results = group.nodes.filter((node) => this.isRead(node.output, inside)).map((node) => node.output)
    for (const result of results) inner.block.addOutput(values.get(result)!)
    const fused = graph.create('prim::FusionGroup', inputs, 0)
    fused.setAttribute('Subgraph', { kind: 'graph', graph: inner })
    fused.insertBefore(group.nodes[0])
    notePass('fuse-pointwise', fused, 'fused', `one pass over memory instead of ${group.nodes.length}`)
    fused.range = group.nodes[group.nodes.length - 1].range
    fused.callStack = group.nodes[group.nodes.length - 1].callStack
    for (const result of results) {
      const output = fused.addOutput(result.type, result.debugName)
      for (const { user, offset } of [...result.uses]) if (!inside.has(user)) user.replaceInput(offset, output)
    }
    for (const node of [...group.nodes].reverse()) node.destroy()
  }
}
