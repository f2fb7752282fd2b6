import type { DType } from '../../../tensor/dtype.js'
import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError, UnsupportedError } from '../../../util/errors.js'
import type { AttributeTable } from '../attributes.js'
import { ModuleList } from '../containers.js'
import { deepCopy } from '../copy.js'
import { op, opWith, plainShape } from '../eager.js'
import { floatMask } from '../functional/attention.js'
import { gelu } from '../functional/activation.js'
import { xavierUniform_ } from '../init.js'
import { Module } from '../module.js'
import { type Rest, settle } from '../options.js'
import { GELU, ReLU } from './activation.js'
import { MultiheadAttention } from './attention.js'
import { Dropout } from './dropout.js'
import { Linear } from './linear.js'
import { LayerNorm } from './normalization.js'

/** An activation by name, a module, or a function. Functions of one's own can be traced, not scripted. */
export type TransformerActivation = 'relu' | 'gelu' | Module | ((input: Tensor) => Tensor)

export interface TransformerLayerOptions {
  dimFeedforward?: number
  dropout?: number
  activation?: TransformerActivation
  layerNormEps?: number
  batchFirst?: boolean
  normFirst?: boolean
  bias?: boolean
  dtype?: DType
}
const layerNames = ['dimFeedforward', 'dropout', 'activation', 'layerNormEps', 'batchFirst', 'normFirst', 'bias', 'dtype'] as const
type LayerRest = Rest<TransformerLayerOptions, typeof layerNames>

const relu = (input: Tensor): Tensor => op('relu', input)
const geluOf = (input: Tensor): Tensor => gelu(input)

function activationOf(given: TransformerActivation): Module | ((input: Tensor) => Tensor) {
  if (given === 'relu') return relu
  if (given === 'gelu') return geluOf
  if (typeof given === 'string') throw new ArgumentError(`activation should be relu/gelu, not ${String(given)}`)
  return given
}
/** The call of an activation in TorchScript. */
function activationSource(activation: Module | ((input: Tensor) => Tensor), input: string): string {
  if (activation instanceof Module) return `self.activation(${input})`
  if (activation === relu) return `torch.relu(${input})`
  if (activation === geluOf) return `torch.gelu(${input})`
  throw new UnsupportedError(
    "Scripting a transformer layer whose activation is a function of one's own is not supported; give a module instead.",
  )
}

export interface EncoderLayerCall {
  srcMask?: Tensor | null
  srcKeyPaddingMask?: Tensor | null
  isCausal?: boolean
}
const encoderLayerCall = ['srcMask', 'srcKeyPaddingMask', 'isCausal'] as const

/** The feed-forward part and dropouts that encoder and decoder layers share. */
class TransformerLayer extends Module {
  static override readonly attributes: AttributeTable = { selfAttn: 'Module', normFirst: 'Final[bool]', activation: 'Module' }

  protected activate(activation: Module | ((input: Tensor) => Tensor), input: Tensor): Tensor {
    return activation instanceof Module ? (activation.forward(input) as Tensor) : activation(input)
  }
}

