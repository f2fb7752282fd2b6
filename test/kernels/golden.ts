/** Runs operator calls that PyTorch recorded (test/fixtures/make/golden.py) and compares results. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { ProgramHandle, TensorHandle } from '../../lib/native/binding.js'
import { load, native } from '../native/programs.js'

type Plain =
  | null
  | { t: number; s: number[]; d: string; st?: number[] }
  | { i: number }
  | { f: number | string }
  | { b: boolean }
  | { c: (number | string)[] }
  | { str: string }
  | { is: number[] }
  | { fs: (number | string)[] }
  | { bs: boolean[] }
  | { ts: Plain[] }

export interface GoldenCase {
  op: string
  args: Plain[]
  seed?: number
  tol?: number
  expect?: Plain[]
  raises?: string
}

export const goldenCases = (name: string): GoldenCase[] => {
  const file = JSON.parse(gunzipSync(readFileSync(`test/fixtures/kernels/${name}.json.gz`)).toString()) as {
    tensors: Plain[]
    cases: GoldenCase[]
  }
  for (const c of file.cases) c.args = c.args.map((a) => (a !== null && 'x' in a ? file.tensors[(a as { x: number }).x] : a))
  return file.cases
}

const itemSize: Record<number, number> = { 0: 1, 1: 1, 2: 2, 3: 4, 4: 8, 5: 2, 6: 4, 7: 8, 9: 8, 10: 16, 11: 1, 15: 2 }

function tensorOf(p: { t: number; s: number[]; d: string; st?: number[] }): TensorHandle {
  const bytes = Buffer.from(p.d, 'base64')
  const item = itemSize[p.t]
  const count = p.s.reduce((a, b) => a * b, 1)
  if (p.st === undefined) {
    const buffer = new ArrayBuffer(Math.max(bytes.length, 1))
    new Uint8Array(buffer).set(bytes)
    return native.tensorFromBuffer(buffer, 0, p.t, p.s)
  }
  const strides = p.st
  let last = 0
  if (count > 0) p.s.forEach((size, d) => (last += (size - 1) * strides[d]))
  const buffer = new ArrayBuffer((last + 1) * item)
  const to = new Uint8Array(buffer)
  const index = p.s.map(() => 0)
  for (let k = 0; k < count; k++) {
    const at = index.reduce((sum, i, d) => sum + i * strides[d], 0)
    to.set(bytes.subarray(k * item, (k + 1) * item), at * item)
    for (let d = p.s.length - 1; d >= 0 && ++index[d] === p.s[d]; d--) index[d] = 0
  }
  return native.tensorFromBuffer(buffer, 0, p.t, p.s, strides)
}

function half(bits: number): number {
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  const magnitude =
    exponent === 31 ? (fraction ? NaN : Infinity) : exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15)
  return bits & 0x8000 ? -magnitude : magnitude
}

/** Elements as numbers (integers as bigints for int64), complex ones as two. */
function elements(dtype: number, bytes: Uint8Array): (number | bigint)[] {
  const buffer = new Uint8Array(bytes).buffer
  switch (dtype) {
    case 1:
      return [...new Int8Array(buffer)]
    case 2:
      return [...new Int16Array(buffer)]
    case 3:
      return [...new Int32Array(buffer)]
    case 4:
      return [...new BigInt64Array(buffer)]
    case 5:
      return [...new Uint16Array(buffer)].map(half)
    case 6:
    case 9:
      return [...new Float32Array(buffer)]
    case 7:
    case 10:
      return [...new Float64Array(buffer)]
    case 15:
      return [...new Float32Array(Uint32Array.from(new Uint16Array(buffer), (b) => b << 16).buffer)]
    default:
      return [...bytes]
  }
}

const float = (x: number | string): number => (typeof x === 'number' ? x : ({ inf: Infinity, '-inf': -Infinity }[x] ?? NaN))

const tolerance: Record<number, [number, number]> = {
  5: [1e-3, 1e-5],
  6: [1.3e-6, 1e-5],
  7: [1e-7, 1e-7],
  9: [1.3e-6, 1e-5],
  10: [1e-7, 1e-7],
  15: [1.6e-2, 1e-5],
}

