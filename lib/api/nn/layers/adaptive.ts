import type { DType } from '../../../tensor/dtype.js'
import type { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import type { AttributeTable } from '../attributes.js'
import { ModuleList, Sequential } from '../containers.js'
import { op, plainShape } from '../eager.js'
import { Module } from '../module.js'
import { type Rest, settle } from '../options.js'
import { Linear } from './linear.js'

export interface AdaptiveLogSoftmaxOptions {
  /** By how much each cluster of classes is narrower than the one before. */
  divValue?: number
  headBias?: boolean
  dtype?: DType
}
const adaptiveNames = ['divValue', 'headBias', 'dtype'] as const

/**
 * Log-softmax of many classes, of which the rare ones are in clusters of their own, together with its loss. `cutoffs` are the classes at
 * which clusters begin.
 */
export class AdaptiveLogSoftmaxWithLoss extends Module {
  static override readonly attributes: AttributeTable = {
    inFeatures: 'int',
    nClasses: 'int',
    cutoffs: 'List[int]',
    divValue: 'float',
    headBias: 'bool',
    shortlistSize: 'int',
    nClusters: 'int',
    headSize: 'int',
  }
  static readonly pythonName: string = 'torch.nn.modules.adaptive.AdaptiveLogSoftmaxWithLoss'
  /** Each cluster has a step of its own: they differ in type. */
  static torchscript(module: AdaptiveLogSoftmaxWithLoss): string {
    const { cutoffs, shortlistSize, nClasses } = module
    const clusters = [...module.tail].map((_, i) => ({ i, low: cutoffs[i], high: cutoffs[i + 1] }))
    const steps = clusters.map(
      ({ i, low, high }) => `
  mask = (target >= ${low}) & (target < ${high})
  rows = mask.nonzero().squeeze(1)
  if rows.numel() != 0:
    relative = torch.masked_select(target, mask) - ${low}
    gather_inds.index_fill_(0, rows, ${shortlistSize + i})
    local = torch.log_softmax(self.tail[${i}](input.index_select(0, rows)), 1)
    output.index_copy_(0, rows, local.gather(1, relative.unsqueeze(1)).squeeze(1))
  used_rows = used_rows + rows.numel()
`,
    )
    const parts = clusters.map(
      ({ i }) => `
  parts.append(torch.log_softmax(self.tail[${i}](input), 1) + head[:, ${shortlistSize + i}].unsqueeze(1))`,
    )
    return `
def forward(self, input_: Tensor, target_: Tensor) -> Tuple[Tensor, Tensor]:
  if target_.dim() == 1:
    assert input_.size(0) == target_.size(0), "Input and target should have the same size in the batch dimension."
    assert input_.dim() == 2, "1D target tensor expects 2D input tensors"
  else:
    assert target_.dim() == 0, "0D or 1D target tensor expected, multi-target not supported"
    assert input_.dim() == 1, "0D target tensor expects 1D input tensors"
  is_batched = target_.dim() > 0
  input = input_
  target = target_
  if not is_batched:
    input = input_.unsqueeze(0)
    target = target_.unsqueeze(0)
  batch_size = target.size(0)
  output = torch.new_zeros(input, [batch_size])
  gather_inds = torch.empty_like(target)
  mask = (target >= 0) & (target < ${shortlistSize})
  rows = mask.nonzero().squeeze(1)
  if rows.numel() != 0:
    gather_inds.index_copy_(0, rows, torch.masked_select(target, mask))
  used_rows = rows.numel()
${steps.join('')}
  assert used_rows == batch_size, "Target values should be in [0, ${nClasses - 1}]"
  head = torch.log_softmax(self.head(input), 1)
  output = output + head.gather(1, gather_inds.unsqueeze(1)).squeeze(1)
  loss = torch.mean(torch.neg(output))
  if not is_batched:
    output = output.squeeze(0)
  return output, loss

def _get_full_log_prob(self, input: Tensor, head_output: Tensor) -> Tensor:
  head = torch.log_softmax(head_output, 1)
  parts = [head[:, :${shortlistSize}]]${parts.join('')}
  return torch.cat(parts, 1)

def log_prob(self, input: Tensor) -> Tensor:
  return self._get_full_log_prob(input, self.head(input))

def predict(self, input: Tensor) -> Tensor:
  head_output = self.head(input)
  output = torch.argmax(head_output, 1)
  rare = output >= ${shortlistSize}
  if bool(rare.any()):
    output[rare] = torch.argmax(self._get_full_log_prob(input[rare], head_output[rare]), 1)
  return output
`
  }
  readonly inFeatures: number
  readonly nClasses: number
  /** Where clusters begin, and the number of classes. */
  readonly cutoffs: number[]
  readonly divValue: number
  readonly headBias: boolean
  readonly shortlistSize: number
  readonly nClusters: number
  readonly headSize: number
  head: Linear
  tail: ModuleList

  constructor(
    inFeatures: number,
    nClasses: number,
    cutoffs: readonly number[],
    ...rest: Rest<AdaptiveLogSoftmaxOptions, typeof adaptiveNames>
  ) {
    super()
    const { divValue = 4, headBias = false, dtype } = settle<AdaptiveLogSoftmaxOptions>(adaptiveNames, rest)
    if (cutoffs.length === 0) throw new ArgumentError('cutoffs should be a sequence of length larger than 0')
    if (cutoffs.some((cutoff, i) => !Number.isInteger(cutoff) || cutoff <= (i === 0 ? 0 : cutoffs[i - 1]) || cutoff > nClasses - 1))
      throw new ArgumentError(
        'cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is between 1 and n_classes-1',
      )
    this.inFeatures = inFeatures
    this.nClasses = nClasses
    this.cutoffs = [...cutoffs, nClasses]
    this.divValue = divValue
    this.headBias = headBias
    this.shortlistSize = cutoffs[0]
    this.nClusters = cutoffs.length
    this.headSize = this.shortlistSize + this.nClusters
    this.head = new Linear(inFeatures, this.headSize, { bias: headBias, dtype })
    this.tail = new ModuleList()
    for (let i = 0; i < this.nClusters; i++) {
      const hidden = Math.floor(inFeatures / divValue ** (i + 1))
      const classes = this.cutoffs[i + 1] - this.cutoffs[i]
      this.tail.append(
        new Sequential(new Linear(inFeatures, hidden, { bias: false, dtype }), new Linear(hidden, classes, { bias: false, dtype })),
      )
    }
  }
  resetParameters(): void {
    this.head.resetParameters()
    for (const cluster of this.tail) for (const layer of cluster as Sequential) (layer as Linear).resetParameters()
  }

  /** The log-probability of each target, and the mean loss. */
  override forward(input: Tensor, target: Tensor): [output: Tensor, loss: Tensor] {
    const dims = target.dim()
    if (dims > 1) throw new ArgumentError('0D or 1D target tensor expected, multi-target not supported')
    if (dims === 1 && plainShape(input)[0] !== plainShape(target)[0])
      throw new ArgumentError('Input and target should have the same size in the batch dimension.')
    if (input.dim() !== dims + 1)
      throw new ArgumentError(
        `${dims}D target tensor expects ${dims + 1}D input tensors, but found inputs with size torch.Size([${plainShape(input).join(', ')}])`,
      )
    if (dims === 1) return this.batch(input, target)
    const [output, loss] = this.batch(op('unsqueeze', input, 0), op('unsqueeze', target, 0))
    return [op('squeeze', output, 0), loss]
  }

  private batch(input: Tensor, target: Tensor): [output: Tensor, loss: Tensor] {
    const [count] = plainShape(target)
    const output = op('new_zeros', input, [count])
    const columns = op('empty_like', target)
    let used = 0
    for (const [i, end] of this.cutoffs.entries()) {
      const start = i === 0 ? 0 : this.cutoffs[i - 1]
      const mask = op('bitwise_and', op('ge', target, start), op('lt', target, end))
      const rows = op('squeeze', op('nonzero', mask), 1)
      used += rows.numel()
      if (rows.numel() === 0) continue
      const own = op('masked_select', target, mask)
      if (i === 0) op('index_copy_', columns, 0, rows, own)
      else {
        op('index_fill_', columns, 0, rows, this.shortlistSize + i - 1)
        const logits = this.cluster(i - 1, op('index_select', input, 0, rows))
        const picked = op('gather', op('log_softmax', logits, 1), 1, op('unsqueeze', op('sub', own, start), 1))
        op('index_copy_', output, 0, rows, op('squeeze', picked, 1))
      }
    }
    if (used !== count)
      throw new ArgumentError(
        `Target values should be in [0, ${this.nClasses - 1}], but values in range [${op('min', target).item()}, ${op('max', target).item()}] were found. `,
      )
    const head = op('log_softmax', this.head.forward(input), 1)
    op('add_', output, op('squeeze', op('gather', head, 1, op('unsqueeze', columns, 1)), 1))
    return [output, op('mean', op('neg', output))]
  }
  private cluster(index: number, input: Tensor): Tensor {
    return this.tail.at(index).forward(input) as Tensor
  }

  private fullLogProb(input: Tensor, headOutput: Tensor): Tensor {
    const head = op('log_softmax', headOutput, 1)
    const parts = [op('slice', head, 1, 0, this.shortlistSize)]
    for (let i = 0; i < this.nClusters; i++) {
      const own = op('log_softmax', this.cluster(i, input), 1)
      parts.push(op('add', own, op('unsqueeze', op('select', head, 1, this.shortlistSize + i), 1)))
    }
    return op('cat', parts, 1)
  }
  /** Log-probabilities of all classes. */
  logProb(input: Tensor): Tensor {
    return this.fullLogProb(input, this.head.forward(input))
  }
  /** The most likely class of each row; clusters are computed for those rows only whose class is rare. */
  predict(input: Tensor): Tensor {
    const headOutput = this.head.forward(input)
    const output = op('argmax', headOutput, 1)
    const rare = op('ge', output, this.shortlistSize)
    if (op('any', rare).item<boolean>() !== true) return output
    const full = this.fullLogProb(op('index', input, [rare]), op('index', headOutput, [rare]))
    return op('index_put_', output, [rare], op('argmax', full, 1))
  }
}
