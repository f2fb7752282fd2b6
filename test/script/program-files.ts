import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { transformSync } from 'esbuild'
import * as torch from '../../lib/index.js'

/**
 * Program files: cases that start with `=== title`, then the source. Lines `>>> expression` call it, the lines after each are what comes out:
 * a value, or `!!! ` and an error message. `BLESS=1` writes what comes out into the file.
 */
export interface Call {
  readonly expression: string
  expected: string
}
export interface Case {
  readonly title: string
  readonly source: string
  readonly calls: Call[]
}
export const folder = 'test/script/programs'
export const programFiles = (ending: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name}`)

export function readCases(file: string): Case[] {
  const parts = readFileSync(file, 'utf8').split(/^=== /m).slice(1)
  return parts.map((part) => {
    const [title, ...lines] = part.trimEnd().split('\n')
    const first = lines.findIndex((line) => line.startsWith('>>> '))
    const calls: Call[] = []
    for (const line of lines.slice(first)) {
      if (line.startsWith('>>> ')) calls.push({ expression: line.slice(4), expected: '' })
      else {
        const call = calls.at(-1)!
        call.expected += call.expected === '' ? line : `\n${line}`
      }
    }
    return { title, source: lines.slice(0, first).join('\n'), calls }
  })
}
export function writeCases(file: string, cases: readonly Case[]): void {
  const text = cases.map(({ title, source, calls }) => {
    const runs = calls.map(({ expression, expected }) => `>>> ${expression}\n${expected}`)
    return `=== ${title}\n${source}\n${runs.join('\n')}\n`
  })
  writeFileSync(file, text.join('\n'))
}

/** A value as text. Whole floats print like ints, which JavaScript cannot tell apart. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (value instanceof torch.Tensor) return `tensor(${value.dtype}, ${show(value.toArray())})`
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (value instanceof Map) return `{${[...value].map(([k, v]) => `${show(k)}: ${show(v)}`).join(', ')}}`
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number' && Object.is(value, -0)) return '-0'
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    return `{${Object.entries(value)
      .map(([k, v]) => `${k}: ${show(v)}`)
      .join(', ')}}`
  return String(value)
}

/** What programs and expressions see. */
const scope = {
  torch,
  nn: torch.nn,
  jit: torch.jit,
  F: torch.nn.functional,
  int: torch.int,
  float: torch.float,
  range: torch.range,
  enumerate: torch.enumerate,
  zip: torch.zip,
  slice: (torch as unknown as { slice: unknown }).slice,
  ellipsis: (torch as unknown as { ellipsis: unknown }).ellipsis,
  t: (values: torch.NestedArray, dtype?: torch.DType) => torch.tensor(values as never, dtype === undefined ? {} : { dtype }),
  /** Integers, and tuples, which look alike here and in Python. */
  ti: (values: torch.NestedArray) => torch.tensor(values as never, { dtype: 'int64' }),
  T: (...items: unknown[]) => items,
  True: true,
  False: false,
  None: null,
}

/** Runs an expression (a body where it is in braces) and shows what comes out. */
export function outcome(run: () => unknown): string {
  try {
    return show(run())
  } catch (error) {
    return `!!! ${(error as Error).message}`
  }
}

/** The names that a TypeScript source declares, running. */
export function evaluate(source: string, expression: string, script: (target: unknown) => unknown): unknown {
  const { code } = transformSync(source, {
    loader: 'ts',
    target: 'es2022',
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: true } },
  })
  const body = expression.startsWith('{') ? expression.slice(1, -1) : `return (${expression})`
  const names = { ...scope, S: script }
  // The programs of the tests are code.
  const fn = new Function(...Object.keys(names), `${code}\n${body}`) as (...args: unknown[]) => unknown
  return fn(...Object.values(names))
}
export function evaluateWith(names: Readonly<Record<string, unknown>>, expression: string): unknown {
  const all = { ...scope, ...names }
  const fn = new Function(...Object.keys(all), `return (${expression})`) as (...args: unknown[]) => unknown
  return fn(...Object.values(all))
}
