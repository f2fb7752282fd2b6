import t from 'tap'
import { readFileSync } from 'node:fs'
import { Program } from '../../lib/runtime/program.js'
import { CompilationUnit } from '../../lib/script/compilation-unit.js'
import { tensor } from '../../lib/tensor/creation.js'
import { Tensor } from '../../lib/tensor/tensor.js'

/** Values in programs.json: tensors, dicts and NaN have no plain form. */
function encode(value: unknown): unknown {
  if (value instanceof Tensor) return { tensor: value.toArray() }
  if (Array.isArray(value)) return value.map(encode)
  if (value instanceof Map) return { dict: [...value].map(([k, v]) => [k, encode(v)]) }
  if (typeof value === 'bigint') return Number(value)
  return Number.isNaN(value) ? { nan: true } : value
}
const decode = (value: unknown): unknown =>
  value !== null && typeof value === 'object' && 'tensor' in value ? tensor(value.tensor as number[]) : value

/** Equal; floats of tensors are float32 on one side and printed as doubles on both. */
function close(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b) <= 1.3e-6 * Math.abs(b) + 1e-12
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length && keys.every((k) => close((a as Record<string, unknown>)[k], (b as Record<string, unknown>)[k]))
  )
}

const folder = 'test/script/fixtures'
const expected = JSON.parse(readFileSync(`${folder}/programs.json`, 'utf8')) as Record<string, [unknown[], unknown][]>

t.test('programs give what PyTorch gives: early exits, narrowing, loops, containers, indexing', (t) => {
  const unit = new CompilationUnit()
  const functions = unit.define(readFileSync(`${folder}/programs.py`, 'utf8'), 'programs.py')
  t.same(functions.map((f) => f.name).sort(), Object.keys(expected).sort())
  const program = new Program({ classes: unit, functions })
  for (const fn of functions) {
    for (const [args, result] of expected[fn.name]) {
      const what = `${fn.name}(${JSON.stringify(args).slice(1, -1)})`
      let got: unknown
      try {
        got = encode(program.call(fn, args.map(decode)))
      } catch (error) {
        const raises = (result as { raises?: string } | null)?.raises
        if (raises === undefined) throw error
        t.match((error as Error).message, raises, what)
        continue
      }
      t.ok(close(got, result), `${what} is ${JSON.stringify(got)}, expected ${JSON.stringify(result)}`)
    }
  }
  t.end()
})
