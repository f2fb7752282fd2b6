import t from 'tap'
import * as torch from '../../../lib/index.js'

const { init } = torch.nn

const expected = torch.load('test/fixtures/nn/init.pt') as Map<string, torch.Tensor>

type Fill = (tensor: torch.Tensor) => torch.Tensor
const fills: Readonly<Record<string, Fill>> = {
  uniform: (x) => init.uniform_(x, -2, 3),
  normal: (x) => init.normal_(x, 1, 0.5),
  'normal small': (x) => init.normal_(x),
  constant: (x) => init.constant_(x, 0.3),
  ones: init.ones_,
  zeros: init.zeros_,
  eye: init.eye_,
  dirac: (x) => init.dirac_(x, 2),
  'xavier uniform': (x) => init.xavierUniform_(x, init.calculateGain('relu')),
  'xavier normal': (x) => init.xavierNormal_(x),
  'kaiming uniform': (x) => init.kaimingUniform_(x, { mode: 'fan_out', nonlinearity: 'relu' }),
  'kaiming normal': (x) => init.kaimingNormal_(x, { a: 0.2 }),
  'trunc normal': (x) => init.truncNormal_(x),
  'trunc normal narrow': (x) => init.truncNormal_(x, 0, 1, 0.1, 0.4),
  'trunc normal tail': (x) => init.truncNormal_(x, { std: 0.02, a: -0.01, b: 0.01 }),
  orthogonal: (x) => init.orthogonal_(x),
  'orthogonal tall': (x) => init.orthogonal_(x, 2),
  sparse: (x) => init.sparse_(x, 0.4),
  'uniform float64': (x) => init.uniform_(x),
}
/** Functions that go through logarithms, cosines or a factorisation, whose last bits differ. */
const isRounded = (name: string): boolean => /normal|orthogonal|sparse/.test(name)

t.same([...expected.keys()].sort(), Object.keys(fills).sort())

for (const [name, fill] of Object.entries(fills)) {
  t.test(name, (t) => {
    const wanted = expected.get(name)!
    torch.manualSeed(3)
    const tensor = torch.full(wanted.shape, 9, { dtype: wanted.dtype })
    t.equal(fill(tensor), tensor, 'gives its tensor back')
    const numbers = Array.from(tensor.data as Float32Array)
    const right = Array.from(wanted.contiguous().data as Float32Array)
    if (!isRounded(name)) t.same(numbers, right)
    else t.ok(numbers.every((value, i) => Math.abs(value - right[i]) <= 2e-6 * (1 + Math.abs(right[i]))))
    t.end()
  })
}

t.test('wrong arguments', (t) => {
  t.throws(() => init.eye_(torch.zeros([2])), { message: 'Only tensors with 2 dimensions are supported' })
  t.throws(() => init.xavierUniform_(torch.zeros([2])), {
    message: 'Fan in and fan out can not be computed for tensor with fewer than 2 dimensions',
  })
  t.throws(() => init.kaimingUniform_(torch.zeros([2, 2]), { mode: 'fan' as 'fan_in' }), {
    message: "Mode fan not supported, please use one of ['fan_in', 'fan_out']",
  })
  t.throws(() => init.calculateGain('sine' as 'relu'), { message: 'Unsupported nonlinearity sine' })
  t.end()
})