export class TransformerEncoderLayer extends TransformerLayer {
  static override readonly attributes: AttributeTable = { activationReluOrGelu: 'int' }
  static readonly pythonName: string = 'torch.nn.modules.transformer.TransformerEncoderLayer'
  static torchscript({ activation }: TransformerEncoderLayer): string {
    return `
def forward(self, src: Tensor, src_mask: Optional[Tensor]=None, src_key_padding_mask: Optional[Tensor]=None, is_causal: bool=False) -> Tensor:
  x = src
  if self.norm_first:
    x = x + self._sa_block(self.norm1(x), src_mask, src_key_padding_mask, is_causal)
    x = x + self._ff_block(self.norm2(x))
  else:
    x = self.norm1(x + self._sa_block(x, src_mask, src_key_padding_mask, is_causal))
    x = self.norm2(x + self._ff_block(x))
  return x

def _sa_block(self, x: Tensor, attn_mask: Optional[Tensor], key_padding_mask: Optional[Tensor], is_causal: bool) -> Tensor:
  attended, _ = self.self_attn(x, x, x, key_padding_mask, False, attn_mask, True, is_causal)
  return self.dropout1(attended)

def _ff_block(self, x: Tensor) -> Tensor:
  return self.dropout2(self.linear2(self.dropout(${activationSource(activation, 'self.linear1(x)')})))
`
  }
  readonly selfAttn: MultiheadAttention
  readonly linear1: Linear
  readonly dropout: Dropout
  readonly linear2: Linear
  readonly normFirst: boolean
  readonly norm1: LayerNorm
  readonly norm2: LayerNorm
  readonly dropout1: Dropout
  readonly dropout2: Dropout
  readonly activationReluOrGelu: number
  readonly activation: Module | ((input: Tensor) => Tensor)

  constructor(dModel: number, nhead: number, ...rest: LayerRest) {
    super()
    const given = settle<TransformerLayerOptions>(layerNames, rest)
    const {
      dimFeedforward = 2048,
      dropout = 0.1,
      layerNormEps: eps = 1e-5,
      batchFirst = false,
      normFirst = false,
      bias = true,
      dtype,
    } = given
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout, bias, batchFirst, dtype })
    this.linear1 = new Linear(dModel, dimFeedforward, { bias, dtype })
    this.dropout = new Dropout(dropout)
    this.linear2 = new Linear(dimFeedforward, dModel, { bias, dtype })
    this.normFirst = normFirst
    this.norm1 = new LayerNorm(dModel, { eps, bias, dtype })
    this.norm2 = new LayerNorm(dModel, { eps, bias, dtype })
    this.dropout1 = new Dropout(dropout)
    this.dropout2 = new Dropout(dropout)
    this.activation = activationOf(given.activation ?? 'relu')
    const isRelu = this.activation === relu || this.activation instanceof ReLU
    this.activationReluOrGelu = isRelu ? 1 : this.activation === geluOf || this.activation instanceof GELU ? 2 : 0
  }
  override forward(src: Tensor, ...rest: Rest<EncoderLayerCall, typeof encoderLayerCall>): Tensor {
    const { srcMask = null, srcKeyPaddingMask = null, isCausal = false } = settle<EncoderLayerCall>(encoderLayerCall, rest)
    const padding = floatMask(srcKeyPaddingMask, 'src_key_padding_mask', src.dtype)
    const mask = floatMask(srcMask, 'src_mask', src.dtype)
    if (this.normFirst) {
      const x = op('add', src, this.attend(this.norm1.forward(src), mask, padding, isCausal))
      return op('add', x, this.feed(this.norm2.forward(x)))
    }
    const x = this.norm1.forward(op('add', src, this.attend(src, mask, padding, isCausal)))
    return this.norm2.forward(op('add', x, this.feed(x)))
  }
  private attend(x: Tensor, attnMask: Tensor | null, keyPaddingMask: Tensor | null, isCausal: boolean): Tensor {
    return this.dropout1.forward(this.selfAttn.forward(x, x, x, { attnMask, keyPaddingMask, needWeights: false, isCausal })[0])
  }
  private feed(x: Tensor): Tensor {
    const hidden = this.dropout.forward(this.activate(this.activation, this.linear1.forward(x)))
    return this.dropout2.forward(this.linear2.forward(hidden))
  }
}

export interface DecoderCall {
  tgtMask?: Tensor | null
  memoryMask?: Tensor | null
  tgtKeyPaddingMask?: Tensor | null
  memoryKeyPaddingMask?: Tensor | null
  tgtIsCausal?: boolean
  memoryIsCausal?: boolean
}
const decoderCall = ['tgtMask', 'memoryMask', 'tgtKeyPaddingMask', 'memoryKeyPaddingMask', 'tgtIsCausal', 'memoryIsCausal'] as const
type DecoderRest = Rest<DecoderCall, typeof decoderCall>

