/**
 * The functions of torch.nn.functional that are no operators, in TorchScript: programs call them by the names of PyTorch, and they compile
 * like any other function. Functions that have an operator with the same arguments (`relu`, `conv2d`, `layer_norm`) are not here.
 */

/** `code`, the number of a reduction, from its name. */
const reductionCode = `
  code = 1
  if reduction == "none":
    code = 0
  elif reduction == "sum":
    code = 2
  else:
    assert reduction == "mean", "reduction must be none, mean or sum"`

/** A loss that an operator computes. */
const loss = (name: string, tensors: string, options: string, call: string): string => `
def ${name}(${tensors
  .split(' ')
  .map((tensor) => `${tensor}: Tensor`)
  .join(', ')}, ${options}) -> Tensor:${reductionCode}
  return ${call}
`
const reduced = `
  if reduction == "mean":
    return torch.mean(loss)
  elif reduction == "sum":
    return torch.sum(loss)
  return loss`
const reduction = 'reduction: str="mean"'
const dropoutOf = (name: string, training: string): string => `
def ${name}(input: Tensor, p: float=0.5, training: bool=${training}, inplace: bool=False) -> Tensor:
  if inplace:
    return torch.${name}_(input, p, training)
  return torch.${name}(input, p, training)
`
/** Dropout of channels of an input that has no batch where it has \`dims\` dimensions. */
const channelDropout = (name: string, dims: number): string => `
def ${name}(input: Tensor, p: float=0.5, training: bool=True, inplace: bool=False) -> Tensor:
  if input.dim() == ${dims}:
    if inplace:
      return torch.feature_dropout_(input.unsqueeze_(0), p, training).squeeze_(0)
    return torch.feature_dropout(input.unsqueeze(0), p, training).squeeze(0)
  if inplace:
    return torch.feature_dropout_(input, p, training)
  return torch.feature_dropout(input, p, training)
`
const adaptiveMaxPool = (dims: number): string => `
def adaptive_max_pool${dims}d(input: Tensor, output_size: List[int]) -> Tensor:
  values, indices = torch.adaptive_max_pool${dims}d(input, output_size)
  return values
`

