import type { Block, Graph, Node, SourceRange, Value } from '../ir/graph.js'
import type { Type } from '../ir/types.js'
import { Op } from './format.js'
import { analyzeLiveness, type Liveness } from './liveness.js'
import { lowerings } from './nodes.js'
import { type Move, orderMoves, Registers } from './registers.js'
import type { PlanTables } from './tables.js'

/** Bytecode of one graph. */
export interface LoweredCode {
  readonly registers: number
  readonly code: readonly number[]
  /** Which range the code from `pc` on comes from, in order of `pc`. */
  readonly lines: readonly { readonly pc: number; readonly range: SourceRange }[]
}

/** Whether values of a type keep memory alive, so that a dead register should let go of it. */
export function holdsMemory(type: Type): boolean {
  switch (type.kind) {
    case 'Simple':
      return ['Tensor', 'Any', 'AnyList', 'AnyTuple', 'AnyClass', 'Storage', 'Capsule'].includes(type.name)
    case 'Optional':
      return holdsMemory(type.element)
    case 'Union':
      return type.members.some(holdsMemory)
    case 'Tuple':
      return type.elements.some(holdsMemory)
    case 'Class':
      // Modules live in the object tree as long as the program does.
      return type.flavor !== 'module' && type.flavor !== 'moduleInterface'
    case 'Function':
    case 'Enum':
      return false
    default:
      return true
  }
}

/**
 * Lowers one function. Nodes become instructions one by one; values get registers along the way (registers.ts); an operand whose
 * value dies there is taken, so that its memory is free before the next instruction runs.
 */
export class FunctionLowering {
  readonly code: number[] = []
  readonly registers = new Registers()
  private readonly lines: { pc: number; range: SourceRange }[] = []
  private readonly live: Liveness
  /** Of the node that is being lowered. */
  private dying: ReadonlySet<Value> = new Set()
  private taken = new Set<Value>()

  constructor(
    private readonly graph: Graph,
    readonly tables: PlanTables,
  ) {
    this.live = analyzeLiveness(graph.block)
  }

  lower(): LoweredCode {
    for (const input of this.graph.inputs) this.registers.define(input)
    this.drop(this.graph.inputs.filter((input) => this.live.isDead(input)))
    this.lowerNodes(this.graph.block)
    const [result] = this.graph.outputs
    if (result === undefined) {
      const none = this.registers.take()
      this.emit(Op.CONST, none, this.tables.constant({ kind: 'none' }))
      this.emit(Op.RETURN, ~none)
    } else
      this.emit(
        Op.RETURN,
        this.live.dyingInputs(this.graph.block.returnNode).has(result) ? ~this.registers.get(result) : this.registers.get(result),
      )
    return { registers: this.registers.count, code: this.code, lines: this.lines }
  }

  emit(...words: number[]): void {
    this.code.push(...words)
  }
  /** Says that the next instruction may raise, and where it comes from. */
  mark(node: Node): void {
    const range = node.range
    if (range === undefined) return
    if (this.lines.length > 0 && this.lines[this.lines.length - 1].range === range) return
    this.lines.push({ pc: this.code.length, range })
  }

  /** Operand that may be taken. The last occurrence among `values` takes. */
  operands(values: readonly Value[]): number[] {
    return values.map((value, i) => {
      const register = this.registers.get(value)
      if (!this.dying.has(value) || values.indexOf(value, i + 1) >= 0) return register
      this.taken.add(value)
      return ~register
    })
  }
  operand(value: Value): number {
    return this.operands([value])[0]
  }
  /** Operand that stays where it is. */
  plain(value: Value): number {
    return this.registers.get(value)
  }
  result(value: Value): number {
    return this.registers.has(value) ? this.registers.get(value) : this.registers.define(value)
  }
  /** Makes the first outputs known, which keeps operands and results apart. */
  results(node: Node): number[] {
    return node.outputs.map((output) => this.result(output))
  }
  /** A register for use within one node. */
  scratch(): number {
    return this.registers.take()
  }
  endScratch(register: number): void {
    this.registers.releaseRegister(register)
  }

  private drop(values: readonly Value[], exceptDrop?: ReadonlySet<Value>): void {
    const held = values.filter((value) => holdsMemory(value.type) && !exceptDrop?.has(value)).map((value) => this.registers.get(value))
    if (held.length > 0) this.emit(Op.DROP, held.length, ...held)
    for (const value of values) this.registers.release(value)
  }

