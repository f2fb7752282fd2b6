import * as torch from '../../../lib/index.js'

const { nn } = torch

/** A layer with what PyTorch computed for it. */
export interface Case {
  readonly repr: string
  readonly state: Map<string, torch.Tensor>
  readonly inputs: readonly (torch.Tensor | torch.Tensor[])[]
  readonly kwargs: Map<string, unknown>
  readonly outputs: readonly torch.Tensor[]
  readonly training: boolean
  readonly after: Map<string, torch.Tensor>
}

export const cases = new Map(
  [...(torch.load('test/fixtures/nn/layers.pt') as Map<string, Map<string, unknown>>)].map(([name, fields]) => [
    name,
    Object.fromEntries(fields) as unknown as Case,
  ]),
)

export type Make = () => InstanceType<typeof nn.Module>
const one = (name: string, ...args: unknown[]): [string, Make] => [
  name,
  () => new (nn as unknown as Record<string, new (...args: unknown[]) => InstanceType<typeof nn.Module>>)[name.split(' ')[0]](...args),
]
const range = (end: number): number[] => Array.from({ length: end }, (_, i) => i)
const reductions = ['none', 'mean', 'sum']

/** How each case of the fixture is written in TypeScript. */
export const makers = new Map<string, Make>([
  one('Identity', 54, { unused: 3 }),
  one('Linear', 3, 5),
  one('Linear no bias', 3, 5, { bias: false }),
  one('Linear float64', 3, 5, { dtype: 'float64' }),
  one('Bilinear', 3, 4, 2),
  one('Conv1d', 4, 6, 3, { padding: 1 }),
  one('Conv1d unbatched', 4, 6, 3, 2),
  one('Conv2d', 4, 6, 3, { stride: 2, padding: 1, bias: false }),
  one('Conv2d grouped', 4, 6, [3, 2], { groups: 2, dilation: [2, 1] }),
  one('Conv2d same', 4, 6, [4, 3], { padding: 'same' }),
  one('Conv2d reflect', 4, 6, 3, { padding: [2, 1], paddingMode: 'reflect' }),
  one('Conv2d circular', 4, 2, 3, { padding: 1, paddingMode: 'circular' }),
  one('Conv2d replicate same', 4, 2, 2, { padding: 'same', paddingMode: 'replicate' }),
  one('Conv3d', 2, 3, [2, 3, 2], { padding: [1, 0, 1] }),
  one('ConvTranspose1d', 4, 3, 3, { stride: 2 }),
  one('ConvTranspose2d', 4, 2, 3, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
  one('ConvTranspose2d output size', 4, 2, 3, { stride: 3 }),
  one('ConvTranspose3d', 2, 2, 2, { stride: [1, 2, 1], dilation: 2, bias: false }),
  ...[1, 2, 3].flatMap((n) => [
    one(`BatchNorm${n}d`, 4),
    one(`BatchNorm${n}d training`, 4, { eps: 1e-3, momentum: 0.2 }),
    one(`InstanceNorm${n}d`, 4),
    one(`InstanceNorm${n}d tracking`, 4, { affine: true, trackRunningStats: true }),
  ]),
  one('BatchNorm1d 2D', 3),
  one('BatchNorm2d cumulative', 4, { momentum: null }),
  one('BatchNorm2d plain', 4, { affine: false, trackRunningStats: false }),
  one('SyncBatchNorm', 4, { eps: 1e-3 }),
  one('InstanceNorm2d unbatched', 4, { affine: true }),
  one('LayerNorm', 7),
  one('LayerNorm 2', [6, 5], { eps: 1e-6, bias: false }),
  one('LayerNorm plain', [7], { elementwiseAffine: false }),
  one('GroupNorm', 2, 4),
  one('GroupNorm plain', 4, 4, { affine: false }),
  one('RMSNorm', 7),
  one('RMSNorm eps', [4, 7], { eps: 1e-4, elementwiseAffine: false }),
  one('LocalResponseNorm', 3),
  one('LocalResponseNorm 3D', 2, { alpha: 0.1, beta: 0.5, k: 2 }),
  ...['ReLU', 'ReLU6', 'SELU', 'SiLU', 'Mish', 'Hardsigmoid', 'Hardswish', 'Sigmoid', 'Tanh', 'LogSigmoid', 'Softsign'].map((name) =>
    one(name),
  ),
  ...['Tanhshrink', 'Hardtanh', 'ELU', 'CELU', 'LeakyReLU', 'RReLU', 'GELU', 'Hardshrink', 'Softshrink', 'Softplus', 'PReLU'].map((name) =>
    one(name),
  ),
  one('ReLU inplace', { inplace: true }),
  one('ReLU6 inplace', true),
  one('Hardtanh limits', -2, 0.5, { inplace: true }),
  one('ELU alpha', 0.5, true),
  one('LeakyReLU slope', 0.2),
  one('RReLU training', 0.1, 0.4),
  one('GELU tanh', { approximate: 'tanh' }),
  one('GLU'),
  one('GLU dim', 1),
  one('Threshold', 0.1, 20),
  one('PReLU channels', 4, { init: 0.1 }),
  one('Softplus beta', 2, 5),
  one('Softmax', { dim: 1 }),
  one('Softmax none'),
  one('LogSoftmax', -1),
  one('Softmin', { dim: 2 }),
  one('Softmax2d'),
  one('MaxPool1d', 2),
  one('MaxPool2d', 3, { stride: 2, padding: 1 }),
  one('MaxPool2d pair', [2, 3], [1, 2], { dilation: [2, 1], ceilMode: true }),
  one('MaxPool2d indices', 2, { returnIndices: true }),
  one('MaxPool3d', 2),
  one('AvgPool1d', 2, { padding: 1 }),
  one('AvgPool2d', 3, { stride: 2, padding: 1, countIncludePad: false }),
  one('AvgPool2d divisor', [2, 3], { ceilMode: true, divisorOverride: 5 }),
  one('AvgPool3d', 2, [1, 2, 2]),
  one('LPPool1d', 2, 3, { stride: 2 }),
  one('LPPool2d', 1.5, 2),
  one('LPPool3d', 2, [2, 2, 3], { ceilMode: true }),
  one('AdaptiveAvgPool1d', 3),
  one('AdaptiveAvgPool2d', [1, 1]),
  one('AdaptiveAvgPool2d none', [null, 2]),
  one('AdaptiveAvgPool3d', 2),
  one('AdaptiveMaxPool1d', 3),
  one('AdaptiveMaxPool2d', [3, 2], { returnIndices: true }),
  one('AdaptiveMaxPool3d', [2, null, 3]),
  one('FractionalMaxPool2d', 2, { outputSize: [3, 2] }),
  one('FractionalMaxPool2d ratio', 2, { outputRatio: 0.5, returnIndices: true }),
  one('FractionalMaxPool3d', 2, { outputSize: 2 }),
  one('MaxUnpool1d', 2),
  one('MaxUnpool2d', 2, { stride: 2 }),
  one('MaxUnpool2d size', 2),
  one('MaxUnpool3d', 2),
  ...[1, 2, 3].flatMap((n) => [
    ...['ReflectionPad', 'ReplicationPad', 'CircularPad', 'ZeroPad'].map((kind) => one(`${kind}${n}d`, 1)),
    one(`ConstantPad${n}d`, range(2 * n), 3.5),
  ]),
  ...['Dropout', 'Dropout1d', 'Dropout2d', 'Dropout3d', 'AlphaDropout', 'FeatureAlphaDropout'].flatMap((name) => [
    one(name, 0.3),
    one(`${name} training`, { p: 0.4 }),
  ]),
  one('Dropout1d unbatched', 0.5, { inplace: true }),
  one('Embedding', 5, 3),
  one('Embedding padding', 5, 3, { paddingIdx: -2 }),
  one('Embedding max norm', 5, 3, { maxNorm: 1 }),
  one('EmbeddingBag', 5, 3),
  one('EmbeddingBag sum', 5, 3, { mode: 'sum', paddingIdx: 4 }),
  one('EmbeddingBag max', 5, 3, { mode: 'max' }),
  one('Flatten'),
  one('Flatten middle', 1, 2),
  one('Unflatten', 1, [2, 2]),
  one('PixelShuffle', 2),
  one('PixelUnshuffle', 2),
  one('ChannelShuffle', 2),
  one('Unfold', [2, 3], { padding: 1 }),
  one('Fold', [4, 5], [2, 2]),
  one('Upsample', { scaleFactor: 2 }),
  one('Upsample 1d', { size: 9, mode: 'linear' }),
  one('Upsample bilinear', { scaleFactor: [1.5, 2], mode: 'bilinear', alignCorners: false }),
  one('Upsample bicubic', { size: [9, 7], mode: 'bicubic', alignCorners: true }),
  one('Upsample trilinear', { scaleFactor: 2, mode: 'trilinear' }),
  one('Upsample recompute', { scaleFactor: 1.7, mode: 'nearest-exact', recomputeScaleFactor: true }),
  one('UpsamplingNearest2d', { scaleFactor: 2 }),
  one('UpsamplingBilinear2d', { size: [8, 9] }),
  one('CosineSimilarity', { dim: 1 }),
  one('PairwiseDistance', { p: 1, keepdim: true }),
  ...['L1Loss', 'MSELoss', 'SmoothL1Loss', 'HuberLoss', 'SoftMarginLoss'].flatMap((name) =>
    reductions.map((reduction) => one(`${name} ${reduction}`, { reduction })),
  ),
  one('CrossEntropyLoss'),
  one('CrossEntropyLoss weight', torch.tensor([1, 2, 3, 4, 5]), { ignoreIndex: 2, labelSmoothing: 0.1 }),
  one('NLLLoss', { reduction: 'sum' }),
  one('BCELoss'),
  one('BCEWithLogitsLoss', { posWeight: torch.tensor([1, 2, 0.5]) }),
  one('KLDivLoss', { reduction: 'batchmean', logTarget: true }),
  one('PoissonNLLLoss', { full: true }),
  one('GaussianNLLLoss', { full: true }),
  one('MarginRankingLoss', 0.3),
  one('HingeEmbeddingLoss'),
  one('CosineEmbeddingLoss', 0.1),
  one('MultiLabelMarginLoss'),
  one('MultiLabelSoftMarginLoss'),
  one('MultiMarginLoss', { p: 2, margin: 0.5 }),
  one('TripletMarginLoss', { margin: 0.5, swap: true }),
  one('TripletMarginWithDistanceLoss', { reduction: 'none' }),
  one('CTCLoss'),
  one('NLLLoss2d'),
  one('LinearCrossEntropyLoss', 5, 6),
  one('LinearCrossEntropyLoss sizes', 5, 6, {
    outFeatures: [2, 3],
    bias: true,
    weight: torch.tensor([1, 2, 3, 4, 5, 6]),
    reduction: 'sum',
    ignoreIndex: 2,
    labelSmoothing: 0.1,
  }),
  one('AdaptiveLogSoftmaxWithLoss', 8, 20, [4, 10, 15], { divValue: 2 }),
  one('AdaptiveLogSoftmaxWithLoss unbatched', 5, 9, [3], { headBias: true }),
  one('CrossMapLRN2d', 3),
  one('CrossMapLRN2d settings', 5, 0.5, 0.25, 2),
  one('RNN', 4, 3, 2),
  one('RNN relu', 4, 3, { nonlinearity: 'relu', bias: false, bidirectional: true }),
  one('LSTM', 4, 3),
  one('LSTM deep', 4, 3, { numLayers: 2, batchFirst: true, bidirectional: true, dropout: 0.2 }),
  one('LSTM projection', 4, 5, { projSize: 2, bias: false }),
  one('LSTM unbatched', 4, 3),
  one('LSTM state', 4, 3),
  one('GRU', 4, 3, { numLayers: 2, bidirectional: true }),
  one('GRU state', 4, 3, { batchFirst: true }),
  one('RNNCell', 4, 3),
  one('RNNCell relu', 4, 3, { nonlinearity: 'relu', bias: false }),
  one('LSTMCell', 4, 3),
  one('LSTMCell unbatched', 4, 3),
  one('GRUCell', 4, 3),
  one('MultiheadAttention', 6, 2),
  one('MultiheadAttention self', 6, 3, { batchFirst: true }),
  one('MultiheadAttention unbatched', 6, 2, { bias: false }),
  one('MultiheadAttention sizes', 6, 2, { kdim: 5, vdim: 3, addBiasKv: true, addZeroAttn: true }),
  one('MultiheadAttention masks', 6, 2, { batchFirst: true }),
  one('MultiheadAttention causal', 6, 2),
  one('TransformerEncoderLayer', 6, 2, 8),
  one('TransformerEncoderLayer gelu', 6, 2, 8, { activation: 'gelu', batchFirst: true, normFirst: true, bias: false }),
  ['TransformerEncoderLayer module', () => new nn.TransformerEncoderLayer(6, 2, 8, 0, new nn.SiLU())],
  one('TransformerDecoderLayer', 6, 2, 8),
  [
    'TransformerEncoder',
    () => new nn.TransformerEncoder(new nn.TransformerEncoderLayer(6, 2, 8, { batchFirst: true }), 2, new nn.LayerNorm(6)),
  ],
  ['TransformerDecoder', () => new nn.TransformerDecoder(new nn.TransformerDecoderLayer(6, 2, 8, { normFirst: true }), 2)],
  one('Transformer', 6, 2, 1, 2, 8),
  ['Sequential', () => new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU(), new nn.Sequential(new nn.Linear(4, 2), new nn.Sigmoid()))],
  ['Sequential named', () => new nn.Sequential({ fc: new nn.Linear(3, 4), act: new nn.Tanh() })],
])

/** A name of PyTorch's as TypeScript has it. */
export const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
/** The tensors in a result. */
export const tensorsIn = (value: unknown): torch.Tensor[] =>
  value instanceof torch.Tensor ? [value] : Array.isArray(value) ? value.flatMap(tensorsIn) : []
const numbers = (tensor: torch.Tensor): number[] => Array.from(tensor.contiguous().data as Float32Array, Number)

/** Largest difference, relative to 1 + the value; infinite where shapes, dtypes or what is finite differ. */
export function difference(actual: torch.Tensor, expected: torch.Tensor): number {
  if (actual.dtype !== expected.dtype || actual.shape.join() !== expected.shape.join()) return Infinity
  const wanted = numbers(expected)
  return Math.max(
    0,
    ...numbers(actual).map((value, i) => (Object.is(value, wanted[i]) ? 0 : Math.abs(value - wanted[i]) / (1 + Math.abs(wanted[i])))),
  )
}
