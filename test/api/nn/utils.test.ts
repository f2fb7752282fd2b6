import t from 'tap'
import * as torch from '../../../lib/index.js'
import { difference } from './cases.js'

const { nn } = torch
const { rnn } = nn.utils

const random = (...shape: number[]): torch.Tensor => nn.init.normal_(torch.empty(shape))

t.test('packed sequences keep their order', (t) => {
  torch.manualSeed(1)
  const sequences = [random(2, 3), random(4, 3), random(1, 3)]
  const packed = rnn.packSequence(sequences, { enforceSorted: false })
  t.same(packed.batchSizes.toArray(), [3, 2, 1, 1])
  t.same(packed.sortedIndices!.toArray(), [1, 0, 2])
  rnn.unpackSequence(packed).forEach((sequence, i) => t.same(sequence.toArray(), sequences[i].toArray()))
  const [padded, lengths] = rnn.padPackedSequence(packed, { batchFirst: true, paddingValue: -1, totalLength: 5 })
  t.same(padded.shape, [3, 5, 3])
  t.same(lengths.toArray(), [2, 4, 1])
  t.throws(() => rnn.packSequence(sequences), 'sorted unless told otherwise')
  t.throws(() => rnn.padPackedSequence(packed, { totalLength: 2 }), { message: /total_length=2 and max sequence length being 4$/ })
  t.end()
})

for (const [name, make] of [
  ['LSTM', () => new nn.LSTM(3, 4, { bidirectional: true })],
  ['GRU', () => new nn.GRU(3, 4, { numLayers: 2, batchFirst: true })],
  ['RNN', () => new nn.RNN(3, 4)],
] as const) {
  t.test(`${name} runs each packed sequence as if it were alone`, (t) => {
    torch.manualSeed(2)
    const module = make()
    const sequences = [random(2, 3), random(4, 3), random(3, 3)]
    const run = (input: unknown): [output: unknown, state: torch.Tensor | torch.Tensor[]] =>
      (module.forward as (input: unknown) => never)(input)
    const [output, state] = run(rnn.packSequence(sequences, { enforceSorted: false }))
    const hidden = Array.isArray(state) ? state[0] : state
    rnn.unpackSequence(output as InstanceType<typeof rnn.PackedSequence>).forEach((rows, i) => {
      const [alone, last] = run(sequences[i])
      t.ok(difference(rows.contiguous(), alone as torch.Tensor) < 1e-6, `output ${i}`)
      const own = (Array.isArray(last) ? last[0] : last).toArray() as number[][]
      const row = (hidden.toArray() as number[][][]).map((layer) => layer[i])
      t.ok(
        row.every((values, layer) => values.every((value, j) => Math.abs(value - own[layer][j]) < 1e-6)),
        `state ${i}`,
      )
    })
    t.end()
  })
}

t.test('padding on either side', (t) => {
  const sequences = [torch.tensor([1, 2]), torch.tensor([3])]
  t.same(rnn.padSequence(sequences, { batchFirst: true, paddingValue: 9 }).toArray(), [
    [1, 2],
    [3, 9],
  ])
  t.same(rnn.padSequence(sequences, { paddingSide: 'left' }).toArray(), [
    [1, 0],
    [2, 3],
  ])
  t.end()
})

t.test('vectors of parameters', (t) => {
  const linear = new nn.Linear(2, 3)
  const vector = nn.utils.parametersToVector(linear.parameters())
  t.same(vector.shape, [9])
  nn.utils.vectorToParameters(torch.arange(9), linear.parameters())
  t.same(linear.weight.toArray(), [
    [0, 1],
    [2, 3],
    [4, 5],
  ])
  t.same(linear.bias!.toArray(), [6, 7, 8])
  t.throws(() => nn.utils.vectorToParameters(torch.arange(3), linear.parameters()), {
    message: 'Expected 9 values for `vector` but received 3',
  })
  t.end()
})

