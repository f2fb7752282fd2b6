import { readFileSync } from 'node:fs'
import t from 'tap'
import * as torch from '../../lib/index.js'
import type { DType } from '../../lib/tensor/dtype.js'

interface Plain {
  dtype: DType
  shape: number[]
  data: (number | boolean | string)[]
}
interface Case {
  code: string
  inputs: Plain[]
  expected?: Plain
  raises?: string
}

/** Integers are written as strings, as are floats that JSON lacks. */
const numberOf = (value: number | boolean | string): number =>
  typeof value === 'string' ? Number(value.replace('inf', 'Infinity')) : Number(value)

function tensorOf({ dtype, shape, data }: Plain): torch.Tensor {
  return torch.tensor(data.map(numberOf), { dtype: 'float64' }).reshape(shape).to(dtype)
}

/** What is wrong with a result; undefined when it agrees. */
function difference(got: torch.Tensor, wanted: Plain): string | undefined {
  if (got.dtype !== wanted.dtype || String(got.shape) !== String(wanted.shape))
    return `expected ${wanted.dtype} [${wanted.shape}] but received ${got.dtype} [${got.shape}]`
  const tolerance = /^b?float16$/.test(wanted.dtype) ? 1e-2 : 1e-6
  const values = Array.from(got.to('float64').contiguous().data as ArrayLike<number>)
  const close = (x: number, y: number): boolean =>
    Object.is(x + 0, y + 0) || Math.abs(x - y) <= tolerance * Math.abs(y) || (wanted.dtype === 'float64' && Math.abs(x - y) <= 1e-12)
  const at = wanted.data.map(numberOf).findIndex((x, i) => !close(values[i], x))
  return at < 0 ? undefined : `element ${at}: expected ${wanted.data[at]} but received ${values[at]}`
}

const cases = JSON.parse(readFileSync('test/fixtures/script/operators.json', 'utf8')) as Case[]

t.test('operators in programs give what PyTorch gives, and refuse what it refuses', (t) => {
  const failures: string[] = []
  for (const { code, inputs, expected, raises } of cases) {
    const unit = new torch.jit.CompilationUnit(code) as unknown as { f: (...args: torch.Tensor[]) => torch.Tensor }
    const fail = (what: string): number => failures.push(`${code.split('\n')[1].trim()}: ${what}`)
    try {
      const result = unit.f(...inputs.map(tensorOf))
      const wrong = expected === undefined ? `expected ${raises} but received a tensor` : difference(result, expected)
      if (wrong !== undefined) fail(wrong)
    } catch (error) {
      if (raises === undefined) fail(String(error).slice(0, 300))
    }
  }
  t.same(failures, [])
  t.end()
})
