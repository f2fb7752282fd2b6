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

function upsampled(x: Tensor): Tensor {
  return F.upsampleNearest(F.upsampleBilinear(x, [4, 5]), { scaleFactor: 2.0 })
}
function written(x: Tensor): Tensor {
  const y = F.hardtanh_(F.leakyRelu_(F.celu_(F.elu_(x.clone(), 0.5), 2.0), 0.2), -0.3, 0.8)
  return F.threshold_(y, 0.1, 3)
}
function overTime(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  return F.convTbc(x, weight, bias, 1)
}
function linearLoss(x: Tensor, weight: Tensor, target: Tensor): Tensor {
  return F.linearCrossEntropy(x, weight, target, { labelSmoothing: 0.1, reduction: 'sum' })
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
  [upsampled, () => [random(1, 2, 3, 4)]],
  [written, () => [random(4, 5)]],
  [overTime, () => [random(5, 2, 3), random(3, 3, 4), random(4)]],
  [linearLoss, () => [random(3, 4), random(6, 4), torch.tensor([1n, 5n, 0n])]],
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

/** What PyTorch 2.13 gives for the same calls. */
const computed = {
  written: [3, 3, 3, 3, 0.25, 0.800000011920929],
  upsampleBilinear: [0, 0.5, 1, 1, 1.5, 2, 2, 2.5, 3],
  convTbc: [
    [[6.5], [11.5]],
    [[16.5], [22.5]],
    [[10.5], [13.5]],
  ],
  rrelu: [-0.3910159170627594, -0.312345951795578, -0.23781488835811615],
  linearCrossEntropy: 0.9580200910568237,
}

t.test('functions under their old names, and in place', (t) => {
  const x = torch.tensor([-2, -0.5, -0.1, 0, 0.25, 3])
  const result = F.threshold_(F.hardtanh_(F.leakyRelu_(F.celu_(F.elu_(x, 0.5), 2), 0.2), { minVal: -0.3, maxVal: 0.8 }), 0.1, 3)
  t.equal(result, x, 'written into the input')
  t.same(x.toArray(), computed.written)
  const image = torch.arange(4, { dtype: 'float32' }).reshape([1, 1, 2, 2])
  t.same(F.upsampleBilinear(image, 3).reshape([-1]).toArray(), computed.upsampleBilinear)
  t.same(
    F.upsampleNearest(image, { scaleFactor: [1, 2] })
      .reshape([-1])
      .toArray(),
    [0, 0, 1, 1, 2, 2, 3, 3],
  )
  const steps = torch.arange(6, { dtype: 'float32' }).reshape([3, 2, 1])
  const kernel = torch.tensor([[[1]], [[2]], [[3]]])
  t.same(F.convTbc(steps, kernel, torch.tensor([0.5]), 1).toArray(), computed.convTbc)
  torch.manualSeed(0)
  t.ok(difference(F.rrelu_(nn.init.constant_(torch.empty([3]), -1), 0.1, 0.4, true), torch.tensor(computed.rrelu)) < 1e-7)
  const weight = torch.arange(6, { dtype: 'float32' }).reshape([3, 2])
  const loss = F.linearCrossEntropy(torch.tensor([[0.5, -0.25]]), weight, torch.tensor([0n]), { linearBias: torch.tensor([1, 0, 0]) })
  t.ok(Math.abs(loss.item() - computed.linearCrossEntropy) < 1e-6)
  t.throws(() => F.linearCrossEntropy(torch.ones([2, 3]), weight, torch.tensor([0n, 1n])), {
    message: 'expected equal input and linear_weight last dimensions (in_features), got 3 and 2, respectively',
  })
  t.throws(() => F.linearCrossEntropy(torch.ones([2]), weight.reshape([3, 1, 2]), torch.tensor([0n])), {
    message: /^K-dimensional loss defined by linear_weight shape \[3, 1, 2\] requires batched input, \(N, 2\)/,
  })
  t.throws(() => F.linearCrossEntropy(torch.ones([1, 2]), weight, torch.ones([1, 3]), { ignoreIndex: 1 }), {
    message: 'ignore_index cannot be specified when target contains probabilities',
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
