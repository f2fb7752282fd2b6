import type { DType } from '../../../tensor/dtype.js'
import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import type { AttributeTable } from '../attributes.js'
import { op } from '../eager.js'
import { floatMask, multiHeadAttentionForward } from '../functional/attention.js'
import { constant_, xavierNormal_, xavierUniform_ } from '../init.js'
import { Module } from '../module.js'
import { type Rest, settle } from '../options.js'
import { emptyParameter, type Parameter } from '../parameter.js'
import { NonDynamicallyQuantizableLinear } from './linear.js'

export interface MultiheadAttentionOptions {
  dropout?: number
  bias?: boolean
  addBiasKv?: boolean
  addZeroAttn?: boolean
  kdim?: number | null
  vdim?: number | null
  batchFirst?: boolean
  dtype?: DType
}
const names = ['dropout', 'bias', 'addBiasKv', 'addZeroAttn', 'kdim', 'vdim', 'batchFirst', 'dtype'] as const

export interface AttentionCallOptions {
  keyPaddingMask?: Tensor | null
  /** Gives the weights as well; attention without them is faster. */
  needWeights?: boolean
  attnMask?: Tensor | null
  averageAttnWeights?: boolean
  isCausal?: boolean
}
const callNames = ['keyPaddingMask', 'needWeights', 'attnMask', 'averageAttnWeights', 'isCausal'] as const

export class MultiheadAttention extends Module {
  static override readonly attributes: AttributeTable = {
    embedDim: 'int',
    kdim: 'int',
    vdim: 'int',
    _qkvSameEmbedDim: 'bool',
    numHeads: 'int',
    dropout: 'float',
    batchFirst: 'Final[bool]',
    headDim: 'int',
    qProjWeight: 'Optional[Tensor]',
    kProjWeight: 'Optional[Tensor]',
    vProjWeight: 'Optional[Tensor]',
    inProjWeight: 'Optional[Tensor]',
    inProjBias: 'Optional[Tensor]',
    outProj: 'Module',
    biasK: 'Optional[Tensor]',
    biasV: 'Optional[Tensor]',
    addZeroAttn: 'bool',
  }
  static readonly pythonName: string = 'torch.nn.modules.activation.MultiheadAttention'
  static torchscript(module: MultiheadAttention): string {
    return attentionSource(module)
  }
  readonly embedDim: number
  readonly kdim: number
  readonly vdim: number
  readonly _qkvSameEmbedDim: boolean
  readonly numHeads: number
  readonly dropout: number
  readonly batchFirst: boolean
  readonly headDim: number
  declare qProjWeight: Parameter | null
  declare kProjWeight: Parameter | null
  declare vProjWeight: Parameter | null
  declare inProjWeight: Parameter | null
  declare inProjBias: Parameter | null
  declare outProj: NonDynamicallyQuantizableLinear
  declare biasK: Parameter | null
  declare biasV: Parameter | null
  readonly addZeroAttn: boolean

