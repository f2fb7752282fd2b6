import type { DType } from '../../../tensor/dtype.js'
import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import type { AttributeTable } from '../attributes.js'
import { op } from '../eager.js'
import { embedding, embeddingBag } from '../functional/linear.js'
import { normal_ } from '../init.js'
import { Module } from '../module.js'
import { type Rest, settle } from '../options.js'
import { emptyParameter, Parameter } from '../parameter.js'
import { py, pyFloat } from '../repr.js'

export interface EmbeddingLayerOptions {
  paddingIdx?: number | null
  maxNorm?: number | null
  normType?: number
  scaleGradByFreq?: boolean
  sparse?: boolean
  /** Used instead of new numbers. */
  weight?: Tensor | null
  freeze?: boolean
  dtype?: DType
}
const embeddingNames = ['paddingIdx', 'maxNorm', 'normType', 'scaleGradByFreq', 'sparse', 'weight', 'freeze', 'dtype'] as const

/** A row of the padding index among `rows`, counted from the front. */
function paddingRow(paddingIdx: number | null, rows: number): number | null {
  if (paddingIdx === null) return null
  if (!(paddingIdx < rows && paddingIdx >= -rows)) throw new ArgumentError('Padding_idx must be within num_embeddings')
  return paddingIdx < 0 ? rows + paddingIdx : paddingIdx
}

function weightOf(
  rows: number,
  columns: number,
  given: Tensor | null,
  isFrozen: boolean,
  dtype: DType | undefined,
): [Parameter, isNew: boolean] {
  if (given === null) {
    const made = emptyParameter([rows, columns], dtype)
    return [isFrozen ? new Parameter(made, { requiresGrad: false }) : made, true]
  }
  if (given.shape.join() !== [rows, columns].join())
    throw new ArgumentError('Shape of weight does not match num_embeddings and embedding_dim')
  return [new Parameter(given, { requiresGrad: !isFrozen }), false]
}

export class Embedding extends Module {
  static override readonly attributes: AttributeTable = {
    numEmbeddings: 'Final[int]',
    embeddingDim: 'Final[int]',
    paddingIdx: 'Final[Optional[int]]',
    maxNorm: 'Final[Optional[float]]',
    normType: 'Final[float]',
    scaleGradByFreq: 'Final[bool]',
    sparse: 'Final[bool]',
  }
  static readonly pythonName: string = 'torch.nn.modules.sparse.Embedding'
  static readonly torchscript: string = `
def forward(self, input: Tensor) -> Tensor:
  padding_idx = -1
  chosen = self.padding_idx
  if chosen is not None:
    padding_idx = chosen
  indices = input
  max_norm = self.max_norm
  if max_norm is not None:
    indices = input.contiguous()
    torch.embedding_renorm_(self.weight.detach(), indices, max_norm, self.norm_type)
  return torch.embedding(self.weight, indices, padding_idx, self.scale_grad_by_freq, self.sparse)
`
  readonly numEmbeddings: number
  readonly embeddingDim: number
  readonly paddingIdx: number | null
  readonly maxNorm: number | null
  readonly normType: number
  readonly scaleGradByFreq: boolean
  readonly sparse: boolean
  weight: Parameter

  constructor(numEmbeddings: number, embeddingDim: number, ...rest: Rest<EmbeddingLayerOptions, typeof embeddingNames>) {
    super()
    const given = settle<EmbeddingLayerOptions>(embeddingNames, rest)
    const { paddingIdx = null, maxNorm = null, normType = 2, scaleGradByFreq = false, sparse = false } = given
    this.numEmbeddings = numEmbeddings
    this.embeddingDim = embeddingDim
    this.paddingIdx = paddingRow(paddingIdx, numEmbeddings)
    this.maxNorm = maxNorm
    this.normType = normType
    this.scaleGradByFreq = scaleGradByFreq
    this.sparse = sparse
    const [weight, isNew] = weightOf(numEmbeddings, embeddingDim, given.weight ?? null, given.freeze ?? false, given.dtype)
    this.weight = weight
    if (isNew) this.resetParameters()
  }
  /** An embedding of given rows, frozen unless told otherwise. */
  static fromPretrained(embeddings: Tensor, options: Omit<EmbeddingLayerOptions, 'weight'> = {}): Embedding {
    if (embeddings.dim() !== 2) throw new ArgumentError('Embeddings parameter is expected to be 2-dimensional')
    const [rows, columns] = embeddings.shape
    return new Embedding(rows, columns, { freeze: true, ...options, weight: embeddings })
  }
  resetParameters(): void {
    normal_(this.weight)
    if (this.paddingIdx !== null) op('fill_', op('select', this.weight, 0, this.paddingIdx), 0)
  }
  override forward(input: Tensor): Tensor {
    const { weight, paddingIdx, maxNorm, normType, scaleGradByFreq, sparse } = this
    return embedding(input, weight, paddingIdx, maxNorm, normType, scaleGradByFreq, sparse)
  }
  override extraRepr(): string {
    let text = `${this.numEmbeddings}, ${this.embeddingDim}`
    if (this.paddingIdx !== null) text += `, padding_idx=${this.paddingIdx}`
    if (this.maxNorm !== null) text += `, max_norm=${pyFloat(this.maxNorm)}`
    if (this.normType !== 2) text += `, norm_type=${pyFloat(this.normType)}`
    if (this.scaleGradByFreq) text += `, scale_grad_by_freq=${py(this.scaleGradByFreq)}`
    return this.sparse ? `${text}, sparse=True` : text
  }
}

