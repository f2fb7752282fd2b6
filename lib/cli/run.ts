import { writeFileSync } from 'node:fs'
import { load } from '../api/jit/load.js'
import { loadNpy, loadNpz, npyBytes } from '../api/io.js'
import { optimizeForInference } from '../api/jit/optimize-for-inference.js'
import { profile } from '../api/profiler/profile.js'
import { setNumThreads } from '../api/settings.js'
import { writeNpz } from '../archive/npy.js'
import { tensor } from '../tensor/creation.js'
import { Tensor } from '../tensor/tensor.js'
import { ArgumentError } from '../util/errors.js'

interface RunOptions {
  input?: string[]
  output?: string
  method?: string
  threads?: string
  repeat?: string
  optimize?: boolean
  profile?: boolean
  trace?: string
  json?: boolean
}

export function positive(text: string, name: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new ArgumentError(`Expected a positive integer for \`${name}\` but received ${text}`)
  return value
}
export function shapeOf(text: string, name = '--input'): number[] {
  const shape = text.split(',').map(Number)
  if (!shape.every((n) => Number.isInteger(n) && n >= 0))
    throw new ArgumentError(`Expected a shape such as 1,3,224,224 for \`${name}\` but received ${text}`)
  return shape
}

/** An argument from its text: see the usage page. */
export function parseInput(text: string): unknown {
  const [kind, rest] = /^(random|zeros|int|float|bool|str):(.*)$/s.exec(text)?.slice(1) ?? ['', text]
  switch (kind) {
    case 'random': {
      const shape = shapeOf(rest)
      return tensor(
        Float32Array.from({ length: shape.reduce((p, s) => p * s, 1) }, () => Math.random() * 2 - 1),
        { shape },
      )
    }
    case 'zeros':
      return tensor(new Float32Array(shapeOf(rest).reduce((p, s) => p * s, 1)), { shape: shapeOf(rest) })
    case 'int':
      if (!/^-?\d+$/.test(rest)) throw new ArgumentError(`Expected an integer for \`--input\` but received ${rest}`)
      return BigInt(rest)
    case 'float':
      if (rest.trim() === '' || Number.isNaN(Number(rest)))
        throw new ArgumentError(`Expected a number for \`--input\` but received ${rest}`)
      return Number(rest)
    case 'bool':
      return rest === 'true' || rest === '1'
    case 'str':
      return rest
  }
  if (text === 'none') return null
  const npz = /^(.*\.npz):([^:]+)$/.exec(text)
  if (npz !== null) {
    const value = loadNpz(npz[1])[npz[2]]
    if (value === undefined) throw new ArgumentError(`Expected an array of ${npz[1]} for \`--input\` but received ${npz[2]}`)
    return value
  }
  return loadNpy(text)
}

/** Tensors in a result, by path. */
function tensorsIn(value: unknown, path = ''): [string, Tensor][] {
  if (value instanceof Tensor) return [[path === '' ? 'output' : path, value]]
  const name = (key: string | number): string => (path === '' ? `output_${key}` : `${path}_${key}`)
  if (Array.isArray(value)) return value.flatMap((v, i) => tensorsIn(v, name(i)))
  if (value instanceof Map) return [...value].flatMap(([k, v]) => tensorsIn(v, name(String(k))))
  if (value !== null && typeof value === 'object') return Object.entries(value).flatMap(([k, v]) => tensorsIn(v, name(k)))
  return []
}

function plain(value: unknown): unknown {
  if (value instanceof Tensor) return { dtype: value.dtype, shape: value.shape, data: value.toArray() }
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Map) return Object.fromEntries([...value].map(([k, v]) => [String(k), plain(v)]))
  if (typeof value === 'bigint') return value.toString()
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]))
  return value
}

/** `torchscript run`. */
export function runCommand(file: string, options: RunOptions): number {
  if (options.threads !== undefined) setNumThreads(positive(options.threads, '--threads'))
  const repeat = positive(options.repeat ?? '1', '--repeat')
  const profiled = options.profile === true || options.trace !== undefined
  const loaded = load(file, { mapLocation: 'cpu' })
  const model = options.optimize ? optimizeForInference(loaded) : loaded
  const args = (options.input ?? []).map(parseInput)
  const call = (times: number): unknown => {
    let result: unknown
    for (let i = 0; i < times; i++) result = model.run(options.method ?? 'forward', ...args)
    return result
  }
  // The first of several calls packs weights and records; it would hide the others.
  if (profiled && repeat > 1) call(1)
  const measured = profiled ? profile(() => call(Math.max(1, repeat - 1))) : undefined
  const result = measured === undefined ? call(repeat) : measured.result
  if (options.output !== undefined) {
    const tensors = tensorsIn(result)
    if (tensors.length === 0)
      throw new ArgumentError(`Expected a result with tensors for \`--output\` but received ${JSON.stringify(plain(result))}`)
    if (options.output.endsWith('.npz')) {
      const parts = writeNpz(tensors.map(([name, t]) => [name, { dtype: t.dtype, shape: t.shape, data: t.data }] as const))
      writeFileSync(options.output, Buffer.concat(parts))
    } else if (tensors.length === 1) writeFileSync(options.output, npyBytes(tensors[0][1]))
    else
      throw new ArgumentError(
        `Expected a .npz file for \`--output\`, since the result has ${tensors.length} tensors, but received ${options.output}`,
      )
  } else if (options.json) process.stdout.write(`${JSON.stringify(plain(result))}\n`)
  else console.log(result)
  if (measured !== undefined && options.trace !== undefined) measured.exportChromeTrace(options.trace)
  if (measured !== undefined && options.profile) process.stdout.write(`${measured.table()}\n`)
  return 0
}
