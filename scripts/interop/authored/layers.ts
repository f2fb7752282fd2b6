import * as torch from '../../../lib/index.js'
import type { AuthoredCase } from '../authored.js'
import { ints, op, rand, randn, traced } from './tools.js'

const { nn } = torch

type Row = readonly [name: string, make: () => torch.nn.Module, inputs: () => unknown[]]

/** Buffers with values that running statistics have. */
function trained<T extends torch.nn.Module>(module: T): T {
  for (const [name, buffer] of module.namedBuffers()) {
    if (name.endsWith('running_mean')) op('copy_', buffer, randn(...buffer.shape))
    if (name.endsWith('running_var')) op('copy_', buffer, op('add', rand(...buffer.shape), 0.5))
  }
  return module
}

const image = (): unknown[] => [randn(2, 4, 8, 8)]
const sequence = (): unknown[] => [randn(2, 4, 9)]
const volume = (): unknown[] => [randn(1, 4, 5, 6, 7)]
const vector = (): unknown[] => [randn(3, 6)]

const activations: readonly Row[] = [
  ['ReLU', () => new nn.ReLU(), vector],
  ['ReLU6', () => new nn.ReLU6(), vector],
  ['SELU', () => new nn.SELU(), vector],
  ['CELU', () => new nn.CELU(), vector],
  ['ELU', () => new nn.ELU(), vector],
  ['SiLU', () => new nn.SiLU(), vector],
  ['Mish', () => new nn.Mish(), vector],
  ['GELU', () => new nn.GELU(), vector],
  ['GELU_tanh', () => new nn.GELU({ approximate: 'tanh' }), vector],
  ['GLU', () => new nn.GLU(), vector],
  ['Hardsigmoid', () => new nn.Hardsigmoid(), vector],
  ['Hardswish', () => new nn.Hardswish(), vector],
  ['Hardtanh', () => new nn.Hardtanh(), vector],
  ['Hardshrink', () => new nn.Hardshrink(), vector],
  ['Softshrink', () => new nn.Softshrink(), vector],
  ['Sigmoid', () => new nn.Sigmoid(), vector],
  ['Tanh', () => new nn.Tanh(), vector],
  ['Tanhshrink', () => new nn.Tanhshrink(), vector],
  ['LogSigmoid', () => new nn.LogSigmoid(), vector],
  ['Softsign', () => new nn.Softsign(), vector],
  ['Softplus', () => new nn.Softplus(), vector],
  ['Softmax', () => new nn.Softmax({ dim: 1 }), vector],
  ['LogSoftmax', () => new nn.LogSoftmax({ dim: 1 }), vector],
  ['Softmin', () => new nn.Softmin({ dim: 1 }), vector],
  ['Softmax2d', () => new nn.Softmax2d(), image],
  ['LeakyReLU', () => new nn.LeakyReLU(), vector],
  ['PReLU', () => new nn.PReLU(), vector],
  ['RReLU', () => new nn.RReLU(), vector],
  ['Threshold', () => new nn.Threshold(0.1, 20), vector],
]

const linear: readonly Row[] = [
  ['Identity', () => new nn.Identity(), vector],
  ['Linear', () => new nn.Linear(6, 3), vector],
  ['Linear_without_bias', () => new nn.Linear(6, 3, { bias: false }), vector],
  ['Bilinear', () => new nn.Bilinear(6, 5, 3), () => [randn(3, 6), randn(3, 5)]],
  ['Embedding', () => new nn.Embedding(10, 4, { paddingIdx: 0 }), () => [ints([2, 5], 10)]],
  ['EmbeddingBag', () => new nn.EmbeddingBag(10, 4, { mode: 'sum' }), () => [ints([2, 5], 10)]],
  ['Dropout', () => new nn.Dropout(), vector],
]

const convolutions: readonly Row[] = [
  ['Conv1d', () => new nn.Conv1d(4, 6, 3, { padding: 1 }), sequence],
  ['Conv2d', () => new nn.Conv2d(4, 6, 3, { stride: 2, padding: 1, dilation: 2 }), image],
  ['Conv2d_groups', () => new nn.Conv2d(4, 8, 3, { groups: 2, bias: false }), image],
  ['Conv2d_same', () => new nn.Conv2d(4, 6, 4, { padding: 'same' }), image],
  ['Conv2d_reflect', () => new nn.Conv2d(4, 6, 3, { padding: 1, paddingMode: 'reflect' }), image],
  ['Conv3d', () => new nn.Conv3d(4, 6, 3), volume],
  ['ConvTranspose1d', () => new nn.ConvTranspose1d(4, 6, 3, { stride: 2 }), sequence],
  ['ConvTranspose2d', () => new nn.ConvTranspose2d(4, 6, 3, { stride: 2, outputPadding: 1 }), image],
  ['ConvTranspose3d', () => new nn.ConvTranspose3d(4, 6, 2), volume],
]