  constructor(embedDim: number, numHeads: number, ...rest: Rest<MultiheadAttentionOptions, typeof names>) {
    super()
    const given = settle<MultiheadAttentionOptions>(names, rest)
    const { dropout = 0, bias = true, addBiasKv = false, addZeroAttn = false, batchFirst = false, dtype } = given
    if (!(embedDim > 0 && numHeads > 0))
      throw new ArgumentError(`embed_dim and num_heads must be greater than 0, got embed_dim=${embedDim} and num_heads=${numHeads} instead`)
    this.embedDim = embedDim
    this.kdim = given.kdim ?? embedDim
    this.vdim = given.vdim ?? embedDim
    this._qkvSameEmbedDim = this.kdim === embedDim && this.vdim === embedDim
    this.numHeads = numHeads
    this.dropout = dropout
    this.batchFirst = batchFirst
    this.headDim = Math.floor(embedDim / numHeads)
    if (this.headDim * numHeads !== embedDim) throw new ArgumentError('embed_dim must be divisible by num_heads')
    const isPacked = this._qkvSameEmbedDim
    const separate = (columns: number): Parameter | null => (isPacked ? null : emptyParameter([embedDim, columns], dtype))
    if (isPacked) this.registerParameter('inProjWeight', emptyParameter([3 * embedDim, embedDim], dtype))
    this.registerParameter('qProjWeight', separate(embedDim))
    this.registerParameter('kProjWeight', separate(this.kdim))
    this.registerParameter('vProjWeight', separate(this.vdim))
    if (!isPacked) this.registerParameter('inProjWeight', null)
    this.registerParameter('inProjBias', bias ? emptyParameter([3 * embedDim], dtype) : null)
    this.outProj = new NonDynamicallyQuantizableLinear(embedDim, embedDim, { bias, dtype })
    this.biasK = addBiasKv ? emptyParameter([1, 1, embedDim], dtype) : null
    this.biasV = addBiasKv ? emptyParameter([1, 1, embedDim], dtype) : null
    this.addZeroAttn = addZeroAttn
    this.resetParameters()
  }
  resetParameters(): void {
    for (const weight of [this.inProjWeight, this.qProjWeight, this.kProjWeight, this.vProjWeight])
      if (weight !== null) xavierUniform_(weight)
    if (this.inProjBias !== null) {
      constant_(this.inProjBias, 0)
      constant_(this.outProj.bias!, 0)
    }
    if (this.biasK !== null) xavierNormal_(this.biasK)
    if (this.biasV !== null) xavierNormal_(this.biasV)
  }
  override forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    ...rest: Rest<AttentionCallOptions, typeof callNames>
  ): [output: Tensor, weights: Tensor | null] {
    const {
      keyPaddingMask = null,
      needWeights = true,
      attnMask = null,
      averageAttnWeights = true,
      isCausal = false,
    } = settle<AttentionCallOptions>(callNames, rest)
    const turns = this.batchFirst && query.dim() === 3
    const turned = (input: Tensor): Tensor => (turns ? op('transpose', input, 1, 0) : input)
    // One tensor in several roles stays one: the projection goes by that.
    const q = turned(query)
    const k = key === query ? q : turned(key)
    const v = value === key ? k : turned(value)
    const [output, weights] = multiHeadAttentionForward(
      q,
      k,
      v,
      this.embedDim,
      this.numHeads,
      this.inProjWeight,
      this.inProjBias,
      this.biasK,
      this.biasV,
      this.addZeroAttn,
      this.dropout,
      this.outProj.weight,
      this.outProj.bias,
      {
        training: this.training,
        keyPaddingMask: floatMask(keyPaddingMask, 'key_padding_mask', query.dtype),
        needWeights,
        attnMask: floatMask(attnMask, 'attn_mask', query.dtype),
        averageAttnWeights,
        isCausal,
        useSeparateProjWeight: !this._qkvSameEmbedDim,
        qProjWeight: this.qProjWeight,
        kProjWeight: this.kProjWeight,
        vProjWeight: this.vProjWeight,
      },
    )
    return [turned(output), weights]
  }
}

