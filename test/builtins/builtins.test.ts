import { readFileSync } from 'node:fs'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { nativeBinding } from '../../lib/native/loader.js'
import { dtypeCode, dtypeSize } from '../../lib/tensor/dtype.js'

// Every method of test/fixtures/builtins/*.pt is one operator; the answers are PyTorch's (test/fixtures/make/builtins.py).

type Encoded =
  | { t: 'none' }
  | { t: 'bool'; v: boolean }
  | { t: 'int' | 'float' | 'str' | 'dtype'; v: string }
  | { t: 'complex'; re: string; im: string }
  | { t: 'tensor'; dtype: torch.DType; sizes: number[]; strides: number[]; data: string[] }
  | { t: 'dict'; v: [Encoded, Encoded][] }
  | { t: 'list' | 'tuple'; v: Encoded[] }
  | { t: 'error'; message: string }

interface Call {
  method: string
  args: Encoded[]
  expected: Encoded
}

const number = (text: string): number => (text === 'inf' ? Infinity : text === '-inf' ? -Infinity : Number(text))
const integer = (text: string): number | bigint => (Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text))

/** A tensor with the strides it had in PyTorch. */
function tensorOf({ dtype, sizes, strides, data }: Encoded & { t: 'tensor' }): torch.Tensor {
  const span = sizes.includes(0) ? 0 : sizes.reduce((last, size, d) => last + (size - 1) * strides[d], 0) + 1
  const isComplex = dtype.startsWith('complex')
  const memory = new Array<number | bigint | boolean | torch.Complex>(span).fill(
    isComplex ? torch.complex(0, 0) : dtype === 'bool' ? false : dtype === 'int64' ? 0n : 0,
  )
  const element = (at: number): number | bigint | boolean | torch.Complex => {
    if (isComplex) return torch.complex(number(data[2 * at]), number(data[2 * at + 1]))
    if (dtype === 'bool') return number(data[at]) !== 0
    return dtype === 'int64' ? BigInt(data[at]) : number(data[at])
  }
  const index = sizes.map(() => 0)
  for (let at = 0; at < (isComplex ? data.length / 2 : data.length); at++) {
    memory[index.reduce((sum, i, d) => sum + i * strides[d], 0)] = element(at)
    for (let d = sizes.length - 1; d >= 0 && ++index[d] === sizes[d]; d--) index[d] = 0
  }
  const flat = torch.tensor(memory, { dtype, shape: [span] })
  if (span === 0) return torch.empty(sizes, { dtype })
  const bytes = flat.data
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + span * dtypeSize(dtype)) as ArrayBuffer
  return torch.Tensor.fromHandle(nativeBinding().tensorFromBuffer(buffer, 0, dtypeCode(dtype), sizes, strides))
}

function decode(value: Encoded): unknown {
  switch (value.t) {
    case 'none':
      return null
    case 'int':
      return integer(value.v)
    case 'float':
      return number(value.v)
    case 'complex':
      return { re: number(value.re), im: number(value.im) }
    case 'tensor':
      return tensorOf(value)
    case 'dict':
      return new Map(value.v.map(([k, v]) => [decode(k), decode(v)]))
    case 'list':
    case 'tuple':
      return value.v.map(decode)
    case 'error':
      throw new Error('an error is not a value')
    default:
      return value.v
  }
}

const close = (a: number, b: number): boolean => Object.is(a, b) || (a === 0 && b === 0) || Math.abs(a - b) <= 1e-12 * Math.abs(b)

/** What is wrong with a result, or undefined. */
function difference(got: unknown, expected: Encoded): string | undefined {
  const wrong = (): string => `expected ${JSON.stringify(expected)} but received ${typeof got === 'bigint' ? got : JSON.stringify(got)}`
  const sequence = (items: unknown, wanted: readonly Encoded[]): string | undefined => {
    if (!Array.isArray(items) || items.length !== wanted.length) return wrong()
    return wanted.map((item, i) => difference(items[i], item)).find((text) => text !== undefined)
  }
  switch (expected.t) {
    case 'none':
      return got === null ? undefined : wrong()
    case 'int':
      return got === integer(expected.v) ? undefined : wrong()
    case 'float':
      return typeof got === 'number' && close(got, number(expected.v)) ? undefined : wrong()
    case 'complex': {
      const { re, im } = got as { re: number; im: number }
      return close(re, number(expected.re)) && close(im, number(expected.im)) ? undefined : wrong()
    }
    case 'dtype':
      return got === dtypeCode(expected.v as torch.DType) ? undefined : wrong()
    case 'tensor': {
      if (!(got instanceof torch.Tensor)) return wrong()
      if (got.dtype !== expected.dtype) return `expected dtype ${expected.dtype} but received ${got.dtype}`
      if (got.shape.join() !== expected.sizes.join()) return `expected sizes [${expected.sizes}] but received [${got.shape}]`
      const wanted = tensorOf(expected).toArray()
      if (!sameItems(got.toArray(), wanted)) return wrong()
      // Strides of dimensions with one element, and of tensors without any, are free.
      const matters = expected.sizes.map((size, d) => (size > 1 && !expected.sizes.includes(0) ? expected.strides[d] : 0))
      const strides = got.stride().map((stride, d) => (matters[d] === 0 && expected.strides[d] !== 0 ? 0 : stride))
      return strides.every((stride, d) => stride === matters[d] || expected.sizes[d] <= 1)
        ? undefined
        : `expected strides [${expected.strides}] but received [${got.stride()}]`
    }
    case 'dict': {
      const entries = got instanceof Map ? [...got] : undefined
      if (entries?.length !== expected.v.length) return wrong()
      return expected.v.map(([k, v], i) => difference(entries[i][0], k) ?? difference(entries[i][1], v)).find((text) => text !== undefined)
    }
    case 'list':
    case 'tuple':
      return sequence(got, expected.v)
    case 'error':
      return `expected the error '${expected.message}' but received ${JSON.stringify(got)}`
    default:
      return got === expected.v ? undefined : wrong()
  }
}

function sameItems(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => sameItems(item, b[i]))
  if (typeof a === 'number' && typeof b === 'number') return close(a, b)
  if (typeof a === 'object' && typeof b === 'object') return JSON.stringify(a) === JSON.stringify(b)
  return a === b
}

/** Errors whose text is of the C++ library or of no use to anyone; only that they raise is asked. */
const anyText =
  /^(basic_string|stoll|stod|std::|Index -?\d+ out of range|vector::|invalid vector|select\(\)|maximum size|chr\(\)|dim \d+ appears)/

for (const family of ['numbers', 'strings', 'containers', 'views']) {
  t.test(family, (t) => {
    const programs = torch.jit.load(`test/fixtures/builtins/${family}.pt`)
    const calls = JSON.parse(readFileSync(`test/fixtures/builtins/${family}.json`, 'utf8')) as Call[]
    for (const call of calls) {
      const title = `${call.method}(${call.args.map((a) => ('v' in a ? JSON.stringify(a.v) : a.t === 'tensor' ? `${a.dtype}[${a.sizes}]` : a.t)).join(', ')})`
      let text: string | undefined
      try {
        text = difference(programs.run(call.method, ...call.args.map(decode)), call.expected)
      } catch (error) {
        const { message } = error as Error
        if (call.expected.t !== 'error') text = message
        else if (!message.includes(call.expected.message) && !anyText.test(call.expected.message))
          text = `expected the error '${call.expected.message}' but received '${message}'`
      }
      if (text !== undefined) t.fail(`${title}: ${text.slice(0, 400)}`)
    }
    t.pass(`${calls.length} calls`)
    t.end()
  })
}
