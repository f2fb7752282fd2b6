import t from 'tap'
import { readFileSync } from 'node:fs'
import { camelCase } from '../../../lib/api/operators/operator.js'
import * as torch from '../../../lib/index.js'

type Argument = number | boolean | number[] | { tensor: never }
/** What PyTorch creates after torch.manual_seed(7) (test/fixtures/make/creation.py). */
const rows = JSON.parse(readFileSync('test/fixtures/tensor/creation.json', 'utf8')) as {
  name: string
  args: Argument[]
  options: Record<string, unknown>
  dtype: string
  shape: number[]
  requiresGrad: boolean
  values: number[]
}[]

const argument = (value: Argument): unknown => {
  if (typeof value !== 'object' || Array.isArray(value)) return value
  const flat = [value.tensor].flat(9) as number[]
  return torch.tensor(value.tensor, { dtype: flat.every(Number.isInteger) ? 'int64' : 'float32' })
}
const functions = torch as unknown as Record<string, (...args: unknown[]) => torch.Tensor>

t.test('tensors are created as PyTorch creates them, random ones from the same seed', (t) => {
  for (const { name, args, options, dtype, shape, requiresGrad, values } of rows) {
    const label = `${name}(${JSON.stringify(args)}, ${JSON.stringify(options)})`
    torch.manualSeed(7)
    // Integral floats are ints in JavaScript: the example's tensor says what it is.
    const given = args
      .map(argument)
      .map((value) => (value instanceof torch.Tensor && /^(rand|normal|bern|multi)/.test(name) ? value.float() : value))
    const made = functions[camelCase(name)](...given, options)
    t.equal(made.dtype, dtype, label)
    t.same(made.shape, shape, label)
    t.equal(made.requiresGrad, requiresGrad, label)
    const got = made.detach().double().reshape([-1]).toArray() as number[]
    // From 16 elements on PyTorch computes normal float32 numbers with approximations of log, sin and cos that are its own for each instruction set.
    const isApproximate = /normal|randn/.test(name) && dtype === 'float32' && got.length >= 16
    if (isApproximate)
      t.ok(
        got.every((x, i) => Math.abs(x - values[i]) <= 4 * 2 ** -23 * Math.max(1, Math.abs(x))),
        label,
      )
    else t.same(got, values, label)
  }
  t.end()
})

t.test('creation is part of a trace; tensors from data are constants of it', (t) => {
  const traced = torch.jit.trace((x: torch.Tensor) => x.add(torch.zeros([2])).add(torch.tensor([1, 2])), [torch.ones([2])])
  t.match(traced.graph, /aten::zeros/)
  t.match(traced.graph, /prim::Constant\[value=<?Tensor|prim::Constant\[value=/)
  t.end()
})

t.test('sizes may be written out, options come last', (t) => {
  t.same(torch.zeros(2, 3).shape, [2, 3])
  t.same(torch.ones([2], { dtype: 'long' }).dtype, 'int64')
  t.same(torch.complex(1, 2), { re: 1, im: 2 })
  t.equal(torch.complex(torch.ones([2]), torch.zeros([2])).dtype, 'complex64')
  t.equal(torch.zeros([2], { requiresGrad: true }).requiresGrad, true)
  t.end()
})

t.test('typed arrays are shared, and bits of half precision stay bits', (t) => {
  const array = new Float32Array([1, 2, 3, 4])
  const x = torch.tensor(array, { shape: [2, 2] })
  x.mul_(2)
  t.same([...array], [2, 4, 6, 8])
  const half = torch.tensor([1.5, -2]).half()
  t.same(half.data, new Uint16Array([torch.numberToFloat16(1.5), torch.numberToFloat16(-2)]))
  t.same(torch.tensor([1.5]).bfloat16().data, new Uint16Array([torch.numberToBfloat16(1.5)]))
  t.same(torch.complex(torch.tensor([1, 2]), torch.tensor([3, 4])).data, new Float32Array([1, 3, 2, 4]))
  t.same(torch.tensor([2n ** 60n]).data, new BigInt64Array([2n ** 60n]))
  t.end()
})