/** What a module has of weights is known when it is scripted: the text has only the lines for them. */
function attentionSource({ _qkvSameEmbedDim, inProjBias, biasK, biasV, addZeroAttn }: MultiheadAttention): string {
  const biases = inProjBias === null ? ['None', 'None', 'None'] : ['b_q', 'b_k', 'b_v']
  const weights = _qkvSameEmbedDim ? ['w_q', 'w_k', 'w_v'] : ['self.q_proj_weight', 'self.k_proj_weight', 'self.v_proj_weight']
  const widen = `  if attn is not None:
    attn = torch.pad(attn, [0, 1])
  if key_mask is not None:
    key_mask = torch.pad(key_mask, [0, 1])`
  const lines = [
    _qkvSameEmbedDim ? '  w_q, w_k, w_v = torch.chunk(self.in_proj_weight, 3)' : '',
    inProjBias === null ? '' : '  b_q, b_k, b_v = torch.chunk(self.in_proj_bias, 3)',
    ...['q', 'k', 'v'].map((name, i) => `  ${name} = torch.linear(${name}, ${weights[i]}, ${biases[i]})`),
    biasK === null || biasV === null
      ? ''
      : `  k = torch.cat([k, self.bias_k.repeat([1, batch, 1])])
  v = torch.cat([v, self.bias_v.repeat([1, batch, 1])])
${widen}`,
    ...['q', 'k', 'v'].map((name) => `  ${name} = ${name}.contiguous().view([${name}.size(0), -1, self.head_dim]).transpose(0, 1)`),
    !addZeroAttn
      ? ''
      : `  zeros = torch.zeros([k.size(0), 1, self.head_dim], dtype=k.dtype, device=k.device)
  k = torch.cat([k, zeros], 1)
  v = torch.cat([v, zeros], 1)
${widen}`,
  ]
  return `
def forward(self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Optional[Tensor]=None, need_weights: bool=True, attn_mask: Optional[Tensor]=None, average_attn_weights: bool=True, is_causal: bool=False) -> Tuple[Tensor, Optional[Tensor]]:
  is_batched = query.dim() == 3
  q = query
  k = key
  v = value
  key_mask = self._float_mask(key_padding_mask, query)
  attn = self._float_mask(attn_mask, query)
  if not is_batched:
    q = q.unsqueeze(1)
    k = k.unsqueeze(1)
    v = v.unsqueeze(1)
    if key_mask is not None:
      key_mask = key_mask.unsqueeze(0)
  elif self.batch_first:
    q = q.transpose(1, 0)
    k = k.transpose(1, 0)
    v = v.transpose(1, 0)
  causal = is_causal
  if is_causal:
    assert attn_mask is not None, "Need attn_mask if specifying the is_causal hint."
  if is_causal and key_padding_mask is None and not need_weights:
    attn = None
  elif key_padding_mask is not None:
    causal = False
  length = q.size(0)
  batch = q.size(1)
  if attn is not None:
    if attn.dim() == 2:
      attn = attn.unsqueeze(0)
${lines.filter((line) => line !== '').join('\n')}
  source = k.size(1)
  if key_mask is not None:
    merged = key_mask.view([batch, 1, 1, source]).expand([-1, self.num_heads, -1, -1]).reshape([-1, 1, source])
    if attn is not None:
      attn = attn + merged
    else:
      attn = merged
  dropout_p = 0.0
  if self.training:
    dropout_p = self.dropout
  result_weights: Optional[Tensor] = None
  if need_weights:
    scaled = q * ((1.0 / float(self.head_dim)) ** 0.5)
    if attn is not None:
      weights = torch.baddbmm(attn, scaled, k.transpose(-2, -1))
    else:
      weights = torch.bmm(scaled, k.transpose(-2, -1))
    weights = torch.softmax(weights, -1)
    if dropout_p > 0.0:
      weights = torch.dropout(weights, dropout_p, True)
    attended = torch.bmm(weights, v).transpose(0, 1).reshape([-1, self.embed_dim])
    weights = weights.view([batch, self.num_heads, length, source])
    if average_attn_weights:
      weights = torch.mean(weights, [1])
    if not is_batched:
      weights = weights.squeeze(0)
    result_weights = weights
  else:
    if attn is not None:
      if attn.size(0) == 1:
        attn = attn.unsqueeze(0)
      else:
        attn = attn.view([batch, self.num_heads, -1, source])
    q4 = q.view([batch, self.num_heads, length, self.head_dim])
    k4 = k.view([batch, self.num_heads, source, self.head_dim])
    v4 = v.view([batch, self.num_heads, source, self.head_dim])
    attended = torch.scaled_dot_product_attention(q4, k4, v4, attn, dropout_p, causal)
    attended = attended.permute([2, 0, 1, 3]).reshape([-1, self.embed_dim])
  output = torch.linear(attended, self.out_proj.weight, self.out_proj.bias).view([length, batch, -1])
  if not is_batched:
    output = output.squeeze(1)
  elif self.batch_first:
    output = output.transpose(1, 0)
  return (output, result_weights)

def _float_mask(self, mask: Optional[Tensor], like: Tensor) -> Optional[Tensor]:
  result: Optional[Tensor] = None
  if mask is not None:
    if torch.is_floating_point(mask):
      result = mask
    else:
      result = torch.masked_fill(torch.zeros_like(mask, dtype=like.dtype), mask, float("-inf"))
  return result
`
}
