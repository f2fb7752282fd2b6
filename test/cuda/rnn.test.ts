import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

torch.manualSeed(19)
type T = torch.Tensor
const randn = (...shape: number[]): T => torch.randn(shape)

const names = ['lstm', 'gru', 'rnn_tanh', 'rnn_relu'] as const
const gates = { lstm: 4, gru: 3, rnn_tanh: 1, rnn_relu: 1 }
const unit = new torch.jit.CompilationUnit(
  names
    .map((name) => {
      const hidden = name === 'lstm' ? 'List[Tensor]' : 'Tensor'
      return `
def ${name}(x, h: ${hidden}, params: List[Tensor], biases: bool, layers: int, both: bool, first: bool):
  return torch.${name}(x, h, params, biases, layers, 0.0, False, both, first)
def ${name}_packed(x, sizes, h: ${hidden}, params: List[Tensor], layers: int, both: bool):
  return torch.${name}(x, sizes, h, params, True, layers, 0.0, False, both)
def ${name}_cell(x, h: ${hidden}, params: List[Tensor]):
  return torch.${name}_cell(x, h, params[0], params[1], params[2], params[3])
`
    })
    .join(''),
) as unknown as Record<string, (...args: unknown[]) => unknown>

interface Shape {
  layers: number
  directions: number
  features: number
  hidden: number
  biases: boolean
  projection: number
}
function parameters(name: (typeof names)[number], { layers, directions, features, hidden, biases, projection }: Shape, dtype: string): T[] {
  const rows = gates[name] * hidden
  const out = projection || hidden
  const list: T[] = []
  for (let layer = 0; layer < layers; layer++) {
    for (let d = 0; d < directions; d++) {
      list.push(randn(rows, layer === 0 ? features : out * directions), randn(rows, out))
      if (biases) list.push(randn(rows), randn(rows))
      if (projection) list.push(randn(projection, hidden))
    }
  }
  return list.map((p) => p.mul(0.5).to(dtype as never))
}

for (const name of names) {
  t.test(name, (t) => {
    const run = (shape: Shape, steps: number, batch: number, first: boolean, dtype: string, tolerance: number): void => {
      const count = shape.layers * shape.directions
      const h = randn(count, batch, shape.projection || shape.hidden).to(dtype as never)
      const state = name === 'lstm' ? [h, randn(count, batch, shape.hidden).to(dtype as never)] : h
      const x = (first ? randn(batch, steps, shape.features) : randn(steps, batch, shape.features)).to(dtype as never)
      sameOnDevice(
        t,
        `${JSON.stringify(shape)} ${steps} x ${batch} ${dtype}`,
        (...args: unknown[]) => unit[name](...args, shape.biases, shape.layers, shape.directions === 2, first),
        [x, state, parameters(name, shape, dtype)],
        tolerance,
      )
    }
    const one: Shape = { layers: 1, directions: 1, features: 3, hidden: 5, biases: true, projection: 0 }
    run(one, 4, 2, false, 'float32', 1e-5)
    run(one, 1, 1, true, 'float64', 1e-12)
    run({ ...one, biases: false }, 3, 2, true, 'float32', 1e-5)
    run({ ...one, layers: 3, directions: 2, hidden: 33 }, 3, 3, true, 'float64', 1e-12)
    run(one, 4, 2, false, 'float16', 1e-2)
    run(one, 0, 2, false, 'float32', 0)
    if (name === 'lstm') run({ ...one, layers: 2, directions: 2, projection: 2 }, 3, 2, false, 'float32', 1e-5)

    const packed: Shape = { ...one, layers: 2, directions: 2 }
    const h = randn(4, 3, 5)
    sameOnDevice(
      t,
      'packed',
      (...args: unknown[]) =>
        unit[`${name}_packed`](args[0], torch.tensor([3n, 2n, 2n, 1n], { dtype: 'int64' }), args[1], args[2], 2, true),
      [randn(8, 3), name === 'lstm' ? [h, randn(4, 3, 5)] : h, parameters(name, packed, 'float32')],
      1e-5,
    )
    for (const dtype of ['float32', 'float64', 'bfloat16']) {
      const given = randn(2, 5).to(dtype as never)
      sameOnDevice(
        t,
        `cell ${dtype}`,
        (...args: unknown[]) => unit[`${name}_cell`](...args),
        [randn(2, 3).to(dtype as never), name === 'lstm' ? [given, given] : given, parameters(name, one, dtype)],
        dtype === 'bfloat16' ? 4e-2 : 1e-5,
      )
    }
    t.end()
  })
}