const decoderParameters = `tgt: Tensor, memory: Tensor, tgt_mask: Optional[Tensor]=None, memory_mask: Optional[Tensor]=None, tgt_key_padding_mask: Optional[Tensor]=None, memory_key_padding_mask: Optional[Tensor]=None, tgt_is_causal: bool=False, memory_is_causal: bool=False`

export class TransformerDecoderLayer extends TransformerLayer {
  static override readonly attributes: AttributeTable = { multiheadAttn: 'Module' }
  static readonly pythonName: string = 'torch.nn.modules.transformer.TransformerDecoderLayer'
  static torchscript({ activation }: TransformerDecoderLayer): string {
    return `
def forward(self, ${decoderParameters}) -> Tensor:
  x = tgt
  if self.norm_first:
    x = x + self._sa_block(self.norm1(x), tgt_mask, tgt_key_padding_mask, tgt_is_causal)
    x = x + self._mha_block(self.norm2(x), memory, memory_mask, memory_key_padding_mask, memory_is_causal)
    x = x + self._ff_block(self.norm3(x))
  else:
    x = self.norm1(x + self._sa_block(x, tgt_mask, tgt_key_padding_mask, tgt_is_causal))
    x = self.norm2(x + self._mha_block(x, memory, memory_mask, memory_key_padding_mask, memory_is_causal))
    x = self.norm3(x + self._ff_block(x))
  return x

def _sa_block(self, x: Tensor, attn_mask: Optional[Tensor], key_padding_mask: Optional[Tensor], is_causal: bool) -> Tensor:
  attended, _ = self.self_attn(x, x, x, key_padding_mask, False, attn_mask, True, is_causal)
  return self.dropout1(attended)

def _mha_block(self, x: Tensor, mem: Tensor, attn_mask: Optional[Tensor], key_padding_mask: Optional[Tensor], is_causal: bool) -> Tensor:
  attended, _ = self.multihead_attn(x, mem, mem, key_padding_mask, False, attn_mask, True, is_causal)
  return self.dropout2(attended)

def _ff_block(self, x: Tensor) -> Tensor:
  return self.dropout3(self.linear2(self.dropout(${activationSource(activation, 'self.linear1(x)')})))
`
  }
  readonly selfAttn: MultiheadAttention
  readonly multiheadAttn: MultiheadAttention
  readonly linear1: Linear
  readonly dropout: Dropout
  readonly linear2: Linear
  readonly normFirst: boolean
  readonly norm1: LayerNorm
  readonly norm2: LayerNorm
  readonly norm3: LayerNorm
  readonly dropout1: Dropout
  readonly dropout2: Dropout
  readonly dropout3: Dropout
  readonly activation: Module | ((input: Tensor) => Tensor)

