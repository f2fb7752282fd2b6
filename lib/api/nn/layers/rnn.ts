import type { DType } from '../../../tensor/dtype.js'
import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import type { AttributeTable } from '../attributes.js'
import { op, ops, opWith, plainShape, size } from '../eager.js'
import { uniform_ } from '../init.js'
import { Module } from '../module.js'
import { type Rest, settle } from '../options.js'
import { emptyParameter, type Parameter } from '../parameter.js'
import { PackedSequence } from '../utils/rnn.js'
import { py, pyFloat } from '../repr.js'

export interface RecurrentOptions {
  numLayers?: number
  bias?: boolean
  batchFirst?: boolean
  dropout?: number
  bidirectional?: boolean
  dtype?: DType
}
export interface LSTMOptions extends RecurrentOptions {
  /** Size of a projection of the hidden state; 0 for none. */
  projSize?: number
}
export interface RNNOptions extends RecurrentOptions {
  nonlinearity?: 'tanh' | 'relu'
}
const recurrentNames = ['numLayers', 'bias', 'batchFirst', 'dropout', 'bidirectional', 'dtype'] as const
const lstmNames = ['numLayers', 'bias', 'batchFirst', 'dropout', 'bidirectional', 'projSize', 'dtype'] as const
const rnnNames = ['numLayers', 'nonlinearity', 'bias', 'batchFirst', 'dropout', 'bidirectional', 'dtype'] as const

/** Hidden state and cell state. */
export type LSTMState = readonly [hidden: Tensor, cell: Tensor]

/** A state with its sequences in another order. */
const permuted = (state: Tensor, order: Tensor | null): Tensor => (order === null ? state : op('index_select', state, 1, order))

type Mode = 'LSTM' | 'GRU' | 'RNN_TANH' | 'RNN_RELU'
const gates: Readonly<Record<Mode, number>> = { LSTM: 4, GRU: 3, RNN_TANH: 1, RNN_RELU: 1 }

/** Recurrent layers. Weights are fields by PyTorch's names: `weight_ih_l0`, `bias_hh_l1_reverse`. */
export class RNNBase extends Module {
  static override readonly attributes: AttributeTable = {
    mode: 'Final[str]',
    inputSize: 'Final[int]',
    hiddenSize: 'Final[int]',
    numLayers: 'Final[int]',
    bias: 'Final[bool]',
    batchFirst: 'Final[bool]',
    dropout: 'Final[float]',
    bidirectional: 'Final[bool]',
    projSize: 'Final[int]',
  }
  readonly mode: Mode
  readonly inputSize: number
  readonly hiddenSize: number
  readonly numLayers: number
  readonly bias: boolean
  readonly batchFirst: boolean
  readonly dropout: number
  readonly bidirectional: boolean
  readonly projSize: number;
  [weight: `weight_${string}` | `bias_${string}`]: Parameter

  constructor(mode: Mode, inputSize: number, hiddenSize: number, options: LSTMOptions) {
    super()
    const { numLayers = 1, bias = true, batchFirst = false, dropout = 0, bidirectional = false, projSize = 0, dtype } = options
    if (!(dropout >= 0 && dropout <= 1))
      throw new ArgumentError('dropout should be a number in range [0, 1] representing the probability of an element being zeroed')
    if (!(inputSize > 0)) throw new ArgumentError('input_size must be greater than zero')
    if (!(hiddenSize > 0)) throw new ArgumentError('hidden_size must be greater than zero')
    if (!(numLayers > 0)) throw new ArgumentError('num_layers must be greater than zero')
    if (projSize < 0) throw new ArgumentError('proj_size should be a positive integer or zero to disable projections')
    if (projSize >= hiddenSize) throw new ArgumentError('proj_size has to be smaller than hidden_size')
    this.mode = mode
    this.inputSize = inputSize
    this.hiddenSize = hiddenSize
    this.numLayers = numLayers
    this.bias = bias
    this.batchFirst = batchFirst
    this.dropout = dropout
    this.bidirectional = bidirectional
    this.projSize = projSize
    for (const [name, shape] of this.weightShapes()) this.registerParameter(name, emptyParameter(shape, dtype))
    this.resetParameters()
  }