function difference(got: unknown, want: Plain, tol: number | undefined): string {
  if (want === null || !('t' in want)) {
    if (want === null) return got === null || got === undefined ? '' : `got ${String(got)}, want None`
    const w = 'i' in want ? want.i : 'f' in want ? float(want.f) : 'b' in want ? want.b : undefined
    return Number(got) === Number(w) ? '' : `got ${String(got)}, want ${String(w)}`
  }
  const handle = got as TensorHandle
  const info = handle.info()
  if (info.dtype !== want.t) return `dtype ${info.dtype}, want ${want.t}`
  if (info.sizes.join() !== want.s.join()) return `shape [${info.sizes.join()}], want [${want.s.join()}]`
  const count = want.s.reduce((a, b) => a * b, 1)
  if (want.st !== undefined && count > 1 && want.s.some((size, d) => size > 1 && info.strides[d] !== want.st?.[d]))
    return `strides [${info.strides.join()}], want [${want.st.join()}]`
  if (want.st === undefined && count > 1 && !info.isContiguous) return `strides [${info.strides.join()}], want contiguous`
  const whole = handle.copyTo(-1).contiguousCopy()
  const bytes = new Uint8Array(whole.data(), whole.dataOffset, count * itemSize[want.t])
  const a = elements(want.t, bytes)
  const b = elements(want.t, Buffer.from(want.d, 'base64'))
  const [rtol, atol] = tolerance[want.t] ?? [0, 0]
  for (let i = 0; i < b.length; i++) {
    const x = a[i]
    const y = b[i]
    if (x === y) continue
    if (typeof x === 'bigint' || typeof y === 'bigint') return `element ${i}: got ${x}, want ${y}`
    if (Number.isNaN(x) && Number.isNaN(y)) continue
    if (Math.abs(x - y) <= (tol ?? atol) + (tol ?? rtol) * Math.abs(y)) continue
    return `element ${i}: got ${x}, want ${y}`
  }
  return ''
}

const programs = new Map<string, ProgramHandle>()

/** What differs from PyTorch, or an empty string. `device` is where the tensors are: -1 for the CPU. */
export function runGolden(c: GoldenCase, device = -1): string {
  const placed = (t: TensorHandle): TensorHandle => (device < 0 ? t : t.copyTo(device))
  const inputs: string[] = []
  const names: string[] = []
  const constants: string[] = []
  const values: unknown[] = []
  const give = (type: string, value: unknown): void => {
    names.push(`%x${names.length}`)
    inputs.push(`%x${names.length - 1} : ${type}`)
    values.push(value)
  }
  for (const a of c.args) {
    if (a === null) {
      names.push('%none')
    } else if ('t' in a) give('Tensor', placed(tensorOf(a)))
    else if ('i' in a) give('int', a.i)
    else if ('f' in a) give('float', float(a.f))
    else if ('b' in a) give('bool', a.b)
    else if ('c' in a) give('complex', { re: float(a.c[0]), im: float(a.c[1]) })
    else if ('is' in a) give('int[]', a.is)
    else if ('fs' in a) give('float[]', a.fs.map(float))
    else if ('bs' in a) give('bool[]', a.bs)
    else if ('ts' in a)
      give(
        'Tensor[]',
        a.ts.map((x) => placed(tensorOf(x as { t: number; s: number[]; d: string }))),
      )
    else {
      names.push(`%s${constants.length}`)
      constants.push(`  %s${constants.length} : str = prim::Constant[value="${a.str}"]()\n`)
    }
  }
  const results = c.expect?.length ?? 1
  const outs = Array.from({ length: results }, (_, i) => `%r${i} : Tensor`).join(', ')
  const tuple =
    results > 1
      ? `  %t : (${Array(results).fill('Tensor').join(', ')}) = prim::TupleConstruct(${Array.from({ length: results }, (_, i) => `%r${i}`).join(', ')})\n`
      : ''
  const name = c.op.split('.')[0]
  const text = `graph(${inputs.join(', ')}):\n  %none : NoneType = prim::Constant()\n${constants.join('')}  ${outs} = ${name}(${names.join(', ')})\n${tuple}  return (${results > 1 ? '%t' : '%r0'})`
  try {
    let program = programs.get(text)
    if (program === undefined) {
      program = load(text)
      program.setRecording(false)
      programs.set(text, program)
    }
    if (c.seed !== undefined) native.seed(c.seed)
    const got = program.run(0, values)
    if (c.expect === undefined) return `expected the error '${c.raises}', but it returned`
    const all = results > 1 ? (got as unknown[]) : [got]
    for (let i = 0; i < results; i++) {
      const d = difference(all[i], c.expect[i], c.tol)
      if (d !== '') return results > 1 ? `result ${i}: ${d}` : d
    }
    return ''
  } catch (error) {
    const message = (error as Error).message
    return c.raises === undefined ? `raised ${message.split('\n')[0]}` : ''
  }
}

export const describe = (c: GoldenCase): string =>
  `${c.op}(${c.args.map((a) => (a === null ? 'None' : 't' in a ? `${a.t}[${a.s.join()}]${a.st ? '!' : ''}` : JSON.stringify(Object.values(a)[0]))).join(', ')})`

/** The cases of a fixture that differ, run in a process of its own with one instruction set and settings of the environment. */
export function failuresOn(isa: string, name: string, settings: Record<string, string> = {}): string[] {
  const script = fileURLToPath(new URL('./golden-child.js', import.meta.url))
  const text = execFileSync(process.execPath, [script, name], {
    env: { ...process.env, TORCHSCRIPT_ISA: isa, ...settings },
    maxBuffer: 1 << 26,
  }).toString()
  return JSON.parse(text) as string[]
}

/** Instruction sets that this machine can be asked for. */
export const isas = ['scalar', 'avx2', 'avx512'].filter(
  (isa) => isa === 'scalar' || ['scalar', 'avx2', 'avx512'].indexOf(isa) <= ['scalar', 'avx2', 'avx512'].indexOf(native.isa()),
)