  constructor(dModel: number, nhead: number, ...rest: LayerRest) {
    super()
    const given = settle<TransformerLayerOptions>(layerNames, rest)
    const {
      dimFeedforward = 2048,
      dropout = 0.1,
      layerNormEps: eps = 1e-5,
      batchFirst = false,
      normFirst = false,
      bias = true,
      dtype,
    } = given
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout, bias, batchFirst, dtype })
    this.multiheadAttn = new MultiheadAttention(dModel, nhead, { dropout, bias, batchFirst, dtype })
    this.linear1 = new Linear(dModel, dimFeedforward, { bias, dtype })
    this.dropout = new Dropout(dropout)
    this.linear2 = new Linear(dimFeedforward, dModel, { bias, dtype })
    this.normFirst = normFirst
    this.norm1 = new LayerNorm(dModel, { eps, bias, dtype })
    this.norm2 = new LayerNorm(dModel, { eps, bias, dtype })
    this.norm3 = new LayerNorm(dModel, { eps, bias, dtype })
    this.dropout1 = new Dropout(dropout)
    this.dropout2 = new Dropout(dropout)
    this.dropout3 = new Dropout(dropout)
    this.activation = activationOf(given.activation ?? 'relu')
  }
  override forward(tgt: Tensor, memory: Tensor, ...rest: DecoderRest): Tensor {
    const given = settle<DecoderCall>(decoderCall, rest)
    const { tgtMask = null, memoryMask = null, tgtKeyPaddingMask = null, memoryKeyPaddingMask = null } = given
    const own = (x: Tensor): Tensor => this.attend(x, tgtMask, tgtKeyPaddingMask, given.tgtIsCausal ?? false)
    const other = (x: Tensor): Tensor => this.attendTo(x, memory, memoryMask, memoryKeyPaddingMask, given.memoryIsCausal ?? false)
    if (this.normFirst) {
      let x = op('add', tgt, own(this.norm1.forward(tgt)))
      x = op('add', x, other(this.norm2.forward(x)))
      return op('add', x, this.feed(this.norm3.forward(x)))
    }
    let x = this.norm1.forward(op('add', tgt, own(tgt)))
    x = this.norm2.forward(op('add', x, other(x)))
    return this.norm3.forward(op('add', x, this.feed(x)))
  }
  private attend(x: Tensor, attnMask: Tensor | null, keyPaddingMask: Tensor | null, isCausal: boolean): Tensor {
    return this.dropout1.forward(this.selfAttn.forward(x, x, x, { attnMask, keyPaddingMask, needWeights: false, isCausal })[0])
  }
  private attendTo(x: Tensor, memory: Tensor, attnMask: Tensor | null, keyPaddingMask: Tensor | null, isCausal: boolean): Tensor {
    const [attended] = this.multiheadAttn.forward(x, memory, memory, { attnMask, keyPaddingMask, needWeights: false, isCausal })
    return this.dropout2.forward(attended)
  }
  private feed(x: Tensor): Tensor {
    const hidden = this.dropout.forward(this.activate(this.activation, this.linear1.forward(x)))
    return this.dropout3.forward(this.linear2.forward(hidden))
  }
}

const copies = (layer: Module, count: number): ModuleList => new ModuleList(Array.from({ length: count }, () => deepCopy(layer)))

export interface TransformerEncoderOptions {
  norm?: Module | null
  enableNestedTensor?: boolean
  maskCheck?: boolean
}
export interface EncoderCall {
  mask?: Tensor | null
  srcKeyPaddingMask?: Tensor | null
  isCausal?: boolean | null
}
const encoderNames = ['norm', 'enableNestedTensor', 'maskCheck'] as const
const encoderCall = ['mask', 'srcKeyPaddingMask', 'isCausal'] as const