  private get directions(): number {
    return this.bidirectional ? 2 : 1
  }

  /** Names and shapes of the weights, in the order that operators take them. */
  private weightShapes(): [name: string, shape: number[]][] {
    const { hiddenSize, projSize, directions } = this
    const rows = gates[this.mode] * hiddenSize
    const outputSize = projSize > 0 ? projSize : hiddenSize
    const found: [string, number[]][] = []
    for (let layer = 0; layer < this.numLayers; layer++) {
      for (let direction = 0; direction < directions; direction++) {
        const suffix = `l${layer}${direction === 1 ? '_reverse' : ''}`
        found.push([`weight_ih_${suffix}`, [rows, layer === 0 ? this.inputSize : outputSize * directions]])
        found.push([`weight_hh_${suffix}`, [rows, outputSize]])
        if (this.bias) found.push([`bias_ih_${suffix}`, [rows]], [`bias_hh_${suffix}`, [rows]])
        if (projSize > 0) found.push([`weight_hr_${suffix}`, [projSize, hiddenSize]])
      }
    }
    return found
  }
  /** Names of the weights, in the order that operators take them. */
  weightNames(): string[] {
    return this.weightShapes().map(([name]) => name)
  }
  protected weights(): Parameter[] {
    return this.weightNames().map((name) => this[name as `weight_${string}`])
  }
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.hiddenSize)
    for (const weight of this.weights()) uniform_(weight, -bound, bound)
  }

  /** Input of three dimensions, and whether it had them already. */
  protected batched(input: Tensor): [input: Tensor, isBatched: boolean] {
    const dims = input.dim()
    if (dims !== 2 && dims !== 3)
      throw new ArgumentError(`${this.constructor.name}: Expected input to be 2D or 3D, got ${dims}D tensor instead`)
    const full = dims === 3 ? input : op('unsqueeze', input, this.batchFirst ? 0 : 1)
    const width = plainShape(full)[2]
    if (width !== this.inputSize)
      throw new ArgumentError(`input.size(-1) must be equal to input_size. Expected ${this.inputSize}, got ${width}`)
    return [full, dims === 3]
  }
  /** A state of zeros for an input of three dimensions. */
  protected zeroState(input: Tensor, width: number): Tensor {
    return this.zeroStates(input, [width])[0]
  }
  protected zeroStates(input: Tensor, widths: readonly number[]): Tensor[] {
    const batch = size(input, this.batchFirst ? 0 : 1)
    return widths.map((width) => opWith('zeros', [[this.numLayers * this.directions, batch, width]], { dtype: input.dtype }))
  }
  /** A given state of three dimensions. */
  protected givenState(state: Tensor, input: Tensor, isBatched: boolean, width: number, what: string): Tensor {
    const dims = isBatched ? 3 : 2
    if (state.dim() !== dims)
      throw new ArgumentError(
        `For ${isBatched ? 'batched 3-D' : 'unbatched 2-D'} input, hx should also be ${dims}-D but got ${state.dim()}-D tensor`,
      )
    const full = isBatched ? state : op('unsqueeze', state, 1)
    const expected = [this.numLayers * this.directions, plainShape(input)[this.batchFirst ? 0 : 1], width]
    if (plainShape(full).join() !== expected.join())
      throw new ArgumentError(`Expected ${what} size (${expected.join(', ')}), got [${plainShape(full).join(', ')}]`)
    return full
  }
  /** Arguments of operators on padded input; those on packed input know no `batch_first`. */
  protected settings(isPacked: boolean): unknown[] {
    const common = [this.weights(), this.bias, this.numLayers, this.dropout, this.training, this.bidirectional]
    return isPacked ? common : [...common, this.batchFirst]
  }
  /** A state for a packed input, whose sequences are sorted. */
  protected packedState(state: Tensor | null, input: PackedSequence, width: number, what: string): Tensor {
    const batch = Number(op('select', input.batchSizes, 0, 0).item())
    const shape = [this.numLayers * this.directions, batch, width]
    if (state === null) return opWith('zeros', [shape], { dtype: input.data.dtype })
    if (plainShape(state).join() !== shape.join())
      throw new ArgumentError(`Expected ${what} size (${shape.join(', ')}), got [${plainShape(state).join(', ')}]`)
    return permuted(state, input.sortedIndices)
  }

  override extraRepr(): string {
    let text = `${this.inputSize}, ${this.hiddenSize}`
    if (this.projSize !== 0) text += `, proj_size=${this.projSize}`
    if (this.numLayers !== 1) text += `, num_layers=${this.numLayers}`
    if (!this.bias) text += `, bias=${py(this.bias)}`
    if (this.batchFirst) text += `, batch_first=${py(this.batchFirst)}`
    if (this.dropout !== 0) text += `, dropout=${pyFloat(this.dropout)}`
    return this.bidirectional ? `${text}, bidirectional=True` : text
  }
}