  private lowerNodes(block: Block): void {
    for (const node of block.nodes) this.lowerNode(node)
  }

  private lowerNode(node: Node): void {
    if (node.kind === 'prim::If') return this.lowerIf(node)
    if (node.kind === 'prim::Loop') return this.lowerLoop(node)
    if (node.kind === 'prim::Constant' && this.live.isDead(node.output)) return
    this.dying = this.live.dyingInputs(node)
    this.taken = new Set()
    this.results(node)
    const lowering = lowerings.get(node.kind) ?? lowerings.get('')!
    lowering(this, node)
    this.drop([...this.dying, ...node.outputs.filter((output) => this.live.isDead(output))], this.taken)
  }

  private jump(): (target: number) => void {
    const at = this.code.length - 1
    return (target) => {
      this.code[at] = target
    }
  }

  private lowerIf(node: Node): void {
    const [condition] = node.inputs
    const outputs = node.outputs.map((output) => (this.live.isDead(output) ? undefined : this.registers.take()))
    this.mark(node)
    this.emit(Op.JUMP_FALSE, this.plain(condition), -1)
    const toElse = this.jump()
    if (this.live.dyingInputs(node).has(condition)) this.registers.release(condition)
    const restore = this.registers.snapshot()
    this.lowerBranch(node.blocks[0], outputs)
    this.emit(Op.JUMP, -1)
    const toEnd = this.jump()
    toElse(this.code.length)
    restore()
    this.lowerBranch(node.blocks[1], outputs)
    toEnd(this.code.length)
    node.outputs.forEach((output, i) => {
      if (outputs[i] !== undefined) this.registers.bind(output, outputs[i])
    })
  }

  private lowerBranch(block: Block, outputs: readonly (number | undefined)[]): void {
    this.drop(this.live.dyingOnEntry(block))
    this.lowerNodes(block)
    const moves: Move[] = []
    const dying = this.live.dyingInputs(block.returnNode)
    block.outputs.forEach((value, i) => {
      const to = outputs[i]
      if (to !== undefined) moves.push({ to, from: this.registers.get(value), take: dying.has(value) })
    })
    this.emitMoves(moves)
    for (const value of dying) this.registers.release(value)
  }

  private emitMoves(moves: readonly Move[]): void {
    const spares: number[] = []
    const spare = (): number => {
      spares.push(this.registers.take())
      return spares[spares.length - 1]
    }
    for (const move of orderMoves(moves, spare)) this.emit(Op.MOVE, move.to, move.take ? ~move.from : move.from)
    for (const register of spares) this.registers.releaseRegister(register)
  }

  private lowerLoop(node: Node): void {
    const [body] = node.blocks
    const [limit, initialCondition, ...initial] = node.inputs
    const dying = this.live.dyingInputs(node)
    const trip = this.registers.take()
    const condition = this.registers.take()
    const carried = initial.map(() => this.registers.take())
    const own = [trip, condition, ...carried]
    this.emitMoves(
      [initialCondition, ...initial].map((value, i) => ({ to: own[i + 1], from: this.registers.get(value), take: dying.has(value) })),
    )
    for (const value of dying) this.registers.release(value)
    body.inputs.forEach((input, i) => this.registers.bind(input, i === 0 ? trip : carried[i - 1]))
    this.registers.pin(own)

    this.mark(node)
    this.emit(Op.LOOP_BEGIN, trip, this.plain(limit), condition, -1)
    const toExit = this.jump()
    const start = this.code.length
    for (const input of body.inputs) if (this.live.isDead(input)) this.registers.release(input)
    this.lowerNodes(body)
    const atEnd = this.live.dyingInputs(body.returnNode)
    this.emitMoves(body.outputs.map((value, i) => ({ to: own[i + 1], from: this.registers.get(value), take: atEnd.has(value) })))
    for (const value of atEnd) this.registers.release(value)
    this.emit(Op.LOOP_NEXT, trip, this.plain(limit), condition, start)
    toExit(this.code.length)

    this.registers.unpin(own)
    this.registers.releaseRegister(trip)
    this.registers.releaseRegister(condition)
    node.outputs.forEach((output, i) => this.registers.bind(output, carried[i]))
    this.drop([...this.live.dyingOnExit(node), ...node.outputs.filter((output) => this.live.isDead(output))])
  }
}