t.test('batch normalization goes into the layer before it', (t) => {
  torch.manualSeed(3)
  const conv = new nn.Conv2d(2, 3, 3, { bias: false })
  const norm = new nn.BatchNorm2d(3)
  for (const tensor of [norm.weight!, norm.bias!, norm.runningMean!]) nn.init.normal_(tensor)
  nn.init.uniform_(norm.runningVar!, 0.5, 2)
  t.throws(() => nn.utils.fuseConvBnEval(conv, norm), {
    message: 'Fusion needs a batch normalization in eval mode with running statistics',
  })
  norm.eval()
  const x = random(1, 2, 5, 5)
  t.ok(difference(nn.utils.fuseConvBnEval(conv, norm).forward(x), norm.forward(conv.forward(x))) < 1e-6)
  t.equal(conv.bias, null, 'the layer given stays as it is')
  t.end()
})

t.test('other fusions into weights', (t) => {
  torch.manualSeed(4)
  const trained = <T extends InstanceType<typeof nn.BatchNorm1d>>(norm: T): T => {
    for (const tensor of [norm.weight!, norm.bias!, norm.runningMean!]) nn.init.normal_(tensor)
    nn.init.uniform_(norm.runningVar!, 0.5, 2)
    return norm.eval()
  }
  const transposed = new nn.ConvTranspose1d(2, 3, 3, { stride: 2 })
  const norm = trained(new nn.BatchNorm1d(3))
  const x = random(2, 2, 4)
  const expected = norm.forward(transposed.forward(x))
  t.ok(difference(nn.utils.fuseConvBnEval(transposed, norm, true).forward(x), expected) < 1e-6)
  const linear = new nn.Linear(5, 3)
  const rows = random(4, 5)
  t.ok(difference(nn.utils.fuseLinearBnEval(linear, norm).forward(rows), norm.forward(linear.forward(rows))) < 1e-6)
  t.throws(() => nn.utils.fuseLinearBnEval(new nn.Linear(5, 4), norm), {
    message: 'To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got linear.out_features=4 and bn.num_features=3',
  })
  const { weight, runningMean, runningVar } = norm
  const [fused, bias] = nn.utils.fuseLinearBnWeights(linear.weight, null, runningMean!, runningVar!, 0.1, weight, null)
  const wanted = rows.matmul(linear.weight.t()).sub(runningMean!).div(runningVar!.add(0.1).sqrt()).mul(weight!)
  t.ok(difference(torch.linear(rows, fused, bias), wanted) < 1e-6)
  t.equal(bias.requiresGrad, false, 'a bias that was none is no parameter to learn')
  t.end()
})

t.test('modules made without initial values', (t) => {
  torch.manualSeed(5)
  const [expected] = [random(3)]
  torch.manualSeed(5)
  const linear = nn.utils.skipInit(nn.Linear, 4, 3, { bias: false })
  t.equal(linear.toString(), 'Linear(in_features=4, out_features=3, bias=False)')
  nn.utils.skipInit(nn.TransformerEncoderLayer, 8, 2)
  t.same(random(3).toArray(), expected.toArray(), 'no random numbers are taken')
  t.ok(nn.init.ones_(linear.weight).toArray())
  t.same(linear.forward(torch.ones([4])).toArray(), [4, 4, 4])
  t.throws(() => nn.utils.skipInit(Map as never), {
    message: 'Expected a class of modules for `moduleClass` but received function Map() { [native code] }',
  })
  t.end()
})

t.test('weights in another memory format', (t) => {
  torch.manualSeed(6)
  const model = new nn.Sequential(new nn.Conv2d(3, 4, 3), new nn.ConvTranspose2d(4, 2, 2), new nn.Flatten(0, 1))
  const x = random(1, 3, 5, 6)
  const expected = model.forward(x) as torch.Tensor
  const weights = model.parameters()
  t.equal(nn.utils.convertConv2dWeightMemoryFormat(model, 'channels_last'), model)
  t.same(weights[0].stride(), [27, 1, 9, 3])
  t.equal(model.parameters()[0], weights[0], 'the parameters stay the same objects')
  t.equal(weights[0].requiresGrad, true)
  t.ok(difference(model.forward(x) as torch.Tensor, expected) < 1e-6)
  nn.utils.convertConv2dWeightMemoryFormat(model, 'contiguous_format')
  t.same(weights[0].stride(), [27, 9, 3, 1])
  const volume = nn.utils.convertConv3dWeightMemoryFormat(new nn.Conv3d(2, 3, 2), 'channels_last_3d')
  t.same(volume.weight.stride(), [16, 1, 8, 4, 2])
  t.end()
})