export interface EmbeddingBagLayerOptions {
  maxNorm?: number | null
  normType?: number
  scaleGradByFreq?: boolean
  mode?: 'sum' | 'mean' | 'max'
  sparse?: boolean
  weight?: Tensor | null
  includeLastOffset?: boolean
  paddingIdx?: number | null
  dtype?: DType
}
const bagNames = ['maxNorm', 'normType', 'scaleGradByFreq', 'mode', 'sparse', 'weight', 'includeLastOffset', 'paddingIdx', 'dtype'] as const

export class EmbeddingBag extends Module {
  static override readonly attributes: AttributeTable = {
    numEmbeddings: 'Final[int]',
    embeddingDim: 'Final[int]',
    maxNorm: 'Final[Optional[float]]',
    normType: 'Final[float]',
    scaleGradByFreq: 'Final[bool]',
    mode: 'Final[str]',
    sparse: 'Final[bool]',
    includeLastOffset: 'Final[bool]',
    paddingIdx: 'Final[Optional[int]]',
  }
  static readonly pythonName: string = 'torch.nn.modules.sparse.EmbeddingBag'
  static readonly torchscript: string = `
def forward(self, input: Tensor, offsets: Optional[Tensor]=None, per_sample_weights: Optional[Tensor]=None) -> Tensor:
  indices = input
  starts = offsets
  weights = per_sample_weights
  include_last = self.include_last_offset
  if input.dim() == 2:
    assert offsets is None, "if input is 2D, then offsets has to be None"
    starts = torch.arange(0, input.numel(), input.size(1), dtype=input.dtype, device=input.device)
    include_last = False
    indices = input.reshape([-1])
    if per_sample_weights is not None:
      weights = per_sample_weights.reshape([-1])
  assert starts is not None, "offsets has to be a 1D Tensor but got None"
  mode = 0
  if self.mode == "mean":
    mode = 1
  elif self.mode == "max":
    mode = 2
  max_norm = self.max_norm
  if max_norm is not None:
    torch.embedding_renorm_(self.weight.detach(), indices, max_norm, self.norm_type)
  result, _, _, _ = torch.embedding_bag(self.weight, indices, starts, self.scale_grad_by_freq, mode, self.sparse, weights, include_last, self.padding_idx)
  return result
`
  readonly numEmbeddings: number
  readonly embeddingDim: number
  readonly maxNorm: number | null
  readonly normType: number
  readonly scaleGradByFreq: boolean
  readonly mode: 'sum' | 'mean' | 'max'
  readonly sparse: boolean
  readonly includeLastOffset: boolean
  readonly paddingIdx: number | null
  weight: Parameter

  constructor(numEmbeddings: number, embeddingDim: number, ...rest: Rest<EmbeddingBagLayerOptions, typeof bagNames>) {
    super()
    const given = settle<EmbeddingBagLayerOptions>(bagNames, rest)
    const { maxNorm = null, normType = 2, scaleGradByFreq = false, mode = 'mean', sparse = false } = given
    this.numEmbeddings = numEmbeddings
    this.embeddingDim = embeddingDim
    this.maxNorm = maxNorm
    this.normType = normType
    this.scaleGradByFreq = scaleGradByFreq
    this.mode = mode
    this.sparse = sparse
    this.includeLastOffset = given.includeLastOffset ?? false
    this.paddingIdx = paddingRow(given.paddingIdx ?? null, numEmbeddings)
    const [weight, isNew] = weightOf(numEmbeddings, embeddingDim, given.weight ?? null, false, given.dtype)
    this.weight = weight
    if (isNew) this.resetParameters()
  }
  resetParameters(): void {
    normal_(this.weight)
    if (this.paddingIdx !== null) op('fill_', op('select', this.weight, 0, this.paddingIdx), 0)
  }
  override forward(input: Tensor, offsets: Tensor | null = null, perSampleWeights: Tensor | null = null): Tensor {
    const { weight, maxNorm, normType, scaleGradByFreq, mode, sparse, includeLastOffset, paddingIdx } = this
    return embeddingBag(input, weight, {
      offsets,
      maxNorm,
      normType,
      scaleGradByFreq,
      mode,
      sparse,
      perSampleWeights,
      includeLastOffset,
      paddingIdx,
    })
  }
  override extraRepr(): string {
    let text = `${this.numEmbeddings}, ${this.embeddingDim}`
    if (this.maxNorm !== null) text += `, max_norm=${pyFloat(this.maxNorm)}`
    if (this.normType !== 2) text += `, norm_type=${pyFloat(this.normType)}`
    if (this.scaleGradByFreq) text += `, scale_grad_by_freq=${py(this.scaleGradByFreq)}`
    text += `, mode=${py(this.mode)}`
    return this.paddingIdx === null ? text : `${text}, padding_idx=${this.paddingIdx}`
  }
}
