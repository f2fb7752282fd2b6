import type { NativeProfileEvent, NativeProfileOperand, NativeProfileTensor } from '../../native/binding.js'

const isTensor = (operand: NativeProfileOperand | undefined): operand is NativeProfileTensor =>
  typeof operand === 'object' && operand !== null
const numel = (tensor: NativeProfileTensor): number => tensor.shape.reduce((product, size) => product * size, 1)
const at = (shape: readonly number[], fromEnd: number): number => shape[shape.length - fromEnd] ?? 1

type Count = (inputs: readonly NativeProfileOperand[], out: NativeProfileTensor) => number
/** Two operations for each element of the result and of the dimension that is summed, which is the last one of an argument. */
const product =
  (argument: number): Count =>
  (inputs, out) => {
    const left = inputs[argument]
    return isTensor(left) ? 2 * numel(out) * at(left.shape, 1) : 0
  }
const convolution =
  (transposedAt?: number): Count =>
  (inputs, out) => {
    const [input, weight] = inputs
    if (!isTensor(input) || !isTensor(weight)) return 0
    const transposed = transposedAt === undefined ? false : inputs[transposedAt] === true
    return (2 * numel(transposed ? input : out) * numel(weight)) / Math.max(1, weight.shape[0])
  }
const transposedConvolution: Count = (inputs) => {
  const [input, weight] = inputs
  return isTensor(input) && isTensor(weight) ? (2 * numel(input) * numel(weight)) / Math.max(1, weight.shape[0]) : 0
}
/** Scores and their product with the values; a causal mask does not lower the count. */
const attention: Count = (inputs) => {
  const [q, k, v] = inputs
  if (!isTensor(q) || !isTensor(k) || !isTensor(v)) return 0
  return 2 * numel(q) * at(k.shape, 2) + (2 * numel(q) * at(k.shape, 2) * at(v.shape, 1)) / Math.max(1, at(q.shape, 1))
}

/** A convolution, often of one by one, a depthwise one and one of one by one; the first may be missing. */
const bottleneck: Count = (inputs, out) => {
  const [input, expand, , , depthwise] = inputs
  const [project, stride, padding] = [inputs[9], inputs[13], inputs[14]]
  if (!isTensor(input) || !isTensor(depthwise) || !isTensor(project)) return 0
  const places = (image: NativeProfileTensor): number => numel(image) / Math.max(1, image.shape[1])
  let wide = 0
  if (isTensor(expand)) {
    const along = (d: number): number => Math.floor((input.shape[d] + 2 * Number(padding) - expand.shape[d]) / Number(stride)) + 1
    wide = numel(expand) * input.shape[0] * along(2) * along(3)
  }
  return 2 * (wide + (numel(depthwise) + numel(project)) * places(out))
}

/** By kernel row, so that epilogues and in-place variants count as their product does. */
const counts: Readonly<Record<string, Count>> = {
  linear: product(0),
  linear_epilogue: product(0),
  linear_compressed: product(0),
  matmul: product(0),
  mm: product(0),
  bmm: product(0),
  mv: product(0),
  dot: product(0),
  vdot: product(0),
  addmm: product(1),
  addmm_epilogue: product(1),
  addmv: product(1),
  baddbmm: product(1),
  addbmm: (inputs) => {
    const [, a, b] = inputs
    return isTensor(a) && isTensor(b) ? 2 * numel(a) * at(b.shape, 1) : 0
  },
  conv1d: convolution(),
  conv2d: convolution(),
  conv3d: convolution(),
  convolution_mode: convolution(),
  mkldnn_convolution: convolution(),
  convolution: convolution(6),
  convolution_epilogue: convolution(6),
  bottleneck,
  conv_transpose1d: transposedConvolution,
  conv_transpose2d: transposedConvolution,
  conv_transpose3d: transposedConvolution,
  attention,
  scaled_dot_product_attention: attention,
  flash_attention_for_cpu: attention,
}

/** Rows that read of their table only what they give. */
const lookups = new Set(['embedding', 'embedding_bag', 'index_select', 'gather', 'index'])

/** Floating-point operations of products and convolutions as written (two for each multiply-add); 0 for everything else, as in PyTorch. */
export function flopsOf(event: NativeProfileEvent): number {
  const count = counts[event.row]
  const out = event.outputs[0]
  return count === undefined || out === undefined ? 0 : count(event.inputs, out)
}

/** Bytes of the tensors that the operator reads and writes, each once. */
export function bytesOf(event: NativeProfileEvent): number {
  const sum = (operands: readonly NativeProfileOperand[]): number =>
    operands.reduce<number>((total, operand) => total + (isTensor(operand) ? operand.bytes : 0), 0)
  const written = sum(event.outputs)
  const read = lookups.has(event.row) ? written + sum(event.inputs.slice(1)) : sum(event.inputs)
  return read + written
}