const normalizations: readonly Row[] = [
  ['BatchNorm1d', () => trained(new nn.BatchNorm1d(4)), sequence],
  ['BatchNorm2d', () => trained(new nn.BatchNorm2d(4)), image],
  ['BatchNorm2d_plain', () => trained(new nn.BatchNorm2d(4, { affine: false })), image],
  ['BatchNorm3d', () => trained(new nn.BatchNorm3d(4)), volume],
  ['InstanceNorm1d', () => new nn.InstanceNorm1d(4), sequence],
  ['InstanceNorm2d', () => new nn.InstanceNorm2d(4, { affine: true }), image],
  ['LayerNorm', () => new nn.LayerNorm([8]), image],
  ['GroupNorm', () => new nn.GroupNorm(2, 4), image],
  ['RMSNorm', () => new nn.RMSNorm([8]), image],
  ['LocalResponseNorm', () => new nn.LocalResponseNorm(2), image],
  ['CrossMapLRN2d', () => new nn.CrossMapLRN2d(3, { alpha: 0.5 }), image],
]

const pools: readonly Row[] = [
  ['MaxPool1d', () => new nn.MaxPool1d(3), sequence],
  ['MaxPool2d', () => new nn.MaxPool2d(3, { stride: 2, padding: 1 }), image],
  ['MaxPool2d_indices', () => new nn.MaxPool2d(2, { returnIndices: true }), image],
  ['MaxPool3d', () => new nn.MaxPool3d(2), volume],
  ['AvgPool1d', () => new nn.AvgPool1d(3), sequence],
  ['AvgPool2d', () => new nn.AvgPool2d(3, { stride: 2, ceilMode: true }), image],
  ['AvgPool3d', () => new nn.AvgPool3d(2), volume],
  ['LPPool2d', () => new nn.LPPool2d(2, 2), () => [rand(2, 4, 8, 8)]],
  ['AdaptiveAvgPool1d', () => new nn.AdaptiveAvgPool1d(4), sequence],
  ['AdaptiveAvgPool2d', () => new nn.AdaptiveAvgPool2d([3, 5]), image],
  ['AdaptiveMaxPool2d', () => new nn.AdaptiveMaxPool2d(3), image],
]

const shapes: readonly Row[] = [
  ['ReflectionPad2d', () => new nn.ReflectionPad2d(2), image],
  ['ReplicationPad2d', () => new nn.ReplicationPad2d([1, 2, 3, 0]), image],
  ['CircularPad2d', () => new nn.CircularPad2d(1), image],
  ['ConstantPad2d', () => new nn.ConstantPad2d(1, 3.5), image],
  ['ZeroPad2d', () => new nn.ZeroPad2d(1), image],
  ['Flatten', () => new nn.Flatten(), image],
  ['Unflatten', () => new nn.Unflatten(1, [2, 2]), image],
  ['PixelShuffle', () => new nn.PixelShuffle(2), image],
  ['PixelUnshuffle', () => new nn.PixelUnshuffle(2), image],
  ['ChannelShuffle', () => new nn.ChannelShuffle(2), image],
  ['Unfold', () => new nn.Unfold([2, 3]), image],
  ['Fold', () => new nn.Fold([4, 5], [2, 2]), () => [randn(1, 12, 12)]],
  ['Upsample_nearest', () => new nn.Upsample({ scaleFactor: 2 }), image],
  ['Upsample_bilinear', () => new nn.Upsample({ size: [5, 11], mode: 'bilinear', alignCorners: true }), image],
  ['CosineSimilarity', () => new nn.CosineSimilarity(), () => [randn(3, 6), randn(3, 6)]],
  ['PairwiseDistance', () => new nn.PairwiseDistance(), () => [randn(3, 6), randn(3, 6)]],
]