/** Copies of a layer, one after the other. */
export class TransformerEncoder extends Module {
  static override readonly attributes: AttributeTable = {
    numLayers: 'int',
    enableNestedTensor: 'bool',
    useNestedTensor: 'bool',
    maskCheck: 'bool',
  }
  static readonly pythonName: string = 'torch.nn.modules.transformer.TransformerEncoder'
  static torchscript({ norm }: TransformerEncoder): string {
    return `
def forward(self, src: Tensor, mask: Optional[Tensor]=None, src_key_padding_mask: Optional[Tensor]=None, is_causal: Optional[bool]=None) -> Tensor:
  causal = False
  if is_causal is not None:
    causal = is_causal
  output = src
  for mod in self.layers:
    output = mod(output, mask, src_key_padding_mask, causal)
  return ${norm === null ? 'output' : 'self.norm(output)'}
`
  }
  readonly layers: ModuleList
  readonly numLayers: number
  readonly norm: Module | null
  readonly enableNestedTensor: boolean
  /** Nested tensors are none of ours: padding is masked, and padded rows have values. */
  readonly useNestedTensor: boolean = false
  readonly maskCheck: boolean
  constructor(encoderLayer: Module, numLayers: number, ...rest: Rest<TransformerEncoderOptions, typeof encoderNames>) {
    super()
    const { norm = null, enableNestedTensor = true, maskCheck = true } = settle<TransformerEncoderOptions>(encoderNames, rest)
    this.layers = copies(encoderLayer, numLayers)
    this.numLayers = numLayers
    this.norm = norm
    this.enableNestedTensor = enableNestedTensor
    this.maskCheck = maskCheck
  }
  override forward(src: Tensor, ...rest: Rest<EncoderCall, typeof encoderCall>): Tensor {
    const given = settle<EncoderCall>(encoderCall, rest)
    const srcKeyPaddingMask = floatMask(given.srcKeyPaddingMask ?? null, 'src_key_padding_mask', src.dtype)
    const srcMask = floatMask(given.mask ?? null, 'mask', src.dtype)
    let output = src
    for (const layer of this.layers)
      output = layer.forward(output, { srcMask, srcKeyPaddingMask, isCausal: given.isCausal ?? false }) as Tensor
    return this.norm === null ? output : (this.norm.forward(output) as Tensor)
  }
}

/** Copies of a layer, one after the other. */
export class TransformerDecoder extends Module {
  static override readonly attributes: AttributeTable = { numLayers: 'int' }
  static readonly pythonName: string = 'torch.nn.modules.transformer.TransformerDecoder'
  static torchscript({ norm }: TransformerDecoder): string {
    return `
def forward(self, ${decoderParameters.replace('tgt_is_causal: bool=False', 'tgt_is_causal: Optional[bool]=None')}) -> Tensor:
  causal = False
  if tgt_is_causal is not None:
    causal = tgt_is_causal
  output = tgt
  for mod in self.layers:
    output = mod(output, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, causal, memory_is_causal)
  return ${norm === null ? 'output' : 'self.norm(output)'}
`
  }
  readonly layers: ModuleList
  readonly numLayers: number
  readonly norm: Module | null
  constructor(decoderLayer: Module, numLayers: number, ...rest: Rest<{ norm?: Module | null }, readonly ['norm']>) {
    super()
    this.layers = copies(decoderLayer, numLayers)
    this.numLayers = numLayers
    this.norm = settle<{ norm?: Module | null }>(['norm'], rest).norm ?? null
  }
  override forward(tgt: Tensor, memory: Tensor, ...rest: DecoderRest): Tensor {
    const given = settle<DecoderCall>(decoderCall, rest)
    let output = tgt
    for (const layer of this.layers) output = layer.forward(output, memory, given) as Tensor
    return this.norm === null ? output : (this.norm.forward(output) as Tensor)
  }
}

export interface TransformerOptions extends TransformerLayerOptions {
  dModel?: number
  nhead?: number
  numEncoderLayers?: number
  numDecoderLayers?: number
  customEncoder?: Module | null
  customDecoder?: Module | null
}
const transformerNames = [
  'dModel',
  'nhead',
  'numEncoderLayers',
  'numDecoderLayers',
  'dimFeedforward',
  'dropout',
  'activation',
  'customEncoder',
  'customDecoder',
  'layerNormEps',
  'batchFirst',
  'normFirst',
  'bias',
  'dtype',
] as const
export interface TransformerCall {
  srcMask?: Tensor | null
  tgtMask?: Tensor | null
  memoryMask?: Tensor | null
  srcKeyPaddingMask?: Tensor | null
  tgtKeyPaddingMask?: Tensor | null
  memoryKeyPaddingMask?: Tensor | null
  srcIsCausal?: boolean | null
  tgtIsCausal?: boolean | null
  memoryIsCausal?: boolean
}
const transformerCall = [
  'srcMask',
  'tgtMask',
  'memoryMask',
  'srcKeyPaddingMask',
  'tgtKeyPaddingMask',
  'memoryKeyPaddingMask',
  'srcIsCausal',
  'tgtIsCausal',
  'memoryIsCausal',
] as const

