import './emulated.js'
import t from 'tap'
import { operatorDefinitions } from '../../lib/ops/index.js'
import * as torch from '../../lib/index.js'
import { callOperator } from '../../lib/runtime/dispatch.js'
import { sameOnDevice } from './compare.js'

torch.manualSeed(5)
const special = torch.tensor([0, -0, 1, -1, 0.5, -0.5, 2, 3.7, -2.3, 1e-3, 1e3, 20, -20, NaN, Infinity, -Infinity, 1e-30, 88, -104])

/** Functions of one tensor: every expression that a schema with one tensor and no other required argument reaches. */
const unary = operatorDefinitions
  .filter((d) => d.kind === 'pointwise' && Object.keys(d.operands).length === 1 && d.params === undefined)
  .flatMap((d) => (d as { names: readonly string[] }).names.slice(0, 1))

t.test('expressions of one tensor are those of the CPU', (t) => {
  t.ok(unary.length > 50)
  const inputs = [special, special.to('float64'), special.to('float16'), torch.tensor([0n, 1n, -3n, 7n]), torch.tensor([true, false])]
  for (const name of unary) {
    for (const input of inputs) {
      const run = (x: torch.Tensor): unknown => callOperator(name.split('.')[0], [x])
      try {
        run(input)
      } catch {
        continue // not of this dtype, or with more arguments
      }
      // libm on one side, the compiler's own on the other: last places differ.
      sameOnDevice(t, `${name} of ${input.dtype}`, run, [input], input.dtype === 'float64' ? 1e-13 : 3e-6)
    }
  }
  t.end()
})

t.test('two tensors: broadcast, strided, of different dtypes', (t) => {
  const x = torch.randn([4, 5])
  const others: [string, torch.Tensor | number][] = [
    ['a row', torch.randn([5])],
    ['a column', torch.randn([4, 1])],
    ['transposed', torch.randn([5, 4]).t()],
    ['float64', torch.randn([4, 5]).to('float64')],
    ['float16', torch.randn([4, 5]).to('float16')],
    ['int64', torch.arange(20).reshape([4, 5])],
    ['0-dim', torch.tensor(2.5)],
    ['a number', 3],
    ['empty', torch.randn([0, 1, 1])],
  ]
  for (const name of ['add', 'sub', 'mul', 'div', 'pow', 'maximum', 'lt', 'eq', 'atan2'] as const)
    for (const [what, y] of others) {
      if (typeof y === 'number' && (name === 'maximum' || name === 'atan2')) continue
      sameOnDevice(t, `${name} with ${what}`, (a: torch.Tensor, b: torch.Tensor) => callOperator(`aten::${name}`, [a, b]), [x, y], 3e-6)
    }
  t.end()
})

t.test('long rows take vectors, and their ends do not', (t) => {
  for (const n of [1, 3, 4, 5, 1023, 1024, 1027]) {
    for (const dtype of ['float32', 'float16', 'bfloat16'] as const) {
      const [x, y] = [torch.randn([n]).to(dtype), torch.randn([n]).to(dtype)]
      sameOnDevice(t, `${n} of ${dtype}`, (a: torch.Tensor, b: torch.Tensor) => torch.add(a, b, { alpha: 2 }), [x, y])
      sameOnDevice(t, `a window of ${n} of ${dtype}`, (a: torch.Tensor) => torch.mul(a.narrow(0, n > 1 ? 1 : 0, n > 1 ? n - 1 : 1), 2), [x])
    }
  }
  t.end()
})

t.test('in place, out, conditions, complex numbers, and rows that choose', (t) => {
  const x = torch.randn([3, 4])
  sameOnDevice(t, 'add_', (a: torch.Tensor) => a.clone().add_(1), [x])
  sameOnDevice(t, 'add_ on a view', (a: torch.Tensor) => {
    const b = a.clone()
    b.t().add_(1)
    return b
  }, [x])
  sameOnDevice(t, 'where', (a: torch.Tensor) => torch.where(torch.gt(a, 0), a, torch.neg(a)), [x])
  sameOnDevice(t, 'masked_fill', (a: torch.Tensor) => a.maskedFill(torch.gt(a, 0), -1), [x])
  sameOnDevice(t, 'clamp', (a: torch.Tensor) => torch.clamp(a, -0.5, 0.5), [x])
  sameOnDevice(t, 'gelu', (a: torch.Tensor) => torch.gelu(a, { approximate: 'tanh' }), [x], 1e-6)
  sameOnDevice(t, 'complex', (a: torch.Tensor) => torch.mul(torch.complex(a, a), torch.complex(a, torch.neg(a))), [x], 1e-6)
  sameOnDevice(t, 'pow', (a: torch.Tensor) => torch.pow(a, 2), [x])
  t.end()
})
