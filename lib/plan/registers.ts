import type { Value } from '../ir/graph.js'
import { invariant } from '../util/errors.js'

/** Hands out registers along the order of the code; a register is free again when its value has died. */
export class Registers {
  private of = new Map<Value, number>()
  private free: number[] = []
  private readonly pinned = new Set<number>()
  /** Registers of the function so far. */
  count = 0

  take(): number {
    return this.free.pop() ?? this.count++
  }
  define(value: Value): number {
    const register = this.take()
    this.of.set(value, register)
    return register
  }
  /** Names a register that is in use already. */
  bind(value: Value, register: number): void {
    this.of.set(value, register)
  }
  get(value: Value): number {
    const register = this.of.get(value)
    invariant(register !== undefined, `No register holds %${value.debugName ?? '?'} of ${value.node.kind}.`)
    return register
  }
  has(value: Value): boolean {
    return this.of.has(value)
  }
  release(value: Value): void {
    const register = this.get(value)
    this.of.delete(value)
    this.releaseRegister(register)
  }
  releaseRegister(register: number): void {
    if (!this.pinned.has(register)) this.free.push(register)
  }
  /** Keeps registers from being handed out although their value dies: the next iteration writes them. */
  pin(registers: readonly number[]): void {
    for (const register of registers) this.pinned.add(register)
  }
  unpin(registers: readonly number[]): void {
    for (const register of registers) this.pinned.delete(register)
  }
  /** Remembers what is where; the returned function goes back, with registers made since then free. */
  snapshot(): () => void {
    const of = new Map(this.of)
    const free = [...this.free]
    const count = this.count
    return () => {
      this.of = of
      this.free = free
      for (let register = count; register < this.count; register++) this.free.push(register)
    }
  }
}

export interface Move {
  readonly to: number
  readonly from: number
  /** The value in `from` dies with these moves. */
  readonly take: boolean
}

/**
 * Orders moves that happen at once. A cycle is broken through a register that `spare` gives. A source is taken by
 * the last move that reads it.
 */
export function orderMoves(moves: readonly Move[], spare: () => number): Move[] {
  const out: Move[] = []
  const staying = new Set(moves.filter((move) => move.to === move.from).map((move) => move.from))
  let pending = moves.filter((move) => move.to !== move.from).map((move) => (staying.has(move.from) ? { ...move, take: false } : move))
  const emit = (move: Move): void => {
    pending = pending.filter((other) => other !== move)
    const isLastRead = !pending.some((other) => other.from === move.from)
    out.push({ ...move, take: move.take && isLastRead })
  }
  while (pending.length > 0) {
    const ready = pending.find((move) => !pending.some((other) => other !== move && other.from === move.to))
    if (ready !== undefined) {
      emit(ready)
      continue
    }
    // Every destination is still read: save one of them and let its readers read the copy.
    const saved = pending[0].to
    const register = spare()
    out.push({ to: register, from: saved, take: true })
    pending = pending.map((move) => (move.from === saved ? { to: move.to, from: register, take: true } : move))
  }
  return out
}
