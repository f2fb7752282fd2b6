import t from 'tap'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import * as torch from '../../../lib/index.js'
import type { QuantInfo } from '../../../lib/native/binding.js'
import { nativeBinding } from '../../../lib/native/loader.js'
import { dtypeCode } from '../../../lib/tensor/dtype.js'
import { exponential, fixed, repr } from '../../../lib/tensor/decimal.js'
import { arrayTypeOf } from '../../../lib/tensor/typed-array.js'

/** What PyTorch prints (test/fixtures/make/printing.py). */
interface Case {
  readonly text: string
  readonly options: torch.PrintOptions
  readonly dtype: torch.DType
  readonly shape: number[]
  readonly requiresGrad: boolean
  readonly bytes?: string
  readonly ramp?: boolean
  readonly quant?: QuantInfo
}
const cases = JSON.parse(readFileSync('test/fixtures/tensor/printing.json', 'utf8').replaceAll('Infinity', '1e999')) as Case[]

function made({ dtype, shape, bytes, ramp, quant, requiresGrad }: Case): torch.Tensor {
  if (ramp)
    return torch
      .arange(shape.reduce((p, s) => p * s, 1))
      .to(dtype)
      .view(shape)
  const data = Uint8Array.from(Buffer.from(bytes ?? '', 'base64'))
  const native = nativeBinding()
  const storage = native.storageFromBuffer(data.buffer, 0, data.byteLength, false)
  const strides = shape.map((_, dim) => shape.slice(dim + 1).reduce((p, s) => p * Math.max(s, 1), 1))
  const handle = native.tensorOnStorage(storage, dtypeCode(dtype), shape, strides, 0, quant)
  if (requiresGrad) handle.setRequiresGrad(true)
  t.ok(arrayTypeOf(dtype))
  return torch.Tensor.fromHandle(handle)
}

t.test('tensors are printed as PyTorch prints them', (t) => {
  t.ok(cases.length >= 80)
  for (const row of cases) {
    torch.setPrintOptions(row.options)
    t.equal(String(made(row)), row.text, row.text.split('\n')[0])
  }
  torch.setPrintOptions({ profile: 'default' })
  t.end()
})

t.test('util.inspect shows the same text, indented where the tensor lies in something', (t) => {
  const x = torch.tensor([
    [1, 2],
    [3, 4],
  ])
  t.equal(inspect(x), 'tensor([[1., 2.],\n        [3., 4.]])')
  t.equal(inspect({ x }), '{\n  x: tensor([[1., 2.],\n          [3., 4.]])\n}')
  t.end()
})

t.test('options of printing are checked, and the scientific notation is not kept', (t) => {
  torch.setPrintOptions({ profile: 'short', sciMode: true })
  t.same(torch.getPrintOptions(), { precision: 2, threshold: 1000, edgeitems: 2, linewidth: 80, sciMode: true })
  torch.setPrintOptions({ precision: 3 })
  t.same(torch.getPrintOptions(), { precision: 3, threshold: 1000, edgeitems: 2, linewidth: 80, sciMode: null })
  torch.setPrintOptions({ profile: 'default' })
  t.throws(() => torch.setPrintOptions({ precision: -1 }), {
    message: 'Expected a non-negative integer for `precision` but received -1',
  })
  t.throws(() => torch.setPrintOptions({ profile: 'long' as never }), {
    message: "Expected 'default', 'short' or 'full' for `profile` but received \"long\"",
  })
  t.end()
})

t.test('numbers as Python writes them: ties to even, large and small ones exactly', (t) => {
  t.same(
    [fixed(0.5, 0), fixed(1.5, 0), fixed(2.5, 0), fixed(0.03125, 4), fixed(0.09375, 4), fixed(1e22, 0)],
    ['0', '2', '2', '0.0312', '0.0938', '10000000000000000000000'],
  )
  t.same(
    [exponential(12345, 3), exponential(9.9999e-5, 2), exponential(0, 4), exponential(5e-324, 4)],
    ['1.234e+04', '1.00e-04', '0.0000e+00', '4.9407e-324'],
  )
  t.same(
    [repr(0.1), repr(1), repr(1e16), repr(123456789012345680), repr(0.0001), repr(0.00001), repr(-2.5)],
    ['0.1', '1.0', '1e+16', '1.2345678901234568e+17', '0.0001', '1e-05', '-2.5'],
  )
  t.end()
})