/** The method of a layer whose state is one tensor; `operator` is the module's. */
function oneStateSource(module: RNNBase, operator: string): string {
  const { numLayers, bidirectional, batchFirst, hiddenSize } = module
  const weights = module.weightNames().map((name) => `self.${name}`)
  const batchDim = batchFirst ? 0 : 1
  return `
def forward(self, input: Tensor, hx: Optional[Tensor]=None) -> Tuple[Tensor, Tensor]:
  dims = input.dim()
  assert dims == 2 or dims == 3, "Expected input to be 2D or 3D"
  x = input
  if dims == 2:
    x = input.unsqueeze(${batchDim})
  if hx is None:
    state = torch.zeros([${numLayers * (bidirectional ? 2 : 1)}, x.size(${batchDim}), ${hiddenSize}], dtype=x.dtype, device=x.device)
  else:
    state = hx
    if dims == 2:
      state = hx.unsqueeze(1)
  output, hidden = torch.${operator}(x, state, [${weights.join(', ')}], self.bias, self.num_layers, self.dropout, self.training, self.bidirectional, self.batch_first)
  if dims == 2:
    output = output.squeeze(${batchDim})
    hidden = hidden.squeeze(1)
  return (output, hidden)
`
}

class OneState extends RNNBase {
  override forward(input: Tensor, hx?: Tensor | null): [output: Tensor, hidden: Tensor]
  override forward(input: PackedSequence, hx?: Tensor | null): [output: PackedSequence, hidden: Tensor]
  override forward(input: Tensor | PackedSequence, hx: Tensor | null = null): [output: Tensor | PackedSequence, hidden: Tensor] {
    const name = this.mode.toLowerCase()
    if (input instanceof PackedSequence) {
      const { data, batchSizes, sortedIndices, unsortedIndices } = input
      const state = this.packedState(hx, input, this.hiddenSize, 'hidden')
      const [output, hidden] = ops(name, data, batchSizes, state, ...this.settings(true))
      return [new PackedSequence(output, batchSizes, sortedIndices, unsortedIndices), permuted(hidden, unsortedIndices)]
    }
    const [full, isBatched] = this.batched(input)
    const state = hx === null ? this.zeroState(full, this.hiddenSize) : this.givenState(hx, full, isBatched, this.hiddenSize, 'hidden')
    const [output, hidden] = ops(name, full, state, ...this.settings(false))
    return isBatched ? [output, hidden] : [op('squeeze', output, this.batchFirst ? 0 : 1), op('squeeze', hidden, 1)]
  }
}

