import { composed } from './op.js'

export default composed(
  'aten::cross_entropy_loss',
  `
def cross_entropy_loss(self: Tensor, target: Tensor, weight: Optional[Tensor]=None, reduction: int=1, ignore_index: int=-100, label_smoothing: float=0.) -> Tensor:
  dim = 1
  if self.dim() == 1:
    dim = 0
  classes = self.size(dim)
  logs = torch.log_softmax(self, dim)
  shape: List[int] = []
  for i in range(self.dim()):
    if i == dim:
      shape.append(classes)
    else:
      shape.append(1)
  if self.size() == target.size():
    if not torch.is_floating_point(target):
      raise RuntimeError('Expected floating point type for target with class probabilities, got an integer type')
    wanted = target
    if label_smoothing > 0.:
      wanted = torch.add(torch.mul(wanted, 1. - label_smoothing), label_smoothing / classes)
    terms = torch.mul(logs, wanted)
    if weight is not None:
      terms = torch.mul(terms, torch.reshape(weight, shape))
    if reduction == 1:
      return torch.div(torch.neg(torch.sum(terms)), torch.numel(self) // classes)
    if reduction == 2:
      return torch.neg(torch.sum(terms))
    return torch.neg(torch.sum(terms, [dim]))
  loss = torch.nll_loss_nd(logs, target, weight, reduction, ignore_index)
  if label_smoothing == 0.:
    return loss
  weighted = logs
  if weight is not None:
    weighted = torch.mul(logs, torch.reshape(weight, shape))
  ignored = torch.eq(target, ignore_index)
  smooth = torch.masked_fill(torch.neg(torch.sum(weighted, [dim])), ignored, 0)
  even = label_smoothing / classes
  if reduction == 1:
    if weight is not None:
      safe = torch.masked_fill(target, ignored, 0)
      factor = torch.masked_fill(torch.reshape(torch.index_select(weight, 0, torch.reshape(safe, [-1])), target.size()), ignored, 0)
      smooth = torch.div(torch.sum(smooth), torch.sum(factor))
    else:
      smooth = torch.div(torch.sum(smooth), torch.sum(torch.logical_not(ignored)))
  elif reduction == 2:
    smooth = torch.sum(smooth)
  return torch.add(torch.mul(loss, 1. - label_smoothing), torch.mul(smooth, even))
`,
)
