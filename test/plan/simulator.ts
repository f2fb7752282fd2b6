import { Op } from '../../lib/plan/format.js'
import type { PlanTables } from '../../lib/plan/tables.js'

const dead = Symbol('dead register')

/** What operators do, by full name. */
export type Operators = Readonly<Record<string, (...args: never[]) => unknown>>

export interface Run {
  readonly result: unknown
  /** Registers that hold a value other than a plain one when the function returns, the result aside. */
  readonly leftovers: readonly unknown[]
}

/** Runs bytecode on JavaScript values. Reading a register that is dead, or was never written, is an error: takes and drops are checked. */
export function simulate(tables: PlanTables, index: number, args: readonly unknown[], operators: Operators): Run {
  const { code, registers: count } = tables.functions[index]
  const registers: unknown[] = new Array<unknown>(count).fill(dead)
  args.forEach((arg, i) => (registers[i] = arg))
  let pc = 0
  const word = (): number => code[pc++]
  const source = (): unknown => {
    const operand = word()
    const register = operand < 0 ? ~operand : operand
    const value = registers[register]
    if (value === dead) throw new Error(`word ${pc - 1} reads register ${register}, which is dead`)
    if (operand < 0) registers[register] = dead
    return value
  }
  const sources = (n: number): unknown[] => Array.from({ length: n }, source)
  const constant = (k: number): unknown => {
    const value = tables.constants[k]
    if (value.kind === 'int') return Number(value.value)
    if (value.kind === 'none') return null
    return 'value' in value ? value.value : value
  }
  for (let steps = 0; ; steps++) {
    if (steps > 100000) throw new Error('The program does not end.')
    const op = word()
    switch (op) {
      case Op.CONST: {
        const to = word()
        registers[to] = constant(word())
        break
      }
      case Op.MOVE: {
        const to = word()
        registers[to] = source()
        break
      }
      case Op.OP: {
        const { name } = tables.operators[word()]
        const values = sources(word())
        const n = word()
        const run = operators[name] as ((...args: unknown[]) => unknown) | undefined
        if (run === undefined) throw new Error(`no operator ${name}`)
        const result = run(...values)
        const results = n === 1 ? [result] : (result as unknown[])
        for (let i = 0; i < n; i++) registers[word()] = results[i]
        break
      }
      case Op.CALL: {
        const callee = word()
        const values = sources(word())
        registers[word()] = simulate(tables, callee, values, operators).result
        break
      }
      case Op.JUMP:
        pc = word()
        break
      case Op.JUMP_FALSE: {
        const condition = source()
        const target = word()
        if (condition === false) pc = target
        break
      }
      case Op.LOOP_BEGIN:
      case Op.LOOP_NEXT: {
        const trip = word()
        const limit = source() as number
        const condition = source()
        const target = word()
        if (op === Op.LOOP_BEGIN) registers[trip] = 0
        else registers[trip] = (registers[trip] as number) + 1
        const goesOn = (registers[trip] as number) < limit && condition === true
        if (goesOn === (op === Op.LOOP_NEXT)) pc = target
        break
      }
      case Op.RETURN: {
        const result = source()
        return { result, leftovers: registers.filter((value) => value !== dead && typeof value === 'object' && value !== null) }
      }
      case Op.TUPLE:
      case Op.LIST: {
        const to = word()
        word()
        registers[to] = sources(word())
        break
      }
      case Op.TUPLE_UNPACK:
      case Op.LIST_UNPACK: {
        const values = source() as unknown[]
        const n = word()
        for (let i = 0; i < n; i++) registers[word()] = values[i]
        break
      }
      case Op.DROP: {
        const n = word()
        for (let i = 0; i < n; i++) {
          const register = word()
          if (registers[register] === dead) throw new Error(`word ${pc - 1} drops register ${register}, which is dead`)
          registers[register] = dead
        }
        break
      }
      default:
        throw new Error(`no opcode ${op}`)
    }
  }
}