export class RNN extends OneState {
  static override readonly attributes: AttributeTable = { nonlinearity: 'str' }
  static readonly pythonName: string = 'torch.nn.modules.rnn.RNN'
  static torchscript(module: RNN): string {
    return oneStateSource(module, module.mode.toLowerCase())
  }
  readonly nonlinearity: 'tanh' | 'relu'
  constructor(inputSize: number, hiddenSize: number, ...rest: Rest<RNNOptions, typeof rnnNames>) {
    const { nonlinearity = 'tanh', ...options } = settle<RNNOptions>(rnnNames, rest)
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu')
      throw new ArgumentError(`Unknown nonlinearity '${String(nonlinearity)}'. Select from 'tanh' or 'relu'.`)
    super(nonlinearity === 'tanh' ? 'RNN_TANH' : 'RNN_RELU', inputSize, hiddenSize, options)
    this.nonlinearity = nonlinearity
  }
}

export class GRU extends OneState {
  static readonly pythonName: string = 'torch.nn.modules.rnn.GRU'
  static torchscript(module: GRU): string {
    return oneStateSource(module, 'gru')
  }
  constructor(inputSize: number, hiddenSize: number, ...rest: Rest<RecurrentOptions, typeof recurrentNames>) {
    super('GRU', inputSize, hiddenSize, settle<RecurrentOptions>(recurrentNames, rest))
  }
}

export class LSTM extends RNNBase {
  static readonly pythonName: string = 'torch.nn.modules.rnn.LSTM'
  static torchscript(module: LSTM): string {
    const { numLayers, bidirectional, batchFirst, hiddenSize, projSize } = module
    const weights = module.weightNames().map((name) => `self.${name}`)
    const batchDim = batchFirst ? 0 : 1
    const layers = numLayers * (bidirectional ? 2 : 1)
    return `
def forward(self, input: Tensor, hx: Optional[Tuple[Tensor, Tensor]]=None) -> Tuple[Tensor, Tuple[Tensor, Tensor]]:
  dims = input.dim()
  assert dims == 2 or dims == 3, "Expected input to be 2D or 3D"
  x = input
  if dims == 2:
    x = input.unsqueeze(${batchDim})
  if hx is None:
    h = torch.zeros([${layers}, x.size(${batchDim}), ${projSize > 0 ? projSize : hiddenSize}], dtype=x.dtype, device=x.device)
    c = torch.zeros([${layers}, x.size(${batchDim}), ${hiddenSize}], dtype=x.dtype, device=x.device)
  else:
    h, c = hx
    if dims == 2:
      h = h.unsqueeze(1)
      c = c.unsqueeze(1)
  output, hn, cn = torch.lstm(x, [h, c], [${weights.join(', ')}], self.bias, self.num_layers, self.dropout, self.training, self.bidirectional, self.batch_first)
  if dims == 2:
    output = output.squeeze(${batchDim})
    hn = hn.squeeze(1)
    cn = cn.squeeze(1)
  return (output, (hn, cn))
`
  }
  constructor(inputSize: number, hiddenSize: number, ...rest: Rest<LSTMOptions, typeof lstmNames>) {
    super('LSTM', inputSize, hiddenSize, settle<LSTMOptions>(lstmNames, rest))
  }
  override forward(input: Tensor, hx?: LSTMState | null): [output: Tensor, state: [hidden: Tensor, cell: Tensor]]
  override forward(input: PackedSequence, hx?: LSTMState | null): [output: PackedSequence, state: [hidden: Tensor, cell: Tensor]]
  override forward(
    input: Tensor | PackedSequence,
    hx: LSTMState | null = null,
  ): [output: Tensor | PackedSequence, state: [hidden: Tensor, cell: Tensor]] {
    const outputSize = this.projSize > 0 ? this.projSize : this.hiddenSize
    if (input instanceof PackedSequence) {
      const { data, batchSizes, sortedIndices, unsortedIndices } = input
      const state = [
        this.packedState(hx?.[0] ?? null, input, outputSize, 'hidden[0]'),
        this.packedState(hx?.[1] ?? null, input, this.hiddenSize, 'hidden[1]'),
      ]
      const [output, hidden, cell] = ops('lstm', data, batchSizes, state, ...this.settings(true))
      const packed = new PackedSequence(output, batchSizes, sortedIndices, unsortedIndices)
      return [packed, [permuted(hidden, unsortedIndices), permuted(cell, unsortedIndices)]]
    }
    const [full, isBatched] = this.batched(input)
    const state =
      hx === null
        ? this.zeroStates(full, [outputSize, this.hiddenSize])
        : [
            this.givenState(hx[0], full, isBatched, outputSize, 'hidden[0]'),
            this.givenState(hx[1], full, isBatched, this.hiddenSize, 'hidden[1]'),
          ]
    const [output, hidden, cell] = ops('lstm', full, state, ...this.settings(false))
    if (isBatched) return [output, [hidden, cell]]
    return [op('squeeze', output, this.batchFirst ? 0 : 1), [op('squeeze', hidden, 1), op('squeeze', cell, 1)]]
  }
}

