import t from 'tap'
import * as torch from '../../../lib/index.js'
import { difference, tensorsIn } from './cases.js'

const { jit, nn } = torch
const F = nn.functional
type Tensor = torch.Tensor

const random = (...shape: number[]): Tensor => nn.init.normal_(torch.empty(shape))
const uniform = (...shape: number[]): Tensor => nn.init.uniform_(torch.empty(shape))

function doubled(x: Tensor): Tensor {
  return F.interpolate(x, { scaleFactor: 2.0 })
}
function resized(x: Tensor): Tensor {
  return F.interpolate(x, { size: [5, 6], mode: 'bilinear', alignCorners: true })
}
function unitLength(x: Tensor): Tensor {
  return F.normalize(F.dropout(x, { p: 0.5, training: false }), { dim: -1 })
}
function crossEntropy(x: Tensor, target: Tensor): Tensor {
  return F.crossEntropy(x, target, { labelSmoothing: 0.1, reduction: 'sum' })
}
function blocks(x: Tensor): Tensor {
  return F.fold(F.unfold(x, [2, 2]), [3, 4], [2, 2])
}
function embedded(indices: Tensor, weight: Tensor): Tensor {
  return F.embedding(indices, weight, { paddingIdx: -1 })
}
function normed(x: Tensor, mean: Tensor, variance: Tensor): Tensor {
  return F.batchNorm(x, mean, variance, { eps: 0.1 })
}
function losses(x: Tensor, y: Tensor): Tensor {
  return F.mseLoss(x, y)
    .add(F.l1Loss(x, y, { reduction: 'sum' }))
    .add(F.klDiv(x, y, { reduction: 'batchmean' }))
}
function activations(x: Tensor): Tensor {
  return F.softsign(F.logsigmoid(F.gelu(F.softmax(x, -1), { approximate: 'tanh' })))
}
function pooled(x: Tensor): Tensor {
  return F.adaptiveMaxPool2d(F.maxPool2d(F.pad(x, [1, 1, 0, 0], { mode: 'reflect' }), 2, 1), [1, 2])
}

const indices = torch.tensor([
  [0n, 2n],
  [1n, 1n],
])
const programs: readonly [(...tensors: Tensor[]) => Tensor, () => Tensor[]][] = [
  [doubled, () => [random(1, 2, 3, 4)]],
  [resized, () => [random(1, 2, 3, 4)]],
  [unitLength, () => [random(3, 4)]],
  [crossEntropy, () => [random(2, 5), torch.tensor([1n, 4n])]],
  [blocks, () => [random(1, 2, 3, 4)]],
  [embedded, () => [indices, random(3, 4)]],
  [normed, () => [random(2, 3, 4), uniform(3), uniform(3)]],
  [losses, () => [random(3, 4), uniform(3, 4)]],
  [activations, () => [random(3, 4)]],
  [pooled, () => [random(1, 2, 4, 5)]],
]

t.test('functions give the same in TypeScript and scripted', (t) => {
  for (const [program, inputs] of programs) {
    torch.manualSeed(5)
    const given = inputs()
    const expected = program(...given)
    const scripted = jit.script(program) as unknown as (...tensors: Tensor[]) => unknown
    const [result] = tensorsIn(scripted(...given))
    t.equal(difference(result, expected), 0, program.name)
  }
  t.end()
})

/** What PyTorch 2.13 prints after torch.manual_seed(0). */
const fixture = {
  dropout: [
    [0, 0, 2, 0],
    [0, 0, 2, 2],
  ],
  gumbel: [
    [0, 0, 1, 0],
    [0, 0, 1, 0],
  ],
}

t.test('random functions draw the numbers of PyTorch', (t) => {
  const ones = torch.ones([2, 4])
  torch.manualSeed(0)
  t.same(F.dropout(ones, 0.5).toArray(), fixture.dropout)
  torch.manualSeed(0)
  const gumbel = F.gumbelSoftmax(ones, { hard: true })
  t.same(gumbel.toArray(), fixture.gumbel)
  t.end()
})

t.test('options by position and by name', (t) => {
  torch.manualSeed(1)
  const [x, weight] = [random(1, 2, 5, 5), random(3, 2, 3, 3)]
  t.same(F.conv2d(x, weight, null, 2, 1).toArray(), F.conv2d(x, weight, { stride: 2, padding: 1 }).toArray())
  t.same(F.conv2d(x, weight, null, { padding: 'same' }).shape, [1, 3, 5, 5])
  const input = random(3)
  t.equal(F.relu(input, { inplace: true }), input, 'in place')
  t.throws(() => F.conv2d(x, weight, null, 1, 1, 1, 1, 1 as never), {
    message: 'Expected at most 5 optional arguments (bias, stride, padding, dilation, groups) but received 6',
  })
  t.throws(() => F.interpolate(x), { message: 'either size or scale_factor should be defined' })
  t.throws(() => F.interpolate(x, { size: 3, mode: 'linear' }), { message: 'Got 4D input, but linear mode needs 3D input' })
  t.throws(() => F.dropout(x, 2), { message: 'dropout probability has to be between 0 and 1, but got 2' })
  t.throws(() => F.embedding(indices, weight, { paddingIdx: 7 }), {
    message: 'Expected a row of the 3 of `weight` for `paddingIdx` but received 7',
  })
  t.end()
})

t.test('weighted losses', (t) => {
  const [x, y, weight] = [torch.tensor([1, 2, 4]), torch.tensor([0, 2, 2]), torch.tensor([1, 2, 3])]
  t.equal(F.l1Loss(x, y, { weight }).item(), Math.fround(7 / 6))
  t.equal(F.mseLoss(x, y, { weight, reduction: 'sum' }).item(), 13)
  t.same(F.huberLoss(x, y, { weight, reduction: 'none' }).toArray(), [0.5, 0, 4.5])
  t.throws(() => F.mseLoss(x, y, { weight: torch.ones([2]) }), { message: 'Weights and input must have the same size.' })
  t.end()
})