export class Transformer extends Module {
  static override readonly attributes: AttributeTable = { dModel: 'int', nhead: 'int', batchFirst: 'bool' }
  static readonly pythonName: string = 'torch.nn.modules.transformer.Transformer'
  static readonly torchscript: string = `
def forward(self, src: Tensor, tgt: Tensor, src_mask: Optional[Tensor]=None, tgt_mask: Optional[Tensor]=None, memory_mask: Optional[Tensor]=None, src_key_padding_mask: Optional[Tensor]=None, tgt_key_padding_mask: Optional[Tensor]=None, memory_key_padding_mask: Optional[Tensor]=None, src_is_causal: Optional[bool]=None, tgt_is_causal: Optional[bool]=None, memory_is_causal: bool=False) -> Tensor:
  assert src.size(-1) == self.d_model and tgt.size(-1) == self.d_model, "the feature number of src and tgt must be equal to d_model"
  memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
  return self.decoder(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, tgt_is_causal, memory_is_causal)
`
  readonly encoder: Module
  readonly decoder: Module
  readonly dModel: number
  readonly nhead: number
  readonly batchFirst: boolean
  constructor(...rest: Rest<TransformerOptions, typeof transformerNames>) {
    super()
    const given = settle<TransformerOptions>(transformerNames, rest)
    const { dModel = 512, nhead = 8, numEncoderLayers = 6, numDecoderLayers = 6, customEncoder, customDecoder, ...layer } = given
    const norm = (): LayerNorm => new LayerNorm(dModel, { eps: layer.layerNormEps ?? 1e-5, bias: layer.bias ?? true, dtype: layer.dtype })
    const encoder = (): Module => {
      const one = new TransformerEncoderLayer(dModel, nhead, layer)
      return new TransformerEncoder(one, numEncoderLayers, norm())
    }
    const decoder = (): Module => {
      const one = new TransformerDecoderLayer(dModel, nhead, layer)
      return new TransformerDecoder(one, numDecoderLayers, norm())
    }
    this.encoder = customEncoder ?? encoder()
    this.decoder = customDecoder ?? decoder()
    this.dModel = dModel
    this.nhead = nhead
    this.batchFirst = layer.batchFirst ?? false
    this.resetParameters()
  }
  resetParameters(): void {
    for (const parameter of this.parameters()) if (parameter.dim() > 1) xavierUniform_(parameter)
  }
  override forward(src: Tensor, tgt: Tensor, ...rest: Rest<TransformerCall, typeof transformerCall>): Tensor {
    const given = settle<TransformerCall>(transformerCall, rest)
    const [from, to] = [plainShape(src), plainShape(tgt)]
    const batchDim = this.batchFirst ? 0 : 1
    if (from.length === 3 && from[batchDim] !== to[batchDim]) throw new ArgumentError('the batch number of src and tgt must be equal')
    if (from.at(-1) !== this.dModel || to.at(-1) !== this.dModel)
      throw new ArgumentError('the feature number of src and tgt must be equal to d_model')
    const { srcMask: mask, srcKeyPaddingMask, srcIsCausal, tgtIsCausal, ...others } = given
    const memory = this.encoder.forward(src, { mask, srcKeyPaddingMask, isCausal: srcIsCausal }) as Tensor
    return this.decoder.forward(tgt, memory, { ...others, tgtIsCausal: tgtIsCausal ?? false }) as Tensor
  }
  /** A mask by which each position sees those before it and itself. */
  static generateSquareSubsequentMask(size: number, { dtype = 'float32' }: { dtype?: DType } = {}): Tensor {
    return op('triu', opWith('full', [[size, size], -Infinity], { dtype }), 1)
  }
}