const losses: readonly Row[] = [
  ['L1Loss', () => new nn.L1Loss(), () => [randn(3, 4), randn(3, 4)]],
  ['MSELoss', () => new nn.MSELoss(), () => [randn(3, 4), randn(3, 4)]],
  ['SmoothL1Loss', () => new nn.SmoothL1Loss(), () => [randn(3, 4), randn(3, 4)]],
  ['HuberLoss', () => new nn.HuberLoss(), () => [randn(3, 4), randn(3, 4)]],
  ['CrossEntropyLoss', () => new nn.CrossEntropyLoss(), () => [randn(3, 4), ints([3], 4)]],
  ['LinearCrossEntropyLoss', () => new nn.LinearCrossEntropyLoss(6, 4), () => [randn(3, 6), ints([3], 4)]],
  ['AdaptiveLogSoftmaxWithLoss', () => new nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10]), () => [randn(6, 8), ints([6], 20)]],
  ['NLLLoss', () => new nn.NLLLoss(), () => [randn(3, 4), ints([3], 4)]],
  ['BCELoss', () => new nn.BCELoss(), () => [rand(3, 4), rand(3, 4)]],
  ['BCEWithLogitsLoss', () => new nn.BCEWithLogitsLoss(), () => [randn(3, 4), rand(3, 4)]],
  ['KLDivLoss', () => new nn.KLDivLoss({ reduction: 'batchmean' }), () => [randn(3, 4), rand(3, 4)]],
]

const recurrent: readonly Row[] = [
  ['RNN', () => new nn.RNN(6, 5), () => [randn(4, 2, 6)]],
  ['GRU', () => new nn.GRU(6, 5, { bidirectional: true }), () => [randn(4, 2, 6)]],
  ['LSTM', () => new nn.LSTM(6, 5, { numLayers: 2, batchFirst: true }), () => [randn(2, 4, 6)]],
  ['RNNCell', () => new nn.RNNCell(6, 5), () => [randn(2, 6)]],
  ['GRUCell', () => new nn.GRUCell(6, 5), () => [randn(2, 6)]],
  ['LSTMCell', () => new nn.LSTMCell(6, 5), () => [randn(2, 6)]],
  ['MultiheadAttention', () => new nn.MultiheadAttention(8, 2), () => [randn(3, 2, 8), randn(4, 2, 8), randn(4, 2, 8)]],
  ['TransformerEncoderLayer', () => new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16 }), () => [randn(3, 2, 8)]],
  ['TransformerDecoderLayer', () => new nn.TransformerDecoderLayer(8, 2, { dimFeedforward: 16 }), () => [randn(3, 2, 8), randn(4, 2, 8)]],
  [
    'TransformerDecoder',
    () => new nn.TransformerDecoder(new nn.TransformerDecoderLayer(8, 2, { dimFeedforward: 16 }), 2),
    () => [randn(3, 2, 8), randn(4, 2, 8)],
  ],
  [
    'TransformerEncoder',
    () => new nn.TransformerEncoder(new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16 }), 2),
    () => [randn(3, 2, 8)],
  ],
]

const { parametrizations } = nn.utils
/** Weights that are computed from other tensors, and parameters that took their shapes from an input. */
const computed: readonly Row[] = [
  ['weightNorm', () => nn.utils.weightNorm(new nn.Conv1d(4, 6, 3)), sequence],
  ['weightNorm_removed', () => nn.utils.removeWeightNorm(nn.utils.weightNorm(new nn.Conv1d(4, 6, 3), { dim: 1 })), sequence],
  ['spectralNorm', () => new nn.Sequential(nn.utils.spectralNorm(new nn.Linear(6, 5)), new nn.ReLU()), vector],
  ['parametrizations_weightNorm', () => parametrizations.weightNorm(new nn.Conv2d(4, 6, 3)), image],
  ['parametrizations_spectralNorm', () => new nn.Sequential(parametrizations.spectralNorm(new nn.ConvTranspose2d(4, 3, 2))), image],
  ['parametrizations_orthogonal', () => parametrizations.orthogonal(new nn.Linear(6, 4)), vector],
  [
    'lazy',
    () => {
      const model = new nn.Sequential(new nn.LazyConv2d(5, 3), new nn.LazyBatchNorm2d(), new nn.Flatten(), new nn.LazyLinear(2))
      model.forward(randn(2, 4, 8, 8))
      return model
    },
    image,
  ],
]

const containers: readonly Row[] = [
  ['Sequential', () => new nn.Sequential(new nn.Linear(6, 5), new nn.ReLU(), new nn.Linear(5, 2)), vector],
  [
    'Sequential_nested',
    () => new nn.Sequential(new nn.Sequential(new nn.Linear(6, 6)), new nn.Sequential(new nn.Linear(6, 6), new nn.Tanh())),
    vector,
  ],
]

export const layerCases: readonly AuthoredCase[] = [
  ...activations,
  ...linear,
  ...convolutions,
  ...normalizations,
  ...pools,
  ...shapes,
  ...losses,
  ...recurrent,
  ...computed,
  ...containers,
].map(([name, make, inputs]) => traced(`layers/${name}`, make, inputs))