export interface CellOptions {
  bias?: boolean
  dtype?: DType
}
export interface RNNCellOptions extends CellOptions {
  nonlinearity?: 'tanh' | 'relu'
}
const cellNames = ['bias', 'dtype'] as const
const rnnCellNames = ['bias', 'nonlinearity', 'dtype'] as const

/** One step of a recurrent layer. */
export class RNNCellBase extends Module {
  static override readonly attributes: AttributeTable = {
    inputSize: 'Final[int]',
    hiddenSize: 'Final[int]',
    bias: 'Final[bool]',
    weightIh: 'Tensor',
    weightHh: 'Tensor',
    biasIh: 'Optional[Tensor]',
    biasHh: 'Optional[Tensor]',
  }
  readonly inputSize: number
  readonly hiddenSize: number
  readonly bias: boolean
  weightIh: Parameter
  weightHh: Parameter
  declare biasIh: Parameter | null
  declare biasHh: Parameter | null
  constructor(inputSize: number, hiddenSize: number, numChunks: number, { bias = true, dtype }: CellOptions) {
    super()
    this.inputSize = inputSize
    this.hiddenSize = hiddenSize
    this.bias = bias
    this.weightIh = emptyParameter([numChunks * hiddenSize, inputSize], dtype)
    this.weightHh = emptyParameter([numChunks * hiddenSize, hiddenSize], dtype)
    this.registerParameter('biasIh', bias ? emptyParameter([numChunks * hiddenSize], dtype) : null)
    this.registerParameter('biasHh', bias ? emptyParameter([numChunks * hiddenSize], dtype) : null)
    this.resetParameters()
  }
  resetParameters(): void {
    const bound = this.hiddenSize > 0 ? 1 / Math.sqrt(this.hiddenSize) : 0
    for (const weight of this.ownParameters().values()) uniform_(weight, -bound, bound)
  }
  protected batched(input: Tensor): Tensor {
    const dims = input.dim()
    if (dims !== 1 && dims !== 2) throw new ArgumentError(`${this.constructor.name}: Expected input to be 1D or 2D, got ${dims}D instead`)
    return dims === 2 ? input : op('unsqueeze', input, 0)
  }
  protected zeroState(input: Tensor): Tensor {
    return opWith('zeros', [[size(input, 0), this.hiddenSize]], { dtype: input.dtype })
  }
  protected get cellWeights(): (Parameter | null)[] {
    return [this.weightIh, this.weightHh, this.biasIh, this.biasHh]
  }
  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.bias ? '' : ', bias=False'}`
  }
}

const cellSource = (operator: string): string => `
def forward(self, input: Tensor, hx: Optional[Tensor]=None) -> Tensor:
  dims = input.dim()
  assert dims == 1 or dims == 2, "Expected input to be 1D or 2D"
  x = input
  if dims == 1:
    x = input.unsqueeze(0)
  if hx is None:
    state = torch.zeros([x.size(0), self.hidden_size], dtype=x.dtype, device=x.device)
  else:
    state = hx
    if dims == 1:
      state = hx.unsqueeze(0)
  result = torch.${operator}(x, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
  if dims == 1:
    result = result.squeeze(0)
  return result
`

class OneStateCell extends RNNCellBase {
  protected operator(): string {
    return 'gru_cell'
  }
  override forward(input: Tensor, hx: Tensor | null = null): Tensor {
    const full = this.batched(input)
    const isBatched = full === input
    const state = hx === null ? this.zeroState(full) : isBatched ? hx : op('unsqueeze', hx, 0)
    const result = op(this.operator(), full, state, ...this.cellWeights)
    return isBatched ? result : op('squeeze', result, 0)
  }
}

export class RNNCell extends OneStateCell {
  static override readonly attributes: AttributeTable = { nonlinearity: 'Final[str]' }
  static readonly pythonName: string = 'torch.nn.modules.rnn.RNNCell'
  static torchscript(module: RNNCell): string {
    return cellSource(module.operator())
  }
  readonly nonlinearity: 'tanh' | 'relu'
  constructor(inputSize: number, hiddenSize: number, ...rest: Rest<RNNCellOptions, typeof rnnCellNames>) {
    const { nonlinearity = 'tanh', ...options } = settle<RNNCellOptions>(rnnCellNames, rest)
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu') throw new ArgumentError(`Unknown nonlinearity: ${String(nonlinearity)}`)
    super(inputSize, hiddenSize, 1, options)
    this.nonlinearity = nonlinearity
  }
  protected override operator(): string {
    return `rnn_${this.nonlinearity}_cell`
  }
  override extraRepr(): string {
    return `${super.extraRepr()}${this.nonlinearity === 'tanh' ? '' : `, nonlinearity=${this.nonlinearity}`}`
  }
}

export class GRUCell extends OneStateCell {
  static readonly pythonName: string = 'torch.nn.modules.rnn.GRUCell'
  static readonly torchscript: string = cellSource('gru_cell')
  constructor(inputSize: number, hiddenSize: number, ...rest: Rest<CellOptions, typeof cellNames>) {
    super(inputSize, hiddenSize, 3, settle<CellOptions>(cellNames, rest))
  }
}

export class LSTMCell extends RNNCellBase {
  static readonly pythonName: string = 'torch.nn.modules.rnn.LSTMCell'
  static readonly torchscript: string = `
def forward(self, input: Tensor, hx: Optional[Tuple[Tensor, Tensor]]=None) -> Tuple[Tensor, Tensor]:
  dims = input.dim()
  assert dims == 1 or dims == 2, "Expected input to be 1D or 2D"
  x = input
  if dims == 1:
    x = input.unsqueeze(0)
  if hx is None:
    h = torch.zeros([x.size(0), self.hidden_size], dtype=x.dtype, device=x.device)
    c = h
  else:
    h, c = hx
    if dims == 1:
      h = h.unsqueeze(0)
      c = c.unsqueeze(0)
  hn, cn = torch.lstm_cell(x, [h, c], self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
  if dims == 1:
    hn = hn.squeeze(0)
    cn = cn.squeeze(0)
  return (hn, cn)
`
  constructor(inputSize: number, hiddenSize: number, ...rest: Rest<CellOptions, typeof cellNames>) {
    super(inputSize, hiddenSize, 4, settle<CellOptions>(cellNames, rest))
  }
  override forward(input: Tensor, hx: readonly [Tensor, Tensor] | null = null): [hidden: Tensor, cell: Tensor] {
    const full = this.batched(input)
    const isBatched = full === input
    const zeros = hx === null ? this.zeroState(full) : undefined
    const state = zeros === undefined ? hx!.map((one) => (isBatched ? one : op('unsqueeze', one, 0))) : [zeros, zeros]
    const [hidden, cell] = ops('lstm_cell', full, state, ...this.cellWeights)
    return isBatched ? [hidden, cell] : [op('squeeze', hidden, 0), op('squeeze', cell, 0)]
  }
}
