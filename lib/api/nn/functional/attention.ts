import type { DType } from '../../../tensor/dtype.js'
import { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import { op, ops, opWith, plainShape, size } from '../eager.js'

const isFloating = (dtype: DType): boolean => dtype.startsWith('float') || dtype === 'bfloat16'

/** A mask as numbers to add: true becomes minus infinity. */
export function floatMask(mask: Tensor | null, name: string, dtype: DType): Tensor | null {
  if (mask === null) return null
  if (isFloating(mask.dtype)) return mask
  if (mask.dtype !== 'bool') throw new ArgumentError(`only bool and floating types of ${name} are supported`)
  return op('masked_fill_', opWith('zeros_like', [mask], { dtype }), mask, -Infinity)
}

export interface MultiHeadAttentionOptions {
  training?: boolean
  keyPaddingMask?: Tensor | null
  needWeights?: boolean
  attnMask?: Tensor | null
  useSeparateProjWeight?: boolean
  qProjWeight?: Tensor | null
  kProjWeight?: Tensor | null
  vProjWeight?: Tensor | null
  staticK?: Tensor | null
  staticV?: Tensor | null
  averageAttnWeights?: boolean
  isCausal?: boolean
}

/** Query, key and value of an input projection that has one weight for the three. */
function packedProjection(query: Tensor, key: Tensor, value: Tensor, weight: Tensor, bias: Tensor | null, width: number): Tensor[] {
  const split = (projected: Tensor, parts: number): Tensor[] => {
    const apart = op('transpose', op('unsqueeze', op('unflatten', projected, -1, [parts, width]), 0), 0, -2)
    const packed = op('contiguous', op('squeeze', apart, -2))
    return Array.from({ length: parts }, (_, i) => op('select', packed, 0, i))
  }
  if (key === value && query === key) return split(op('linear', query, weight, bias), 3)
  if (key === value) {
    const [ownWeight, otherWeight] = ops('split_with_sizes', weight, [width, 2 * width])
    const [ownBias, otherBias] = bias === null ? [null, null] : ops('split_with_sizes', bias, [width, 2 * width])
    return [op('linear', query, ownWeight, ownBias), ...split(op('linear', key, otherWeight, otherBias), 2)]
  }
  const weights = ops('chunk', weight, 3)
  const biases = bias === null ? [null, null, null] : ops('chunk', bias, 3)
  return [query, key, value].map((input, i) => op('linear', input, weights[i], biases[i]))
}

function checkShapes(query: Tensor, key: Tensor, value: Tensor, keyPaddingMask: Tensor | null, attnMask: Tensor | null): void {
  const dims = query.dim()
  if (dims !== 2 && dims !== 3)
    throw new ArgumentError(`query should be unbatched 2D or batched 3D tensor but received ${dims}-D query tensor`)
  const kind = dims === 3 ? 'batched (3-D)' : 'unbatched (2-D)'
  if (key.dim() !== dims || value.dim() !== dims)
    throw new ArgumentError(
      `For ${kind} \`query\`, expected \`key\` and \`value\` to be ${dims}-D but found ${key.dim()}-D and ${value.dim()}-D tensors respectively`,
    )
  if (keyPaddingMask !== null && keyPaddingMask.dim() !== dims - 1)
    throw new ArgumentError(
      `For ${kind} \`query\`, expected \`key_padding_mask\` to be \`None\` or ${dims - 1}-D but found ${keyPaddingMask.dim()}-D tensor instead`,
    )
  if (attnMask !== null && attnMask.dim() !== 2 && attnMask.dim() !== 3)
    throw new ArgumentError(
      `For ${kind} \`query\`, expected \`attn_mask\` to be \`None\`, 2-D or 3-D but found ${attnMask.dim()}-D tensor instead`,
    )
}

/** Attention of several heads, sequence first: the output, and the weights of the attention where they are asked for. */
export function multiHeadAttentionForward(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  embedDimToCheck: number,
  numHeads: number,
  inProjWeight: Tensor | null,
  inProjBias: Tensor | null,
  biasK: Tensor | null,
  biasV: Tensor | null,
  addZeroAttn: boolean,
  dropoutP: number,
  outProjWeight: Tensor,
  outProjBias: Tensor | null,
  options: MultiHeadAttentionOptions = {},
): [output: Tensor, weights: Tensor | null] {
  const { training = true, needWeights = true, useSeparateProjWeight = false, averageAttnWeights = true } = options
  const { staticK = null, staticV = null } = options
  let { keyPaddingMask = null, attnMask = null, isCausal = false } = options
  checkShapes(query, key, value, keyPaddingMask, attnMask)
  const isBatched = query.dim() === 3
  let [q, k, v] = [query, key, value]
  if (!isBatched) {
    q = op('unsqueeze', query, 1)
    k = key === query ? q : op('unsqueeze', key, 1)
    v = value === key ? k : op('unsqueeze', value, 1)
    if (keyPaddingMask !== null) keyPaddingMask = op('unsqueeze', keyPaddingMask, 0)
  }
  const embedDim = plainShape(q)[2]
  if (embedDim !== embedDimToCheck) throw new ArgumentError(`was expecting embedding dimension of ${embedDimToCheck}, but got ${embedDim}`)
  const headDim = Math.floor(embedDim / numHeads)
  if (headDim * numHeads !== embedDim) throw new ArgumentError(`embed_dim ${embedDim} not divisible by num_heads ${numHeads}`)
  const targetLength = size(q, 0)
  const batch = size(q, 1)
  keyPaddingMask = floatMask(keyPaddingMask, 'key_padding_mask', q.dtype)
  if (isCausal && attnMask === null)
    throw new ArgumentError(
      'Need attn_mask if specifying the is_causal hint. You may use the Transformer module method `generateSquareSubsequentMask` to create this mask.',
    )
  if (isCausal && keyPaddingMask === null && !needWeights) attnMask = null
  else {
    attnMask = floatMask(attnMask, 'attn_mask', q.dtype)
    // A mask with the padding in it is none that a flag says.
    if (keyPaddingMask !== null) isCausal = false
  }
  if (useSeparateProjWeight) {
    const biases = inProjBias === null ? [null, null, null] : ops('chunk', inProjBias, 3)
    const weights = [options.qProjWeight, options.kProjWeight, options.vProjWeight]
    ;[q, k, v] = [q, k, v].map((input, i) => op('linear', input, weights[i], biases[i]))
  } else {
    if (plainShape(k).join() !== plainShape(v).join())
      throw new ArgumentError(`key shape [${plainShape(k).join(', ')}] does not match value shape [${plainShape(v).join(', ')}]`)
    ;[q, k, v] = packedProjection(q, k, v, inProjWeight!, inProjBias, embedDim)
  }
  if (attnMask !== null && attnMask.dim() === 2) attnMask = op('unsqueeze', attnMask, 0)
  const widenMasks = (): void => {
    if (attnMask !== null) attnMask = op('pad', attnMask, [0, 1], 'constant', null)
    if (keyPaddingMask !== null) keyPaddingMask = op('pad', keyPaddingMask, [0, 1], 'constant', null)
  }
  if (biasK !== null && biasV !== null) {
    k = op('cat', [k, op('repeat', biasK, [1, batch, 1])])
    v = op('cat', [v, op('repeat', biasV, [1, batch, 1])])
    widenMasks()
  }
  // Heads go beside the batch: -1 is their product.
  const heads = (input: Tensor): Tensor => op('transpose', op('view', input, [size(input, 0), -1, headDim]), 0, 1)
  q = op('transpose', op('view', q, [targetLength, -1, headDim]), 0, 1)
  k = staticK ?? heads(k)
  v = staticV ?? heads(v)
  if (addZeroAttn) {
    const zeros = opWith('zeros', [[size(k, 0), 1, headDim]], { dtype: k.dtype })
    k = op('cat', [k, zeros], 1)
    v = op('cat', [v, zeros], 1)
    widenMasks()
  }
  const sourceLength = size(k, 1)
  if (keyPaddingMask !== null) {
    const expanded = op('expand', op('view', keyPaddingMask, [batch, 1, 1, sourceLength]), [-1, numHeads, -1, -1])
    const merged = op('reshape', expanded, [-1, 1, sourceLength])
    attnMask = attnMask === null ? merged : op('add', attnMask, merged)
  }
  const dropout = training ? dropoutP : 0
  const projected = (flat: Tensor): Tensor => {
    const out = op('view', op('linear', flat, outProjWeight, outProjBias), [targetLength, batch, -1])
    return isBatched ? out : op('squeeze', out, 1)
  }
  if (!needWeights) {
    if (attnMask !== null)
      attnMask =
        plainShape(attnMask)[0] === 1 && attnMask.dim() === 3
          ? op('unsqueeze', attnMask, 0)
          : op('view', attnMask, [batch, numHeads, -1, sourceLength])
    const apart = (input: Tensor, length: number): Tensor => op('view', input, [batch, numHeads, length, headDim])
    const attended = op(
      'scaled_dot_product_attention',
      apart(q, targetLength),
      apart(k, sourceLength),
      apart(v, sourceLength),
      attnMask,
      dropout,
      isCausal,
    )
    return [projected(op('reshape', op('permute', attended, [2, 0, 1, 3]), [-1, embedDim])), null]
  }
  const scaled = op('mul', q, Math.sqrt(1 / headDim))
  const turned = op('transpose', k, -2, -1)
  let weights = attnMask === null ? op('bmm', scaled, turned) : op('baddbmm', attnMask, scaled, turned)
  weights = op('softmax', weights, -1)
  if (dropout > 0) weights = op('dropout', weights, dropout, true)
  const output = projected(op('reshape', op('transpose', op('bmm', weights, v), 0, 1), [-1, embedDim]))
  weights = op('view', weights, [batch, numHeads, targetLength, sourceLength])
  if (averageAttnWeights) weights = op('mean', weights, [1])
  return [output, isBatched ? weights : op('squeeze', weights, 0)]
}