const sources: readonly string[] = [
  `
def softsign(input: Tensor) -> Tensor:
  return input / (torch.abs(input) + 1)
`,
  `
def tanhshrink(input: Tensor) -> Tensor:
  return input - torch.tanh(input)
`,
  `
def logsigmoid(input: Tensor) -> Tensor:
  return torch.log_sigmoid(input)
`,
  `
def softmin(input: Tensor, dim: Optional[int]=None, dtype: Optional[int]=None) -> Tensor:
  dims = input.dim()
  at = 1
  if dims == 0 or dims == 1 or dims == 3:
    at = 0
  if dim is not None:
    at = dim
  return torch.softmax(torch.neg(input), at, dtype)
`,
  `
def gumbel_softmax(logits: Tensor, tau: float=1.0, hard: bool=False, eps: float=1e-10, dim: int=-1) -> Tensor:
  gumbels = torch.neg(torch.log(torch.exponential_(torch.empty_like(logits))))
  soft = torch.softmax((logits + gumbels) / tau, dim)
  if hard:
    values, index = torch.max(soft, dim, True)
    one = torch.scatter(torch.zeros_like(logits), dim, index, 1.0)
    return one - soft.detach() + soft
  return soft
`,
  `
def batch_norm(input: Tensor, running_mean: Optional[Tensor], running_var: Optional[Tensor], weight: Optional[Tensor]=None, bias: Optional[Tensor]=None, training: bool=False, momentum: float=0.1, eps: float=1e-05) -> Tensor:
  if training:
    sizes = input.size()
    count = sizes[0]
    for i in range(len(sizes) - 2):
      count = count * sizes[i + 2]
    assert count != 1, "Expected more than 1 value per channel when training"
  return torch.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, True)
`,
  `
def instance_norm(input: Tensor, running_mean: Optional[Tensor]=None, running_var: Optional[Tensor]=None, weight: Optional[Tensor]=None, bias: Optional[Tensor]=None, use_input_stats: bool=True, momentum: float=0.1, eps: float=1e-05) -> Tensor:
  return torch.instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, True)
`,
  `
def local_response_norm(input: Tensor, size: int, alpha: float=0.0001, beta: float=0.75, k: float=1.0) -> Tensor:
  dims = input.dim()
  assert dims >= 3, "Expected 3D or higher dimensionality input"
  if input.numel() == 0:
    return input
  div = input.mul(input)
  if dims == 3:
    div = torch.pad(div.unsqueeze(1), [0, 0, size // 2, (size - 1) // 2])
    div = torch.avg_pool2d(div, [size, 1], [1, 1]).squeeze(1)
  else:
    sizes = input.size()
    div = div.view([sizes[0], 1, sizes[1], sizes[2], -1])
    div = torch.pad(div, [0, 0, 0, 0, size // 2, (size - 1) // 2])
    div = torch.avg_pool3d(div, [size, 1, 1], [1, 1, 1]).squeeze(1).view(sizes)
  return input / div.mul(alpha).add(k).pow(beta)
`,
  `
def normalize(input: Tensor, p: float=2.0, dim: int=1, eps: float=1e-12) -> Tensor:
  denom = torch.norm(input, p, [dim], True).clamp_min(eps).expand_as(input)
  return input / denom
`,
  dropoutOf('dropout', 'True'),
  dropoutOf('alpha_dropout', 'False'),
  dropoutOf('feature_alpha_dropout', 'False'),
  channelDropout('dropout1d', 2),
  `
def dropout2d(input: Tensor, p: float=0.5, training: bool=True, inplace: bool=False) -> Tensor:
  if inplace:
    return torch.feature_dropout_(input, p, training)
  return torch.feature_dropout(input, p, training)
`,
  channelDropout('dropout3d', 4),
  `
def embedding(input: Tensor, weight: Tensor, padding_idx: Optional[int]=None, max_norm: Optional[float]=None, norm_type: float=2.0, scale_grad_by_freq: bool=False, sparse: bool=False) -> Tensor:
  padding = -1
  if padding_idx is not None:
    padding = padding_idx
    if padding_idx < 0:
      padding = weight.size(0) + padding_idx
  indices = input
  if max_norm is not None:
    indices = input.contiguous()
    torch.embedding_renorm_(weight.detach(), indices, max_norm, norm_type)
  return torch.embedding(weight, indices, padding, scale_grad_by_freq, sparse)
`,
  `
def embedding_bag(input: Tensor, weight: Tensor, offsets: Optional[Tensor]=None, max_norm: Optional[float]=None, norm_type: float=2.0, scale_grad_by_freq: bool=False, mode: str="mean", sparse: bool=False, per_sample_weights: Optional[Tensor]=None, include_last_offset: bool=False, padding_idx: Optional[int]=None) -> Tensor:
  indices = input
  starts = offsets
  weights = per_sample_weights
  include_last = include_last_offset
  if input.dim() == 2:
    assert offsets is None, "if input is 2D, then offsets has to be None"
    starts = torch.arange(0, input.numel(), input.size(1), dtype=input.dtype, device=input.device)
    include_last = False
    indices = input.reshape([-1])
    if per_sample_weights is not None:
      weights = per_sample_weights.reshape([-1])
  assert starts is not None, "offsets has to be a 1D Tensor but got None"
  code = 0
  if mode == "mean":
    code = 1
  elif mode == "max":
    code = 2
  else:
    assert mode == "sum", "mode has to be one of sum, mean or max"
  if max_norm is not None:
    torch.embedding_renorm_(weight.detach(), indices, max_norm, norm_type)
  result, a, b, c = torch.embedding_bag(weight, indices, starts, scale_grad_by_freq, code, sparse, weights, include_last, padding_idx)
  return result
`,
  `
def unfold(input: Tensor, kernel_size: List[int], dilation: Optional[List[int]]=None, padding: Optional[List[int]]=None, stride: Optional[List[int]]=None) -> Tensor:
  d = [1, 1] if dilation is None else dilation
  p = [0, 0] if padding is None else padding
  s = [1, 1] if stride is None else stride
  return torch.im2col(input, kernel_size, d, p, s)
`,
  `
def fold(input: Tensor, output_size: List[int], kernel_size: List[int], dilation: Optional[List[int]]=None, padding: Optional[List[int]]=None, stride: Optional[List[int]]=None) -> Tensor:
  d = [1, 1] if dilation is None else dilation
  p = [0, 0] if padding is None else padding
  s = [1, 1] if stride is None else stride
  return torch.col2im(input, output_size, kernel_size, d, p, s)
`,
  ...['interpolate', 'upsample'].map(
    (name) => `
def ${name}(input: Tensor, size: Optional[Union[int, List[int]]]=None, scale_factor: Optional[Union[float, List[float]]]=None, mode: str="nearest", align_corners: Optional[bool]=None, recompute_scale_factor: Optional[bool]=None, antialias: bool=False) -> Tensor:
  dims = input.dim() - 2
  corners = False
  if align_corners is not None:
    assert mode != "nearest" and mode != "nearest-exact" and mode != "area", "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
    corners = align_corners
  sizes: Optional[List[int]] = None
  factors: Optional[List[float]] = None
  if size is not None:
    assert scale_factor is None, "only one of size or scale_factor should be defined"
    if isinstance(size, int):
      sizes = [size for _ in range(dims)]
    else:
      sizes = size
  elif scale_factor is not None:
    if isinstance(scale_factor, float):
      factors = [scale_factor for _ in range(dims)]
    else:
      factors = scale_factor
  else:
    assert False, "either size or scale_factor should be defined"
  recompute = mode == "area"
  if recompute_scale_factor is not None:
    recompute = recompute or recompute_scale_factor
  if recompute and factors is not None:
    sizes = [int(float(input.size(i + 2)) * factors[i]) for i in range(dims)]
    factors = None
  if dims == 1:
    if mode == "nearest":
      return torch.upsample_nearest1d(input, sizes, factors)
    if mode == "nearest-exact":
      return torch._upsample_nearest_exact1d(input, sizes, factors)
    if mode == "linear":
      return torch.upsample_linear1d(input, sizes, corners, factors)
    if mode == "area":
      assert sizes is not None
      return torch.adaptive_avg_pool1d(input, sizes)
  if dims == 2:
    if mode == "nearest":
      return torch.upsample_nearest2d(input, sizes, factors)
    if mode == "nearest-exact":
      return torch._upsample_nearest_exact2d(input, sizes, factors)
    if mode == "bilinear":
      if antialias:
        return torch._upsample_bilinear2d_aa(input, sizes, corners, factors)
      return torch.upsample_bilinear2d(input, sizes, corners, factors)
    if mode == "bicubic":
      if antialias:
        return torch._upsample_bicubic2d_aa(input, sizes, corners, factors)
      return torch.upsample_bicubic2d(input, sizes, corners, factors)
    if mode == "area":
      assert sizes is not None
      return torch.adaptive_avg_pool2d(input, sizes)
  if dims == 3:
    if mode == "nearest":
      return torch.upsample_nearest3d(input, sizes, factors)
    if mode == "nearest-exact":
      return torch._upsample_nearest_exact3d(input, sizes, factors)
    if mode == "trilinear":
      return torch.upsample_trilinear3d(input, sizes, corners, factors)
    if mode == "area":
      assert sizes is not None
      return torch.adaptive_avg_pool3d(input, sizes)
  assert False, "Only 3D, 4D and 5D inputs are supported for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact"
  return input
`,
  ),
  ...[
    ['nearest', ''],
    ['bilinear', ', align_corners=True'],
  ].map(
    ([mode, corners]) => `
def upsample_${mode}(input: Tensor, size: Optional[Union[int, List[int]]]=None, scale_factor: Optional[Union[float, List[float]]]=None) -> Tensor:
  return torch.nn.functional.interpolate(input, size, scale_factor, "${mode}"${corners})
`,
  ),
  `
def linear_cross_entropy(input: Tensor, linear_weight: Tensor, target: Tensor, *, linear_bias: Optional[Tensor]=None, weight: Optional[Tensor]=None, reduction: str="mean", ignore_index: Optional[int]=None, label_smoothing: float=0.0) -> Tensor:
  assert input.dim() == 1 or input.dim() == 2, "expected input with dimensionality 1 or 2"
  assert linear_weight.dim() >= 2, "expected linear_weight with dimensionality at least 2"
  features = input.size(-1)
  assert features == linear_weight.size(-1), "expected equal input and linear_weight last dimensions (in_features)"
  outputs = linear_weight.size()[:-1]
  assert input.dim() == 2 or len(outputs) == 1, "K-dimensional loss requires batched input"
  shape = input.size()[:-1] + outputs
  ignored = -100
  if ignore_index is not None:
    assert target.size() != shape, "ignore_index cannot be specified when target contains probabilities"
    ignored = ignore_index
  bias = linear_bias
  if bias is not None:
    assert bias.size() == outputs, "expected linear_bias of the shape of the outputs"
    bias = bias.reshape([-1])
  logits = torch.linear(input, linear_weight.reshape([-1, features]), bias).reshape(shape)
  return torch.nn.functional.cross_entropy(logits, target, weight, ignore_index=ignored, reduction=reduction, label_smoothing=label_smoothing)
`,
  `
def grid_sample(input: Tensor, grid: Tensor, mode: str="bilinear", padding_mode: str="zeros", align_corners: Optional[bool]=None) -> Tensor:
  code = 0
  if mode == "nearest":
    code = 1
  elif mode == "bicubic":
    code = 2
  else:
    assert mode == "bilinear", "expected mode to be 'bilinear', 'nearest' or 'bicubic'"
  padding = 0
  if padding_mode == "border":
    padding = 1
  elif padding_mode == "reflection":
    padding = 2
  else:
    assert padding_mode == "zeros", "expected padding_mode to be 'zeros', 'border', or 'reflection'"
  corners = False
  if align_corners is not None:
    corners = align_corners
  return torch.grid_sampler(input, grid, code, padding, corners)
`,
  `
def affine_grid(theta: Tensor, size: List[int], align_corners: bool=False) -> Tensor:
  return torch.affine_grid_generator(theta, size, align_corners)
`,
  adaptiveMaxPool(1),
  adaptiveMaxPool(2),
  adaptiveMaxPool(3),
  loss(
    'cross_entropy',
    'input target',
    `weight: Optional[Tensor]=None, ignore_index: int=-100, ${reduction}, label_smoothing: float=0.0`,
    'torch.cross_entropy_loss(input, target, weight, code, ignore_index, label_smoothing)',
  ),
  loss(
    'nll_loss',
    'input target',
    `weight: Optional[Tensor]=None, ignore_index: int=-100, ${reduction}`,
    'torch.nll_loss_nd(input, target, weight, code, ignore_index)',
  ),
  loss(
    'binary_cross_entropy',
    'input target',
    `weight: Optional[Tensor]=None, ${reduction}`,
    'torch.binary_cross_entropy(input, target, weight, code)',
  ),
  loss(
    'binary_cross_entropy_with_logits',
    'input target',
    `weight: Optional[Tensor]=None, ${reduction}, pos_weight: Optional[Tensor]=None`,
    'torch.binary_cross_entropy_with_logits(input, target, weight, pos_weight, code)',
  ),
  loss('mse_loss', 'input target', reduction, 'torch.mse_loss(input, target, code)'),
  loss('l1_loss', 'input target', reduction, 'torch.l1_loss(input, target, code)'),
  loss('smooth_l1_loss', 'input target', `${reduction}, beta: float=1.0`, 'torch.smooth_l1_loss(input, target, code, beta)'),
  loss('huber_loss', 'input target', `${reduction}, delta: float=1.0`, 'torch.huber_loss(input, target, code, delta)'),
  loss(
    'poisson_nll_loss',
    'input target',
    `log_input: bool=True, full: bool=False, eps: float=1e-08, ${reduction}`,
    'torch.poisson_nll_loss(input, target, log_input, full, eps, code)',
  ),
  loss('soft_margin_loss', 'input target', reduction, 'torch.soft_margin_loss(input, target, code)'),
  loss('multilabel_margin_loss', 'input target', reduction, 'torch.multilabel_margin_loss(input, target, code)'),
  loss(
    'hinge_embedding_loss',
    'input target',
    `margin: float=1.0, ${reduction}`,
    'torch.hinge_embedding_loss(input, target, margin, code)',
  ),
  loss(
    'margin_ranking_loss',
    'input1 input2 target',
    `margin: float=0.0, ${reduction}`,
    'torch.margin_ranking_loss(input1, input2, target, margin, code)',
  ),
  loss(
    'cosine_embedding_loss',
    'input1 input2 target',
    `margin: float=0.0, ${reduction}`,
    'torch.cosine_embedding_loss(input1, input2, target, margin, code)',
  ),
  loss(
    'multi_margin_loss',
    'input target',
    `p: int=1, margin: float=1.0, weight: Optional[Tensor]=None, ${reduction}`,
    'torch.multi_margin_loss(input, target, p, margin, weight, code)',
  ),
  loss(
    'triplet_margin_loss',
    'anchor positive negative',
    `margin: float=1.0, p: float=2.0, eps: float=1e-06, swap: bool=False, ${reduction}`,
    'torch.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, code)',
  ),
  loss(
    'ctc_loss',
    'log_probs targets input_lengths target_lengths',
    `blank: int=0, ${reduction}, zero_infinity: bool=False`,
    'torch.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, code, zero_infinity)',
  ),
  `
def kl_div(input: Tensor, target: Tensor, reduction: str="mean", log_target: bool=False) -> Tensor:
  code = 1
  if reduction == "none":
    code = 0
  elif reduction == "sum" or reduction == "batchmean":
    code = 2
  loss = torch.kl_div(input, target, code, log_target=log_target)
  if reduction == "batchmean" and input.dim() != 0:
    loss = loss / input.size(0)
  return loss
`,
  `
def multilabel_soft_margin_loss(input: Tensor, target: Tensor, weight: Optional[Tensor]=None, reduction: str="mean") -> Tensor:
  loss = torch.neg(target * torch.log_sigmoid(input) + (1 - target) * torch.log_sigmoid(torch.neg(input)))
  if weight is not None:
    loss = loss * weight
  last = input.dim() - 1
  loss = torch.sum(loss, [last]) / input.size(last)${reduced}
`,
  `
def gaussian_nll_loss(input: Tensor, target: Tensor, var: Tensor, full: bool=False, eps: float=1e-06, reduction: str="mean") -> Tensor:
  assert not bool(torch.any(torch.lt(var, 0))), "var has negative entry/entries"
  spread = var
  if var.dim() == input.dim() - 1:
    spread = torch.unsqueeze(var, -1)
  spread = torch.clamp(spread, min=eps)
  loss = torch.mul(torch.log(spread) + torch.pow(input - target, 2) / spread, 0.5)
  if full:
    loss = loss + ${0.5 * Math.log(2 * Math.PI)}${reduced}
`,
]

const byName = new Map(sources.map((source) => [/def (\w+)/.exec(source)![1], source]))

/** The source of a function of torch.nn.functional; undefined for those that are operators, and for names PyTorch does not have. */
export const functionalSource = (name: string): string | undefined => byName.get(name)
/** Names of the functions that have a source. */
export const functionalNames = (): string[] => [...byName.keys()]
